//! The forward pass of the Llama family over candle's dot products.
//!
//! Touvron et al., "LLaMA: Open and Efficient Foundation Language Models", 2023; grouped-query attention: Ainslie et al.,
//! "GQA", 2023.

use std::ops::Range;
use std::sync::Arc;

use rayon::prelude::*;
use sotto_kernels::scalar::{rms_norm, rope_interleaved, swiglu};

use crate::kv_cache::{KvCache, KvType};
use crate::llama::{LayerWeights, LlamaWeights};
use crate::memory;
use crate::pool::Pool;
use crate::rope::Rope;
use crate::scratch::Scratch;
use crate::weights::{Activations, check_finite};
use crate::{CancelToken, Decoder, EngineError, LogitRows, ModelConfig};

/// Tokens that pass through a layer together. Scratch memory grows with it; beyond this, speed does not.
pub(crate) const CHUNK: usize = 128;
/// Values of the gated activation that one task computes.
const SWIGLU_TASK: usize = 2048;

/// What decoders of one model share.
#[derive(Debug)]
pub(crate) struct Llama {
    pub(crate) config: ModelConfig,
    pub(crate) weights: LlamaWeights,
    pub(crate) rope: Rope,
    pub(crate) pool: Arc<Pool>,
}

/// One sequence in one model.
pub(crate) struct LlamaDecoder {
    model: Arc<Llama>,
    cache: KvCache,
    scratch: Scratch,
    /// Logits of the last pass, `[rows, vocab_size]`.
    logits: Vec<f32>,
    context_length: usize,
    position: usize,
}

/// Some tokens of a pass, on their way through the layers.
struct Chunk<'a> {
    tokens: &'a [u32],
    /// Position of the first token.
    start: usize,
    /// Which of the tokens' logits are wanted.
    wanted: Range<usize>,
    cancel: &'a CancelToken,
}

impl LlamaDecoder {
    pub(crate) fn new(model: Arc<Llama>, kv_type: KvType, context_length: usize) -> Result<Self, EngineError> {
        let needed = private_bytes(&model.config, kv_type, context_length);
        memory::check_available(needed)?;
        Ok(Self {
            cache: KvCache::new(&model.config, kv_type, context_length)?,
            scratch: Scratch::new(&model.config, CHUNK.min(context_length))?,
            logits: memory::zeros(model.config.vocab_size)?,
            context_length,
            position: 0,
            model,
        })
    }

    fn check_tokens(&self, tokens: &[u32]) -> Result<(), EngineError> {
        let vocab_size = self.model.config.vocab_size;
        if tokens.is_empty() {
            return Err(EngineError::Internal("a forward pass needs at least one token".into()));
        }
        if let Some(&id) = tokens.iter().find(|&&id| id as usize >= vocab_size) {
            return Err(EngineError::UnknownToken { id, vocab_size });
        }
        let needed = self.position + tokens.len();
        match needed > self.context_length {
            true => Err(EngineError::ContextFull { limit: self.context_length, needed }),
            false => Ok(()),
        }
    }

    /// Passes all tokens through the model, a chunk at a time; each finished chunk is kept.
    fn pass(&mut self, tokens: &[u32], rows: LogitRows, cancel: &CancelToken) -> Result<(), EngineError> {
        let mut logits = 0..0;
        let last_chunk = (tokens.len() - 1) / CHUNK;
        for (index, tokens) in tokens.chunks(CHUNK).enumerate() {
            let wanted = match rows {
                LogitRows::All => 0..tokens.len(),
                LogitRows::Last if index == last_chunk => tokens.len() - 1..tokens.len(),
                LogitRows::Last => 0..0,
            };
            logits = logits.end..logits.end + wanted.len() * self.model.config.vocab_size;
            self.pass_chunk(&Chunk { tokens, start: self.position, wanted, cancel }, logits.clone())?;
            self.position += tokens.len();
        }
        Ok(())
    }

    fn pass_chunk(&mut self, chunk: &Chunk, logits: Range<usize>) -> Result<(), EngineError> {
        let model = Arc::clone(&self.model);
        let rows = chunk.tokens.len();
        self.embed(chunk.tokens)?;
        let pairs = model.rope.pairs();
        let (cos, sin) = (&mut self.scratch.cos[..rows * pairs], &mut self.scratch.sin[..rows * pairs]);
        model.rope.fill(chunk.start..chunk.start + rows, cos, sin);

        let last_layer = model.weights.layers.len() - 1;
        for (index, layer) in model.weights.layers.iter().enumerate() {
            // Behind the last layer's attention, only the rows that become logits go on.
            let going_on = if index == last_layer { chunk.wanted.clone() } else { 0..rows };
            self.write_keys_and_values(index, layer, chunk)?;
            if going_on.is_empty() {
                return Ok(());
            }
            self.attend(index, layer, chunk, going_on.clone())?;
            self.feed_forward(layer, going_on.len(), chunk.cancel)?;
        }
        self.output(chunk, logits)
    }

    /// `hidden = embedding[token]` for each token.
    fn embed(&mut self, tokens: &[u32]) -> Result<(), EngineError> {
        let hidden_size = self.model.config.hidden_size;
        for (token, hidden) in tokens.iter().zip(self.scratch.hidden.chunks_exact_mut(hidden_size)) {
            self.model.weights.embedding.dequantize_row(*token as usize, hidden)?;
        }
        Ok(())
    }

    /// Queries, keys and values of every token, turned by RoPE; keys and values go into the cache.
    fn write_keys_and_values(&mut self, index: usize, layer: &LayerWeights, chunk: &Chunk) -> Result<(), EngineError> {
        let Self { model, cache, scratch: s, .. } = self;
        let config = &model.config;
        let rows = chunk.tokens.len();
        let normed = &mut s.normed[..rows * config.hidden_size];
        let queries = &mut s.queries[..rows * config.query_size()];
        let keys = &mut s.keys[..rows * config.kv_size()];
        let values = &mut s.values[..rows * config.kv_size()];

        norm_rows(&s.hidden, &layer.attention_norm, config.rms_norm_eps, normed);
        let mut x = Activations::new(normed, config.hidden_size, &mut s.quantized, chunk.cancel)?;
        layer.query.matmul(&mut x, queries)?;
        layer.key.matmul(&mut x, keys)?;
        layer.value.matmul(&mut x, values)?;

        rope_rows(queries, config.num_heads, config.head_dim, &s.cos, &s.sin, model.rope.pairs());
        rope_rows(keys, config.num_kv_heads, config.head_dim, &s.cos, &s.sin, model.rope.pairs());
        cache.write(index, chunk.start, keys, values);
        Ok(())
    }

    /// `hidden += attention(queries, keys, values) · W`, for the tokens that go on; they move to the front.
    fn attend(
        &mut self,
        index: usize,
        layer: &LayerWeights,
        chunk: &Chunk,
        rows: Range<usize>,
    ) -> Result<(), EngineError> {
        let Self { model, cache, scratch: s, .. } = self;
        let config = &model.config;
        let (head_dim, heads, hidden_size) = (config.head_dim, config.num_heads, config.hidden_size);
        let queries_per_kv_head = heads / config.num_kv_heads;
        let queries = &s.queries[rows.start * config.query_size()..rows.end * config.query_size()];
        let attended = &mut s.attended[..queries.len()];

        let heads_of_rows = attended.par_chunks_exact_mut(head_dim).zip(queries.par_chunks_exact(head_dim));
        heads_of_rows.enumerate().for_each(|(i, (out, query))| {
            if chunk.cancel.is_cancelled() {
                return;
            }
            let (row, head) = (rows.start + i / heads, i % heads);
            // Causal: a token sees itself and what came before.
            let positions = chunk.start + row + 1;
            cache.attend(index, head / queries_per_kv_head, positions, query, out);
        });

        let update = &mut s.update[..rows.len() * hidden_size];
        let mut x = Activations::new(attended, config.query_size(), &mut s.quantized, chunk.cancel)?;
        layer.attention_output.matmul(&mut x, update)?;
        s.hidden.copy_within(rows.start * hidden_size..rows.end * hidden_size, 0);
        add(&mut s.hidden, update);
        Ok(())
    }

    /// `hidden += (silu(x · gate) * (x · up)) · down` with `x = norm(hidden)`, for the first `rows` rows.
    fn feed_forward(&mut self, layer: &LayerWeights, rows: usize, cancel: &CancelToken) -> Result<(), EngineError> {
        let Self { model, scratch: s, .. } = self;
        let config = &model.config;
        let normed = &mut s.normed[..rows * config.hidden_size];
        let gate = &mut s.gate[..rows * config.intermediate_size];
        let up = &mut s.up[..rows * config.intermediate_size];
        let update = &mut s.update[..rows * config.hidden_size];

        norm_rows(&s.hidden, &layer.feed_forward_norm, config.rms_norm_eps, normed);
        let mut x = Activations::new(normed, config.hidden_size, &mut s.quantized, cancel)?;
        layer.gate.matmul(&mut x, gate)?;
        layer.up.matmul(&mut x, up)?;
        gate.par_chunks_mut(SWIGLU_TASK).zip(up.par_chunks(SWIGLU_TASK)).for_each(|(gate, up)| swiglu(gate, up));
        let mut x = Activations::new(gate, config.intermediate_size, &mut s.quantized, cancel)?;
        layer.down.matmul(&mut x, update)?;
        add(&mut s.hidden, update);
        Ok(())
    }

    /// `logits = norm(hidden) · output`, for the rows that are left.
    fn output(&mut self, chunk: &Chunk, logits: Range<usize>) -> Result<(), EngineError> {
        let Self { model, scratch: s, .. } = self;
        let config = &model.config;
        let normed = &mut s.normed[..chunk.wanted.len() * config.hidden_size];
        let logits = &mut self.logits[logits];
        norm_rows(&s.hidden, &model.weights.output_norm, config.rms_norm_eps, normed);
        let mut x = Activations::new(normed, config.hidden_size, &mut s.quantized, chunk.cancel)?;
        model.weights.output.matmul(&mut x, logits)?;
        chunk.cancel.check()?;
        check_finite(logits, "logits")
    }
}

impl Decoder for LlamaDecoder {
    fn config(&self) -> &ModelConfig {
        &self.model.config
    }

    fn context_length(&self) -> usize {
        self.context_length
    }

    fn position(&self) -> usize {
        self.position
    }

    fn forward(&mut self, tokens: &[u32], rows: LogitRows, cancel: &CancelToken) -> Result<&[f32], EngineError> {
        self.check_tokens(tokens)?;
        cancel.check()?;
        let wanted = match rows {
            LogitRows::Last => 1,
            LogitRows::All => tokens.len(),
        };
        let len = wanted * self.model.config.vocab_size;
        memory::resize(&mut self.logits, len)?;
        let pool = Arc::clone(&self.model.pool);
        pool.run(|| self.pass(tokens, rows, cancel))??;
        Ok(&self.logits)
    }

    fn truncate(&mut self, length: usize) {
        self.position = self.position.min(length);
    }

    fn private_bytes(&self) -> u64 {
        let scratch = Scratch::bytes(&self.model.config, CHUNK.min(self.context_length));
        let logits = self.logits.capacity() * size_of::<f32>();
        self.cache.touched_bytes() + scratch + logits as u64
    }
}

/// Private memory of a decoder whose context is full.
pub(crate) fn private_bytes(config: &ModelConfig, kv_type: KvType, context_length: usize) -> u64 {
    let logits = config.vocab_size * size_of::<f32>();
    let scratch = Scratch::bytes(config, CHUNK.min(context_length));
    KvCache::bytes(config, kv_type, context_length) + scratch + logits as u64
}

/// Normalizes as many rows of `x` as `out` has.
fn norm_rows(x: &[f32], weight: &[f32], epsilon: f32, out: &mut [f32]) {
    let rows = out.par_chunks_exact_mut(weight.len()).zip(x.par_chunks_exact(weight.len()));
    rows.for_each(|(out, x)| rms_norm(x, weight, epsilon, out));
}

/// Turns every head of every row by its row's angles.
fn rope_rows(x: &mut [f32], heads: usize, head_dim: usize, cos: &[f32], sin: &[f32], pairs: usize) {
    let angles = cos.chunks_exact(pairs).zip(sin.chunks_exact(pairs));
    for (row, (cos, sin)) in x.chunks_exact_mut(heads * head_dim).zip(angles) {
        row.chunks_exact_mut(head_dim).for_each(|head| rope_interleaved(head, cos, sin));
    }
}

/// Adds to the first values of `x`.
fn add(x: &mut [f32], update: &[f32]) {
    x.iter_mut().zip(update).for_each(|(x, update)| *x += update);
}
