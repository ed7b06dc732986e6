use crate::EngineError;

/// The memory of a model and one of its decoders, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MemoryEstimate {
    /// The mapped file: clean pages, which the system can reclaim at any time.
    pub mapped_bytes: u64,
    /// Weights that were packed into private memory when the model was loaded; 0 for a packed file.
    pub copied_bytes: u64,
    /// Private pages: the key-value cache for the whole context, scratch space including that of the threads, and
    /// logits.
    pub private_bytes: u64,
    /// The key-value cache's part of these.
    pub cache_bytes: u64,
}

/// An error unless `needed` bytes are available without the system having to end an app.
pub(crate) fn check_available(needed: u64) -> Result<(), EngineError> {
    match available_memory() {
        Some(available) if needed > available => Err(EngineError::OutOfMemory { needed, available }),
        _ => Ok(()),
    }
}

/// Bytes of memory that are available now: to all processes on Linux and Android, to this app on iOS. `None` if the
/// system does not report it.
pub fn available_memory() -> Option<u64> {
    #[cfg(target_vendor = "apple")]
    return crate::machine::apple::available_memory();
    #[cfg(not(target_vendor = "apple"))]
    return mem_available();
}

/// `/proc/meminfo` (proc(5)), where there is one.
#[cfg(not(target_vendor = "apple"))]
fn mem_available() -> Option<u64> {
    let meminfo = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024)
}

/// A vector of zeros.
///
/// # Errors
/// [`EngineError::OutOfMemory`].
pub fn zeros(len: usize) -> Result<Vec<f32>, EngineError> {
    let mut vector = Vec::new();
    resize(&mut vector, len)?;
    Ok(vector)
}

/// Resizes `vector`, filling with zeros.
///
/// # Errors
/// [`EngineError::OutOfMemory`].
pub fn resize<T: Clone + Default>(vector: &mut Vec<T>, len: usize) -> Result<(), EngineError> {
    let more = len.saturating_sub(vector.len());
    let needed = (len as u64).saturating_mul(size_of::<T>() as u64);
    if len > vector.capacity() {
        // The allocator itself promises memory that does not exist.
        check_available(needed)?;
    }
    vector
        .try_reserve_exact(more)
        .map_err(|_| EngineError::OutOfMemory { needed, available: available_memory().unwrap_or(0) })?;
    vector.resize(len, T::default());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_than_there_is_is_an_error() {
        // 4 TiB.
        assert!(matches!(zeros(1 << 40), Err(EngineError::OutOfMemory { needed, .. }) if needed == 1 << 42));
        assert!(matches!(zeros(usize::MAX), Err(EngineError::OutOfMemory { .. })));
        assert_eq!(zeros(3).expect("twelve bytes"), [0.0; 3]);
    }
}
