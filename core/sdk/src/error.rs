use std::path::PathBuf;

use sotto_engine::EngineError;
#[cfg(feature = "personal")]
use sotto_personal::PersonalError;
use sotto_text::TextError;

/// The errors of Sotto.
///
/// Each variant says what an app can do about it. None contains the user's text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The model file does not exist or cannot be read. Download it, or check the path.
    #[error("cannot read the model file {}: {reason}", path.display())]
    ModelNotFound {
        /// Where it was looked for.
        path: PathBuf,
        /// Why it cannot be read.
        reason: String,
    },
    /// The file is not a valid model: it is incomplete, inconsistent or something else. `why` recommends another
    /// download only if the size or a checksum shows that it would help.
    #[error("the model file is invalid at {at}: {why}")]
    ModelInvalid {
        /// Why it cannot be used.
        why: String,
        /// The place in the file: a tensor, a metadata key, or a byte.
        at: String,
    },
    /// The file is valid, but is or needs something that this version does not support. Use another model.
    #[error("not supported: {what}")]
    Unsupported {
        /// The unsupported thing, and what to do, if known.
        what: String,
    },
    /// There is not enough memory. Use a shorter context or a smaller model.
    #[error("{}", EngineError::OutOfMemory { needed: *needed, available: *available })]
    OutOfMemory {
        /// Bytes asked for.
        needed: u64,
        /// Available bytes; 0 if the system does not report them.
        available: u64,
    },
    /// A file cannot be written. Free some space, or use another folder.
    #[error("cannot write {}: {reason}", path.display())]
    Storage {
        /// The file or folder.
        path: PathBuf,
        /// The message of the operating system.
        reason: String,
    },
    /// The file is damaged, or is not a personal store. Import an exported copy into a new file, or delete this one and
    /// begin anew.
    #[error("{} is not a personal store, or is damaged: {why}", path.display())]
    StoreInvalid {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// The personal store is open elsewhere. Close it there, or share one handle.
    #[error("{} is open elsewhere: close it there, or share one handle", path.display())]
    StoreInUse {
        /// The file.
        path: PathBuf,
    },
    /// The text is too long for the context. Shorten it, or start a new session.
    #[error("at least {needed} tokens are needed, but the limit is {limit}")]
    ContextFull {
        /// The maximum number of tokens.
        limit: usize,
        /// The tokens that this request needs.
        needed: usize,
    },
    /// An argument is invalid: for example an empty note, a single label, or an invalid schema.
    #[error("{what}")]
    InvalidInput {
        /// What is wrong, and how to correct it.
        what: String,
    },
    /// The server that answers instead of the device sent something else than an answer, or not all of one. Try again, or use
    /// another server or model.
    #[error("the server's answer cannot be used: {why}")]
    ServerAnswer {
        /// What is wrong with it.
        why: String,
    },
    /// The work was cancelled. Everything it used can be used again.
    #[error("cancelled")]
    Cancelled,
    /// An error in Sotto itself. Please report it.
    #[error("internal error: {why}")]
    Internal {
        /// What happened, without the user's text.
        why: String,
    },
}

impl Error {
    pub(crate) fn invalid_input(what: impl Into<String>) -> Self {
        Self::InvalidInput { what: what.into() }
    }

    pub(crate) fn server_answer(why: impl Into<String>) -> Self {
        Self::ServerAnswer { why: why.into() }
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

#[cfg(feature = "personal")]
impl From<PersonalError> for Error {
    fn from(error: PersonalError) -> Self {
        match error {
            PersonalError::Invalid { path, why } => Self::StoreInvalid { path, why },
            PersonalError::InUse { path } => Self::StoreInUse { path },
            PersonalError::Storage { path, reason } => Self::Storage { path, reason },
            PersonalError::Unsupported { what } => Self::Unsupported { what },
            other => Self::invalid_input(other.to_string()),
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
