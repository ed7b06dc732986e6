//! The weights of a model.

use sotto_kernels::packed::PackedMatrix;

use super::loader::Loader;
use super::matrix::WeightMatrix;
use super::rows::RowOrder;
use crate::gguf::GgufFile;
use crate::{CancelToken, EngineError, ModelConfig};

/// All weights of a model.
#[derive(Debug)]
pub struct Weights {
    /// `[vocab_size, hidden_size]`.
    pub embedding: WeightMatrix,
    /// From the first on.
    pub layers: Vec<LayerWeights>,
    /// `[hidden_size]`.
    pub output_norm: Vec<f32>,
    /// `[vocab_size, hidden_size]`; the embedding itself when the two are tied.
    pub output: WeightMatrix,
}

/// The weights of one layer; matrices are `[outputs, inputs]`.
#[derive(Debug)]
pub struct LayerWeights {
    /// Before attention.
    pub attention_norm: Vec<f32>,
    /// Its rows lie so that RoPE turns neighbours, as the key's.
    pub query: Linear,
    /// See the query.
    pub key: Linear,
    /// Values.
    pub value: Linear,
    /// Of each head, as the next.
    pub query_norm: Option<Vec<f32>>,
    /// See the query's.
    pub key_norm: Option<Vec<f32>>,
    /// What the heads read becomes what is added.
    pub attention_output: Linear,
    /// Of what attention adds.
    pub post_attention_norm: Option<Vec<f32>>,
    /// Before the feed-forward network.
    pub feed_forward_norm: Vec<f32>,
    /// Goes through the activation.
    pub gate: Linear,
    /// Is multiplied with the gate.
    pub up: Linear,
    /// What is added.
    pub down: Linear,
    /// Of what the feed-forward network adds.
    pub post_feed_forward_norm: Option<Vec<f32>>,
}

/// `x · weight + bias`.
#[derive(Debug)]
pub struct Linear {
    /// The matrix, `[outputs, inputs]`.
    pub weight: WeightMatrix,
    /// Added to each row.
    pub bias: Option<Vec<f32>>,
    /// Where its rows lie in a file that is not packed: an adapter's lie so, too.
    pub order: RowOrder,
}

impl Linear {
    /// A packed matrix whose rows lie as in its file, and a bias for its outputs.
    pub fn new(weight: WeightMatrix, bias: Option<Vec<f32>>) -> Self {
        Self { weight, bias, order: RowOrder::AsInFile }
    }
}

impl Weights {
    /// Finds and checks every tensor. Unless the file is packed, the matrices cannot be used yet.
    ///
    /// # Errors
    /// [`EngineError::Invalid`] for missing tensors and wrong shapes; [`EngineError::Unsupported`] for formats that this
    /// engine does not multiply, and for tensors it knows nothing about (an expert, another bias): leaving them out would
    /// compute another model.
    pub(crate) fn find(file: &GgufFile, config: &ModelConfig) -> Result<Self, EngineError> {
        let mut loader = Loader::new(file, config);
        let embedding = loader.matrix("token_embd.weight", config.vocab_size, config.hidden_size)?;
        let output = match config.tied_embeddings {
            true => embedding.clone(),
            false => loader.matrix("output.weight", config.vocab_size, config.hidden_size)?,
        };
        let output_norm = loader.vector("output_norm.weight", config.hidden_size)?;
        let layers = (0..config.num_layers).map(|index| loader.layer(index)).collect::<Result<_, _>>()?;
        loader.refuse_unknown()?;
        Ok(Self { embedding, layers, output_norm, output })
    }

    /// All matrices, each once, in the order in which a pass reads them.
    pub(crate) fn matrices(&self) -> impl Iterator<Item = &WeightMatrix> {
        let output = (self.output.name() != self.embedding.name()).then_some(&self.output);
        [&self.embedding].into_iter().chain(self.layers.iter().flat_map(LayerWeights::matrices)).chain(output)
    }

    /// What a pass reads of the weights for one token, except its row of the embedding.
    pub(crate) fn read_for_a_token(&self) -> impl Iterator<Item = PackedMatrix<'_>> {
        self.layers.iter().flat_map(LayerWeights::matrices).chain([&self.output]).map(WeightMatrix::view)
    }

    /// Packs the matrices of a file that is not packed.
    ///
    /// # Errors
    /// [`EngineError::OutOfMemory`] and [`EngineError::Cancelled`].
    pub(crate) fn pack(&mut self, tied: bool, cancel: &CancelToken) -> Result<(), EngineError> {
        self.embedding.pack(cancel)?;
        match tied {
            true => self.output = self.embedding.clone(),
            false => self.output.pack(cancel)?,
        }
        let mut linears = self.layers.iter_mut().flat_map(LayerWeights::linears_mut);
        linears.try_for_each(|linear| linear.weight.pack(cancel))
    }
}

impl LayerWeights {
    /// All matrices, in the order in which a pass reads them.
    pub(crate) fn matrices(&self) -> impl Iterator<Item = &WeightMatrix> {
        [&self.query, &self.key, &self.value, &self.attention_output, &self.gate, &self.up, &self.down]
            .into_iter()
            .map(|linear| &linear.weight)
    }

    fn linears_mut(&mut self) -> [&mut Linear; 7] {
        let Self { query, key, value, attention_output, gate, up, down, .. } = self;
        [query, key, value, attention_output, gate, up, down]
    }
}
