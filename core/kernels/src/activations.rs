//! Activations rounded to eight bits, 32 at a time.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::packed::layout::SUB_BLOCK;

/// Values that share a sum: the smallest group of weights with a scale of its own (Q6_K's).
pub(crate) const SUM_GROUP: usize = 16;

/// Rows of activations as signed bytes, with a scale for every 32: `x ≈ scale * value`, off by at most half a scale.
///
/// Sums of the values are kept beside them: weights are stored as unsigned codes, and what an offset or a minimum takes
/// from each code, it takes from a dot product as a multiple of that sum.
#[derive(Debug, Clone, Default)]
pub struct Activations {
    rows: usize,
    cols: usize,
    /// `[rows, cols]`, from −127 to 127.
    values: Vec<i8>,
    /// `[rows, cols / 32]`.
    scales: Vec<f32>,
    /// Sums of values, `[rows, cols / 16]`.
    sums: Vec<i32>,
    /// `scale * sum`, `[rows, cols / 32]`.
    scaled_sums: Vec<f32>,
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
    /// `cols` for each row.
    pub values: &'a mut [i8],
    /// `cols / 32` for each row.
    pub scales: &'a mut [f32],
    /// `cols / 16` for each row.
    pub sums: &'a mut [i32],
    /// `cols / 32` for each row.
    pub scaled_sums: &'a mut [f32],
}

/// Where one row lies.
#[derive(Clone, Copy)]
pub(crate) struct RowPointers {
    pub(crate) values: *const i8,
    pub(crate) scales: *const f32,
    pub(crate) sums: *const i32,
    pub(crate) scaled_sums: *const f32,
}

impl Activations {
    /// Bytes for `rows` rows of `cols` values.
    pub const fn bytes(rows: usize, cols: usize) -> usize {
        rows * (cols + 4 * (cols / SUM_GROUP) + 8 * (cols / SUB_BLOCK))
    }

    /// No rows, with memory for `rows` of `cols` values.
    pub fn with_capacity(rows: usize, cols: usize) -> Self {
        Self {
            rows: 0,
            cols,
            values: Vec::with_capacity(rows * cols),
            scales: Vec::with_capacity(rows * (cols / SUB_BLOCK)),
            sums: Vec::with_capacity(rows * (cols / SUM_GROUP)),
            scaled_sums: Vec::with_capacity(rows * (cols / SUB_BLOCK)),
            version: Version::default(),
        }
    }

    /// Room for `rows` rows of `cols` values, without allocating where there was as much before. What the rows hold is
    /// unspecified until they are written.
    ///
    /// # Panics
    /// When `cols` is not a multiple of 32.
    pub fn resize(&mut self, rows: usize, cols: usize) {
        assert!(cols.is_multiple_of(SUB_BLOCK), "activation width");
        (self.rows, self.cols) = (rows, cols);
        self.version = Version::next();
        self.values.resize(rows * cols, 0);
        self.scales.resize(rows * (cols / SUB_BLOCK), 0.0);
        self.sums.resize(rows * (cols / SUM_GROUP), 0);
        self.scaled_sums.resize(rows * (cols / SUB_BLOCK), 0.0);
    }

    /// Rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Values in a row.
    pub fn cols(&self) -> usize {
        self.cols
    }

    /// All rows, to be written by [`crate::Kernels::quantize`], at once or by parts.
    pub fn rows_mut(&mut self) -> ActivationRows<'_> {
        self.version = Version::next();
        ActivationRows {
            values: &mut self.values,
            scales: &mut self.scales,
            sums: &mut self.sums,
            scaled_sums: &mut self.scaled_sums,
        }
    }

    /// The values that row `row` stands for.
    pub fn dequantize_row(&self, row: usize) -> impl Iterator<Item = f32> {
        let values = &self.values[row * self.cols..][..self.cols];
        let scales = &self.scales[row * (self.cols / SUB_BLOCK)..];
        values.iter().enumerate().map(|(i, &value)| scales[i / SUB_BLOCK] * f32::from(value))
    }

    /// Changes whenever the values may.
    #[cfg_attr(not(target_arch = "aarch64"), allow(dead_code))]
    pub(crate) fn version(&self) -> Version {
        self.version
    }

    pub(crate) fn row(&self, row: usize) -> RowPointers {
        RowPointers {
            values: self.values[row * self.cols..].as_ptr(),
            scales: self.scales[row * (self.cols / SUB_BLOCK)..].as_ptr(),
            sums: self.sums[row * (self.cols / SUM_GROUP)..].as_ptr(),
            scaled_sums: self.scaled_sums[row * (self.cols / SUB_BLOCK)..].as_ptr(),
        }
    }
}

impl RowPointers {
    /// The row from value `col` on, a multiple of 32.
    ///
    /// # Safety
    /// The row has that many values.
    #[inline(always)]
    pub(crate) unsafe fn at(self, col: usize) -> Self {
        // SAFETY: the caller's; the other arrays have an element for every 16 or 32 values.
        unsafe {
            Self {
                values: self.values.add(col),
                scales: self.scales.add(col / SUB_BLOCK),
                sums: self.sums.add(col / SUM_GROUP),
                scaled_sums: self.scaled_sums.add(col / SUB_BLOCK),
            }
        }
    }
}

/// 1.5 * 2²³.
const WHOLE: f32 = 12_582_912.0;

/// Rounds rows. Values that are not finite give a scale that is not.
#[inline(always)]
pub(crate) fn quantize(x: &[f32], row: &mut ActivationRows<'_>) {
    assert_eq!(x.len(), row.values.len(), "activation width");
    let groups = x.as_chunks::<SUB_BLOCK>().0.iter().zip(row.values.as_chunks_mut::<SUB_BLOCK>().0);
    for (group, (x, values)) in groups.enumerate() {
        // `f32::max` would pass over NaN; a sum does not.
        let mut largest = [0.0f32; SUM_GROUP];
        let mut finite = [0.0f32; SUM_GROUP];
        for x in x.as_chunks::<SUM_GROUP>().0 {
            for i in 0..SUM_GROUP {
                let magnitude = x[i].abs();
                largest[i] = if magnitude > largest[i] { magnitude } else { largest[i] };
                finite[i] += x[i] * 0.0;
            }
        }
        let largest = largest.iter().fold(0.0f32, |a, &b| if b > a { b } else { a });
        let not_finite: f32 = finite.iter().sum();
        let scale = largest / 127.0 + not_finite;
        // Where the reciprocal would overflow, the group is too small to matter: zeros.
        let inverse = if scale >= f32::MIN_POSITIVE { 1.0 / scale } else { 0.0 };
        for half in 0..2 {
            let mut sum = 0i32;
            for i in half * SUM_GROUP..(half + 1) * SUM_GROUP {
                // Numbers of this size are whole: the sum is rounded to one, and its low byte is the integer.
                let value = (x[i] * inverse + WHOLE).to_bits() as i8;
                values[i] = value;
                sum += i32::from(value);
            }
            row.sums[2 * group + half] = sum;
        }
        row.scales[group] = scale;
        row.scaled_sums[group] = scale * (row.sums[2 * group] + row.sums[2 * group + 1]) as f32;
    }
}
