//! Which texts are read in which step, and how fast is learnt in it.

use crate::batch::Example;
use crate::random::Random;

/// Steps in which the learning rate rises, at most, and the share of all steps that they are at most.
const WARM_UP: usize = 10;
const WARM_UP_SHARE: usize = 10;

/// Every step's texts, by their places.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Plan(pub(crate) Vec<Vec<usize>>);

impl Plan {
    /// All texts `epochs` times, each time in another order, as many together as `batch_tokens` allow.
    pub(crate) fn new(examples: &[Example], epochs: usize, batch_tokens: usize, seed: u64) -> Self {
        let (mut steps, mut random) = (Vec::new(), Random::new(seed));
        let mut order: Vec<usize> = (0..examples.len()).collect();
        for _ in 0..epochs {
            random.shuffle(&mut order);
            let (mut step, mut tokens) = (Vec::new(), 0);
            for &place in &order {
                let more = examples[place].tokens.len();
                if !step.is_empty() && tokens + more > batch_tokens {
                    (tokens, _) = (0, steps.push(std::mem::take(&mut step)));
                }
                step.push(place);
                tokens += more;
            }
            steps.push(step);
        }
        Self(steps)
    }
}

/// The learning rate of step `step` of `steps`, as a share of the highest: it rises, then falls to zero in a line.
pub(crate) fn rate(step: usize, steps: usize) -> f32 {
    let warm_up = WARM_UP.min(steps / WARM_UP_SHARE).max(1);
    let rising = (step + 1) as f32 / warm_up as f32;
    rising.min(1.0) * (1.0 - step as f32 / steps as f32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_is_read_once_in_an_epoch() {
        let examples: Vec<Example> =
            (0..50).map(|i| Example { tokens: vec![0; 1 + i * 7 % 40], learn_from: 0 }).collect();
        let Plan(steps) = Plan::new(&examples, 3, 64, 5);
        assert_eq!(Plan::new(&examples, 3, 64, 5), Plan(steps.clone()));
        let tokens = |step: &Vec<usize>| step.iter().map(|&place| examples[place].tokens.len()).sum::<usize>();
        assert!(steps.iter().all(|step| tokens(step) <= 64 && !step.is_empty()));
        let read: Vec<usize> = steps.into_iter().flatten().collect();
        for epoch in read.chunks(50) {
            let mut sorted = epoch.to_vec();
            sorted.sort_unstable();
            assert!(sorted.into_iter().eq(0..50));
        }
        assert_ne!(read[..50], read[50..100], "each epoch has an order of its own");
    }

    #[test]
    fn the_rate_rises_and_falls() {
        let rates: Vec<f32> = (0..100).map(|step| rate(step, 100)).collect();
        assert!(rates[..10].is_sorted() && rates[10..].is_sorted_by(|a, b| a >= b));
        assert!(rates[0] > 0.0 && rates[99] > 0.0 && rates[99] < 0.02);
        assert!(rate(0, 1) > 0.0);
    }
}
