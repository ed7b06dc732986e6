//! Steps of a training: texts go forward, gradients back, and the adapter's numbers move.

use std::sync::Arc;

use sotto_engine::compute::{Chunks, Compute, Rope, Team, Transformer, resize};
use sotto_engine::{AdapterTensor, CancelToken, DEFAULT_CONTEXT_LENGTH, EngineError, Model};

use crate::batch::{Batch, Example};
use crate::layer::{LayerState, Pass};
use crate::lora::Lora;
use crate::loss::{Loss, LossRoom};
use crate::optimizer::AdamW;

/// An adapter that is being trained.
pub struct Trainer {
    model: Arc<Transformer>,
    pub(crate) lora: Lora,
    pub(crate) numbers: Vec<f32>,
    gradients: Vec<f32>,
    pub(crate) optimizer: AdamW,
    rope: Rope,
    room: Room,
}

/// Room for passes.
#[derive(Default)]
struct Room {
    /// What goes into each layer, and what comes out of the last.
    hidden: Vec<Vec<f32>>,
    gradient: Vec<f32>,
    layer: LayerState,
    loss: LossRoom,
}

impl Trainer {
    /// An adapter for all matrices of all layers that changes nothing yet: the same for the same seed.
    ///
    /// # Errors
    /// [`EngineError::Unsupported`] for candle's models; [`EngineError::OutOfMemory`].
    pub fn new(model: &Model, rank: usize, alpha: f32, seed: u64) -> Result<Self, EngineError> {
        let model = Arc::clone(model.transformer()?);
        let lora = Lora::new(&model, rank, alpha);
        let numbers = lora.initial(seed);
        let mut gradients = Vec::new();
        resize(&mut gradients, lora.len())?;
        let rope = Rope::new(&model.config, DEFAULT_CONTEXT_LENGTH.min(model.config.context_length));
        let room = Room::default();
        Ok(Self { optimizer: AdamW::new(lora.len()), model, lora, numbers, gradients, rope, room })
    }

    /// How well the model with the adapter predicts what is to be learnt.
    ///
    /// # Errors
    /// [`EngineError::UnknownToken`]; [`EngineError::OutOfMemory`]; [`EngineError::Cancelled`].
    pub fn loss(&mut self, examples: &[&Example], cancel: &CancelToken) -> Result<Loss, EngineError> {
        self.pass(examples, false, cancel)
    }

    /// As [`Trainer::loss`]; the gradients of its mean are kept for [`Trainer::gradients`] and [`Trainer::step`].
    ///
    /// # Errors
    /// As there.
    pub fn compute_gradients(&mut self, examples: &[&Example], cancel: &CancelToken) -> Result<Loss, EngineError> {
        self.gradients.fill(0.0);
        self.pass(examples, true, cancel)
    }

    /// Moves the adapter against the gradients that were computed last.
    pub fn step(&mut self, rate: f32) {
        self.optimizer.step(&mut self.numbers, &mut self.gradients, rate);
    }

    /// The adapter as a file has it.
    pub fn tensors(&self) -> Vec<AdapterTensor> {
        self.lora.tensors(&self.numbers)
    }

    /// Sets the adapter.
    ///
    /// # Panics
    /// When a tensor is missing, or has another shape.
    pub fn set_tensors(&mut self, tensors: &[AdapterTensor]) {
        self.lora.set(&mut self.numbers, tensors);
    }

    /// The gradients that were computed last, as a file has the adapter.
    pub fn gradients(&self) -> Vec<AdapterTensor> {
        self.lora.tensors(&self.gradients)
    }

    fn pass(
        &mut self,
        examples: &[&Example],
        wants_gradients: bool,
        cancel: &CancelToken,
    ) -> Result<Loss, EngineError> {
        let Self { model, lora, numbers, gradients, rope, room, .. } = self;
        let batch = Batch::new(&model.config, rope, examples)?;
        if batch.predictions.is_empty() {
            return Ok(Loss::default());
        }
        let pass = Pass { model, batch: &batch, lora, numbers };
        room.forward(&pass, cancel)?;
        let loss = room.loss(&pass, wants_gradients, cancel)?;
        if wants_gradients {
            room.backward(&pass, gradients, cancel)?;
        }
        Ok(loss)
    }
}

impl Room {
    fn forward(&mut self, pass: &Pass, cancel: &CancelToken) -> Result<(), EngineError> {
        let layers = pass.model.weights.layers.len();
        self.hidden.resize_with(layers + 1, Vec::new);
        for hidden in &mut self.hidden {
            resize(hidden, pass.batch.rows() * pass.model.config.hidden_size)?;
        }
        // Threads are left to others between two layers.
        embed(pass, &compute(pass, &pass.model.pool.enter(cancel)?, cancel), &mut self.hidden[0]);
        for index in 0..layers {
            let team = pass.model.pool.enter(cancel)?;
            let (before, after) = self.hidden.split_at_mut(index + 1);
            self.layer.forward(pass, &compute(pass, &team, cancel), index, &before[index], &mut after[0])?;
            cancel.check()?;
        }
        Ok(())
    }

    fn loss(&mut self, pass: &Pass, wants_gradient: bool, cancel: &CancelToken) -> Result<Loss, EngineError> {
        let team = pass.model.pool.enter(cancel)?;
        let hidden = self.hidden.last().expect("the last layer's");
        self.gradient.clear();
        resize(&mut self.gradient, hidden.len())?;
        let gradient = wants_gradient.then_some(&mut self.gradient[..]);
        self.loss.loss(pass, &compute(pass, &team, cancel), hidden, gradient)
    }

    fn backward(&mut self, pass: &Pass, gradients: &mut [f32], cancel: &CancelToken) -> Result<(), EngineError> {
        let layers = pass.model.weights.layers.len();
        for index in (0..layers).rev() {
            let team = pass.model.pool.enter(cancel)?;
            let compute = compute(pass, &team, cancel);
            // What the last layer computed is there still.
            if index + 1 < layers {
                let (before, after) = self.hidden.split_at_mut(index + 1);
                self.layer.forward(pass, &compute, index, &before[index], &mut after[0])?;
                cancel.check()?;
            }
            self.layer.backward(pass, &compute, index, &self.hidden[index], &mut self.gradient, gradients)?;
            cancel.check()?;
        }
        Ok(())
    }
}

fn compute<'a>(pass: &Pass<'a>, team: &'a Team<'a>, cancel: &'a CancelToken) -> Compute<'a> {
    Compute { kernels: pass.model.kernels, team, cancel, adapters: &[] }
}

/// The first layer's input: each token's embedding.
fn embed(pass: &Pass, compute: &Compute, hidden: &mut [f32]) {
    let config = &pass.model.config;
    let embedding = pass.model.weights.embedding.view();
    compute.team.run_parts(Chunks::new(hidden, config.hidden_size), |row, hidden| {
        embedding.dequantize_row(pass.batch.tokens[row] as usize, hidden);
        config.architecture.embedding_scale.iter().for_each(|scale| compute.kernels.scale(hidden, *scale));
    });
}
