//! Chooses the label that fits a text, with a probability for each label.

mod labels;
mod prior;
mod scorer;

use std::convert::Infallible;

use serde::Serialize;

pub use self::labels::{ClassifyOptions, DEFAULT_MIN_CONFIDENCE};
use self::prior::{SAYING_NOTHING, without_prior};
use self::scorer::Scorer;
use crate::job::Job;
use crate::loaded::Loaded;
use crate::metrics::Metrics;
use crate::model::LocalModel;
use crate::{CancelToken, Error};

/// The label of a text.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Classification {
    /// The name of the most probable label.
    pub label: String,
    /// Its probability among the given labels, 0 to 1.
    pub confidence: f64,
    /// The name of each label with its probability, in the given order. The probabilities add up to 1.
    #[serde(serialize_with = "as_map")]
    pub scores: Vec<(String, f64)>,
    /// Whether `confidence` is below the requested minimum.
    pub abstained: bool,
    /// Time, tokens and memory it took.
    pub metrics: Metrics,
}

fn as_map<S: serde::Serializer>(scores: &[(String, f64)], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(scores.iter().map(|(label, score)| (label, score)))
}

impl LocalModel {
    /// Classifies one text: a single prefill, then the probability that the model gives to each label as the answer.
    ///
    /// Models favour some labels regardless of the text. This bias is measured once for each set of labels, with a text
    /// that says nothing, and partly subtracted.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] for fewer than two labels or repeated ones, or an empty text; [`Error::ContextFull`] for
    /// a text longer than the context.
    pub fn classify(&self, text: &str, options: &ClassifyOptions) -> Job<Infallible, Classification> {
        let (this, text, options) = (self.clone(), text.to_owned(), options.clone());
        Job::start("classify", move |_, cancel| this.classify_now(&text, &options, cancel))
    }

    /// As [`LocalModel::classify`], on this thread.
    pub(crate) fn classify_now(
        &self,
        text: &str,
        options: &ClassifyOptions,
        cancel: &CancelToken,
    ) -> Result<Classification, Error> {
        options.check()?;
        Classifier::new(&self.loaded(), options)?.classify(text, cancel)
    }

    /// Classifies many texts and reports each result when it is ready. The common part of their prompts is computed
    /// once.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] for fewer than two labels or repeated ones, or an empty text; [`Error::ContextFull`] for
    /// a text longer than the context. Results before the error have been reported.
    pub fn classify_all(&self, texts: Vec<String>, options: &ClassifyOptions) -> Job<Classification, ()> {
        let (model, options) = (self.loaded(), options.clone());
        Job::start("classify", move |reporter, cancel| {
            options.check()?;
            let mut classifier = Classifier::new(&model, &options)?;
            for text in &texts {
                reporter.report(classifier.classify(text, cancel)?);
            }
            Ok(())
        })
    }
}

struct Classifier<'a> {
    model: &'a Loaded,
    options: &'a ClassifyOptions,
    scorer: Scorer<'a>,
}

impl<'a> Classifier<'a> {
    fn new(model: &'a Loaded, options: &'a ClassifyOptions) -> Result<Self, Error> {
        Ok(Self { model, options, scorer: Scorer::new(model, &options.labels)? })
    }

    fn classify(&mut self, text: &str, cancel: &CancelToken) -> Result<Classification, Error> {
        if text.trim().is_empty() {
            return Err(Error::invalid_input("the text is empty: there is nothing to classify"));
        }
        self.scorer.begin();
        let measure = || self.scorer.score(SAYING_NOTHING, cancel);
        let prior = self.model.priors.of(&self.options.labels, measure)?;
        let scores = self.scorer.score(text, cancel)?;
        let probabilities = normalized(&without_prior(&scores, &prior));
        let names = || self.options.labels.iter().map(|label| label.name.clone());
        let best = names().zip(probabilities.iter().copied()).max_by(|(_, a), (_, b)| a.total_cmp(b));
        let (label, confidence) = best.ok_or_else(|| Error::internal("there are no labels"))?;
        Ok(Classification {
            label,
            confidence,
            scores: names().zip(probabilities).collect(),
            abstained: confidence < self.options.min_confidence,
            metrics: self.scorer.metrics(),
        })
    }
}

/// Normalizes log-probabilities to probabilities that add up to 1. They are all equal if every one is zero.
fn normalized(log_probabilities: &[f64]) -> Vec<f64> {
    let highest = log_probabilities.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if !highest.is_finite() {
        return vec![1.0 / log_probabilities.len() as f64; log_probabilities.len()];
    }
    let masses: Vec<f64> = log_probabilities.iter().map(|score| (score - highest).exp()).collect();
    let total: f64 = masses.iter().sum();
    masses.into_iter().map(|mass| mass / total).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probabilities_add_up_to_one_even_when_all_are_tiny() {
        let probabilities = normalized(&[-900.0, -901.0, f64::NEG_INFINITY]);
        assert!((probabilities.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        assert!((probabilities[0] / probabilities[1] - 1.0_f64.exp()).abs() < 1e-9);
        assert_eq!(normalized(&[f64::NEG_INFINITY; 4]), [0.25; 4]);
    }
}
