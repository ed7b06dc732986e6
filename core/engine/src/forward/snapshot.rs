//! A sequence's beginning in a file: its tokens, keys and values, so that a later process need not read them again.
//!
//! All numbers are little-endian: the magic, the number format of the cache, layers, heads, width of a head, number of tokens (`u32` each), the
//! tokens, the cache as it lies in memory, and a CRC-32 of all this.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::Path;
use std::sync::Arc;

use crc32fast::Hasher;

use super::kv_cache::{KvCache, KvShape, KvType};
use super::{Prefix, SequenceState};
use crate::EngineError;
use crate::model::{Adapter, Transformer};
use crate::packed::replace_file;

const MAGIC: &[u8; 8] = b"SOTTOKV1";
/// Bytes of the magic and the five numbers after it.
const HEADER: u64 = 28;
const CHECKSUM: u64 = 4;

impl Prefix {
    /// Writes it to a file, with its `tokens`. The file appears whole or not at all.
    ///
    /// # Errors
    /// [`EngineError::Storage`] when it cannot be written.
    ///
    /// # Panics
    /// When it does not hold as many tokens.
    pub fn save(&self, tokens: &[u32], target: &Path) -> Result<(), EngineError> {
        assert_eq!(tokens.len(), self.state.position(), "the tokens that it holds");
        let storage = |source| EngineError::Storage { path: target.to_owned(), source };
        replace_file(target, |file| self.write(tokens, file).map_err(storage))
    }

    fn write(&self, tokens: &[u32], file: &File) -> io::Result<()> {
        let cache = &self.state.cache;
        let KvShape { layers, heads, head_dim, .. } = cache.shape();
        let mut out = Hashed { inner: BufWriter::new(file), hasher: Hasher::new() };
        out.write_all(MAGIC)?;
        let numbers = [code(cache.kv_type()), layers as u32, heads as u32, head_dim as u32, tokens.len() as u32];
        for number in numbers.iter().chain(tokens) {
            out.write_all(&number.to_le_bytes())?;
        }
        out.write_all(cache.bytes_of_all())?;
        let checksum = out.hasher.finalize();
        out.inner.write_all(&checksum.to_le_bytes())?;
        out.inner.flush()
    }

    /// Reads a file, for sequences of this kind. What it holds is not trusted yet: who uses it computes a part of it again and compares
    /// ([`Prefix::holds_the_same_as`]).
    ///
    /// # Errors
    /// [`EngineError::Storage`] when it cannot be read; [`EngineError::Invalid`] when it is damaged, or of another kind of model;
    /// [`EngineError::ContextFull`] when the sequence has no room for it; [`EngineError::OutOfMemory`].
    pub(crate) fn open(
        path: &Path,
        sequence: &SequenceState,
        model: &Arc<Transformer>,
        adapters: &Arc<[(Adapter, f32)]>,
    ) -> Result<(Vec<u32>, Self), EngineError> {
        let storage = |source| EngineError::Storage { path: path.to_owned(), source };
        let invalid = |why: &str| EngineError::Invalid { why: why.into(), at: "snapshot".into() };
        let file = File::open(path).map_err(storage)?;
        let size = file.metadata().map_err(storage)?.len();
        if size < HEADER + CHECKSUM {
            return Err(invalid("the file is too short"));
        }
        let mut input = Hashed { inner: BufReader::new(&file), hasher: Hasher::new() };
        let mut magic = [0; 8];
        input.read_exact(&mut magic).map_err(storage)?;
        if magic != *MAGIC {
            return Err(invalid("it is not a snapshot, or one of another version"));
        }
        let numbers = input.numbers(5).map_err(storage)?;
        let (shape, length) = (sequence.cache.shape(), numbers[4] as usize);
        let expected = [code(sequence.cache.kv_type()), shape.layers as u32, shape.heads as u32, shape.head_dim as u32];
        if numbers[..4] != expected {
            return Err(invalid("it belongs to another model, or to another number format of the KV cache"));
        }
        if length == 0 || length > sequence.context_length() {
            return Err(EngineError::ContextFull { limit: sequence.context_length(), needed: length });
        }
        let shape = KvShape { positions: length, ..shape };
        let bytes = KvCache::bytes(shape, sequence.cache.kv_type())?;
        if size != HEADER + 4 * length as u64 + bytes + CHECKSUM {
            return Err(invalid("the file is truncated, or has bytes after its end"));
        }
        let tokens = input.numbers(length).map_err(storage)?;
        model.config.check_ids(&tokens)?;
        let mut cache = KvCache::new(shape, sequence.cache.kv_type())?;
        input.read_exact(cache.bytes_of_all_mut()).map_err(storage)?;
        let mut checksum = [0; CHECKSUM as usize];
        input.inner.read_exact(&mut checksum).map_err(storage)?;
        if checksum != input.hasher.finalize().to_le_bytes() {
            return Err(invalid("the checksum is wrong: the file is damaged"));
        }
        let state = SequenceState::holding(cache, sequence.rope().clone(), length);
        Ok((tokens, Self { state, model: Arc::downgrade(model), adapters: Arc::clone(adapters) }))
    }

    /// Whether keys and values of all tokens are the same, bit for bit.
    pub fn holds_the_same_as(&self, other: &Self) -> bool {
        let (cache, others) = (&self.state.cache, &other.state.cache);
        cache.kv_type() == others.kv_type() && cache.bytes_of_all() == others.bytes_of_all()
    }
}

fn code(kv_type: KvType) -> u32 {
    match kv_type {
        KvType::F16 => 0,
        KvType::F32 => 1,
        KvType::Q8_0 => 2,
    }
}

/// Hashes what is written or read.
struct Hashed<T> {
    inner: T,
    hasher: Hasher,
}

impl<T: Write> Hashed<T> {
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.hasher.update(bytes);
        self.inner.write_all(bytes)
    }
}

impl<T: Read> Hashed<T> {
    fn read_exact(&mut self, bytes: &mut [u8]) -> io::Result<()> {
        self.inner.read_exact(bytes)?;
        self.hasher.update(bytes);
        Ok(())
    }

    fn numbers(&mut self, count: usize) -> io::Result<Vec<u32>> {
        let mut bytes = vec![0; 4 * count];
        self.read_exact(&mut bytes)?;
        let number = |bytes: &[u8]| u32::from_le_bytes(bytes.try_into().expect("four bytes"));
        Ok(bytes.chunks_exact(4).map(number).collect())
    }
}
