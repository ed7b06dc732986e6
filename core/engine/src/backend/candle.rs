//! candle-transformers' quantized Llama, Qwen 2 and Qwen 3 models as [`Decoder`]s: an oracle for our own forward pass.
//!
//! They copy their weights from the file for each decoder, have no RoPE scaling, and return only the last row of
//! logits, so [`LogitRows::All`] goes token by token. Their caches cannot be truncated: after [`Decoder::truncate`],
//! the kept tokens are computed again when the next pass needs them.

use std::io::Cursor;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use candle_core::quantized::gguf_file::{Content, Value};
use candle_core::{Device, Tensor};
use candle_transformers::models::{quantized_llama, quantized_qwen2, quantized_qwen3};

use super::FileBytes;
use crate::gguf::{Pages, Part, tensor_place};
use crate::machine::check_available;
use crate::{
    Adapter, CancelToken, Decoder, EngineError, GgufFile, LogitRows, MemoryEstimate, ModelConfig, Prefix, RopeScaling,
};

/// Tokens per pass. The cancel token is checked between passes, because candle cannot be stopped within one.
const TOKENS_PER_PASS: usize = 32;

/// A model file that candle can run.
#[derive(Debug)]
pub(crate) struct CandleModel {
    bytes: Arc<Pages>,
    family: Family,
    config: ModelConfig,
    weight_bytes: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Family {
    Llama,
    Qwen2,
    Qwen3,
}

impl CandleModel {
    /// Checks that candle supports the file. Nothing is loaded yet.
    ///
    /// # Errors
    /// [`EngineError::Unsupported`] for families and variants that candle lacks, or would silently get wrong;
    /// [`EngineError::Invalid`] for missing tensors, and shapes that differ from the metadata.
    pub(crate) fn new(file: &GgufFile, config: ModelConfig) -> Result<Self, EngineError> {
        let family = Family::of(&config)?;
        if file.is_packed() {
            return Err(EngineError::unsupported("a packed file in the candle backend (use the GGUF file)"));
        }
        refuse_what_candle_ignores(family, file, &config)?;
        refuse_what_this_cpu_lacks(file)?;
        check_shapes(family, file, &config)?;
        let [Part { pages, .. }] = file.parts() else {
            return Err(EngineError::unsupported("a split file in the candle backend"));
        };
        Ok(Self { bytes: Arc::clone(pages), family, weight_bytes: copied_weight_bytes(file), config })
    }

    /// A lower bound for the private memory of a decoder with `tokens` cached, in bytes: candle packs some weights a
    /// second time.
    fn private_bytes(&self, tokens: usize) -> u64 {
        self.weight_bytes + kv_cache_bytes(&self.config, tokens)
    }

    pub(super) fn memory(&self, file: FileBytes, tokens: usize) -> MemoryEstimate {
        file.with(self.private_bytes(tokens), kv_cache_bytes(&self.config, tokens))
    }

    /// The maximum context length of candle's tables for this family.
    pub(crate) fn longest_context(&self) -> usize {
        match self.family {
            Family::Llama => quantized_llama::MAX_SEQ_LEN.min(self.config.context_length),
            Family::Qwen2 | Family::Qwen3 => self.config.context_length,
        }
    }

    /// Loads a copy of the weights for one sequence of at most `context_length` tokens.
    ///
    /// # Errors
    /// [`EngineError::ContextFull`] for a context longer than candle's tables, [`EngineError::OutOfMemory`], and
    /// [`EngineError::Invalid`] for tensors that candle rejects.
    pub(crate) fn decoder(&self, context_length: usize) -> Result<Box<dyn Decoder>, EngineError> {
        let limit = self.longest_context();
        if context_length > limit {
            return Err(EngineError::ContextFull { limit, needed: context_length });
        }
        check_available(self.private_bytes(context_length))?;
        let invalid = |why| EngineError::invalid("candle's reading of it", why);
        let weights = guarded(|| self.load_weights(context_length)).map_err(invalid)?;
        Ok(Box::new(CandleDecoder {
            config: self.config.clone(),
            family: self.family,
            weights,
            weight_bytes: self.weight_bytes,
            context_length,
            tokens: Vec::new(),
            cached: 0,
            decoded_singly: false,
            logits: Vec::new(),
        }))
    }

    fn load_weights(&self, context_length: usize) -> candle_core::Result<Weights> {
        let mut reader = Cursor::new(&self.bytes[..]);
        let mut content = Content::read(&mut reader)?;
        // candle makes rotary tables as long as the file's context; the decoder needs them only as long as its own.
        let context_key = format!("{}.context_length", self.config.architecture.name);
        content.metadata.insert(context_key, Value::U32(context_length as u32));
        // candle's Qwen3 computes its angles in F16 unless told otherwise: too coarse for positions above 2,048.
        content.metadata.insert("general.dtype".to_owned(), Value::U32(0));
        let device = Device::Cpu;
        Ok(match self.family {
            Family::Llama => Weights::Llama(quantized_llama::ModelWeights::from_gguf(content, &mut reader, &device)?),
            Family::Qwen2 => Weights::Qwen2(quantized_qwen2::ModelWeights::from_gguf(content, &mut reader, &device)?),
            Family::Qwen3 => Weights::Qwen3(quantized_qwen3::ModelWeights::from_gguf(content, &mut reader, &device)?),
        })
    }
}

impl Family {
    fn of(config: &ModelConfig) -> Result<Self, EngineError> {
        match config.architecture.name {
            "llama" => Ok(Self::Llama),
            "qwen2" => Ok(Self::Qwen2),
            "qwen3" => Ok(Self::Qwen3),
            other => Err(EngineError::unsupported(format!("the architecture {other:?} in the candle backend"))),
        }
    }
}

fn refuse_what_candle_ignores(family: Family, file: &GgufFile, config: &ModelConfig) -> Result<(), EngineError> {
    let refuse = |what: &str| Err(EngineError::unsupported(format!("{what} in the candle backend")));
    if config.rope_scaling != RopeScaling::None || config.rope_magnitude != 1.0 {
        return refuse("RoPE scaling");
    }
    if config.rope_dim != config.head_dim {
        return refuse("RoPE over a part of each head");
    }
    if family != Family::Qwen3 && config.head_dim * config.num_heads != config.hidden_size {
        return refuse("query heads whose widths do not add up to the model's");
    }
    if family == Family::Llama && file.tensor_names().any(|name| name.ends_with(".bias")) {
        return refuse("a Llama model with biases");
    }
    Ok(())
}

/// candle 0.11 uses `sdot` on every ARM CPU, which would crash the app on CPUs without it (Cortex-A53, A72, A73).
fn refuse_what_this_cpu_lacks(file: &GgufFile) -> Result<(), EngineError> {
    #[cfg(target_arch = "aarch64")]
    let lacks_dot_products = !std::arch::is_aarch64_feature_detected!("dotprod");
    #[cfg(not(target_arch = "aarch64"))]
    let lacks_dot_products = false;
    let mut tensors = file.tensor_names().filter_map(|name| file.tensor(name));
    if lacks_dot_products && tensors.any(|tensor| tensor.dtype.block_len() > 1) {
        return Err(EngineError::unsupported(
            "quantized weights in the candle backend on this CPU (it has no dotprod)",
        ));
    }
    Ok(())
}

/// candle would notice a wrong shape only during a pass.
fn check_shapes(family: Family, file: &GgufFile, config: &ModelConfig) -> Result<(), EngineError> {
    for (name, shape) in expected_tensors(family, config) {
        match file.tensor(&name) {
            Some(tensor) if tensor.shape == shape => {}
            Some(tensor) => {
                let why = format!("its shape is {:?}, but {shape:?} was expected", tensor.shape);
                return Err(EngineError::invalid(tensor_place(&name), why));
            }
            None => return Err(EngineError::invalid(tensor_place(&name), "the tensor is missing")),
        }
    }
    Ok(())
}

fn expected_tensors(family: Family, config: &ModelConfig) -> Vec<(String, Vec<usize>)> {
    let (hidden, inner, vocab) = (config.hidden_size, config.intermediate_size, config.vocab_size);
    let (queries, keys, head) = (config.query_size(), config.kv_size(), config.head_dim);
    let mut layer_tensors = vec![
        ("attn_norm.weight", vec![hidden]),
        ("attn_q.weight", vec![queries, hidden]),
        ("attn_k.weight", vec![keys, hidden]),
        ("attn_v.weight", vec![keys, hidden]),
        ("attn_output.weight", vec![hidden, queries]),
        ("ffn_norm.weight", vec![hidden]),
        ("ffn_gate.weight", vec![inner, hidden]),
        ("ffn_up.weight", vec![inner, hidden]),
        ("ffn_down.weight", vec![hidden, inner]),
    ];
    layer_tensors.extend(match family {
        Family::Llama => vec![],
        Family::Qwen2 => {
            vec![("attn_q.bias", vec![queries]), ("attn_k.bias", vec![keys]), ("attn_v.bias", vec![keys])]
        }
        Family::Qwen3 => vec![("attn_q_norm.weight", vec![head]), ("attn_k_norm.weight", vec![head])],
    });
    let in_layer =
        |layer| layer_tensors.iter().map(move |(part, shape)| (format!("blk.{layer}.{part}"), shape.clone()));
    let mut expected: Vec<_> = (0..config.num_layers).flat_map(in_layer).collect();
    expected.push(("token_embd.weight".to_owned(), vec![vocab, hidden]));
    expected.push(("output_norm.weight".to_owned(), vec![hidden]));
    if !config.tied_embeddings {
        expected.push(("output.weight".to_owned(), vec![vocab, hidden]));
    }
    expected
}

/// candle caches keys and values as F32.
fn kv_cache_bytes(config: &ModelConfig, tokens: usize) -> u64 {
    (2 * config.num_layers * config.kv_size() * tokens * size_of::<f32>()) as u64
}

/// The size of candle's copies of the tensors: quantized ones as in the file, others and the embedding as F32.
fn copied_weight_bytes(file: &GgufFile) -> u64 {
    let tensor_bytes = |name: &str| {
        let Some(tensor) = file.tensor(name) else { return 0 };
        let as_f32 = (tensor.shape.iter().product::<usize>() * size_of::<f32>()) as u64;
        let quantized = tensor.dtype.block_len() > 1;
        let copy = if quantized { tensor.bytes.len() as u64 } else { as_f32 };
        if name == "token_embd.weight" { copy + as_f32 } else { copy }
    };
    file.tensor_names().map(tensor_bytes).sum()
}

enum Weights {
    Llama(quantized_llama::ModelWeights),
    Qwen2(quantized_qwen2::ModelWeights),
    Qwen3(quantized_qwen3::ModelWeights),
}

impl Weights {
    /// The logits `[1, vocab_size]` of the last token of `[1, tokens]`.
    fn forward(&mut self, tokens: &Tensor, position: usize) -> candle_core::Result<Tensor> {
        match self {
            Self::Llama(weights) => weights.forward(tokens, position),
            Self::Qwen2(weights) => weights.forward(tokens, position),
            Self::Qwen3(weights) => weights.forward(tokens, position),
        }
    }

    fn clear_kv_cache(&mut self) {
        match self {
            Self::Llama(weights) => weights.clear_kv_cache(),
            Self::Qwen2(weights) => weights.clear_kv_cache(),
            Self::Qwen3(weights) => weights.clear_kv_cache(),
        }
    }
}

/// One sequence in one of candle's models, which hold weights and cache together.
struct CandleDecoder {
    config: ModelConfig,
    family: Family,
    weights: Weights,
    weight_bytes: u64,
    context_length: usize,
    /// The sequence.
    tokens: Vec<u32>,
    /// The number of tokens in candle's cache; fewer after a truncation or a failed pass.
    cached: usize,
    /// Whether any of the cached tokens was a pass of its own.
    decoded_singly: bool,
    logits: Vec<f32>,
}

impl Decoder for CandleDecoder {
    fn config(&self) -> &ModelConfig {
        &self.config
    }

    fn context_length(&self) -> usize {
        self.context_length
    }

    fn position(&self) -> usize {
        self.tokens.len()
    }

    /// Its cache cannot be truncated without computing everything again.
    fn tokens_at_once(&self) -> usize {
        1
    }

    fn forward(&mut self, tokens: &[u32], rows: LogitRows, cancel: &CancelToken) -> Result<&[f32], EngineError> {
        self.check(tokens)?;
        self.catch_up(cancel)?;
        self.logits.clear();
        // A pass ends with a wanted row, or before the first of them.
        let mut unwanted = tokens.len() - rows.count(tokens.len());
        let mut rest = tokens;
        while !rest.is_empty() {
            let (pass, later) = rest.split_at(self.longest_pass().min(unwanted + 1).min(rest.len()));
            let row = self.pass(pass, cancel)?;
            self.tokens.extend_from_slice(pass);
            if pass.len() > unwanted {
                self.logits.extend_from_slice(&row);
            }
            unwanted = unwanted.saturating_sub(pass.len());
            rest = later;
        }
        Ok(&self.logits)
    }

    fn forward_for(
        &mut self,
        tokens: &[u32],
        rows: LogitRows,
        ids: &[u32],
        cancel: &CancelToken,
    ) -> Result<&[f32], EngineError> {
        self.config.check_ids(ids)?;
        self.forward(tokens, rows, cancel)?;
        let rows = self.logits.chunks_exact(self.config.vocab_size);
        self.logits = rows.flat_map(|row| ids.iter().map(|&id| row[id as usize])).collect();
        Ok(&self.logits)
    }

    fn hidden_states(&mut self, _: &[u32], _: &CancelToken) -> Result<&[f32], EngineError> {
        Err(EngineError::unsupported("hidden states in the candle backend: use Sotto's own engine"))
    }

    fn set_adapters(&mut self, adapters: &[(Adapter, f32)]) -> Result<(), EngineError> {
        match adapters {
            [] => Ok(()),
            _ => Err(EngineError::unsupported("adapters in the candle backend: use Sotto's own engine")),
        }
    }

    fn prefix(&self, _: usize) -> Result<Option<Prefix>, EngineError> {
        Ok(None)
    }

    fn begin_with(&mut self, _: &Prefix, _: usize) -> bool {
        false
    }

    fn truncate(&mut self, length: usize) {
        if length < self.tokens.len() {
            self.tokens.truncate(length);
            self.cached = 0;
        }
    }

    fn private_bytes(&self) -> u64 {
        let logits = (self.logits.capacity() * size_of::<f32>()) as u64;
        self.weight_bytes + kv_cache_bytes(&self.config, self.cached) + logits
    }
}

impl CandleDecoder {
    fn check(&self, tokens: &[u32]) -> Result<(), EngineError> {
        if tokens.is_empty() {
            return Err(EngineError::Internal("a pass needs at least one token".to_owned()));
        }
        let needed = self.tokens.len() + tokens.len();
        if needed > self.context_length {
            return Err(EngineError::ContextFull { limit: self.context_length, needed });
        }
        self.config.check_ids(tokens)
    }

    /// Computes again the tokens of the sequence that are missing in candle's cache.
    fn catch_up(&mut self, cancel: &CancelToken) -> Result<(), EngineError> {
        while self.cached < self.tokens.len() {
            let end = self.tokens.len().min(self.cached + self.longest_pass());
            let pass = self.tokens[self.cached..end].to_vec();
            self.pass(&pass, cancel)?;
        }
        Ok(())
    }

    /// candle's Qwen3 keeps single tokens in a cache that longer passes do not use.
    fn longest_pass(&self) -> usize {
        let singly = self.family == Family::Qwen3 && self.cached > 0 && self.decoded_singly;
        if singly { 1 } else { TOKENS_PER_PASS }
    }

    /// Appends tokens to candle's cache and returns the last one's logits.
    fn pass(&mut self, tokens: &[u32], cancel: &CancelToken) -> Result<Vec<f32>, EngineError> {
        cancel.check()?;
        let position = self.cached;
        if position == 0 {
            self.weights.clear_kv_cache();
            self.decoded_singly = false;
        }
        // The cache is not used after a failed pass.
        self.cached = 0;
        let row = guarded(|| {
            let input = Tensor::new(tokens, &Device::Cpu)?.unsqueeze(0)?;
            self.weights.forward(&input, position)?.flatten_all()?.to_vec1::<f32>()
        })
        .map_err(EngineError::Internal)?;
        if row.len() != self.config.vocab_size {
            return Err(EngineError::Internal(format!("candle returned {} logits", row.len())));
        }
        self.cached = position + tokens.len();
        self.decoded_singly |= tokens.len() == 1;
        Ok(row)
    }
}

/// Runs candle's code, which panics on some errors that it could report.
fn guarded<T>(work: impl FnOnce() -> candle_core::Result<T>) -> Result<T, String> {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(result) => result.map_err(|error| error.to_string()),
        Err(_) => Err("candle panicked".to_owned()),
    }
}
