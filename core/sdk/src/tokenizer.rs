//! Finds a model's tokenizer: in the GGUF metadata, or in a `tokenizer.json` beside the file.

use std::path::Path;

use sotto_engine::{CancelToken, GgufFile, Replacement};
use sotto_text::{Tokenizer, TokenizerHints, TokenizerSpec};

use crate::Error;

/// What a vocabulary takes most of, which packed files have as [`TABLES`].
const TEXTS: [&str; 4] =
    ["tokenizer.ggml.tokens", "tokenizer.ggml.token_type", "tokenizer.ggml.scores", "tokenizer.ggml.merges"];
const TABLES: &str = "sotto.tokenizer.tables";
/// More than the tables of any model's vocabulary take, and less than an array of a model file may have.
const MOST_TABLE_BYTES: usize = 15 << 20;
/// The largest `tokenizer.json` that is read; Gemma's, the largest known, has 34 MB.
const MOST_JSON_BYTES: u64 = 128 << 20;

pub(crate) fn load_tokenizer(gguf: &GgufFile, folder: Option<&Path>, cancel: &CancelToken) -> Result<Tokenizer, Error> {
    let spec = spec(gguf, cancel)?;
    if has_vocabulary(&spec) {
        return Ok(Tokenizer::from_spec(&spec)?);
    }
    match folder.map(|folder| folder.join("tokenizer.json")).filter(|path| path.is_file()) {
        Some(path) => Ok(Tokenizer::from_json(
            &read_limited(&path)?,
            &TokenizerHints { bos: spec.bos, eos: spec.eos, add_bos: spec.add_bos },
        )?),
        None => Err(Error::ModelInvalid {
            why: "the file has no tokenizer, and there is no tokenizer.json beside it".into(),
            at: "tokenizer.ggml.tokens".into(),
        }),
    }
}

/// The vocabulary in the form that packed files have it in: to build it anew would be most of what a model takes to load. A
/// tokenizer that could not be loaded is refused.
pub(crate) fn packed_tokenizer(gguf: &GgufFile, cancel: &CancelToken) -> Result<Option<Replacement>, Error> {
    let spec = spec(gguf, cancel)?;
    if !has_vocabulary(&spec) {
        return Ok(None);
    }
    let words = Tokenizer::from_spec(&spec)?.tables();
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
    Ok(TokenizerSpec {
        model: metadata.string("tokenizer.ggml.model")?.unwrap_or("gpt2"),
        pre: metadata.string("tokenizer.ggml.pre")?,
        tokens: metadata.strings(tokens)?.unwrap_or_default(),
        token_types: metadata.i32s(token_types)?.unwrap_or_default(),
        scores: metadata.f32s(scores)?.unwrap_or_default(),
        merges: metadata.strings(merges)?.unwrap_or_default(),
        tables: gguf.words(TABLES)?,
        bos: id("bos")?,
        eos: id("eos")?,
        eot: id("eot")?,
        unknown: id("unknown")?,
        add_bos: metadata.bool("tokenizer.ggml.add_bos_token")?,
        add_space_prefix: metadata.bool("tokenizer.ggml.add_space_prefix")?,
        cancelled: Some(cancel.flag()),
    })
}
