//! Logits against PyTorch's, for the small models in `golden/` (made by `tools/golden-logits/make_golden.py`).
//!
//! An error is the largest difference over the largest golden logit: `max |a - b| / max |golden|`. The oracle ran on the
//! very weights that the files decode to, so for quantized files the bounds measure what the quantization of activations
//! costs, not that of the weights.

#[cfg(feature = "candle")]
mod candle;

use std::io::{Cursor, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use candle_core::quantized::gguf_file::{self, Content};
use candle_core::quantized::{GgmlDType, QTensor};
use candle_core::{Device, Tensor};
use serde_json::Value;
use sotto_engine::{
    Backend, CancelToken, Decoder, DecoderOptions, EngineError, GgufFile, Kernels, KvType, LogitRows, Model,
    ModelOptions,
};
use sotto_synth::{Quantization, RopeScaling, Shape, SynthOptions, synthesize};

/// The largest error with an F32 cache. F32, F16 and BF16 weights meet activations in F32, and come within 1e-5; the others
/// meet activations of 8 bits, and come within two thirds of their bounds.
fn bound(encoding: &str) -> f32 {
    match encoding {
        "F32" | "F16" | "BF16" => 1e-3,
        "Q8_0" | "Q4_0" => 0.03,
        "Q4_K" => 0.04,
        "Q5_K" => 0.02,
        "Q6_K" => 0.015,
        other => panic!("no bound is stated for {other}"),
    }
}

/// The largest error of activations of 8 bits in the `tiny` shape, whose largest logit is smaller beside the others.
const TINY_SHAPE_ERROR: f32 = 0.05;

/// What an F16 cache may add: its keys and values have 11 bits, and scores are sums of their products.
const F16_CACHE_ERROR: f32 = 5e-3;

/// What a Q8_0 cache may add, whose attention rounds queries and softmax weights to eight bits too.
const Q8_0_CACHE_ERROR: f32 = 0.08;

/// Without the right scaling of RoPE, logits must be off by more than this. (They are off by half of the largest.)
const WRONG_SCALING_ERROR: f32 = 0.1;

/// One model of `golden.json`.
struct Golden {
    name: String,
    architecture: String,
    encoding: String,
    scaled: bool,
    tokens: Vec<u32>,
    /// The positions for which logits are stored, ascending.
    rows: Vec<usize>,
    vocab: usize,
    /// Row-major, `[rows.len(), vocab]`.
    logits: Vec<f32>,
}

fn folder() -> PathBuf {
    // As it is now, not when this was compiled: on a phone, the files lie elsewhere.
    PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it")).join("tests/golden")
}

/// Of every family.
fn goldens() -> Vec<Golden> {
    let text = std::fs::read_to_string(folder().join("golden.json")).expect("golden.json");
    let entries: Vec<Value> = serde_json::from_str(&text).expect("JSON");
    entries.iter().map(Golden::read).collect()
}

fn golden(name: &str) -> Golden {
    goldens().into_iter().find(|golden| golden.name == name).expect(name)
}

impl Golden {
    fn read(entry: &Value) -> Self {
        let text = |key: &str| entry[key].as_str().expect(key).to_owned();
        let number = |key: &str| entry[key].as_u64().expect(key) as usize;
        let (name, vocab) = (text("name"), number("vocab"));
        let rows = entry["rows"].as_array().expect("rows").iter().map(|row| row.as_u64().expect("a row") as usize);
        let logits = Tensor::read_npy(folder().join(format!("{name}.npy"))).expect("logits");
        Self {
            architecture: text("architecture"),
            encoding: text("encoding"),
            scaled: entry["scaling"].is_string(),
            tokens: prompt(number("tokens"), vocab, number("seed") as u32),
            rows: rows.collect(),
            logits: logits.flatten_all().expect("flat").to_vec1().expect("f32"),
            name,
            vocab,
        }
    }

    fn is_long(&self) -> bool {
        self.tokens.len() > 1000
    }

    fn file(&self) -> GgufFile {
        GgufFile::open(folder().join(format!("{}.gguf", self.name))).expect("a model file")
    }

    fn own_decoder(&self, kernels: &'static Kernels, kv_type: KvType) -> Box<dyn Decoder> {
        let options = ModelOptions { threads: Some(2), kernels: Some(kernels), ..ModelOptions::default() };
        let model = Model::load(Arc::new(self.file()), options).expect("a model");
        model.decoder(self.options(kv_type)).expect("a decoder")
    }

    fn options(&self, kv_type: KvType) -> DecoderOptions {
        DecoderOptions { context_length: Some(self.tokens.len()), kv_type, ..DecoderOptions::default() }
    }

    /// The golden rows, reached by passes that end at each of them.
    fn by_prefill(&self, decoder: &mut dyn Decoder) -> Vec<f32> {
        let mut logits = Vec::new();
        for &row in &self.rows {
            let pass = &self.tokens[decoder.position()..=row];
            logits.extend_from_slice(decoder.forward(pass, LogitRows::Last, &CancelToken::new()).expect("logits"));
        }
        logits
    }

    /// The golden rows, reached by passes of one token.
    fn token_by_token(&self, decoder: &mut dyn Decoder) -> Vec<f32> {
        let mut logits = Vec::new();
        for (position, token) in self.tokens.iter().enumerate() {
            let row = decoder.forward(&[*token], LogitRows::Last, &CancelToken::new()).expect("logits");
            if self.rows.contains(&position) {
                logits.extend_from_slice(row);
            }
        }
        logits
    }

    /// The golden rows, picked from all rows of a single pass.
    fn by_all_rows(&self, decoder: &mut dyn Decoder) -> Vec<f32> {
        let all = decoder.forward(&self.tokens, LogitRows::All, &CancelToken::new()).expect("logits");
        assert_eq!(all.len(), self.tokens.len() * self.vocab);
        self.rows.iter().flat_map(|row| all[row * self.vocab..][..self.vocab].iter().copied()).collect()
    }

    fn error(&self, logits: &[f32]) -> f32 {
        relative_error(logits, &self.logits)
    }

    fn assert_close(&self, way: &str, logits: &[f32], bound: f32) {
        let error = self.error(logits);
        println!("{} ({}), {way}: error {error:.2e}, bound {bound:.0e}", self.name, self.encoding);
        assert!(error < bound, "{} ({}), {way}: error {error} is not below {bound}", self.name, self.encoding);
    }
}

/// The prompt of a golden model: the generator of `cases.py`.
fn prompt(count: usize, vocab: usize, seed: u32) -> Vec<u32> {
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 16) % vocab as u32
    };
    (0..count).map(|_| next()).collect()
}

fn decoder(file: GgufFile, backend: Backend, options: DecoderOptions) -> Box<dyn Decoder> {
    let model = Model::load(Arc::new(file), ModelOptions { backend, threads: Some(2), ..ModelOptions::default() })
        .expect("a model");
    model.decoder(options).expect("a decoder")
}

fn relative_error(logits: &[f32], golden: &[f32]) -> f32 {
    assert_eq!(logits.len(), golden.len());
    let largest = golden.iter().fold(0f32, |largest, logit| largest.max(logit.abs()));
    let pairs = logits.iter().zip(golden);
    // A NaN is larger than any bound.
    pairs.fold(0f32, |error, (a, b)| if (a - b).is_nan() { f32::INFINITY } else { error.max((a - b).abs()) }) / largest
}

#[test]
fn the_prompt_is_the_one_that_pytorch_read() {
    assert_eq!(prompt(4, 256, 1), [136, 136, 22, 115]);
}

#[test]
fn short_prompts_with_an_f32_cache() {
    for kernels in Kernels::available() {
        for golden in goldens().iter().filter(|golden| !golden.is_long()) {
            let decoder = || golden.own_decoder(kernels, KvType::F32);
            let way = |way: &str| format!("{}, {way}", kernels.name());
            let bound = bound(&golden.encoding);
            golden.assert_close(&way("prefill"), &golden.by_prefill(&mut *decoder()), bound);
            golden.assert_close(&way("token by token"), &golden.token_by_token(&mut *decoder()), bound);
            golden.assert_close(&way("all rows"), &golden.by_all_rows(&mut *decoder()), bound);
        }
        say_exercised(kernels.name());
    }
}

#[test]
fn short_prompts_with_caches_that_round() {
    for kernels in Kernels::available() {
        for (kv_type, error) in [(KvType::F16, F16_CACHE_ERROR), (KvType::Q8_0, Q8_0_CACHE_ERROR)] {
            // Q8_0 caches are for heads whose widths are multiples of 32.
            for golden in goldens().iter().filter(|golden| !golden.is_long() && golden.name != "qwen2") {
                let decoder = || golden.own_decoder(kernels, kv_type);
                let way = |way: &str| format!("{}, {kv_type:?}, {way}", kernels.name());
                let bound = bound(&golden.encoding) + error;
                golden.assert_close(&way("prefill"), &golden.by_prefill(&mut *decoder()), bound);
                golden.assert_close(&way("token by token"), &golden.token_by_token(&mut *decoder()), bound);
            }
        }
    }
}

/// `cargo xtask` fails when what it counts on is missing among these lines: an instruction set, candle.
fn say_exercised(what: &str) {
    // Not `eprintln`: the test runner would keep that to itself.
    writeln!(std::io::stderr(), "EXERCISED: {} {what}", env!("CARGO_PKG_NAME")).expect("stderr");
}

#[test]
fn beyond_8192_with_scaling_from_the_tensor() {
    let golden = golden("long-tensor");
    golden.assert_close(
        "prefill",
        &golden.by_prefill(&mut *golden.own_decoder(Kernels::get(), KvType::F32)),
        bound("F32"),
    );
}

#[test]
fn beyond_8192_with_scaling_from_metadata() {
    let golden = golden("long-metadata");
    for (kv_type, error) in [(KvType::F16, F16_CACHE_ERROR), (KvType::Q8_0, Q8_0_CACHE_ERROR)] {
        let logits = golden.by_prefill(&mut *golden.own_decoder(Kernels::get(), kv_type));
        golden.assert_close(&format!("{kv_type:?}, prefill"), &logits, bound("F32") + error);
    }
}

/// Windows of 4,096 that move on, and frequencies for contexts that are longer than that.
#[test]
fn beyond_4096() {
    for golden in ["gemma2-long", "phi3-128k"].map(golden) {
        for (kv_type, error) in [(KvType::F32, 0.0), (KvType::F16, F16_CACHE_ERROR), (KvType::Q8_0, Q8_0_CACHE_ERROR)] {
            let logits = golden.by_prefill(&mut *golden.own_decoder(Kernels::get(), kv_type));
            golden.assert_close(&format!("{kv_type:?}, prefill"), &logits, bound(&golden.encoding) + error);
        }
    }
}

#[test]
fn without_its_scaling_a_file_gives_other_logits() {
    let is_llama = |golden: &&Golden| golden.architecture == "llama" && golden.encoding == "F32";
    for golden in goldens().iter().filter(|golden| golden.scaled).filter(is_llama) {
        let mut decoder = decoder(without_scaling(golden), Backend::Sotto, golden.options(KvType::F32));
        let error = golden.error(&golden.by_prefill(&mut *decoder));
        assert!(error > WRONG_SCALING_ERROR, "{}: {error}", golden.name);
    }
}

/// The golden file with plain RoPE: neither `rope_freqs.weight` nor keys for scaling.
fn without_scaling(golden: &Golden) -> GgufFile {
    let keep = |name: &str| !name.contains("rope.scaling") && name != "rope_freqs.weight";
    rewritten(&folder().join(format!("{}.gguf", golden.name)), keep, |tensor| tensor)
}

/// The file with every weight as the F32 number that it decodes to.
fn widened(path: &Path) -> GgufFile {
    let widen = |tensor: QTensor| {
        let values = tensor.dequantize(&Device::Cpu).expect("dequantized");
        QTensor::quantize(&values, GgmlDType::F32).expect("F32")
    };
    rewritten(path, |_| true, widen)
}

/// A copy in memory with only those keys and tensors whose names pass, and its tensors changed.
fn rewritten(path: &Path, keep: impl Fn(&str) -> bool, change: impl Fn(QTensor) -> QTensor) -> GgufFile {
    let mut reader = Cursor::new(std::fs::read(path).expect("a model file"));
    let content = Content::read(&mut reader).expect("GGUF");
    let metadata = content.metadata.iter().map(|(key, value)| (key.as_str(), value));
    let metadata: Vec<_> = metadata.filter(|(key, _)| keep(key)).collect();
    let names = content.tensor_infos.keys().map(String::as_str).filter(|name| keep(name));
    let tensors: Vec<_> =
        names.map(|name| (name, change(content.tensor(&mut reader, name, &Device::Cpu).expect("a tensor")))).collect();
    let tensors: Vec<_> = tensors.iter().map(|(name, tensor)| (*name, tensor)).collect();
    let mut out = Cursor::new(Vec::new());
    gguf_file::write(&mut out, &metadata, &tensors).expect("written");
    GgufFile::from_bytes(out.into_inner()).expect("GGUF")
}

/// The engine, made to go back and on, against itself over the same weights widened to F32.
#[test]
fn going_back_and_on_is_close_to_exact_weights() {
    for_each_quantization(|quantization, bound, file, exact| {
        let error = relative_error(&answer_after_going_back(file, Backend::Sotto), exact);
        println!("{quantization:?} after going back: error {error:.2e}");
        assert!(error < bound, "{quantization:?}: {error}");
    });
}

/// Gives `check` a quantization, the largest error of its logits, a random model of it, and what the same weights as F32 answer
/// after going back.
fn for_each_quantization(check: impl Fn(Quantization, f32, GgufFile, &[f32])) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("model.gguf");
    let shape =
        Shape { rope_scaling: RopeScaling::None, context_length: 4096, ..Shape::named("tiny").expect("a known shape") };
    for &quantization in Quantization::ALL {
        let floats = matches!(quantization, Quantization::F32 | Quantization::F16 | Quantization::Bf16);
        let bound = if floats { bound("F32") } else { TINY_SHAPE_ERROR };
        synthesize(&SynthOptions::new(shape.clone(), quantization), &path, |_, _| {}).expect("a model file");
        let exact = answer_after_going_back(widened(&path), Backend::Sotto);
        check(quantization, bound, GgufFile::open(&path).expect("a model file"), &exact);
    }
}

fn answer_after_going_back(file: GgufFile, backend: Backend) -> Vec<f32> {
    let options = DecoderOptions { context_length: Some(128), kv_type: KvType::F32, ..DecoderOptions::default() };
    let mut decoder = decoder(file, backend, options);
    let cancel = CancelToken::new();
    decoder.forward(&prompt(100, 1024, 1), LogitRows::Last, &cancel).expect("logits");
    decoder.truncate(70);
    assert_eq!(decoder.position(), 70);
    decoder.forward(&prompt(20, 1024, 2), LogitRows::All, &cancel).expect("logits").to_vec()
}

#[cfg(not(feature = "candle"))]
#[test]
fn candle_is_refused_where_it_is_left_out() {
    let options = ModelOptions { backend: Backend::Candle, ..ModelOptions::default() };
    let model = Model::load(Arc::new(golden("plain-gqa1-hd32-tied").file()), options);
    assert!(matches!(&model, Err(EngineError::Unsupported { what }) if what.contains("candle")), "{model:?}");
}
