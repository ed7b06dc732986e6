//! What a model file says about itself.

use std::collections::BTreeMap;

use serde::Serialize;
use sotto_engine::GgufFile;
use sotto_text::ChatTemplate;

/// The weights of one quantization.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct WeightsOfType {
    /// How many tensors.
    pub tensors: usize,
    /// Their size in bytes.
    pub bytes: u64,
    /// The wider format that they are packed into without loss, if there are no kernels for this format.
    pub packed_as: Option<String>,
}

/// Facts about a file that reports need.
#[derive(Debug)]
pub(crate) struct FileFacts {
    pub bytes: u64,
    pub name: Option<String>,
    pub parameters: u64,
    pub weights: BTreeMap<String, WeightsOfType>,
    pub tokenizer: String,
    pub has_chat_template: bool,
}

impl FileFacts {
    /// Reads the facts of a file. Metadata that cannot be read is left out; other checks decide whether that matters.
    pub(crate) fn of(gguf: &GgufFile) -> Self {
        let text = |key: &str| gguf.metadata().string(key).ok().flatten();
        let mut weights: BTreeMap<String, WeightsOfType> = BTreeMap::new();
        let mut parameters = 0;
        for tensor in gguf.tensor_names().filter_map(|name| gguf.tensor(name)) {
            let entry = weights.entry(tensor.dtype.to_string()).or_default();
            entry.tensors += 1;
            entry.bytes += tensor.bytes.len() as u64;
            entry.packed_as = tensor.dtype.is_widened().then(|| tensor.dtype.packed_as().to_string());
            parameters += tensor.shape.iter().map(|&size| size as u64).product::<u64>();
        }
        let kind = [text("tokenizer.ggml.model"), text("tokenizer.ggml.pre")];
        Self {
            bytes: gguf.file_len(),
            name: text("general.name").map(str::to_owned),
            parameters,
            weights,
            tokenizer: kind.into_iter().flatten().collect::<Vec<_>>().join(" / "),
            has_chat_template: text("tokenizer.chat_template")
                .is_some_and(|template| !ChatTemplate::is_blank(template)),
        }
    }
}
