//! Where a model is: at a path, in an open file, or in the program.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use sotto_engine::{FilePart, GgufFile};

use crate::Error;

/// Where a model is.
#[derive(Debug, Clone)]
pub enum ModelFile {
    /// A GGUF file, or a packed one. A `tokenizer.json` beside it is used when it has no tokenizer itself.
    Path(PathBuf),
    /// The same in a file that is open already, or in a part of it: [`ModelFile::descriptor`].
    Open(Arc<FilePart>),
    /// A GGUF file that is part of the program.
    Embedded(&'static [u8]),
}

impl ModelFile {
    /// A model file at `path`.
    pub fn path(path: impl AsRef<Path>) -> Self {
        Self::Path(path.as_ref().to_owned())
    }

    /// A model file that begins at `offset` of an open file, in bytes, and has `len` bytes or goes on to the file's end: an
    /// asset in an app's package, or a document that another app shares.
    ///
    /// The descriptor is duplicated before this returns, and stays the caller's to close. One that is not open is reported
    /// by loading, as a path without a file is. The model is mapped where it lies; only one that does not begin at a multiple
    /// of 4 bytes is copied.
    pub fn descriptor(descriptor: i32, offset: u64, len: Option<u64>) -> Self {
        Self::Open(Arc::new(FilePart::from_descriptor(descriptor, offset, len)))
    }

    /// The file, as it is.
    pub(crate) fn open(&self) -> Result<GgufFile, Error> {
        Ok(match self {
            Self::Path(path) => GgufFile::open(path)?,
            Self::Open(part) => GgufFile::open_part(part)?,
            Self::Embedded(bytes) => GgufFile::from_bytes(*bytes)?,
        })
    }

    /// `None` for what lies in the program.
    pub(crate) fn part(&self) -> Result<Option<Arc<FilePart>>, Error> {
        Ok(match self {
            Self::Path(path) => Some(Arc::new(FilePart::open(path)?)),
            Self::Open(part) => Some(Arc::clone(part)),
            Self::Embedded(_) => None,
        })
    }

    /// Where a `tokenizer.json` may lie.
    pub(crate) fn folder(&self) -> Option<&Path> {
        match self {
            Self::Path(path) => path.parent(),
            Self::Open(_) | Self::Embedded(_) => None,
        }
    }
}
