//! Norms, activations and sums over single rows, vectorized.

// Loads and stores stay within the slices, in whole vectors.
#![allow(unsafe_op_in_unsafe_fn)]

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
///
/// # Safety
/// `S` runs on this CPU.
#[inline(always)]
pub(crate) unsafe fn largest<S: Simd>(x: &[f32]) -> f32 {
    let mut largest = S::splat(f32::NEG_INFINITY);
    let chunks = x.chunks_exact(S::LANES);
    let rest = chunks.remainder();
    for x in chunks {
        largest = S::max(S::load(x.as_ptr()), largest);
    }
    rest.iter().fold(math::largest::<S>(largest), |a, &b| if b > a { b } else { a })
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
///
/// # Safety
/// [`Function::of`] may be called only where `S` runs.
pub(crate) unsafe trait Function<S: Simd>: Copy {
    unsafe fn of(self, x: S::F32) -> S::F32;
}

/// Functions without parameters, by their names in [`math`].
macro_rules! functions {
    ($($name:ident = $function:ident),*) => {
        $(#[derive(Clone, Copy)]
        pub(crate) struct $name;

        // SAFETY: as the function says.
        unsafe impl<S: Simd> Function<S> for $name {
            #[inline(always)]
            unsafe fn of(self, x: S::F32) -> S::F32 {
                math::$function::<S>(x)
            }
        })*
    };
}

functions!(Silu = silu, Gelu = gelu, GeluTanh = gelu_tanh, Exp2 = exp2);

/// `cap * tanh(x / cap)`.
#[derive(Clone, Copy)]
struct SoftCap(f32);

// SAFETY: as `math::tanh` says.
unsafe impl<S: Simd> Function<S> for SoftCap {
    #[inline(always)]
    unsafe fn of(self, x: S::F32) -> S::F32 {
        S::mul(S::splat(self.0), math::tanh::<S>(S::mul(x, S::splat(1.0 / self.0))))
    }
}

/// `gate[i] = activation(gate[i]) * up[i]`; see [`crate::scalar::swiglu`] and [`crate::scalar::geglu`].
///
/// # Safety
/// `S` runs on this CPU.
#[inline(always)]
pub(crate) unsafe fn gated<S: Simd, A: Function<S>>(activation: A, gate: &mut [f32], up: &[f32]) {
    assert_eq!(gate.len(), up.len(), "feed-forward width");
    let whole = gate.len() / S::LANES * S::LANES;
    for i in (0..whole).step_by(S::LANES) {
        let at = gate.as_mut_ptr().add(i);
        S::store(S::mul(activation.of(S::load(at)), S::load(up.as_ptr().add(i))), at);
    }
    // What is left makes a last vector, filled up with zeros.
    let mut last = [[0.0f32; PARTIAL_SUMS]; 2];
    let left = gate.len() - whole;
    last[0][..left].copy_from_slice(&gate[whole..]);
    last[1][..left].copy_from_slice(&up[whole..]);
    let result = S::mul(activation.of(S::load(last[0].as_ptr())), S::load(last[1].as_ptr()));
    S::store(result, last[0].as_mut_ptr());
    gate[whole..].copy_from_slice(&last[0][..left]);
}

/// `x[i] = 2^(x[i] - shift)`, which are added to `sums`, in order to the one after the other. No `x` is more than 127 above
/// `shift`.
///
/// # Safety
/// `S` runs on this CPU.
#[inline(always)]
pub(crate) unsafe fn exp2_and_sum<S: Simd>(x: &mut [f32], shift: f32, sums: &mut [f32; PARTIAL_SUMS]) {
    let mut vectors = [S::splat(0.0); PARTIAL_SUMS / 4];
    let vectors = &mut vectors[..PARTIAL_SUMS / S::LANES];
    for (vector, to) in vectors.iter_mut().enumerate() {
        *to = S::load(sums.as_ptr().add(vector * S::LANES));
    }
    let whole = x.len() / PARTIAL_SUMS * PARTIAL_SUMS;
    for at in (0..whole).step_by(PARTIAL_SUMS) {
        for (vector, sum) in vectors.iter_mut().enumerate() {
            let at = at + vector * S::LANES;
            let x = x.as_mut_ptr().add(at);
            let power = math::exp2::<S>(S::sub(S::load(x), S::splat(shift)));
            *sum = S::add(*sum, power);
            S::store(power, x);
        }
    }
    for (vector, sum) in vectors.iter().enumerate() {
        S::store(*sum, sums.as_mut_ptr().add(vector * S::LANES));
    }
    // What is left makes a last vector.
    let rest = &mut x[whole..];
    let mut last = [f32::NEG_INFINITY; PARTIAL_SUMS];
    last[..rest.len()].copy_from_slice(rest);
    for vector in 0..PARTIAL_SUMS / S::LANES {
        let last = last.as_mut_ptr().add(vector * S::LANES);
        S::store(math::exp2::<S>(S::sub(S::load(last), S::splat(shift))), last);
    }
    for (i, rest) in rest.iter_mut().enumerate() {
        sums[i] += last[i];
        *rest = last[i];
    }
}

/// `x[i] = 2^x[i]`, of at most 127.
///
/// # Safety
/// `S` runs on this CPU.
#[inline(always)]
pub(crate) unsafe fn exp2_all<S: Simd>(x: &mut [f32]) {
    apply_to_all::<S, _>(Exp2, x);
}

/// See [`crate::scalar::gelu`], of each number.
///
/// # Safety
/// `S` runs on this CPU.
#[inline(always)]
pub(crate) unsafe fn gelu<S: Simd>(x: &mut [f32]) {
    apply_to_all::<S, _>(Gelu, x);
}

/// See [`crate::scalar::soft_cap`]; NaN of what is not finite.
///
/// # Safety
/// `S` runs on this CPU.
#[inline(always)]
pub(crate) unsafe fn soft_cap<S: Simd>(x: &mut [f32], cap: f32) {
    apply_to_all::<S, _>(SoftCap(cap), x);
}

/// `x[i] = function(x[i])`.
///
/// # Safety
/// `S` runs on this CPU.
#[inline(always)]
unsafe fn apply_to_all<S: Simd, F: Function<S>>(function: F, x: &mut [f32]) {
    let (chunks, rest) = x.as_chunks_mut::<PARTIAL_SUMS>();
    let mut last = [0.0; PARTIAL_SUMS];
    last[..rest.len()].copy_from_slice(rest);
    for chunk in chunks.iter_mut().chain([&mut last]) {
        for vector in 0..PARTIAL_SUMS / S::LANES {
            let at = chunk.as_mut_ptr().add(vector * S::LANES);
            S::store(function.of(S::load(at)), at);
        }
    }
    rest.copy_from_slice(&last[..rest.len()]);
}

/// `2^x`, of at most 127.
///
/// # Safety
/// `S` runs on this CPU.
#[inline(always)]
pub(crate) unsafe fn exp2<S: Simd>(x: f32) -> f32 {
    let mut lanes = [0.0; PARTIAL_SUMS];
    S::store(math::exp2::<S>(S::splat(x)), lanes.as_mut_ptr());
    lanes[0]
}
