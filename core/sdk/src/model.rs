//! A loaded model: the engine, the tokenizer and the chat template of one file, shared by everything that uses them.

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use sotto_engine::{
    Backend, Batch, CancelToken, DEFAULT_CONTEXT_LENGTH, Decoder, DecoderOptions, FilePart, FoundModel, GgufFile,
    Kernels, KvType, Model, ModelOptions, open_packed,
};
use sotto_text::{ChatTemplate, ConstraintFactory, Message, RenderedPrompt, Tokenizer};

use crate::Error;
use crate::adapter::TaskTuning;
use crate::inspect::FileFacts;
use crate::job::Job;
use crate::kept::Kept;
use crate::raw::Progress;
use crate::tasks::classify::Priors;
use crate::tokenizer::{load_tokenizer, packed_tokenizer};

/// Where a model is.
#[derive(Debug, Clone)]
pub enum ModelFile {
    /// A GGUF file, or a packed one. A `tokenizer.json` beside it is used when it has no tokenizer itself.
    Path(PathBuf),
    /// The same in a file that is open already, or in a part of it: [`ModelFile::descriptor`].
    Open(Arc<FilePart>),
    /// A GGUF file that is part of the program.
    Embedded(&'static [u8]),
}

impl ModelFile {
    /// A model file at `path`.
    pub fn path(path: impl AsRef<Path>) -> Self {
        Self::Path(path.as_ref().to_owned())
    }

    /// A model file that begins at `offset` of an open file, in bytes, and has `len` bytes or goes on to the file's end: an
    /// asset in an app's package, or a document that another app shares.
    ///
    /// The descriptor is duplicated before this returns, and stays the caller's to close. One that is not open is reported
    /// by loading, as a path without a file is. The model is mapped where it lies; only one that does not begin at a multiple
    /// of 4 bytes is copied.
    pub fn descriptor(descriptor: i32, offset: u64, len: Option<u64>) -> Self {
        Self::Open(Arc::new(FilePart::from_descriptor(descriptor, offset, len)))
    }

    /// The file, as it is.
    pub(crate) fn open(&self) -> Result<GgufFile, Error> {
        Ok(match self {
            Self::Path(path) => GgufFile::open(path)?,
            Self::Open(part) => GgufFile::open_part(part)?,
            Self::Embedded(bytes) => GgufFile::from_bytes(*bytes)?,
        })
    }

    /// `None` for what lies in the program.
    fn part(&self) -> Result<Option<Arc<FilePart>>, Error> {
        Ok(match self {
            Self::Path(path) => Some(Arc::new(FilePart::open(path)?)),
            Self::Open(part) => Some(Arc::clone(part)),
            Self::Embedded(_) => None,
        })
    }

    /// Where a `tokenizer.json` may lie.
    pub(crate) fn folder(&self) -> Option<&Path> {
        match self {
            Self::Path(path) => path.parent(),
            Self::Open(_) | Self::Embedded(_) => None,
        }
    }
}

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

/// All of it is shared or small: a clone with other adapters is the same model.
#[derive(Clone)]
pub(crate) struct Loaded {
    pub engine: Model,
    /// What it computes with, each with its scale.
    pub adapters: Arc<[(sotto_engine::Adapter, f32)]>,
    pub tokenizer: Tokenizer,
    /// An error where the file's cannot be read: that is in the way of conversations and tasks alone.
    pub template: Result<ChatTemplate, Error>,
    /// What the tasks go by: that of an adapter, or the model's own.
    pub tuning: TaskTuning,
    /// The model's own.
    pub own_tuning: TaskTuning,
    pub file: Arc<FileFacts>,
    pub kv_type: KvType,
    /// With the beginning of a summary's prompt in it.
    pub kept: Arc<Kept>,
    /// What the model thinks of labels whatever the text says.
    pub priors: Arc<Priors>,
    context_limit: usize,
    constraints: Arc<OnceLock<Result<ConstraintFactory, Error>>>,
}

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
        let own_tuning = TaskTuning::of(&gguf)?;
        let file = Arc::new(FileFacts::of(&gguf));
        Ok(Self::of(Loaded {
            engine: model.load(cancel)?,
            adapters: Arc::new([]),
            tokenizer,
            template,
            tuning: own_tuning,
            own_tuning,
            file,
            kv_type: options.kv_type,
            context_limit,
            constraints: Arc::default(),
            kept: Arc::default(),
            priors: Arc::default(),
        }))
    }

    pub(crate) fn of(loaded: Loaded) -> Self {
        Self(Arc::new(loaded))
    }

    /// The longest context of a request, in tokens.
    pub fn context_length(&self) -> usize {
        self.0.context_limit
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

impl Loaded {
    pub(crate) fn context_limit(&self) -> usize {
        self.context_limit
    }

    /// The token that a text on its own begins with, for models that want one.
    pub(crate) fn leading_bos(&self) -> Option<u32> {
        self.tokenizer.bos().filter(|_| self.tokenizer.add_bos())
    }

    /// Refuses a text that the context cannot hold whatever its tokens are: to make them would take long.
    pub(crate) fn refuse_far_too_long(&self, bytes: usize) -> Result<(), Error> {
        match self.tokenizer.fewest_tokens(bytes) {
            needed if needed > self.context_limit => Err(Error::ContextFull { limit: self.context_limit, needed }),
            _ => Ok(()),
        }
    }

    /// The prompt of a conversation.
    pub(crate) fn prompt(&self, messages: &[Message], add_generation_prompt: bool) -> Result<Vec<u32>, Error> {
        self.refuse_far_too_long(messages.iter().map(|message| message.content.len()).sum())?;
        Ok(self.tokenizer.encode_prompt(&self.render(messages, add_generation_prompt)?)?)
    }

    pub(crate) fn render(&self, messages: &[Message], add_generation_prompt: bool) -> Result<RenderedPrompt, Error> {
        let template = self.template.as_ref().map_err(Clone::clone)?;
        Ok(template.render(messages, add_generation_prompt)?)
    }

    /// A decoder that holds up to `tokens` tokens.
    pub(crate) fn decoder(&self, tokens: usize) -> Result<Box<dyn Decoder>, Error> {
        let options = DecoderOptions { context_length: Some(tokens), kv_type: self.kv_type };
        let mut decoder = self.engine.decoder(options)?;
        decoder.set_adapters(&self.adapters)?;
        Ok(decoder)
    }

    /// Sequences that decode together, each of up to `tokens` tokens.
    pub(crate) fn batch(&self, sequences: usize, tokens: usize) -> Result<Batch, Error> {
        let options = DecoderOptions { context_length: Some(tokens), kv_type: self.kv_type };
        let mut batch = self.engine.batch(sequences, options)?;
        batch.set_adapters(&self.adapters)?;
        Ok(batch)
    }

    /// What turns grammars into token masks; built at first use, since that takes a while for a large vocabulary.
    pub(crate) fn constraints(&self) -> Result<&ConstraintFactory, Error> {
        self.constraints
            .get_or_init(|| ConstraintFactory::new(&self.tokenizer).map_err(Error::from))
            .as_ref()
            .map_err(Clone::clone)
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
