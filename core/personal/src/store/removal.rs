//! Deleting records, and what was learnt from them.

use std::collections::BTreeSet;

use redb::ReadableTable;

use super::failure::Attempt;
use super::tables::{ReadTables, WriteTables};
use crate::{Deletion, DerivedChange, Kind, OnDeletion, Payload};

/// The key of the mark, among the store's own values, that bytes of deleted records are still in the file's free pages.
pub(super) const RESIDUE_KEY: &str = "residue";

/// What was removed, and the files that are to be deleted with it.
#[derive(Default)]
pub(super) struct Removal {
    pub(super) deletion: Deletion,
    pub(super) files: Vec<String>,
}

/// Removes the records, the events of items among them, and drops or marks what was learnt from them.
pub(super) fn remove(tables: &mut WriteTables<'_>, ids: &BTreeSet<u64>) -> Attempt<Removal> {
    if ids.is_empty() {
        return Ok(Removal::default());
    }
    tables.set_meta(RESIDUE_KEY, &true)?;
    let mut gone = ids.clone();
    gone.extend(events_of_items(tables, ids)?);
    for id in &gone {
        tables.remove(*id)?;
    }
    let mut removal = Removal::default();
    for mut derived in tables.all_derived()? {
        if !derived.learnt_from.iter().any(|id| gone.contains(id)) {
            continue;
        }
        let dropped = derived.on_deletion == OnDeletion::Drop;
        if dropped {
            tables.derived.remove((derived.collection.as_str(), derived.name.as_str()))?;
            removal.files.extend(derived.file);
        } else {
            derived.outdated = true;
            tables.set_derived(&derived)?;
        }
        removal.deletion.derived.push(DerivedChange { collection: derived.collection, name: derived.name, dropped });
    }
    removal.deletion.records = gone.into_iter().collect();
    Ok(removal)
}

fn events_of_items(tables: &WriteTables<'_>, ids: &BTreeSet<u64>) -> Attempt<Vec<u64>> {
    let mut items = BTreeSet::new();
    for id in ids {
        if let Some(record) = tables.record(*id)?
            && let Payload::Item(item) = record.payload
        {
            items.insert((record.collection, item.id));
        }
    }
    let collections: BTreeSet<_> = items.iter().map(|(collection, _)| collection.clone()).collect();
    let mut events = Vec::new();
    for collection in collections {
        for entry in tables.ids(&collection, Kind::Event)? {
            let (id, _) = entry?;
            if let Some(record) = tables.record(id)?
                && let Payload::Event { item, .. } = record.payload
                && items.contains(&(record.collection, item))
            {
                events.push(id);
            }
        }
    }
    Ok(events)
}

/// Removes everything except the store's own values.
pub(super) fn remove_all(tables: &mut WriteTables<'_>) -> Attempt<Removal> {
    tables.set_meta(RESIDUE_KEY, &true)?;
    let mut removal = Removal::default();
    for derived in tables.all_derived()? {
        removal.files.extend(derived.file);
        let (collection, name) = (derived.collection, derived.name);
        removal.deletion.derived.push(DerivedChange { collection, name, dropped: true });
    }
    removal.deletion.records = tables.records.iter()?.map(|entry| Ok(entry?.0.value())).collect::<Attempt<_>>()?;
    tables.records.retain(|_, _| false)?;
    tables.index.retain(|_, _| false)?;
    tables.counts.retain(|_, _| false)?;
    tables.derived.retain(|_, _| false)?;
    Ok(removal)
}

/// Takes over all that is in the old tables, into new ones in a file that never held anything else.
pub(super) fn copy(old: &ReadTables, new: &mut WriteTables<'_>) -> Attempt<()> {
    macro_rules! copy_table {
        ($($table:ident),*) => {$(
            for entry in old.$table.iter()? {
                let (key, value) = entry?;
                new.$table.insert(key.value(), value.value())?;
            }
        )*};
    }
    copy_table!(records, index, counts, derived, meta);
    new.meta.remove(RESIDUE_KEY)?;
    Ok(())
}
