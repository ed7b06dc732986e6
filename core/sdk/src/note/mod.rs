//! Voice notes: transcribed speech in segments that a summary can refer to.

mod controls;
mod sentences;
mod spans;
mod text;

use serde::{Deserialize, Serialize};

pub(crate) use controls::without_controls;
use sentences::sentences;
use spans::pieces;
pub(crate) use spans::without_loose_marks;
pub(crate) use text::{NoteText, span_pieces};

/// A segment of speech.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Segment {
    /// Its number within the note, from 1.
    pub id: u32,
    /// When it starts, in seconds from the beginning of the recording, if known.
    pub start: Option<f64>,
    /// When it ends, in seconds.
    pub end: Option<f64>,
    /// The text. Each run of white space is a single space.
    pub text: String,
    /// The speaker, if known.
    pub speaker: Option<String>,
}

impl Segment {
    /// Its two halves, cut between words; `None` if there is only one word.
    pub(crate) fn halves(&self) -> Option<[Self; 2]> {
        let bounds = pieces(&self.text).map(|(at, _)| at).filter(|&at| at > 0);
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

/// A note as stored, which may have been edited.
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
    /// A note from plain text, with a segment for each sentence.
    pub fn text(text: &str) -> Self {
        Self::from_segments(said_by(None, text))
    }

    /// A note from the segments of a speech recognizer. They are numbered again from 1, and empty ones are left out.
    pub fn from_segments(segments: impl IntoIterator<Item = Segment>) -> Self {
        let mut note = Self::default();
        segments.into_iter().for_each(|segment| note.push(segment));
        note
    }

    /// Appends a segment with the next id. An empty one is left out.
    pub(crate) fn push(&mut self, mut segment: Segment) {
        segment.text = collapse_white_space(&segment.text);
        segment.speaker = segment.speaker.map(|name| collapse_white_space(&name)).filter(|name| !name.is_empty());
        if !segment.text.is_empty() {
            segment.id = self.segments.len() as u32 + 1;
            self.segments.push(segment);
        }
    }

    /// The segments, in the order in which they were said. Summaries refer to their ids, which count from 1: id `id` in
    /// a summary's evidence is `segments()[id - 1]`, which has the time and the speaker.
    pub fn segments(&self) -> &[Segment] {
        &self.segments
    }
}

/// The sentences of one speaker, as segments without times.
pub(crate) fn said_by(speaker: Option<&str>, text: &str) -> impl Iterator<Item = Segment> {
    let speaker = speaker.map(str::to_owned);
    sentences(text).into_iter().map(move |text| Segment {
        id: 0,
        start: None,
        end: None,
        text,
        speaker: speaker.clone(),
    })
}

fn collapse_white_space(text: &str) -> String {
    without_controls(text).split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(note: &VoiceNote) -> Vec<&str> {
        note.segments().iter().map(|segment| segment.text.as_str()).collect()
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
}
