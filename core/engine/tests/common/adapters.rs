//! Random adapters, and models with their changes in the weights.

use std::collections::BTreeMap;
use std::io::Cursor;
use std::sync::Arc;

use candle_core::quantized::gguf_file::{self, Value};
use candle_core::quantized::{GgmlDType, QTensor};
use sotto_engine::{Adapter, CancelToken, EngineError, GgufFile, Model};

use super::{TestModel, quantize, random};

const ALPHA: f32 = 12.0;

/// An adapter for a model: its pairs, by the name of the model's tensor, each with its values.
#[derive(Clone)]
pub struct TestAdapter {
    pub metadata: BTreeMap<String, Value>,
    pub tensors: BTreeMap<String, Arc<QTensor>>,
}

impl TestAdapter {
    /// Changes of these tensors, `[name, outputs, inputs]`.
    pub fn new(family: &str, rank: usize, dtypes: [GgmlDType; 2], tensors: &[(String, usize, usize)]) -> Self {
        let text = |text: &str| Value::String(text.into());
        let metadata = [
            ("general.type", text("adapter")),
            ("general.architecture", text(family)),
            ("adapter.type", text("lora")),
            ("adapter.lora.alpha", Value::F32(ALPHA)),
        ];
        let metadata = metadata.map(|(key, value)| (key.to_owned(), value)).into();
        let mut adapter = Self { metadata, tensors: BTreeMap::new() };
        for (name, rows, cols) in tensors {
            let a = random(rank * cols, -1.0..=1.0).into_iter().map(|x| x / (*cols as f32).sqrt()).collect();
            // A change as large as the weights, whatever the rank.
            let b = random(rows * rank, -0.2..=0.2).into_iter().map(|x| x * (rank as f32).sqrt()).collect();
            adapter.set(&format!("{name}.weight.lora_a"), a, &[rank, *cols], dtypes[0]);
            adapter.set(&format!("{name}.weight.lora_b"), b, &[*rows, rank], dtypes[1]);
        }
        adapter
    }

    pub fn set(&mut self, name: &str, values: Vec<f32>, shape: &[usize], dtype: GgmlDType) {
        self.tensors.insert(name.to_owned(), Arc::new(quantize(values, shape, dtype)));
    }

    pub fn gguf(&self) -> Vec<u8> {
        let metadata: Vec<_> = self.metadata.iter().map(|(key, value)| (key.as_str(), value)).collect();
        let tensors: Vec<_> = self.tensors.iter().map(|(name, tensor)| (name.as_str(), &**tensor)).collect();
        let mut file = Cursor::new(Vec::new());
        gguf_file::write(&mut file, &metadata, &tensors).expect("a GGUF file");
        file.into_inner()
    }

    pub fn load(&self, model: &Model) -> Result<Adapter, EngineError> {
        let file = GgufFile::from_bytes(self.gguf()).expect("a valid file");
        model.load_adapter(&file, &CancelToken::new())
    }

    /// The model with the change in its weights, which are `f32`.
    pub fn merged(&self, model: &TestModel, scale: f32) -> TestModel {
        let mut merged = TestModel {
            tensors: BTreeMap::new(),
            metadata: model.metadata.clone(),
            divisors: model.divisors.clone(),
            ..*model
        };
        for (name, tensor) in &model.tensors {
            let (mut values, dims) = (model.values(name), tensor.shape().dims());
            if let Some(b) = self.tensors.get(&format!("{name}.lora_b")) {
                let a = &self.tensors[&format!("{name}.lora_a")];
                self.change(name, a, b, scale, &mut values);
            }
            merged.tensors.insert(name.clone(), quantize(values, dims, GgmlDType::F32));
        }
        merged
    }

    fn change(&self, name: &str, a: &QTensor, b: &QTensor, scale: f32, values: &mut [f32]) {
        let (rows, rank) = (b.shape().dims()[0], b.shape().dims()[1]);
        let (a, b) = (numbers(a), numbers(b));
        let scale = f64::from(scale) * f64::from(ALPHA) / rank as f64;
        // The embedding's first half has a row for each token, and the second makes a row of the embedding.
        let is_embedding = name == "token_embd.weight";
        let (height, width) = if is_embedding { (a.len() / rank, rows) } else { (rows, a.len() / rank) };
        for (row, values) in values.chunks_mut(width).enumerate().take(height) {
            for (col, value) in values.iter_mut().enumerate() {
                let product = |i: usize| match is_embedding {
                    true => a[row * rank + i] * b[col * rank + i],
                    false => b[row * rank + i] * a[i * width + col],
                };
                *value = (f64::from(*value) + scale * (0..rank).map(product).sum::<f64>()) as f32;
            }
        }
    }
}

fn numbers(tensor: &QTensor) -> Vec<f64> {
    let flat = tensor.dequantize(&candle_core::Device::Cpu).expect("numbers").flatten_all().expect("flat");
    flat.to_vec1::<f32>().expect("f32").into_iter().map(f64::from).collect()
}

/// Every matrix of a model but its embedding.
pub fn targets(model: &TestModel) -> Vec<(String, usize, usize)> {
    let matrices =
        model.tensors.iter().filter(|(name, tensor)| tensor.shape().rank() == 2 && *name != "token_embd.weight");
    let target = |(name, tensor): (&String, &QTensor)| {
        let dims = tensor.shape().dims();
        (name.trim_end_matches(".weight").to_owned(), dims[0], dims[1])
    };
    matrices.map(target).collect()
}
