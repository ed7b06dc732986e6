//! A model in memory, and what it makes of texts.

use std::path::Path;
use std::sync::Arc;

use sotto_engine::compute::{Compute, Pool};
use sotto_engine::{CancelToken, EngineError, Kernels};

use crate::config::Config;
use crate::encoder::{Encoder, places};
use crate::tokenizer::{Tokenizer, Tokens};
use crate::weights::{self, Weights};

/// Tokens that pass through the model together: short texts fill a pass, so that each weight is read once for several of them. Nothing is
/// filled up with padding, so texts of any lengths can share a pass.
const ROWS: usize = 144;

/// How a model is loaded.
#[derive(Debug, Clone, Copy, Default)]
pub struct EmbeddingOptions {
    /// Threads that compute; by default one per performance core.
    pub threads: Option<usize>,
    /// The routines that compute; by default the fastest on this CPU.
    pub kernels: Option<&'static Kernels>,
}

/// A BERT model that makes vectors of texts. Clones share its weights and threads.
#[derive(Debug, Clone)]
pub struct EmbeddingModel(Arc<Loaded>);

#[derive(Debug)]
struct Loaded {
    config: Config,
    weights: Weights,
    tokenizer: Tokenizer,
    memory: EmbeddingMemory,
    pool: Pool,
    kernels: &'static Kernels,
}

/// A text's vector.
#[derive(Debug, Clone, PartialEq)]
pub struct Embedding {
    /// The vector; its length is 1.
    pub values: Vec<f32>,
    /// The number of tokens that were read, with one before the text and one after it.
    pub tokens: usize,
    /// Whether the text is longer than the model's limit: then only its beginning was read.
    pub truncated: bool,
}

/// Private memory that a model takes, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EmbeddingMemory {
    /// The weights and, estimated, the vocabulary.
    pub weights: u64,
    /// Each request while it runs, at most.
    pub pass: u64,
    /// What the system can give now, where it says so.
    pub available: Option<u64>,
}

impl EmbeddingMemory {
    fn new(weights: u64, config: &Config) -> Self {
        Self {
            weights: weights + Tokenizer::bytes(config),
            pass: Encoder::bytes(config, ROWS.max(config.max_tokens)),
            available: sotto_engine::available_memory(),
        }
    }
}

impl EmbeddingModel {
    /// Loads a folder of Hugging Face: `config.json`, `model.safetensors`, `tokenizer.json`; and where there are any,
    /// `sentence_bert_config.json`, `modules.json` and `1_Pooling/config.json`. Weights keep the number format of the file.
    ///
    /// # Errors
    /// [`EngineError::NotFound`]; [`EngineError::Invalid`] for damaged files and files that do not belong together;
    /// [`EngineError::Unsupported`] for other kinds of models; [`EngineError::OutOfMemory`]; [`EngineError::Cancelled`].
    pub fn load(
        folder: impl AsRef<Path>,
        options: EmbeddingOptions,
        cancel: &CancelToken,
    ) -> Result<Self, EngineError> {
        let folder = folder.as_ref();
        let config = Config::read(folder)?;
        let tokenizer = Tokenizer::read(folder, &config)?;
        let mut tensors = weights::tensors(folder)?;
        let memory = EmbeddingMemory::new(weights::loaded_bytes(&tensors, &config), &config);
        if let Some(available) = memory.available.filter(|available| memory.weights > *available) {
            return Err(EngineError::OutOfMemory { needed: memory.weights, available });
        }
        Ok(Self(Arc::new(Loaded {
            weights: Weights::read(&mut tensors, &config, cancel)?,
            config,
            tokenizer,
            memory,
            pool: Pool::new(options.threads),
            kernels: options.kernels.unwrap_or_else(Kernels::get),
        })))
    }

    /// Private memory that a model would take, before it is loaded. Nothing but its description is read.
    ///
    /// # Errors
    /// [`EngineError::NotFound`], [`EngineError::Invalid`], [`EngineError::Unsupported`].
    pub fn memory_of(folder: impl AsRef<Path>) -> Result<EmbeddingMemory, EngineError> {
        let config = Config::read(folder.as_ref())?;
        let tensors = weights::tensors(folder.as_ref())?;
        Ok(EmbeddingMemory::new(weights::loaded_bytes(&tensors, &config), &config))
    }

    /// Private memory that the model takes.
    pub fn memory(&self) -> EmbeddingMemory {
        EmbeddingMemory { available: sotto_engine::available_memory(), ..self.0.memory }
    }

    /// How many numbers a vector has.
    pub fn dimensions(&self) -> usize {
        self.0.config.width
    }

    /// How many tokens of a text are read, with one before it and one after it.
    pub fn max_tokens(&self) -> usize {
        self.0.config.max_tokens
    }

    /// The vectors of texts, in their order. The vector of a text does not depend on the others.
    ///
    /// # Errors
    /// [`EngineError::OutOfMemory`]; [`EngineError::Cancelled`]; [`EngineError::Invalid`] for weights that give numbers that are not
    /// finite.
    pub fn embed(&self, texts: &[impl AsRef<str>], cancel: &CancelToken) -> Result<Vec<Embedding>, EngineError> {
        let Loaded { config, weights, tokenizer, pool, kernels, .. } = &*self.0;
        let texts = texts.iter().map(|text| tokenizer.encode(text.as_ref(), cancel));
        let texts = texts.collect::<Result<Vec<Tokens>, _>>()?;
        let passes = passes(&texts);
        let rows = passes.iter().map(|texts| rows_of(texts)).max().unwrap_or(0);
        let mut encoder = Encoder::new(config, rows)?;
        let mut embeddings = Vec::with_capacity(texts.len());
        for texts in passes {
            // Entered anew for each pass, so that others get their turn.
            let team = pool.enter(cancel)?;
            let compute = Compute { kernels, team: &team, cancel, adapters: &[] };
            let ids: Vec<&[u32]> = texts.iter().map(|text| text.ids.as_slice()).collect();
            let rows = encoder.encode(&compute, weights, &ids)?;
            embeddings.extend(places(&ids).zip(texts).map(|(place, text)| Embedding {
                values: config.pooling.pool(&rows[place.start * config.width..place.end * config.width], config.width),
                tokens: text.ids.len(),
                truncated: text.truncated,
            }));
        }
        Ok(embeddings)
    }
}

/// Texts that follow each other and share a pass: as many as fit into [`ROWS`], or one that is longer.
fn passes(texts: &[Tokens]) -> Vec<&[Tokens]> {
    let (mut passes, mut start, mut rows) = (Vec::new(), 0, 0);
    for (index, text) in texts.iter().enumerate() {
        if index > start && rows + text.ids.len() > ROWS {
            passes.push(&texts[start..index]);
            (start, rows) = (index, 0);
        }
        rows += text.ids.len();
    }
    passes.extend((start < texts.len()).then(|| &texts[start..]));
    passes
}

fn rows_of(texts: &[Tokens]) -> usize {
    texts.iter().map(|text| text.ids.len()).sum()
}

#[cfg(test)]
mod tests;
