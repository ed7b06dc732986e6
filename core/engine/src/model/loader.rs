use std::collections::HashSet;

use super::matrix::{WeightMatrix, load_vector};
use super::rows::{RowOrder, Rows};
use super::weights::{LayerWeights, Linear};
use crate::architecture::RopePairs;
use crate::gguf::GgufFile;
use crate::{EngineError, ModelConfig};

/// Tensors that carry no weight of a layer: factors of RoPE's frequencies are read with the shape, precomputed frequencies of old
/// converters are not needed.
const IGNORED_SUFFIXES: [&str; 4] =
    ["rope_freqs.weight", "rope_factors_long.weight", "rope_factors_short.weight", "attn_rot_embd.weight"];

/// Finds the weights of a model in its file, by their names in GGUF.
pub(super) struct Loader<'a> {
    file: &'a GgufFile,
    config: &'a ModelConfig,
    /// The tensors that were used.
    known: HashSet<String>,
}

/// One of several matrices that read the same, and may lie in one tensor: its name, its rows, their order.
type Part = (&'static str, usize, RowOrder);

impl<'a> Loader<'a> {
    pub(super) fn new(file: &'a GgufFile, config: &'a ModelConfig) -> Self {
        Self { file, config, known: HashSet::new() }
    }

    pub(super) fn layer(&mut self, layer: usize) -> Result<LayerWeights, EngineError> {
        let config = self.config;
        let (hidden, intermediate) = (config.hidden_size, config.intermediate_size);
        let [query, key, value] = self.query_key_value(layer)?;
        let [gate, up] = self.gate_up(layer)?;
        let name = |tensor: &str| format!("blk.{layer}.{tensor}.weight");
        let post_norms = config.architecture.post_norms;
        Ok(LayerWeights {
            attention_norm: self.vector(&name("attn_norm"), hidden)?,
            query,
            key,
            value,
            query_norm: self.head_norm(&name("attn_q_norm"))?,
            key_norm: self.head_norm(&name("attn_k_norm"))?,
            attention_output: self.linear(&name("attn_output"), hidden, config.query_size())?,
            post_attention_norm: self.vector_if(post_norms, &name("post_attention_norm"), hidden)?,
            feed_forward_norm: self.vector(&name("ffn_norm"), hidden)?,
            gate,
            up,
            down: self.linear(&name("ffn_down"), hidden, intermediate)?,
            post_feed_forward_norm: self.vector_if(post_norms, &name("post_ffw_norm"), hidden)?,
        })
    }

    fn query_key_value(&mut self, layer: usize) -> Result<[Linear; 3], EngineError> {
        let ModelConfig { architecture, hidden_size, .. } = self.config;
        let (queries, keys, order) = (self.config.query_size(), self.config.kv_size(), self.head_order());
        let fused = architecture.fused_qkv.then_some("attn_qkv");
        let parts = [("attn_q", queries, order), ("attn_k", keys, order), ("attn_v", keys, RowOrder::AsInFile)];
        let mut linears = self.parts(layer, fused, parts, *hidden_size)?;
        if architecture.qkv_biases {
            for (linear, (name, rows, order)) in linears.iter_mut().zip(parts) {
                let rows = Rows { order, ..Rows::all(rows) };
                linear.bias = Some(self.ordered_vector(&format!("blk.{layer}.{name}.bias"), &rows)?);
            }
        }
        Ok(linears)
    }

    fn gate_up(&mut self, layer: usize) -> Result<[Linear; 2], EngineError> {
        let ModelConfig { architecture, hidden_size, intermediate_size, .. } = self.config;
        let fused = architecture.fused_gate_up.then_some("ffn_up");
        let part = |name| (name, *intermediate_size, RowOrder::AsInFile);
        self.parts(layer, fused, [part("ffn_gate"), part("ffn_up")], *hidden_size)
    }

    /// Matrices that are tensors of their own, or follow each other in one.
    fn parts<const N: usize>(
        &mut self,
        layer: usize,
        fused: Option<&str>,
        parts: [Part; N],
        cols: usize,
    ) -> Result<[Linear; N], EngineError> {
        let name = |tensor: &str| format!("blk.{layer}.{tensor}.weight");
        let total = parts.iter().map(|(_, rows, _)| rows).sum();
        let (mut first, mut linears) = (0, Vec::with_capacity(N));
        for (part, count, order) in parts {
            let weight = match fused {
                Some(tensor) => self.rows(&name(part), &name(tensor), total, Rows { first, count, order }, cols)?,
                None => self.rows(&name(part), &name(part), count, Rows { first: 0, count, order }, cols)?,
            };
            linears.push(Linear { weight, bias: None, order });
            first += count;
        }
        Ok(linears.try_into().expect("as many as there are parts"))
    }

    fn linear(&mut self, name: &str, rows: usize, cols: usize) -> Result<Linear, EngineError> {
        Ok(Linear { weight: self.matrix(name, rows, cols)?, bias: None, order: RowOrder::AsInFile })
    }

    /// A whole tensor, `[rows, cols]`.
    pub(super) fn matrix(&mut self, name: &str, rows: usize, cols: usize) -> Result<WeightMatrix, EngineError> {
        self.rows(name, name, rows, Rows::all(rows), cols)
    }

    /// Some rows of `tensor`, which has `total`, as the matrix `name`: as that they lie in a packed file.
    fn rows(
        &mut self,
        name: &str,
        tensor: &str,
        total: usize,
        rows: Rows,
        cols: usize,
    ) -> Result<WeightMatrix, EngineError> {
        let (tensor, total, rows) =
            if self.file.is_packed() { (name, rows.count, Rows::all(rows.count)) } else { (tensor, total, rows) };
        self.known.insert(tensor.to_owned());
        WeightMatrix::find(self.file, name, tensor, [total, cols], rows)
    }

    pub(super) fn vector(&mut self, name: &str, len: usize) -> Result<Vec<f32>, EngineError> {
        self.known.insert(name.to_owned());
        load_vector(self.file, name, len)
    }

    fn vector_if(&mut self, there: bool, name: &str, len: usize) -> Result<Option<Vec<f32>>, EngineError> {
        there.then(|| self.vector(name, len)).transpose()
    }

    /// A vector for rows that have another order in the file. Packed files have vectors as all files do.
    fn ordered_vector(&mut self, name: &str, rows: &Rows) -> Result<Vec<f32>, EngineError> {
        let vector = self.vector(name, rows.count)?;
        Ok(rows.places(0..rows.count).map(|place| vector[place]).collect())
    }

    fn head_norm(&mut self, name: &str) -> Result<Option<Vec<f32>>, EngineError> {
        let rows = Rows { order: self.head_order(), ..Rows::all(self.config.head_dim) };
        self.config.architecture.head_norms.then(|| self.ordered_vector(name, &rows)).transpose()
    }

    /// The order of the rows of queries and keys: one kernel for RoPE serves all.
    fn head_order(&self) -> RowOrder {
        let ModelConfig { head_dim, rope_dim, .. } = *self.config;
        match self.config.architecture.rope_pairs {
            RopePairs::Neighbours => RowOrder::AsInFile,
            RopePairs::Halves => RowOrder::PairHalves { head_dim, rope_dim },
        }
    }

    pub(super) fn refuse_unknown(&self) -> Result<(), EngineError> {
        let is_known = |name: &str| self.known.contains(name) || IGNORED_SUFFIXES.iter().any(|s| name.ends_with(s));
        match self.file.tensor_names().find(|name| !is_known(name)) {
            Some(name) => Err(EngineError::unsupported(format!("the tensor {name}"))),
            None => Ok(()),
        }
    }
}
