use candle_core::quantized::GgmlDType;

use crate::quantization::Role;
use crate::{Family, Quantization, RopeScaling, Shape, SynthError};

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
        let has_post_norms = matches!(self.shape.family, Family::Gemma2 | Family::Gemma3);
        let name = |part: &str| format!("blk.{layer}.{part}");
        tensors.push(self.norm(&name("attn_norm")));
        self.attention(layer, tensors)?;
        if has_post_norms {
            tensors.push(self.norm(&name("post_attention_norm")));
        }
        tensors.push(self.norm(&name("ffn_norm")));
        self.feed_forward(layer, tensors)?;
        if has_post_norms {
            tensors.push(self.norm(&name("post_ffw_norm")));
        }
        Ok(())
    }

    fn attention(&self, layer: usize, tensors: &mut Vec<TensorPlan>) -> Result<(), SynthError> {
        let (family, width, head) = (self.shape.family, self.shape.embedding_length, self.shape.key_length);
        let (queries, keys) = (self.shape.head_count * head, self.shape.head_count_kv * head);
        let name = |part: &str| format!("blk.{layer}.{part}");
        if family == Family::Phi3 {
            tensors.push(self.matrix(&name("attn_qkv"), queries + 2 * keys, width, Role::Plain)?);
        } else {
            tensors.push(self.matrix(&name("attn_q"), queries, width, Role::Plain)?);
            tensors.push(self.matrix(&name("attn_k"), keys, width, Role::Plain)?);
            tensors.push(self.matrix(&name("attn_v"), keys, width, Role::Sensitive { layer })?);
        }
        if family == Family::Qwen2 {
            let biases = [("attn_q.bias", queries), ("attn_k.bias", keys), ("attn_v.bias", keys)];
            tensors.extend(biases.map(|(part, len)| vector(name(part), len, 0.0)));
        }
        if family == Family::Gemma3 {
            tensors.extend(["attn_q_norm.weight", "attn_k_norm.weight"].map(|part| vector(name(part), head, 1.0)));
        }
        tensors.push(self.matrix(&name("attn_output"), width, queries, Role::Plain)?);
        Ok(())
    }

    fn feed_forward(&self, layer: usize, tensors: &mut Vec<TensorPlan>) -> Result<(), SynthError> {
        let (width, inner) = (self.shape.embedding_length, self.shape.feed_forward_length);
        let name = |part: &str| format!("blk.{layer}.{part}");
        if self.shape.family == Family::Phi3 {
            tensors.push(self.matrix(&name("ffn_up"), 2 * inner, width, Role::Plain)?);
        } else {
            tensors.push(self.matrix(&name("ffn_gate"), inner, width, Role::Plain)?);
            tensors.push(self.matrix(&name("ffn_up"), inner, width, Role::Plain)?);
        }
        tensors.push(self.matrix(&name("ffn_down"), width, inner, Role::Sensitive { layer })?);
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
        vector(format!("{name}.weight"), self.shape.embedding_length, 1.0)
    }
}

/// Numbers near `mean`.
fn vector(name: String, len: usize, mean: f32) -> TensorPlan {
    TensorPlan { name, dims: vec![len], dtype: GgmlDType::F32, content: Content::Random { mean, deviation: 0.05 } }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn named_shapes_have_as_many_weights_as_the_published_models() {
        for (name, published) in [
            ("llama-3.2-1b", 1_235_814_400),
            ("llama-3.2-3b", 3_212_749_824),
            ("smollm2-135m", 134_515_008),
            ("qwen2.5-0.5b", 494_032_768),
            ("qwen2.5-1.5b", 1_543_714_304),
            ("qwen2.5-3b", 3_085_938_688),
            ("gemma-2-2b", 2_614_341_888),
            ("gemma-3-270m", 268_098_176),
            ("gemma-3-1b", 999_885_952),
            ("phi-3-mini", 3_821_079_552),
        ] {
            let shape = Shape::named(name).expect("a known shape");
            let tensors = tensors(&shape, Quantization::F32).expect("tensors");
            let weights =
                tensors.iter().filter(|tensor| !tensor.name.starts_with("rope_")).map(TensorPlan::element_count);
            assert_eq!(weights.sum::<usize>(), published, "{name}");
        }
    }
}
