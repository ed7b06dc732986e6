use std::num::NonZero;
use std::sync::OnceLock;
use std::thread;

use rayon::{ThreadPool, ThreadPoolBuilder};

use crate::EngineError;

const MAX_THREADS: usize = 256;

/// The engine's own threads, started by the first pass and shared by all decoders of a model.
#[derive(Debug)]
pub(crate) struct Pool {
    threads: usize,
    pool: OnceLock<ThreadPool>,
}

impl Pool {
    /// A pool of `threads` threads, or of one for each performance core.
    pub(crate) fn new(threads: Option<usize>) -> Self {
        let threads = threads.unwrap_or_else(performance_cores).clamp(1, MAX_THREADS);
        Self { threads, pool: OnceLock::new() }
    }

    pub(crate) fn threads(&self) -> usize {
        self.threads
    }

    /// Runs `work` on the pool's threads and waits for it.
    pub(crate) fn run<T: Send>(&self, work: impl FnOnce() -> T + Send) -> Result<T, EngineError> {
        let pool = match self.pool.get() {
            Some(pool) => pool,
            None => {
                let started = self.start()?;
                // Two first passes at once may both start threads: one set is kept, the other ends here.
                self.pool.get_or_init(|| started)
            }
        };
        Ok(pool.install(work))
    }

    fn start(&self) -> Result<ThreadPool, EngineError> {
        ThreadPoolBuilder::new()
            .num_threads(self.threads)
            .thread_name(|i| format!("sotto-{i}"))
            .build()
            .map_err(|error| EngineError::Internal(format!("cannot start threads: {error}")))
    }
}

/// Cores worth computing on: one of each pair of hyper-threads, and no efficiency cores, whose slow share every matrix
/// product would wait for.
fn performance_cores() -> usize {
    let available = thread::available_parallelism().map_or(1, NonZero::get);
    linux_performance_cores().map_or(available, |cores| cores.clamp(1, available))
}

#[cfg(any(target_os = "linux", target_os = "android"))]
fn linux_performance_cores() -> Option<usize> {
    use std::collections::BTreeSet;
    use std::fs;

    /// Share of the largest core's capacity from which a core counts as fast.
    const FAST: f64 = 0.6;
    /// What the kernel gives the largest core; absent where all are alike.
    const FULL_CAPACITY: f64 = 1024.0;

    let mut cores = Vec::new();
    for cpu in 0..MAX_THREADS {
        let folder = format!("/sys/devices/system/cpu/cpu{cpu}");
        let Ok(siblings) = fs::read_to_string(format!("{folder}/topology/thread_siblings_list")) else { continue };
        let capacity = fs::read_to_string(format!("{folder}/cpu_capacity")).ok();
        let capacity = capacity.and_then(|text| text.trim().parse().ok()).unwrap_or(FULL_CAPACITY);
        cores.push((siblings, capacity));
    }
    let largest = cores.iter().map(|core| core.1).fold(0.0, f64::max);
    let fast: BTreeSet<_> = cores.iter().filter(|core| core.1 >= FAST * largest).map(|core| &core.0).collect();
    (!fast.is_empty()).then_some(fast.len())
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn linux_performance_cores() -> Option<usize> {
    None
}
