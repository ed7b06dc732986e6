use std::f32::consts::FRAC_2_PI;

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

/// The Gaussian error linear unit, approximated with a hyperbolic tangent. Hendrycks and Gimpel, "Gaussian Error Linear Units", 2016.
pub fn gelu(x: f32) -> f32 {
    let inner = FRAC_2_PI.sqrt() * (x + 0.044_715 * x * x * x);
    0.5 * x * (1.0 + inner.tanh())
}

/// As [`swiglu`], with another activation: `gate[i] = gelu(gate[i]) * up[i]`.
///
/// # Panics
/// When the lengths differ.
pub fn geglu(gate: &mut [f32], up: &[f32]) {
    assert_eq!(gate.len(), up.len(), "feed-forward width");
    for (gate, up) in gate.iter_mut().zip(up) {
        *gate = gelu(*gate) * up;
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
