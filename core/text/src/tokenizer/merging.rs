//! Byte pair encoding: of all neighbours, those that make the best token are joined, until no two make one.
//!
//! Sennrich, Haddow, Birch: Neural Machine Translation of Rare Words with Subword Units, 2016.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

/// What makes a token of two neighbours.
pub(crate) trait Joins {
    /// The token that `left` and `right`, which stand for `text`, make together, if they make one.
    fn join(&self, text: &[u8], left: &Symbol, right: &Symbol) -> Option<Joined>;
}

/// A token made of two others. The best-scored is made first; among equals, the leftmost.
pub(crate) struct Joined {
    pub(crate) id: u32,
    pub(crate) score: f32,
}

/// A part of the text: bytes `start..end`, and the token that they are. Once it is joined to its left neighbour, it is empty.
#[derive(Clone, Copy)]
pub(crate) struct Symbol {
    pub(crate) start: usize,
    pub(crate) end: usize,
    /// `None` for a character that the vocabulary lacks.
    pub(crate) id: Option<u32>,
    previous: Option<usize>,
    next: Option<usize>,
}

/// Two neighbours that make a token. It is stale once one of them has been joined to something else.
struct Candidate {
    score: f32,
    id: u32,
    left: usize,
    right: usize,
    start: usize,
    end: usize,
}

struct Merging<'a, J> {
    joins: &'a J,
    text: &'a [u8],
    symbols: Vec<Symbol>,
    queue: BinaryHeap<Candidate>,
}

/// The symbols that `text` ends as, in order. It begins as `parts`: where each ends, and the token that it is.
pub(crate) fn merge<J: Joins>(
    joins: &J,
    text: &[u8],
    parts: impl Iterator<Item = (usize, Option<u32>)>,
) -> impl Iterator<Item = Symbol> {
    let mut start = 0;
    let mut symbols: Vec<Symbol> = parts
        .enumerate()
        .map(|(index, (end, id))| {
            let begin = std::mem::replace(&mut start, end);
            Symbol { start: begin, end, id, previous: index.checked_sub(1), next: Some(index + 1) }
        })
        .collect();
    if let Some(last) = symbols.last_mut() {
        last.next = None;
    }
    Merging { joins, text, symbols, queue: BinaryHeap::new() }.run()
}

impl<J: Joins> Merging<'_, J> {
    fn run(mut self) -> impl Iterator<Item = Symbol> + use<J> {
        for right in 1..self.symbols.len() {
            self.propose(Some(right - 1), Some(right));
        }
        while let Some(best) = self.queue.pop() {
            if !self.is_stale(&best) {
                self.join(&best);
            }
        }
        self.symbols.into_iter().filter(|symbol| symbol.start < symbol.end)
    }

    fn propose(&mut self, left: Option<usize>, right: Option<usize>) {
        let (Some(left), Some(right)) = (left, right) else { return };
        let (first, second) = (&self.symbols[left], &self.symbols[right]);
        let (start, end) = (first.start, second.end);
        if let Some(Joined { id, score }) = self.joins.join(&self.text[start..end], first, second) {
            self.queue.push(Candidate { score, id, left, right, start, end });
        }
    }

    fn is_stale(&self, candidate: &Candidate) -> bool {
        let (left, right) = (&self.symbols[candidate.left], &self.symbols[candidate.right]);
        left.start == left.end || left.end != right.start || left.start != candidate.start || right.end != candidate.end
    }

    fn join(&mut self, candidate: &Candidate) {
        let next = self.symbols[candidate.right].next;
        let left = &mut self.symbols[candidate.left];
        left.end = candidate.end;
        left.id = Some(candidate.id);
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
