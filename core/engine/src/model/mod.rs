//! A model in memory: its weights, and what else its decoders share.

mod adapter;
mod ceilings;
mod loader;
mod matrix;
mod rows;
mod weights;

use std::sync::Arc;

use sotto_kernels::Kernels;

use crate::ModelConfig;
use crate::threads::Pool;
pub use adapter::Adapter;
pub(crate) use adapter::LowRank;
#[cfg(feature = "candle")]
pub(crate) use adapter::{alpha as adapter_alpha, find as find_changes};
pub use ceilings::{Ceilings, TokenCost};
pub use matrix::WeightMatrix;
pub(crate) use matrix::check_finite;
pub use rows::RowOrder;
#[cfg(feature = "candle")]
pub(crate) use rows::Rows;
pub use weights::{LayerWeights, Linear, Weights};

/// What decoders of one model share.
#[derive(Debug)]
pub struct Transformer {
    /// Its shape.
    pub config: ModelConfig,
    /// Its weights, packed.
    pub weights: Weights,
    /// The threads that compute.
    pub pool: Arc<Pool>,
    /// The routines that compute.
    pub kernels: &'static Kernels,
}
