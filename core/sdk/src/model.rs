//! Loading a model, and the handle to it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use sotto_engine::{
    Backend, CancelToken, DEFAULT_CONTEXT_LENGTH, FoundModel, GgufFile, Kernels, KvType, ModelOptions, Priority,
    delete_packed_source, open_copy_of_deleted, open_packed,
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
    /// The backend: Sotto's own engine, or candle's models if the feature `candle` is enabled.
    pub backend: Backend,
    /// Number of threads; by default one per performance core.
    pub threads: Option<usize>,
    /// The instruction set for Sotto's own engine; by default the fastest on the device. The answers are the same.
    pub kernels: Option<&'static Kernels>,
    /// The folder for packed copies of model files. A packed file is mapped, so it loads faster and its weights need no
    /// private memory. The first load of a GGUF file makes a packed copy, which needs as much space as the file.
    /// Without a folder, every load packs the weights into private memory.
    pub cache_folder: Option<PathBuf>,
    /// Whether the model file, all files of a split one, is deleted as soon as its packed copy is complete and on the disk. Later
    /// loads find the copy by the path of the file that is gone. This needs a cache folder, and a file with a path. A packed file
    /// is not deleted. If a file cannot be deleted, loading succeeds all the same, and logs a warning.
    pub delete_source_after_packing: bool,
    /// The maximum context length of a request; by default [`DEFAULT_CONTEXT_LENGTH`], or the model's own if that is
    /// shorter.
    pub context_length: Option<usize>,
    /// The number format of the KV cache: 16 bits, or 8 bits for half the memory and more speed in long contexts, at a
    /// small cost in accuracy.
    pub kv_type: KvType,
}

impl LoadOptions {
    pub(crate) fn engine(&self) -> ModelOptions {
        ModelOptions { backend: self.backend, threads: self.threads, kernels: self.kernels }
    }
}

/// A loaded model that can be used from any thread. Clones share it.
#[derive(Clone)]
pub struct LocalModel(Arc<Loaded>);

impl LocalModel {
    /// Loads a model with default options.
    ///
    /// # Errors
    /// [`Error::ModelNotFound`], [`Error::ModelInvalid`] for a damaged file, [`Error::Unsupported`] for a valid one
    /// that cannot be run, [`Error::OutOfMemory`] when there is not enough memory to pack the weights into.
    pub fn load(file: ModelFile) -> Result<Self, Error> {
        Self::load_with(file, &LoadOptions::default())
    }

    /// Loads a model, and waits for it.
    ///
    /// # Errors
    /// [`Error::ModelNotFound`], [`Error::ModelInvalid`] for a damaged file, [`Error::Unsupported`] for a valid one
    /// that cannot be run, [`Error::ContextFull`] when the requested context is longer than the model's,
    /// [`Error::OutOfMemory`] when there is not enough memory to pack the weights into, [`Error::Storage`] when a
    /// packed copy cannot be written.
    pub fn load_with(file: ModelFile, options: &LoadOptions) -> Result<Self, Error> {
        Self::start_loading(file, options).wait()
    }

    /// Starts to load a model. While a packed copy is being made, the job reports progress in bytes. A chat template
    /// that cannot be read is not an error here: conversations and tasks report it, and everything else works.
    ///
    /// # Errors
    /// [`Error::ModelNotFound`], [`Error::ModelInvalid`] for a damaged file, [`Error::Unsupported`] for a valid one
    /// that cannot be run, [`Error::ContextFull`] when the requested context is longer than the model's,
    /// [`Error::OutOfMemory`] when there is not enough memory to pack the weights into, [`Error::Storage`] when a
    /// packed copy cannot be written.
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
            .inspect_err(|error| log::warn!("conversations and tasks will not work: {error}"));
        let (tuning, facts) = (TaskTuning::of(&gguf)?, FileFacts::of(&gguf));
        let engine = model.load(cancel)?;
        Ok(Self::of(Loaded::new(engine, tokenizer, template, tuning, facts, options.kv_type, context_limit)))
    }

    pub(crate) fn of(loaded: Loaded) -> Self {
        Self(Arc::new(loaded))
    }

    /// The maximum context length of a request, in tokens.
    pub fn context_length(&self) -> usize {
        self.0.context_limit()
    }

    /// The number of tokens in a text, without those that a chat template adds.
    ///
    /// # Errors
    /// [`Error::Internal`] if the tokenizer fails.
    pub fn token_count(&self, text: &str) -> Result<usize, Error> {
        Ok(self.0.tokenizer.encode(text)?.len())
    }

    /// The same model for requests of this priority. It shares everything that is loaded.
    ///
    /// Requests that run at the same time share passes through the model, whichever handle they were made with: answers are the same,
    /// and come sooner than one after the other. What a person waits for goes first; background work gets what is left of each pass.
    pub fn with_priority(&self, priority: Priority) -> Self {
        Self::of(self.0.with_priority(priority))
    }

    /// Gives back the memory of what is kept between requests: the beginnings of prompts, which the next requests compute again, and,
    /// unless a request runs, the buffers that all of them share. Returns the number of bytes of the former. Call it when the system says
    /// that memory is short.
    pub fn trim(&self) -> u64 {
        let bytes = self.cached_bytes();
        self.0.prefix_cache.clear();
        self.0.engine.trim();
        bytes
    }

    /// Bytes of private memory that are kept between requests, at most 64 MiB.
    pub fn cached_bytes(&self) -> u64 {
        self.0.prefix_cache.bytes()
    }

    pub(crate) fn loaded(&self) -> Arc<Loaded> {
        Arc::clone(&self.0)
    }
}

/// The contents of a file, checked before its weights are packed. Loading and packing accept the same files.
pub(crate) struct Found {
    pub model: FoundModel,
    pub tokenizer: Tokenizer,
}

impl Found {
    /// `folder` may contain a `tokenizer.json`.
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
        // A cache type that does not fit the heads is rejected here, not in the first request.
        model.memory(1, options.kv_type)?;
        let tokenizer = load_tokenizer(gguf, folder, cancel)?;
        let (tokens, rows) = (tokenizer.vocab_size(), model.config().vocab_size);
        match tokens > rows {
            true => Err(Error::ModelInvalid {
                why: format!("the tokenizer has {tokens} tokens, but the embedding has {rows} rows"),
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
    let is_cached = options.cache_folder.is_some() && options.backend == Backend::Sotto;
    if options.delete_source_after_packing && !(is_cached && matches!(file, ModelFile::Path(_))) {
        return Err(Error::invalid_input(
            "a model is deleted after packing only if it has a path, Sotto's own backend loads it, and a cache folder is set",
        ));
    }
    let gguf = match &options.cache_folder {
        // candle's models read the GGUF file itself.
        Some(folder) if options.backend == Backend::Sotto => open_cached(file, folder, options, cancel, on_progress)?,
        _ => file.open()?,
    };
    Ok(Arc::new(gguf))
}

/// Opens the packed copy of a file, which is made if there is none. A file that was deleted after packing has only that.
fn open_cached(
    file: &ModelFile,
    folder: &Path,
    options: &LoadOptions,
    cancel: &CancelToken,
    on_progress: impl Fn(Progress),
) -> Result<GgufFile, Error> {
    let tokenizer = |gguf: &GgufFile| {
        FoundModel::in_file(gguf, options.engine())?;
        packed_tokenizer(gguf, cancel)
    };
    let opened = file.part().and_then(|part| match part {
        Some(part) => open_packed(&part, folder, tokenizer, cancel, |done, total| {
            on_progress(Progress { done: done as usize, total: total as usize });
        }),
        None => file.open(),
    });
    let (opened, path) = match (opened, file) {
        (opened, ModelFile::Path(path)) => (opened, path),
        (opened, _) => return opened,
    };
    let copy = match opened {
        Err(error @ Error::ModelNotFound { .. }) => open_copy_of_deleted(path, folder).ok_or(error)?,
        opened => opened?,
    };
    if options.delete_source_after_packing
        && let Err(error) = delete_packed_source(path, &copy)
    {
        log::warn!("the model was packed, but cannot be deleted: {error}");
    }
    Ok(copy)
}

pub(crate) fn context_limit(model: usize, wanted: Option<usize>) -> Result<usize, Error> {
    match wanted {
        Some(0) => Err(Error::invalid_input("the context length must be at least 1")),
        Some(wanted) if wanted > model => Err(Error::ContextFull { limit: model, needed: wanted }),
        Some(wanted) => Ok(wanted),
        None => Ok(model.min(DEFAULT_CONTEXT_LENGTH)),
    }
}
