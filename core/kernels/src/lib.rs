//! The arithmetic of quantized language models: blocks, matrix products, norms, RoPE, attention.
//!
//! [`blocks`] are the weight formats as they lie in a GGUF file, [`packed`] how the kernels want them. [`Kernels`] are
//! the fast routines, one set for each instruction set and chosen when the program runs. [`scalar`] is the same arithmetic
//! in its plainest form, the oracle that the kernels are tested against.
//!
//! Kernels work on slices whose shapes the caller has checked: a wrong length is a bug of the caller and panics.

mod activations;
mod attention;
pub mod blocks;
mod ceiling;
mod elementwise;
mod matmul;
pub mod packed;
pub mod plain;
pub mod scalar;
mod simd;
mod table;

pub use activations::{ActivationLayout, ActivationParts, ActivationRows, Activations};
pub use attention::{
    HeadCache, HeadCacheMut, KEY_PANEL, MAX_HEAD_DIM, QuantizedHeadCache, QuantizedHeadCacheMut, Queries, Visible,
    value_width,
};
pub use matmul::{GEMV_ROWS, Output};
pub use table::{CacheElement, Kernels, OVERRIDE};
