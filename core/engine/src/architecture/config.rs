use std::fmt::Display;
use std::ops::RangeInclusive;

use sotto_kernels::MAX_HEAD_DIM;

use crate::gguf::{GgufFile, TensorView, key_place, tensor_place};
use crate::{DType, EngineError};

/// Largest position plus one: positions are exact in `f32`, in which RoPE's angles are computed.
const MAX_CONTEXT_LENGTH: u32 = 1 << 24;

/// What converters of 2023 called `rope.scaling.factor`.
const OLD_LINEAR_FACTOR: &str = "rope.scale_linear";

/// Architectures whose metadata has the keys read here. Which of them a backend computes is the backend's to say.
const ARCHITECTURES: [&str; 3] = ["llama", "qwen2", "qwen3"];

/// The shape of a model of the Llama family, or one that differs from it only inside its layers.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelConfig {
    /// `general.architecture` of the file.
    pub architecture: String,
    /// Tokens in the vocabulary: the length of a row of logits.
    pub vocab_size: usize,
    /// Width of the residual stream.
    pub hidden_size: usize,
    /// Width of the feed-forward network.
    pub intermediate_size: usize,
    /// Transformer layers.
    pub num_layers: usize,
    /// Query heads.
    pub num_heads: usize,
    /// Key and value heads; each serves `num_heads / num_kv_heads` query heads.
    pub num_kv_heads: usize,
    /// Width of a head.
    pub head_dim: usize,
    /// How many of a head's values RoPE turns, an even number.
    pub rope_dim: usize,
    /// Tokens that the model was made for.
    pub context_length: usize,
    /// Added to the mean square in RMS norms.
    pub rms_norm_eps: f32,
    /// Base of RoPE's frequencies.
    pub rope_theta: f32,
    /// How RoPE's frequencies are stretched for long contexts.
    pub rope_scaling: RopeScaling,
    /// Whether the output head is the embedding matrix.
    pub tied_embeddings: bool,
}

/// How RoPE's frequencies are stretched for long contexts.
#[derive(Debug, Clone, PartialEq)]
pub enum RopeScaling {
    /// Not at all.
    None,
    /// All divided by a factor (position interpolation: Chen et al., 2023).
    Linear {
        /// The factor.
        factor: f32,
    },
    /// Low frequencies divided, high ones kept, those between blended: Llama 3.1 and later, `rope_type: "llama3"`.
    Llama3 {
        /// Divisor of the low frequencies.
        factor: f32,
        /// Wavelengths above `original_context / low_freq_factor` are low frequencies.
        low_freq_factor: f32,
        /// Wavelengths below `original_context / high_freq_factor` are high frequencies.
        high_freq_factor: f32,
        /// Context length of the first training, in tokens.
        original_context: u32,
    },
    /// One divisor for each pair, from the tensor `rope_freqs.weight`: how converters write Llama 3's scaling.
    FreqFactors(Vec<f32>),
}

impl ModelConfig {
    /// [`EngineError::UnknownToken`] unless the vocabulary has all of these.
    pub(crate) fn check_ids(&self, ids: &[u32]) -> Result<(), EngineError> {
        let vocab_size = self.vocab_size;
        match ids.iter().find(|&&id| id as usize >= vocab_size) {
            Some(&id) => Err(EngineError::UnknownToken { id, vocab_size }),
            None => Ok(()),
        }
    }

    /// Reads and checks the shape in a file's metadata and tensors.
    ///
    /// # Errors
    /// [`EngineError::Invalid`] for missing or contradicting values, [`EngineError::Unsupported`] for architectures and
    /// variants that this engine does not compute.
    pub fn from_gguf(file: &GgufFile) -> Result<Self, EngineError> {
        let keys = Keys::new(file)?;
        let embedding = matrix(file, "token_embd.weight")?;
        let (vocab_size, hidden_size) = (embedding.shape[0], embedding.shape[1]);
        let declared = keys.count("embedding_length", 1..=1 << 20)?;
        if declared != hidden_size {
            let why = format!("its rows are {hidden_size} wide, the metadata says {declared}");
            return Err(EngineError::invalid(tensor_place("token_embd.weight"), why));
        }
        keys.refuse_experts()?;

        let num_heads = keys.count("attention.head_count", 1..=4096)?;
        let num_kv_heads = keys.count_or("attention.head_count_kv", 1..=4096, num_heads)?;
        if !num_heads.is_multiple_of(num_kv_heads) {
            let why = format!("{num_kv_heads} key-value heads cannot serve {num_heads} query heads evenly");
            return Err(keys.invalid("attention.head_count_kv", why));
        }
        let head_dim = keys.head_dim(hidden_size, num_heads)?;
        let rope_dim = keys.count_or("rope.dimension_count", 2..=head_dim as u32, head_dim)?;
        if !rope_dim.is_multiple_of(2) {
            return Err(keys.invalid("rope.dimension_count", format!("{rope_dim} values are not whole pairs")));
        }

        Ok(Self {
            vocab_size,
            hidden_size,
            intermediate_size: keys.count("feed_forward_length", 1..=1 << 24)?,
            num_layers: keys.count("block_count", 1..=1024)?,
            num_heads,
            num_kv_heads,
            head_dim,
            rope_dim,
            context_length: keys.count("context_length", 1..=MAX_CONTEXT_LENGTH)?,
            rms_norm_eps: keys.number("attention.layer_norm_rms_epsilon", 0.0..=1.0)?.unwrap_or(1e-5),
            rope_theta: keys.number("rope.freq_base", 1.0..=1e12)?.unwrap_or(10_000.0),
            rope_scaling: keys.rope_scaling(rope_dim)?,
            tied_embeddings: file.tensor("output.weight").is_none(),
            architecture: keys.architecture,
        })
    }

    /// Width of all query heads together.
    pub fn query_size(&self) -> usize {
        self.num_heads * self.head_dim
    }

    /// Width of all key (or value) heads together.
    pub fn kv_size(&self) -> usize {
        self.num_kv_heads * self.head_dim
    }
}

/// The metadata keys of one architecture.
struct Keys<'a> {
    file: &'a GgufFile,
    architecture: String,
}

impl<'a> Keys<'a> {
    fn new(file: &'a GgufFile) -> Result<Self, EngineError> {
        let key = "general.architecture";
        let architecture = file.metadata().string(key)?;
        let architecture = architecture.ok_or_else(|| EngineError::invalid(key_place(key), "the key is missing"))?;
        if !ARCHITECTURES.contains(&architecture) {
            return Err(EngineError::unsupported(format!("the architecture {:?}", shortened(architecture))));
        }
        Ok(Self { file, architecture: architecture.to_owned() })
    }

    fn name(&self, key: &str) -> String {
        format!("{}.{key}", self.architecture)
    }

    fn invalid(&self, key: &str, why: impl Into<String>) -> EngineError {
        EngineError::invalid(key_place(&self.name(key)), why)
    }

    fn count(&self, key: &str, range: RangeInclusive<u32>) -> Result<usize, EngineError> {
        self.optional_count(key, range)?.ok_or_else(|| self.invalid(key, "the key is missing"))
    }

    fn count_or(&self, key: &str, range: RangeInclusive<u32>, default: usize) -> Result<usize, EngineError> {
        Ok(self.optional_count(key, range)?.unwrap_or(default))
    }

    fn optional_count(&self, key: &str, range: RangeInclusive<u32>) -> Result<Option<usize>, EngineError> {
        let Some(value) = self.file.metadata().u32(&self.name(key))? else { return Ok(None) };
        self.in_range(key, value, range).map(|value| Some(value as usize))
    }

    fn number(&self, key: &str, range: RangeInclusive<f32>) -> Result<Option<f32>, EngineError> {
        let Some(value) = self.file.metadata().f32(&self.name(key))? else { return Ok(None) };
        self.in_range(key, value, range).map(Some)
    }

    fn in_range<T: PartialOrd + Display>(
        &self,
        key: &str,
        value: T,
        range: RangeInclusive<T>,
    ) -> Result<T, EngineError> {
        if range.contains(&value) {
            return Ok(value);
        }
        Err(self.invalid(key, format!("{value} is outside {} to {}", range.start(), range.end())))
    }

    fn refuse_experts(&self) -> Result<(), EngineError> {
        match self.file.metadata().u32(&self.name("expert_count"))? {
            None | Some(0) => Ok(()),
            Some(_) => Err(EngineError::unsupported("a mixture of experts")),
        }
    }

    fn head_dim(&self, hidden_size: usize, num_heads: usize) -> Result<usize, EngineError> {
        let head_dim = match self.optional_count("attention.key_length", 1..=1 << 16)? {
            Some(head_dim) => head_dim,
            None if hidden_size.is_multiple_of(num_heads) => hidden_size / num_heads,
            None => {
                let why = format!("{num_heads} heads do not divide a width of {hidden_size}");
                return Err(self.invalid("attention.head_count", why));
            }
        };
        if self.count_or("attention.value_length", 1..=1 << 16, head_dim)? != head_dim {
            return Err(EngineError::unsupported("keys and values of different width"));
        }
        if head_dim > MAX_HEAD_DIM {
            return Err(EngineError::unsupported(format!("heads wider than {MAX_HEAD_DIM}")));
        }
        if head_dim < 2 {
            return Err(self.invalid("attention.key_length", "a head of one value has no pair for RoPE to turn"));
        }
        Ok(head_dim)
    }

    fn rope_scaling(&self, rope_dim: usize) -> Result<RopeScaling, EngineError> {
        match (self.scaling_type()?, self.freq_factors(rope_dim)?) {
            // A file that has the factors and names their origin says the same thing twice.
            ("none" | "llama3", Some(factors)) => Ok(RopeScaling::FreqFactors(factors)),
            ("none", None) => Ok(RopeScaling::None),
            ("llama3", None) => self.llama3(),
            ("linear", None) => Ok(RopeScaling::Linear { factor: self.linear_factor()? }),
            ("linear", Some(_)) => Err(EngineError::unsupported("linear RoPE scaling on top of frequency factors")),
            (other, _) => Err(EngineError::unsupported(format!("RoPE scaling of type {:?}", shortened(other)))),
        }
    }

    /// `rope.scaling.type`, or what a file without it means: a bare factor is linear, as in llama.cpp, and only Llama 3's
    /// scaling has frequency bands.
    fn scaling_type(&self) -> Result<&str, EngineError> {
        let metadata = self.file.metadata();
        if let Some(kind) = metadata.string(&self.name("rope.scaling.type"))? {
            return Ok(kind);
        }
        let has = |key| metadata.contains(&self.name(key));
        if has("rope.scaling.low_freq_factor") {
            Ok("llama3")
        } else if has("rope.scaling.factor") || has(OLD_LINEAR_FACTOR) {
            Ok("linear")
        } else {
            Ok("none")
        }
    }

    fn linear_factor(&self) -> Result<f32, EngineError> {
        match self.number(OLD_LINEAR_FACTOR, 1e-3..=1e6)? {
            Some(factor) if !self.file.metadata().contains(&self.name("rope.scaling.factor")) => Ok(factor),
            _ => self.required_number("rope.scaling.factor"),
        }
    }

    fn llama3(&self) -> Result<RopeScaling, EngineError> {
        let low_freq_factor = self.required_number("rope.scaling.low_freq_factor")?;
        let high_freq_factor = self.required_number("rope.scaling.high_freq_factor")?;
        if high_freq_factor <= low_freq_factor {
            return Err(self.invalid("rope.scaling.high_freq_factor", "it must be above the low frequency factor"));
        }
        Ok(RopeScaling::Llama3 {
            factor: self.required_number("rope.scaling.factor")?,
            low_freq_factor,
            high_freq_factor,
            original_context: self.count("rope.scaling.original_context_length", 1..=MAX_CONTEXT_LENGTH)? as u32,
        })
    }

    fn required_number(&self, key: &str) -> Result<f32, EngineError> {
        self.number(key, 1e-3..=1e6)?.ok_or_else(|| self.invalid(key, "the key is missing"))
    }

    fn freq_factors(&self, rope_dim: usize) -> Result<Option<Vec<f32>>, EngineError> {
        let name = "rope_freqs.weight";
        let Some(tensor) = self.file.tensor(name) else { return Ok(None) };
        if tensor.dtype != DType::F32 || tensor.shape != [rope_dim / 2] {
            let why =
                format!("{} {:?} is not one F32 factor for each of {} pairs", tensor.dtype, tensor.shape, rope_dim / 2);
            return Err(EngineError::invalid(tensor_place(name), why));
        }
        let (numbers, _) = tensor.bytes.as_chunks::<4>();
        let factors: Vec<f32> = numbers.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
        if factors.iter().any(|factor| !(1e-3..=1e6).contains(factor)) {
            return Err(EngineError::invalid(tensor_place(name), "a factor is outside 0.001 to 1000000"));
        }
        Ok(Some(factors))
    }
}

/// A tensor that must be there and have two dimensions.
fn matrix<'a>(file: &'a GgufFile, name: &str) -> Result<TensorView<'a>, EngineError> {
    let tensor = file.tensor(name).ok_or_else(|| EngineError::invalid(tensor_place(name), "the tensor is missing"))?;
    if tensor.shape.len() != 2 {
        return Err(EngineError::invalid(tensor_place(name), format!("its shape {:?} is not a matrix", tensor.shape)));
    }
    Ok(tensor)
}

/// The beginning of a name from a file, short enough for an error message.
fn shortened(name: &str) -> &str {
    &name[..name.floor_char_boundary(40)]
}
