use std::fmt;
use std::sync::Arc;

use crate::forward::{CHUNK, Sequence, Workspace};
use crate::machine::check_available;
use crate::model::Transformer;
use crate::{Adapter, CancelToken, EngineError, KvType, LogitRows};

/// Several sequences in one model that write together: decoding reads each weight once for all of them, and a device that
/// waits for its memory gives almost as many times the tokens.
///
/// Each sequence gets the logits that it would get alone, to the last bit.
pub struct Batch {
    sequences: Vec<Sequence>,
    workspace: Workspace,
}

impl Batch {
    /// The most sequences of a batch.
    pub const MAX_SEQUENCES: usize = CHUNK;

    pub(crate) fn new(
        model: Arc<Transformer>,
        sequences: usize,
        kv_type: KvType,
        context_length: usize,
    ) -> Result<Self, EngineError> {
        if !(1..=Self::MAX_SEQUENCES).contains(&sequences) {
            return Err(EngineError::unsupported(format!("a batch of {sequences} sequences")));
        }
        check_available(model.private_bytes(kv_type, context_length)? * sequences as u64)?;
        let sequence = || Sequence::new(&model.config, kv_type, context_length);
        Ok(Self {
            sequences: (0..sequences).map(|_| sequence()).collect::<Result<_, _>>()?,
            workspace: Workspace::new(model, CHUNK)?,
        })
    }

    /// How many sequences there are.
    pub fn sequences(&self) -> usize {
        self.sequences.len()
    }

    /// How many tokens a sequence holds.
    ///
    /// # Panics
    /// When there is no such sequence; so do the other methods.
    pub fn position(&self, sequence: usize) -> usize {
        self.sequences[sequence].position()
    }

    /// Appends `tokens` (at least one) to one sequence and returns the logits behind the last, `[vocab_size]`.
    ///
    /// # Errors
    /// [`EngineError::Internal`] for no token, [`EngineError::UnknownToken`], [`EngineError::ContextFull`] for more tokens than there is room for,
    /// [`EngineError::Cancelled`], [`EngineError::Invalid`] for weights that give numbers which are not finite.
    pub fn prefill(&mut self, sequence: usize, tokens: &[u32], cancel: &CancelToken) -> Result<&[f32], EngineError> {
        self.workspace.read(&mut self.sequences[sequence], tokens, LogitRows::Last, None, cancel)
    }

    /// Appends a token to each sequence that has one in `tokens` (one entry for each sequence), and returns the logits of
    /// these sequences, `[sequences with a token, vocab_size]`.
    ///
    /// # Errors
    /// [`EngineError::Internal`] for no token, [`EngineError::UnknownToken`], [`EngineError::ContextFull`] for more tokens than there is room for,
    /// [`EngineError::Cancelled`], [`EngineError::Invalid`] for weights that give numbers which are not finite.
    /// After one, every sequence is as it was.
    ///
    /// # Panics
    /// When `tokens` has not one entry for each sequence.
    pub fn decode(&mut self, tokens: &[Option<u32>], cancel: &CancelToken) -> Result<&[f32], EngineError> {
        assert_eq!(tokens.len(), self.sequences.len(), "a token, or none, for each sequence");
        let given: Vec<u32> = tokens.iter().copied().flatten().collect();
        let taking_part = self.sequences.iter_mut().zip(tokens).filter(|(_, token)| token.is_some());
        self.workspace.read_together(taking_part.map(|(sequence, _)| sequence), &given, cancel)
    }

    /// As [`crate::Decoder::set_adapters`], for all sequences.
    ///
    /// # Errors
    /// As there.
    pub fn set_adapters(&mut self, adapters: &[(Adapter, f32)]) -> Result<(), EngineError> {
        if self.workspace.set_adapters(adapters)? {
            self.sequences.iter_mut().for_each(|sequence| sequence.truncate(0));
        }
        Ok(())
    }

    /// Forgets every token of a sequence from position `length` on.
    pub fn truncate(&mut self, sequence: usize, length: usize) {
        self.sequences[sequence].truncate(length);
    }
}

impl fmt::Debug for Batch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Batch").field("sequences", &self.sequences.len()).finish_non_exhaustive()
    }
}
