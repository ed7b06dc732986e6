//! SentencePiece-style BPE, as Llama 2, TinyLlama, Phi-3 and Gemma use it.
//!
//! Which two tokens may be joined follows from the tokens themselves. The tokenizers crate can only imitate this with a list of
//! ranked merges, which has no room for equal scores and takes seconds to derive for a large vocabulary.

use super::merging::{Joined, Joins, Symbol, merge};
use super::pieces::{Boundaries, pieces};
use super::spec::invalid;
use super::tables::{Rows, write};
use super::vocabulary::Vocabulary;
use crate::TextError;

/// What stands for a space in the file's tokens.
pub(crate) const SPACE: char = '▁';

pub(crate) struct SentencePieceBpe {
    /// For each token, an `f32`'s bits.
    scores: Rows<1>,
    bytes: [Option<u32>; 256],
    unknown: Option<u32>,
    boundaries: Boundaries,
}

impl SentencePieceBpe {
    pub(crate) fn new(vocabulary: &Vocabulary, scores: Rows<1>) -> Result<Self, TextError> {
        if scores.len() != vocabulary.len() {
            return Err(invalid("scores", "a llama tokenizer needs one score per token"));
        }
        let bytes = vocabulary.byte_tokens();
        let boundaries = match vocabulary.buildable().any(|(text, _)| joins_words(text)) {
            true => Boundaries::Nowhere,
            false => Boundaries::Words,
        };
        Ok(Self { scores, bytes, unknown: vocabulary.special().unknown, boundaries })
    }

    pub(crate) fn write(&self, tables: &mut Vec<u8>) {
        write(self.scores.bytes(), tables);
    }

    /// Whether a byte has a token.
    pub(crate) fn spells(&self, byte: u8) -> bool {
        self.bytes[usize::from(byte)].is_some()
    }

    /// Appends the tokens of `text` to `ids`, with a space before it if `space_prefix` says so.
    pub(crate) fn encode(&self, vocabulary: &Vocabulary, text: &str, space_prefix: bool, ids: &mut Vec<u32>) {
        let joins = Scored { vocabulary, scores: &self.scores };
        let mut spaced = String::new();
        for (index, piece) in pieces(text, self.boundaries).enumerate() {
            spaced.clear();
            if index == 0 && space_prefix {
                spaced.push(' ');
            }
            // A model cannot tell the two apart.
            spaced.extend(piece.chars().map(|character| if character == SPACE { ' ' } else { character }));
            let characters = spaced.char_indices().map(|(start, character)| {
                let end = start + character.len_utf8();
                (end, vocabulary.find(&spaced.as_bytes()[start..end]))
            });
            for symbol in merge(&joins, spaced.as_bytes(), characters) {
                match symbol.id {
                    Some(id) => ids.push(id),
                    None => self.spell(&spaced.as_bytes()[symbol.start..symbol.end], ids),
                }
            }
        }
    }

    /// Characters outside the vocabulary are spelled out in bytes, or become the unknown token; without one, nothing.
    fn spell(&self, character: &[u8], ids: &mut Vec<u32>) {
        let bytes = || character.iter().map(|&byte| self.bytes[usize::from(byte)]);
        match bytes().all(|id| id.is_some()) {
            true => ids.extend(bytes().flatten()),
            false => ids.extend(self.unknown),
        }
    }
}

/// Two neighbours make the token that has the text of both.
struct Scored<'a> {
    vocabulary: &'a Vocabulary,
    scores: &'a Rows<1>,
}

impl Joins for Scored<'_> {
    fn join(&self, text: &[u8], _left: &Symbol, _right: &Symbol) -> Option<Joined> {
        let id = self.vocabulary.find(text)?;
        let [score] = self.scores.get(id as usize)?;
        Some(Joined { id, score: f32::from_bits(score) })
    }
}

/// Whether a token reaches over a place where [`Boundaries::Words`] lets text be cut.
fn joins_words(token: &[u8]) -> bool {
    let Ok(token) = std::str::from_utf8(token) else { return true };
    token.chars().zip(token.chars().skip(1)).any(|(left, right)| {
        let word_then_space = !left.is_whitespace() && right.is_whitespace() && !matches!(right, '\r' | '\n');
        word_then_space || left == '\n' && right.is_alphanumeric()
    })
}
