//! Many rows of activations times a piece of a panel that is taken apart once for all of them.

// Pointers move within one panel, the rows of activations that belong to it, and the scratch below, whose sizes `matmul`
// has checked.
#![allow(unsafe_op_in_unsafe_fn)]
// Indices that run over several arrays at once.
#![allow(clippy::needless_range_loop)]

use std::marker::PhantomData;
use std::mem::MaybeUninit;
use std::ops::Range;

use super::arithmetic::{add_block, add_scaled, dot, has_two_parts, offset, scaled_mins, start};
use super::float::Rows;
use super::pieces::{self, Next, PIECE, Piece};
use super::{Output, PanelFormat, Products};
use crate::activations::{Activations, RowPointers};
use crate::packed::layout::{PLANE, SUB_BLOCK};
use crate::packed::{PANEL_ROWS, PackedMatrix};
use crate::simd::Simd;

/// A sub-block that is taken apart: codes `[group][row][4]`, up to two scales, or factors of its dot products, `[half][row]`, then
/// what a block has once, `[row]`: each of its first sub-blocks has one of [`BLOCK_SCALE`] and those below. All numbers have 32 bits:
/// of each vector of rows, everything lies equally far from where a group or numbers begin.
pub(super) const SCALES: usize = 8 * PLANE;
const BLOCK_NUMBERS: usize = SCALES + 2 * PLANE;
pub(super) const EXPANDED: usize = BLOCK_NUMBERS + PLANE;
const _: () = assert!(PLANE == PANEL_ROWS * size_of::<f32>());

/// Where a block's scales are, those of its minimums, and the minimums of its even sub-blocks and of its odd ones.
const BLOCK_SCALE: usize = BLOCK_NUMBERS;
const MIN_SCALE: usize = BLOCK_SCALE + EXPANDED;
const EVEN_MINS: usize = MIN_SCALE + EXPANDED;
const ODD_MINS: usize = EVEN_MINS + EXPANDED;

/// A piece of a panel, `[sub-block]`, to be multiplied with activations. Vectors in it do not straddle cache lines.
#[repr(C, align(64))]
struct Expanded<'a, S, F> {
    bytes: MaybeUninit<[u8; PIECE * EXPANDED]>,
    x: &'a Activations,
    way: PhantomData<(S, F)>,
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
    let mut piece = Expanded::<S, F> { bytes: MaybeUninit::uninit(), x, way: PhantomData };
    pieces::matmul::<F, _>(&mut piece, weights, x.rows(), panels, out);
}

impl<S: Products, F: PanelFormat> Piece for Expanded<'_, S, F> {
    const LANES: usize = S::LANES;

    #[inline(always)]
    unsafe fn take_apart(&mut self, block: *const u8, index: usize, vector: usize) {
        let piece = self.bytes.as_mut_ptr().cast::<u8>();
        expand::<S, F>(block, vector, piece.add(index * F::SUB_BLOCKS * EXPANDED + vector * 4 * S::LANES));
    }

    #[inline(always)]
    unsafe fn multiply(&self, subs: Range<usize>, rows: Range<usize>, sums: Rows<*mut f32>, next: Next) {
        let mut row = rows.start;
        while row < rows.end {
            let done = row - rows.start;
            let sums = Rows { start: sums.start.add(done * sums.stride), ..sums };
            // The largest tiles, then smaller ones for what is left.
            let multiplied = match (S::largest_tile::<F>(), rows.end - row) {
                ((6, 2), 6..) => self.tile::<6, 2>(&subs, row, sums),
                ((4, 2), 4..) => self.tile::<4, 2>(&subs, row, sums),
                ((3, 4), 3..) => self.tile::<3, 4>(&subs, row, sums),
                (_, 3..) => self.tile::<3, 2>(&subs, row, sums),
                _ => self.tile::<1, 2>(&subs, row, sums),
            };
            next.ask_for::<S>(done..done + multiplied);
            row += multiplied;
        }
    }
}

impl<S: Products, F: PanelFormat> Expanded<'_, S, F> {
    /// `T` rows of activations from `row` on, with `V` vectors of the piece at a time; returns how many rows that were.
    #[inline(always)]
    unsafe fn tile<const T: usize, const V: usize>(
        &self,
        subs: &Range<usize>,
        row: usize,
        sums: Rows<*mut f32>,
    ) -> usize {
        let rows: [RowPointers; T] = std::array::from_fn(|t| self.x.row(row + t).at(subs.start * SUB_BLOCK));
        for first in (0..PANEL_ROWS / S::LANES).step_by(V) {
            let sums_at = |t: usize, v: usize| sums.start.add(t * sums.stride + (first + v) * S::LANES);
            let mut sums: [[S::F32; V]; T] = match subs.start {
                0 => [[S::splat(0.0); V]; T],
                _ => std::array::from_fn(|t| std::array::from_fn(|v| S::load(sums_at(t, v)))),
            };
            let weights = self.bytes.as_ptr().cast::<u8>().add(first * 4 * S::LANES);
            S::add_sub_blocks::<F, T, V>(subs.len(), weights, &rows, &mut sums);
            for (t, sums) in sums.iter().enumerate() {
                for (v, sums) in sums.iter().enumerate() {
                    S::store(*sums, sums_at(t, v));
                }
            }
        }
        T
    }
}

/// Takes a block apart, of a vector of rows.
#[inline(always)]
unsafe fn expand<S: Simd, F: PanelFormat>(block: *const u8, vector: usize, to: *mut u8) {
    let header = F::header::<S>(block, vector);
    for sub in 0..F::SUB_BLOCKS {
        let planes = block.add(F::HEADER + sub * F::SUB_BLOCK);
        let to = to.add(sub * EXPANDED);
        for pair in 0..4 {
            let (a, b) = F::codes::<S>(planes, vector, pair);
            S::store_int(lift::<S, F>(a), to.add(2 * pair * PLANE));
            S::store_int(lift::<S, F>(b), to.add((2 * pair + 1) * PLANE));
        }
        for half in 0..F::SCALES * F::HAS_MULTIPLIERS as usize {
            let multiplier = F::multiplier::<S>(&header, block, sub, half, vector);
            S::store_int(S::factor(multiplier), to.add(SCALES + half * PLANE));
        }
    }
    if !F::SCALES_ARE_1 {
        let at = if F::HAS_MULTIPLIERS { BLOCK_SCALE } else { SCALES };
        S::store(F::scale::<S>(block, vector), to.add(at).cast());
    }
    if F::HAS_MIN {
        let [even, odd] = F::mins::<S>(&header);
        S::store(F::min_scale::<S>(block, vector), to.add(MIN_SCALE).cast());
        S::store_int(even, to.add(EVEN_MINS));
        S::store_int(odd, to.add(ODD_MINS));
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

/// Adds the products of `subs` sub-blocks that are taken apart, one block at least: of `V` vectors of rows of weights, from
/// `weights` on, with `T` rows of activations that follow each other.
///
/// # Safety
/// `S` runs on this CPU; weights and rows have as many sub-blocks.
#[inline(always)]
pub(super) unsafe fn add_sub_blocks<S: Products, F: PanelFormat, const T: usize, const V: usize>(
    subs: usize,
    weights: *const u8,
    rows: &[RowPointers; T],
    sums: &mut [[S::F32; V]; T],
) {
    for first in (0..subs).step_by(F::SUB_BLOCKS) {
        let (weights, rows) = (weights.add(first * EXPANDED), rows.map(|row| row.at(first * SUB_BLOCK)));
        match F::HAS_MULTIPLIERS {
            true => {
                let mut dots = [[S::splat_int(0); V]; T];
                add_multiples::<S, F, T, V>(weights, &rows, &mut dots);
                end_block::<S, F, T, V>(weights, &rows, &dots, sums);
            }
            false => add_sub_block::<S, F, T, V>(weights, &rows, sums),
        }
    }
}

#[inline(always)]
unsafe fn add_sub_block<S: Simd, F: PanelFormat, const T: usize, const V: usize>(
    weights: *const u8,
    rows: &[RowPointers; T],
    sums: &mut [[S::F32; V]; T],
) {
    let mut dots: [[S::Dots; V]; T] = std::array::from_fn(|t| [start::<S, F>(rows[t], 0, lifted::<S, F>()); V]);
    add_half::<S, F, T, V, 0>(weights, rows, &mut dots);
    add_half::<S, F, T, V, 1>(weights, rows, &mut dots);
    for v in 0..V {
        let scale = S::load(weights.add(SCALES + v * 4 * S::LANES).cast());
        for t in 0..T {
            sums[t][v] = add_scaled::<S, F>(sums[t][v], dots[t][v], scale, rows[t]);
        }
    }
}

/// Adds the dot products of a block's sub-blocks, times their multipliers, to `sums`.
#[inline(always)]
unsafe fn add_multiples<S: Simd, F: PanelFormat, const T: usize, const V: usize>(
    weights: *const u8,
    rows: &[RowPointers; T],
    sums: &mut [[S::Int; V]; T],
) {
    for sub in 0..F::SUB_BLOCKS {
        let (weights, rows) = (weights.add(sub * EXPANDED), rows.map(|row| row.at(sub * SUB_BLOCK)));
        let factors = weights.add(SCALES);
        let mut dots: [[S::Dots; V]; T] = std::array::from_fn(|t| [start::<S, F>(rows[t], 0, lifted::<S, F>()); V]);
        add_half::<S, F, T, V, 0>(weights, &rows, &mut dots);
        if has_two_parts::<S, F>() {
            add_dots::<S, T, V>(factors, &dots, sums);
            dots = std::array::from_fn(|t| [start::<S, F>(rows[t], 1, lifted::<S, F>()); V]);
        }
        add_half::<S, F, T, V, 1>(weights, &rows, &mut dots);
        add_dots::<S, T, V>(factors.add((F::SCALES - 1) * PLANE), &dots, sums);
    }
}

/// Adds a block's dot products less its minimums, with its scales.
#[inline(always)]
unsafe fn end_block<S: Simd, F: PanelFormat, const T: usize, const V: usize>(
    weights: *const u8,
    rows: &[RowPointers; T],
    dots: &[[S::Int; V]; T],
    sums: &mut [[S::F32; V]; T],
) {
    for v in 0..V {
        let weights = weights.add(v * 4 * S::LANES);
        let scale = S::load(weights.add(BLOCK_SCALE).cast());
        let (mins, min_scale) = match F::HAS_MIN {
            true => (
                [S::load_int(weights.add(EVEN_MINS)), S::load_int(weights.add(ODD_MINS))],
                S::load(weights.add(MIN_SCALE).cast()),
            ),
            // There is nothing to load.
            false => ([S::splat_int(0); 2], scale),
        };
        for t in 0..T {
            let mins = scaled_mins::<S, F>(mins, min_scale, rows[t]);
            sums[t][v] = add_block::<S, F>(sums[t][v], dots[t][v], scale, mins, S::splat(*rows[t].scales));
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

/// Adds dot products times their factors.
#[inline(always)]
unsafe fn add_dots<S: Simd, const T: usize, const V: usize>(
    factors: *const u8,
    dots: &[[S::Dots; V]; T],
    sums: &mut [[S::Int; V]; T],
) {
    for v in 0..V {
        let factor = S::load_int(factors.add(v * 4 * S::LANES));
        for t in 0..T {
            sums[t][v] = S::add_multiple(sums[t][v], dots[t][v], factor);
        }
    }
}
