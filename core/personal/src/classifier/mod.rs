//! A classifier with a person's own labels, learnt from the examples in the store.

mod label_model;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use serde::Serialize;

use label_model::{LabelModel, LabelledVector};

use crate::record::{check_name, check_vector};
use crate::{Filter, Kind, Learnt, NewRecord, Payload, Personal, PersonalError, Record, Result, Timestamp};

/// A text with the label that the user gave it.
#[derive(Debug, Clone, PartialEq)]
pub struct NewExample {
    /// The text.
    pub text: String,
    /// Its label: one of the classifier's.
    pub label: String,
    /// An embedding of the text, with a length of 1.
    pub vector: Vec<f32>,
    /// The log-probability that a language model gave to each label, if it was asked about the text. From these the classifier learns how
    /// far the model can be relied on.
    pub model_scores: Option<BTreeMap<String, f64>>,
}

/// How likely each label is for a text.
#[derive(Debug, Clone, PartialEq)]
pub struct Judgement {
    /// The probability of each label, in the order of the classifier's labels. They add up to 1.
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

/// A classifier with a person's own labels, from [`Personal::classifier`]. Clones share what is kept in memory.
///
/// It learns from the examples of its collection that have one of its labels and a vector with as many dimensions as the text in question.
/// Others stay in the store: when the app goes back to other labels, they count again. A deleted example is no longer part of it. What is
/// learnt is kept in memory alone, and learnt again from the examples, which takes a fraction of a second for hundreds of them.
#[derive(Debug, Clone)]
pub struct Classifier {
    personal: Personal,
    collection: String,
    labels: Arc<[String]>,
    learnt: Arc<Mutex<Option<InMemory>>>,
}

/// What was learnt, and up to where the store was read for it.
#[derive(Debug)]
struct InMemory {
    generation: u64,
    last_id: u64,
    dimensions: usize,
    model: LabelModel,
}

impl Personal {
    /// A classifier with these labels, which learns from the examples of a collection.
    ///
    /// # Errors
    /// [`PersonalError::InvalidInput`] for fewer than two labels, and for repeated, empty or overlong names.
    pub fn classifier(&self, collection: &str, labels: Vec<String>) -> Result<Classifier> {
        check_name("a collection", collection)?;
        labels.iter().try_for_each(|label| check_name("a label", label))?;
        if labels.len() < 2 || labels.iter().collect::<BTreeSet<_>>().len() < labels.len() {
            return Err(PersonalError::invalid_input("at least two labels are needed, all different"));
        }
        let (personal, collection) = (self.clone(), collection.to_owned());
        Ok(Classifier { personal, collection, labels: labels.into(), learnt: Arc::default() })
    }
}

impl Classifier {
    /// The labels.
    pub fn labels(&self) -> &[String] {
        &self.labels
    }

    /// Learns the label of a text, unless learning is paused. A text that already is an example gets this label instead of the one before.
    ///
    /// # Errors
    /// [`PersonalError::InvalidInput`] for another label than the classifier's, for a vector that is empty or holds numbers that are not
    /// finite, for texts of more than 16 MiB and empty or overlong sources; [`PersonalError::Storage`].
    pub fn learn(&self, example: NewExample, source: &str, time: Timestamp) -> Result<Learnt> {
        let NewExample { text, label, vector, model_scores } = example;
        if !self.labels.contains(&label) {
            return Err(PersonalError::invalid_input("the label is not one of the classifier's"));
        }
        check_vector(Some(&vector))?;
        let known = self.example_of(&text, &vector)?;
        let payload = Payload::Example { text, label, vector: Some(vector), model_scores };
        let record = NewRecord { collection: self.collection.clone(), source: source.to_owned(), time, payload };
        match known {
            None => self.personal.learn(vec![record]),
            Some(id) => {
                let paused = !self.personal.replace(id, record)?;
                let ids = if paused { Vec::new() } else { vec![id] };
                Ok(Learnt { ids, paused, ..Learnt::default() })
            }
        }
    }

    /// How likely each label is for a text with this vector, about which a language model may have been asked. Without examples, this is what
    /// the model says.
    ///
    /// # Errors
    /// [`PersonalError::InvalidInput`] for a vector that is empty or holds numbers that are not finite; [`PersonalError::Storage`].
    pub fn judge(&self, vector: &[f32], model_scores: Option<&BTreeMap<String, f64>>) -> Result<Judgement> {
        check_vector(Some(vector))?;
        let mut learnt = self.learnt.lock().unwrap_or_else(PoisonError::into_inner);
        let model = &self.up_to_date(&mut learnt, vector.len())?.model;
        let judgement = model.judge(vector, self.in_order(model_scores).as_deref());
        let mut nearest = Vec::new();
        for near in judgement.nearest {
            // It may have been deleted meanwhile.
            nearest.extend(self.text_of(near.id)?.map(|text| NearestExample {
                id: near.id,
                text,
                label: self.labels[near.label].clone(),
                similarity: near.similarity,
            }));
        }
        Ok(Judgement { probabilities: judgement.probabilities, nearest })
    }

    /// The examples that have no vector of so many dimensions, which the classifier therefore cannot learn from: they were imported, or
    /// another model made their vectors.
    ///
    /// # Errors
    /// [`PersonalError::Storage`].
    pub fn without_vectors(&self, dimensions: usize) -> Result<Vec<Record>> {
        let mut records = self.personal.records(&Filter::of(&self.collection, Kind::Example))?;
        records.retain(|record| {
            !matches!(&record.payload, Payload::Example { vector: Some(vector), .. } if vector.len() == dimensions)
        });
        Ok(records)
    }

    /// What was learnt from the examples as they are now.
    fn up_to_date<'a>(&self, learnt: &'a mut Option<InMemory>, dimensions: usize) -> Result<&'a mut InMemory> {
        let generation = self.personal.generation();
        let is_valid = |known: &InMemory| known.generation == generation && known.dimensions == dimensions;
        if !learnt.as_ref().is_some_and(is_valid) {
            let examples = self.examples_after(0)?;
            let last_id = examples.last().map_or(0, |(id, _)| *id);
            let examples = examples.into_iter().filter_map(|(_, example)| example);
            let examples = examples.filter(|example| example.vector.len() == dimensions).collect();
            let model = LabelModel::new(self.labels.len(), examples);
            return Ok(learnt.insert(InMemory { generation, last_id, dimensions, model }));
        }
        let known = learnt.as_mut().expect("just seen");
        for (id, example) in self.examples_after(known.last_id)? {
            known.last_id = id;
            if let Some(example) = example.filter(|example| example.vector.len() == dimensions) {
                known.model.learn(example);
            }
        }
        Ok(known)
    }

    /// The examples with greater ids than `after`; `None` for those that cannot be learnt from.
    fn examples_after(&self, after: u64) -> Result<Vec<(u64, Option<LabelledVector>)>> {
        let filter = Filter { after: Some(after), ..Filter::of(&self.collection, Kind::Example) };
        let records = self.personal.records(&filter)?;
        Ok(records.into_iter().map(|record| (record.id, self.labelled(record))).collect())
    }

    fn labelled(&self, record: Record) -> Option<LabelledVector> {
        let Payload::Example { label, vector, model_scores, .. } = record.payload else { return None };
        let label = self.labels.iter().position(|known| *known == label)?;
        Some(LabelledVector {
            id: record.id,
            vector: vector?,
            label,
            model_scores: self.in_order(model_scores.as_ref()),
        })
    }

    /// A model's scores in the order of the labels, if there is one for each.
    fn in_order(&self, scores: Option<&BTreeMap<String, f64>>) -> Option<Vec<f64>> {
        self.labels.iter().map(|label| scores?.get(label).copied()).collect()
    }

    /// The id of the example whose text this is.
    fn example_of(&self, wanted: &str, vector: &[f32]) -> Result<Option<u64>> {
        let mut learnt = self.learnt.lock().unwrap_or_else(PoisonError::into_inner);
        let model = &self.up_to_date(&mut learnt, vector.len())?.model;
        for near in model.nearest(vector) {
            if self.text_of(near.id)?.is_some_and(|text| text == wanted) {
                return Ok(Some(near.id));
            }
        }
        Ok(None)
    }

    fn text_of(&self, id: u64) -> Result<Option<String>> {
        let filter = Filter { after: Some(id - 1), limit: 1, ..Filter::of(&self.collection, Kind::Example) };
        let record = self.personal.records(&filter)?.pop().filter(|record| record.id == id);
        Ok(record.and_then(|record| match record.payload {
            Payload::Example { text, .. } => Some(text),
            _ => None,
        }))
    }
}
