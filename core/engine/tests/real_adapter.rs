//! An adapter on real weights, against PyTorch and llama.cpp: `golden/adapter.json`, which `tools/golden-logits/adapters.py` writes.

mod common;

use std::fs::File;
use std::io::{Cursor, Write as _};
use std::path::PathBuf;
use std::sync::Arc;

use candle_core::quantized::gguf_file::{self, Content, Value};
use candle_core::quantized::{GgmlDType, QTensor};
use candle_core::{DType, Device};
use common::{exact_decoder, quantize, relative_error};
use crc32fast::hash;
use sotto_engine::{CancelToken, GgufFile, LogitRows, Model, ModelOptions};

const SMOLLM2: &str = "SmolLM2-135M-Instruct.Q4_1.gguf";
/// Weights are the same numbers as theirs, and activations stay `f32`: sums are formed in another order, in 30 layers.
const BOUND: f64 = 1e-4;

/// What the script wrote down.
struct Golden {
    rank: usize,
    alpha: f32,
    scale: f32,
    tokens: Vec<u32>,
    /// Of the vocabulary, each so many-th token's logit is stored.
    step: usize,
    pytorch: Vec<f64>,
    llama_cpp: Vec<f64>,
}

impl Golden {
    fn read() -> Self {
        let all: serde_json::Value = serde_json::from_str(include_str!("golden/adapter.json")).expect("JSON");
        let numbers = |key: &str| -> Vec<f64> {
            all[key].as_array().expect("a list").iter().map(|number| number.as_f64().expect("a number")).collect()
        };
        let number = |key: &str| all[key].as_f64().expect("a number");
        Self {
            rank: number("rank") as usize,
            alpha: number("alpha") as f32,
            scale: number("scale") as f32,
            tokens: numbers("tokens").into_iter().map(|token| token as u32).collect(),
            step: number("step") as usize,
            pytorch: numbers("pytorch"),
            llama_cpp: numbers("llama.cpp"),
        }
    }
}

#[test]
fn smollm2_with_an_adapter_is_pytorchs_and_llama_cpps() {
    let Some(file) = real_model() else { return };
    let golden = Golden::read();
    let model = as_f16(&mut File::open(file).expect("the model file"));
    let model = Model::load(Arc::new(model), ModelOptions::default()).expect("a model");
    let adapter = GgufFile::from_bytes(adapter(&model, &golden)).expect("a valid file");
    let adapter = model.load_adapter(&adapter, &CancelToken::new()).expect("an adapter");

    let last = |adapters: &[_]| -> Vec<f32> {
        let mut decoder = exact_decoder(&model);
        decoder.set_adapters(adapters).expect("an adapter of this model");
        let logits = decoder.forward(&golden.tokens, LogitRows::Last, &CancelToken::new()).expect("logits");
        logits.iter().step_by(golden.step).copied().collect()
    };
    let logits = last(&[(adapter, golden.scale)]);
    for (name, expected) in [("PyTorch", &golden.pytorch), ("llama.cpp", &golden.llama_cpp)] {
        let error = relative_error(&logits, expected);
        println!("{name}: {error:.1e}");
        assert!(error <= BOUND, "{name}: {error:e}");
    }
    assert!(relative_error(&last(&[]), &golden.pytorch) > 0.01, "the adapter changes something");
}

/// The model with its matrices as F16.
fn as_f16(file: &mut File) -> GgufFile {
    let content = Content::read(file).expect("GGUF");
    let names: Vec<&str> = content.tensor_infos.keys().map(String::as_str).collect();
    let mut tensor = |name: &&str| {
        let tensor = content.tensor(file, name, &Device::Cpu).expect("a tensor");
        if tensor.dtype() == GgmlDType::F32 {
            return tensor;
        }
        let values = tensor.dequantize_f16(&Device::Cpu).and_then(|values| values.to_dtype(DType::F32));
        QTensor::quantize(&values.expect("values"), GgmlDType::F16).expect("numbers")
    };
    let tensors: Vec<QTensor> = names.iter().map(&mut tensor).collect();
    let metadata: Vec<_> = content.metadata.iter().map(|(key, value)| (key.as_str(), value)).collect();
    let tensors: Vec<_> = names.iter().copied().zip(&tensors).collect();
    let mut bytes = Cursor::new(Vec::new());
    gguf_file::write(&mut bytes, &metadata, &tensors).expect("written");
    GgufFile::from_bytes(bytes.into_inner()).expect("a valid file")
}

/// The adapter that the script has.
fn adapter(model: &Model, golden: &Golden) -> Vec<u8> {
    let config = model.config();
    let (hidden, query, kv, wide) =
        (config.hidden_size, config.query_size(), config.kv_size(), config.intermediate_size);
    let matrices = [
        ("attn_q", query, hidden),
        ("attn_k", kv, hidden),
        ("attn_v", kv, hidden),
        ("attn_output", hidden, query),
        ("ffn_gate", wide, hidden),
        ("ffn_up", wide, hidden),
        ("ffn_down", hidden, wide),
    ];
    let mut tensors = Vec::new();
    for layer in 0..config.num_layers {
        for (name, rows, cols) in matrices {
            for (half, shape) in [("a", [golden.rank, cols]), ("b", [rows, golden.rank])] {
                let name = format!("blk.{layer}.{name}.weight.lora_{half}");
                let numbers = numbers(&name, shape[0] * shape[1]);
                tensors.push((name, quantize(numbers, &shape, GgmlDType::F32)));
            }
        }
    }
    let text = |text: &str| Value::String(text.into());
    let metadata = [
        ("general.type", text("adapter")),
        ("general.architecture", text("llama")),
        ("adapter.type", text("lora")),
        ("adapter.lora.alpha", Value::F32(golden.alpha)),
    ];
    let metadata: Vec<_> = metadata.iter().map(|(key, value)| (*key, value)).collect();
    let tensors: Vec<_> = tensors.iter().map(|(name, tensor)| (name.as_str(), tensor)).collect();
    let mut bytes = Cursor::new(Vec::new());
    gguf_file::write(&mut bytes, &metadata, &tensors).expect("written");
    bytes.into_inner()
}

/// Numbers of ±1/16 that follow from the tensor's name and their places: splitmix64.
fn numbers(name: &str, count: usize) -> Vec<f32> {
    let seed = u64::from(hash(name.as_bytes()));
    let number = |place: u64| {
        let mut z = seed.wrapping_add(place.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^= z >> 31;
        ((z >> 40) as f32 / (1 << 23) as f32 - 1.0) / 16.0
    };
    (1..=count as u64).map(number).collect()
}

/// The model's file; says loudly that the check is skipped when nobody has brought it.
fn real_model() -> Option<PathBuf> {
    let folder = std::env::var_os("SOTTO_REAL_MODELS").map(PathBuf::from);
    if folder.is_none() {
        // Not `eprintln`: the test runner would keep that to itself.
        writeln!(std::io::stderr(), "SKIPPED: {SMOLLM2}: SOTTO_REAL_MODELS is not set (`cargo xtask real-models`)")
            .expect("stderr");
    }
    folder.map(|folder| folder.join(SMOLLM2))
}
