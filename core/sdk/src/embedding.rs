//! Texts become vectors that can be compared: by an embedding model, or by a language model.

use std::convert::Infallible;

use serde::Serialize;
use sotto_embedding::{EmbeddingMemory, EmbeddingModel, EmbeddingOptions};

use crate::job::Job;
use crate::model_file::ModelFile;
use crate::{CancelToken, Error, LocalModel};

/// Tokens of a text that a language model reads at a time.
const TOKENS_AT_A_TIME: usize = 128;

const NO_PATH: &str = "an embedding model without a path: copy its folder to a file system";

/// A text's vector.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Embedding {
    /// The vector; its length is 1, so the dot product of two vectors is the cosine of their angle.
    #[serde(rename = "embedding")]
    pub values: Vec<f32>,
    /// The number of tokens that were read.
    pub tokens: usize,
    /// Whether the text is longer than the model's limit: then only its beginning was read.
    pub truncated: bool,
}

impl Embedding {
    /// How alike two texts are: 1 for equal ones, around 0 for unrelated ones. Both vectors must be of the same model.
    pub fn similarity(&self, other: &Self) -> f32 {
        self.values.iter().zip(&other.values).map(|(a, b)| a * b).sum()
    }
}

impl From<sotto_embedding::Embedding> for Embedding {
    fn from(sotto_embedding::Embedding { values, tokens, truncated }: sotto_embedding::Embedding) -> Self {
        Self { values, tokens, truncated }
    }
}

/// An embedding model (BERT) that is ready to be used, from any thread. Clones share it.
///
/// ```no_run
/// use sotto::{Embedder, ModelFile};
///
/// # fn main() -> Result<(), sotto::Error> {
/// let embedder = Embedder::load(ModelFile::path("all-MiniLM-L6-v2"))?;
/// let milk = embedder.embed("Buy milk.").wait()?;
/// let groceries = embedder.embed("We are out of bread and butter.").wait()?;
/// println!("{:.2}", milk.similarity(&groceries));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Embedder(EmbeddingModel);

impl Embedder {
    /// Loads a model with default options, and waits for it.
    ///
    /// # Errors
    /// As for [`Embedder::start_loading`].
    pub fn load(folder: ModelFile) -> Result<Self, Error> {
        Self::start_loading(folder, &EmbeddingOptions::default()).wait()
    }

    /// Starts to load a folder with `config.json`, `model.safetensors` and `tokenizer.json`, as sentence-transformers writes it.
    ///
    /// # Errors
    /// [`Error::ModelNotFound`]; [`Error::ModelInvalid`] for damaged files; [`Error::Unsupported`] for a model that is not BERT, and for
    /// a folder that has no path; [`Error::OutOfMemory`].
    pub fn start_loading(folder: ModelFile, options: &EmbeddingOptions) -> Job<Infallible, Self> {
        let options = *options;
        Job::start("load embedder", move |_, cancel| {
            Ok(Self(EmbeddingModel::load(folder.path_or(NO_PATH)?, options, cancel)?))
        })
    }

    /// The memory that a model would take if it were loaded. Nothing but its description is read.
    ///
    /// # Errors
    /// As for [`Embedder::start_loading`].
    pub fn memory_of(folder: ModelFile) -> Job<Infallible, EmbeddingMemory> {
        Job::start("inspect embedder", move |_, _| Ok(EmbeddingModel::memory_of(folder.path_or(NO_PATH)?)?))
    }

    /// Private memory in bytes: that of the weights, and that of a request while it runs.
    pub fn memory(&self) -> EmbeddingMemory {
        self.0.memory()
    }

    /// How many numbers a vector has.
    pub fn dimensions(&self) -> usize {
        self.0.dimensions()
    }

    /// The maximum number of tokens of a text that are read, with two that the model adds.
    pub fn max_tokens(&self) -> usize {
        self.0.max_tokens()
    }

    /// The vector of a text. Of a text that is too long, the beginning is read, and [`Embedding::truncated`] says so.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] for an empty text.
    pub fn embed(&self, text: &str) -> Job<Infallible, Embedding> {
        let (model, text) = (self.0.clone(), text.to_owned());
        Job::start("embed", move |_, cancel| {
            check(&text)?;
            let embedding = model.embed(&[text], cancel)?.pop();
            embedding.map(Embedding::from).ok_or_else(|| Error::internal("a text without an embedding"))
        })
    }

    /// The vectors of texts, in their order, as [`Embedder::embed`] gives them. Short texts are computed together, which is faster.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] if one of the texts is empty.
    pub fn embed_all(&self, texts: Vec<String>) -> Job<Infallible, Vec<Embedding>> {
        let model = self.0.clone();
        Job::start("embed", move |_, cancel| {
            texts.iter().try_for_each(|text| check(text))?;
            Ok(model.embed(&texts, cancel)?.into_iter().map(Embedding::from).collect())
        })
    }
}

impl LocalModel {
    /// The vector of a text where no embedding model is at hand: the mean of the language model's hidden states, with a length of 1.
    /// It is slower to compute than [`Embedder::embed`]'s, and says less about what a text means.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] for an empty text; [`Error::ContextFull`] for one longer than the context; [`Error::Unsupported`] for
    /// candle's models.
    pub fn embed(&self, text: &str) -> Job<Infallible, Embedding> {
        let (model, text) = (self.clone(), text.to_owned());
        Job::start("embed", move |_, cancel| {
            check(&text)?;
            model.mean_hidden_state(&text, cancel)
        })
    }

    fn mean_hidden_state(&self, text: &str, cancel: &CancelToken) -> Result<Embedding, Error> {
        let loaded = self.loaded();
        loaded.refuse_far_too_long(text.len())?;
        let (bos, ids) = (loaded.leading_bos(), loaded.tokenizer.encode(text)?);
        let (limit, needed) = (loaded.context_limit(), ids.len() + bos.iter().len());
        if needed > limit {
            return Err(Error::ContextFull { limit, needed });
        }
        let mut decoder = loaded.decoder(needed)?;
        // Its state is the same for each text.
        if let Some(bos) = bos {
            decoder.hidden_states(&[bos], cancel)?;
        }
        let mut sums = vec![0.0f64; loaded.engine.config().hidden_size];
        for ids in ids.chunks(TOKENS_AT_A_TIME) {
            for state in decoder.hidden_states(ids, cancel)?.chunks_exact(sums.len()) {
                sums.iter_mut().zip(state).for_each(|(sum, x)| *sum += f64::from(*x));
            }
        }
        let length = sums.iter().map(|sum| sum * sum).sum::<f64>().sqrt().max(f64::MIN_POSITIVE);
        let values = sums.into_iter().map(|sum| (sum / length) as f32).collect();
        Ok(Embedding { values, tokens: ids.len(), truncated: false })
    }
}

fn check(text: &str) -> Result<(), Error> {
    match text.trim().is_empty() {
        true => Err(Error::invalid_input("the text is empty: there is nothing to embed")),
        false => Ok(()),
    }
}
