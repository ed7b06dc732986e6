use std::path::PathBuf;

use sotto_engine::EngineError;

/// What can go wrong between texts and an adapter. No variant carries text from a user.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrainingError {
    /// The model, the memory, or a file; or the training was cancelled.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// Too few texts, or options that make no sense.
    #[error("{what}")]
    InvalidInput {
        /// What is wrong, and what would be right.
        what: String,
    },
    /// The checkpoint is damaged, or of another training: delete it to begin anew.
    #[error("the checkpoint {} cannot be used: {why}", path.display())]
    Checkpoint {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// The numbers grew beyond all bounds: train with a lower learning rate.
    #[error("training diverged at step {step}: use a lower learning rate")]
    Diverged {
        /// The step.
        step: usize,
    },
}

impl TrainingError {
    pub(crate) fn invalid_input(what: impl Into<String>) -> Self {
        Self::InvalidInput { what: what.into() }
    }
}
