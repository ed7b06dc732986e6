//! Reads transcripts: what recorders and recognizers write.

mod time;
mod turns;

use crate::note::{Segment, said_by};
use time::{TimedLine, timed_line};
use turns::speaker_line;

/// The segments of a transcript, not numbered yet.
pub(crate) fn segments(text: &str) -> Vec<Segment> {
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    if let Some(timed) = lines.iter().map(|line| timed_line(line)).collect::<Option<Vec<_>>>()
        && !timed.is_empty()
    {
        return of_timed_lines(timed);
    }
    match lines.iter().map(|line| speaker_line(line)).collect::<Option<Vec<_>>>() {
        Some(turns) if turns.len() > 1 => {
            turns.into_iter().flat_map(|(speaker, said)| said_by(Some(speaker), said)).collect()
        }
        _ => said_by(None, text).collect(),
    }
}

fn of_timed_lines(timed: Vec<TimedLine>) -> Vec<Segment> {
    let all_named = timed.len() > 1 && timed.iter().all(|line| speaker_line(line.said).is_some());
    let starts: Vec<f64> = timed.iter().map(|line| line.start).collect();
    let segment = |(index, line): (usize, TimedLine)| {
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
    };
    timed.into_iter().enumerate().map(segment).collect()
}

#[cfg(test)]
mod tests {
    use crate::VoiceNote;
    use proptest::prelude::*;

    fn texts(note: &VoiceNote) -> Vec<&str> {
        note.segments().iter().map(|segment| segment.text.as_str()).collect()
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

    proptest! {
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
