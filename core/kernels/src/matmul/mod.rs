//! Products of activations with packed weights.
//!
//! Up to [`PanelFormat::GEMV_ROWS`] rows of activations, the weights are unpacked in registers, once for all rows ([`gemv`]): decode
//! reads each byte of a weight once. With more rows, a depth block of a panel is unpacked into the first-level cache and multiplied with
//! many rows from there ([`gemm`]). Both do the same arithmetic in the same order: a row's results are the same bits alone and
//! in a batch.

/// Lines of assembly as one text.
#[cfg(any(target_arch = "aarch64", target_arch = "x86_64"))]
macro_rules! lines {
    ($($line:expr),+ $(,)?) => { concat!($($line, "\n"),+) };
}

mod arithmetic;
#[cfg(target_arch = "aarch64")]
mod arm;
#[cfg(target_arch = "x86_64")]
mod avx2;
mod depth_block;
pub(crate) mod float;
mod format;
pub(crate) mod gemm;
pub(crate) mod gemv;
mod sub_block;

use std::ops::Range;

/// Rows of activations that are multiplied in about the time of one, where that is the time to read the weights.
pub const GEMV_ROWS: usize = gemv::MAX_ROWS;

pub(crate) use depth_block::Unpack;
pub(crate) use format::{
    Arithmetic, BlockPointer, CachedValues, Codes, Halves, IQ4NL, IQ4XS, Multiplied, PanelFormat, Q2K, Q3K, Q4_0, Q4_1,
    Q4K, Q5_0, Q5_1, Q5K, Q6K, Q8_0,
};
use gemm::UnpackedPointer;

use crate::activations::{ActivationLayout, ActivationRows, Activations, Interleaving, RowPointers};
use crate::packed::{PANEL_ROWS, PackedMatrix};
use crate::simd::{self, Simd};

/// Products of an instruction set: [`gemv`] and [`gemm`], unless it has its own way.
pub(crate) trait MatMul: Simd {
    /// Multiply-accumulates of [`MatMul::densest_product`].
    const DENSEST_PRODUCT: usize = 4 * Self::LANES;

    /// How tiles of [`MatMul::gemm`] read activations, unless they read rows one after the other.
    const INTERLEAVING: Option<Interleaving> = None;

    /// What Q3_K is unpacked to: [`Multiplied`], unless sums of 16 bits, which bytes are too large for, make [`Q6K`] faster.
    type ThreeBits: Arithmetic;

    /// Rows of activations, and vectors of rows of weights, in the largest tile of [`gemm`]: as many as the registers allow.
    #[inline(always)]
    fn largest_tile<A: Arithmetic>() -> (usize, usize) {
        (3, 2)
    }

    /// The instruction with most multiply-accumulates of bytes.
    #[inline(always)]
    fn densest_product(self, dots: Self::Dots, codes: Self::Int, x: Self::Sixteen) -> Self::Dots {
        self.dot_codes::<0>(dots, codes, x)
    }

    /// `codes`, of which the compiler cannot know that they are the same as before. Of use where products and sums are
    /// instructions of their own: it would do the products once for all.
    #[inline(always)]
    fn unknown(self, codes: Self::Int) -> Self::Int {
        codes
    }

    /// [`interleave`] of rows that have room for that.
    #[inline(always)]
    fn interleave(self, _rows: &mut ActivationRows<'_>) {}

    /// [`gemm::add_sub_blocks`].
    ///
    /// # Safety
    /// As there.
    #[inline(always)]
    unsafe fn add_sub_blocks<A: Arithmetic, const T: usize, const V: usize>(
        self,
        subs: usize,
        weights: UnpackedPointer<'_, A>,
        rows: &[RowPointers<'_>; T],
        sums: &mut [[Self::F32; V]; T],
    ) {
        // SAFETY: the condition of this method is that function's: weights and rows have `subs` sub-blocks, and the rows follow each other.
        unsafe { gemm::add_sub_blocks::<Self, A, T, V>(self, subs, weights, rows, sums) }
    }

    /// [`gemm::multiples`].
    ///
    /// # Safety
    /// As there.
    #[inline(always)]
    unsafe fn multiples<A: Arithmetic, const T: usize, const V: usize>(
        self,
        weights: UnpackedPointer<'_, A>,
        rows: &[RowPointers<'_>; T],
    ) -> [[Self::Int; V]; T] {
        // SAFETY: the condition of this method is that function's: weights and rows have a block, and the rows follow each other.
        unsafe { gemm::multiples::<Self, A, T, V>(self, weights, rows) }
    }

    /// The columns of `panels` of the product of `x`, at most [`PanelFormat::GEMV_ROWS`] rows, with `weights`.
    ///
    /// # Safety
    /// Sizes fit together as [`crate::Kernels::matmul`] checks, and nobody else writes those columns.
    #[inline(always)]
    unsafe fn gemv<F: PanelFormat>(
        self,
        weights: &PackedMatrix<'_>,
        x: &Activations,
        panels: Range<usize>,
        out: &Output<'_>,
    ) {
        // SAFETY: the condition of this method is that function's: sizes fit, `x` has at most `GEMV_ROWS` rows, and these columns are
        // written here alone.
        unsafe { gemv::matmul::<Self, F>(self, weights, x, panels, out) }
    }

    /// Unpacks sub-blocks of a panel for [`MatMul::gemm`]: see [`Unpack`].
    ///
    /// # Safety
    /// As there.
    #[inline(always)]
    unsafe fn unpack<F: PanelFormat>(self, block: *const u8, subs: usize, depth_block: *mut u8) {
        // SAFETY: the condition of this method is that function's: there are `subs` sub-blocks at `block`, in whole blocks, and room
        // for as many at `depth_block`.
        unsafe { gemm::unpack::<Self, F>(self, block, subs, depth_block) }
    }

    /// As [`MatMul::gemv`], of any number of rows, with weights that `unpack` makes numbers for this arithmetic of.
    ///
    /// # Safety
    /// As there; and `unpack` has its instructions.
    #[inline(always)]
    unsafe fn gemm<A: Arithmetic>(
        self,
        weights: &PackedMatrix<'_>,
        x: &Activations,
        panels: Range<usize>,
        out: &Output<'_>,
        unpack: Unpack,
    ) {
        // SAFETY: the condition of this method is that function's: sizes fit, `unpack` is that of the weights' format, and these
        // columns are written here alone.
        unsafe { gemm::matmul::<Self, A>(self, weights, x, panels, out, unpack) }
    }
}

/// Interleaves rows, whose values are written, as [`MatMul::INTERLEAVING`] says, if they have room for that.
#[inline(always)]
pub(crate) fn interleave<S: MatMul>(s: S, rows: &mut ActivationRows<'_>) {
    if !rows.interleaved.is_empty() {
        s.interleave(rows);
    }
}

/// The products of an instruction set with weights of a format: [`MatMul::gemv`], [`MatMul::unpack`] and [`MatMul::gemm`]
/// as functions.
#[derive(Clone, Copy)]
pub(crate) struct MatMulKernels {
    pub(crate) gemv: Gemv,
    pub(crate) gemv_rows: usize,
    /// What `gemm` wants of its activations.
    pub(crate) layout: ActivationLayout,
    pub(crate) unpack: Unpack,
    pub(crate) gemm: Gemm,
}

pub(crate) type Gemv = unsafe fn(&PackedMatrix<'_>, &Activations, Range<usize>, &Output<'_>);
pub(crate) type Gemm = unsafe fn(&PackedMatrix<'_>, &Activations, Range<usize>, &Output<'_>, Unpack);

impl MatMulKernels {
    /// What a product with `rows` rows of activations wants of them.
    pub(crate) fn activation_layout(&self, rows: usize) -> ActivationLayout {
        if rows <= self.gemv_rows { self.layout.without_interleaving() } else { self.layout }
    }

    /// The columns of `panels` of the product of `x` with `weights`.
    ///
    /// # Safety
    /// The CPU has the instructions, weights have the format, sizes fit together as [`crate::Kernels::matmul`] checks, and nobody else writes those
    /// columns.
    pub(crate) unsafe fn multiply(
        &self,
        weights: &PackedMatrix<'_>,
        x: &Activations,
        panels: Range<usize>,
        out: &Output<'_>,
    ) {
        // SAFETY: the CPU has the instructions of both, these are the products of the weights' format, sizes fit, and these columns are
        // written here alone, all by `# Safety`; `gemv` gets no more rows than it takes.
        unsafe {
            match x.rows() <= self.gemv_rows {
                true => (self.gemv)(weights, x, panels, out),
                false => (self.gemm)(weights, x, panels, out, self.unpack),
            }
        }
    }
}

impl MatMul for simd::Portable {
    type ThreeBits = Multiplied;
}
#[cfg(target_arch = "x86_64")]
impl MatMul for simd::x86::Avx512Vnni {
    type ThreeBits = Multiplied;

    #[inline(always)]
    fn largest_tile<A: Arithmetic>() -> (usize, usize) {
        (6, 2)
    }
}
#[cfg(target_arch = "x86_64")]
impl MatMul for simd::x86::AvxVnni {
    type ThreeBits = Multiplied;
}

/// Where results go: row-major `[rows of activations, rows of the weight matrix]`, written by several threads at once,
/// each its own columns.
#[derive(Debug, Clone, Copy)]
pub struct Output<'a> {
    start: *mut f32,
    stride: usize,
    rows: usize,
    /// Whether results are added to what is there.
    adds: bool,
    lives: std::marker::PhantomData<&'a mut [f32]>,
}

// SAFETY: it borrows its numbers, which any thread may use, exclusively; all methods that write are `unsafe`, and demand that no other
// thread uses the same numbers.
unsafe impl Send for Output<'_> {}
// SAFETY: as above.
unsafe impl Sync for Output<'_> {}

impl<'a> Output<'a> {
    /// `out` as rows of `stride` columns.
    ///
    /// # Panics
    /// When `out` is not a whole number of rows.
    pub fn new(out: &'a mut [f32], stride: usize) -> Self {
        assert!(stride > 0 && out.len().is_multiple_of(stride), "output size");
        let (start, rows) = (out.as_mut_ptr(), out.len() / stride);
        Self { start, stride, rows, adds: false, lives: std::marker::PhantomData }
    }

    /// As [`Output::new`], for results that are added to what is there: of products with weights that are not quantized.
    ///
    /// # Panics
    /// As there.
    pub fn adding(out: &'a mut [f32], stride: usize) -> Self {
        Self { adds: true, ..Self::new(out, stride) }
    }

    /// Some of its rows.
    ///
    /// # Panics
    /// When it does not have them.
    pub fn some_rows(&self, rows: Range<usize>) -> Self {
        assert!(rows.start <= rows.end && rows.end <= self.rows, "output rows");
        // SAFETY: the first of these rows begins within the slice that `new` took, or at its end.
        Self { start: unsafe { self.start.add(rows.start * self.stride) }, rows: rows.len(), ..*self }
    }

    /// Whether results are added to what is there.
    pub(crate) fn adds(&self) -> bool {
        self.adds
    }

    /// Rows of activations.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Columns: rows of the weight matrix.
    pub fn cols(&self) -> usize {
        self.stride
    }

    /// Where `width` columns from `column` on begin in the first of `rows`, if there is room for all of them.
    #[inline(always)]
    pub(crate) fn place(&self, rows: &Range<usize>, column: usize, width: usize) -> Option<*mut f32> {
        let has_room = rows.start < rows.end && rows.end <= self.rows && column + width <= self.stride;
        // SAFETY: row and columns lie within the slice that `new` took.
        has_room.then(|| unsafe { self.start.add(rows.start * self.stride + column) })
    }

    /// Writes a panel's results for one row; those of rows that only fill the last panel are dropped.
    ///
    /// # Safety
    /// No other thread writes that panel's columns.
    #[inline(always)]
    pub(crate) unsafe fn write_panel(&self, row: usize, panel: usize, values: &[f32; PANEL_ROWS]) {
        let column = panel * PANEL_ROWS;
        assert!(row < self.rows && column < self.stride, "output size");
        // SAFETY: row and columns lie within the slice that `new` took, as asserted above, and no other thread writes them, by `#
        // Safety`.
        unsafe {
            let to = self.start.add(row * self.stride + column);
            match self.stride - column {
                PANEL_ROWS.. => to.cast::<[f32; PANEL_ROWS]>().write(*values),
                count => std::ptr::copy_nonoverlapping(values.as_ptr(), to, count),
            }
        }
    }

    /// Adds a panel's results to one row; those of rows that only fill the last panel are dropped.
    ///
    /// # Safety
    /// No other thread uses that panel's columns.
    #[inline(always)]
    pub(crate) unsafe fn add_panel(&self, row: usize, panel: usize, values: &[f32; PANEL_ROWS]) {
        let column = panel * PANEL_ROWS;
        assert!(row < self.rows && column < self.stride, "output size");
        let count = PANEL_ROWS.min(self.stride - column);
        // SAFETY: row and columns lie within the slice that `new` took, as asserted above, and no other thread uses them, by `#
        // Safety`.
        let to = unsafe { std::slice::from_raw_parts_mut(self.start.add(row * self.stride + column), count) };
        to.iter_mut().zip(values).for_each(|(to, value)| *to += value);
    }

    /// Writes a part of a row.
    ///
    /// # Safety
    /// No other thread writes that part.
    #[inline(always)]
    pub(crate) unsafe fn write(&self, row: usize, column: usize, values: &[f32]) {
        assert!(row < self.rows && column + values.len() <= self.stride, "output size");
        // SAFETY: row and columns lie within the slice that `new` took, as asserted above, and no other thread writes them, by `#
        // Safety`.
        unsafe {
            let to = self.start.add(row * self.stride + column);
            std::ptr::copy_nonoverlapping(values.as_ptr(), to, values.len());
        }
    }
}
