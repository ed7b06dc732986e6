//! The memory of this process, as reported by the system.

/// Resident memory in bytes; `None` if the system does not report it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ProcessMemory {
    /// The peak.
    pub peak_rss_bytes: Option<u64>,
    /// What is resident now and not backed by a file.
    pub private_rss_bytes: Option<u64>,
}

/// Asks the system.
pub fn process_memory() -> ProcessMemory {
    #[cfg(target_vendor = "apple")]
    return ProcessMemory { peak_rss_bytes: crate::machine::apple::peak_resident_memory(), private_rss_bytes: None };
    #[cfg(not(target_vendor = "apple"))]
    return parse(&std::fs::read_to_string("/proc/self/status").unwrap_or_default());
}

/// Reads `/proc/self/status` (proc(5)).
#[cfg(not(target_vendor = "apple"))]
fn parse(status: &str) -> ProcessMemory {
    ProcessMemory { peak_rss_bytes: field(status, "VmHWM:"), private_rss_bytes: field(status, "RssAnon:") }
}

#[cfg(not(target_vendor = "apple"))]
fn field(status: &str, name: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024)
}

#[cfg(all(test, not(target_vendor = "apple")))]
mod tests {
    use super::*;

    #[test]
    fn reads_a_status_file() {
        let status = "Name:\tsotto\nVmHWM:\t    2048 kB\nRssAnon:\t      12 kB\n";
        let expected = ProcessMemory { peak_rss_bytes: Some(2048 * 1024), private_rss_bytes: Some(12 * 1024) };
        assert_eq!(parse(status), expected);
        assert_eq!(parse("VmHWM:\t2048 pages\n"), ProcessMemory::default());
    }
}
