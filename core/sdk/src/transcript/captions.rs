//! Reads a transcript line by line: captions, a recognizer's log, turns of a meeting, plain lines.

use std::collections::HashSet;

use super::Utterance;
use super::lines::Line;
use super::markup::voices;
use super::time::Span;

/// A time of day is not taken for a time of the recording unless the first of them lies in the recording's first minute.
const FIRST_MINUTE: f64 = 60.0;

/// Seconds from which on the times of a chat are times of day: no meeting lasts as long, and nobody meets before.
const LONGEST_MEETING: f64 = 6.0 * 3600.0;

/// What is said in the lines of `text`. What is no time, no name and no mark of a known format is words.
pub(super) fn read(text: &str) -> Vec<Utterance> {
    let mut reader = Reader { kind: Kind::of(text), utterances: Vec::new(), open: None, before: String::new() };
    let mut lines = lines(text).peekable();
    let mut after_blank = true;
    // What stands before the first empty line is about the file.
    let mut in_comment = reader.kind.is_web_vtt;
    while let Some(text) = lines.next() {
        let line = Line::new(text);
        let (is_blank, has_times) = (line == Line::Blank, matches!(line, Line::Times(_)));
        let times_follow = lines.peek().is_some_and(|next| matches!(Line::new(next), Line::Times(_)));
        let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
        let is_cue_id = times_follow && (is_number || (reader.kind.is_web_vtt && after_blank));
        // A comment ends where a cue begins, even without an empty line between.
        in_comment = !is_blank && !has_times && (in_comment || (after_blank && reader.kind.begins_comment(text)));
        if !is_blank && !in_comment && !is_cue_id {
            reader.read(text, line);
        }
        after_blank = is_blank;
    }
    reader.utterances
}

/// The lines of a text, whichever line end it has.
fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.split('\n').flat_map(|line| line.strip_suffix('\r').unwrap_or(line).split('\r')).map(str::trim)
}

/// What kind of transcript it is, as far as its single lines do not show that.
#[derive(Default)]
struct Kind {
    is_web_vtt: bool,
    /// Lines of times alone: the words between them may have tags.
    has_cues: bool,
    has_times: bool,
    /// Whether `10:30` at the start of a line, or after a name, is a time of the recording.
    believes_ambiguous: bool,
    /// The same after a name. One that comes again is a speaker's, whatever the time is.
    believes_turns: bool,
}

impl Kind {
    fn of(text: &str) -> Self {
        let mut kind = Self { is_web_vtt: text.trim_start().starts_with("WEBVTT"), ..Self::default() };
        let mut ambiguous = Ambiguous::default();
        let mut speakers = HashSet::new();
        for line in lines(text) {
            match Line::new(line) {
                Line::Times(_) => (kind.has_cues, kind.has_times) = (true, true),
                Line::Timed(span, _) => kind.has_times |= !ambiguous.adds(span),
                Line::Turn { speaker, time, .. } => {
                    kind.has_times |= time.is_some_and(|time| !ambiguous.adds(time));
                    kind.believes_turns |= !speakers.insert(speaker);
                }
                Line::Chat { time, .. } => kind.has_times |= is_within_meeting(time),
                Line::Blank | Line::Text(_) => {}
            }
        }
        kind.believes_ambiguous = ambiguous.are_times_of_the_recording();
        kind.believes_turns |= kind.believes_ambiguous;
        kind.has_times |= kind.believes_ambiguous;
        kind
    }

    fn believes(&self, span: Span) -> bool {
        !span.ambiguous || self.believes_ambiguous
    }

    fn believes_turn(&self, time: Option<Span>) -> bool {
        self.believes_turns || time.is_some_and(|time| !time.ambiguous)
    }

    fn begins_comment(&self, line: &str) -> bool {
        let word = line.split_whitespace().next().unwrap_or_default();
        self.is_web_vtt && ["NOTE", "STYLE", "REGION"].contains(&word)
    }
}

fn is_within_meeting(time: Span) -> bool {
    time.start < LONGEST_MEETING
}

/// The times that could be times of day.
#[derive(Default)]
struct Ambiguous {
    count: usize,
    first: f64,
    last: f64,
    backwards: usize,
}

impl Ambiguous {
    /// Whether the time is one of them.
    fn adds(&mut self, span: Span) -> bool {
        if span.ambiguous {
            if self.count == 0 {
                self.first = span.start;
            }
            self.count += 1;
            self.backwards += usize::from(span.start < self.last);
            self.last = span.start;
        }
        span.ambiguous
    }

    fn are_times_of_the_recording(&self) -> bool {
        self.count >= 2 && self.first < FIRST_MINUTE && self.backwards * 4 <= self.count
    }
}

struct Reader {
    kind: Kind,
    utterances: Vec<Utterance>,
    /// The cue or turn to which further lines belong.
    open: Option<Open>,
    /// The last line of the one before it.
    before: String,
}

/// A cue or turn whose words come next. The last utterance is it, without words, until there are some.
struct Open {
    begun: Utterance,
    has_words: bool,
}

impl Reader {
    fn read(&mut self, text: &str, line: Line<'_>) {
        match line {
            Line::Times(span) => self.begin(Some(span), None, ""),
            Line::Timed(span, said) if self.kind.believes(span) => self.begin(Some(span), None, said),
            Line::Turn { speaker, time, said } if self.kind.believes_turn(time) => {
                self.begin(time, Some(speaker), said)
            }
            Line::Chat { speaker, time, said } => {
                self.begin(Some(time).filter(|time| is_within_meeting(*time)), Some(speaker), said);
            }
            Line::Blank => {}
            _ if self.kind.has_times && is_log(text) => {}
            _ => self.add_words(text),
        }
    }

    fn begin(&mut self, time: Option<Span>, speaker: Option<&str>, said: &str) {
        let (start, end) = (time.map(|time| time.start), time.and_then(|time| time.end));
        let begun = Utterance { start, end, speaker: speaker.map(str::to_owned), ..Utterance::default() };
        self.before = self.utterances.last().map(|last| last.said.clone()).unwrap_or_default();
        self.utterances.push(begun.clone());
        self.open = Some(Open { begun, has_words: false });
        if !said.is_empty() {
            self.add_words(said);
        }
    }

    /// A line's words: the next words of the open cue or turn, or words of their own.
    fn add_words(&mut self, line: &str) {
        let (line, mut is_turn) = match turn_after_dash(line).filter(|_| self.kind.has_cues) {
            Some(turn) => (turn, true),
            None => (line, false),
        };
        for turn in line.split(">>") {
            let voices = if self.kind.has_cues { voices(turn) } else { vec![(None, turn.to_owned())] };
            for (speaker, said) in voices {
                self.push(speaker, &said, is_turn);
            }
            is_turn = true;
        }
    }

    fn push(&mut self, speaker: Option<String>, said: &str, is_turn: bool) {
        let said = said.trim().to_owned();
        let Some(open) = self.open.as_mut() else {
            return self.utterances.push(Utterance { speaker, said, ..Utterance::default() });
        };
        if said.is_empty() {
            return;
        }
        let mut first = !std::mem::replace(&mut open.has_words, true);
        let speaker = speaker.or_else(|| open.begun.speaker.take());
        // Captions that roll show the line before once more, above the new one.
        let is_shown_again = |first: &Utterance| !first.continues && first.said == self.before;
        first |= self.kind.has_cues && self.utterances.last().is_some_and(is_shown_again);
        if first {
            self.utterances.pop();
        }
        self.utterances.push(Utterance { speaker, said, continues: !first && !is_turn, ..open.begun.clone() });
    }
}

/// What follows the dash that shows a change of speakers in a cue; not that of `-5`.
fn turn_after_dash(line: &str) -> Option<&str> {
    line.strip_prefix(['-', '–'])
        .filter(|turn| turn.starts_with(|next: char| next.is_whitespace() || next.is_alphabetic()))
}

/// What recognizers say about themselves among their times.
fn is_log(line: &str) -> bool {
    const PHRASES: [&str; 4] = ["Detecting language", "Detected language", "Transcribed by ", "Kind: captions"];
    let program = line.split([':', ' ']).next().unwrap_or_default();
    let is_program = program.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
        && (program == "main" || program.contains('_'));
    is_program || PHRASES.iter().any(|phrase| line.starts_with(phrase))
}
