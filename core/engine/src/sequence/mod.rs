//! Sequences being read and written: one in a decoder, several in a batch.

mod batch;
mod decoder;

use crate::{Adapter, CancelToken, EngineError, LogitRows, ModelConfig};
pub use batch::{Append, Batch};
pub(crate) use decoder::SottoDecoder;

/// One sequence being read and written by a model: its KV cache, its scratch memory and its position.
///
/// Weights are shared between decoders of one [`crate::Model`]; a decoder itself belongs to one thread at a time.
pub trait Decoder: Send {
    /// The shape of the model behind this decoder.
    fn config(&self) -> &ModelConfig;

    /// How many tokens this decoder can hold.
    fn context_length(&self) -> usize;

    /// How many tokens it holds now: the position of the next token.
    fn position(&self) -> usize;

    /// Tokens that a pass takes in about the time of one, since each weight is read once for all of them: so many, it is
    /// worth guessing. 1 where it is not.
    fn tokens_at_once(&self) -> usize;

    /// Appends `tokens` (at least one) and returns logits, row-major `[rows, vocab_size]`.
    ///
    /// The cancel token is looked at least once per layer and chunk. After an error the decoder stands at a whole
    /// prefix of what it was given ([`Decoder::position`] says how long) and can be used further.
    ///
    /// # Errors
    /// [`EngineError::Internal`] for no token, [`EngineError::UnknownToken`], [`EngineError::ContextFull`] for more tokens than there is room for,
    /// [`EngineError::Cancelled`], [`EngineError::Invalid`] for weights that give numbers which are not finite.
    fn forward(&mut self, tokens: &[u32], rows: LogitRows, cancel: &CancelToken) -> Result<&[f32], EngineError>;

    /// As [`Decoder::forward`], with the logits of `ids` alone, `[rows, ids.len()]`: the same numbers, but what is not
    /// asked for need not be computed.
    ///
    /// # Errors
    /// [`EngineError::Internal`] for no token, [`EngineError::UnknownToken`], [`EngineError::ContextFull`] for more tokens than there is room for,
    /// [`EngineError::Cancelled`], [`EngineError::Invalid`] for weights that give numbers which are not finite. [`EngineError::UnknownToken`] for one of
    /// `ids`, too.
    fn forward_for(
        &mut self,
        tokens: &[u32],
        rows: LogitRows,
        ids: &[u32],
        cancel: &CancelToken,
    ) -> Result<&[f32], EngineError>;

    /// Computes with these adapters from now on, each with a scale that its change of the model is multiplied with. Where they
    /// are others than before, every token is forgotten: what is held of them was made with those.
    ///
    /// # Errors
    /// [`EngineError::Unsupported`] for an adapter of another model, a scale that is no finite number, and candle's models;
    /// [`EngineError::OutOfMemory`]. After one, nothing has changed.
    fn set_adapters(&mut self, adapters: &[(Adapter, f32)]) -> Result<(), EngineError>;

    /// Forgets every token from position `length` on. A length at or beyond the position changes nothing.
    fn truncate(&mut self, length: usize);

    /// Bytes of private memory that this decoder holds: KV cache and scratch.
    fn private_bytes(&self) -> u64;
}
