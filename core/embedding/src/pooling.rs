//! How the last layer's rows become one vector.

/// How the last layer's rows become one vector.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pooling {
    /// The mean of all tokens.
    Mean,
    /// The first token, `[CLS]`.
    First,
}

impl Pooling {
    /// The vector of a text's rows, `[tokens, width]`, with a length of 1.
    pub(crate) fn pool(self, rows: &[f32], width: usize) -> Vec<f32> {
        let rows = match self {
            Self::Mean => rows,
            Self::First => &rows[..width],
        };
        let mut sums = vec![0.0f64; width];
        for row in rows.chunks_exact(width) {
            sums.iter_mut().zip(row).for_each(|(sum, x)| *sum += f64::from(*x));
        }
        let length = sums.iter().map(|sum| sum * sum).sum::<f64>().sqrt();
        let scale = if length > 0.0 { 1.0 / length } else { 0.0 };
        sums.into_iter().map(|sum| (sum * scale) as f32).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vectors_have_length_one() {
        let rows = [3.0, 0.0, 0.0, 4.0];
        assert_eq!(Pooling::Mean.pool(&rows, 2), [0.6, 0.8]);
        assert_eq!(Pooling::First.pool(&rows, 2), [1.0, 0.0]);
        assert_eq!(Pooling::Mean.pool(&[0.0; 4], 2), [0.0, 0.0]);
    }
}
