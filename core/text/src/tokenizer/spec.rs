//! The vocabulary of a model file.

use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;

use crate::TextError;

/// The maximum size of a vocabulary: token ids must fit in 24 bits for the constraint engine.
const MAX_TOKENS: usize = (1 << 24) - 2;

/// Where packed files have [`TokenizerSpec::tables`], in place of what they replace.
pub(crate) const TABLES_KEY: &str = "sotto.tokenizer.tables";

/// A vocabulary as GGUF metadata describes it (`tokenizer.ggml.*`). Unknown ids count as absent. Texts are borrowed,
/// usually from the file.
#[derive(Debug, Clone, Default)]
pub struct TokenizerSpec<'a> {
    /// `tokenizer.ggml.model`: `gpt2` (byte-level BPE) or `llama` (SentencePiece-style BPE).
    pub model: &'a str,
    /// `tokenizer.ggml.pre`: how text is split before BPE; only `gpt2` uses it.
    pub pre: Option<&'a str>,
    /// `tokenizer.ggml.tokens`: the id of a token is its index.
    pub tokens: Vec<&'a str>,
    /// `tokenizer.ggml.token_type`, one per token; empty when the file has none.
    pub token_types: Vec<i32>,
    /// `tokenizer.ggml.scores`, one per token; `llama` needs them, `gpt2` does not.
    pub scores: Vec<f32>,
    /// `tokenizer.ggml.merges`: two tokens separated by a space, best first.
    pub merges: Vec<&'a str>,
    /// What [`crate::Tokenizer::tables`] gave when a file was packed, in place of `tokens`, `token_types`, `scores` and `merges`:
    /// read where they lie, in no time.
    pub tables: Option<Bytes>,
    /// `tokenizer.ggml.bos_token_id`.
    pub bos: Option<u32>,
    /// `tokenizer.ggml.eos_token_id`.
    pub eos: Option<u32>,
    /// `tokenizer.ggml.eot_token_id`.
    pub eot: Option<u32>,
    /// `tokenizer.ggml.eom_token_id`.
    pub eom: Option<u32>,
    /// `tokenizer.ggml.unknown_token_id`.
    pub unknown: Option<u32>,
    /// `tokenizer.ggml.add_bos_token`; when absent, the kind of tokenizer decides.
    pub add_bos: Option<bool>,
    /// `tokenizer.ggml.add_space_prefix`; when absent, `llama` tokenizers add one.
    pub add_space_prefix: Option<bool>,
    /// Whether control tokens absorb the white space after them, as in Phi-3. No metadata says so.
    pub control_swallows_space: bool,
    /// Another thread can set this to stop the construction, which takes up to a second for a large vocabulary.
    pub cancelled: Option<&'a AtomicBool>,
}

impl TokenizerSpec<'_> {
    pub(crate) fn check_cancelled(&self) -> Result<(), TextError> {
        match self.cancelled.is_some_and(|cancelled| cancelled.load(Ordering::Relaxed)) {
            true => Err(TextError::Cancelled),
            false => Ok(()),
        }
    }

    /// Rejects an inconsistent spec, so that later steps may index without checking.
    pub(crate) fn validate(&self) -> Result<(), TextError> {
        let count = self.tokens.len();
        if self.tables.is_some() {
            let texts = [count, self.token_types.len(), self.scores.len(), self.merges.len()];
            return match texts {
                [0, 0, 0, 0] => Ok(()),
                _ => Err(invalid_key(TABLES_KEY, "the vocabulary is given twice, as tables and as texts")),
            };
        }
        if self.merges.len() > MAX_TOKENS {
            return Err(invalid("merges", format!("{} merges, more than {MAX_TOKENS}", self.merges.len())));
        }
        for (name, length) in [("token_type", self.token_types.len()), ("scores", self.scores.len())] {
            if length != 0 && length != count {
                return Err(invalid(name, format!("{length} entries for {count} tokens")));
            }
        }
        self.validate_for(count)
    }

    /// The same for what does not depend on the form that a vocabulary of `count` tokens has.
    pub(crate) fn validate_for(&self, count: usize) -> Result<(), TextError> {
        if count == 0 {
            return Err(invalid("tokens", "the vocabulary is empty"));
        }
        if count > MAX_TOKENS {
            return Err(invalid("tokens", format!("{count} tokens, more than {MAX_TOKENS}")));
        }
        Ok(())
    }
}

/// An [`TextError::InvalidTokenizer`] that names the metadata key below `tokenizer.ggml`.
pub(crate) fn invalid(key: &str, why: impl Into<String>) -> TextError {
    invalid_key(&format!("tokenizer.ggml.{key}"), why)
}

/// The same for any key.
pub(crate) fn invalid_key(key: &str, why: impl Into<String>) -> TextError {
    TextError::InvalidTokenizer { at: key.to_owned(), why: why.into() }
}
