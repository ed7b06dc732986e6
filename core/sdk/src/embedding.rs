//! Texts become vectors that can be compared: by an embedding model, or by a language model.

use std::convert::Infallible;
use std::sync::{Arc, OnceLock};

use serde::Serialize;
use sotto_embedding::{EmbeddingMemory, EmbeddingModel, EmbeddingOptions};

use crate::job::Job;
use crate::model_file::ModelFile;
use crate::{CancelToken, Error, LocalModel};

/// Tokens of a text that a language model reads at a time.
const TOKENS_AT_A_TIME: usize = 128;

/// Tokens of a text's beginning, for [`LocalModel::embed_beginning`]: as many as embedding models usually read.
const BEGINNING: usize = 256;
/// Bytes in which so many tokens surely end, in nearly all texts.
const BEGINNING_BYTES: usize = 16 * BEGINNING;
/// What a model makes of this text tells it from other models.
const PROBE: &str = "The quick brown fox jumps over the lazy dog.";
/// Steps in which numbers of the probe are told apart. Other instruction sets and systems change less.
const MARK_STEPS: f32 = 1000.0;

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
pub struct Embedder {
    model: EmbeddingModel,
    mark: Mark,
}

/// The name of a model's vectors, once it is known.
pub(crate) type Mark = Arc<OnceLock<String>>;

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
            let model = EmbeddingModel::load(folder.path_or(NO_PATH)?, options, cancel)?;
            Ok(Self { model, mark: Mark::default() })
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
        self.model.memory()
    }

    /// How many numbers a vector has.
    pub fn dimensions(&self) -> usize {
        self.model.dimensions()
    }

    /// The maximum number of tokens of a text that are read, with two that the model adds.
    pub fn max_tokens(&self) -> usize {
        self.model.max_tokens()
    }

    /// The vector of a text. Of a text that is too long, the beginning is read, and [`Embedding::truncated`] says so.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] for an empty text.
    pub fn embed(&self, text: &str) -> Job<Infallible, Embedding> {
        let (this, text) = (self.clone(), text.to_owned());
        Job::start("embed", move |_, cancel| this.embed_now(&text, cancel))
    }

    /// As [`Embedder::embed`], on this thread.
    pub(crate) fn embed_now(&self, text: &str, cancel: &CancelToken) -> Result<Embedding, Error> {
        check(text)?;
        let embedding = self.model.embed(&[text], cancel)?.pop();
        embedding.map(Embedding::from).ok_or_else(|| Error::internal("a text without an embedding"))
    }

    /// A name of this model's vectors, which another model's do not have.
    pub(crate) fn vector_mark(&self, cancel: &CancelToken) -> Result<String, Error> {
        mark(&self.mark, || self.embed_now(PROBE, cancel))
    }

    /// The vectors of texts, in their order, as [`Embedder::embed`] gives them. Short texts are computed together, which is faster.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] if one of the texts is empty.
    pub fn embed_all(&self, texts: Vec<String>) -> Job<Infallible, Vec<Embedding>> {
        let model = self.model.clone();
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
            let loaded = model.loaded();
            loaded.refuse_far_too_long(text.len())?;
            model.mean_hidden_state(&loaded.tokenizer.encode(&text)?, cancel)
        })
    }

    /// As [`LocalModel::embed`], on this thread; of a long text, the beginning.
    pub(crate) fn embed_beginning(&self, text: &str, cancel: &CancelToken) -> Result<Embedding, Error> {
        let loaded = self.loaded();
        let beginning = &text[..text.floor_char_boundary(BEGINNING_BYTES)];
        let mut ids = loaded.tokenizer.encode(beginning)?;
        let most = BEGINNING.min(loaded.context_limit().saturating_sub(loaded.leading_bos().iter().len()));
        let truncated = beginning.len() < text.len() || ids.len() > most;
        ids.truncate(most);
        Ok(Embedding { truncated, ..self.mean_hidden_state(&ids, cancel)? })
    }

    /// A name of this model's vectors, with its adapters, which another model's do not have.
    pub(crate) fn vector_mark(&self, cancel: &CancelToken) -> Result<String, Error> {
        mark(&self.loaded().mark, || self.embed_beginning(PROBE, cancel))
    }

    fn mean_hidden_state(&self, ids: &[u32], cancel: &CancelToken) -> Result<Embedding, Error> {
        let loaded = self.loaded();
        let bos = loaded.leading_bos();
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

/// The name of a model's vectors, made of one of them if it is not known yet.
fn mark(known: &Mark, embed: impl FnOnce() -> Result<Embedding, Error>) -> Result<String, Error> {
    if let Some(known) = known.get() {
        return Ok(known.clone());
    }
    let Embedding { values, .. } = embed()?;
    let steps: Vec<u8> = values.iter().flat_map(|x| ((x * MARK_STEPS).round() as i32).to_le_bytes()).collect();
    let mark = format!("{}-{:08x}", values.len(), crc32fast::hash(&steps));
    Ok(known.get_or_init(|| mark).clone())
}

fn check(text: &str) -> Result<(), Error> {
    match text.trim().is_empty() {
        true => Err(Error::invalid_input("the text is empty: there is nothing to embed")),
        false => Ok(()),
    }
}
