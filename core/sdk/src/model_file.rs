//! The location of a model: a path, an open file, or the program itself.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use sotto_engine::{FilePart, GgufFile};

use crate::Error;

/// The location of a model.
#[derive(Debug, Clone)]
pub enum ModelFile {
    /// A GGUF file or a packed file. If it has no tokenizer, a `tokenizer.json` in the same folder is used.
    Path(PathBuf),
    /// The same in an open file, or in part of it: [`ModelFile::descriptor`].
    Open(Arc<FilePart>),
    /// A GGUF file that is part of the program.
    Embedded(&'static [u8]),
}

impl ModelFile {
    /// A model file at `path`.
    pub fn path(path: impl AsRef<Path>) -> Self {
        Self::Path(path.as_ref().to_owned())
    }

    /// A model inside an open file. It begins at byte `offset` and has `len` bytes, or extends to the end of the file.
    /// Use it for an asset in an app's package, or a document that another app shares.
    ///
    /// The descriptor is duplicated, so the caller still has to close it. Loading reports a descriptor that is not
    /// open, like a missing file. The model is mapped in place; it is copied only if `offset` is not a multiple of 4.
    pub fn descriptor(descriptor: i32, offset: u64, len: Option<u64>) -> Self {
        Self::Open(Arc::new(FilePart::from_descriptor(descriptor, offset, len)))
    }

    /// Opens the file.
    pub(crate) fn open(&self) -> Result<GgufFile, Error> {
        Ok(match self {
            Self::Path(path) => GgufFile::open(path)?,
            Self::Open(part) => GgufFile::open_part(part)?,
            Self::Embedded(bytes) => GgufFile::from_bytes(*bytes)?,
        })
    }

    /// `None` for a model inside the program.
    pub(crate) fn part(&self) -> Result<Option<Arc<FilePart>>, Error> {
        Ok(match self {
            Self::Path(path) => Some(Arc::new(FilePart::open(path)?)),
            Self::Open(part) => Some(Arc::clone(part)),
            Self::Embedded(_) => None,
        })
    }

    /// Its path, for what cannot be read from anywhere else: `unsupported` says what that is, and what to do.
    ///
    /// # Errors
    /// [`Error::Unsupported`] for what has no path.
    #[cfg(any(feature = "personal", feature = "speech"))]
    pub(crate) fn path_or(&self, unsupported: &str) -> Result<&Path, Error> {
        match self {
            Self::Path(path) => Ok(path),
            Self::Open(_) | Self::Embedded(_) => Err(Error::Unsupported { what: unsupported.to_owned() }),
        }
    }

    /// The folder that may contain a `tokenizer.json`.
    pub(crate) fn folder(&self) -> Option<&Path> {
        match self {
            Self::Path(path) => path.parent(),
            Self::Open(_) | Self::Embedded(_) => None,
        }
    }
}
