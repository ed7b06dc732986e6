use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::EngineError;

/// A file that is open for reading, or the part of it that contains a model: an asset in an app's package, or another
/// app's document.
#[derive(Debug)]
pub struct FilePart {
    /// Its name in error messages and for its packed copies.
    name: PathBuf,
    /// Whether it was opened by name, so that other files can be found next to it.
    has_path: bool,
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
        let not_found = |source| EngineError::NotFound { path: name.clone(), source: in_words(source, &name) };
        // This is checked before opening, because opening a pipe would wait for a writer.
        check_regular(&fs::metadata(&name).map_err(not_found)?).map_err(not_found)?;
        let file = Ok(File::open(&name).map_err(not_found)?);
        Ok(Self { name, has_path: true, file, offset: 0, len: None })
    }

    /// The part of an open file that begins at `offset` and has `len` bytes, or extends to the end of the file.
    ///
    /// The descriptor is duplicated, so its owner still has to close it. If it is not open, reading the part fails with
    /// [`EngineError::NotFound`].
    pub fn from_descriptor(descriptor: i32, offset: u64, len: Option<u64>) -> Self {
        let name = path_of(descriptor).unwrap_or_else(|| PathBuf::from(format!("descriptor {descriptor}")));
        Self { name, has_path: false, file: duplicate(descriptor), offset, len }
    }

    /// The file.
    pub(crate) fn into_file(self) -> io::Result<File> {
        self.file
    }

    pub(crate) fn name(&self) -> &Path {
        &self.name
    }

    /// The path by which it was opened.
    pub(super) fn path(&self) -> Option<&Path> {
        self.has_path.then_some(&self.name)
    }

    /// Adds to the error of an unusable file that it is still being downloaded, if names say so.
    pub(super) fn explain(&self, error: EngineError) -> EngineError {
        let EngineError::Invalid { at, why } = error else { return error };
        if has_unfinished_name(&self.name) {
            return EngineError::invalid(at, format!("{why} (its name says that it is still being downloaded)"));
        }
        match unfinished_download(&self.name) {
            Some(name) => EngineError::invalid(at, format!("{why} (a download is still going on beside it: {name})")),
            None => EngineError::invalid(at, why),
        }
    }

    pub(crate) fn offset(&self) -> u64 {
        self.offset
    }

    /// When the file was changed, if the system reports it.
    pub(crate) fn modified(&self) -> Option<SystemTime> {
        self.file.as_ref().ok()?.metadata().ok()?.modified().ok()
    }

    /// The file, and the length of the part.
    ///
    /// # Errors
    /// [`EngineError::NotFound`]; [`EngineError::Invalid`] for an empty part, or one beyond the end of the file.
    pub(crate) fn checked(&self) -> Result<(&File, usize), EngineError> {
        let not_found = |source| EngineError::NotFound { path: self.name.clone(), source };
        let file = self.file.as_ref().map_err(|error| not_found(io::Error::new(error.kind(), error.to_string())))?;
        let metadata = file.metadata().map_err(not_found)?;
        check_regular(&metadata).map_err(not_found)?;
        let rest = metadata.len().saturating_sub(self.offset);
        match self.len.unwrap_or(rest) {
            0 => Err(EngineError::invalid("byte 0", "the file is empty")),
            len if len > rest => Err(EngineError::invalid(
                "the end",
                format!("{len} bytes were asked for, but the file has only {rest} there"),
            )),
            len => usize::try_from(len).map(|len| (file, len)).map_err(|_| {
                EngineError::unsupported(format!("a file of {len} bytes on a device that can address {}", usize::MAX))
            }),
        }
    }
}

/// Rejects anything that is not a regular file: reading some of these would never end.
pub(crate) fn check_regular(metadata: &fs::Metadata) -> io::Result<()> {
    if metadata.is_file() {
        return Ok(());
    }
    let (kind, what) = match metadata.is_dir() {
        true => (io::ErrorKind::IsADirectory, "it is a folder, not a file"),
        false => (io::ErrorKind::InvalidInput, special_kind(metadata)),
    };
    Err(io::Error::new(kind, what))
}

#[cfg(unix)]
fn special_kind(metadata: &fs::Metadata) -> &'static str {
    use std::os::unix::fs::FileTypeExt;

    let kind = metadata.file_type();
    if kind.is_fifo() {
        "it is a pipe, not a file"
    } else if kind.is_socket() {
        "it is a socket, not a file"
    } else {
        "it is a device, not a file"
    }
}

#[cfg(not(unix))]
fn special_kind(_: &fs::Metadata) -> &'static str {
    "it is not a file"
}

/// The system's error for `path`, in helpful words.
fn in_words(error: io::Error, path: &Path) -> io::Error {
    let words = match error.kind() {
        io::ErrorKind::NotFound => match unfinished_download(path) {
            _ if fs::symlink_metadata(path).is_ok() => "it is a link to a file that does not exist".to_owned(),
            Some(name) => format!("there is only {name}, an unfinished download"),
            None => "there is no such file".to_owned(),
        },
        io::ErrorKind::PermissionDenied => "this program is not permitted to read it".to_owned(),
        _ => return error,
    };
    io::Error::new(error.kind(), words)
}

/// Suffixes that browsers and other programs give to unfinished downloads.
const UNFINISHED: [&str; 8] = ["crdownload", "part", "partial", "download", "opdownload", "incomplete", "aria2", "tmp"];

fn has_unfinished_name(path: &Path) -> bool {
    path.extension().is_some_and(|extension| UNFINISHED.iter().any(|unfinished| extension == *unfinished))
}

/// The name of the unfinished download of the file at `path`.
fn unfinished_download(path: &Path) -> Option<String> {
    let name = path.file_name()?.to_str()?;
    let mut names = UNFINISHED.iter().map(|extension| format!("{name}.{extension}"));
    names.find(|name| path.with_file_name(name).exists())
}

/// The path of an open file, as far as the system knows it.
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
