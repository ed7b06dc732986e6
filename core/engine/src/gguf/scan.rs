//! A bounds-checked walk over a GGUF header, before anything else reads it.
//!
//! Format: <https://github.com/ggml-org/ggml/blob/master/docs/gguf.md>. The walk allocates only for tensor entries and
//! keys, both smaller than the part of the file that declares them.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::ops::Range;

use sotto_kernels::packed::PANEL_ROWS;

use super::dtype::{DType, foreign_format};
use super::foreign;
use super::metadata::{Metadata, ValueEntry};
use crate::EngineError;

pub(crate) const MAGIC: &[u8; 4] = b"GGUF";
/// The first bytes of a packed file instead of [`MAGIC`], so that no other program mistakes it for a GGUF file.
pub(crate) const PACKED_MAGIC: &[u8; 4] = b"SPGF";
/// Alignment of tensors in a packed file, at least: a cache line.
pub(crate) const PACKED_ALIGNMENT: u64 = 64;
const ALIGNMENT_KEY: &str = "general.alignment";
const DEFAULT_ALIGNMENT: u64 = 32;
/// Numbers of tensors are read in place.
const MIN_ALIGNMENT: u32 = 4;
const MAX_DIMS: u32 = 4;
/// Limits of the format.
const MAX_NAME_BYTES: usize = 64;
const MAX_KEY_BYTES: usize = 65_535;
/// Larger alignments than a huge page make no sense, and could make arithmetic overflow.
const MAX_ALIGNMENT: u32 = 1 << 21;
/// Elements of all metadata arrays together: several times what the largest vocabularies need. When read, an element
/// takes up to 16 bytes, so this limits them to 64 MiB.
const MAX_ARRAY_ELEMENTS: u64 = 1 << 22;
/// The nesting of arrays. Nothing here reads nested arrays, but files may contain them.
const MAX_ARRAY_DEPTH: usize = 4;

/// A tensor's entry in the header, checked against the file.
#[derive(Debug)]
pub(crate) struct TensorEntry {
    pub(crate) dtype: DType,
    /// Outermost dimension first: `[rows, columns]` for a matrix (the file has them the other way round).
    pub(crate) shape: Vec<usize>,
    /// The position of the tensor in the file, in bytes.
    pub(crate) range: Range<usize>,
}

/// A checked header.
#[derive(Debug)]
pub(crate) struct Header {
    pub(crate) version: u32,
    pub(crate) tensors: BTreeMap<String, TensorEntry>,
    /// First byte of the tensors.
    pub(crate) data_start: u64,
    /// Whether matrices are packed.
    pub(crate) packed: bool,
    pub(crate) values: BTreeMap<String, ValueEntry>,
    /// What tensors begin at a multiple of.
    pub(crate) alignment: u64,
}

/// Walks the header of `file` and checks everything that a later reader relies on.
pub(crate) fn scan(file: &[u8]) -> Result<Header, EngineError> {
    let mut cursor = Cursor { file, at: 0 };
    let packed = scan_magic(&mut cursor)?;
    let version = scan_version(&mut cursor)?;
    let tensor_count = cursor.u64()?;
    let metadata_count = cursor.u64()?;
    let values = scan_metadata(&mut cursor, metadata_count)?;
    let alignment = read_alignment(Metadata::new(file, &values))?;
    let alignment = if packed { alignment.max(PACKED_ALIGNMENT) } else { alignment };
    let entries = scan_tensor_infos(&mut cursor, tensor_count, alignment, packed)?;
    let data_start = (cursor.at as u64).next_multiple_of(alignment);
    check_length(&entries, data_start, file.len() as u64, packed)?;
    let tensors = place_tensors(entries, data_start)?;
    Ok(Header { version, tensors, data_start, packed, values, alignment })
}

/// Whether the file is packed.
fn scan_magic(cursor: &mut Cursor) -> Result<bool, EngineError> {
    match cursor.file.first_chunk() {
        Some(PACKED_MAGIC) => cursor.take(4).map(|_| true),
        Some(MAGIC) => cursor.take(4).map(|_| false),
        _ => Err(foreign::refusal(cursor.file)),
    }
}

fn scan_version(cursor: &mut Cursor) -> Result<u32, EngineError> {
    let version = cursor.u32()?;
    match version {
        2 | 3 => Ok(version),
        1 => Err(EngineError::unsupported("GGUF version 1, from 2023: download a newer file of the model")),
        // The version of a big-endian file, read as little-endian, has its digits in the upper bytes.
        v if v != 0 && v & 0xffff == 0 => {
            Err(EngineError::unsupported("a big-endian GGUF file: download the little-endian one"))
        }
        v if v > 3 => Err(EngineError::unsupported(format!("GGUF version {v}, which is newer than this program"))),
        v => Err(EngineError::invalid("byte 4", format!("there is no GGUF version {v}"))),
    }
}

/// Checks every key and value.
fn scan_metadata(cursor: &mut Cursor, count: u64) -> Result<BTreeMap<String, ValueEntry>, EngineError> {
    let mut values = BTreeMap::new();
    let mut elements_left = MAX_ARRAY_ELEMENTS;
    for _ in 0..count {
        let key_at = cursor.at;
        let key = cursor.name(MAX_KEY_BYTES)?;
        let value = scan_value(cursor, &mut elements_left, key_at).map_err(|error| at_key(error, key, key_at))?;
        match values.entry(key.to_owned()) {
            Entry::Occupied(_) => return Err(EngineError::invalid(key_place(key), "the key occurs twice")),
            Entry::Vacant(entry) => entry.insert(value),
        };
    }
    Ok(values)
}

/// What tensors begin at a multiple of.
fn read_alignment(metadata: Metadata<'_>) -> Result<u64, EngineError> {
    match metadata.u32(ALIGNMENT_KEY)? {
        None => Ok(DEFAULT_ALIGNMENT),
        Some(alignment) if !alignment.is_power_of_two() || alignment > MAX_ALIGNMENT => {
            let why = format!("{alignment} is not a power of two up to {MAX_ALIGNMENT}");
            Err(EngineError::invalid(key_place(ALIGNMENT_KEY), why))
        }
        Some(alignment) if alignment < MIN_ALIGNMENT => {
            Err(EngineError::unsupported(format!("tensors that begin at multiples of {alignment} bytes")))
        }
        Some(alignment) => Ok(alignment.into()),
    }
}

/// The format's numbers for types of values.
pub(crate) mod value_type {
    pub(crate) const U8: u32 = 0;
    pub(crate) const I8: u32 = 1;
    pub(crate) const U16: u32 = 2;
    pub(crate) const I16: u32 = 3;
    pub(crate) const U32: u32 = 4;
    pub(crate) const I32: u32 = 5;
    pub(crate) const F32: u32 = 6;
    pub(crate) const BOOL: u32 = 7;
    pub(crate) const STRING: u32 = 8;
    pub(crate) const ARRAY: u32 = 9;
    pub(crate) const U64: u32 = 10;
    pub(crate) const I64: u32 = 11;
    pub(crate) const F64: u32 = 12;

    /// Bytes of a number; `None` for other types.
    pub(crate) fn number_bytes(kind: u32) -> Option<u64> {
        match kind {
            U8 | I8 => Some(1),
            U16 | I16 => Some(2),
            U32 | I32 | F32 => Some(4),
            U64 | I64 | F64 => Some(8),
            _ => None,
        }
    }
}

/// Scans the value of the key at `key_at`.
fn scan_value(cursor: &mut Cursor, elements_left: &mut u64, key_at: usize) -> Result<ValueEntry, EngineError> {
    let mut value_type = cursor.u32()?;
    let is_array = value_type == value_type::ARRAY;
    let mut count = 1;
    if is_array {
        (value_type, count) = scan_array_head(cursor, elements_left)?;
    }
    let start = cursor.at;
    scan_elements(cursor, value_type, count, elements_left, MAX_ARRAY_DEPTH)?;
    let (range, pair) = (start..cursor.at, key_at..cursor.at);
    Ok(ValueEntry { value_type, is_array, count: count as usize, range, pair })
}

/// The type of an array's elements, and how many there are.
fn scan_array_head(cursor: &mut Cursor, elements_left: &mut u64) -> Result<(u32, u64), EngineError> {
    let (value_type, count) = (cursor.u32()?, cursor.u64()?);
    let Some(left) = elements_left.checked_sub(count) else {
        return Err(cursor.invalid(format!("metadata arrays hold more than {MAX_ARRAY_ELEMENTS} elements")));
    };
    *elements_left = left;
    Ok((value_type, count))
}

fn scan_elements(
    cursor: &mut Cursor,
    kind: u32,
    count: u64,
    elements_left: &mut u64,
    depth: usize,
) -> Result<(), EngineError> {
    if let Some(bytes) = value_type::number_bytes(kind) {
        // `count` is at most MAX_ARRAY_ELEMENTS: no overflow.
        return cursor.take(count * bytes).map(drop);
    }
    match kind {
        value_type::BOOL => cursor.take(count).map(drop),
        value_type::STRING => (0..count).try_for_each(|_| cursor.string().map(drop)),
        value_type::ARRAY if depth > 0 => (0..count).try_for_each(|_| {
            let (kind, count) = scan_array_head(cursor, elements_left)?;
            scan_elements(cursor, kind, count, elements_left, depth - 1)
        }),
        value_type::ARRAY => Err(EngineError::unsupported("metadata arrays that are nested this deeply")),
        _ => Err(cursor.invalid(format!("there is no value type {kind}"))),
    }
}

/// A tensor's entry before its place in the file is known.
struct TensorInfo<'a> {
    name: &'a str,
    dtype: DType,
    shape: Vec<usize>,
    bytes: u64,
    offset: u64,
}

fn scan_tensor_infos<'a>(
    cursor: &mut Cursor<'a>,
    count: u64,
    alignment: u64,
    packed: bool,
) -> Result<Vec<TensorInfo<'a>>, EngineError> {
    let mut infos = Vec::new();
    for _ in 0..count {
        let name = cursor.name(MAX_NAME_BYTES)?;
        let info = scan_tensor_info(cursor, name, packed)?;
        if !info.offset.is_multiple_of(alignment) {
            let why = format!("its offset {} is not a multiple of the alignment {alignment}", info.offset);
            return Err(EngineError::invalid(tensor_place(name), why));
        }
        infos.push(info);
    }
    Ok(infos)
}

fn scan_tensor_info<'a>(cursor: &mut Cursor<'a>, name: &'a str, packed: bool) -> Result<TensorInfo<'a>, EngineError> {
    let invalid = |why: String| EngineError::invalid(tensor_place(name), why);
    let dims = cursor.u32()?;
    if !(1..=MAX_DIMS).contains(&dims) {
        return Err(invalid(format!("it has {dims} dimensions, but 1 to {MAX_DIMS} are possible")));
    }
    let mut shape = Vec::with_capacity(MAX_DIMS as usize);
    for _ in 0..dims {
        let dim = cursor.u64()?;
        shape.push(usize::try_from(dim).map_err(|_| invalid(format!("it has a dimension of {dim}")))?);
    }
    // A matrix may be written as a stack of one matrix.
    while shape.len() > 2 && shape.ends_with(&[1]) {
        shape.pop();
    }
    let id = cursor.u32()?;
    let dtype = DType::from_ggml(id).ok_or_else(|| EngineError::unsupported(foreign_format(id)))?;
    let offset = cursor.u64()?;

    let row = shape[0];
    if !row.is_multiple_of(dtype.block_len()) {
        return Err(invalid(format!("rows of {row} are not whole {dtype} blocks of {}", dtype.block_len())));
    }
    let elements = match shape[..] {
        // The last panel of rows is filled up.
        [row, rows] if packed => rows.checked_next_multiple_of(PANEL_ROWS).and_then(|rows| rows.checked_mul(row)),
        _ => shape.iter().try_fold(1usize, |product, &dim| product.checked_mul(dim)),
    };
    let bytes = elements.and_then(|elements| (elements / dtype.block_len()).checked_mul(dtype.block_bytes()));
    let bytes = bytes.ok_or_else(|| invalid(format!("its shape {shape:?} is larger than any memory")))?;
    shape.reverse();
    Ok(TensorInfo { name, dtype, shape, bytes: bytes as u64, offset })
}

/// Turns offsets into ranges of the file. No two may overlap or have the same name.
fn place_tensors(mut infos: Vec<TensorInfo>, data_start: u64) -> Result<BTreeMap<String, TensorEntry>, EngineError> {
    infos.sort_by_key(|info| info.offset);
    let mut tensors = BTreeMap::new();
    let mut previous = ("", data_start);
    for info in infos {
        let invalid = |why: String| EngineError::invalid(tensor_place(info.name), why);
        // Inside the file, whose length is a `usize`.
        let (start, end) = (data_start + info.offset, data_start + info.offset + info.bytes);
        if start < previous.1 {
            return Err(invalid(format!("it overlaps with tensor {}", previous.0)));
        }
        previous = (info.name, end);
        let entry = TensorEntry { dtype: info.dtype, shape: info.shape, range: start as usize..end as usize };
        if tensors.insert(info.name.to_owned(), entry).is_some() {
            return Err(invalid("the name occurs twice".into()));
        }
    }
    Ok(tensors)
}

/// An error unless the file is as long as its tensors need.
fn check_length(infos: &[TensorInfo], data_start: u64, file_len: u64, packed: bool) -> Result<(), EngineError> {
    let mut needed = 0;
    for info in infos {
        let end = data_start.checked_add(info.offset).and_then(|start| start.checked_add(info.bytes));
        let no_file = || EngineError::invalid(tensor_place(info.name), "it reaches beyond the end of any file");
        needed = needed.max(end.ok_or_else(no_file)?);
    }
    if needed <= file_len {
        return Ok(());
    }
    let advice = match packed {
        true => "it was cut off, pack the model again",
        false => "the download is unfinished, or the file was cut into pieces; download all of it",
    };
    Err(EngineError::invalid("the end", format!("the file has {file_len} bytes, but should have {needed}: {advice}")))
}

pub(crate) fn tensor_place(name: &str) -> String {
    format!("tensor {name}")
}

pub(crate) fn key_place(key: &str) -> String {
    // Keys can be 64 KiB long; their beginning is enough to name the place.
    let end = key.floor_char_boundary(80);
    format!("metadata key {}", &key[..end])
}

/// Adds the key to an error inside its value.
fn at_key(error: EngineError, key: &str, key_at: usize) -> EngineError {
    match error {
        EngineError::Invalid { at, why } => {
            EngineError::invalid(format!("{} (byte {key_at})", key_place(key)), format!("{why} ({at})"))
        }
        other => other,
    }
}

/// A position in the file that moves forward. Every read checks that the file is long enough.
struct Cursor<'a> {
    file: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    fn invalid(&self, why: impl Into<String>) -> EngineError {
        EngineError::invalid(format!("byte {}", self.at), why)
    }

    fn take(&mut self, len: u64) -> Result<&'a [u8], EngineError> {
        let rest = &self.file[self.at..];
        if len > rest.len() as u64 {
            let why = format!("the file ends {} bytes later, but {len} more were expected", rest.len());
            return Err(self.invalid(format!("{why}: the download is unfinished or damaged, start it again")));
        }
        let taken = &rest[..len as usize];
        self.at += taken.len();
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], EngineError> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N as u64)?);
        Ok(array)
    }

    fn u32(&mut self) -> Result<u32, EngineError> {
        self.array().map(u32::from_le_bytes)
    }

    fn u64(&mut self) -> Result<u64, EngineError> {
        self.array().map(u64::from_le_bytes)
    }

    fn string(&mut self) -> Result<&'a [u8], EngineError> {
        let len = self.u64()?;
        self.take(len)
    }

    /// A key or a tensor's name: short, readable text.
    fn name(&mut self, max_bytes: usize) -> Result<&'a str, EngineError> {
        let at = self.at;
        let invalid = |why: String| EngineError::invalid(format!("byte {at}"), why);
        let name = std::str::from_utf8(self.string()?).map_err(|_| invalid("a name is not UTF-8".into()))?;
        if name.is_empty() || name.len() > max_bytes {
            return Err(invalid(format!("a name is {} bytes long, but 1 to {max_bytes} are possible", name.len())));
        }
        if name.chars().any(char::is_control) {
            return Err(invalid("a name contains control characters".into()));
        }
        Ok(name)
    }
}
