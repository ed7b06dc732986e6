//! What models of other kinds compute with: threads, packed matrices and their products, attention over a cache.
//!
//! A model has a [`Pool`]; a pass enters it and gets a [`Team`], of which a [`Compute`] is made.

pub use sotto_kernels::Visible;

pub use crate::architecture::{Activation, Architecture};
pub use crate::forward::{
    Compute, FloatPanels, Input, InputRoom, KvCache, KvShape, LayerNorm, LayerTurns, Product, Reading, Rope, Turns,
};
pub use crate::machine::{resize, zeros};
pub use crate::model::{LayerWeights, Linear, RowOrder, Transformer, WeightMatrix, Weights};
pub use crate::packed::replace_file;
pub use crate::threads::{Chunks, Pieces, Pool, Split, Team};
