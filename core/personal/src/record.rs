use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{PersonalError, Result, Timestamp};

/// The longest name of a collection, source, item, label or tag, in bytes.
const MAX_NAME_BYTES: usize = 1024;
/// The longest text of one record, in bytes.
const MAX_TEXT_BYTES: usize = 16 << 20;

/// One thing that was learnt, with where and when.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// A number that no other record of the store has or had.
    pub id: u64,
    /// What it belongs to, such as "mail", "recipes" or "me".
    pub collection: String,
    /// Where it came from, as the user would call it, such as "Inbox" or "keyboard". [`crate::Personal::forget`] takes it.
    pub source: String,
    /// When it was learnt.
    pub time: Timestamp,
    /// What was learnt.
    pub payload: Payload,
}

/// Something to learn: a [`Record`] without its id.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NewRecord {
    /// As [`Record::collection`].
    pub collection: String,
    /// As [`Record::source`].
    pub source: String,
    /// As [`Record::time`].
    pub time: Timestamp,
    /// As [`Record::payload`].
    pub payload: Payload,
}

/// What a record holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Payload {
    /// A text and the label that the user gave it. A classifier learns from them.
    Example {
        /// The text.
        text: String,
        /// Its label.
        label: String,
        /// The models that `vector` and `model_scores` are of.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        models: Option<String>,
        /// An embedding of the text, so that it need not be computed again.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        vector: Option<Vec<f32>>,
        /// The log-probability that a language model gave to each label, if it was asked about the text; empty if it cannot be asked.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        model_scores: Option<BTreeMap<String, f64>>,
    },
    /// A text that the user wrote. Style is learnt from them.
    Text {
        /// The text.
        text: String,
    },
    /// An item that can be recommended.
    Item(Item),
    /// What the user did with an item.
    Event {
        /// The item's id.
        item: String,
        /// What was done.
        event: Event,
    },
    /// A training of an adapter, and how it ended.
    Training {
        /// Whether its result was kept.
        kept: bool,
        /// The report of the training.
        report: Value,
    },
    /// Something that the user or the app chose, such as an edited profile. [`crate::Personal::set`] replaces it by name.
    Setting {
        /// Its name.
        name: String,
        /// Its value.
        value: Value,
    },
}

/// Which [`Payload`] a record holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
#[repr(u8)]
pub enum Kind {
    /// [`Payload::Example`].
    Example = 0,
    /// [`Payload::Text`].
    Text = 1,
    /// [`Payload::Item`].
    Item = 2,
    /// [`Payload::Event`].
    Event = 3,
    /// [`Payload::Training`].
    Training = 4,
    /// [`Payload::Setting`].
    Setting = 5,
}

/// Something that an app can recommend.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Item {
    /// The app's own name of it.
    pub id: String,
    /// What it says: title and content.
    pub text: String,
    /// Its topics.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// An embedding of the text. All items of a collection with one need the same number of dimensions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vector: Option<Vec<f32>>,
}

/// What a user did with an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// It was shown.
    Seen,
    /// It was opened.
    Opened,
    /// The user said that it is liked.
    Liked,
    /// The user said that it is not wanted. It is not recommended again until another event says otherwise.
    Dismissed,
    /// It was read, cooked or watched to its end.
    Finished,
}

impl Payload {
    /// An example that no model has seen.
    pub fn example(text: impl Into<String>, label: impl Into<String>) -> Self {
        Self::Example { text: text.into(), label: label.into(), models: None, vector: None, model_scores: None }
    }

    /// Which variant this is.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Example { .. } => Kind::Example,
            Self::Text { .. } => Kind::Text,
            Self::Item(_) => Kind::Item,
            Self::Event { .. } => Kind::Event,
            Self::Training { .. } => Kind::Training,
            Self::Setting { .. } => Kind::Setting,
        }
    }

    fn check(&self) -> Result<()> {
        match self {
            Self::Example { text, label, vector, model_scores, .. } => {
                check_text(text)?;
                check_name("a label", label)?;
                check_scores(model_scores.as_ref())?;
                check_vector(vector.as_deref())
            }
            Self::Text { text } => check_text(text),
            Self::Item(item) => {
                check_name("an item's id", &item.id)?;
                check_text(&item.text)?;
                item.tags.iter().try_for_each(|tag| check_name("a tag", tag))?;
                check_vector(item.vector.as_deref())
            }
            Self::Event { item, .. } => check_name("an item's id", item),
            Self::Training { .. } => Ok(()),
            Self::Setting { name, .. } => check_name("a setting's name", name),
        }
    }
}

impl NewRecord {
    pub(crate) fn check(&self) -> Result<()> {
        check_name("a collection", &self.collection)?;
        check_name("a source", &self.source)?;
        self.payload.check()
    }

    pub(crate) fn with_id(self, id: u64) -> Record {
        let Self { collection, source, time, payload } = self;
        Record { id, collection, source, time, payload }
    }
}

impl From<Record> for NewRecord {
    fn from(Record { collection, source, time, payload, .. }: Record) -> Self {
        Self { collection, source, time, payload }
    }
}

pub(crate) fn check_name(what: &str, name: &str) -> Result<()> {
    match name.len() {
        0 => Err(PersonalError::invalid_input(format!("{what} must not be empty"))),
        length if length > MAX_NAME_BYTES => Err(PersonalError::invalid_input(format!(
            "{what} has {length} bytes, but at most {MAX_NAME_BYTES} are allowed"
        ))),
        _ => Ok(()),
    }
}

fn check_text(text: &str) -> Result<()> {
    match text.len() {
        length if length > MAX_TEXT_BYTES => Err(PersonalError::invalid_input(format!(
            "a text has {length} bytes, but at most {MAX_TEXT_BYTES} are allowed: cut it into several"
        ))),
        _ => Ok(()),
    }
}

pub(crate) fn check_vector(vector: Option<&[f32]>) -> Result<()> {
    match vector {
        Some([]) => Err(PersonalError::invalid_input("a vector must not be empty: leave it out")),
        Some(vector) if !vector.iter().all(|number| number.is_finite()) => {
            Err(PersonalError::invalid_input("a vector's numbers must be finite"))
        }
        _ => Ok(()),
    }
}

fn check_scores(scores: Option<&BTreeMap<String, f64>>) -> Result<()> {
    match scores.is_none_or(|scores| scores.values().all(|score| score.is_finite())) {
        true => Ok(()),
        false => Err(PersonalError::invalid_input("a model's scores must be finite")),
    }
}

/// Which records to list. The default is all of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter {
    /// Only those of this collection.
    pub collection: Option<String>,
    /// Only those of this kind.
    pub kind: Option<Kind>,
    /// Only those of this source.
    pub source: Option<String>,
    /// Only those with a greater id, to list page by page.
    pub after: Option<u64>,
    /// At most this many.
    pub limit: usize,
}

impl Default for Filter {
    fn default() -> Self {
        Self { collection: None, kind: None, source: None, after: None, limit: usize::MAX }
    }
}

impl Filter {
    /// The records of a kind in a collection.
    pub fn of(collection: impl Into<String>, kind: Kind) -> Self {
        Self { collection: Some(collection.into()), kind: Some(kind), ..Self::default() }
    }

    pub(crate) fn takes(&self, record: &Record) -> bool {
        self.collection.as_ref().is_none_or(|collection| *collection == record.collection)
            && self.kind.is_none_or(|kind| kind == record.payload.kind())
            && self.source.as_ref().is_none_or(|source| *source == record.source)
    }
}

/// What became of something to learn.
#[derive(Debug, Clone, PartialEq, Default)]
#[must_use]
pub struct Learnt {
    /// The ids of the new records, in the order in which they were given. Empty if learning is paused.
    pub ids: Vec<u64>,
    /// Nothing was learnt, because learning is paused.
    pub paused: bool,
    /// What had to go, because of [`crate::Limits`].
    pub dropped: Deletion,
}

/// What a deletion removed.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Deletion {
    /// The ids of the deleted records, in ascending order. With an item go its events.
    pub records: Vec<u64>,
    /// What had been learnt from them.
    pub derived: Vec<DerivedChange>,
}

/// What became of something that was learnt from deleted records.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DerivedChange {
    /// Its collection.
    pub collection: String,
    /// Its name.
    pub name: String,
    /// It was dropped, with its file; otherwise it is marked as [`Derived::outdated`], and is to be learnt again.
    pub dropped: bool,
}

/// Something that was learnt from records, such as an adapter.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Derived {
    /// What it belongs to.
    pub collection: String,
    /// Its name in the collection.
    pub name: String,
    /// The ids of the records that it was learnt from.
    pub learnt_from: Vec<u64>,
    /// When it was learnt.
    pub time: Timestamp,
    /// What happens to it when one of those records is deleted.
    pub on_deletion: OnDeletion,
    /// A record that it was learnt from has been deleted since. It still reflects that record: learn it again.
    #[serde(default)]
    pub outdated: bool,
    /// The thing itself, such as weights.
    pub state: Value,
    /// The name of a file in the store's folder that belongs to it, such as an adapter. It is deleted with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
}

/// What happens to something that was learnt, when a record that it was learnt from is deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnDeletion {
    /// It is dropped.
    Drop,
    /// It stays in use, marked as outdated, until the app has learnt it again.
    Mark,
}

impl Derived {
    pub(crate) fn check(&self) -> Result<()> {
        check_name("a collection", &self.collection)?;
        check_name("a name", &self.name)?;
        match &self.file {
            Some(file) if !is_file_name(file) => Err(PersonalError::invalid_input(
                "the file must be the name of a file in the store's folder, not a path",
            )),
            _ => Ok(()),
        }
    }
}

fn is_file_name(name: &str) -> bool {
    let mut components = std::path::Path::new(name).components();
    matches!((components.next(), components.next()), (Some(std::path::Component::Normal(part)), None) if part == name)
}
