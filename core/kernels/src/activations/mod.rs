//! Activations rounded to eight bits, 32 or 256 at a time.

mod layout;
mod parts;
mod rounding;

use std::marker::PhantomData;

use crate::blocks::{QK, QK_K};
use crate::packed::layout::SUB_BLOCK;
use crate::simd::Simd;
pub use layout::ActivationLayout;
pub(crate) use layout::Interleaving;
use layout::{MOST_INTERLEAVED, interleaved_rows};
pub use parts::ActivationParts;
pub(crate) use rounding::{WHOLE, quantize, scale_and_inverse};

/// What is kept of a sum of values: minus what codes with 128 added make a dot product too large by.
pub(crate) const CORRECTION: i32 = -128;

/// The same for products that are added in 16 bits, neighbours to one sum, and codes with 32 added: of 16 values, what two lanes
/// of 16 bits start at, side by side.
pub(crate) const NARROW_CORRECTION: i32 = -32;

/// Numbers in a sub-block's corrections.
const CORRECTIONS: usize = 4;
/// Sums in a group of 256 values.
pub(crate) const GROUP_SUMS: usize = QK_K / SUB_BLOCK;
/// Their order: as the bytes of two words lie that are unpacked into halves of 16 bits.
pub(crate) const SUM_ORDER: [usize; GROUP_SUMS] = [0, 4, 2, 6, 1, 5, 3, 7];

/// Rows of activations as signed bytes, with a scale for every group of 32 or of 256: `x ≈ scale * value`, off by at most half a
/// scale. Groups are as long as the blocks of the weights that are to be multiplied.
///
/// What sums of the values are needed for is kept beside them: weights are stored as unsigned codes, and what an offset or a
/// minimum takes from each code, it takes from a dot product as a multiple of that sum. Where the tiles of many rows read them
/// interleaved, they are kept so, too.
#[derive(Debug, Clone, Default)]
pub struct Activations {
    rows: usize,
    cols: usize,
    layout: ActivationLayout,
    /// `[rows, cols]`, from −127 to 127.
    values: Vec<i8>,
    /// `[rows, cols / 32]`, those of a group all the same.
    scales: Vec<f32>,
    /// `[rows, cols / 32, 4]`: [`CORRECTION`] times the sums of a sub-block's values, and of its second half's; then the pairs of
    /// [`NARROW_CORRECTION`] of the first half and of the second.
    corrections: Vec<i32>,
    /// `[rows, cols / 256, 8]`, of groups of 256: the sums of each 32 values, in [`SUM_ORDER`].
    sums: Vec<i16>,
    /// As tiles read them, of a tile after the other. It never shrinks, so that it is not cleared again and again.
    interleaved: Vec<u8>,
}

/// One or more rows of [`Activations`], to be written.
#[derive(Debug)]
pub struct ActivationRows<'a> {
    /// Values that share a scale: 32 or 256.
    pub group: usize,
    /// Values in a row.
    pub cols: usize,
    /// `cols` for each row.
    pub values: &'a mut [i8],
    /// `cols / 32` for each row.
    pub scales: &'a mut [f32],
    /// `cols / 8` for each row.
    pub corrections: &'a mut [i32],
    /// `cols / 32` for each row.
    pub sums: &'a mut [i16],
    /// The same rows as tiles read them, from a tile's first row on; nothing where they read rows one after the other.
    pub interleaved: &'a mut [u8],
}

/// A row from one of its sub-blocks on: pointers, so that going on to the next costs no checks.
#[derive(Clone, Copy)]
pub(crate) struct RowPointers<'a> {
    values: *const i8,
    scales: *const f32,
    corrections: *const i32,
    sums: *const i16,
    lives: PhantomData<&'a Activations>,
}

impl Activations {
    /// Bytes for `rows` rows of `cols` values, at most.
    pub const fn bytes(rows: usize, cols: usize) -> usize {
        rows * cols
            + (cols / SUB_BLOCK) * (rows * (4 * CORRECTIONS + 4 + 2) + interleaved_rows(rows) * MOST_INTERLEAVED)
    }

    /// No rows, with memory for `rows` of `cols` values.
    pub fn with_capacity(rows: usize, cols: usize) -> Self {
        let subs = cols / SUB_BLOCK;
        Self {
            rows: 0,
            cols,
            layout: ActivationLayout::default(),
            values: Vec::with_capacity(rows * cols),
            scales: Vec::with_capacity(rows * subs),
            corrections: Vec::with_capacity(rows * subs * CORRECTIONS),
            sums: Vec::with_capacity(rows * subs),
            interleaved: Vec::with_capacity(interleaved_rows(rows) * subs * MOST_INTERLEAVED),
        }
    }

    /// Room for `rows` rows of `cols` values, laid out as the products want them that are to read them. Does not allocate where there
    /// was as much before. What the rows hold is unspecified until they are written.
    ///
    /// # Panics
    /// When `cols` is zero or not a multiple of the layout's groups.
    pub fn resize(&mut self, rows: usize, cols: usize, layout: ActivationLayout) {
        let group = layout.group;
        assert!([QK, QK_K].contains(&group) && cols > 0 && cols.is_multiple_of(group), "activation width");
        (self.rows, self.cols, self.layout) = (rows, cols, layout);
        self.values.resize(rows * cols, 0);
        self.scales.resize(rows * (cols / SUB_BLOCK), 0.0);
        self.corrections.resize(rows * (cols / SUB_BLOCK) * CORRECTIONS, 0);
        self.sums.resize(rows * (cols / SUB_BLOCK), 0);
        let interleaved = self.interleaved_len();
        if self.interleaved.len() < interleaved {
            self.interleaved.resize(interleaved, 0);
        }
    }

    /// Rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Values in a row.
    pub fn cols(&self) -> usize {
        self.cols
    }

    /// Values that share a scale.
    pub fn group(&self) -> usize {
        self.layout.group
    }

    fn interleaved_len(&self) -> usize {
        interleaved_rows(self.rows) * self.layout.interleaved_row(self.cols)
    }

    /// All rows, to be written at once by [`crate::Kernels::quantize`] of the kernels whose layout they have.
    pub fn rows_mut(&mut self) -> ActivationRows<'_> {
        let interleaved = self.interleaved_len();
        ActivationRows {
            group: self.layout.group,
            cols: self.cols,
            values: &mut self.values,
            scales: &mut self.scales,
            corrections: &mut self.corrections,
            sums: &mut self.sums,
            interleaved: &mut self.interleaved[..interleaved],
        }
    }

    /// The values that row `row` stands for.
    pub fn dequantize_row(&self, row: usize) -> impl Iterator<Item = f32> {
        let values = &self.values[row * self.cols..][..self.cols];
        let scales = &self.scales[row * (self.cols / SUB_BLOCK)..];
        values.iter().enumerate().map(|(i, &value)| scales[i / SUB_BLOCK] * f32::from(value))
    }

    /// The rows as tiles of that interleaving read them.
    ///
    /// # Panics
    /// When they were not laid out so.
    #[cfg(any(target_arch = "aarch64", target_arch = "x86_64"))]
    pub(crate) fn interleaved(&self, interleaving: Interleaving) -> &[u8] {
        assert_eq!(self.layout.interleaving, Some(interleaving), "activation layout");
        &self.interleaved[..self.interleaved_len()]
    }

    /// Row `row`, from its first sub-block on.
    #[inline(always)]
    pub(crate) fn row(&self, row: usize) -> RowPointers<'_> {
        assert!(row < self.rows, "activation rows");
        // Places that exist, so that the sums cannot wrap.
        RowPointers {
            values: self.values.as_ptr().wrapping_add(row * self.cols),
            scales: self.scales.as_ptr().wrapping_add(row * (self.cols / SUB_BLOCK)),
            corrections: self.corrections.as_ptr().wrapping_add(row * (self.cols / SUB_BLOCK) * CORRECTIONS),
            sums: self.sums.as_ptr().wrapping_add(row * (self.cols / SUB_BLOCK)),
            lives: PhantomData,
        }
    }
}

impl<'a> RowPointers<'a> {
    /// What is `cols` values further on, a multiple of 32.
    ///
    /// # Safety
    /// The row has a value there.
    #[inline(always)]
    pub(crate) unsafe fn at(self, cols: usize) -> Self {
        debug_assert!(cols.is_multiple_of(SUB_BLOCK), "whole sub-blocks");
        // SAFETY: the row has a value there, by `# Safety`, and all of its sub-block; the other arrays have a number or `CORRECTIONS`
        // for each sub-block.
        unsafe {
            Self {
                values: self.values.add(cols),
                scales: self.scales.add(cols / SUB_BLOCK),
                corrections: self.corrections.add(cols / SUB_BLOCK * CORRECTIONS),
                sums: self.sums.add(cols / SUB_BLOCK),
                lives: PhantomData,
            }
        }
    }

    /// Half `half` of the sub-block's values, for instructions that take them from memory.
    #[inline(always)]
    pub(crate) fn half<S: Simd>(self, s: S, half: usize) -> S::Sixteen {
        debug_assert!(half < 2, "halves of a sub-block");
        // SAFETY: a sub-block has 32 values, and they live as long as `'a`, in which whoever has `self` uses what is returned.
        unsafe { s.load_sixteen(self.values.add(SUB_BLOCK / 2 * half)) }
    }

    /// The sub-block's scale.
    #[inline(always)]
    pub(crate) fn scale(self) -> f32 {
        // SAFETY: each sub-block has one.
        unsafe { *self.scales }
    }

    /// Where the values, scales and corrections of this sub-block and all that follow begin, for assembly.
    #[inline(always)]
    #[cfg(target_arch = "x86_64")]
    pub(crate) fn pointers(self) -> (*const i8, *const f32, *const i32) {
        (self.values, self.scales, self.corrections)
    }

    /// [`CORRECTION`] times the sums of the sub-block's values, and of its second half's; then the pairs of [`NARROW_CORRECTION`] of
    /// the first half and of the second.
    #[inline(always)]
    pub(crate) fn corrections(self) -> &'a [i32; CORRECTIONS] {
        // SAFETY: each sub-block has as many, and they live as long as `'a`.
        unsafe { &*self.corrections.cast() }
    }

    /// The sums of a group of 256, in [`SUM_ORDER`].
    ///
    /// # Safety
    /// The sub-block is the first of such a group.
    #[inline(always)]
    pub(crate) unsafe fn sums(self) -> &'a [i16; GROUP_SUMS] {
        // SAFETY: the sub-block begins a group of 256, by `# Safety`, which has eight sub-blocks, and each has a sum; they live as long
        // as `'a`.
        unsafe { &*self.sums.cast() }
    }
}
