use sotto_kernels::Activations;

use crate::machine::zeros;
use crate::{EngineError, ModelConfig};

/// The buffers of a forward pass, each named for what it holds: rows of one chunk of tokens.
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
    /// What the heads read, `[rows, query_size]`.
    pub(crate) attended: Vec<f32>,
    /// What attention or feed-forward adds to the residual stream, `[rows, hidden_size]`.
    pub(crate) update: Vec<f32>,
    /// `[rows, intermediate_size]`.
    pub(crate) gate: Vec<f32>,
    /// `[rows, intermediate_size]`.
    pub(crate) up: Vec<f32>,
    /// RoPE's cosines, `[rows, pairs]`.
    pub(crate) cos: Vec<f32>,
    /// RoPE's sines, `[rows, pairs]`.
    pub(crate) sin: Vec<f32>,
    /// The input of a product with quantized weights, `[rows, any]`.
    pub(crate) quantized: Activations,
}

impl Scratch {
    pub(crate) fn new(config: &ModelConfig, rows: usize) -> Result<Self, EngineError> {
        let pairs = config.rope_dim / 2;
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
            cos: zeros(rows * pairs)?,
            sin: zeros(rows * pairs)?,
            quantized: Activations::with_capacity(rows, widest(config)),
        })
    }

    /// Bytes of scratch for chunks of `rows` tokens.
    pub(crate) fn bytes(config: &ModelConfig, rows: usize) -> u64 {
        let row = 3 * config.hidden_size
            + 2 * config.query_size()
            + 2 * config.kv_size()
            + 2 * config.intermediate_size
            + config.rope_dim;
        (rows * row * size_of::<f32>() + Activations::bytes(rows, widest(config))) as u64
    }
}

/// Inputs of the widest matrix.
pub(crate) fn widest(config: &ModelConfig) -> usize {
    config.hidden_size.max(config.query_size()).max(config.intermediate_size)
}
