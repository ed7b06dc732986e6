//! Sequences being read and written: one in a decoder, several in a batch.

mod batch;
mod decoder;
mod group;
mod plan;
mod scheduler;

use std::path::Path;

use crate::{Adapter, CancelToken, EngineError, ModelConfig, Prefix};
pub use batch::{Append, Batch};
pub(crate) use decoder::SottoDecoder;
pub(crate) use scheduler::Scheduler;

/// Which positions of a pass the caller wants logits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogitRows {
    /// Only the last token's row, which is all that prefill and decoding need.
    Last,
    /// The rows of this many tokens at the end of the pass, some of which were guessed.
    Tail(usize),
    /// A row for each token of the pass: scoring and perplexity.
    All,
}

impl LogitRows {
    /// The number of rows in a pass of `tokens` tokens.
    pub(crate) fn count(self, tokens: usize) -> usize {
        match self {
            Self::Last => 1,
            Self::Tail(rows) => rows.min(tokens),
            Self::All => tokens,
        }
    }
}

/// Who waits for a request. It decides which requests share the next pass, and never changes what they give.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Priority {
    /// Nobody: it gives way to what a person waits for, but is never left out for long.
    Background,
    /// A person.
    #[default]
    Foreground,
}

/// One sequence being read and written by a model: its KV cache and its position.
///
/// Weights are shared between decoders of one [`crate::Model`]; a decoder itself belongs to one thread at a time.
pub trait Decoder: Send {
    /// The shape of the decoder's model.
    fn config(&self) -> &ModelConfig;

    /// The capacity of this decoder in tokens.
    fn context_length(&self) -> usize;

    /// The number of tokens that it holds, which is the position of the next token.
    fn position(&self) -> usize;

    /// How many tokens a pass processes in about the time of one, because each weight is read once for all of them.
    /// Guessing up to this many tokens is worthwhile; 1 if it is not.
    fn tokens_at_once(&self) -> usize;

    /// Appends `tokens` (at least one) and returns logits, row-major `[rows, vocab_size]`.
    ///
    /// The cancel token is checked at least once per layer and chunk. After an error, the decoder holds a prefix of
    /// what it was given ([`Decoder::position`] tells its length) and can still be used.
    ///
    /// # Errors
    /// [`EngineError::Internal`] for no token, [`EngineError::UnknownToken`], [`EngineError::ContextFull`] for more
    /// tokens than fit, [`EngineError::Cancelled`], [`EngineError::Invalid`] for weights that produce numbers that are
    /// not finite.
    fn forward(&mut self, tokens: &[u32], rows: LogitRows, cancel: &CancelToken) -> Result<&[f32], EngineError>;

    /// Like [`Decoder::forward`], but only with the logits of `ids`, `[rows, ids.len()]`. The numbers are the same, and
    /// the others need not be computed.
    ///
    /// # Errors
    /// [`EngineError::Internal`] for no token, [`EngineError::UnknownToken`], [`EngineError::ContextFull`] for more
    /// tokens than fit, [`EngineError::Cancelled`], [`EngineError::Invalid`] for weights that produce numbers that are
    /// not finite. [`EngineError::UnknownToken`] also for one of `ids`.
    fn forward_for(
        &mut self,
        tokens: &[u32],
        rows: LogitRows,
        ids: &[u32],
        cancel: &CancelToken,
    ) -> Result<&[f32], EngineError>;

    /// Appends `tokens` (at least one) and returns what the output matrix would read: the residual stream after the last norm,
    /// `[tokens, hidden_size]`.
    ///
    /// # Errors
    /// As for [`Decoder::forward`], and [`EngineError::Unsupported`] for candle's models.
    fn hidden_states(&mut self, tokens: &[u32], cancel: &CancelToken) -> Result<&[f32], EngineError>;

    /// Uses these adapters from now on, each with a scale for its change. If they differ from the current ones, all
    /// tokens are dropped, because the cache was computed with the current ones.
    ///
    /// # Errors
    /// [`EngineError::Unsupported`] for an adapter of another model, a scale that is not a finite number, and candle's
    /// models; [`EngineError::OutOfMemory`]. After an error, nothing has changed.
    fn set_adapters(&mut self, adapters: &[(Adapter, f32)]) -> Result<(), EngineError>;

    /// A copy of the keys and values of the first `length` tokens; `None` for candle's models, which cannot copy them.
    ///
    /// # Errors
    /// [`EngineError::OutOfMemory`].
    fn prefix(&self, length: usize) -> Result<Option<Prefix>, EngineError>;

    /// Reads a prefix from a file that [`Prefix::save`] has written, and its tokens.
    ///
    /// # Errors
    /// [`EngineError::Storage`] when the file cannot be read; [`EngineError::Invalid`] when it is damaged, or of another kind of model;
    /// [`EngineError::ContextFull`] when the decoder has no room for it; [`EngineError::OutOfMemory`]; [`EngineError::Unsupported`] for
    /// candle's models.
    fn open_prefix(&self, path: &Path) -> Result<(Vec<u32>, Prefix), EngineError> {
        let _ = path;
        Err(EngineError::unsupported("snapshots in the candle backend"))
    }

    /// Holds the first `length` tokens of `prefix` from now on, instead of its own tokens, and goes on as if it had read them. Returns
    /// whether it could; otherwise nothing has changed. It cannot if they are more than it holds, or were computed by another model,
    /// with other adapters, in another number format, or with the rotations of another context length.
    fn begin_with(&mut self, prefix: &Prefix, length: usize) -> bool;

    /// Drops every token from position `length` on. A length at or beyond the position changes nothing.
    fn truncate(&mut self, length: usize);

    /// Bytes of private memory that this decoder uses: KV cache, logits, and the buffers that all decoders of the model share.
    fn private_bytes(&self) -> u64;
}
