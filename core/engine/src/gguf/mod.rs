//! GGUF model files: mapped, walked and checked, and read where they lie.

mod dtype;
mod file_part;
mod foreign;
mod metadata;
mod pages;
mod scan;
mod split;
mod trailer;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use bytes::Bytes;

use crate::{CancelToken, EngineError};
pub use dtype::DType;
pub use file_part::FilePart;
pub(crate) use file_part::check_regular;
pub use metadata::Metadata;
use metadata::ValueEntry;
pub(crate) use pages::Pages;
pub(crate) use scan::MAGIC as GGUF_MAGIC;
pub(crate) use scan::{PACKED_ALIGNMENT, PACKED_MAGIC, key_place, tensor_place, value_type};
use scan::{TensorEntry, scan};
pub(crate) use split::SPLIT_KEYS;
use split::Split;
pub(crate) use trailer::{LAYOUT, LAYOUT_KEY, SOURCE_KEY, Trailer};

/// An open GGUF file (versions 2 and 3, little-endian), its header checked.
///
/// Metadata and tensors stay where they are in the file.
#[derive(Debug)]
pub struct GgufFile {
    /// The file, or the files of a split model. The first has the metadata.
    parts: Vec<Part>,
    version: u32,
    values: BTreeMap<String, ValueEntry>,
    /// With the index of the part that holds it.
    tensors: BTreeMap<String, (usize, TensorEntry)>,
    packed: bool,
    alignment: u64,
}

/// One of the files that a model is in.
#[derive(Debug)]
pub(crate) struct Part {
    pub(crate) pages: Arc<Pages>,
    /// What errors call the file, and what its packed copies are named after.
    pub(crate) name: PathBuf,
    /// When the file was changed, where the system says so.
    pub(crate) modified: Option<SystemTime>,
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
    /// Maps the file at `path` and checks its header; of a split model, the files of all parts.
    ///
    /// The file must not be changed or truncated while it is open: replace a model by renaming a new file over it.
    ///
    /// # Errors
    /// [`EngineError::NotFound`], [`EngineError::Invalid`] with the place of the first fault, [`EngineError::Unsupported`] for
    /// files in other formats, other versions, big-endian files and unknown tensor formats, or [`EngineError::OutOfMemory`] when
    /// there is no room to map it.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, EngineError> {
        Self::open_part(&FilePart::open(path)?)
    }

    /// Maps a file that is open already, or a part of it; a part that does not begin at a multiple of 4 is copied. Of a split
    /// model, all files are mapped when one was opened by its path.
    ///
    /// # Errors
    /// As [`GgufFile::open`], [`EngineError::OutOfMemory`] for a copy, and [`EngineError::Unsupported`] for a part of a split
    /// model without a path.
    pub fn open_part(part: &FilePart) -> Result<Self, EngineError> {
        let file = Self::map(part)?;
        match Split::of(&file)? {
            Some(split) => split.open(part),
            None => Ok(file),
        }
    }

    /// Reads a file that is in memory, for example by `include_bytes!`.
    ///
    /// Bytes that do not begin at a multiple of 4 are copied once.
    ///
    /// # Errors
    /// As [`GgufFile::open`], [`EngineError::OutOfMemory`] for the copy, and [`EngineError::Unsupported`] for a part of a split
    /// model.
    pub fn from_bytes(bytes: impl Into<Cow<'static, [u8]>>) -> Result<Self, EngineError> {
        let file = Self::read(Pages::from_memory(bytes.into())?, PathBuf::new(), None)?;
        match Split::of(&file)? {
            Some(split) => Err(split.refusal()),
            None => Ok(file),
        }
    }

    /// Maps one file, which may be a part of a split model.
    fn map(part: &FilePart) -> Result<Self, EngineError> {
        let file = Pages::map(part).and_then(|pages| Self::read(pages, part.name().to_owned(), part.modified()));
        file.map_err(|error| part.explain(error))
    }

    fn read(pages: Pages, name: PathBuf, modified: Option<SystemTime>) -> Result<Self, EngineError> {
        let header = scan(&pages)?;
        if header.packed {
            trailer::check(&pages, &header)?;
        }
        Ok(Self {
            parts: vec![Part { pages: Arc::new(pages), name, modified }],
            version: header.version,
            values: header.values,
            tensors: header.tensors.into_iter().map(|(name, entry)| (name, (0, entry))).collect(),
            packed: header.packed,
            alignment: header.alignment,
        })
    }

    /// Takes the tensors of a further part.
    fn append(&mut self, part: Self) -> Result<(), EngineError> {
        for (name, (_, entry)) in part.tensors {
            let place = tensor_place(&name);
            if self.tensors.insert(name, (self.parts.len(), entry)).is_some() {
                return Err(EngineError::invalid(place, "two parts contain it: one of them belongs to another model"));
            }
        }
        self.parts.extend(part.parts);
        Ok(())
    }

    /// Whether all of a packed file is as it was written. This reads the whole file; opening it checks only the header.
    ///
    /// # Errors
    /// [`EngineError::Invalid`] when it is damaged, or not a packed file; [`EngineError::Cancelled`].
    pub fn verify_packed(&self, cancel: &CancelToken) -> Result<(), EngineError> {
        trailer::verify(&self.parts[0].pages, cancel)
    }

    /// The format's version, 2 or 3.
    pub fn version(&self) -> u32 {
        self.version
    }

    /// Whether its matrices are interleaved as the kernels read them: a file that [`crate::pack_file`] wrote.
    pub fn is_packed(&self) -> bool {
        self.packed
    }

    /// Length of the file in bytes, of a split model's files together.
    pub fn file_len(&self) -> u64 {
        self.parts.iter().map(|part| part.pages.len() as u64).sum()
    }

    /// The key-value pairs.
    pub fn metadata(&self) -> Metadata<'_> {
        Metadata::new(&self.parts[0].pages, &self.values)
    }

    /// An array of unsigned numbers of 32 bits, as its bytes lie in the file, which stays open as long as they are held; `None`
    /// when the key is missing.
    ///
    /// # Errors
    /// [`EngineError::Invalid`] when the value is something else.
    pub fn words(&self, key: &str) -> Result<Option<Bytes>, EngineError> {
        Ok(self.metadata().words_range(key)?.map(|range| self.parts[0].pages.share(range)))
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

    fn view<'a>(&'a self, (part, entry): &'a (usize, TensorEntry)) -> TensorView<'a> {
        let bytes = &self.parts[*part].pages[entry.range.clone()];
        TensorView { dtype: entry.dtype, shape: &entry.shape, bytes }
    }

    /// What tensors begin at a multiple of.
    pub(crate) fn alignment(&self) -> u64 {
        self.alignment
    }

    /// Where the file is, or the files of a split model; what was opened by a descriptor has the name that the system knows.
    pub fn paths(&self) -> impl Iterator<Item = &Path> {
        self.parts.iter().map(|part| part.name.as_path())
    }

    /// Whether any of it takes private memory.
    pub(crate) fn is_private(&self) -> bool {
        self.parts.iter().any(|part| part.pages.is_private())
    }

    /// The file, or the files of a split model.
    pub(crate) fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// Where a tensor lies.
    pub(crate) fn tensor_pages(&self, name: &str) -> Option<(&Arc<Pages>, Range<usize>)> {
        self.tensors.get(name).map(|(part, entry)| (&self.parts[*part].pages, entry.range.clone()))
    }
}
