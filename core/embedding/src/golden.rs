//! Embeddings against those of sentence-transformers, which `tools/golden-logits/embeddings.py` has stored.

use std::io::Write as _;
use std::path::PathBuf;

use serde_json::Value;
use sotto_engine::{CancelToken, Kernels};

use crate::{EmbeddingModel, EmbeddingOptions, small_model};

/// Absolute error of a number; vectors have length 1.
const BOUND: f32 = 1e-5;

#[test]
fn a_small_models_embeddings_are_those_of_sentence_transformers() {
    for kernels in Kernels::available() {
        let options = EmbeddingOptions { threads: Some(2), kernels: Some(kernels) };
        let model = EmbeddingModel::load(small_model::original(), options, &CancelToken::new()).expect("a model");
        assert_close(&model, "small");
    }
}

#[test]
fn the_embeddings_of_all_minilm_l6_v2_are_those_of_sentence_transformers() {
    let Some(folder) = real_models() else { return };
    let folder = folder.join("all-MiniLM-L6-v2");
    let model = EmbeddingModel::load(folder, EmbeddingOptions::default(), &CancelToken::new()).expect("a model");
    assert_eq!((model.dimensions(), model.max_tokens()), (384, 256));
    assert_close(&model, "real");
}

fn assert_close(model: &EmbeddingModel, part: &str) {
    let golden: Value = serde_json::from_str(include_str!("../tests/golden/embeddings.json")).expect("JSON");
    let golden = golden[part].as_array().expect("texts");
    let texts: Vec<&str> = golden.iter().map(|text| text["text"].as_str().expect("a text")).collect();
    let embeddings = model.embed(&texts, &CancelToken::new()).expect("embeddings");
    for (embedding, golden) in embeddings.iter().zip(golden) {
        let golden = golden["values"].as_array().expect("numbers");
        assert_eq!(embedding.values.len(), golden.len());
        let errors = embedding.values.iter().zip(golden).map(|(a, b)| (a - b.as_f64().expect("a number") as f32).abs());
        let error = errors.fold(0.0, f32::max);
        println!("{part}, {} tokens: {error:.1e} of {BOUND:.1e}", embedding.tokens);
        assert!(error <= BOUND, "{part}: {error:e} is more than {BOUND:e}");
    }
    assert!(embeddings.last().is_some_and(|embedding| embedding.truncated));
}

fn real_models() -> Option<PathBuf> {
    let folder = std::env::var_os("SOTTO_REAL_MODELS").map(PathBuf::from);
    if folder.is_none() {
        // Not `eprintln`: the test runner would keep that to itself.
        writeln!(
            std::io::stderr(),
            "SKIPPED: all-MiniLM-L6-v2: SOTTO_REAL_MODELS is not set (`cargo xtask real-models`)"
        )
        .expect("stderr");
    }
    folder
}
