//! What a model file says about its vocabulary.

use crate::TextError;

/// The largest vocabulary that is taken: token ids fit in 24 bits, as the constraint engine stores them.
const MAX_TOKENS: usize = (1 << 24) - 2;

/// A vocabulary as GGUF metadata describes it (`tokenizer.ggml.*`). Texts stay where they are: in the file, as a rule.
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
    /// What [`crate::Tokenizer::merges_by_id`] gave when a file was packed, in place of `merges`.
    pub merges_by_id: Option<Vec<u32>>,
    /// `tokenizer.ggml.bos_token_id`.
    pub bos: Option<u32>,
    /// `tokenizer.ggml.eos_token_id`.
    pub eos: Option<u32>,
    /// `tokenizer.ggml.eot_token_id`.
    pub eot: Option<u32>,
    /// `tokenizer.ggml.unknown_token_id`.
    pub unknown: Option<u32>,
    /// `tokenizer.ggml.add_bos_token`; when absent, the kind of tokenizer decides.
    pub add_bos: Option<bool>,
    /// `tokenizer.ggml.add_space_prefix`; when absent, `llama` tokenizers add one.
    pub add_space_prefix: Option<bool>,
}

impl TokenizerSpec<'_> {
    /// Refuses a spec that contradicts itself, so that later steps may index without checking.
    pub(crate) fn validate(&self) -> Result<(), TextError> {
        let count = self.tokens.len();
        if count == 0 {
            return Err(invalid("tokens", "the vocabulary is empty"));
        }
        if count > MAX_TOKENS {
            return Err(invalid("tokens", format!("{count} tokens, more than {MAX_TOKENS}")));
        }
        if self.merges.len() > MAX_TOKENS {
            return Err(invalid("merges", format!("{} merges, more than {MAX_TOKENS}", self.merges.len())));
        }
        if self.merges_by_id.is_some() && !self.merges.is_empty() {
            return Err(invalid("merges", "they are there twice, by their texts and by token ids"));
        }
        for (name, length) in [("token_type", self.token_types.len()), ("scores", self.scores.len())] {
            if length != 0 && length != count {
                return Err(invalid(name, format!("{length} entries for {count} tokens")));
            }
        }
        for (name, id) in [
            ("bos_token_id", self.bos),
            ("eos_token_id", self.eos),
            ("eot_token_id", self.eot),
            ("unknown_token_id", self.unknown),
        ] {
            if let Some(id) = id.filter(|&id| id as usize >= count) {
                return Err(invalid(name, format!("{id} is not below the {count} tokens")));
            }
        }
        Ok(())
    }
}

/// An [`TextError::InvalidTokenizer`] that names the metadata key.
pub(crate) fn invalid(key: &str, why: impl Into<String>) -> TextError {
    TextError::InvalidTokenizer { at: format!("tokenizer.ggml.{key}"), why: why.into() }
}
