//! GEMV for instruction sets that multiply with one lane of a vector of activations.
//!
//! This is [`crate::matmul::gemv`] with the same arithmetic in the same order, a panel at a time, whose sums stay in registers.

// Indices that run over several arrays at once.
#![allow(clippy::needless_range_loop)]

use std::mem::MaybeUninit;
use std::ops::Range;

use crate::activations::{Activations, RowPointers};
use crate::matmul::arithmetic::{self, add_scaled, min_factor, scaled_mins};
use crate::matmul::gemv::MAX_ROWS;
use crate::matmul::sub_block::{add_multiples, dots};
use crate::matmul::{BlockPointer, Output, PanelFormat};
use crate::packed::layout::SUB_BLOCK;
use crate::packed::{PANEL_ROWS, PackedMatrix};
use crate::simd::Simd;

/// The columns of `panels` of the product of `x` with `weights`.
///
/// # Safety
/// Sizes fit together as [`crate::Kernels::matmul`] checks, `x` has at most [`PanelFormat::GEMV_ROWS`] rows, and nobody else writes those
/// columns.
#[inline(always)]
pub(crate) unsafe fn matmul<S: Simd, F: PanelFormat>(
    s: S,
    weights: &PackedMatrix<'_>,
    x: &Activations,
    panels: Range<usize>,
    out: &Output<'_>,
) {
    for panel in panels {
        let bytes = weights.panel(panel).as_ptr();
        let blocks = weights.cols() / SUB_BLOCK / F::SUB_BLOCKS;
        // SAFETY: the panel and, as sizes fit, the rows have `blocks` blocks; there are no more rows than are asked for; these columns
        // are written here alone, by `# Safety`.
        unsafe {
            match x.rows() {
                2 if F::GEMV_ROWS > 1 => match together::<S, F>(2) {
                    4 => multiply::<S, F, 2, 4>(s, bytes, blocks, x, panel, out),
                    _ => multiply::<S, F, 2, 2>(s, bytes, blocks, x, panel, out),
                },
                3 if F::GEMV_ROWS > 1 => multiply::<S, F, 3, 2>(s, bytes, blocks, x, panel, out),
                4 if F::GEMV_ROWS > 1 => multiply::<S, F, MAX_ROWS, 2>(s, bytes, blocks, x, panel, out),
                _ => match together::<S, F>(1) {
                    8 => multiply::<S, F, 1, 8>(s, bytes, blocks, x, panel, out),
                    4 => multiply::<S, F, 1, 4>(s, bytes, blocks, x, panel, out),
                    _ => multiply::<S, F, 1, 2>(s, bytes, blocks, x, panel, out),
                },
            }
        }
    }
}

/// Vectors of a panel's rows that are multiplied at a time with one or two rows of activations: as many as took the fewest
/// instructions. Dot products that begin with 16 bits take two registers, and codes that are put together from several planes more
/// than others.
const fn together<S: Simd, F: PanelFormat>(rows: usize) -> usize {
    match (rows, S::PRODUCTS_IN_16_BITS > 0, F::LARGEST_CODE) {
        (1, _, 128..) | (1, false, ..16) => 8,
        (1, true, 32..128) | (2, true, 16..32) => 2,
        _ => 4,
    }
}

/// One panel, `V` vectors of its rows at a time, with `T` rows of activations.
///
/// # Safety
/// There are `blocks` of it and of the rows, and nobody else writes its columns.
#[inline(always)]
unsafe fn multiply<S: Simd, F: PanelFormat, const T: usize, const V: usize>(
    s: S,
    panel_bytes: *const u8,
    blocks: usize,
    x: &Activations,
    panel: usize,
    out: &Output<'_>,
) {
    let rows: [RowPointers<'_>; T] = std::array::from_fn(|t| x.row(t));
    let mut results = [[0.0f32; PANEL_ROWS]; T];
    for first in (0..PANEL_ROWS / S::LANES).step_by(V) {
        let mut sums = [[s.splat(0.0); V]; T];
        for block in 0..blocks {
            // SAFETY: panel and rows have `blocks` blocks, by `# Safety`. Groups of 256 activations begin where blocks of 256 weights
            // do.
            unsafe {
                let rows = rows.map(|row| row.at(block * F::SUB_BLOCKS * SUB_BLOCK));
                let block = BlockPointer::new(panel_bytes.add(block * F::BLOCK));
                match F::HAS_MULTIPLIERS {
                    true => add_block::<S, F, T, V>(s, block, first, &rows, &mut sums),
                    false => add_sub_blocks::<S, F, T, V>(s, block, first, &rows, &mut sums),
                }
            }
        }
        for (sums, results) in sums.iter().zip(&mut results) {
            for (v, sums) in sums.iter().enumerate() {
                s.store_slice(*sums, &mut results[(first + v) * S::LANES..]);
            }
        }
    }
    for (row, results) in results.iter().enumerate() {
        // SAFETY: columns of this panel are written here alone, by `# Safety`.
        unsafe { out.write_panel(row, panel, results) };
    }
}

/// Adds the products of a block without multipliers.
#[inline(always)]
fn add_sub_blocks<S: Simd, F: PanelFormat, const T: usize, const V: usize>(
    s: S,
    block: BlockPointer<'_, F>,
    first: usize,
    rows: &[RowPointers<'_>; T],
    sums: &mut [[S::F32; V]; T],
) {
    let headers: [F::Header<S>; V] = std::array::from_fn(|v| F::header(s, block, first + v));
    for sub in 0..F::SUB_BLOCKS {
        // SAFETY: the sub-block is one of the block's.
        let rows = rows.map(|row| unsafe { row.at(sub * SUB_BLOCK) });
        let planes = block.planes(sub);
        for half in 0..F::SCALES {
            let dots = dots::<S, F, T, V>(s, block, planes, half, first, &rows);
            for v in 0..V {
                let scale = F::part_scale(s, &headers[v], block, sub, half, first + v);
                let min = F::part_min(s, &headers[v], block, sub, half, first + v);
                for t in 0..T {
                    sums[t][v] = add_scaled::<S, F>(s, sums[t][v], dots[t][v], scale, rows[t]);
                    if F::HAS_MIN {
                        sums[t][v] = s.fma(min, s.splat(min_factor::<F>(rows[t], half)), sums[t][v]);
                    }
                }
            }
        }
    }
}

/// Adds the products of a block with multipliers. Where these are made from a header, they are made for all sub-blocks at once.
///
/// # Safety
/// Rows are at the beginning of a group of 256.
#[inline(always)]
unsafe fn add_block<S: Simd, F: PanelFormat, const T: usize, const V: usize>(
    s: S,
    block: BlockPointer<'_, F>,
    first: usize,
    rows: &[RowPointers<'_>; T],
    sums: &mut [[S::F32; V]; T],
) {
    let mut made: [[[MaybeUninit<S::Int>; 2]; 8]; V] = [[[MaybeUninit::uninit(); 2]; 8]; V];
    let mut mins = [[s.splat(0.0); V]; T];
    if F::HAS_HEADER {
        for (v, made) in made.iter_mut().enumerate() {
            let header = F::header(s, block, first + v);
            let (bytes, scale) = (F::mins(s, &header), F::min_scale(s, block, first + v));
            for t in 0..T {
                // SAFETY: the row is at the beginning of a group of 256, by `# Safety`.
                mins[t][v] = unsafe { scaled_mins::<S, F>(s, bytes, scale, rows[t]) };
            }
            for (sub, multipliers) in made.iter_mut().enumerate() {
                for (half, multiplier) in multipliers.iter_mut().enumerate().take(F::SCALES) {
                    multiplier.write(F::multiplier(s, &header, block, sub, half, first + v));
                }
            }
        }
    }
    let mut dots = [[s.splat_int(0); V]; T];
    for sub in 0..F::SUB_BLOCKS {
        let planes = block.planes(sub);
        let multiplier = |half: usize, v: usize| match F::HAS_HEADER {
            // SAFETY: each half of each sub-block that has a multiplier has been written above.
            true => unsafe { made[v][sub][half].assume_init() },
            false => F::multiplier(s, &F::header(s, block, first + v), block, sub, half, first + v),
        };
        // SAFETY: the sub-block is one of the block's.
        let rows = rows.map(|row| unsafe { row.at(sub * SUB_BLOCK) });
        add_multiples::<S, F, T, V>(s, block, planes, first, &rows, multiplier, &mut dots);
    }
    for v in 0..V {
        let scale = F::scale(s, block, first + v);
        for t in 0..T {
            let x_scale = s.splat(rows[t].scale());
            sums[t][v] = arithmetic::add_block::<S, F>(s, sums[t][v], dots[t][v], scale, mins[t][v], x_scale);
        }
    }
}
