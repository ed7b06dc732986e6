//! Adapters written as llama.cpp has them: see [`crate::Adapter`].

use std::path::Path;

use half::f16;

use crate::gguf::tensor_place;
use crate::gguf::value_type::{F32, STRING};
use crate::packed::{Content, Planned, put_string, write_gguf};
use crate::{CancelToken, DType, EngineError};

/// What tensors begin at a multiple of.
const ALIGNMENT: u64 = 32;

/// A tensor of an adapter.
#[derive(Debug, Clone, PartialEq)]
pub struct AdapterTensor {
    /// `NAME.lora_a` or `NAME.lora_b`, for the matrix `NAME` of the model.
    pub name: String,
    /// `[rank, inputs]` or `[outputs, rank]`.
    pub shape: [usize; 2],
    /// Row after row, in the order of the model's file.
    pub values: Vec<f32>,
}

/// Writes an adapter for models of an architecture into a new file at `target`, where it appears whole or not at all. Its numbers are
/// rounded to 16 bits.
///
/// # Errors
/// [`EngineError::Invalid`] for numbers that 16 bits do not hold; [`EngineError::Storage`].
pub fn write_adapter(
    target: &Path,
    architecture: &str,
    alpha: f32,
    tensors: &[AdapterTensor],
) -> Result<(), EngineError> {
    let halves = tensors.iter().map(halves).collect::<Result<Vec<_>, _>>()?;
    let planned = tensors.iter().zip(&halves).map(|(tensor, bytes)| {
        let (shape, content) = (tensor.shape.to_vec(), Content::Other(bytes));
        Planned { name: &tensor.name, dtype: DType::F16, shape, content, offset: 0 }
    });
    let texts = [("general.type", "adapter"), ("general.architecture", architecture), ("adapter.type", "lora")];
    let mut pairs: Vec<Vec<u8>> = texts.iter().map(|(key, text)| text_pair(key, text)).collect();
    let mut pair = key_of("adapter.lora.alpha", F32);
    pair.extend_from_slice(&alpha.to_le_bytes());
    pairs.push(pair);
    let pairs: Vec<&[u8]> = pairs.iter().map(Vec::as_slice).collect();
    write_gguf(target, &pairs, planned.collect(), ALIGNMENT, &CancelToken::new(), |_, _| {})
}

fn halves(tensor: &AdapterTensor) -> Result<Vec<u8>, EngineError> {
    let halves: Vec<f16> = tensor.values.iter().map(|value| f16::from_f32(*value)).collect();
    match halves.iter().all(|half| half.is_finite()) {
        true => Ok(halves.iter().flat_map(|half| half.to_le_bytes()).collect()),
        false => Err(EngineError::invalid(tensor_place(&tensor.name), "it holds numbers that 16 bits do not hold")),
    }
}

fn text_pair(key: &str, text: &str) -> Vec<u8> {
    let mut pair = key_of(key, STRING);
    put_string(&mut pair, text);
    pair
}

fn key_of(key: &str, value_type: u32) -> Vec<u8> {
    let mut pair = Vec::new();
    put_string(&mut pair, key);
    pair.extend_from_slice(&value_type.to_le_bytes());
    pair
}
