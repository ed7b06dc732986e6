//! Activations rounded to eight bits, 32 or 256 at a time.

use std::marker::PhantomData;
use std::ops::Range;
use std::slice;

use crate::blocks::{QK, QK_K};
use crate::packed::layout::SUB_BLOCK;
use crate::simd::Simd;

/// Values that share a sum: the smallest group of weights with a scale of its own (Q6_K's).
const SUM_GROUP: usize = 16;

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

/// Bytes that a sub-block of a row takes in an [`Interleaving`], at most.
const MOST_INTERLEAVED: usize = 48;

/// How tiles read several rows of activations where an instruction set does not read them one after the other: the rows of a tile
/// take turns, in an order that the instruction set knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Interleaving {
    /// Whose order it is.
    name: &'static str,
    /// Rows of activations in the largest tile.
    rows: usize,
    /// Bytes of a sub-block of a row.
    sub_block: usize,
    /// Values that share a scale, at least, where rows are interleaved.
    group: usize,
}

impl Interleaving {
    /// An order of tiles of up to `rows` rows, an even number, for groups of at least `group` values.
    pub(crate) const fn new(name: &'static str, rows: usize, sub_block: usize, group: usize) -> Self {
        assert!(rows.is_multiple_of(2) && sub_block <= MOST_INTERLEAVED);
        Self { name, rows, sub_block, group }
    }
}

/// What a product wants of its activations: see [`crate::Kernels::activation_layout`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct ActivationLayout {
    /// Values that share a scale.
    group: usize,
    interleaving: Option<Interleaving>,
}

impl ActivationLayout {
    /// Groups of `group` values, and rows interleaved where that is done for such groups.
    pub(crate) const fn new(group: usize, interleaving: Option<Interleaving>) -> Self {
        match interleaving {
            Some(Interleaving { group: least, .. }) if group < least => Self { group, interleaving: None },
            _ => Self { group, interleaving },
        }
    }

    /// The same groups, of rows that lie one after the other only.
    pub(crate) fn without_interleaving(self) -> Self {
        Self { interleaving: None, ..self }
    }

    /// Rows that are quantized together.
    fn tile_rows(self) -> usize {
        self.interleaving.map_or(1, |interleaving| interleaving.rows)
    }

    /// Bytes of an interleaved row of `cols` values.
    fn interleaved_row(self, cols: usize) -> usize {
        self.interleaving.map_or(0, |interleaving| interleaving.sub_block) * (cols / SUB_BLOCK)
    }
}

/// Rows that there is room for where rows are interleaved: one more, where an odd last row makes a pair.
const fn interleaved_rows(rows: usize) -> usize {
    rows.next_multiple_of(2)
}

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

/// Rounds rows to multiples of 1/127 of the largest in each group. Values that are not finite give a scale that is not.
#[inline(always)]
pub(crate) fn quantize<S: Simd>(s: S, x: &[f32], row: &mut ActivationRows<'_>) {
    assert!(x.len() == row.values.len() && x.len().is_multiple_of(row.group), "activation width");
    let subs = x.len() / SUB_BLOCK;
    assert!(
        subs <= row.scales.len().min(row.sums.len()) && subs * CORRECTIONS <= row.corrections.len(),
        "activation groups"
    );
    for (index, group) in x.chunks_exact(row.group).enumerate() {
        let (scale, inverse) = scale_and_inverse(largest_magnitude(s, group));
        let mut all_sums = [0; GROUP_SUMS];
        for (sub, x) in group.as_chunks().0.iter().enumerate() {
            let at = index * (row.group / SUB_BLOCK) + sub;
            let sums = round(s, x, inverse, &mut row.values.as_chunks_mut().0[at]);
            // What is not a number has no integer; whatever it became has zeros for a low byte.
            let sums = if scale <= f32::MAX { sums } else { [[0; 2]; 2] };
            let [first, second] = sums.map(|[a, b]| a + b);
            let [narrow_first, narrow_second] = sums.map(narrow_corrections);
            let corrections = [CORRECTION * (first + second), CORRECTION * second, narrow_first, narrow_second];
            row.scales[at] = scale;
            row.corrections[CORRECTIONS * at..][..CORRECTIONS].copy_from_slice(&corrections);
            // 32 bytes come to 4,064 at most.
            all_sums[sub] = (first + second) as i16;
        }
        if row.group == QK_K {
            row.sums[index * GROUP_SUMS..][..GROUP_SUMS].copy_from_slice(&SUM_ORDER.map(|sub| all_sums[sub]));
        }
    }
}

/// Two lanes of 16 bits in one of 32.
#[inline(always)]
fn narrow_corrections(sums: [i32; 2]) -> i32 {
    let [low, high] = sums.map(|sum| NARROW_CORRECTION * sum);
    (low & 0xffff) | (high << 16)
}

/// The largest magnitude, not finite where one is not.
#[inline(always)]
fn largest_magnitude<S: Simd>(s: S, x: &[f32]) -> f32 {
    // As integers, magnitudes have the same order, and what is not finite is larger than all numbers.
    let mut largest = s.splat_int(0);
    for x in x.chunks_exact(S::LANES) {
        let magnitude = s.and(s.to_bits(s.load_slice(x)), s.splat_int(i32::MAX));
        largest = s.max_int(largest, magnitude);
    }
    f32::from_bits(s.largest_lane(largest).cast_unsigned())
}

/// Rounds 32 values; returns the sums of both halves, each of the values of even pairs and of odd ones.
#[inline(always)]
fn round<S: Simd>(s: S, x: &[f32; SUB_BLOCK], inverse: f32, values: &mut [i8; SUB_BLOCK]) -> [[i32; 2]; 2] {
    let inverse = s.splat(inverse);
    let mut sums = [[0; 2]; SUB_BLOCK / SUM_GROUP];
    let mut whole = [s.splat_int(0); SUB_BLOCK / 4];
    let whole = &mut whole[..SUB_BLOCK / S::LANES];
    let halves = whole.chunks_exact_mut(SUM_GROUP / S::LANES).zip(x.chunks_exact(SUM_GROUP));
    for (sum, (whole, x)) in sums.iter_mut().zip(halves) {
        let mut lanes = s.splat_int(0);
        for (whole, x) in whole.iter_mut().zip(x.chunks_exact(S::LANES)) {
            *whole = s.round_to_int(s.mul(s.load_slice(x), inverse));
            lanes = s.add_int(lanes, *whole);
        }
        *sum = s.sum_pairs(lanes);
    }
    s.store_low_bytes(whole, values);
    sums
}

/// 1.5 * 2²³: numbers of this size are whole, so that a sum with it is rounded to the nearest one, whose low byte is the sum's.
pub(crate) const WHOLE: f32 = 12_582_912.0;

/// What the largest of a group becomes.
const STEPS: f32 = 127.0;

/// The scale of a group with that largest magnitude, and what values are multiplied with to be multiples of it: zero
/// where the reciprocal would overflow, as the group is too small to matter, and where the scale is not finite.
#[inline(always)]
pub(crate) fn scale_and_inverse(largest: f32) -> (f32, f32) {
    let usable = (f32::MIN_POSITIVE * STEPS..=f32::MAX).contains(&largest);
    (largest * (1.0 / STEPS), if usable { STEPS / largest } else { 0.0 })
}
