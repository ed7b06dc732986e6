use candle_core::quantized::GgmlDType;

use crate::quantization::Role;
use crate::{Quantization, RopeScaling, Shape, SynthError};

/// One tensor of the file to come.
#[derive(Debug)]
pub(crate) struct TensorPlan {
    pub name: String,
    /// Row-major: `[rows, columns]`, or `[length]`.
    pub dims: Vec<usize>,
    pub dtype: GgmlDType,
    pub content: Content,
}

/// What a tensor is filled with.
#[derive(Debug)]
pub(crate) enum Content {
    /// Random weights around a mean.
    Random { mean: f32, deviation: f32 },
    /// These values (F32).
    Values(Vec<f32>),
}

impl TensorPlan {
    pub fn element_count(&self) -> usize {
        self.dims.iter().product()
    }

    pub fn byte_count(&self) -> usize {
        self.element_count() / self.dtype.block_size() * self.dtype.type_size()
    }
}

/// The tensors of a model, in the order in which llama.cpp's converter writes them.
pub(crate) fn tensors(shape: &Shape, quantization: Quantization) -> Result<Vec<TensorPlan>, SynthError> {
    let planner = Planner { shape, quantization };
    let mut tensors = Vec::new();
    let embedding_role = if shape.tied_embeddings { Role::Head } else { Role::Plain };
    tensors.push(planner.matrix("token_embd", shape.vocab_size, shape.embedding_length, embedding_role)?);
    for layer in 0..shape.block_count {
        planner.layer(layer, &mut tensors)?;
    }
    tensors.push(planner.norm("output_norm"));
    if !shape.tied_embeddings {
        tensors.push(planner.matrix("output", shape.vocab_size, shape.embedding_length, Role::Head)?);
    }
    if let RopeScaling::Tensor(scaling) = shape.rope_scaling {
        let divisors = scaling.divisors(shape.key_length, shape.rope_freq_base);
        tensors.push(TensorPlan {
            name: "rope_freqs.weight".to_owned(),
            dims: vec![divisors.len()],
            dtype: GgmlDType::F32,
            content: Content::Values(divisors),
        });
    }
    Ok(tensors)
}

struct Planner<'a> {
    shape: &'a Shape,
    quantization: Quantization,
}

impl Planner<'_> {
    fn layer(&self, layer: usize, tensors: &mut Vec<TensorPlan>) -> Result<(), SynthError> {
        let shape = self.shape;
        let (width, inner) = (shape.embedding_length, shape.feed_forward_length);
        let (queries, keys) = (shape.head_count * shape.key_length, shape.head_count_kv * shape.key_length);
        let sensitive = Role::Sensitive { layer };
        let name = |part: &str| format!("blk.{layer}.{part}");
        tensors.push(self.norm(&name("attn_norm")));
        tensors.push(self.matrix(&name("attn_q"), queries, width, Role::Plain)?);
        tensors.push(self.matrix(&name("attn_k"), keys, width, Role::Plain)?);
        tensors.push(self.matrix(&name("attn_v"), keys, width, sensitive)?);
        tensors.push(self.matrix(&name("attn_output"), width, queries, Role::Plain)?);
        tensors.push(self.norm(&name("ffn_norm")));
        tensors.push(self.matrix(&name("ffn_gate"), inner, width, Role::Plain)?);
        tensors.push(self.matrix(&name("ffn_up"), inner, width, Role::Plain)?);
        tensors.push(self.matrix(&name("ffn_down"), width, inner, sensitive)?);
        Ok(())
    }

    fn matrix(&self, name: &str, rows: usize, columns: usize, role: Role) -> Result<TensorPlan, SynthError> {
        let dtype = self.quantization.dtype(role, self.shape.block_count, columns);
        if !columns.is_multiple_of(dtype.block_size()) {
            return Err(SynthError::Options(format!(
                "{name} has rows of {columns}, and {dtype:?} needs a multiple of {}",
                dtype.block_size()
            )));
        }
        // The product with a normed vector then has about unit variance, at any width.
        let deviation = 1.0 / (columns as f32).sqrt();
        Ok(TensorPlan {
            name: format!("{name}.weight"),
            dims: vec![rows, columns],
            dtype,
            content: Content::Random { mean: 0.0, deviation },
        })
    }

    fn norm(&self, name: &str) -> TensorPlan {
        TensorPlan {
            name: format!("{name}.weight"),
            dims: vec![self.shape.embedding_length],
            dtype: GgmlDType::F32,
            content: Content::Random { mean: 1.0, deviation: 0.05 },
        }
    }
}
