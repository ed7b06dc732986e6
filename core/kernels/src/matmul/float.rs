//! Products with numbers that are not quantized: weights, and the keys and values of attention.

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
    /// They can be read at `from`.
    unsafe fn load<S: Simd>(s: S, from: *const u8) -> S::F32;
}

impl Element for f32 {
    const BYTES: usize = 4;

    #[inline(always)]
    unsafe fn load<S: Simd>(s: S, from: *const u8) -> S::F32 {
        // SAFETY: `LANES` numbers can be read at `from`, by `# Safety`.
        unsafe { s.load(from.cast()) }
    }
}

impl Element for f16 {
    const BYTES: usize = 2;

    #[inline(always)]
    unsafe fn load<S: Simd>(s: S, from: *const u8) -> S::F32 {
        // SAFETY: `LANES` numbers can be read at `from`, by `# Safety`.
        unsafe { s.load_f16(from) }
    }
}

impl Element for bf16 {
    const BYTES: usize = 2;

    #[inline(always)]
    unsafe fn load<S: Simd>(s: S, from: *const u8) -> S::F32 {
        // SAFETY: `LANES` numbers can be read at `from`, by `# Safety`.
        unsafe { s.load_bf16(from) }
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
/// Sizes fit together as [`crate::Kernels::matmul_float`] checks, and nobody else uses those columns.
#[inline(always)]
pub(crate) unsafe fn matmul<S: Simd, E: Element>(
    s: S,
    weights: &PackedMatrix<'_>,
    x: &[f32],
    panels: Range<usize>,
    out: &Output<'_>,
) {
    // SAFETY: sizes fit, and these columns are written here alone, by `# Safety`; that is all that any `N` asks for.
    unsafe {
        match x.len() / weights.cols() {
            ..=GEMV_ROWS => matmul_rows::<S, E, GEMV_ROWS>(s, weights, x, panels, out),
            _ => matmul_rows::<S, E, ROWS>(s, weights, x, panels, out),
        }
    }
}

/// As above, `N` rows at a time.
///
/// # Safety
/// As there.
#[inline(always)]
unsafe fn matmul_rows<S: Simd, E: Element, const N: usize>(
    s: S,
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
            // SAFETY: the panel has `cols` times 32 numbers, `x` has `rows` times `cols`, and `sums` a panel's for each of the rows;
            // `width` is 16 or 32.
            unsafe { multiply_add::<S, E>(s, columns, width, x, rows, results) };
            for (row, sums) in sums[..rows].iter().enumerate() {
                // SAFETY: columns of this panel are used here alone, by `# Safety`.
                unsafe {
                    match out.adds() {
                        true => out.add_panel(tile * N + row, panel, sums),
                        false => out.write_panel(tile * N + row, panel, sums),
                    }
                }
            }
        }
    }
}

/// `sums[r][c] += Σ x[r][d] * columns[d][c]` for `rows` rows and `width` columns, a multiple of 16. The sum runs over `d` in
/// order.
///
/// # Safety
/// All of the numbers can be read, and the sums written.
#[inline(always)]
pub(crate) unsafe fn multiply_add<S: Simd, E: Element>(
    s: S,
    columns: Columns,
    width: usize,
    x: Rows<*const f32>,
    rows: usize,
    sums: Rows<*mut f32>,
) {
    let mut column = 0;
    while column < width {
        // SAFETY: columns and sums are `width` wide, by `# Safety`; no strip is wider than what is left of a multiple of 16.
        column += unsafe {
            let columns = Columns { start: columns.start.add(column * E::BYTES), ..columns };
            let sums = Rows { start: sums.start.add(column), ..sums };
            // As many vectors as there are registers for.
            match (S::LANES, width - column) {
                (4, _) => strip::<S, E, 4>(s, columns, x, rows, sums),
                (8, _) => strip::<S, E, 2>(s, columns, x, rows, sums),
                (_, 64..) => strip::<S, E, 4>(s, columns, x, rows, sums),
                (_, 32..) => strip::<S, E, 2>(s, columns, x, rows, sums),
                _ => strip::<S, E, 1>(s, columns, x, rows, sums),
            }
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
///
/// # Safety
/// All of the numbers can be read, and the sums written.
#[inline(always)]
unsafe fn strip<S: Simd, E: Element, const V: usize>(
    s: S,
    columns: Columns,
    x: Rows<*const f32>,
    rows: usize,
    sums: Rows<*mut f32>,
) -> usize {
    let width = V * S::LANES;
    if E::BYTES == size_of::<f32>() || rows <= TILE {
        // SAFETY: columns and sums are at least as wide, and all rows are there, by `# Safety`.
        unsafe { tiles::<S, E, V>(s, columns, x, rows, sums) };
        return width;
    }
    let mut widened = MaybeUninit::<Widened>::uninit();
    let widened = widened.as_mut_ptr().cast::<f32>();
    for first in (0..columns.depth).step_by(DEPTH_BLOCK / width) {
        let depth = (DEPTH_BLOCK / width).min(columns.depth - first);
        for d in 0..depth {
            for v in 0..V {
                // SAFETY: columns have this row and vector, by `# Safety`; and there is room for `DEPTH_BLOCK` numbers, of which
                // `depth` rows of `width` are no more.
                unsafe {
                    let from = columns.start.add((first + d) * columns.stride + v * S::LANES * E::BYTES);
                    s.store(E::load(s, from), widened.add(d * width + v * S::LANES));
                }
            }
        }
        let depth_block = Columns { start: widened.cast_const().cast(), stride: width * size_of::<f32>(), depth };
        // SAFETY: `depth` rows of `width` numbers have just been widened; rows of activations have as many from `first` on, and sums
        // are as above.
        unsafe { tiles::<S, f32, V>(s, depth_block, Rows { start: x.start.add(first), ..x }, rows, sums) };
    }
    width
}

/// `V` vectors of columns, for all rows.
///
/// # Safety
/// All of the numbers can be read, and the sums written.
#[inline(always)]
unsafe fn tiles<S: Simd, E: Element, const V: usize>(
    s: S,
    columns: Columns,
    x: Rows<*const f32>,
    rows: usize,
    sums: Rows<*mut f32>,
) {
    let mut row = 0;
    while row < rows {
        // SAFETY: all rows are there, by `# Safety`, and no tile has more than are left.
        row += unsafe {
            let x = Rows { start: x.start.add(row * x.stride), ..x };
            let sums = Rows { start: sums.start.add(row * sums.stride), ..sums };
            match (S::LANES, rows - row) {
                (16, TILE..) => tile::<S, E, TILE, V>(s, columns, x, sums),
                (_, 4..) => tile::<S, E, 4, V>(s, columns, x, sums),
                (_, 2..) => tile::<S, E, 2, V>(s, columns, x, sums),
                _ => tile::<S, E, 1, V>(s, columns, x, sums),
            }
        };
    }
}

/// `V` vectors of columns, for `T` rows; returns how many rows these are.
///
/// # Safety
/// All of the numbers can be read, and the sums written.
#[inline(always)]
unsafe fn tile<S: Simd, E: Element, const T: usize, const V: usize>(
    s: S,
    columns: Columns,
    x: Rows<*const f32>,
    sums: Rows<*mut f32>,
) -> usize {
    // SAFETY: `sums` has `V` vectors for each of `T` rows, by `# Safety`.
    let sums_at = |t: usize, v: usize| unsafe { sums.start.add(t * sums.stride + v * S::LANES) };
    let mut totals: [[S::F32; V]; T] = std::array::from_fn(|t| {
        // SAFETY: as above.
        std::array::from_fn(|v| unsafe { s.load(sums_at(t, v)) })
    });
    let fours = columns.depth / 4;
    for four in 0..fours {
        // SAFETY: columns and activations have `depth` rows and numbers, by `# Safety`, of which these are four.
        unsafe {
            let x: [S::Four; T] = std::array::from_fn(|t| s.load_four(x.start.add(t * x.stride + 4 * four)));
            let numbers = columns.start.add(4 * four * columns.stride);
            add_products::<S, E, T, V, 0>(s, numbers, &x, &mut totals);
            add_products::<S, E, T, V, 1>(s, numbers.add(columns.stride), &x, &mut totals);
            add_products::<S, E, T, V, 2>(s, numbers.add(2 * columns.stride), &x, &mut totals);
            add_products::<S, E, T, V, 3>(s, numbers.add(3 * columns.stride), &x, &mut totals);
        }
    }
    for d in 4 * fours..columns.depth {
        // Four of the same, of which one is taken.
        // SAFETY: columns and activations have a row and a number `d`, by `# Safety`; the fours live until they have been multiplied.
        unsafe {
            let x: [[f32; 4]; T] = std::array::from_fn(|t| [*x.start.add(t * x.stride + d); 4]);
            let x: [S::Four; T] = std::array::from_fn(|t| s.load_four(x[t].as_ptr()));
            add_products::<S, E, T, V, 0>(s, columns.start.add(d * columns.stride), &x, &mut totals);
        }
    }
    for (t, totals) in totals.iter().enumerate() {
        for (v, total) in totals.iter().enumerate() {
            // SAFETY: there is room for the vector.
            unsafe { s.store(*total, sums_at(t, v)) };
        }
    }
    T
}

/// Adds the products of `V` vectors of numbers with number `INDEX` of four of each row.
///
/// # Safety
/// The numbers can be read.
#[inline(always)]
unsafe fn add_products<S: Simd, E: Element, const T: usize, const V: usize, const INDEX: usize>(
    s: S,
    numbers: *const u8,
    x: &[S::Four; T],
    totals: &mut [[S::F32; V]; T],
) {
    // SAFETY: `V` vectors of numbers can be read, by `# Safety`.
    let numbers: [S::F32; V] = std::array::from_fn(|v| unsafe { E::load(s, numbers.add(v * S::LANES * E::BYTES)) });
    for (x, totals) in x.iter().zip(totals) {
        for (total, numbers) in totals.iter_mut().zip(numbers) {
            *total = s.fma_by::<INDEX>(numbers, *x, *total);
        }
    }
}
