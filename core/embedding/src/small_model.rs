//! A small random model for tests: `tools/golden-logits/embeddings.py` has made it.

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::{EmbeddingModel, EmbeddingOptions};
use sotto_engine::CancelToken;

/// Of a text, with those around it.
pub(crate) const MAX_TOKENS: usize = 24;

/// The files of its folder.
const FILES: [&str; 6] = [
    "config.json",
    "sentence_bert_config.json",
    "modules.json",
    "1_Pooling/config.json",
    "tokenizer.json",
    "model.safetensors",
];

/// Its folder in the repository.
pub(crate) fn original() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/small")
}

/// A copy of its folder, which a test may change.
pub(crate) fn folder() -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    fs::create_dir(folder.path().join("1_Pooling")).expect("a folder");
    for file in FILES {
        fs::copy(original().join(file), folder.path().join(file)).expect("a file");
    }
    folder
}

/// The loaded model.
pub(crate) fn load() -> EmbeddingModel {
    let options = EmbeddingOptions { threads: Some(2), kernels: None };
    EmbeddingModel::load(original(), options, &CancelToken::new()).expect("a model")
}
