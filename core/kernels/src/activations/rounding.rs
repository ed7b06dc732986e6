//! Activations are rounded.

use super::{ActivationRows, CORRECTION, CORRECTIONS, GROUP_SUMS, NARROW_CORRECTION, SUM_ORDER};
use crate::blocks::QK_K;
use crate::packed::layout::SUB_BLOCK;
use crate::simd::Simd;

/// Values that share a sum: the smallest group of weights with a scale of its own (Q6_K's).
const SUM_GROUP: usize = 16;

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
