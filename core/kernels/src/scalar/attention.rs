use super::{FloatElement, dot};

/// The widest head that [`attention`] takes: its working memory lies on the stack.
pub const MAX_HEAD_DIM: usize = 256;

/// Positions whose scores are computed before the running softmax is brought up to date.
const BLOCK: usize = 32;

/// Attention of one query head over all given positions: `out = softmax(scale * keys · query) · values`.
///
/// `query` and `out` are `[head_dim]`; `keys` and `values` are row-major `[positions, head_dim]`. Being causal is the
/// caller's: it passes the positions up to the query's own. Memory does not grow with the positions: the softmax runs
/// along, rescaling what it has summed whenever the maximum rises (Milakov and Gimelshein, "Online normalizer
/// calculation for softmax", 2018).
///
/// # Panics
/// When lengths do not fit together, there is no position, or the head is wider than [`MAX_HEAD_DIM`].
pub fn attention<E: FloatElement>(query: &[f32], keys: &[E], values: &[E], scale: f32, out: &mut [f32]) {
    let head_dim = query.len();
    assert!((1..=MAX_HEAD_DIM).contains(&head_dim), "head width");
    assert_eq!(head_dim, out.len(), "head width");
    assert_eq!(keys.len(), values.len(), "positions");
    assert!(!keys.is_empty() && keys.len().is_multiple_of(head_dim), "positions");

    let mut buffer = [0.0f32; MAX_HEAD_DIM];
    let mut max = f32::NEG_INFINITY;
    let mut sum = 0.0f32;
    out.fill(0.0);
    for (keys, values) in keys.chunks(BLOCK * head_dim).zip(values.chunks(BLOCK * head_dim)) {
        let mut scores = [0.0f32; BLOCK];
        let scores = &mut scores[..keys.len() / head_dim];
        for (score, key) in scores.iter_mut().zip(keys.chunks_exact(head_dim)) {
            *score = scale * dot(query, E::widen(key, &mut buffer));
        }

        let block_max = scores.iter().copied().fold(max, f32::max);
        if block_max > max {
            let correction = (max - block_max).exp();
            sum *= correction;
            out.iter_mut().for_each(|out| *out *= correction);
            max = block_max;
        }

        for (score, value) in scores.iter().zip(values.chunks_exact(head_dim)) {
            let weight = (score - max).exp();
            sum += weight;
            for (out, value) in out.iter_mut().zip(E::widen(value, &mut buffer)) {
                *out += weight * value;
            }
        }
    }
    out.iter_mut().for_each(|out| *out /= sum);
}
