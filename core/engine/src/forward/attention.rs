use sotto_kernels::scalar::rope_interleaved;
use sotto_kernels::{Output, Queries, Visible};

use super::kv_cache::KvCache;
use super::linear::{Compute, Input};
use super::{Part, Pass, SequenceState, Workspace};
use crate::model::{LayerWeights, Transformer};
use crate::threads::Chunks;

/// Query rows (one head of one token each) per attention task, for which the kernel reads the cache once.
const ATTENTION_ROWS: usize = 48;

impl Workspace {
    /// Computes queries, keys and values of every token, with head norms if the family has them, and RoPE. Keys and
    /// values go into the cache.
    pub(super) fn write_keys_and_values(
        &mut self,
        compute: &Compute,
        index: usize,
        layer: &LayerWeights,
        pass: &mut Pass,
    ) {
        let Self { model, scratch: s, .. } = self;
        let config = &model.config;
        let rows = pass.tokens.len();
        let normed = &mut s.normed[..rows * config.hidden_size];
        let queries = &mut s.queries[..rows * config.query_size()];
        let keys = &mut s.keys[..rows * config.kv_size()];
        let values = &mut s.values[..rows * config.kv_size()];

        compute.norm(&s.hidden, &layer.attention_norm, config.rms_norm_eps, normed);
        let x = Input { values: normed, cols: config.hidden_size, room: &mut s.input };
        compute.apply(x, [(&layer.query, &mut *queries), (&layer.key, &mut *keys), (&layer.value, &mut *values)]);

        let turns = s.turns.of(config.architecture.window_of(index).is_some());
        let heads = (Chunks::new(queries, config.query_size()), Chunks::new(&mut *keys, config.kv_size()));
        compute.team.run_parts(heads, |row, (queries, keys)| {
            let (cos, sin) = turns.row(row, config.rope_dim / 2);
            for (heads, norm) in [(queries, &layer.query_norm), (keys, &layer.key_norm)] {
                for head in heads.chunks_exact_mut(config.head_dim) {
                    norm.iter().for_each(|weight| compute.norm_head(head, weight, config.rms_norm_eps));
                    rope_interleaved(head, cos, sin);
                }
            }
        });
        for Part { sequence, rows, .. } in &mut *pass.parts {
            let columns = rows.start * config.kv_size()..rows.end * config.kv_size();
            let (keys, values, position) = (&keys[columns.clone()], &values[columns], sequence.position());
            sequence.cache.write(compute.team, index, position, keys, values);
        }
    }

    /// `hidden += attention(queries, keys, values) · W`, for the tokens that are still needed, which move to the front.
    /// Returns their number.
    pub(super) fn attend(&mut self, compute: &Compute, index: usize, layer: &LayerWeights, pass: &Pass) -> usize {
        let Self { model, scratch: s, .. } = self;
        let config = &model.config;
        let (hidden_size, width, layers) = (config.hidden_size, config.query_size(), model.weights.layers.len());
        let mut rows = 0;
        for part in &*pass.parts {
            let going_on = part.going_on(index, layers);
            if going_on.is_empty() {
                continue;
            }
            let attended = &mut s.attended[rows * width..(rows + going_on.len()) * width];
            let queries = &s.queries[going_on.start * width..going_on.end * width];
            let position = part.sequence.position() + going_on.start - part.rows.start;
            part.sequence.attend(model, compute, index, position, queries, attended);
            s.hidden.copy_within(going_on.start * hidden_size..going_on.end * hidden_size, rows * hidden_size);
            rows += going_on.len();
        }
        if rows == 0 {
            return 0;
        }

        let update = &mut s.update[..rows * hidden_size];
        let x = Input { values: &s.attended[..rows * width], cols: width, room: &mut s.input };
        compute.apply(x, [(&layer.attention_output, &mut *update)]);
        let normed = &mut s.normed[..rows * hidden_size];
        let update = compute.post_norm(update, layer.post_attention_norm.as_deref(), config.rms_norm_eps, normed);
        compute.add(&mut s.hidden[..update.len()], update, hidden_size);
        rows
    }
}

impl SequenceState {
    /// Attention of the tokens from `position` on over this sequence: `queries` and `attended` are
    /// `[tokens, query_size]`.
    fn attend(
        &self,
        model: &Transformer,
        compute: &Compute,
        layer: usize,
        position: usize,
        queries: &[f32],
        attended: &mut [f32],
    ) {
        let architecture = &model.config.architecture;
        let reading = Reading {
            heads: model.config.num_heads,
            visible: Visible::Past { first_position: position, window: architecture.window_of(layer) },
            scale: architecture.score_scale,
            score_cap: architecture.score_cap,
        };
        compute.attend(&self.cache, layer, &reading, queries, attended);
    }
}

/// How tokens read a layer of a cache.
#[derive(Debug, Clone, Copy)]
pub struct Reading {
    /// Number of query heads, the same for each head of the cache.
    pub heads: usize,
    /// The window of each token.
    pub visible: Visible,
    /// The factor for scores.
    pub scale: f32,
    /// The soft cap on scaled scores.
    pub score_cap: Option<f32>,
}

impl Compute<'_> {
    /// Attention of tokens over a layer of a cache: `queries` and `attended` are `[tokens, query heads * head_dim]`.
    /// After cancellation, results are unspecified.
    ///
    /// # Panics
    /// When a token sees positions beyond the capacity of the cache.
    pub fn attend(&self, cache: &KvCache, layer: usize, reading: &Reading, queries: &[f32], attended: &mut [f32]) {
        let stride = reading.heads * cache.head_dim();
        let tokens = queries.len() / stride;
        let heads_per_kv_head = reading.heads / cache.heads();
        let tokens_per_task = (ATTENTION_ROWS / heads_per_kv_head).max(1);
        let blocks = tokens.div_ceil(tokens_per_task);
        let out = Output::new(attended, stride);
        self.team.run(cache.heads() * blocks, |task| {
            if self.cancel.is_cancelled() {
                return;
            }
            let (head, block) = (task / blocks, task % blocks);
            let first = block * tokens_per_task;
            let queries = Queries {
                values: queries,
                stride,
                heads: (head * heads_per_kv_head, (head + 1) * heads_per_kv_head),
                tokens: (first, tokens.min(first + tokens_per_task)),
                visible: reading.visible,
                scale: reading.scale,
                score_cap: reading.score_cap,
            };
            // SAFETY: tasks have different heads or different tokens, and each runs once.
            unsafe { cache.attend(self.kernels, layer, head, &queries, &out) };
        });
    }
}
