//! Attention over a cache of signed bytes, with products of integers.
//!
//! Keys are a matrix `[positions, head_dim]` of Q8_0, values the transposed of one: both products are those of
//! activations with packed weights, of rounded queries with keys and of rounded softmax weights with values. What a key
//! costs in accuracy is what Q8_0 weights cost; softmax weights are rounded to 1/127 of the largest of 32.

use std::cell::RefCell;

use half::f16;

use super::rounded_softmax::{ValueScales, round};
use super::{KEY_PANEL, MAX_HEAD_DIM, Queries, Row, blocks};
use crate::activations::{self, Activations, WHOLE, scale_and_inverse};
use crate::elementwise::{add, soft_cap};
use crate::matmul::{MatMul, MatMulKernels, Output, interleave};
use crate::packed::layout::{PLANE, SUB_BLOCK, block, header};
use crate::packed::{PANEL_ROWS, PackedMatrix, WeightFormat};
use crate::plain::{cast_slice, cast_slice_mut};

/// Query rows (a head of a token each) that read the cache together.
pub(super) const ROWS: usize = 48;
/// Bytes of 32 rows with 32 columns.
const TILE: usize = block(WeightFormat::Q8_0);

/// Keys and values of one key-value head.
///
/// Keys are packed Q8_0: `[panel of 32 positions][32 dimensions]` tiles. Values are packed Q8_0 with scales of 1:
/// `[panel of 32 dimensions][32 positions]` tiles, and an `f32` scale for each position: a position is added without
/// touching what its neighbours hold.
#[derive(Debug, Clone, Copy)]
pub struct QuantizedHeadCache<'a> {
    keys: &'a [u8],
    values: &'a [u8],
    /// One for each position.
    value_scales: &'a [f32],
    head_dim: usize,
}

/// A [`QuantizedHeadCache`] to be written.
#[derive(Debug)]
pub struct QuantizedHeadCacheMut<'a> {
    keys: &'a mut [u8],
    values: &'a mut [u8],
    value_scales: &'a mut [f32],
    head_dim: usize,
}

impl<'a> QuantizedHeadCache<'a> {
    /// Bytes of a cache for `positions` (a multiple of [`KEY_PANEL`]); `None` for heads whose width is not a multiple
    /// of 32.
    pub const fn bytes(positions: usize, head_dim: usize) -> Option<usize> {
        match head_dim.is_multiple_of(SUB_BLOCK) {
            true => Some(2 * positions / KEY_PANEL * (head_dim / SUB_BLOCK) * TILE + positions * size_of::<f32>()),
            false => None,
        }
    }

    /// The cache in `bytes`, which are aligned as `f32`.
    ///
    /// # Panics
    /// When `bytes` is not [`QuantizedHeadCache::bytes`] of some number of positions, or the head is wider than
    /// [`MAX_HEAD_DIM`].
    pub fn new(bytes: &'a [u8], head_dim: usize) -> Self {
        let matrix = matrix_len(bytes.len(), head_dim);
        let (matrices, scales) = bytes.split_at(2 * matrix);
        let (keys, values) = matrices.split_at(matrix);
        Self { keys, values, value_scales: cast_slice(scales).expect("alignment"), head_dim }
    }

    /// Positions that it has room for.
    pub fn positions(&self) -> usize {
        self.value_scales.len()
    }

    /// Keys of `count` positions, `[positions, head_dim]`.
    fn keys(&self, start: usize, count: usize) -> PackedMatrix<'a> {
        let panel = self.head_dim / SUB_BLOCK * TILE;
        let bytes = &self.keys[start / KEY_PANEL * panel..][..count / KEY_PANEL * panel];
        PackedMatrix::new(WeightFormat::Q8_0, count, self.head_dim, bytes).expect("whole panels")
    }

    /// Values of 32 dimensions, `[32, positions]`.
    fn values(&self, panel: usize, start: usize, count: usize) -> PackedMatrix<'a> {
        let first = panel * (self.positions() / SUB_BLOCK) + start / SUB_BLOCK;
        let bytes = &self.values[first * TILE..][..count / SUB_BLOCK * TILE];
        PackedMatrix::new(WeightFormat::Q8_0, PANEL_ROWS, count, bytes).expect("whole tiles")
    }
}

/// Bytes of keys, or of values, in a cache of `len` bytes.
fn matrix_len(len: usize, head_dim: usize) -> usize {
    assert!((SUB_BLOCK..=MAX_HEAD_DIM).contains(&head_dim), "head width");
    let panel = QuantizedHeadCache::bytes(KEY_PANEL, head_dim).expect("head width");
    assert!(len.is_multiple_of(panel), "whole panels");
    len / panel * (head_dim / SUB_BLOCK) * TILE
}

impl<'a> QuantizedHeadCacheMut<'a> {
    /// As [`QuantizedHeadCache::new`].
    ///
    /// # Panics
    /// As there.
    pub fn new(bytes: &'a mut [u8], head_dim: usize) -> Self {
        let matrix = matrix_len(bytes.len(), head_dim);
        let (matrices, scales) = bytes.split_at_mut(2 * matrix);
        let (keys, values) = matrices.split_at_mut(matrix);
        Self { keys, values, value_scales: cast_slice_mut(scales).expect("alignment"), head_dim }
    }

    /// Copies the first `positions` of another cache, rounded up to whole panels.
    ///
    /// # Panics
    /// When either has fewer positions, or heads of another width.
    pub fn copy_from(&mut self, from: &QuantizedHeadCache<'_>, positions: usize) {
        assert_eq!(self.head_dim, from.head_dim, "head width");
        let positions = positions.next_multiple_of(KEY_PANEL);
        let keys = positions / KEY_PANEL * (self.head_dim / SUB_BLOCK) * TILE;
        self.keys[..keys].copy_from_slice(&from.keys[..keys]);
        let values = positions / SUB_BLOCK * TILE;
        let row = |positions: usize| positions / SUB_BLOCK * TILE;
        let rows = self.values.chunks_exact_mut(row(self.value_scales.len()));
        for (to, from) in rows.zip(from.values.chunks_exact(row(from.positions()))) {
            to[..values].copy_from_slice(&from[..values]);
        }
        self.value_scales[..positions].copy_from_slice(&from.value_scales[..positions]);
    }

    /// Rounds a key and a value to the cache's numbers. Positions of a panel are written in order, the first of them first.
    ///
    /// # Panics
    /// When `position` is beyond the cache, or `key` or `value` is not one head wide.
    pub fn write(&mut self, position: usize, key: &[f32], value: &[f32]) {
        assert!(key.len() == self.head_dim && value.len() == self.head_dim, "head width");
        self.write_key(position, key);
        self.write_value(position, value);
    }

    fn write_key(&mut self, position: usize, key: &[f32]) {
        let panel = self.head_dim / SUB_BLOCK * TILE;
        let panel = &mut self.keys[position / KEY_PANEL * panel..][..panel];
        let lane = position % KEY_PANEL;
        for (tile, key) in panel.chunks_exact_mut(TILE).zip(key.as_chunks::<SUB_BLOCK>().0) {
            let (scale, inverse) = scale_of(key);
            tile[2 * lane..][..2].copy_from_slice(&f16::from_f32(scale).to_le_bytes());
            let planes = tile[header(WeightFormat::Q8_0)..].as_chunks_mut::<PLANE>().0;
            for (plane, four) in planes.iter_mut().zip(key.as_chunks::<4>().0) {
                plane[4 * lane..][..4].copy_from_slice(&round_all(*four, inverse));
            }
        }
    }

    fn write_value(&mut self, position: usize, value: &[f32]) {
        let (scale, inverse) = scale_of(value);
        self.value_scales[position] = scale;
        let tiles = self.value_scales.len() / SUB_BLOCK;
        let (column, lanes) = (position % SUB_BLOCK, header(WeightFormat::Q8_0) + position % SUB_BLOCK / 4 * PLANE);
        for (panel, value) in value.as_chunks::<PANEL_ROWS>().0.iter().enumerate() {
            let tile = &mut self.values[(panel * tiles + position / SUB_BLOCK) * TILE..][..TILE];
            if column == 0 {
                tile[..lanes].as_chunks_mut::<2>().0.fill(f16::ONE.to_le_bytes());
            }
            let codes = round_all(*value, inverse);
            for (lane, code) in tile[lanes..][..PLANE].as_chunks_mut::<4>().0.iter_mut().zip(codes) {
                lane[column % 4] = code;
            }
        }
    }
}

/// What a thread needs to attend with. It grows once, and stays.
#[derive(Default)]
struct Scratch {
    /// `[rows, head_dim]`.
    scaled: Vec<f32>,
    queries: Activations,
    /// `[rows, positions of a block]`.
    scores: Vec<f32>,
    /// Softmax weights times the scales of the values.
    weights: Activations,
    /// Weighted values of one block and 32 dimensions, `[rows, 32]`.
    part: Vec<f32>,
    /// Weighted values so far, `[rows, head_dim]`.
    sums: Vec<f32>,
}

thread_local! {
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

/// `out[token][head] = softmax(scale * query · keys) · values`; `products` are those of keys and of values.
///
/// # Safety
/// `products` run on this CPU, and nobody else writes these heads of these tokens.
///
/// # Panics
/// When the cache does not hold the last token's position, or `out` has another shape than the queries.
#[inline(always)]
pub(crate) unsafe fn attend<S: MatMul>(
    s: S,
    cache: &QuantizedHeadCache<'_>,
    queries: &Queries<'_>,
    products: [MatMulKernels; 2],
    out: &Output<'_>,
) {
    // Taken, not borrowed in a closure, which would be compiled without `S`'s instructions.
    let mut scratch = SCRATCH.take();
    let all = queries.rows();
    for first in (0..all).step_by(ROWS) {
        let mut rows: [Row; ROWS] = std::array::from_fn(|i| queries.row(first + i));
        let rows = &mut rows[..ROWS.min(all - first)];
        // SAFETY: the CPU has the products' instructions, and these heads of these tokens are written here alone, by `# Safety`.
        unsafe { attend_rows(s, cache, queries, products, rows, &mut scratch, out) };
    }
    SCRATCH.set(scratch);
}

/// # Safety
/// As of [`attend`].
#[inline(always)]
unsafe fn attend_rows<S: MatMul>(
    s: S,
    cache: &QuantizedHeadCache<'_>,
    queries: &Queries<'_>,
    products: [MatMulKernels; 2],
    rows: &mut [Row],
    scratch: &mut Scratch,
    out: &Output<'_>,
) {
    let head_dim = cache.head_dim;
    let Scratch { scaled, queries: rounded, scores, weights, part, sums } = scratch;
    let scale = queries.scale();
    scaled.clear();
    rows.iter().for_each(|row| scaled.extend_from_slice(queries.of(row, head_dim)));
    scaled.iter_mut().for_each(|value| *value *= scale);
    rounded.resize(rows.len(), head_dim, products[0].activation_layout(rows.len()));
    activations::quantize(s, scaled, &mut rounded.rows_mut());
    interleave(s, &mut rounded.rows_mut());
    sums.clear();
    sums.resize(rows.len() * head_dim, 0.0);
    part.resize(rows.len() * PANEL_ROWS, 0.0);

    for block in blocks(rows) {
        let (start, positions) = (block.start, block.len().next_multiple_of(KEY_PANEL));
        scores.resize(rows.len() * positions, 0.0);
        let panels = 0..positions / KEY_PANEL;
        let (keys, out) = (cache.keys(start, positions), Output::new(scores, positions));
        // SAFETY: the CPU has the product's instructions, by `# Safety`; it is one of Q8_0, as keys are, which are as wide as the
        // queries; `scores`, with a row for each of them, are borrowed here alone.
        unsafe { products[0].multiply(&keys, rounded, panels, &out) };
        if let Some(cap) = queries.cap() {
            soft_cap(s, scores, cap);
        }
        let value_scales = ValueScales::new(&cache.value_scales[start..][..positions]);
        weights.resize(rows.len(), positions, products[1].activation_layout(rows.len()));
        round(s, rows, start..start + positions, &value_scales, scores, sums, &mut weights.rows_mut());
        interleave(s, &mut weights.rows_mut());
        for panel in 0..head_dim / PANEL_ROWS {
            let values = cache.values(panel, start, positions);
            // SAFETY: as above, of Q8_0 with scales of 1, as values are, which are as wide as there are weights; `part` is borrowed
            // here alone.
            unsafe { products[1].multiply(&values, weights, 0..1, &Output::new(part, PANEL_ROWS)) };
            for (part, sums) in part.as_chunks::<PANEL_ROWS>().0.iter().zip(sums.chunks_exact_mut(head_dim)) {
                add(&mut sums[panel * PANEL_ROWS..][..PANEL_ROWS], part);
            }
        }
    }

    for (row, sums) in rows.iter().zip(sums.chunks_exact_mut(head_dim)) {
        // SAFETY: these heads of these tokens are written here alone, by `# Safety`.
        unsafe { row.write(sums, out) };
    }
}

/// The scale of `x`, not finite when a value is not, and what values are multiplied with to be multiples of it.
fn scale_of(x: &[f32]) -> (f32, f32) {
    let largest = x.iter().map(|x| x.abs().to_bits()).max().unwrap_or(0);
    scale_and_inverse(f32::from_bits(largest))
}

fn round_all<const N: usize>(x: [f32; N], inverse: f32) -> [u8; N] {
    x.map(|x| (x * inverse + WHOLE).to_bits() as u8)
}
