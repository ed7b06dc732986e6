//! The forward passes: an encoder for a window of sound, and a decoder that writes the transcript.

mod decoder;
mod encoder;

pub(crate) use decoder::Decoder;
pub(crate) use encoder::Encoder;

use sotto_engine::EngineError;
use sotto_engine::compute::{Compute, Input, InputRoom, Linear, zeros};

use crate::model::config::Config;
use crate::model::weights::FeedForward;

/// The number of rows that go through a layer together: tokens of a prompt, or positions.
const ROWS: usize = 144;

/// The buffers of a layer for some rows, named after their contents.
#[derive(Debug)]
pub(crate) struct Scratch {
    /// `[rows, width]`.
    normed: Vec<f32>,
    /// `[rows, width]`.
    queries: Vec<f32>,
    /// `[rows, width]`.
    keys: Vec<f32>,
    /// `[rows, width]`.
    values: Vec<f32>,
    /// The output of the heads, `[rows, width]`.
    attended: Vec<f32>,
    /// What is added to the residual stream, `[rows, width]`.
    update: Vec<f32>,
    /// Within a feed-forward layer, `[rows, inner width]`; also the rows of frames that a convolution reads.
    inner: Vec<f32>,
    input: InputRoom,
}

impl Scratch {
    fn new(config: &Config, rows: usize) -> Result<Self, EngineError> {
        let width = || zeros(rows * config.width);
        Ok(Self {
            normed: width()?,
            queries: width()?,
            keys: width()?,
            values: width()?,
            attended: width()?,
            update: width()?,
            inner: zeros(inner_len(config, rows))?,
            input: InputRoom::default(),
        })
    }

    /// Bytes for `rows` rows.
    fn bytes(config: &Config, rows: usize) -> u64 {
        // What is rounded for a product takes some five quarters of a byte for each number of its widest input.
        (4 * (rows * 6 * config.width + inner_len(config, rows)) + rows * config.inner_width() * 3 / 2) as u64
    }

    /// `hidden += gelu(x · up) · down` with `x = norm(hidden)`.
    fn feed_forward(&mut self, compute: &Compute<'_>, layer: &FeedForward, hidden: &mut [f32]) {
        let width = layer.norm.weight.len();
        let rows = hidden.len() / width;
        let [inner_width, _] = layer.up.weight.shape();
        let inner = &mut self.inner[..rows * inner_width];
        let normed = &mut self.normed[..rows * width];
        let update = &mut self.update[..rows * width];
        compute.layer_norm(&layer.norm, hidden, normed);
        let x = Input { values: normed, cols: width, room: &mut self.input };
        compute.apply(x, [(&layer.up, &mut *inner)]);
        compute.gelu(inner, inner_width);
        let x = Input { values: inner, cols: inner_width, room: &mut self.input };
        compute.apply(x, [(&layer.down, &mut *update)]);
        compute.add(hidden, update, width);
    }

    /// `hidden += attended · output`.
    fn add_attended(&mut self, compute: &Compute<'_>, output: &Linear, hidden: &mut [f32], width: usize) {
        let attended = &self.attended[..hidden.len()];
        let update = &mut self.update[..hidden.len()];
        let x = Input { values: attended, cols: width, room: &mut self.input };
        compute.apply(x, [(output, &mut *update)]);
        compute.add(hidden, update, width);
    }
}

fn inner_len(config: &Config, rows: usize) -> usize {
    (rows * config.inner_width()).max(encoder::columns_len(config))
}
