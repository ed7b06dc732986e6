//! SentencePiece's BPE: pieces have scores, the best pair is merged first, and what is no piece is spelled in bytes.

use candle_core::quantized::gguf_file::Value;

use super::{CONTROL, NORMAL, id, made_up_merges, strings, words_beside};
use crate::SynthError;

/// `tokenizer.ggml.token_type` of the unknown token and of a byte.
const UNKNOWN: i32 = 2;
const BYTE: i32 = 6;
const SPACE: &str = "\u{2581}";

/// What sets a family's vocabulary apart.
pub(super) struct SentencePiece {
    /// They stand before all others.
    first: &'static [&'static str],
    /// They stand after all others.
    last: &'static [&'static str],
    /// Places in `first`.
    bos: usize,
    unknown: usize,
    eos: &'static str,
    padding: &'static str,
    add_bos: bool,
    /// Whether a text begins with a space that it does not have.
    add_space: bool,
}

pub(super) const GEMMA: SentencePiece = SentencePiece {
    first: &["<pad>", "<eos>", "<bos>", "<unk>"],
    last: &["<start_of_turn>", "<end_of_turn>"],
    bos: 2,
    unknown: 3,
    eos: "<eos>",
    padding: "<pad>",
    add_bos: true,
    add_space: false,
};
pub(super) const PHI_3: SentencePiece = SentencePiece {
    first: &["<unk>", "<s>", "</s>"],
    last: &["<|endoftext|>", "<|assistant|>", "<|system|>", "<|end|>", "<|user|>"],
    bos: 1,
    unknown: 0,
    eos: "<|endoftext|>",
    padding: "<|endoftext|>",
    add_bos: false,
    add_space: true,
};

impl SentencePiece {
    /// Control tokens, bytes, letters, made-up words, the best first, and more control tokens.
    pub(super) fn metadata(&self, vocab_size: usize) -> Result<Vec<(&'static str, Value)>, SynthError> {
        let owned = |tokens: &[&str]| tokens.iter().map(|&token| token.to_owned()).collect::<Vec<_>>();
        let bytes = (0..256).map(|byte| format!("<0x{byte:02X}>"));
        let letters = std::iter::once(SPACE.to_owned()).chain(('a'..='z').map(String::from));
        let fixed = self.first.len() + self.last.len() + bytes.len() + letters.clone().count();
        let merges = made_up_merges(SPACE, words_beside(fixed, vocab_size)?);
        let words = merges.into_iter().map(|(left, right)| left + &right);
        let pieces: Vec<String> = letters.chain(words).collect();

        let types = [CONTROL].repeat(self.first.len()).into_iter().enumerate();
        let types = types.map(|(id, control)| if id == self.unknown { UNKNOWN } else { control });
        let types = types.chain([BYTE].repeat(bytes.len())).chain([NORMAL].repeat(pieces.len()));
        let types = types.chain([CONTROL].repeat(self.last.len()));
        let before = self.first.len() + bytes.len();
        let scores = (0..vocab_size).map(|id| Value::F32(-(id.saturating_sub(before) as f32)));
        let tokens: Vec<String> =
            owned(self.first).into_iter().chain(bytes).chain(pieces).chain(owned(self.last)).collect();
        let place =
            |token: &str| id(tokens.iter().position(|known| known == token).expect("one of its control tokens"));
        Ok(vec![
            ("model", Value::String("llama".to_owned())),
            ("pre", Value::String("default".to_owned())),
            ("bos_token_id", id(self.bos)),
            ("eos_token_id", place(self.eos)),
            ("unknown_token_id", id(self.unknown)),
            ("padding_token_id", place(self.padding)),
            ("add_bos_token", Value::Bool(self.add_bos)),
            ("add_eos_token", Value::Bool(false)),
            ("add_space_prefix", Value::Bool(self.add_space)),
            ("tokens", strings(tokens)),
            ("scores", Value::Array(scores.collect())),
            ("token_type", Value::Array(types.map(Value::I32).collect())),
        ])
    }
}
