//! The cost of a model's tokens and the limits of this machine, against which speed is measured.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::{LayerWeights, Transformer};
use crate::{CancelToken, EngineError};

/// The number of measurements; the best one counts.
const TRIES: usize = 5;
/// How long each thread multiplies per measurement, and in which steps.
const WINDOW: Duration = Duration::from_millis(40);
const ROUNDS: usize = 1 << 14;
/// Bytes of weights that one task reads.
const TASK: usize = 1 << 22;

/// The limits of the machine, measured with the threads and kernels of a model.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ceilings {
    /// Multiply-accumulates of 8-bit integers per second, in registers.
    pub multiply_accumulates_per_second: f64,
    /// Bytes of weights read per second.
    pub bytes_per_second: f64,
}

/// What one token costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TokenCost {
    /// Multiply-accumulates of a prompt's token in the layers, without attention.
    pub multiply_accumulates: u64,
    /// Bytes of weights that a pass reads for one token: all layers, and the output matrix.
    pub bytes: u64,
}

impl Transformer {
    pub(crate) fn token_cost(&self) -> TokenCost {
        let layers = || self.weights.layers.iter().flat_map(LayerWeights::matrices);
        TokenCost {
            multiply_accumulates: layers().map(|matrix| matrix.shape().iter().product::<usize>() as u64).sum(),
            bytes: self.weights.read_for_a_token().map(|matrix| matrix.bytes().len() as u64).sum(),
        }
    }

    /// # Errors
    /// [`EngineError::Cancelled`].
    pub(crate) fn ceilings(&self, cancel: &CancelToken) -> Result<Ceilings, EngineError> {
        let team = self.pool.enter(cancel)?;
        let parts: Vec<&[u8]> =
            self.weights.read_for_a_token().flat_map(|matrix| matrix.bytes().chunks(TASK)).collect();
        let mut best = Ceilings { multiply_accumulates_per_second: 0.0, bytes_per_second: 0.0 };
        for _ in 0..TRIES {
            cancel.check()?;
            let done = AtomicU64::new(0);
            let took = timed(|| {
                team.run(self.pool.threads(), |_| {
                    let start = Instant::now();
                    while start.elapsed() < WINDOW {
                        done.fetch_add(self.kernels.multiply_accumulates(ROUNDS), Ordering::Relaxed);
                    }
                });
            });
            let rate = done.into_inner() as f64 / took.as_secs_f64();
            best.multiply_accumulates_per_second = best.multiply_accumulates_per_second.max(rate);
            let took = timed(|| team.run(parts.len(), |part| self.kernels.read(parts[part])));
            let read: usize = parts.iter().map(|part| part.len()).sum();
            best.bytes_per_second = best.bytes_per_second.max(read as f64 / took.as_secs_f64());
        }
        Ok(best)
    }
}

fn timed(work: impl FnOnce()) -> Duration {
    let start = Instant::now();
    work();
    start.elapsed()
}
