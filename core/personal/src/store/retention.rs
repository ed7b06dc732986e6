//! Limits on how much is kept, and for how long.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::clock::Clock;
use super::failure::Attempt;
use super::tables::WriteTables;
use crate::Kind;
use crate::time::DAY;

/// The key of the limits among the store's own values.
pub(super) const LIMITS_KEY: &str = "limits";
const CLOCK_KEY: &str = "clock";

/// The kinds that limits are for. Items and settings are the app's and the user's choice, not history.
const LIMITED: [Kind; 4] = [Kind::Example, Kind::Text, Kind::Event, Kind::Training];

/// How much history is kept: examples, texts, events and trainings. The oldest goes first. Nothing is limited by default.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// The most records of each kind in each collection.
    pub max_records: Option<u64>,
    /// The highest age of a record, in days. A clock that jumps ahead for less than an hour deletes nothing.
    pub max_age_days: Option<u32>,
}

/// The ids of all records beyond the limits at the time `now`.
pub(super) fn beyond_limits(tables: &mut WriteTables<'_>, now: i64) -> Attempt<BTreeSet<u64>> {
    let limits: Limits = tables.meta(LIMITS_KEY)?.unwrap_or_default();
    let oldest = oldest_time(tables, limits, now)?;
    let groups = groups(tables)?;
    let mut beyond = BTreeSet::new();
    for (collection, kind) in groups {
        let surplus = surplus(tables, limits, &collection, kind)?;
        for (position, entry) in tables.ids(&collection, kind)?.enumerate() {
            let (id, time) = entry?;
            if (position as u64) < surplus || time < oldest {
                beyond.insert(id);
            }
        }
    }
    Ok(beyond)
}

/// The ids of records beyond the limits in one collection, looking only at its oldest: for each call that adds some.
pub(super) fn crowded_out(
    tables: &mut WriteTables<'_>,
    collection: &str,
    kind: Kind,
    now: i64,
) -> Attempt<BTreeSet<u64>> {
    let limits: Limits = tables.meta(LIMITS_KEY)?.unwrap_or_default();
    if !LIMITED.contains(&kind) || limits == Limits::default() {
        return Ok(BTreeSet::new());
    }
    let oldest = oldest_time(tables, limits, now)?;
    let surplus = surplus(tables, limits, collection, kind)?;
    let mut crowded = BTreeSet::new();
    for (position, entry) in tables.ids(collection, kind)?.enumerate() {
        let (id, time) = entry?;
        if position as u64 >= surplus && time >= oldest {
            break;
        }
        crowded.insert(id);
    }
    Ok(crowded)
}

/// The time that a record must have at least.
fn oldest_time(tables: &mut WriteTables<'_>, limits: Limits, now: i64) -> Attempt<i64> {
    let mut clock: Clock = tables.meta(CLOCK_KEY)?.unwrap_or(Clock::starting_at(now));
    let measured = clock.measure(now);
    tables.set_meta(CLOCK_KEY, &clock)?;
    Ok(limits.max_age_days.map_or(i64::MIN, |days| measured.saturating_sub(i64::from(days) * DAY)))
}

fn surplus(tables: &WriteTables<'_>, limits: Limits, collection: &str, kind: Kind) -> Attempt<u64> {
    let count = tables.count(collection, kind as u8)?;
    Ok(limits.max_records.map_or(0, |most| count.saturating_sub(most)))
}

fn groups(tables: &WriteTables<'_>) -> Attempt<Vec<(String, Kind)>> {
    let mut groups = Vec::new();
    for entry in tables.groups()? {
        let (collection, kind) = entry?;
        groups.extend(LIMITED.into_iter().find(|limited| *limited as u8 == kind).map(|kind| (collection, kind)));
    }
    Ok(groups)
}
