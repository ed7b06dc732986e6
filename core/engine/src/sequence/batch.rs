use std::fmt;
use std::sync::Arc;

use sotto_kernels::GEMV_ROWS;

use crate::forward::{CHUNK, SequenceAppend, SequenceState, Workspace};
use crate::machine::check_available;
use crate::model::Transformer;
use crate::{Adapter, CancelToken, EngineError, KvType, LogitRows};

/// Tokens that one sequence of a batch appends, at least one.
#[derive(Debug, Clone, Copy)]
pub struct Append<'a> {
    /// Which sequence, from 0.
    pub sequence: usize,
    /// The tokens.
    pub tokens: &'a [u32],
    /// Of which of them logits are wanted.
    pub rows: LogitRows,
}

/// Several sequences in one model that write together: decoding reads each weight once for all of them, and a device that
/// waits for its memory gives almost as many times the tokens.
///
/// Each sequence gets the logits that it would get alone, to the last bit.
pub struct Batch {
    sequences: Vec<SequenceState>,
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
        let sequence = || SequenceState::new(&model.config, kv_type, context_length);
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

    /// Appends tokens to some sequences in one pass, or in several where there are many, and returns the logits that are asked for: the
    /// rows of one sequence after those of another, `[rows of all, vocab_size]`. With `ids`, the logits of these tokens alone,
    /// `[rows of all, ids.len()]`.
    ///
    /// # Errors
    /// [`EngineError::Internal`] for no token, [`EngineError::UnknownToken`], [`EngineError::ContextFull`] for more tokens than there is room for,
    /// [`EngineError::Cancelled`], [`EngineError::Invalid`] for weights that give numbers which are not finite.
    /// After one, each sequence holds a whole prefix of what it was given.
    ///
    /// # Panics
    /// When the sequences are not in ascending order.
    pub fn forward(
        &mut self,
        appends: &[Append<'_>],
        ids: Option<&[u32]>,
        cancel: &CancelToken,
    ) -> Result<&[f32], EngineError> {
        assert!(appends.is_sorted_by(|a, b| a.sequence < b.sequence), "each sequence once, in ascending order");
        assert!(appends.last().is_none_or(|last| last.sequence < self.sequences.len()), "sequences of this batch");
        let mut rest = appends.iter().peekable();
        let of_sequence = |(index, sequence)| {
            let append = rest.next_if(|append| append.sequence == index)?;
            Some(SequenceAppend::new(sequence, append.tokens, append.rows))
        };
        let mut appends: Vec<_> = self.sequences.iter_mut().enumerate().filter_map(of_sequence).collect();
        self.workspace.read(&mut appends, ids, cancel)
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

    /// As [`crate::Decoder::tokens_at_once`], for all sequences together.
    pub fn tokens_at_once(&self) -> usize {
        GEMV_ROWS
    }

    /// Bytes of private memory that this batch holds: KV caches and scratch.
    pub fn private_bytes(&self) -> u64 {
        self.sequences.iter().map(SequenceState::touched_bytes).sum::<u64>() + self.workspace.bytes()
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
