//! A model in memory: its weights, its vocabulary, and the threads that compute.

pub(crate) mod config;
mod ggml;
mod hugging_face;
pub(crate) mod weights;

use std::io::{Read as _, Seek as _};
use std::path::Path;
use std::sync::Arc;

use sotto_engine::compute::{Pool, WeightMatrix};
use sotto_engine::tensors::{Tensors, open};
use sotto_engine::{DType, Kernels, KvType};

use crate::mel::MelTransform;
use crate::recognizer::Recognizer;
use crate::vocabulary::Vocabulary;
use crate::words::AlignmentHeads;
use crate::{CancelToken, Language, SpeechError};
use config::Config;
use weights::Weights;

/// How a model is loaded.
#[derive(Debug, Clone, Copy, Default)]
pub struct SpeechOptions {
    /// Threads that compute; one for each fast core where it is not given.
    pub threads: Option<usize>,
    /// The routines that compute; the fastest that this CPU has where they are not given.
    pub kernels: Option<&'static Kernels>,
    /// What weights, keys and values are rounded to.
    pub precision: Precision,
}

/// What weights, keys and values are rounded to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Precision {
    /// Weights in 16 or 32 bits become Q8_0, and keys and values eight bits: half the memory and time, and on the recordings that were
    /// tried, no other word.
    #[default]
    EightBits,
    /// Weights stay what they are in the file, but for `f32`, which becomes F16; keys and values have 16 bits.
    AsInFile,
}

impl Precision {
    /// The number format that a matrix of a file is loaded in.
    fn of_matrix(self, in_file: DType) -> DType {
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
struct Contents {
    config: Config,
    vocabulary: Vocabulary,
    tensors: Tensors,
    alignment_heads: Naming,
}

/// Which heads of the decoder follow what is said.
enum Naming {
    /// The file says them.
    Given(Vec<(usize, usize)>),
    /// It does not; they are known of the models that OpenAI has published.
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

    /// Private memory that the model would take, before it is loaded. Nothing but its description is read.
    ///
    /// # Errors
    /// [`SpeechError::NotFound`], [`SpeechError::ModelInvalid`], [`SpeechError::Unsupported`].
    pub fn memory_of(path: impl AsRef<Path>, options: SpeechOptions) -> Result<SpeechMemory, SpeechError> {
        let Contents { config, vocabulary, tensors, .. } = read(path.as_ref())?;
        let weights = loaded_bytes(&tensors, options.precision);
        Ok(SpeechMemory::new(weights + vocabulary.bytes(), &config, options.precision))
    }

    /// Memory to transcribe one recording at a time.
    ///
    /// # Errors
    /// [`SpeechError::OutOfMemory`].
    pub fn recognizer(&self) -> Result<Recognizer, SpeechError> {
        Recognizer::new(self.clone())
    }

    /// The languages that can be heard: only English for `.en` models.
    pub fn languages(&self) -> impl Iterator<Item = Language> + use<> {
        Language::all().take(self.0.vocabulary.languages())
    }

    /// Private memory in bytes: that of the weights, and that of one recognizer.
    pub fn memory(&self) -> SpeechMemory {
        let Loaded { weights, vocabulary, config, precision, .. } = &*self.0;
        SpeechMemory::new(weights.bytes() + vocabulary.bytes(), config, *precision)
    }
}

fn read(path: &Path) -> Result<Contents, SpeechError> {
    if path.is_dir() {
        return hugging_face::read(path);
    }
    let (mut file, _) = open(path)?;
    let mut magic = [0; 4];
    // A shorter file has no magic number either.
    let is_ggml = file.read_exact(&mut magic).is_ok() && u32::from_le_bytes(magic) == ggml::MAGIC;
    if !is_ggml && path.extension().is_some_and(|ending| ending == "safetensors") {
        return Err(SpeechError::unsupported("a safetensors file by itself: use the folder that contains it"));
    }
    file.rewind().map_err(|error| SpeechError::Internal(format!("the model file can no longer be read: {error}")))?;
    ggml::read(file)
}

/// Bytes of all matrices, kernels of convolutions and positions once they are loaded. Vectors count for nothing beside them.
fn loaded_bytes(tensors: &Tensors, precision: Precision) -> u64 {
    let bytes = tensors.places().map(|(name, place)| match *place.dimensions() {
        [rows, columns] if name.ends_with("positional_embedding") => rows * columns * size_of::<f32>(),
        [rows, columns] => WeightMatrix::packed_len_of(precision.of_matrix(place.dtype), [rows, columns]),
        [outputs, inputs, frames] => WeightMatrix::packed_len_of(DType::F16, [outputs, inputs * frames]),
        _ => 0,
    });
    bytes.sum::<usize>() as u64
}

/// Private memory that a model takes, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SpeechMemory {
    /// The weights and the vocabulary, shared by all recognizers.
    pub weights: u64,
    /// Each recognizer.
    pub recognizer: u64,
    /// What the system can give now, where it says so.
    pub available: Option<u64>,
}

impl SpeechMemory {
    fn new(weights: u64, config: &Config, precision: Precision) -> Self {
        let recognizer = Recognizer::bytes(config, precision.kv_type());
        Self { weights, recognizer, available: sotto_engine::available_memory() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::small_model::{file, load, write};

    #[test]
    fn what_a_model_takes_is_known_before_it_is_loaded() {
        let file = write(&file());
        for precision in [Precision::EightBits, Precision::AsInFile] {
            let options = SpeechOptions { precision, ..SpeechOptions::default() };
            let (before, loaded) = (SpeechModel::memory_of(file.path(), options), load(precision).memory());
            let before = before.expect("a model");
            assert_eq!((before.weights, before.recognizer), (loaded.weights, loaded.recognizer), "{precision:?}");
        }
        let nowhere = SpeechModel::memory_of("/nowhere/ggml-base.bin", SpeechOptions::default());
        assert!(matches!(nowhere, Err(SpeechError::NotFound { .. })));
    }
}
