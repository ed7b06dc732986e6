use std::fmt;
use std::path::Path;
use std::sync::Arc;

use super::group::Group;
use super::scheduler::Scheduler;
use crate::forward::{CHUNK, Output};
use crate::{Adapter, CancelToken, DecoderOptions, EngineError, LogitRows, ModelConfig, Prefix};

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
    scheduler: Arc<Scheduler>,
    /// `None` only while it reads.
    group: Option<Box<Group>>,
}

impl Batch {
    /// The maximum number of sequences in a batch.
    pub const MAX_SEQUENCES: usize = CHUNK;

    pub(crate) fn new(
        scheduler: &Arc<Scheduler>,
        sequences: usize,
        context_length: usize,
        options: &DecoderOptions,
    ) -> Result<Self, EngineError> {
        if !(1..=Self::MAX_SEQUENCES).contains(&sequences) {
            return Err(EngineError::unsupported(format!("a batch of {sequences} sequences")));
        }
        let model = scheduler.model();
        let cache = model.cache_bytes(options.kv_type, context_length)?;
        scheduler.make_room_for(cache * sequences as u64 + model.logits_bytes())?;
        let group = Group::new(Arc::clone(model), sequences, options.kv_type, context_length, options.priority)?;
        Ok(Self { scheduler: Arc::clone(scheduler), group: Some(Box::new(group)) })
    }

    fn group(&self) -> &Group {
        self.group.as_deref().expect(NOT_READING)
    }

    fn group_mut(&mut self) -> &mut Group {
        self.group.as_deref_mut().expect(NOT_READING)
    }

    pub(super) fn config(&self) -> &ModelConfig {
        &self.group().model().config
    }

    /// The capacity of each sequence in tokens.
    pub(super) fn context_length(&self) -> usize {
        self.group().sequence(0).context_length()
    }

    /// The number of sequences.
    pub fn sequences(&self) -> usize {
        self.group().sequences()
    }

    /// The number of tokens in a sequence.
    ///
    /// # Panics
    /// If there is no such sequence; the other methods panic, too.
    pub fn position(&self, sequence: usize) -> usize {
        self.group().sequence(sequence).position()
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
        assert!(appends.last().is_none_or(|last| last.sequence < self.sequences()), "sequences of this batch");
        self.read(appends, ids.map_or(Output::Logits, Output::LogitsOf), cancel)
    }

    /// As [`Batch::forward`], with any output.
    pub(super) fn read(
        &mut self,
        appends: &[Append<'_>],
        output: Output<'_>,
        cancel: &CancelToken,
    ) -> Result<&[f32], EngineError> {
        let mut group = self.group.take().expect(NOT_READING);
        let mut outcome = group.request(appends, output, cancel);
        if outcome.is_ok() && !appends.is_empty() {
            (group, outcome) = self.scheduler.read(group);
        }
        let group = self.group.insert(group);
        outcome.map(|()| group.output())
    }

    /// As [`crate::Decoder::set_adapters`], for all sequences.
    ///
    /// # Errors
    /// [`EngineError::Unsupported`] for an adapter of another model or a scale that is not a finite number. After an error, nothing has
    /// changed.
    pub fn set_adapters(&mut self, adapters: &[(Adapter, f32)]) -> Result<(), EngineError> {
        self.group_mut().set_adapters(adapters)
    }

    /// As [`crate::Decoder::tokens_at_once`], for each sequence.
    pub fn tokens_at_once(&self) -> usize {
        self.scheduler.tokens_at_once()
    }

    /// Bytes of private memory that this batch uses: KV caches, logits, and the buffers that all sequences of the model share.
    pub fn private_bytes(&self) -> u64 {
        self.group().private_bytes() + self.scheduler.workspace_bytes()
    }

    /// As [`crate::Decoder::prefix`], of one sequence.
    ///
    /// # Errors
    /// [`EngineError::OutOfMemory`].
    pub fn prefix(&self, sequence: usize, length: usize) -> Result<Prefix, EngineError> {
        self.group().prefix(sequence, length)
    }

    /// As [`crate::Decoder::open_prefix`], for the first sequence.
    pub(super) fn open_prefix(&self, path: &Path) -> Result<(Vec<u32>, Prefix), EngineError> {
        self.group().open_prefix(path, 0)
    }

    /// As [`crate::Decoder::begin_with`], for one sequence.
    pub fn begin_with(&mut self, sequence: usize, prefix: &Prefix, length: usize) -> bool {
        self.group_mut().begin_with(sequence, prefix, length)
    }

    /// Drops every token of a sequence from position `length` on.
    pub fn truncate(&mut self, sequence: usize, length: usize) {
        self.group_mut().sequence_mut(sequence).truncate(length);
    }
}

/// Why a batch has its sequences.
const NOT_READING: &str = "only a read takes them, and gives them back";

impl fmt::Debug for Batch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Batch").field("sequences", &self.sequences()).finish_non_exhaustive()
    }
}
