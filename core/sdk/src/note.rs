//! Voice notes: what a person said, in segments that a summary can point to.

use std::cell::OnceCell;
use std::ops::Range;

use serde::{Deserialize, Serialize};
use unicode_segmentation::UnicodeSegmentation;

/// Words after which a sentence without punctuation is cut into a further segment, so that evidence stays readable.
const LONGEST_SEGMENT_WORDS: usize = 60;
/// The same in writing without spaces, where a word may be a character.
const LONGEST_SEGMENT_UNSPACED_WORDS: usize = 240;

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

impl Segment {
    /// Its two halves, cut between words; `None` where there is but one word.
    pub(crate) fn halves(&self) -> Option<[Self; 2]> {
        let bounds = self.text.split_word_bound_indices().map(|(at, _)| at).filter(|&at| at > 0);
        let middle = bounds.min_by_key(|at| at.abs_diff(self.text.len() / 2))?;
        let (left, right) = self.text.split_at(middle);
        Some([left, right].map(|text| Self { text: text.trim().to_owned(), ..self.clone() }))
    }
}

/// A transcript to summarize.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(from = "StoredNote")]
pub struct VoiceNote {
    segments: Vec<Segment>,
}

/// A note as somebody may have written it.
#[derive(Deserialize)]
struct StoredNote {
    segments: Vec<Segment>,
}

impl From<StoredNote> for VoiceNote {
    fn from(note: StoredNote) -> Self {
        Self::from_segments(note.segments)
    }
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
    /// Where words begin and end, in order, once somebody asks.
    word_bounds: OnceCell<Vec<usize>>,
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
        Self { text, ranges, word_bounds: OnceCell::new() }
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    /// The lines of the text, each cut into the pieces that a span may start and end at: a word with the space before
    /// it, or a single mark. The first word of a line gets a space too, so that every span starts alike.
    pub(crate) fn span_pieces(&self) -> Vec<Vec<String>> {
        self.text.lines().map(pieces_of).filter(|pieces| !pieces.is_empty()).collect()
    }

    /// The ids of the segments that `span` touches where it is; a span that touches only a speaker's name belongs to the
    /// segment after it.
    pub(crate) fn evidence(&self, span: &str) -> Vec<u32> {
        self.place(span).map(|found| self.segments_in(&found)).unwrap_or_default()
    }

    /// The ids of the segments that an occurrence of `span` touches: one in the segments of the place `near` if there
    /// is any, and else the nearest.
    pub(crate) fn evidence_near(&self, span: &str, near: &Range<usize>) -> Vec<u32> {
        let own = self.segments_in(near);
        let rank = |found: &Range<usize>| {
            let elsewhere = !self.segments_in(found).iter().any(|id| own.contains(id));
            (self.cuts_words(found), elsewhere, found.start.abs_diff(near.start))
        };
        self.occurrences(span).min_by_key(rank).map(|found| self.segments_in(&found)).unwrap_or_default()
    }

    /// Where `span` first occurs, as whole words if it does so anywhere: a summary that is still being written ends within one.
    pub(crate) fn place(&self, span: &str) -> Option<Range<usize>> {
        self.place_from(span, 0)
    }

    /// As [`NoteText::place`], from a byte of the text on if it is there.
    pub(crate) fn place_from(&self, span: &str, from: usize) -> Option<Range<usize>> {
        self.occurrences(span).min_by_key(|found| (self.cuts_words(found), found.start < from, found.start))
    }

    fn occurrences(&self, span: &str) -> impl Iterator<Item = Range<usize>> {
        let mut from = 0;
        std::iter::from_fn(move || {
            let start = from + self.text.get(from..)?.find(span).filter(|_| !span.is_empty())?;
            from = start + self.text[start..].chars().next().map_or(1, char::len_utf8);
            Some(start..start + span.len())
        })
    }

    fn cuts_words(&self, place: &Range<usize>) -> bool {
        let text = &self.text;
        let bounds = || text.split_word_bound_indices().map(|(at, _)| at).chain([text.len()]).collect();
        let bounds: &Vec<usize> = self.word_bounds.get_or_init(bounds);
        [place.start, place.end].iter().any(|at| bounds.binary_search(at).is_err())
    }

    /// The ids of the segments that a place touches; a place of a speaker's name alone belongs to the segment after it.
    pub(crate) fn segments_in(&self, place: &Range<usize>) -> Vec<u32> {
        let touched = self.ranges.iter().filter(|(_, range)| range.start < place.end && place.start < range.end);
        let mut touched: Vec<u32> = touched.map(|(id, _)| *id).collect();
        if touched.is_empty() {
            touched.extend(self.ranges.iter().find(|(_, range)| range.start >= place.end).map(|(id, _)| *id));
        }
        // Parts of a segment have its id.
        touched.dedup();
        touched
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
    words.chunks(LONGEST_SEGMENT_WORDS).flat_map(|part| cut_unspaced(&part.join(" "))).collect()
}

fn cut_unspaced(text: &str) -> Vec<String> {
    let words: Vec<&str> = text.split_word_bounds().collect();
    words.chunks(LONGEST_SEGMENT_UNSPACED_WORDS).map(<[&str]>::concat).collect()
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
    fn a_run_on_text_without_spaces_is_cut_too() {
        let text = "今日は会議があります".repeat(100);
        let note = VoiceNote::text(&text);
        assert!(note.segments().len() > 3);
        assert_eq!(texts(&note).concat(), text);
    }

    #[test]
    fn a_stored_note_is_like_any_other() {
        let note = VoiceNote::transcript("[00:00] One.\n[00:04] Two.");
        let json = serde_json::to_string(&note).unwrap();
        assert_eq!(serde_json::from_str::<VoiceNote>(&json).unwrap(), note);
        let edited = json.replace("\"id\":2", "\"id\":0").replace("One.", "One\\r two\\n").replace("Two.", " ");
        let edited: VoiceNote = serde_json::from_str(&edited).unwrap();
        assert_eq!(texts(&edited), ["One two"]);
        assert_eq!(edited.segments()[0].id, 1);
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
    fn evidence_is_not_found_within_other_words() {
        let note =
            VoiceNote::text("Maybe we fly. Book the hotel. It has to be done by May. The party is at eight. Buy art.");
        let text = NoteText::new(note.segments());
        let near = text.place("Book the hotel").unwrap();
        assert_eq!(text.evidence_near("May", &near), [3]);
        assert_eq!(text.evidence("art"), [5]);
        assert_eq!(text.evidence("Mayb"), [1], "words that are still being written");
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
