//! The tensors of the Llama family.

use std::collections::HashSet;

use sotto_kernels::packed::PackedMatrix;

use super::matrix::{WeightMatrix, load_vector};
use crate::gguf::GgufFile;
use crate::{CancelToken, EngineError, ModelConfig};

/// Tensors that carry no weight of a layer: frequency factors are read with the shape, precomputed RoPE frequencies of
/// old converters are not needed.
const IGNORED_SUFFIXES: [&str; 2] = ["rope_freqs.weight", "attn_rot_embd.weight"];

/// All weights of a model.
#[derive(Debug)]
pub(crate) struct Weights {
    /// `[vocab_size, hidden_size]`.
    pub(crate) embedding: WeightMatrix,
    pub(crate) layers: Vec<LayerWeights>,
    /// `[hidden_size]`.
    pub(crate) output_norm: Vec<f32>,
    /// `[vocab_size, hidden_size]`; the embedding itself when the two are tied.
    pub(crate) output: WeightMatrix,
}

/// The weights of one layer; matrices are `[outputs, inputs]`.
#[derive(Debug)]
pub(crate) struct LayerWeights {
    pub(crate) attention_norm: Vec<f32>,
    pub(crate) query: WeightMatrix,
    pub(crate) key: WeightMatrix,
    pub(crate) value: WeightMatrix,
    pub(crate) attention_output: WeightMatrix,
    pub(crate) feed_forward_norm: Vec<f32>,
    pub(crate) gate: WeightMatrix,
    pub(crate) up: WeightMatrix,
    pub(crate) down: WeightMatrix,
}

impl Weights {
    /// Finds and checks every tensor, and packs those that are not packed yet.
    ///
    /// # Errors
    /// As for [`Weights::find`], [`EngineError::OutOfMemory`] and [`EngineError::Cancelled`].
    pub(crate) fn load(file: &GgufFile, config: &ModelConfig, cancel: &CancelToken) -> Result<Self, EngineError> {
        let mut weights = Self::find(file, config)?;
        if !file.is_packed() {
            weights.pack(config.tied_embeddings, cancel)?;
        }
        Ok(weights)
    }

    /// Finds and checks every tensor. Unless the file is packed, the matrices cannot be used yet.
    ///
    /// # Errors
    /// [`EngineError::Invalid`] for missing tensors and wrong shapes; [`EngineError::Unsupported`] for formats that this
    /// engine does not multiply, and for tensors it knows nothing about (a bias, an expert): leaving them out would
    /// compute another model.
    pub(crate) fn find(file: &GgufFile, config: &ModelConfig) -> Result<Self, EngineError> {
        if config.architecture != "llama" {
            let what = format!("the architecture {:?} in this engine's own forward pass", config.architecture);
            return Err(EngineError::unsupported(what));
        }
        let mut loader = Loader { file, known: HashSet::new() };
        let (vocab_size, hidden_size) = (config.vocab_size, config.hidden_size);
        let embedding = loader.matrix("token_embd.weight".into(), vocab_size, hidden_size)?;
        let output = match config.tied_embeddings {
            true => embedding.clone(),
            false => loader.matrix("output.weight".into(), vocab_size, hidden_size)?,
        };
        let output_norm = loader.vector("output_norm.weight".into(), hidden_size)?;
        let layers = (0..config.num_layers).map(|index| loader.layer(index, config)).collect::<Result<_, _>>()?;
        loader.refuse_unknown()?;
        Ok(Self { embedding, layers, output_norm, output })
    }

    fn pack(&mut self, tied: bool, cancel: &CancelToken) -> Result<(), EngineError> {
        self.embedding.pack(cancel)?;
        match tied {
            true => self.output = self.embedding.clone(),
            false => self.output.pack(cancel)?,
        }
        let mut matrices = self.layers.iter_mut().flat_map(LayerWeights::matrices_mut);
        matrices.try_for_each(|matrix| matrix.pack(cancel))
    }
}

impl LayerWeights {
    /// All matrices, in the order in which a pass reads them.
    pub(crate) fn matrices(&self) -> impl Iterator<Item = PackedMatrix<'_>> {
        [&self.query, &self.key, &self.value, &self.attention_output, &self.gate, &self.up, &self.down]
            .into_iter()
            .map(WeightMatrix::view)
    }

    fn matrices_mut(&mut self) -> [&mut WeightMatrix; 7] {
        let Self { query, key, value, attention_output, gate, up, down, .. } = self;
        [query, key, value, attention_output, gate, up, down]
    }
}

struct Loader<'a> {
    file: &'a GgufFile,
    known: HashSet<String>,
}

impl Loader<'_> {
    fn layer(&mut self, index: usize, config: &ModelConfig) -> Result<LayerWeights, EngineError> {
        let name = |tensor: &str| format!("blk.{index}.{tensor}.weight");
        let hidden = config.hidden_size;
        Ok(LayerWeights {
            attention_norm: self.vector(name("attn_norm"), hidden)?,
            query: self.matrix(name("attn_q"), config.query_size(), hidden)?,
            key: self.matrix(name("attn_k"), config.kv_size(), hidden)?,
            value: self.matrix(name("attn_v"), config.kv_size(), hidden)?,
            attention_output: self.matrix(name("attn_output"), hidden, config.query_size())?,
            feed_forward_norm: self.vector(name("ffn_norm"), hidden)?,
            gate: self.matrix(name("ffn_gate"), config.intermediate_size, hidden)?,
            up: self.matrix(name("ffn_up"), config.intermediate_size, hidden)?,
            down: self.matrix(name("ffn_down"), hidden, config.intermediate_size)?,
        })
    }

    fn matrix(&mut self, name: String, rows: usize, cols: usize) -> Result<WeightMatrix, EngineError> {
        let matrix = WeightMatrix::find(self.file, &name, rows, cols)?;
        self.known.insert(name);
        Ok(matrix)
    }

    fn vector(&mut self, name: String, len: usize) -> Result<Vec<f32>, EngineError> {
        let vector = load_vector(self.file, &name, len)?;
        self.known.insert(name);
        Ok(vector)
    }

    fn refuse_unknown(&self) -> Result<(), EngineError> {
        let is_known = |name: &str| self.known.contains(name) || IGNORED_SUFFIXES.iter().any(|s| name.ends_with(s));
        match self.file.tensor_names().find(|name| !is_known(name)) {
            Some(name) => Err(EngineError::unsupported(format!("the tensor {name}"))),
            None => Ok(()),
        }
    }
}
