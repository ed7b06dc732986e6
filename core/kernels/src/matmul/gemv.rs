//! GEMV: one to four rows of activations times weights that are unpacked in registers.

// Indices that run over several arrays at once.
#![allow(clippy::needless_range_loop)]

use std::mem::MaybeUninit;
use std::ops::Range;

use super::arithmetic::{add_block, add_scaled, min_factor, scaled_mins};
use super::sub_block::{add_multiples, dots};
use super::{BlockPointer, Output, PanelFormat};
use crate::activations::{Activations, RowPointers};
use crate::packed::layout::SUB_BLOCK;
use crate::packed::{PANEL_ROWS, PackedMatrix};
use crate::simd::Simd;

/// Rows of activations that are multiplied this way.
pub(crate) const MAX_ROWS: usize = 4;

/// Panels that are read beside each other: memory gives more to several streams than to one.
pub(crate) const STREAMS: usize = 4;
pub(crate) const CACHE_LINE: usize = 64;
/// How far ahead of what is multiplied each stream is asked for, at least: all streams together, the 8 KB that memory of 40 GB/s delivers in
/// the 200 ns that each of them takes.
pub(crate) const AHEAD: usize = 2048;

/// The most vectors that a panel's rows are.
const MAX_VECTORS: usize = 8;

/// What the headers of a panel's block became, by vector, as many as there are.
type Headers<S, F> = [MaybeUninit<<F as PanelFormat>::Header<S>>; MAX_VECTORS];

/// A panel's block, whose headers have been made.
struct Block<'a, S: Simd, F: PanelFormat> {
    start: BlockPointer<'a, F>,
    headers: &'a Headers<S, F>,
}

impl<S: Simd, F: PanelFormat> Block<'_, S, F> {
    #[inline(always)]
    fn header(&self, vector: usize) -> &F::Header<S> {
        debug_assert!(vector < PANEL_ROWS / S::LANES, "a vector of the panel's rows");
        // SAFETY: `multiply` writes one for each vector of the panel's rows before it makes a `Block`.
        unsafe { self.headers[vector].assume_init_ref() }
    }
}

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
    for first in panels.clone().step_by(STREAMS) {
        let panels = first..panels.end.min(first + STREAMS);
        // SAFETY: sizes fit, there are no more rows than are asked for, and these columns are written here alone, by `# Safety`; these
        // are at most `STREAMS` panels.
        unsafe {
            match x.rows() {
                2 if F::GEMV_ROWS > 1 => multiply::<S, F, 2>(s, weights, x, panels, out),
                3 if F::GEMV_ROWS > 1 => multiply::<S, F, 3>(s, weights, x, panels, out),
                4 if F::GEMV_ROWS > 1 => multiply::<S, F, MAX_ROWS>(s, weights, x, panels, out),
                _ => multiply::<S, F, 1>(s, weights, x, panels, out),
            }
        }
    }
}

/// What is summed of a panel: so far, and of the block at hand.
struct Sums<const T: usize> {
    all: [[f32; PANEL_ROWS]; T],
    block: [[i32; PANEL_ROWS]; T],
}

/// At most [`STREAMS`] panels times `T` rows of activations, a sub-block of each panel in turns.
///
/// # Safety
/// As of [`matmul`].
#[inline(always)]
unsafe fn multiply<S: Simd, F: PanelFormat, const T: usize>(
    s: S,
    weights: &PackedMatrix<'_>,
    x: &Activations,
    panels: Range<usize>,
    out: &Output<'_>,
) {
    let rows: [RowPointers<'_>; T] = std::array::from_fn(|t| x.row(t));
    let mut sums = [const { Sums { all: [[0.0f32; PANEL_ROWS]; T], block: [[0; PANEL_ROWS]; T] } }; STREAMS];
    let streams: [*const u8; STREAMS] =
        std::array::from_fn(|stream| weights.panel(panels.start + stream % panels.len()).as_ptr());
    let mut headers: [Headers<S, F>; STREAMS] = [[const { MaybeUninit::uninit() }; MAX_VECTORS]; STREAMS];
    for index in 0..weights.cols() / SUB_BLOCK / F::SUB_BLOCKS {
        // SAFETY: rows have as many columns as panels, by `# Safety`, and so this block's.
        let rows: [RowPointers<'_>; T] = rows.map(|row| unsafe { row.at(index * F::SUB_BLOCKS * SUB_BLOCK) });
        for (stream, headers) in streams.iter().zip(&mut headers).take(panels.len()) {
            // SAFETY: panels have `weights.cols()` columns each, and so a block `index`.
            let start = unsafe { BlockPointer::<F>::new(stream.add(index * F::BLOCK)) };
            for (vector, header) in headers.iter_mut().enumerate().take(PANEL_ROWS / S::LANES) {
                header.write(F::header(s, start, vector));
            }
        }
        for sub in 0..F::SUB_BLOCKS {
            // SAFETY: rows have this block's columns, of which these are a sub-block.
            let rows: [RowPointers<'_>; T] = rows.map(|row| unsafe { row.at(sub * SUB_BLOCK) });
            // SAFETY: panels have `weights.cols()` columns each, and so a block `index`.
            let start = |stream: *const u8| unsafe { BlockPointer::<F>::new(stream.add(index * F::BLOCK)) };
            if is_unrolled::<S, F, T>() && panels.len() == STREAMS {
                let [first, second, third, fourth] = &mut sums;
                let block = |stream: usize| Block::<S, F> { start: start(streams[stream]), headers: &headers[stream] };
                add_sub_block(s, block(0), sub, &rows, first);
                add_sub_block(s, block(1), sub, &rows, second);
                add_sub_block(s, block(2), sub, &rows, third);
                add_sub_block(s, block(3), sub, &rows, fourth);
                continue;
            }
            for ((stream, headers), sums) in streams.iter().zip(&headers).zip(&mut sums).take(panels.len()) {
                add_sub_block(s, Block::<S, F> { start: start(*stream), headers }, sub, &rows, sums);
            }
        }
        if F::HAS_MULTIPLIERS {
            for ((stream, headers), sums) in streams.iter().zip(&headers).zip(&mut sums).take(panels.len()) {
                // SAFETY: panels have `weights.cols()` columns each, and so a block `index`.
                let start = unsafe { BlockPointer::<F>::new(stream.add(index * F::BLOCK)) };
                let block = Block::<S, F> { start, headers };
                // SAFETY: blocks with multipliers have 256 columns, as groups of activations have then: each row is at the beginning of
                // one.
                unsafe { end_block::<S, F, T>(s, block, &rows, sums) };
            }
        }
    }
    for (panel, sums) in panels.zip(&sums) {
        for (row, sums) in sums.all.iter().enumerate() {
            // SAFETY: columns of these panels are written here alone, by `# Safety`.
            unsafe { out.write_panel(row, panel, sums) };
        }
    }
}

/// Adds what was summed of a block.
///
/// # Safety
/// Rows are at the beginning of a group of 256.
#[inline(always)]
unsafe fn end_block<S: Simd, F: PanelFormat, const T: usize>(
    s: S,
    block: Block<'_, S, F>,
    rows: &[RowPointers<'_>; T],
    sums: &mut Sums<T>,
) {
    for vector in 0..PANEL_ROWS / S::LANES {
        let scale = F::scale(s, block.start, vector);
        let mins = F::mins(s, block.header(vector));
        let min_scale = F::min_scale(s, block.start, vector);
        for t in 0..T {
            // SAFETY: the row is at the beginning of a group of 256, by `# Safety`.
            let mins = unsafe { scaled_mins::<S, F>(s, mins, min_scale, rows[t]) };
            let x_scale = s.splat(rows[t].scale());
            // SAFETY: there are sums for all of the panel's rows, of which the vector has some.
            unsafe {
                let sum = sums.all[t].as_mut_ptr().add(vector * S::LANES);
                let dots = s.load_int(sums.block[t].as_ptr().add(vector * S::LANES).cast());
                s.store(add_block::<S, F>(s, s.load(sum), dots, scale, mins, x_scale), sum);
            }
        }
    }
}

/// Asks for a vector's share of a sub-block that follows sub-block `sub` in a panel. The CPU's own prefetcher stops at the end of every page.
#[inline(always)]
fn ask_for_next<S: Simd, F: PanelFormat>(s: S, block: BlockPointer<'_, F>, sub: usize, vector: usize) {
    let (bytes, vectors) = (F::BLOCK / F::SUB_BLOCKS, PANEL_ROWS / S::LANES);
    let lines = bytes.div_ceil(CACHE_LINE);
    let share = lines.div_ceil(vectors);
    let last = lines.saturating_sub((vectors - 1) * share);
    let next = block.start().wrapping_add((sub + AHEAD.div_ceil(bytes)) * bytes + vector * share * CACHE_LINE);
    // Numbers that depend on the vector would cost more instructions than there are lines.
    for line in 0..last {
        s.prefetch(next.wrapping_add(line * CACHE_LINE));
    }
    if vector + 1 < vectors {
        for line in last..share {
            s.prefetch(next.wrapping_add(line * CACHE_LINE));
        }
    }
}

/// Vectors of a panel's rows that are multiplied at a time: where registers allow, four, so that none waits for itself.
const fn together<S: Simd, F: PanelFormat, const T: usize>() -> usize {
    let are_nibbles = F::LARGEST_CODE < 16;
    if are_nibbles && T == 1 && PANEL_ROWS / S::LANES == 4 { 4 } else { 1 }
}

/// Whether the sub-blocks of all streams are code one after the other, and not a loop: where that is little code, as codes need few
/// instructions and a panel few vectors, a CPU begins with the next while it waits for one.
const fn is_unrolled<S: Simd, F: PanelFormat, const T: usize>() -> bool {
    F::CODES_ARE_SIMPLE && T == 1 && 4 * S::LANES == CACHE_LINE
}

/// Adds the products of a sub-block.
#[inline(always)]
fn add_sub_block<S: Simd, F: PanelFormat, const T: usize>(
    s: S,
    block: Block<'_, S, F>,
    sub: usize,
    rows: &[RowPointers<'_>; T],
    sums: &mut Sums<T>,
) {
    match together::<S, F, T>() {
        4 => add_vectors::<S, F, T, 4>(s, block, sub, rows, sums),
        _ => add_vectors::<S, F, T, 1>(s, block, sub, rows, sums),
    }
}

/// Adds the products of a sub-block, of `V` vectors of its rows at a time.
#[inline(always)]
fn add_vectors<S: Simd, F: PanelFormat, const T: usize, const V: usize>(
    s: S,
    block: Block<'_, S, F>,
    sub: usize,
    rows: &[RowPointers<'_>; T],
    sums: &mut Sums<T>,
) {
    for first in (0..PANEL_ROWS / S::LANES).step_by(V) {
        (first..first + V).for_each(|vector| ask_for_next::<S, F>(s, block.start, sub, vector));
        match F::HAS_MULTIPLIERS {
            true => add_to_block::<S, F, T, V>(s, &block, sub, first, rows, &mut sums.block),
            false => add_to_all::<S, F, T, V>(s, &block, sub, first, rows, &mut sums.all),
        }
    }
}

/// Adds the products of the `V` vectors of a sub-block's rows from vector `first` on, of formats without multipliers.
#[inline(always)]
fn add_to_all<S: Simd, F: PanelFormat, const T: usize, const V: usize>(
    s: S,
    block: &Block<'_, S, F>,
    sub: usize,
    first: usize,
    rows: &[RowPointers<'_>; T],
    sums: &mut [[f32; PANEL_ROWS]; T],
) {
    let planes = block.start.planes(sub);
    for half in 0..F::SCALES {
        let dots = dots::<S, F, T, V>(s, block.start, planes, half, first, rows);
        for v in 0..V {
            let header = block.header(first + v);
            let scale = F::part_scale(s, header, block.start, sub, half, first + v);
            let min = F::part_min(s, header, block.start, sub, half, first + v);
            for t in 0..T {
                let at = sums[t].as_mut_ptr().wrapping_add((first + v) * S::LANES);
                // SAFETY: there are sums for all of the panel's rows, of which the vector has some.
                let mut sum = add_scaled::<S, F>(s, unsafe { s.load(at) }, dots[t][v], scale, rows[t]);
                if F::HAS_MIN {
                    sum = s.fma(min, s.splat(min_factor::<F>(rows[t], half)), sum);
                }
                // SAFETY: as above.
                unsafe { s.store(sum, at) };
            }
        }
    }
}

/// Adds the products of the `V` vectors of a sub-block's rows from vector `first` on, times their multipliers, to its block's.
#[inline(always)]
fn add_to_block<S: Simd, F: PanelFormat, const T: usize, const V: usize>(
    s: S,
    block: &Block<'_, S, F>,
    sub: usize,
    first: usize,
    rows: &[RowPointers<'_>; T],
    sums: &mut [[i32; PANEL_ROWS]; T],
) {
    let planes = block.start.planes(sub);
    let multiplier = |half, v: usize| F::multiplier(s, block.header(first + v), block.start, sub, half, first + v);
    let sums_at: [[*mut u8; V]; T] = std::array::from_fn(|t| {
        std::array::from_fn(|v| sums[t].as_mut_ptr().wrapping_add((first + v) * S::LANES).cast())
    });
    let mut sums: [[S::Int; V]; T] = match sub {
        0 => [[s.splat_int(0); V]; T],
        // SAFETY: there are sums for all of the panel's rows, of which the vectors have some.
        _ => sums_at.map(|sums| sums.map(|sums| unsafe { s.load_int(sums) })),
    };
    add_multiples::<S, F, T, V>(s, block.start, planes, first, rows, multiplier, &mut sums);
    for t in 0..T {
        for v in 0..V {
            // SAFETY: as above.
            unsafe { s.store_int(sums[t][v], sums_at[t][v]) };
        }
    }
}
