//! Attention of one head over one text, and back. All positions' weights are there at once: `[tokens, tokens]`.

use sotto_engine::EngineError;
use sotto_engine::compute::{FloatPanels, resize};
use sotto_kernels::Kernels;
use sotto_kernels::packed::PANEL_ROWS;

use crate::rows::transpose;

/// How a layer's heads attend.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Attention {
    pub(crate) head_dim: usize,
    /// What scores are multiplied with.
    pub(crate) scale: f32,
    /// Scores are brought softly below it.
    pub(crate) cap: Option<f32>,
    /// How many tokens a token sees, itself among them.
    pub(crate) window: Option<usize>,
}

/// Queries, keys and values of a head, each `[tokens, head_dim]`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Head<'a> {
    pub(crate) queries: &'a [f32],
    pub(crate) keys: &'a [f32],
    pub(crate) values: &'a [f32],
}

/// The gradients of a head's queries, keys and values.
#[derive(Debug)]
pub(crate) struct HeadGradients<'a> {
    pub(crate) queries: &'a mut [f32],
    pub(crate) keys: &'a mut [f32],
    pub(crate) values: &'a mut [f32],
}

/// Room for one head of one text.
#[derive(Debug, Default)]
pub(crate) struct AttentionRoom {
    panels: FloatPanels,
    /// What the softmax makes of scores.
    weights: Vec<f32>,
    /// The gradient of weights, then of scores.
    gradient: Vec<f32>,
    /// How much a score moves what the cap makes of it; empty without a cap.
    slopes: Vec<f32>,
    transposed: Vec<f32>,
    transposed_gradient: Vec<f32>,
}

impl Attention {
    /// `out = softmax(scale · queries · keysᵀ) · values`.
    pub(crate) fn forward(
        &self,
        kernels: &Kernels,
        head: Head<'_>,
        room: &mut AttentionRoom,
        out: &mut [f32],
    ) -> Result<(), EngineError> {
        self.weigh(kernels, head, room)?;
        room.panels.set_columns(head.values, self.head_dim)?;
        room.panels.multiply(kernels, &room.weights, 0..room.panels.panels(), out);
        Ok(())
    }

    /// The gradients of queries, keys and values from `dout`, that of what [`Attention::forward`] gives.
    pub(crate) fn backward(
        &self,
        kernels: &Kernels,
        head: Head<'_>,
        dout: &[f32],
        room: &mut AttentionRoom,
        gradients: HeadGradients<'_>,
    ) -> Result<(), EngineError> {
        let (tokens, head_dim) = (dout.len() / self.head_dim, self.head_dim);
        self.weigh(kernels, head, room)?;
        let AttentionRoom { panels, weights, gradient, slopes, transposed, transposed_gradient } = room;
        resize(transposed, dout.len())?;
        resize(transposed_gradient, dout.len())?;

        // values: weightsᵀ · dout
        panels.set_columns(weights, tokens)?;
        transpose(dout, head_dim, transposed);
        panels.multiply(kernels, transposed, 0..panels.panels(), transposed_gradient);
        transpose(transposed_gradient, tokens, gradients.values);

        // weights: dout · valuesᵀ, and through the softmax to scores
        resize(gradient, tokens * tokens)?;
        panels.set_rows(head.values, head_dim)?;
        causal_product(kernels, dout, panels, head_dim, gradient);
        for (row, (weights, gradient)) in
            weights.chunks_exact(tokens).zip(gradient.chunks_exact_mut(tokens)).enumerate()
        {
            let seen = self.seen(row);
            gradient[..seen.start].fill(0.0);
            gradient[seen.end..].fill(0.0);
            let (weights, gradient) = (&weights[seen.clone()], &mut gradient[seen]);
            let mean: f32 = weights.iter().zip(&*gradient).map(|(weight, gradient)| weight * gradient).sum();
            gradient
                .iter_mut()
                .zip(weights)
                .for_each(|(gradient, weight)| *gradient = (*gradient - mean) * weight * self.scale);
        }
        gradient.iter_mut().zip(&*slopes).for_each(|(gradient, slope)| *gradient *= slope);

        // queries: scores · keys; keys: scoresᵀ · queries
        panels.set_columns(head.keys, head_dim)?;
        panels.multiply(kernels, gradient, 0..panels.panels(), gradients.queries);
        panels.set_columns(gradient, tokens)?;
        transpose(head.queries, head_dim, transposed);
        panels.multiply(kernels, transposed, 0..panels.panels(), transposed_gradient);
        transpose(transposed_gradient, tokens, gradients.keys);
        Ok(())
    }

    /// The positions that a token sees.
    fn seen(&self, token: usize) -> std::ops::Range<usize> {
        self.window.map_or(0, |window| (token + 1).saturating_sub(window))..token + 1
    }

    /// The weights of all positions for all queries.
    fn weigh(&self, kernels: &Kernels, head: Head<'_>, room: &mut AttentionRoom) -> Result<(), EngineError> {
        let tokens = head.queries.len() / self.head_dim;
        resize(&mut room.weights, tokens * tokens)?;
        resize(&mut room.slopes, if self.cap.is_some() { tokens * tokens } else { 0 })?;
        room.panels.set_rows(head.keys, self.head_dim)?;
        causal_product(kernels, head.queries, &room.panels, self.head_dim, &mut room.weights);
        for (row, scores) in room.weights.chunks_exact_mut(tokens).enumerate() {
            let seen = self.seen(row);
            scores[..seen.start].fill(0.0);
            scores[seen.end..].fill(0.0);
            let scores = &mut scores[seen.clone()];
            scores.iter_mut().for_each(|score| *score *= self.scale);
            if let Some(cap) = self.cap {
                let slopes = &mut room.slopes[row * tokens..][seen];
                for (score, slope) in scores.iter_mut().zip(slopes) {
                    let tanh = (*score / cap).tanh();
                    (*score, *slope) = (cap * tanh, 1.0 - tanh * tanh);
                }
            }
            softmax(scores);
        }
        Ok(())
    }
}

/// `out = x · panelsᵀ`, `[tokens, tokens]`, where columns after the row's own are unspecified.
fn causal_product(kernels: &Kernels, x: &[f32], panels: &FloatPanels, cols: usize, out: &mut [f32]) {
    let tokens = x.len() / cols;
    let blocks = x.chunks(PANEL_ROWS * cols).zip(out.chunks_mut(PANEL_ROWS * tokens));
    blocks.enumerate().for_each(|(block, (x, out))| panels.multiply(kernels, x, 0..block + 1, out));
}

/// In place, of scores that are finite.
pub(crate) fn softmax(scores: &mut [f32]) {
    let max = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    scores.iter_mut().for_each(|score| *score = (*score - max).exp());
    let sum: f32 = scores.iter().sum();
    scores.iter_mut().for_each(|score| *score /= sum);
}
