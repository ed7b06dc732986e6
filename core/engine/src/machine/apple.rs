//! Calls to iOS and macOS about the machine, this process and its threads.

use std::ffi::{CStr, OsStr};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::ptr;

/// The number of the fastest cores. Systems with only one kind of core have no levels.
pub(crate) fn performance_cores() -> Option<usize> {
    sysctl(c"hw.perflevel0.physicalcpu").or_else(|| sysctl(c"hw.physicalcpu"))
}

/// A count that `sysctl -n NAME` prints.
fn sysctl(name: &CStr) -> Option<usize> {
    let mut value: libc::c_int = 0;
    let mut len = size_of_val(&value);
    // SAFETY: the name ends with a zero, and `len` is the size of what the second argument points to.
    let status =
        unsafe { libc::sysctlbyname(name.as_ptr(), (&raw mut value).cast(), &raw mut len, ptr::null_mut(), 0) };
    let is_told = status == 0 && len == size_of_val(&value) && value > 0;
    is_told.then(|| usize::try_from(value).ok()).flatten()
}

/// Gives this thread the quality of service of work that a user waits for. Otherwise it might run on efficiency cores.
/// The system still throttles apps in the background.
pub(crate) fn prefer_fast_cores() {
    // SAFETY: it changes this thread's class alone; zero is a relative priority that every class has.
    let status = unsafe { libc::pthread_set_qos_class_self_np(libc::qos_class_t::QOS_CLASS_USER_INITIATED, 0) };
    if status != 0 {
        log::debug!("the quality of service of a thread could not be set: error {status}");
    }
}

/// Bytes until the system ends this app. macOS swaps instead of ending apps; 0 can also mean "no limit".
pub(crate) fn available_memory() -> Option<u64> {
    if cfg!(target_os = "macos") {
        return None;
    }
    // SAFETY: it takes nothing and reads a counter; it is there from iOS 13 on.
    let available = unsafe { os_proc_available_memory() } as u64;
    (available > 0).then_some(available)
}

unsafe extern "C" {
    /// `<os/proc.h>`, which `libc` lacks. macOS has none, and no call of it is compiled there.
    fn os_proc_available_memory() -> libc::size_t;
}

/// The peak resident memory, in bytes.
pub(crate) fn peak_resident_memory() -> Option<u64> {
    let mut usage = std::mem::MaybeUninit::<libc::rusage>::zeroed();
    // SAFETY: `usage` is a `rusage`, of which zeros are a value, so that it is one whatever the call does.
    let (status, usage) = unsafe { (libc::getrusage(libc::RUSAGE_SELF, usage.as_mut_ptr()), usage.assume_init()) };
    // Bytes here; kibibytes on Linux.
    (status == 0).then(|| u64::try_from(usage.ru_maxrss).ok()).flatten()
}

/// Where an open file lies.
pub(crate) fn path_of(descriptor: i32) -> Option<PathBuf> {
    let mut path = [0_u8; libc::PATH_MAX as usize];
    // SAFETY: the call writes a path of at most `PATH_MAX` bytes, its end included, or answers with an error.
    let status = unsafe { libc::fcntl(descriptor, libc::F_GETPATH, path.as_mut_ptr()) };
    let path = CStr::from_bytes_until_nul(&path).ok().filter(|_| status != -1)?;
    Some(PathBuf::from(OsStr::from_bytes(path.to_bytes())))
}
