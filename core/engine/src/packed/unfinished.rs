//! Packed files that are being written. They are locked; an unlocked one was left behind by a killed process.

use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::time::{Duration, SystemTime};

use tempfile::NamedTempFile;

const PREFIX: &str = ".sotto-packing-";
/// The maximum age of a file that its writer has not locked yet.
const YOUNG: Duration = Duration::from_secs(60);

/// A new file in `folder`, locked until it is closed. It gets ordinary permissions: temporary files are private to
/// their owner, but this one stays.
pub(super) fn create(folder: &Path) -> io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(PREFIX);
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    // Errors would name this file, which the user does not know.
    let file = builder.tempfile_in(folder).map_err(|error| io::Error::from(error.kind()))?;
    lock(file.as_file());
    Ok(file)
}

/// Removes those in `folder` that are no longer being written.
pub(crate) fn remove_abandoned(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().starts_with(PREFIX)
            && is_abandoned(&entry.path())
            && fs::remove_file(entry.path()).is_err()
        {
            log::warn!("an unfinished packed file cannot be removed");
        }
    }
}

fn is_abandoned(path: &Path) -> bool {
    let age = fs::symlink_metadata(path).and_then(|file| file.modified()).ok();
    let age = age.and_then(|modified| SystemTime::now().duration_since(modified).ok());
    age > Some(YOUNG) && File::open(path).is_ok_and(|file| lock(&file))
}

/// Locks a file until it is closed, unless another process has locked it.
#[cfg(not(target_os = "android"))]
fn lock(file: &File) -> bool {
    file.try_lock().is_ok()
}

/// The same, for systems on which the standard library does not support locks.
#[cfg(target_os = "android")]
fn lock(file: &File) -> bool {
    use std::os::fd::AsRawFd;

    // SAFETY: the descriptor is open.
    unsafe { libc::flock(file.as_raw_fd(), libc::LOCK_EX | libc::LOCK_NB) == 0 }
}
