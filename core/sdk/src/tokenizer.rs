//! Finds a model's tokenizer: in the GGUF metadata, or in a `tokenizer.json` beside the file.

use std::path::Path;

use sotto_engine::{GgufFile, Metadata};
use sotto_text::{Tokenizer, TokenizerHints, TokenizerSpec};

use crate::Error;

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
    // The two are most of the header, and reading them a tenth of the time that a model takes to load.
    let (tokens, merges) = std::thread::scope(|scope| {
        let merges = scope.spawn(|| metadata.strings("tokenizer.ggml.merges"));
        let tokens = metadata.strings("tokenizer.ggml.tokens");
        (tokens, merges.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
    });
    Ok(TokenizerSpec {
        model: metadata.string("tokenizer.ggml.model")?.unwrap_or("gpt2"),
        pre: metadata.string("tokenizer.ggml.pre")?,
        tokens: tokens?.unwrap_or_default(),
        token_types: metadata.i32s("tokenizer.ggml.token_type")?.unwrap_or_default(),
        scores: metadata.f32s("tokenizer.ggml.scores")?.unwrap_or_default(),
        merges: merges?.unwrap_or_default(),
        bos: id("bos")?,
        eos: id("eos")?,
        eot: id("eot")?,
        unknown: id("unknown")?,
        add_bos: metadata.bool("tokenizer.ggml.add_bos_token")?,
        add_space_prefix: metadata.bool("tokenizer.ggml.add_space_prefix")?,
    })
}
