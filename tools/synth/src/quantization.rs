use candle_core::quantized::GgmlDType;

/// How the weights of a file are quantized. Norms are F32 in all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Quantization {
    /// All matrices F32.
    F32,
    /// All matrices F16.
    F16,
    /// All matrices BF16.
    Bf16,
    /// Q4_0 with a Q6_K output head (or tied embedding): what llama.cpp's quantizer makes of `Q4_0`.
    Q4_0,
    /// All matrices Q4_0, the head too.
    Q4_0Pure,
    /// All matrices Q4_1.
    Q4_1,
    /// All matrices Q5_0.
    Q5_0,
    /// All matrices Q5_1.
    Q5_1,
    /// All matrices Q8_0.
    Q8_0,
    /// All matrices Q2_K.
    Q2K,
    /// All matrices Q3_K.
    Q3K,
    /// All matrices Q4_K.
    Q4K,
    /// Q4_K with Q6_K for the head and, in about half of the layers, for `attn_v` and `ffn_down`: what llama.cpp's
    /// quantizer makes of `Q4_K_M`.
    Q4KM,
    /// All matrices Q5_K.
    Q5K,
    /// All matrices Q6_K.
    Q6K,
}

/// Which part of the model a matrix is, as far as a mix looks at it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// The output head, or the token embedding where the two are tied.
    Head,
    /// `attn_v` or `ffn_down` of this layer.
    Sensitive { layer: usize },
    /// Any other matrix.
    Plain,
}

impl Quantization {
    /// Every quantization, in the order of [`Quantization::NAMES`].
    pub const ALL: &[Self] = &[
        Self::F32,
        Self::F16,
        Self::Bf16,
        Self::Q4_0,
        Self::Q4_0Pure,
        Self::Q4_1,
        Self::Q5_0,
        Self::Q5_1,
        Self::Q8_0,
        Self::Q2K,
        Self::Q3K,
        Self::Q4K,
        Self::Q4KM,
        Self::Q5K,
        Self::Q6K,
    ];

    /// The names that [`Quantization::named`] knows.
    pub const NAMES: &[&str] = &[
        "f32",
        "f16",
        "bf16",
        "q4_0",
        "q4_0_pure",
        "q4_1",
        "q5_0",
        "q5_1",
        "q8_0",
        "q2_k",
        "q3_k",
        "q4_k",
        "q4_k_m",
        "q5_k",
        "q6_k",
    ];

    /// A quantization by its name, in any case.
    pub fn named(name: &str) -> Option<Self> {
        let at = Self::NAMES.iter().position(|known| known.eq_ignore_ascii_case(name))?;
        Some(Self::ALL[at])
    }

    /// The value of `general.file_type`: llama.cpp's `llama_ftype`.
    pub(crate) fn file_type(self) -> u32 {
        match self {
            Self::F32 => 0,
            Self::F16 => 1,
            Self::Q4_0 | Self::Q4_0Pure => 2,
            Self::Q4_1 => 3,
            Self::Q8_0 => 7,
            Self::Q5_0 => 8,
            Self::Q5_1 => 9,
            Self::Q2K => 10,
            Self::Q3K => 12,
            Self::Q4K => 14,
            Self::Q4KM => 15,
            Self::Q5K => 16,
            Self::Q6K => 18,
            Self::Bf16 => 32,
        }
    }

    /// The type of one matrix with rows of `columns` weights, in a model of `block_count` layers.
    pub(crate) fn dtype(self, role: Role, block_count: usize, columns: usize) -> GgmlDType {
        match (self, role) {
            // llama.cpp falls back to Q8_0 where a head's rows do not fill whole super-blocks.
            (Self::Q4_0, Role::Head) if !columns.is_multiple_of(GgmlDType::Q6K.block_size()) => GgmlDType::Q8_0,
            (Self::Q4_0 | Self::Q4KM, Role::Head) => GgmlDType::Q6K,
            (Self::Q4KM, Role::Sensitive { layer }) if uses_more_bits(layer, block_count) => GgmlDType::Q6K,
            _ => self.base_dtype(),
        }
    }

    fn base_dtype(self) -> GgmlDType {
        match self {
            Self::F32 => GgmlDType::F32,
            Self::F16 => GgmlDType::F16,
            Self::Bf16 => GgmlDType::BF16,
            Self::Q4_0 | Self::Q4_0Pure => GgmlDType::Q4_0,
            Self::Q4_1 => GgmlDType::Q4_1,
            Self::Q5_0 => GgmlDType::Q5_0,
            Self::Q5_1 => GgmlDType::Q5_1,
            Self::Q8_0 => GgmlDType::Q8_0,
            Self::Q2K => GgmlDType::Q2K,
            Self::Q3K => GgmlDType::Q3K,
            Self::Q4K | Self::Q4KM => GgmlDType::Q4K,
            Self::Q5K => GgmlDType::Q5K,
            Self::Q6K => GgmlDType::Q6K,
        }
    }
}

/// llama.cpp's `use_more_bits`: the first and last eighth of the layers, and every third between.
fn uses_more_bits(layer: usize, block_count: usize) -> bool {
    let eighth = block_count / 8;
    layer < eighth || layer >= 7 * block_count / 8 || (layer - eighth) % 3 == 2
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_and_the_variants_go_together() {
        assert_eq!(Quantization::ALL.len(), Quantization::NAMES.len());
        assert_eq!(Quantization::named("Q4_K_M"), Some(Quantization::Q4KM));
        assert_eq!(Quantization::named("q8_0"), Some(Quantization::Q8_0));
        assert_eq!(Quantization::named("q3_k_xl"), None);
    }

    #[test]
    fn half_of_sixteen_layers_get_more_bits() {
        let chosen: Vec<usize> = (0..16).filter(|&layer| uses_more_bits(layer, 16)).collect();
        assert_eq!(chosen, [0, 1, 4, 7, 10, 13, 14, 15]);
    }
}
