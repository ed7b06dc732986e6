//! A few rows of activations, for instruction sets that multiply with one lane of a vector of activations.
//!
//! This is [`crate::matmul::direct`] with the same arithmetic in the same order. Which of a block's sub-blocks is multiplied is known
//! when it is compiled, and what the block's header became stays in registers.

// Pointers move within one panel and the rows of activations that belong to it, whose sizes `matmul` has checked.
#![allow(unsafe_op_in_unsafe_fn)]
// Indices that run over several arrays at once.
#![allow(clippy::needless_range_loop)]

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

#[inline(always)]
unsafe fn add_block<S: Simd, F: PanelFormat, const T: usize, const V: usize>(
    block: *const u8,
    first: usize,
    rows: &[RowPointers; T],
    sums: &mut [[S::F32; V]; T],
) {
    let headers: [F::Header<S>; V] = std::array::from_fn(|v| F::header::<S>(block, first + v));
    add_sub_block::<S, F, T, V>(block, &headers, 0, first, rows, sums);
    if F::SUB_BLOCKS == 8 {
        add_sub_block::<S, F, T, V>(block, &headers, 1, first, rows, sums);
        add_sub_block::<S, F, T, V>(block, &headers, 2, first, rows, sums);
        add_sub_block::<S, F, T, V>(block, &headers, 3, first, rows, sums);
        add_sub_block::<S, F, T, V>(block, &headers, 4, first, rows, sums);
        add_sub_block::<S, F, T, V>(block, &headers, 5, first, rows, sums);
        add_sub_block::<S, F, T, V>(block, &headers, 6, first, rows, sums);
        add_sub_block::<S, F, T, V>(block, &headers, 7, first, rows, sums);
    }
}

#[inline(always)]
unsafe fn add_sub_block<S: Simd, F: PanelFormat, const T: usize, const V: usize>(
    block: *const u8,
    headers: &[F::Header<S>; V],
    sub: usize,
    first: usize,
    rows: &[RowPointers; T],
    sums: &mut [[S::F32; V]; T],
) {
    let planes = block.add(F::HEADER + sub * F::SUB_BLOCK);
    let rows = rows.map(|row| row.at(sub * SUB_BLOCK));
    let mut dots: [[S::Dots; V]; T] = std::array::from_fn(|t| [start::<S, F>(rows[t], 0, offset::<S, F>()); V]);
    add_sixteen::<S, F, T, V>(planes, 0, first, &rows, &mut dots);
    if F::SCALES == 2 {
        for v in 0..V {
            let scale = F::scale::<S>(&headers[v], block, sub, 0, first + v);
            for t in 0..T {
                sums[t][v] = add_scaled::<S, F>(sums[t][v], dots[t][v], scale, rows[t]);
                dots[t][v] = start::<S, F>(rows[t], 1, offset::<S, F>());
            }
        }
    }
    add_sixteen::<S, F, T, V>(planes, 1, first, &rows, &mut dots);
    for v in 0..V {
        let scale = F::scale::<S>(&headers[v], block, sub, F::SCALES - 1, first + v);
        for t in 0..T {
            sums[t][v] = add_scaled::<S, F>(sums[t][v], dots[t][v], scale, rows[t]);
        }
        if F::HAS_MIN {
            let min = F::min::<S>(&headers[v], sub);
            for t in 0..T {
                sums[t][v] = take_min::<S>(sums[t][v], min, rows[t]);
            }
        }
    }
}
