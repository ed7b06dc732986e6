use std::f32::consts::{FRAC_1_SQRT_2, FRAC_2_PI};

/// `x * sigmoid(x)`. Elfwing et al., "Sigmoid-Weighted Linear Units", 2017.
pub fn silu(x: f32) -> f32 {
    x / (1.0 + (-x).exp())
}

/// The gated feed-forward activation, in place: `gate[i] = silu(gate[i]) * up[i]`.
///
/// Shazeer, "GLU Variants Improve Transformer", 2020.
///
/// # Panics
/// When the lengths differ.
pub fn swiglu(gate: &mut [f32], up: &[f32]) {
    assert_eq!(gate.len(), up.len(), "feed-forward width");
    for (gate, up) in gate.iter_mut().zip(up) {
        *gate = silu(*gate) * up;
    }
}

/// The Gaussian error linear unit, `x * Φ(x)`. Hendrycks and Gimpel, "Gaussian Error Linear Units", 2016.
///
/// The error function is Abramowitz and Stegun's 7.1.26, off by at most 1.5e-7.
pub fn gelu(x: f32) -> f32 {
    let z = x.abs() * FRAC_1_SQRT_2;
    let t = 1.0 / (1.0 + 0.327_591_1 * z);
    let polynomial = ((((1.061_405_4 * t - 1.453_152) * t + 1.421_413_8) * t - 0.284_496_74) * t + 0.254_829_6) * t;
    x.max(0.0) - 0.5 * x.abs() * polynomial * (-z * z).exp()
}

/// [`gelu`], approximated with a hyperbolic tangent.
pub fn gelu_tanh(x: f32) -> f32 {
    let inner = FRAC_2_PI.sqrt() * (x + 0.044_715 * x * x * x);
    0.5 * x * (1.0 + inner.tanh())
}

/// As [`swiglu`], with another activation: `gate[i] = gelu_tanh(gate[i]) * up[i]`.
///
/// # Panics
/// When the lengths differ.
pub fn geglu(gate: &mut [f32], up: &[f32]) {
    assert_eq!(gate.len(), up.len(), "feed-forward width");
    for (gate, up) in gate.iter_mut().zip(up) {
        *gate = gelu_tanh(*gate) * up;
    }
}

/// Brings scores softly between `-cap` and `cap`, in place: `x[i] = cap * tanh(x[i] / cap)`.
///
/// Bello et al., "Neural Combinatorial Optimization with Reinforcement Learning", 2016.
pub fn soft_cap(x: &mut [f32], cap: f32) {
    x.iter_mut().for_each(|x| *x = cap * (*x / cap).tanh());
}

/// Turns scores into probabilities, in place: `exp(x[i]) / sum(exp(x))`, shifted by the maximum so that nothing
/// overflows. An empty slice stays empty.
pub fn softmax(x: &mut [f32]) {
    let max = x.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let mut sum = 0.0;
    for x in x.iter_mut() {
        *x = (*x - max).exp();
        sum += *x;
    }
    for x in x.iter_mut() {
        *x /= sum;
    }
}
