//! The forward pass, one for all families: what a family does differently is a line that its values switch on.
//!
//! Touvron et al., "LLaMA: Open and Efficient Foundation Language Models", 2023; grouped-query attention: Ainslie et al.,
//! "GQA", 2023.

mod attention;
mod float_panels;
mod kv_cache;
mod linear;
mod low_rank;
mod prefix;
mod rope;
mod rows;
mod scratch;
mod selection;
mod sequence_state;
mod workspace;

use std::ops::Range;
use std::sync::Arc;

use crate::model::{LayerWeights, check_finite};
use crate::threads::Chunks;
use crate::{CancelToken, EngineError};
pub use attention::Reading;
pub use float_panels::FloatPanels;
pub use kv_cache::{KvCache, KvShape, KvType};
pub use linear::{Compute, Input, InputRoom, Product};
pub use prefix::Prefix;
pub use rope::{LayerTurns, Rope, Turns};
pub use rows::LayerNorm;
pub(crate) use sequence_state::SequenceState;
pub use workspace::LogitRows;
pub(crate) use workspace::{Output, SequenceAppend, Workspace};

/// Tokens that pass through a layer together. Scratch memory grows with it; beyond this, speed does not.
pub(crate) const CHUNK: usize = 128;

/// Tokens that one sequence adds in a pass: these rows of all, of which the last are wanted as logits.
struct Part<'a> {
    sequence: &'a mut SequenceState,
    rows: Range<usize>,
    wanted: Range<usize>,
}

impl Part<'_> {
    /// The rows that go on after a layer's attention: after the last layer's, those that become logits.
    fn going_on(&self, layer: usize, layers: usize) -> Range<usize> {
        if layer + 1 == layers { self.wanted.clone() } else { self.rows.clone() }
    }
}

/// A pass through the layers: tokens of one sequence or more, one part behind the other.
struct Chunk<'a, 'b> {
    tokens: &'a [u32],
    parts: &'a mut [Part<'b>],
    /// What is wanted.
    output: Output<'a>,
    cancel: &'a CancelToken,
}

impl Workspace {
    /// Reads a chunk, and writes what is wanted to this part of the output.
    fn pass(&mut self, chunk: &mut Chunk, written: Range<usize>) -> Result<(), EngineError> {
        let (model, adapters) = (Arc::clone(&self.model), Arc::clone(&self.adapters));
        let team = model.pool.enter(chunk.cancel)?;
        let compute = Compute { kernels: model.kernels, team: &team, cancel: chunk.cancel, adapters: &adapters };
        let rows = chunk.tokens.len();
        self.embed(&compute, chunk.tokens);
        for Part { sequence, rows, .. } in &*chunk.parts {
            let positions = sequence.position()..sequence.position() + rows.len();
            sequence.rope().fill(positions, rows.clone(), &mut self.scratch.turns);
        }

        let mut going_on = rows;
        for (index, layer) in model.weights.layers.iter().enumerate() {
            self.write_keys_and_values(&compute, index, layer, chunk);
            going_on = self.attend(&compute, index, layer, chunk);
            if going_on == 0 {
                break;
            }
            self.feed_forward(&compute, layer, going_on);
            chunk.cancel.check()?;
        }
        if going_on > 0 {
            self.write_output(&compute, going_on, chunk.output, written)?;
        }
        chunk.cancel.check()?;
        chunk.parts.iter_mut().for_each(|part| part.sequence.advance(part.rows.len()));
        Ok(())
    }

    /// `hidden = embedding[token]` for each token.
    fn embed(&mut self, compute: &Compute, tokens: &[u32]) {
        let Self { model, scratch: s, .. } = self;
        let hidden_size = model.config.hidden_size;
        let embedding = model.weights.embedding.view();
        let hidden = &mut s.hidden[..tokens.len() * hidden_size];
        compute.team.run_parts(Chunks::new(&mut *hidden, hidden_size), |row, hidden| {
            embedding.dequantize_row(tokens[row] as usize, hidden);
        });
        compute.add_embedding_changes(tokens, &model.weights.embedding, &mut s.input, hidden);
        if let Some(scale) = model.config.architecture.embedding_scale {
            compute.team.run_parts(Chunks::new(hidden, hidden_size), |_, hidden| compute.kernels.scale(hidden, scale));
        }
    }

    /// `hidden += (activation(x · gate) * (x · up)) · down` with `x = norm(hidden)`, for the first `rows` rows.
    fn feed_forward(&mut self, compute: &Compute, layer: &LayerWeights, rows: usize) {
        let Self { model, scratch: s, .. } = self;
        let config = &model.config;
        let normed = &mut s.normed[..rows * config.hidden_size];
        let gate = &mut s.gate[..rows * config.intermediate_size];
        let up = &mut s.up[..rows * config.intermediate_size];
        let update = &mut s.update[..rows * config.hidden_size];

        compute.norm(&s.hidden, &layer.feed_forward_norm, config.rms_norm_eps, normed);
        let x = Input { values: normed, cols: config.hidden_size, room: &mut s.input };
        compute.apply(x, [(&layer.gate, &mut *gate), (&layer.up, &mut *up)]);
        compute.gate(config.architecture.activation, gate, up, config.intermediate_size);
        let x = Input { values: gate, cols: config.intermediate_size, room: &mut s.input };
        compute.apply(x, [(&layer.down, &mut *update)]);
        let update = compute.post_norm(update, layer.post_feed_forward_norm.as_deref(), config.rms_norm_eps, normed);
        compute.add(&mut s.hidden[..update.len()], update, config.hidden_size);
    }

    /// `norm(hidden)`, or `logits = norm(hidden) · output`, capped, for the first `rows` rows.
    fn write_output(
        &mut self,
        compute: &Compute,
        rows: usize,
        output: Output<'_>,
        written: Range<usize>,
    ) -> Result<(), EngineError> {
        let Self { model, scratch: s, selection, .. } = self;
        let config = &model.config;
        let normed = &mut s.normed[..rows * config.hidden_size];
        let logits = &mut self.output[written];
        compute.norm(&s.hidden, &model.weights.output_norm, config.rms_norm_eps, normed);
        let x = Input { values: normed, cols: config.hidden_size, room: &mut s.input };
        match output {
            Output::Logits => compute.multiply(x, [(&model.weights.output, &mut *logits)]),
            Output::LogitsOf(ids) => selection.multiply(compute, x, &model.weights.output, ids, logits)?,
            Output::HiddenStates => {
                logits.copy_from_slice(normed);
                return check_finite(logits, "hidden states");
            }
        }
        compute.cancel.check()?;
        check_finite(logits, "logits")?;
        config.architecture.logit_cap.into_iter().for_each(|cap| compute.soft_cap(logits, cap));
        Ok(())
    }
}
