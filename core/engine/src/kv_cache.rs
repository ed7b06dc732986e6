use half::f16;
use memmap2::MmapMut;
use sotto_kernels::plain::{Plain, cast_slice, cast_slice_mut};
use sotto_kernels::{CacheElement, HeadCache, KEY_PANEL, Kernels, Output, Queries, value_width};

use crate::pool::{Chunks, Team};
use crate::{EngineError, ModelConfig};

/// The number format of a key-value cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum KvType {
    /// Two bytes a value: half the memory, a relative error of 2⁻¹¹ in each.
    #[default]
    F16,
    /// Four bytes a value, exact.
    F32,
}

impl KvType {
    fn bytes(self) -> usize {
        match self {
            Self::F16 => 2,
            Self::F32 => 4,
        }
    }
}

/// Keys and values of every position, layer and head.
///
/// Laid out `[layer][head][keys, values]`, each half in the order that [`HeadCache`] wants, so that one head's positions
/// follow each other. All of it is reserved at once as zero pages, which cost memory only when positions are written;
/// nothing ever moves.
#[derive(Debug)]
pub(crate) struct KvCache {
    kv_type: KvType,
    bytes: MmapMut,
    heads: usize,
    head_dim: usize,
    /// Positions that there is room for: the context, filled up to whole panels of keys.
    room: usize,
    /// Positions that were ever written: their pages are held.
    touched: usize,
    bytes_per_position: usize,
}

impl KvCache {
    pub(crate) fn new(config: &ModelConfig, kv_type: KvType, context_length: usize) -> Result<Self, EngineError> {
        let needed = Self::bytes(config, kv_type, context_length);
        let out_of_memory = || EngineError::OutOfMemory { needed, available: 0 };
        let len = usize::try_from(needed).map_err(|_| out_of_memory())?;
        let room = context_length.next_multiple_of(KEY_PANEL);
        Ok(Self {
            kv_type,
            bytes: MmapMut::map_anon(len).map_err(|_| out_of_memory())?,
            heads: config.num_kv_heads,
            head_dim: config.head_dim,
            room,
            touched: 0,
            bytes_per_position: len / room,
        })
    }

    /// Bytes for a whole context.
    pub(crate) fn bytes(config: &ModelConfig, kv_type: KvType, context_length: usize) -> u64 {
        let heads = (config.num_layers * config.num_kv_heads) as u64;
        let position = (config.head_dim + value_width(config.head_dim)) as u64;
        heads * position * context_length.next_multiple_of(KEY_PANEL) as u64 * kv_type.bytes() as u64
    }

    /// Bytes of the positions that were ever written.
    pub(crate) fn touched_bytes(&self) -> u64 {
        self.touched as u64 * self.bytes_per_position as u64
    }

    /// Writes rows `[positions, heads * head_dim]` of keys and values at `position` and after.
    pub(crate) fn write(&mut self, team: &Team<'_>, layer: usize, position: usize, keys: &[f32], values: &[f32]) {
        match self.kv_type {
            KvType::F16 => self.write_as(team, layer, position, keys, values, f16::from_f32),
            KvType::F32 => self.write_as(team, layer, position, keys, values, |value| value),
        }
        self.touched = self.touched.max(position + keys.len() / (self.heads * self.head_dim));
    }

    fn write_as<E: Plain>(
        &mut self,
        team: &Team<'_>,
        layer: usize,
        position: usize,
        keys: &[f32],
        values: &[f32],
        store: impl Fn(f32) -> E + Sync,
    ) {
        let (heads, head_dim, width, key_len) =
            (self.heads, self.head_dim, value_width(self.head_dim), self.room * self.head_dim);
        let head_len = self.head_len();
        let cache = cast_slice_mut::<E>(&mut self.bytes).expect("a mapping is aligned to pages");
        let layer = &mut cache[layer * heads * head_len..][..heads * head_len];
        team.run_parts(Chunks::new(layer, head_len), |head, cache| {
            let (cached_keys, cached_values) = cache.split_at_mut(key_len);
            let rows = keys.chunks_exact(heads * head_dim).zip(values.chunks_exact(heads * head_dim));
            for (position, (keys, values)) in (position..).zip(rows) {
                let panel = &mut cached_keys[position / KEY_PANEL * KEY_PANEL * head_dim..];
                let keys = &keys[head * head_dim..][..head_dim];
                for (d, &key) in keys.iter().enumerate() {
                    panel[d * KEY_PANEL + position % KEY_PANEL] = store(key);
                }
                let values = &values[head * head_dim..][..head_dim];
                for (cached, &value) in cached_values[position * width..].iter_mut().zip(values) {
                    *cached = store(value);
                }
            }
        });
    }

    /// Attention of queries whose heads share the key-value head `head`.
    ///
    /// # Safety
    /// No other thread uses the queries' part of `out` meanwhile.
    pub(crate) unsafe fn attend(
        &self,
        kernels: &Kernels,
        layer: usize,
        head: usize,
        queries: &Queries<'_>,
        out: &Output<'_>,
    ) {
        // SAFETY: the caller's.
        unsafe {
            match self.kv_type {
                KvType::F16 => kernels.attend(&self.head::<f16>(layer, head), queries, out),
                KvType::F32 => kernels.attend(&self.head::<f32>(layer, head), queries, out),
            }
        }
    }

    fn head<E: CacheElement>(&self, layer: usize, head: usize) -> HeadCache<'_, E> {
        let cache = cast_slice::<E>(&self.bytes).expect("a mapping is aligned to pages");
        let head = &cache[(layer * self.heads + head) * self.head_len()..][..self.head_len()];
        let (keys, values) = head.split_at(self.room * self.head_dim);
        HeadCache::new(keys, values, self.head_dim)
    }

    /// Numbers of one head in one layer.
    fn head_len(&self) -> usize {
        self.room * (self.head_dim + value_width(self.head_dim))
    }
}
