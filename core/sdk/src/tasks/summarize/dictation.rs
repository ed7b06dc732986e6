//! A summary that somebody else writes: held to the note's own words when it is read.

use super::merge::Merged;
use super::parse::{Answer, parse, whole_lines};
use super::{NoteSummary, SummaryOptions};
use crate::note::{NoteText, VoiceNote, without_loose_marks};

/// The summary as far as it has been written.
pub(crate) struct Dictation {
    note: NoteText,
    /// The note with small letters, as far as ASCII has any: of the same length.
    lowercase: String,
    merged: Merged,
    parsed: Answer,
    segments: Vec<u32>,
    /// The length of the whole lines that were read, and whether title and overview are among them.
    lines: (usize, bool),
}

impl Dictation {
    pub(crate) fn new(note: &VoiceNote, options: &SummaryOptions) -> Self {
        let segments = note.segments();
        let text = NoteText::new(segments);
        Self {
            lowercase: text.as_str().to_ascii_lowercase(),
            note: text,
            merged: Merged::new(segments, options, 1),
            parsed: Answer::default(),
            segments: segments.iter().map(|segment| segment.id).collect(),
            lines: (0, false),
        }
    }

    /// The note as the writer is to read it.
    pub(crate) fn note(&self) -> &str {
        self.note.as_str()
    }

    /// Takes all that has been written so far, and returns the summary if it has changed; at the end, if there is one.
    pub(crate) fn take(&mut self, written: &str, finished: bool) -> Option<NoteSummary> {
        let whole = whole_lines(written);
        if !finished && self.lines == (whole.len(), true) {
            // A part of an item says nothing yet.
            return None;
        }
        self.lines = (whole.len(), whole.contains("\nPoints:"));
        let answer = parse(&self.quoted(written), &self.note, finished);
        let mut changed = false;
        for found in answer.beyond(&self.parsed) {
            changed |= self.merged.add(found);
        }
        self.parsed = answer;
        if finished {
            self.merged.coverage.segments_read = std::mem::take(&mut self.segments);
            changed = !self.parsed.title.is_empty();
        }
        changed.then(|| self.merged.summary())
    }

    /// The text with items in the note's own words. Those that are not in the note are left out.
    fn quoted(&self, written: &str) -> String {
        let mut kept = String::new();
        let mut of_kept_item = true;
        let end = whole_lines(written).len();
        for line in written[..end].lines() {
            let Some(mark) = ["-", "  owner:", "  due:"].into_iter().find(|mark| line.starts_with(mark)) else {
                kept.push_str(line);
                kept.push('\n');
                continue;
            };
            let quote = self.quote(&line[mark.len()..]);
            if mark == "-" {
                of_kept_item = quote.is_some();
            }
            if let Some(quote) = quote.filter(|_| of_kept_item) {
                kept.push_str(&format!("{mark} {quote}\n"));
            }
        }
        let last = &written[end..];
        if last.starts_with("Title:") || last.starts_with("Overview:") {
            kept.push_str(last);
        }
        kept
    }

    /// The same words in the note, up to the case of letters and marks at their ends.
    fn quote(&self, words: &str) -> Option<&str> {
        let words = without_loose_marks(words).trim_end_matches(['.', '!', '?', ';', ',']);
        let place = self.note.place(words).map(|place| place.start);
        let place = place.or_else(|| self.lowercase.find(&words.to_ascii_lowercase()));
        place.filter(|_| !words.is_empty()).map(|start| &self.note.as_str()[start..start + words.len()])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WRITTEN: &str = "Title: the standup\nOverview: A quick note\nPoints:\n- The demo moved to Monday.\n- the moon is cheese\n\
        Actions:\n- Write a test\n  owner: Marcus\n  due: by Thursday\n- paint the moon\n  owner: Marcus\n- send the notes\n  owner: Dana\n";

    fn dictation() -> Dictation {
        let note = VoiceNote::text(
            "Okay, quick note after standup. Marcus will write a test by Thursday. I need to send the notes. Oh, and the demo moved to Monday.",
        );
        Dictation::new(&note, &SummaryOptions::default())
    }

    #[test]
    fn what_the_note_does_not_say_is_left_out() {
        let summary = dictation().take(WRITTEN, true).unwrap();
        assert_eq!((summary.title.as_str(), summary.overview.as_str()), ("The standup", "A quick note"));
        let points: Vec<_> = summary.points.iter().map(|point| (point.text.as_str(), &point.evidence[..])).collect();
        assert_eq!(points, [("the demo moved to Monday", &[4][..])]);
        let actions: Vec<_> = summary.actions.iter().map(|action| (action.text.as_str(), &action.owner)).collect();
        assert_eq!(actions, [("write a test", &Some("Marcus".to_owned())), ("send the notes", &None)]);
        assert_eq!(summary.coverage.segments_read, [1, 2, 3, 4]);
    }

    #[test]
    fn it_grows_to_the_same_wherever_it_is_cut() {
        let (mut dictation, mut last) = (dictation(), None);
        for end in (0..WRITTEN.len()).filter(|&end| WRITTEN.is_char_boundary(end)) {
            last = dictation.take(&WRITTEN[..end], false).or(last);
        }
        let whole = dictation.take(WRITTEN, true);
        assert_eq!(whole, super::tests::dictation().take(WRITTEN, true));
        assert!(last.unwrap().actions.len() + 1 >= whole.unwrap().actions.len());
    }

    #[test]
    fn what_is_no_summary_is_none() {
        assert_eq!(dictation().take("I cannot help with that.", true), None);
        assert_eq!(dictation().take("", true), None);
    }
}
