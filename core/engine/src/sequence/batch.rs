use std::fmt;
use std::sync::Arc;

use sotto_kernels::GEMV_ROWS;

use crate::forward::{CHUNK, Output, SequenceAppend, SequenceState, Workspace};
use crate::machine::check_available;
use crate::model::Transformer;
use crate::{Adapter, CancelToken, EngineError, KvType, LogitRows, Prefix};

/// Tokens that one sequence of a batch appends, at least one.
#[derive(Debug, Clone, Copy)]
pub struct Append<'a> {
    /// The index of the sequence, from 0.
    pub sequence: usize,
    /// The tokens.
    pub tokens: &'a [u32],
    /// Which of them need logits.
    pub rows: LogitRows,
}

/// Several sequences of one model that decode together. Each weight is read once for all of them, so on a device that
/// is limited by memory bandwidth, throughput grows almost with the number of sequences.
///
/// Each sequence gets exactly the logits that it would get alone.
pub struct Batch {
    sequences: Vec<SequenceState>,
    workspace: Workspace,
}

impl Batch {
    /// The maximum number of sequences in a batch.
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
        // All sequences share one scratch space.
        let others = model.cache_bytes(kv_type, context_length)? * (sequences - 1) as u64;
        check_available(model.private_bytes(kv_type, context_length)? + others)?;
        let sequence = || SequenceState::new(&model.config, kv_type, context_length);
        Ok(Self {
            sequences: (0..sequences).map(|_| sequence()).collect::<Result<_, _>>()?,
            workspace: Workspace::new(model, CHUNK)?,
        })
    }

    /// The number of sequences.
    pub fn sequences(&self) -> usize {
        self.sequences.len()
    }

    /// The number of tokens in a sequence.
    ///
    /// # Panics
    /// If there is no such sequence; the other methods panic, too.
    pub fn position(&self, sequence: usize) -> usize {
        self.sequences[sequence].position()
    }

    /// Appends tokens to some sequences, in one pass or, if there are many, in several. Returns the requested logits,
    /// the rows of one sequence after those of another, `[rows of all, vocab_size]`. With `ids`, only the logits of
    /// these tokens, `[rows of all, ids.len()]`.
    ///
    /// # Errors
    /// [`EngineError::Internal`] for no token, [`EngineError::UnknownToken`], [`EngineError::ContextFull`] for more
    /// tokens than fit, [`EngineError::Cancelled`], [`EngineError::Invalid`] for weights that produce numbers that are
    /// not finite. After an error, each sequence holds a prefix of what it was given.
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
        self.workspace.read(&mut appends, ids.map_or(Output::Logits, Output::LogitsOf), cancel)
    }

    /// As [`crate::Decoder::set_adapters`], for all sequences.
    ///
    /// # Errors
    /// [`EngineError::Unsupported`] for an adapter of another model or a scale that is not a finite number;
    /// [`EngineError::OutOfMemory`]. After an error, nothing has changed.
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

    /// As [`crate::Decoder::prefix`], of one sequence.
    ///
    /// # Errors
    /// [`EngineError::OutOfMemory`].
    pub fn prefix(&self, sequence: usize, length: usize) -> Result<Prefix, EngineError> {
        self.workspace.prefix_of(&self.sequences[sequence], length)
    }

    /// As [`crate::Decoder::begin_with`], for one sequence.
    pub fn begin_with(&mut self, sequence: usize, prefix: &Prefix, length: usize) -> bool {
        self.workspace.begin_with(&mut self.sequences[sequence], prefix, length)
    }

    /// Drops every token of a sequence from position `length` on.
    pub fn truncate(&mut self, sequence: usize, length: usize) {
        self.sequences[sequence].truncate(length);
    }
}

impl fmt::Debug for Batch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Batch").field("sequences", &self.sequences.len()).finish_non_exhaustive()
    }
}
