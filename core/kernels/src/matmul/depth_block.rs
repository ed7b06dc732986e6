//! GEMM from outside: panel by panel, and in it depth block by depth block, each unpacked once for many rows of activations.

use std::mem::MaybeUninit;
use std::ops::Range;
use std::slice;

use super::Output;
use super::float::Rows;
use crate::packed::layout::{self, SUB_BLOCK};
use crate::packed::{PANEL_ROWS, PackedMatrix};
use crate::simd::Simd;

/// Sub-blocks of a depth block, at most: what is unpacked, about 20 KB, is to stay in a first-level cache.
pub(super) const DEPTH_BLOCK: usize = 16;
/// Rows of activations that a depth block is multiplied with before the next.
const ROWS: usize = 132;

/// Unpacks some sub-blocks, whole blocks from the first pointer on, into a depth block of a panel at the second. Its instructions must be
/// there, all of the sub-blocks, and room for them.
pub(crate) type Unpack = unsafe fn(*const u8, usize, *mut u8);

/// An unpacked depth block of a panel.
pub(super) trait DepthBlock {
    /// Where it is unpacked to.
    fn start(&mut self) -> *mut u8;

    /// Adds the products of the depth block, whose sub-blocks are `subs` of the panel's, with `rows` of the activations to `sums`, which
    /// begin with the first of `rows`; where `subs` begins with 0, sums are yet to be written. `next` is asked for on the way.
    ///
    /// # Safety
    /// Those sub-blocks have been unpacked at [`DepthBlock::start`], the activations have their columns, and `sums` has a panel's for
    /// each of the rows.
    unsafe fn multiply(&self, subs: Range<usize>, rows: Range<usize>, sums: Rows<*mut f32>, next: Next);
}

/// Weights that will be unpacked when some rows are multiplied.
#[derive(Clone, Copy)]
pub(super) struct Next {
    start: *const u8,
    /// How many bytes of them there are for each row.
    for_each_row: usize,
}

impl Next {
    /// Asks for the share of `rows`, of those that are to be multiplied.
    #[inline(always)]
    pub(super) fn ask_for<S: Simd>(self, s: S, rows: Range<usize>) {
        const LINE: usize = 64;
        for line in rows.start * self.for_each_row / LINE..rows.end * self.for_each_row / LINE {
            s.prefetch(self.start.wrapping_add(line * LINE));
        }
    }
}

/// The columns of `panels` of the product of `rows` rows of activations with `weights`.
///
/// # Safety
/// `depth_block` and `unpack` have their instructions and fit such weights, sizes fit together as [`crate::Kernels::matmul`] checks, and nobody
/// else writes those columns.
#[inline(always)]
pub(super) unsafe fn matmul<P: DepthBlock>(
    depth_block: &mut P,
    weights: &PackedMatrix<'_>,
    rows: usize,
    panels: Range<usize>,
    out: &Output<'_>,
    unpack: Unpack,
) {
    let format = weights.format();
    let (sub_blocks, block) = (format.block_len() / SUB_BLOCK, layout::block(format));
    // `[row of activations][row]`
    let mut sums = MaybeUninit::<[[f32; PANEL_ROWS]; ROWS]>::uninit();
    let subs = weights.cols() / SUB_BLOCK;
    let is_short = subs <= DEPTH_BLOCK;
    // Short products are attention's: their weights are in a cache, as other queries have just been multiplied with them.
    let asked_for = if is_short { 0 } else { DEPTH_BLOCK / sub_blocks * block };
    for panel in panels {
        let bytes = weights.panel(panel);
        for first_row in (0..rows).step_by(ROWS) {
            let rows = first_row..rows.min(first_row + ROWS);
            // Sums of a short product are its results at once.
            let place = out.place(&rows, panel * PANEL_ROWS, PANEL_ROWS).filter(|_| is_short);
            let scratch = Rows { start: sums.as_mut_ptr().cast(), stride: PANEL_ROWS };
            let to = place.map_or(scratch, |start| Rows { start, stride: out.cols() });
            for first in (0..subs).step_by(DEPTH_BLOCK) {
                let end = subs.min(first + DEPTH_BLOCK);
                let (blocks, next) = (&bytes[first / sub_blocks * block..], end / sub_blocks * block);
                let next = Next { start: bytes.as_ptr().wrapping_add(next), for_each_row: asked_for / rows.len() };
                // SAFETY: `unpack` and `depth_block` have their instructions and fit the weights, by `# Safety`; `blocks` begin with
                // the first of these sub-blocks, and `to` has a panel's sums for each of the rows.
                unsafe {
                    unpack(blocks.as_ptr(), end - first, depth_block.start());
                    depth_block.multiply(first..end, rows.clone(), to, next);
                }
            }
            if place.is_none() {
                // SAFETY: the depth blocks have written sums for all of the rows.
                let sums: &[[f32; PANEL_ROWS]] = unsafe { slice::from_raw_parts(sums.as_ptr().cast(), rows.len()) };
                for (row, sums) in rows.zip(sums) {
                    // SAFETY: columns of this panel are written here alone, by `# Safety`.
                    unsafe { out.write_panel(row, panel, sums) };
                }
            }
        }
    }
}
