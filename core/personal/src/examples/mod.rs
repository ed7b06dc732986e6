//! Labelled texts in the store, and the labels that are learnt from them.

mod label_model;
mod memory;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::Serialize;

use self::memory::Memory;
use crate::record::{check_name, check_vector};
use crate::{Filter, Kind, Learnt, NewRecord, Payload, Personal, PersonalError, Record, Result, Timestamp};

/// What models make of a text.
#[derive(Debug, Clone, PartialEq)]
pub struct Features {
    /// A name of the models. Features of other models are never compared with these.
    pub models: String,
    /// An embedding of the text, with a length of 1.
    pub vector: Vec<f32>,
    /// The log-probability that a language model gives to each label. `None` if it was not asked yet; empty if it cannot be asked.
    pub scores: Option<BTreeMap<String, f64>>,
}

/// An example that models have not seen yet.
#[derive(Debug, Clone, PartialEq)]
pub struct Unseen {
    /// The id of its record.
    pub id: u64,
    /// Its text.
    pub text: String,
    /// Its features, if nothing but the scores is missing.
    pub features: Option<Features>,
}

/// How likely each label is for a text.
#[derive(Debug, Clone, PartialEq)]
pub struct Judgement {
    /// The probability of each label, in the order of the labels. They add up to 1.
    pub probabilities: Vec<f64>,
    /// The most similar examples, the nearest first: they explain the judgement.
    pub nearest: Vec<NearestExample>,
}

/// An example that is similar to a text.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct NearestExample {
    /// The id of its record.
    pub id: u64,
    /// Its text.
    pub text: String,
    /// Its label.
    pub label: String,
    /// 1 for the same text, around 0 for an unrelated one.
    pub similarity: f32,
}

/// The examples of a collection that have one of certain labels, from [`Personal::examples`], and what can be told from them. Clones share
/// what is kept in memory.
///
/// Examples with other labels stay in the store: when the app goes back to those labels, they count again. Examples without features of the
/// models in use count as soon as [`complete`](Self::complete) adds these. What is learnt is kept in memory alone, and learnt again from the
/// examples, which takes a fraction of a second for hundreds of them; so a deleted example is no part of it.
#[derive(Debug, Clone)]
pub struct Examples {
    personal: Personal,
    collection: String,
    labels: Arc<[String]>,
    memory: Arc<Mutex<Option<Memory>>>,
}

impl Personal {
    /// The examples of a collection that have one of these labels.
    ///
    /// # Errors
    /// [`PersonalError::InvalidInput`] for fewer than two labels, and for repeated, empty or overlong names.
    pub fn examples(&self, collection: &str, labels: Vec<String>) -> Result<Examples> {
        check_name("a collection", collection)?;
        labels.iter().try_for_each(|label| check_name("a label", label))?;
        if labels.len() < 2 || labels.iter().collect::<BTreeSet<_>>().len() < labels.len() {
            return Err(PersonalError::invalid_input("at least two labels are needed, all different"));
        }
        let (personal, collection) = (self.clone(), collection.to_owned());
        Ok(Examples { personal, collection, labels: labels.into(), memory: Arc::default() })
    }
}

impl Examples {
    /// The labels.
    pub fn labels(&self) -> &[String] {
        &self.labels
    }

    /// Learns the label of a text, unless learning is paused. A text that already is an example gets this label instead of the one before.
    /// Its features may be added later.
    ///
    /// # Errors
    /// [`PersonalError::InvalidInput`] for an empty text or one of more than 16 MiB, another label than the classifier's, features with
    /// numbers that are not finite, and empty or overlong sources; [`PersonalError::Storage`].
    pub fn learn(
        &self,
        text: &str,
        label: &str,
        features: Option<Features>,
        source: &str,
        time: Timestamp,
    ) -> Result<Learnt> {
        if text.trim().is_empty() {
            return Err(PersonalError::invalid_input("the text is empty: there is nothing to learn"));
        }
        if !self.labels.iter().any(|known| known == label) {
            return Err(PersonalError::invalid_input("the label is not one of the classifier's"));
        }
        let mut memory = self.lock();
        let (models, dimensions) = match (&features, &*memory) {
            (Some(features), _) => (features.models.clone(), features.vector.len()),
            (None, Some(memory)) => memory.models(),
            (None, None) => Default::default(),
        };
        let known = self.example_of(self.up_to_date(&mut memory, &models, dimensions)?, text)?;
        let payload = example(text.to_owned(), label.to_owned(), features);
        let record = NewRecord { collection: self.collection.clone(), source: source.to_owned(), time, payload };
        let Some(known) = known else { return self.personal.learn(vec![record]) };
        let before = self.personal.generation();
        let paused = !self.personal.replace(known.id, record.clone())?;
        self.follow(&mut memory, before, vec![record.with_id(known.id)]);
        Ok(Learnt { ids: if paused { Vec::new() } else { vec![known.id] }, paused, ..Learnt::default() })
    }

    /// How likely each label is for a text with these features. Without examples, it is what the language model says. A text that is an
    /// example has that example's label.
    ///
    /// # Errors
    /// [`PersonalError::InvalidInput`] for a vector that is empty or holds numbers that are not finite; [`PersonalError::Storage`].
    pub fn judge(&self, text: &str, features: &Features) -> Result<Judgement> {
        check_vector(Some(&features.vector))?;
        let mut memory = self.lock();
        let memory = self.up_to_date(&mut memory, &features.models, features.vector.len())?;
        let scores = self.in_order(features.scores.as_ref());
        let judgement = memory.model.judge(&features.vector, scores.as_deref());
        let itself = self.example_of(memory, text)?.and_then(|record| self.label_of(&record));
        let mut nearest = Vec::new();
        for near in judgement.nearest {
            // It may have been deleted meanwhile.
            nearest.extend(self.record(near.id)?.and_then(text_of).map(|text| NearestExample {
                id: near.id,
                text,
                label: self.labels[near.label].clone(),
                similarity: near.similarity,
            }));
        }
        let probabilities = match itself {
            Some(its) => (0..self.labels.len()).map(|label| f64::from(u8::from(label == its))).collect(),
            None => judgement.probabilities,
        };
        Ok(Judgement { probabilities, nearest })
    }

    /// The examples that these models have not seen, the last learnt first: they are new, were imported, were seen by other models, or when
    /// there were other labels. Vectors have so many dimensions.
    ///
    /// # Errors
    /// [`PersonalError::Storage`].
    pub fn unseen(&self, models: &str, dimensions: usize) -> Result<Vec<Unseen>> {
        let mut memory = self.lock();
        let ids = self.up_to_date(&mut memory, models, dimensions)?.unseen();
        let mut unseen = Vec::with_capacity(ids.len());
        for id in ids {
            let Some(record) = self.record(id)? else { continue };
            let features = features_of(&record.payload).filter(|features| features.are_of(models, dimensions));
            unseen.extend(text_of(record).map(|text| Unseen { id, text, features }));
        }
        Ok(unseen)
    }

    /// Adds features to examples, also while learning is paused: they say nothing that the texts do not say. Examples that were deleted or
    /// changed meanwhile are passed over.
    ///
    /// # Errors
    /// [`PersonalError::InvalidInput`] for numbers that are not finite; [`PersonalError::Storage`].
    pub fn complete(&self, seen: Vec<(Unseen, Features)>) -> Result<()> {
        let mut memory = self.lock();
        let before = self.personal.generation();
        let written = self.personal.rewrite(seen.iter().map(|(unseen, _)| unseen.id), |record| {
            let (unseen, features) = seen.iter().find(|(unseen, _)| unseen.id == record.id)?;
            match record.payload {
                Payload::Example { text, label, .. } if text == unseen.text => {
                    Some(Record { payload: example(text, label, Some(features.clone())), ..record })
                }
                _ => None,
            }
        })?;
        self.follow(&mut memory, before, written);
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, Option<Memory>> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What was learnt from the examples as they are now.
    fn up_to_date<'a>(
        &self,
        memory: &'a mut Option<Memory>,
        models: &str,
        dimensions: usize,
    ) -> Result<&'a mut Memory> {
        let generation = self.personal.generation();
        if !memory.as_ref().is_some_and(|known| known.is_of(generation, models, dimensions)) {
            *memory = None;
        }
        let memory = memory.get_or_insert_with(|| Memory::new(generation, models, dimensions, self.labels.len()));
        let filter = Filter { after: Some(memory.last_id), ..Filter::of(&self.collection, Kind::Example) };
        memory.take(self.personal.records(&filter)?, &self.labels);
        Ok(memory)
    }

    /// Goes along with records that were written in place of others, instead of reading all again, if nothing else happened.
    fn follow(&self, memory: &mut Option<Memory>, before: u64, written: Vec<Record>) {
        if let Some(memory) = memory
            && memory.generation == before
            && self.personal.generation() == before + 1
        {
            memory.generation = before + 1;
            memory.take(written, &self.labels);
        }
    }

    /// The example whose text this is.
    fn example_of(&self, memory: &Memory, text: &str) -> Result<Option<Record>> {
        let Some(id) = memory.example_of(text) else { return Ok(None) };
        let is_it = |payload: &Payload| matches!(payload, Payload::Example { text: found, .. } if found == text);
        Ok(self.record(id)?.filter(|record| is_it(&record.payload)))
    }

    fn record(&self, id: u64) -> Result<Option<Record>> {
        let filter = Filter { after: Some(id - 1), limit: 1, ..Filter::of(&self.collection, Kind::Example) };
        Ok(self.personal.records(&filter)?.pop().filter(|record| record.id == id))
    }

    fn label_of(&self, record: &Record) -> Option<usize> {
        let Payload::Example { label, .. } = &record.payload else { return None };
        self.labels.iter().position(|known| known == label)
    }

    fn in_order(&self, scores: Option<&BTreeMap<String, f64>>) -> Option<Vec<f64>> {
        in_order(&self.labels, scores)
    }
}

impl Features {
    fn are_of(&self, models: &str, dimensions: usize) -> bool {
        self.models == models && self.vector.len() == dimensions
    }

    /// Whether a language model can still be asked about the text.
    fn lack_scores(&self, labels: &[String]) -> bool {
        self.scores.as_ref().is_none_or(|scores| !scores.is_empty() && in_order(labels, Some(scores)).is_none())
    }
}

/// A model's scores in the order of the labels, if there is one for each.
fn in_order(labels: &[String], scores: Option<&BTreeMap<String, f64>>) -> Option<Vec<f64>> {
    labels.iter().map(|label| scores?.get(label).copied()).collect()
}

fn example(text: String, label: String, features: Option<Features>) -> Payload {
    let (models, vector, model_scores) = match features {
        Some(Features { models, vector, scores }) => (Some(models), Some(vector), scores),
        None => Default::default(),
    };
    Payload::Example { text, label, models, vector, model_scores }
}

fn features_of(payload: &Payload) -> Option<Features> {
    let Payload::Example { models, vector, model_scores, .. } = payload else { return None };
    Some(Features { models: models.clone()?, vector: vector.clone()?, scores: model_scores.clone() })
}

fn text_of(record: Record) -> Option<String> {
    match record.payload {
        Payload::Example { text, .. } => Some(text),
        _ => None,
    }
}
