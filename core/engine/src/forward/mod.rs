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
mod snapshot;
mod workspace;

use std::ops::Range;
use std::sync::Arc;

use smallvec::SmallVec;
use sotto_kernels::GEMV_ROWS;

use crate::machine::resize;
use crate::model::{Adapter, LayerWeights, check_finite};
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
pub(crate) use workspace::Workspace;

/// Tokens that pass through a layer together. Scratch memory grows with it; beyond this, speed does not.
pub(crate) const CHUNK: usize = 128;

/// Up to this many sequences in a pass need no allocation.
pub(crate) const USUAL_SEQUENCES: usize = 8;

/// A pass through the layers: at most [`CHUNK`] tokens of one sequence or more, one part behind the other. Each weight is read once for
/// all of them.
#[derive(Default)]
pub(crate) struct Pass<'a> {
    pub(crate) tokens: SmallVec<[u32; CHUNK]>,
    pub(crate) parts: SmallVec<[Part<'a>; USUAL_SEQUENCES]>,
    /// What is wanted of the parts, in their order.
    pub(crate) outputs: SmallVec<[Wanted<'a>; USUAL_SEQUENCES]>,
}

/// Tokens that one sequence adds in a pass: these rows of all, of which some are wanted as output.
pub(crate) struct Part<'a> {
    pub(crate) sequence: &'a mut SequenceState,
    pub(crate) rows: Range<usize>,
    pub(crate) wanted: Range<usize>,
}

/// What is wanted of the next so many of the wanted rows.
pub(crate) struct Wanted<'a> {
    pub(crate) rows: usize,
    pub(crate) output: Output<'a>,
    /// `[rows, any]`.
    pub(crate) values: &'a mut [f32],
}

/// What a pass gives for the rows that are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Output<'a> {
    /// The logits of all tokens of the vocabulary.
    Logits,
    /// The logits of these tokens.
    LogitsOf(&'a [u32]),
    /// The residual stream after the output norm.
    HiddenStates,
}

impl Part<'_> {
    /// The rows that go on after a layer's attention: after the last layer's, those that are wanted.
    fn going_on(&self, layer: usize, layers: usize) -> Range<usize> {
        if layer + 1 == layers { self.wanted.clone() } else { self.rows.clone() }
    }
}

impl Wanted<'_> {
    /// Whether the output matrix is read once for these and those: for a few rows that want all logits, reading it is what takes the time.
    fn shares_logits_with(&self, other: &Self) -> bool {
        [self, other].iter().all(|wanted| wanted.output == Output::Logits && wanted.rows <= GEMV_ROWS)
    }
}

impl Workspace {
    /// Runs a pass with these adapters. Its sequences then hold its tokens.
    ///
    /// # Errors
    /// [`EngineError::Cancelled`], [`EngineError::OutOfMemory`], [`EngineError::Invalid`] for weights that produce numbers that are not
    /// finite. After an error, the sequences hold what they held before.
    pub(crate) fn run(
        &mut self,
        pass: &mut Pass<'_>,
        adapters: &[(Adapter, f32)],
        cancel: &CancelToken,
    ) -> Result<(), EngineError> {
        let model = Arc::clone(&self.model);
        self.make_room_for(adapters)?;
        let team = model.pool.enter(cancel)?;
        let compute = Compute { kernels: model.kernels, team: &team, cancel, adapters };
        self.embed(&compute, &pass.tokens);
        for Part { sequence, rows, .. } in &*pass.parts {
            let positions = sequence.position()..sequence.position() + rows.len();
            sequence.rope().fill(positions, rows.clone(), &mut self.scratch.turns);
        }

        let mut going_on = pass.tokens.len();
        for (index, layer) in model.weights.layers.iter().enumerate() {
            self.write_keys_and_values(&compute, index, layer, pass);
            going_on = self.attend(&compute, index, layer, pass);
            if going_on == 0 {
                break;
            }
            self.feed_forward(&compute, layer, going_on);
            cancel.check()?;
        }
        if going_on > 0 {
            self.write_outputs(&compute, going_on, &mut pass.outputs)?;
        }
        cancel.check()?;
        pass.parts.iter_mut().for_each(|part| part.sequence.advance(part.rows.len()));
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

    /// What is wanted of the first `rows` rows.
    fn write_outputs(&mut self, compute: &Compute, rows: usize, outputs: &mut [Wanted]) -> Result<(), EngineError> {
        let Self { model, scratch: s, .. } = self;
        let hidden_size = model.config.hidden_size;
        compute.norm(
            &s.hidden,
            &model.weights.output_norm,
            model.config.rms_norm_eps,
            &mut s.normed[..rows * hidden_size],
        );
        let mut first = 0;
        for wanted in outputs.chunk_by_mut(|a, b| a.shares_logits_with(b)) {
            let rows: usize = wanted.iter().map(|wanted| wanted.rows).sum();
            let rows = first..first + rows;
            first = rows.end;
            if let [Wanted { output, values, .. }] = wanted {
                self.write_output(compute, rows, *output, values)?;
                continue;
            }
            let mut logits = std::mem::take(&mut self.shared_logits);
            resize(&mut logits, rows.len() * self.model.config.vocab_size)?;
            self.write_output(compute, rows, Output::Logits, &mut logits)?;
            let mut rest = &logits[..];
            for Wanted { values, .. } in wanted {
                let (of_these, others) = rest.split_at(values.len());
                values.copy_from_slice(of_these);
                rest = others;
            }
            self.shared_logits = logits;
        }
        Ok(())
    }

    /// `normed`, or `logits = normed · output`, capped, for these rows.
    fn write_output(
        &mut self,
        compute: &Compute,
        rows: Range<usize>,
        output: Output<'_>,
        out: &mut [f32],
    ) -> Result<(), EngineError> {
        let Self { model, scratch: s, selection, .. } = self;
        let config = &model.config;
        let normed = &s.normed[rows.start * config.hidden_size..rows.end * config.hidden_size];
        let x = Input { values: normed, cols: config.hidden_size, room: &mut s.input };
        match output {
            Output::Logits => compute.multiply(x, [(&model.weights.output, &mut *out)]),
            Output::LogitsOf(ids) => selection.multiply(compute, x, &model.weights.output, ids, out)?,
            Output::HiddenStates => {
                out.copy_from_slice(normed);
                return check_finite(out, "hidden states");
            }
        }
        compute.cancel.check()?;
        check_finite(out, "logits")?;
        config.architecture.logit_cap.into_iter().for_each(|cap| compute.soft_cap(out, cap));
        Ok(())
    }
}
