//! Speech models: a recording, or what a microphone hears, becomes a transcript.

mod listen;
mod transcribe;
mod transcript;

use std::convert::Infallible;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub use listen::{AudioInput, ListenOptions};
use sotto_speech::{SpeechError, SpeechMemory, SpeechModel, SpeechOptions};
pub use transcript::{SpeechMetrics, Transcript, TranscriptPart, TranscriptSegment, TranscriptWord};

use crate::job::Job;
use crate::model_file::ModelFile;
use crate::request_lock::RequestLock;
use crate::{CancelToken, Error};

const NO_PATH: &str = "a speech model without a path: copy it to a file";

/// A Whisper model that is ready to be used, from any thread. Clones share it.
///
/// ```no_run
/// use sotto::{Audio, ModelFile, Speech, TranscribeOptions, VoiceNote};
///
/// # fn main() -> Result<(), sotto::Error> {
/// let speech = Speech::load(ModelFile::path("ggml-base-q5_1.bin"))?;
/// # let samples = vec![0.0; 16_000];
/// let audio = Audio::samples(sotto::Samples::F32(&samples), sotto::PcmFormat::default())?;
/// let transcript = speech.transcribe(audio, &TranscribeOptions::default()).wait()?;
/// let note = VoiceNote::from(&transcript);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Speech(Arc<Shelf>);

/// A model's file, and the model while it is in memory.
#[derive(Debug)]
struct Shelf {
    path: PathBuf,
    options: SpeechOptions,
    memory: SpeechMemory,
    loaded: Mutex<Option<SpeechModel>>,
    /// Held while the model is loaded again, so that it is loaded once.
    loading: RequestLock<()>,
}

impl Speech {
    /// Loads a model with default options, and waits for it.
    ///
    /// # Errors
    /// As for [`Speech::start_loading`].
    pub fn load(file: ModelFile) -> Result<Self, Error> {
        Self::start_loading(file, &SpeechOptions::default()).wait()
    }

    /// Starts to load a file of whisper.cpp (`ggml-*.bin`), or a folder with `model.safetensors`, `config.json` and `tokenizer.json`.
    ///
    /// # Errors
    /// [`Error::ModelNotFound`]; [`Error::ModelInvalid`] for a damaged file; [`Error::Unsupported`] for a sound one that cannot be
    /// run, and for a file that has no path; [`Error::OutOfMemory`].
    pub fn start_loading(file: ModelFile, options: &SpeechOptions) -> Job<Infallible, Self> {
        let options = *options;
        Job::start("load speech", move |_, cancel| {
            let path = file.path_or(NO_PATH)?.to_owned();
            let model = SpeechModel::load(&path, options, cancel)?;
            let memory = model.memory();
            Ok(Self(Arc::new(Shelf {
                path,
                options,
                memory,
                loaded: Mutex::new(Some(model)),
                loading: RequestLock::new(()),
            })))
        })
    }

    /// The memory that a model would take if it were loaded with these options. Nothing but its description is read.
    ///
    /// # Errors
    /// As for [`Speech::start_loading`].
    pub fn memory_of(file: ModelFile, options: &SpeechOptions) -> Job<Infallible, SpeechMemory> {
        let options = *options;
        Job::start("inspect speech", move |_, _| Ok(SpeechModel::memory_of(file.path_or(NO_PATH)?, options)?))
    }

    /// Private memory in bytes: that of the weights while they are loaded, and that of each recording while it is transcribed.
    pub fn memory(&self) -> SpeechMemory {
        SpeechMemory { available: sotto_engine::available_memory(), ..self.0.memory }
    }

    /// Gives the memory of the weights back, once nothing is transcribed any more: for a language model, or when memory is short. They
    /// are read from the file again, which must still be there, by what is transcribed next.
    pub fn trim(&self) {
        *self.0.lock() = None;
    }
}

impl Shelf {
    /// The model, which is loaded again if need be.
    fn model(&self, cancel: &CancelToken) -> Result<SpeechModel, Error> {
        let _loading = self.loading.lock(cancel)?;
        let loaded = self.lock().clone();
        loaded.map_or_else(|| self.load(cancel), Ok)
    }

    fn load(&self, cancel: &CancelToken) -> Result<SpeechModel, Error> {
        let model = SpeechModel::load(&self.path, self.options, cancel)?;
        *self.lock() = Some(model.clone());
        Ok(model)
    }

    /// What this lock guards is whole at any time.
    fn lock(&self) -> MutexGuard<'_, Option<SpeechModel>> {
        self.loaded.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl From<SpeechError> for Error {
    fn from(error: SpeechError) -> Self {
        match error {
            SpeechError::NotFound { path, source } => Self::ModelNotFound { path, reason: source.to_string() },
            SpeechError::ModelInvalid { at, why } => Self::ModelInvalid { why, at },
            SpeechError::Unsupported { what } => Self::Unsupported { what },
            SpeechError::AudioInvalid { why } => Self::invalid_input(format!("the recording cannot be used: {why}")),
            SpeechError::OutOfMemory { needed, available } => Self::OutOfMemory { needed, available },
            SpeechError::Cancelled => Self::Cancelled,
            other => Self::internal(other.to_string()),
        }
    }
}
