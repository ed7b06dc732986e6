//! Products with numbers that are not quantized: weights, and the keys and values of attention.

// Pointers move within matrices whose sizes the callers have checked.
#![allow(unsafe_op_in_unsafe_fn)]

use std::mem::MaybeUninit;
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

/// Rows of activations that are multiplied at a time, and when there are few.
const ROWS: usize = 48;
const GEMV_ROWS: usize = 4;
/// Columns that the widest vectors hold.
const WIDEST: usize = 16;

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
    match x.len() / weights.cols() {
        ..=GEMV_ROWS => matmul_rows::<S, E, GEMV_ROWS>(weights, x, panels, out),
        _ => matmul_rows::<S, E, ROWS>(weights, x, panels, out),
    }
}

/// As above, `N` rows at a time.
#[inline(always)]
unsafe fn matmul_rows<S: Simd, E: Element, const N: usize>(
    weights: &PackedMatrix<'_>,
    x: &[f32],
    panels: Range<usize>,
    out: &Output<'_>,
) {
    let cols = weights.cols();
    for panel in panels {
        let stride = PANEL_ROWS * E::BYTES;
        let columns = Columns { start: weights.panel(panel).as_ptr(), stride, depth: cols };
        // Columns that only fill the panel are not computed where whole vectors of them can be left out.
        let width = (weights.rows() - panel * PANEL_ROWS).min(PANEL_ROWS).next_multiple_of(WIDEST);
        for (tile, x) in x.chunks(N * cols).enumerate() {
            let rows = x.len() / cols;
            let mut sums = [[0.0f32; PANEL_ROWS]; N];
            let x = Rows { start: x.as_ptr(), stride: cols };
            let results = Rows { start: sums.as_mut_ptr().cast(), stride: PANEL_ROWS };
            multiply_add::<S, E>(columns, width, x, rows, results);
            for (row, sums) in sums[..rows].iter().enumerate() {
                match out.adds() {
                    true => out.add_panel(tile * N + row, panel, sums),
                    false => out.write_panel(tile * N + row, panel, sums),
                }
            }
        }
    }
}

/// `sums[r][c] += Σ x[r][d] * columns[d][c]` for `rows` rows and `width` columns, a multiple of 16. The sum runs over `d` in
/// order.
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
        let columns = Columns { start: columns.start.add(column * E::BYTES), ..columns };
        let sums = Rows { start: sums.start.add(column), ..sums };
        // As many vectors as there are registers for.
        column += match (S::LANES, width - column) {
            (4, _) => strip::<S, E, 4>(columns, x, rows, sums),
            (8, _) => strip::<S, E, 2>(columns, x, rows, sums),
            (_, 64..) => strip::<S, E, 4>(columns, x, rows, sums),
            (_, 32..) => strip::<S, E, 2>(columns, x, rows, sums),
            _ => strip::<S, E, 1>(columns, x, rows, sums),
        };
    }
}

/// Most rows of a tile.
const TILE: usize = 6;
/// Numbers that are widened at a time: 16 KB, to stay in a first-level cache.
const DEPTH_BLOCK: usize = 4096;

/// As vectors, in whole cache lines.
#[repr(C, align(64))]
struct Widened([f32; DEPTH_BLOCK]);

/// `V` vectors of columns, for all rows; returns how many columns these are. For more than a tile of them, numbers are widened once, and not for each tile.
#[inline(always)]
unsafe fn strip<S: Simd, E: Element, const V: usize>(
    columns: Columns,
    x: Rows<*const f32>,
    rows: usize,
    sums: Rows<*mut f32>,
) -> usize {
    let width = V * S::LANES;
    if E::BYTES == size_of::<f32>() || rows <= TILE {
        tiles::<S, E, V>(columns, x, rows, sums);
        return width;
    }
    let mut widened = MaybeUninit::<Widened>::uninit();
    let widened = widened.as_mut_ptr().cast::<f32>();
    for first in (0..columns.depth).step_by(DEPTH_BLOCK / width) {
        let depth = (DEPTH_BLOCK / width).min(columns.depth - first);
        for d in 0..depth {
            let from = columns.start.add((first + d) * columns.stride);
            for v in 0..V {
                let numbers = E::load::<S>(from.add(v * S::LANES * E::BYTES));
                S::store(numbers, widened.add(d * width + v * S::LANES));
            }
        }
        let depth_block = Columns { start: widened.cast_const().cast(), stride: width * size_of::<f32>(), depth };
        tiles::<S, f32, V>(depth_block, Rows { start: x.start.add(first), ..x }, rows, sums);
    }
    width
}

#[inline(always)]
unsafe fn tiles<S: Simd, E: Element, const V: usize>(
    columns: Columns,
    x: Rows<*const f32>,
    rows: usize,
    sums: Rows<*mut f32>,
) {
    let mut row = 0;
    while row < rows {
        let x = Rows { start: x.start.add(row * x.stride), ..x };
        let sums = Rows { start: sums.start.add(row * sums.stride), ..sums };
        row += match (S::LANES, rows - row) {
            (16, TILE..) => tile::<S, E, TILE, V>(columns, x, sums),
            (_, 4..) => tile::<S, E, 4, V>(columns, x, sums),
            (_, 2..) => tile::<S, E, 2, V>(columns, x, sums),
            _ => tile::<S, E, 1, V>(columns, x, sums),
        };
    }
}

#[inline(always)]
unsafe fn tile<S: Simd, E: Element, const T: usize, const V: usize>(
    columns: Columns,
    x: Rows<*const f32>,
    sums: Rows<*mut f32>,
) -> usize {
    let sums_at = |t: usize, v: usize| sums.start.add(t * sums.stride + v * S::LANES);
    let mut totals: [[S::F32; V]; T] = std::array::from_fn(|t| std::array::from_fn(|v| S::load(sums_at(t, v))));
    let fours = columns.depth / 4;
    for four in 0..fours {
        let x: [S::Four; T] = std::array::from_fn(|t| S::load_four(x.start.add(t * x.stride + 4 * four)));
        let numbers = columns.start.add(4 * four * columns.stride);
        add_products::<S, E, T, V, 0>(numbers, &x, &mut totals);
        add_products::<S, E, T, V, 1>(numbers.add(columns.stride), &x, &mut totals);
        add_products::<S, E, T, V, 2>(numbers.add(2 * columns.stride), &x, &mut totals);
        add_products::<S, E, T, V, 3>(numbers.add(3 * columns.stride), &x, &mut totals);
    }
    for d in 4 * fours..columns.depth {
        // Four of the same, of which one is taken.
        let x: [[f32; 4]; T] = std::array::from_fn(|t| [*x.start.add(t * x.stride + d); 4]);
        let x: [S::Four; T] = std::array::from_fn(|t| S::load_four(x[t].as_ptr()));
        add_products::<S, E, T, V, 0>(columns.start.add(d * columns.stride), &x, &mut totals);
    }
    for (t, totals) in totals.iter().enumerate() {
        for (v, total) in totals.iter().enumerate() {
            S::store(*total, sums_at(t, v));
        }
    }
    T
}

/// Adds the products of `V` vectors of numbers with number `INDEX` of four of each row.
#[inline(always)]
unsafe fn add_products<S: Simd, E: Element, const T: usize, const V: usize, const INDEX: usize>(
    numbers: *const u8,
    x: &[S::Four; T],
    totals: &mut [[S::F32; V]; T],
) {
    let numbers: [S::F32; V] = std::array::from_fn(|v| E::load::<S>(numbers.add(v * S::LANES * E::BYTES)));
    for (x, totals) in x.iter().zip(totals) {
        for (total, numbers) in totals.iter_mut().zip(numbers) {
            *total = S::fma_by::<INDEX>(numbers, *x, *total);
        }
    }
}
