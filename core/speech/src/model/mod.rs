//! A model in memory: its weights, its vocabulary, and the threads that compute.

pub(crate) mod config;
mod ggml;
mod heads;
mod hugging_face;
pub(crate) mod weights;

use std::io::{Read as _, Seek as _};
use std::path::Path;
use std::sync::Arc;

use sotto_engine::compute::Pool;
use sotto_engine::tensors::{Tensors, open};
use sotto_engine::{DType, Kernels, KvType};

use crate::mel::MelTransform;
use crate::vocabulary::Vocabulary;
use crate::{CancelToken, Language, SpeechError};
use config::Config;
use heads::AlignmentHeads;
use weights::Weights;

/// How a model is loaded.
#[derive(Debug, Clone, Copy, Default)]
pub struct SpeechOptions {
    /// Number of threads; one per fast core by default.
    pub threads: Option<usize>,
    /// The kernels; by default the fastest that this CPU supports.
    pub kernels: Option<&'static Kernels>,
    /// What weights, keys and values are rounded to.
    pub precision: Precision,
}

/// What weights, keys and values are rounded to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Precision {
    /// Weights in 16 or 32 bits become Q8_0, and keys and values have eight bits: half the memory and time, and the same words on all
    /// recordings that were tried.
    #[default]
    EightBits,
    /// Weights stay as they are in the file, except F32, which becomes F16; keys and values have 16 bits.
    AsInFile,
}

impl Precision {
    /// The number format that a matrix of a file is loaded in.
    pub(crate) fn of_matrix(self, in_file: DType) -> DType {
        match (in_file, self) {
            (DType::F32 | DType::F16 | DType::BF16, Self::EightBits) => DType::Q8_0,
            (DType::F32, Self::AsInFile) => DType::F16,
            (dtype, _) => dtype,
        }
    }

    /// The number format of keys and values.
    pub(crate) fn kv_type(self) -> KvType {
        match self {
            Self::EightBits => KvType::Q8_0,
            Self::AsInFile => KvType::F16,
        }
    }
}

/// A Whisper model. Clones share its weights and threads.
#[derive(Debug, Clone)]
pub struct SpeechModel(pub(crate) Arc<Loaded>);

#[derive(Debug)]
pub(crate) struct Loaded {
    pub(crate) config: Config,
    pub(crate) weights: Weights,
    pub(crate) vocabulary: Vocabulary,
    pub(crate) mel: MelTransform,
    pub(crate) alignment_heads: AlignmentHeads,
    pub(crate) precision: Precision,
    pub(crate) pool: Pool,
    pub(crate) kernels: &'static Kernels,
}

/// What a model file holds.
pub(crate) struct Contents {
    pub(crate) config: Config,
    pub(crate) vocabulary: Vocabulary,
    pub(crate) tensors: Tensors,
    alignment_heads: Naming,
}

/// Which heads of the decoder follow the speech.
enum Naming {
    /// The file lists them.
    Given(Vec<(usize, usize)>),
    /// It does not; they are known for the models that OpenAI has published.
    Known,
}

impl SpeechModel {
    /// Loads a file of whisper.cpp (`ggml-*.bin`), or a folder of Hugging Face with `model.safetensors`, `config.json` and
    /// `tokenizer.json`.
    ///
    /// # Errors
    /// [`SpeechError::NotFound`], [`SpeechError::ModelInvalid`], [`SpeechError::Unsupported`], [`SpeechError::OutOfMemory`], and
    /// [`SpeechError::Cancelled`].
    pub fn load(path: impl AsRef<Path>, options: SpeechOptions, cancel: &CancelToken) -> Result<Self, SpeechError> {
        let Contents { config, vocabulary, mut tensors, alignment_heads } = read(path.as_ref())?;
        let weights = Weights::read(&mut tensors, &config, options.precision, cancel)?;
        let alignment_heads = match alignment_heads {
            Naming::Given(heads) => AlignmentHeads::given(&config, &heads)?,
            Naming::Known => AlignmentHeads::known(&config, vocabulary.is_multilingual()),
        };
        Ok(Self(Arc::new(Loaded {
            mel: MelTransform::new(config.mel_bands, cancel)?,
            config,
            weights,
            vocabulary,
            alignment_heads,
            precision: options.precision,
            pool: Pool::new(options.threads),
            kernels: options.kernels.unwrap_or_else(Kernels::get),
        })))
    }

    /// The languages that can be heard: only English for `.en` models.
    pub fn languages(&self) -> impl Iterator<Item = Language> + use<> {
        Language::all().take(self.0.vocabulary.languages())
    }
}

/// Reads everything but the tensors' numbers.
///
/// # Errors
/// [`SpeechError::NotFound`], [`SpeechError::ModelInvalid`], [`SpeechError::Unsupported`].
pub(crate) fn read(path: &Path) -> Result<Contents, SpeechError> {
    if path.is_dir() {
        return hugging_face::read(path);
    }
    let (mut file, _) = open(path)?;
    let mut magic = [0; 4];
    let is_ggml = file.read_exact(&mut magic).is_ok() && u32::from_le_bytes(magic) == ggml::MAGIC;
    if !is_ggml && path.extension().is_some_and(|ending| ending == "safetensors") {
        return Err(SpeechError::unsupported("a safetensors file by itself: use the folder that contains it"));
    }
    file.rewind().map_err(|error| SpeechError::Internal(format!("the model file can no longer be read: {error}")))?;
    ggml::read(file)
}
