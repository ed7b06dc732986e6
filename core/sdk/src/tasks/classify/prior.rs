//! Corrects a model's bias towards some labels: contextual calibration (Zhao et al., 2021).

/// A text that says nothing.
pub(super) const SAYING_NOTHING: &str = "N/A";

/// The part of the prior that is subtracted. All of it would be too much, because a text that says nothing is not
/// typical. Measured in `docs/quality.md`.
const WEIGHT: f64 = 0.5;

/// Scores (log-probabilities) corrected by the prior. A label that the model never gives has no prior.
pub(super) fn without_prior(scores: &[f64], prior: &[f64]) -> Vec<f64> {
    let taken_off = prior.iter().map(|prior| if prior.is_finite() { WEIGHT * prior } else { 0.0 });
    scores.iter().zip(taken_off).map(|(score, taken_off)| score - taken_off).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_of_the_prior_is_taken_off() {
        assert_eq!(without_prior(&[-1.0, -1.5], &[-2.0, -6.0]), [0.0, 1.5]);
        assert_eq!(without_prior(&[-1.0, f64::NEG_INFINITY], &[f64::NEG_INFINITY, -2.0]), [-1.0, f64::NEG_INFINITY]);
    }
}
