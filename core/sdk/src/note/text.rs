//! A note as a model reads it, and the segments that a span comes from.

use std::cell::OnceCell;
use std::ops::Range;

use super::Segment;
use super::spans::{pieces, spaced_pieces};

/// The text of some segments as a model reads it, and the position of each segment.
///
/// Segments are joined by a space; one with a speaker starts a new line, `\nname: text` (`docs/task-format.md`).
#[derive(Debug)]
pub(crate) struct NoteText {
    text: String,
    ranges: Vec<(u32, Range<usize>)>,
    /// Of each range.
    speakers: Vec<Option<String>>,
    /// Where spans may begin and end, in order; computed on first use.
    span_bounds: OnceCell<Vec<usize>>,
}

/// The lines of a text, each cut into the pieces at which a span may start and end, with the space before them.
pub(crate) fn span_pieces(text: &str) -> Vec<Vec<String>> {
    text.lines().map(spaced_pieces).filter(|pieces| !pieces.is_empty()).collect()
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
        let speakers = segments.iter().map(|segment| segment.speaker.clone()).collect();
        Self { text, ranges, speakers, span_bounds: OnceCell::new() }
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    /// The lines of the text, each cut into the pieces that a span may start and end at, with the space before them.
    pub(crate) fn span_pieces(&self) -> Vec<Vec<String>> {
        span_pieces(&self.text)
    }

    /// The ids of the segments that `span` overlaps. A span that overlaps only a speaker's name belongs to the segment
    /// after it.
    pub(crate) fn evidence(&self, span: &str) -> Vec<u32> {
        self.place(span).map(|found| self.segments_in(&found)).unwrap_or_default()
    }

    /// The ids of the segments that an occurrence of `span` overlaps: an occurrence in the segments of `near` if there
    /// is one, otherwise the nearest.
    pub(crate) fn evidence_near(&self, span: &str, near: &Range<usize>) -> Vec<u32> {
        let own = self.segments_in(near);
        let rank = |found: &Range<usize>| {
            let elsewhere = !self.segments_in(found).iter().any(|id| own.contains(id));
            (self.cuts_words(found), elsewhere, found.start.abs_diff(near.start))
        };
        self.occurrences(span).min_by_key(rank).map(|found| self.segments_in(&found)).unwrap_or_default()
    }

    /// The speaker at a position, if known, and the text before it in the same segment.
    pub(crate) fn speaker_at(&self, place: &Range<usize>) -> Option<(&str, &str)> {
        let index = self.ranges.iter().position(|(_, range)| range.contains(&place.start))?;
        let said_before = &self.text[self.ranges[index].1.start..place.start];
        Some((self.speakers[index].as_deref()?, said_before))
    }

    /// Where `span` first occurs, preferably as whole words: an unfinished summary may end within a word.
    pub(crate) fn place(&self, span: &str) -> Option<Range<usize>> {
        self.place_from(span, 0)
    }

    /// Like [`NoteText::place`], but prefers an occurrence from a given byte on.
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
        let bounds = || pieces(&self.text).flat_map(|(at, piece)| [at, at + piece.len()]).collect();
        let bounds: &Vec<usize> = self.span_bounds.get_or_init(bounds);
        [place.start, place.end].iter().any(|at| bounds.binary_search(at).is_err())
    }

    /// The ids of the segments that a range overlaps. The range of only a speaker's name belongs to the segment after
    /// it.
    pub(crate) fn segments_in(&self, place: &Range<usize>) -> Vec<u32> {
        let touched = self.ranges.iter().filter(|(_, range)| range.start < place.end && place.start < range.end);
        let mut touched: Vec<u32> = touched.map(|(id, _)| *id).collect();
        if touched.is_empty() {
            touched.extend(self.ranges.iter().find(|(_, range)| range.start >= place.end).map(|(id, _)| *id));
        }
        // Parts of a segment share its id.
        touched.dedup();
        touched
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::VoiceNote;
    use proptest::prelude::*;

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
        assert_eq!(pieces[0], [" Marta", ":", " It's", " 7:30", "."]);
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
    }
}
