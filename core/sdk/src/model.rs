//! A loaded model: the engine, the tokenizer and the chat template of one file, shared by everything that uses them.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use sotto_engine::{
    Backend, CancelToken, DEFAULT_CONTEXT_LENGTH, FoundModel, GgufFile, Kernels, KvType, ModelOptions, open_packed,
};
use sotto_text::{ChatTemplate, Tokenizer};

use crate::Error;
use crate::file_facts::FileFacts;
use crate::job::{Job, Progress};
use crate::loaded::Loaded;
use crate::model_file::ModelFile;
use crate::tokenizer::{load_tokenizer, packed_tokenizer};
use crate::tuning::TaskTuning;

/// How to load a model.
#[derive(Debug, Clone, Default)]
pub struct LoadOptions {
    /// What computes: Sotto's own engine, or candle's models, where the feature `candle` compiles them.
    pub backend: Backend,
    /// How many threads work; by default as many as the device has performance cores.
    pub threads: Option<usize>,
    /// The instruction set that Sotto's own engine uses; by default the fastest that the device has. The answers are the same.
    pub kernels: Option<&'static Kernels>,
    /// Where packed copies of model files are kept. A packed file is mapped: it loads faster and its weights take no
    /// private memory. The first load of a GGUF file makes its copy there, which takes as much space as the file; without a
    /// folder, every load packs the weights into private memory.
    pub cache_folder: Option<PathBuf>,
    /// The longest context of a request; by default [`DEFAULT_CONTEXT_LENGTH`], or the model's own when that is less.
    pub context_length: Option<usize>,
    /// The number format of keys and values: 16 bits, or 8 for half the memory of a context and more speed in a long one,
    /// at a small cost in accuracy.
    pub kv_type: KvType,
}

impl LoadOptions {
    pub(crate) fn engine(&self) -> ModelOptions {
        ModelOptions { backend: self.backend, threads: self.threads, kernels: self.kernels }
    }
}

/// A model that is ready to be used, from any thread. Clones share it.
#[derive(Clone)]
pub struct LocalModel(Arc<Loaded>);

impl LocalModel {
    /// Loads a model with default options.
    ///
    /// # Errors
    /// [`Error::ModelNotFound`], [`Error::ModelInvalid`] for a damaged file, [`Error::Unsupported`] for a sound one that
    /// cannot be run, [`Error::OutOfMemory`] when
    /// the weights have to be packed into memory that is not there.
    pub fn load(file: ModelFile) -> Result<Self, Error> {
        Self::load_with(file, &LoadOptions::default())
    }

    /// Loads a model, and waits for it.
    ///
    /// # Errors
    /// [`Error::ModelNotFound`], [`Error::ModelInvalid`] for a damaged file, [`Error::Unsupported`] for a sound one that
    /// cannot be run, [`Error::ContextFull`] when more context is asked for than the model has, [`Error::OutOfMemory`] when
    /// the weights have to be packed into memory that is not there, [`Error::Storage`] when a packed copy cannot be written.
    pub fn load_with(file: ModelFile, options: &LoadOptions) -> Result<Self, Error> {
        Self::start_loading(file, options).wait()
    }

    /// Starts to load a model. While its packed copy is made, the job tells the bytes done. A chat template that cannot be read
    /// is no error here: conversations and tasks report it, and all else works.
    ///
    /// # Errors
    /// [`Error::ModelNotFound`], [`Error::ModelInvalid`] for a damaged file, [`Error::Unsupported`] for a sound one that
    /// cannot be run, [`Error::ContextFull`] when more context is asked for than the model has, [`Error::OutOfMemory`] when
    /// the weights have to be packed into memory that is not there, [`Error::Storage`] when a packed copy cannot be written.
    pub fn start_loading(file: ModelFile, options: &LoadOptions) -> Job<Progress, Self> {
        let options = options.clone();
        Job::start("load", move |reporter, cancel| {
            let gguf = open(&file, &options, cancel, |progress| reporter.report(progress))?;
            cancel.check()?;
            Self::from_gguf(gguf, file.folder(), &options, cancel)
        })
    }

    fn from_gguf(
        gguf: Arc<GgufFile>,
        folder: Option<&Path>,
        options: &LoadOptions,
        cancel: &CancelToken,
    ) -> Result<Self, Error> {
        let Found { model, tokenizer } = Found::in_file(&gguf, folder, options, cancel)?;
        let context_limit = context_limit(model.longest_context(), options.context_length)?;
        let template = chat_template(&gguf, &tokenizer)
            .inspect_err(|error| log::warn!("conversations and tasks will be refused: {error}"));
        let (tuning, facts) = (TaskTuning::of(&gguf)?, FileFacts::of(&gguf));
        let engine = model.load(cancel)?;
        Ok(Self::of(Loaded::new(engine, tokenizer, template, tuning, facts, options.kv_type, context_limit)))
    }

    pub(crate) fn of(loaded: Loaded) -> Self {
        Self(Arc::new(loaded))
    }

    /// The longest context of a request, in tokens.
    pub fn context_length(&self) -> usize {
        self.0.context_limit()
    }

    /// How many tokens a text has, without those that a chat template puts around it.
    ///
    /// # Errors
    /// [`Error::Internal`] if the tokenizer fails.
    pub fn token_count(&self, text: &str) -> Result<usize, Error> {
        Ok(self.0.tokenizer.encode(text)?.len())
    }

    pub(crate) fn loaded(&self) -> Arc<Loaded> {
        Arc::clone(&self.0)
    }
}

/// What loading a file finds in it and checks, before weights are packed: what can be loaded can be packed, and the reverse.
pub(crate) struct Found {
    pub model: FoundModel,
    pub tokenizer: Tokenizer,
}

impl Found {
    /// A `tokenizer.json` may lie in `folder`.
    ///
    /// # Errors
    /// [`Error::ModelInvalid`], [`Error::Unsupported`], [`Error::ModelNotFound`] for a `tokenizer.json` that cannot be read,
    /// [`Error::Cancelled`].
    pub(crate) fn in_file(
        gguf: &GgufFile,
        folder: Option<&Path>,
        options: &LoadOptions,
        cancel: &CancelToken,
    ) -> Result<Self, Error> {
        let model = FoundModel::in_file(gguf, options.engine())?;
        // A cache type that does not fit the heads is refused here, not by the first request.
        model.memory(1, options.kv_type)?;
        let tokenizer = load_tokenizer(gguf, folder, cancel)?;
        let (tokens, rows) = (tokenizer.vocab_size(), model.config().vocab_size);
        match tokens > rows {
            true => Err(Error::ModelInvalid {
                why: format!("the tokenizer has {tokens} tokens, the embedding {rows}"),
                at: "tokenizer.ggml.tokens".into(),
            }),
            false => Ok(Self { model, tokenizer }),
        }
    }
}

/// The file's chat template, or the built-in one of its family.
pub(crate) fn chat_template(gguf: &GgufFile, tokenizer: &Tokenizer) -> Result<ChatTemplate, Error> {
    Ok(ChatTemplate::for_tokenizer(gguf.metadata().string("tokenizer.chat_template")?, tokenizer)?)
}

fn open(
    file: &ModelFile,
    options: &LoadOptions,
    cancel: &CancelToken,
    on_progress: impl Fn(Progress),
) -> Result<Arc<GgufFile>, Error> {
    let gguf = match (&options.cache_folder, file.part()?) {
        // candle's models read the GGUF file itself.
        (Some(folder), Some(part)) if options.backend == Backend::Sotto => {
            let tokenizer = |gguf: &GgufFile| {
                FoundModel::in_file(gguf, options.engine())?;
                packed_tokenizer(gguf, cancel)
            };
            open_packed(&part, folder, tokenizer, cancel, |done, total| {
                on_progress(Progress { done: done as usize, total: total as usize });
            })?
        }
        _ => file.open()?,
    };
    Ok(Arc::new(gguf))
}

pub(crate) fn context_limit(model: usize, wanted: Option<usize>) -> Result<usize, Error> {
    match wanted {
        Some(0) => Err(Error::invalid_input("the context length must be at least 1")),
        Some(wanted) if wanted > model => Err(Error::ContextFull { limit: model, needed: wanted }),
        Some(wanted) => Ok(wanted),
        None => Ok(model.min(DEFAULT_CONTEXT_LENGTH)),
    }
}
