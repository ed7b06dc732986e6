//! A few rows of activations, for instruction sets that multiply with one lane of a vector of activations.
//!
//! This is [`crate::matmul::direct`] with the same arithmetic in the same order. Scales and minimums that are made from a block's
//! header are made for all of its sub-blocks at once.

// Pointers move within one panel and the rows of activations that belong to it, whose sizes `matmul` has checked.
#![allow(unsafe_op_in_unsafe_fn)]
// Indices that run over several arrays at once.
#![allow(clippy::needless_range_loop)]

use std::mem::MaybeUninit;
use std::ops::Range;

use crate::activations::{Activations, RowPointers};
use crate::matmul::direct::{MAX_ROWS, add_scaled, add_sixteen, offset, start, take_min};
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

/// Scales and minimums of a block's sub-blocks, where both are made from its header: `[sub-block][scale, minimum]`.
type Factors<S> = [[MaybeUninit<<S as Simd>::F32>; 2]; 8];

#[inline(always)]
unsafe fn add_block<S: Simd, F: PanelFormat, const T: usize, const V: usize>(
    block: *const u8,
    first: usize,
    rows: &[RowPointers; T],
    sums: &mut [[S::F32; V]; T],
) {
    let headers: [F::Header<S>; V] = std::array::from_fn(|v| F::header::<S>(block, first + v));
    let mut factors: [Factors<S>; V] = [[[MaybeUninit::uninit(); 2]; 8]; V];
    if F::HAS_MIN {
        for (v, factors) in factors.iter_mut().enumerate() {
            // One at a time: registers do not hold all that `headers` would have, which nobody reads here.
            let header = F::header::<S>(block, first + v);
            for (sub, [scale, min]) in factors.iter_mut().enumerate() {
                scale.write(F::scale::<S>(&header, block, sub, 0, first + v));
                min.write(F::min::<S>(&header, sub));
            }
        }
    }
    for sub in 0..F::SUB_BLOCKS {
        let planes = block.add(F::HEADER + sub * F::SUB_BLOCK);
        let rows = rows.map(|row| row.at(sub * SUB_BLOCK));
        let scale = |v: usize, half| match F::HAS_MIN {
            true => factors[v][sub][0].assume_init(),
            false => F::scale::<S>(&headers[v], block, sub, half, first + v),
        };
        let mut dots: [[S::Dots; V]; T] = std::array::from_fn(|t| [start::<S, F>(rows[t], 0, offset::<S, F>()); V]);
        add_sixteen::<S, F, T, V>(planes, 0, first, &rows, &mut dots);
        if F::SCALES == 2 {
            for v in 0..V {
                let scale = scale(v, 0);
                for t in 0..T {
                    sums[t][v] = add_scaled::<S, F>(sums[t][v], dots[t][v], scale, rows[t]);
                    dots[t][v] = start::<S, F>(rows[t], 1, offset::<S, F>());
                }
            }
        }
        add_sixteen::<S, F, T, V>(planes, 1, first, &rows, &mut dots);
        for v in 0..V {
            let scale = scale(v, F::SCALES - 1);
            for t in 0..T {
                sums[t][v] = add_scaled::<S, F>(sums[t][v], dots[t][v], scale, rows[t]);
                if F::HAS_MIN {
                    sums[t][v] = take_min::<S>(sums[t][v], factors[v][sub][1].assume_init(), rows[t]);
                }
            }
        }
    }
}
