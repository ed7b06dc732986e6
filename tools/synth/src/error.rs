use std::path::PathBuf;

/// Why no file was written. The output path is then as it was before.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SynthError {
    /// The options do not describe a model that can be written.
    #[error("this model cannot be made: {0}")]
    Options(String),
    /// The file that should lend its vocabulary has none that can be used.
    #[error("cannot take a vocabulary from {path}: {why}")]
    Vocabulary {
        /// The file given as the vocabulary.
        path: PathBuf,
        /// What it lacks.
        why: String,
    },
    /// The disk (or the quota on it) is full.
    #[error("not enough space for the {needed} bytes of {path}")]
    DiskFull {
        /// The file that was to be written.
        path: PathBuf,
        /// Its whole size in bytes.
        needed: u64,
    },
    /// The file cannot be written.
    #[error("cannot write {path}: {source}")]
    Write {
        /// The file that was to be written.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The caller's progress function ended it.
    #[error("cancelled")]
    Stopped,
    /// The quantizer refused: a fault of this crate.
    #[error("cannot quantize: {0}")]
    Quantize(#[from] candle_core::Error),
}
