use std::ops::Range;

use half::f16;
use memmap2::MmapMut;
use sotto_kernels::scalar::{FloatElement, attention};

use crate::cast::{Plain, cast_slice, cast_slice_mut};
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
/// Laid out `[layer][keys, values][head][position][head_dim]`, so that one head's positions follow each other. All of it
/// is reserved at once as zero pages, which cost memory only when positions are written; nothing ever moves.
#[derive(Debug)]
pub(crate) struct KvCache {
    kv_type: KvType,
    bytes: MmapMut,
    heads: usize,
    head_dim: usize,
    context_length: usize,
    /// Positions that were ever written: their pages are held.
    touched: usize,
    bytes_per_position: usize,
}

/// One of the two halves of a layer.
#[derive(Clone, Copy)]
enum Half {
    Keys,
    Values,
}

impl KvCache {
    pub(crate) fn new(config: &ModelConfig, kv_type: KvType, context_length: usize) -> Result<Self, EngineError> {
        let needed = Self::bytes(config, kv_type, context_length);
        let out_of_memory = || EngineError::OutOfMemory { needed, available: 0 };
        let len = usize::try_from(needed).map_err(|_| out_of_memory())?;
        Ok(Self {
            kv_type,
            bytes: MmapMut::map_anon(len).map_err(|_| out_of_memory())?,
            heads: config.num_kv_heads,
            head_dim: config.head_dim,
            context_length,
            touched: 0,
            bytes_per_position: len / context_length,
        })
    }

    /// Bytes for a whole context.
    pub(crate) fn bytes(config: &ModelConfig, kv_type: KvType, context_length: usize) -> u64 {
        let values = 2 * config.num_layers as u64 * config.kv_size() as u64 * context_length as u64;
        values * kv_type.bytes() as u64
    }

    /// Bytes of the positions that were ever written.
    pub(crate) fn touched_bytes(&self) -> u64 {
        self.touched as u64 * self.bytes_per_position as u64
    }

    /// Writes rows `[positions, heads * head_dim]` of keys and values at `position` and after.
    pub(crate) fn write(&mut self, layer: usize, position: usize, keys: &[f32], values: &[f32]) {
        match self.kv_type {
            KvType::F16 => self.write_as::<f16>(layer, position, keys, values),
            KvType::F32 => self.write_as::<f32>(layer, position, keys, values),
        }
        self.touched = self.touched.max(position + keys.len() / (self.heads * self.head_dim));
    }

    fn write_as<E: FloatElement + Plain>(&mut self, layer: usize, position: usize, keys: &[f32], values: &[f32]) {
        for (half, rows) in [(Half::Keys, keys), (Half::Values, values)] {
            for head in 0..self.heads {
                let range = self.head_range(layer, half, head);
                let cache = cast_slice_mut::<E>(&mut self.bytes).expect("a mapping is aligned to pages");
                let cache = &mut cache[range][position * self.head_dim..];
                for (row, cached) in
                    rows.chunks_exact(self.heads * self.head_dim).zip(cache.chunks_exact_mut(self.head_dim))
                {
                    E::store(&row[head * self.head_dim..][..self.head_dim], cached);
                }
            }
        }
    }

    /// Attention of one query of key-value head `head` over the first `positions` positions.
    pub(crate) fn attend(&self, layer: usize, head: usize, positions: usize, query: &[f32], out: &mut [f32]) {
        match self.kv_type {
            KvType::F16 => self.attend_as::<f16>(layer, head, positions, query, out),
            KvType::F32 => self.attend_as::<f32>(layer, head, positions, query, out),
        }
    }

    fn attend_as<E: FloatElement + Plain>(
        &self,
        layer: usize,
        head: usize,
        positions: usize,
        query: &[f32],
        out: &mut [f32],
    ) {
        let cache = cast_slice::<E>(&self.bytes).expect("a mapping is aligned to pages");
        let len = positions * self.head_dim;
        let keys = &cache[self.head_range(layer, Half::Keys, head)][..len];
        let values = &cache[self.head_range(layer, Half::Values, head)][..len];
        let scale = 1.0 / (self.head_dim as f32).sqrt();
        attention(query, keys, values, scale, out);
    }

    /// Where one head's positions lie, in elements.
    fn head_range(&self, layer: usize, half: Half, head: usize) -> Range<usize> {
        let len = self.context_length * self.head_dim;
        let start = ((2 * layer + half as usize) * self.heads + head) * len;
        start..start + len
    }
}
