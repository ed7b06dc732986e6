use std::io::{self, BufWriter, Write};
use std::path::Path;

use jiff::{Timestamp as Moment, Zoned, tz};
use serde_json::json;
use sotto::personal::{
    Deletion, Filter, Near, Payload, Personal, PersonalError, Query, Reason, Recommendation, Record, Timestamp,
};

use super::print_json;
use crate::args::PersonalAction;
use crate::failure::Failure;
use crate::screen;

/// So many characters of a text are shown in a list.
const SHOWN_CHARACTERS: usize = 60;

pub fn run(file: &Path, action: &PersonalAction, json: bool) -> Result<(), Failure> {
    let makes_store = matches!(action, PersonalAction::Import { .. });
    if !makes_store && !file.exists() {
        return Err(Failure::Input { path: file.to_owned(), source: io::ErrorKind::NotFound.into() });
    }
    let personal = Personal::open(file)?;
    match action {
        PersonalAction::Records => print_records(&personal.records(&Filter::default())?, json),
        PersonalAction::Export { output } => {
            personal.export(output)?;
            print_count(personal.count()?, "exported", json)
        }
        PersonalAction::Import { export } => {
            let imported = personal.import(export)?;
            screen::figures(&format!("{} were there already", imported.known));
            print_count(imported.added, "added", json)
        }
        PersonalAction::Delete { ids } => print_deletion(&personal.delete(ids)?, json),
        PersonalAction::Forget { source } => print_deletion(&personal.forget(source)?, json),
        PersonalAction::DeleteAll => print_deletion(&personal.delete_all()?, json),
        PersonalAction::Pause => Ok(personal.set_paused(true)?),
        PersonalAction::Resume => Ok(personal.set_paused(false)?),
        PersonalAction::Recommend { collection, near, limit } => {
            let near = near.clone().map(|text| Near::Text { text, vector: None });
            let query = Query { near, limit: *limit, ..Query::at(now()) };
            print_recommendations(&recommend(&personal, collection, &query)?, json)
        }
    }
}

fn recommend(personal: &Personal, collection: &str, query: &Query) -> Result<Vec<Recommendation>, PersonalError> {
    personal.items(collection)?.recommend(query)
}

pub fn now() -> Timestamp {
    let now = Zoned::now();
    Timestamp {
        unix_millis: now.timestamp().as_millisecond(),
        utc_offset_minutes: (now.offset().seconds() / 60) as i16,
    }
}

fn print_records(records: &[Record], json: bool) -> Result<(), Failure> {
    if json {
        return print_json(&records);
    }
    let mut out = BufWriter::new(io::stdout().lock());
    for record in records {
        let Record { id, collection, source, .. } = record;
        let line =
            format!("{id:>6}  {}  {collection}  {source}  {}", time(record.time), brief(&description(&record.payload)));
        writeln!(out, "{}", screen::answer(&line))?;
    }
    Ok(out.flush()?)
}

fn description(payload: &Payload) -> String {
    match payload {
        Payload::Example { text, label, .. } => format!("{label}: {text}"),
        Payload::Text { text } => text.clone(),
        Payload::Item(item) => format!("item {}: {}", item.id, item.text),
        Payload::Event { item, event } => format!("{event:?} {item}"),
        Payload::Setting { name, value } => format!("{name} = {value}"),
        other => format!("{:?}", other.kind()),
    }
}

/// The beginning of a text, on one line.
pub fn brief(text: &str) -> String {
    let mut characters = text.chars().map(|character| if character.is_whitespace() { ' ' } else { character });
    let mut brief: String = characters.by_ref().take(SHOWN_CHARACTERS).collect();
    if characters.next().is_some() {
        brief.push('…');
    }
    brief
}

/// The local time of a record where it was learnt.
fn time(time: Timestamp) -> String {
    let offset = tz::Offset::from_seconds(i32::from(time.utc_offset_minutes) * 60);
    match (Moment::from_millisecond(time.unix_millis), offset) {
        (Ok(moment), Ok(offset)) => offset.to_datetime(moment).strftime("%Y-%m-%d %H:%M").to_string(),
        _ => "unknown time".into(),
    }
}

fn print_count(count: u64, what: &str, json: bool) -> Result<(), Failure> {
    if json {
        return print_json(&json!({ what: count }));
    }
    writeln!(io::stdout(), "{what} {}", screen::count(count as usize, "record"))?;
    Ok(())
}

fn print_deletion(deletion: &Deletion, json: bool) -> Result<(), Failure> {
    for change in &deletion.derived {
        let what = if change.dropped { "dropped" } else { "outdated, to be learnt again" };
        screen::figures(&format!("{} of {}: {what}", change.name, change.collection));
    }
    if json {
        return print_json(deletion);
    }
    print_count(deletion.records.len() as u64, "deleted", json)
}

fn print_recommendations(recommended: &[Recommendation], json: bool) -> Result<(), Failure> {
    if json {
        return print_json(&recommended);
    }
    let mut out = BufWriter::new(io::stdout().lock());
    for Recommendation { id, reason, .. } in recommended {
        let line = format!("{id}  ({})", words(reason));
        writeln!(out, "{}", screen::answer(&line))?;
    }
    Ok(out.flush()?)
}

fn words(reason: &Reason) -> String {
    match reason {
        Reason::Near { words } if words.is_empty() => "similar".into(),
        Reason::Near { words } => format!("has {}", words.join(", ")),
        Reason::Taste { like } => format!("like {like}"),
        Reason::Habit { hour, .. } => format!("usual at {hour} o'clock"),
        Reason::Popular { uses } => format!("used {}", screen::count(*uses as usize, "time")),
        Reason::Recent { last } => format!("used lately, {}", time(*last)),
        Reason::New { since } => format!("new since {}", time(*since)),
        Reason::Exploration => "to find out".into(),
    }
}
