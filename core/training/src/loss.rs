//! From the last layer to the loss, and back: logits of some tokens at a time, the vocabulary in pieces.

use sotto_engine::EngineError;
use sotto_engine::compute::{Chunks, Compute, FloatPanels, Input, InputRoom, resize};

use crate::layer::Pass;
use crate::rows::{add_norm_gradient, norm};

/// Bytes of logits at a time.
const LOGIT_BYTES: usize = 48 << 20;
/// Tokens of the vocabulary whose rows are expanded at a time.
const VOCABULARY_PIECE: usize = 2048;
/// Rows at a time, whatever the vocabulary.
const FEWEST_ROWS: usize = 16;

/// Room for the loss.
#[derive(Debug, Default)]
pub(crate) struct LossRoom {
    input: InputRoom,
    panels: FloatPanels,
    hidden: Vec<f32>,
    normed: Vec<f32>,
    logits: Vec<f32>,
    nll: Vec<f64>,
    piece: Vec<f32>,
    normed_gradient: Vec<f32>,
    gradient: Vec<f32>,
}

/// What became of tokens that were predicted.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Loss {
    /// How many.
    pub tokens: usize,
    /// Their negative log-likelihood, nats of all together.
    pub nll: f64,
}

impl Loss {
    /// Nats per token.
    pub fn mean(&self) -> f64 {
        self.nll / self.tokens.max(1) as f64
    }
}

impl std::ops::AddAssign for Loss {
    fn add_assign(&mut self, other: Self) {
        self.tokens += other.tokens;
        self.nll += other.nll;
    }
}

impl LossRoom {
    /// The loss of the batch whose last layer gave `hidden`. Where the gradient is wanted, it is that of the mean.
    pub(crate) fn loss(
        &mut self,
        pass: &Pass,
        compute: &Compute,
        hidden: &[f32],
        mut gradient: Option<&mut [f32]>,
    ) -> Result<Loss, EngineError> {
        let vocab_size = pass.model.config.vocab_size;
        let rows_at_once = (LOGIT_BYTES / size_of::<f32>() / vocab_size).max(FEWEST_ROWS);
        let predictions = &pass.batch.predictions;
        let mut loss = Loss { tokens: predictions.len(), nll: 0.0 };
        for (index, some) in predictions.chunks(rows_at_once).enumerate() {
            compute.cancel.check()?;
            let range = index * rows_at_once..index * rows_at_once + some.len();
            loss.nll += self.loss_of(pass, compute, hidden, range, gradient.as_deref_mut())?;
        }
        Ok(loss)
    }

    /// The loss of some predictions.
    fn loss_of(
        &mut self,
        pass: &Pass,
        compute: &Compute,
        hidden: &[f32],
        range: std::ops::Range<usize>,
        gradient: Option<&mut [f32]>,
    ) -> Result<f64, EngineError> {
        let (config, weights) = (&pass.model.config, &pass.model.weights);
        let (hidden_size, vocab_size, cap) = (config.hidden_size, config.vocab_size, config.architecture.logit_cap);
        let weight = 1.0 / pass.batch.predictions.len() as f32;
        let predictions = &pass.batch.predictions[range];
        resize(&mut self.hidden, predictions.len() * hidden_size)?;
        for (to, prediction) in self.hidden.chunks_exact_mut(hidden_size).zip(predictions) {
            to.copy_from_slice(&hidden[prediction.row * hidden_size..][..hidden_size]);
        }
        resize(&mut self.normed, self.hidden.len())?;
        norm(compute, &self.hidden, &weights.output_norm, config.rms_norm_eps, &mut self.normed);
        resize(&mut self.logits, predictions.len() * vocab_size)?;
        let input = Input { values: &self.normed, cols: hidden_size, room: &mut self.input };
        compute.multiply(input, [(&weights.output, &mut self.logits[..])]);
        compute.cancel.check()?;

        resize(&mut self.nll, predictions.len())?;
        let parts = (Chunks::new(&mut self.logits, vocab_size), Chunks::new(&mut self.nll, 1));
        compute.team.run_parts(parts, |row, (logits, nll)| {
            if compute.cancel.is_cancelled() {
                return;
            }
            nll[0] = loss_and_gradient(logits, predictions[row].token as usize, cap, weight);
        });
        compute.cancel.check()?;
        let nll = self.nll.iter().sum();
        if let Some(gradient) = gradient {
            self.add_gradient(pass, compute, predictions.iter().map(|prediction| prediction.row), gradient)?;
        }
        Ok(nll)
    }

    /// Adds to `gradient` what the gradient of logits, which is there, makes of it.
    fn add_gradient(
        &mut self,
        pass: &Pass,
        compute: &Compute,
        rows: impl Iterator<Item = usize>,
        gradient: &mut [f32],
    ) -> Result<(), EngineError> {
        let (config, weights) = (&pass.model.config, &pass.model.weights);
        let (hidden_size, vocab_size) = (config.hidden_size, config.vocab_size);
        self.normed_gradient.clear();
        resize(&mut self.normed_gradient, self.normed.len())?;
        for first in (0..vocab_size).step_by(VOCABULARY_PIECE) {
            compute.cancel.check()?;
            let piece = first..vocab_size.min(first + VOCABULARY_PIECE);
            compute.set_transposed(&mut self.panels, &weights.output, piece.clone())?;
            resize(&mut self.piece, self.logits.len() / vocab_size * piece.len())?;
            for (to, from) in self.piece.chunks_exact_mut(piece.len()).zip(self.logits.chunks_exact(vocab_size)) {
                to.copy_from_slice(&from[piece.clone()]);
            }
            compute.add_floats(&self.piece, &self.panels, &mut self.normed_gradient);
        }
        self.gradient.clear();
        resize(&mut self.gradient, self.normed.len())?;
        let epsilon = config.rms_norm_eps;
        let (hidden, normed_gradient) = (&self.hidden, &self.normed_gradient);
        add_norm_gradient(compute, hidden, &weights.output_norm, epsilon, normed_gradient, &mut self.gradient);
        for (row, from) in rows.zip(self.gradient.chunks_exact(hidden_size)) {
            compute.kernels.add(&mut gradient[row * hidden_size..][..hidden_size], from);
        }
        Ok(())
    }
}

/// The negative log-likelihood of a token; logits become their gradient times `weight`.
fn loss_and_gradient(logits: &mut [f32], token: usize, cap: Option<f32>, weight: f32) -> f64 {
    let capped = |logit: f32| cap.map_or(logit, |cap| cap * (logit / cap).tanh());
    let max = capped(logits.iter().copied().fold(f32::NEG_INFINITY, f32::max));
    let of_token = capped(logits[token]);
    let sum: f64 = logits
        .chunks(256)
        .map(|some| f64::from(some.iter().map(|&logit| (capped(logit) - max).exp()).sum::<f32>()))
        .sum();
    let nll = sum.ln() + f64::from(max) - f64::from(of_token);
    let inverse = (1.0 / sum) as f32;
    for (id, logit) in logits.iter_mut().enumerate() {
        let value = capped(*logit);
        let slope = cap.map_or(1.0, |cap| 1.0 - (value / cap) * (value / cap));
        let probability = (value - max).exp() * inverse;
        *logit = (probability - if id == token { 1.0 } else { 0.0 }) * weight * slope;
    }
    nll
}
