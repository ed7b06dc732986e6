//! Which of some labels fits a text, with a probability for each.

use std::convert::Infallible;
use std::time::Instant;

use serde::Serialize;
use sotto_engine::LogitRows;

use super::{prompts, task_prompt};
use crate::job::Job;
use crate::metrics::{Metrics, StopReason};
use crate::model::{Loaded, LocalModel};
use crate::sequence::Sequence;
use crate::{CancelToken, Error};

/// A label that is surer than this is given; below it, the classification says that it abstains.
pub const DEFAULT_MIN_CONFIDENCE: f64 = 0.5;

/// The label of a text.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Classification {
    /// The most probable label.
    pub label: String,
    /// Its probability among the labels, 0 to 1.
    pub confidence: f64,
    /// Every label with its probability, in the order given; they add up to 1.
    #[serde(serialize_with = "as_map")]
    pub scores: Vec<(String, f64)>,
    /// Whether `confidence` is below the least that was asked for.
    pub abstained: bool,
    /// What it cost.
    pub metrics: Metrics,
}

fn as_map<S: serde::Serializer>(scores: &[(String, f64)], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(scores.iter().map(|(label, score)| (label, score)))
}

/// How to classify.
#[derive(Debug, Clone, PartialEq)]
pub struct ClassifyOptions {
    /// The labels to choose from: at least two, all different.
    pub labels: Vec<String>,
    /// The least confidence, 0 to 1, below which the result says that it abstains.
    pub min_confidence: f64,
}

impl ClassifyOptions {
    /// These labels, and [`DEFAULT_MIN_CONFIDENCE`].
    pub fn new(labels: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self { labels: labels.into_iter().map(Into::into).collect(), min_confidence: DEFAULT_MIN_CONFIDENCE }
    }

    fn check(&self) -> Result<(), Error> {
        let mut seen = std::collections::HashSet::new();
        if self.labels.len() < 2 {
            return Err(Error::invalid_input("at least two labels are needed to choose from"));
        }
        if self.labels.iter().any(|label| label.trim().is_empty() || label.contains(['\n', ','])) {
            return Err(Error::invalid_input("a label must have a character, and no comma or line break"));
        }
        if !self.labels.iter().all(|label| seen.insert(label)) {
            return Err(Error::invalid_input("two labels are the same"));
        }
        if !(0.0..=1.0).contains(&self.min_confidence) {
            return Err(Error::invalid_input("the least confidence must be between 0 and 1"));
        }
        Ok(())
    }
}

impl LocalModel {
    /// Classifies one text: a single prefill, then the probability that the model gives to each label as the answer.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] for fewer than two labels or repeated ones, or an empty text; [`Error::ContextFull`] for
    /// a text longer than the context.
    pub fn classify(&self, text: &str, options: &ClassifyOptions) -> Job<Infallible, Classification> {
        let (model, text, options) = (self.loaded(), text.to_owned(), options.clone());
        Job::start("classify", move |_, cancel| {
            options.check()?;
            Classifier::new(&model, &options)?.classify(&text, cancel)
        })
    }

    /// Classifies many texts, giving each result as it is ready. The part of the prompt that they share is computed
    /// once.
    ///
    /// # Errors
    /// As for [`LocalModel::classify`]; the results before the error have been given.
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
    label_ids: Vec<Vec<u32>>,
    sequence: Sequence,
}

impl<'a> Classifier<'a> {
    fn new(model: &'a Loaded, options: &'a ClassifyOptions) -> Result<Self, Error> {
        let label_ids =
            options.labels.iter().map(|label| Ok(model.tokenizer.encode(label)?)).collect::<Result<Vec<_>, Error>>()?;
        let sequence = Sequence::new(model.decoder(model.context_limit())?);
        Ok(Self { model, options, label_ids, sequence })
    }

    fn classify(&mut self, text: &str, cancel: &CancelToken) -> Result<Classification, Error> {
        if text.trim().is_empty() {
            return Err(Error::invalid_input("the text is empty: there is nothing to classify"));
        }
        let started = Instant::now();
        let prompt = task_prompt(self.model, prompts::classify(self.model.tuning.tuned, &self.options.labels), text)?;
        let prefill = self.sequence.set(&prompt, cancel)?;
        let prefill_seconds = started.elapsed().as_secs_f64();

        let scoring = Instant::now();
        let mut scores = Vec::with_capacity(self.label_ids.len());
        for ids in &self.label_ids.clone() {
            scores.push(self.label_log_probability(prompt.len(), &prefill.logits, ids, cancel)?);
        }
        let probabilities = normalized(&scores);
        let best = (0..probabilities.len()).max_by(|&a, &b| probabilities[a].total_cmp(&probabilities[b])).unwrap_or(0);
        let confidence = probabilities[best];
        Ok(Classification {
            label: self.options.labels[best].clone(),
            confidence,
            scores: self.options.labels.iter().cloned().zip(probabilities).collect(),
            abstained: confidence < self.options.min_confidence,
            metrics: Metrics {
                time_to_first_token: started.elapsed().as_secs_f64(),
                prefill_tokens: prefill.computed,
                prefill_seconds,
                reused_tokens: prefill.reused,
                decode_tokens: self.label_ids.iter().map(Vec::len).sum(),
                decode_seconds: scoring.elapsed().as_secs_f64(),
                private_bytes: self.sequence.private_bytes(),
                mapped_bytes: self.model.engine.mapped_bytes(),
                kernels: self.model.engine.kernels().to_owned(),
                threads: self.model.engine.threads(),
                stop_reason: StopReason::End,
            },
        })
    }

    /// The log-probability that the model writes exactly `ids` and then ends its answer. Without the end, a label that
    /// begins like another would be favoured.
    fn label_log_probability(
        &mut self,
        prompt_length: usize,
        after_prompt: &[f32],
        ids: &[u32],
        cancel: &CancelToken,
    ) -> Result<f64, Error> {
        self.sequence.truncate(prompt_length);
        let rows = self.sequence.append(ids, LogitRows::All, cancel)?;
        self.sequence.truncate(prompt_length);
        let vocab_size = after_prompt.len();
        let mut before = after_prompt;
        let mut total = 0.0;
        for (index, &id) in ids.iter().enumerate() {
            total += log_probability(before, &[id]);
            before = &rows[index * vocab_size..(index + 1) * vocab_size];
        }
        Ok(total + log_probability(before, self.model.tokenizer.end_tokens()))
    }
}

/// The natural logarithm of the probability of any of `ids`, under the softmax of `logits`.
pub(crate) fn log_probability(logits: &[f32], ids: &[u32]) -> f64 {
    let highest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max) as f64;
    let mass = |logit: f32| (f64::from(logit) - highest).exp();
    let total: f64 = logits.iter().map(|&logit| mass(logit)).sum();
    let wanted: f64 = ids.iter().filter_map(|&id| logits.get(id as usize)).map(|&logit| mass(logit)).sum();
    (wanted / total).ln()
}

/// Probabilities that add up to 1, from log-probabilities. All alike when none has any.
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
    fn log_probabilities_are_those_of_the_softmax() {
        let logits = [1.0_f32, -2.0, 0.5, 30.0];
        let total: f64 = logits.iter().map(|&logit| f64::from(logit).exp()).sum();
        let expected = (f64::from(logits[0]).exp() / total).ln();
        assert!((log_probability(&logits, &[0]) - expected).abs() < 1e-12);
        let both = ((f64::from(logits[1]).exp() + f64::from(logits[3]).exp()) / total).ln();
        assert!((log_probability(&logits, &[1, 3]) - both).abs() < 1e-12);
        assert_eq!(log_probability(&logits, &[]), f64::NEG_INFINITY);
    }

    #[test]
    fn probabilities_add_up_to_one_even_when_all_are_tiny() {
        let probabilities = normalized(&[-900.0, -901.0, f64::NEG_INFINITY]);
        assert!((probabilities.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        assert!((probabilities[0] / probabilities[1] - 1.0_f64.exp()).abs() < 1e-9);
        assert_eq!(normalized(&[f64::NEG_INFINITY; 4]), [0.25; 4]);
    }

    #[test]
    fn labels_that_cannot_be_told_apart_are_refused() {
        for labels in [vec![], vec!["one"], vec!["a", "a"], vec!["a", " "], vec!["a", "b,c"], vec!["a", "b\nc"]] {
            let refused = ClassifyOptions::new(labels.clone()).check();
            assert!(matches!(refused, Err(Error::InvalidInput { .. })), "{labels:?}");
        }
        assert!(ClassifyOptions::new(["a", "b"]).check().is_ok());
        assert!(ClassifyOptions { min_confidence: f64::NAN, ..ClassifyOptions::new(["a", "b"]) }.check().is_err());
    }
}
