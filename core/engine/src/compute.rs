//! What models of other kinds compute with: threads, packed matrices and their products, attention over a cache.
//!
//! A model has a [`Pool`]; a pass enters it and gets a [`Team`], of which a [`Compute`] is made.

pub use sotto_kernels::Visible;

pub use crate::forward::{Compute, Input, InputRoom, KvCache, KvShape, Product, Reading};
pub use crate::machine::{resize, zeros};
pub use crate::model::WeightMatrix;
pub use crate::threads::{Chunks, Pool, Split, Team};
