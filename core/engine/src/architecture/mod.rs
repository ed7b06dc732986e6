//! What a file says about its model: its shape, and what its family does differently.

mod config;
mod gemma;
mod keys;
mod kind;
mod llama;
mod phi;
mod qwen;
mod rope_scaling;

pub use config::ModelConfig;
use keys::Keys;
pub(crate) use keys::shortened;
pub use kind::FileKind;
pub use rope_scaling::RopeScaling;

use crate::EngineError;

/// What a family of models does differently from others: all that the one forward pass asks for, as values.
#[derive(Debug, Clone, PartialEq)]
pub struct Architecture {
    /// What files of the family have as `general.architecture`.
    pub name: &'static str,
    /// Which values of a head RoPE turns together, in a file that is not packed.
    pub rope_pairs: RopePairs,
    /// Whether queries, keys and values have biases.
    pub qkv_biases: bool,
    /// Whether queries and keys are one tensor with the values, `attn_qkv`, in a file that is not packed.
    pub fused_qkv: bool,
    /// Whether gate and up are one tensor, `ffn_up`, in a file that is not packed.
    pub fused_gate_up: bool,
    /// Whether each head of queries and keys is normed before RoPE.
    pub head_norms: bool,
    /// Whether what attention and feed-forward give is normed before it is added.
    pub post_norms: bool,
    /// What the gate of the feed-forward network goes through.
    pub activation: Activation,
    /// What embeddings are multiplied with.
    pub embedding_scale: Option<f32>,
    /// What scores of attention are multiplied with.
    pub score_scale: f32,
    /// `cap * tanh(score / cap)` bounds the scores of attention.
    pub score_cap: Option<f32>,
    /// As for scores, for logits.
    pub logit_cap: Option<f32>,
    /// Layers that see only the last tokens.
    pub window: Option<Window>,
}

/// Which values of a head RoPE turns together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RopePairs {
    /// `(x[2i], x[2i + 1])`.
    Neighbours,
    /// `(x[i], x[i + pairs])`, as in GPT-NeoX.
    Halves,
}

/// What the gate of the feed-forward network goes through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Activation {
    /// `x / (1 + exp(-x))`.
    Silu,
    /// GELU in its form with tanh.
    GeluTanh,
}

/// Layers in which a token sees only itself and the last before it.
#[derive(Debug, Clone, PartialEq)]
pub struct Window {
    /// Tokens that are seen, itself among them.
    pub tokens: usize,
    /// Whether the layer is such a one, for each layer.
    pub layers: Vec<bool>,
    /// Base of RoPE in these layers, which scale nothing then; `None` where they turn as the others do.
    pub rope_theta: Option<f32>,
}

/// The sizes that some of these values follow from.
struct Sizes {
    hidden_size: usize,
    num_layers: usize,
    num_heads: usize,
    head_dim: usize,
}

/// Reads what a file of a family says.
type Family = fn(&Keys<'_>, &Sizes) -> Result<Architecture, EngineError>;

/// By `general.architecture`.
const FAMILIES: [(&str, Family); 6] = [
    ("llama", llama::read),
    ("qwen2", qwen::read_qwen2),
    ("qwen3", qwen::read_qwen3),
    ("gemma2", gemma::read_gemma2),
    ("gemma3", gemma::read_gemma3),
    ("phi3", phi::read),
];

impl Architecture {
    /// How many tokens a token sees in a layer; `None` for all.
    pub fn window_of(&self, layer: usize) -> Option<usize> {
        self.window.as_ref().filter(|window| window.layers[layer]).map(|window| window.tokens)
    }

    /// The base of RoPE that only windowed layers have.
    pub(crate) fn local_rope_theta(&self) -> Option<f32> {
        self.window.as_ref().and_then(|window| window.rope_theta)
    }
}
