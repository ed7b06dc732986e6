//! What is kept in memory of examples.

use std::collections::{BTreeSet, HashMap};
use std::hash::{BuildHasher, RandomState};

use super::label_model::{LabelModel, LabelledVector, MOST_EXAMPLES};
use super::{features_of, in_order};
use crate::{Payload, Record};

/// What was learnt from examples with features of certain models, and up to where the store was read for it.
#[derive(Debug)]
pub(super) struct Memory {
    pub(super) generation: u64,
    pub(super) last_id: u64,
    pub(super) model: LabelModel,
    models: String,
    dimensions: usize,
    /// The id of each text, by its hash.
    ids: HashMap<u64, u64>,
    hasher: RandomState,
    /// Examples without features of these models, or without scores of all labels.
    unseen: BTreeSet<u64>,
}

impl Memory {
    pub(super) fn new(generation: u64, models: &str, dimensions: usize, labels: usize) -> Self {
        Self {
            generation,
            last_id: 0,
            model: LabelModel::new(labels, dimensions),
            models: models.to_owned(),
            dimensions,
            ids: HashMap::new(),
            hasher: RandomState::new(),
            unseen: BTreeSet::new(),
        }
    }

    pub(super) fn is_of(&self, generation: u64, models: &str, dimensions: usize) -> bool {
        self.generation == generation && self.models == models && self.dimensions == dimensions
    }

    /// The models, and how many dimensions their vectors have.
    pub(super) fn models(&self) -> (String, usize) {
        (self.models.clone(), self.dimensions)
    }

    /// The example whose text probably is this.
    pub(super) fn example_of(&self, text: &str) -> Option<u64> {
        self.ids.get(&self.hasher.hash_one(text)).copied()
    }

    /// The last examples that the models have not seen, the last one first.
    pub(super) fn unseen(&self) -> Vec<u64> {
        self.unseen.iter().rev().take(MOST_EXAMPLES).copied().collect()
    }

    /// Learns from new records, and from those that were changed.
    pub(super) fn take(&mut self, records: Vec<Record>, labels: &[String]) {
        let mut examples = Vec::new();
        for Record { id, payload, .. } in records {
            let Payload::Example { text, label, .. } = &payload else { continue };
            self.last_id = self.last_id.max(id);
            self.ids.insert(self.hasher.hash_one(text), id);
            self.unseen.remove(&id);
            let Some(label) = labels.iter().position(|known| known == label) else { continue };
            if text.trim().is_empty() {
                continue;
            }
            match features_of(&payload).filter(|features| features.are_of(&self.models, self.dimensions)) {
                None => drop(self.unseen.insert(id)),
                Some(features) => {
                    if features.lack_scores(labels) {
                        self.unseen.insert(id);
                    }
                    let model_scores = in_order(labels, features.scores.as_ref());
                    examples.push(LabelledVector { id, vector: features.vector, label, model_scores });
                }
            }
        }
        if !examples.is_empty() {
            self.model.learn(examples);
        }
    }
}
