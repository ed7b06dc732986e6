use std::sync::Arc;

use smallvec::SmallVec;
use sotto_kernels::GEMV_ROWS;

use super::kv_cache::{KvCache, KvType};
use super::scratch::Scratch;
use super::selection::Selection;
use super::{CHUNK, Chunk, Part, SequenceState, low_rank};
use crate::machine::{resize, zeros};
use crate::model::{Adapter, Transformer};
use crate::{CancelToken, EngineError};

/// Up to this many sequences in a pass need no allocation.
const USUAL_SEQUENCES: usize = 8;

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

/// What a pass gives for the rows that are wanted.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Output<'a> {
    /// The logits of all tokens of the vocabulary.
    Logits,
    /// The logits of these tokens.
    LogitsOf(&'a [u32]),
    /// The residual stream after the output norm.
    HiddenStates,
}

/// Tokens that a sequence appends.
pub(crate) struct SequenceAppend<'a> {
    sequence: &'a mut SequenceState,
    tokens: &'a [u32],
    rows: LogitRows,
    /// The number of tokens that are already in a pass.
    taken: usize,
}

impl<'a> SequenceAppend<'a> {
    pub(crate) fn new(sequence: &'a mut SequenceState, tokens: &'a [u32], rows: LogitRows) -> Self {
        Self { sequence, tokens, rows, taken: 0 }
    }

    /// Adds as many of the tokens to a chunk as fit; `None` if none fit.
    fn take_part(&mut self, chunk: &mut Vec<u32>) -> Option<Part<'_>> {
        let (start, before) = (chunk.len(), self.taken);
        self.taken = self.tokens.len().min(before + CHUNK - start);
        chunk.extend_from_slice(&self.tokens[before..self.taken]);
        let unwanted = self.tokens.len() - self.rows.count(self.tokens.len());
        let wanted = start + unwanted.clamp(before, self.taken) - before..chunk.len();
        let rows = start..chunk.len();
        (!rows.is_empty()).then_some(Part { sequence: &mut *self.sequence, rows, wanted })
    }
}

/// The buffers of passes, and the output of the last.
pub(crate) struct Workspace {
    pub(super) model: Arc<Transformer>,
    /// With their scales.
    pub(super) adapters: Arc<[(Adapter, f32)]>,
    /// The maximum number of tokens in a pass.
    rows: usize,
    /// Those of a pass.
    tokens: Vec<u32>,
    pub(super) scratch: Scratch,
    pub(super) selection: Selection,
    /// The output of the last: `[rows, vocab_size]` logits, or those of the requested tokens, or hidden states.
    pub(super) output: Vec<f32>,
}

impl Workspace {
    /// Buffers for passes of at most `rows` tokens.
    pub(crate) fn new(model: Arc<Transformer>, rows: usize) -> Result<Self, EngineError> {
        let output = zeros(model.config.vocab_size)?;
        let (scratch, selection) = (Scratch::new(&model.config, rows)?, Selection::default());
        let tokens = Vec::with_capacity(CHUNK);
        Ok(Self { rows, tokens, scratch, selection, output, model, adapters: Arc::new([]) })
    }

    /// Uses these adapters from now on, each with a scale. Returns whether they changed.
    ///
    /// # Errors
    /// As for [`crate::Decoder::set_adapters`]. After an error, nothing has changed.
    pub(crate) fn set_adapters(&mut self, adapters: &[(Adapter, f32)]) -> Result<bool, EngineError> {
        if *self.adapters == *adapters {
            return Ok(false);
        }
        if !adapters.iter().all(|(adapter, _)| adapter.is_of(&self.model)) {
            return Err(EngineError::unsupported("an adapter that was loaded for another model: load it for this one"));
        }
        if !adapters.iter().all(|(_, scale)| scale.is_finite()) {
            return Err(EngineError::unsupported("an adapter scale that is not a finite number"));
        }
        resize(&mut self.scratch.input.low_rank, low_rank::room(adapters, self.rows))?;
        self.adapters = adapters.into();
        Ok(true)
    }

    pub(crate) fn model(&self) -> &Transformer {
        &self.model
    }

    /// Bytes of memory, adapters among them.
    pub(crate) fn bytes(&self) -> u64 {
        let output = (self.output.capacity() * size_of::<f32>()) as u64;
        let low_rank = (self.scratch.input.low_rank.capacity() * size_of::<f32>()) as u64;
        let adapters: u64 = self.adapters.iter().map(|(adapter, _)| adapter.private_bytes()).sum();
        Scratch::bytes(&self.model.config, self.rows) + output + self.selection.bytes() + low_rank + adapters
    }

    /// Runs the appended tokens of all sequences through the model, reading each weight once for all of them, and
    /// returns the requested output for each sequence's last tokens: logits over some or all tokens of the vocabulary, or hidden
    /// states, `[rows of all, any]`.
    ///
    /// # Errors
    /// As for [`crate::Decoder::forward`]. After an error, each sequence holds a prefix of what it was to append.
    pub(crate) fn read(
        &mut self,
        appends: &mut [SequenceAppend<'_>],
        output: Output<'_>,
        cancel: &CancelToken,
    ) -> Result<&[f32], EngineError> {
        for append in &*appends {
            self.check_tokens(append.tokens)?;
            append.sequence.check_room(append.tokens.len())?;
        }
        let width = match output {
            Output::Logits => self.model.config.vocab_size,
            Output::LogitsOf(ids) => {
                self.model.config.check_ids(ids)?;
                ids.len()
            }
            Output::HiddenStates => self.model.config.hidden_size,
        };
        cancel.check()?;
        let rows: usize = appends.iter().map(|append| append.rows.count(append.tokens.len())).sum();
        resize(&mut self.output, rows * width)?;
        let mut tokens = std::mem::take(&mut self.tokens);
        let outcome = self.read_chunks(appends, &mut tokens, width, output, cancel);
        self.tokens = tokens;
        outcome.map(|()| &*self.output)
    }

    /// Runs passes until everything is appended, each with as many tokens as fit into a chunk.
    fn read_chunks(
        &mut self,
        appends: &mut [SequenceAppend<'_>],
        tokens: &mut Vec<u32>,
        width: usize,
        output: Output<'_>,
        cancel: &CancelToken,
    ) -> Result<(), EngineError> {
        let mut written = 0..0;
        loop {
            tokens.clear();
            let parts = appends.iter_mut().filter_map(|append| append.take_part(tokens));
            let mut parts: SmallVec<[Part<'_>; USUAL_SEQUENCES]> = parts.collect();
            if parts.is_empty() {
                return Ok(());
            }
            let wanted: usize = parts.iter().map(|part| part.wanted.len()).sum();
            written = written.end..written.end + wanted * width;
            self.pass(&mut Chunk { tokens, parts: &mut parts, output, cancel }, written.clone())?;
        }
    }

    fn check_tokens(&self, tokens: &[u32]) -> Result<(), EngineError> {
        if tokens.is_empty() {
            return Err(EngineError::Internal("a forward pass needs at least one token".into()));
        }
        self.model.config.check_ids(tokens)
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

    /// Private memory of a decoder with a full context and logits for as many tokens as it reads at once.
    ///
    /// # Errors
    /// As for [`KvCache::bytes`].
    pub(crate) fn private_bytes(&self, kv_type: KvType, context_length: usize) -> Result<u64, EngineError> {
        let (config, rows) = (&self.config, CHUNK.min(context_length));
        let logits = GEMV_ROWS * config.vocab_size * size_of::<f32>();
        Ok(self.cache_bytes(kv_type, context_length)? + Scratch::bytes(config, rows) + logits as u64)
    }
}
