//! A classifier with a person's own labels: a language model's answers, corrected by examples.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::Serialize;
use sotto_personal::{Examples, Features, Learnt, NearestExample, Personal, Timestamp, Unseen};

use crate::job::{Job, Progress};
use crate::metrics::Metrics;
use crate::{CancelToken, ClassifyOptions, Embedder, Error, LocalModel};

/// What models made of texts is remembered for so many of them, in case one of them is corrected.
const REMEMBERED: usize = 256;
/// Examples that are shown to models before what came of it is stored.
const SEEN_TOGETHER: usize = 16;
/// Examples that a language model is asked about during one classification, at most: each takes as long as a classification.
const ASKED_ABOUT: usize = 16;
/// A label that the model finds impossible has this log-probability.
const LEAST_SCORE: f64 = -20.0;

/// A classifier with a person's own labels, which learns from corrections. Clones share what it has learnt.
///
/// Without examples, it says what the language model says. With each [`learn`](Self::learn), examples that are alike count more, as far as
/// they are right more often than the model.
///
/// ```no_run
/// # use sotto::{Classifier, ClassifyOptions, Embedder, LocalModel, ModelFile, Personal};
/// # fn main() -> Result<(), sotto::Error> {
/// # let now = sotto::personal::Timestamp::utc(0);
/// let (model, embedder) = (LocalModel::load(ModelFile::path("model.sotto"))?, Embedder::load(ModelFile::path("all-MiniLM-L6-v2"))?);
/// let personal = Personal::open("personal")?;
/// let feed = Classifier::new(&personal, "feed", &ClassifyOptions::new(["front", "later", "hide"]))?;
/// let judged = feed.classify(&model, Some(&embedder), "Night train to Vienna gets a sleeping car again").wait()?;
/// if judged.label != "front" {
///     let learnt = feed.learn("Night train to Vienna gets a sleeping car again", "front", "reader", now)?;
///     assert!(!learnt.paused);
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Classifier {
    examples: Examples,
    options: Arc<ClassifyOptions>,
    remembered: Arc<Mutex<HashMap<String, Features>>>,
}

/// The label of a text for this person.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PersonalClassification {
    /// The most probable label.
    pub label: String,
    /// Its probability among the given labels, 0 to 1.
    pub confidence: f64,
    /// Each label with its probability, in the given order. The probabilities add up to 1.
    #[serde(serialize_with = "as_map")]
    pub scores: Vec<(String, f64)>,
    /// Whether `confidence` is below the requested minimum: then the app should ask.
    pub abstained: bool,
    /// The most similar examples, the nearest first: the reasons.
    pub nearest: Vec<NearestExample>,
    /// Time, tokens and memory that asking the language model took. `None` if it was not asked, because the text is too long for it.
    pub metrics: Option<Metrics>,
}

fn as_map<S: serde::Serializer>(scores: &[(String, f64)], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(scores.iter().map(|(label, score)| (label, score)))
}

impl Classifier {
    /// A classifier that learns from the examples of a collection, which have the labels of `options`. Examples with other labels stay in
    /// the store, and count again when their labels come back.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] for fewer than two labels, for repeated, empty or overlong names, and an invalid minimum of confidence.
    pub fn new(personal: &Personal, collection: &str, options: &ClassifyOptions) -> Result<Self, Error> {
        options.check()?;
        let names = options.labels.iter().map(|label| label.name.clone()).collect();
        let examples = personal.examples(collection, names)?;
        Ok(Self { examples, options: Arc::new(options.clone()), remembered: Arc::default() })
    }

    /// Learns the label of a text, unless learning is paused. `source` is where the text came from, as the user would call it. A text that
    /// already is an example gets this label instead of the one before. No model is needed: the next classification shows it to the models.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] for an empty text, one of more than 16 MiB, and another label than the classifier's; [`Error::Storage`].
    pub fn learn(&self, text: &str, label: &str, source: &str, time: Timestamp) -> Result<Learnt, Error> {
        let features = self.remembered().get(text).cloned();
        Ok(self.examples.learn(text, label, features, source, time)?)
    }

    /// The label of a text: what `model` says, and what examples of similar texts say. Without an `embedder`, the language model's own hidden
    /// states tell which are similar, which is slower and less exact.
    ///
    /// Examples that these models have not seen are shown to them first, and the job reports how many: one that was just learnt, or all of them
    /// if other models saw them. What was computed when the job is cancelled is kept. The language model is asked about 16 of them each time.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] for an empty text; [`Error::Storage`]; [`Error::Unsupported`] for candle's models, and where the model's chat
    /// template cannot be read; [`Error::OutOfMemory`]. About a text longer than its context, the model is not asked.
    pub fn classify(
        &self,
        model: &LocalModel,
        embedder: Option<&Embedder>,
        text: &str,
    ) -> Job<Progress, PersonalClassification> {
        let (this, text) = (self.clone(), text.to_owned());
        let models = Models { model: model.clone(), embedder: embedder.cloned() };
        Job::start("classify", move |reporter, cancel| {
            if text.trim().is_empty() {
                return Err(Error::invalid_input("the text is empty: there is nothing to classify"));
            }
            this.show_unseen(&models, cancel, |progress| reporter.report(progress))?;
            let (scores, metrics) = models.ask(&text, &this.options, cancel)?;
            let features =
                Features { models: models.name(cancel)?, vector: models.vector(&text, cancel)?, scores: Some(scores) };
            let judgement = this.examples.judge(&text, &features)?;
            this.remember(text, features);
            this.classification(judgement, metrics)
        })
    }

    fn classification(
        &self,
        judgement: sotto_personal::Judgement,
        metrics: Option<Metrics>,
    ) -> Result<PersonalClassification, Error> {
        let scores: Vec<(String, f64)> = self.examples.labels().iter().cloned().zip(judgement.probabilities).collect();
        let best = scores.iter().max_by(|(_, a), (_, b)| a.total_cmp(b)).cloned();
        let (label, confidence) = best.ok_or_else(|| Error::internal("there are no labels"))?;
        let abstained = confidence < self.options.min_confidence;
        Ok(PersonalClassification { label, confidence, scores, abstained, nearest: judgement.nearest, metrics })
    }

    /// Shows examples to the models that have not seen them.
    fn show_unseen(&self, models: &Models, cancel: &CancelToken, on_progress: impl Fn(Progress)) -> Result<(), Error> {
        let unseen = self.examples.unseen(&models.name(cancel)?, models.dimensions())?;
        let (total, mut done, mut left_to_ask) = (unseen.len(), 0, ASKED_ABOUT);
        for unseen in unseen.chunks(SEEN_TOGETHER) {
            let mut seen = Vec::with_capacity(unseen.len());
            for unseen in unseen {
                let may_ask = left_to_ask > 0;
                left_to_ask = left_to_ask.saturating_sub(1);
                // One with a vector, which there is no time to ask about, waits.
                if may_ask || unseen.features.is_none() {
                    seen.push((unseen.clone(), self.see(models, unseen, may_ask, cancel)?));
                }
            }
            self.examples.complete(seen)?;
            done += unseen.len();
            on_progress(Progress { done, total });
        }
        Ok(())
    }

    fn see(&self, models: &Models, unseen: &Unseen, may_ask: bool, cancel: &CancelToken) -> Result<Features, Error> {
        let vector = match &unseen.features {
            Some(features) => features.vector.clone(),
            None => models.vector(&unseen.text, cancel)?,
        };
        let scores = match may_ask {
            true => Some(models.ask(&unseen.text, &self.options, cancel)?.0),
            false => None,
        };
        Ok(Features { models: models.name(cancel)?, vector, scores })
    }

    fn remember(&self, text: String, features: Features) {
        let mut remembered = self.remembered();
        if remembered.len() >= REMEMBERED {
            remembered.clear();
        }
        remembered.insert(text, features);
    }

    /// What this lock guards is whole at any time.
    fn remembered(&self) -> MutexGuard<'_, HashMap<String, Features>> {
        self.remembered.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The models that look at a text.
struct Models {
    model: LocalModel,
    embedder: Option<Embedder>,
}

impl Models {
    /// A name that tells these models from others.
    fn name(&self, cancel: &CancelToken) -> Result<String, Error> {
        let model = self.model.vector_mark(cancel)?;
        match &self.embedder {
            Some(embedder) => Ok(format!("{} {model}", embedder.vector_mark(cancel)?)),
            None => Ok(model),
        }
    }

    fn dimensions(&self) -> usize {
        match &self.embedder {
            Some(embedder) => embedder.dimensions(),
            None => self.model.loaded().engine.config().hidden_size,
        }
    }

    /// A vector of the text's beginning.
    fn vector(&self, text: &str, cancel: &CancelToken) -> Result<Vec<f32>, Error> {
        match &self.embedder {
            Some(embedder) => embedder.embed_now(text, cancel),
            None => self.model.embed_beginning(text, cancel),
        }
        .map(|embedding| embedding.values)
    }

    /// The language model's log-probabilities of the labels; none if the text is too long for it.
    fn ask(
        &self,
        text: &str,
        options: &ClassifyOptions,
        cancel: &CancelToken,
    ) -> Result<(BTreeMap<String, f64>, Option<Metrics>), Error> {
        let answer = match self.model.classify_now(text, options, cancel) {
            Err(Error::ContextFull { .. }) => return Ok((BTreeMap::new(), None)),
            answer => answer?,
        };
        let scores = answer.scores.into_iter().map(|(label, score)| (label, score.ln().max(LEAST_SCORE))).collect();
        Ok((scores, Some(answer.metrics)))
    }
}
