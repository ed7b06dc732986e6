use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::EngineError;

/// A file that is open for reading, or the part of one that holds a model: an asset in an app's package, or a document that
/// another app has opened.
#[derive(Debug)]
pub struct FilePart {
    /// What errors call it, and what its packed copies are named after.
    name: PathBuf,
    file: io::Result<File>,
    offset: u64,
    len: Option<u64>,
}

impl FilePart {
    /// The whole file at `path`.
    ///
    /// # Errors
    /// [`EngineError::NotFound`].
    pub fn open(path: impl AsRef<Path>) -> Result<Self, EngineError> {
        let name = path.as_ref().to_owned();
        let not_found = |source| EngineError::NotFound { path: name.clone(), source };
        // Before it is opened: to open a pipe would wait for a writer.
        check_regular(&fs::metadata(&name).map_err(not_found)?).map_err(not_found)?;
        let file = Ok(File::open(&name).map_err(not_found)?);
        Ok(Self { name, file, offset: 0, len: None })
    }

    /// The part of an open file that begins at `offset` and has `len` bytes, or goes on to the file's end.
    ///
    /// The descriptor is duplicated before this returns, and stays its owner's to close. One that is not open shows when the
    /// part is read, as [`EngineError::NotFound`].
    pub fn from_descriptor(descriptor: i32, offset: u64, len: Option<u64>) -> Self {
        let name = path_of(descriptor).unwrap_or_else(|| PathBuf::from(format!("descriptor {descriptor}")));
        Self { name, file: duplicate(descriptor), offset, len }
    }

    pub(crate) fn name(&self) -> &Path {
        &self.name
    }

    pub(crate) fn offset(&self) -> u64 {
        self.offset
    }

    /// When the file was changed, where the system says so.
    pub(crate) fn modified(&self) -> Option<SystemTime> {
        self.file.as_ref().ok()?.metadata().ok()?.modified().ok()
    }

    /// The file, and the length of the part.
    ///
    /// # Errors
    /// [`EngineError::NotFound`]; [`EngineError::Invalid`] for a part that is empty, or that the file does not have.
    pub(crate) fn checked(&self) -> Result<(&File, usize), EngineError> {
        let not_found = |source| EngineError::NotFound { path: self.name.clone(), source };
        let file = self.file.as_ref().map_err(|error| not_found(io::Error::new(error.kind(), error.to_string())))?;
        let metadata = file.metadata().map_err(not_found)?;
        check_regular(&metadata).map_err(not_found)?;
        let rest = metadata.len().saturating_sub(self.offset);
        match self.len.unwrap_or(rest) {
            0 => Err(EngineError::invalid("byte 0", "the file is empty")),
            len if len > rest => {
                Err(EngineError::invalid("the end", format!("{len} bytes were to be read, the file has {rest} there")))
            }
            len => usize::try_from(len)
                .map(|len| (file, len))
                .map_err(|_| EngineError::unsupported("more bytes than this device can address")),
        }
    }
}

pub(crate) fn check_regular(metadata: &fs::Metadata) -> io::Result<()> {
    match metadata.is_file() {
        true => Ok(()),
        false => Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file")),
    }
}

/// Where an open file lies, as far as the system knows.
fn path_of(descriptor: i32) -> Option<PathBuf> {
    #[cfg(target_vendor = "apple")]
    return crate::machine::apple::path_of(descriptor);
    #[cfg(not(target_vendor = "apple"))]
    return fs::read_link(format!("/proc/self/fd/{descriptor}")).ok();
}

#[cfg(unix)]
fn duplicate(descriptor: i32) -> io::Result<File> {
    use std::os::fd::BorrowedFd;

    if descriptor < 0 {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a descriptor"));
    }
    // SAFETY: it is borrowed for one call, which answers with an error if it is not open; -1 is ruled out above.
    let borrowed = unsafe { BorrowedFd::borrow_raw(descriptor) };
    Ok(borrowed.try_clone_to_owned()?.into())
}

#[cfg(not(unix))]
fn duplicate(_: i32) -> io::Result<File> {
    Err(io::ErrorKind::Unsupported.into())
}
