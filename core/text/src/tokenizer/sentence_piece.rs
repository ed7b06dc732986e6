//! SentencePiece-style BPE, as Llama 2, TinyLlama, Phi-3 and Gemma use it.
//!
//! The best-scored pair of neighbours is joined until none is left; among equal scores the leftmost goes first. The
//! tokenizers crate can only imitate this with a list of ranked merges, which has no room for equal scores and takes
//! seconds to derive for a large vocabulary, so the loop is here.

use std::cmp::Ordering;
use std::collections::{BinaryHeap, HashMap};

use super::byte_table;
use super::pieces::{Boundaries, pieces};
use super::spec::invalid;
use super::vocabulary::Vocabulary;
use crate::TextError;

/// What stands for a space in the vocabulary.
pub(crate) const SPACE: char = '▁';

pub(crate) struct SentencePieceBpe {
    pieces: HashMap<String, Piece>,
    bytes: [Option<u32>; 256],
    unknown: Option<u32>,
    boundaries: Boundaries,
}

#[derive(Clone, Copy)]
struct Piece {
    id: u32,
    score: f32,
}

impl SentencePieceBpe {
    pub(crate) fn new(vocabulary: &Vocabulary, scores: &[f32], unknown: Option<u32>) -> Result<Self, TextError> {
        if scores.len() != vocabulary.len() {
            return Err(invalid("scores", "a llama tokenizer needs one score per token"));
        }
        let pieces: HashMap<_, _> = vocabulary
            .text_pieces()
            .into_iter()
            .map(|(text, id)| (text.to_owned(), Piece { id, score: scores[id as usize] }))
            .collect();
        let bytes = vocabulary.byte_tokens();
        if unknown.is_none() {
            let lacks = |byte: &u8| byte_table::occurs_in_utf8(*byte) && bytes[usize::from(*byte)].is_none();
            if let Some(byte) = (0..=u8::MAX).find(lacks) {
                return Err(invalid("tokens", format!("neither a token for byte {byte:#04x} nor an unknown token")));
            }
        }
        let boundaries = match pieces.keys().any(|text| joins_words(text)) {
            true => Boundaries::Nowhere,
            false => Boundaries::Words,
        };
        Ok(Self { pieces, bytes, unknown, boundaries })
    }

    /// Appends the tokens of `text` to `ids`, with a space before it if `space_prefix` says so.
    pub(crate) fn encode(&self, text: &str, space_prefix: bool, ids: &mut Vec<u32>) {
        let mut escaped = String::new();
        for (index, piece) in pieces(text, self.boundaries).enumerate() {
            escaped.clear();
            if index == 0 && space_prefix {
                escaped.push(SPACE);
            }
            escaped.extend(piece.chars().map(|character| if character == ' ' { SPACE } else { character }));
            for symbol in Merging::new(self, &escaped).run() {
                self.push_ids(symbol, ids);
            }
        }
    }

    fn push_ids(&self, symbol: &str, ids: &mut Vec<u32>) {
        if let Some(piece) = self.pieces.get(symbol) {
            ids.push(piece.id);
            return;
        }
        // Characters outside the vocabulary are spelled out in bytes; construction made sure that one of the two is
        // there.
        for byte in symbol.bytes() {
            match self.bytes[usize::from(byte)] {
                Some(id) => ids.push(id),
                None => {
                    ids.extend(self.unknown);
                    return;
                }
            }
        }
    }
}

/// Whether a token reaches over a place where [`Boundaries::Words`] lets text be cut.
fn joins_words(token: &str) -> bool {
    let is_space = |character: char| character == SPACE || character.is_whitespace();
    token.chars().zip(token.chars().skip(1)).any(|(left, right)| {
        let word_then_space = !is_space(left) && is_space(right) && !matches!(right, '\r' | '\n');
        word_then_space || left == '\n' && right.is_alphanumeric()
    })
}

/// Neighbouring symbols of a text, joined step by step. A symbol is a range of the text; joined ones become empty.
struct Merging<'a> {
    bpe: &'a SentencePieceBpe,
    text: &'a str,
    symbols: Vec<Symbol>,
    queue: BinaryHeap<Candidate>,
}

#[derive(Clone, Copy)]
struct Symbol {
    start: usize,
    end: usize,
    previous: Option<usize>,
    next: Option<usize>,
}

/// Two neighbours that would make a token. It is stale when `end` is no longer where the right one ends.
struct Candidate {
    score: f32,
    left: usize,
    right: usize,
    start: usize,
    end: usize,
}

impl<'a> Merging<'a> {
    fn new(bpe: &'a SentencePieceBpe, text: &'a str) -> Self {
        let mut symbols: Vec<Symbol> = text
            .char_indices()
            .enumerate()
            .map(|(index, (start, character))| Symbol {
                start,
                end: start + character.len_utf8(),
                previous: index.checked_sub(1),
                next: Some(index + 1),
            })
            .collect();
        if let Some(last) = symbols.last_mut() {
            last.next = None;
        }
        Self { bpe, text, symbols, queue: BinaryHeap::new() }
    }

    fn run(mut self) -> impl Iterator<Item = &'a str> {
        for right in 1..self.symbols.len() {
            self.propose(Some(right - 1), Some(right));
        }
        while let Some(best) = self.queue.pop() {
            if !self.is_stale(&best) {
                self.join(&best);
            }
        }
        let text = self.text;
        self.symbols
            .into_iter()
            .filter(|symbol| symbol.start < symbol.end)
            .map(|symbol| &text[symbol.start..symbol.end])
    }

    fn propose(&mut self, left: Option<usize>, right: Option<usize>) {
        let (Some(left), Some(right)) = (left, right) else { return };
        let (start, end) = (self.symbols[left].start, self.symbols[right].end);
        if let Some(piece) = self.bpe.pieces.get(&self.text[start..end]) {
            self.queue.push(Candidate { score: piece.score, left, right, start, end });
        }
    }

    fn is_stale(&self, candidate: &Candidate) -> bool {
        let (left, right) = (self.symbols[candidate.left], self.symbols[candidate.right]);
        left.start == left.end || left.end != right.start || left.start != candidate.start || right.end != candidate.end
    }

    fn join(&mut self, candidate: &Candidate) {
        let next = self.symbols[candidate.right].next;
        let left = &mut self.symbols[candidate.left];
        left.end = candidate.end;
        left.next = next;
        let previous = left.previous;
        let right = &mut self.symbols[candidate.right];
        right.start = right.end;
        if let Some(next) = next {
            self.symbols[next].previous = Some(candidate.left);
        }
        self.propose(previous, Some(candidate.left));
        self.propose(Some(candidate.left), next);
    }
}

impl Ord for Candidate {
    fn cmp(&self, other: &Self) -> Ordering {
        self.score.total_cmp(&other.score).then_with(|| other.left.cmp(&self.left))
    }
}

impl PartialOrd for Candidate {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Candidate {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Candidate {}
