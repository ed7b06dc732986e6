//! A few rows of activations, for instruction sets that multiply with one lane of a vector of activations.
//!
//! This is [`crate::matmul::direct`] with the same arithmetic in the same order. Multipliers that are made from a block's header are
//! made for all of its sub-blocks at once.

// Pointers move within one panel and the rows of activations that belong to it, whose sizes `matmul` has checked.
#![allow(unsafe_op_in_unsafe_fn)]
// Indices that run over several arrays at once.
#![allow(clippy::needless_range_loop)]

use std::mem::MaybeUninit;
use std::ops::Range;

use crate::activations::{Activations, RowPointers};
use crate::matmul::arithmetic::{self, add_block_less_mins, add_scaled, has_two_parts, offset, scaled_mins, start};
use crate::matmul::direct::{MAX_ROWS, add_sixteen};
use crate::matmul::{Output, PanelFormat};
use crate::packed::layout::SUB_BLOCK;
use crate::packed::{PANEL_ROWS, PackedMatrix};
use crate::simd::Simd;

/// The columns of `panels` of the product of `x` with `weights`.
///
/// # Safety
/// `S` runs on this CPU, sizes fit together, `x` has at most [`MAX_ROWS`] rows, and nobody else writes those columns.
#[inline(always)]
pub(crate) unsafe fn matmul<S: Simd, F: PanelFormat>(
    weights: &PackedMatrix<'_>,
    x: &Activations,
    panels: Range<usize>,
    out: &Output<'_>,
) {
    for panel in panels {
        let bytes = weights.panel(panel).as_ptr();
        let blocks = weights.cols() / SUB_BLOCK / F::SUB_BLOCKS;
        // As many vectors of its rows at a time as there are registers for, with dot products of two each where they begin with 16 bits.
        let is_narrow = S::PRODUCTS_IN_16_BITS > 0;
        match x.rows() {
            1 => match together::<S, F>() {
                8 => multiply::<S, F, 1, 8>(bytes, blocks, x, panel, out),
                4 => multiply::<S, F, 1, 4>(bytes, blocks, x, panel, out),
                _ => multiply::<S, F, 1, 2>(bytes, blocks, x, panel, out),
            },
            2 if is_narrow => multiply::<S, F, 2, 2>(bytes, blocks, x, panel, out),
            2 => multiply::<S, F, 2, 4>(bytes, blocks, x, panel, out),
            3 if is_narrow => multiply::<S, F, 3, 1>(bytes, blocks, x, panel, out),
            3 => multiply::<S, F, 3, 2>(bytes, blocks, x, panel, out),
            _ if is_narrow => multiply::<S, F, MAX_ROWS, 1>(bytes, blocks, x, panel, out),
            _ => multiply::<S, F, MAX_ROWS, 2>(bytes, blocks, x, panel, out),
        }
    }
}

/// Vectors at a time for one row of activations: fewer where codes are put together from several planes.
const fn together<S: Simd, F: PanelFormat>() -> usize {
    match (S::PRODUCTS_IN_16_BITS > 0, F::LARGEST_CODE) {
        (_, 128..) | (false, ..16) => 8,
        (true, 32..) => 2,
        _ => 4,
    }
}

/// One panel, `V` vectors of its rows at a time, with `T` rows of activations.
#[inline(always)]
unsafe fn multiply<S: Simd, F: PanelFormat, const T: usize, const V: usize>(
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
            let block = panel_bytes.add(block * F::BLOCK);
            match F::HAS_MULTIPLIERS {
                true => add_block::<S, F, T, V>(block, first, &rows, &mut sums),
                false => add_only_sub_block::<S, F, T, V>(block, first, &rows, &mut sums),
            }
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

/// Adds the products of a block that is one sub-block.
#[inline(always)]
unsafe fn add_only_sub_block<S: Simd, F: PanelFormat, const T: usize, const V: usize>(
    block: *const u8,
    first: usize,
    rows: &[RowPointers; T],
    sums: &mut [[S::F32; V]; T],
) {
    let planes = block.add(F::HEADER);
    let mut dots: [[S::Dots; V]; T] = std::array::from_fn(|t| [start::<S, F>(rows[t], 0, offset::<S, F>()); V]);
    add_sixteen::<S, F, T, V>(planes, 0, first, rows, &mut dots);
    add_sixteen::<S, F, T, V>(planes, 1, first, rows, &mut dots);
    for v in 0..V {
        let scale = F::scale::<S>(block, first + v);
        for t in 0..T {
            sums[t][v] = add_scaled::<S, F>(sums[t][v], dots[t][v], scale, rows[t]);
        }
    }
}

/// Multipliers of a block's sub-blocks, where they are made from its header.
type Multipliers<S> = [MaybeUninit<<S as Simd>::Int>; 8];

/// What dot products are multiplied with.
struct Factors<'a, S: Simd, F: PanelFormat, const V: usize> {
    headers: &'a [F::Header<S>; V],
    multipliers: &'a [Multipliers<S>; V],
}

impl<S: Simd, F: PanelFormat, const V: usize> Factors<'_, S, F, V> {
    #[inline(always)]
    unsafe fn of(&self, block: *const u8, sub: usize, half: usize, first: usize, v: usize) -> S::Int {
        S::factor(match F::HAS_MIN {
            true => self.multipliers[v][sub].assume_init(),
            false => F::multiplier::<S>(&self.headers[v], block, sub, half, first + v),
        })
    }
}

#[inline(always)]
unsafe fn add_block<S: Simd, F: PanelFormat, const T: usize, const V: usize>(
    block: *const u8,
    first: usize,
    rows: &[RowPointers; T],
    sums: &mut [[S::F32; V]; T],
) {
    let headers: [F::Header<S>; V] = std::array::from_fn(|v| F::header::<S>(block, first + v));
    let mut multipliers: [Multipliers<S>; V] = [[MaybeUninit::uninit(); 8]; V];
    let mut block_mins = [[S::splat(0.0); V]; T];
    if F::HAS_MIN {
        for (v, multipliers) in multipliers.iter_mut().enumerate() {
            // One at a time: registers do not hold all that `headers` would have, which nobody reads here.
            let header = F::header::<S>(block, first + v);
            let (mins, scale) = (F::mins::<S>(&header), F::min_scale::<S>(block, first + v));
            for t in 0..T {
                block_mins[t][v] = scaled_mins::<S>(mins, scale, rows[t]);
            }
            for (sub, multiplier) in multipliers.iter_mut().enumerate() {
                multiplier.write(F::multiplier::<S>(&header, block, sub, 0, first + v));
            }
        }
    }
    let mut multiples = [[S::splat_int(0); V]; T];
    let factors = Factors::<S, F, V> { headers: &headers, multipliers: &multipliers };
    for sub in 0..F::SUB_BLOCKS {
        add_multiples::<S, F, T, V>(block, sub, first, &factors, rows, &mut multiples);
    }
    for v in 0..V {
        let scale = F::scale::<S>(block, first + v);
        for t in 0..T {
            let (sum, dots) = (sums[t][v], multiples[t][v]);
            sums[t][v] = match F::HAS_MIN {
                true => add_block_less_mins::<S>(sum, dots, scale, block_mins[t][v], rows[t]),
                false => arithmetic::add_block::<S>(sum, dots, scale, rows[t]),
            };
        }
    }
}

/// Adds the products of a sub-block, times their multipliers.
#[inline(always)]
unsafe fn add_multiples<S: Simd, F: PanelFormat, const T: usize, const V: usize>(
    block: *const u8,
    sub: usize,
    first: usize,
    factors: &Factors<'_, S, F, V>,
    rows: &[RowPointers; T],
    sums: &mut [[S::Int; V]; T],
) {
    let planes = block.add(F::HEADER + sub * F::SUB_BLOCK);
    let rows = rows.map(|row| row.at(sub * SUB_BLOCK));
    let mut dots: [[S::Dots; V]; T] = std::array::from_fn(|t| [start::<S, F>(rows[t], 0, offset::<S, F>()); V]);
    add_sixteen::<S, F, T, V>(planes, 0, first, &rows, &mut dots);
    if has_two_parts::<S, F>() {
        for v in 0..V {
            let factor = factors.of(block, sub, 0, first, v);
            for t in 0..T {
                sums[t][v] = S::add_multiple(sums[t][v], dots[t][v], factor);
                dots[t][v] = start::<S, F>(rows[t], 1, offset::<S, F>());
            }
        }
    }
    add_sixteen::<S, F, T, V>(planes, 1, first, &rows, &mut dots);
    for v in 0..V {
        let factor = factors.of(block, sub, F::SCALES - 1, first, v);
        for t in 0..T {
            sums[t][v] = S::add_multiple(sums[t][v], dots[t][v], factor);
        }
    }
}
