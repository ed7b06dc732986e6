use sotto_engine::EngineError;
use sotto_engine::KvType;
use sotto_engine::compute::{Compute, Input, InputRoom, KvCache, KvShape, Linear, Reading, Visible, zeros};

use super::{ROWS, Scratch};
use crate::model::config::{AUDIO_POSITIONS, Config};
use crate::model::weights::{EncoderLayer, Weights};

/// The number of frames that a convolution reads at a time.
const KERNEL: usize = 3;

/// The encoder's buffers.
#[derive(Debug)]
pub(crate) struct Encoder {
    width: usize,
    heads: usize,
    /// The residual stream, `[AUDIO_POSITIONS, width]`.
    hidden: Vec<f32>,
    /// All positions' keys and values in a layer.
    cache: KvCache,
    /// The output of the first convolution.
    convolved: Vec<f32>,
}

impl Encoder {
    pub(crate) fn new(config: &Config, kv_type: KvType) -> Result<Self, EngineError> {
        Ok(Self {
            width: config.width,
            heads: config.encoder_heads,
            hidden: zeros(AUDIO_POSITIONS * config.width)?,
            cache: KvCache::new(cache_shape(config), kv_type)?,
            convolved: zeros((2 * ROWS + 1) * config.width)?,
        })
    }

    /// Bytes of memory.
    pub(crate) fn bytes(config: &Config, kv_type: KvType) -> u64 {
        let numbers = (AUDIO_POSITIONS + 2 * ROWS + 1) * config.width;
        let cache = KvCache::bytes(cache_shape(config), kv_type).unwrap_or(0);
        4 * numbers as u64 + cache
    }

    /// Encodes a spectrogram with twice as many frames as `positions`, `[frames, bands]`; returns `[positions, width]`. `scratch` has
    /// [`ROWS`] rows.
    ///
    /// # Errors
    /// [`EngineError::Cancelled`].
    pub(crate) fn encode(
        &mut self,
        compute: &Compute<'_>,
        weights: &Weights,
        mel: &[f32],
        positions: usize,
        scratch: &mut Scratch,
    ) -> Result<&[f32], EngineError> {
        self.convolve(compute, weights, mel, positions, scratch)?;
        for layer in &weights.encoder {
            self.attend(compute, layer, positions, scratch)?;
            for first in (0..positions).step_by(ROWS) {
                compute.cancel.check()?;
                let rows = self.rows(first, positions);
                scratch.feed_forward(compute, &layer.feed_forward, &mut self.hidden[rows]);
            }
        }
        for first in (0..positions).step_by(ROWS) {
            let rows = self.rows(first, positions);
            let normed = &mut scratch.normed[..rows.len()];
            compute.layer_norm(&weights.encoder_norm, &self.hidden[rows.clone()], normed);
            self.hidden[rows].copy_from_slice(normed);
        }
        compute.cancel.check()?;
        Ok(&self.hidden[..positions * self.width])
    }

    /// The encoder's output for the first `positions` of the last window, `[positions, width]`.
    pub(crate) fn heard(&self, positions: usize) -> &[f32] {
        &self.hidden[..positions * self.width]
    }

    /// Elements of `hidden` of a chunk of positions.
    fn rows(&self, first: usize, positions: usize) -> std::ops::Range<usize> {
        first * self.width..positions.min(first + ROWS) * self.width
    }

    /// `hidden = gelu(gelu(mel * first) * second) + positions`, the second convolution at each second frame.
    fn convolve(
        &mut self,
        compute: &Compute<'_>,
        weights: &Weights,
        mel: &[f32],
        positions: usize,
        scratch: &mut Scratch,
    ) -> Result<(), EngineError> {
        let width = self.width;
        let bands = mel.len() / (2 * positions);
        for first in (0..positions).step_by(ROWS) {
            compute.cancel.check()?;
            let rows = self.rows(first, positions);
            let count = rows.len() / width;
            // Frame `2 * first - 1`, which the first row reads, and those after it.
            let frames = 2 * count + 1;
            let convolved = &mut self.convolved[..frames * width];
            let Scratch { inner, input, .. } = &mut *scratch;
            let columns = &mut inner[..frames * KERNEL * bands];
            copy_columns(mel, bands, 2 * first as isize - 2, 1, columns);
            convolution(compute, (columns, KERNEL * bands), &weights.first_convolution, input, convolved);
            if first == 0 {
                // Before the first frame, the second convolution also sees silence.
                convolved[..width].fill(0.0);
            }
            let columns = &mut inner[..count * KERNEL * width];
            copy_columns(convolved, width, 0, 2, columns);
            let hidden = &mut self.hidden[rows.clone()];
            convolution(compute, (columns, KERNEL * width), &weights.second_convolution, input, hidden);
            compute.add(hidden, &weights.audio_positions[rows], width);
        }
        Ok(())
    }

    /// `hidden += attention(norm(hidden)) · output`.
    fn attend(
        &mut self,
        compute: &Compute<'_>,
        layer: &EncoderLayer,
        positions: usize,
        scratch: &mut Scratch,
    ) -> Result<(), EngineError> {
        let (width, layer) = (self.width, &layer.attention);
        for first in (0..positions).step_by(ROWS) {
            compute.cancel.check()?;
            let rows = self.rows(first, positions);
            let Scratch { normed, keys, values, input, .. } = &mut *scratch;
            let [normed, keys, values] = [normed, keys, values].map(|buffer| &mut buffer[..rows.len()]);
            compute.layer_norm(&layer.norm, &self.hidden[rows], normed);
            let x = Input { values: normed, cols: width, room: input };
            compute.apply(x, [(&layer.key, &mut *keys), (&layer.value, &mut *values)]);
            self.cache.write(compute.team, 0, first, keys, values);
        }
        let head_dim = width / self.heads;
        let reading = Reading {
            heads: self.heads,
            visible: Visible::First(positions),
            scale: 1.0 / (head_dim as f32).sqrt(),
            score_cap: None,
        };
        for first in (0..positions).step_by(ROWS) {
            compute.cancel.check()?;
            let rows = self.rows(first, positions);
            let Scratch { normed, queries, attended, input, .. } = &mut *scratch;
            let [normed, queries, attended] = [normed, queries, attended].map(|buffer| &mut buffer[..rows.len()]);
            // Normalized once more: a buffer for the queries of all positions would be as large as the residual stream.
            compute.layer_norm(&layer.norm, &self.hidden[rows.clone()], normed);
            compute.apply(Input { values: normed, cols: width, room: input }, [(&layer.query, &mut *queries)]);
            compute.attend(&self.cache, 0, &reading, queries, attended);
            scratch.add_attended(compute, &layer.output, &mut self.hidden[rows], width);
        }
        Ok(())
    }
}

fn convolution(
    compute: &Compute<'_>,
    (columns, width): (&[f32], usize),
    kernel: &Linear,
    room: &mut InputRoom,
    out: &mut [f32],
) {
    let x = Input { values: columns, cols: width, room };
    compute.apply(x, [(kernel, &mut *out)]);
    let [outputs, _] = kernel.weight.shape();
    compute.gelu(out, outputs);
}

/// Writes rows of three frames each, the first from frame `first` on and each next one `step` frames further: what is not in `frames` is
/// silence.
fn copy_columns(frames: &[f32], width: usize, first: isize, step: usize, columns: &mut [f32]) {
    for (row, columns) in columns.chunks_exact_mut(KERNEL * width).enumerate() {
        for (tap, out) in columns.chunks_exact_mut(width).enumerate() {
            let frame = usize::try_from(first + (row * step + tap) as isize).ok();
            match frame.and_then(|frame| frames.get(frame * width..(frame + 1) * width)) {
                Some(frame) => out.copy_from_slice(frame),
                None => out.fill(0.0),
            }
        }
    }
}

fn cache_shape(config: &Config) -> KvShape {
    let head_dim = config.width / config.encoder_heads;
    KvShape { layers: 1, heads: config.encoder_heads, head_dim, positions: AUDIO_POSITIONS }
}

/// The number of elements in the rows of frames that a convolution reads at a time.
pub(super) fn columns_len(config: &Config) -> usize {
    KERNEL * (ROWS * config.width).max((2 * ROWS + 1) * config.mel_bands)
}
