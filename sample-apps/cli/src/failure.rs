//! How the program can fail, and the exit code for each failure.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use sotto::personal::PersonalError;
use sotto_store::StoreError;
use sotto_synth::SynthError;

use crate::fallback::ServerError;

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    #[error(transparent)]
    Sotto(#[from] sotto::Error),
    #[error(transparent)]
    Personal(#[from] PersonalError),
    #[error(transparent)]
    Synth(#[from] SynthError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Server(#[from] ServerError),
    #[error("{0} is not there")]
    NotPulled(String),
    #[error("cannot read {}: {source}", readable(path))]
    Input { path: PathBuf, source: std::io::Error },
    #[error("{0}")]
    BadInput(String),
    #[error("{error}")]
    Advised { error: sotto::Error, advice: &'static str },
    #[error("{option} asks for {wanted} tokens, but the model has {limit}")]
    TooManyTokens { option: &'static str, wanted: usize, limit: usize },
    #[error("{program} gave no results to compare with: {why}")]
    Peer { program: String, why: String },
    #[error("cannot write {}: {source}", path.display())]
    File { path: PathBuf, source: std::io::Error },
    #[error("the packed file is complete, but {} could not be deleted: {source}", path.display())]
    NotDeleted { path: PathBuf, source: std::io::Error },
    #[error("the adapter is not good enough to be kept: {} was not written", .0.display())]
    NotKept(PathBuf),
    #[error("cannot write the output: {0}")]
    Output(#[from] std::io::Error),
}

impl From<serde_json::Error> for Failure {
    fn from(error: serde_json::Error) -> Self {
        Self::Output(error.into())
    }
}

impl Failure {
    /// Turns a full context into an error of the option that asked for too many tokens.
    pub fn asked_by(self, option: &'static str) -> Self {
        match self {
            Self::Sotto(sotto::Error::ContextFull { limit, needed: wanted }) => {
                Self::TooManyTokens { option, wanted, limit }
            }
            other => other,
        }
    }

    /// Adds advice for this command where the text is too long for the model.
    pub fn where_too_long(self, advice: &'static str) -> Self {
        match self {
            Self::Sotto(error @ sotto::Error::ContextFull { .. }) => Self::Advised { error, advice },
            other => other,
        }
    }

    /// 3 bad model, 4 bad input, 5 out of memory or context, 130 cancelled, 1 anything else; clap exits with 2 itself.
    pub fn exit_code(&self) -> ExitCode {
        use sotto::Error;
        ExitCode::from(match self {
            Self::Sotto(Error::ModelNotFound { .. } | Error::ModelInvalid { .. } | Error::Unsupported { .. })
            | Self::Synth(SynthError::Vocabulary { .. })
            | Self::Store(StoreError::NotFound { .. } | StoreError::Denied { .. } | StoreError::Mismatch { .. })
            | Self::NotPulled(_) => 3,
            Self::Store(StoreError::InvalidSource { .. }) => 4,
            Self::Personal(PersonalError::Storage { .. } | PersonalError::InUse { .. }) => 1,
            Self::Sotto(Error::InvalidInput { .. }) | Self::Personal(_) | Self::Input { .. } | Self::BadInput(_) => 4,
            Self::Sotto(Error::OutOfMemory { .. } | Error::ContextFull { .. })
            | Self::Advised { .. }
            | Self::TooManyTokens { .. } => 5,
            Self::Sotto(Error::Cancelled) | Self::Synth(SynthError::Stopped) => 130,
            Self::Sotto(_)
            | Self::Store(_)
            | Self::Server(_)
            | Self::Synth(_)
            | Self::Peer { .. }
            | Self::File { .. }
            | Self::NotDeleted { .. }
            | Self::NotKept(_)
            | Self::Output(_) => 1,
        })
    }

    /// What the user can do, if that is known.
    pub fn advice(&self) -> Option<&'static str> {
        use sotto::Error;
        match self {
            Self::Sotto(Error::ModelNotFound { .. }) => Some("check the path"),
            Self::NotPulled(_) => Some("download it first, with sotto pull and this name"),
            Self::Advised { advice, .. } => Some(advice),
            Self::NotKept(_) => {
                Some("more texts help most, then more --epochs; a lower --learning-rate if general text got worse")
            }
            Self::Sotto(Error::OutOfMemory { .. }) => Some("try a smaller --context, or a smaller model"),
            Self::Sotto(Error::ContextFull { .. }) => {
                Some("shorten the text, or use a larger --context if the model allows it")
            }
            _ => None,
        }
    }
}

fn readable(path: &Path) -> String {
    if path == Path::new("-") { "standard input".into() } else { path.display().to_string() }
}
