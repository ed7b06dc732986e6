use std::path::PathBuf;

/// What can go wrong between a model file and its logits. No variant carries text from a user.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EngineError {
    /// There is no readable file at this path.
    #[error("cannot read the model file {path}: {source}")]
    NotFound {
        /// The path that was asked for.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// The file is not a model that can be trusted: unfinished, contradicting itself, or something else. Only where its size or
    /// a checksum shows that another download would help does `why` say so.
    #[error("the model file is invalid at {at}: {why}")]
    Invalid {
        /// The place: a byte, a metadata key, a tensor.
        at: String,
        /// What is wrong there.
        why: String,
    },
    /// The file is sound, but is or asks for something that this engine does not have.
    #[error("not supported: {what}")]
    Unsupported {
        /// The thing, named so that it can be looked up, and what to do if that is known.
        what: String,
    },
    /// The memory needed is more than can be had.
    #[error("{needed} bytes of memory are needed, {} can be had", available_words(*available))]
    OutOfMemory {
        /// Bytes asked for.
        needed: u64,
        /// Bytes that the system says are available; 0 where it does not say.
        available: u64,
    },
    /// A file cannot be written, for want of space or of permission.
    #[error("cannot write {path}: {source}")]
    Storage {
        /// The file or folder.
        path: PathBuf,
        /// What the operating system said.
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
    /// A token id that the vocabulary does not have.
    #[error("token id {id} is outside the vocabulary of {vocab_size}")]
    UnknownToken {
        /// The id.
        id: u32,
        /// Ids run from 0 to this, exclusive.
        vocab_size: usize,
    },
    /// The work was cancelled. The decoder stands at its last whole prefix and can go on from there.
    #[error("cancelled")]
    Cancelled,
    /// A fault of the engine itself.
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

/// How many bytes can be had.
fn available_words(available: u64) -> String {
    match available {
        0 => "not so many".to_owned(),
        available => available.to_string(),
    }
}
