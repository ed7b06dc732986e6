//! A few rows of activations times weights that are taken apart in registers.

// Pointers move within one panel and the rows of activations that belong to it, whose sizes `matmul` has checked.
#![allow(unsafe_op_in_unsafe_fn)]
// Indices that run over several arrays at once.
#![allow(clippy::needless_range_loop)]

use std::mem::MaybeUninit;
use std::ops::Range;

use super::{Output, PanelFormat};
use crate::activations::{Activations, RowPointers, START};
use crate::packed::layout::SUB_BLOCK;
use crate::packed::{PANEL_ROWS, PackedMatrix};
use crate::simd::Simd;

/// Rows of activations that are multiplied this way.
pub(crate) const MAX_ROWS: usize = 4;

/// Panels that are read beside each other: memory gives more to several streams than to one.
pub(crate) const STREAMS: usize = 4;
pub(crate) const CACHE_LINE: usize = 64;

/// The most vectors that a panel's rows are.
const MAX_VECTORS: usize = 8;

/// What the headers of a panel's block became, by vector, as many as there are.
type Headers<S, F> = [MaybeUninit<<F as PanelFormat>::Header<S>>; MAX_VECTORS];

/// A panel's block.
struct Block<'a, S: Simd, F: PanelFormat> {
    start: *const u8,
    headers: &'a Headers<S, F>,
}

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
    for first in panels.clone().step_by(STREAMS) {
        let panels = first..panels.end.min(first + STREAMS);
        match x.rows() {
            1 => multiply::<S, F, 1>(weights, x, panels, out),
            2 => multiply::<S, F, 2>(weights, x, panels, out),
            3 => multiply::<S, F, 3>(weights, x, panels, out),
            _ => multiply::<S, F, MAX_ROWS>(weights, x, panels, out),
        }
    }
}

/// At most [`STREAMS`] panels times `T` rows of activations, a sub-block of each panel in turns.
#[inline(always)]
unsafe fn multiply<S: Simd, F: PanelFormat, const T: usize>(
    weights: &PackedMatrix<'_>,
    x: &Activations,
    panels: Range<usize>,
    out: &Output<'_>,
) {
    let rows: [RowPointers; T] = std::array::from_fn(|t| x.row(t));
    let mut sums = [[[0.0f32; PANEL_ROWS]; T]; STREAMS];
    let streams: [*const u8; STREAMS] =
        std::array::from_fn(|stream| weights.panel(panels.start + stream % panels.len()).as_ptr());
    let mut headers: [Headers<S, F>; STREAMS] = [[const { MaybeUninit::uninit() }; MAX_VECTORS]; STREAMS];
    for index in 0..weights.cols() / SUB_BLOCK / F::SUB_BLOCKS {
        for (stream, headers) in streams.iter().zip(&mut headers).take(panels.len()) {
            for (vector, header) in headers.iter_mut().enumerate().take(PANEL_ROWS / S::LANES) {
                header.write(F::header::<S>(stream.add(index * F::BLOCK), vector));
            }
        }
        for sub in 0..F::SUB_BLOCKS {
            let rows: [RowPointers; T] = rows.map(|row| row.at((index * F::SUB_BLOCKS + sub) * SUB_BLOCK));
            for ((stream, headers), sums) in streams.iter().zip(&headers).zip(&mut sums).take(panels.len()) {
                let block = Block::<S, F> { start: stream.add(index * F::BLOCK), headers };
                match together::<S, F, T>() {
                    4 => add_sub_block::<S, F, T, 4>(block, sub, &rows, sums),
                    _ => add_sub_block::<S, F, T, 1>(block, sub, &rows, sums),
                }
            }
        }
    }
    for (panel, sums) in panels.zip(&sums) {
        for (row, sums) in sums.iter().enumerate() {
            out.write_panel(row, panel, sums);
        }
    }
}

/// Asks for a vector's share of what follows sub-block `sub` in a panel. The CPU's own prefetcher stops at the end of every page.
#[inline(always)]
unsafe fn ask_for_next<S: Simd, F: PanelFormat>(block: *const u8, sub: usize, vector: usize) {
    let (bytes, vectors) = (F::BLOCK / F::SUB_BLOCKS, PANEL_ROWS / S::LANES);
    let lines = bytes.div_ceil(CACHE_LINE);
    let share = lines.div_ceil(vectors);
    let last = lines.saturating_sub((vectors - 1) * share);
    let next = block.wrapping_add((sub + 1) * bytes + vector * share * CACHE_LINE);
    // Numbers that depend on the vector would cost more instructions than there are lines.
    for line in 0..last {
        S::prefetch(next.wrapping_add(line * CACHE_LINE));
    }
    if vector + 1 < vectors {
        for line in last..share {
            S::prefetch(next.wrapping_add(line * CACHE_LINE));
        }
    }
}

/// Vectors of a panel's rows that are multiplied at a time: where registers allow, four, so that none waits for itself.
const fn together<S: Simd, F: PanelFormat, const T: usize>() -> usize {
    let are_nibbles = F::LARGEST_CODE < 16;
    if are_nibbles && T == 1 && PANEL_ROWS / S::LANES == 4 { 4 } else { 1 }
}

/// Adds the products of a sub-block, of `V` vectors of its rows at a time.
#[inline(always)]
unsafe fn add_sub_block<S: Simd, F: PanelFormat, const T: usize, const V: usize>(
    block: Block<'_, S, F>,
    sub: usize,
    rows: &[RowPointers; T],
    sums: &mut [[f32; PANEL_ROWS]; T],
) {
    for first in (0..PANEL_ROWS / S::LANES).step_by(V) {
        (first..first + V).for_each(|vector| ask_for_next::<S, F>(block.start, sub, vector));
        add_vectors::<S, F, T, V>(&block, sub, first, rows, sums);
    }
}

/// Adds the products of the `V` vectors of a sub-block's rows from vector `first` on.
#[inline(always)]
unsafe fn add_vectors<S: Simd, F: PanelFormat, const T: usize, const V: usize>(
    block: &Block<'_, S, F>,
    sub: usize,
    first: usize,
    rows: &[RowPointers; T],
    sums: &mut [[f32; PANEL_ROWS]; T],
) {
    let planes = block.start.add(F::HEADER + sub * F::SUB_BLOCK);
    let headers: [&F::Header<S>; V] = std::array::from_fn(|v| block.headers[first + v].assume_init_ref());
    let sums_at: [[*mut f32; V]; T] =
        std::array::from_fn(|t| std::array::from_fn(|v| sums[t].as_mut_ptr().add((first + v) * S::LANES)));
    let mut sums: [[S::F32; V]; T] = sums_at.map(|sums| sums.map(|sums| S::load(sums)));
    let mut dots: [[S::Dots; V]; T] = std::array::from_fn(|t| [start::<S, F>(rows[t], 0, offset::<S, F>()); V]);
    add_sixteen::<S, F, T, V>(planes, 0, first, rows, &mut dots);
    if F::SCALES == 2 {
        for v in 0..V {
            let scale = F::scale::<S>(headers[v], block.start, sub, 0, first + v);
            for t in 0..T {
                sums[t][v] = add_scaled::<S, F>(sums[t][v], dots[t][v], scale, rows[t]);
                dots[t][v] = start::<S, F>(rows[t], 1, offset::<S, F>());
            }
        }
    }
    add_sixteen::<S, F, T, V>(planes, 1, first, rows, &mut dots);
    for v in 0..V {
        let scale = F::scale::<S>(headers[v], block.start, sub, F::SCALES - 1, first + v);
        for t in 0..T {
            sums[t][v] = add_scaled::<S, F>(sums[t][v], dots[t][v], scale, rows[t]);
        }
    }
    if F::HAS_MIN {
        for v in 0..V {
            let min = F::min::<S>(headers[v], sub);
            for t in 0..T {
                sums[t][v] = take_min::<S>(sums[t][v], min, rows[t]);
            }
        }
    }
    for t in 0..T {
        for v in 0..V {
            S::store(sums[t][v], sums_at[t][v]);
        }
    }
}

/// Adds the products of half `half` of a sub-block's columns, of `V` vectors of its rows.
#[inline(always)]
pub(super) unsafe fn add_sixteen<S: Simd, F: PanelFormat, const T: usize, const V: usize>(
    planes: *const u8,
    half: usize,
    first: usize,
    rows: &[RowPointers; T],
    dots: &mut [[S::Dots; V]; T],
) {
    let x: [S::Sixteen; T] = std::array::from_fn(|t| S::load_sixteen(rows[t].values.add(16 * half)));
    for v in 0..V {
        let (a, b) = F::codes::<S>(planes, first + v, 2 * half);
        for t in 0..T {
            dots[t][v] = dot::<S, F, 0>(dots[t][v], half, a, x[t]);
            dots[t][v] = dot::<S, F, 1>(dots[t][v], half, b, x[t]);
        }
    }
    for v in 0..V {
        let (a, b) = F::codes::<S>(planes, first + v, 2 * half + 1);
        for t in 0..T {
            dots[t][v] = dot::<S, F, 2>(dots[t][v], half, a, x[t]);
            dots[t][v] = dot::<S, F, 3>(dots[t][v], half, b, x[t]);
        }
    }
}

/// What a dot product of codes starts at that are larger than weights by `offset`, 0 or a power of two up to 128, so that it
/// becomes one of weights; of a sub-block's columns, or of its half `half`.
#[inline(always)]
pub(super) unsafe fn start<S: Simd, F: PanelFormat>(row: RowPointers, half: usize, offset: i32) -> S::Dots {
    if offset == 0 || F::TIMES_NON_NEGATIVE {
        return S::dots(S::splat_int(0));
    }
    let all = match (F::SCALES, half) {
        (1, _) => *row.starts,
        (_, 0) => *row.starts - *row.starts.add(1),
        _ => *row.starts.add(1),
    };
    // Exact: both are powers of two.
    S::dots(S::splat_int(all >> (-START / offset).ilog2()))
}

/// What is to be taken from each of a format's codes, as an instruction set multiplies them.
pub(super) const fn offset<S: Simd, F: PanelFormat>() -> i32 {
    if F::SIGNED { S::SIGNED_OFFSET } else { F::OFFSET }
}

/// Adds the products with group `GROUP` of `x`, which is half `half` of a sub-block's activations.
#[inline(always)]
pub(super) unsafe fn dot<S: Simd, F: PanelFormat, const GROUP: usize>(
    dots: S::Dots,
    half: usize,
    codes: S::Int,
    x: S::Sixteen,
) -> S::Dots {
    let dots = match (F::SIGNED, F::TIMES_NON_NEGATIVE) {
        (false, _) => S::dot_codes::<GROUP>(dots, codes, x),
        (true, false) => S::dot_signed::<GROUP>(dots, codes, x),
        (true, true) => S::dot_non_negative::<GROUP>(dots, codes, x),
    };
    let groups = 8 / F::SCALES;
    let at_a_time = match S::PRODUCTS_IN_16_BITS {
        0 => groups,
        products => groups.min(i16::MAX as usize / (products * F::LARGEST_CODE * 127)),
    };
    let group = 4 * half + GROUP;
    // What is complete is settled by the total.
    match (group + 1).is_multiple_of(at_a_time) && !(group + 1).is_multiple_of(groups) {
        true => S::settle(dots),
        false => dots,
    }
}

/// `sum + dots * (scale of the weights * scale of the activations)`.
#[inline(always)]
pub(super) unsafe fn add_scaled<S: Simd, F: PanelFormat>(
    sum: S::F32,
    dots: S::Dots,
    scale: S::F32,
    row: RowPointers,
) -> S::F32 {
    let of_activations = S::splat(*row.scales);
    let scale = if F::SCALES_ARE_1 { of_activations } else { S::mul(scale, of_activations) };
    S::fma(S::to_f32(S::total(dots)), scale, sum)
}

/// `sum - min * (sum of the activations)`.
#[inline(always)]
pub(super) unsafe fn take_min<S: Simd>(sum: S::F32, min: S::F32, row: RowPointers) -> S::F32 {
    S::neg_fma(min, S::splat(*row.scaled_sums), sum)
}
