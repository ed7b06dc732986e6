//! Small random models: written as GGUF files, and computed by plain loops in `f64`.
#![allow(dead_code, reason = "each test file uses a part")]

pub mod adapters;
pub mod candle_formats;

use std::collections::BTreeMap;
use std::io::Cursor;
use std::sync::Arc;

use candle_core::quantized::gguf_file::{self, Value};
use candle_core::quantized::{GgmlDType, QTensor};
use candle_core::{Device, Tensor};
use rand::RngExt;
use sotto_engine::{CancelToken, Decoder, DecoderOptions, GgufFile, KvType, LogitRows, Model, ModelOptions};

/// The shape and weights of a model. Weights are what its file's blocks decode to, by tensor name.
pub struct TestModel {
    /// `general.architecture`, one of [`FAMILIES`].
    pub family: &'static str,
    pub hidden_size: usize,
    pub intermediate_size: usize,
    pub num_layers: usize,
    pub num_heads: usize,
    pub num_kv_heads: usize,
    pub head_dim: usize,
    pub rope_dim: usize,
    pub vocab_size: usize,
    pub context_length: usize,
    pub rope_theta: f32,
    pub tied: bool,
    pub dtype: GgmlDType,
    /// Divides each pair's frequency: the oracle's form of every scaling.
    pub divisors: Vec<f64>,
    /// Multiplies what RoPE turns.
    pub magnitude: f64,
    /// Further metadata, or replacements.
    pub metadata: BTreeMap<String, Value>,
    /// Further tensors, or replacements.
    pub tensors: BTreeMap<String, QTensor>,
}

const EPSILON: f32 = 1e-5;

pub const FAMILIES: [&str; 6] = ["llama", "qwen2", "qwen3", "gemma2", "gemma3", "phi3"];
/// Tokens that windowed layers of Gemma's test models see, and every which of them sees all.
pub const WINDOW: usize = 9;
const PERIOD: usize = 2;
/// Gemma 2's bounds, low enough to matter.
const SCORE_CAP: f64 = 2.0;
const LOGIT_CAP: f64 = 3.0;

impl TestModel {
    /// A small model of a family.
    pub fn of_family(family: &'static str) -> Self {
        let mut model = Self { family, ..Self::new(4, 2, 64) };
        let float = |value: f64| Value::F32(value as f32);
        let extra = match family {
            "gemma2" => vec![
                ("attention.sliding_window", Value::U32(WINDOW as u32)),
                ("attn_logit_softcapping", float(SCORE_CAP)),
                ("final_logit_softcapping", float(LOGIT_CAP)),
            ],
            "gemma3" => vec![
                ("attention.sliding_window", Value::U32(WINDOW as u32)),
                ("attention.sliding_window_pattern", Value::U32(PERIOD as u32)),
                ("rope.scaling.type", Value::String("linear".into())),
                ("rope.scaling.factor", Value::F32(8.0)),
            ],
            "phi3" => vec![("rope.scaling.attn_factor", float(1.19))],
            _ => vec![],
        };
        model.metadata = extra.into_iter().map(|(key, value)| (format!("{family}.{key}"), value)).collect();
        if family == "gemma3" {
            (model.rope_theta, model.divisors, model.tied) = (1_000_000.0, vec![8.0; 32], true);
        }
        if family == "phi3" {
            (model.rope_dim, model.magnitude) = (48, f64::from(1.19f32));
        }
        model
    }

    fn is(&self, families: &[&str]) -> bool {
        families.contains(&self.family)
    }

    /// Whether a layer sees the last tokens alone.
    fn is_windowed(&self, layer: usize) -> bool {
        self.is(&["gemma2", "gemma3"]) && layer % PERIOD < PERIOD - 1
    }

    /// A small model with `num_heads` heads of `head_dim`, sharing `num_kv_heads`.
    pub fn new(num_heads: usize, num_kv_heads: usize, head_dim: usize) -> Self {
        Self {
            family: "llama",
            hidden_size: 256,
            intermediate_size: 512,
            num_layers: 2,
            num_heads,
            num_kv_heads,
            head_dim,
            rope_dim: head_dim,
            vocab_size: 131,
            context_length: 512,
            rope_theta: 10_000.0,
            tied: false,
            dtype: GgmlDType::F32,
            divisors: vec![1.0; head_dim / 2],
            magnitude: 1.0,
            metadata: BTreeMap::new(),
            tensors: BTreeMap::new(),
        }
    }

    /// Fills in random weights for every tensor that is not there yet.
    pub fn with_random_weights(mut self) -> Self {
        let (hidden, kv) = (self.hidden_size, self.num_kv_heads * self.head_dim);
        let query = self.num_heads * self.head_dim;
        self.matrix("token_embd", self.vocab_size, hidden);
        if !self.tied {
            self.matrix("output", self.vocab_size, hidden);
        }
        self.norm("output_norm", hidden);
        for layer in 0..self.num_layers {
            let name = |tensor: &str| format!("blk.{layer}.{tensor}");
            self.norm(&name("attn_norm"), hidden);
            self.matrix(&name("attn_output"), hidden, query);
            self.norm(&name("ffn_norm"), hidden);
            self.matrix(&name("ffn_down"), hidden, self.intermediate_size);
            if self.is(&["phi3"]) {
                self.matrix(&name("attn_qkv"), query + 2 * kv, hidden);
                self.matrix(&name("ffn_up"), 2 * self.intermediate_size, hidden);
            } else {
                self.matrix(&name("attn_q"), query, hidden);
                self.matrix(&name("attn_k"), kv, hidden);
                self.matrix(&name("attn_v"), kv, hidden);
                self.matrix(&name("ffn_gate"), self.intermediate_size, hidden);
                self.matrix(&name("ffn_up"), self.intermediate_size, hidden);
            }
            if self.is(&["qwen2"]) {
                for (tensor, len) in [("attn_q", query), ("attn_k", kv), ("attn_v", kv)] {
                    let bias = quantize(random(len, -1.0..=1.0), &[len], GgmlDType::F32);
                    self.tensors.insert(format!("blk.{layer}.{tensor}.bias"), bias);
                }
            }
            if self.is(&["qwen3", "gemma3"]) {
                self.norm(&name("attn_q_norm"), self.head_dim);
                self.norm(&name("attn_k_norm"), self.head_dim);
            }
            if self.is(&["gemma2", "gemma3"]) {
                self.norm(&name("post_attention_norm"), hidden);
                self.norm(&name("post_ffw_norm"), hidden);
            }
        }
        self
    }

    fn matrix(&mut self, name: &str, rows: usize, cols: usize) {
        let scale = 2.0 / (cols as f32).sqrt();
        let dtype = self.dtype;
        self.tensor(name, random(rows * cols, -scale..=scale), &[rows, cols], dtype);
    }

    fn norm(&mut self, name: &str, len: usize) {
        self.tensor(name, random(len, 0.5..=1.5), &[len], GgmlDType::F32);
    }

    /// Sets a tensor unless it is there.
    pub fn tensor(&mut self, name: &str, values: Vec<f32>, shape: &[usize], dtype: GgmlDType) {
        self.tensors.entry(format!("{name}.weight")).or_insert_with(|| quantize(values, shape, dtype));
    }

    /// What a tensor holds.
    pub fn values(&self, name: &str) -> Vec<f32> {
        dequantize(&self.tensors[name]).into_iter().map(|value| value as f32).collect()
    }

    /// The model as a file.
    pub fn gguf(&self) -> Vec<u8> {
        let metadata = self.all_metadata();
        let metadata: Vec<_> = metadata.iter().map(|(key, value)| (key.as_str(), value)).collect();
        let tensors: Vec<_> = self.tensors.iter().map(|(name, tensor)| (name.as_str(), tensor)).collect();
        let mut file = Cursor::new(Vec::new());
        gguf_file::write(&mut file, &metadata, &tensors).expect("a GGUF file");
        file.into_inner()
    }

    fn all_metadata(&self) -> BTreeMap<String, Value> {
        let count = |count: usize| Value::U32(count as u32);
        let keys = [
            ("embedding_length", count(self.hidden_size)),
            ("feed_forward_length", count(self.intermediate_size)),
            ("block_count", count(self.num_layers)),
            ("attention.head_count", count(self.num_heads)),
            ("attention.head_count_kv", count(self.num_kv_heads)),
            ("attention.key_length", count(self.head_dim)),
            ("attention.value_length", count(self.head_dim)),
            ("attention.layer_norm_rms_epsilon", Value::F32(EPSILON)),
            ("rope.dimension_count", count(self.rope_dim)),
            ("rope.freq_base", Value::F32(self.rope_theta)),
            ("context_length", count(self.context_length)),
        ];
        let family = ("general.architecture".to_owned(), Value::String(self.family.into()));
        let mut metadata: BTreeMap<String, Value> =
            keys.into_iter().map(|(key, value)| (format!("{}.{key}", self.family), value)).chain([family]).collect();
        metadata.extend(self.metadata.clone());
        metadata
    }

    pub fn load(&self) -> Model {
        self.load_with(ModelOptions { threads: Some(2), ..ModelOptions::default() })
    }

    pub fn load_with(&self, options: ModelOptions) -> Model {
        let file = Arc::new(GgufFile::from_bytes(self.gguf()).expect("a valid file"));
        Model::load(file, options).expect("a valid model")
    }

    /// Logits of every token, row-major, by plain loops in `f64`.
    pub fn reference(&self, tokens: &[u32]) -> Vec<f64> {
        let w: BTreeMap<&str, Vec<f64>> = self.tensors.iter().map(|(name, t)| (name.as_str(), dequantize(t))).collect();
        let hidden_size = self.hidden_size;
        let embedding = &w["token_embd.weight"];
        let embed = |token: &u32| embedding[*token as usize * hidden_size..][..hidden_size].to_vec();
        let mut x: Vec<Vec<f64>> = tokens.iter().map(embed).collect();
        if self.is(&["gemma2", "gemma3"]) {
            x.iter_mut().flatten().for_each(|x| *x *= (hidden_size as f64).sqrt());
        }
        for layer in 0..self.num_layers {
            let weights = LayerWeights { all: &w, layer };
            let attended = self.attention(&x, &weights);
            for (x, attended) in x.iter_mut().zip(attended) {
                weights.add_normed(x, product(weights.get("attn_output"), &attended), "post_attention_norm");
            }
            for x in &mut x {
                let gated = self.gated(&rms_norm(x, weights.get("ffn_norm")), &weights);
                weights.add_normed(x, product(weights.get("ffn_down"), &gated), "post_ffw_norm");
            }
        }
        let output = if self.tied { embedding } else { &w["output.weight"] };
        let mut logits: Vec<f64> =
            x.iter().flat_map(|x| product(output, &rms_norm(x, &w["output_norm.weight"]))).collect();
        if self.is(&["gemma2"]) {
            logits.iter_mut().for_each(|logit| *logit = LOGIT_CAP * (*logit / LOGIT_CAP).tanh());
        }
        logits
    }

    /// What the heads of each token read.
    fn attention(&self, x: &[Vec<f64>], weights: &LayerWeights<'_>) -> Vec<Vec<f64>> {
        let (head_dim, layer) = (self.head_dim, weights.layer);
        let normed: Vec<_> = x.iter().map(|x| rms_norm(x, weights.get("attn_norm"))).collect();
        let all: Vec<_> =
            normed.iter().enumerate().map(|(position, x)| self.query_key_value(x, position, weights)).collect();
        let read = |position: usize, head: usize| {
            let kv = head / (self.num_heads / self.num_kv_heads) * head_dim;
            let query = &all[position][0][head * head_dim..][..head_dim];
            let first = if self.is_windowed(layer) { (position + 1).saturating_sub(WINDOW) } else { 0 };
            let score = |p: usize| {
                let score = dot(query, &all[p][1][kv..][..head_dim]) / (head_dim as f64).sqrt();
                if self.is(&["gemma2"]) { SCORE_CAP * (score / SCORE_CAP).tanh() } else { score }
            };
            let weights = softmax(&(first..=position).map(score).collect::<Vec<_>>());
            let value = |i: usize| (first..=position).zip(&weights).map(|(p, weight)| weight * all[p][2][kv + i]).sum();
            (0..head_dim).map(value).collect::<Vec<f64>>()
        };
        (0..x.len()).map(|position| (0..self.num_heads).flat_map(|head| read(position, head)).collect()).collect()
    }

    fn query_key_value(&self, x: &[f64], position: usize, weights: &LayerWeights<'_>) -> [Vec<f64>; 3] {
        let (query, kv) = (self.num_heads * self.head_dim, self.num_kv_heads * self.head_dim);
        let mut all = match self.is(&["phi3"]) {
            true => product(weights.get("attn_qkv"), x),
            false => ["attn_q", "attn_k", "attn_v"].iter().flat_map(|name| product(weights.get(name), x)).collect(),
        };
        if self.is(&["qwen2"]) {
            let bias = ["attn_q", "attn_k", "attn_v"].into_iter().flat_map(|name| weights.bias(name));
            all.iter_mut().zip(bias).for_each(|(x, bias)| *x += bias);
        }
        let value = all.split_off(query + kv);
        let mut keys = all.split_off(query);
        for (heads, norm) in [(&mut all, "attn_q_norm"), (&mut keys, "attn_k_norm")] {
            for head in heads.chunks_mut(self.head_dim) {
                if self.is(&["qwen3", "gemma3"]) {
                    head.copy_from_slice(&rms_norm(head, weights.get(norm)));
                }
                self.turn(head, position, weights.layer);
            }
        }
        [all, keys, value]
    }

    fn gated(&self, x: &[f64], weights: &LayerWeights<'_>) -> Vec<f64> {
        let all = match self.is(&["phi3"]) {
            true => product(weights.get("ffn_up"), x),
            false => ["ffn_gate", "ffn_up"].iter().flat_map(|name| product(weights.get(name), x)).collect(),
        };
        let (gate, up) = all.split_at(self.intermediate_size);
        let silu = |x: f64| x / (1.0 + (-x).exp());
        let gelu =
            |x: f64| 0.5 * x * (1.0 + ((2.0 / std::f64::consts::PI).sqrt() * (x + 0.044_715 * x.powi(3))).tanh());
        let activation = |x: f64| if self.is(&["gemma2", "gemma3"]) { gelu(x) } else { silu(x) };
        gate.iter().zip(up).map(|(gate, up)| activation(*gate) * up).collect()
    }

    /// RoPE, on neighbours or halves.
    fn turn(&self, head: &mut [f64], position: usize, layer: usize) {
        let is_local = self.is(&["gemma3"]) && self.is_windowed(layer);
        let theta = if is_local { 10_000.0 } else { f64::from(self.rope_theta) };
        let pairs = self.rope_dim / 2;
        for pair in 0..pairs {
            let frequency = theta.powf(-2.0 * pair as f64 / self.rope_dim as f64);
            let frequency = frequency / if is_local { 1.0 } else { self.divisors[pair] };
            let (sin, cos) = (position as f64 * frequency).sin_cos();
            let (first, second) = if self.is(&["llama"]) { (2 * pair, 2 * pair + 1) } else { (pair, pair + pairs) };
            let (a, b) = (head[first], head[second]);
            head[first] = (a * cos - b * sin) * self.magnitude;
            head[second] = (a * sin + b * cos) * self.magnitude;
        }
    }
}

/// The weights of a layer as `f64`.
struct LayerWeights<'a> {
    all: &'a BTreeMap<&'a str, Vec<f64>>,
    layer: usize,
}

impl LayerWeights<'_> {
    fn get(&self, tensor: &str) -> &Vec<f64> {
        &self.all[format!("blk.{}.{tensor}.weight", self.layer).as_str()]
    }

    fn bias(&self, tensor: &str) -> Vec<f64> {
        self.all[format!("blk.{}.{tensor}.bias", self.layer).as_str()].clone()
    }

    /// Adds an update, after a norm if the model has it.
    fn add_normed(&self, x: &mut [f64], update: Vec<f64>, norm: &str) {
        match self.all.get(format!("blk.{}.{norm}.weight", self.layer).as_str()) {
            Some(weight) => add(x, &rms_norm(&update, weight)),
            None => add(x, &update),
        }
    }
}

/// A decoder whose cache rounds nothing, for the whole context.
pub fn exact_decoder(model: &Model) -> Box<dyn Decoder> {
    let options = DecoderOptions {
        context_length: Some(model.config().context_length),
        kv_type: KvType::F32,
        ..DecoderOptions::default()
    };
    model.decoder(options).expect("a decoder")
}

/// Logits of every token.
pub fn all_logits(decoder: &mut dyn Decoder, tokens: &[u32]) -> Vec<f32> {
    decoder.forward(tokens, LogitRows::All, &CancelToken::new()).expect("logits").to_vec()
}

pub fn random_tokens(len: usize, vocab_size: usize) -> Vec<u32> {
    let mut rng = rand::rng();
    (0..len).map(|_| rng.random_range(0..vocab_size as u32)).collect()
}

/// `max |a - b| / max |b|`.
pub fn relative_error(actual: &[f32], expected: &[f64]) -> f64 {
    assert_eq!(actual.len(), expected.len());
    let largest = expected.iter().fold(0.0f64, |largest, e| largest.max(e.abs()));
    let errors = actual.iter().zip(expected).map(|(a, e)| (f64::from(*a) - e).abs());
    errors.fold(0.0, |worst: f64, error| if error.is_nan() { f64::INFINITY } else { worst.max(error) }) / largest
}

pub fn random(len: usize, range: std::ops::RangeInclusive<f32>) -> Vec<f32> {
    let mut rng = rand::rng();
    (0..len).map(|_| rng.random_range(range.clone())).collect()
}

pub fn quantize(values: Vec<f32>, shape: &[usize], dtype: GgmlDType) -> QTensor {
    let tensor = Tensor::from_vec(values, shape, &Device::Cpu).expect("a tensor");
    QTensor::quantize(&tensor, dtype).expect("a quantized tensor")
}

fn dequantize(tensor: &QTensor) -> Vec<f64> {
    let tensor = tensor.dequantize(&Device::Cpu).expect("dequantized").flatten_all().expect("flat");
    tensor.to_vec1::<f32>().expect("f32").into_iter().map(f64::from).collect()
}

fn product(weights: &[f64], x: &[f64]) -> Vec<f64> {
    weights.chunks(x.len()).map(|row| dot(row, x)).collect()
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn add(x: &mut [f64], update: &[f64]) {
    x.iter_mut().zip(update).for_each(|(x, update)| *x += update);
}

fn rms_norm(x: &[f64], weight: &[f64]) -> Vec<f64> {
    let scale = 1.0 / (dot(x, x) / x.len() as f64 + f64::from(EPSILON)).sqrt();
    x.iter().zip(weight).map(|(x, weight)| x * scale * weight).collect()
}

fn softmax(scores: &[f64]) -> Vec<f64> {
    let max = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let sum: f64 = scores.iter().map(|score| (score - max).exp()).sum();
    scores.iter().map(|score| (score - max).exp() / sum).collect()
}
