use super::{Activation, Architecture, Keys, RopePairs, Sizes};
use crate::EngineError;

/// Llama, and other models that files call so: Mistral, SmolLM, and many more.
///
/// Touvron et al., "LLaMA: Open and Efficient Foundation Language Models", 2023. Converters permute the rows of queries
/// and keys so that RoPE rotates neighbours.
pub(super) fn read(keys: &Keys<'_>, sizes: &Sizes) -> Result<Architecture, EngineError> {
    Ok(Architecture {
        name: "llama",
        rope_pairs: RopePairs::Neighbours,
        qkv_biases: keys.has_tensor("blk.0.attn_q.bias") || keys.has_tensor("blk.0.attn_qkv.bias"),
        fused_qkv: keys.has_tensor("blk.0.attn_qkv.weight"),
        fused_gate_up: false,
        head_norms: false,
        post_norms: false,
        activation: Activation::Silu,
        embedding_scale: None,
        score_scale: 1.0 / (sizes.head_dim as f32).sqrt(),
        score_cap: None,
        logit_cap: None,
        window: None,
    })
}
