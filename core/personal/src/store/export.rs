//! All that was learnt, as a JSON file that the user can read and take along.

use std::collections::HashSet;
use std::fs::File;
use std::io::{BufReader, ErrorKind, Write};
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::Personal;
use super::database::write_whole;
use super::failure::{Attempt, Failure};
use super::tables::ReadTables;
use crate::{NewRecord, Payload, PersonalError, Record, Result};
use redb::ReadableTable;

const FORMAT: &str = "sotto-personal";
const VERSION: u32 = 1;

/// What an exported file holds.
#[derive(Deserialize)]
struct Export {
    records: Vec<Record>,
}

/// What an exported file of any version says about itself.
#[derive(Deserialize)]
struct Header {
    format: String,
    version: u32,
}

/// What an import added.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Imported {
    /// Records that are new.
    pub added: u64,
    /// Records that were there already.
    pub known: u64,
}

impl Personal {
    /// Writes all records to a new JSON file, which the user can read, and [`import`](Self::import) can read back. What was
    /// learnt from them is not in it; it can be learnt again.
    ///
    /// # Errors
    /// [`PersonalError::Storage`]; nothing is left of the file then.
    pub fn export(&self, target: &Path) -> Result<()> {
        self.inner
            .store
            .read(|tables| Ok(write_whole(target, |out| write_json(tables, out)).map_err(|f| f.at(target))?))
    }

    /// Adds the records of an exported file, in one step. Records that are there already are not added twice, nor are
    /// items and settings whose names are there. A paused store
    /// imports, too: it is the user who asks for it.
    ///
    /// # Errors
    /// [`PersonalError::Invalid`] if it is not an exported file; [`PersonalError::Unsupported`] if a newer version wrote it;
    /// [`PersonalError::InvalidInput`] for records that could not have been learnt; [`PersonalError::Storage`]. Nothing is
    /// imported then.
    pub fn import(&self, source: &Path) -> Result<Imported> {
        let records = read_json(source).map_err(|failure| failure.at(source))?;
        let imported = self.inner.store.write(|tables| {
            let mut known = HashSet::new();
            for entry in tables.records.iter()? {
                known.insert(identity(serde_json::from_slice(entry?.1.value())?)?);
            }
            let total = records.len();
            let mut new = Vec::new();
            for record in records {
                if known.insert(identity(record.clone())?) {
                    new.push(record);
                }
            }
            let added = new.len();
            for (id, record) in tables.take_ids(added)?.zip(new) {
                tables.add(&Record { id, ..record })?;
            }
            Ok(Imported { added: added as u64, known: (total - added) as u64 })
        })?;
        self.forget_cached();
        Ok(imported)
    }
}

/// What makes two records the same: the name of an item or a setting, otherwise everything except the id.
fn identity(record: Record) -> Attempt<Vec<u8>> {
    let identity = match &record.payload {
        Payload::Item(item) => serde_json::to_vec(&(&record.collection, "item", &item.id)),
        Payload::Setting { name, .. } => serde_json::to_vec(&(&record.collection, "setting", name)),
        _ => serde_json::to_vec(&NewRecord::from(record)),
    };
    Ok(identity?)
}

fn write_json(tables: &ReadTables, out: &mut impl Write) -> std::io::Result<()> {
    let damaged = |_: redb::StorageError| std::io::Error::other("the store cannot be read");
    write!(out, "{{\"format\":\"{FORMAT}\",\"version\":{VERSION},\"records\":[")?;
    let mut separator = "\n";
    for entry in tables.records.iter().map_err(damaged)? {
        let (_, record) = entry.map_err(damaged)?;
        out.write_all(separator.as_bytes())?;
        out.write_all(record.value())?;
        separator = ",\n";
    }
    out.write_all(b"\n]}\n")
}

fn read_json(source: &Path) -> Attempt<Vec<Record>> {
    let text = std::io::read_to_string(BufReader::new(File::open(source)?)).map_err(|error| match error.kind() {
        ErrorKind::InvalidData => Failure::damaged("it is not text"),
        _ => error.into(),
    })?;
    let header: Header = serde_json::from_str(&text).map_err(|_| Failure::damaged("it is not an exported file"))?;
    if header.format != FORMAT {
        return Err(Failure::damaged("it is not an exported file"));
    }
    if header.version != VERSION {
        let what = format!("an exported file of version {}; this app reads version {VERSION}", header.version);
        return Err(PersonalError::Unsupported { what }.into());
    }
    // serde's message could quote the text; the place is enough to find it.
    let export: Export = serde_json::from_str(&text).map_err(|error| {
        Failure::damaged(format!("the record in line {}, column {} is invalid", error.line(), error.column()))
    })?;
    for record in &export.records {
        NewRecord::from(record.clone()).check()?;
    }
    Ok(export.records)
}
