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
