//! The arithmetic of quantized language models: blocks, dequantization, norms, RoPE, attention.
//!
//! [`blocks`] are the weight formats as they lie in a GGUF file. [`scalar`] computes with them in portable Rust: it is
//! the oracle that faster kernels are tested against, and the fallback where there are none.
//!
//! Kernels work on slices whose shapes the caller has checked: a wrong length is a bug of the caller and panics.

pub mod blocks;
pub mod scalar;
