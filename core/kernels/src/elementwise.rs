//! Norms, activations and sums over single rows, vectorized.

use crate::simd::{Simd, math};

/// Partial sums of a row, whatever the vectors' width: the same on every instruction set.
pub(crate) const PARTIAL_SUMS: usize = 16;

/// Adds partial sums in pairs.
#[inline(always)]
pub(crate) fn total(mut sums: [f32; PARTIAL_SUMS]) -> f32 {
    let mut half = PARTIAL_SUMS / 2;
    while half > 0 {
        for i in 0..half {
            sums[i] += sums[i + half];
        }
        half /= 2;
    }
    sums[0]
}

/// The sum of `term` of each number.
#[inline(always)]
fn sum_of(x: &[f32], term: impl Fn(f32) -> f32) -> f32 {
    let mut sums = [0.0f32; PARTIAL_SUMS];
    let (chunks, rest) = x.as_chunks::<PARTIAL_SUMS>();
    for chunk in chunks {
        for i in 0..PARTIAL_SUMS {
            sums[i] += term(chunk[i]);
        }
    }
    for (sum, x) in sums.iter_mut().zip(rest) {
        *sum += term(*x);
    }
    total(sums)
}

/// The largest of `x`, not NaN.
#[inline(always)]
pub(crate) fn largest<S: Simd>(s: S, x: &[f32]) -> f32 {
    let mut largest = s.splat(f32::NEG_INFINITY);
    let chunks = x.chunks_exact(S::LANES);
    let rest = chunks.remainder();
    for x in chunks {
        largest = s.max(s.load_slice(x), largest);
    }
    rest.iter().fold(math::largest(s, largest), |a, &b| if b > a { b } else { a })
}

/// See [`crate::scalar::rms_norm`].
#[inline(always)]
pub(crate) fn rms_norm(x: &[f32], weight: &[f32], epsilon: f32, out: &mut [f32]) {
    assert_eq!(x.len(), weight.len(), "norm width");
    assert_eq!(x.len(), out.len(), "norm width");
    let scale = 1.0 / (sum_of(x, |x| x * x) / x.len() as f32 + epsilon).sqrt();
    for ((out, x), weight) in out.iter_mut().zip(x).zip(weight) {
        *out = x * scale * weight;
    }
}

/// See [`crate::scalar::layer_norm`].
#[inline(always)]
pub(crate) fn layer_norm(x: &[f32], weight: &[f32], bias: &[f32], epsilon: f32, out: &mut [f32]) {
    assert!(x.len() == weight.len() && x.len() == bias.len() && x.len() == out.len(), "norm width");
    let mean = sum_of(x, |x| x) / x.len() as f32;
    let variance = sum_of(x, |x| (x - mean) * (x - mean)) / x.len() as f32;
    let scale = 1.0 / (variance + epsilon).sqrt();
    for (((out, x), weight), bias) in out.iter_mut().zip(x).zip(weight).zip(bias) {
        *out = (x - mean) * scale * weight + bias;
    }
}

/// Adds `update` to `x`.
#[inline(always)]
pub(crate) fn add(x: &mut [f32], update: &[f32]) {
    assert_eq!(x.len(), update.len(), "row width");
    let (chunks, rest) = x.as_chunks_mut::<PARTIAL_SUMS>();
    let (updates, rest_updates) = update.as_chunks::<PARTIAL_SUMS>();
    for (x, update) in chunks.iter_mut().zip(updates) {
        // Copies, so that the compiler knows them to be apart.
        let update = *update;
        *x = std::array::from_fn(|i| x[i] + update[i]);
    }
    rest.iter_mut().zip(rest_updates).for_each(|(x, update)| *x += update);
}

/// Multiplies `x` with `factor`.
#[inline(always)]
pub(crate) fn scale(x: &mut [f32], factor: f32) {
    x.iter_mut().for_each(|x| *x *= factor);
}

/// A function of each number of a vector.
pub(crate) trait Function<S: Simd>: Copy {
    fn of(self, s: S, x: S::F32) -> S::F32;
}

/// Functions without parameters, by their names in [`math`].
macro_rules! functions {
    ($($name:ident = $function:ident),*) => {
        $(#[derive(Clone, Copy)]
        pub(crate) struct $name;

        impl<S: Simd> Function<S> for $name {
            #[inline(always)]
            fn of(self, s: S, x: S::F32) -> S::F32 {
                math::$function(s, x)
            }
        })*
    };
}

functions!(Silu = silu, Gelu = gelu, GeluTanh = gelu_tanh, Exp2 = exp2);

/// `cap * tanh(x / cap)`.
#[derive(Clone, Copy)]
struct SoftCap(f32);

impl<S: Simd> Function<S> for SoftCap {
    #[inline(always)]
    fn of(self, s: S, x: S::F32) -> S::F32 {
        s.mul(s.splat(self.0), math::tanh(s, s.mul(x, s.splat(1.0 / self.0))))
    }
}

/// `gate[i] = activation(gate[i]) * up[i]`; see [`crate::scalar::swiglu`] and [`crate::scalar::geglu`].
#[inline(always)]
pub(crate) fn gated<S: Simd, A: Function<S>>(s: S, activation: A, gate: &mut [f32], up: &[f32]) {
    assert_eq!(gate.len(), up.len(), "feed-forward width");
    let whole = gate.len() / S::LANES * S::LANES;
    for (gate, up) in gate.chunks_exact_mut(S::LANES).zip(up.chunks_exact(S::LANES)) {
        s.store_slice(s.mul(activation.of(s, s.load_slice(gate)), s.load_slice(up)), gate);
    }
    // What is left makes a last vector, filled up with zeros.
    let mut last = [[0.0f32; PARTIAL_SUMS]; 2];
    let left = gate.len() - whole;
    last[0][..left].copy_from_slice(&gate[whole..]);
    last[1][..left].copy_from_slice(&up[whole..]);
    let result = s.mul(activation.of(s, s.load_slice(&last[0])), s.load_slice(&last[1]));
    s.store_slice(result, &mut last[0]);
    gate[whole..].copy_from_slice(&last[0][..left]);
}

/// `x[i] = 2^(x[i] - shift)`, which are added to `sums`, in order to the one after the other. No `x` is more than 127 above
/// `shift`.
#[inline(always)]
pub(crate) fn exp2_and_sum<S: Simd>(s: S, x: &mut [f32], shift: f32, sums: &mut [f32; PARTIAL_SUMS]) {
    let mut vectors = [s.splat(0.0); PARTIAL_SUMS / 4];
    let vectors = &mut vectors[..PARTIAL_SUMS / S::LANES];
    for (vector, sums) in vectors.iter_mut().zip(sums.chunks_exact(S::LANES)) {
        *vector = s.load_slice(sums);
    }
    let (chunks, rest) = x.as_chunks_mut::<PARTIAL_SUMS>();
    for chunk in chunks {
        for (sum, x) in vectors.iter_mut().zip(chunk.chunks_exact_mut(S::LANES)) {
            let power = math::exp2(s, s.sub(s.load_slice(x), s.splat(shift)));
            *sum = s.add(*sum, power);
            s.store_slice(power, x);
        }
    }
    for (vector, sums) in vectors.iter().zip(sums.chunks_exact_mut(S::LANES)) {
        s.store_slice(*vector, sums);
    }
    // What is left makes a last vector.
    let mut last = [f32::NEG_INFINITY; PARTIAL_SUMS];
    last[..rest.len()].copy_from_slice(rest);
    for last in last.chunks_exact_mut(S::LANES) {
        s.store_slice(math::exp2(s, s.sub(s.load_slice(last), s.splat(shift))), last);
    }
    for (i, rest) in rest.iter_mut().enumerate() {
        sums[i] += last[i];
        *rest = last[i];
    }
}

/// `x[i] = 2^x[i]`, of at most 127.
#[inline(always)]
pub(crate) fn exp2_all<S: Simd>(s: S, x: &mut [f32]) {
    apply_to_all(s, Exp2, x);
}

/// See [`crate::scalar::gelu`], of each number.
#[inline(always)]
pub(crate) fn gelu<S: Simd>(s: S, x: &mut [f32]) {
    apply_to_all(s, Gelu, x);
}

/// See [`crate::scalar::soft_cap`]; NaN of what is not finite.
#[inline(always)]
pub(crate) fn soft_cap<S: Simd>(s: S, x: &mut [f32], cap: f32) {
    apply_to_all(s, SoftCap(cap), x);
}

/// `x[i] = function(x[i])`.
#[inline(always)]
fn apply_to_all<S: Simd, F: Function<S>>(s: S, function: F, x: &mut [f32]) {
    let (chunks, rest) = x.as_chunks_mut::<PARTIAL_SUMS>();
    let mut last = [0.0; PARTIAL_SUMS];
    last[..rest.len()].copy_from_slice(rest);
    for chunk in chunks.iter_mut().chain([&mut last]) {
        for x in chunk.chunks_exact_mut(S::LANES) {
            s.store_slice(function.of(s, s.load_slice(x)), x);
        }
    }
    rest.copy_from_slice(&last[..rest.len()]);
}

/// `2^x`, of at most 127.
#[inline(always)]
pub(crate) fn exp2<S: Simd>(s: S, x: f32) -> f32 {
    let mut lanes = [0.0; PARTIAL_SUMS];
    s.store_slice(math::exp2(s, s.splat(x)), &mut lanes);
    lanes[0]
}
