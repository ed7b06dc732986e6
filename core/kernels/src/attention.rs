//! Attention of the query heads that share a key-value head, over a cache in the layout of [`HeadCache`].

// Pointers move within the cache, whose size `HeadCache` has checked, and the scratch below.
#![allow(unsafe_op_in_unsafe_fn)]

use std::mem::MaybeUninit;

use crate::elementwise::{exp_shifted, largest, sum};
use crate::matmul::Output;
use crate::matmul::float::{Columns, Element, Rows, multiply_add};
use crate::packed::PANEL_ROWS;
use crate::plain::Plain;
use crate::simd::Simd;

/// The widest head that attention takes: its working memory lies on the stack.
pub const MAX_HEAD_DIM: usize = 256;
/// Positions whose keys are interleaved.
pub const KEY_PANEL: usize = PANEL_ROWS;
/// A row of values is filled up to a multiple of this many.
const VALUE_ALIGN: usize = 16;

/// Positions between two updates of the running softmax.
const BLOCK: usize = 128;
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

struct Scratch {
    queries: MaybeUninit<[f32; ROWS * MAX_HEAD_DIM]>,
    scores: MaybeUninit<[f32; ROWS * BLOCK]>,
    sums: MaybeUninit<[f32; ROWS * MAX_HEAD_DIM]>,
}

/// One head of one token.
#[derive(Clone, Copy)]
struct Row {
    token: usize,
    head: usize,
    /// Positions that it sees.
    visible: usize,
    max: f32,
    weight: f32,
}

/// `out[token][head] = softmax(scale * query · keys) · values`, with a running softmax (Milakov and Gimelshein, "Online
/// normalizer calculation for softmax", 2018; blockwise as in Dao et al., "FlashAttention", 2022).
///
/// # Safety
/// `S` runs on this CPU; the cache holds the last token's position; `out` has the shape of the queries; and nobody else
/// writes these heads of these tokens.
#[inline(always)]
pub(crate) unsafe fn attend<S: Simd, E: Element + Plain>(
    cache: &HeadCache<'_, E>,
    queries: &Queries<'_>,
    out: &Output<'_>,
) {
    let mut scratch =
        Scratch { queries: MaybeUninit::uninit(), scores: MaybeUninit::uninit(), sums: MaybeUninit::uninit() };
    let heads = queries.heads.1 - queries.heads.0;
    let all = (queries.tokens.1 - queries.tokens.0) * heads;
    for first in (0..all).step_by(ROWS) {
        let count = ROWS.min(all - first);
        let mut rows: [Row; ROWS] = std::array::from_fn(|i| {
            let token = queries.tokens.0 + (first + i) / heads;
            let head = queries.heads.0 + (first + i) % heads;
            Row { token, head, visible: queries.first_position + token + 1, max: f32::NEG_INFINITY, weight: 0.0 }
        });
        attend_rows::<S, E>(cache, queries, &mut rows[..count], &mut scratch, out);
    }
}

#[inline(always)]
unsafe fn attend_rows<S: Simd, E: Element + Plain>(
    cache: &HeadCache<'_, E>,
    queries: &Queries<'_>,
    rows: &mut [Row],
    scratch: &mut Scratch,
    out: &Output<'_>,
) {
    let (head_dim, width) = (cache.head_dim, value_width(cache.head_dim));
    let scaled = scratch.queries.as_mut_ptr().cast::<f32>();
    let scores = scratch.scores.as_mut_ptr().cast::<f32>();
    let sums = scratch.sums.as_mut_ptr().cast::<f32>();
    for (i, row) in rows.iter().enumerate() {
        let query = &queries.values[row.token * queries.stride + row.head * head_dim..][..head_dim];
        for (d, value) in query.iter().enumerate() {
            *scaled.add(i * head_dim + d) = value * queries.scale;
        }
    }
    sums.write_bytes(0, rows.len() * width);

    let visible = rows.iter().map(|row| row.visible).max().unwrap_or(0);
    for start in (0..visible).step_by(BLOCK) {
        let positions = BLOCK.min(visible - start);
        scores.write_bytes(0, rows.len() * BLOCK);
        for panel in (0..positions).step_by(KEY_PANEL) {
            let keys = cache.keys[(start + panel) * head_dim..].as_ptr().cast();
            let keys = Columns { start: keys, stride: KEY_PANEL * E::BYTES, depth: head_dim };
            let queries = Rows { start: scaled.cast_const(), stride: head_dim };
            let scores = Rows { start: scores.add(panel), stride: BLOCK };
            multiply_add::<S, E>(keys, KEY_PANEL, queries, rows.len(), scores);
        }
        for (i, row) in rows.iter_mut().enumerate() {
            let scores = std::slice::from_raw_parts_mut(scores.add(i * BLOCK), BLOCK);
            let sums = std::slice::from_raw_parts_mut(sums.add(i * width), width);
            turn_into_weights::<S>(row, scores, row.visible.saturating_sub(start).min(BLOCK), sums);
        }
        let values = cache.values[start * width..].as_ptr().cast();
        let values = Columns { start: values, stride: width * E::BYTES, depth: positions };
        let weights = Rows { start: scores.cast_const(), stride: BLOCK };
        multiply_add::<S, E>(values, width, weights, rows.len(), Rows { start: sums, stride: width });
    }

    for (i, row) in rows.iter().enumerate() {
        let sums = std::slice::from_raw_parts_mut(sums.add(i * width), head_dim);
        let inverse = 1.0 / row.weight;
        sums.iter_mut().for_each(|sum| *sum *= inverse);
        out.write(row.token, row.head * head_dim, sums);
    }
}

/// Scores become weights relative to the largest score so far; what was summed before is brought to the same scale.
#[inline(always)]
unsafe fn turn_into_weights<S: Simd>(row: &mut Row, scores: &mut [f32], visible: usize, sums: &mut [f32]) {
    if visible == 0 {
        scores.fill(0.0);
        return;
    }
    let max = largest(&scores[..visible]);
    if max > row.max {
        let mut correction = [row.max; 16];
        exp_shifted::<S>(&mut correction, max);
        let correction = if row.max == f32::NEG_INFINITY { 0.0 } else { correction[0] };
        row.weight *= correction;
        sums.iter_mut().for_each(|sum| *sum *= correction);
        row.max = max;
    }
    exp_shifted::<S>(scores, row.max);
    scores[visible..].fill(0.0);
    row.weight += sum(scores);
}
