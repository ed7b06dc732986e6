//! The arithmetic of quantized language models: blocks, dequantization, norms, RoPE, attention.
