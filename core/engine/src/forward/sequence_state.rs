use super::kv_cache::{KvCache, KvShape, KvType};
use super::rope::Rope;
use crate::{EngineError, ModelConfig};

/// The state of one sequence: its KV cache, its position and its RoPE table.
pub(crate) struct SequenceState {
    pub(super) cache: KvCache,
    rope: Rope,
    position: usize,
    context_length: usize,
}

impl SequenceState {
    pub(crate) fn new(config: &ModelConfig, kv_type: KvType, context_length: usize) -> Result<Self, EngineError> {
        let cache = KvCache::new(config.cache_shape(context_length), kv_type)?;
        Ok(Self { cache, rope: Rope::new(config, context_length), position: 0, context_length })
    }

    /// A sequence of `length` tokens whose keys and values are there already.
    pub(super) fn holding(cache: KvCache, rope: Rope, length: usize) -> Self {
        Self { cache, rope, position: length, context_length: length }
    }

    /// A copy of the first `length` tokens, with no room for more.
    pub(super) fn prefix(&self, length: usize) -> Result<Self, EngineError> {
        let cache = self.cache.prefix(length)?;
        Ok(Self::holding(cache, self.rope.clone(), length))
    }

    /// Holds the first `length` tokens of `prefix` from now on; returns whether it can. It cannot if the prefix was computed with other
    /// rotations, as some models have for longer contexts, or in another number format.
    pub(super) fn begin_with(&mut self, prefix: &Self, length: usize) -> bool {
        let fits = length <= self.context_length && length <= prefix.position;
        if !fits || self.rope != prefix.rope || self.cache.kv_type() != prefix.cache.kv_type() {
            return false;
        }
        self.cache.copy_from(&prefix.cache, length);
        self.position = length;
        true
    }

    pub(crate) fn position(&self) -> usize {
        self.position
    }

    pub(crate) fn context_length(&self) -> usize {
        self.context_length
    }

    pub(super) fn rope(&self) -> &Rope {
        &self.rope
    }

    pub(super) fn advance(&mut self, tokens: usize) {
        self.position += tokens;
    }

    pub(crate) fn truncate(&mut self, length: usize) {
        self.position = self.position.min(length);
    }

    pub(crate) fn touched_bytes(&self) -> u64 {
        self.cache.touched_bytes()
    }

    pub(crate) fn check_room(&self, tokens: usize) -> Result<(), EngineError> {
        let needed = self.position + tokens;
        match needed > self.context_length {
            true => Err(EngineError::ContextFull { limit: self.context_length, needed }),
            false => Ok(()),
        }
    }
}

impl ModelConfig {
    /// Keys and values of a sequence.
    pub(super) fn cache_shape(&self, context_length: usize) -> KvShape {
        KvShape {
            layers: self.num_layers,
            heads: self.num_kv_heads,
            head_dim: self.head_dim,
            positions: context_length,
        }
    }
}
