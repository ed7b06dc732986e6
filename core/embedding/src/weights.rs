//! The weights of a BERT model.
//!
//! Devlin et al., "BERT: Pre-training of Deep Bidirectional Transformers for Language Understanding", 2019.

use std::path::Path;

use sotto_engine::compute::{LayerNorm, Linear, WeightMatrix};
use sotto_engine::tensors::{Tensors, safetensors};
use sotto_engine::{CancelToken, EngineError};

use crate::config::Config;

/// All weights, in the number formats of the file.
#[derive(Debug)]
pub(crate) struct Weights {
    /// `[vocab_size, width]`.
    pub(crate) words: WeightMatrix,
    /// `[max_tokens, width]`: each with the embedding of the first token type, which all tokens of a single text have.
    pub(crate) positions: Vec<f32>,
    pub(crate) norm: LayerNorm,
    pub(crate) layers: Vec<Layer>,
}

#[derive(Debug)]
pub(crate) struct Layer {
    pub(crate) query: Linear,
    pub(crate) key: Linear,
    pub(crate) value: Linear,
    pub(crate) attention_output: Linear,
    pub(crate) attention_norm: LayerNorm,
    pub(crate) up: Linear,
    pub(crate) down: Linear,
    pub(crate) feed_forward_norm: LayerNorm,
}

/// The tensors of a folder, by their names in a BERT model without a head. Those of heads are left out.
///
/// # Errors
/// [`EngineError::NotFound`], [`EngineError::Invalid`], [`EngineError::Unsupported`].
pub(crate) fn tensors(folder: &Path) -> Result<Tensors, EngineError> {
    safetensors::read(&folder.join("model.safetensors"), |name| {
        let name = name.strip_prefix("bert.").unwrap_or(name);
        let is_weight = name.starts_with("embeddings.") || name.starts_with("encoder.");
        // A table of the numbers 0, 1, 2, …, in 64 bits.
        let is_needed = is_weight && name != "embeddings.position_ids";
        is_needed.then(|| name.replace(".gamma", ".weight").replace(".beta", ".bias"))
    })
}

/// Bytes of the weights once they are loaded.
pub(crate) fn loaded_bytes(tensors: &Tensors, config: &Config) -> u64 {
    let bytes = tensors.places().map(|(name, place)| match *place.dimensions() {
        _ if name.starts_with("embeddings.position") => 4 * config.max_tokens * config.width,
        _ if name.starts_with("embeddings.token_type") => 0,
        [rows, columns] => WeightMatrix::packed_len_of(place.dtype, [rows, columns]),
        [len] => 4 * len,
        _ => 0,
    });
    bytes.sum::<usize>() as u64
}

impl Weights {
    /// Reads, checks and packs all tensors.
    ///
    /// # Errors
    /// [`EngineError::Invalid`] for missing tensors, wrong shapes and numbers that are not finite, [`EngineError::Unsupported`],
    /// [`EngineError::OutOfMemory`], [`EngineError::Cancelled`].
    pub(crate) fn read(tensors: &mut Tensors, config: &Config, cancel: &CancelToken) -> Result<Self, EngineError> {
        let mut reader = Reader { tensors, config, cancel };
        Ok(Self {
            words: reader.matrix("embeddings.word_embeddings.weight", [config.vocab_size, config.width])?,
            positions: reader.positions()?,
            norm: reader.norm("embeddings.LayerNorm")?,
            layers: (0..config.layers).map(|index| reader.layer(index)).collect::<Result<_, _>>()?,
        })
    }
}

struct Reader<'a> {
    tensors: &'a mut Tensors,
    config: &'a Config,
    cancel: &'a CancelToken,
}

impl Reader<'_> {
    fn positions(&mut self) -> Result<Vec<f32>, EngineError> {
        let Config { positions, token_types, width, max_tokens, .. } = *self.config;
        let types = self.tensors.numbers("embeddings.token_type_embeddings.weight", &[token_types, width])?;
        let mut rows = self.tensors.numbers("embeddings.position_embeddings.weight", &[positions, width])?;
        rows.truncate(max_tokens * width);
        rows.shrink_to_fit();
        for row in rows.chunks_exact_mut(width) {
            row.iter_mut().zip(&types[..width]).for_each(|(position, kind)| *position += kind);
        }
        Ok(rows)
    }

    fn layer(&mut self, index: usize) -> Result<Layer, EngineError> {
        let Config { width, inner_width, .. } = *self.config;
        let name = |part: &str| format!("encoder.layer.{index}.{part}");
        Ok(Layer {
            query: self.linear(&name("attention.self.query"), [width, width])?,
            key: self.linear(&name("attention.self.key"), [width, width])?,
            value: self.linear(&name("attention.self.value"), [width, width])?,
            attention_output: self.linear(&name("attention.output.dense"), [width, width])?,
            attention_norm: self.norm(&name("attention.output.LayerNorm"))?,
            up: self.linear(&name("intermediate.dense"), [inner_width, width])?,
            down: self.linear(&name("output.dense"), [width, inner_width])?,
            feed_forward_norm: self.norm(&name("output.LayerNorm"))?,
        })
    }

    fn linear(&mut self, name: &str, shape: [usize; 2]) -> Result<Linear, EngineError> {
        let weight = self.matrix(&format!("{name}.weight"), shape)?;
        Ok(Linear::new(weight, Some(self.tensors.vector(&format!("{name}.bias"), shape[0])?)))
    }

    fn matrix(&mut self, name: &str, shape: [usize; 2]) -> Result<WeightMatrix, EngineError> {
        self.tensors.matrix(name, shape, |dtype| dtype, self.cancel)
    }

    fn norm(&mut self, name: &str) -> Result<LayerNorm, EngineError> {
        Ok(LayerNorm {
            weight: self.tensors.vector(&format!("{name}.weight"), self.config.width)?,
            bias: self.tensors.vector(&format!("{name}.bias"), self.config.width)?,
            epsilon: self.config.norm_epsilon,
        })
    }
}
