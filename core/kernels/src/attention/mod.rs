//! Attention of the query heads that share a key-value head: [`float`] over a cache of numbers, [`quantized`] over one of
//! signed bytes.
//!
//! The softmax runs along (Milakov and Gimelshein, "Online normalizer calculation for softmax", 2018), a block of
//! positions at a time (Dao et al., "FlashAttention", 2022). A block begins at the same position for every query, so that
//! a query reads the same alone and among others.

mod float;
mod quantized;
mod rounded_softmax;

pub(crate) use float::attend;
pub use float::{HeadCache, HeadCacheMut, value_width};
pub(crate) use quantized::attend as attend_quantized;
pub use quantized::{QuantizedHeadCache, QuantizedHeadCacheMut};

use std::f32::consts::LOG2_E;

use crate::elementwise::{PARTIAL_SUMS, exp2, exp2_and_sum, largest, total};
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
    /// Position of the first token in `values`: it sees itself and all before it.
    pub first_position: usize,
    /// What scores are multiplied with, usually `1 / sqrt(head_dim)`.
    pub scale: f32,
}

/// One head of one token, and its running softmax.
struct Row {
    token: usize,
    head: usize,
    /// Positions that it sees.
    visible: usize,
    max: f32,
    /// The sum of all weights, in parts.
    weights: [f32; PARTIAL_SUMS],
}

impl Queries<'_> {
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
        Row {
            token,
            head,
            visible: self.first_position + token + 1,
            max: f32::NEG_INFINITY,
            weights: [0.0; PARTIAL_SUMS],
        }
    }

    /// What queries are multiplied with: scores are exponents of 2.
    fn scale(&self) -> f32 {
        self.scale * LOG2_E
    }

    fn of(&self, row: &Row, head_dim: usize) -> &[f32] {
        &self.values[row.token * self.stride + row.head * head_dim..][..head_dim]
    }
}

impl Row {
    /// Takes note of a block whose largest score is `max`; what was summed before is brought to the same scale.
    ///
    /// # Safety
    /// `S` runs on this CPU.
    #[inline(always)]
    unsafe fn raise<S: Simd>(&mut self, max: f32, sums: &mut [f32]) {
        if max > self.max {
            let correction = match self.max == f32::NEG_INFINITY {
                true => 0.0,
                // SAFETY: the caller's.
                false => unsafe { exp2::<S>(self.max - max) },
            };
            self.weights.iter_mut().chain(sums).for_each(|sum| *sum *= correction);
            self.max = max;
        }
    }

    /// Positions that it sees of those from `start` on.
    fn seen(&self, start: usize, positions: usize) -> usize {
        self.visible.saturating_sub(start).min(positions)
    }

    /// Writes what was summed, `[head_dim]`, divided by the weight of all positions.
    ///
    /// # Safety
    /// Nobody else writes this head of this token.
    #[inline(always)]
    unsafe fn write(&self, sums: &mut [f32], out: &Output<'_>) {
        let inverse = 1.0 / total(self.weights);
        sums.iter_mut().for_each(|sum| *sum *= inverse);
        // SAFETY: the caller's.
        unsafe { out.write(self.token, self.head * sums.len(), sums) }
    }
}

/// Scores of the block of positions from `start` on become weights relative to the largest score so far, and those of
/// positions that the row does not see, zeros; what was summed before is brought to the same scale.
///
/// # Safety
/// `S` runs on this CPU.
#[inline(always)]
unsafe fn turn_into_weights<S: Simd>(row: &mut Row, start: usize, scores: &mut [f32], sums: &mut [f32]) {
    let (seen, unseen) = scores.split_at_mut(row.seen(start, scores.len()));
    unseen.fill(0.0);
    if seen.is_empty() {
        return;
    }
    // SAFETY: the caller's.
    unsafe {
        row.raise::<S>(largest::<S>(seen), sums);
        exp2_and_sum::<S>(seen, row.max, &mut row.weights);
    }
}
