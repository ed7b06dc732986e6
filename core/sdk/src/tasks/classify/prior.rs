//! How much a model likes each label whatever the text says, and what is left when that is taken off: contextual calibration
//! (Zhao et al., 2021).

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::Label;
use super::scorer::Scorer;
use crate::{CancelToken, Error};

/// A text that says nothing.
const SAYING_NOTHING: &str = "N/A";

/// The part of the prior that is taken off. All of it would be too much: what says nothing is no typical text. Measured
/// (`docs/quality.md`).
const WEIGHT: f64 = 0.5;

/// So many sets of labels are remembered.
const REMEMBERED: usize = 64;

/// The priors of the sets of labels that were used, each measured once.
#[derive(Default)]
pub(crate) struct Priors(Mutex<HashMap<Vec<Label>, Vec<f64>>>);

impl Priors {
    /// The log-probability of each label as the answer to a text that says nothing.
    ///
    /// # Errors
    /// Those of [`Scorer::score`].
    pub(super) fn of(
        &self,
        labels: &[Label],
        scorer: &mut Scorer<'_>,
        cancel: &CancelToken,
    ) -> Result<Vec<f64>, Error> {
        if let Some(known) = self.lock().get(labels) {
            return Ok(known.clone());
        }
        let prior = scorer.score(SAYING_NOTHING, cancel)?;
        let mut known = self.lock();
        if known.len() >= REMEMBERED {
            known.clear();
        }
        known.insert(labels.to_vec(), prior.clone());
        Ok(prior)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Vec<Label>, Vec<f64>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Scores, log-probabilities, without what the model thinks of the labels anyway. A label that it never gives has no prior.
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
