//! Adapters: what is asked of a model with one, and of the same model without.

mod common;

use std::collections::HashMap;
use std::fs::File;
use std::path::{Path, PathBuf};

use candle_core::quantized::gguf_file::{self, Content, Value};
use candle_core::quantized::{GgmlDType, QTensor};
use candle_core::{Device, Tensor};
use common::{NOTE, demo, demo_path, with_metadata};
use sotto::{
    Adapter, ChatOptions, ClassifyOptions, CompletionOptions, Error, FileKind, LoadOptions, LocalModel, ModelFile,
    Prompt, SamplingOptions, SummaryOptions, VoiceNote, inspect,
};
use tempfile::TempDir;

const RANK: usize = 3;

/// An adapter of rank 3 for a model 256 wide, which changes two layers' output of attention; with this metadata beside its own.
fn write_adapter(folder: &TempDir, extra: &[(&str, Value)]) -> PathBuf {
    let text = |text: &str| Value::String(text.into());
    let own = [
        ("general.type", text("adapter")),
        ("general.architecture", text("llama")),
        ("adapter.type", text("lora")),
        ("adapter.lora.alpha", Value::F32(6.0)),
    ];
    let metadata: Vec<_> = own.iter().chain(extra).map(|(key, value)| (*key, value)).collect();
    let mut tensors = Vec::new();
    for layer in 0..2 {
        for (half, shape) in [("a", [RANK, 256]), ("b", [256, RANK])] {
            let numbers: Vec<f32> = (0..RANK * 256).map(|i| ((i * 37 + layer) % 101) as f32 / 101.0 - 0.5).collect();
            let tensor = Tensor::from_vec(numbers, &shape, &Device::Cpu).expect("a tensor");
            let tensor = QTensor::quantize(&tensor, GgmlDType::F16).expect("numbers");
            tensors.push((format!("blk.{layer}.attn_output.weight.lora_{half}"), tensor));
        }
    }
    let tensors: Vec<_> = tensors.iter().map(|(name, tensor)| (name.as_str(), tensor)).collect();
    let path = folder.path().join("adapter.gguf");
    gguf_file::write(&mut File::create(&path).expect("a file"), &metadata, &tensors).expect("written");
    path
}

fn adapter_of(model: &LocalModel, extra: &[(&str, Value)]) -> Adapter {
    let folder = tempfile::tempdir().expect("a folder");
    model.load_adapter(ModelFile::path(write_adapter(&folder, extra))).expect("an adapter")
}

fn text(model: &LocalModel) -> String {
    let options = CompletionOptions { sampling: SamplingOptions::default(), max_tokens: 24, format: None };
    model.complete(Prompt::Text("Marcus will write".into()), &options).wait().expect("a text").text
}

#[test]
fn only_what_is_asked_of_the_adapted_model_is_changed() {
    let model = demo();
    let adapter = adapter_of(&model, &[]);
    assert_eq!((adapter.rank(), adapter.private_bytes() > 1000), (RANK, true));
    let plain = text(&model);
    let adapted = model.with_adapters(&[(adapter.clone(), 1.0)]).expect("its own adapter");
    let changed = text(&adapted);
    assert_ne!(changed, plain);
    assert_eq!(text(&model), plain);
    assert_eq!(text(&adapted), changed);
    assert_eq!(text(&model.with_adapters(&[(adapter.clone(), 0.0)]).expect("no effect")), plain);
    assert_eq!(text(&adapted.with_adapters(&[]).expect("none")), plain);
    let twice = [(adapter.clone(), 0.5), (adapter.clone(), 0.5)];
    let halves = model.with_adapters(&twice).expect("its own adapter");
    let likely = |model: &LocalModel| model.perplexity(NOTE, 64).wait().expect("a likelihood").nll;
    let [plain, whole, halves] = [&model, &adapted, &halves].map(likely);
    // The model rounds its activations to eight bits: a last bit may decide on which side.
    let (apart, changed) = ((halves - whole).abs(), (plain - whole).abs());
    assert!(apart < 0.05 * changed, "two halves are a whole: {plain} {whole} {halves}");
}

#[test]
fn a_conversation_changes_its_adapters_and_keeps_what_was_said() {
    let model = demo();
    let adapters = [(adapter_of(&model, &[]), 1.0)];
    let options = ChatOptions { sampling: SamplingOptions::default(), max_tokens: 8, format: None };
    let plain = model.session(None).expect("a session");
    plain.respond("Hello.", &options).wait().expect("an answer");
    let again = plain.respond("And now?", &options).wait().expect("an answer");
    assert!(again.metrics.reused_tokens > 0);

    let adapted = plain.with_adapters(&adapters).expect("the model's own adapter");
    let answer = adapted.respond("And with it?", &options).wait().expect("an answer");
    assert_eq!(answer.metrics.reused_tokens, 0, "what was read without the adapter is of no use");
    let more = adapted.respond("More?", &options).wait().expect("an answer");
    assert!(more.metrics.reused_tokens > 0);
    assert_eq!(plain.history().len(), 4);
    assert_eq!(plain.respond("Without?", &options).wait().expect("an answer").metrics.reused_tokens, 0);
}

#[test]
fn adapters_of_other_models_and_scales_that_are_none_are_refused() {
    let (model, other) = (demo(), demo());
    let adapter = adapter_of(&other, &[]);
    assert!(matches!(model.with_adapters(&[(adapter.clone(), 1.0)]), Err(Error::InvalidInput { .. })));
    assert!(matches!(other.with_adapters(&[(adapter, f32::NAN)]), Err(Error::InvalidInput { .. })));
    let refused = model.load_adapter(ModelFile::path(demo_path()));
    assert!(matches!(refused, Err(Error::Unsupported { .. })), "{refused:?}");
    let folder = tempfile::tempdir().expect("a folder");
    let path = write_adapter(&folder, &[]);
    let refused = LocalModel::load(ModelFile::path(&path)).map(drop);
    assert!(matches!(&refused, Err(Error::Unsupported { what }) if what.contains("as its adapter")), "{refused:?}");
    let refused = model.load_adapter(ModelFile::path(folder.path().join("none.gguf")));
    assert!(matches!(refused, Err(Error::ModelNotFound { .. })), "{refused:?}");
}

#[test]
fn an_adapter_is_inspected() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = write_adapter(&folder, &[("sotto.tuned", Value::Bool(true))]);
    let report = inspect(ModelFile::path(path), &LoadOptions::default()).wait().expect("a report");
    assert_eq!((report.kind, report.adapter_rank, report.tuned), (FileKind::Adapter, Some(RANK), true));
    let report = inspect(ModelFile::path(demo_path()), &LoadOptions::default()).wait().expect("a report");
    assert_eq!((report.kind, report.adapter_rank), (FileKind::Model, None));
}

#[test]
fn an_adapter_that_learnt_the_task_formats_makes_tasks_use_them() {
    let model = with_metadata(|metadata| drop(metadata.remove("sotto.tuned")));
    let [untuned, tuned] =
        [adapter_for_tiny(&model, &[]), adapter_for_tiny(&model, &[("sotto.tuned", Value::Bool(true))])];
    let options = ClassifyOptions::new(["one", "two"]);
    let read = |adapters: &[(Adapter, f32)]| {
        let model = model.with_adapters(adapters).expect("its own adapters");
        let metrics = model.classify("text", &options).wait().expect("a label").metrics;
        metrics.prefill_tokens + metrics.reused_tokens
    };
    let (long, short) = (read(&[]), read(&[(tuned.clone(), 1.0)]));
    assert!(short + 10 < long, "{short} {long}");
    assert_eq!(read(&[(untuned.clone(), 1.0)]), long);
    assert_eq!(read(&[(untuned, 1.0), (tuned.clone(), 0.1)]), short);
    assert_eq!(read(&[(tuned, 0.0)]), long);
}

/// An adapter that changes nothing, for the model of [`with_metadata`].
fn adapter_for_tiny(model: &LocalModel, extra: &[(&str, Value)]) -> Adapter {
    let width = model.inspect(8).expect("a report").hidden_size;
    let folder = tempfile::tempdir().expect("a folder");
    let text = |text: &str| Value::String(text.into());
    let own =
        [("general.type", text("adapter")), ("general.architecture", text("llama")), ("adapter.type", text("lora"))];
    let metadata: Vec<_> = own.iter().chain(extra).map(|(key, value)| (*key, value)).collect();
    let zeros = |shape: [usize; 2]| {
        let zeros = Tensor::zeros(&shape, candle_core::DType::F32, &Device::Cpu).expect("zeros");
        QTensor::quantize(&zeros, GgmlDType::F32).expect("numbers")
    };
    let (a, b) = (zeros([1, width]), zeros([width, 1]));
    let name = "blk.0.attn_output.weight";
    let names = [format!("{name}.lora_a"), format!("{name}.lora_b")];
    let path = folder.path().join("adapter.gguf");
    let tensors = [(names[0].as_str(), &a), (names[1].as_str(), &b)];
    gguf_file::write(&mut File::create(&path).expect("a file"), &metadata, &tensors).expect("written");
    model.load_adapter(ModelFile::path(path)).expect("an adapter")
}

/// The demo model, with metadata beside its own.
fn demo_with(extra: (&str, Value)) -> Result<LocalModel, Error> {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("model.gguf");
    copy_with(&demo_path(), &path, extra);
    LocalModel::load(ModelFile::path(path))
}

fn copy_with(source: &Path, target: &Path, (key, value): (&str, Value)) {
    let mut reader = File::open(source).expect("the demo model");
    let content = Content::read(&mut reader).expect("GGUF");
    let mut metadata: HashMap<String, Value> = content.metadata.clone();
    metadata.insert(key.into(), value);
    let tensor = |name: &String| content.tensor(&mut reader, name, &Device::Cpu).expect("a tensor");
    let names: Vec<_> = content.tensor_infos.keys().collect();
    let tensors: Vec<QTensor> = names.iter().copied().map(tensor).collect();
    let metadata: Vec<_> = metadata.iter().map(|(key, value)| (key.as_str(), value)).collect();
    let tensors: Vec<_> = names.iter().map(|name| name.as_str()).zip(&tensors).collect();
    gguf_file::write(&mut File::create(target).expect("a file"), &metadata, &tensors).expect("written");
}

#[test]
fn a_bias_moves_a_model_between_finding_and_inventing() {
    let options = SummaryOptions::default();
    let actions_of = |model: &LocalModel, note| {
        model.summarize(&VoiceNote::text(note), &options).wait().expect("a summary").actions.len()
    };
    let actions = |model: &LocalModel| actions_of(model, NOTE);
    let with_bias = |bias: f32| demo_with(("sotto.action_bias", Value::F32(bias))).expect("the demo model");
    assert!(actions(&with_bias(0.0)) > 0);
    assert_eq!(actions(&with_bias(-100.0)), 0);
    assert!(actions_of(&with_bias(100.0), "The train was late again, and nobody minded. The soup was cold.") > 0);

    // An adapter's takes the place of the model's.
    let model = with_bias(100.0);
    let tuned = [("sotto.tuned", Value::Bool(true)), ("sotto.action_bias", Value::F32(-100.0))];
    let adapter = adapter_of(&model, &tuned);
    assert_eq!(actions(&model.with_adapters(&[(adapter, 1e-6)]).expect("its own adapter")), 0);

    for bias in [Value::F32(101.0), Value::F32(f32::NAN), Value::String("2".into())] {
        let refused = demo_with(("sotto.action_bias", bias.clone())).map(drop);
        assert!(matches!(refused, Err(Error::ModelInvalid { .. })), "{bias:?}: {refused:?}");
    }
}

#[test]
fn a_model_states_the_window_that_it_reads_best() {
    let note = VoiceNote::text(&NOTE.repeat(20));
    let windows = |model: &LocalModel| {
        model.summarize(&note, &SummaryOptions::default()).wait().expect("a summary").coverage.windows
    };
    let with_window = |tokens: u32| demo_with(("sotto.window_tokens", Value::U32(tokens)));
    let wide = with_window(300).expect("the demo model");
    assert!(windows(&wide) < windows(&with_window(150).expect("the demo model")));

    // An adapter's takes the place of the model's.
    let tuned = [("sotto.tuned", Value::Bool(true)), ("sotto.window_tokens", Value::U32(60))];
    let adapter = adapter_of(&wide, &tuned);
    assert!(windows(&wide.with_adapters(&[(adapter, 1e-6)]).expect("its own adapter")) > windows(&wide));

    let refused = with_window(49).map(drop);
    assert!(matches!(refused, Err(Error::ModelInvalid { .. })), "{refused:?}");
}
