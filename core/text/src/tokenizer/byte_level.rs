//! Byte-level BPE, as GPT-2, Llama 3 and Qwen use it.

use tokenizers::models::bpe::{BPE, Merges, Vocab};

use super::byte_table;
use super::pieces::{Boundaries, pieces};
use super::pre_tokenizer::PreTokenizer;
use super::spec::invalid;
use super::vocabulary::Vocabulary;
use crate::TextError;

pub(crate) struct ByteLevelBpe {
    tokenizer: tokenizers::Tokenizer,
}

impl ByteLevelBpe {
    /// Merges that name tokens which the vocabulary lacks are skipped: files in the wild carry a few, and merges that
    /// would make a control token must not work anyway.
    pub(crate) fn new(
        vocabulary: &Vocabulary,
        merges: &[String],
        pre_tokenizer: &PreTokenizer,
    ) -> Result<Self, TextError> {
        let pieces = vocabulary.text_pieces();
        if let Some(byte) = missing_byte(|text| pieces.contains_key(text)) {
            return Err(invalid("tokens", format!("no token for byte {byte:#04x}")));
        }
        let mut usable: Merges = Vec::with_capacity(merges.len());
        let mut merged = String::new();
        for (index, merge) in merges.iter().enumerate() {
            let Some((left, right)) = merge.split_once(' ') else {
                return Err(invalid("merges", format!("entry {index} has no space")));
            };
            merged.clear();
            merged.extend([left, right]);
            if [left, right, &merged].iter().all(|text| pieces.contains_key(*text)) {
                usable.push((left.to_owned(), right.to_owned()));
            }
        }
        if usable.len() < merges.len() {
            log::debug!("{} merges name tokens outside the vocabulary", merges.len() - usable.len());
        }
        let vocab: Vocab = pieces.into_iter().map(|(text, id)| (text.to_owned(), id)).collect();
        let bpe = BPE::builder()
            .vocab_and_merges(vocab, usable)
            .ignore_merges(pre_tokenizer.ignore_merges)
            .build()
            .map_err(|_| invalid("merges", "the merges do not fit the vocabulary"))?;
        let mut tokenizer = tokenizers::Tokenizer::new(bpe);
        tokenizer.with_pre_tokenizer(Some(pre_tokenizer.build()?));
        Ok(Self { tokenizer })
    }

    /// Appends the tokens of `text` to `ids`.
    pub(crate) fn encode(&self, text: &str, ids: &mut Vec<u32>) -> Result<(), TextError> {
        for piece in pieces(text, Boundaries::Words) {
            let encoding = self
                .tokenizer
                .encode_fast(piece, false)
                .map_err(|_| TextError::Internal("byte-level BPE failed".to_owned()))?;
            ids.extend_from_slice(encoding.get_ids());
        }
        Ok(())
    }
}

/// A byte that text can hold and the vocabulary cannot: it would be dropped without a word.
fn missing_byte(has_token: impl Fn(&str) -> bool) -> Option<u8> {
    (0..=u8::MAX)
        .filter(|&byte| byte_table::occurs_in_utf8(byte))
        .find(|&byte| !has_token(byte_table::char_of(byte).encode_utf8(&mut [0; 4])))
}
