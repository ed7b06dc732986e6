//! Multinomial logistic regression with an L2 penalty.

/// The penalty on squared weights, against the sum of all examples' losses.
const PENALTY: f32 = 0.1;
/// Steps of a fit, at most. A fit that begins near its end takes a few.
const STEPS: usize = 200;
/// A fit ends when no weight's gradient is larger.
const TOLERANCE: f32 = 1e-3;
/// Numbers that are added side by side, so that the compiler uses vectors.
const LANES: usize = 16;

/// A weight for each label and number of a vector.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Regression {
    dimensions: usize,
    /// `[labels, dimensions]`.
    weights: Vec<f32>,
}

impl Regression {
    /// A regression that finds all labels equally likely.
    pub(super) fn new(labels: usize, dimensions: usize) -> Self {
        Self { dimensions, weights: vec![0.0; labels * dimensions] }
    }

    /// Fits the weights to examples, a vector and a label each, from where they are: Nesterov's accelerated gradient descent, with
    /// restarts (O'Donoghue and Candès, "Adaptive Restart for Accelerated Gradient Schemes", 2015).
    pub(super) fn fit(&mut self, examples: &[(&[f32], usize)]) {
        let longest = examples.iter().map(|(x, _)| dot(x, x)).fold(0.0, f32::max);
        // No step is too long: the curvature is at most half the sum of the squared vectors.
        let rate = 1.0 / (0.5 * longest * examples.len() as f32 + PENALTY);
        let mut gradient = vec![0.0; self.weights.len()];
        let (mut ahead, mut momentum) = (self.clone(), 1.0f32);
        for _ in 0..STEPS {
            ahead.gradient(examples, &mut gradient);
            if gradient.iter().all(|slope| slope.abs() <= TOLERANCE) {
                break;
            }
            let next = (1.0 + (1.0 + 4.0 * momentum * momentum).sqrt()) / 2.0;
            let (mut inertia, mut against) = ((momentum - 1.0) / next, 0.0);
            let steps = self.weights.iter_mut().zip(&mut ahead.weights).zip(&gradient);
            for ((weight, ahead), slope) in steps {
                let new = *ahead - rate * slope;
                against += slope * (new - *weight);
                (*ahead, *weight) = (new - *weight, new);
            }
            momentum = next;
            if against > 0.0 {
                (momentum, inertia) = (1.0, 0.0);
            }
            for (ahead, weight) in ahead.weights.iter_mut().zip(&self.weights) {
                *ahead = weight + inertia * *ahead;
            }
        }
    }

    /// The scores of the labels for a vector: logarithms of probabilities, except for a constant.
    pub(super) fn scores(&self, x: &[f32]) -> Vec<f64> {
        self.weights.chunks_exact(self.dimensions).map(|weights| f64::from(dot(weights, x))).collect()
    }

    /// The gradient of the examples' losses and the penalty.
    fn gradient(&self, examples: &[(&[f32], usize)], gradient: &mut [f32]) {
        for (slope, weight) in gradient.iter_mut().zip(&self.weights) {
            *slope = PENALTY * weight;
        }
        for &(x, label) in examples {
            let probabilities = softmax(&self.scores(x));
            for (index, (probability, slopes)) in
                probabilities.iter().zip(gradient.chunks_exact_mut(self.dimensions)).enumerate()
            {
                let error = *probability as f32 - f32::from(u8::from(index == label));
                slopes.iter_mut().zip(x).for_each(|(slope, x)| *slope += error * x);
            }
        }
    }
}

/// Probabilities in proportion to the exponentials of scores. A score of minus infinity has none.
pub(super) fn softmax(scores: &[f64]) -> Vec<f64> {
    let highest = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let masses: Vec<f64> = scores.iter().map(|score| (score - highest).exp()).collect();
    let total: f64 = masses.iter().sum();
    masses.into_iter().map(|mass| mass / total).collect()
}

/// `a · b`.
pub(super) fn dot(a: &[f32], b: &[f32]) -> f32 {
    let ((a, rest_a), (b, rest_b)) = (a.as_chunks::<LANES>(), b.as_chunks::<LANES>());
    let mut sums = [0.0; LANES];
    for (a, b) in a.iter().zip(b) {
        (0..LANES).for_each(|lane| sums[lane] += a[lane] * b[lane]);
    }
    sums.iter().sum::<f32>() + rest_a.iter().zip(rest_b).map(|(a, b)| a * b).sum::<f32>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_gradient_vanishes_where_a_fit_ends() {
        let rows: Vec<Vec<f32>> = (0..60u32)
            .map(|row| {
                (0..20u32).map(|x| ((row * 7919 + x * 104_729 + row * x * 31) % 97) as f32 / 97.0 - 0.5).collect()
            })
            .collect();
        let examples: Vec<(&[f32], usize)> = rows.iter().enumerate().map(|(row, x)| (x.as_slice(), row % 3)).collect();
        let mut regression = Regression::new(3, 20);
        regression.fit(&examples);
        let mut gradient = vec![0.0; 60];
        regression.gradient(&examples, &mut gradient);
        assert!(gradient.iter().all(|slope| slope.abs() < 0.01), "{gradient:?}");
        // One more example is learnt from there, and forgotten again.
        let (before, other) = (regression.clone(), vec![0.3; 20]);
        let more: Vec<_> = examples.iter().copied().chain([(other.as_slice(), 1)]).collect();
        regression.fit(&more);
        assert!(softmax(&regression.scores(&other))[1] > softmax(&before.scores(&other))[1]);
        regression.fit(&examples);
        let change = regression.weights.iter().zip(&before.weights).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(change < 0.02, "{change}");
    }

    #[test]
    fn the_gradient_is_that_of_the_loss() {
        let rows = [vec![0.5, -0.2, 0.8], vec![-0.4, 0.9, 0.1]];
        let examples = [(rows[0].as_slice(), 0), (rows[1].as_slice(), 1)];
        let loss = |regression: &Regression| {
            let losses = examples.iter().map(|(x, label)| -softmax(&regression.scores(x))[*label].ln());
            let squares = regression.weights.iter().map(|weight| f64::from(weight * weight)).sum::<f64>();
            losses.sum::<f64>() + f64::from(PENALTY) / 2.0 * squares
        };
        let mut regression = Regression::new(2, 3);
        regression.weights = vec![0.1, -0.3, 0.2, 0.4, 0.0, -0.6];
        let mut gradient = vec![0.0; 6];
        regression.gradient(&examples, &mut gradient);
        for (index, slope) in gradient.into_iter().enumerate() {
            let mut moved = regression.clone();
            moved.weights[index] += 1e-2;
            let above = loss(&moved);
            moved.weights[index] -= 2e-2;
            let difference = (above - loss(&moved)) / 2e-2;
            assert!((difference - f64::from(slope)).abs() < 1e-3, "{difference} {slope}");
        }
    }
}
