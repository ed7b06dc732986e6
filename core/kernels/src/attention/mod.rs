//! Attention of the query heads that share a key-value head: [`float`] over a cache of numbers, [`quantized`] over one of
//! signed bytes.
//!
//! The softmax runs along (Milakov and Gimelshein, "Online normalizer calculation for softmax", 2018), a block of
//! positions at a time (Dao et al., "FlashAttention", 2022). A block ends at the same position for every query, and what a query
//! does not see adds zeros, so that it reads the same alone and among others. Blocks and panels that no query sees are skipped.

mod float;
mod quantized;
mod rounded_softmax;

pub(crate) use float::attend;
pub use float::{HeadCache, HeadCacheMut, value_width};
pub(crate) use quantized::attend as attend_quantized;
pub use quantized::{QuantizedHeadCache, QuantizedHeadCacheMut};

use std::f32::consts::LOG2_E;
use std::ops::Range;

use crate::elementwise::{PARTIAL_SUMS, exp2, exp2_and_sum, largest, soft_cap, total};
use crate::matmul::Output;
use crate::packed::PANEL_ROWS;
use crate::simd::Simd;

/// The widest head that attention takes.
pub const MAX_HEAD_DIM: usize = 256;
/// Positions whose keys are interleaved.
pub const KEY_PANEL: usize = PANEL_ROWS;

/// Positions between two updates of the running softmax.
const BLOCK: usize = 256;

/// The queries of some tokens that follow each other.
#[derive(Debug, Clone, Copy)]
pub struct Queries<'a> {
    /// `[tokens, query heads * head_dim]`.
    pub values: &'a [f32],
    /// Width of a row of `values`.
    pub stride: usize,
    /// The query heads that read this cache: the first, and one behind the last.
    pub heads: (usize, usize),
    /// Tokens to compute, of those in `values`: the first, and one behind the last.
    pub tokens: (usize, usize),
    /// What each token sees.
    pub visible: Visible,
    /// What scores are multiplied with, usually `1 / sqrt(head_dim)`.
    pub scale: f32,
    /// Scaled scores are brought softly below it: `cap * tanh(score / cap)`.
    pub score_cap: Option<f32>,
}

/// The positions that tokens see.
#[derive(Debug, Clone, Copy)]
pub enum Visible {
    /// Each its own and those before it.
    Past {
        /// Position of the first token in [`Queries::values`].
        first_position: usize,
        /// Its own, and those right before it, are this many; all before it where there is no window.
        window: Option<usize>,
    },
    /// Every token the first so many positions: in an encoder, or those of another sequence.
    First(usize),
}

impl Visible {
    /// Positions that token `token` sees.
    fn of(self, token: usize) -> Range<usize> {
        match self {
            Self::Past { first_position, window } => {
                let end = first_position + token + 1;
                window.map_or(0, |window| end.saturating_sub(window))..end
            }
            Self::First(end) => 0..end,
        }
    }
}

/// One head of one token, and its running softmax.
struct Row {
    token: usize,
    head: usize,
    /// Positions that it sees.
    visible: Range<usize>,
    max: f32,
    /// The sum of all weights, in parts.
    weights: [f32; PARTIAL_SUMS],
}

impl Queries<'_> {
    /// One behind the last position that a token sees.
    pub(crate) fn last_visible(&self) -> usize {
        self.tokens.1.checked_sub(1).map_or(0, |last| self.visible.of(last).end)
    }

    fn heads(&self) -> usize {
        self.heads.1 - self.heads.0
    }

    /// Heads of tokens.
    fn rows(&self) -> usize {
        (self.tokens.1 - self.tokens.0) * self.heads()
    }

    /// Row `index`: the heads of a token follow each other.
    fn row(&self, index: usize) -> Row {
        let token = self.tokens.0 + index / self.heads();
        let head = self.heads.0 + index % self.heads();
        Row { token, head, visible: self.visible.of(token), max: f32::NEG_INFINITY, weights: [0.0; PARTIAL_SUMS] }
    }

    /// What queries are multiplied with: scores are exponents of 2.
    fn scale(&self) -> f32 {
        self.scale * LOG2_E
    }

    /// The cap of scores that are exponents of 2.
    fn cap(&self) -> Option<f32> {
        self.score_cap.map(|cap| cap * LOG2_E)
    }

    fn of(&self, row: &Row, head_dim: usize) -> &[f32] {
        &self.values[row.token * self.stride + row.head * head_dim..][..head_dim]
    }
}

impl Row {
    /// Takes note of a block whose largest score is `max`; what was summed before is brought to the same scale.
    #[inline(always)]
    fn raise<S: Simd>(&mut self, s: S, max: f32, sums: &mut [f32]) {
        if max > self.max {
            let correction = match self.max == f32::NEG_INFINITY {
                true => 0.0,
                false => exp2(s, self.max - max),
            };
            self.weights.iter_mut().chain(sums).for_each(|sum| *sum *= correction);
            self.max = max;
        }
    }

    /// Where in `block` the positions are that it sees.
    fn seen(&self, block: &Range<usize>) -> Range<usize> {
        let place = |position: usize| position.clamp(block.start, block.end) - block.start;
        place(self.visible.start)..place(self.visible.end)
    }

    /// Writes what was summed, `[head_dim]`, divided by the weight of all positions.
    ///
    /// # Safety
    /// Nobody else writes this head of this token.
    #[inline(always)]
    unsafe fn write(&self, sums: &mut [f32], out: &Output<'_>) {
        let inverse = 1.0 / total(self.weights);
        sums.iter_mut().for_each(|sum| *sum *= inverse);
        // SAFETY: this head of this token is written here alone, by `# Safety`.
        unsafe { out.write(self.token, self.head * sums.len(), sums) }
    }
}

/// Blocks of positions, from the first panel that some of the rows see to the last position.
fn blocks(rows: &[Row]) -> impl Iterator<Item = Range<usize>> + use<> {
    let first = rows.iter().map(|row| row.visible.start).min().unwrap_or(0) / KEY_PANEL * KEY_PANEL;
    let end = rows.iter().map(|row| row.visible.end).max().unwrap_or(0);
    (first / BLOCK..end.div_ceil(BLOCK)).map(move |block| first.max(block * BLOCK)..end.min((block + 1) * BLOCK))
}

/// Fills what a row does not see of a block.
fn fill_unseen<T: Copy>(block: &mut [T], seen: &Range<usize>, with: T) {
    if seen.len() < block.len() {
        block[..seen.start].fill(with);
        block[seen.end..].fill(with);
    }
}

/// Scores of a block become weights relative to the largest score so far, and those of positions that the row does not see,
/// zeros; what was summed before is brought to the same scale.
#[inline(always)]
fn turn_into_weights<S: Simd>(
    s: S,
    row: &mut Row,
    block: &Range<usize>,
    cap: Option<f32>,
    scores: &mut [f32],
    sums: &mut [f32],
) {
    let seen = row.seen(block);
    fill_unseen(scores, &seen, 0.0);
    if seen.is_empty() {
        return;
    }
    let seen = &mut scores[seen];
    if let Some(cap) = cap {
        soft_cap(s, seen, cap);
    }
    row.raise(s, largest(s, seen), sums);
    exp2_and_sum(s, seen, row.max, &mut row.weights);
}
