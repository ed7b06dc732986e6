//! Transcripts of every kind, and what is said in them.

mod captions;
mod json;
mod lines;
mod noise;
mod tables;
mod turns;

use proptest::prelude::*;

use crate::VoiceNote;

/// Start, end, speaker and words.
type Said<'a> = (Option<f64>, Option<f64>, Option<&'a str>, &'a str);

fn said(note: &VoiceNote) -> Vec<Said<'_>> {
    let parts = |segment: &'_ crate::Segment| (segment.start, segment.end);
    note.segments()
        .iter()
        .map(|segment| (parts(segment).0, parts(segment).1, segment.speaker.as_deref(), segment.text.as_str()))
        .collect()
}

#[track_caller]
fn reads(text: &str, expected: &[Said<'_>]) {
    for text in [text.to_owned(), text.replace('\n', "\r\n"), text.replace('\n', "\r"), format!("\u{feff}{text}")] {
        assert_eq!(said(&VoiceNote::transcript(&text)), expected, "{text:?}");
    }
}

/// Nothing is known of it but its words.
fn plain(words: &str) -> Said<'_> {
    (None, None, None, words)
}

fn timed<'a>(start: f64, end: f64, words: &'a str) -> Said<'a> {
    (Some(start), Some(end), None, words)
}

fn by<'a>(speaker: &'a str, words: &'a str) -> Said<'a> {
    (None, None, Some(speaker), words)
}

/// Three timed segments, the last without an end.
fn three_lines() -> [Said<'static>; 3] {
    [
        timed(0.0, 4.0, "The lift is stuck."),
        timed(4.0, 9.0, "Ines will ring the firm by noon."),
        (Some(9.0), None, None, "I take the stairs."),
    ]
}

/// Three timed segments with ends.
fn three_cues() -> [Said<'static>; 3] {
    [
        timed(0.0, 3.5, "The lift is stuck."),
        timed(3.5, 7.25, "Ines will ring the firm by noon."),
        timed(7.25, 11.0, "I take the stairs."),
    ]
}

#[test]
fn hostile_transcripts_take_linear_time() {
    let started = std::time::Instant::now();
    let long = |part: &str| part.repeat((1 << 17) / part.len());
    for part in [
        "[",
        "(",
        "<",
        "[00:00]",
        "&",
        "♪",
        ">>",
        "a",
        ":",
        "*",
        "-",
        "A:\n",
        "{\"segments\":[",
        "\u{1b}]",
        "00:00\n",
        "1\n",
        "\"",
        "\t",
        "0,0,0\n",
        "-->",
        "A 0:00\n",
        "<|",
        "\n",
        "é",
    ] {
        let note = VoiceNote::transcript(&long(part));
        assert!(note.segments().len() < 3 << 16);
    }
    assert!(started.elapsed().as_secs() < 120, "{:?}", started.elapsed());
}

const WORDS: &str = "[A-Z][a-zé]{1,6}( [a-z0-9,'-]{1,7}[a-z]){1,5}[.!?]";

/// Segments as a recorder would have heard them.
fn heard() -> impl Strategy<Value = Vec<(u32, u32, Option<String>, String)>> {
    let name =
        proptest::option::of(prop_oneof![Just("Ines"), Just("Omar Reyes"), Just("SPEAKER_02")].prop_map(str::to_owned));
    let segment = (0u32..2_000, 1u32..9_000, name, WORDS);
    proptest::collection::vec(segment, 1..8).prop_map(|segments| {
        let mut at = 0;
        let mut heard: Vec<(u32, u32, Option<String>, String)> = Vec::new();
        for (index, (pause, length, name, words)) in segments.into_iter().enumerate() {
            at += pause;
            heard.push((at, at + length, name, format!("{words} {index}.")));
            at += length;
        }
        heard
    })
}

fn clock(milliseconds: u32, point: char) -> String {
    let (seconds, rest) = (milliseconds / 1000, milliseconds % 1000);
    format!("{:02}:{:02}:{:02}{point}{rest:03}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

type Heard = (u32, u32, Option<String>, String);

/// Formats that keep times, names and words.
const NAMED_FORMATS: [fn(&Heard) -> String; 4] = [
    |(start, end, name, words)| {
        let voice = name.as_ref().map_or(String::new(), |name| format!("<v {name}>"));
        format!("{} --> {}\n{voice}{words}\n\n", clock(*start, '.'), clock(*end, '.'))
    },
    |(start, end, name, words)| {
        let (start, end) = (f64::from(*start) / 1000.0, f64::from(*end) / 1000.0);
        format!("{}\n", serde_json::json!({ "start": start, "end": end, "speaker": name, "text": words }))
    },
    |(start, end, name, words)| format!("{start},{end},{},\"{words}\"\n", name.as_deref().unwrap_or_default()),
    |(start, end, name, words)| format!("{start}\t{end}\t{}\t{words}\n", name.as_deref().unwrap_or_default()),
];
const NAMED_HEADS: [&str; 4] = ["WEBVTT\n\n", "", "start_ms,end,speaker,text\n", "start_ms\tend\tspeaker\ttext\n"];

/// Formats that keep times and words.
const FORMATS: [fn(&Heard) -> String; 5] = [
    |(start, end, _, words)| format!("7\n{} --> {}\n{words}\n\n", clock(*start, ','), clock(*end, ',')),
    |(start, end, _, words)| format!("{},{}\n{words}\n\n", clock(*start, '.'), clock(*end, '.')),
    |(start, end, _, words)| format!("[{} --> {}]  {words}\n", clock(*start, '.'), clock(*end, '.')),
    |(start, end, _, words)| format!("[{} -> {}] {words}\n", clock(*start, '.'), clock(*end, '.')),
    |(start, end, _, words)| {
        format!("[{:.3}s -> {:.3}s] {words}\n", f64::from(*start) / 1000.0, f64::from(*end) / 1000.0)
    },
];

proptest! {
    #[test]
    fn what_was_heard_is_read_back(heard in heard()) {
        let expected = |named: bool| heard.iter().map(|(start, end, name, words)| {
            let name = name.clone().filter(|_| named);
            (Some(f64::from(*start) / 1000.0), Some(f64::from(*end) / 1000.0), name, words.clone())
        }).collect::<Vec<_>>();
        let read = |text: &str| VoiceNote::transcript(text).segments().iter().map(|segment| {
            (segment.start, segment.end, segment.speaker.clone(), segment.text.clone())
        }).collect::<Vec<_>>();
        for (head, format) in NAMED_HEADS.iter().zip(NAMED_FORMATS) {
            let text = format!("{head}{}", heard.iter().map(format).collect::<String>());
            prop_assert_eq!(read(&text), expected(true), "{}", text);
        }
        for format in FORMATS {
            let text = heard.iter().map(format).collect::<String>();
            prop_assert_eq!(read(&text), expected(false), "{}", text);
        }
    }

    #[test]
    fn any_text_gives_words_of_its_own_and_times_in_order(
        text in "(\\[[0-9:.> -]{0,12}\\]|[0-9]{1,3}:[0-9]{2}|[A-Z][a-z]{0,5}:| --> |<v [A-Z]>|\\[Music\\]|WEBVTT|NOTE|>>|\\{\"|\"text\":\"|\t|,|;|\r| |\n|\\PC{0,8}){0,30}",
    ) {
        let note = VoiceNote::transcript(&text);
        for segment in note.segments() {
            prop_assert!(!segment.text.is_empty());
            prop_assert!(segment.start.is_none_or(|start| start.is_finite() && start >= 0.0));
            prop_assert!(segment.end.is_none_or(|end| end.is_finite() && segment.start.unwrap() <= end));
            // A tag, an entity or a remark may have stood within a word.
            let mut letters = text.chars().filter(|sign| sign.is_alphanumeric());
            let mut words = segment.text.chars().filter(|sign| sign.is_alphanumeric());
            prop_assert!(words.all(|word| letters.any(|letter| letter == word)), "{:?}", segment);
        }
    }
}
