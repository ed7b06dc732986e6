use std::sync::Arc;

use sotto_kernels::GEMV_ROWS;

use super::scratch::Scratch;
use super::selection::Selection;
use super::{CHUNK, KvCache, KvType, low_rank};
use crate::EngineError;
use crate::machine::resize;
use crate::model::{Adapter, Transformer};

/// The buffers of passes of at most [`CHUNK`] tokens.
pub(crate) struct Workspace {
    pub(super) model: Arc<Transformer>,
    pub(super) scratch: Scratch,
    pub(super) selection: Selection,
    /// Logits of several sequences, until each has its own.
    pub(super) shared_logits: Vec<f32>,
}

impl Workspace {
    /// # Errors
    /// [`EngineError::OutOfMemory`].
    pub(crate) fn new(model: Arc<Transformer>) -> Result<Self, EngineError> {
        let scratch = Scratch::new(&model.config, CHUNK)?;
        Ok(Self { scratch, selection: Selection::default(), shared_logits: Vec::new(), model })
    }

    /// Bytes of memory.
    pub(crate) fn bytes(&self) -> u64 {
        let numbers = self.shared_logits.capacity() + self.scratch.input.low_rank.capacity();
        Scratch::bytes(&self.model.config, CHUNK) + self.selection.bytes() + (numbers * size_of::<f32>()) as u64
    }

    /// Makes room for what adapters compute.
    pub(super) fn make_room_for(&mut self, adapters: &[(Adapter, f32)]) -> Result<(), EngineError> {
        let room = &mut self.scratch.input.low_rank;
        let needed = low_rank::room(adapters, CHUNK);
        if needed > room.len() { resize(room, needed) } else { Ok(()) }
    }
}

impl Transformer {
    /// The size of a sequence's key-value cache.
    ///
    /// # Errors
    /// As for [`KvCache::bytes`].
    pub(crate) fn cache_bytes(&self, kv_type: KvType, context_length: usize) -> Result<u64, EngineError> {
        KvCache::bytes(self.config.cache_shape(context_length), kv_type)
    }

    /// The size of the logits of as many tokens as a sequence reads at once.
    pub(crate) fn logits_bytes(&self) -> u64 {
        (GEMV_ROWS * self.config.vocab_size * size_of::<f32>()) as u64
    }

    /// Private memory of a decoder with a full context, and of a pass.
    ///
    /// # Errors
    /// As for [`KvCache::bytes`].
    pub(crate) fn private_bytes(&self, kv_type: KvType, context_length: usize) -> Result<u64, EngineError> {
        Ok(self.cache_bytes(kv_type, context_length)? + self.workspace_bytes() + self.logits_bytes())
    }

    /// The size of the buffers that all sequences share.
    pub(crate) fn workspace_bytes(&self) -> u64 {
        Scratch::bytes(&self.config, CHUNK)
    }
}
