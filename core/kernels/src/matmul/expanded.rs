//! Many rows of activations times a piece of a panel that is taken apart once for all of them.

// Pointers move within one panel, the rows of activations that belong to it, and the scratch below, whose sizes `matmul`
// has checked.
#![allow(unsafe_op_in_unsafe_fn)]
// Indices that run over several arrays at once.
#![allow(clippy::needless_range_loop)]

use std::mem::MaybeUninit;
use std::ops::Range;

use super::direct::{add_scaled, dot, offset, start, take_min};
use super::float::Rows;
use super::{Output, PanelFormat, Products};
use crate::activations::{Activations, RowPointers};
use crate::packed::layout::{PLANE, SUB_BLOCK};
use crate::packed::{PANEL_ROWS, PackedMatrix};
use crate::simd::Simd;

/// Sub-blocks of a panel that are taken apart at a time: 22 KB, to stay in a first-level cache.
const PIECE: usize = 16;
/// Rows of activations that a piece is multiplied with before the next.
const ROWS: usize = 128;

/// A sub-block that is taken apart: codes `[group][row][4]`, up to two scales `[scale][row]`, minimums `[row]`. Scales and minimums
/// are `f32`: of each vector of rows, everything lies equally far from where a group, scales or minimums begin.
pub(super) const SCALES: usize = 8 * PLANE;
pub(super) const MINS: usize = SCALES + 2 * PLANE;
pub(super) const EXPANDED: usize = MINS + PLANE;
const _: () = assert!(PLANE == PANEL_ROWS * size_of::<f32>());

/// A piece of a panel, ready to be multiplied, and what has been summed for the rows of activations so far. Vectors in it
/// do not straddle cache lines.
#[repr(C, align(64))]
struct Scratch {
    /// `[sub-block]`.
    piece: MaybeUninit<[u8; PIECE * EXPANDED]>,
    /// `[row of activations][row]`.
    sums: MaybeUninit<[[f32; PANEL_ROWS]; ROWS]>,
}

/// The columns of `panels` of the product of `x` with `weights`.
///
/// # Safety
/// `S` runs on this CPU, sizes fit together, and nobody else writes those columns.
#[inline(always)]
pub(crate) unsafe fn matmul<S: Products, F: PanelFormat>(
    weights: &PackedMatrix<'_>,
    x: &Activations,
    panels: Range<usize>,
    out: &Output<'_>,
) {
    let mut scratch = Scratch { piece: MaybeUninit::uninit(), sums: MaybeUninit::uninit() };
    let subs = weights.cols() / SUB_BLOCK;
    for panel in panels {
        let bytes = weights.panel(panel).as_ptr();
        for first_row in (0..x.rows()).step_by(ROWS) {
            let rows = first_row..x.rows().min(first_row + ROWS);
            // Sums of a short product are its results at once.
            let place = out.place(&rows, panel * PANEL_ROWS, PANEL_ROWS).filter(|_| subs <= PIECE);
            let sums = Rows { start: scratch.sums.as_mut_ptr().cast(), stride: PANEL_ROWS };
            let sums = place.map_or(sums, |start| Rows { start, stride: out.cols() });
            for first_sub in (0..subs).step_by(PIECE) {
                let piece = first_sub..subs.min(first_sub + PIECE);
                expand::<S, F>(bytes.add(first_sub / F::SUB_BLOCKS * F::BLOCK), piece.len(), &mut scratch);
                multiply::<S, F>(&scratch, piece, x, rows.clone(), sums);
            }
            if place.is_none() {
                for (row, sums) in rows.zip(scratch.sums.assume_init_ref()) {
                    out.write_panel(row, panel, sums);
                }
            }
        }
    }
}

/// Takes `subs` sub-blocks apart. A piece begins and ends with whole blocks.
#[inline(always)]
unsafe fn expand<S: Simd, F: PanelFormat>(block: *const u8, subs: usize, scratch: &mut Scratch) {
    let piece = scratch.piece.as_mut_ptr().cast::<u8>();
    for index in 0..subs / F::SUB_BLOCKS {
        let block = block.add(index * F::BLOCK);
        for vector in 0..PANEL_ROWS / S::LANES {
            let header = F::header::<S>(block, vector);
            for sub in 0..F::SUB_BLOCKS {
                let planes = block.add(F::HEADER + sub * F::SUB_BLOCK);
                let to = piece.add((index * F::SUB_BLOCKS + sub) * EXPANDED + vector * 4 * S::LANES);
                for pair in 0..4 {
                    let (a, b) = F::codes::<S>(planes, vector, pair);
                    S::store_int(lift::<S, F>(a), to.add(2 * pair * PLANE));
                    S::store_int(lift::<S, F>(b), to.add((2 * pair + 1) * PLANE));
                }
                if !F::SCALES_ARE_1 {
                    for part in 0..F::SCALES {
                        let scale = F::scale::<S>(&header, block, sub, part, vector);
                        S::store(scale, to.add(SCALES + part * PLANE).cast());
                    }
                }
                if F::HAS_MIN {
                    S::store(F::min::<S>(&header, sub), to.add(MINS).cast());
                }
            }
        }
    }
}

/// What is to be taken from each code of a piece: where it is not zero, what the instruction set adds to signed ones, so that
/// [`start`] needs no arithmetic.
const fn lifted<S: Simd, F: PanelFormat>() -> i32 {
    match offset::<S, F>() {
        0 => 0,
        offset if S::SIGNED_OFFSET == 0 => offset,
        _ => S::SIGNED_OFFSET,
    }
}

/// Adds to codes what makes their offset [`lifted`]. No byte overflows.
#[inline(always)]
unsafe fn lift<S: Simd, F: PanelFormat>(codes: S::Int) -> S::Int {
    match lifted::<S, F>() - offset::<S, F>() {
        0 => codes,
        more => S::add_int(codes, S::splat_int(more * 0x0101_0101)),
    }
}

#[inline(always)]
unsafe fn multiply<S: Products, F: PanelFormat>(
    scratch: &Scratch,
    piece: Range<usize>,
    x: &Activations,
    rows: Range<usize>,
    sums: Rows<*mut f32>,
) {
    let mut row = rows.start;
    while row < rows.end {
        let sums = Rows { start: sums.start.add((row - rows.start) * sums.stride), ..sums };
        // The largest tiles, then smaller ones for what is left.
        row += match (S::largest_tile::<F>(), rows.end - row) {
            ((6, 2), 6..) => tile::<S, F, 6, 2>(scratch, &piece, x, row, sums),
            ((4, 2), 4..) => tile::<S, F, 4, 2>(scratch, &piece, x, row, sums),
            ((3, 4), 3..) => tile::<S, F, 3, 4>(scratch, &piece, x, row, sums),
            (_, 3..) => tile::<S, F, 3, 2>(scratch, &piece, x, row, sums),
            _ => tile::<S, F, 1, 2>(scratch, &piece, x, row, sums),
        };
    }
}

/// `T` rows of activations from `row` on, with `V` vectors of the piece at a time.
#[inline(always)]
unsafe fn tile<S: Products, F: PanelFormat, const T: usize, const V: usize>(
    scratch: &Scratch,
    piece: &Range<usize>,
    x: &Activations,
    row: usize,
    sums: Rows<*mut f32>,
) -> usize {
    let rows: [RowPointers; T] = std::array::from_fn(|t| x.row(row + t).at(piece.start * SUB_BLOCK));
    for first in (0..PANEL_ROWS / S::LANES).step_by(V) {
        let sums_at = |t: usize, v: usize| sums.start.add(t * sums.stride + (first + v) * S::LANES);
        let mut sums: [[S::F32; V]; T] = match piece.start {
            0 => [[S::splat(0.0); V]; T],
            _ => std::array::from_fn(|t| std::array::from_fn(|v| S::load(sums_at(t, v)))),
        };
        let weights = scratch.piece.as_ptr().cast::<u8>().add(first * 4 * S::LANES);
        S::add_sub_blocks::<F, T, V>(piece.len(), weights, &rows, &mut sums);
        for (t, sums) in sums.iter().enumerate() {
            for (v, sums) in sums.iter().enumerate() {
                S::store(*sums, sums_at(t, v));
            }
        }
    }
    T
}

/// Adds the products of `subs` sub-blocks that are taken apart, one at least: of `V` vectors of rows of weights, from `weights`
/// on, with `T` rows of activations that follow each other.
///
/// # Safety
/// `S` runs on this CPU; weights and rows have as many sub-blocks.
#[inline(always)]
pub(super) unsafe fn add_sub_blocks<S: Simd, F: PanelFormat, const T: usize, const V: usize>(
    subs: usize,
    weights: *const u8,
    rows: &[RowPointers; T],
    sums: &mut [[S::F32; V]; T],
) {
    for index in 0..subs {
        let rows: [RowPointers; T] = std::array::from_fn(|t| rows[t].at(index * SUB_BLOCK));
        add_sub_block::<S, F, T, V>(weights.add(index * EXPANDED), &rows, sums);
    }
}

#[inline(always)]
unsafe fn add_sub_block<S: Simd, F: PanelFormat, const T: usize, const V: usize>(
    weights: *const u8,
    rows: &[RowPointers; T],
    sums: &mut [[S::F32; V]; T],
) {
    let scales = weights.add(SCALES).cast();
    let mut dots: [[S::Dots; V]; T] = std::array::from_fn(|t| [start::<S, F>(rows[t], 0, lifted::<S, F>()); V]);
    add_half::<S, F, T, V, 0>(weights, rows, &mut dots);
    if F::SCALES == 2 {
        add_dots::<S, F, T, V>(scales, rows, &dots, sums);
        dots = std::array::from_fn(|t| [start::<S, F>(rows[t], 1, lifted::<S, F>()); V]);
    }
    add_half::<S, F, T, V, 1>(weights, rows, &mut dots);
    add_dots::<S, F, T, V>(scales.add((F::SCALES - 1) * PANEL_ROWS), rows, &dots, sums);
    if F::HAS_MIN {
        for v in 0..V {
            let min = S::load(weights.add(MINS).cast::<f32>().add(v * S::LANES));
            for t in 0..T {
                sums[t][v] = take_min::<S>(sums[t][v], min, rows[t]);
            }
        }
    }
}

/// Adds the products of half `HALF` of a sub-block's columns.
#[inline(always)]
unsafe fn add_half<S: Simd, F: PanelFormat, const T: usize, const V: usize, const HALF: usize>(
    codes: *const u8,
    rows: &[RowPointers; T],
    dots: &mut [[S::Dots; V]; T],
) {
    let x: [S::Sixteen; T] = std::array::from_fn(|t| S::load_sixteen(rows[t].values.add(16 * HALF)));
    let codes = codes.add(4 * HALF * PLANE);
    add_group::<S, F, T, V, HALF, 0>(codes, &x, dots);
    add_group::<S, F, T, V, HALF, 1>(codes, &x, dots);
    add_group::<S, F, T, V, HALF, 2>(codes, &x, dots);
    add_group::<S, F, T, V, HALF, 3>(codes, &x, dots);
}

#[inline(always)]
unsafe fn add_group<S: Simd, F: PanelFormat, const T: usize, const V: usize, const HALF: usize, const GROUP: usize>(
    codes: *const u8,
    x: &[S::Sixteen; T],
    dots: &mut [[S::Dots; V]; T],
) {
    let codes: [S::Int; V] = std::array::from_fn(|v| S::load_int(codes.add(GROUP * PLANE + v * 4 * S::LANES)));
    for t in 0..T {
        for v in 0..V {
            dots[t][v] = dot::<S, F, GROUP>(dots[t][v], HALF, codes[v], x[t]);
        }
    }
}

/// Adds dot products times their scales.
#[inline(always)]
unsafe fn add_dots<S: Simd, F: PanelFormat, const T: usize, const V: usize>(
    scales: *const f32,
    rows: &[RowPointers; T],
    dots: &[[S::Dots; V]; T],
    sums: &mut [[S::F32; V]; T],
) {
    for v in 0..V {
        let scale = S::load(scales.add(v * S::LANES));
        for t in 0..T {
            sums[t][v] = add_scaled::<S, F>(sums[t][v], dots[t][v], scale, rows[t]);
        }
    }
}
