//! GGUF model files: mapped, walked and checked, and read where they lie.

mod dtype;
mod file_part;
mod metadata;
mod pages;
mod scan;
mod trailer;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;

use crate::{CancelToken, EngineError};
pub use dtype::DType;
pub use file_part::FilePart;
pub(crate) use file_part::check_regular;
pub use metadata::Metadata;
use metadata::ValueEntry;
pub(crate) use pages::Pages;
pub(crate) use scan::{PACKED_ALIGNMENT, PACKED_MAGIC, key_place, tensor_place, value_type};
use scan::{TensorEntry, scan};
pub(crate) use trailer::{LAYOUT, LAYOUT_KEY, SOURCE_KEY, Trailer};

/// An open GGUF file (versions 2 and 3, little-endian), its header checked.
///
/// Metadata and tensors stay where they are in the file.
#[derive(Debug)]
pub struct GgufFile {
    bytes: Arc<Pages>,
    version: u32,
    values: BTreeMap<String, ValueEntry>,
    tensors: BTreeMap<String, TensorEntry>,
    packed: bool,
    alignment: u64,
}

/// A tensor in a file.
#[derive(Debug, Clone, Copy)]
pub struct TensorView<'a> {
    /// Number format.
    pub dtype: DType,
    /// Outermost dimension first: `[rows, columns]` for a matrix.
    pub shape: &'a [usize],
    /// The tensor as it lies in the file: rows of blocks, first row first.
    pub bytes: &'a [u8],
}

impl GgufFile {
    /// Maps the file at `path` and checks its header.
    ///
    /// The file must not be changed or truncated while it is open: replace a model by renaming a new file over it.
    ///
    /// # Errors
    /// [`EngineError::NotFound`], [`EngineError::Invalid`] with the place of the first fault, or
    /// [`EngineError::Unsupported`] for other versions, big-endian files and unknown tensor formats.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, EngineError> {
        Self::open_part(&FilePart::open(path)?)
    }

    /// Maps a file that is open already, or a part of it; a part that does not begin at a multiple of 4 is copied.
    ///
    /// # Errors
    /// As [`GgufFile::open`], and [`EngineError::OutOfMemory`] for a copy.
    pub fn open_part(part: &FilePart) -> Result<Self, EngineError> {
        Self::read(Pages::map(part)?)
    }

    /// Reads a file that is in memory, for example by `include_bytes!`.
    ///
    /// Bytes that do not begin at a multiple of 4 are copied once.
    ///
    /// # Errors
    /// As [`GgufFile::open`], and [`EngineError::OutOfMemory`] for the copy.
    pub fn from_bytes(bytes: impl Into<Cow<'static, [u8]>>) -> Result<Self, EngineError> {
        Self::read(Pages::from_memory(bytes.into())?)
    }

    fn read(bytes: Pages) -> Result<Self, EngineError> {
        let header = scan(&bytes)?;
        if header.packed {
            trailer::check(&bytes, &header)?;
        }
        Ok(Self {
            bytes: Arc::new(bytes),
            version: header.version,
            values: header.values,
            tensors: header.tensors,
            packed: header.packed,
            alignment: header.alignment,
        })
    }

    /// Whether all of a packed file is as it was written. This reads the whole file; opening it checks only the header.
    ///
    /// # Errors
    /// [`EngineError::Invalid`] when it is damaged, or not a packed file; [`EngineError::Cancelled`].
    pub fn verify_packed(&self, cancel: &CancelToken) -> Result<(), EngineError> {
        trailer::verify(&self.bytes, cancel)
    }

    /// The format's version, 2 or 3.
    pub fn version(&self) -> u32 {
        self.version
    }

    /// Whether its matrices are interleaved as the kernels read them: a file that [`crate::pack_file`] wrote.
    pub fn is_packed(&self) -> bool {
        self.packed
    }

    /// Length of the file in bytes.
    pub fn file_len(&self) -> u64 {
        self.bytes.len() as u64
    }

    /// The key-value pairs.
    pub fn metadata(&self) -> Metadata<'_> {
        Metadata::new(&self.bytes, &self.values)
    }

    /// An array of unsigned numbers of 32 bits, as its bytes lie in the file, which stays open as long as they are held; `None`
    /// when the key is missing.
    ///
    /// # Errors
    /// [`EngineError::Invalid`] when the value is something else.
    pub fn words(&self, key: &str) -> Result<Option<Bytes>, EngineError> {
        Ok(self.metadata().words_range(key)?.map(|range| self.bytes.share(range)))
    }

    /// The tensors' names, sorted.
    pub fn tensor_names(&self) -> impl Iterator<Item = &str> {
        self.tensors.keys().map(String::as_str)
    }

    /// Every tensor, sorted by name.
    pub(crate) fn tensors(&self) -> impl Iterator<Item = (&str, TensorView<'_>)> {
        self.tensors.iter().map(|(name, entry)| (name.as_str(), self.view(entry)))
    }

    /// The tensor with this name.
    pub fn tensor(&self, name: &str) -> Option<TensorView<'_>> {
        self.tensors.get(name).map(|entry| self.view(entry))
    }

    fn view<'a>(&'a self, entry: &'a TensorEntry) -> TensorView<'a> {
        TensorView { dtype: entry.dtype, shape: &entry.shape, bytes: &self.bytes[entry.range.clone()] }
    }

    /// What tensors begin at a multiple of.
    pub(crate) fn alignment(&self) -> u64 {
        self.alignment
    }

    /// The whole file.
    pub(crate) fn bytes(&self) -> &Arc<Pages> {
        &self.bytes
    }

    /// The pages that a tensor lies in, and where.
    pub(crate) fn tensor_pages(&self, name: &str) -> Option<(&Arc<Pages>, Range<usize>)> {
        self.tensors.get(name).map(|entry| (&self.bytes, entry.range.clone()))
    }
}
