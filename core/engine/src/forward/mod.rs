//! The forward pass of the Llama family.
//!
//! Touvron et al., "LLaMA: Open and Efficient Foundation Language Models", 2023; grouped-query attention: Ainslie et al.,
//! "GQA", 2023.

mod kv_cache;
mod linear;
mod rope;
mod scratch;
mod selection;

use std::ops::Range;
use std::sync::Arc;

use sotto_kernels::scalar::rope_interleaved;
use sotto_kernels::{FEW_ROWS, Output, Queries};

use crate::machine::{resize, zeros};
use crate::model::{LayerWeights, Transformer, check_finite};
use crate::threads::Chunks;
use crate::{CancelToken, EngineError, LogitRows, ModelConfig};
use kv_cache::KvCache;
pub use kv_cache::KvType;
use linear::{Compute, Input};
pub(crate) use rope::Rope;
use scratch::{Scratch, widest};
use selection::Selection;

/// Tokens that pass through a layer together. Scratch memory grows with it; beyond this, speed does not.
pub(crate) const CHUNK: usize = 128;
/// Query rows (a head of a token each) of one task of attention: what the kernel reads the cache for at once.
const ATTENTION_ROWS: usize = 48;

/// What one sequence holds.
pub(crate) struct Sequence {
    cache: KvCache,
    position: usize,
    context_length: usize,
}

/// Tokens that one sequence adds in a pass: these rows of all.
struct Part<'a> {
    sequence: &'a mut Sequence,
    rows: Range<usize>,
}

/// A pass through the layers: tokens of one sequence or more, one part behind the other.
struct Chunk<'a> {
    tokens: &'a [u32],
    parts: &'a mut [Part<'a>],
    /// Which of the tokens' logits are wanted.
    wanted: Range<usize>,
    /// Of which tokens of the vocabulary; `None` for all.
    ids: Option<&'a [u32]>,
    cancel: &'a CancelToken,
}

/// The buffers of passes, and the logits of the last.
pub(crate) struct Workspace {
    model: Arc<Transformer>,
    /// Tokens of a pass, at most.
    rows: usize,
    scratch: Scratch,
    selection: Selection,
    /// `[rows, vocab_size]`, or of the tokens that were asked for.
    logits: Vec<f32>,
}

impl Sequence {
    pub(crate) fn new(config: &ModelConfig, kv_type: KvType, context_length: usize) -> Result<Self, EngineError> {
        Ok(Self { cache: KvCache::new(config, kv_type, context_length)?, position: 0, context_length })
    }

    pub(crate) fn position(&self) -> usize {
        self.position
    }

    pub(crate) fn context_length(&self) -> usize {
        self.context_length
    }

    pub(crate) fn truncate(&mut self, length: usize) {
        self.position = self.position.min(length);
    }

    pub(crate) fn touched_bytes(&self) -> u64 {
        self.cache.touched_bytes()
    }

    fn check_room(&self, tokens: usize) -> Result<(), EngineError> {
        let needed = self.position + tokens;
        match needed > self.context_length {
            true => Err(EngineError::ContextFull { limit: self.context_length, needed }),
            false => Ok(()),
        }
    }
}

impl Workspace {
    /// Buffers for passes of at most `rows` tokens.
    pub(crate) fn new(model: Arc<Transformer>, rows: usize) -> Result<Self, EngineError> {
        let logits = zeros(model.config.vocab_size)?;
        Ok(Self { rows, scratch: Scratch::new(&model.config, rows)?, selection: Selection::default(), logits, model })
    }

    pub(crate) fn model(&self) -> &Transformer {
        &self.model
    }

    /// Bytes of memory.
    pub(crate) fn bytes(&self) -> u64 {
        let logits = (self.logits.capacity() * size_of::<f32>()) as u64;
        Scratch::bytes(&self.model.config, self.rows) + logits + self.selection.bytes()
    }

    /// Passes all tokens through the model, a chunk at a time, and returns the logits that are wanted: of some rows, and of
    /// some tokens of the vocabulary or all.
    ///
    /// # Errors
    /// As for [`crate::Decoder::forward`]. Chunks that were finished before an error are kept.
    pub(crate) fn read(
        &mut self,
        sequence: &mut Sequence,
        tokens: &[u32],
        rows: LogitRows,
        ids: Option<&[u32]>,
        cancel: &CancelToken,
    ) -> Result<&[f32], EngineError> {
        self.check_tokens(tokens)?;
        self.model.config.check_ids(ids.unwrap_or_default())?;
        sequence.check_room(tokens.len())?;
        cancel.check()?;
        let width = ids.map_or(self.model.config.vocab_size, <[u32]>::len);
        let rows = rows.count(tokens.len());
        resize(&mut self.logits, rows * width)?;
        let mut unwanted = tokens.len() - rows;
        let mut logits = 0..0;
        for tokens in tokens.chunks(CHUNK) {
            let wanted = unwanted.min(tokens.len())..tokens.len();
            unwanted -= wanted.start;
            logits = logits.end..logits.end + wanted.len() * width;
            let parts = &mut [Part { sequence: &mut *sequence, rows: 0..tokens.len() }];
            self.pass(&mut Chunk { tokens, parts, wanted, ids, cancel }, logits.clone())?;
        }
        Ok(&self.logits)
    }

    /// Passes one token for each of several sequences, reading each weight once for all of them, and returns their logits,
    /// `[sequences, vocab_size]`.
    ///
    /// # Errors
    /// As for [`crate::Decoder::forward`]. After one, nothing was added to any sequence.
    pub(crate) fn read_together<'a>(
        &mut self,
        sequences: impl Iterator<Item = &'a mut Sequence>,
        tokens: &[u32],
        cancel: &CancelToken,
    ) -> Result<&[f32], EngineError> {
        self.check_tokens(tokens)?;
        cancel.check()?;
        resize(&mut self.logits, tokens.len() * self.model.config.vocab_size)?;
        let parts = sequences.enumerate().map(|(row, sequence)| Part { sequence, rows: row..row + 1 });
        let mut parts: Vec<Part<'_>> = parts.collect();
        parts.iter().try_for_each(|part| part.sequence.check_room(1))?;
        let logits = 0..self.logits.len();
        self.pass(&mut Chunk { tokens, parts: &mut parts, wanted: 0..tokens.len(), ids: None, cancel }, logits)?;
        Ok(&self.logits)
    }

    fn check_tokens(&self, tokens: &[u32]) -> Result<(), EngineError> {
        if tokens.is_empty() {
            return Err(EngineError::Internal("a forward pass needs at least one token".into()));
        }
        self.model.config.check_ids(tokens)
    }

    fn pass(&mut self, chunk: &mut Chunk, logits: Range<usize>) -> Result<(), EngineError> {
        let model = Arc::clone(&self.model);
        let team = model.pool.enter(chunk.cancel)?;
        let compute = Compute { kernels: model.kernels, team: &team, cancel: chunk.cancel };
        let rows = chunk.tokens.len();
        self.embed(&compute, chunk.tokens);
        let pairs = model.rope.pairs();
        for Part { sequence, rows } in &*chunk.parts {
            let columns = rows.start * pairs..rows.end * pairs;
            let (cos, sin) = (&mut self.scratch.cos[columns.clone()], &mut self.scratch.sin[columns]);
            model.rope.fill(sequence.position..sequence.position + rows.len(), cos, sin);
        }

        let last_layer = model.weights.layers.len() - 1;
        for (index, layer) in model.weights.layers.iter().enumerate() {
            // Behind the last layer's attention, only the rows that become logits go on.
            let going_on = if index == last_layer { chunk.wanted.clone() } else { 0..rows };
            self.write_keys_and_values(&compute, index, layer, chunk);
            if going_on.is_empty() {
                break;
            }
            self.attend(&compute, index, layer, chunk, going_on.clone());
            self.feed_forward(&compute, layer, going_on.len());
            chunk.cancel.check()?;
        }
        if !chunk.wanted.is_empty() {
            self.output(&compute, chunk.wanted.len(), chunk.ids, logits)?;
        }
        chunk.cancel.check()?;
        chunk.parts.iter_mut().for_each(|part| part.sequence.position += part.rows.len());
        Ok(())
    }

    /// `hidden = embedding[token]` for each token.
    fn embed(&mut self, compute: &Compute, tokens: &[u32]) {
        let hidden_size = self.model.config.hidden_size;
        let embedding = self.model.weights.embedding.view();
        let hidden = Chunks::new(&mut self.scratch.hidden[..tokens.len() * hidden_size], hidden_size);
        compute.team.run_parts(hidden, |row, hidden| embedding.dequantize_row(tokens[row] as usize, hidden));
    }

    /// Queries, keys and values of every token, turned by RoPE; keys and values go into the cache.
    fn write_keys_and_values(&mut self, compute: &Compute, index: usize, layer: &LayerWeights, chunk: &mut Chunk) {
        let Self { model, scratch: s, .. } = self;
        let config = &model.config;
        let rows = chunk.tokens.len();
        let normed = &mut s.normed[..rows * config.hidden_size];
        let queries = &mut s.queries[..rows * config.query_size()];
        let keys = &mut s.keys[..rows * config.kv_size()];
        let values = &mut s.values[..rows * config.kv_size()];

        compute.norm(&s.hidden, &layer.attention_norm, config.rms_norm_eps, normed);
        let x = Input { values: normed, cols: config.hidden_size, quantized: &mut s.quantized };
        compute.multiply(x, [(&layer.query, &mut *queries), (&layer.key, &mut *keys), (&layer.value, &mut *values)]);

        let (pairs, head_dim) = (model.rope.pairs(), config.head_dim);
        let heads = (Chunks::new(queries, config.query_size()), Chunks::new(&mut *keys, config.kv_size()));
        compute.team.run_parts(heads, |row, (queries, keys)| {
            let (cos, sin) = (&s.cos[row * pairs..][..pairs], &s.sin[row * pairs..][..pairs]);
            let heads = queries.chunks_exact_mut(head_dim).chain(keys.chunks_exact_mut(head_dim));
            heads.for_each(|head| rope_interleaved(head, cos, sin));
        });
        for Part { sequence, rows } in &mut *chunk.parts {
            let columns = rows.start * config.kv_size()..rows.end * config.kv_size();
            let (keys, values) = (&keys[columns.clone()], &values[columns]);
            sequence.cache.write(compute.team, index, sequence.position, keys, values);
        }
    }

    /// `hidden += attention(queries, keys, values) · W`, for the tokens that go on; they move to the front.
    fn attend(&mut self, compute: &Compute, index: usize, layer: &LayerWeights, chunk: &Chunk, rows: Range<usize>) {
        let Self { model, scratch: s, .. } = self;
        let config = &model.config;
        let (hidden_size, width) = (config.hidden_size, config.query_size());
        let attended = &mut s.attended[..rows.len() * width];
        for part in &*chunk.parts {
            let wanted = part.rows.start.max(rows.start)..part.rows.end.min(rows.end);
            if !wanted.is_empty() {
                let attended = &mut attended[(wanted.start - rows.start) * width..(wanted.end - rows.start) * width];
                let queries = &s.queries[wanted.start * width..wanted.end * width];
                let position = part.sequence.position + wanted.start - part.rows.start;
                part.sequence.attend(model, compute, index, position, queries, attended);
            }
        }

        let update = &mut s.update[..rows.len() * hidden_size];
        let x = Input { values: attended, cols: width, quantized: &mut s.quantized };
        compute.multiply(x, [(&layer.attention_output, &mut *update)]);
        s.hidden.copy_within(rows.start * hidden_size..rows.end * hidden_size, 0);
        compute.add(&mut s.hidden[..update.len()], update, hidden_size);
    }

    /// `hidden += (silu(x · gate) * (x · up)) · down` with `x = norm(hidden)`, for the first `rows` rows.
    fn feed_forward(&mut self, compute: &Compute, layer: &LayerWeights, rows: usize) {
        let Self { model, scratch: s, .. } = self;
        let config = &model.config;
        let normed = &mut s.normed[..rows * config.hidden_size];
        let gate = &mut s.gate[..rows * config.intermediate_size];
        let up = &mut s.up[..rows * config.intermediate_size];
        let update = &mut s.update[..rows * config.hidden_size];

        compute.norm(&s.hidden, &layer.feed_forward_norm, config.rms_norm_eps, normed);
        let x = Input { values: normed, cols: config.hidden_size, quantized: &mut s.quantized };
        compute.multiply(x, [(&layer.gate, &mut *gate), (&layer.up, &mut *up)]);
        compute.swiglu(gate, up, config.intermediate_size);
        let x = Input { values: gate, cols: config.intermediate_size, quantized: &mut s.quantized };
        compute.multiply(x, [(&layer.down, &mut *update)]);
        compute.add(&mut s.hidden[..update.len()], update, config.hidden_size);
    }

    /// `logits = norm(hidden) · output`, for the first `rows` rows.
    fn output(
        &mut self,
        compute: &Compute,
        rows: usize,
        ids: Option<&[u32]>,
        logits: Range<usize>,
    ) -> Result<(), EngineError> {
        let Self { model, scratch: s, selection, .. } = self;
        let config = &model.config;
        let normed = &mut s.normed[..rows * config.hidden_size];
        let logits = &mut self.logits[logits];
        compute.norm(&s.hidden, &model.weights.output_norm, config.rms_norm_eps, normed);
        let x = Input { values: normed, cols: config.hidden_size, quantized: &mut s.quantized };
        match ids {
            None => compute.multiply(x, [(&model.weights.output, &mut *logits)]),
            Some(ids) => selection.multiply(compute, x, &model.weights.output, ids, logits)?,
        }
        compute.cancel.check()?;
        check_finite(logits, "logits")
    }
}

impl Sequence {
    /// What the tokens from `position` on read of this sequence: `queries` and `attended` are `[tokens, query_size]`.
    fn attend(
        &self,
        model: &Transformer,
        compute: &Compute,
        layer: usize,
        position: usize,
        queries: &[f32],
        attended: &mut [f32],
    ) {
        let config = &model.config;
        let tokens = queries.len() / config.query_size();
        let heads_per_kv_head = config.num_heads / config.num_kv_heads;
        let tokens_per_task = (ATTENTION_ROWS / heads_per_kv_head).max(1);
        let blocks = tokens.div_ceil(tokens_per_task);
        let out = Output::new(attended, config.query_size());
        compute.team.run(config.num_kv_heads * blocks, |task| {
            if compute.cancel.is_cancelled() {
                return;
            }
            let (head, block) = (task / blocks, task % blocks);
            let first = block * tokens_per_task;
            let queries = Queries {
                values: queries,
                stride: config.query_size(),
                heads: (head * heads_per_kv_head, (head + 1) * heads_per_kv_head),
                tokens: (first, tokens.min(first + tokens_per_task)),
                first_position: position,
                scale: 1.0 / (config.head_dim as f32).sqrt(),
                score_cap: None,
                window: None,
            };
            // SAFETY: tasks have different heads or different tokens, and each runs once.
            unsafe { self.cache.attend(compute.kernels, layer, head, &queries, &out) };
        });
    }
}

impl Compute<'_> {
    /// Normalizes as many rows of `x` as `out` has.
    fn norm(&self, x: &[f32], weight: &[f32], epsilon: f32, out: &mut [f32]) {
        let cols = weight.len();
        self.team.run_parts(Chunks::new(out, cols), |row, out| {
            self.kernels.rms_norm(&x[row * cols..][..cols], weight, epsilon, out);
        });
    }

    fn swiglu(&self, gate: &mut [f32], up: &[f32], cols: usize) {
        self.team.run_parts(Chunks::new(gate, cols), |row, gate| self.kernels.swiglu(gate, &up[row * cols..][..cols]));
    }

    fn add(&self, x: &mut [f32], update: &[f32], cols: usize) {
        self.team.run_parts(Chunks::new(x, cols), |row, x| self.kernels.add(x, &update[row * cols..][..cols]));
    }
}

impl Transformer {
    /// Private memory of a decoder whose context is full and that was asked for the logits of as many tokens as it reads at once, and
    /// of the threads that it computes with.
    ///
    /// # Errors
    /// As for [`KvCache::bytes`].
    pub(crate) fn private_bytes(&self, kv_type: KvType, context_length: usize) -> Result<u64, EngineError> {
        let (config, rows) = (&self.config, CHUNK.min(context_length));
        let logits = FEW_ROWS * config.vocab_size * size_of::<f32>();
        let arranged = self.pool.threads() * self.kernels.arranged_bytes(rows, widest(config));
        let scratch = Scratch::bytes(config, rows);
        Ok(KvCache::bytes(config, kv_type, context_length)? + scratch + (logits + arranged) as u64)
    }
}
