use sotto_engine::compute::{Compute, Input, KvCache, KvShape, Linear, Reading, Visible, resize, zeros};
use sotto_engine::{EngineError, KvType};

use super::{ROWS, Scratch};
use crate::model::config::{AUDIO_POSITIONS, Config};
use crate::model::weights::{DecoderLayer, Weights};

/// Receives the cross-attention queries of a layer, `[tokens, width]`.
pub(crate) type Observer<'a> = &'a mut dyn FnMut(usize, &[f32]);

/// The decoder's buffers and caches.
#[derive(Debug)]
pub(crate) struct Decoder {
    width: usize,
    heads: usize,
    /// The residual stream, `[ROWS, width]`.
    hidden: Vec<f32>,
    scratch: Scratch,
    /// Keys and values of tokens.
    tokens: KvCache,
    /// Keys and values of the encoder's output.
    heard: KvCache,
    /// Positions that were heard.
    audio_positions: usize,
    /// Tokens that were read.
    position: usize,
    /// Those of the last pass that were wanted, `[rows, vocab_size]`.
    logits: Vec<f32>,
}

impl Decoder {
    pub(crate) fn new(config: &Config, kv_type: KvType) -> Result<Self, EngineError> {
        Ok(Self {
            width: config.width,
            heads: config.decoder_heads,
            hidden: zeros(ROWS * config.width)?,
            scratch: Scratch::new(config, ROWS)?,
            tokens: KvCache::new(cache_shape(config, config.text_positions), kv_type)?,
            heard: KvCache::new(cache_shape(config, AUDIO_POSITIONS), kv_type)?,
            audio_positions: 0,
            position: 0,
            logits: zeros(config.vocab_size)?,
        })
    }

    /// Bytes of memory.
    pub(crate) fn bytes(config: &Config, kv_type: KvType) -> u64 {
        let cache = |positions| KvCache::bytes(cache_shape(config, positions), kv_type).unwrap_or(0);
        let numbers = ROWS * config.width + config.vocab_size;
        cache(config.text_positions) + cache(AUDIO_POSITIONS) + Scratch::bytes(config, ROWS) + 4 * numbers as u64
    }

    /// Computes the keys and values of the encoder's output, `[positions, width]`, and drops all tokens.
    ///
    /// # Errors
    /// [`EngineError::Cancelled`].
    pub(crate) fn hear(&mut self, compute: &Compute<'_>, weights: &Weights, heard: &[f32]) -> Result<(), EngineError> {
        let width = self.width;
        (self.audio_positions, self.position) = (heard.len() / width, 0);
        for (index, layer) in weights.decoder.iter().enumerate() {
            for (chunk, heard) in heard.chunks(ROWS * width).enumerate() {
                compute.cancel.check()?;
                let Scratch { keys, values, input, .. } = &mut self.scratch;
                let [keys, values] = [keys, values].map(|buffer| &mut buffer[..heard.len()]);
                let layer = &layer.cross_attention;
                let x = Input { values: heard, cols: width, room: input };
                compute.apply(x, [(&layer.key, &mut *keys), (&layer.value, &mut *values)]);
                self.heard.write(compute.team, index, chunk * ROWS, keys, values);
            }
        }
        Ok(())
    }

    /// The buffers of a layer, which the encoder may use between two passes.
    pub(crate) fn scratch(&mut self) -> &mut Scratch {
        &mut self.scratch
    }

    /// The number of tokens in the cache.
    pub(crate) fn position(&self) -> usize {
        self.position
    }

    /// Drops all tokens from `position` on.
    pub(crate) fn truncate(&mut self, position: usize) {
        self.position = self.position.min(position);
    }

    /// Reads tokens, and returns the logits after the last one.
    ///
    /// # Errors
    /// [`EngineError::Invalid`] if the weights produce logits that are not finite, [`EngineError::Cancelled`].
    pub(crate) fn read(
        &mut self,
        compute: &Compute<'_>,
        weights: &Weights,
        tokens: &[u32],
    ) -> Result<&mut [f32], EngineError> {
        let rows = self.pass(compute, weights, tokens, &mut |_, _| ())?;
        self.logits_of(compute, weights, rows - 1..rows)
    }

    /// Reads tokens, passes the cross-attention queries to `observer`, and returns the logits after each token.
    ///
    /// # Errors
    /// As for [`Decoder::read`].
    pub(crate) fn read_observed(
        &mut self,
        compute: &Compute<'_>,
        weights: &Weights,
        tokens: &[u32],
        observer: Observer<'_>,
        mut each: impl FnMut(&[f32]),
    ) -> Result<(), EngineError> {
        for tokens in tokens.chunks(ROWS) {
            let rows = self.pass(compute, weights, tokens, observer)?;
            for row in 0..rows {
                each(self.logits_of(compute, weights, row..row + 1)?);
            }
        }
        Ok(())
    }

    /// The keys of a layer's cross-attention for the encoder's output; both `[positions, width]`.
    ///
    /// # Errors
    /// [`EngineError::OutOfMemory`], [`EngineError::Cancelled`].
    pub(crate) fn keys(&mut self, compute: &Compute<'_>, key: &Linear, heard: &[f32]) -> Result<Vec<f32>, EngineError> {
        let mut keys = zeros(heard.len())?;
        let chunk = ROWS * self.width;
        for (heard, keys) in heard.chunks(chunk).zip(keys.chunks_mut(chunk)) {
            compute.cancel.check()?;
            let x = Input { values: heard, cols: self.width, room: &mut self.scratch.input };
            compute.apply(x, [(key, keys)]);
        }
        Ok(keys)
    }

    /// Reads tokens in chunks. The residual stream is that of the last chunk, whose number of rows it returns.
    fn pass(
        &mut self,
        compute: &Compute<'_>,
        weights: &Weights,
        tokens: &[u32],
        observer: Observer<'_>,
    ) -> Result<usize, EngineError> {
        let mut rows = 0;
        for tokens in tokens.chunks(ROWS) {
            rows = tokens.len();
            self.embed(weights, tokens);
            for (index, layer) in weights.decoder.iter().enumerate() {
                self.layer(compute, index, layer, rows, observer);
                compute.cancel.check()?;
            }
            self.position += rows;
        }
        Ok(rows)
    }

    /// `hidden = embedding[token] + positions[position]`
    fn embed(&mut self, weights: &Weights, tokens: &[u32]) {
        let (width, embedding) = (self.width, weights.embedding.view());
        let positions = weights.text_positions[self.position * width..].chunks_exact(width);
        for ((hidden, &token), position) in self.hidden.chunks_exact_mut(width).zip(tokens).zip(positions) {
            embedding.dequantize_row(token as usize, hidden);
            hidden.iter_mut().zip(position).for_each(|(hidden, position)| *hidden += position);
        }
    }

    fn layer(
        &mut self,
        compute: &Compute<'_>,
        index: usize,
        layer: &DecoderLayer,
        rows: usize,
        observer: Observer<'_>,
    ) {
        let width = self.width;
        let hidden = &mut self.hidden[..rows * width];
        let Scratch { normed, queries, keys, values, attended, input, .. } = &mut self.scratch;
        let [normed, queries, keys, values, attended] =
            [normed, queries, keys, values, attended].map(|buffer| &mut buffer[..rows * width]);
        let scale = 1.0 / ((width / self.heads) as f32).sqrt();
        let reading = |visible| Reading { heads: self.heads, visible, scale, score_cap: None };

        let own = &layer.attention;
        compute.layer_norm(&own.norm, hidden, normed);
        let linears = [(&own.query, &mut *queries), (&own.key, &mut *keys), (&own.value, &mut *values)];
        compute.apply(Input { values: normed, cols: width, room: input }, linears);
        self.tokens.write(compute.team, index, self.position, keys, values);
        let past = Visible::Past { first_position: self.position, window: None };
        compute.attend(&self.tokens, index, &reading(past), queries, attended);
        self.scratch.add_attended(compute, &own.output, hidden, width);

        let cross = &layer.cross_attention;
        let Scratch { normed, queries, attended, input, .. } = &mut self.scratch;
        let [normed, queries, attended] = [normed, queries, attended].map(|buffer| &mut buffer[..rows * width]);
        compute.layer_norm(&cross.norm, hidden, normed);
        compute.apply(Input { values: normed, cols: width, room: input }, [(&cross.query, &mut *queries)]);
        observer(index, queries);
        compute.attend(&self.heard, index, &reading(Visible::First(self.audio_positions)), queries, attended);
        self.scratch.add_attended(compute, &cross.output, hidden, width);

        self.scratch.feed_forward(compute, &layer.feed_forward, hidden);
    }

    /// `logits = norm(hidden) · embedding`, for some rows.
    fn logits_of(
        &mut self,
        compute: &Compute<'_>,
        weights: &Weights,
        rows: std::ops::Range<usize>,
    ) -> Result<&mut [f32], EngineError> {
        let [vocab_size, width] = weights.embedding.shape();
        let normed = &mut self.scratch.normed[..rows.len() * width];
        resize(&mut self.logits, rows.len() * vocab_size)?;
        compute.layer_norm(&weights.decoder_norm, &self.hidden[rows.start * width..], normed);
        let x = Input { values: normed, cols: width, room: &mut self.scratch.input };
        compute.multiply(x, [(&weights.embedding, &mut self.logits[..])]);
        compute.cancel.check()?;
        let finite = self.logits.iter().fold(true, |finite, logit| finite & logit.is_finite());
        match finite {
            true => Ok(&mut self.logits),
            false => {
                let why = "they produce logits that are not finite numbers".into();
                Err(EngineError::Invalid { at: "the weights".into(), why })
            }
        }
    }
}

fn cache_shape(config: &Config, positions: usize) -> KvShape {
    let (layers, heads) = (config.decoder_layers, config.decoder_heads);
    KvShape { layers, heads, head_dim: config.width / heads, positions }
}
