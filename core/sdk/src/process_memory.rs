//! The memory of this process, as Linux and Android tell it.

/// Resident memory in bytes; `None` where the system does not say.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct ProcessMemory {
    pub peak_rss_bytes: Option<u64>,
    pub private_rss_bytes: Option<u64>,
}

/// Reads `/proc/self/status` (proc(5)).
pub(crate) fn process_memory() -> ProcessMemory {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    ProcessMemory { peak_rss_bytes: field(&status, "VmHWM:"), private_rss_bytes: field(&status, "RssAnon:") }
}

fn field(status: &str, name: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_a_status_file() {
        let status = "Name:\tsotto\nVmHWM:\t    2048 kB\nRssAnon:\t      12 kB\n";
        assert_eq!(field(status, "VmHWM:"), Some(2048 * 1024));
        assert_eq!(field(status, "RssAnon:"), Some(12 * 1024));
        assert_eq!(field(status, "VmSwap:"), None);
    }
}
