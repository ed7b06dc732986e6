//! Packed files have a tokenizer in another form, and it is the same tokenizer.

mod common;

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use candle_core::quantized::gguf_file::{self, Value};
use common::{NOTE, demo, demo_path};
use sotto::{
    Backend, CompletionOptions, Error, FileKind, KvType, LoadOptions, LocalModel, ModelFile, Prompt, SamplingOptions,
    inspect, pack,
};
use sotto_engine::{CancelToken, GgufFile, Replacement, pack_file};
use sotto_synth::{Quantization, Shape, SynthOptions, Vocabulary, synthesize};
use tempfile::TempDir;

const TEXTS: [&str; 4] =
    ["tokenizer.ggml.tokens", "tokenizer.ggml.token_type", "tokenizer.ggml.scores", "tokenizer.ggml.merges"];
const TABLES: &str = "sotto.tokenizer.tables";

/// Whether a packed file has its vocabulary as tables, and no longer as texts.
fn has_tables(path: &Path) -> bool {
    let file = GgufFile::open(path).expect("valid");
    file.metadata().contains(TABLES) && TEXTS.iter().all(|key| !file.metadata().contains(key))
}

fn answer(model: &LocalModel) -> (String, usize) {
    let options = CompletionOptions { sampling: SamplingOptions::default(), max_tokens: 8, format: None };
    let completion = model.complete(Prompt::Text(NOTE.into()), &options).wait().expect("an answer");
    (completion.text, completion.metrics.prefill_tokens)
}

fn load(path: &Path) -> Result<LocalModel, Error> {
    LocalModel::load(ModelFile::path(path))
}

/// A model with this tokenizer (`tokenizer.ggml.*`) and random weights.
fn model_with(tokenizer: &[(&str, Value)], folder: &TempDir) -> PathBuf {
    let vocabulary = folder.path().join("vocabulary.gguf");
    let entries: Vec<_> = tokenizer.iter().map(|(key, value)| (metadata_key(key), value)).collect();
    let entries: Vec<_> = entries.iter().map(|(key, value)| (key.as_str(), *value)).collect();
    gguf_file::write(&mut File::create(&vocabulary).expect("a file"), &entries, &[]).expect("written");
    let model = folder.path().join("model.gguf");
    let shape = Shape::named("tiny").expect("a known shape");
    let options = SynthOptions {
        vocabulary: Vocabulary::FromGguf(vocabulary),
        ..SynthOptions::new(shape, Quantization::named("q8_0").expect("a known format"))
    };
    synthesize(&options, &model, |_, _| {}).expect("a model");
    model
}

/// A name without a point is one below `tokenizer.ggml`.
fn metadata_key(name: &str) -> String {
    if name.contains('.') { name.to_owned() } else { format!("tokenizer.ggml.{name}") }
}

fn strings(strings: impl IntoIterator<Item = String>) -> Value {
    Value::Array(strings.into_iter().map(Value::String).collect())
}

#[test]
fn a_packed_file_has_its_vocabulary_as_tables_and_answers_the_same() {
    let folder = tempfile::tempdir().expect("a folder");
    let packed = folder.path().join("demo.sotto");
    pack(&demo_path(), &packed).wait().expect("packed");
    assert!(has_tables(&packed));

    let cache = folder.path().join("cache");
    let options = LoadOptions { cache_folder: Some(cache.clone()), ..LoadOptions::default() };
    let cached = LocalModel::load_with(ModelFile::path(demo_path()), &options).expect("loads");
    let copy = fs::read_dir(cache).expect("a folder").next().expect("a copy").expect("readable");
    assert!(has_tables(&copy.path()));
    let expected = answer(&demo());
    assert_eq!(answer(&load(&packed).expect("loads")), expected);
    assert_eq!(answer(&cached), expected);
}

#[test]
fn a_tokenizer_without_merges_is_packed_with_its_scores() {
    let folder = tempfile::tempdir().expect("a folder");
    let bytes = (0..=255_u8).map(|byte| format!("<0x{byte:02X}>"));
    let tokens: Vec<String> = ["<unk>", "<s>", "</s>", "▁", "a"].map(str::to_owned).into_iter().chain(bytes).collect();
    let scores = Value::Array(vec![Value::F32(0.0); tokens.len()]);
    let model = model_with(
        &[
            ("model", Value::String("llama".into())),
            ("tokens", strings(tokens)),
            ("scores", scores),
            ("unknown_token_id", Value::U32(0)),
            ("bos_token_id", Value::U32(1)),
            ("eos_token_id", Value::U32(2)),
        ],
        &folder,
    );
    let packed = folder.path().join("model.sotto");
    pack(&model, &packed).wait().expect("packed");
    assert!(has_tables(&packed));
    assert_eq!(answer(&load(&packed).expect("loads")), answer(&load(&model).expect("loads")));
}

#[test]
fn a_model_whose_tokenizer_cannot_be_loaded_is_not_packed() {
    // One that only a merge could make.
    let tokens = strings(["a", "b", "ab"].map(str::to_owned));
    let unsupported = [("model", Value::String("bert".into())), ("tokens", tokens.clone())];
    let invalid = [("model", Value::String("gpt2".into())), ("tokens", tokens)];
    for tokenizer in [unsupported, invalid] {
        let folder = tempfile::tempdir().expect("a folder");
        let model = model_with(&tokenizer, &folder);
        let (packed, cache) = (folder.path().join("model.sotto"), folder.path().join("cache"));
        let refused = pack(&model, &packed).wait().expect_err("as loading");
        assert_eq!(refused, load(&model).err().expect("no tokenizer"));
        let options = LoadOptions { cache_folder: Some(cache.clone()), ..LoadOptions::default() };
        assert_eq!(LocalModel::load_with(ModelFile::path(&model), &options).err().expect("no tokenizer"), refused);
        assert!(!packed.exists() && !cache.exists());
    }
}

#[test]
fn a_context_that_the_backend_does_not_have_is_refused_at_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let bytes = fs::read(demo_path()).expect("readable");
    let longer = folder.path().join("longer.gguf");
    fs::write(&longer, with_u32(bytes, "llama.context_length", 100_000)).expect("written");
    let load = |backend| {
        let options = LoadOptions { backend, context_length: Some(8192), ..LoadOptions::default() };
        LocalModel::load_with(ModelFile::path(&longer), &options)
    };
    assert_eq!(load(Backend::Sotto).expect("loads").context_length(), 8192);
    match load(Backend::Candle).err() {
        Some(Error::ContextFull { limit: 4096, needed: 8192 }) if cfg!(feature = "candle") => {}
        Some(Error::Unsupported { what }) if !cfg!(feature = "candle") => assert!(what.contains("candle"), "{what}"),
        other => panic!("{other:?}"),
    }
}

/// A model file with another value of a key.
fn with_u32(mut file: Vec<u8>, key: &str, value: u32) -> Vec<u8> {
    let at = file.windows(key.len()).position(|bytes| bytes == key.as_bytes()).expect("the key") + key.len() + 4;
    file[at..at + 4].copy_from_slice(&value.to_le_bytes());
    file
}

/// A `tokenizer.json` lies beside the model, and not where the packed file comes.
#[test]
fn a_model_that_would_lack_its_tokenizer_is_not_packed() {
    let folder = tempfile::tempdir().expect("a folder");
    let source = GgufFile::open(demo_path()).expect("valid");
    let without = folder.path().join("without.sotto");
    let nothing = Replacement { replaced: &TEXTS, key: "a.test", words: Vec::new() };
    pack_file(&source, "a test", Some(&nothing), &without, &CancelToken::new(), |_, _| {}).expect("packed");
    let refused = pack(&without, &folder.path().join("model.sotto")).wait().expect_err("no tokenizer");
    assert!(matches!(refused, Error::ModelInvalid { why, .. } if why.contains("tokenizer.json")));
}

#[test]
fn tables_that_nobody_checked_are_an_error() {
    let folder = tempfile::tempdir().expect("a folder");
    let source = GgufFile::open(demo_path()).expect("valid");
    let packed = folder.path().join("demo.sotto");
    for words in [vec![], vec![0xFF; 4], vec![0; 400]] {
        let tables = Replacement { replaced: &TEXTS, key: TABLES, words };
        pack_file(&source, "a test", Some(&tables), &packed, &CancelToken::new(), |_, _| {}).expect("packed");
        assert!(matches!(load(&packed), Err(Error::ModelInvalid { at, .. }) if at == TABLES || at.ends_with("tokens")));
    }
}

#[test]
fn a_file_is_inspected_as_it_will_be_loaded() {
    let folder = tempfile::tempdir().expect("a folder");
    let packed = folder.path().join("demo.sotto");
    pack(&demo_path(), &packed).wait().expect("packed");
    let cache = LoadOptions { cache_folder: Some(folder.path().join("cache")), ..LoadOptions::default() };
    let at_64 = LoadOptions { context_length: Some(64), kv_type: KvType::Q8_0, ..LoadOptions::default() };
    for (path, options) in [(demo_path(), LoadOptions::default()), (packed, at_64), (demo_path(), cache.clone())] {
        let report = inspect(ModelFile::path(&path), &options).wait().expect("a report");
        assert!(!folder.path().join("cache").exists(), "nothing was packed");
        let loaded = LocalModel::load_with(ModelFile::path(&path), &options).expect("loads");
        for context in &report.contexts {
            let expected = loaded.inspect(context.context_length).expect("a context of the model");
            assert_eq!(context.private_bytes, expected.private_bytes);
            assert!(context.cache_bytes > 0 && context.cache_bytes < context.private_bytes);
        }
        let expected = loaded.inspect(64).expect("a context of the model");
        assert_eq!(report.copied_bytes, expected.copied_bytes);
        // What a packed copy takes is known when there is one.
        assert_eq!(report.mapped_bytes > 0, expected.mapped_bytes > 0);
        assert_eq!((report.kind, report.why_not, report.files), (FileKind::Model, None, 1));
        assert_eq!((report.name, report.parameters), (expected.name, expected.parameters));
        assert_eq!(report.context_length, Some(expected.model_context_length));
        assert_eq!(report.contexts.first().map(|first| first.context_length), options.context_length.or(Some(1024)));
    }
    let too_long = LoadOptions { context_length: Some(1 << 20), ..LoadOptions::default() };
    let refused = inspect(ModelFile::path(demo_path()), &too_long).wait();
    assert!(matches!(refused, Err(Error::ContextFull { limit: 1024, .. })), "{refused:?}");
}

#[test]
fn what_is_odd_about_a_file_is_told() {
    let tokens = strings(["a", "b", "ab"].map(str::to_owned));
    let merges = strings(["a b".to_owned()]);
    let odd = |template: &str| {
        let folder = tempfile::tempdir().expect("a folder");
        let (bos, template) = (Value::U32(u32::MAX), Value::String(template.into()));
        let tokenizer = [
            ("model", Value::String("gpt2".into())),
            ("tokens", tokens.clone()),
            ("merges", merges.clone()),
            ("bos_token_id", bos),
            ("tokenizer.chat_template", template),
        ];
        let report = inspect(ModelFile::path(model_with(&tokenizer, &folder)), &LoadOptions::default()).wait();
        let report = report.expect("a report");
        assert_eq!(report.why_not, None);
        (report.has_chat_template, report.warnings)
    };
    let tokenizer = ["tokenizer.ggml.pre is missing", "bos_token_id is 4294967295", "no token for 241 of 256 bytes"];
    for (template, is_there, unreadable) in [
        (" \n", false, None),
        ("{{ messages }}", true, None),
        ("a\n{% for %}", true, Some("conversations and tasks will not work: ")),
    ] {
        let (has_template, warnings) = odd(template);
        assert_eq!(has_template, is_there, "{template:?}");
        let expected: Vec<&str> = tokenizer.into_iter().chain(unreadable).collect();
        assert_eq!(warnings.len(), expected.len(), "{warnings:?}");
        for (warning, expected) in warnings.iter().zip(expected) {
            assert!(warning.contains(expected), "{warning}");
        }
        assert!(unreadable.is_none() || warnings.last().is_some_and(|warning| warning.contains("line 2")));
    }
}

#[test]
fn a_vocabulary_is_inspected_and_neither_loaded_nor_packed() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("vocabulary.gguf");
    let tokens = strings(["a", "b"].map(str::to_owned));
    let entries = [("general.architecture", &Value::String("llama".into())), ("tokenizer.ggml.tokens", &tokens)];
    gguf_file::write(&mut File::create(&path).expect("a file"), &entries, &[]).expect("written");
    let report = inspect(ModelFile::path(&path), &LoadOptions::default()).wait().expect("a report");
    assert_eq!((report.kind, report.vocab_size, report.parameters), (FileKind::Vocabulary, Some(2), 0));
    let cached = LoadOptions { cache_folder: Some(folder.path().join("cache")), ..LoadOptions::default() };
    let refusals = [
        load(&path).err().expect("no model").to_string(),
        LocalModel::load_with(ModelFile::path(&path), &cached).err().expect("no model").to_string(),
        pack(&path, &folder.path().join("packed")).wait().expect_err("no model").to_string(),
    ];
    for refusal in refusals {
        assert_eq!(Some(refusal), report.why_not);
    }
}

#[test]
fn a_format_that_is_packed_in_a_wider_one_is_told() {
    // Version 3, one tensor, no metadata; the tensor is `w` with two dimensions, [256, 1] in blocks of TQ2_0.
    let mut bytes = b"GGUF".to_vec();
    bytes.extend(3u32.to_le_bytes());
    [1u64, 0, 1].iter().for_each(|number| bytes.extend(number.to_le_bytes()));
    bytes.push(b'w');
    [2u32, 256, 0, 1, 0, 35, 0, 0].iter().for_each(|number| bytes.extend(number.to_le_bytes()));
    bytes.resize(bytes.len().next_multiple_of(32) + 66, 0);

    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("ternary.gguf");
    fs::write(&path, bytes).expect("written");
    let report = inspect(ModelFile::path(&path), &LoadOptions::default()).wait().expect("a report");
    let weights = &report.weights["TQ2_0"];
    assert_eq!((weights.tensors, weights.bytes, weights.packed_as.as_deref()), (1, 66, Some("CODES")));
}
