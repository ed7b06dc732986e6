use std::sync::Arc;

use smallvec::SmallVec;
use sotto_kernels::GEMV_ROWS;

use super::kv_cache::{KvCache, KvType};
use super::scratch::{Scratch, widest};
use super::selection::Selection;
use super::{CHUNK, Chunk, Part, SequenceState, low_rank};
use crate::machine::{resize, zeros};
use crate::model::{Adapter, Transformer};
use crate::{CancelToken, EngineError};

/// So many sequences in a pass take no memory of their own.
const USUAL_SEQUENCES: usize = 8;

/// Which positions of a pass the caller wants logits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogitRows {
    /// Only the last token's row: all that prefill and decode need.
    Last,
    /// Rows of so many tokens at the end of the pass: where some of them were guessed.
    Tail(usize),
    /// A row for each token of the pass: scoring and perplexity.
    All,
}

impl LogitRows {
    /// How many rows that are in a pass of `tokens` tokens.
    pub(crate) fn count(self, tokens: usize) -> usize {
        match self {
            Self::Last => 1,
            Self::Tail(rows) => rows.min(tokens),
            Self::All => tokens,
        }
    }
}

/// Tokens that a sequence appends.
pub(crate) struct SequenceAppend<'a> {
    sequence: &'a mut SequenceState,
    tokens: &'a [u32],
    rows: LogitRows,
    /// How many of the tokens are in a pass already.
    taken: usize,
}

impl<'a> SequenceAppend<'a> {
    pub(crate) fn new(sequence: &'a mut SequenceState, tokens: &'a [u32], rows: LogitRows) -> Self {
        Self { sequence, tokens, rows, taken: 0 }
    }

    /// Puts as many of the tokens as there is room for behind those of a chunk; `None` where that is none.
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

/// The buffers of passes, and the logits of the last.
pub(crate) struct Workspace {
    pub(super) model: Arc<Transformer>,
    /// With their scales.
    pub(super) adapters: Arc<[(Adapter, f32)]>,
    /// Tokens of a pass, at most.
    rows: usize,
    /// Those of a pass.
    tokens: Vec<u32>,
    pub(super) scratch: Scratch,
    pub(super) selection: Selection,
    /// `[rows, vocab_size]`, or of the tokens that were asked for.
    pub(super) logits: Vec<f32>,
}

impl Workspace {
    /// Buffers for passes of at most `rows` tokens.
    pub(crate) fn new(model: Arc<Transformer>, rows: usize) -> Result<Self, EngineError> {
        let logits = zeros(model.config.vocab_size)?;
        let (scratch, selection) = (Scratch::new(&model.config, rows)?, Selection::default());
        let tokens = Vec::with_capacity(CHUNK);
        Ok(Self { rows, tokens, scratch, selection, logits, model, adapters: Arc::new([]) })
    }

    /// Computes with these adapters from now on, each with a scale. Tells whether they are others than before.
    ///
    /// # Errors
    /// As for [`crate::Decoder::set_adapters`]. After one, they are as they were.
    pub(crate) fn set_adapters(&mut self, adapters: &[(Adapter, f32)]) -> Result<bool, EngineError> {
        if *self.adapters == *adapters {
            return Ok(false);
        }
        if !adapters.iter().all(|(adapter, _)| adapter.is_of(&self.model)) {
            return Err(EngineError::unsupported("an adapter that was loaded for another model: load it for this one"));
        }
        if !adapters.iter().all(|(_, scale)| scale.is_finite()) {
            return Err(EngineError::unsupported("an adapter's scale that is not a finite number"));
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
        let logits = (self.logits.capacity() * size_of::<f32>()) as u64;
        let low_rank = (self.scratch.input.low_rank.capacity() * size_of::<f32>()) as u64;
        let adapters: u64 = self.adapters.iter().map(|(adapter, _)| adapter.private_bytes()).sum();
        Scratch::bytes(&self.model.config, self.rows) + logits + self.selection.bytes() + low_rank + adapters
    }

    /// Passes what each sequence appends through the model, reading each weight once for all of them, and returns the logits that are
    /// wanted: of each sequence's last tokens, and of some tokens of the vocabulary or all, `[rows of all, ids]`.
    ///
    /// # Errors
    /// As for [`crate::Decoder::forward`]. Each sequence is left with a whole prefix of what it appends.
    pub(crate) fn read(
        &mut self,
        appends: &mut [SequenceAppend<'_>],
        ids: Option<&[u32]>,
        cancel: &CancelToken,
    ) -> Result<&[f32], EngineError> {
        for append in &*appends {
            self.check_tokens(append.tokens)?;
            append.sequence.check_room(append.tokens.len())?;
        }
        self.model.config.check_ids(ids.unwrap_or_default())?;
        cancel.check()?;
        let width = ids.map_or(self.model.config.vocab_size, <[u32]>::len);
        let rows: usize = appends.iter().map(|append| append.rows.count(append.tokens.len())).sum();
        resize(&mut self.logits, rows * width)?;
        let mut tokens = std::mem::take(&mut self.tokens);
        let outcome = self.read_chunks(appends, &mut tokens, width, ids, cancel);
        self.tokens = tokens;
        outcome.map(|()| &*self.logits)
    }

    /// Passes until all is appended, each of as many tokens as a chunk takes.
    fn read_chunks(
        &mut self,
        appends: &mut [SequenceAppend<'_>],
        tokens: &mut Vec<u32>,
        width: usize,
        ids: Option<&[u32]>,
        cancel: &CancelToken,
    ) -> Result<(), EngineError> {
        let mut logits = 0..0;
        loop {
            tokens.clear();
            let parts = appends.iter_mut().filter_map(|append| append.take_part(tokens));
            let mut parts: SmallVec<[Part<'_>; USUAL_SEQUENCES]> = parts.collect();
            if parts.is_empty() {
                return Ok(());
            }
            let wanted: usize = parts.iter().map(|part| part.wanted.len()).sum();
            logits = logits.end..logits.end + wanted * width;
            self.pass(&mut Chunk { tokens, parts: &mut parts, ids, cancel }, logits.clone())?;
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
    /// What the key-value cache of a sequence takes.
    ///
    /// # Errors
    /// As for [`KvCache::bytes`].
    pub(crate) fn cache_bytes(&self, kv_type: KvType, context_length: usize) -> Result<u64, EngineError> {
        KvCache::bytes(self.config.cache_shape(context_length), kv_type)
    }

    /// Private memory of a decoder whose context is full and that was asked for the logits of as many tokens as it reads at once, and
    /// of the threads that it computes with.
    ///
    /// # Errors
    /// As for [`KvCache::bytes`].
    pub(crate) fn private_bytes(&self, kv_type: KvType, context_length: usize) -> Result<u64, EngineError> {
        let (config, rows) = (&self.config, CHUNK.min(context_length));
        let logits = GEMV_ROWS * config.vocab_size * size_of::<f32>();
        let interleaved = self.pool.threads() * self.kernels.interleaved_bytes(rows, widest(config));
        let scratch = Scratch::bytes(config, rows);
        Ok(self.cache_bytes(kv_type, context_length)? + scratch + (logits + interleaved) as u64)
    }
}
