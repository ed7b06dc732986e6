//! GEMM: many rows of activations times a depth block of a panel, which is unpacked once for all of them.

// Pointers move within one panel, the rows of activations that belong to it, and the scratch below, whose sizes `matmul`
// has checked.
#![allow(unsafe_op_in_unsafe_fn)]
// Indices that run over several arrays at once.
#![allow(clippy::needless_range_loop)]

use std::marker::PhantomData;
use std::mem::MaybeUninit;
use std::ops::Range;

use super::arithmetic::{
    add_block, add_multiple, add_scaled, block_correction, correction, dot, has_two_parts, min_factor, offset,
    scaled_mins,
};
use super::depth_block::{self, DEPTH_BLOCK, DepthBlock, Next, Unpack};
use super::float::Rows;
use super::{Arithmetic, MatMul, Output, PanelFormat};
use crate::activations::{Activations, RowPointers};
use crate::packed::layout::{PLANE, SUB_BLOCK};
use crate::packed::{PANEL_ROWS, PackedMatrix};
use crate::simd::Simd;

/// An unpacked sub-block: codes `[group][row][4]`, up to two scales, or factors of its dot products, `[half][row]`, then minimums that
/// belong to scales, or what a block has once, `[row]`: each of its first sub-blocks has one of [`BLOCK_SCALE`] and those below. All
/// numbers have 32 bits: of each vector of rows, everything lies equally far from where a group or numbers begin.
pub(super) const SCALES: usize = 8 * PLANE;
const BLOCK_NUMBERS: usize = SCALES + 2 * PLANE;
pub(super) const EXPANDED: usize = BLOCK_NUMBERS + PLANE;
const _: () = assert!(PLANE == PANEL_ROWS * size_of::<f32>());

/// Bytes of an unpacked sub-block: where there are two scales and two minimums, one number more.
const fn expanded<A: Arithmetic>() -> usize {
    let has_four_numbers = A::HAS_MIN && !A::HAS_MULTIPLIERS && A::SCALES == 2;
    EXPANDED + has_four_numbers as usize * PLANE
}

/// Where a block's scales are, those of its minimums, and the minimums of its even sub-blocks and of its odd ones.
const BLOCK_SCALE: usize = BLOCK_NUMBERS;
const MIN_SCALE: usize = BLOCK_SCALE + EXPANDED;
const EVEN_MINS: usize = MIN_SCALE + EXPANDED;
const ODD_MINS: usize = EVEN_MINS + EXPANDED;

/// A depth block of a panel, `[sub-block]`, to be multiplied with activations. Vectors in it do not straddle cache lines.
#[repr(C, align(64))]
struct Expanded<'a, S, A> {
    bytes: MaybeUninit<[u8; DEPTH_BLOCK * (EXPANDED + PLANE)]>,
    x: &'a Activations,
    way: PhantomData<(S, A)>,
}

/// The columns of `panels` of the product of `x` with `weights`.
///
/// # Safety
/// `S` runs on this CPU, `unpack` is its [`unpack`] of such weights, sizes fit together, and nobody else writes those columns.
#[inline(always)]
pub(crate) unsafe fn matmul<S: MatMul, A: Arithmetic>(
    weights: &PackedMatrix<'_>,
    x: &Activations,
    panels: Range<usize>,
    out: &Output<'_>,
    unpack: Unpack,
) {
    let mut depth_block = Expanded::<S, A> { bytes: MaybeUninit::uninit(), x, way: PhantomData };
    depth_block::matmul(&mut depth_block, weights, x.rows(), panels, out, unpack);
}

impl<S: MatMul, A: Arithmetic> DepthBlock for Expanded<'_, S, A> {
    fn start(&mut self) -> *mut u8 {
        self.bytes.as_mut_ptr().cast()
    }

    #[inline(always)]
    unsafe fn multiply(&self, subs: Range<usize>, rows: Range<usize>, sums: Rows<*mut f32>, next: Next) {
        let mut row = rows.start;
        while row < rows.end {
            let done = row - rows.start;
            let sums = Rows { start: sums.start.add(done * sums.stride), ..sums };
            // The largest tiles, then smaller ones for what is left.
            let multiplied = match (S::largest_tile::<A>(), rows.end - row) {
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

impl<S: MatMul, A: Arithmetic> Expanded<'_, S, A> {
    /// `T` rows of activations from `row` on, with `V` vectors of the depth block at a time; returns how many rows that were.
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
            S::add_sub_blocks::<A, T, V>(subs.len(), weights, &rows, &mut sums);
            for (t, sums) in sums.iter().enumerate() {
                for (v, sums) in sums.iter().enumerate() {
                    S::store(*sums, sums_at(t, v));
                }
            }
        }
        T
    }
}

/// Unpacks `subs` sub-blocks, whole blocks from `block` on.
///
/// # Safety
/// `S` runs on this CPU; there are as many, and room for them.
#[inline(always)]
pub(super) unsafe fn unpack<S: MatMul, F: PanelFormat>(block: *const u8, subs: usize, depth_block: *mut u8) {
    for index in 0..subs / F::SUB_BLOCKS {
        for vector in 0..PANEL_ROWS / S::LANES {
            let to = depth_block.add(index * F::SUB_BLOCKS * expanded::<F::Unpacked<S>>() + vector * 4 * S::LANES);
            unpack_block::<S, F>(block.add(index * F::BLOCK), vector, to);
        }
    }
}

/// Unpacks a vector of a block's rows.
#[inline(always)]
unsafe fn unpack_block<S: MatMul, F: PanelFormat>(block: *const u8, vector: usize, to: *mut u8) {
    let header = F::header::<S>(block, vector);
    for sub in 0..F::SUB_BLOCKS {
        let planes = block.add(F::HEADER + sub * F::SUB_BLOCK);
        let to = to.add(sub * expanded::<F::Unpacked<S>>());
        let multiplier = |half| F::multiplier::<S>(&header, block, sub, half, vector);
        for pair in 0..4 {
            let (a, b) = F::codes::<S>(block, planes, vector, pair);
            let (a, b) = match <F::Unpacked<S>>::IS_MULTIPLIED {
                true => {
                    let factor = minus_byte::<S>(multiplier(pair / 2));
                    (multiplied::<S, F>(a, factor), multiplied::<S, F>(b, factor))
                }
                false => (add_offset::<S, F>(a), add_offset::<S, F>(b)),
            };
            S::store_int(a, to.add(2 * pair * PLANE));
            S::store_int(b, to.add((2 * pair + 1) * PLANE));
        }
        for half in 0..if <F::Unpacked<S>>::IS_MULTIPLIED { 0 } else { F::SCALES } {
            let to = to.add(SCALES + half * PLANE);
            if F::HAS_MULTIPLIERS {
                S::store_int(S::factor(multiplier(half)), to);
                continue;
            }
            if !F::SCALES_ARE_1 {
                S::store(F::part_scale::<S>(&header, block, sub, half, vector), to.cast());
            }
            if <F::Unpacked<S>>::HAS_MIN {
                let min = F::part_min::<S>(&header, block, sub, half, vector);
                S::store(min, to.add(F::SCALES * PLANE).cast());
            }
        }
    }
    if F::HAS_MULTIPLIERS {
        let sign = if <F::Unpacked<S>>::IS_MULTIPLIED { -1.0 } else { 1.0 };
        S::store(S::mul(F::scale::<S>(block, vector), S::splat(sign)), to.add(BLOCK_SCALE).cast());
        if F::HAS_MIN {
            let [even, odd] = F::mins::<S>(&header);
            S::store(F::min_scale::<S>(block, vector), to.add(MIN_SCALE).cast());
            S::store_int(even, to.add(EVEN_MINS));
            S::store_int(odd, to.add(ODD_MINS));
        }
    }
}

/// What is to be taken from each code of a depth block: where it is not zero, what the instruction set adds to signed ones, so that
/// [`correction`] needs no arithmetic.
const fn unpacked_offset<S: Simd, A: Arithmetic>() -> i32 {
    match offset::<S, A>() {
        0 => 0,
        offset if S::SIGNED_OFFSET == 0 => offset,
        _ => S::SIGNED_OFFSET,
    }
}

/// Adds to codes what makes their offset [`unpacked_offset`], as what they are unpacked to. No byte overflows, but where codes become signed.
#[inline(always)]
pub(super) unsafe fn add_offset<S: MatMul, F: PanelFormat>(codes: S::Int) -> S::Int {
    match unpacked_offset::<S, F::Unpacked<S>>() - offset::<S, F>() {
        0 => codes,
        more @ 1.. => S::add_int(codes, S::splat_int(more.wrapping_mul(0x0101_0101))),
        less => S::sub_bytes(codes, -less as u8),
    }
}

/// Minus the low byte of each lane, in all of its bytes.
#[inline(always)]
unsafe fn minus_byte<S: Simd>(x: S::Int) -> S::Int {
    let minus = S::mul_add_int(x, S::splat_int(-1), S::splat_int(0));
    S::mul_add_int(S::and(minus, S::splat_int(0xff)), S::splat_int(0x0101_0101), S::splat_int(0))
}

/// Codes times minus their multipliers: of Q3_K from −128, of the code 0 and the multiplier −32, to 124.
#[inline(always)]
unsafe fn multiplied<S: Simd, F: PanelFormat>(codes: S::Int, factor: S::Int) -> S::Int {
    S::signed_operand(S::mul_bytes(S::sub_bytes(codes, F::OFFSET as u8), factor))
}

/// Adds the products of `subs` unpacked sub-blocks, one block at least: of `V` vectors of rows of weights, from
/// `weights` on, with `T` rows of activations that follow each other.
///
/// # Safety
/// `S` runs on this CPU; weights and rows have as many sub-blocks.
#[inline(always)]
pub(super) unsafe fn add_sub_blocks<S: MatMul, A: Arithmetic, const T: usize, const V: usize>(
    subs: usize,
    weights: *const u8,
    rows: &[RowPointers; T],
    sums: &mut [[S::F32; V]; T],
) {
    for first in (0..subs).step_by(A::SPAN) {
        let (weights, rows) = (weights.add(first * expanded::<A>()), rows.map(|row| row.at(first * SUB_BLOCK)));
        match A::HAS_MULTIPLIERS {
            true => {
                let dots = match A::IS_MULTIPLIED {
                    true => block_dots::<S, A, T, V>(weights, &rows),
                    false => S::multiples::<A, T, V>(weights, &rows),
                };
                end_block::<S, A, T, V>(weights, &rows, &dots, sums);
            }
            false => add_sub_block::<S, A, T, V>(weights, &rows, sums),
        }
    }
}

#[inline(always)]
unsafe fn add_sub_block<S: Simd, A: Arithmetic, const T: usize, const V: usize>(
    weights: *const u8,
    rows: &[RowPointers; T],
    sums: &mut [[S::F32; V]; T],
) {
    let mut dots = corrections::<S, A, T, V>(rows, 0);
    add_half::<S, A, T, V, 0>(weights, rows, &mut dots);
    if A::SCALES == 2 {
        add_part::<S, A, T, V>(weights, rows, 0, &dots, sums);
        dots = corrections::<S, A, T, V>(rows, 1);
    }
    add_half::<S, A, T, V, 1>(weights, rows, &mut dots);
    add_part::<S, A, T, V>(weights, rows, A::SCALES - 1, &dots, sums);
}

/// What dot products of half `half` of a sub-block, or of all of it, start at.
#[inline(always)]
unsafe fn corrections<S: Simd, A: Arithmetic, const T: usize, const V: usize>(
    rows: &[RowPointers; T],
    half: usize,
) -> [[S::Dots; V]; T] {
    std::array::from_fn(|t| [correction::<S, A>(rows[t], half, unpacked_offset::<S, A>()); V])
}

/// Adds the dot products of a part of a sub-block that has a scale, and its minimums.
#[inline(always)]
unsafe fn add_part<S: Simd, A: Arithmetic, const T: usize, const V: usize>(
    weights: *const u8,
    rows: &[RowPointers; T],
    half: usize,
    dots: &[[S::Dots; V]; T],
    sums: &mut [[S::F32; V]; T],
) {
    for v in 0..V {
        let scale_at = weights.add(SCALES + half * PLANE + v * 4 * S::LANES);
        let scale = S::load(scale_at.cast());
        for t in 0..T {
            sums[t][v] = add_scaled::<S, A>(sums[t][v], dots[t][v], scale, rows[t]);
        }
        if A::HAS_MIN {
            let min = S::load(scale_at.add(A::SCALES * PLANE).cast());
            for t in 0..T {
                sums[t][v] = S::fma(min, S::splat(min_factor::<A>(rows[t], half)), sums[t][v]);
            }
        }
    }
}

/// The dot products of a block whose codes have been multiplied.
#[inline(always)]
unsafe fn block_dots<S: Simd, A: Arithmetic, const T: usize, const V: usize>(
    weights: *const u8,
    rows: &[RowPointers; T],
) -> [[S::Int; V]; T] {
    let mut dots = rows.map(|row| [block_correction::<S, A>(row, unpacked_offset::<S, A>()); V]);
    for sub in 0..A::SPAN {
        let (weights, rows) = (weights.add(sub * expanded::<A>()), rows.map(|row| row.at(sub * SUB_BLOCK)));
        add_half::<S, A, T, V, 0>(weights, &rows, &mut dots);
        add_half::<S, A, T, V, 1>(weights, &rows, &mut dots);
    }
    dots.map(|dots| dots.map(|dots| S::total(dots)))
}

/// The dot products of a block's sub-blocks, times their multipliers.
///
/// # Safety
/// `S` runs on this CPU; weights and rows have a block.
#[inline(always)]
pub(super) unsafe fn multiples<S: Simd, A: Arithmetic, const T: usize, const V: usize>(
    weights: *const u8,
    rows: &[RowPointers; T],
) -> [[S::Int; V]; T] {
    let mut sums = [[S::splat_int(0); V]; T];
    for sub in 0..A::SPAN {
        let (weights, rows) = (weights.add(sub * expanded::<A>()), rows.map(|row| row.at(sub * SUB_BLOCK)));
        let factors = weights.add(SCALES);
        let mut dots = corrections::<S, A, T, V>(&rows, 0);
        add_half::<S, A, T, V, 0>(weights, &rows, &mut dots);
        if has_two_parts::<S, A>() {
            add_dots::<S, A, T, V>(factors, &dots, &mut sums);
            dots = corrections::<S, A, T, V>(&rows, 1);
        }
        add_half::<S, A, T, V, 1>(weights, &rows, &mut dots);
        add_dots::<S, A, T, V>(factors.add((A::SCALES - 1) * PLANE), &dots, &mut sums);
    }
    sums
}

/// Adds a block's dot products less its minimums, with its scales.
#[inline(always)]
unsafe fn end_block<S: Simd, A: Arithmetic, const T: usize, const V: usize>(
    weights: *const u8,
    rows: &[RowPointers; T],
    dots: &[[S::Int; V]; T],
    sums: &mut [[S::F32; V]; T],
) {
    for v in 0..V {
        let weights = weights.add(v * 4 * S::LANES);
        let scale = S::load(weights.add(BLOCK_SCALE).cast());
        let (mins, min_scale) = match A::HAS_MIN {
            true => (
                [S::load_int(weights.add(EVEN_MINS)), S::load_int(weights.add(ODD_MINS))],
                S::load(weights.add(MIN_SCALE).cast()),
            ),
            // There is nothing to load.
            false => ([S::splat_int(0); 2], scale),
        };
        for t in 0..T {
            let mins = scaled_mins::<S, A>(mins, min_scale, rows[t]);
            sums[t][v] = add_block::<S, A>(sums[t][v], dots[t][v], scale, mins, S::splat(*rows[t].scales));
        }
    }
}

/// Adds the products of half `HALF` of a sub-block's columns.
#[inline(always)]
unsafe fn add_half<S: Simd, A: Arithmetic, const T: usize, const V: usize, const HALF: usize>(
    codes: *const u8,
    rows: &[RowPointers; T],
    dots: &mut [[S::Dots; V]; T],
) {
    let x: [S::Sixteen; T] = std::array::from_fn(|t| S::load_sixteen(rows[t].values.add(16 * HALF)));
    let codes = codes.add(4 * HALF * PLANE);
    add_group::<S, A, T, V, HALF, 0>(codes, &x, dots);
    add_group::<S, A, T, V, HALF, 1>(codes, &x, dots);
    add_group::<S, A, T, V, HALF, 2>(codes, &x, dots);
    add_group::<S, A, T, V, HALF, 3>(codes, &x, dots);
}

#[inline(always)]
unsafe fn add_group<S: Simd, A: Arithmetic, const T: usize, const V: usize, const HALF: usize, const GROUP: usize>(
    codes: *const u8,
    x: &[S::Sixteen; T],
    dots: &mut [[S::Dots; V]; T],
) {
    let codes: [S::Int; V] = std::array::from_fn(|v| S::load_int(codes.add(GROUP * PLANE + v * 4 * S::LANES)));
    for t in 0..T {
        for v in 0..V {
            dots[t][v] = dot::<S, A, GROUP>(dots[t][v], HALF, codes[v], x[t]);
        }
    }
}

/// Adds dot products times their factors.
#[inline(always)]
unsafe fn add_dots<S: Simd, A: Arithmetic, const T: usize, const V: usize>(
    factors: *const u8,
    dots: &[[S::Dots; V]; T],
    sums: &mut [[S::Int; V]; T],
) {
    for v in 0..V {
        let factor = S::load_int(factors.add(v * 4 * S::LANES));
        for t in 0..T {
            sums[t][v] = add_multiple::<S, A>(sums[t][v], dots[t][v], factor);
        }
    }
}
