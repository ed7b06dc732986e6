//! How much the language model and the examples count: stacking (Wolpert, "Stacked Generalization", 1992).

use super::regression::softmax;

/// How far the weights of a blend are expected to be from 1, as a standard deviation.
const SPREAD: f64 = 1.0;
/// Newton's method takes a handful of steps.
const STEPS: usize = 20;

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
    /// What is expected before there are examples: both are right about how sure they are.
    fn default() -> Self {
        Self { model: 1.0, examples: 1.0 }
    }
}

impl Blend {
    /// The factors under which held-out examples are most likely, and not far from 1 without need. As they fit probabilities, not only
    /// right labels, the result is calibrated.
    pub(super) fn fit(held_out: &[HeldOut]) -> Self {
        let mut blend = Self::default();
        for _ in 0..STEPS {
            let mut slope = [(blend.model - 1.0) / SPREAD.powi(2), (blend.examples - 1.0) / SPREAD.powi(2)];
            let mut curvature = [[SPREAD.powi(-2), 0.0], [0.0, SPREAD.powi(-2)]];
            for example in held_out {
                let probabilities = softmax(&blend.scores(&example.model, &example.examples));
                let scores = [&example.model, &example.examples];
                let means = scores.map(|scores| mean(&probabilities, scores));
                for i in 0..2 {
                    slope[i] += means[i] - scores[i][example.label];
                    for j in 0..2 {
                        let products = scores[i].iter().zip(scores[j]).map(|(a, b)| a * b);
                        let product: f64 = probabilities.iter().zip(products).map(|(p, product)| p * product).sum();
                        curvature[i][j] += product - means[i] * means[j];
                    }
                }
            }
            let [[a, b], [_, d]] = curvature;
            let determinant = a * d - b * b;
            let step = [(d * slope[0] - b * slope[1]) / determinant, (a * slope[1] - b * slope[0]) / determinant];
            // Nobody counts against what is said.
            blend = Self { model: (blend.model - step[0]).max(0.0), examples: (blend.examples - step[1]).max(0.0) };
            if step.iter().all(|step| step.abs() < 1e-6) {
                break;
            }
        }
        blend
    }

    /// The scores of both together.
    pub(super) fn scores(&self, model: &[f64], examples: &[f64]) -> Vec<f64> {
        model.iter().zip(examples).map(|(model, examples)| self.model * model + self.examples * examples).collect()
    }
}

fn mean(probabilities: &[f64], scores: &[f64]) -> f64 {
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
        // Right in 80 of 100 cases, by scores of 1 and -1: a probability of 0.8 is a factor of half its logit.
        let blend = Blend::fit(
            &held_out(80, 100, 100).into_iter().map(|h| HeldOut { examples: vec![0.0; 2], ..h }).collect::<Vec<_>>(),
        );
        assert!((softmax(&blend.scores(&[1.0, -1.0], &[0.0; 2]))[0] - 0.8).abs() < 0.01, "{blend:?}");
    }
}
