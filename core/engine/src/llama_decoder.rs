use std::sync::Arc;

use sotto_kernels::FEW_ROWS;

use crate::forward::{CHUNK, Llama, Sequence, Workspace};
use crate::memory;
use crate::scratch::Scratch;
use crate::{CancelToken, Decoder, EngineError, KvType, LogitRows, ModelConfig};

/// One sequence in one model.
pub(crate) struct LlamaDecoder {
    sequence: Sequence,
    workspace: Workspace,
}

impl LlamaDecoder {
    pub(crate) fn new(model: Arc<Llama>, kv_type: KvType, context_length: usize) -> Result<Self, EngineError> {
        memory::check_available(model.private_bytes(kv_type, context_length)?)?;
        Ok(Self {
            sequence: Sequence::new(&model.config, kv_type, context_length)?,
            workspace: Workspace::new(model, CHUNK.min(context_length))?,
        })
    }
}

impl Decoder for LlamaDecoder {
    fn config(&self) -> &ModelConfig {
        &self.workspace.model().config
    }

    fn context_length(&self) -> usize {
        self.sequence.context_length()
    }

    fn position(&self) -> usize {
        self.sequence.position()
    }

    fn tokens_at_once(&self) -> usize {
        FEW_ROWS
    }

    fn forward(&mut self, tokens: &[u32], rows: LogitRows, cancel: &CancelToken) -> Result<&[f32], EngineError> {
        self.workspace.read(&mut self.sequence, tokens, rows, None, cancel)
    }

    fn forward_for(
        &mut self,
        tokens: &[u32],
        rows: LogitRows,
        ids: &[u32],
        cancel: &CancelToken,
    ) -> Result<&[f32], EngineError> {
        self.workspace.read(&mut self.sequence, tokens, rows, Some(ids), cancel)
    }

    fn truncate(&mut self, length: usize) {
        self.sequence.truncate(length);
    }

    fn private_bytes(&self) -> u64 {
        let scratch = Scratch::bytes(self.config(), CHUNK.min(self.context_length()));
        self.sequence.touched_bytes() + scratch + self.workspace.logits_bytes()
    }
}
