//! Models with real weights, against what llama.cpp makes of the same files.
//!
//! `cargo xtask real-models` brings the files, and `SOTTO_REAL_MODELS` names their folder. What llama.cpp makes of them is in
//! `llama_cpp.json`, which `tools/golden-logits/real_models.py` writes.

mod formats;

use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde_json::Value;
use sotto::{ChatOptions, CompletionOptions, LocalModel, ModelFile, Prompt, SamplingOptions};

const SMOLLM2: &str = "SmolLM2-135M-Instruct.Q4_1.gguf";
const GEMMA3: &str = "gemma-3-270m.Q4_K_M.gguf";

/// Some 350 tokens.
const TEXT: &str = include_str!("lighthouse.txt");

/// The most that the text's mean negative log-likelihood may differ by, as a share of llama.cpp's. Both round activations to eight
/// bits, but not at the same places.
const LIKELIHOOD_ERROR: f64 = 5e-3;

/// The most tokens of a greedy text: as many as `real_models.py` asked llama.cpp for.
const TOKENS: usize = 32;

#[test]
fn smollm2_says_what_it_says_in_llama_cpp() {
    let Some(file) = real_model(SMOLLM2) else { return };
    let model = load(&file);
    assert_as_likely(SMOLLM2, &model, LIKELIHOOD_ERROR);
    assert_same_continuations(SMOLLM2, &model);
    assert_same_answers(SMOLLM2, &model);
    // Not greedily: by llama.cpp's logits, too, an answer in French leads by a hair.
    let reply =
        model.session(None).expect("a session").respond("What is the capital of France?", &ChatOptions::default());
    let answer = reply.wait().expect("an answer").text;
    assert!(answer.contains("Paris"), "{answer}");
}

#[test]
fn gemma_3_says_what_it_says_in_llama_cpp() {
    let Some(file) = real_model(GEMMA3) else { return };
    let model = load(&file);
    assert_as_likely(GEMMA3, &model, LIKELIHOOD_ERROR);
    assert_same_continuations(GEMMA3, &model);
}

fn assert_as_likely(name: &str, model: &LocalModel, error: f64) {
    let expected = figures(name)["nll"].as_f64().expect("a likelihood");
    let found = model.perplexity(TEXT, 512).wait().expect("a likelihood").nll;
    let apart = found / expected - 1.0;
    println!("{name}: {found:.5} nats per token, llama.cpp {expected:.5}: {:+.3} %", 100.0 * apart);
    assert!(apart.abs() < error, "{name}: {found} nats per token, llama.cpp {expected}");
}

fn assert_same_continuations(name: &str, model: &LocalModel) {
    let options = CompletionOptions { sampling: SamplingOptions::default(), max_tokens: TOKENS, format: None };
    for (beginning, expected) in texts(&figures(name)["continuations"]) {
        let found = model.complete(Prompt::Text(beginning.clone()), &options).wait().expect("a continuation").text;
        assert!(found.starts_with(&expected), "{name} after {beginning:?}: {found:?}, llama.cpp {expected:?}");
    }
}

fn assert_same_answers(name: &str, model: &LocalModel) {
    for (question, expected) in texts(&figures(name)["answers"]) {
        let found = answer(model, &question);
        assert!(found.starts_with(&expected), "{name} on {question:?}: {found:?}, llama.cpp {expected:?}");
    }
}

fn answer(model: &LocalModel, question: &str) -> String {
    let options = ChatOptions { sampling: SamplingOptions::default(), max_tokens: TOKENS, format: None };
    model.session(None).expect("a session").respond(question, &options).wait().expect("an answer").text
}

/// What llama.cpp made of a file.
fn figures(name: &str) -> Value {
    let all: Value = serde_json::from_str(include_str!("llama_cpp.json")).expect("JSON");
    all[name].clone()
}

/// Pairs of what was said, and how the answer begins: as far as each token of llama.cpp's leads clearly.
fn texts(value: &Value) -> Vec<(String, String)> {
    let texts = value.as_object().expect("texts").iter();
    texts.map(|(said, answered)| (said.clone(), answered.as_str().expect("a text").to_owned())).collect()
}

fn load(path: &Path) -> LocalModel {
    LocalModel::load(ModelFile::path(path)).expect("the model loads")
}

/// A model file; says loudly that a check is skipped when nobody has brought it.
fn real_model(name: &str) -> Option<PathBuf> {
    let folder = std::env::var_os("SOTTO_REAL_MODELS").map(PathBuf::from);
    if folder.is_none() {
        // Not `eprintln`: the test runner would keep that to itself.
        writeln!(std::io::stderr(), "SKIPPED: {name}: SOTTO_REAL_MODELS is not set (`cargo xtask real-models`)")
            .expect("stderr");
    }
    folder.map(|folder| folder.join(name))
}
