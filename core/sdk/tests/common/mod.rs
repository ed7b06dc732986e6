//! The models that the tests use.
#![allow(dead_code, reason = "each test binary uses its own part")]

use std::collections::HashMap;
use std::fs::File;
use std::path::PathBuf;

use candle_core::quantized::gguf_file::{self, Value};
use proptest::prelude::ProptestConfig;
use sotto::{LoadOptions, LocalModel, ModelFile};
use sotto_synth::{Quantization, Shape, SynthOptions, Vocabulary, synthesize};

/// The demo model.
pub fn demo() -> LocalModel {
    LocalModel::load(ModelFile::path(demo_path())).expect("the demo model loads")
}

pub fn demo_path() -> PathBuf {
    package_folder().join("../../sample-apps/demo-model/sotto-demo.gguf")
}

/// So many random cases, or as few as `PROPTEST_CASES` says: under qemu, each takes a hundred times as long.
pub fn at_most(cases: u32) -> ProptestConfig {
    let wanted = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok());
    ProptestConfig::with_cases(wanted.map_or(cases, |wanted: u32| wanted.min(cases)))
}

/// Where this package is now, not when it was compiled: on a phone, its files lie elsewhere.
pub fn package_folder() -> PathBuf {
    std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it").into()
}

/// A note of the sample apps.
pub fn sample_note(name: &str) -> String {
    let path = package_folder().join(format!("../../sample-apps/notes/{name}.txt"));
    std::fs::read_to_string(path).expect("a sample note").replace('\n', " ")
}

/// A model that has learnt nothing: whatever comes out of it is held in shape by Sotto alone.
pub fn random(context_length: Option<usize>) -> LocalModel {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("random.gguf");
    let options = SynthOptions {
        shape: Shape::named("tiny").expect("a named shape"),
        quantization: Quantization::named("q8_0").expect("a named quantization"),
        vocabulary: Vocabulary::Synthetic,
        seed: 7,
    };
    synthesize(&options, &path, |_, _| {}).expect("the model is written");
    // One thread: the work is little, and tests run side by side.
    let options = LoadOptions { context_length, threads: Some(1), ..LoadOptions::default() };
    LocalModel::load_with(ModelFile::path(path), &options).expect("the random model loads")
}

/// A model that has learnt nothing, with the demo model's tokenizer and this chat template.
pub fn with_template(template: &str) -> LocalModel {
    with_metadata(|metadata| {
        metadata.insert("tokenizer.chat_template".into(), Value::String(template.into()));
    })
}

/// A model that has learnt nothing, with the demo model's tokenizer, changed so.
pub fn with_metadata(change: impl FnOnce(&mut HashMap<String, Value>)) -> LocalModel {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut demo = File::open(demo_path()).expect("the demo model");
    let mut metadata = gguf_file::Content::read(&mut demo).expect("valid").metadata;
    change(&mut metadata);
    let entries: Vec<_> = metadata.iter().map(|(key, value)| (key.as_str(), value)).collect();
    let vocabulary = folder.path().join("vocabulary.gguf");
    gguf_file::write(&mut File::create(&vocabulary).expect("a file"), &entries, &[]).expect("written");
    let options = SynthOptions {
        vocabulary: Vocabulary::FromGguf(vocabulary),
        ..SynthOptions::new(Shape::named("tiny").expect("a shape"), Quantization::named("q8_0").expect("a format"))
    };
    let path = folder.path().join("model.gguf");
    synthesize(&options, &path, |_, _| {}).expect("the model is written");
    LocalModel::load(ModelFile::path(path)).expect("the model loads")
}

/// A note with two actions and a fact.
pub const NOTE: &str = "Okay, short note after standup. The upload bug is still open. Marcus will write a test for it by \
Thursday. I need to send the release notes to Dana before lunch.";
