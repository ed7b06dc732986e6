//! Activations that several threads write.

use std::marker::PhantomData;
use std::ops::Range;
use std::slice;

use super::layout::{ActivationLayout, interleaved_rows};
use super::{ActivationRows, Activations, CORRECTIONS};
use crate::packed::layout::SUB_BLOCK;

/// [`Activations`] to be written by several threads, some rows by each.
#[derive(Debug)]
pub struct ActivationParts<'a> {
    rows: usize,
    cols: usize,
    layout: ActivationLayout,
    values: *mut i8,
    scales: *mut f32,
    corrections: *mut i32,
    sums: *mut i16,
    interleaved: *mut u8,
    lives: PhantomData<&'a mut Activations>,
}

// SAFETY: it stands for mutable slices of numbers, which any thread may use; that no two use the same part at once is the condition
// of `ActivationParts::part`.
unsafe impl Sync for ActivationParts<'_> {}

impl Activations {
    /// All rows, to be written by parts.
    pub fn parts_mut(&mut self) -> ActivationParts<'_> {
        ActivationParts {
            rows: self.rows,
            cols: self.cols,
            layout: self.layout,
            values: self.values.as_mut_ptr(),
            scales: self.scales.as_mut_ptr(),
            corrections: self.corrections.as_mut_ptr(),
            sums: self.sums.as_mut_ptr(),
            interleaved: self.interleaved.as_mut_ptr(),
            lives: PhantomData,
        }
    }
}

impl<'a> ActivationParts<'a> {
    /// How many parts there are, one at least where there are rows.
    #[allow(clippy::len_without_is_empty, reason = "there are rows")]
    pub fn len(&self) -> usize {
        self.rows.div_ceil(self.layout.tile_rows())
    }

    /// The rows of part `index`: those of a tile.
    pub fn rows(&self, index: usize) -> Range<usize> {
        let first = index * self.layout.tile_rows();
        first..self.rows.min(first + self.layout.tile_rows())
    }

    /// Part `index`, to be written by [`crate::Kernels::quantize`].
    ///
    /// # Safety
    /// No part is taken twice while an earlier one is in use.
    ///
    /// # Panics
    /// When there is no such part.
    pub unsafe fn part(&self, index: usize) -> ActivationRows<'a> {
        let rows = self.rows(index);
        assert!(!rows.is_empty(), "activation rows");
        let (subs, interleaved_row) = (self.cols / SUB_BLOCK, self.layout.interleaved_row(self.cols));
        // SAFETY: `Activations::parts_mut` borrowed arrays with as many numbers for each of `self.rows` rows, to which these belong; the
        // interleaved ones have them for an odd last row twice. Parts of different indices have different rows, tiles of an even number
        // of them but for the last, so that none meet; and this one is in no other use.
        unsafe {
            ActivationRows {
                group: self.layout.group,
                cols: self.cols,
                values: part(self.values, &rows, self.cols),
                scales: part(self.scales, &rows, subs),
                corrections: part(self.corrections, &rows, subs * CORRECTIONS),
                sums: part(self.sums, &rows, subs),
                interleaved: part(self.interleaved, &(rows.start..interleaved_rows(rows.end)), interleaved_row),
            }
        }
    }
}

/// Some rows of an array that has `each` numbers for each row.
///
/// # Safety
/// The array has these rows, and nobody else uses them for as long as `'a`.
unsafe fn part<'a, T>(start: *mut T, rows: &Range<usize>, each: usize) -> &'a mut [T] {
    // SAFETY: the rows are some of the array's, and used here alone.
    unsafe { slice::from_raw_parts_mut(start.add(rows.start * each), rows.len() * each) }
}
