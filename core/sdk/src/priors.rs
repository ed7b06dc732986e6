//! A model's bias towards labels, remembered for each set of labels.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::Error;
use crate::label::Label;

/// The maximum number of remembered sets.
const REMEMBERED: usize = 64;

/// The log-probabilities for each set of labels that was used, measured once.
#[derive(Default)]
pub(crate) struct Priors(Mutex<HashMap<Vec<Label>, Vec<f64>>>);

impl Priors {
    /// The log-probability of each label for a text that says nothing; measured if these labels are new.
    ///
    /// # Errors
    /// Those of `measure`.
    pub(crate) fn of(
        &self,
        labels: &[Label],
        measure: impl FnOnce() -> Result<Vec<f64>, Error>,
    ) -> Result<Vec<f64>, Error> {
        if let Some(known) = self.lock().get(labels) {
            return Ok(known.clone());
        }
        let prior = measure()?;
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
