//! Finds a model's tokenizer: in the GGUF metadata, or in a `tokenizer.json` next to the file.

use std::convert::Infallible;
use std::path::Path;

use sotto_engine::{CancelToken, GgufFile, Replacement};
use sotto_text::{TokenizerHints, TokenizerSpec};

use crate::Error;
use crate::job::Job;
use crate::model_file::ModelFile;

/// The bulk of a vocabulary's metadata, which packed files store as [`TABLES`].
const TEXTS: [&str; 4] =
    ["tokenizer.ggml.tokens", "tokenizer.ggml.token_type", "tokenizer.ggml.scores", "tokenizer.ggml.merges"];
const TABLES: &str = "sotto.tokenizer.tables";
/// More than any model's vocabulary tables need, and less than the limit for an array in a model file.
const MOST_TABLE_BYTES: usize = 15 << 20;
/// The largest `tokenizer.json` that is read; Gemma's, the largest known, has 34 MB.
const MOST_JSON_BYTES: u64 = 128 << 20;

/// A model's tokenizer without the model. It needs only the vocabulary of a file, of any architecture. Cheap to clone,
/// and safe to share between threads.
#[derive(Debug, Clone)]
pub struct Tokenizer(sotto_text::Tokenizer);

impl Tokenizer {
    /// Loads the tokenizer of a model file, and waits for it.
    ///
    /// # Errors
    /// [`Error::ModelNotFound`], [`Error::ModelInvalid`] for a damaged file or one without a tokenizer,
    /// [`Error::Unsupported`] for an unknown kind of tokenizer.
    pub fn load(file: ModelFile) -> Result<Self, Error> {
        Self::start_loading(file).wait()
    }

    /// Starts to load the tokenizer of a model file, or the `tokenizer.json` next to one that has none.
    ///
    /// # Errors
    /// [`Error::ModelNotFound`], [`Error::ModelInvalid`] for a damaged file or one without a tokenizer,
    /// [`Error::Unsupported`] for an unknown kind of tokenizer.
    pub fn start_loading(file: ModelFile) -> Job<Infallible, Self> {
        Job::start("tokenizer", move |_, cancel| Ok(Self(load_tokenizer(&file.open()?, file.folder(), cancel)?)))
    }

    /// The token ids of a text. Text is never read as control tokens, whatever it contains, and none are added.
    ///
    /// # Errors
    /// [`Error::Internal`] if the tokenizer fails.
    pub fn encode(&self, text: &str) -> Result<Vec<u32>, Error> {
        Ok(self.0.encode(text)?)
    }

    /// The text of token ids. Control tokens and unknown ids produce no text, and incomplete characters produce U+FFFD.
    pub fn decode(&self, ids: &[u32]) -> String {
        self.0.decode(ids)
    }

    /// The number of tokens that [`Tokenizer::encode`] returns for a text.
    ///
    /// # Errors
    /// [`Error::Internal`] if the tokenizer fails.
    pub fn token_count(&self, text: &str) -> Result<usize, Error> {
        Ok(self.encode(text)?.len())
    }

    /// A token in readable form: its text, or the name of a control token. Incomplete characters are shown as U+FFFD.
    pub fn token_text(&self, id: u32) -> String {
        self.0.token_text(id).into_owned()
    }
}

pub(crate) fn load_tokenizer(
    gguf: &GgufFile,
    folder: Option<&Path>,
    cancel: &CancelToken,
) -> Result<sotto_text::Tokenizer, Error> {
    let spec = spec(gguf, cancel)?;
    if has_vocabulary(&spec) {
        return Ok(sotto_text::Tokenizer::from_spec(&spec)?);
    }
    match folder.map(|folder| folder.join("tokenizer.json")).filter(|path| path.is_file()) {
        Some(path) => Ok(sotto_text::Tokenizer::from_json(
            &read_limited(&path)?,
            &TokenizerHints { bos: spec.bos, eos: spec.eos, add_bos: spec.add_bos },
        )?),
        None => Err(Error::ModelInvalid {
            why: "the file has no tokenizer, and there is no tokenizer.json beside it".into(),
            at: "tokenizer.ggml.tokens".into(),
        }),
    }
}

/// The vocabulary in the form of packed files; building it would otherwise be most of a model's load time. A tokenizer
/// that could not be loaded is rejected.
pub(crate) fn packed_tokenizer(gguf: &GgufFile, cancel: &CancelToken) -> Result<Option<Replacement>, Error> {
    let spec = spec(gguf, cancel)?;
    if !has_vocabulary(&spec) {
        return Ok(None);
    }
    let words = sotto_text::Tokenizer::from_spec(&spec)?.tables();
    Ok((words.len() <= MOST_TABLE_BYTES).then_some(Replacement { replaced: &TEXTS, key: TABLES, words }))
}

fn has_vocabulary(spec: &TokenizerSpec<'_>) -> bool {
    spec.tables.is_some() || !spec.tokens.is_empty()
}

fn read_limited(path: &Path) -> Result<Vec<u8>, Error> {
    let not_readable =
        |error: std::io::Error| Error::ModelNotFound { path: path.to_owned(), reason: error.to_string() };
    let length = path.metadata().map_err(not_readable)?.len();
    if length > MOST_JSON_BYTES {
        return Err(Error::ModelInvalid {
            why: format!("it has {length} bytes, more than any tokenizer"),
            at: "tokenizer.json".into(),
        });
    }
    std::fs::read(path).map_err(not_readable)
}

fn spec<'a>(gguf: &'a GgufFile, cancel: &'a CancelToken) -> Result<TokenizerSpec<'a>, Error> {
    let metadata = gguf.metadata();
    let [tokens, token_types, scores, merges] = TEXTS;
    let id = |name: &str| metadata.u32(&format!("tokenizer.ggml.{name}_token_id"));
    let model = metadata.string("tokenizer.ggml.model")?.unwrap_or("gpt2");
    Ok(TokenizerSpec {
        model,
        pre: metadata.string("tokenizer.ggml.pre")?,
        tokens: metadata.strings(tokens)?.unwrap_or_default(),
        token_types: metadata.i32s(token_types)?.unwrap_or_default(),
        scores: metadata.f32s(scores)?.unwrap_or_default(),
        merges: metadata.strings(merges)?.unwrap_or_default(),
        tables: gguf.words(TABLES)?,
        bos: id("bos")?,
        eos: id("eos")?,
        eot: id("eot")?,
        eom: id("eom")?,
        unknown: id("unknown")?,
        add_bos: metadata.bool("tokenizer.ggml.add_bos_token")?,
        add_space_prefix: metadata.bool("tokenizer.ggml.add_space_prefix")?,
        // Phi-3 and 3.5 do. Phi-4 also has this architecture, but another kind of tokenizer.
        control_swallows_space: model == "llama" && metadata.string("general.architecture")? == Some("phi3"),
        cancelled: Some(cancel.flag()),
    })
}
