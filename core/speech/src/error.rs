use std::path::PathBuf;

use sotto_engine::EngineError;

/// What can go wrong between a recording and its transcript. No variant carries what was said.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SpeechError {
    /// There is no readable file at this path.
    #[error("cannot read {path}: {source}")]
    NotFound {
        /// The path that was asked for.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// The model file cannot be trusted: unfinished, contradicting itself, or something else.
    #[error("the speech model is invalid at {at}: {why}")]
    ModelInvalid {
        /// The place: a byte, a field, a tensor.
        at: String,
        /// What is wrong there.
        why: String,
    },
    /// The file is sound, but is or asks for something that is not there.
    #[error("not supported: {what}")]
    Unsupported {
        /// The thing, named so that it can be looked up, and what to do if that is known.
        what: String,
    },
    /// The samples or the audio file cannot be used.
    #[error("the audio is invalid: {why}")]
    AudioInvalid {
        /// What is wrong with it, and what to do if that is known.
        why: String,
    },
    /// The memory needed is more than can be had.
    #[error("{needed} bytes of memory are needed, {} can be had", available_words(*available))]
    OutOfMemory {
        /// Bytes asked for.
        needed: u64,
        /// Bytes that the system says are available; 0 where it does not say.
        available: u64,
    },
    /// The work was cancelled.
    #[error("cancelled")]
    Cancelled,
    /// A fault of Sotto itself.
    #[error("internal error: {0}")]
    Internal(String),
}

impl SpeechError {
    /// A [`SpeechError::ModelInvalid`] at a named place in the file.
    pub(crate) fn model_invalid(at: impl Into<String>, why: impl Into<String>) -> Self {
        Self::ModelInvalid { at: at.into(), why: why.into() }
    }

    /// A [`SpeechError::Unsupported`] that names what is missing.
    pub(crate) fn unsupported(what: impl Into<String>) -> Self {
        Self::Unsupported { what: what.into() }
    }

    /// A [`SpeechError::AudioInvalid`] that says why.
    pub(crate) fn audio(why: impl Into<String>) -> Self {
        Self::AudioInvalid { why: why.into() }
    }
}

impl From<EngineError> for SpeechError {
    fn from(error: EngineError) -> Self {
        match error {
            EngineError::NotFound { path, source } => Self::NotFound { path, source },
            EngineError::Invalid { at, why } => Self::ModelInvalid { at, why },
            EngineError::Unsupported { what } => Self::Unsupported { what },
            EngineError::OutOfMemory { needed, available } => Self::OutOfMemory { needed, available },
            EngineError::Cancelled => Self::Cancelled,
            other => Self::Internal(other.to_string()),
        }
    }
}

/// How many bytes can be had.
fn available_words(available: u64) -> String {
    match available {
        0 => "not so many".to_owned(),
        available => available.to_string(),
    }
}
