use std::path::Path;
use std::sync::Arc;

use sotto_engine::Kernels;

use crate::recognizer::Recognizer;
use crate::{CancelToken, Language, SpeechError};

/// How a model is loaded.
#[derive(Debug, Clone, Copy, Default)]
pub struct SpeechOptions {
    /// Threads that compute; one for each fast core where it is not given.
    pub threads: Option<usize>,
    /// The routines that compute; the fastest that this CPU has where they are not given.
    pub kernels: Option<&'static Kernels>,
}

/// A Whisper model. Clones share its weights and threads.
#[derive(Debug, Clone)]
pub struct SpeechModel(Arc<Loaded>);

#[derive(Debug)]
struct Loaded {}

impl SpeechModel {
    /// Loads a file of whisper.cpp (`ggml-*.bin`), or a folder of Hugging Face with `model.safetensors`, `config.json` and
    /// `tokenizer.json`.
    ///
    /// # Errors
    /// [`SpeechError::NotFound`], [`SpeechError::ModelInvalid`], [`SpeechError::Unsupported`], [`SpeechError::OutOfMemory`], and
    /// [`SpeechError::Cancelled`].
    pub fn load(_path: impl AsRef<Path>, _options: SpeechOptions, _cancel: &CancelToken) -> Result<Self, SpeechError> {
        Err(SpeechError::unsupported("speech: not there yet"))
    }

    /// Memory to transcribe one recording at a time.
    ///
    /// # Errors
    /// [`SpeechError::OutOfMemory`].
    pub fn recognizer(&self) -> Result<Recognizer, SpeechError> {
        Ok(Recognizer::new(self.clone()))
    }

    /// The languages that can be heard: only English for `.en` models.
    pub fn languages(&self) -> impl Iterator<Item = Language> {
        Language::all().take(1)
    }

    /// Private memory in bytes: that of the weights, and that of one recognizer.
    pub fn memory(&self) -> SpeechMemory {
        SpeechMemory { weights: 0, recognizer: 0 }
    }
}

/// Private memory that a model takes, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SpeechMemory {
    /// The weights and the vocabulary, shared by all recognizers.
    pub weights: u64,
    /// Each recognizer.
    pub recognizer: u64,
}
