//! The items of a collection in memory, with what the user did with them.

use std::collections::HashMap;

use super::growth::Growth;
use super::habits::Habits;
use super::terms::{TermIndex, Weights};
use crate::time::DAY;
use crate::{Event, Item, PersonalError, Result, Timestamp};

/// One item, and its uses.
pub(super) struct Entry {
    pub(super) id: String,
    pub(super) record: u64,
    pub(super) weights: Weights,
    /// Of length 1.
    pub(super) vector: Option<Vec<f32>>,
    pub(super) tags: Vec<u32>,
    pub(super) added: Timestamp,
    /// When it was last opened, liked or finished.
    pub(super) last_used: Option<Timestamp>,
    /// How often it was.
    pub(super) uses: u32,
    /// The fading weight of these uses.
    pub(super) used: f32,
    /// How often it was seen since it was last used.
    pub(super) ignored: u32,
    pub(super) dismissed: bool,
    pub(super) finished: bool,
    habits: Option<Box<Habits>>,
}

impl Entry {
    pub(super) fn habits(&self) -> Option<&Habits> {
        self.habits.as_deref()
    }
}

pub(super) struct Catalogue {
    pub(super) entries: Vec<Entry>,
    pub(super) terms: TermIndex,
    pub(super) growth: Growth,
    /// What the user likes, as terms: by the terms' numbers.
    pub(super) taste: Vec<f32>,
    /// The same as a sum of vectors. Empty if no item has one.
    pub(super) taste_vector: Vec<f32>,
    /// When anything is used.
    pub(super) habits: Habits,
    pub(super) tag_habits: Vec<Habits>,
    /// The time of the newest event.
    pub(super) newest: i64,
    /// The number of dimensions of the vectors.
    pub(super) dimensions: Option<usize>,
    by_id: HashMap<String, u32>,
    tags: HashMap<String, u32>,
}

impl Catalogue {
    /// An empty one, at the time `now`.
    pub(super) fn new(now: i64) -> Self {
        Self {
            entries: Vec::new(),
            terms: TermIndex::default(),
            growth: Growth::from(now),
            taste: Vec::new(),
            taste_vector: Vec::new(),
            habits: Habits::default(),
            tag_habits: Vec::new(),
            newest: i64::MIN,
            dimensions: None,
            by_id: HashMap::new(),
            tags: HashMap::new(),
        }
    }

    pub(super) fn get(&self, id: &str) -> Option<&Entry> {
        self.by_id.get(id).map(|entry| &self.entries[*entry as usize])
    }

    pub(super) fn position(&self, id: &str) -> Result<usize> {
        self.by_id.get(id).map(|entry| *entry as usize).ok_or(PersonalError::UnknownItem)
    }

    /// Whether the vector can stand beside those that are there.
    pub(super) fn check_dimensions(&self, vector: Option<&[f32]>) -> Result<()> {
        match (vector, self.dimensions) {
            (Some(vector), Some(dimensions)) if vector.len() != dimensions => {
                Err(PersonalError::invalid_input(format!(
                    "a vector has {} dimensions, but those of the collection have {dimensions}: embed all with the same model",
                    vector.len()
                )))
            }
            _ => Ok(()),
        }
    }

    /// Adds an item, or gives the one with its id another text; what was done with it stays.
    pub(super) fn put(&mut self, record: u64, item: Item, added: Timestamp) {
        let position = self.by_id.get(&item.id).copied();
        let number = position.unwrap_or(self.entries.len() as u32);
        if let Some(position) = position {
            self.terms.remove(position, &self.entries[position as usize].weights);
        }
        let weights = self.terms.add(number, &item.text, &item.tags);
        self.taste.resize(self.terms.len(), 0.0);
        self.dimensions = self.dimensions.or(item.vector.as_ref().map(Vec::len));
        let vector = item.vector.map(normalized);
        let tags = item.tags.into_iter().map(|tag| self.tag(tag)).collect();
        match position {
            Some(position) => {
                let entry = &mut self.entries[position as usize];
                (entry.weights, entry.vector, entry.tags) = (weights, vector, tags);
            }
            None => {
                self.by_id.insert(item.id.clone(), number);
                self.entries.push(Entry {
                    id: item.id,
                    record,
                    weights,
                    vector,
                    tags,
                    added,
                    last_used: None,
                    uses: 0,
                    used: 0.0,
                    ignored: 0,
                    dismissed: false,
                    finished: false,
                    habits: None,
                });
            }
        }
    }

    fn tag(&mut self, tag: String) -> u32 {
        let next = self.tags.len() as u32;
        *self.tags.entry(tag).or_insert_with(|| {
            self.tag_habits.push(Habits::default());
            next
        })
    }

    /// Takes an event into account, unless its item is not there any more.
    pub(super) fn take(&mut self, id: &str, event: Event, time: Timestamp) {
        let Some(position) = self.by_id.get(id) else { return };
        let entry = &mut self.entries[*position as usize];
        self.newest = self.newest.max(time.unix_millis);
        let interest = match event {
            Event::Seen => {
                entry.ignored += 1;
                return;
            }
            Event::Dismissed => -1.0,
            Event::Opened => 1.0,
            Event::Finished => 1.5,
            Event::Liked => 2.0,
        };
        let weight = interest * self.growth.at(time.unix_millis);
        for (term, share) in &entry.weights {
            self.taste[*term as usize] += weight * share;
        }
        if let Some(vector) = &entry.vector {
            self.taste_vector.resize(vector.len(), 0.0);
            self.taste_vector.iter_mut().zip(vector).for_each(|(sum, number)| *sum += weight * number);
        }
        entry.dismissed = event == Event::Dismissed;
        if entry.dismissed {
            return;
        }
        entry.finished |= event == Event::Finished;
        entry.uses += 1;
        entry.used += weight;
        entry.ignored = 0;
        entry.last_used = entry.last_used.max(Some(time));
        entry.habits.get_or_insert_default().add(time, weight);
        entry.tags.iter().for_each(|tag| self.tag_habits[*tag as usize].add(time, weight));
        self.habits.add(time, weight);
    }

    /// Whether events are from after the time `now`, by more than a day.
    pub(super) fn is_from_future(&self, now: i64) -> bool {
        self.newest > now.saturating_add(DAY)
    }
}

/// The vector with the length 1.
pub(super) fn normalized(mut vector: Vec<f32>) -> Vec<f32> {
    let length = vector.iter().map(|number| number * number).sum::<f32>().sqrt();
    if length > 0.0 {
        vector.iter_mut().for_each(|number| *number /= length);
    }
    vector
}
