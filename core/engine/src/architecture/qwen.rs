use super::{Architecture, Keys, RopePairs, Sizes, llama};
use crate::EngineError;

/// Qwen 2 and 2.5: Llama with biases of queries, keys and values.
///
/// "Qwen2 Technical Report", 2024.
pub(super) fn read_qwen2(keys: &Keys<'_>, sizes: &Sizes) -> Result<Architecture, EngineError> {
    Ok(Architecture { name: "qwen2", rope_pairs: RopePairs::Halves, ..llama::read(keys, sizes)? })
}

/// Qwen 3: head norms instead of the biases.
///
/// "Qwen3 Technical Report", 2025.
pub(super) fn read_qwen3(keys: &Keys<'_>, sizes: &Sizes) -> Result<Architecture, EngineError> {
    Ok(Architecture { name: "qwen3", head_norms: true, ..read_qwen2(keys, sizes)? })
}
