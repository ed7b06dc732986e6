//! Byte-level BPE, as GPT-2, Llama 3 and Qwen use it.
//!
//! The tokenizers crate splits text into words. Its BPE would hold each token and each merge as strings, many times what
//! they take in the model file, and take a third of a second to load Llama 3's. Here a merge is a few numbers.

use tokenizers::normalizers::NFC;
use tokenizers::{
    Normalizer as _, OffsetReferential, OffsetType, PreTokenizedString, PreTokenizer as _, PreTokenizerWrapper,
};

use super::merges::Merges;
use super::merging::merge;
use super::pieces::{Boundaries, pieces};
use super::pre_tokenizer::PreTokenizer;
use super::vocabulary::Vocabulary;
use crate::TextError;

pub(crate) struct ByteLevelBpe {
    pre_tokenizer: PreTokenizerWrapper,
    /// Whether text is brought to Unicode's normalization form C first.
    composes: bool,
    /// Whether a word that is a token is taken whole, without looking at the merges.
    ignore_merges: bool,
    /// The token of each byte alone. Vocabularies lack bytes that their training text never had (SmolLM2: most control
    /// characters): text loses these, as it did in training.
    byte_ids: [Option<u32>; 256],
    merges: Merges,
}

impl ByteLevelBpe {
    pub(crate) fn new(
        vocabulary: &Vocabulary,
        merges: Merges,
        pre_tokenizer: &PreTokenizer,
    ) -> Result<Self, TextError> {
        let byte_ids = std::array::from_fn(|byte| vocabulary.find(&[byte as u8]));
        let PreTokenizer { ignore_merges, composes, .. } = *pre_tokenizer;
        Ok(Self { pre_tokenizer: pre_tokenizer.build()?, composes, ignore_merges, byte_ids, merges })
    }

    pub(crate) fn write(&self, tables: &mut Vec<u8>) {
        self.merges.write(tables);
    }

    /// Whether a byte has a token.
    pub(crate) fn spells(&self, byte: u8) -> bool {
        self.byte_ids[usize::from(byte)].is_some()
    }

    /// Appends the tokens of `text` to `ids`.
    pub(crate) fn encode(&self, vocabulary: &Vocabulary, text: &str, ids: &mut Vec<u32>) -> Result<(), TextError> {
        for piece in pieces(text, Boundaries::Words) {
            let words =
                self.words(piece).map_err(|_| TextError::Internal("splitting text into words failed".to_owned()))?;
            for (word, ..) in words.get_splits(OffsetReferential::Original, OffsetType::None) {
                self.encode_word(vocabulary, word.as_bytes(), ids);
            }
        }
        Ok(())
    }

    fn words(&self, text: &str) -> tokenizers::Result<PreTokenizedString> {
        let mut words = PreTokenizedString::from(text);
        if self.composes && !text.is_ascii() {
            words.normalize(|text| NFC.normalize(text))?;
        }
        self.pre_tokenizer.pre_tokenize(&mut words)?;
        Ok(words)
    }

    fn encode_word(&self, vocabulary: &Vocabulary, word: &[u8], ids: &mut Vec<u32>) {
        if let Some(id) = vocabulary.find(word).filter(|_| self.ignore_merges) {
            ids.push(id);
            return;
        }
        let bytes = word.iter().enumerate().map(|(at, &byte)| (at + 1, self.byte_ids[usize::from(byte)]));
        ids.extend(merge(&self.merges, word, bytes).filter_map(|symbol| symbol.id));
    }
}
