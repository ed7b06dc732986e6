//! How much the language model and the examples count: stacking (Wolpert, "Stacked Generalization", 1992).

use super::regression::softmax;

/// What is expected before there are examples: the model is right about how sure it is, and examples tell nothing. A few of them, which
/// may agree by chance, cannot outvote this.
const EXPECTED: [f64; 2] = [1.0, 0.0];
/// How far the factors are expected to be from that, as standard deviations.
const SPREADS: [f64; 2] = [0.3, 0.4];
/// Newton's method takes a handful of steps for each factor; they depend on each other.
const STEPS: usize = 50;

/// The factors of the two scores of a label, which are added.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Blend {
    /// Of the language model's.
    pub(super) model: f64,
    /// Of the regression's.
    pub(super) examples: f64,
}

/// An example that took no part in what is said about it here.
pub(super) struct HeldOut {
    /// The language model's scores; zeros if they are not known.
    pub(super) model: Vec<f64>,
    /// The scores of a regression on other examples.
    pub(super) examples: Vec<f64>,
    pub(super) label: usize,
}

impl Default for Blend {
    /// What is expected before there are examples.
    fn default() -> Self {
        let [model, examples] = EXPECTED;
        Self { model, examples }
    }
}

impl Blend {
    /// The factors under which held-out examples are most likely, and not far from what is expected without need. As they fit probabilities, not only
    /// right labels, the result is calibrated.
    pub(super) fn fit(held_out: &[HeldOut]) -> Self {
        let mut factors = EXPECTED;
        for _ in 0..STEPS {
            // One after the other: neither may become negative, as nobody counts against what is said.
            let moved: f64 = (0..2).map(|of| Self::step(&mut factors, of, held_out).abs()).sum();
            if moved < 1e-6 {
                break;
            }
        }
        let [model, examples] = factors;
        Self { model, examples }
    }

    /// A step of Newton's method for one of the factors; returns how far it went.
    fn step(factors: &mut [f64; 2], of: usize, held_out: &[HeldOut]) -> f64 {
        let [model, examples] = *factors;
        let precision = SPREADS[of].powi(-2);
        let (mut slope, mut curvature) = ((factors[of] - EXPECTED[of]) * precision, precision);
        for example in held_out {
            let probabilities = softmax(&Self { model, examples }.scores(&example.model, &example.examples));
            let scores = [&example.model, &example.examples][of];
            let mean = self::mean(&probabilities, scores.iter().copied());
            slope += mean - scores[example.label];
            curvature += self::mean(&probabilities, scores.iter().map(|score| score * score)) - mean * mean;
        }
        let before = factors[of];
        factors[of] = (before - slope / curvature).max(0.0);
        factors[of] - before
    }

    /// The scores of both together.
    pub(super) fn scores(&self, model: &[f64], examples: &[f64]) -> Vec<f64> {
        model.iter().zip(examples).map(|(model, examples)| self.model * model + self.examples * examples).collect()
    }
}

fn mean(probabilities: &[f64], scores: impl Iterator<Item = f64>) -> f64 {
    probabilities.iter().zip(scores).map(|(probability, score)| probability * score).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held_out(model_is_right: usize, examples_are_right: usize, of: usize) -> Vec<HeldOut> {
        let scores =
            |right: bool, label: usize| (0..2).map(|l| if (l == label) == right { 1.0 } else { -1.0 }).collect();
        (0..of)
            .map(|index| {
                let label = index % 2;
                HeldOut {
                    model: scores(index < model_is_right, label),
                    examples: scores((index * 7) % of < examples_are_right, label),
                    label,
                }
            })
            .collect()
    }

    #[test]
    fn who_is_right_counts_more() {
        assert_eq!(Blend::fit(&[]), Blend::default());
        let good_model = Blend::fit(&held_out(90, 50, 100));
        assert!(good_model.model > 0.8 && good_model.examples < 0.3, "{good_model:?}");
        let good_examples = Blend::fit(&held_out(50, 90, 100));
        assert!(good_examples.examples > 0.8 && good_examples.model < 0.3, "{good_examples:?}");
        // A model that is mostly wrong is not believed the opposite of what it says.
        assert_eq!(Blend::fit(&held_out(10, 90, 100)).model, 0.0);
    }

    #[test]
    fn probabilities_become_frequencies() {
        // Right in 800 of 1000 cases, by scores of 1 and -1: a probability of 0.8 is a factor of half its logit.
        let blend = Blend::fit(
            &held_out(800, 1000, 1000).into_iter().map(|h| HeldOut { examples: vec![0.0; 2], ..h }).collect::<Vec<_>>(),
        );
        assert!((softmax(&blend.scores(&[1.0, -1.0], &[0.0; 2]))[0] - 0.8).abs() < 0.01, "{blend:?}");
    }
}
