//! Softmax weights that are rounded as they are computed, for a product of integers.
//!
//! What a value is multiplied with is its softmax weight times the scale of its bytes. Of 32 such products the largest
//! becomes 127; it is known before any exponential is, from the scores and the logarithms of the scales.

use std::ops::Range;

use super::quantized::ROWS;
use super::{BLOCK, Row, fill_unseen};
use crate::activations::{ActivationRows, WHOLE};
use crate::elementwise::{PARTIAL_SUMS, exp2_all};
use crate::packed::layout::SUB_BLOCK;
use crate::simd::{Simd, math};

/// Groups of 32 positions in a block.
const GROUPS: usize = BLOCK / SUB_BLOCK;
/// Groups whose largest numbers are found together.
const TOGETHER: usize = 4;
/// The binary logarithm of 127, which the largest becomes.
const LOG2_STEPS: f32 = 6.988_684_7;
/// The least logarithm of a scale: exponentials must not overflow. Values so small (1e-28) count as zeros.
const LEAST_LOG2: f32 = -100.0;

/// The scales of a block of values, in groups of 32.
pub(super) struct ValueScales<'a> {
    scales: &'a [f32],
    /// About their binary logarithms.
    logarithms: [f32; BLOCK],
}

impl<'a> ValueScales<'a> {
    #[inline(always)]
    pub(super) fn new(scales: &'a [f32]) -> Self {
        assert!(scales.len() <= BLOCK && scales.len().is_multiple_of(SUB_BLOCK), "positions of a block");
        let mut logarithms = [LEAST_LOG2; BLOCK];
        for (logarithm, &scale) in logarithms.iter_mut().zip(scales) {
            *logarithm = rough_log2(scale);
        }
        Self { scales, logarithms }
    }
}

/// The binary logarithm of a number that is not negative, to 0.0011, and at least [`LEAST_LOG2`]; infinite for what is not
/// finite.
#[inline(always)]
fn rough_log2(x: f32) -> f32 {
    const MANTISSA: u32 = (1 << (f32::MANTISSA_DIGITS - 1)) - 1;
    let bits = x.to_bits();
    // The exponent, with the mantissa for a fraction: a straight line between powers of two, and what is missing.
    let line = bits as f32 * (1.0 / (MANTISSA + 1) as f32) - 127.0;
    let fraction = f32::from_bits(bits & MANTISSA | 1.0f32.to_bits()) - 1.0;
    let log2 = line + fraction * (1.0 - fraction) * (0.422_9 - 0.159_2 * fraction);
    let log2 = if log2 > LEAST_LOG2 { log2 } else { LEAST_LOG2 };
    if bits < f32::INFINITY.to_bits() { log2 } else { f32::INFINITY }
}

/// Scores of a block, `[rows, positions]`, become rounded weights, each row's relative to its largest score so far; what was
/// summed before, `[rows, head_dim]`, is brought to the same scale.
///
/// # Panics
/// When lengths do not fit together, or there are more than [`ROWS`] rows.
#[inline(always)]
pub(super) fn round<S: Simd>(
    s: S,
    rows: &mut [Row],
    block: Range<usize>,
    values: &ValueScales<'_>,
    scores: &mut [f32],
    sums: &mut [f32],
    weights: &mut ActivationRows<'_>,
) {
    let (positions, groups, head_dim) = (values.scales.len(), values.scales.len() / SUB_BLOCK, sums.len() / rows.len());
    assert!(
        block.len() == positions && scores.len() == rows.len() * positions && weights.values.len() == scores.len(),
        "positions of a block"
    );
    // First what exponentials begin with, for all rows, then the exponentials: no row waits for itself.
    let mut shifts = [[0.0; GROUPS]; ROWS];
    for (index, row) in rows.iter_mut().enumerate() {
        let scores = &mut scores[index * positions..][..positions];
        fill_unseen(scores, &row.seen(&block), f32::NEG_INFINITY);
        let largest = largest_of_groups(s, scores, values);
        row.raise(s, largest_of(largest), &mut sums[index * head_dim..][..head_dim]);
        // Of a group that the row does not see, no number: what is added to that must be one.
        shifts[index] = largest.map(|largest| LOG2_STEPS - if largest > f32::MIN { largest } else { f32::MIN });
        // Nor of a row that has seen nothing yet.
        let max = if row.max > f32::MIN { row.max } else { f32::MIN };
        let exponents = shifts[index].map(|shift| -shift - max);
        let scales = &mut weights.scales[index * groups..][..groups];
        // A whole block's without a call to copy them.
        match scales.first_chunk_mut() {
            Some(scales) => *scales = exponents,
            None => scales.copy_from_slice(&exponents[..groups]),
        }
    }
    exp2_all(s, &mut weights.scales[..rows.len() * groups]);
    for (index, row) in rows.iter_mut().enumerate() {
        let scores = &scores[index * positions..][..positions];
        let scales = &weights.scales[index * groups..][..groups];
        let weights = &mut weights.values[index * positions..][..positions];
        round_row(s, row, values, scores, &shifts[index], scales, weights);
        // Whatever lies in the cache where the row does not look: nothing of it.
        fill_unseen(weights, &row.seen(&block), 0);
    }
}

/// `weights = 2^(score + shift) * value scale`, at most 127, and the sum of what is that without the value's scale, times the
/// group's.
#[inline(always)]
fn round_row<S: Simd>(
    s: S,
    row: &mut Row,
    values: &ValueScales<'_>,
    scores: &[f32],
    shifts: &[f32; GROUPS],
    scales: &[f32],
    weights: &mut [i8],
) {
    let mut totals = [s.splat(0.0); PARTIAL_SUMS / 4];
    let totals = &mut totals[..PARTIAL_SUMS / S::LANES];
    for (total, weights) in totals.iter_mut().zip(row.weights.chunks_exact(S::LANES)) {
        *total = s.load_slice(weights);
    }
    let groups = scores.as_chunks::<SUB_BLOCK>().0.iter().zip(values.scales.as_chunks::<SUB_BLOCK>().0);
    let groups = groups.zip(weights.as_chunks_mut::<SUB_BLOCK>().0);
    for (((scores, value_scales), weights), (&shift, &scale)) in groups.zip(shifts.iter().zip(scales)) {
        let mut sums = [s.splat(0.0); PARTIAL_SUMS / 4];
        let mut whole = [s.splat_int(0); SUB_BLOCK / 4];
        let whole = &mut whole[..SUB_BLOCK / S::LANES];
        let vectors = scores.chunks_exact(S::LANES).zip(value_scales.chunks_exact(S::LANES));
        for (vector, (whole, (scores, value_scales))) in whole.iter_mut().zip(vectors).enumerate() {
            let weight = math::rough_exp2(s, s.add(s.load_slice(scores), s.splat(shift)));
            let sum = &mut sums[vector % (PARTIAL_SUMS / S::LANES)];
            *sum = if vector < PARTIAL_SUMS / S::LANES { weight } else { s.add(*sum, weight) };
            *whole = s.to_bits(s.fma(weight, s.load_slice(value_scales), s.splat(WHOLE)));
        }
        s.store_low_bytes(whole, weights);
        for (total, sum) in totals.iter_mut().zip(sums) {
            *total = s.fma(sum, s.splat(scale), *total);
        }
    }
    for (total, weights) in totals.iter().zip(row.weights.chunks_exact_mut(S::LANES)) {
        s.store_slice(*total, weights);
    }
}

/// The largest sum of a score and its value's logarithm in each group; minus infinity where there are no numbers.
#[inline(always)]
fn largest_of_groups<S: Simd>(s: S, scores: &[f32], values: &ValueScales<'_>) -> [f32; GROUPS] {
    let mut largest = [f32::NEG_INFINITY; GROUPS];
    let groups = scores.as_chunks::<SUB_BLOCK>().0.chunks(TOGETHER);
    let logarithms = values.logarithms.as_chunks::<SUB_BLOCK>().0.as_chunks::<TOGETHER>().0;
    for ((largest, groups), logarithms) in largest.as_chunks_mut().0.iter_mut().zip(groups).zip(logarithms) {
        let mut vectors = [s.splat(f32::NEG_INFINITY); TOGETHER];
        for (vector, (scores, logarithms)) in vectors.iter_mut().zip(groups.iter().zip(logarithms)) {
            for (scores, logarithms) in scores.chunks_exact(S::LANES).zip(logarithms.chunks_exact(S::LANES)) {
                *vector = s.max(s.add(s.load_slice(scores), s.load_slice(logarithms)), *vector);
            }
        }
        *largest = s.largest_of_each(vectors);
    }
    largest
}

/// The largest, not NaN.
#[inline(always)]
fn largest_of(mut numbers: [f32; GROUPS]) -> f32 {
    let mut half = GROUPS / 2;
    while half > 0 {
        for i in 0..half {
            numbers[i] = if numbers[i + half] > numbers[i] { numbers[i + half] } else { numbers[i] };
        }
        half /= 2;
    }
    numbers[0]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logarithms_are_near_enough_for_127_to_stay_127() {
        for bits in (LEAST_LOG2.exp2().to_bits()..f32::MAX.to_bits()).step_by(99_991) {
            let x = f32::from_bits(bits);
            assert!((rough_log2(x) - x.log2()).abs() < 0.0012, "{x}");
        }
        assert_eq!([0.0, 1e-40].map(rough_log2), [LEAST_LOG2; 2]);
        assert_eq!([f32::INFINITY, f32::NAN].map(rough_log2), [f32::INFINITY; 2]);
        assert!((LOG2_STEPS.exp2() - 127.0).abs() < 1e-4);
    }
}
