//! What a model file is, and whether it would run here.

use std::collections::BTreeMap;

use serde::Serialize;

use sotto_engine::GgufFile;

use crate::Error;
use crate::model::LocalModel;

/// The weights of one quantization.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct WeightsOfType {
    /// How many tensors.
    pub tensors: usize,
    /// Their bytes.
    pub bytes: u64,
}

/// What is known about a loaded model.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ModelReport {
    /// Its name, if the file gives one.
    pub name: Option<String>,
    /// Its architecture, as GGUF names it.
    pub architecture: String,
    /// Weights in all.
    pub parameters: u64,
    /// Transformer layers.
    pub layers: usize,
    /// Width of the residual stream.
    pub hidden_size: usize,
    /// Width of the feed-forward layer.
    pub feed_forward_size: usize,
    /// Query heads.
    pub heads: usize,
    /// Key and value heads (GQA).
    pub kv_heads: usize,
    /// Width of a head.
    pub head_size: usize,
    /// Tokens that the model can be asked to hold.
    pub model_context_length: usize,
    /// Tokens in the vocabulary.
    pub vocab_size: usize,
    /// Bytes of the file.
    pub file_bytes: u64,
    /// Weights by quantization.
    pub weights: BTreeMap<String, WeightsOfType>,
    /// The kind of tokenizer, and its pre-tokenizer.
    pub tokenizer: String,
    /// Whether the file brings its own chat template.
    pub has_chat_template: bool,
    /// Whether it was trained on Sotto's own task formats.
    pub tuned: bool,
    /// The arithmetic that was chosen.
    pub kernels: String,
    /// Threads that work.
    pub threads: usize,
    /// The context that the memory figures are for.
    pub context_length: usize,
    /// Private memory at that context: KV cache and scratch.
    pub private_bytes: u64,
    /// Private memory that the weights take, unless the file is packed: held since the model was loaded.
    pub copied_bytes: u64,
    /// Mapped memory: clean pages of the file.
    pub mapped_bytes: u64,
    /// Memory that the system can give now, where it says so.
    pub available_bytes: Option<u64>,
    /// Whether the private memory can be had now.
    pub fits: bool,
}

/// What is kept of a file to report on it.
#[derive(Debug)]
pub(crate) struct FileFacts {
    pub bytes: u64,
    name: Option<String>,
    parameters: u64,
    weights: BTreeMap<String, WeightsOfType>,
    tokenizer: String,
    has_chat_template: bool,
}

impl FileFacts {
    pub(crate) fn of(gguf: &GgufFile) -> Result<Self, Error> {
        let metadata = gguf.metadata();
        let mut weights: BTreeMap<String, WeightsOfType> = BTreeMap::new();
        let mut parameters = 0;
        for tensor in gguf.tensor_names().filter_map(|name| gguf.tensor(name)) {
            let entry = weights.entry(tensor.dtype.to_string()).or_default();
            entry.tensors += 1;
            entry.bytes += tensor.bytes.len() as u64;
            parameters += tensor.shape.iter().map(|&size| size as u64).product::<u64>();
        }
        let kind = [metadata.string("tokenizer.ggml.model")?, metadata.string("tokenizer.ggml.pre")?];
        Ok(Self {
            bytes: gguf.file_len(),
            name: metadata.string("general.name")?.map(str::to_owned),
            parameters,
            weights,
            tokenizer: kind.into_iter().flatten().collect::<Vec<_>>().join(" / "),
            has_chat_template: metadata.contains("tokenizer.chat_template"),
        })
    }
}

impl LocalModel {
    /// Reports on the model, with the memory that a context of `context_length` tokens takes.
    ///
    /// # Errors
    /// [`Error::ContextFull`] for a context longer than the model's.
    pub fn inspect(&self, context_length: usize) -> Result<ModelReport, Error> {
        let loaded = self.loaded();
        let config = loaded.engine.config();
        if context_length > config.context_length {
            return Err(Error::ContextFull { limit: config.context_length, needed: context_length });
        }
        let memory = loaded.engine.memory(context_length, loaded.kv_type)?;
        let available_bytes = sotto_engine::available_memory();
        let file = &loaded.file;
        Ok(ModelReport {
            name: file.name.clone(),
            architecture: config.architecture.name.to_owned(),
            parameters: file.parameters,
            layers: config.num_layers,
            hidden_size: config.hidden_size,
            feed_forward_size: config.intermediate_size,
            heads: config.num_heads,
            kv_heads: config.num_kv_heads,
            head_size: config.head_dim,
            model_context_length: config.context_length,
            vocab_size: config.vocab_size,
            file_bytes: file.bytes,
            weights: file.weights.clone(),
            tokenizer: file.tokenizer.clone(),
            has_chat_template: file.has_chat_template,
            tuned: loaded.tuned,
            kernels: loaded.engine.kernels().to_owned(),
            threads: loaded.engine.threads(),
            context_length,
            private_bytes: memory.private_bytes,
            copied_bytes: memory.copied_bytes,
            mapped_bytes: memory.mapped_bytes,
            available_bytes,
            fits: available_bytes.is_none_or(|available| memory.private_bytes <= available),
        })
    }
}
