use crate::{SynthError, Tokenizer};

/// No count in a shape may be larger: the products of any three still fit into 64 bits.
const LARGEST_COUNT: usize = 1 << 20;

/// The numbers that make one model different from another, by their GGUF names.
///
/// All fields are public, so that a test can ask for any combination; [`crate::synthesize`] checks them.
#[derive(Debug, Clone, PartialEq)]
pub struct Shape {
    /// Goes into `general.name`.
    pub name: String,
    /// What the file calls its architecture.
    pub family: Family,
    /// What a synthetic vocabulary is like.
    pub tokenizer: Tokenizer,
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
    /// Positions that a token sees in windowed layers; written where there is a number.
    pub sliding_window: Option<usize>,
    /// Base of the rotary embedding's frequencies.
    pub rope_freq_base: f32,
    /// How those frequencies are stretched for long contexts.
    pub rope_scaling: RopeScaling,
    /// Epsilon of the RMS norms.
    pub layer_norm_rms_epsilon: f32,
    /// Whether the output head is the token embedding (no `output.weight` in the file).
    pub tied_embeddings: bool,
}

/// The families of models: each a `general.architecture`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// Llama, SmolLM.
    Llama,
    /// Qwen 2 and 2.5: biases of queries, keys and values.
    Qwen2,
    /// Gemma 2: norms after attention and feed-forward too, caps of scores and logits.
    Gemma2,
    /// Gemma 3: norms of heads in place of the caps.
    Gemma3,
    /// Phi-3: queries, keys and values in one tensor, gate and up in another.
    Phi3,
}

impl Family {
    /// `general.architecture`.
    pub fn architecture(self) -> &'static str {
        match self {
            Self::Llama => "llama",
            Self::Qwen2 => "qwen2",
            Self::Gemma2 => "gemma2",
            Self::Gemma3 => "gemma3",
            Self::Phi3 => "phi3",
        }
    }
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
