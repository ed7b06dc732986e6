//! Chooses the number of threads.

use std::num::NonZero;
use std::thread;

/// More threads than this do not speed up any matrix product here.
pub(crate) const MAX_THREADS: usize = 256;

/// The number of useful cores: one per pair of hyper-threads, and no efficiency cores, for which every matrix product
/// would have to wait.
pub(crate) fn performance_cores() -> usize {
    let available = thread::available_parallelism().map_or(1, NonZero::get);
    system_performance_cores().map_or(available, |cores| cores.clamp(1, available))
}

/// Tells the system that a user waits for this thread. On Apple's systems, this decides which cores it runs on.
pub fn prefer_fast_cores() {
    #[cfg(target_vendor = "apple")]
    crate::machine::apple::prefer_fast_cores();
}

#[cfg(target_vendor = "apple")]
use crate::machine::apple::performance_cores as system_performance_cores;

#[cfg(any(target_os = "linux", target_os = "android"))]
fn system_performance_cores() -> Option<usize> {
    use std::collections::BTreeSet;
    use std::fs;

    /// A core counts as fast if it has this share of the largest core's capacity.
    const FAST: f64 = 0.6;
    /// The kernel's value for the largest core; absent if all cores are the same.
    const FULL_CAPACITY: f64 = 1024.0;

    // "0-7"
    let possible = fs::read_to_string("/sys/devices/system/cpu/possible").ok();
    let last = possible.and_then(|range| range.trim().rsplit(['-', ',']).next()?.parse().ok());
    let mut cores = Vec::new();
    for cpu in 0..=last.unwrap_or(MAX_THREADS).min(MAX_THREADS) {
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

#[cfg(not(any(target_os = "linux", target_os = "android", target_vendor = "apple")))]
fn system_performance_cores() -> Option<usize> {
    None
}
