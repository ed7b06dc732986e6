use std::fmt;

use super::*;
use crate::packed::WeightFormat;

/// The number format of a tensor in a GGUF file, as ggml numbers them (`enum ggml_type` in ggml.h).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[allow(missing_docs, reason = "the variants carry the formats' own names")]
pub enum DType {
    F32,
    F16,
    BF16,
    Q4_0,
    Q4_1,
    Q5_0,
    Q5_1,
    Q8_0,
    Q2K,
    Q3K,
    Q4K,
    Q5K,
    Q6K,
    IQ1S,
    IQ1M,
    IQ2XXS,
    IQ2XS,
    IQ2S,
    IQ3XXS,
    IQ3S,
    IQ4NL,
    IQ4XS,
    TQ1_0,
    TQ2_0,
    MXFP4,
}

/// What there is to know of a format: its id in the file, its name, weights per block, bytes per block, what it is packed as.
struct Format(DType, u32, &'static str, usize, usize, WeightFormat);

const FORMATS: [Format; 25] = [
    Format(DType::F32, 0, "F32", 1, 4, WeightFormat::F32),
    Format(DType::F16, 1, "F16", 1, 2, WeightFormat::F16),
    Format(DType::BF16, 30, "BF16", 1, 2, WeightFormat::BF16),
    Format(DType::Q4_0, 2, "Q4_0", QK, size_of::<BlockQ4_0>(), WeightFormat::Q4_0),
    Format(DType::Q4_1, 3, "Q4_1", QK, size_of::<BlockQ4_1>(), WeightFormat::Q4_1),
    Format(DType::Q5_0, 6, "Q5_0", QK, size_of::<BlockQ5_0>(), WeightFormat::Q5_0),
    Format(DType::Q5_1, 7, "Q5_1", QK, size_of::<BlockQ5_1>(), WeightFormat::Q5_1),
    Format(DType::Q8_0, 8, "Q8_0", QK, size_of::<BlockQ8_0>(), WeightFormat::Q8_0),
    Format(DType::Q2K, 10, "Q2_K", QK_K, size_of::<BlockQ2K>(), WeightFormat::Q2K),
    Format(DType::Q3K, 11, "Q3_K", QK_K, size_of::<BlockQ3K>(), WeightFormat::Q3K),
    Format(DType::Q4K, 12, "Q4_K", QK_K, size_of::<BlockQ4K>(), WeightFormat::Q4K),
    Format(DType::Q5K, 13, "Q5_K", QK_K, size_of::<BlockQ5K>(), WeightFormat::Q5K),
    Format(DType::Q6K, 14, "Q6_K", QK_K, size_of::<BlockQ6K>(), WeightFormat::Q6K),
    Format(DType::IQ1S, 19, "IQ1_S", QK_K, size_of::<BlockIQ1S>(), WeightFormat::Codes),
    Format(DType::IQ1M, 29, "IQ1_M", QK_K, size_of::<BlockIQ1M>(), WeightFormat::Codes),
    Format(DType::IQ2XXS, 16, "IQ2_XXS", QK_K, size_of::<BlockIQ2XXS>(), WeightFormat::Codes),
    Format(DType::IQ2XS, 17, "IQ2_XS", QK_K, size_of::<BlockIQ2XS>(), WeightFormat::Codes),
    Format(DType::IQ2S, 22, "IQ2_S", QK_K, size_of::<BlockIQ2S>(), WeightFormat::Codes),
    Format(DType::IQ3XXS, 18, "IQ3_XXS", QK_K, size_of::<BlockIQ3XXS>(), WeightFormat::Codes),
    Format(DType::IQ3S, 21, "IQ3_S", QK_K, size_of::<BlockIQ3S>(), WeightFormat::Codes),
    Format(DType::IQ4NL, 20, "IQ4_NL", QK, size_of::<BlockIQ4NL>(), WeightFormat::IQ4NL),
    Format(DType::IQ4XS, 23, "IQ4_XS", QK_K, size_of::<BlockIQ4XS>(), WeightFormat::IQ4XS),
    Format(DType::TQ1_0, 34, "TQ1_0", QK_K, size_of::<BlockTQ1_0>(), WeightFormat::Codes),
    Format(DType::TQ2_0, 35, "TQ2_0", QK_K, size_of::<BlockTQ2_0>(), WeightFormat::Codes),
    Format(DType::MXFP4, 39, "MXFP4", QK, size_of::<BlockMXFP4>(), WeightFormat::Q8_0),
];

impl DType {
    /// Every format.
    pub fn all() -> impl Iterator<Item = Self> {
        FORMATS.iter().map(|format| format.0)
    }

    /// The format with this id in a GGUF file.
    pub fn from_ggml(id: u32) -> Option<Self> {
        FORMATS.iter().find(|format| format.1 == id).map(|format| format.0)
    }

    /// The format's id in a GGUF file.
    pub fn ggml_id(self) -> u32 {
        self.format().1
    }

    /// The format's name in ggml, for example `Q4_K`.
    pub fn name(self) -> &'static str {
        self.format().2
    }

    /// Weights in a block; rows are whole blocks.
    pub fn block_len(self) -> usize {
        self.format().3
    }

    /// Bytes of a block.
    pub fn block_bytes(self) -> usize {
        self.format().4
    }

    /// The format that the kernels multiply matrices of this one in. It holds the same numbers.
    pub fn packed_as(self) -> WeightFormat {
        self.format().5
    }

    /// Whether packing makes a matrix of this format larger, as the kernels have it in a wider one only.
    pub fn is_widened(self) -> bool {
        let (packed, here) = (self.packed_as(), self.format());
        packed.block_bytes() * here.3 != here.4 * packed.block_len()
    }

    fn format(self) -> &'static Format {
        FORMATS.iter().find(|format| format.0 == self).expect("every variant has a format")
    }
}

impl fmt::Display for DType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
