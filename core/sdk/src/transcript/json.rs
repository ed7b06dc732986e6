//! Transcripts in JSON, of any program that writes a list of entries with a text and times.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::Utterance;
use super::time::clock_or_number;

/// Where the entries stand, the best first: `speakers` has the parts of `chunks` with who says them.
const LISTS: [&str; 5] = ["speakers", "segments", "transcription", "chunks", "transcript"];
const TEXTS: [&str; 2] = ["text", "transcript"];
const STARTS: [&str; 4] = ["start", "start_time", "startTime", "begin"];
const ENDS: [&str; 3] = ["end", "end_time", "endTime"];
const SPEAKERS: [&str; 3] = ["speaker", "speaker_label", "speaker_name"];
/// A start and an end, in seconds; as clock times; in milliseconds.
const PAIRS: [&str; 3] = ["timestamp", "timestamps", "offsets"];

/// What is said in a JSON document, or in several, a line each; `None` where the text is something else.
pub(super) fn read(text: &str) -> Option<Vec<Utterance>> {
    if !text.trim_start().starts_with(['{', '[']) {
        return None;
    }
    let mut utterances = Vec::new();
    for document in serde_json::Deserializer::from_str(text).into_iter::<Json>() {
        collect(document.ok()?, &mut utterances);
    }
    (!utterances.is_empty()).then_some(utterances)
}

fn collect(json: Json, utterances: &mut Vec<Utterance>) {
    match json {
        Json::List(entries) => entries.into_iter().for_each(|entry| collect(entry, utterances)),
        Json::Object(entry) => match entry.into_list() {
            Ok(entries) => entries.into_iter().for_each(|entry| collect(entry, utterances)),
            Err(entry) => utterances.extend(entry.utterance()),
        },
        Json::Nothing | Json::Number(_) | Json::Text(_) => {}
    }
}

/// A JSON value, of which objects keep what [`Entry`] has a use for.
enum Json {
    Nothing,
    Number(f64),
    Text(String),
    List(Vec<Json>),
    Object(Entry),
}

/// The known keys of an object.
struct Entry(Vec<(&'static str, Json)>);

impl Entry {
    fn get(&self, keys: &[&str]) -> Option<&Json> {
        self.0.iter().find(|(key, _)| keys.contains(key)).map(|(_, value)| value)
    }

    fn into_list(mut self) -> Result<Vec<Json>, Self> {
        let is_list = |(key, value): &(&str, Json), name: &str| {
            *key == name && matches!(value, Json::List(list) if !list.is_empty())
        };
        let found = LISTS.iter().find_map(|name| self.0.iter().position(|entry| is_list(entry, name)));
        match found.map(|index| self.0.swap_remove(index).1) {
            Some(Json::List(entries)) => Ok(entries),
            _ => Err(self),
        }
    }

    fn utterance(&self) -> Option<Utterance> {
        let texts = || self.0.iter().filter(|(key, _)| TEXTS.contains(key));
        let said = texts().find_map(|(_, value)| value.text())?.to_owned();
        let (start, end) = self.times();
        let speaker = self.get(&SPEAKERS).and_then(Json::speaker);
        Some(Utterance { start, end, speaker, said, continues: false })
    }

    fn times(&self) -> (Option<f64>, Option<f64>) {
        let pair = |key: &str| self.get(&[key]).map(Json::pair).filter(|(start, _)| start.is_some());
        let pairs = || {
            pair("timestamp")
                .or_else(|| pair("timestamps"))
                .or_else(|| pair("offsets").map(|(start, end)| (start.map(in_seconds), end.map(in_seconds))))
        };
        match self.get(&STARTS).and_then(Json::seconds) {
            Some(start) => (Some(start), self.get(&ENDS).and_then(Json::seconds)),
            None => pairs().unwrap_or_default(),
        }
    }
}

fn in_seconds(milliseconds: f64) -> f64 {
    milliseconds / 1000.0
}

impl Json {
    fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    fn seconds(&self) -> Option<f64> {
        match self {
            Self::Number(number) => Some(*number),
            Self::Text(text) => clock_or_number(text),
            _ => None,
        }
    }

    /// `[0.0, 3.5]`, `{"from": …, "to": …}`.
    fn pair(&self) -> (Option<f64>, Option<f64>) {
        match self {
            Self::List(pair) => (pair.first().and_then(Self::seconds), pair.get(1).and_then(Self::seconds)),
            Self::Object(pair) => {
                (pair.get(&["from"]).and_then(Self::seconds), pair.get(&["to"]).and_then(Self::seconds))
            }
            _ => (None, None),
        }
    }

    /// A name, or the number of a speaker.
    fn speaker(&self) -> Option<String> {
        let numbered = |number: &str| format!("speaker {number}");
        match self {
            Self::Number(number) => Some(numbered(&number.to_string())),
            Self::Text(name) if !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_digit()) => {
                Some(numbered(name))
            }
            Self::Text(name) if name.chars().any(char::is_alphanumeric) => Some(name.clone()),
            _ => None,
        }
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(JsonVisitor)
    }
}

struct JsonVisitor;

impl<'de> Visitor<'de> for JsonVisitor {
    type Value = Json;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("any value")
    }

    fn visit_unit<E: Error>(self) -> Result<Json, E> {
        Ok(Json::Nothing)
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<Json, E> {
        Ok(Json::Nothing)
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Json, E> {
        Ok(Json::Number(number as f64))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Json, E> {
        Ok(Json::Number(number as f64))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Json, E> {
        Ok(Json::Number(number))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Json, E> {
        Ok(Json::Text(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Json, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            // Of numbers, a start and an end: the rest of a long list takes no memory.
            if matches!(item, Json::Object(_)) || list.len() < 2 {
                list.push(item);
            }
        }
        Ok(Json::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut pairs: A) -> Result<Json, A::Error> {
        let mut known = Vec::new();
        while let Some(key) = pairs.next_key::<String>()? {
            match known_key(&key) {
                Some(key) => known.push((key, pairs.next_value()?)),
                None => {
                    pairs.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(Json::Object(Entry(known)))
    }
}

fn known_key(key: &str) -> Option<&'static str> {
    let known = [&LISTS[..], &TEXTS, &STARTS, &ENDS, &SPEAKERS, &PAIRS, &["from", "to"]];
    known.into_iter().flatten().find(|known| **known == key).copied()
}
