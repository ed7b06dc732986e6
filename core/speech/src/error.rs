use std::path::PathBuf;

use sotto_engine::EngineError;

/// The errors between a recording and its transcript. None contains the spoken words.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SpeechError {
    /// The file does not exist or cannot be read.
    #[error("cannot read {path}: {source}")]
    NotFound {
        /// The path that was asked for.
        path: PathBuf,
        /// The message of the operating system.
        source: std::io::Error,
    },
    /// The file is not a valid model: it is incomplete, inconsistent or something else.
    #[error("the speech model is invalid at {at}: {why}")]
    ModelInvalid {
        /// The place: a byte, a field, a tensor.
        at: String,
        /// What is wrong there.
        why: String,
    },
    /// The file is valid, but is or needs something that is not supported.
    #[error("not supported: {what}")]
    Unsupported {
        /// The unsupported thing, and what to do, if known.
        what: String,
    },
    /// The samples or the audio file cannot be used.
    #[error("the audio is invalid: {why}")]
    AudioInvalid {
        /// What is wrong, and what to do, if known.
        why: String,
    },
    /// More memory is needed than is available.
    #[error("{}", EngineError::OutOfMemory { needed: *needed, available: *available })]
    OutOfMemory {
        /// Bytes asked for.
        needed: u64,
        /// Available bytes; 0 if the system does not report them.
        available: u64,
    },
    /// The work was cancelled.
    #[error("cancelled")]
    Cancelled,
    /// An error in Sotto itself.
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
