//! The forward passes: an encoder for a window of sound, and a decoder that writes the transcript.

mod decoder;
mod encoder;

pub(crate) use decoder::Decoder;
pub(crate) use encoder::Encoder;

use sotto_engine::EngineError;
use sotto_engine::compute::{Chunks, Compute, Input, InputRoom, zeros};

use crate::model::config::Config;
use crate::model::weights::{FeedForward, Linear, Norm};

/// The number of rows that go through a layer together: tokens of a prompt, or positions.
const ROWS: usize = 144;
/// Added to variances.
const EPSILON: f32 = 1e-5;

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
    /// Within a feed-forward layer, `[rows, inner width]`.
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
            inner: zeros(rows * config.inner_width())?,
            input: InputRoom::default(),
        })
    }

    /// Bytes for `rows` rows.
    fn bytes(config: &Config, rows: usize) -> u64 {
        // What is rounded for a product takes some five quarters of a byte for each number of its widest input.
        (rows * (4 * (6 * config.width + config.inner_width()) + config.inner_width() * 3 / 2)) as u64
    }

    /// `hidden += gelu(x · up) · down` with `x = norm(hidden)`.
    fn feed_forward(&mut self, compute: &Compute<'_>, layer: &FeedForward, hidden: &mut [f32]) {
        let width = layer.norm.weight.len();
        let rows = hidden.len() / width;
        let [inner_width, _] = layer.up.weight.shape();
        let inner = &mut self.inner[..rows * inner_width];
        let normed = &mut self.normed[..rows * width];
        let update = &mut self.update[..rows * width];
        norm(compute, &layer.norm, hidden, normed);
        linear(compute, (normed, width), &mut self.input, [(&layer.up, &mut *inner)]);
        gelu(compute, inner, inner_width);
        linear(compute, (inner, inner_width), &mut self.input, [(&layer.down, &mut *update)]);
        compute.add(hidden, update, width);
    }

    /// `hidden += attended · output`.
    fn add_attended(&mut self, compute: &Compute<'_>, output: &Linear, hidden: &mut [f32], width: usize) {
        let attended = &self.attended[..hidden.len()];
        let update = &mut self.update[..hidden.len()];
        linear(compute, (attended, width), &mut self.input, [(output, &mut *update)]);
        compute.add(hidden, update, width);
    }
}

/// `x · weight + bias` of the same rows with several weights: `x` are rows and their width.
fn linear<const N: usize>(
    compute: &Compute<'_>,
    (values, cols): (&[f32], usize),
    room: &mut InputRoom,
    mut linears: [(&Linear, &mut [f32]); N],
) {
    let products = linears.each_mut().map(|(linear, out)| (&linear.weight, &mut **out));
    compute.multiply(Input { values, cols, room }, products);
    for (linear, out) in linears {
        linear.bias.iter().for_each(|bias| compute.add_bias(out, bias));
    }
}

/// Normalizes rows.
fn norm(compute: &Compute<'_>, norm: &Norm, x: &[f32], out: &mut [f32]) {
    let width = norm.weight.len();
    compute.team.run_parts(Chunks::new(out, width), |row, out| {
        compute.kernels.layer_norm(&x[row * width..][..width], &norm.weight, &norm.bias, EPSILON, out);
    });
}

fn gelu(compute: &Compute<'_>, x: &mut [f32], cols: usize) {
    compute.team.run_parts(Chunks::new(x, cols), |_, x| compute.kernels.gelu(x));
}
