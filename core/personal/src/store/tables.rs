//! The tables of the file.

use std::ops::{Range, RangeInclusive};

use redb::{ReadOnlyTable, ReadTransaction, ReadableTable, Table, TableDefinition, WriteTransaction};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::failure::{Attempt, Failure};
use crate::{Derived, Kind, Record};

/// A [`Record`] as JSON, by id.
const RECORDS: TableDefinition<u64, &[u8]> = TableDefinition::new("records");
/// The time of each record in Unix milliseconds, by collection, kind and id.
const INDEX: TableDefinition<(&str, u8, u64), i64> = TableDefinition::new("index");
/// How many records each collection has of each kind.
const COUNTS: TableDefinition<(&str, u8), u64> = TableDefinition::new("counts");
/// A [`Derived`] as JSON, by collection and name.
const DERIVED: TableDefinition<(&str, &str), &[u8]> = TableDefinition::new("derived");
/// What the store knows about itself, as JSON.
pub(super) const META: TableDefinition<&str, &[u8]> = TableDefinition::new("meta");

/// The key in [`META`] of the version of this layout.
pub(super) const VERSION_KEY: &str = "version";
pub(super) const VERSION: u32 = 1;
/// The key in [`META`] of the next record's id.
const NEXT_ID_KEY: &str = "next_id";

/// So many other records are passed over before the next one is looked up.
const MAX_SKIPPED: u32 = 16;

type Bytes = &'static [u8];
type Names = (&'static str, &'static str);
type IndexKey = (&'static str, u8, u64);

/// The tables, for reading.
pub(super) struct ReadTables {
    pub(super) records: ReadOnlyTable<u64, Bytes>,
    pub(super) index: ReadOnlyTable<IndexKey, i64>,
    pub(super) counts: ReadOnlyTable<(&'static str, u8), u64>,
    pub(super) derived: ReadOnlyTable<Names, Bytes>,
    pub(super) meta: ReadOnlyTable<&'static str, Bytes>,
}

impl ReadTables {
    pub(super) fn open(transaction: &ReadTransaction) -> Attempt<Self> {
        Ok(Self {
            records: transaction.open_table(RECORDS)?,
            index: transaction.open_table(INDEX)?,
            counts: transaction.open_table(COUNTS)?,
            derived: transaction.open_table(DERIVED)?,
            meta: transaction.open_table(META)?,
        })
    }

    pub(super) fn meta<T: DeserializeOwned>(&self, key: &str) -> Attempt<Option<T>> {
        meta_in(&self.meta, key)
    }

    /// The records of a kind in a collection, from the id `first` on.
    pub(super) fn records_of(
        &self,
        collection: &str,
        kind: Kind,
        first: u64,
    ) -> Attempt<impl Iterator<Item = Attempt<Record>>> {
        // Records are read in order, which is much faster than one by one if they are close together.
        let mut records = self.records.range(first..)?;
        let mut skipped = 0;
        Ok(ids_in(&self.index, collection, kind, first)?.map(move |entry| {
            let (id, _) = entry?;
            loop {
                let (found, value) = records.next().ok_or_else(|| Failure::damaged("a record is missing"))??;
                match found.value() {
                    found if found == id => return parse_record(id, value.value()),
                    found if found > id => return Err(Failure::damaged("a record is missing")),
                    _ => skipped += 1,
                }
                if skipped > MAX_SKIPPED {
                    skipped = 0;
                    records = self.records.range(id..)?;
                }
            }
        }))
    }

    pub(super) fn all_derived(&self) -> Attempt<Vec<Derived>> {
        all_derived_in(&self.derived)
    }
}

/// The tables, for writing.
pub(super) struct WriteTables<'t> {
    pub(super) records: Table<'t, u64, Bytes>,
    pub(super) index: Table<'t, IndexKey, i64>,
    pub(super) counts: Table<'t, (&'static str, u8), u64>,
    pub(super) derived: Table<'t, Names, Bytes>,
    pub(super) meta: Table<'t, &'static str, Bytes>,
}

impl<'t> WriteTables<'t> {
    pub(super) fn open(transaction: &'t WriteTransaction) -> Attempt<Self> {
        Ok(Self {
            records: transaction.open_table(RECORDS)?,
            index: transaction.open_table(INDEX)?,
            counts: transaction.open_table(COUNTS)?,
            derived: transaction.open_table(DERIVED)?,
            meta: transaction.open_table(META)?,
        })
    }

    pub(super) fn meta<T: DeserializeOwned>(&self, key: &str) -> Attempt<Option<T>> {
        meta_in(&self.meta, key)
    }

    pub(super) fn set_meta(&mut self, key: &str, value: &impl Serialize) -> Attempt<()> {
        self.meta.insert(key, serde_json::to_vec(value)?.as_slice())?;
        Ok(())
    }

    pub(super) fn record(&self, id: u64) -> Attempt<Option<Record>> {
        self.records.get(id)?.map(|value| parse_record(id, value.value())).transpose()
    }

    /// So many ids that no record has or had.
    pub(super) fn take_ids(&mut self, count: usize) -> Attempt<Range<u64>> {
        let first: u64 = self.meta(NEXT_ID_KEY)?.unwrap_or(1);
        let end = first + count as u64;
        self.set_meta(NEXT_ID_KEY, &end)?;
        Ok(first..end)
    }

    /// Adds a record.
    pub(super) fn add(&mut self, record: &Record) -> Attempt<()> {
        let kind = record.payload.kind() as u8;
        let collection = record.collection.as_str();
        self.overwrite(record)?;
        let count = self.count(collection, kind)?;
        self.counts.insert((collection, kind), count + 1)?;
        Ok(())
    }

    /// Writes a record in place of the one with its id, which has the same collection and kind.
    pub(super) fn overwrite(&mut self, record: &Record) -> Attempt<()> {
        self.records.insert(record.id, serde_json::to_vec(record)?.as_slice())?;
        let key = (record.collection.as_str(), record.payload.kind() as u8, record.id);
        self.index.insert(key, record.time.unix_millis)?;
        Ok(())
    }

    /// Removes a record, and returns it.
    pub(super) fn remove(&mut self, id: u64) -> Attempt<Option<Record>> {
        let Some(record) = self.record(id)? else { return Ok(None) };
        let kind = record.payload.kind() as u8;
        let collection = record.collection.as_str();
        self.records.remove(id)?;
        self.index.remove((collection, kind, id))?;
        match self.count(collection, kind)? {
            0 | 1 => drop(self.counts.remove((collection, kind))?),
            count => drop(self.counts.insert((collection, kind), count - 1)?),
        }
        Ok(Some(record))
    }

    pub(super) fn count(&self, collection: &str, kind: u8) -> Attempt<u64> {
        Ok(self.counts.get((collection, kind))?.map_or(0, |count| count.value()))
    }

    /// Every collection with every kind of records that it has.
    pub(super) fn groups(&self) -> Attempt<impl Iterator<Item = Attempt<(String, u8)>>> {
        Ok(self.counts.iter()?.map(|entry| {
            let (key, _) = entry?;
            let (collection, kind) = key.value();
            Ok((collection.to_owned(), kind))
        }))
    }

    /// The ids and times of a kind of records in a collection, oldest first.
    pub(super) fn ids(&self, collection: &str, kind: Kind) -> Attempt<impl Iterator<Item = Attempt<(u64, i64)>>> {
        ids_in(&self.index, collection, kind, 0)
    }

    pub(super) fn set_derived(&mut self, derived: &Derived) -> Attempt<()> {
        let key = (derived.collection.as_str(), derived.name.as_str());
        self.derived.insert(key, serde_json::to_vec(derived)?.as_slice())?;
        Ok(())
    }

    pub(super) fn all_derived(&self) -> Attempt<Vec<Derived>> {
        all_derived_in(&self.derived)
    }
}

fn ids_in(
    index: &impl ReadableTable<IndexKey, i64>,
    collection: &str,
    kind: Kind,
    first: u64,
) -> Attempt<impl Iterator<Item = Attempt<(u64, i64)>>> {
    let range: RangeInclusive<(&str, u8, u64)> = (collection, kind as u8, first)..=(collection, kind as u8, u64::MAX);
    Ok(index.range(range)?.map(|entry| {
        let (key, time) = entry?;
        Ok((key.value().2, time.value()))
    }))
}

fn meta_in<T: DeserializeOwned>(table: &impl ReadableTable<&'static str, Bytes>, key: &str) -> Attempt<Option<T>> {
    let value = table.get(key)?;
    Ok(value.map(|value| serde_json::from_slice(value.value())).transpose()?)
}

fn parse_record(id: u64, json: &[u8]) -> Attempt<Record> {
    let record: Record = serde_json::from_slice(json)?;
    match record.id == id {
        true => Ok(record),
        false => Err(Failure::damaged("a record has two ids")),
    }
}

fn all_derived_in(table: &impl ReadableTable<Names, Bytes>) -> Attempt<Vec<Derived>> {
    table.iter()?.map(|entry| Ok(serde_json::from_slice(entry?.1.value())?)).collect()
}
