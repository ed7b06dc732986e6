use std::fmt;

/// The number formats of weights that the kernels multiply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum WeightFormat {
    /// 32-bit floating point.
    F32,
    /// 16-bit floating point, IEEE 754 binary16.
    F16,
    /// 16-bit floating point, the upper half of a binary32.
    BF16,
    /// See [`crate::blocks::BlockQ4_0`].
    Q4_0,
    /// See [`crate::blocks::BlockQ8_0`].
    Q8_0,
    /// See [`crate::blocks::BlockQ4K`].
    Q4K,
    /// See [`crate::blocks::BlockQ5K`].
    Q5K,
    /// See [`crate::blocks::BlockQ6K`].
    Q6K,
}

impl WeightFormat {
    /// Every format.
    pub const ALL: [Self; 8] =
        [Self::F32, Self::F16, Self::BF16, Self::Q4_0, Self::Q8_0, Self::Q4K, Self::Q5K, Self::Q6K];

    /// Neighbouring weights of a row that are stored together. As many activations share a scale where they meet such weights.
    pub const fn block_len(self) -> usize {
        match self {
            Self::F32 | Self::F16 | Self::BF16 => 1,
            Self::Q4_0 | Self::Q8_0 => crate::blocks::QK,
            Self::Q4K | Self::Q5K | Self::Q6K => crate::blocks::QK_K,
        }
    }

    /// Bytes of such a block.
    pub const fn block_bytes(self) -> usize {
        use crate::blocks::{BlockQ4_0, BlockQ4K, BlockQ5K, BlockQ6K, BlockQ8_0};
        match self {
            Self::F32 => 4,
            Self::F16 | Self::BF16 => 2,
            Self::Q4_0 => size_of::<BlockQ4_0>(),
            Self::Q8_0 => size_of::<BlockQ8_0>(),
            Self::Q4K => size_of::<BlockQ4K>(),
            Self::Q5K => size_of::<BlockQ5K>(),
            Self::Q6K => size_of::<BlockQ6K>(),
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
            Self::Q8_0 => "Q8_0",
            Self::Q4K => "Q4_K",
            Self::Q5K => "Q5_K",
            Self::Q6K => "Q6_K",
        })
    }
}
