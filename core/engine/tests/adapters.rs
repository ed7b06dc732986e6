//! Adapters against the same model with the change in its weights, and against themselves: in every family, alone and together,
//! token by token, with every instruction set.

mod common;

use std::sync::Arc;

use candle_core::quantized::GgmlDType;
use candle_core::quantized::gguf_file::Value;
use common::adapters::{TestAdapter, targets};
use common::{FAMILIES, TestModel, all_logits, exact_decoder, random, random_tokens, relative_error};
use sotto_engine::{
    Adapter, Append, CancelToken, DecoderOptions, EngineError, GgufFile, Kernels, KvType, LogitRows, Model,
    ModelOptions, pack_file,
};

/// As `FLOAT_BOUND` in `forward.rs`: only sums round.
const FLOAT_BOUND: f64 = 1e-5;

fn adapted_logits(model: &Model, adapters: &[(Adapter, f32)], tokens: &[u32]) -> Vec<f32> {
    let mut decoder = exact_decoder(model);
    decoder.set_adapters(adapters).expect("adapters of this model");
    all_logits(&mut *decoder, tokens)
}

fn float_model(family: &'static str) -> TestModel {
    TestModel::of_family(family).with_random_weights()
}

const F32: [GgmlDType; 2] = [GgmlDType::F32; 2];

#[test]
fn every_family_computes_what_merged_weights_give() {
    for family in FAMILIES {
        let model = float_model(family);
        let adapter = TestAdapter::new(family, 5, F32, &targets(&model));
        let tokens = random_tokens(40, model.vocab_size);
        let loaded = model.load();
        let pair = (adapter.load(&loaded).expect("an adapter"), 0.7);
        let logits = adapted_logits(&loaded, &[pair], &tokens);
        let error = relative_error(&logits, &adapter.merged(&model, 0.7).reference(&tokens));
        let change = relative_error(&logits, &model.reference(&tokens));
        println!("{family}: {error:.1e}, changed by {change:.1}");
        assert!(error <= FLOAT_BOUND, "{family}: {error:e}");
        assert!(change > 0.1, "{family}: the adapter changes something, {change:e}");
    }
}

#[test]
fn every_format_of_an_adapter() {
    let model = float_model("llama");
    let loaded = model.load();
    let tokens = random_tokens(20, model.vocab_size);
    for (dtypes, rank) in [
        ([GgmlDType::F16; 2], 5),
        ([GgmlDType::BF16; 2], 16),
        ([GgmlDType::Q8_0, GgmlDType::F32], 7),
        ([GgmlDType::Q8_0; 2], 32),
        ([GgmlDType::Q4K, GgmlDType::Q4_0], 64),
        (F32, 1),
        (F32, 33),
    ] {
        let adapter = TestAdapter::new("llama", rank, dtypes, &targets(&model));
        let pair = (adapter.load(&loaded).expect("an adapter"), 1.0);
        let logits = adapted_logits(&loaded, &[pair], &tokens);
        let error = relative_error(&logits, &adapter.merged(&model, 1.0).reference(&tokens));
        println!("{dtypes:?}, rank {rank}: {error:.1e}");
        assert!(error <= FLOAT_BOUND, "{dtypes:?}, rank {rank}: {error:e}");
    }
}

#[test]
fn embedding_and_output() {
    for family in ["llama", "gemma2"] {
        let model = float_model(family);
        let mut adapter = TestAdapter::new(family, 3, F32, &[("output".into(), model.vocab_size, model.hidden_size)]);
        let (tokens, hidden) = (model.vocab_size, model.hidden_size);
        adapter.set("token_embd.weight.lora_a", random(tokens * 3, -0.2..=0.2), &[tokens, 3], GgmlDType::F32);
        adapter.set("token_embd.weight.lora_b", random(hidden * 3, -0.2..=0.2), &[hidden, 3], GgmlDType::F32);
        let loaded = model.load();
        let read = random_tokens(20, model.vocab_size);
        let pair = (adapter.load(&loaded).expect("an adapter"), -1.5);
        let logits = adapted_logits(&loaded, std::slice::from_ref(&pair), &read);
        let error = relative_error(&logits, &adapter.merged(&model, -1.5).reference(&read));
        assert!(error <= FLOAT_BOUND, "{family}: {error:e}");

        // Some tokens' logits alone are the same numbers.
        let mut decoder = exact_decoder(&loaded);
        decoder.set_adapters(&[pair]).expect("an adapter of this model");
        let ids = [130, 0, 7, 64, 63];
        let some = decoder.forward_for(&read, LogitRows::Tail(3), &ids, &CancelToken::new()).expect("logits");
        let rows = logits.chunks(model.vocab_size).skip(17);
        let expected: Vec<f32> = rows.flat_map(|row| ids.map(|id| row[id as usize])).collect();
        assert_eq!(some, expected, "{family}");
    }
}

/// Some families' files have queries, keys and values in one tensor; adapters may, too, whatever the model's file has. So does
/// a packed file, whose rows lie in another order.
#[test]
fn fused_tensors_and_packed_files() {
    let folder = tempfile::tempdir().expect("a folder");
    for family in FAMILIES {
        let model = float_model(family);
        let adapter = TestAdapter::new(family, 5, F32, &targets(&model));
        let (gguf, packed) = (folder.path().join(family), folder.path().join(format!("{family}.sotto")));
        std::fs::write(&gguf, model.gguf()).expect("written");
        let source = GgufFile::open(&gguf).expect("a model");
        pack_file(&source, "", None, &packed, &CancelToken::new(), |_, _| {}).expect("packed");
        let options = ModelOptions { threads: Some(2), ..ModelOptions::default() };
        let packed = Model::load(Arc::new(GgufFile::open(&packed).expect("packed")), options).expect("a model");
        let tokens = random_tokens(20, model.vocab_size);
        let logits = |model: &Model| {
            let pair = (adapter.load(model).expect("an adapter"), 1.0);
            adapted_logits(model, &[pair], &tokens)
        };
        assert_eq!(logits(&packed), logits(&model.load()), "{family}");
    }
}

/// What merging writes is the model that the adapter makes, in the formats that it had.
#[cfg(feature = "candle")]
#[test]
fn merged_files_compute_what_adapters_do() {
    let folder = tempfile::tempdir().expect("a folder");
    let target = folder.path().join("merged.gguf");
    let merge = |model: &TestModel, adapter: &TestAdapter, scale: f32| {
        let source = GgufFile::from_bytes(model.gguf()).expect("a valid file");
        let adapters = [(GgufFile::from_bytes(adapter.gguf()).expect("a valid file"), scale)];
        let merged = sotto_engine::merge_file(&source, &adapters, &target, &CancelToken::new(), |_, _| {})?;
        let file = GgufFile::open(&target).expect("a valid file");
        Ok::<_, EngineError>((merged, file))
    };
    for family in FAMILIES {
        let model = float_model(family);
        let adapter = TestAdapter::new(family, 5, F32, &targets(&model));
        let (merged, file) = merge(&model, &adapter, 0.7).expect("merged");
        assert_eq!(merged.len(), targets(&model).len());
        assert!(merged.iter().all(|tensor| tensor.was == tensor.is));
        let tokens = random_tokens(20, model.vocab_size);
        let logits = all_logits(
            &mut *exact_decoder(&Model::load(Arc::new(file), ModelOptions::default()).expect("a model")),
            &tokens,
        );
        let error = relative_error(&logits, &adapter.merged(&model, 0.7).reference(&tokens));
        assert!(error <= FLOAT_BOUND, "{family}: {error:e}");
    }

    let mut model = TestModel { dtype: GgmlDType::Q6K, ..TestModel::of_family("llama") };
    model = model.with_random_weights();
    let mut adapter = TestAdapter::new("llama", 5, F32, &targets(&model)[..2]);
    adapter.metadata.insert("sotto.tuned".into(), Value::Bool(true));
    let (merged, file) = merge(&model, &adapter, 1.0).expect("merged");
    assert!(merged.iter().all(|tensor| tensor.is == sotto_engine::DType::Q6K));
    assert_eq!(file.metadata().bool("sotto.tuned").expect("a boolean"), Some(true));
    let source = GgufFile::from_bytes(model.gguf()).expect("a valid file");
    for name in source.tensor_names() {
        let same = source.tensor(name).map(|tensor| tensor.bytes) == file.tensor(name).map(|tensor| tensor.bytes);
        assert_eq!(same, !merged.iter().any(|tensor| tensor.name == name), "{name}");
    }
    let other = TestAdapter::new("qwen2", 5, F32, &targets(&model));
    assert!(matches!(merge(&model, &other, 1.0).map(drop), Err(EngineError::Invalid { .. })));
}

#[test]
fn several_at_once_add_up() {
    let model = float_model("qwen3");
    let loaded = model.load();
    let tokens = random_tokens(30, model.vocab_size);
    let [first, second] = [5, 16].map(|rank| TestAdapter::new("qwen3", rank, F32, &targets(&model)));
    let pairs = [(first.load(&loaded).expect("one"), 0.5), (second.load(&loaded).expect("another"), -0.25)];
    let logits = adapted_logits(&loaded, &pairs, &tokens);
    let merged = second.merged(&first.merged(&model, 0.5), -0.25);
    let error = relative_error(&logits, &merged.reference(&tokens));
    assert!(error <= FLOAT_BOUND, "{error:e}");
}

/// Whatever computes, and however many tokens or sequences at once.
#[test]
fn the_bits_are_the_same_everywhere() {
    let cancel = CancelToken::new();
    for (dtype, adapter_dtype) in
        [(GgmlDType::Q4_0, GgmlDType::F16), (GgmlDType::F16, GgmlDType::F32), (GgmlDType::Q6K, GgmlDType::BF16)]
    {
        let mut model = TestModel::of_family("qwen2");
        model.dtype = dtype;
        let model = model.with_random_weights();
        let adapter = TestAdapter::new("qwen2", 7, [adapter_dtype; 2], &targets(&model));
        let tokens = random_tokens(141, model.vocab_size);
        let mut expected: Option<Vec<f32>> = None;
        for kernels in Kernels::available() {
            for threads in [1, 3] {
                let options =
                    ModelOptions { threads: Some(threads), kernels: Some(kernels), ..ModelOptions::default() };
                let loaded = model.load_with(options);
                let pairs = [(adapter.load(&loaded).expect("an adapter"), 0.9)];
                let all = adapted_logits(&loaded, &pairs, &tokens);
                let last = &all[all.len() - model.vocab_size..];
                let expected = expected.get_or_insert_with(|| last.to_vec());
                assert_eq!(last, expected, "{} {threads} {dtype:?}", kernels.name());

                let mut alone = exact_decoder(&loaded);
                alone.set_adapters(&pairs).expect("an adapter of this model");
                for (index, token) in tokens.iter().enumerate() {
                    let row = alone.forward(&[*token], LogitRows::Last, &cancel).expect("logits");
                    assert_eq!(row, &all[index * model.vocab_size..][..model.vocab_size], "token {index}");
                }
                let options =
                    DecoderOptions { context_length: Some(200), kv_type: KvType::F32, ..DecoderOptions::default() };
                let mut batch = loaded.batch(3, options).expect("a batch");
                batch.set_adapters(&pairs).expect("an adapter of this model");
                let append = |tokens| move |sequence| Append { sequence, tokens, rows: LogitRows::Last };
                batch.forward(&[0, 1, 2].map(append(&tokens[..140])), None, &cancel).expect("logits");
                let together = batch.forward(&[0, 1, 2].map(append(&tokens[140..])), None, &cancel).expect("logits");
                assert!(together.chunks(model.vocab_size).all(|row| row == expected), "{} {threads}", kernels.name());
            }
        }
    }
}

#[test]
fn switching_forgets_what_others_made() {
    let model = float_model("llama");
    let loaded = model.load();
    let tokens = random_tokens(12, model.vocab_size);
    let adapter = TestAdapter::new("llama", 5, F32, &targets(&model)).load(&loaded).expect("an adapter");
    let mut decoder = exact_decoder(&loaded);
    let plain = all_logits(&mut *decoder, &tokens);
    let held = decoder.private_bytes();
    decoder.set_adapters(&[]).expect("none");
    assert_eq!(decoder.position(), 12, "none are none as before");

    decoder.set_adapters(&[(adapter.clone(), 1.0)]).expect("an adapter of this model");
    assert_eq!(decoder.position(), 0);
    assert!(decoder.private_bytes() >= held + adapter.private_bytes());
    let adapted = all_logits(&mut *decoder, &tokens);
    assert_ne!(adapted, plain);
    decoder.set_adapters(&[(adapter.clone(), 1.0)]).expect("an adapter of this model");
    assert_eq!(decoder.position(), 12, "the same ones change nothing");
    decoder.set_adapters(&[(adapter.clone(), 0.5)]).expect("an adapter of this model");
    assert_eq!(decoder.position(), 0, "another scale makes other numbers");
    decoder.set_adapters(&[]).expect("none");
    assert_eq!(all_logits(&mut *decoder, &tokens), plain);

    let other = model.load();
    let refused = exact_decoder(&other).set_adapters(&[(adapter.clone(), 1.0)]);
    assert!(matches!(refused, Err(EngineError::Unsupported { .. })), "{refused:?}");
    let refused = decoder.set_adapters(&[(adapter, f32::NAN)]);
    assert!(matches!(refused, Err(EngineError::Unsupported { .. })), "{refused:?}");
}

/// Where an error is, and a part of what it says.
fn refusal(adapter: &TestAdapter, model: &Model) -> (String, String) {
    match adapter.load(model) {
        Err(EngineError::Invalid { at, why }) => (at, why),
        Err(EngineError::Unsupported { what }) => (String::new(), what),
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_is_no_adapter_of_the_model_is_refused() {
    let model = float_model("llama");
    let loaded = model.load();
    let good = TestAdapter::new("llama", 5, F32, &targets(&model));
    let (a, b) = ("blk.1.attn_k.weight.lora_a", "blk.1.attn_k.weight.lora_b");
    let with = |change: &dyn Fn(&mut TestAdapter)| {
        let mut adapter = good.clone();
        change(&mut adapter);
        refusal(&adapter, &loaded)
    };
    let text = |text: &str| Value::String(text.into());
    let key = |key: &str, value: Value| with(&|adapter| drop(adapter.metadata.insert(key.into(), value.clone())));
    let tensor = |name: &str, values: Vec<f32>, shape: &[usize]| {
        with(&|adapter| adapter.set(name, values.clone(), shape, GgmlDType::F32))
    };
    let cases = [
        (key("general.architecture", text("qwen2")), "metadata key general.architecture", "trained on"),
        (key("adapter.type", text("dora")), "", "that is not a LoRA"),
        (key("adapter.lora.alpha", Value::F32(f32::NAN)), "metadata key adapter.lora.alpha", "finite"),
        (key("general.type", text("model")), "", "a model as an adapter"),
        (key("general.type", text("imatrix")), "", "\"data\""),
        (key("adapter.alora.invocation_tokens", Value::Array(vec![Value::U32(1)])), "", "activated LoRA"),
        (with(&|adapter| drop(adapter.tensors.remove(b))), "tensor blk.1.attn_k.weight.lora_b", "missing"),
        (with(&|adapter| drop(adapter.tensors.remove(a))), "tensor blk.1.attn_k.weight.lora_a", "missing"),
        (with(&|adapter| adapter.tensors.clear()), "the tensors", "none"),
        (tensor(a, random(5 * 255, 0.0..=1.0), &[5, 255]), "tensor blk.1.attn_k.weight.lora_a", "[5, 256]"),
        (tensor(a, random(4 * 256, 0.0..=1.0), &[4, 256]), "tensor blk.1.attn_k.weight.lora_a", "[5, 256]"),
        (tensor(b, random(129 * 5, 0.0..=1.0), &[129, 5]), "tensor blk.1.attn_k.weight.lora_b", "[128, 5]"),
        (tensor(a, random(5, 0.0..=1.0), &[5]), "tensor blk.1.attn_k.weight.lora_a", "not a pair of matrices"),
        (
            tensor("blk.2.attn_k.weight.lora_a", vec![0.0; 5], &[5, 1]),
            "tensor blk.2.attn_k.weight.lora_a",
            "trained on",
        ),
        (tensor("blk.1.attn_norm.weight", vec![0.0; 256], &[256]), "", "blk.1.attn_norm.weight"),
    ];
    for ((at, why), place, words) in cases {
        assert_eq!(at, place, "{why}");
        assert!(why.contains(words), "{why}");
    }
    for poison in [f32::NAN, f32::INFINITY] {
        let mut values = random(128 * 5, 0.0..=1.0);
        values[77] = poison;
        let (at, why) = tensor(b, values, &[128, 5]);
        assert_eq!(at, "tensor blk.1.attn_k.weight.lora_b");
        assert!(why.contains("finite"), "{why}");
    }

    let tied = TestModel { tied: true, ..TestModel::of_family("llama") }.with_random_weights();
    let mut adapter = TestAdapter::new("llama", 2, F32, &[]);
    adapter.set("token_embd.weight.lora_a", vec![0.0; 131 * 2], &[131, 2], GgmlDType::F32);
    adapter.set("token_embd.weight.lora_b", vec![0.0; 256 * 2], &[256, 2], GgmlDType::F32);
    assert!(refusal(&adapter, &tied.load()).1.contains("without the embedding"));
    let head = TestAdapter::new("llama", 2, F32, &[("output".into(), 131, 256)]);
    assert_eq!(refusal(&head, &tied.load()).0, "tensor output.weight.lora_a");
}

/// Neither a file that ends too early nor one with other bytes does any harm.
#[test]
fn damaged_files_are_refused_or_load() {
    let model = float_model("llama");
    let loaded = model.load();
    let whole = TestAdapter::new("llama", 2, [GgmlDType::F16; 2], &targets(&model)[..3]).gguf();
    for len in (0..whole.len()).step_by(97) {
        let refused = GgufFile::from_bytes(whole[..len].to_vec())
            .and_then(|file| loaded.load_adapter(&file, &CancelToken::new()));
        assert!(refused.is_err(), "{len} bytes");
    }
    let header = whole.len().min(1200);
    for (at, byte) in (0..header).flat_map(|at| [0x00, 0x01, 0x7f, 0xff].map(|byte| (at, byte))) {
        let mut damaged = whole.clone();
        damaged[at] = byte;
        let _ = GgufFile::from_bytes(damaged).and_then(|file| loaded.load_adapter(&file, &CancelToken::new()));
    }
}
