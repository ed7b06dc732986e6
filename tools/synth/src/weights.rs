use std::io::Write;
use std::ops::ControlFlow;

use candle_core::quantized::QTensor;
use candle_core::{Device, Tensor};
use rand::rngs::Xoshiro256PlusPlus;
use rand::{Rng, RngExt, SeedableRng};

use crate::SynthError;
use crate::plan::{Content, TensorPlan};

/// Of a larger tensor, only this many weights are drawn and quantized; the rest are those blocks dealt again in random
/// order. Drawing 1.2 billion weights and quantizing them takes minutes and makes the file no better: every byte
/// still has its own place in memory, and two rows of a wide matrix are never the same.
const DRAWN: usize = 1 << 18;

/// Weights that are dealt together where the type itself has no blocks.
const SMALLEST_DEAL: usize = 32;

/// Bytes that are dealt before they are handed to the writer.
const CHUNK: usize = 1 << 20;

/// Writes the bytes of one tensor, and tells `written` of each piece, which may end it. The same seed gives the same bytes.
pub(crate) fn write<W: Write>(
    tensor: &TensorPlan,
    seed: u64,
    out: &mut W,
    mut written: impl FnMut(usize) -> ControlFlow<()>,
) -> Result<(), WeightsError> {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
    let total = tensor.element_count();
    let drawn = match &tensor.content {
        Content::Values(values) => values.clone(),
        Content::Random { mean, deviation } => {
            let row = tensor.dims.last().copied().unwrap_or(1);
            let count = DRAWN.div_ceil(row).saturating_mul(row).min(total);
            (0..count).map(|_| mean + deviation * near_normal(&mut rng)).collect()
        }
    };
    let count = drawn.len();
    let pool = QTensor::quantize(&Tensor::from_vec(drawn, count, &Device::Cpu)?, tensor.dtype)?;
    let pool = pool.data()?;
    out.write_all(&pool)?;
    go_on(written(pool.len()))?;
    deal(&pool, tensor, &mut rng, out, written)
}

/// Fills what the pool leaves of the tensor with the pool's own blocks.
fn deal<W: Write>(
    pool: &[u8],
    tensor: &TensorPlan,
    rng: &mut Xoshiro256PlusPlus,
    out: &mut W,
    mut written: impl FnMut(usize) -> ControlFlow<()>,
) -> Result<(), WeightsError> {
    let blocks_per_deal = SMALLEST_DEAL.div_ceil(tensor.dtype.block_size());
    let deal_size = blocks_per_deal * tensor.dtype.type_size();
    let deals: Vec<&[u8]> = pool.chunks_exact(deal_size).collect();
    let mut left = tensor.byte_count() - pool.len();
    let mut chunk = Vec::with_capacity(CHUNK + deal_size);
    while left > 0 {
        chunk.clear();
        while chunk.len() < CHUNK.min(left) {
            chunk.extend_from_slice(deals[rng.random_range(0..deals.len())]);
        }
        chunk.truncate(left);
        out.write_all(&chunk)?;
        left -= chunk.len();
        go_on(written(chunk.len()))?;
    }
    Ok(())
}

fn go_on(flow: ControlFlow<()>) -> Result<(), WeightsError> {
    if flow.is_break() { Err(WeightsError::Stopped) } else { Ok(()) }
}

/// A number of mean 0 and variance 1: the sum of four uniform ones, which is close to normal and needs one draw.
fn near_normal(rng: &mut impl Rng) -> f32 {
    let bits = rng.next_u64();
    let sum: u32 = (0..4).map(|lane| u32::from((bits >> (16 * lane)) as u16)).sum();
    let centred = sum as f32 / 65_536.0 - 2.0;
    centred * 3f32.sqrt()
}

/// What can go wrong while a tensor is made and written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WeightsError {
    #[error(transparent)]
    Io(#[from] std::io::Error),
    #[error(transparent)]
    Quantize(#[from] candle_core::Error),
    #[error("stopped")]
    Stopped,
}

impl WeightsError {
    pub fn at(self, io: impl FnOnce(std::io::Error) -> SynthError) -> SynthError {
        match self {
            Self::Io(source) => io(source),
            Self::Quantize(source) => SynthError::Quantize(source),
            Self::Stopped => SynthError::Stopped,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_normal_has_mean_0_and_variance_1() {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
        let draws: Vec<f64> = (0..100_000).map(|_| f64::from(near_normal(&mut rng))).collect();
        let mean = draws.iter().sum::<f64>() / draws.len() as f64;
        let variance = draws.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / draws.len() as f64;
        assert!(mean.abs() < 0.02, "{mean}");
        assert!((variance - 1.0).abs() < 0.02, "{variance}");
    }
}
