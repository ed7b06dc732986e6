//! Why a model cannot be had.

use std::io;
use std::path::{Path, PathBuf};

/// Why a model cannot be had, and what to do. No message has a password, a token, or the query of an address.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// What was asked for cannot name a model.
    #[error("{why}")]
    InvalidSource {
        /// What is wrong, and how to correct it.
        why: String,
    },
    /// The server does not have it.
    #[error("the server has no {name}: check owner, repository and file name")]
    NotFound {
        /// The model.
        name: String,
    },
    /// The server does not give it to everybody.
    #[error("the server does not give {name} away: {advice}")]
    Denied {
        /// The model.
        name: String,
        /// What to do.
        advice: String,
    },
    /// The server cannot be reached, or gave up too often. What has been received is kept.
    #[error("{name} could not be downloaded: {why}. Try again later; it goes on from where it stopped if that is safe")]
    Network {
        /// The model.
        name: String,
        /// What happened last.
        why: String,
    },
    /// What the server has is not what was expected.
    #[error("{name} is not the expected file: {why}")]
    Mismatch {
        /// The model.
        name: String,
        /// What is different, and what to do.
        why: String,
    },
    /// There is not enough space.
    #[error("{needed} bytes more are needed, but only {free} are free: free some space, or choose another folder")]
    NoSpace {
        /// The bytes that are still to be received.
        needed: u64,
        /// The free bytes.
        free: u64,
    },
    /// Another process downloads it.
    #[error("{name} is being downloaded by another process: wait for it")]
    InUse {
        /// The model.
        name: String,
    },
    /// A file cannot be read or written.
    #[error("cannot write {}: {source}", path.display())]
    Storage {
        /// The file.
        path: PathBuf,
        /// The system's message.
        source: io::Error,
    },
}

impl StoreError {
    pub(crate) fn storage(path: &Path) -> impl FnOnce(io::Error) -> Self + '_ {
        |source| Self::Storage { path: path.to_owned(), source }
    }
}
