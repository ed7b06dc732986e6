//! The forward pass: several texts at a time, each of which sees only itself.

use std::ops::Range;

use sotto_engine::compute::{Compute, Input, InputRoom, KvCache, KvShape, Reading, Visible, zeros};
use sotto_engine::{EngineError, KvType};

use crate::config::Config;
use crate::weights::{Layer, Weights};

/// The buffers of a pass for some rows, named after their contents.
pub(crate) struct Encoder {
    width: usize,
    heads: usize,
    /// The residual stream, `[rows, width]`.
    hidden: Vec<f32>,
    /// `[rows, width]`.
    queries: Vec<f32>,
    /// `[rows, width]`.
    keys: Vec<f32>,
    /// `[rows, width]`.
    values: Vec<f32>,
    /// The output of the heads, `[rows, width]`.
    attended: Vec<f32>,
    /// What is added to the residual stream, and the sum before its norm, `[rows, width]`.
    update: Vec<f32>,
    /// Within a feed-forward layer, `[rows, inner_width]`.
    inner: Vec<f32>,
    /// One text's keys and values in one layer.
    cache: KvCache,
    input: InputRoom,
}

impl Encoder {
    /// Buffers for passes of at most `rows` tokens.
    ///
    /// # Errors
    /// [`EngineError::OutOfMemory`].
    pub(crate) fn new(config: &Config, rows: usize) -> Result<Self, EngineError> {
        let width = || zeros(rows * config.width);
        Ok(Self {
            width: config.width,
            heads: config.heads,
            hidden: width()?,
            queries: width()?,
            keys: width()?,
            values: width()?,
            attended: width()?,
            update: width()?,
            inner: zeros(rows * config.inner_width)?,
            cache: KvCache::new(cache_shape(config, rows), KvType::F32)?,
            input: InputRoom::default(),
        })
    }

    /// Bytes of memory.
    pub(crate) fn bytes(config: &Config, rows: usize) -> u64 {
        let cache = KvCache::bytes(cache_shape(config, rows), KvType::F32).unwrap_or(0);
        4 * (rows * (6 * config.width + config.inner_width)) as u64 + cache
    }

    /// Passes texts through the model, each as its tokens' ids, and returns the rows of the last layer, `[tokens of all, width]`.
    ///
    /// # Errors
    /// [`EngineError::Cancelled`], and [`EngineError::Invalid`] for weights that give numbers that are not finite.
    pub(crate) fn encode(
        &mut self,
        compute: &Compute<'_>,
        weights: &Weights,
        texts: &[&[u32]],
    ) -> Result<&[f32], EngineError> {
        let rows = self.embed(compute, weights, texts);
        for layer in &weights.layers {
            self.attend(compute, layer, texts, rows);
            self.feed_forward(compute, layer, rows);
            compute.cancel.check()?;
        }
        let hidden = &self.hidden[..rows * self.width];
        match hidden.iter().fold(true, |finite, x| finite & x.is_finite()) {
            true => Ok(hidden),
            false => {
                let why = "they give embeddings that are not finite numbers".into();
                Err(EngineError::Invalid { at: "the weights".into(), why })
            }
        }
    }

    /// `hidden = norm(words[token] + positions[position])`; returns the number of rows.
    fn embed(&mut self, compute: &Compute<'_>, weights: &Weights, texts: &[&[u32]]) -> usize {
        let (width, words) = (self.width, weights.words.view());
        let tokens = texts.iter().flat_map(|text| text.iter().zip(weights.positions.chunks_exact(width)));
        let mut rows = 0;
        for (sum, (&token, position)) in self.update.chunks_exact_mut(width).zip(tokens) {
            words.dequantize_row(token as usize, sum);
            sum.iter_mut().zip(position).for_each(|(sum, position)| *sum += position);
            rows += 1;
        }
        compute.layer_norm(&weights.norm, &self.update, &mut self.hidden[..rows * width]);
        rows
    }

    /// `hidden = norm(hidden + attention(hidden) · output)`.
    fn attend(&mut self, compute: &Compute<'_>, layer: &Layer, texts: &[&[u32]], rows: usize) {
        let width = self.width;
        let Self { hidden, queries, keys, values, attended, update, cache, input, .. } = self;
        let [hidden, queries, keys, values, attended, update] =
            [hidden, queries, keys, values, attended, update].map(|buffer| &mut buffer[..rows * width]);
        let linears = [(&layer.query, &mut *queries), (&layer.key, &mut *keys), (&layer.value, &mut *values)];
        compute.apply(Input { values: hidden, cols: width, room: input }, linears);
        let scale = 1.0 / ((width / self.heads) as f32).sqrt();
        for text in places(texts) {
            let visible = Visible::First(text.len());
            let reading = Reading { heads: self.heads, visible, scale, score_cap: None };
            let numbers = text.start * width..text.end * width;
            cache.write(compute.team, 0, 0, &keys[numbers.clone()], &values[numbers.clone()]);
            compute.attend(cache, 0, &reading, &queries[numbers.clone()], &mut attended[numbers]);
        }
        let x = Input { values: attended, cols: width, room: input };
        compute.apply(x, [(&layer.attention_output, &mut *update)]);
        compute.add(update, hidden, width);
        compute.layer_norm(&layer.attention_norm, update, hidden);
    }

    /// `hidden = norm(hidden + gelu(hidden · up) · down)`.
    fn feed_forward(&mut self, compute: &Compute<'_>, layer: &Layer, rows: usize) {
        let [inner_width, width] = layer.up.weight.shape();
        let Self { hidden, update, inner, input, .. } = self;
        let [hidden, update] = [hidden, update].map(|buffer| &mut buffer[..rows * width]);
        let inner = &mut inner[..rows * inner_width];
        compute.apply(Input { values: hidden, cols: width, room: input }, [(&layer.up, &mut *inner)]);
        compute.gelu(inner, inner_width);
        compute.apply(Input { values: inner, cols: inner_width, room: input }, [(&layer.down, &mut *update)]);
        compute.add(update, hidden, width);
        compute.layer_norm(&layer.feed_forward_norm, update, hidden);
    }
}

/// The rows of each text.
pub(crate) fn places<'a>(texts: &'a [&[u32]]) -> impl Iterator<Item = Range<usize>> + 'a {
    texts.iter().scan(0, |end, text| {
        let start = *end;
        *end += text.len();
        Some(start..*end)
    })
}

fn cache_shape(config: &Config, positions: usize) -> KvShape {
    KvShape { layers: 1, heads: config.heads, head_dim: config.width / config.heads, positions }
}
