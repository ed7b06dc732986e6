//! How probable tokens are under a model's logits.

/// The natural logarithm of the probability of any of `ids`, under the softmax of `logits`.
pub fn log_probability(logits: &[f32], ids: &[u32]) -> f64 {
    let highest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max) as f64;
    let mass = |logit: f32| (f64::from(logit) - highest).exp();
    let total: f64 = logits.iter().map(|&logit| mass(logit)).sum();
    let wanted: f64 = ids.iter().filter_map(|&id| logits.get(id as usize)).map(|&logit| mass(logit)).sum();
    (wanted / total).ln()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn log_probabilities_are_those_of_the_softmax() {
        let logits = [1.0_f32, -2.0, 0.5, 30.0];
        let total: f64 = logits.iter().map(|&logit| f64::from(logit).exp()).sum();
        let expected = (f64::from(logits[0]).exp() / total).ln();
        assert!((log_probability(&logits, &[0]) - expected).abs() < 1e-12);
        let both = ((f64::from(logits[1]).exp() + f64::from(logits[3]).exp()) / total).ln();
        assert!((log_probability(&logits, &[1, 3]) - both).abs() < 1e-12);
        assert_eq!(log_probability(&logits, &[]), f64::NEG_INFINITY);
    }
}
