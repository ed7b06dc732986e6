use std::fmt;

use crate::blocks::*;

/// The number formats of weights that the kernels multiply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum WeightFormat {
    /// 32-bit floating point.
    F32,
    /// 16-bit floating point, IEEE 754 binary16.
    F16,
    /// 16-bit floating point, the upper half of a binary32.
    BF16,
    /// See [`BlockQ4_0`].
    Q4_0,
    /// See [`BlockQ4_1`].
    Q4_1,
    /// See [`BlockQ5_0`].
    Q5_0,
    /// See [`BlockQ5_1`].
    Q5_1,
    /// See [`BlockQ8_0`].
    Q8_0,
    /// See [`BlockIQ4NL`].
    IQ4NL,
    /// See [`BlockQ2K`].
    Q2K,
    /// See [`BlockQ3K`].
    Q3K,
    /// See [`BlockQ4K`].
    Q4K,
    /// See [`BlockQ5K`].
    Q5K,
    /// See [`BlockQ6K`].
    Q6K,
    /// See [`BlockIQ4XS`].
    IQ4XS,
    /// 256 weights of 4 bits, `weight = d * (2 * scale + 1) * values[q]`, with `d` in 32 bits, a scale of 4 bits for each 16, and up to 16
    /// values, which are part of the matrix. 4.5 bits per weight. What ggml's smaller formats become.
    Codes,
}

impl WeightFormat {
    /// Every format.
    pub const ALL: [Self; 16] = [
        Self::F32,
        Self::F16,
        Self::BF16,
        Self::Q4_0,
        Self::Q4_1,
        Self::Q5_0,
        Self::Q5_1,
        Self::Q8_0,
        Self::IQ4NL,
        Self::Q2K,
        Self::Q3K,
        Self::Q4K,
        Self::Q5K,
        Self::Q6K,
        Self::IQ4XS,
        Self::Codes,
    ];

    /// Neighbouring weights of a row that are stored together.
    pub const fn block_len(self) -> usize {
        match self {
            Self::F32 | Self::F16 | Self::BF16 => 1,
            Self::Q4_0 | Self::Q4_1 | Self::Q5_0 | Self::Q5_1 | Self::Q8_0 | Self::IQ4NL => QK,
            Self::Q2K | Self::Q3K | Self::Q4K | Self::Q5K | Self::Q6K | Self::IQ4XS | Self::Codes => QK_K,
        }
    }

    /// Bytes of such a block.
    pub const fn block_bytes(self) -> usize {
        match self {
            Self::F32 => 4,
            Self::F16 | Self::BF16 => 2,
            Self::Q4_0 => size_of::<BlockQ4_0>(),
            Self::Q4_1 => size_of::<BlockQ4_1>(),
            Self::Q5_0 => size_of::<BlockQ5_0>(),
            Self::Q5_1 => size_of::<BlockQ5_1>(),
            Self::Q8_0 => size_of::<BlockQ8_0>(),
            Self::IQ4NL => size_of::<BlockIQ4NL>(),
            Self::Q2K => size_of::<BlockQ2K>(),
            Self::Q3K => size_of::<BlockQ3K>(),
            Self::Q4K => size_of::<BlockQ4K>(),
            Self::Q5K => size_of::<BlockQ5K>(),
            Self::Q6K => size_of::<BlockQ6K>(),
            Self::IQ4XS => size_of::<BlockIQ4XS>(),
            Self::Codes => QK_K / 2 + 16,
        }
    }

    /// Activations that share a scale where they meet such weights: see [`crate::Activations`]. 256 where a block stays an
    /// integer until it ends.
    pub const fn activation_group(self) -> usize {
        match self {
            Self::F32 | Self::F16 | Self::BF16 => 1,
            Self::Q3K | Self::Q4K | Self::Q5K | Self::Q6K | Self::IQ4XS => QK_K,
            _ => QK,
        }
    }

    /// Whether activations are rounded to [`crate::Activations`] for it; otherwise they stay `f32`.
    pub const fn is_quantized(self) -> bool {
        self.block_len() > 1
    }
}

impl fmt::Display for WeightFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::F32 => "F32",
            Self::F16 => "F16",
            Self::BF16 => "BF16",
            Self::Q4_0 => "Q4_0",
            Self::Q4_1 => "Q4_1",
            Self::Q5_0 => "Q5_0",
            Self::Q5_1 => "Q5_1",
            Self::Q8_0 => "Q8_0",
            Self::IQ4NL => "IQ4_NL",
            Self::Q2K => "Q2_K",
            Self::Q3K => "Q3_K",
            Self::Q4K => "Q4_K",
            Self::Q5K => "Q5_K",
            Self::Q6K => "Q6_K",
            Self::IQ4XS => "IQ4_XS",
            Self::Codes => "CODES",
        })
    }
}
