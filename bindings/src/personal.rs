//! Personal stores, and recommendations from them.

use std::path::Path;

use sotto_sdk::Error;
use sotto_sdk::personal::{
    Deletion, Derived, DerivedChange, Event, Filter, Imported, Item, ItemEvent, Items, Kind, Learnt, Limits, Near,
    Payload, Personal, PersonalError, Query, Reason, Recommendation, Record, Timestamp,
};

use crate::FfiError;

impl From<PersonalError> for FfiError {
    fn from(error: PersonalError) -> Self {
        Error::from(error).into()
    }
}

/// Mirror of [`Timestamp`].
#[derive(Debug, Clone, Copy, uniffi::Record)]
#[allow(missing_docs, reason = "the fields are those of the type")]
pub struct FfiTimestamp {
    pub unix_millis: i64,
    pub utc_offset_minutes: i16,
}

impl From<FfiTimestamp> for Timestamp {
    fn from(FfiTimestamp { unix_millis, utc_offset_minutes }: FfiTimestamp) -> Self {
        Self { unix_millis, utc_offset_minutes }
    }
}

impl From<Timestamp> for FfiTimestamp {
    fn from(Timestamp { unix_millis, utc_offset_minutes }: Timestamp) -> Self {
        Self { unix_millis, utc_offset_minutes }
    }
}

/// Mirror of [`Kind`].
#[derive(Debug, Clone, Copy, uniffi::Enum)]
#[allow(missing_docs, reason = "the variants are those of the type")]
pub enum FfiKind {
    Example,
    Text,
    Item,
    Event,
    Training,
    Setting,
}

impl From<FfiKind> for Kind {
    fn from(kind: FfiKind) -> Self {
        match kind {
            FfiKind::Example => Self::Example,
            FfiKind::Text => Self::Text,
            FfiKind::Item => Self::Item,
            FfiKind::Event => Self::Event,
            FfiKind::Training => Self::Training,
            FfiKind::Setting => Self::Setting,
        }
    }
}

/// Mirror of [`Event`].
#[derive(Debug, Clone, Copy, uniffi::Enum)]
#[allow(missing_docs, reason = "the variants are those of the type")]
pub enum FfiEvent {
    Seen,
    Opened,
    Liked,
    Dismissed,
    Finished,
}

impl From<FfiEvent> for Event {
    fn from(event: FfiEvent) -> Self {
        match event {
            FfiEvent::Seen => Self::Seen,
            FfiEvent::Opened => Self::Opened,
            FfiEvent::Liked => Self::Liked,
            FfiEvent::Dismissed => Self::Dismissed,
            FfiEvent::Finished => Self::Finished,
        }
    }
}

impl From<Event> for FfiEvent {
    fn from(event: Event) -> Self {
        match event {
            Event::Seen => Self::Seen,
            Event::Opened => Self::Opened,
            Event::Liked => Self::Liked,
            Event::Dismissed => Self::Dismissed,
            Event::Finished => Self::Finished,
        }
    }
}

/// Mirror of [`Item`].
#[derive(Debug, uniffi::Record)]
#[allow(missing_docs, reason = "the fields are those of the type")]
pub struct FfiItem {
    pub id: String,
    pub text: String,
    pub tags: Vec<String>,
    pub vector: Option<Vec<f32>>,
}

impl From<FfiItem> for Item {
    fn from(FfiItem { id, text, tags, vector }: FfiItem) -> Self {
        Self { id, text, tags, vector }
    }
}

impl From<Item> for FfiItem {
    fn from(Item { id, text, tags, vector }: Item) -> Self {
        Self { id, text, tags, vector }
    }
}

/// Mirror of [`Payload`]. Values are JSON.
#[derive(Debug, uniffi::Enum)]
#[allow(missing_docs, reason = "the variants are those of the type")]
pub enum FfiPayload {
    Example { text: String, label: String },
    Text { text: String },
    Item { item: FfiItem },
    Event { item: String, event: FfiEvent },
    Training { kept: bool, report: String },
    Setting { name: String, value: String },
}

impl TryFrom<Payload> for FfiPayload {
    type Error = FfiError;

    fn try_from(payload: Payload) -> Result<Self, FfiError> {
        Ok(match payload {
            Payload::Example { text, label, .. } => Self::Example { text, label },
            Payload::Text { text } => Self::Text { text },
            Payload::Item(item) => Self::Item { item: item.into() },
            Payload::Event { item, event } => Self::Event { item, event: event.into() },
            Payload::Training { kept, report } => Self::Training { kept, report: report.to_string() },
            Payload::Setting { name, value } => Self::Setting { name, value: value.to_string() },
            _ => return Err(FfiError::Unsupported { what: "a record of a newer kind: update the app".into() }),
        })
    }
}

/// Mirror of [`Record`].
#[derive(Debug, uniffi::Record)]
#[allow(missing_docs, reason = "the fields are those of the type")]
pub struct FfiRecord {
    pub id: u64,
    pub collection: String,
    pub source: String,
    pub time: FfiTimestamp,
    pub payload: FfiPayload,
}

impl TryFrom<Record> for FfiRecord {
    type Error = FfiError;

    fn try_from(Record { id, collection, source, time, payload }: Record) -> Result<Self, FfiError> {
        Ok(Self { id, collection, source, time: time.into(), payload: payload.try_into()? })
    }
}

/// Mirror of [`Filter`].
#[derive(Debug, uniffi::Record)]
#[allow(missing_docs, reason = "the fields are those of the type")]
pub struct FfiFilter {
    pub collection: Option<String>,
    pub kind: Option<FfiKind>,
    pub source: Option<String>,
    pub after: Option<u64>,
    pub limit: Option<u32>,
}

impl From<FfiFilter> for Filter {
    fn from(FfiFilter { collection, kind, source, after, limit }: FfiFilter) -> Self {
        let limit = limit.map_or(Self::default().limit, |limit| limit as usize);
        Self { collection, kind: kind.map(Into::into), source, after, limit }
    }
}

/// Mirror of [`DerivedChange`].
#[derive(Debug, uniffi::Record)]
#[allow(missing_docs, reason = "the fields are those of the type")]
pub struct FfiDerivedChange {
    pub collection: String,
    pub name: String,
    pub dropped: bool,
}

impl From<DerivedChange> for FfiDerivedChange {
    fn from(DerivedChange { collection, name, dropped }: DerivedChange) -> Self {
        Self { collection, name, dropped }
    }
}

/// Mirror of [`Deletion`].
#[derive(Debug, uniffi::Record)]
#[allow(missing_docs, reason = "the fields are those of the type")]
pub struct FfiDeletion {
    pub records: Vec<u64>,
    pub derived: Vec<FfiDerivedChange>,
}

impl From<Deletion> for FfiDeletion {
    fn from(Deletion { records, derived }: Deletion) -> Self {
        Self { records, derived: derived.into_iter().map(Into::into).collect() }
    }
}

/// Mirror of [`Learnt`].
#[derive(Debug, uniffi::Record)]
#[allow(missing_docs, reason = "the fields are those of the type")]
pub struct FfiLearnt {
    pub ids: Vec<u64>,
    pub paused: bool,
    pub dropped: FfiDeletion,
}

impl From<Learnt> for FfiLearnt {
    fn from(Learnt { ids, paused, dropped }: Learnt) -> Self {
        Self { ids, paused, dropped: dropped.into() }
    }
}

/// Mirror of [`Imported`].
#[derive(Debug, uniffi::Record)]
#[allow(missing_docs, reason = "the fields are those of the type")]
pub struct FfiImported {
    pub added: u64,
    pub known: u64,
}

impl From<Imported> for FfiImported {
    fn from(Imported { added, known }: Imported) -> Self {
        Self { added, known }
    }
}

/// Mirror of [`Limits`].
#[derive(Debug, uniffi::Record)]
#[allow(missing_docs, reason = "the fields are those of the type")]
pub struct FfiLimits {
    pub max_records: Option<u64>,
    pub max_age_days: Option<u32>,
}

impl From<FfiLimits> for Limits {
    fn from(FfiLimits { max_records, max_age_days }: FfiLimits) -> Self {
        Self { max_records, max_age_days }
    }
}

impl From<Limits> for FfiLimits {
    fn from(Limits { max_records, max_age_days }: Limits) -> Self {
        Self { max_records, max_age_days }
    }
}

/// What a person wants to know of a [`Derived`] thing.
#[derive(Debug, uniffi::Record)]
#[allow(missing_docs, reason = "the fields are those of the type")]
pub struct FfiDerived {
    pub collection: String,
    pub name: String,
    pub learnt_from: Vec<u64>,
    pub time: FfiTimestamp,
    pub outdated: bool,
}

impl From<Derived> for FfiDerived {
    fn from(Derived { collection, name, learnt_from, time, outdated, .. }: Derived) -> Self {
        Self { collection, name, learnt_from, time: time.into(), outdated }
    }
}

/// [`Personal::open`].
#[uniffi::export]
pub fn open_personal(path: &str) -> Result<FfiPersonal, FfiError> {
    Ok(FfiPersonal(Personal::open(path)?))
}

/// A [`Personal`].
#[derive(Debug, uniffi::Object)]
pub struct FfiPersonal(pub(crate) Personal);

#[uniffi::export]
impl FfiPersonal {
    /// [`Personal::records`].
    pub fn records(&self, filter: FfiFilter) -> Result<Vec<FfiRecord>, FfiError> {
        self.0.records(&filter.into())?.into_iter().map(TryInto::try_into).collect()
    }

    /// [`Personal::count`].
    pub fn count(&self) -> Result<u64, FfiError> {
        Ok(self.0.count()?)
    }

    /// [`Personal::all_derived`].
    pub fn all_derived(&self) -> Result<Vec<FfiDerived>, FfiError> {
        Ok(self.0.all_derived()?.into_iter().map(Into::into).collect())
    }

    /// [`Personal::delete`].
    pub fn delete(&self, ids: &[u64]) -> Result<FfiDeletion, FfiError> {
        Ok(self.0.delete(ids)?.into())
    }

    /// [`Personal::forget`].
    pub fn forget(&self, source: &str) -> Result<FfiDeletion, FfiError> {
        Ok(self.0.forget(source)?.into())
    }

    /// [`Personal::delete_all`].
    pub fn delete_all(&self) -> Result<FfiDeletion, FfiError> {
        Ok(self.0.delete_all()?.into())
    }

    /// [`Personal::tidy`].
    pub fn tidy(&self, now: FfiTimestamp) -> Result<FfiDeletion, FfiError> {
        Ok(self.0.tidy(now.into())?.into())
    }

    /// [`Personal::limits`].
    pub fn limits(&self) -> Result<FfiLimits, FfiError> {
        Ok(self.0.limits()?.into())
    }

    /// [`Personal::set_limits`].
    pub fn set_limits(&self, limits: FfiLimits, now: FfiTimestamp) -> Result<FfiDeletion, FfiError> {
        Ok(self.0.set_limits(limits.into(), now.into())?.into())
    }

    /// [`Personal::is_paused`].
    pub fn is_paused(&self) -> Result<bool, FfiError> {
        Ok(self.0.is_paused()?)
    }

    /// [`Personal::set_paused`].
    pub fn set_paused(&self, paused: bool) -> Result<(), FfiError> {
        Ok(self.0.set_paused(paused)?)
    }

    /// [`Personal::export`].
    pub fn export(&self, target: &str) -> Result<(), FfiError> {
        Ok(self.0.export(Path::new(target))?)
    }

    /// [`Personal::import`].
    pub fn import(&self, source: &str) -> Result<FfiImported, FfiError> {
        Ok(self.0.import(Path::new(source))?.into())
    }

    /// [`Personal::items`].
    pub fn items(&self, collection: &str) -> Result<FfiItems, FfiError> {
        Ok(FfiItems(self.0.items(collection)?))
    }
}

/// Mirror of [`ItemEvent`].
#[derive(Debug, uniffi::Record)]
#[allow(missing_docs, reason = "the fields are those of the type")]
pub struct FfiItemEvent {
    pub item: String,
    pub event: FfiEvent,
    pub time: FfiTimestamp,
}

impl From<FfiItemEvent> for ItemEvent {
    fn from(FfiItemEvent { item, event, time }: FfiItemEvent) -> Self {
        Self { item, event: event.into(), time: time.into() }
    }
}

/// Mirror of [`Near`].
#[derive(Debug, uniffi::Enum)]
#[allow(missing_docs, reason = "the variants are those of the type")]
pub enum FfiNear {
    Text { text: String, vector: Option<Vec<f32>> },
    Item { id: String },
}

impl From<FfiNear> for Near {
    fn from(near: FfiNear) -> Self {
        match near {
            FfiNear::Text { text, vector } => Self::Text { text, vector },
            FfiNear::Item { id } => Self::Item(id),
        }
    }
}

/// Mirror of [`Query`].
#[derive(Debug, uniffi::Record)]
#[allow(missing_docs, reason = "the fields are those of the type")]
pub struct FfiQuery {
    pub near: Option<FfiNear>,
    pub limit: u32,
    pub now: FfiTimestamp,
    pub again: bool,
    pub exploration: f64,
    pub seed: Option<u64>,
}

impl From<FfiQuery> for Query {
    fn from(FfiQuery { near, limit, now, again, exploration, seed }: FfiQuery) -> Self {
        let base = Self::at(now.into());
        let seed = seed.unwrap_or(base.seed);
        Self { near: near.map(Into::into), limit: limit as usize, again, exploration, seed, ..base }
    }
}

/// Mirror of [`Reason`].
#[derive(Debug, uniffi::Enum)]
#[allow(missing_docs, reason = "the variants are those of the type")]
pub enum FfiReason {
    Near { words: Vec<String> },
    Taste { like: String },
    Habit { hour: u8, weekday: u8 },
    Popular { uses: u32 },
    Recent { last: FfiTimestamp },
    New { since: FfiTimestamp },
    Exploration,
}

impl From<Reason> for FfiReason {
    fn from(reason: Reason) -> Self {
        match reason {
            Reason::Near { words } => Self::Near { words },
            Reason::Taste { like } => Self::Taste { like },
            Reason::Habit { hour, weekday } => Self::Habit { hour, weekday },
            Reason::Popular { uses } => Self::Popular { uses },
            Reason::Recent { last } => Self::Recent { last: last.into() },
            Reason::New { since } => Self::New { since: since.into() },
            Reason::Exploration => Self::Exploration,
        }
    }
}

/// Mirror of [`Recommendation`].
#[derive(Debug, uniffi::Record)]
#[allow(missing_docs, reason = "the fields are those of the type")]
pub struct FfiRecommendation {
    pub id: String,
    pub score: f32,
    pub reason: FfiReason,
}

impl From<Recommendation> for FfiRecommendation {
    fn from(Recommendation { id, score, reason }: Recommendation) -> Self {
        Self { id, score, reason: reason.into() }
    }
}

/// [`Items`].
#[derive(Debug, uniffi::Object)]
pub struct FfiItems(Items);

#[uniffi::export]
impl FfiItems {
    /// [`Items::put`].
    pub fn put(&self, items: Vec<FfiItem>, at: FfiTimestamp) -> Result<FfiLearnt, FfiError> {
        Ok(self.0.put(items.into_iter().map(Into::into).collect(), at.into())?.into())
    }

    /// [`Items::record`].
    pub fn record(&self, item: &str, event: FfiEvent, time: FfiTimestamp) -> Result<FfiLearnt, FfiError> {
        Ok(self.0.record(item, event.into(), time.into())?.into())
    }

    /// [`Items::record_all`].
    pub fn record_all(&self, events: Vec<FfiItemEvent>) -> Result<FfiLearnt, FfiError> {
        Ok(self.0.record_all(events.into_iter().map(Into::into).collect())?.into())
    }

    /// [`Items::remove`].
    pub fn remove(&self, item: &str, now: FfiTimestamp) -> Result<FfiDeletion, FfiError> {
        Ok(self.0.remove(item, now.into())?.into())
    }

    /// [`Items::recommend`].
    pub fn recommend(&self, query: FfiQuery) -> Result<Vec<FfiRecommendation>, FfiError> {
        Ok(self.0.recommend(&query.into())?.into_iter().map(Into::into).collect())
    }
}
