use std::path::Path;

use crate::forward::Output;
use crate::{Adapter, Append, Batch, CancelToken, Decoder, EngineError, LogitRows, ModelConfig, Prefix};

/// A sequence of its own: a batch of one.
pub(crate) struct SottoDecoder(Batch);

impl SottoDecoder {
    pub(crate) fn new(batch: Batch) -> Self {
        Self(batch)
    }

    fn read(
        &mut self,
        tokens: &[u32],
        rows: LogitRows,
        output: Output<'_>,
        cancel: &CancelToken,
    ) -> Result<&[f32], EngineError> {
        self.0.read(&[Append { sequence: 0, tokens, rows }], output, cancel)
    }
}

impl Decoder for SottoDecoder {
    fn config(&self) -> &ModelConfig {
        self.0.config()
    }

    fn context_length(&self) -> usize {
        self.0.context_length()
    }

    fn position(&self) -> usize {
        self.0.position(0)
    }

    fn tokens_at_once(&self) -> usize {
        self.0.tokens_at_once()
    }

    fn forward(&mut self, tokens: &[u32], rows: LogitRows, cancel: &CancelToken) -> Result<&[f32], EngineError> {
        self.read(tokens, rows, Output::Logits, cancel)
    }

    fn forward_for(
        &mut self,
        tokens: &[u32],
        rows: LogitRows,
        ids: &[u32],
        cancel: &CancelToken,
    ) -> Result<&[f32], EngineError> {
        self.read(tokens, rows, Output::LogitsOf(ids), cancel)
    }

    fn hidden_states(&mut self, tokens: &[u32], cancel: &CancelToken) -> Result<&[f32], EngineError> {
        self.read(tokens, LogitRows::All, Output::HiddenStates, cancel)
    }

    fn set_adapters(&mut self, adapters: &[(Adapter, f32)]) -> Result<(), EngineError> {
        self.0.set_adapters(adapters)
    }

    fn prefix(&self, length: usize) -> Result<Option<Prefix>, EngineError> {
        self.0.prefix(0, length).map(Some)
    }

    fn open_prefix(&self, path: &Path) -> Result<(Vec<u32>, Prefix), EngineError> {
        self.0.open_prefix(path)
    }

    fn begin_with(&mut self, prefix: &Prefix, length: usize) -> bool {
        self.0.begin_with(0, prefix, length)
    }

    fn truncate(&mut self, length: usize) {
        self.0.truncate(0, length);
    }

    fn private_bytes(&self) -> u64 {
        self.0.private_bytes()
    }
}
