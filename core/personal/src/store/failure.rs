//! What goes wrong below the store, before it is known as which of the store's errors the app sees it.

use std::io::ErrorKind;
use std::path::Path;

use crate::PersonalError;

/// The result of work on the file.
pub(super) type Attempt<T> = std::result::Result<T, Failure>;

pub(super) enum Failure {
    Redb(redb::Error),
    Io(std::io::Error),
    /// The file holds something that this crate never writes.
    Damaged(String),
    /// An error that already says what it is.
    Known(PersonalError),
}

impl Failure {
    pub(super) fn damaged(why: impl Into<String>) -> Self {
        Self::Damaged(why.into())
    }

    /// The error of the store at `path`.
    pub(super) fn at(self, path: &Path) -> PersonalError {
        let path = path.to_owned();
        match self {
            Self::Known(error) => error,
            Self::Damaged(why) => PersonalError::Invalid { path, why },
            Self::Io(error) | Self::Redb(redb::Error::Io(error)) => match error.kind() {
                ErrorKind::InvalidData | ErrorKind::UnexpectedEof => {
                    PersonalError::Invalid { path, why: "its header is not that of a store".into() }
                }
                _ => PersonalError::Storage { path, reason: error.to_string() },
            },
            Self::Redb(redb::Error::DatabaseAlreadyOpen | redb::Error::LockProtocolMismatch) => {
                PersonalError::InUse { path }
            }
            Self::Redb(redb::Error::PreviousIo) => {
                PersonalError::Storage { path, reason: "an earlier write failed: repeat the call".into() }
            }
            Self::Redb(other) => PersonalError::Invalid { path, why: other.to_string() },
        }
    }
}

impl From<PersonalError> for Failure {
    fn from(error: PersonalError) -> Self {
        Self::Known(error)
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<serde_json::Error> for Failure {
    fn from(_: serde_json::Error) -> Self {
        // serde's message could quote the text.
        Self::damaged("a record cannot be read")
    }
}

macro_rules! from_redb {
    ($($error:ident),*) => {$(
        impl From<redb::$error> for Failure {
            fn from(error: redb::$error) -> Self {
                Self::Redb(error.into())
            }
        }
    )*};
}

from_redb!(DatabaseError, TransactionError, TableError, StorageError, CommitError);
