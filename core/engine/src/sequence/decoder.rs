use std::sync::Arc;

use sotto_kernels::GEMV_ROWS;

use crate::forward::{CHUNK, Output, SequenceAppend, SequenceState, Workspace};
use crate::machine::check_available;
use crate::model::Transformer;
use crate::{Adapter, CancelToken, Decoder, EngineError, KvType, LogitRows, ModelConfig, Prefix};

/// One sequence in one model.
pub(crate) struct SottoDecoder {
    sequence: SequenceState,
    workspace: Workspace,
}

impl SottoDecoder {
    pub(crate) fn new(model: Arc<Transformer>, kv_type: KvType, context_length: usize) -> Result<Self, EngineError> {
        check_available(model.private_bytes(kv_type, context_length)?)?;
        Ok(Self {
            sequence: SequenceState::new(&model.config, kv_type, context_length)?,
            workspace: Workspace::new(model, CHUNK.min(context_length))?,
        })
    }
}

impl Decoder for SottoDecoder {
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
        GEMV_ROWS
    }

    fn forward(&mut self, tokens: &[u32], rows: LogitRows, cancel: &CancelToken) -> Result<&[f32], EngineError> {
        self.workspace.read(&mut [SequenceAppend::new(&mut self.sequence, tokens, rows)], Output::Logits, cancel)
    }

    fn forward_for(
        &mut self,
        tokens: &[u32],
        rows: LogitRows,
        ids: &[u32],
        cancel: &CancelToken,
    ) -> Result<&[f32], EngineError> {
        self.workspace.read(&mut [SequenceAppend::new(&mut self.sequence, tokens, rows)], Output::LogitsOf(ids), cancel)
    }

    fn hidden_states(&mut self, tokens: &[u32], cancel: &CancelToken) -> Result<&[f32], EngineError> {
        let append = SequenceAppend::new(&mut self.sequence, tokens, LogitRows::All);
        self.workspace.read(&mut [append], Output::HiddenStates, cancel)
    }

    fn set_adapters(&mut self, adapters: &[(Adapter, f32)]) -> Result<(), EngineError> {
        if self.workspace.set_adapters(adapters)? {
            self.sequence.truncate(0);
        }
        Ok(())
    }

    fn prefix(&self, length: usize) -> Result<Option<Prefix>, EngineError> {
        self.workspace.prefix_of(&self.sequence, length).map(Some)
    }

    fn begin_with(&mut self, prefix: &Prefix, length: usize) -> bool {
        self.workspace.begin_with(&mut self.sequence, prefix, length)
    }

    fn truncate(&mut self, length: usize) {
        self.sequence.truncate(length);
    }

    fn private_bytes(&self) -> u64 {
        self.sequence.touched_bytes() + self.workspace.bytes()
    }
}
