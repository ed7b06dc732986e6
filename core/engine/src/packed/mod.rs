//! Packed model files: GGUF files whose matrices are interleaved as the kernels read them, so that they can be mapped and
//! used as they are.
//!
//! The structure is GGUF's, version 3, with these differences: the magic is `SPGF`; matrices are stored as
//! [`sotto_kernels::packed`] lays them out, with as many bytes as that takes; those that a family has in one tensor are several,
//! and rows of queries and keys lie so that RoPE turns neighbours; tensors begin at multiples of 64 at least;
//! the metadata says where the file comes from ([`SOURCE_KEY`]) and which layout it has ([`LAYOUT_KEY`]), and may have a value
//! in another form ([`Replacement`]); and the file ends with a [`Trailer`] of checksums. The layout is the same for all
//! machines.

mod cache;
mod deleted;
mod unfinished;

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use crc32fast::Hasher;
use tempfile::NamedTempFile;

use crate::gguf::value_type::{ARRAY, STRING, U32};
use crate::gguf::{
    GGUF_MAGIC, LAYOUT, LAYOUT_KEY, PACKED_ALIGNMENT, PACKED_MAGIC, SOURCE_KEY, SPLIT_KEYS, Trailer, check_regular,
    key_place,
};
use crate::machine::resize;
use crate::model::{WeightMatrix, Weights};
use crate::{CancelToken, DType, EngineError, GgufFile, ModelConfig};
pub use cache::open_packed;
pub use deleted::{delete_packed_source, open_copy_of_deleted};

const VERSION: u32 = 3;

/// What a packed file has in place of some of its source's key-value pairs: the same in a form that takes less time to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replacement {
    /// The keys that go, those of them that are there.
    pub replaced: &'static [&'static str],
    /// The key that comes.
    pub key: &'static str,
    /// Its value: the bytes of an array of unsigned numbers of 32 bits, which [`GgufFile::words`] gives back.
    pub words: Vec<u8>,
}

/// Packs the model `source` into a new file at `target`, which appears there whole or not at all. `source_name` goes into
/// the file, to tell later what it was made from, and so does `replacement`; `on_progress` is told the bytes done and all
/// bytes.
///
/// # Errors
/// [`EngineError::Storage`] when the file cannot be written, [`EngineError::Invalid`] and [`EngineError::Unsupported`] for models that
/// [`crate::Model::load`] refuses, [`EngineError::OutOfMemory`], [`EngineError::Cancelled`], and [`EngineError::Invalid`] when `source` is packed already, or the
/// replacement's bytes are not a multiple of 4.
pub fn pack_file(
    source: &GgufFile,
    source_name: &str,
    replacement: Option<&Replacement>,
    target: &Path,
    cancel: &CancelToken,
    on_progress: impl FnMut(u64, u64),
) -> Result<(), EngineError> {
    if source.is_packed() {
        return Err(EngineError::invalid("byte 0", "the file is packed already"));
    }
    if let Some(odd) = replacement.filter(|replacement| !replacement.words.len().is_multiple_of(4)) {
        return Err(EngineError::invalid(key_place(odd.key), "its length is not a multiple of 4 bytes"));
    }
    // Whoever has a packed file may delete its source: what cannot be run is not packed.
    let weights = Weights::find(source, &ModelConfig::from_gguf(source)?)?;
    let alignment = source.alignment().max(PACKED_ALIGNMENT);
    let tensors = place(plan(source, &weights), alignment);
    let own = own_pairs(source_name, replacement);
    let pairs: Vec<&[u8]> = kept_pairs(source, replacement).into_iter().chain(own.iter().map(Vec::as_slice)).collect();
    let header = header(PACKED_MAGIC, &pairs, &tensors, alignment);
    write_new(target, &header, &tensors, true, cancel, on_progress)
}

/// Writes a GGUF file with these key-value pairs and tensors at `target`, where it appears whole or not at all. `on_progress` is
/// told the bytes done and all bytes.
pub(crate) fn write_gguf(
    target: &Path,
    pairs: &[&[u8]],
    tensors: Vec<Planned<'_>>,
    alignment: u64,
    cancel: &CancelToken,
    on_progress: impl FnMut(u64, u64),
) -> Result<(), EngineError> {
    let tensors = place(tensors, alignment);
    write_new(target, &header(GGUF_MAGIC, pairs, &tensors, alignment), &tensors, false, cancel, on_progress)
}

/// Writes a new file at `target`, which appears there whole or not at all.
fn write_new(
    target: &Path,
    header: &[u8],
    tensors: &[Planned<'_>],
    has_trailer: bool,
    cancel: &CancelToken,
    on_progress: impl FnMut(u64, u64),
) -> Result<(), EngineError> {
    let storage = |source| EngineError::Storage { path: target.to_owned(), source };
    replace_file(target, |file| write(file, header, tensors, has_trailer, storage, cancel, on_progress))
}

/// Writes a file at `target`, in place of one that is there, where it appears whole or not at all, whatever ends the process.
///
/// # Errors
/// [`EngineError::Storage`] when it cannot be written, and those of `write`.
pub fn replace_file(target: &Path, write: impl FnOnce(&File) -> Result<(), EngineError>) -> Result<(), EngineError> {
    let storage = |source| EngineError::Storage { path: target.to_owned(), source };
    let place = place_of(target).map_err(storage)?;
    let folder = place.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(folder).map_err(storage)?;
    unfinished::remove_abandoned(folder);
    let temporary = unfinished::create(folder).map_err(storage)?;
    write(temporary.as_file())?;
    persist(temporary, &place).map_err(storage)
}

fn write(
    file: &File,
    header: &[u8],
    tensors: &[Planned<'_>],
    has_trailer: bool,
    storage: impl Fn(io::Error) -> EngineError,
    cancel: &CancelToken,
    mut on_progress: impl FnMut(u64, u64),
) -> Result<(), EngineError> {
    let total = tensors.last().map_or(0, |tensor| tensor.end());
    let mut writer = Writer { out: BufWriter::new(file), hasher: Hasher::new(), written: 0 };
    writer.write(header).map_err(&storage)?;
    let mut trailer = Trailer { header: writer.hasher.finalize(), data: 0 };
    (writer.hasher, writer.written) = (Hasher::new(), 0);
    for tensor in tensors {
        writer.fill_to(tensor.offset).map_err(&storage)?;
        tensor.write_pieces(cancel, |piece| {
            writer.write(piece).map_err(&storage)?;
            on_progress(writer.written as u64, total as u64);
            Ok(())
        })?;
    }
    trailer.data = writer.hasher.finalize();
    let trailer = if has_trailer { &trailer.bytes()[..] } else { &[] };
    writer.out.write_all(trailer).and_then(|()| writer.out.flush()).map_err(storage)
}

/// Where a file at `target` is to be: where a link leads, and nowhere that something else than a file is.
fn place_of(target: &Path) -> io::Result<PathBuf> {
    match fs::metadata(target) {
        Ok(there) => check_regular(&there).and_then(|()| fs::canonicalize(target)),
        Err(_) => Ok(target.to_owned()),
    }
}

/// The file gets its name only when all of it is on the disk.
fn persist(temporary: NamedTempFile, target: &Path) -> io::Result<()> {
    temporary.as_file().sync_all()?;
    temporary.persist(target)?;
    // So that the name, too, survives a loss of power; some file systems do not let folders be opened.
    if let Some(Ok(folder)) = target.parent().map(File::open) {
        let _: io::Result<()> = folder.sync_all();
    }
    Ok(())
}

struct Writer<'a> {
    // Not the temporary file, whose errors would name it.
    out: BufWriter<&'a File>,
    hasher: Hasher,
    written: usize,
}

impl Writer<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.out.write_all(bytes)?;
        self.hasher.update(bytes);
        self.written += bytes.len();
        Ok(())
    }

    fn fill_to(&mut self, offset: usize) -> io::Result<()> {
        self.write(&vec![0; offset - self.written])
    }
}

/// A tensor on its way into a file.
pub(crate) struct Planned<'a> {
    pub(crate) name: &'a str,
    pub(crate) dtype: DType,
    pub(crate) shape: Vec<usize>,
    pub(crate) content: Content<'a>,
    /// From the first tensor's first byte, once it has a place.
    pub(crate) offset: usize,
}

/// What is written for a tensor.
pub(crate) enum Content<'a> {
    /// A matrix, packed.
    Matrix(&'a WeightMatrix),
    /// As it lies in another file.
    Other(&'a [u8]),
    /// So many bytes, which are made when they are written.
    #[cfg(feature = "candle")]
    Made(usize, Box<dyn Fn() -> Result<Vec<u8>, EngineError> + 'a>),
}

fn plan<'a>(source: &'a GgufFile, weights: &'a Weights) -> Vec<Planned<'a>> {
    let others = source.tensors().filter(|(_, tensor)| tensor.shape.len() != 2);
    let others = others.map(|(name, tensor)| {
        let (shape, content) = (tensor.shape.to_vec(), Content::Other(tensor.bytes));
        Planned { name, dtype: tensor.dtype, shape, content, offset: 0 }
    });
    let matrices = weights.matrices().map(|matrix| {
        let (shape, content) = (matrix.shape().to_vec(), Content::Matrix(matrix));
        Planned { name: matrix.name(), dtype: matrix.dtype(), shape, content, offset: 0 }
    });
    others.chain(matrices).collect()
}

/// Gives tensors their places, one after the other.
fn place(mut tensors: Vec<Planned<'_>>, alignment: u64) -> Vec<Planned<'_>> {
    let mut end = 0usize;
    for tensor in &mut tensors {
        tensor.offset = end.next_multiple_of(alignment as usize);
        end = tensor.end();
    }
    tensors
}

impl Planned<'_> {
    fn end(&self) -> usize {
        self.offset
            + match &self.content {
                Content::Matrix(matrix) => matrix.packed_len(),
                Content::Other(bytes) => bytes.len(),
                #[cfg(feature = "candle")]
                Content::Made(len, _) => *len,
            }
    }

    /// Some panels after the other.
    fn write_pieces(
        &self,
        cancel: &CancelToken,
        mut write: impl FnMut(&[u8]) -> Result<(), EngineError>,
    ) -> Result<(), EngineError> {
        let matrix = match &self.content {
            Content::Matrix(matrix) => matrix,
            Content::Other(bytes) => return write(bytes),
            #[cfg(feature = "candle")]
            Content::Made(_, make) => return cancel.check().and_then(|()| write(&make()?)),
        };
        let mut packed = Vec::new();
        for piece in matrix.pieces() {
            cancel.check()?;
            resize(&mut packed, piece.packed_len)?;
            matrix.pack_piece(&piece, &mut packed)?;
            write(&packed)?;
        }
        Ok(())
    }
}

/// Everything before the tensors, with the fill before the first of them.
fn header(magic: &[u8; 4], pairs: &[&[u8]], tensors: &[Planned<'_>], alignment: u64) -> Vec<u8> {
    let mut header = Vec::new();
    header.extend_from_slice(magic);
    header.extend_from_slice(&VERSION.to_le_bytes());
    header.extend_from_slice(&(tensors.len() as u64).to_le_bytes());
    header.extend_from_slice(&(pairs.len() as u64).to_le_bytes());
    pairs.iter().for_each(|pair| header.extend_from_slice(pair));
    for Planned { name, dtype, shape, offset, .. } in tensors {
        put_string(&mut header, name);
        header.extend_from_slice(&(shape.len() as u32).to_le_bytes());
        for &dim in shape.iter().rev() {
            header.extend_from_slice(&(dim as u64).to_le_bytes());
        }
        header.extend_from_slice(&dtype.ggml_id().to_le_bytes());
        header.extend_from_slice(&(*offset as u64).to_le_bytes());
    }
    header.resize(header.len().next_multiple_of(alignment as usize), 0);
    header
}

/// The key-value pairs that only packed files have.
fn own_pairs(source_name: &str, replacement: Option<&Replacement>) -> Vec<Vec<u8>> {
    let mut pairs = Vec::new();
    if let Some(Replacement { key, words, .. }) = replacement {
        let mut pair = Vec::new();
        put_string(&mut pair, key);
        pair.extend_from_slice(&ARRAY.to_le_bytes());
        pair.extend_from_slice(&U32.to_le_bytes());
        pair.extend_from_slice(&(words.len() as u64 / 4).to_le_bytes());
        pair.extend_from_slice(words);
        pairs.push(pair);
    }
    for (key, value) in [(LAYOUT_KEY, LAYOUT), (SOURCE_KEY, source_name)] {
        let mut pair = Vec::new();
        put_string(&mut pair, key);
        pair.extend_from_slice(&STRING.to_le_bytes());
        put_string(&mut pair, value);
        pairs.push(pair);
    }
    pairs
}

/// The key-value pairs that nothing replaces and that packed files do not have of their own, as the file has them.
fn kept_pairs<'a>(source: &'a GgufFile, replacement: Option<&Replacement>) -> Vec<&'a [u8]> {
    let mut gone = [&[SOURCE_KEY, LAYOUT_KEY], &SPLIT_KEYS[..]].concat();
    gone.extend(replacement.iter().flat_map(|replacement| replacement.replaced.iter().chain([&replacement.key])));
    source.metadata().pairs().into_iter().filter(|(key, _)| !gone.contains(key)).map(|(_, pair)| pair).collect()
}

pub(crate) fn put_string(out: &mut Vec<u8>, text: &str) {
    out.extend_from_slice(&(text.len() as u64).to_le_bytes());
    out.extend_from_slice(text.as_bytes());
}
