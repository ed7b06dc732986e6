//! Finds a model's tokenizer: in the GGUF metadata, or in a `tokenizer.json` beside the file.

use std::path::Path;

use sotto_engine::{GgufFile, Metadata, Replacement};
use sotto_text::{Tokenizer, TokenizerHints, TokenizerSpec};

use crate::Error;

const MERGES: &str = "tokenizer.ggml.merges";
/// What packed files have in place of [`MERGES`].
const MERGES_BY_ID: &str = "sotto.tokenizer.merges";
/// The largest `tokenizer.json` that is read; Gemma's, the largest known, has 34 MB.
const MOST_JSON_BYTES: u64 = 128 << 20;

pub(crate) fn load_tokenizer(gguf: &GgufFile, folder: Option<&Path>) -> Result<Tokenizer, Error> {
    let spec = spec(gguf.metadata())?;
    if !spec.tokens.is_empty() {
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

/// The merges in the form that packed files have them in: looking up their texts would be most of what a model takes to
/// load. A tokenizer that could not be loaded is refused.
pub(crate) fn packed_merges(gguf: &GgufFile) -> Result<Option<Replacement>, Error> {
    let spec = spec(gguf.metadata())?;
    if spec.tokens.is_empty() {
        return Ok(None);
    }
    let merges = Tokenizer::from_spec(&spec)?.merges_by_id();
    Ok(merges.map(|value| Replacement { replaced: MERGES, key: MERGES_BY_ID, value }))
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

fn spec(metadata: Metadata<'_>) -> Result<TokenizerSpec<'_>, Error> {
    let id = |name: &str| metadata.u32(&format!("tokenizer.ggml.{name}_token_id"));
    Ok(TokenizerSpec {
        model: metadata.string("tokenizer.ggml.model")?.unwrap_or("gpt2"),
        pre: metadata.string("tokenizer.ggml.pre")?,
        tokens: metadata.strings("tokenizer.ggml.tokens")?.unwrap_or_default(),
        token_types: metadata.i32s("tokenizer.ggml.token_type")?.unwrap_or_default(),
        scores: metadata.f32s("tokenizer.ggml.scores")?.unwrap_or_default(),
        merges: metadata.strings(MERGES)?.unwrap_or_default(),
        merges_by_id: metadata.u32s(MERGES_BY_ID)?,
        bos: id("bos")?,
        eos: id("eos")?,
        eot: id("eot")?,
        unknown: id("unknown")?,
        add_bos: metadata.bool("tokenizer.ggml.add_bos_token")?,
        add_space_prefix: metadata.bool("tokenizer.ggml.add_space_prefix")?,
    })
}
