//! A few rows of activations, for instruction sets that multiply with one lane of a vector of activations.
//!
//! This is [`crate::matmul::direct`] with the same arithmetic in the same order. Activations are loaded 16 at a time, and a block's
//! scales are unpacked all at once.

// Pointers move within one panel and the rows of activations that belong to it, whose sizes `matmul` has checked.
#![allow(unsafe_op_in_unsafe_fn)]
// Indices that run over several arrays at once.
#![allow(clippy::needless_range_loop)]

use std::ops::Range;

use crate::activations::{Activations, RowPointers};
use crate::matmul::direct::{MAX_ROWS, add_scaled, add_sixteen, offset, start, take_min};
use crate::matmul::{CachedValues, Output, PanelFormat, Q4_0, Q4K, Q5K, Q6K, Q8_0};
use crate::packed::layout::{K_SCALES, PLANE, SECOND_HEADER, SUB_BLOCK};
use crate::packed::{PANEL_ROWS, PackedMatrix};
use crate::simd::Simd;

/// Four rows to a vector, four activations to a lane.
///
/// # Safety
/// As [`Simd`]'s.
pub(crate) trait ByLane: Simd {
    /// Byte `BYTE` of each lane.
    unsafe fn byte<const BYTE: usize>(x: Self::Int) -> Self::Int;

    /// The eight numbers of two bits in half `HALF` of each lane, as bits 4 and 5 of a lane's bytes: the even ones, and the
    /// odd ones.
    unsafe fn spread<const HALF: usize>(x: Self::Int) -> [Self::Int; 2];
}

/// The scales and minimums of a block, for the rows of one vector.
pub(crate) trait BlockNumbers: PanelFormat {
    type Numbers<S: ByLane>: Copy;

    /// # Safety
    /// As [`PanelFormat`]'s.
    unsafe fn numbers<S: ByLane>(block: *const u8, vector: usize) -> Self::Numbers<S>;

    /// See [`PanelFormat::scale`].
    ///
    /// # Safety
    /// As [`PanelFormat`]'s; `PAIR` is `SUB / 2`.
    unsafe fn scale_of<S: ByLane, const SUB: usize, const PAIR: usize>(
        numbers: Self::Numbers<S>,
        block: *const u8,
        half: usize,
        vector: usize,
    ) -> S::F32;

    /// See [`PanelFormat::min`].
    ///
    /// # Safety
    /// As [`PanelFormat`]'s; `PAIR` is `SUB / 2`.
    unsafe fn min_of<S: ByLane, const SUB: usize, const PAIR: usize>(_numbers: Self::Numbers<S>) -> S::F32 {
        S::splat(0.0)
    }
}

/// Blocks with nothing to unpack.
macro_rules! plain_numbers {
    ($($format:ty),+) => {
        $(impl BlockNumbers for $format {
            type Numbers<S: ByLane> = ();

            #[inline(always)]
            unsafe fn numbers<S: ByLane>(_block: *const u8, _vector: usize) {}

            #[inline(always)]
            unsafe fn scale_of<S: ByLane, const SUB: usize, const PAIR: usize>(
                _numbers: (),
                block: *const u8,
                half: usize,
                vector: usize,
            ) -> S::F32 {
                Self::scale::<S>(block, SUB, half, vector)
            }
        })+
    };
}

plain_numbers!(Q4_0, Q8_0, CachedValues, Q6K);

/// The 6-bit scales and minimums of Q4_K and Q5_K as bytes, those of even sub-blocks and of odd ones, and what they are
/// multiplied with.
#[derive(Clone, Copy)]
pub(crate) struct KNumbers<S: ByLane> {
    scales: [S::Int; 2],
    mins: [S::Int; 2],
    d: S::F32,
    dmin: S::F32,
}

macro_rules! k_numbers {
    ($($format:ty),+) => {
        $(impl BlockNumbers for $format {
            type Numbers<S: ByLane> = KNumbers<S>;

            #[inline(always)]
            unsafe fn numbers<S: ByLane>(block: *const u8, vector: usize) -> KNumbers<S> {
                let word = |index: usize| S::load_int(block.add(K_SCALES + index * PLANE + vector * 4 * S::LANES));
                let half = |at: usize| S::load_f16(block.add(at + vector * 2 * S::LANES));
                let high = word(2);
                KNumbers {
                    scales: six_bits::<S>(word(0), S::spread::<0>(high)),
                    mins: six_bits::<S>(word(1), S::spread::<1>(high)),
                    d: half(0),
                    dmin: half(SECOND_HEADER),
                }
            }

            #[inline(always)]
            unsafe fn scale_of<S: ByLane, const SUB: usize, const PAIR: usize>(
                numbers: KNumbers<S>,
                _block: *const u8,
                _half: usize,
                _vector: usize,
            ) -> S::F32 {
                S::mul(numbers.d, S::to_f32(S::byte::<PAIR>(numbers.scales[SUB % 2])))
            }

            #[inline(always)]
            unsafe fn min_of<S: ByLane, const SUB: usize, const PAIR: usize>(numbers: KNumbers<S>) -> S::F32 {
                S::mul(numbers.dmin, S::to_f32(S::byte::<PAIR>(numbers.mins[SUB % 2])))
            }
        })+
    };
}

k_numbers!(Q4K, Q5K);

/// Eight numbers: their low four bits are the nibbles of `low`.
#[inline(always)]
unsafe fn six_bits<S: ByLane>(low: S::Int, high: [S::Int; 2]) -> [S::Int; 2] {
    [S::or(S::low_nibbles(low), high[0]), S::or(S::high_nibbles(low), high[1])]
}

/// The columns of `panels` of the product of `x` with `weights`.
///
/// # Safety
/// `S` runs on this CPU, sizes fit together, `x` has at most [`MAX_ROWS`] rows, and nobody else writes those columns.
#[inline(always)]
pub(crate) unsafe fn matmul<S: ByLane, F: BlockNumbers>(
    weights: &PackedMatrix<'_>,
    x: &Activations,
    panels: Range<usize>,
    out: &Output<'_>,
) {
    for panel in panels {
        let bytes = weights.panel(panel).as_ptr();
        let blocks = weights.cols() / SUB_BLOCK / F::SUB_BLOCKS;
        // All of the panel at a time, or no more than registers hold the scales of.
        match (x.rows(), F::SUB_BLOCKS) {
            (1, 8) => multiply::<S, F, 1, 2>(bytes, blocks, x, panel, out),
            (1, _) if S::PRODUCTS_IN_16_BITS > 0 && !F::SIGNED => multiply::<S, F, 1, 4>(bytes, blocks, x, panel, out),
            (1, _) => multiply::<S, F, 1, 8>(bytes, blocks, x, panel, out),
            (2, _) => multiply::<S, F, 2, 2>(bytes, blocks, x, panel, out),
            (3, _) => multiply::<S, F, 3, 1>(bytes, blocks, x, panel, out),
            _ => multiply::<S, F, MAX_ROWS, 1>(bytes, blocks, x, panel, out),
        }
    }
}

/// One panel, `V` vectors of its rows at a time, with `T` rows of activations.
#[inline(always)]
unsafe fn multiply<S: ByLane, F: BlockNumbers, const T: usize, const V: usize>(
    panel_bytes: *const u8,
    blocks: usize,
    x: &Activations,
    panel: usize,
    out: &Output<'_>,
) {
    let rows: [RowPointers; T] = std::array::from_fn(|t| x.row(t));
    let mut results = [[0.0f32; PANEL_ROWS]; T];
    for first in (0..PANEL_ROWS / S::LANES).step_by(V) {
        let mut sums = [[S::splat(0.0); V]; T];
        for block in 0..blocks {
            let rows = rows.map(|row| row.at(block * F::SUB_BLOCKS * SUB_BLOCK));
            add_block::<S, F, T, V>(panel_bytes.add(block * F::BLOCK), first, &rows, &mut sums);
        }
        for (sums, results) in sums.iter().zip(&mut results) {
            for (v, sums) in sums.iter().enumerate() {
                S::store(*sums, results.as_mut_ptr().add((first + v) * S::LANES));
            }
        }
    }
    for (row, results) in results.iter().enumerate() {
        out.write_panel(row, panel, results);
    }
}

#[inline(always)]
unsafe fn add_block<S: ByLane, F: BlockNumbers, const T: usize, const V: usize>(
    block: *const u8,
    first: usize,
    rows: &[RowPointers; T],
    sums: &mut [[S::F32; V]; T],
) {
    let numbers: [F::Numbers<S>; V] = std::array::from_fn(|v| F::numbers::<S>(block, first + v));
    add_sub_block::<S, F, T, V, 0, 0>(block, &numbers, first, rows, sums);
    if F::SUB_BLOCKS == 8 {
        add_sub_block::<S, F, T, V, 1, 0>(block, &numbers, first, rows, sums);
        add_sub_block::<S, F, T, V, 2, 1>(block, &numbers, first, rows, sums);
        add_sub_block::<S, F, T, V, 3, 1>(block, &numbers, first, rows, sums);
        add_sub_block::<S, F, T, V, 4, 2>(block, &numbers, first, rows, sums);
        add_sub_block::<S, F, T, V, 5, 2>(block, &numbers, first, rows, sums);
        add_sub_block::<S, F, T, V, 6, 3>(block, &numbers, first, rows, sums);
        add_sub_block::<S, F, T, V, 7, 3>(block, &numbers, first, rows, sums);
    }
}

#[inline(always)]
unsafe fn add_sub_block<
    S: ByLane,
    F: BlockNumbers,
    const T: usize,
    const V: usize,
    const SUB: usize,
    const PAIR: usize,
>(
    block: *const u8,
    numbers: &[F::Numbers<S>; V],
    first: usize,
    rows: &[RowPointers; T],
    sums: &mut [[S::F32; V]; T],
) {
    let planes = block.add(F::HEADER + SUB * F::SUB_BLOCK);
    let rows = rows.map(|row| row.at(SUB * SUB_BLOCK));
    let mut dots: [[S::Dots; V]; T] = std::array::from_fn(|t| [start::<S, F>(rows[t], 0, offset::<S, F>()); V]);
    add_sixteen::<S, F, T, V>(planes, 0, first, &rows, &mut dots);
    if F::SCALES == 2 {
        for v in 0..V {
            let scale = F::scale_of::<S, SUB, PAIR>(numbers[v], block, 0, first + v);
            for t in 0..T {
                sums[t][v] = add_scaled::<S, F>(sums[t][v], dots[t][v], scale, rows[t]);
                dots[t][v] = start::<S, F>(rows[t], 1, offset::<S, F>());
            }
        }
    }
    add_sixteen::<S, F, T, V>(planes, 1, first, &rows, &mut dots);
    for v in 0..V {
        let scale = F::scale_of::<S, SUB, PAIR>(numbers[v], block, F::SCALES - 1, first + v);
        for t in 0..T {
            sums[t][v] = add_scaled::<S, F>(sums[t][v], dots[t][v], scale, rows[t]);
        }
        if F::HAS_MIN {
            let min = F::min_of::<S, SUB, PAIR>(numbers[v]);
            for t in 0..T {
                sums[t][v] = take_min::<S>(sums[t][v], min, rows[t]);
            }
        }
    }
}
