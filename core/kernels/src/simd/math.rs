//! Functions of a vector, by the same operations on every instruction set.

use std::f32::consts::{FRAC_1_SQRT_2, LOG2_E};

use super::Simd;

/// `2^x`, to two units in the last place, where it is a normal number; below, the smallest of them, and `x` is at most 127.
#[inline(always)]
pub(crate) fn exp2<S: Simd>(s: S, x: S::F32) -> S::F32 {
    let (whole, rest) = whole_and_rest(s, x);
    scale_by_exp2::<S, 6>(s, rest, whole, EXP2)
}

/// As [`exp2`], to 1e-4, for what is rounded to eight bits.
#[inline(always)]
pub(crate) fn rough_exp2<S: Simd>(s: S, x: S::F32) -> S::F32 {
    let (whole, rest) = whole_and_rest(s, x);
    scale_by_exp2::<S, 4>(s, rest, whole, ROUGH_EXP2)
}

/// The nearest integer, at least −126, and what is left, at most a half.
#[inline(always)]
fn whole_and_rest<S: Simd>(s: S, x: S::F32) -> (S::Int, S::F32) {
    let x = s.at_least(s.splat(-126.0), x);
    let whole = s.round_to_int(x);
    (whole, s.sub(x, s.to_f32(whole)))
}

/// `exp(x)`, to two units in the last place; what would overflow or be subnormal is clamped.
#[inline(always)]
pub(crate) fn exp<S: Simd>(s: S, x: S::F32) -> S::F32 {
    const LN_2_HIGH: f32 = 0.693_145_75;
    const LN_2_LOW: f32 = 1.428_606_8e-6;
    let x = s.at_most(s.splat(88.0), s.at_least(s.splat(-87.0), x));
    let n = s.round_to_int(s.mul(x, s.splat(LOG2_E)));
    let r = s.neg_fma(s.to_f32(n), s.splat(LN_2_HIGH), x);
    let r = s.neg_fma(s.to_f32(n), s.splat(LN_2_LOW), r);
    scale_by_exp2::<S, 6>(s, s.mul(r, s.splat(LOG2_E)), n, EXP2)
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
fn scale_by_exp2<S: Simd, const N: usize>(s: S, r: S::F32, n: S::Int, coefficients: [f32; N]) -> S::F32 {
    let power = polynomial::<S, N>(s, r, coefficients);
    s.bits_as_f32(s.add_int(s.to_bits(power), s.shl::<23>(n)))
}

/// `x * sigmoid(x)`.
#[inline(always)]
pub(crate) fn silu<S: Simd>(s: S, x: S::F32) -> S::F32 {
    times_sigmoid(s, x, x)
}

/// The Gaussian error linear unit, `x * Φ(x)`: see [`crate::scalar::gelu`].
#[inline(always)]
pub(crate) fn gelu<S: Simd>(s: S, x: S::F32) -> S::F32 {
    /// Of `t`, without a constant term. The highest power first.
    const POLYNOMIAL: [f32; 6] = [1.061_405_4, -1.453_152, 1.421_413_8, -0.284_496_74, 0.254_829_6, 0.0];
    let magnitude = s.and(s.to_bits(x), s.splat_int(i32::MAX));
    let magnitude = s.bits_as_f32(magnitude);
    let z = s.mul(magnitude, s.splat(FRAC_1_SQRT_2));
    let t = s.div(s.splat(1.0), s.fma(s.splat(0.327_591_1), z, s.splat(1.0)));
    let tail = s.mul(polynomial::<S, 6>(s, t, POLYNOMIAL), exp(s, s.mul(s.sub(s.splat(0.0), z), z)));
    s.neg_fma(s.mul(s.splat(0.5), magnitude), tail, s.at_least(s.splat(0.0), x))
}

/// The Gaussian error linear unit in its usual approximation, `x / 2 * (1 + tanh(u))` with `u = √(2/π) * (x + 0.044715 x³)`, which
/// is `x * sigmoid(2u)`.
#[inline(always)]
pub(crate) fn gelu_tanh<S: Simd>(s: S, x: S::F32) -> S::F32 {
    // 2√(2/π), and that times 0.044715.
    const LINEAR: f32 = 1.595_769;
    const CUBIC: f32 = 0.071_354_814;
    let by_x = s.fma(s.mul(x, x), s.splat(CUBIC), s.splat(LINEAR));
    times_sigmoid(s, x, s.mul(x, by_x))
}

#[inline(always)]
fn times_sigmoid<S: Simd>(s: S, x: S::F32, of: S::F32) -> S::F32 {
    s.div(x, s.add(s.splat(1.0), exp(s, s.sub(s.splat(0.0), of))))
}

/// Hyperbolic tangent, to four units in the last place, as `x * P(x²) / Q(x²)`. NaN of what is not finite: an overflow must not look
/// like a number.
#[inline(always)]
pub(crate) fn tanh<S: Simd>(s: S, x: S::F32) -> S::F32 {
    /// From here on it is 1 in `f32`.
    const ALL: f32 = 9.02;
    /// Of these degrees, the nearest up to [`ALL`] in relative error: 2.1e-8. The highest power first.
    const P: [f32; 5] = [1.331_908_5e-8, 2.058_349_3e-5, 3.494_035_2e-3, 0.133_797_18, 1.0];
    const Q: [f32; 5] = [7.762_025e-7, 3.283_094e-4, 2.587_107_6e-2, 0.467_130_33, 1.0];
    let bounded = s.at_most(s.splat(ALL), s.at_least(s.splat(-ALL), x));
    let square = s.mul(bounded, bounded);
    let ratio = s.div(s.mul(bounded, polynomial::<S, 5>(s, square, P)), polynomial::<S, 5>(s, square, Q));
    s.fma(x, s.splat(0.0), ratio)
}

/// The highest power first.
#[inline(always)]
fn polynomial<S: Simd, const N: usize>(s: S, x: S::F32, coefficients: [f32; N]) -> S::F32 {
    let mut sum = s.splat(coefficients[0]);
    for coefficient in &coefficients[1..] {
        sum = s.fma(sum, x, s.splat(*coefficient));
    }
    sum
}

/// The largest of all lanes, none of which is NaN.
#[inline(always)]
pub(crate) fn largest<S: Simd>(s: S, x: S::F32) -> f32 {
    let mut lanes = [f32::NEG_INFINITY; 16];
    s.store_slice(x, &mut lanes);
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
    fn largest_error(exp2: fn(Portable, [f32; 8]) -> [f32; 8]) -> f64 {
        let arguments: Vec<f32> = (-20_000..20_000).map(|i| i as f32 * 5e-5).collect();
        let errors = arguments.as_chunks::<8>().0.iter().flat_map(|x| {
            let powers = exp2(Portable, *x);
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

    #[test]
    fn hyperbolic_tangents_are_as_near_as_they_say() {
        for bits in (f32::MIN_POSITIVE.to_bits()..f32::MAX.to_bits()).step_by(9_991) {
            let x = f32::from_bits(bits);
            let [positive, negative, ..] = tanh(Portable, [x, -x, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
            let error = (f64::from(positive) / f64::from(x).tanh() - 1.0).abs();
            assert!(error < 4.8e-7 && negative == -positive, "{x}: {error:e}");
        }
    }
}
