//! Byte-level BPE.

use candle_core::quantized::gguf_file::Value;

use super::{CONTROL, NORMAL, id, made_up_merges, strings, words_beside};
use crate::SynthError;

/// What sets a family's vocabulary apart.
pub(super) struct Bpe {
    /// The name of the rules by which text is split into words.
    pre: &'static str,
    /// They stand after all others.
    control: &'static [&'static str],
    /// Places in `control`.
    bos: usize,
    eos: usize,
    add_bos: bool,
}

pub(super) const LLAMA_3: Bpe = Bpe {
    pre: "llama-bpe",
    control: &[
        "<|begin_of_text|>",
        "<|end_of_text|>",
        "<|finetune_right_pad_id|>",
        "<|start_header_id|>",
        "<|end_header_id|>",
        "<|eom_id|>",
        "<|eot_id|>",
        "<|python_tag|>",
    ],
    bos: 0,
    eos: 6,
    add_bos: true,
};
pub(super) const SMOL_LM_2: Bpe = Bpe { pre: "smollm", bos: 1, ..QWEN_2 };
pub(super) const QWEN_2: Bpe =
    Bpe { pre: "qwen2", control: &["<|endoftext|>", "<|im_start|>", "<|im_end|>"], bos: 0, eos: 2, add_bos: false };

impl Bpe {
    /// The 256 bytes, words of made-up merges, and the control tokens.
    pub(super) fn metadata(&self, vocab_size: usize) -> Result<Vec<(&'static str, Value)>, SynthError> {
        let bytes = byte_alphabet();
        let merges = made_up_merges("\u{120}", words_beside(bytes.len() + self.control.len(), vocab_size)?);
        let words = merges.iter().map(|(left, right)| format!("{left}{right}"));
        let tokens = bytes.into_iter().chain(words).chain(self.control.iter().map(|&token| token.to_owned()));
        let text_count = vocab_size - self.control.len();
        let types = (0..vocab_size).map(|id| Value::I32(if id < text_count { NORMAL } else { CONTROL }));
        Ok(vec![
            ("model", Value::String("gpt2".to_owned())),
            ("pre", Value::String(self.pre.to_owned())),
            ("tokens", strings(tokens)),
            ("token_type", Value::Array(types.collect())),
            ("merges", strings(merges.iter().map(|(left, right)| format!("{left} {right}")))),
            ("bos_token_id", id(text_count + self.bos)),
            ("eos_token_id", id(text_count + self.eos)),
            ("add_bos_token", Value::Bool(self.add_bos)),
        ])
    }
}

/// The 256 bytes as byte-level BPE spells them: the visible Latin-1 characters stand for themselves and come first, the
/// others are moved to U+0100 and up.
fn byte_alphabet() -> Vec<String> {
    let visible = (0x21..=0x7E).chain(0xA1..=0xAC).chain(0xAE..=0xFF);
    let moved = 0x100..0x100 + 256 - 188;
    visible.chain(moved).filter_map(char::from_u32).map(String::from).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn the_alphabet_spells_all_256_bytes() {
        let alphabet = byte_alphabet();
        assert_eq!(alphabet.len(), 256);
        assert_eq!(alphabet[0], "!");
        assert!(alphabet.contains(&"\u{120}".to_owned()), "the space");
        assert_eq!(alphabet.iter().collect::<HashSet<_>>().len(), 256);
    }
}
