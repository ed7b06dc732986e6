use super::dot;

/// Root mean square normalization: `out[i] = x[i] / sqrt(mean(x²) + epsilon) * weight[i]`.
///
/// Zhang and Sennrich, "Root Mean Square Layer Normalization", 2019.
///
/// # Panics
/// When the lengths differ.
pub fn rms_norm(x: &[f32], weight: &[f32], epsilon: f32, out: &mut [f32]) {
    assert_eq!(x.len(), weight.len(), "norm width");
    assert_eq!(x.len(), out.len(), "norm width");
    let mean_square = dot(x, x) / x.len() as f32;
    let scale = 1.0 / (mean_square + epsilon).sqrt();
    for ((out, x), weight) in out.iter_mut().zip(x).zip(weight) {
        *out = x * scale * weight;
    }
}
