//! Functions of a vector, by the same operations on every instruction set.

// As in the trait: one precondition, no memory.
#![allow(unsafe_op_in_unsafe_fn)]

use std::f32::consts::LOG2_E;

use super::Simd;

/// `2^x`, to two units in the last place, where it is a normal number; below, the smallest of them, and `x` is at most 127.
#[inline(always)]
pub(crate) unsafe fn exp2<S: Simd>(x: S::F32) -> S::F32 {
    let (whole, rest) = whole_and_rest::<S>(x);
    scale_by_exp2::<S, 6>(rest, whole, EXP2)
}

/// As [`exp2`], to 1e-4, for what is rounded to eight bits.
#[inline(always)]
pub(crate) unsafe fn rough_exp2<S: Simd>(x: S::F32) -> S::F32 {
    let (whole, rest) = whole_and_rest::<S>(x);
    scale_by_exp2::<S, 4>(rest, whole, ROUGH_EXP2)
}

/// The nearest integer, at least −126, and what is left, at most a half.
#[inline(always)]
unsafe fn whole_and_rest<S: Simd>(x: S::F32) -> (S::Int, S::F32) {
    let x = S::at_least(S::splat(-126.0), x);
    let whole = S::round_to_int(x);
    (whole, S::sub(x, S::to_f32(whole)))
}

/// `exp(x)`, to two units in the last place; what would overflow or be subnormal is clamped.
#[inline(always)]
pub(crate) unsafe fn exp<S: Simd>(x: S::F32) -> S::F32 {
    const LN_2_HIGH: f32 = 0.693_145_75;
    const LN_2_LOW: f32 = 1.428_606_8e-6;
    let x = S::at_most(S::splat(88.0), S::at_least(S::splat(-87.0), x));
    let n = S::round_to_int(S::mul(x, S::splat(LOG2_E)));
    let r = S::neg_fma(S::to_f32(n), S::splat(LN_2_HIGH), x);
    let r = S::neg_fma(S::to_f32(n), S::splat(LN_2_LOW), r);
    scale_by_exp2::<S, 6>(S::mul(r, S::splat(LOG2_E)), n, EXP2)
}

/// Of the polynomials that are 1 at 0, the nearest to `2^r` in relative error, from −0.5 to 0.5: 1.1e-7, a unit in the last
/// place. The highest power first.
// One coefficient is near ln 2, and is not.
#[allow(clippy::approx_constant)]
const EXP2: [f32; 6] = [0.001_326_472_7, 0.009_671_513, 0.055_507_336, 0.240_222_42, 0.693_147, 1.0];

/// Of the third degree, the nearest: 7.5e-5.
const ROUGH_EXP2: [f32; 4] = [0.055_171_605, 0.242_611_14, 0.693_260_97, 0.999_928_06];

/// `2^r * 2^n`, with `|r|` at most a half: a polynomial, and `n` added to the exponent.
#[inline(always)]
unsafe fn scale_by_exp2<S: Simd, const N: usize>(r: S::F32, n: S::Int, polynomial: [f32; N]) -> S::F32 {
    let mut power = S::splat(polynomial[0]);
    for coefficient in &polynomial[1..] {
        power = S::fma(power, r, S::splat(*coefficient));
    }
    S::from_bits(S::add_int(S::to_bits(power), S::shl::<23>(n)))
}

/// `x * sigmoid(x)`.
#[inline(always)]
pub(crate) unsafe fn silu<S: Simd>(x: S::F32) -> S::F32 {
    let one = S::splat(1.0);
    S::div(x, S::add(one, exp::<S>(S::sub(S::splat(0.0), x))))
}

/// The largest of all lanes, none of which is NaN.
#[inline(always)]
pub(crate) unsafe fn largest<S: Simd>(x: S::F32) -> f32 {
    let mut lanes = [f32::NEG_INFINITY; 16];
    S::store(x, lanes.as_mut_ptr());
    let mut half = S::LANES / 2;
    while half > 0 {
        for lane in 0..half {
            lanes[lane] = if lanes[lane] > lanes[lane + half] { lanes[lane] } else { lanes[lane + half] };
        }
        half /= 2;
    }
    lanes[0]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simd::Portable;

    /// The largest relative error over two octaves, beside whole numbers and halves too.
    fn largest_error(exp2: unsafe fn([f32; 8]) -> [f32; 8]) -> f64 {
        let arguments: Vec<f32> = (-20_000..20_000).map(|i| i as f32 * 5e-5).collect();
        let errors = arguments.as_chunks::<8>().0.iter().flat_map(|x| {
            // SAFETY: plain Rust runs anywhere.
            let powers = unsafe { exp2(*x) };
            x.iter()
                .zip(powers)
                .map(|(x, power)| (f64::from(power) / f64::from(*x).exp2() - 1.0).abs())
                .collect::<Vec<_>>()
        });
        errors.fold(0.0, f64::max)
    }

    #[test]
    fn powers_are_as_near_as_they_say() {
        assert!(largest_error(exp2::<Portable>) < 2.4e-7);
        assert!(largest_error(rough_exp2::<Portable>) < 1e-4);
    }
}
