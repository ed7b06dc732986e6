//! Chooses the label that fits a text, with a probability for each label.

mod labels;
mod prior;
mod scorer;

use std::collections::VecDeque;
use std::convert::Infallible;

use serde::Serialize;

pub use self::labels::{ClassifyOptions, DEFAULT_MIN_CONFIDENCE};
use self::prior::{SAYING_NOTHING, without_prior};
use self::scorer::{Score, Scorer};
use crate::job::Job;
use crate::loaded::Loaded;
use crate::metrics::Metrics;
use crate::model::LocalModel;
use crate::tasks::MOST_TOGETHER;
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
        let mut classification = None;
        Classifier::new(&self.loaded(), options, cancel)?
            .classify(&[text], cancel, |result| classification = Some(result))?;
        classification.unwrap_or_else(|| Err(Error::internal("a text has no result")))
    }

    /// Classifies many texts: several are read in one pass, and their common instruction is read once. Each result is reported as soon as
    /// it is there, in the order of the texts, and is the same as that of [`LocalModel::classify`]. A text that cannot be classified has an
    /// error instead, and the others go on.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] for fewer than two labels or repeated ones. Errors of a text are reported in its place:
    /// [`Error::InvalidInput`] for an empty one, [`Error::ContextFull`] for one that is longer than the context.
    pub fn classify_all(
        &self,
        texts: Vec<String>,
        options: &ClassifyOptions,
    ) -> Job<Result<Classification, Error>, ()> {
        let (model, options) = (self.loaded(), options.clone());
        Job::start("classify", move |reporter, cancel| {
            options.check()?;
            let mut classifier = Classifier::new(&model, &options, cancel)?;
            for texts in texts.chunks(MOST_TOGETHER) {
                classifier.classify(texts, cancel, |result| reporter.report(result))?;
            }
            Ok(())
        })
    }
}

struct Classifier<'a> {
    options: &'a ClassifyOptions,
    scorer: Scorer<'a>,
    /// The model's bias towards each label.
    prior: Vec<f64>,
    /// What it cost to measure that, until a text accounts for it.
    cost_of_prior: Option<Metrics>,
}

impl<'a> Classifier<'a> {
    fn new(model: &'a Loaded, options: &'a ClassifyOptions, cancel: &CancelToken) -> Result<Self, Error> {
        let scorer = Scorer::new(model, &options.labels)?;
        let mut cost_of_prior = None;
        let measure = || {
            let mut prior = Vec::new();
            scorer.score(&[scorer.prompt(SAYING_NOTHING)?], cancel, |score| {
                prior = score.log_probabilities;
                cost_of_prior = Some(score.metrics);
            })?;
            Ok(prior)
        };
        let prior = model.priors.of(&options.labels, measure)?;
        Ok(Self { options, scorer, prior, cost_of_prior })
    }

    /// Classifies some texts together, and reports a result for each, in order.
    ///
    /// # Errors
    /// Those that concern all texts.
    fn classify(
        &mut self,
        texts: &[impl AsRef<str>],
        cancel: &CancelToken,
        mut on_result: impl FnMut(Result<Classification, Error>),
    ) -> Result<(), Error> {
        let (mut prompts, mut refused) = (Vec::new(), VecDeque::new());
        for (index, text) in texts.iter().enumerate() {
            match self.prompt(text.as_ref()) {
                Ok(prompt) => prompts.push(prompt),
                Err(error) => refused.push_back((index, error)),
            }
        }
        let mut reported = 0;
        let mut report = |result: Option<Classification>| {
            while let Some((_, error)) = refused.pop_front_if(|(index, _)| *index == reported) {
                on_result(Err(error));
                reported += 1;
            }
            result.into_iter().for_each(|result| {
                on_result(Ok(result));
                reported += 1;
            });
        };
        let Self { options, scorer, prior, cost_of_prior } = self;
        scorer.score(&prompts, cancel, |score| {
            report(Some(classification(options, prior, cost_of_prior.take(), score)))
        })?;
        report(None);
        Ok(())
    }

    fn prompt(&self, text: &str) -> Result<Vec<u32>, Error> {
        if text.trim().is_empty() {
            return Err(Error::invalid_input("the text is empty: there is nothing to classify"));
        }
        self.scorer.prompt(text)
    }
}

/// The result for a text with these scores.
fn classification(
    options: &ClassifyOptions,
    prior: &[f64],
    cost_of_prior: Option<Metrics>,
    score: Score,
) -> Classification {
    let probabilities = normalized(&without_prior(&score.log_probabilities, prior));
    let names = || options.labels.iter().map(|label| label.name.clone());
    let best = names().zip(probabilities.iter().copied()).max_by(|(_, a), (_, b)| a.total_cmp(b));
    let (label, confidence) = best.unwrap_or_default();
    let mut metrics = score.metrics;
    if let Some(prior) = cost_of_prior {
        metrics.time_to_first_token += prior.time_to_first_token;
        metrics.absorb(&prior);
    }
    Classification {
        label,
        confidence,
        scores: names().zip(probabilities).collect(),
        abstained: confidence < options.min_confidence,
        metrics,
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
