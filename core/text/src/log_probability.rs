//! How probable tokens are under a model's logits.

/// The natural logarithm of the probability of any of `ids`, under the softmax of `logits`.
pub fn log_probability(logits: &[f32], ids: &[u32]) -> f64 {
    Softmax::of(logits).log_probability(ids)
}

/// The softmax of logits, for more than one question.
#[derive(Debug, Clone, Copy)]
pub struct Softmax<'a> {
    logits: &'a [f32],
    highest: f64,
    total: f64,
}

impl<'a> Softmax<'a> {
    /// That of these logits, `[vocab_size]`.
    pub fn of(logits: &'a [f32]) -> Self {
        let highest = f64::from(logits.iter().copied().fold(f32::NEG_INFINITY, f32::max));
        let total = logits.iter().map(|&logit| (f64::from(logit) - highest).exp()).sum();
        Self { logits, highest, total }
    }

    /// The natural logarithm of the probability of any of `ids`.
    pub fn log_probability(&self, ids: &[u32]) -> f64 {
        let logits = ids.iter().filter_map(|&id| self.logits.get(id as usize));
        let wanted: f64 = logits.map(|&logit| (f64::from(logit) - self.highest).exp()).sum();
        (wanted / self.total).ln()
    }
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
