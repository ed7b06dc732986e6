use std::path::PathBuf;

/// The errors between a model file and its logits. None contains text from a user.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EngineError {
    /// The file does not exist or cannot be read.
    #[error("cannot read the model file {path}: {source}")]
    NotFound {
        /// The requested path.
        path: PathBuf,
        /// The message of the operating system.
        source: std::io::Error,
    },
    /// The file is not a valid model: it is incomplete, inconsistent or something else. `why` recommends another
    /// download only if the size or a checksum shows that it would help.
    #[error("the model file is invalid at {at}: {why}")]
    Invalid {
        /// The place: a byte, a metadata key, a tensor.
        at: String,
        /// What is wrong there.
        why: String,
    },
    /// The file is valid, but is or needs something that this engine does not support.
    #[error("not supported: {what}")]
    Unsupported {
        /// The unsupported thing, and what to do, if known.
        what: String,
    },
    /// More memory is needed than is available.
    #[error("{needed} bytes of memory are needed, but {} available", available_words(*available))]
    OutOfMemory {
        /// Bytes asked for.
        needed: u64,
        /// Available bytes; 0 if the system does not report them.
        available: u64,
    },
    /// A file cannot be written, because space or permission is missing.
    #[error("cannot write {path}: {source}")]
    Storage {
        /// The file or folder.
        path: PathBuf,
        /// The message of the operating system.
        source: std::io::Error,
    },
    /// More tokens than the context holds.
    #[error("{needed} tokens do not fit into a context of {limit}")]
    ContextFull {
        /// The context's length in tokens.
        limit: usize,
        /// The length that would be needed.
        needed: usize,
    },
    /// A token id outside the vocabulary.
    #[error("token id {id} is outside the vocabulary of {vocab_size}")]
    UnknownToken {
        /// The id.
        id: u32,
        /// The size of the vocabulary: ids are below it.
        vocab_size: usize,
    },
    /// The work was cancelled. The decoder keeps a valid prefix and can continue from there.
    #[error("cancelled")]
    Cancelled,
    /// An error in the engine itself.
    #[error("internal error: {0}")]
    Internal(String),
}

impl EngineError {
    /// An [`EngineError::Invalid`] at a named place in the file.
    pub(crate) fn invalid(at: impl Into<String>, why: impl Into<String>) -> Self {
        Self::Invalid { at: at.into(), why: why.into() }
    }

    /// An [`EngineError::Unsupported`] that names what is missing.
    pub(crate) fn unsupported(what: impl Into<String>) -> Self {
        Self::Unsupported { what: what.into() }
    }
}

/// Describes the available bytes.
fn available_words(available: u64) -> String {
    match available {
        0 => "not".to_owned(),
        available => format!("only {available} are"),
    }
}
