//! Speech models: a recording, or what a microphone hears, becomes a transcript.

mod listen;
mod transcribe;
mod transcript;

use std::convert::Infallible;

pub use listen::{AudioInput, ListenOptions};
use sotto_speech::{SpeechError, SpeechMemory, SpeechModel, SpeechOptions};
pub use transcript::{SpeechMetrics, Transcript, TranscriptPart, TranscriptSegment, TranscriptWord};

use crate::Error;
use crate::job::Job;
use crate::model_file::ModelFile;

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
pub struct Speech(SpeechModel);

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
        Job::start("load speech", move |_, cancel| match file {
            ModelFile::Path(path) => Ok(Self(SpeechModel::load(path, options, cancel)?)),
            ModelFile::Open(_) | ModelFile::Embedded(_) => {
                Err(Error::Unsupported { what: "a speech model without a path: copy it to a file".into() })
            }
        })
    }

    /// Private memory in bytes: that of the weights, and that of each recording while it is transcribed.
    pub fn memory(&self) -> SpeechMemory {
        self.0.memory()
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
