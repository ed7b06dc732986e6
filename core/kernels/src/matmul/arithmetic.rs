//! The steps of a product. All instruction sets take them in the same order, whatever they do beside each other.

use super::Arithmetic;
use crate::activations::{CORRECTION, NARROW_CORRECTION, RowPointers};
use crate::packed::layout::SUB_BLOCK;
use crate::simd::Simd;

/// What a dot product of codes starts at that are larger than weights by `offset`, 0 or a power of two up to 128, so that it
/// becomes one of weights; of a sub-block's columns, or of its half `half`.
#[inline(always)]
pub(super) fn correction<S: Simd, A: Arithmetic>(s: S, row: RowPointers<'_>, half: usize, offset: i32) -> S::Dots {
    if offset == 0 || A::TIMES_NON_NEGATIVE {
        return s.dots(s.splat_int(0));
    }
    if S::PRODUCTS_IN_16_BITS > 0 && A::HAS_MULTIPLIERS && A::SCALES == 2 {
        return s.narrow_dots(row.corrections()[2 + half], (-NARROW_CORRECTION / offset).ilog2());
    }
    let all = part_correction::<A>(row, half);
    // Exact: both are powers of two.
    s.dots(s.splat_int(all >> (-CORRECTION / offset).ilog2()))
}

/// What dot products of all columns of a block start at.
///
/// # Safety
/// The row has a block's columns.
#[inline(always)]
pub(super) unsafe fn block_correction<S: Simd, A: Arithmetic>(s: S, row: RowPointers<'_>, offset: i32) -> S::Dots {
    // SAFETY: the row has a block's columns, by `# Safety`, of which this is a sub-block.
    let all = |sub| unsafe { row.at(sub * SUB_BLOCK) }.corrections()[0];
    s.dots(s.splat_int(if offset == 0 {
        0
    } else {
        (0..A::SPAN).map(all).sum::<i32>() >> (-CORRECTION / offset).ilog2()
    }))
}

/// [`CORRECTION`] times the sum of a sub-block's activations, or of its half `half`, where each has a scale.
#[inline(always)]
fn part_correction<A: Arithmetic>(row: RowPointers<'_>, half: usize) -> i32 {
    match (A::SCALES, half) {
        (1, _) => row.corrections()[0],
        (_, 0) => row.corrections()[0] - row.corrections()[1],
        _ => row.corrections()[1],
    }
}

/// What the minimums of such a part are multiplied with, of formats without multipliers.
#[inline(always)]
pub(super) fn min_factor<A: Arithmetic>(row: RowPointers<'_>, half: usize) -> f32 {
    part_correction::<A>(row, half) as f32 * row.scale()
}

/// What is to be taken from each of a format's codes, as an instruction set multiplies them.
pub(super) const fn offset<S: Simd, A: Arithmetic>() -> i32 {
    if A::SIGNED { S::SIGNED_OFFSET } else { A::OFFSET }
}

/// Adds the products with group `GROUP` of `x`, which is half `half` of a sub-block's activations.
#[inline(always)]
pub(super) fn dot<S: Simd, A: Arithmetic, const GROUP: usize>(
    s: S,
    dots: S::Dots,
    half: usize,
    codes: S::Int,
    x: S::Sixteen,
) -> S::Dots {
    let dots = match (A::SIGNED, A::TIMES_NON_NEGATIVE) {
        (false, _) => s.dot_codes::<GROUP>(dots, codes, x),
        (true, false) => s.dot_signed::<GROUP>(dots, codes, x),
        (true, true) => s.dot_non_negative::<GROUP>(dots, codes, x),
    };
    let at_a_time = match S::PRODUCTS_IN_16_BITS {
        // Products fit: `has_two_parts` has seen to that.
        _ if A::HAS_MULTIPLIERS && !A::SIGNED => 8,
        0 => 8,
        products => i16::MAX as usize / (products * A::LARGEST_CODE * 127),
    };
    let group = 4 * half + GROUP;
    // What is complete is widened by the total.
    match (group + 1).is_multiple_of(at_a_time) && group + 1 < 8 {
        true => s.widen(dots),
        false => dots,
    }
}

/// Whether the halves of a sub-block are brought to their block's sum one by one: where each has a multiplier of its own, or
/// products of both would not fit into 16 bits. Those of signed codes are brought to 32 bits before.
pub(super) const fn has_two_parts<S: Simd, A: Arithmetic>() -> bool {
    A::SCALES == 2 || !A::SIGNED && S::PRODUCTS_IN_16_BITS * 8 * A::LARGEST_CODE * 127 > i16::MAX as usize
}

/// `sum + dots * factor` of a part of a block.
#[inline(always)]
pub(super) fn add_multiple<S: Simd, A: Arithmetic>(s: S, sum: S::Int, dots: S::Dots, factor: S::Int) -> S::Int {
    match A::SIGNED {
        true => s.add_widened_multiple(sum, dots, factor),
        false => s.add_multiple(sum, dots, factor),
    }
}

/// `sum + dots * (scale of the weights * scale of the activations)`.
#[inline(always)]
pub(super) fn add_scaled<S: Simd, A: Arithmetic>(
    s: S,
    sum: S::F32,
    dots: S::Dots,
    scale: S::F32,
    row: RowPointers<'_>,
) -> S::F32 {
    let of_activations = s.splat(row.scale());
    let scale = if A::SCALES_ARE_1 { of_activations } else { s.mul(scale, of_activations) };
    s.fma(s.to_f32(s.total(dots)), scale, sum)
}

/// `scale * Σ minimum * sum of the activations` of a block, which [`add_block`] takes; nothing where there are no minimums.
///
/// # Safety
/// The row is at the beginning of a group of 256 where there are minimums.
#[inline(always)]
pub(super) unsafe fn scaled_mins<S: Simd, A: Arithmetic>(
    s: S,
    mins: [S::Int; 2],
    scale: S::F32,
    row: RowPointers<'_>,
) -> S::F32 {
    if !A::HAS_MIN {
        return s.splat(0.0);
    }
    // SAFETY: the row is at the beginning of a group of 256, by `# Safety`.
    let sums = unsafe { row.sums() };
    s.mul(scale, s.to_f32(s.dot_eight(mins, sums)))
}

/// `sum + (scale * dots - mins) * scale of the activations`, of a block's dot products times multipliers: 16 of Q6_K's, each of at most
/// 16 * 32 * 127 times 128, and 8 of IQ4_XS's, each of 32 * 127 * 127 times 32, are less than 2^27.
#[inline(always)]
pub(super) fn add_block<S: Simd, A: Arithmetic>(
    s: S,
    sum: S::F32,
    dots: S::Int,
    scale: S::F32,
    mins: S::F32,
    x_scale: S::F32,
) -> S::F32 {
    let dots = s.to_f32(dots);
    if !A::HAS_MIN {
        return s.fma(s.mul(scale, dots), x_scale, sum);
    }
    // Both signs the other way: instructions that take a product from a number are to be had everywhere.
    let less = s.neg_fma(scale, dots, mins);
    s.neg_fma(less, x_scale, sum)
}
