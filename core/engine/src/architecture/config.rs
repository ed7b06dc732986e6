use sotto_kernels::MAX_HEAD_DIM;

use super::{Architecture, FileKind, Keys, RopeScaling, Sizes};
use crate::EngineError;
use crate::gguf::{GgufFile, tensor_place};

/// The largest position plus one. Positions must be exact in `f32`, in which RoPE's angles are computed.
pub(super) const MAX_CONTEXT_LENGTH: u32 = 1 << 24;

/// The shape of a model: a stack of layers, each attention and a feed-forward network.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelConfig {
    /// What its family does differently.
    pub architecture: Architecture,
    /// Tokens in the vocabulary: the length of a row of logits.
    pub vocab_size: usize,
    /// Width of the residual stream.
    pub hidden_size: usize,
    /// Width of the feed-forward network.
    pub intermediate_size: usize,
    /// Number of transformer layers.
    pub num_layers: usize,
    /// Number of query heads.
    pub num_heads: usize,
    /// Key and value heads; each serves `num_heads / num_kv_heads` query heads.
    pub num_kv_heads: usize,
    /// Width of a head.
    pub head_dim: usize,
    /// The number of values of a head that RoPE rotates; even.
    pub rope_dim: usize,
    /// The context length that the model was made for.
    pub context_length: usize,
    /// Added to the mean square in RMS norms.
    pub rms_norm_eps: f32,
    /// Base of RoPE's frequencies.
    pub rope_theta: f32,
    /// How RoPE's frequencies are stretched for long contexts.
    pub rope_scaling: RopeScaling,
    /// The factor for the values that RoPE rotates.
    pub rope_magnitude: f32,
    /// Whether the output head is the embedding matrix.
    pub tied_embeddings: bool,
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
    /// [`EngineError::Invalid`] for missing or inconsistent values, [`EngineError::Unsupported`] for architectures and
    /// variants that this engine does not support.
    pub fn from_gguf(file: &GgufFile) -> Result<Self, EngineError> {
        FileKind::of(file).check()?;
        let (keys, read_family) = Keys::new(file)?;
        let (vocab_size, hidden_size) = embedding_shape(&keys)?;
        refuse_experts(&keys)?;
        let (num_heads, num_kv_heads) = heads(&keys)?;
        let head_dim = head_dim(&keys, hidden_size, num_heads)?;
        let rope_dim = rope_dim(&keys, head_dim)?;
        let num_layers = keys.count("block_count", 1..=1024)?;
        Ok(Self {
            architecture: read_family(&keys, &Sizes { hidden_size, num_layers, num_heads, head_dim })?,
            vocab_size,
            hidden_size,
            intermediate_size: keys.count("feed_forward_length", 1..=1 << 24)?,
            num_layers,
            num_heads,
            num_kv_heads,
            head_dim,
            rope_dim,
            context_length: keys.count("context_length", 1..=MAX_CONTEXT_LENGTH)?,
            rms_norm_eps: keys.number("attention.layer_norm_rms_epsilon", 0.0..=1.0)?.unwrap_or(1e-5),
            rope_theta: keys.number("rope.freq_base", 1.0..=1e12)?.unwrap_or(10_000.0),
            rope_scaling: RopeScaling::read(&keys, rope_dim / 2)?,
            rope_magnitude: keys.number("rope.scaling.attn_factor", 1e-3..=1e3)?.unwrap_or(1.0),
            tied_embeddings: !keys.has_tensor("output.weight"),
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

/// Rows and columns of the embedding.
fn embedding_shape(keys: &Keys<'_>) -> Result<(usize, usize), EngineError> {
    let name = "token_embd.weight";
    let embedding = keys.matrix(name)?;
    let (vocab_size, hidden_size) = (embedding.shape[0], embedding.shape[1]);
    let declared = keys.count("embedding_length", 1..=1 << 20)?;
    if declared != hidden_size {
        let why = format!("its rows are {hidden_size} wide, but the metadata says {declared}");
        return Err(EngineError::invalid(tensor_place(name), why));
    }
    Ok((vocab_size, hidden_size))
}

fn refuse_experts(keys: &Keys<'_>) -> Result<(), EngineError> {
    match keys.optional_count("expert_count", 0..=u32::MAX)? {
        None | Some(0) => Ok(()),
        Some(_) => Err(EngineError::unsupported("a mixture of experts")),
    }
}

/// Heads of queries, and of keys and values.
fn heads(keys: &Keys<'_>) -> Result<(usize, usize), EngineError> {
    let num_heads = keys.count("attention.head_count", 1..=4096)?;
    let num_kv_heads = keys.count_or("attention.head_count_kv", 1..=4096, num_heads)?;
    if !num_heads.is_multiple_of(num_kv_heads) {
        let why = format!("{num_heads} query heads cannot share {num_kv_heads} key-value heads evenly");
        return Err(keys.invalid("attention.head_count_kv", why));
    }
    Ok((num_heads, num_kv_heads))
}

fn head_dim(keys: &Keys<'_>, hidden_size: usize, num_heads: usize) -> Result<usize, EngineError> {
    let head_dim = match keys.optional_count("attention.key_length", 1..=1 << 16)? {
        Some(head_dim) => head_dim,
        None if hidden_size.is_multiple_of(num_heads) => hidden_size / num_heads,
        None => {
            let why = format!("a width of {hidden_size} cannot be divided among {num_heads} heads");
            return Err(keys.invalid("attention.head_count", why));
        }
    };
    if keys.count_or("attention.value_length", 1..=1 << 16, head_dim)? != head_dim {
        return Err(EngineError::unsupported("keys and values of different widths"));
    }
    if head_dim > MAX_HEAD_DIM {
        return Err(EngineError::unsupported(format!("heads wider than {MAX_HEAD_DIM}")));
    }
    if head_dim < 2 {
        return Err(keys.invalid("attention.key_length", "a head with a single value has no pair for RoPE to rotate"));
    }
    Ok(head_dim)
}

fn rope_dim(keys: &Keys<'_>, head_dim: usize) -> Result<usize, EngineError> {
    let key = "rope.dimension_count";
    let rope_dim = keys.count_or(key, 2..=head_dim as u32, head_dim)?;
    match rope_dim.is_multiple_of(2) {
        true => Ok(rope_dim),
        false => Err(keys.invalid(key, format!("{rope_dim} values cannot be split into pairs"))),
    }
}
