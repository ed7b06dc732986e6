use crate::SynthError;

/// No count in a shape may be larger: the products of any three still fit into 64 bits.
const LARGEST_COUNT: usize = 1 << 20;

/// The numbers that make one Llama-family model different from another, by their GGUF names.
///
/// All fields are public, so that a test can ask for any combination; [`crate::synthesize`] checks them.
#[derive(Debug, Clone, PartialEq)]
pub struct Shape {
    /// Goes into `general.name`.
    pub name: String,
    /// Layers.
    pub block_count: usize,
    /// Width of the residual stream.
    pub embedding_length: usize,
    /// Width of the feed-forward layer.
    pub feed_forward_length: usize,
    /// Query heads.
    pub head_count: usize,
    /// Key and value heads; divides `head_count`.
    pub head_count_kv: usize,
    /// Size of one head, keys and values alike; even.
    pub key_length: usize,
    /// Tokens in the vocabulary. A vocabulary taken from a file replaces it by its own size.
    pub vocab_size: usize,
    /// Positions that the model says it was trained for.
    pub context_length: usize,
    /// Base of the rotary embedding's frequencies.
    pub rope_freq_base: f32,
    /// How those frequencies are stretched for long contexts.
    pub rope_scaling: RopeScaling,
    /// Epsilon of the RMS norms.
    pub layer_norm_rms_epsilon: f32,
    /// Whether the output head is the token embedding (no `output.weight` in the file).
    pub tied_embeddings: bool,
}

/// Where a file says how its rotary frequencies are scaled.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum RopeScaling {
    /// Nowhere: plain RoPE.
    None,
    /// As divisors in the tensor `rope_freqs.weight`: what converted Llama 3.1 and 3.2 files have.
    Tensor(Llama3Scaling),
    /// As the keys `llama.rope.scaling.*` with type `llama3`. llama.cpp knows no such type and refuses these files.
    Metadata(Llama3Scaling),
}

/// The parameters of Llama 3's RoPE scaling, by their names in `config.json` (`rope_type: "llama3"`).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Llama3Scaling {
    /// Divisor of the slowest frequencies.
    pub factor: f32,
    /// Wavelengths above `original_context_length / low_freq_factor` are divided by the whole factor.
    pub low_freq_factor: f32,
    /// Wavelengths below `original_context_length / high_freq_factor` stay.
    pub high_freq_factor: f32,
    /// Positions that the model was trained for before its context was stretched.
    pub original_context_length: usize,
}

impl Llama3Scaling {
    /// Llama 3.2's own parameters.
    pub const LLAMA_3_2: Self =
        Self { factor: 32.0, low_freq_factor: 1.0, high_freq_factor: 4.0, original_context_length: 8192 };

    /// The divisor of each of the `key_length / 2` frequencies, as `rope_freqs.weight` holds them.
    pub fn divisors(&self, key_length: usize, rope_freq_base: f32) -> Vec<f32> {
        (0..key_length / 2).map(|pair| self.divisor(pair, key_length, rope_freq_base)).collect()
    }

    fn divisor(&self, pair: usize, key_length: usize, rope_freq_base: f32) -> f32 {
        let exponent = 2.0 * pair as f64 / key_length as f64;
        let wavelength = 2.0 * std::f64::consts::PI * f64::from(rope_freq_base).powf(exponent);
        let (factor, low, high) =
            (f64::from(self.factor), f64::from(self.low_freq_factor), f64::from(self.high_freq_factor));
        let turns = self.original_context_length as f64 / wavelength;
        if turns > high {
            return 1.0;
        }
        if turns < low {
            return self.factor;
        }
        let smooth = (turns - low) / (high - low);
        (1.0 / ((1.0 - smooth) / factor + smooth)) as f32
    }
}

impl Shape {
    /// The names that [`Shape::named`] knows.
    pub const NAMES: &[&str] = &["llama-3.2-1b", "llama-3.2-3b", "mini", "tiny"];

    /// A shape by its name: the two Llama 3.2 text models; `mini`, two layers of the 1B model's true width with a small
    /// vocabulary, whose layers time like the real ones; and `tiny`, small enough for any test.
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
            block_count: 16,
            embedding_length: 2048,
            feed_forward_length: 8192,
            head_count: 32,
            head_count_kv: 8,
            key_length: 64,
            vocab_size: 128_256,
            context_length: 131_072,
            rope_freq_base: 500_000.0,
            rope_scaling: RopeScaling::Tensor(Llama3Scaling::LLAMA_3_2),
            layer_norm_rms_epsilon: 1e-5,
            tied_embeddings: true,
        }
    }

    pub(crate) fn check(&self) -> Result<(), SynthError> {
        let counts = [
            ("block_count", self.block_count),
            ("embedding_length", self.embedding_length),
            ("feed_forward_length", self.feed_forward_length),
            ("head_count", self.head_count),
            ("head_count_kv", self.head_count_kv),
            ("key_length", self.key_length),
            ("vocab_size", self.vocab_size),
        ];
        for (name, count) in counts {
            if count == 0 || count > LARGEST_COUNT {
                return Err(SynthError::Options(format!("{name} is {count}, not 1 to {LARGEST_COUNT}")));
            }
        }
        if !self.head_count.is_multiple_of(self.head_count_kv) {
            return Err(SynthError::Options(format!(
                "{} query heads cannot share {} key heads",
                self.head_count, self.head_count_kv
            )));
        }
        if !self.key_length.is_multiple_of(2) {
            return Err(SynthError::Options(format!("a head of {} cannot be rotated in pairs", self.key_length)));
        }
        if self.context_length == 0 || u32::try_from(self.context_length).is_err() {
            return Err(SynthError::Options(format!("context_length is {}", self.context_length)));
        }
        Ok(())
    }
}
