//! Reads JSON transcripts of any program that writes entries with text and times.

mod entry;
mod value;
mod words;

use entry::{ENDS, Entry, PAIR_ENDS, PAIRS, SPEAKERS, STARTS, Said, TEXTS, WORDS};
use value::Json;
use words::{is_whole, sentences};

use super::Utterance;

/// Where what is said stands within an object, the best first: `speakers` has the parts of `chunks` with who says them, and a service that
/// tells utterances tells all words besides.
const PARTS: [&str; 16] = [
    "utterances",
    "speakers",
    "segments",
    "audio_segments",
    "transcription",
    "chunks",
    "paragraphs",
    "sentences",
    "transcript",
    "response",
    "results",
    "channels",
    "alternatives",
    "words",
    "items",
    "transcripts",
];

/// What a word takes in milliseconds at least, on average, and never in seconds.
const MILLISECONDS: f64 = 20.0;

/// What is said in a JSON document, or in several, a line each; `None` where the text is something else.
pub(super) fn read(text: &str) -> Option<Vec<Utterance>> {
    if !text.trim_start().starts_with(['{', '[']) {
        return None;
    }
    let mut found = Vec::new();
    for document in serde_json::Deserializer::from_str(text).into_iter::<Json>() {
        collect(document.ok()?, &Said::default(), &mut found);
    }
    if are_milliseconds(&found) {
        for (said, _) in &mut found {
            said.start = said.start.map(|start| start / 1000.0);
            said.end = said.end.map(|end| end / 1000.0);
        }
    }
    let utterance = |(said, text): (Said, String)| {
        let Said { start, end, speaker, .. } = said;
        Utterance { start, end, speaker, said: text, continues: false }
    };
    (!found.is_empty()).then(|| found.into_iter().map(utterance).collect())
}

/// When and by whom, and the words.
type Found = (Said, String);

/// Whether the times are integers, and too long for what is said to be seconds.
fn are_milliseconds(found: &[Found]) -> bool {
    let timed: Vec<&Found> = found.iter().filter(|(said, _)| said.start.is_some()).collect();
    let words: usize = timed.iter().map(|(_, text)| text.split_whitespace().count()).sum();
    let units: f64 = timed.iter().filter_map(|(said, _)| Some(said.end? - said.start?)).sum();
    timed.iter().all(|(said, _)| said.in_integers) && units > MILLISECONDS * words as f64
}

fn collect(json: Json, whole: &Said, found: &mut Vec<Found>) {
    match json {
        Json::List(entries) => entries.into_iter().for_each(|entry| collect(entry, whole, found)),
        Json::Object(pairs) => collect_entry(Entry(pairs), whole, found),
        Json::Nothing | Json::Number(_) | Json::Integer(_) | Json::Text(_) => {}
    }
}

fn collect_entry(mut entry: Entry, whole: &Said, found: &mut Vec<Found>) {
    let own = entry.said();
    let is_timed = own.start.is_some();
    let said = own.within(whole);
    let text = entry.text().map(str::to_owned);
    // What has a text and a time needs no parts.
    if let Some(text) = text.clone().filter(|_| is_timed) {
        return found.push((said, text));
    }
    let before = found.len();
    for part in PARTS {
        let Some(json) = entry.take(part) else { continue };
        match (part, json) {
            ("words" | "items", Json::List(list)) => {
                let sentences = sentences(list, &said);
                // Words without marks say less than the text.
                let has_marks = sentences.iter().any(|sentence| is_whole(&sentence.text));
                if has_marks || !text.as_deref().is_some_and(is_whole) {
                    found.extend(sentences.into_iter().map(|sentence| (sentence.said, sentence.text)));
                }
            }
            ("alternatives", Json::List(list)) => list.into_iter().take(1).for_each(|best| collect(best, &said, found)),
            ("results", Json::List(list)) => collect_results(list, &said, found),
            (_, json) => collect(json, &said, found),
        }
        if found.len() > before {
            return;
        }
    }
    found.extend(text.map(|text| (said, text)));
}

/// Results one after the other. The last may say all of it again, and by whom.
fn collect_results(results: Vec<Json>, whole: &Said, found: &mut Vec<Found>) {
    let (before, mut last) = (found.len(), found.len());
    for result in results {
        last = found.len();
        collect(result, whole, found);
    }
    let start = |found: &[Found]| found.first().and_then(|(said, _)| said.start);
    let (earlier, again) = found[before..].split_at(last - before);
    let names = |part: &[Found]| part.iter().any(|(said, _)| said.speaker.is_some());
    if !names(earlier) && names(again) && start(again) <= start(earlier) {
        found.drain(before..last);
    }
}

fn known_key(key: &str) -> Option<&'static str> {
    let known = [&PARTS[..], &TEXTS, &WORDS, &STARTS, &ENDS, &SPEAKERS, &PAIRS, &PAIR_ENDS];
    known.into_iter().flatten().find(|known| **known == key).copied()
}
