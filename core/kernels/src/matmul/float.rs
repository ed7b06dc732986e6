//! Products with numbers that are not quantized: weights, and the keys and values of attention.

// Pointers move within matrices whose sizes the callers have checked.
#![allow(unsafe_op_in_unsafe_fn)]

use std::ops::Range;

use half::{bf16, f16};

use super::Output;
use crate::packed::{PANEL_ROWS, PackedMatrix};
use crate::simd::Simd;

/// A number format in memory.
pub(crate) trait Element: 'static {
    const BYTES: usize;

    /// [`Simd::LANES`] numbers as `f32`.
    ///
    /// # Safety
    /// `S` runs on this CPU, and the numbers are there.
    unsafe fn load<S: Simd>(from: *const u8) -> S::F32;
}

impl Element for f32 {
    const BYTES: usize = 4;

    #[inline(always)]
    unsafe fn load<S: Simd>(from: *const u8) -> S::F32 {
        S::load(from.cast())
    }
}

impl Element for f16 {
    const BYTES: usize = 2;

    #[inline(always)]
    unsafe fn load<S: Simd>(from: *const u8) -> S::F32 {
        S::load_f16(from)
    }
}

impl Element for bf16 {
    const BYTES: usize = 2;

    #[inline(always)]
    unsafe fn load<S: Simd>(from: *const u8) -> S::F32 {
        S::load_bf16(from)
    }
}

/// A matrix `[depth, columns]`: rows of numbers `stride` bytes apart.
#[derive(Clone, Copy)]
pub(crate) struct Columns {
    pub(crate) start: *const u8,
    pub(crate) stride: usize,
    pub(crate) depth: usize,
}

/// Rows of `f32`, `stride` numbers apart.
#[derive(Clone, Copy)]
pub(crate) struct Rows<P> {
    pub(crate) start: P,
    pub(crate) stride: usize,
}

/// The columns of `panels` of the product of `x`, rows of `weights.cols()` numbers, with `weights`.
///
/// # Safety
/// `S` runs on this CPU, sizes fit together, and nobody else writes those columns.
#[inline(always)]
pub(crate) unsafe fn matmul<S: Simd, E: Element>(
    weights: &PackedMatrix<'_>,
    x: &[f32],
    panels: Range<usize>,
    out: &Output<'_>,
) {
    const ROWS: usize = 12;
    let cols = weights.cols();
    for panel in panels {
        let stride = PANEL_ROWS * E::BYTES;
        let columns = Columns { start: weights.panel(panel).as_ptr(), stride, depth: cols };
        for (tile, x) in x.chunks(ROWS * cols).enumerate() {
            let rows = x.len() / cols;
            let mut sums = [[0.0f32; PANEL_ROWS]; ROWS];
            let x = Rows { start: x.as_ptr(), stride: cols };
            let results = Rows { start: sums.as_mut_ptr().cast(), stride: PANEL_ROWS };
            multiply_add::<S, E>(columns, PANEL_ROWS, x, rows, results);
            for (row, sums) in sums[..rows].iter().enumerate() {
                out.write_panel(tile * ROWS + row, panel, sums);
            }
        }
    }
}

/// `sums[r][c] += Σ x[r][d] * columns[d][c]` for `rows` rows and `width` columns, a multiple of [`Simd::LANES`]. The sum
/// runs over `d` in order.
///
/// # Safety
/// `S` runs on this CPU, and all of the numbers are there.
#[inline(always)]
pub(crate) unsafe fn multiply_add<S: Simd, E: Element>(
    columns: Columns,
    width: usize,
    x: Rows<*const f32>,
    rows: usize,
    sums: Rows<*mut f32>,
) {
    let mut column = 0;
    while column < width {
        let columns_left = width - column;
        let columns = Columns { start: columns.start.add(column * E::BYTES), ..columns };
        let sums = Rows { start: sums.start.add(column), ..sums };
        column += S::LANES
            * match (S::LANES, columns_left / S::LANES) {
                // Sixteen registers hold no more.
                (8, 2..) | (_, 2..4) => strip::<S, E, 2>(columns, x, rows, sums),
                (_, 4..) => strip::<S, E, 4>(columns, x, rows, sums),
                _ => strip::<S, E, 1>(columns, x, rows, sums),
            };
    }
}

/// `V` vectors of columns, for all rows.
#[inline(always)]
unsafe fn strip<S: Simd, E: Element, const V: usize>(
    columns: Columns,
    x: Rows<*const f32>,
    rows: usize,
    sums: Rows<*mut f32>,
) -> usize {
    let mut row = 0;
    while row < rows {
        let x = Rows { start: x.start.add(row * x.stride), ..x };
        let sums = Rows { start: sums.start.add(row * sums.stride), ..sums };
        row += match (S::LANES, rows - row) {
            (16, 6..) => tile::<S, E, 6, V>(columns, x, sums),
            (_, 4..) => tile::<S, E, 4, V>(columns, x, sums),
            (_, 2..) => tile::<S, E, 2, V>(columns, x, sums),
            _ => tile::<S, E, 1, V>(columns, x, sums),
        };
    }
    V
}

#[inline(always)]
unsafe fn tile<S: Simd, E: Element, const T: usize, const V: usize>(
    columns: Columns,
    x: Rows<*const f32>,
    sums: Rows<*mut f32>,
) -> usize {
    let sums_at = |t: usize, v: usize| sums.start.add(t * sums.stride + v * S::LANES);
    let mut totals: [[S::F32; V]; T] = std::array::from_fn(|t| std::array::from_fn(|v| S::load(sums_at(t, v))));
    for d in 0..columns.depth {
        let at = columns.start.add(d * columns.stride);
        let numbers: [S::F32; V] = std::array::from_fn(|v| E::load::<S>(at.add(v * S::LANES * E::BYTES)));
        for (t, totals) in totals.iter_mut().enumerate() {
            let x = S::splat(*x.start.add(t * x.stride + d));
            for (total, numbers) in totals.iter_mut().zip(numbers) {
                *total = S::fma(x, numbers, *total);
            }
        }
    }
    for (t, totals) in totals.iter().enumerate() {
        for (v, total) in totals.iter().enumerate() {
            S::store(*total, sums_at(t, v));
        }
    }
    T
}
