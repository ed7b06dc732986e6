//! Merges adapters into a model's weights, for programs without adapter support.

use std::collections::BTreeMap;
use std::path::Path;

use candle_core::quantized::{GgmlDType, QTensor};
use candle_core::{Device, Tensor};

use crate::gguf::{SPLIT_KEYS, tensor_place};
use crate::model::{Rows, WeightMatrix, Weights, adapter_alpha, find_changes};
use crate::packed::{Content, Planned, write_gguf};
use crate::{CancelToken, DType, EngineError, GgufFile, ModelConfig};

/// Metadata that the model inherits from an adapter.
const OWN_KEYS: &str = "sotto.";
const EMBEDDING: &str = "token_embd.weight";

/// A tensor that adapters have changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MergedTensor {
    /// Its name.
    pub name: String,
    /// Its format in the model.
    pub was: DType,
    /// Its format now, which differs if its original format cannot be written.
    pub is: DType,
}

/// Merges adapters, each with a scale, into the weights of `source` and writes a new file `target`, which appears only
/// when it is complete. Tensors keep their formats where possible; the changed tensors are returned. `on_progress` gets
/// the bytes done and the total.
///
/// # Errors
/// [`EngineError::Unsupported`] for a packed model; as for [`crate::Model::load_adapter`] for an adapter of another model;
/// [`EngineError::Storage`], [`EngineError::OutOfMemory`] and [`EngineError::Cancelled`].
pub fn merge_file(
    source: &GgufFile,
    adapters: &[(GgufFile, f32)],
    target: &Path,
    cancel: &CancelToken,
    on_progress: impl FnMut(u64, u64),
) -> Result<Vec<MergedTensor>, EngineError> {
    if source.is_packed() {
        return Err(EngineError::unsupported("merging into a packed file: use the GGUF file that it was made from"));
    }
    let config = ModelConfig::from_gguf(source)?;
    let weights = Weights::find(source, &config)?;
    adapters.iter().try_for_each(|(adapter, _)| find_changes(adapter, &weights, &config, cancel).map(drop))?;
    let changes = changes(source, adapters)?;
    let merged: Vec<MergedTensor> = changes
        .keys()
        .filter_map(|name| {
            let was = source.tensor(name)?.dtype;
            let is = if encoder(was).is_some() { was } else { DType::F16 };
            Some(MergedTensor { name: (*name).to_owned(), was, is })
        })
        .collect();
    let tensors = source.tensors().map(|(name, view)| {
        let (mut dtype, mut content) = (view.dtype, Content::Other(view.bytes));
        if let (Some(changes), Some(tensor)) = (changes.get(name), merged.iter().find(|tensor| tensor.name == name)) {
            dtype = tensor.is;
            let len = view.shape.iter().product::<usize>() / dtype.block_len() * dtype.block_bytes();
            content = Content::Made(len, Box::new(move || merged_bytes(source, name, changes, dtype, cancel)));
        }
        Planned { name, dtype, shape: view.shape.to_vec(), content, offset: 0 }
    });
    write_gguf(target, &pairs(source, adapters), tensors.collect(), source.alignment(), cancel, on_progress)?;
    Ok(merged)
}

/// An adapter that changes a tensor, and its scale.
type Change<'a> = (&'a GgufFile, f32);

/// The tensors that adapters change.
fn changes<'a>(
    source: &GgufFile,
    adapters: &'a [(GgufFile, f32)],
) -> Result<BTreeMap<&'a str, Vec<Change<'a>>>, EngineError> {
    let mut changes: BTreeMap<&str, Vec<Change<'_>>> = BTreeMap::new();
    for (adapter, scale) in adapters {
        for name in adapter.tensor_names().filter_map(|name| name.strip_suffix(".lora_b")) {
            if source.tensor(name).is_none() {
                let why = "the model has it in several tensors, or within another one: merge into a file of the form that the \
                           adapter was made for";
                return Err(EngineError::invalid(tensor_place(name), why));
            }
            changes.entry(name).or_default().push((adapter, *scale));
        }
    }
    Ok(changes)
}

/// The model's metadata, with the adapters' metadata about Sotto's own task formats.
fn pairs<'a>(source: &'a GgufFile, adapters: &'a [(GgufFile, f32)]) -> Vec<&'a [u8]> {
    let mut pairs: BTreeMap<&str, &[u8]> = BTreeMap::new();
    let own = |(key, _): &(&str, &[u8])| key.starts_with(OWN_KEYS);
    for (adapter, _) in adapters.iter().rev() {
        pairs.extend(adapter.metadata().pairs().into_iter().filter(own));
    }
    let kept =
        source.metadata().pairs().into_iter().filter(|(key, _)| !pairs.contains_key(key) && !SPLIT_KEYS.contains(key));
    let mut all: Vec<&[u8]> = kept.map(|(_, pair)| pair).collect();
    all.extend(pairs.values());
    all
}

fn merged_bytes(
    source: &GgufFile,
    name: &str,
    changes: &[Change<'_>],
    dtype: DType,
    cancel: &CancelToken,
) -> Result<Vec<u8>, EngineError> {
    let numbers = |file: &GgufFile, name: &str| -> Result<(Vec<f32>, usize), EngineError> {
        let shape = file.tensor(name).and_then(|tensor| <[usize; 2]>::try_from(tensor.shape).ok());
        let [rows, cols] =
            shape.ok_or_else(|| EngineError::Internal("a tensor that was checked is not a matrix".into()))?;
        let matrix = WeightMatrix::find(file, name, name, [rows, cols], Rows::all(rows))?;
        Ok((matrix.numbers(cancel)?, cols))
    };
    let (mut merged, cols) = numbers(source, name)?;
    for (adapter, scale) in changes {
        let (a, a_cols) = numbers(adapter, &format!("{name}.lora_a"))?;
        let (b, rank) = numbers(adapter, &format!("{name}.lora_b"))?;
        let scale = scale * adapter_alpha(adapter)?.map_or(1.0, |alpha| alpha / rank as f32);
        // For the embedding, the first half has a row for each token.
        match name == EMBEDDING {
            true => add_product(&mut merged, cols, &a, |i, col| b[col * rank + i], scale, rank),
            false => add_product(&mut merged, cols, &b, |i, col| a[i * a_cols + col], scale, rank),
        }
    }
    encode(dtype, merged, cols)
}

/// `merged += scale · left · right`, where `left` is `[rows, rank]` and `right` gives the numbers of `[rank, cols]`.
fn add_product(
    merged: &mut [f32],
    cols: usize,
    left: &[f32],
    right: impl Fn(usize, usize) -> f32,
    scale: f32,
    rank: usize,
) {
    for (merged, left) in merged.chunks_exact_mut(cols).zip(left.chunks_exact(rank)) {
        for (i, &factor) in left.iter().enumerate() {
            merged.iter_mut().enumerate().for_each(|(col, merged)| *merged += scale * factor * right(i, col));
        }
    }
}

/// candle's name for a format that it can write.
fn encoder(dtype: DType) -> Option<GgmlDType> {
    Some(match dtype {
        DType::F32 => GgmlDType::F32,
        DType::F16 => GgmlDType::F16,
        DType::BF16 => GgmlDType::BF16,
        DType::Q4_0 => GgmlDType::Q4_0,
        DType::Q4_1 => GgmlDType::Q4_1,
        DType::Q5_0 => GgmlDType::Q5_0,
        DType::Q5_1 => GgmlDType::Q5_1,
        DType::Q8_0 => GgmlDType::Q8_0,
        DType::Q2K => GgmlDType::Q2K,
        DType::Q3K => GgmlDType::Q3K,
        DType::Q4K => GgmlDType::Q4K,
        DType::Q5K => GgmlDType::Q5K,
        DType::Q6K => GgmlDType::Q6K,
        _ => return None,
    })
}

fn encode(dtype: DType, numbers: Vec<f32>, cols: usize) -> Result<Vec<u8>, EngineError> {
    let rows = numbers.len() / cols;
    let encoded = |dtype| {
        let tensor = QTensor::quantize(&Tensor::from_vec(numbers, (rows, cols), &Device::Cpu)?, dtype)?;
        candle_core::Result::Ok(tensor.data()?.into_owned())
    };
    let dtype = encoder(dtype).ok_or_else(|| EngineError::Internal(format!("{dtype} is not written")))?;
    encoded(dtype).map_err(|error| EngineError::Internal(format!("candle cannot write {dtype:?}: {error}")))
}
