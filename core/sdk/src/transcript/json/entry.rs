//! What an object of a transcript says of itself.

use super::value::Json;
use crate::transcript::time::clock_or_number;

pub(super) const TEXTS: [&str; 2] = ["text", "transcript"];
/// With punctuation, as the recognizer heard it, and in a list of what it may be.
pub(super) const WORDS: [&str; 4] = ["punctuated_word", "word", "text", "content"];
pub(super) const STARTS: [&str; 6] = ["start", "start_time", "startTime", "startOffset", "start_offset", "begin"];
pub(super) const ENDS: [&str; 5] = ["end", "end_time", "endTime", "endOffset", "end_offset"];
pub(super) const SPEAKERS: [&str; 6] =
    ["speaker", "speaker_label", "speakerLabel", "speaker_name", "speakerTag", "speaker_tag"];
/// A start and an end, in seconds; as clock times; in milliseconds.
pub(super) const PAIRS: [&str; 3] = ["timestamp", "timestamps", "offsets"];
pub(super) const PAIR_ENDS: [&str; 4] = ["from", "to", "seconds", "nanos"];

/// The known keys of an object.
pub(super) struct Entry(pub Vec<(&'static str, Json)>);

/// When something is said and by whom.
#[derive(Default, Clone)]
pub(super) struct Said {
    pub start: Option<f64>,
    pub end: Option<f64>,
    pub speaker: Option<String>,
    /// Whether the times have no fraction, so that they may be milliseconds.
    pub in_integers: bool,
}

impl Entry {
    pub(super) fn get(&self, keys: &[&str]) -> Option<&Json> {
        keys.iter().find_map(|wanted| self.0.iter().find(|(key, _)| key == wanted)).map(|(_, value)| value)
    }

    /// Takes out a list or an object that has something in it.
    pub(super) fn take(&mut self, key: &str) -> Option<Json> {
        let index = self.0.iter().position(|(found, value)| *found == key && !value.is_empty())?;
        Some(self.0.swap_remove(index).1)
    }

    pub(super) fn text(&self) -> Option<&str> {
        TEXTS.iter().find_map(|key| self.get(&[key])?.text())
    }

    /// One word, or a mark.
    pub(super) fn word(&self) -> Option<&str> {
        let own = || WORDS.iter().find_map(|key| self.get(&[key])?.text());
        own().or_else(|| match self.get(&["alternatives"]) {
            Some(Json::List(alternatives)) => match alternatives.first() {
                Some(Json::Object(best)) => best.iter().find(|(key, _)| WORDS.contains(key))?.1.text(),
                _ => None,
            },
            _ => None,
        })
    }

    /// What it says of itself.
    pub(super) fn said(&self) -> Said {
        let start = self.get(&STARTS);
        let speaker = self.get(&SPEAKERS).and_then(speaker);
        match start.and_then(seconds) {
            Some(at) => {
                let end = self.get(&ENDS);
                let in_integers = [start, end].iter().flatten().all(|time| matches!(time, Json::Integer(_)));
                Said { start: Some(at), end: end.and_then(seconds), speaker, in_integers }
            }
            None => {
                let (start, end) = self.pair();
                Said { start, end, speaker, in_integers: false }
            }
        }
    }

    fn pair(&self) -> (Option<f64>, Option<f64>) {
        let pair_of = |key: &str| self.get(&[key]).map(pair).filter(|(start, _)| start.is_some());
        let in_seconds = |milliseconds: f64| milliseconds / 1000.0;
        pair_of("timestamp")
            .or_else(|| pair_of("timestamps"))
            .or_else(|| pair_of("offsets").map(|(start, end)| (start.map(in_seconds), end.map(in_seconds))))
            .unwrap_or_default()
    }
}

impl Said {
    /// With what is known of the whole that this is a part of.
    pub(super) fn within(self, whole: &Self) -> Self {
        match self.start {
            Some(_) => Self { speaker: self.speaker.or_else(|| whole.speaker.clone()), ..self },
            None => Self { speaker: self.speaker.or_else(|| whole.speaker.clone()), ..whole.clone() },
        }
    }
}

/// `1.5`, `"00:01.5"`, `"1.5s"`, `{"seconds": 1, "nanos": 500000000}`.
fn seconds(json: &Json) -> Option<f64> {
    match json {
        Json::Number(number) | Json::Integer(number) => Some(*number),
        Json::Text(text) => clock_or_number(text.strip_suffix('s').unwrap_or(text)),
        Json::Object(parts) => {
            let part = |name| parts.iter().find(|(key, _)| *key == name).and_then(|(_, value)| seconds(value));
            match (part("seconds"), part("nanos")) {
                (None, None) => None,
                (whole, nanos) => Some(whole.unwrap_or(0.0) + nanos.unwrap_or(0.0) / 1e9),
            }
        }
        Json::Nothing | Json::List(_) => None,
    }
}

/// `[0.0, 3.5]`, `{"from": …, "to": …}`.
fn pair(json: &Json) -> (Option<f64>, Option<f64>) {
    let of = |name: &str, pairs: &[(&str, Json)]| {
        pairs.iter().find(|(key, _)| *key == name).and_then(|(_, value)| seconds(value))
    };
    match json {
        Json::List(pair) => (pair.first().and_then(seconds), pair.get(1).and_then(seconds)),
        Json::Object(pair) => (of("from", pair), of("to", pair)),
        _ => (None, None),
    }
}

/// A name, or the number of a speaker.
fn speaker(json: &Json) -> Option<String> {
    let numbered = |number: &str| format!("speaker {number}");
    match json {
        Json::Number(number) | Json::Integer(number) => Some(numbered(&number.to_string())),
        Json::Text(name) if !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_digit()) => Some(numbered(name)),
        // A letter is no name.
        Json::Text(name) if name.len() == 1 && name.bytes().all(|byte| byte.is_ascii_uppercase()) => {
            Some(numbered(name))
        }
        Json::Text(name) if name.chars().any(char::is_alphanumeric) => Some(name.clone()),
        _ => None,
    }
}
