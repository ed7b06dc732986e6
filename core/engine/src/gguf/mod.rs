//! GGUF model files: mapped, walked and checked by us, then read by candle.

mod bytes;
mod metadata;
mod packed;
mod scan;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::Cursor;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use candle_core::quantized::gguf_file::Content;

use crate::{DType, EngineError};
pub(crate) use bytes::Bytes;
pub use metadata::Metadata;
pub(crate) use packed::TEMPORARY;
pub use packed::pack_file;
use scan::{Header, MAGIC, TensorEntry, scan};
pub(crate) use scan::{key_place, tensor_place};

/// An open GGUF file (versions 2 and 3, little-endian), its header checked.
///
/// Tensors stay where they are in the file. A [`crate::Model`] keeps the file's bytes open, but not its metadata, which
/// is tens of megabytes of private memory for a large vocabulary: drop the `GgufFile` once the tokenizer is built.
#[derive(Debug)]
pub struct GgufFile {
    bytes: Arc<Bytes>,
    version: u32,
    metadata: Metadata,
    tensors: BTreeMap<String, TensorEntry>,
    packed: bool,
    metadata_count: u64,
    /// Where the key-value pairs lie.
    metadata_bytes: Range<usize>,
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
        Self::read(Bytes::map(path.as_ref())?)
    }

    /// Reads a file that is in memory, for example by `include_bytes!`.
    ///
    /// Bytes that do not begin at a multiple of 8 are copied once.
    ///
    /// # Errors
    /// As [`GgufFile::open`], and [`EngineError::OutOfMemory`] for the copy.
    pub fn from_bytes(bytes: impl Into<Cow<'static, [u8]>>) -> Result<Self, EngineError> {
        Self::read(Bytes::from_memory(bytes.into())?)
    }

    fn read(bytes: Bytes) -> Result<Self, EngineError> {
        let header = scan(&bytes)?;
        if header.packed {
            packed::check(&bytes, &header)?;
        }
        let content = read_content(&bytes, &header)?;
        Ok(Self {
            bytes: Arc::new(bytes),
            version: header.version,
            metadata: Metadata::new(content.metadata),
            tensors: header.tensors,
            packed: header.packed,
            metadata_count: header.metadata_count,
            metadata_bytes: header.metadata,
            alignment: header.alignment,
        })
    }

    /// Whether all of a packed file is as it was written. This reads the whole file; opening it checks only the header.
    ///
    /// # Errors
    /// [`EngineError::Invalid`] when it is damaged, or not a packed file.
    pub fn verify_packed(&self) -> Result<(), EngineError> {
        packed::verify(&self.bytes)
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
    pub fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    /// The tensors' names, sorted.
    pub fn tensor_names(&self) -> impl Iterator<Item = &str> {
        self.tensors.keys().map(String::as_str)
    }

    /// The tensor with this name.
    pub fn tensor(&self, name: &str) -> Option<TensorView<'_>> {
        let entry = self.tensors.get(name)?;
        Some(TensorView { dtype: entry.dtype, shape: &entry.shape, bytes: &self.bytes[entry.range.clone()] })
    }

    /// The whole file.
    pub(crate) fn bytes(&self) -> &Arc<Bytes> {
        &self.bytes
    }

    /// Where in [`GgufFile::bytes`] a tensor lies.
    pub(crate) fn tensor_range(&self, name: &str) -> Option<Range<usize>> {
        self.tensors.get(name).map(|entry| entry.range.clone())
    }
}

/// candle's reading of the header.
fn read_content(bytes: &Bytes, header: &Header) -> Result<Content, EngineError> {
    let invalid = |error: candle_core::Error| EngineError::invalid("the header", error.to_string());
    if !header.packed {
        let content = Content::read(&mut Cursor::new(&bytes[..])).map_err(invalid)?;
        return match content.tensor_data_offset == header.data_start {
            true => Ok(content),
            false => Err(EngineError::Internal("two readings of a GGUF header disagree".into())),
        };
    }
    let mut copy = bytes[..header.data_start as usize].to_vec();
    copy[..MAGIC.len()].copy_from_slice(MAGIC);
    Content::read(&mut Cursor::new(&copy)).map_err(invalid)
}
