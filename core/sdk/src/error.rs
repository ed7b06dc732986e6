use std::path::PathBuf;

use sotto_engine::EngineError;
use sotto_text::TextError;

/// Everything that a call into Sotto can answer with instead of a result.
///
/// Each variant says what an app can do about it; none carries the user's text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// There is no readable model file there: download it, or check the path.
    #[error("cannot read the model file {}: {reason}", path.display())]
    ModelNotFound {
        /// Where it was looked for.
        path: PathBuf,
        /// Why it cannot be read.
        reason: String,
    },
    /// The file is not a model that can be trusted: unfinished, contradicting itself, or something else. Only where its size or a
    /// checksum shows that another download would help does `why` say so.
    #[error("the model file is invalid at {at}: {why}")]
    ModelInvalid {
        /// Why it cannot be used.
        why: String,
        /// The place in the file: a tensor, a metadata key, or a byte.
        at: String,
    },
    /// The file is sound, but is or asks for something that this version does not have: use another model.
    #[error("not supported: {what}")]
    Unsupported {
        /// The thing, and what to do if that is known.
        what: String,
    },
    /// The device cannot spare the memory: ask for a shorter context, or use a smaller model.
    #[error("{needed} bytes of memory are needed, {} can be had", available_words(*available))]
    OutOfMemory {
        /// Bytes asked for.
        needed: u64,
        /// Bytes that can be had; 0 where the system does not say.
        available: u64,
    },
    /// A file cannot be written: free some space, or give another folder.
    #[error("cannot write {}: {reason}", path.display())]
    Storage {
        /// The file or folder.
        path: PathBuf,
        /// What the operating system says.
        reason: String,
    },
    /// The text is longer than can be read or answered: shorten it, or start a new session.
    #[error("at least {needed} tokens are needed, the limit is {limit}")]
    ContextFull {
        /// The most tokens that fit.
        limit: usize,
        /// The tokens that this request needs.
        needed: usize,
    },
    /// An argument cannot be used: an empty note, a single label, a schema that is none.
    #[error("{what}")]
    InvalidInput {
        /// What is wrong with it, and what would be right.
        what: String,
    },
    /// The work was cancelled; everything that was used for it can be used again.
    #[error("cancelled")]
    Cancelled,
    /// A fault of Sotto itself: please report it.
    #[error("internal error: {why}")]
    Internal {
        /// What was found, without any user's text.
        why: String,
    },
}

/// How many bytes can be had.
fn available_words(available: u64) -> String {
    match available {
        0 => "not so many".to_owned(),
        available => available.to_string(),
    }
}

impl Error {
    pub(crate) fn invalid_input(what: impl Into<String>) -> Self {
        Self::InvalidInput { what: what.into() }
    }

    pub(crate) fn internal(why: impl Into<String>) -> Self {
        Self::Internal { why: why.into() }
    }
}

impl From<EngineError> for Error {
    fn from(error: EngineError) -> Self {
        match error {
            EngineError::NotFound { path, source } => Self::ModelNotFound { path, reason: source.to_string() },
            EngineError::Invalid { at, why } => Self::ModelInvalid { why, at },
            EngineError::Unsupported { what } => Self::Unsupported { what },
            EngineError::OutOfMemory { needed, available } => Self::OutOfMemory { needed, available },
            EngineError::Storage { path, source } => Self::Storage { path, reason: source.to_string() },
            EngineError::ContextFull { limit, needed } => Self::ContextFull { limit, needed },
            EngineError::Cancelled => Self::Cancelled,
            other => Self::internal(other.to_string()),
        }
    }
}

impl From<TextError> for Error {
    fn from(error: TextError) -> Self {
        match error {
            TextError::InvalidTokenizer { at, why } => Self::ModelInvalid { why, at },
            TextError::Unsupported { what } => Self::Unsupported { what },
            TextError::Template { why } => {
                Self::Unsupported { what: format!("what its chat template asks for ({why})") }
            }
            TextError::Cancelled => Self::Cancelled,
            TextError::InvalidConstraint { why } => Self::InvalidInput { what: why },
            TextError::InvalidSampling { name, why } => Self::invalid_input(format!("{name}: {why}")),
            other => Self::internal(other.to_string()),
        }
    }
}
