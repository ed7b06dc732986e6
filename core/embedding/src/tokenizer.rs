//! Texts become the ids of WordPiece tokens, with `[CLS]` before them and `[SEP]` after them.

use std::path::Path;

use sotto_engine::tensors::read_json;
use sotto_engine::{CancelToken, EngineError};
use tokenizers::{ModelWrapper, TruncationParams};

use crate::config::{AROUND, Config};

/// Bytes of a long text that are read first, for each token that the model takes.
const BYTES_PER_TOKEN: usize = 32;
/// Bytes of memory for each token of the vocabulary, about: its text, and its places in two tables.
const BYTES_IN_MEMORY: u64 = 200;

/// A model's tokenizer.
#[derive(Debug)]
pub(crate) struct Tokenizer {
    inner: tokenizers::Tokenizer,
    max_tokens: usize,
}

/// A text's tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Tokens {
    pub(crate) ids: Vec<u32>,
    /// Whether the text has more than the model takes.
    pub(crate) truncated: bool,
}

impl Tokenizer {
    /// Reads `tokenizer.json`.
    ///
    /// # Errors
    /// [`EngineError::NotFound`]; [`EngineError::Invalid`] for a damaged file, and one of another model; [`EngineError::Unsupported`]
    /// for one that is not WordPiece.
    pub(crate) fn read(folder: &Path, config: &Config) -> Result<Self, EngineError> {
        let mut inner: tokenizers::Tokenizer = read_json(&folder.join("tokenizer.json"))?;
        if !matches!(inner.get_model(), ModelWrapper::WordPiece(_)) {
            return Err(EngineError::Unsupported {
                what: "an embedding model whose tokenizer is not WordPiece".into(),
            });
        }
        let tokens = inner.get_vocab(true).into_values().max().map_or(0, |last| last as usize + 1);
        if tokens > config.vocab_size {
            return Err(invalid(format!("it has {tokens} tokens, but the model has {}", config.vocab_size)));
        }
        let truncation = TruncationParams { max_length: config.max_tokens, ..TruncationParams::default() };
        inner.with_truncation(Some(truncation)).map_err(|_| invalid("its truncation cannot be set".into()))?;
        inner.with_padding(None);
        let tokenizer = Self { inner, max_tokens: config.max_tokens };
        // Some files state no tokens around a text; a model without them would give other vectors.
        match tokenizer.encode_part("")?.ids.len() {
            AROUND => Ok(tokenizer),
            _ => Err(invalid("it does not put a token before and one after each text".into())),
        }
    }

    /// Bytes of memory.
    pub(crate) fn bytes(config: &Config) -> u64 {
        config.vocab_size as u64 * BYTES_IN_MEMORY
    }

    /// The tokens of a text, as many as the model takes. Of a long text, no more is read than it takes to find them.
    ///
    /// # Errors
    /// [`EngineError::Cancelled`]; [`EngineError::Internal`] when the tokenizer fails.
    pub(crate) fn encode(&self, text: &str, cancel: &CancelToken) -> Result<Tokens, EngineError> {
        let mut bytes = self.max_tokens * BYTES_PER_TOKEN;
        loop {
            cancel.check()?;
            let part = beginning(text, bytes);
            let tokens = self.encode_part(part)?;
            if part.len() == text.len() || tokens.truncated {
                return Ok(tokens);
            }
            bytes *= 4;
        }
    }

    fn encode_part(&self, text: &str) -> Result<Tokens, EngineError> {
        let encoding = self.inner.encode_fast(text, true);
        let encoding = encoding.map_err(|_| EngineError::Internal("the tokenizer cannot read a text".into()))?;
        Ok(Tokens { ids: encoding.get_ids().to_vec(), truncated: !encoding.get_overflowing().is_empty() })
    }
}

/// At most `bytes` of a text, up to white space where there is some: no token spans it.
fn beginning(text: &str, bytes: usize) -> &str {
    if text.len() <= bytes {
        return text;
    }
    let part = &text[..text.floor_char_boundary(bytes)];
    part.rfind(char::is_whitespace).map_or(part, |end| &part[..end])
}

fn invalid(why: String) -> EngineError {
    EngineError::Invalid { at: "tokenizer.json".into(), why }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::small_model;

    fn tokenizer() -> Tokenizer {
        let folder = small_model::folder();
        let config = Config::read(folder.path()).expect("a configuration");
        Tokenizer::read(folder.path(), &config).expect("a tokenizer")
    }

    #[test]
    fn of_a_long_text_no_more_is_read_than_is_needed() {
        let (tokenizer, cancel) = (tokenizer(), CancelToken::new());
        let encode = |text: &str| tokenizer.encode(text, &cancel).expect("tokens");
        let long = "ab c ".repeat(1 << 18);
        let tokens = encode(&long);
        assert!(tokens.truncated && tokens.ids.len() == small_model::MAX_TOKENS);
        assert_eq!(tokens, encode(&"ab c ".repeat(100)));
        // A long stretch of nothing is passed over.
        let hidden = format!("{}ab", " \n".repeat(1 << 16));
        assert_eq!(encode(&hidden), encode("ab"));
        // A word that is longer than all that is read is unknown, as the whole of it is.
        assert_eq!(encode(&"a".repeat(1 << 16)).ids.len(), AROUND + 1);
    }

    #[test]
    fn what_fits_exactly_is_not_truncated() {
        let (tokenizer, cancel) = (tokenizer(), CancelToken::new());
        for (words, truncated) in [(small_model::MAX_TOKENS - AROUND, false), (small_model::MAX_TOKENS - 1, true)] {
            let tokens = tokenizer.encode(&"c ".repeat(words), &cancel).expect("tokens");
            assert_eq!((tokens.ids.len(), tokens.truncated), (small_model::MAX_TOKENS, truncated));
        }
    }
}
