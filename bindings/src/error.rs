//! The SDK's errors, variant by variant. `tests.rs` fails if one is missing.

use sotto_sdk::Error;

/// Mirror of [`sotto_sdk::Error`].
#[derive(Debug, uniffi::Error)]
#[allow(missing_docs, reason = "the fields are those of the SDK's error")]
pub enum FfiError {
    ModelNotFound { path: String, reason: String },
    ModelInvalid { why: String, at: String },
    Unsupported { what: String },
    OutOfMemory { needed: u64, available: u64 },
    Storage { path: String, reason: String },
    StoreInvalid { path: String, why: String },
    StoreInUse { path: String },
    ContextFull { limit: u64, needed: u64 },
    InvalidInput { what: String },
    ServerAnswer { why: String },
    Cancelled,
    Internal { why: String },
}

impl std::fmt::Display for FfiError {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Each language words its own messages, from the fields.
        std::fmt::Debug::fmt(self, formatter)
    }
}

impl std::error::Error for FfiError {}

impl From<Error> for FfiError {
    fn from(error: Error) -> Self {
        match error {
            Error::ModelNotFound { path, reason } => {
                Self::ModelNotFound { path: path.to_string_lossy().into_owned(), reason }
            }
            Error::ModelInvalid { why, at } => Self::ModelInvalid { why, at },
            Error::Unsupported { what } => Self::Unsupported { what },
            Error::OutOfMemory { needed, available } => Self::OutOfMemory { needed, available },
            Error::Storage { path, reason } => Self::Storage { path: path.to_string_lossy().into_owned(), reason },
            Error::StoreInvalid { path, why } => Self::StoreInvalid { path: path.to_string_lossy().into_owned(), why },
            Error::StoreInUse { path } => Self::StoreInUse { path: path.to_string_lossy().into_owned() },
            Error::ContextFull { limit, needed } => Self::ContextFull { limit: limit as u64, needed: needed as u64 },
            Error::InvalidInput { what } => Self::InvalidInput { what },
            Error::ServerAnswer { why } => Self::ServerAnswer { why },
            Error::Cancelled => Self::Cancelled,
            Error::Internal { why } => Self::Internal { why },
            other => Self::Internal { why: other.to_string() },
        }
    }
}
