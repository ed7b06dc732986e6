//! Portable kernels: the oracle for faster ones, and the fallback.

mod activation;
mod attention;
mod dequantize;
mod dot;
mod element;
mod norm;
mod rope;

pub use activation::{geglu, gelu, gelu_tanh, silu, soft_cap, softmax, swiglu};
pub use attention::{MAX_HEAD_DIM, attention};
pub use dequantize::{Dequantize, dequantize_row};
pub use dot::dot;
pub use element::FloatElement;
pub use norm::{layer_norm, rms_norm};
pub use rope::{rope_half_split, rope_interleaved};
