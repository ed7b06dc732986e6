//! Reads the transcripts of recorders and speech recognizers.
//!
//! Every text is accepted. A line that is not a time, a name or markup of a known format is treated as words, and never
//! changes how other lines are read.

mod captions;
mod json;
mod lines;
mod loops;
mod markup;
mod names;
mod noise;
mod speakers;
mod table;
mod time;

#[cfg(test)]
mod tests;

use crate::note::{Segment, VoiceNote, said_by, without_controls};

/// An utterance as it appears in a transcript.
#[derive(Debug, Default, Clone, PartialEq)]
struct Utterance {
    /// Seconds from the beginning of the recording.
    start: Option<f64>,
    end: Option<f64>,
    speaker: Option<String>,
    /// The words, with remarks such as `[Music]` among them.
    said: String,
    /// Whether it continues the previous utterance, unless it turns out to have its own speaker.
    continues: bool,
}

impl VoiceNote {
    /// A note from a transcript in one of the formats of recorders and speech recognizers, or from plain text.
    ///
    /// Reads WebVTT, SRT, LRC, SBV, tables with times (comma- or tab-separated), the logs and JSON of Whisper programs,
    /// the JSON of AssemblyAI, Deepgram, Google Speech-to-Text and AWS Transcribe, the transcripts and chats of meeting
    /// apps, and lines that begin with a time (`[00:04]`, `(00:04)`, `00:04 -`) or a speaker (`Priya:`,
    /// `[SPEAKER_00]`). Each timed utterance becomes a segment; everything else becomes one segment per sentence.
    /// Sounds such as `[Music]` are left out, and a recognizer's repetition loop counts once. Every text is accepted:
    /// what is not recognized as markup is treated as words.
    pub fn transcript(text: &str) -> Self {
        Self::from_segments(segments(text))
    }
}

/// The segments of a transcript, not numbered yet: one for each timed utterance, or for each sentence where nothing is timed.
fn segments(text: &str) -> Vec<Segment> {
    let text = without_controls(text.trim_start_matches('\u{feff}'));
    let mut utterances = json::read(&text).or_else(|| table::read(&text)).unwrap_or_else(|| captions::read(&text));
    speakers::assign(&mut utterances);
    let mut utterances = joined(utterances);
    utterances.iter_mut().for_each(Utterance::check_times);
    fill_ends(&mut utterances);
    utterances.retain(|utterance| !utterance.said.is_empty());
    loops::without_loops(utterances).into_iter().flat_map(Utterance::into_segments).collect()
}

impl Utterance {
    /// An impossible time counts as unknown.
    fn check_times(&mut self) {
        self.start = self.start.filter(|start| start.is_finite() && *start >= 0.0);
        self.end = self.end.filter(|end| end.is_finite() && self.start.is_some_and(|start| start <= *end));
    }

    fn into_segments(self) -> Vec<Segment> {
        let Self { start, end, speaker, said: text, .. } = self;
        match start {
            Some(_) => vec![Segment { id: 0, start, end, text, speaker }],
            None => said_by(speaker.as_deref(), &text).collect(),
        }
    }
}

/// Joins the lines of each utterance, without anything that is not speech.
fn joined(utterances: Vec<Utterance>) -> Vec<Utterance> {
    let mut joined: Vec<Utterance> = Vec::new();
    for mut next in utterances {
        next.said = noise::speech(&next.said);
        match joined.last_mut() {
            Some(last) if next.continues && next.speaker.is_none() => last.append(&next.said),
            _ => joined.push(next),
        }
    }
    joined
}

impl Utterance {
    fn append(&mut self, said: &str) {
        if !self.said.is_empty() && !said.is_empty() {
            self.said.push(' ');
        }
        self.said.push_str(said);
    }
}

/// An utterance without an end lasts until the next begins.
fn fill_ends(utterances: &mut [Utterance]) {
    let (mut next_start, mut later_start) = (None, None);
    for utterance in utterances.iter_mut().rev() {
        let Some(start) = utterance.start else { continue };
        if next_start != Some(start) {
            (next_start, later_start) = (Some(start), next_start);
        }
        utterance.end = utterance.end.or(later_start.filter(|end| *end >= start));
    }
}
