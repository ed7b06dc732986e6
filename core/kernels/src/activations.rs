//! Activations rounded to eight bits, 32 or 256 at a time.

use std::marker::PhantomData;
use std::sync::atomic::{AtomicU64, Ordering};

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

/// Rows of activations as signed bytes, with a scale for every group of 32 or of 256: `x ≈ scale * value`, off by at most half a
/// scale. Groups are as long as the blocks of the weights that are to be multiplied.
///
/// What sums of the values are needed for is kept beside them: weights are stored as unsigned codes, and what an offset or a
/// minimum takes from each code, it takes from a dot product as a multiple of that sum.
#[derive(Debug, Clone, Default)]
pub struct Activations {
    rows: usize,
    cols: usize,
    /// Values that share a scale.
    group: usize,
    /// `[rows, cols]`, from −127 to 127.
    values: Vec<i8>,
    /// `[rows, cols / 32]`, those of a group all the same.
    scales: Vec<f32>,
    /// `[rows, cols / 32, 4]`: [`CORRECTION`] times the sums of a sub-block's values, and of its second half's; then the pairs of
    /// [`NARROW_CORRECTION`] of the first half and of the second.
    corrections: Vec<i32>,
    /// `[rows, cols / 256, 8]`, of groups of 256: the sums of each 32 values, in [`SUM_ORDER`].
    sums: Vec<i16>,
    version: Version,
}

/// Tells what an [`Activations`] holds now from what it, or another, held before.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Version(u64);

impl Version {
    fn next() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        Self(NEXT.fetch_add(1, Ordering::Relaxed))
    }
}

/// One or more rows of [`Activations`], to be written.
#[derive(Debug)]
pub struct ActivationRows<'a> {
    /// Values that share a scale: 32 or 256.
    pub group: usize,
    /// `cols` for each row.
    pub values: &'a mut [i8],
    /// `cols / 32` for each row.
    pub scales: &'a mut [f32],
    /// `cols / 8` for each row.
    pub corrections: &'a mut [i32],
    /// `cols / 32` for each row.
    pub sums: &'a mut [i16],
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
    /// Bytes for `rows` rows of `cols` values.
    pub const fn bytes(rows: usize, cols: usize) -> usize {
        rows * (cols + (4 * CORRECTIONS + 4 + 2) * (cols / SUB_BLOCK))
    }

    /// No rows, with memory for `rows` of `cols` values.
    pub fn with_capacity(rows: usize, cols: usize) -> Self {
        Self {
            rows: 0,
            cols,
            group: SUB_BLOCK,
            values: Vec::with_capacity(rows * cols),
            scales: Vec::with_capacity(rows * (cols / SUB_BLOCK)),
            corrections: Vec::with_capacity(rows * (cols / SUB_BLOCK) * CORRECTIONS),
            sums: Vec::with_capacity(rows * (cols / SUB_BLOCK)),
            version: Version::default(),
        }
    }

    /// Room for `rows` rows of `cols` values, of which `group` share a scale: as many as a block of the weights has
    /// ([`crate::packed::WeightFormat::block_len`]). Does not allocate where there was as much before. What the rows hold is
    /// unspecified until they are written.
    ///
    /// # Panics
    /// When `group` is neither 32 nor 256, or `cols` zero or not a multiple of it.
    pub fn resize(&mut self, rows: usize, cols: usize, group: usize) {
        assert!([QK, QK_K].contains(&group) && cols > 0 && cols.is_multiple_of(group), "activation width");
        (self.rows, self.cols, self.group) = (rows, cols, group);
        self.version = Version::next();
        self.values.resize(rows * cols, 0);
        self.scales.resize(rows * (cols / SUB_BLOCK), 0.0);
        self.corrections.resize(rows * (cols / SUB_BLOCK) * CORRECTIONS, 0);
        self.sums.resize(rows * (cols / SUB_BLOCK), 0);
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
        self.group
    }

    /// All rows, to be written by [`crate::Kernels::quantize`], at once or by parts.
    pub fn rows_mut(&mut self) -> ActivationRows<'_> {
        self.version = Version::next();
        ActivationRows {
            group: self.group,
            values: &mut self.values,
            scales: &mut self.scales,
            corrections: &mut self.corrections,
            sums: &mut self.sums,
        }
    }

    /// The values that row `row` stands for.
    pub fn dequantize_row(&self, row: usize) -> impl Iterator<Item = f32> {
        let values = &self.values[row * self.cols..][..self.cols];
        let scales = &self.scales[row * (self.cols / SUB_BLOCK)..];
        values.iter().enumerate().map(|(i, &value)| scales[i / SUB_BLOCK] * f32::from(value))
    }

    /// Changes whenever the values may.
    #[cfg_attr(not(any(target_arch = "aarch64", target_arch = "x86_64")), allow(dead_code))]
    pub(crate) fn version(&self) -> Version {
        self.version
    }

    /// The values of row `row`.
    #[cfg(target_arch = "x86_64")]
    pub(crate) fn values(&self, row: usize) -> &[i8] {
        &self.values[row * self.cols..][..self.cols]
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
        // SAFETY: asked of the caller; the other arrays have an element or `CORRECTIONS` for every 32 values.
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

    /// The sub-block's values, and all that follow.
    #[inline(always)]
    #[cfg(target_arch = "aarch64")]
    pub(crate) fn values(self) -> *const i8 {
        self.values
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
        // SAFETY: asked of the caller: then there are as many, and they live as long as `'a`.
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
