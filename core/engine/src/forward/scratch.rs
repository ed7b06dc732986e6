use sotto_kernels::Activations;

use super::linear::InputRoom;
use super::rope::LayerTurns;
use crate::machine::zeros;
use crate::{EngineError, ModelConfig};

/// The buffers of a forward pass, named after their contents, for one chunk of tokens.
#[derive(Debug)]
pub(crate) struct Scratch {
    /// The residual stream, `[rows, hidden_size]`.
    pub(crate) hidden: Vec<f32>,
    /// The residual stream after a norm, `[rows, hidden_size]`.
    pub(crate) normed: Vec<f32>,
    /// `[rows, query_size]`.
    pub(crate) queries: Vec<f32>,
    /// `[rows, kv_size]`.
    pub(crate) keys: Vec<f32>,
    /// `[rows, kv_size]`.
    pub(crate) values: Vec<f32>,
    /// The output of the heads, `[rows, query_size]`.
    pub(crate) attended: Vec<f32>,
    /// What attention or feed-forward adds to the residual stream, `[rows, hidden_size]`.
    pub(crate) update: Vec<f32>,
    /// `[rows, intermediate_size]`.
    pub(crate) gate: Vec<f32>,
    /// `[rows, intermediate_size]`.
    pub(crate) up: Vec<f32>,
    /// RoPE's cosines and sines.
    pub(crate) turns: LayerTurns,
    /// Scratch space for the inputs of matrix products.
    pub(crate) input: InputRoom,
}

impl Scratch {
    pub(crate) fn new(config: &ModelConfig, rows: usize) -> Result<Self, EngineError> {
        Ok(Self {
            hidden: zeros(rows * config.hidden_size)?,
            normed: zeros(rows * config.hidden_size)?,
            queries: zeros(rows * config.query_size())?,
            keys: zeros(rows * config.kv_size())?,
            values: zeros(rows * config.kv_size())?,
            attended: zeros(rows * config.query_size())?,
            update: zeros(rows * config.hidden_size)?,
            gate: zeros(rows * config.intermediate_size)?,
            up: zeros(rows * config.intermediate_size)?,
            turns: LayerTurns::new(config, rows)?,
            input: InputRoom { quantized: Activations::with_capacity(rows, widest(config)), low_rank: Vec::new() },
        })
    }

    /// Bytes of scratch for chunks of `rows` tokens.
    pub(crate) fn bytes(config: &ModelConfig, rows: usize) -> u64 {
        let row = 3 * config.hidden_size
            + 2 * config.query_size()
            + 2 * config.kv_size()
            + 2 * config.intermediate_size
            + LayerTurns::row_len(config);
        (rows * row * size_of::<f32>() + Activations::bytes(rows, widest(config))) as u64
    }
}

/// The number of inputs of the widest matrix.
fn widest(config: &ModelConfig) -> usize {
    config.hidden_size.max(config.query_size()).max(config.intermediate_size)
}
