use std::path::PathBuf;

/// What can go wrong with a personal store. No variant carries the user's text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PersonalError {
    /// The file is damaged, or is not a personal store. Import an exported copy into a new file, or delete this one and
    /// begin anew.
    #[error("{} is not a personal store, or is damaged: {why}. Import an exported copy into a new file, or delete this one and begin anew", path.display())]
    Invalid {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// The store is open in another process, or was opened twice in this one. Close it there; in one process, clone the
    /// [`crate::Personal`] instead of opening it again.
    #[error("{} is open elsewhere: close it there, or share one handle", path.display())]
    InUse {
        /// The file.
        path: PathBuf,
    },
    /// The file cannot be read or written, for example because the disk is full. What was acknowledged is kept: free some
    /// space, and repeat the call.
    #[error("cannot write {}: {reason}", path.display())]
    Storage {
        /// The file.
        path: PathBuf,
        /// The message of the operating system.
        reason: String,
    },
    /// The file was written by a newer version. Update the app.
    #[error("not supported: {what}")]
    Unsupported {
        /// The unsupported thing.
        what: String,
    },
    /// There is no such record: it may have been deleted.
    #[error("there is no record {id}: it may have been deleted")]
    UnknownRecord {
        /// The id asked for.
        id: u64,
    },
    /// There is no such item in the collection. Call `put` first.
    #[error("the collection has no such item: put it first")]
    UnknownItem,
    /// Records from which something was learnt have been deleted meanwhile. Learn it again from those that are left.
    #[error("records that this was learnt from were deleted meanwhile: learn it again from those that are left")]
    Outdated,
    /// An argument is invalid.
    #[error("{what}")]
    InvalidInput {
        /// What is wrong, and how to correct it.
        what: String,
    },
}

/// The result of a call to a store.
pub type Result<T> = std::result::Result<T, PersonalError>;

impl PersonalError {
    pub(crate) fn invalid_input(what: impl Into<String>) -> Self {
        Self::InvalidInput { what: what.into() }
    }
}
