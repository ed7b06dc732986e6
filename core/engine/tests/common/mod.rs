//! Small random models: written as GGUF files, and computed by plain loops in `f64`.
#![allow(dead_code, reason = "each test file uses a part")]

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
    /// Further metadata, or replacements.
    pub metadata: BTreeMap<String, Value>,
    /// Further tensors, or replacements.
    pub tensors: BTreeMap<String, QTensor>,
}

const EPSILON: f32 = 1e-5;

impl TestModel {
    /// A small model with `num_heads` heads of `head_dim`, sharing `num_kv_heads`.
    pub fn new(num_heads: usize, num_kv_heads: usize, head_dim: usize) -> Self {
        Self {
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
        self.norm("output_norm");
        for layer in 0..self.num_layers {
            let name = |tensor: &str| format!("blk.{layer}.{tensor}");
            self.norm(&name("attn_norm"));
            self.matrix(&name("attn_q"), query, hidden);
            self.matrix(&name("attn_k"), kv, hidden);
            self.matrix(&name("attn_v"), kv, hidden);
            self.matrix(&name("attn_output"), hidden, query);
            self.norm(&name("ffn_norm"));
            self.matrix(&name("ffn_gate"), self.intermediate_size, hidden);
            self.matrix(&name("ffn_up"), self.intermediate_size, hidden);
            self.matrix(&name("ffn_down"), hidden, self.intermediate_size);
        }
        self
    }

    fn matrix(&mut self, name: &str, rows: usize, cols: usize) {
        let scale = 2.0 / (cols as f32).sqrt();
        let dtype = self.dtype;
        self.tensor(name, random(rows * cols, -scale..=scale), &[rows, cols], dtype);
    }

    fn norm(&mut self, name: &str) {
        self.tensor(name, random(self.hidden_size, 0.5..=1.5), &[self.hidden_size], GgmlDType::F32);
    }

    /// Sets a tensor unless it is there.
    pub fn tensor(&mut self, name: &str, values: Vec<f32>, shape: &[usize], dtype: GgmlDType) {
        self.tensors.entry(format!("{name}.weight")).or_insert_with(|| quantize(values, shape, dtype));
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
        let mut metadata = BTreeMap::from(
            [
                ("general.architecture", Value::String("llama".into())),
                ("llama.embedding_length", count(self.hidden_size)),
                ("llama.feed_forward_length", count(self.intermediate_size)),
                ("llama.block_count", count(self.num_layers)),
                ("llama.attention.head_count", count(self.num_heads)),
                ("llama.attention.head_count_kv", count(self.num_kv_heads)),
                ("llama.attention.key_length", count(self.head_dim)),
                ("llama.attention.value_length", count(self.head_dim)),
                ("llama.attention.layer_norm_rms_epsilon", Value::F32(EPSILON)),
                ("llama.rope.dimension_count", count(self.rope_dim)),
                ("llama.rope.freq_base", Value::F32(self.rope_theta)),
                ("llama.context_length", count(self.context_length)),
            ]
            .map(|(key, value)| (key.to_owned(), value)),
        );
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
        let (hidden_size, head_dim) = (self.hidden_size, self.head_dim);
        let embedding = &w["token_embd.weight"];
        let mut x: Vec<Vec<f64>> =
            tokens.iter().map(|&token| embedding[token as usize * hidden_size..][..hidden_size].to_vec()).collect();

        for layer in 0..self.num_layers {
            let weight = |tensor: &str| &w[format!("blk.{layer}.{tensor}.weight").as_str()];
            let normed: Vec<_> = x.iter().map(|x| rms_norm(x, weight("attn_norm"))).collect();
            let mut queries: Vec<_> = normed.iter().map(|x| product(weight("attn_q"), x)).collect();
            let mut keys: Vec<_> = normed.iter().map(|x| product(weight("attn_k"), x)).collect();
            let values: Vec<_> = normed.iter().map(|x| product(weight("attn_v"), x)).collect();
            for position in 0..tokens.len() {
                queries[position].chunks_mut(head_dim).for_each(|head| self.turn(head, position));
                keys[position].chunks_mut(head_dim).for_each(|head| self.turn(head, position));
            }
            for position in 0..tokens.len() {
                let mut attended = Vec::new();
                for head in 0..self.num_heads {
                    let kv = head / (self.num_heads / self.num_kv_heads) * head_dim;
                    let query = &queries[position][head * head_dim..][..head_dim];
                    let scores: Vec<f64> = (0..=position)
                        .map(|p| dot(query, &keys[p][kv..][..head_dim]) / (head_dim as f64).sqrt())
                        .collect();
                    let weights = softmax(&scores);
                    attended.extend(
                        (0..head_dim).map(|i| (0..=position).map(|p| weights[p] * values[p][kv + i]).sum::<f64>()),
                    );
                }
                add(&mut x[position], &product(weight("attn_output"), &attended));
            }
            for x in &mut x {
                let normed = rms_norm(x, weight("ffn_norm"));
                let gate = product(weight("ffn_gate"), &normed);
                let up = product(weight("ffn_up"), &normed);
                let gated: Vec<f64> = gate.iter().zip(&up).map(|(g, u)| g / (1.0 + (-g).exp()) * u).collect();
                add(x, &product(weight("ffn_down"), &gated));
            }
        }
        let output = if self.tied { embedding } else { &w["output.weight"] };
        x.iter().flat_map(|x| product(output, &rms_norm(x, &w["output_norm.weight"]))).collect()
    }

    /// RoPE on neighbouring pairs.
    fn turn(&self, head: &mut [f64], position: usize) {
        for pair in 0..self.rope_dim / 2 {
            let exponent = -2.0 * pair as f64 / self.rope_dim as f64;
            let frequency = f64::from(self.rope_theta).powf(exponent) / self.divisors[pair];
            let (sin, cos) = (position as f64 * frequency).sin_cos();
            let (a, b) = (head[2 * pair], head[2 * pair + 1]);
            head[2 * pair] = a * cos - b * sin;
            head[2 * pair + 1] = a * sin + b * cos;
        }
    }
}

/// A decoder whose cache rounds nothing, for the whole context.
pub fn exact_decoder(model: &Model) -> Box<dyn Decoder> {
    let options = DecoderOptions { context_length: Some(model.config().context_length), kv_type: KvType::F32 };
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
