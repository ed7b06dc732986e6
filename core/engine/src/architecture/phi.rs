use super::{Architecture, Keys, RopePairs, Sizes, llama};
use crate::EngineError;

/// Phi-3, 3.5 and 4 mini: Llama in fewer, larger tensors.
///
/// "Phi-3 Technical Report", 2024. Its sliding window is ignored, as in llama.cpp, because files do not say which
/// layers have one.
pub(super) fn read(keys: &Keys<'_>, sizes: &Sizes) -> Result<Architecture, EngineError> {
    let fused_gate_up = !keys.has_tensor("blk.0.ffn_gate.weight");
    Ok(Architecture { name: "phi3", rope_pairs: RopePairs::Halves, fused_gate_up, ..llama::read(keys, sizes)? })
}
