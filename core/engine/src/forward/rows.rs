//! Operations on single rows of activations.

use sotto_kernels::MAX_HEAD_DIM;

use super::linear::Compute;
use crate::architecture::Activation;
use crate::threads::Chunks;

/// The number of logits that one task caps.
const LOGITS_PER_TASK: usize = 1 << 14;

/// The weights of a layer norm: Ba et al., "Layer Normalization", 2016.
#[derive(Debug)]
pub struct LayerNorm {
    /// Multiplied with each normalized number.
    pub weight: Vec<f32>,
    /// Added to it.
    pub bias: Vec<f32>,
    /// Added to the variance.
    pub epsilon: f32,
}

impl Compute<'_> {
    /// Normalizes as many rows of `x` as `out` has.
    pub(super) fn norm(&self, x: &[f32], weight: &[f32], epsilon: f32, out: &mut [f32]) {
        let cols = weight.len();
        self.team.run_parts(Chunks::new(out, cols), |row, out| {
            self.kernels.rms_norm(&x[row * cols..][..cols], weight, epsilon, out);
        });
    }

    /// `update`, normalized into `room` if the family does so.
    pub(super) fn post_norm<'b>(
        &self,
        update: &'b [f32],
        weight: Option<&[f32]>,
        epsilon: f32,
        room: &'b mut [f32],
    ) -> &'b [f32] {
        let Some(weight) = weight else { return update };
        self.norm(update, weight, epsilon, room);
        room
    }

    /// Normalizes one head.
    pub(super) fn norm_head(&self, head: &mut [f32], weight: &[f32], epsilon: f32) {
        let mut before = [0.0; MAX_HEAD_DIM];
        let before = &mut before[..head.len()];
        before.copy_from_slice(head);
        self.kernels.rms_norm(before, weight, epsilon, head);
    }

    /// `gate = activation(gate) * up`
    pub(super) fn gate(&self, activation: Activation, gate: &mut [f32], up: &[f32], cols: usize) {
        self.team.run_parts(Chunks::new(gate, cols), |row, gate| {
            let up = &up[row * cols..][..cols];
            match activation {
                Activation::Silu => self.kernels.swiglu(gate, up),
                Activation::GeluTanh => self.kernels.geglu(gate, up),
            }
        });
    }

    pub(super) fn soft_cap(&self, logits: &mut [f32], cap: f32) {
        self.team.run_parts(Chunks::new(logits, LOGITS_PER_TASK), |_, logits| self.kernels.soft_cap(logits, cap));
    }

    /// Normalizes as many rows of `x` as `out` has, with mean and variance.
    pub fn layer_norm(&self, norm: &LayerNorm, x: &[f32], out: &mut [f32]) {
        let LayerNorm { weight, bias, epsilon } = norm;
        self.team.run_parts(Chunks::new(out, weight.len()), |row, out| {
            self.kernels.layer_norm(&x[row * weight.len()..][..weight.len()], weight, bias, *epsilon, out);
        });
    }

    /// The Gaussian error linear unit of rows with `cols` values, in place.
    pub fn gelu(&self, x: &mut [f32], cols: usize) {
        self.team.run_parts(Chunks::new(x, cols), |_, x| self.kernels.gelu(x));
    }

    /// Adds a bias to each row.
    pub fn add_bias(&self, x: &mut [f32], bias: &[f32]) {
        self.team.run_parts(Chunks::new(x, bias.len()), |_, x| self.kernels.add(x, bias));
    }

    /// Adds the rows of `update`, each with `cols` values, to those of `x`.
    pub fn add(&self, x: &mut [f32], update: &[f32], cols: usize) {
        self.team.run_parts(Chunks::new(x, cols), |row, x| self.kernels.add(x, &update[row * cols..][..cols]));
    }
}
