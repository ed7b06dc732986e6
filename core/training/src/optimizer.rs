//! AdamW: Loshchilov and Hutter, "Decoupled Weight Decay Regularization", 2019.

const BETA1: f32 = 0.9;
const BETA2: f32 = 0.98;
const EPSILON: f32 = 1e-8;
const WEIGHT_DECAY: f32 = 0.01;
/// Gradients that are longer are shortened.
const LONGEST_GRADIENT: f64 = 1.0;

/// The means that the optimizer keeps of each number's gradient.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct AdamW {
    pub(crate) steps: u64,
    pub(crate) mean: Vec<f32>,
    pub(crate) square: Vec<f32>,
}

impl AdamW {
    pub(crate) fn new(numbers: usize) -> Self {
        Self { steps: 0, mean: vec![0.0; numbers], square: vec![0.0; numbers] }
    }

    /// Moves `numbers` against `gradients`, which are shortened before.
    pub(crate) fn step(&mut self, numbers: &mut [f32], gradients: &mut [f32], rate: f32) {
        shorten(gradients);
        self.steps += 1;
        let steps = self.steps.min(1 << 20) as i32;
        let (mean_share, square_share) = (1.0 - BETA1.powi(steps), 1.0 - BETA2.powi(steps));
        let means = self.mean.iter_mut().zip(&mut self.square);
        for ((number, gradient), (mean, square)) in numbers.iter_mut().zip(gradients).zip(means) {
            *mean += (1.0 - BETA1) * (*gradient - *mean);
            *square += (1.0 - BETA2) * (*gradient * *gradient - *square);
            let update = (*mean / mean_share) / ((*square / square_share).sqrt() + EPSILON);
            *number -= rate * (update + WEIGHT_DECAY * *number);
        }
    }
}

/// Shortens gradients to [`LONGEST_GRADIENT`].
fn shorten(gradients: &mut [f32]) {
    let square: f64 = gradients.chunks(4096).map(|some| f64::from(some.iter().map(|x| x * x).sum::<f32>())).sum();
    if square > LONGEST_GRADIENT * LONGEST_GRADIENT {
        let factor = (LONGEST_GRADIENT / square.sqrt()) as f32;
        gradients.iter_mut().for_each(|gradient| *gradient *= factor);
    }
}
