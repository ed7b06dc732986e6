//! Rotary position embedding: each pair of a head's values is turned by an angle that grows with the position.
//!
//! Su et al., "RoFormer: Enhanced Transformer with Rotary Position Embedding", 2021.

/// Turns neighbouring pairs `(x[2i], x[2i + 1])`: the order of Llama weights in GGUF files.
///
/// `x` is one head; `cos` and `sin` hold one value per pair. Values beyond the last pair stay as they are.
///
/// # Panics
/// When the tables differ in length or cover more than `x`.
pub fn rope_interleaved(x: &mut [f32], cos: &[f32], sin: &[f32]) {
    check(x, cos, sin);
    for ((pair, cos), sin) in x.chunks_exact_mut(2).zip(cos).zip(sin) {
        let (a, b) = (pair[0], pair[1]);
        pair[0] = a * cos - b * sin;
        pair[1] = a * sin + b * cos;
    }
}

/// Turns pairs half the rotated width apart, `(x[i], x[i + pairs])`: the order of Hugging Face's and GPT-NeoX's weights.
///
/// `x` is one head; `cos` and `sin` hold one value per pair. Values beyond the last pair stay as they are.
///
/// # Panics
/// When the tables differ in length or cover more than `x`.
pub fn rope_half_split(x: &mut [f32], cos: &[f32], sin: &[f32]) {
    check(x, cos, sin);
    let (first, second) = x[..2 * cos.len()].split_at_mut(cos.len());
    for (((first, second), cos), sin) in first.iter_mut().zip(second).zip(cos).zip(sin) {
        let (a, b) = (*first, *second);
        *first = a * cos - b * sin;
        *second = a * sin + b * cos;
    }
}

fn check(x: &[f32], cos: &[f32], sin: &[f32]) {
    assert_eq!(cos.len(), sin.len(), "one cosine and one sine per pair");
    assert!(2 * cos.len() <= x.len(), "more pairs than the head holds");
}
