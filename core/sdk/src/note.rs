//! Voice notes: what a person said, in segments that a summary can point to.

use std::ops::Range;

use serde::{Deserialize, Serialize};
use unicode_segmentation::UnicodeSegmentation;

/// Words after which a sentence without punctuation is cut into a further segment, so that evidence stays readable.
const LONGEST_SEGMENT_WORDS: usize = 60;

/// One stretch of speech.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Segment {
    /// Its number within the note, from 1.
    pub id: u32,
    /// When it starts, in seconds from the beginning of the recording, where that is known.
    pub start: Option<f64>,
    /// When it ends, in seconds.
    pub end: Option<f64>,
    /// What was said. White space runs are one space.
    pub text: String,
    /// Who said it, where that is known.
    pub speaker: Option<String>,
}

/// A transcript to summarize.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct VoiceNote {
    segments: Vec<Segment>,
}

impl VoiceNote {
    /// A note from plain text: a segment for each sentence.
    pub fn text(text: &str) -> Self {
        Self::from_segments(sentences(text).into_iter().map(|text| unnumbered(text, None)))
    }

    /// A note from a transcript file. Lines that start with a time (`[00:04]`, `[1:02:03.5]`, `[00:04 - 00:09]`,
    /// `[00:04 --> 00:09]`) become timed segments; lines that all start with a name and a colon become segments of that
    /// speaker; anything else is plain text.
    pub fn transcript(text: &str) -> Self {
        let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        if let Some(timed) = lines.iter().map(|line| timed_line(line)).collect::<Option<Vec<_>>>()
            && !timed.is_empty()
        {
            return Self::from_timed_lines(timed);
        }
        match lines.iter().map(|line| speaker_line(line)).collect::<Option<Vec<_>>>() {
            Some(turns) if turns.len() > 1 => Self::from_segments(turns.into_iter().flat_map(|(speaker, said)| {
                sentences(said).into_iter().map(move |text| unnumbered(text, Some(speaker.to_owned())))
            })),
            _ => Self::text(text),
        }
    }

    /// A note from segments of a speech recognizer. Their ids are given anew, from 1; empty ones are left out.
    pub fn from_segments(segments: impl IntoIterator<Item = Segment>) -> Self {
        let mut note = Self::default();
        segments.into_iter().for_each(|segment| note.push(segment));
        note
    }

    /// Appends a segment under the next id; an empty one is left out.
    pub(crate) fn push(&mut self, mut segment: Segment) {
        segment.text = collapse_white_space(&segment.text);
        segment.speaker = segment.speaker.map(|name| collapse_white_space(&name)).filter(|name| !name.is_empty());
        if !segment.text.is_empty() {
            segment.id = self.segments.len() as u32 + 1;
            self.segments.push(segment);
        }
    }

    fn from_timed_lines(timed: Vec<TimedLine>) -> Self {
        let all_named = timed.len() > 1 && timed.iter().all(|line| speaker_line(line.said).is_some());
        let starts: Vec<f64> = timed.iter().map(|line| line.start).collect();
        Self::from_segments(timed.into_iter().enumerate().map(|(index, line)| {
            let (speaker, said) = match speaker_line(line.said) {
                Some((name, said)) if all_named => (Some(name.to_owned()), said),
                _ => (None, line.said),
            };
            Segment {
                id: 0,
                start: Some(line.start),
                end: line.end.or_else(|| starts.get(index + 1).copied()),
                text: said.to_owned(),
                speaker,
            }
        }))
    }

    /// The segments, in the order in which they were said.
    pub fn segments(&self) -> &[Segment] {
        &self.segments
    }
}

/// The text of some segments as a model reads it, and where each segment lies in it.
///
/// Segments are joined by a space; one with a speaker starts a new line, `\nname: text` (`docs/task-format.md`).
#[derive(Debug)]
pub(crate) struct NoteText {
    text: String,
    ranges: Vec<(u32, Range<usize>)>,
}

impl NoteText {
    pub(crate) fn new(segments: &[Segment]) -> Self {
        let mut text = String::new();
        let mut ranges = Vec::with_capacity(segments.len());
        for segment in segments {
            match &segment.speaker {
                Some(name) => {
                    if !text.is_empty() {
                        text.push('\n');
                    }
                    text.push_str(name);
                    text.push_str(": ");
                }
                None if !text.is_empty() => text.push(' '),
                None => {}
            }
            let start = text.len();
            text.push_str(&segment.text);
            ranges.push((segment.id, start..text.len()));
        }
        Self { text, ranges }
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    /// The lines of the text, each cut into the pieces that a span may start and end at: a word with the space before
    /// it, or a single mark. The first word of a line gets a space too, so that every span starts alike.
    pub(crate) fn span_pieces(&self) -> Vec<Vec<String>> {
        self.text.lines().map(pieces_of).filter(|pieces| !pieces.is_empty()).collect()
    }

    /// The ids of the segments that the first occurrence of `span` touches; a span that touches only a speaker's name
    /// belongs to the segment after it.
    pub(crate) fn evidence(&self, span: &str) -> Vec<u32> {
        self.find(span, 0).map(|found| self.segments_in(&found)).unwrap_or_default()
    }

    /// The ids of the segments that an occurrence of `span` touches: one in the segments of the place `near` if there
    /// is any, and else the nearest.
    pub(crate) fn evidence_near(&self, span: &str, near: &Range<usize>) -> Vec<u32> {
        let own = self.segments_in(near);
        let mut best: Option<((bool, usize), Vec<u32>)> = None;
        let mut from = 0;
        while let Some(found) = self.find(span, from) {
            from = found.start + self.text[found.start..].chars().next().map_or(1, char::len_utf8);
            let segments = self.segments_in(&found);
            let elsewhere = !segments.iter().any(|id| own.contains(id));
            let rank = (elsewhere, found.start.abs_diff(near.start));
            if best.as_ref().is_none_or(|(least, _)| rank < *least) {
                best = Some((rank, segments));
            }
        }
        best.map(|(_, segments)| segments).unwrap_or_default()
    }

    /// Where `span` first occurs.
    pub(crate) fn place(&self, span: &str) -> Option<Range<usize>> {
        self.find(span, 0)
    }

    fn find(&self, span: &str, from: usize) -> Option<Range<usize>> {
        if span.is_empty() {
            return None;
        }
        self.text.get(from..)?.find(span).map(|at| from + at..from + at + span.len())
    }

    fn segments_in(&self, place: &Range<usize>) -> Vec<u32> {
        let touched: Vec<u32> = self
            .ranges
            .iter()
            .filter(|(_, range)| range.start < place.end && place.start < range.end)
            .map(|(id, _)| *id)
            .collect();
        if !touched.is_empty() {
            return touched;
        }
        self.ranges.iter().find(|(_, range)| range.start >= place.end).map(|(id, _)| vec![*id]).unwrap_or_default()
    }
}

fn pieces_of(line: &str) -> Vec<String> {
    let mut pieces = Vec::new();
    let mut space = " ";
    for bound in line.split_word_bounds() {
        if bound == " " {
            space = " ";
        } else {
            pieces.push(format!("{space}{bound}"));
            space = "";
        }
    }
    pieces
}

fn unnumbered(text: String, speaker: Option<String>) -> Segment {
    Segment { id: 0, start: None, end: None, text, speaker }
}

fn collapse_white_space(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The sentences of a text by Unicode's rules (UAX #29), but that a title ("Mr.") does not end one, and that a very
/// long one is cut between words.
fn sentences(text: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for bound in text.split_sentence_bounds() {
        let sentence = collapse_white_space(bound);
        match found.last_mut() {
            Some(last) if ends_in_title(last) && !sentence.is_empty() => {
                last.push(' ');
                last.push_str(&sentence);
            }
            _ if sentence.is_empty() => {}
            _ => found.push(sentence),
        }
    }
    found.iter().flat_map(|sentence| cut_long(sentence)).collect()
}

fn ends_in_title(sentence: &str) -> bool {
    const TITLES: [&str; 12] =
        ["mr.", "mrs.", "ms.", "dr.", "st.", "prof.", "sr.", "sra.", "jr.", "vs.", "no.", "approx."];
    let last_word = sentence.rsplit(' ').next().unwrap_or_default();
    TITLES.iter().any(|title| last_word.eq_ignore_ascii_case(title))
}

fn cut_long(sentence: &str) -> Vec<String> {
    let words: Vec<&str> = sentence.split(' ').collect();
    words.chunks(LONGEST_SEGMENT_WORDS).map(|part| part.join(" ")).collect()
}

struct TimedLine<'a> {
    start: f64,
    end: Option<f64>,
    said: &'a str,
}

fn timed_line(line: &str) -> Option<TimedLine<'_>> {
    let (times, said) = line.strip_prefix('[')?.split_once(']')?;
    let (start, end) = match times.split_once("-->").or_else(|| times.split_once('-')) {
        Some((start, end)) => (start, Some(end)),
        None => (times, None),
    };
    let end = match end {
        Some(end) => Some(seconds(end)?),
        None => None,
    };
    Some(TimedLine { start: seconds(start)?, end, said: said.trim() })
}

/// `ss`, `mm:ss` or `hh:mm:ss`, the seconds with an optional fraction, as seconds.
fn seconds(time: &str) -> Option<f64> {
    let parts: Vec<&str> = time.trim().split(':').collect();
    let plain =
        |part: &&str| !part.is_empty() && part.len() <= 9 && part.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    if parts.len() > 3 || parts.len() < 2 || !parts.iter().all(plain) {
        return None;
    }
    parts.iter().try_fold(0.0, |total, part| part.parse::<f64>().ok().map(|value| total * 60.0 + value))
}

/// `Name: what was said`, where the name is up to three capitalized words.
fn speaker_line(line: &str) -> Option<(&str, &str)> {
    let (name, said) = line.split_once(':')?;
    let words: Vec<&str> = name.split_whitespace().collect();
    let is_name = (1..=3).contains(&words.len())
        && words.iter().all(|word| word.chars().next().is_some_and(|first| first.is_uppercase() || first.is_numeric()));
    (is_name && said.starts_with(' ')).then(|| (name.trim(), said.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn texts(note: &VoiceNote) -> Vec<&str> {
        note.segments().iter().map(|segment| segment.text.as_str()).collect()
    }

    #[test]
    fn plain_text_is_cut_into_sentences() {
        let note = VoiceNote::text("  Call Mr. Alvarez today.\nIt's  urgent!  Is it? yes ");
        assert_eq!(texts(&note), ["Call Mr. Alvarez today.", "It's urgent!", "Is it?", "yes"]);
        assert_eq!(note.segments().iter().map(|segment| segment.id).collect::<Vec<_>>(), [1, 2, 3, 4]);
    }

    #[test]
    fn a_run_on_text_is_cut_between_words() {
        let note = VoiceNote::text(&"word ".repeat(150));
        assert_eq!(note.segments().len(), 3);
        assert!(note.segments().iter().all(|segment| segment.text.split(' ').count() <= LONGEST_SEGMENT_WORDS));
    }

    #[test]
    fn timed_lines_carry_their_times() {
        let note = VoiceNote::transcript("[00:00] One.\n[00:04.5 --> 00:06] Two. Still two.\n\n[1:00:00] Three.\n");
        assert_eq!(texts(&note), ["One.", "Two. Still two.", "Three."]);
        let times: Vec<_> = note.segments().iter().map(|segment| (segment.start, segment.end)).collect();
        assert_eq!(times, [(Some(0.0), Some(4.5)), (Some(4.5), Some(6.0)), (Some(3600.0), None)]);
    }

    #[test]
    fn lines_that_are_almost_timed_are_plain_text() {
        for text in ["[00:0x] One.", "[] One.", "[4] One.", "[00:00 One.", "[1:2:3:4] One.", "[00:00] One.\nTwo."] {
            let note = VoiceNote::transcript(text);
            assert!(note.segments().iter().all(|segment| segment.start.is_none()), "{text}");
        }
    }

    #[test]
    fn speakers_are_names_at_the_start_of_every_line() {
        let note = VoiceNote::transcript("Marta: I'll send it. Today.\nTom Baker: Good.");
        assert_eq!(texts(&note), ["I'll send it.", "Today.", "Good."]);
        let speakers: Vec<_> = note.segments().iter().map(|segment| segment.speaker.as_deref()).collect();
        assert_eq!(speakers, [Some("Marta"), Some("Marta"), Some("Tom Baker")]);
        let plain = VoiceNote::transcript("Idea: a new shelf.\nI need wood.");
        assert!(plain.segments().iter().all(|segment| segment.speaker.is_none()));
    }

    #[test]
    fn empty_notes_have_no_segments() {
        for text in ["", " \n\t ", "\u{a0}\u{2003}"] {
            assert!(VoiceNote::transcript(text).segments().is_empty());
        }
    }

    #[test]
    fn evidence_names_the_segments_of_a_span() {
        let note = VoiceNote::text("Buy milk. Call Tom on Friday. Buy bread on Friday.");
        let text = NoteText::new(note.segments());
        assert_eq!(text.as_str(), "Buy milk. Call Tom on Friday. Buy bread on Friday.");
        assert_eq!(text.evidence("Buy bread"), [3]);
        assert_eq!(text.evidence("milk. Call"), [1, 2]);
        assert_eq!(text.evidence("eggs"), Vec::<u32>::new());
        let near = text.place("Buy bread").unwrap();
        assert_eq!(text.evidence_near("Friday", &near), [3]);
        assert_eq!(text.evidence_near("milk", &near), [1]);
        assert_eq!(text.evidence("Friday"), [2]);
    }

    #[test]
    fn a_span_of_a_speakers_name_belongs_to_what_they_say() {
        let note = VoiceNote::transcript("Marta: I'll send it.\nTom: Good.");
        let text = NoteText::new(note.segments());
        assert_eq!(text.as_str(), "Marta: I'll send it.\nTom: Good.");
        assert_eq!(text.evidence("Tom"), [2]);
    }

    #[test]
    fn span_pieces_start_with_a_space_and_never_cross_lines() {
        let note = VoiceNote::transcript("Marta: It's 7:30.\nTom: Good, ok.");
        let pieces = NoteText::new(note.segments()).span_pieces();
        assert_eq!(pieces[0], [" Marta", ":", " It's", " 7", ":", "30", "."]);
        assert_eq!(pieces[1], [" Tom", ":", " Good", ",", " ok", "."]);
    }

    proptest! {
        #[test]
        fn any_text_becomes_a_note_that_reads_like_it(text in "\\PC{0,200}") {
            let note = VoiceNote::text(&text);
            let joined = NoteText::new(note.segments());
            let letters = |text: &str| text.split_whitespace().collect::<String>();
            prop_assert_eq!(letters(joined.as_str()), letters(&text));
            let pieces: String = joined.span_pieces().concat().concat();
            prop_assert_eq!(pieces.trim_start(), joined.as_str().trim_start());
        }

        #[test]
        fn any_transcript_is_read_without_loss_of_words(text in "(\\[[0-9:.> -]{0,12}\\]|[A-Z][a-z]{0,5}:| |\n|\\PC{0,8}){0,20}") {
            let note = VoiceNote::transcript(&text);
            for segment in note.segments() {
                prop_assert!(!segment.text.is_empty());
                prop_assert!(segment.text.split(' ').all(|word| text.contains(word)));
            }
        }
    }
}
