//! Attention over a cache of numbers, in `f32`.

use std::mem::MaybeUninit;

use super::{BLOCK, KEY_PANEL, MAX_HEAD_DIM, Queries, Row, blocks, turn_into_weights};
use crate::matmul::Output;
use crate::matmul::float::{Columns, Element, Rows, multiply_add};
use crate::plain::Plain;
use crate::simd::Simd;
use crate::table::CacheElement;

/// A row of values is filled up to a multiple of this many.
const VALUE_ALIGN: usize = 16;
/// Query rows (a head of a token each) that read the cache together.
const ROWS: usize = 32;

/// Keys and values of one key-value head, in numbers of the type `E`.
///
/// Keys are interleaved as weights are: `[panel][head_dim][32 positions]`, so that scores of 32 positions fill vectors.
/// Values are rows, `[position][value width]`.
#[derive(Debug, Clone, Copy)]
pub struct HeadCache<'a, E> {
    keys: &'a [E],
    values: &'a [E],
    head_dim: usize,
}

/// A [`HeadCache`] to be written.
#[derive(Debug)]
pub struct HeadCacheMut<'a, E> {
    keys: &'a mut [E],
    values: &'a mut [E],
    head_dim: usize,
}

/// Numbers of a row of values: `head_dim`, filled up.
pub const fn value_width(head_dim: usize) -> usize {
    head_dim.next_multiple_of(VALUE_ALIGN)
}

impl<'a, E: Plain> HeadCache<'a, E> {
    /// A cache of `head_dim` wide keys and values: whole panels of keys, and a row of values for each of their positions.
    ///
    /// # Panics
    /// When sizes do not fit together or the head is wider than [`MAX_HEAD_DIM`].
    pub fn new(keys: &'a [E], values: &'a [E], head_dim: usize) -> Self {
        assert!((1..=MAX_HEAD_DIM).contains(&head_dim), "head width");
        assert!(keys.len().is_multiple_of(KEY_PANEL * head_dim), "whole panels");
        assert_eq!(values.len() / value_width(head_dim), keys.len() / head_dim, "positions");
        Self { keys, values, head_dim }
    }

    /// Positions that it has room for.
    pub fn positions(&self) -> usize {
        self.keys.len() / self.head_dim
    }
}

impl<'a, E: CacheElement> HeadCacheMut<'a, E> {
    /// As [`HeadCache::new`].
    ///
    /// # Panics
    /// As there.
    pub fn new(keys: &'a mut [E], values: &'a mut [E], head_dim: usize) -> Self {
        HeadCache::new(keys, values, head_dim);
        Self { keys, values, head_dim }
    }

    /// Copies the first `positions` of another cache, rounded up to whole panels.
    ///
    /// # Panics
    /// When either has fewer positions, or heads of another width.
    pub fn copy_from(&mut self, from: &HeadCache<'_, E>, positions: usize) {
        assert_eq!(self.head_dim, from.head_dim, "head width");
        let positions = positions.next_multiple_of(KEY_PANEL);
        let (keys, values) = (positions * self.head_dim, positions * value_width(self.head_dim));
        self.keys[..keys].copy_from_slice(&from.keys[..keys]);
        self.values[..values].copy_from_slice(&from.values[..values]);
    }

    /// Stores a key and a value.
    ///
    /// # Panics
    /// When `position` is beyond the cache, or `key` or `value` is not one head wide.
    pub fn write(&mut self, position: usize, key: &[f32], value: &[f32]) {
        assert!(key.len() == self.head_dim && value.len() == self.head_dim, "head width");
        let mut narrowed = [E::ZERO; MAX_HEAD_DIM];
        let narrowed = &mut narrowed[..self.head_dim];
        E::narrow(key, narrowed);
        let panel = &mut self.keys[position / KEY_PANEL * KEY_PANEL * self.head_dim..];
        for (dimension, &key) in panel.as_chunks_mut::<KEY_PANEL>().0.iter_mut().zip(&*narrowed) {
            dimension[position % KEY_PANEL] = key;
        }
        E::narrow(value, &mut self.values[position * value_width(self.head_dim)..][..self.head_dim]);
    }
}

struct Scratch {
    queries: [MaybeUninit<f32>; ROWS * MAX_HEAD_DIM],
    scores: [MaybeUninit<f32>; ROWS * BLOCK],
    sums: [MaybeUninit<f32>; ROWS * MAX_HEAD_DIM],
}

/// `out[token][head] = softmax(scale * query · keys) · values`.
///
/// # Safety
/// Nobody else writes these heads of these tokens.
///
/// # Panics
/// When the cache does not hold the last token's position, or `out` has another shape than the queries.
#[inline(always)]
pub(crate) unsafe fn attend<S: Simd, E: Element + Plain>(
    s: S,
    cache: &HeadCache<'_, E>,
    queries: &Queries<'_>,
    out: &Output<'_>,
) {
    let mut scratch = Scratch {
        queries: [const { MaybeUninit::uninit() }; _],
        scores: [const { MaybeUninit::uninit() }; _],
        sums: [const { MaybeUninit::uninit() }; _],
    };
    let all = queries.rows();
    for first in (0..all).step_by(ROWS) {
        let count = ROWS.min(all - first);
        let mut rows: [Row; ROWS] = std::array::from_fn(|i| queries.row(first + i));
        // SAFETY: these heads of these tokens are written here alone, by `# Safety`.
        unsafe { attend_rows::<S, E>(s, cache, queries, &mut rows[..count], &mut scratch, out) };
    }
}

/// # Safety
/// As of [`attend`].
#[inline(always)]
unsafe fn attend_rows<S: Simd, E: Element + Plain>(
    s: S,
    cache: &HeadCache<'_, E>,
    queries: &Queries<'_>,
    rows: &mut [Row],
    scratch: &mut Scratch,
    out: &Output<'_>,
) {
    let (head_dim, width) = (cache.head_dim, value_width(cache.head_dim));
    let scale = queries.scale();
    let scaled = &mut scratch.queries[..rows.len() * head_dim];
    for (scaled, row) in scaled.chunks_exact_mut(head_dim).zip(rows.iter()) {
        for (scaled, value) in scaled.iter_mut().zip(queries.of(row, head_dim)) {
            scaled.write(value * scale);
        }
    }
    let sums = zeros(&mut scratch.sums[..rows.len() * width]);

    for block in blocks(rows) {
        let (start, positions) = (block.start, block.len());
        let scores = zeros(&mut scratch.scores[..rows.len() * BLOCK]);
        for panel in (0..positions).step_by(KEY_PANEL) {
            let keys = &cache.keys[(start + panel) * head_dim..][..KEY_PANEL * head_dim];
            let keys = Columns { start: keys.as_ptr().cast(), stride: KEY_PANEL * E::BYTES, depth: head_dim };
            let queries = Rows { start: scaled.as_ptr().cast(), stride: head_dim };
            let scores = Rows { start: scores[panel..].as_mut_ptr(), stride: BLOCK };
            // SAFETY: `keys` is a slice of a panel, `scaled` has `head_dim` numbers for each row, and `scores` has `BLOCK` for each, of
            // which a panel begins at `panel`.
            unsafe { multiply_add::<S, E>(s, keys, KEY_PANEL, queries, rows.len(), scores) };
        }
        for (i, row) in rows.iter_mut().enumerate() {
            let (scores, sums) = (&mut scores[i * BLOCK..][..positions], &mut sums[i * width..][..width]);
            turn_into_weights(s, row, &block, queries.cap(), scores, sums);
        }
        let values = &cache.values[start * width..][..positions * width];
        let values = Columns { start: values.as_ptr().cast(), stride: width * E::BYTES, depth: positions };
        let weights = Rows { start: scores.as_ptr(), stride: BLOCK };
        let results = Rows { start: sums.as_mut_ptr(), stride: width };
        // SAFETY: `values` is a slice of `positions` rows, `scores` has `BLOCK` weights for each row, and `sums` has `width`.
        unsafe { multiply_add::<S, E>(s, values, width, weights, rows.len(), results) };
    }

    for (row, sums) in rows.iter().zip(sums.chunks_exact_mut(width)) {
        // SAFETY: these heads of these tokens are written here alone, by `# Safety`.
        unsafe { row.write(&mut sums[..head_dim], out) };
    }
}

/// Fills `numbers` with zeros.
#[inline(always)]
fn zeros(numbers: &mut [MaybeUninit<f32>]) -> &mut [f32] {
    numbers.fill(MaybeUninit::new(0.0));
    // SAFETY: each has just been written.
    unsafe { numbers.assume_init_mut() }
}
