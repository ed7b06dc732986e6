//! What a model file is, and whether it would run here.

use std::collections::BTreeMap;
use std::convert::Infallible;

use serde::{Serialize, Serializer};

use sotto_engine::{Backend, FileKind, FoundModel, GgufFile};

use crate::Error;
use crate::file_facts::{FileFacts, WeightsOfType};
use crate::job::Job;
use crate::model::{Found, LoadOptions, LocalModel, chat_template, context_limit};
use crate::model_file::ModelFile;
use crate::tuning::is_tuned;

/// What is known about a loaded model.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ModelReport {
    /// Its name, if the file has one.
    pub name: Option<String>,
    /// Its architecture, by its GGUF name.
    pub architecture: String,
    /// Number of parameters.
    pub parameters: u64,
    /// Number of transformer layers.
    pub layers: usize,
    /// Width of the residual stream.
    pub hidden_size: usize,
    /// Width of the feed-forward layer.
    pub feed_forward_size: usize,
    /// Number of query heads.
    pub heads: usize,
    /// Number of key and value heads (GQA).
    pub kv_heads: usize,
    /// Width of a head.
    pub head_size: usize,
    /// The model's maximum context length in tokens.
    pub model_context_length: usize,
    /// Number of tokens in the vocabulary.
    pub vocab_size: usize,
    /// Size of the file in bytes.
    pub file_bytes: u64,
    /// Weights by quantization.
    pub weights: BTreeMap<String, WeightsOfType>,
    /// The kind of tokenizer, and its pre-tokenizer.
    pub tokenizer: String,
    /// Whether the file contains a chat template.
    pub has_chat_template: bool,
    /// Whether it was trained on Sotto's own task formats.
    pub tuned: bool,
    /// The instruction set in use.
    pub kernels: String,
    /// Number of threads.
    pub threads: usize,
    /// The context length that the memory figures refer to.
    pub context_length: usize,
    /// Private memory for that context: KV cache and scratch space.
    pub private_bytes: u64,
    /// Private memory of the weights, held since the model was loaded; 0 for a packed file.
    pub copied_bytes: u64,
    /// Mapped memory: clean pages of the file.
    pub mapped_bytes: u64,
    /// Memory that is available now, if the system reports it.
    pub available_bytes: Option<u64>,
    /// Whether that much private memory is available now.
    pub fits: bool,
}

/// What a file is, and how much memory its model would need. Nothing is loaded.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FileReport {
    /// The kind of file.
    #[serde(serialize_with = "write_kind")]
    pub kind: FileKind,
    /// Whether the model can run here now, with the context that it was asked for.
    pub fit: Fit,
    /// Why the model cannot be loaded here, and what to do; `None` when it can.
    pub why_not: Option<String>,
    /// Problems of a model that runs here, and their consequences: an unusual tokenizer, or a chat template that cannot
    /// be read.
    pub warnings: Vec<String>,
    /// Its name, if the file has one.
    pub name: Option<String>,
    /// Its architecture, by its GGUF name. For an adapter, the architecture of its model.
    pub architecture: Option<String>,
    /// The largest rank of an adapter's changes; `None` for other files.
    pub adapter_rank: Option<usize>,
    /// Number of parameters.
    pub parameters: u64,
    /// Number of files: more than one for a split model.
    pub files: usize,
    /// Size of the file, or of all files, in bytes.
    pub file_bytes: u64,
    /// Whether the file is packed.
    pub packed: bool,
    /// Weights by quantization.
    pub weights: BTreeMap<String, WeightsOfType>,
    /// The kind of tokenizer, and its pre-tokenizer; empty without one.
    pub tokenizer: String,
    /// Number of tokens in the vocabulary, if the file states it.
    pub vocab_size: Option<usize>,
    /// Whether the file contains a chat template.
    pub has_chat_template: bool,
    /// Whether it was trained on Sotto's own task formats.
    pub tuned: bool,
    /// The model's maximum context length in tokens, if the file states it.
    pub context_length: Option<usize>,
    /// Mapped memory that the loaded weights would need: clean pages of a file.
    pub mapped_bytes: u64,
    /// Private memory that the loaded weights would need; 0 if the file is packed or there is a folder for packed
    /// copies.
    pub copied_bytes: u64,
    /// Memory for contexts, in addition to the weights, shortest first: 2,048 tokens, 8,192, the model's maximum, and
    /// the length that the options ask for (by default 4,096, or the maximum if that is shorter).
    pub contexts: Vec<ContextMemory>,
    /// Memory that is available now, if the system reports it.
    pub available_bytes: Option<u64>,
}

/// Whether a model can run on this device now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Fit {
    /// Enough memory is available for the context and all weights.
    Fits,
    /// There is enough private memory, but not enough for all mapped weights beside it: for each token, some of them are
    /// read from storage again, and answers are slow. Use a smaller model, or a stronger quantization.
    Tight,
    /// There is not enough private memory. Use a shorter context, a folder for packed copies, or a smaller model.
    TooLarge,
    /// The file cannot be run at all; [`FileReport::why_not`] says why.
    Unsupported,
}

impl Fit {
    /// Of a model with these bytes of private and of mapped memory, where so many are available, if that is known.
    fn of(private: u64, mapped: u64, available: Option<u64>) -> Self {
        match available {
            Some(available) if private > available => Self::TooLarge,
            Some(available) if private.saturating_add(mapped) > available => Self::Tight,
            _ => Self::Fits,
        }
    }
}

/// The private memory that a context needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct ContextMemory {
    /// Its length in tokens.
    pub context_length: usize,
    /// Memory of the KV cache.
    pub cache_bytes: u64,
    /// Memory of KV cache and scratch space together.
    pub private_bytes: u64,
    /// Whether enough memory is available now for this and the copied weights.
    pub fits: bool,
}

fn write_kind<S: Serializer>(kind: &FileKind, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(kind.name())
}

/// Common context lengths.
const USUAL_CONTEXTS: [usize; 2] = [2048, 8192];

/// Reports on a model file, and on the memory it would need if loaded with these options. No matrix is read or packed.
///
/// Files that are not models or cannot run are reported on, too: [`FileReport::why_not`] says why.
///
/// # Errors
/// [`Error::ModelNotFound`], [`Error::ModelInvalid`] and [`Error::Unsupported`] for files that are not valid GGUF
/// files; [`Error::ContextFull`] when the requested context is longer than the model's.
pub fn inspect(file: ModelFile, options: &LoadOptions) -> Job<Infallible, FileReport> {
    let options = options.clone();
    Job::start("inspect", move |_, cancel| {
        let gguf = file.open()?;
        let report = FileReport::of(&gguf);
        match Found::in_file(&gguf, file.folder(), &options, cancel) {
            Ok(found) => report.with_warnings(&gguf, &found).with_memory(&found.model, &options),
            Err(Error::Cancelled) => Err(Error::Cancelled),
            Err(error) => Ok(FileReport { fit: Fit::Unsupported, why_not: Some(error.to_string()), ..report }),
        }
    })
}

impl FileReport {
    /// Everything in the file that can be read.
    fn of(gguf: &GgufFile) -> Self {
        let metadata = gguf.metadata();
        let FileFacts { bytes, name, parameters, weights, tokenizer, has_chat_template } = FileFacts::of(gguf);
        let architecture = metadata.string("general.architecture").ok().flatten();
        let context_key = format!("{}.context_length", architecture.unwrap_or_default());
        let tokens = metadata.len("tokenizer.ggml.tokens");
        Self {
            kind: FileKind::of(gguf),
            fit: Fit::Fits,
            why_not: None,
            warnings: Vec::new(),
            name,
            architecture: architecture.map(str::to_owned),
            adapter_rank: adapter_rank(gguf),
            parameters,
            files: gguf.paths().count(),
            file_bytes: bytes,
            packed: gguf.is_packed(),
            weights,
            tokenizer,
            vocab_size: tokens,
            has_chat_template,
            tuned: is_tuned(gguf),
            context_length: metadata.count(&context_key).ok().flatten().map(|length| length as usize),
            mapped_bytes: 0,
            copied_bytes: 0,
            contexts: Vec::new(),
            available_bytes: sotto_engine::available_memory(),
        }
    }

    /// Adds the warnings that loading the model would log.
    fn with_warnings(mut self, gguf: &GgufFile, found: &Found) -> Self {
        self.warnings.extend_from_slice(found.tokenizer.warnings());
        let unreadable = chat_template(gguf, &found.tokenizer).err();
        self.warnings.extend(unreadable.map(|error| format!("conversations and tasks will not work: {error}")));
        self
    }

    /// Adds the memory that the model would need with these options.
    fn with_memory(mut self, model: &FoundModel, options: &LoadOptions) -> Result<Self, Error> {
        let longest = model.longest_context();
        let wanted = context_limit(longest, options.context_length)?;
        let mut lengths: Vec<usize> = USUAL_CONTEXTS.into_iter().filter(|&length| length < longest).collect();
        lengths.extend([longest, wanted]);
        lengths.sort_unstable();
        lengths.dedup();
        let is_cached = options.cache_folder.is_some() && options.backend == Backend::Sotto;
        for context_length in lengths {
            let memory = model.memory(context_length, options.kv_type)?;
            (self.mapped_bytes, self.copied_bytes) = match is_cached {
                true => (memory.mapped_bytes + memory.copied_bytes, 0),
                false => (memory.mapped_bytes, memory.copied_bytes),
            };
            let needed = memory.private_bytes.saturating_add(self.copied_bytes);
            if context_length == wanted {
                self.fit = Fit::of(needed, self.mapped_bytes, self.available_bytes);
            }
            self.contexts.push(ContextMemory {
                context_length,
                cache_bytes: memory.cache_bytes,
                private_bytes: memory.private_bytes,
                fits: self.available_bytes.is_none_or(|available| needed <= available),
            });
        }
        self.vocab_size = Some(model.config().vocab_size);
        Ok(self)
    }
}

/// The largest number of columns among the adapter's `lora_b` matrices.
fn adapter_rank(gguf: &GgufFile) -> Option<usize> {
    let halves = gguf.tensor_names().filter(|name| name.ends_with(".lora_b"));
    let ranks = halves.filter_map(|name| gguf.tensor(name)?.shape.last().copied());
    ranks.max().filter(|_| FileKind::of(gguf) == FileKind::Adapter)
}

impl LocalModel {
    /// Reports on the model, with the memory for a context of `context_length` tokens.
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
            tuned: loaded.tuning.tuned,
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

#[cfg(test)]
mod tests {
    use super::Fit;

    #[test]
    fn a_model_fits_if_its_weights_can_stay_in_memory() {
        assert_eq!(Fit::of(300, 700, Some(1_000)), Fit::Fits);
        assert_eq!(Fit::of(300, 701, Some(1_000)), Fit::Tight);
        assert_eq!(Fit::of(1_000, 1, Some(1_000)), Fit::Tight);
        assert_eq!(Fit::of(1_001, 0, Some(1_000)), Fit::TooLarge);
        assert_eq!(Fit::of(u64::MAX, u64::MAX, Some(u64::MAX - 1)), Fit::TooLarge);
        assert_eq!(Fit::of(1, u64::MAX, Some(u64::MAX - 1)), Fit::Tight);
        assert_eq!(Fit::of(u64::MAX, u64::MAX, None), Fit::Fits);
    }
}
