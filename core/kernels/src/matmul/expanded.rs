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
use super::{Output, PanelFormat};
use crate::activations::{Activations, RowPointers};
use crate::packed::layout::{PLANE, SUB_BLOCK};
use crate::packed::{PANEL_ROWS, PackedMatrix};
use crate::simd::Simd;

/// Sub-blocks of a panel that are taken apart at a time: with their scales 22 KB, to stay in a first-level cache.
const PIECE: usize = 16;
/// Rows of activations that a piece is multiplied with before the next.
const ROWS: usize = 128;

/// A piece of a panel, ready to be multiplied, and what has been summed for the rows of activations so far. Vectors in it
/// do not straddle cache lines.
#[repr(C, align(64))]
struct Scratch {
    /// `[sub-block][group][row][4]`.
    codes: MaybeUninit<[u8; PIECE * 8 * PLANE]>,
    /// `[sub-block][scale][row]`.
    scales: MaybeUninit<[f32; PIECE * 2 * PANEL_ROWS]>,
    /// `[sub-block][row]`.
    mins: MaybeUninit<[f32; PIECE * PANEL_ROWS]>,
    /// `[row of activations][row]`.
    sums: MaybeUninit<[[f32; PANEL_ROWS]; ROWS]>,
}

/// The columns of `panels` of the product of `x` with `weights`.
///
/// # Safety
/// `S` runs on this CPU, sizes fit together, and nobody else writes those columns.
#[inline(always)]
pub(crate) unsafe fn matmul<S: Simd, F: PanelFormat>(
    weights: &PackedMatrix<'_>,
    x: &Activations,
    panels: Range<usize>,
    out: &Output<'_>,
) {
    let mut scratch = Scratch {
        codes: MaybeUninit::uninit(),
        scales: MaybeUninit::uninit(),
        mins: MaybeUninit::uninit(),
        sums: MaybeUninit::uninit(),
    };
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
    let codes = scratch.codes.as_mut_ptr().cast::<u8>();
    let scales = scratch.scales.as_mut_ptr().cast::<f32>();
    let mins = scratch.mins.as_mut_ptr().cast::<f32>();
    for index in 0..subs {
        let (block, sub) = (block.add(index / F::SUB_BLOCKS * F::BLOCK), index % F::SUB_BLOCKS);
        let planes = block.add(F::HEADER + sub * F::SUB_BLOCK);
        for vector in 0..PANEL_ROWS / S::LANES {
            let at = codes.add(index * 8 * PLANE + vector * 4 * S::LANES);
            for pair in 0..4 {
                let (a, b) = F::codes::<S>(planes, vector, pair);
                S::store_int(lift::<S, F>(a), at.add(2 * pair * PLANE));
                S::store_int(lift::<S, F>(b), at.add((2 * pair + 1) * PLANE));
            }
            for half in 0..F::SCALES {
                let at = scales.add((index * F::SCALES + half) * PANEL_ROWS + vector * S::LANES);
                S::store(F::scale::<S>(block, sub, half, vector), at);
            }
            if F::HAS_MIN {
                S::store(F::min::<S>(block, sub, vector), mins.add(index * PANEL_ROWS + vector * S::LANES));
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
unsafe fn multiply<S: Simd, F: PanelFormat>(
    scratch: &Scratch,
    piece: Range<usize>,
    x: &Activations,
    rows: Range<usize>,
    sums: Rows<*mut f32>,
) {
    let mut row = rows.start;
    while row < rows.end {
        let sums = Rows { start: sums.start.add((row - rows.start) * sums.stride), ..sums };
        // Tiles as large as the registers allow, then smaller ones for what is left.
        row += match (S::LANES, rows.end - row) {
            (16, 6..) => tile::<S, F, 6, 2>(scratch, &piece, x, row, sums),
            (_, 3..) => tile::<S, F, 3, 2>(scratch, &piece, x, row, sums),
            _ => tile::<S, F, 1, 2>(scratch, &piece, x, row, sums),
        };
    }
}

/// `T` rows of activations from `row` on, with `V` vectors of the piece at a time.
#[inline(always)]
unsafe fn tile<S: Simd, F: PanelFormat, const T: usize, const V: usize>(
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
        for index in 0..piece.len() {
            let rows: [RowPointers; T] = std::array::from_fn(|t| rows[t].at(index * SUB_BLOCK));
            add_sub_block::<S, F, T, V>(scratch, index, first, &rows, &mut sums);
        }
        for (t, sums) in sums.iter().enumerate() {
            for (v, sums) in sums.iter().enumerate() {
                S::store(*sums, sums_at(t, v));
            }
        }
    }
    T
}

#[inline(always)]
unsafe fn add_sub_block<S: Simd, F: PanelFormat, const T: usize, const V: usize>(
    scratch: &Scratch,
    index: usize,
    first: usize,
    rows: &[RowPointers; T],
    sums: &mut [[S::F32; V]; T],
) {
    let codes = scratch.codes.as_ptr().cast::<u8>().add(index * 8 * PLANE + first * 4 * S::LANES);
    let scales = scratch.scales.as_ptr().cast::<f32>().add(index * F::SCALES * PANEL_ROWS + first * S::LANES);
    let mins = scratch.mins.as_ptr().cast::<f32>().add(index * PANEL_ROWS + first * S::LANES);
    let mut dots: [[S::Dots; V]; T] = std::array::from_fn(|t| [start::<S, F>(rows[t], 0, lifted::<S, F>()); V]);
    add_half::<S, F, T, V, 0>(codes, rows, &mut dots);
    if F::SCALES == 2 {
        add_dots::<S, F, T, V>(scales, rows, &dots, sums);
        dots = std::array::from_fn(|t| [start::<S, F>(rows[t], 1, lifted::<S, F>()); V]);
    }
    add_half::<S, F, T, V, 1>(codes, rows, &mut dots);
    add_dots::<S, F, T, V>(scales.add((F::SCALES - 1) * PANEL_ROWS), rows, &dots, sums);
    if F::HAS_MIN {
        for v in 0..V {
            let min = S::load(mins.add(v * S::LANES));
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
