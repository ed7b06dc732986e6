use half::f16;
use memmap2::MmapMut;
use sotto_kernels::plain::{cast_slice, cast_slice_mut};
use sotto_kernels::{
    CacheElement, HeadCache, HeadCacheMut, KEY_PANEL, Kernels, Output, QuantizedHeadCache, QuantizedHeadCacheMut,
    Queries, value_width,
};

use crate::EngineError;
use crate::threads::{Chunks, Team};

/// The number format of a key-value cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum KvType {
    /// Two bytes per value: half the memory, with a relative error of 2⁻¹¹.
    #[default]
    F16,
    /// Four bytes per value, exact.
    F32,
    /// A signed byte per value: half the memory of F16, and much faster in long contexts, because attention also
    /// computes in eight bits. Keys have a scale for every 32 values, values one per position. The width of a head must
    /// be a multiple of 32.
    Q8_0,
}

impl KvType {
    /// Bytes of `positions` (whole panels) of one head; `None` if this type does not fit the head's width.
    fn head_bytes(self, positions: usize, head_dim: usize) -> Option<usize> {
        let numbers = positions * (head_dim + value_width(head_dim));
        match self {
            Self::F16 => Some(numbers * size_of::<f16>()),
            Self::F32 => Some(numbers * size_of::<f32>()),
            Self::Q8_0 => QuantizedHeadCache::bytes(positions, head_dim),
        }
    }
}

/// The capacity of a cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KvShape {
    /// Layers that have keys and values.
    pub layers: usize,
    /// Heads of keys and values in a layer.
    pub heads: usize,
    /// Length of a key, and of a value.
    pub head_dim: usize,
    /// Positions.
    pub positions: usize,
}

/// Stores a key and a value at a position.
type WriteRow<'a> = &'a mut dyn FnMut(usize, &[f32], &[f32]);

/// Keys and values of every position, layer and head.
///
/// Laid out `[layer][head][keys, values]`, each half in the order that [`HeadCache`] wants, so that one head's
/// positions are contiguous. All of it is reserved at once as zero pages, which take memory only when positions are
/// written; nothing ever moves.
#[derive(Debug)]
pub struct KvCache {
    kv_type: KvType,
    bytes: MmapMut,
    heads: usize,
    head_dim: usize,
    /// The capacity in positions: the context, rounded up to whole panels of keys.
    room: usize,
    /// Positions that were ever written: their pages are held.
    touched: usize,
}

impl KvCache {
    /// An empty cache.
    ///
    /// # Errors
    /// [`EngineError::Unsupported`] when `kv_type` does not fit the heads, [`EngineError::OutOfMemory`].
    pub fn new(shape: KvShape, kv_type: KvType) -> Result<Self, EngineError> {
        let needed = Self::bytes(shape, kv_type)?;
        let out_of_memory = || EngineError::OutOfMemory { needed, available: 0 };
        let len = usize::try_from(needed).map_err(|_| out_of_memory())?;
        Ok(Self {
            kv_type,
            bytes: MmapMut::map_anon(len).map_err(|_| out_of_memory())?,
            heads: shape.heads,
            head_dim: shape.head_dim,
            room: shape.positions.next_multiple_of(KEY_PANEL),
            touched: 0,
        })
    }

    /// Bytes for all positions.
    ///
    /// # Errors
    /// [`EngineError::Unsupported`] when `kv_type` does not fit the heads.
    pub fn bytes(shape: KvShape, kv_type: KvType) -> Result<u64, EngineError> {
        let head =
            kv_type.head_bytes(shape.positions.next_multiple_of(KEY_PANEL), shape.head_dim).ok_or_else(|| {
                EngineError::unsupported(format!(
                    "a KV cache of type {kv_type:?} for heads of {} values",
                    shape.head_dim
                ))
            })?;
        Ok((shape.layers * shape.heads) as u64 * head as u64)
    }

    /// A copy of the first `positions`, with room for them alone.
    ///
    /// # Errors
    /// [`EngineError::OutOfMemory`].
    pub(crate) fn prefix(&self, positions: usize) -> Result<Self, EngineError> {
        let mut prefix = Self::new(KvShape { positions, ..self.shape() }, self.kv_type)?;
        prefix.copy_from(self, positions);
        Ok(prefix)
    }

    /// Copies the first `positions` of a cache of the same model and number format.
    ///
    /// # Panics
    /// When either has fewer positions, or the caches differ in anything else.
    pub(crate) fn copy_from(&mut self, from: &Self, positions: usize) {
        assert_eq!((self.kv_type, self.heads, self.head_dim), (from.kv_type, from.heads, from.head_dim));
        let (head_dim, head_bytes) = (self.head_dim, self.head_bytes());
        let (key_len, from_key_len) = (self.key_len(), from.key_len());
        let heads = self.bytes.chunks_exact_mut(head_bytes);
        for (to, from_head) in heads.zip(from.bytes.chunks_exact(from.head_bytes())) {
            match from.kv_type {
                KvType::F16 => head_of_mut::<f16>(to, key_len, head_dim)
                    .copy_from(&head_of(from_head, from_key_len, head_dim), positions),
                KvType::F32 => head_of_mut::<f32>(to, key_len, head_dim)
                    .copy_from(&head_of(from_head, from_key_len, head_dim), positions),
                KvType::Q8_0 => QuantizedHeadCacheMut::new(to, head_dim)
                    .copy_from(&QuantizedHeadCache::new(from_head, head_dim), positions),
            }
        }
        self.touched = self.touched.max(positions.next_multiple_of(KEY_PANEL));
    }

    pub(super) fn kv_type(&self) -> KvType {
        self.kv_type
    }

    /// Its capacity, in whole panels.
    pub(super) fn shape(&self) -> KvShape {
        let layers = self.bytes.len() / (self.heads * self.head_bytes());
        KvShape { layers, heads: self.heads, head_dim: self.head_dim, positions: self.room }
    }

    /// All of it, as it lies in memory.
    pub(super) fn bytes_of_all(&self) -> &[u8] {
        &self.bytes
    }

    /// All of it, to be filled with what was in another one of the same shape.
    pub(super) fn bytes_of_all_mut(&mut self) -> &mut [u8] {
        self.touched = self.room;
        &mut self.bytes
    }

    /// Bytes of the positions that were ever written.
    pub(crate) fn touched_bytes(&self) -> u64 {
        (self.bytes.len() / self.room * self.touched) as u64
    }

    /// Writes rows `[positions, heads * head_dim]` of keys and values at `position` and after.
    ///
    /// # Panics
    /// When they exceed its capacity.
    pub fn write(&mut self, team: &Team<'_>, layer: usize, position: usize, keys: &[f32], values: &[f32]) {
        let (kv_type, head_dim, width) = (self.kv_type, self.head_dim, self.heads * self.head_dim);
        let (head_bytes, key_len) = (self.head_bytes(), self.key_len());
        let layer = &mut self.bytes[layer * self.heads * head_bytes..][..self.heads * head_bytes];
        team.run_parts(Chunks::new(layer, head_bytes), |head, cache| {
            let columns = head * head_dim..(head + 1) * head_dim;
            let store = |write: WriteRow<'_>| {
                let rows = keys.chunks_exact(width).zip(values.chunks_exact(width));
                for (position, (keys, values)) in (position..).zip(rows) {
                    write(position, &keys[columns.clone()], &values[columns.clone()]);
                }
            };
            match kv_type {
                KvType::F16 => {
                    let mut cache = head_of_mut::<f16>(cache, key_len, head_dim);
                    store(&mut |position, key, value| cache.write(position, key, value));
                }
                KvType::F32 => {
                    let mut cache = head_of_mut::<f32>(cache, key_len, head_dim);
                    store(&mut |position, key, value| cache.write(position, key, value));
                }
                KvType::Q8_0 => {
                    let mut cache = QuantizedHeadCacheMut::new(cache, head_dim);
                    store(&mut |position, key, value| cache.write(position, key, value));
                }
            }
        });
        self.touched = self.touched.max(position + keys.len() / width);
    }

    /// Attention of queries whose heads share the key-value head `head`.
    ///
    /// # Safety
    /// No other thread uses the queries' part of `out` at the same time.
    pub(crate) unsafe fn attend(
        &self,
        kernels: &Kernels,
        layer: usize,
        head: usize,
        queries: &Queries<'_>,
        out: &Output<'_>,
    ) {
        let cache = &self.bytes[(layer * self.heads + head) * self.head_bytes()..][..self.head_bytes()];
        let (key_len, head_dim) = (self.key_len(), self.head_dim);
        // SAFETY: only the part of these queries is written, and no other thread uses it (`# Safety`).
        unsafe {
            match self.kv_type {
                KvType::F16 => kernels.attend(&head_of::<f16>(cache, key_len, head_dim), queries, out),
                KvType::F32 => kernels.attend(&head_of::<f32>(cache, key_len, head_dim), queries, out),
                KvType::Q8_0 => kernels.attend_quantized(&QuantizedHeadCache::new(cache, head_dim), queries, out),
            }
        }
    }

    /// Length of a key, and of a value.
    pub(super) fn head_dim(&self) -> usize {
        self.head_dim
    }

    /// Heads of keys and values in a layer.
    pub(super) fn heads(&self) -> usize {
        self.heads
    }

    /// Bytes of one head in one layer.
    fn head_bytes(&self) -> usize {
        self.kv_type.head_bytes(self.room, self.head_dim).expect("checked when the cache was made")
    }

    /// Numbers of one head's keys.
    fn key_len(&self) -> usize {
        self.room * self.head_dim
    }
}

fn head_of<E: CacheElement>(bytes: &[u8], key_len: usize, head_dim: usize) -> HeadCache<'_, E> {
    let (keys, values) = cast_slice(bytes).expect("a mapping is aligned to pages").split_at(key_len);
    HeadCache::new(keys, values, head_dim)
}

fn head_of_mut<E: CacheElement>(bytes: &mut [u8], key_len: usize, head_dim: usize) -> HeadCacheMut<'_, E> {
    let (keys, values) = cast_slice_mut(bytes).expect("a mapping is aligned to pages").split_at_mut(key_len);
    HeadCacheMut::new(keys, values, head_dim)
}
