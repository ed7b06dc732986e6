//! Recommendations from what the user did, on the device.

mod catalogue;
mod growth;
mod habits;
mod recommend;
mod terms;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use catalogue::Catalogue;
pub use recommend::{Near, Query, Reason, Recommendation};

use crate::record::check_name;
use crate::{
    Deletion, Event, Filter, Item, Kind, Learnt, NewRecord, Payload, Personal, PersonalError, Record, Result, Timestamp,
};

/// Events are read so many at a time.
const PAGE: usize = 10_000;

/// The catalogues in memory, by the names of their collections.
pub(crate) type Catalogues = Mutex<HashMap<String, Arc<Mutex<Option<Loaded>>>>>;

/// A catalogue, and the [`Personal::generation`] that it was read at.
pub(crate) struct Loaded {
    generation: u64,
    catalogue: Catalogue,
}

/// One thing that the user did with an item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ItemEvent {
    /// The item's id.
    pub item: String,
    /// What was done.
    pub event: Event,
    /// When.
    pub time: Timestamp,
}

/// A collection of items that can be recommended, from [`Personal::items`].
///
/// The first call reads all of the collection into memory: some 300 bytes an item and its text's terms, plus its vector. Later
/// calls answer from there.
#[derive(Debug, Clone)]
pub struct Items {
    personal: Personal,
    collection: String,
}

impl Personal {
    /// The items of a collection. They and their events have the collection's name as their source.
    ///
    /// # Errors
    /// [`PersonalError::InvalidInput`] for an empty or overlong name.
    pub fn items(&self, collection: &str) -> Result<Items> {
        check_name("a collection", collection)?;
        Ok(Items { personal: self.clone(), collection: collection.to_owned() })
    }
}

impl Items {
    /// Adds items, unless learning is paused. An item with a known id replaces that one, and keeps its events; one that is
    /// equal to it changes nothing, so an app may put all its items whenever it starts.
    ///
    /// # Errors
    /// [`PersonalError::InvalidInput`] for empty or overlong ids and tags, texts of more than 16 MiB, vectors with numbers that
    /// are not finite or of different dimensions; [`PersonalError::Storage`]. Nothing is added then.
    pub fn put(&self, items: Vec<Item>, at: Timestamp) -> Result<Learnt> {
        self.with_catalogue(at, |catalogue| {
            let mut dimensions = catalogue.dimensions;
            for item in &items {
                catalogue.check_dimensions(item.vector.as_deref())?;
                let mine = item.vector.as_ref().map(Vec::len);
                if dimensions.zip(mine).is_some_and(|(all, mine)| all != mine) {
                    return Err(PersonalError::invalid_input(
                        "the vectors have different dimensions: embed all with the same model",
                    ));
                }
                dimensions = dimensions.or(mine);
            }
            let known = |item: &Item| catalogue.get(&item.id).map(|entry| entry.record);
            let written = self.personal.put_items(&self.collection, items, at, known)?;
            let mut learnt = Learnt { paused: written.is_none(), ..Learnt::default() };
            for (id, item, changed) in written.into_iter().flatten() {
                learnt.ids.push(id);
                if changed {
                    catalogue.put(id, item, at);
                }
            }
            Ok(learnt)
        })
    }

    /// Records what the user did with an item, unless learning is paused.
    ///
    /// # Errors
    /// [`PersonalError::UnknownItem`] if it was never put; [`PersonalError::Storage`].
    pub fn record(&self, item: &str, event: Event, time: Timestamp) -> Result<Learnt> {
        self.record_all(vec![ItemEvent { item: item.to_owned(), event, time }])
    }

    /// Records several events in one step, which is much faster than one by one.
    ///
    /// # Errors
    /// As [`record`](Self::record); nothing is recorded then.
    pub fn record_all(&self, events: Vec<ItemEvent>) -> Result<Learnt> {
        let Some(now) = events.iter().map(|event| event.time).max() else { return Ok(Learnt::default()) };
        self.with_catalogue(now, |catalogue| {
            events.iter().try_for_each(|event| catalogue.position(&event.item).map(drop))?;
            let learnt = self.personal.learn(events.iter().map(|event| self.to_record(event)).collect())?;
            if !learnt.paused {
                events.iter().for_each(|event| catalogue.take(&event.item, event.event, event.time));
            }
            Ok(learnt)
        })
    }

    /// Deletes an item and its events, as [`Personal::delete`] does.
    ///
    /// # Errors
    /// [`PersonalError::UnknownItem`]; [`PersonalError::Storage`].
    pub fn remove(&self, item: &str, now: Timestamp) -> Result<Deletion> {
        let record = self.with_catalogue(now, |catalogue| {
            catalogue.get(item).map(|entry| entry.record).ok_or(PersonalError::UnknownItem)
        })?;
        self.personal.delete(&[record])
    }

    /// The items that the user probably wants now, the best first, each with the reason. Without any events, these are the
    /// newest items, or those that are similar to [`Query::near`].
    ///
    /// # Errors
    /// [`PersonalError::UnknownItem`] if [`Query::near`] names one; [`PersonalError::InvalidInput`] for a vector of other
    /// dimensions than those of the items, or an `exploration` outside 0 to 1; [`PersonalError::Storage`].
    pub fn recommend(&self, query: &Query) -> Result<Vec<Recommendation>> {
        self.with_catalogue(query.now, |catalogue| {
            if catalogue.is_from_future(query.now.unix_millis) {
                *catalogue = self.load(query.now)?;
            }
            recommend::recommend(catalogue, query)
        })
    }

    fn to_record(&self, ItemEvent { item, event, time }: &ItemEvent) -> NewRecord {
        NewRecord {
            collection: self.collection.clone(),
            source: self.collection.clone(),
            time: *time,
            payload: Payload::Event { item: item.clone(), event: *event },
        }
    }

    fn with_catalogue<T>(&self, now: Timestamp, work: impl FnOnce(&mut Catalogue) -> Result<T>) -> Result<T> {
        let shared = {
            let mut catalogues = self.personal.catalogues().lock().unwrap_or_else(PoisonError::into_inner);
            catalogues.entry(self.collection.clone()).or_default().clone()
        };
        // After a panic, the catalogue is read again.
        let mut loaded = shared.lock().unwrap_or_else(|poisoned| {
            let mut loaded = poisoned.into_inner();
            *loaded = None;
            loaded
        });
        let generation = self.personal.generation();
        if loaded.as_ref().is_none_or(|loaded| loaded.generation != generation) {
            *loaded = Some(Loaded { generation, catalogue: self.load(now)? });
        }
        let loaded = loaded.as_mut().expect("it has just been loaded");
        work(&mut loaded.catalogue)
    }

    /// Reads the collection, at the time `now`. Events from after it, which a wrong clock made, count as if they were of now.
    fn load(&self, now: Timestamp) -> Result<Catalogue> {
        let mut catalogue = Catalogue::new(now.unix_millis);
        for Record { id, time, payload, .. } in self.personal.records(&Filter::of(&self.collection, Kind::Item))? {
            if let Payload::Item(item) = payload {
                catalogue.put(id, item, time);
            }
        }
        let mut page = Filter { limit: PAGE, ..Filter::of(&self.collection, Kind::Event) };
        loop {
            let events = self.personal.records(&page)?;
            page.after = events.last().map(|event| event.id);
            let is_last = events.len() < PAGE;
            for Record { time, payload, .. } in events {
                if let Payload::Event { item, event } = payload {
                    let time = Timestamp { unix_millis: time.unix_millis.min(now.unix_millis), ..time };
                    catalogue.take(&item, event, time);
                }
            }
            if is_last {
                return Ok(catalogue);
            }
        }
    }
}
