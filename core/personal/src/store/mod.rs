//! The personal store.

mod clock;
mod database;
mod export;
mod failure;
mod removal;
mod retention;
mod tables;

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use redb::ReadableTable;

use database::{Store, remove_if_there};
use failure::Attempt;
use removal::{RESIDUE_KEY, Removal};
use retention::LIMITS_KEY;
use tables::{ReadTables, WriteTables};

use crate::items::Catalogues;
use crate::{
    Deletion, Derived, Filter, Item, Kind, Learnt, NewRecord, Payload, PersonalError, Record, Result, Timestamp,
};

pub use export::Imported;
pub use retention::Limits;

/// The key of the switch, among the store's own values, that stops learning.
const PAUSED_KEY: &str = "paused";

/// What an app has learnt about its user: one file on the device.
///
/// Each call is one transaction: it is on the disk when the call returns, or has changed nothing. Clones share the store, and
/// can be used from any thread. While it is open, no other process can open it. Calls wait for the disk, some milliseconds;
/// deleting rewrites the file.
#[derive(Clone)]
pub struct Personal {
    inner: Arc<Inner>,
}

struct Inner {
    store: Store,
    generation: AtomicU64,
    catalogues: Catalogues,
}

impl fmt::Debug for Personal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Personal").field("path", &self.path()).finish_non_exhaustive()
    }
}

impl Personal {
    /// Opens the store in the file at `path`, or makes one. Its folder must exist. The whole file is checked.
    ///
    /// # Errors
    /// [`PersonalError::InUse`] if it is open already; [`PersonalError::Invalid`] if it is damaged or something else;
    /// [`PersonalError::Unsupported`] if a newer version wrote it; [`PersonalError::Storage`].
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        let store = Store::open(path.as_ref())?;
        let inner = Inner { store, generation: AtomicU64::new(0), catalogues: Catalogues::default() };
        let personal = Self { inner: Arc::new(inner) };
        match personal.erase_residue() {
            // On a full disk, the store can still be used. The next deletion or `tidy` erases them.
            Err(PersonalError::Storage { .. }) | Ok(()) => Ok(personal),
            Err(error) => Err(error),
        }
    }

    /// The file.
    pub fn path(&self) -> &Path {
        self.inner.store.path()
    }

    /// The folder of the file, for files of [`Derived`] things.
    pub fn folder(&self) -> &Path {
        self.inner.store.folder()
    }

    /// A number that changes whenever records were deleted, replaced or imported. What a caller keeps in memory of the
    /// records is then to be read again. It does not change when records are added by [`learn`](Self::learn).
    pub fn generation(&self) -> u64 {
        self.inner.generation.load(Ordering::Acquire)
    }

    /// Adds records, unless learning is paused. What is beyond the [`Limits`] goes.
    ///
    /// # Errors
    /// [`PersonalError::InvalidInput`] for empty or overlong names, texts of more than 16 MiB, vectors with NaN or infinite
    /// numbers, and settings, which [`set`](Self::set) sets; [`PersonalError::Storage`].
    pub fn learn(&self, records: Vec<NewRecord>) -> Result<Learnt> {
        records.iter().try_for_each(NewRecord::check)?;
        if records.iter().any(|record| record.payload.kind() == Kind::Setting) {
            return Err(PersonalError::invalid_input("a setting is not learnt: set it"));
        }
        let groups: BTreeSet<_> =
            records.iter().map(|record| (record.collection.clone(), record.payload.kind())).collect();
        let Some(now) = records.iter().map(|record| record.time.unix_millis).max() else {
            return Ok(Learnt::default());
        };
        let learnt = self.inner.store.write(|tables| {
            if is_paused(tables)? {
                return Ok(Learnt { paused: true, ..Learnt::default() });
            }
            let ids = tables.take_ids(records.len())?;
            for (id, record) in ids.clone().zip(records) {
                tables.add(&record.with_id(id))?;
            }
            let mut crowded = BTreeSet::new();
            for (collection, kind) in groups {
                crowded.extend(retention::crowded_out(tables, &collection, kind, now)?);
            }
            let dropped = self.finish(removal::remove(tables, &crowded)?)?;
            Ok(Learnt { ids: ids.collect(), paused: false, dropped })
        })?;
        if !learnt.dropped.records.is_empty() {
            self.forget_cached();
        }
        Ok(learnt)
    }

    /// Writes something else in place of a record, unless learning is paused: the result says whether it was written.
    ///
    /// # Errors
    /// [`PersonalError::UnknownRecord`]; [`PersonalError::InvalidInput`] as [`learn`](Self::learn), and for a record of
    /// another collection or kind; [`PersonalError::Storage`].
    pub fn replace(&self, id: u64, record: NewRecord) -> Result<bool> {
        record.check()?;
        let replaced = self.inner.store.write(|tables| {
            if is_paused(tables)? {
                return Ok(false);
            }
            let old = tables.record(id)?.ok_or(PersonalError::UnknownRecord { id })?;
            if (&old.collection, old.payload.kind()) != (&record.collection, record.payload.kind()) {
                return Err(PersonalError::invalid_input("a record stays in its collection, and of its kind").into());
            }
            tables.overwrite(&record.with_id(id))?;
            tables.set_meta(RESIDUE_KEY, &true)?;
            Ok(true)
        })?;
        self.forget_cached();
        Ok(replaced)
    }

    /// Writes what `new` makes of records in place of them, where it makes anything, and returns that. This is for what can be computed from
    /// a record, so it works while learning is paused, and leaves nothing in the file that is to be erased before the record is.
    pub(crate) fn rewrite(
        &self,
        ids: impl Iterator<Item = u64>,
        new: impl Fn(Record) -> Option<Record>,
    ) -> Result<Vec<Record>> {
        let written = self.inner.store.write(|tables| {
            let mut written = Vec::new();
            for id in ids {
                if let Some(record) = tables.record(id)?.and_then(&new) {
                    NewRecord::from(record.clone()).check()?;
                    tables.overwrite(&record)?;
                    written.push(record);
                }
            }
            Ok(written)
        })?;
        self.forget_cached();
        Ok(written)
    }

    /// All that was learnt, in the order in which it was learnt, with source and time.
    ///
    /// # Errors
    /// [`PersonalError::Invalid`]; [`PersonalError::Storage`].
    pub fn records(&self, filter: &Filter) -> Result<Vec<Record>> {
        self.inner.store.read(|tables| {
            let after = filter.after.map_or(0, |id| id.saturating_add(1));
            let mut records = Vec::new();
            let mut take = |record: Record| {
                if filter.takes(&record) && records.len() < filter.limit {
                    records.push(record);
                }
                records.len() < filter.limit
            };
            match (&filter.collection, filter.kind) {
                (Some(collection), Some(kind)) => {
                    for record in tables.records_of(collection, kind, after)? {
                        if !take(record?) {
                            break;
                        }
                    }
                }
                _ => {
                    for entry in tables.records.range(after..)? {
                        if !take(serde_json::from_slice(entry?.1.value())?) {
                            break;
                        }
                    }
                }
            }
            Ok(records)
        })
    }

    /// How many records the store holds.
    ///
    /// # Errors
    /// [`PersonalError::Storage`].
    pub fn count(&self) -> Result<u64> {
        self.inner.store.read(|tables| tables.counts.iter()?.map(|entry| Ok(entry?.1.value())).sum())
    }

    /// Deletes records. With an item go its events. What was learnt from them is dropped or marked, and the result says which.
    /// Afterwards no byte of them is in the file or beside it. Give all ids at once: each call rewrites the file.
    ///
    /// # Errors
    /// [`PersonalError::UnknownRecord`], and nothing is deleted. [`PersonalError::Storage`]: if the records are not listed any
    /// more, they are deleted, but the disk was too full to rewrite the file: call [`tidy`](Self::tidy) later.
    pub fn delete(&self, ids: &[u64]) -> Result<Deletion> {
        let ids: BTreeSet<u64> = ids.iter().copied().collect();
        self.remove(|tables| {
            for id in &ids {
                tables.record(*id)?.ok_or(PersonalError::UnknownRecord { id: *id })?;
            }
            removal::remove(tables, &ids)
        })
    }

    /// Deletes all records of a source, as [`delete`](Self::delete) does.
    ///
    /// # Errors
    /// [`PersonalError::Storage`] as for `delete`.
    pub fn forget(&self, source: &str) -> Result<Deletion> {
        self.remove(|tables| {
            let mut ids = BTreeSet::new();
            for entry in tables.records.iter()? {
                let record: Record = serde_json::from_slice(entry?.1.value())?;
                if record.source == source {
                    ids.insert(record.id);
                }
            }
            removal::remove(tables, &ids)
        })
    }

    /// Deletes all records and all that was learnt from them. The limits, and whether learning is paused, stay.
    ///
    /// # Errors
    /// [`PersonalError::Storage`] as for [`delete`](Self::delete).
    pub fn delete_all(&self) -> Result<Deletion> {
        self.remove(removal::remove_all)
    }

    /// Deletes what is beyond the limits at the time `now`, and erases what replaced and dropped records left in the file's
    /// free space, as opening the store does, too. Call it from a job in the background.
    ///
    /// # Errors
    /// [`PersonalError::Storage`].
    pub fn tidy(&self, now: Timestamp) -> Result<Deletion> {
        self.remove(|tables| {
            let beyond = retention::beyond_limits(tables, now.unix_millis)?;
            removal::remove(tables, &beyond)
        })
    }

    /// The limits on what is kept.
    ///
    /// # Errors
    /// [`PersonalError::Storage`].
    pub fn limits(&self) -> Result<Limits> {
        self.inner.store.read(|tables| Ok(tables.meta(LIMITS_KEY)?.unwrap_or_default()))
    }

    /// Sets the limits on what is kept, and deletes what is beyond them at the time `now`.
    ///
    /// # Errors
    /// [`PersonalError::Storage`].
    pub fn set_limits(&self, limits: Limits, now: Timestamp) -> Result<Deletion> {
        self.inner.store.write(|tables| tables.set_meta(LIMITS_KEY, &limits))?;
        self.tidy(now)
    }

    /// Whether learning is paused.
    ///
    /// # Errors
    /// [`PersonalError::Storage`].
    pub fn is_paused(&self) -> Result<bool> {
        self.inner.store.read(|tables| Ok(tables.meta(PAUSED_KEY)?.unwrap_or(false)))
    }

    /// Pauses learning, or goes on with it. While it is paused, calls that would learn change nothing and say so.
    ///
    /// # Errors
    /// [`PersonalError::Storage`].
    pub fn set_paused(&self, paused: bool) -> Result<()> {
        self.inner.store.write(|tables| tables.set_meta(PAUSED_KEY, &paused))
    }

    /// Sets a setting of a collection, in place of the one with its name. That is no learning: it works while that is paused.
    ///
    /// # Errors
    /// [`PersonalError::InvalidInput`] for empty or overlong names; [`PersonalError::Storage`].
    pub fn set(
        &self,
        collection: &str,
        name: &str,
        value: serde_json::Value,
        source: &str,
        time: Timestamp,
    ) -> Result<u64> {
        let payload = Payload::Setting { name: name.into(), value };
        let record = NewRecord { collection: collection.into(), source: source.into(), time, payload };
        record.check()?;
        self.inner.store.write(|tables| {
            let old = find_setting(&*tables, collection, name)?;
            match old {
                Some(old) => {
                    tables.overwrite(&record.with_id(old.id))?;
                    tables.set_meta(RESIDUE_KEY, &true)?;
                    Ok(old.id)
                }
                None => {
                    let id = tables.take_ids(1)?.start;
                    tables.add(&record.with_id(id))?;
                    Ok(id)
                }
            }
        })
    }

    /// The value of a setting.
    ///
    /// # Errors
    /// [`PersonalError::Storage`].
    pub fn setting(&self, collection: &str, name: &str) -> Result<Option<serde_json::Value>> {
        let settings = self.records(&Filter::of(collection, Kind::Setting))?;
        Ok(settings.into_iter().find_map(|record| match record.payload {
            Payload::Setting { name: found, value } if found == name => Some(value),
            _ => None,
        }))
    }

    /// Keeps something that was learnt from records, in place of what has its collection and name. The file of the one before
    /// is deleted, unless this one has the same. Its state must be numbers and choices, not the records' texts: it may outlive
    /// them.
    ///
    /// # Errors
    /// [`PersonalError::Outdated`] if one of those records has been deleted meanwhile; [`PersonalError::InvalidInput`] for
    /// empty or overlong names, or a path instead of a file's name; [`PersonalError::Storage`].
    pub fn put_derived(&self, derived: &Derived) -> Result<()> {
        derived.check()?;
        let replaced = self.inner.store.write(|tables| {
            for id in &derived.learnt_from {
                tables.records.get(id)?.ok_or(PersonalError::Outdated)?;
            }
            let key = (derived.collection.as_str(), derived.name.as_str());
            let replaced = tables.derived.get(key)?.map(|value| serde_json::from_slice::<Derived>(value.value()));
            let replaced = replaced.transpose()?;
            tables.set_derived(derived)?;
            Ok(replaced)
        })?;
        let file = replaced.and_then(|replaced| replaced.file).filter(|file| derived.file.as_ref() != Some(file));
        self.delete_files(file)
    }

    /// Something that was learnt, by collection and name.
    ///
    /// # Errors
    /// [`PersonalError::Storage`].
    pub fn derived(&self, collection: &str, name: &str) -> Result<Option<Derived>> {
        self.inner.store.read(|tables| {
            let value = tables.derived.get((collection, name))?;
            Ok(value.map(|value| serde_json::from_slice(value.value())).transpose()?)
        })
    }

    /// Everything that was learnt from records.
    ///
    /// # Errors
    /// [`PersonalError::Storage`].
    pub fn all_derived(&self) -> Result<Vec<Derived>> {
        self.inner.store.read(ReadTables::all_derived)
    }

    /// Drops something that was learnt, and its file. The result says whether it was there. The records stay.
    ///
    /// # Errors
    /// [`PersonalError::Storage`].
    pub fn drop_derived(&self, collection: &str, name: &str) -> Result<bool> {
        let mut there = false;
        self.remove(|tables| {
            let removed = tables.derived.remove((collection, name))?;
            let removed = removed.map(|value| serde_json::from_slice::<Derived>(value.value())).transpose()?;
            let Some(derived) = removed else { return Ok(Removal::default()) };
            there = true;
            tables.set_meta(RESIDUE_KEY, &true)?;
            Ok(Removal { files: derived.file.into_iter().collect(), ..Removal::default() })
        })?;
        Ok(there)
    }

    fn remove(&self, remove: impl FnOnce(&mut WriteTables<'_>) -> Attempt<Removal>) -> Result<Deletion> {
        let deletion = self.inner.store.write(|tables| self.finish(remove(tables)?))?;
        self.forget_cached();
        self.erase_residue()?;
        Ok(deletion)
    }

    /// Deletes the files of a removal before it is committed: a process that is killed in between leaves no file that nothing
    /// refers to.
    fn finish(&self, removal: Removal) -> Attempt<Deletion> {
        self.delete_files(removal.files)?;
        Ok(removal.deletion)
    }

    /// Rewrites the file if bytes of removed records are left in it.
    fn erase_residue(&self) -> Result<()> {
        match self.inner.store.read(|tables| Ok(tables.meta(RESIDUE_KEY)?.unwrap_or(false)))? {
            true => self.inner.store.rewrite(removal::copy),
            false => Ok(()),
        }
    }

    fn delete_files(&self, names: impl IntoIterator<Item = String>) -> Result<()> {
        names.into_iter().try_for_each(|name| {
            let path = self.folder().join(name);
            remove_if_there(&path).map_err(|failure| failure.at(&path))
        })
    }

    pub(crate) fn catalogues(&self) -> &Catalogues {
        &self.inner.catalogues
    }

    /// Writes items, in place of the records that are `known` of them. Returns the id of each, and whether it changed
    /// anything; nothing if learning is paused.
    pub(crate) fn put_items(
        &self,
        collection: &str,
        items: Vec<Item>,
        time: Timestamp,
        known: impl Fn(&Item) -> Option<u64>,
    ) -> Result<Option<Vec<(u64, Item, bool)>>> {
        let to_record = |item: &Item| NewRecord {
            collection: collection.into(),
            source: collection.into(),
            time,
            payload: Payload::Item(item.clone()),
        };
        items.iter().try_for_each(|item| to_record(item).check())?;
        self.inner.store.write(|tables| {
            if is_paused(tables)? {
                return Ok(None);
            }
            let mut added = HashMap::new();
            let mut written = Vec::with_capacity(items.len());
            for item in items {
                let record = to_record(&item);
                let id = known(&item).or_else(|| added.get(&item.id).copied());
                let (id, changed) = match id {
                    Some(id) => {
                        let old = tables.record(id)?.ok_or(PersonalError::UnknownRecord { id })?;
                        let changed = old.payload != record.payload;
                        if changed {
                            tables.overwrite(&record.with_id(id))?;
                            tables.set_meta(RESIDUE_KEY, &true)?;
                        }
                        (id, changed)
                    }
                    None => {
                        let id = tables.take_ids(1)?.start;
                        added.insert(item.id.clone(), id);
                        tables.add(&record.with_id(id))?;
                        (id, true)
                    }
                };
                written.push((id, item, changed));
            }
            Ok(Some(written))
        })
    }

    /// Makes all that is kept in memory of the records be read again.
    fn forget_cached(&self) {
        self.inner.generation.fetch_add(1, Ordering::AcqRel);
    }
}

fn is_paused(tables: &WriteTables<'_>) -> Attempt<bool> {
    Ok(tables.meta(PAUSED_KEY)?.unwrap_or(false))
}

fn find_setting(tables: &WriteTables<'_>, collection: &str, name: &str) -> Attempt<Option<Record>> {
    for entry in tables.ids(collection, Kind::Setting)? {
        let record = tables.record(entry?.0)?;
        if let Some(record) = record
            && matches!(&record.payload, Payload::Setting { name: found, .. } if found == name)
        {
            return Ok(Some(record));
        }
    }
    Ok(None)
}
