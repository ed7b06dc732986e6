//! Shapes by their names.

use crate::{Family, Llama3Scaling, RopeScaling, Shape, Tokenizer};

impl Shape {
    /// The names that [`Shape::named`] knows.
    pub const NAMES: &[&str] = &[
        "llama-3.2-1b",
        "llama-3.2-3b",
        "smollm2-135m",
        "qwen2.5-0.5b",
        "qwen2.5-1.5b",
        "qwen2.5-3b",
        "gemma-2-2b",
        "gemma-3-270m",
        "gemma-3-1b",
        "phi-3-mini",
        "mini",
        "tiny",
    ];

    /// A shape by its name: those of published models; `mini`, two layers of Llama 3.2 1B's true width with a small vocabulary,
    /// whose layers time like the real ones; and `tiny`, small enough for any test.
    pub fn named(name: &str) -> Option<Self> {
        let shape = match name {
            "llama-3.2-1b" => Self::llama_3_2_1b(),
            "llama-3.2-3b" => Self {
                block_count: 28,
                embedding_length: 3072,
                head_count: 24,
                key_length: 128,
                ..Self::llama_3_2_1b()
            },
            "smollm2-135m" => Self::smol_lm_2_135m(),
            "qwen2.5-0.5b" => Self::qwen_2_5_0_5b(),
            "qwen2.5-1.5b" => Self {
                block_count: 28,
                embedding_length: 1536,
                feed_forward_length: 8960,
                head_count: 12,
                key_length: 128,
                ..Self::qwen_2_5_0_5b()
            },
            "qwen2.5-3b" => Self {
                block_count: 36,
                embedding_length: 2048,
                feed_forward_length: 11_008,
                head_count: 16,
                key_length: 128,
                ..Self::qwen_2_5_0_5b()
            },
            "gemma-2-2b" => Self::gemma_2_2b(),
            "gemma-3-270m" => Self::gemma_3_270m(),
            "gemma-3-1b" => {
                Self { block_count: 26, embedding_length: 1152, feed_forward_length: 6912, ..Self::gemma_3_270m() }
            }
            "phi-3-mini" => Self::phi_3_mini(),
            "mini" => Self { block_count: 2, vocab_size: 1024, ..Self::llama_3_2_1b() },
            "tiny" => Self {
                block_count: 2,
                embedding_length: 256,
                feed_forward_length: 512,
                head_count: 8,
                head_count_kv: 2,
                key_length: 32,
                vocab_size: 1024,
                ..Self::llama_3_2_1b()
            },
            _ => return None,
        };
        Some(Self { name: format!("{name}-random"), ..shape })
    }

    fn llama_3_2_1b() -> Self {
        Self {
            name: String::new(),
            family: Family::Llama,
            tokenizer: Tokenizer::Llama3,
            block_count: 16,
            embedding_length: 2048,
            feed_forward_length: 8192,
            head_count: 32,
            head_count_kv: 8,
            key_length: 64,
            vocab_size: 128_256,
            context_length: 131_072,
            sliding_window: None,
            rope_freq_base: 500_000.0,
            rope_scaling: RopeScaling::Tensor(Llama3Scaling::LLAMA_3_2),
            layer_norm_rms_epsilon: 1e-5,
            tied_embeddings: true,
        }
    }

    fn smol_lm_2_135m() -> Self {
        Self {
            tokenizer: Tokenizer::SmolLm2,
            block_count: 30,
            embedding_length: 576,
            feed_forward_length: 1536,
            head_count: 9,
            head_count_kv: 3,
            vocab_size: 49_152,
            context_length: 8192,
            rope_freq_base: 100_000.0,
            rope_scaling: RopeScaling::None,
            ..Self::llama_3_2_1b()
        }
    }

    fn qwen_2_5_0_5b() -> Self {
        Self {
            family: Family::Qwen2,
            tokenizer: Tokenizer::Qwen2,
            block_count: 24,
            embedding_length: 896,
            feed_forward_length: 4864,
            head_count: 14,
            head_count_kv: 2,
            vocab_size: 151_936,
            context_length: 32_768,
            rope_freq_base: 1_000_000.0,
            rope_scaling: RopeScaling::None,
            layer_norm_rms_epsilon: 1e-6,
            ..Self::llama_3_2_1b()
        }
    }

    fn gemma_2_2b() -> Self {
        Self {
            family: Family::Gemma2,
            tokenizer: Tokenizer::Gemma,
            block_count: 26,
            embedding_length: 2304,
            feed_forward_length: 9216,
            head_count: 8,
            head_count_kv: 4,
            key_length: 256,
            vocab_size: 256_000,
            context_length: 8192,
            sliding_window: Some(4096),
            rope_freq_base: 10_000.0,
            rope_scaling: RopeScaling::None,
            layer_norm_rms_epsilon: 1e-6,
            ..Self::llama_3_2_1b()
        }
    }

    fn gemma_3_270m() -> Self {
        Self {
            family: Family::Gemma3,
            block_count: 18,
            embedding_length: 640,
            feed_forward_length: 2048,
            head_count: 4,
            head_count_kv: 1,
            vocab_size: 262_144,
            context_length: 32_768,
            sliding_window: Some(512),
            rope_freq_base: 1_000_000.0,
            ..Self::gemma_2_2b()
        }
    }

    /// Phi-3 mini with a context of 4K.
    fn phi_3_mini() -> Self {
        Self {
            family: Family::Phi3,
            tokenizer: Tokenizer::Phi3,
            block_count: 32,
            embedding_length: 3072,
            feed_forward_length: 8192,
            head_count: 32,
            head_count_kv: 32,
            key_length: 96,
            vocab_size: 32_064,
            context_length: 4096,
            sliding_window: Some(2047),
            rope_freq_base: 10_000.0,
            rope_scaling: RopeScaling::None,
            tied_embeddings: false,
            ..Self::llama_3_2_1b()
        }
    }
}
