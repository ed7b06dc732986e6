//! What a packed file adds to GGUF: a layout named in the metadata, and checksums at its end.

use crc32fast::Hasher;

use super::scan::{Header, key_place, scan};
use super::{GgufFile, Metadata};
use crate::{CancelToken, EngineError};

/// Names the file that this one was made from, in a form that the writer chooses.
pub(crate) const SOURCE_KEY: &str = "sotto.packed.source";
/// The version of the layout, of tensors and of metadata: a file of another version has to be packed again.
pub(crate) const LAYOUT_KEY: &str = "sotto.packed.layout";
pub(crate) const LAYOUT: &str = "panels-32-v5";
/// The previous layout. Its models are stored the same way in both.
const OLD_LAYOUT: &str = "panels-32-v4";

const END: &[u8; 8] = b"SOTTOEND";
/// The number of bytes verified between two checks of the cancel token.
const PIECE: usize = 4 << 20;

/// The last bytes of a packed file.
pub(crate) struct Trailer {
    /// CRC-32 of the bytes before the tensors.
    pub(crate) header: u32,
    /// CRC-32 of the tensors, with what lies between them.
    pub(crate) data: u32,
}

impl Trailer {
    const LEN: usize = 16;

    /// Splits a file into the parts with checksums (the bytes before the tensors, and the tensors) and the trailer.
    fn split<'a>(file: &'a [u8], header: &Header) -> Result<(&'a [u8], &'a [u8], Self), EngineError> {
        let ends_early = || EngineError::invalid("the end", "the packed file was cut off: pack the model again");
        let (checked, trailer) = file.split_last_chunk::<{ Self::LEN }>().ok_or_else(ends_early)?;
        let (head, tensors) = checked.split_at_checked(header.data_start as usize).ok_or_else(ends_early)?;
        let number = |at: usize| u32::from_le_bytes(std::array::from_fn(|i| trailer[at + i]));
        match &trailer[8..] == END {
            true => Ok((head, tensors, Self { header: number(0), data: number(4) })),
            false => Err(ends_early()),
        }
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        [&self.header.to_le_bytes()[..], &self.data.to_le_bytes(), END].concat()
    }
}

/// Checks what can be checked without reading the tensors.
pub(super) fn check(file: &[u8], header: &Header) -> Result<(), EngineError> {
    let (head, _, trailer) = Trailer::split(file, header)?;
    if crc32fast::hash(head) != trailer.header {
        return Err(EngineError::invalid("the header", "its checksum is wrong: pack the model again"));
    }
    match Metadata::new(file, &header.values).string(LAYOUT_KEY)? {
        Some(LAYOUT | OLD_LAYOUT) => Ok(()),
        _ => Err(EngineError::invalid(
            key_place(LAYOUT_KEY),
            "the file was packed by another version: pack the model again",
        )),
    }
}

/// Checks everything.
pub(super) fn verify(file: &[u8], cancel: &CancelToken) -> Result<(), EngineError> {
    let header = scan(file)?;
    if !header.packed {
        return Err(EngineError::invalid("byte 0", "not a packed file"));
    }
    check(file, &header)?;
    let (_, tensors, trailer) = Trailer::split(file, &header)?;
    let mut hasher = Hasher::new();
    for piece in tensors.chunks(PIECE) {
        cancel.check()?;
        hasher.update(piece);
    }
    match hasher.finalize() == trailer.data {
        true => Ok(()),
        false => Err(EngineError::invalid("the tensors", "their checksum is wrong: pack the model again")),
    }
}

impl GgufFile {
    /// The source of a packed file; `None` for ordinary files.
    pub(crate) fn packed_source(&self) -> Option<&str> {
        self.metadata().string(SOURCE_KEY).ok().flatten().filter(|_| self.packed)
    }
}
