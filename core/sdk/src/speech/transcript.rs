use serde::{Deserialize, Serialize};
use sotto_speech::{Figures, Recognize, SpeechMemory, Transcriber, Word};

use crate::note::{Segment, VoiceNote};

/// What was said in a recording.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Transcript {
    /// The code of the language that was given, or that most of the recording is in, such as `en`; `None` where nothing was said.
    pub language: Option<String>,
    /// What was said, in order.
    pub segments: Vec<TranscriptSegment>,
    /// What it cost.
    pub metrics: SpeechMetrics,
}

/// Some words that were said, mostly a sentence.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TranscriptSegment {
    /// Its number within the transcript, from 1; of a tentative one, the number that it would have.
    pub id: u32,
    /// When it starts, in seconds from the beginning of the recording.
    pub start: f64,
    /// When it ends, in seconds.
    pub end: f64,
    /// What was said.
    pub text: String,
    /// The words with their times, where they were asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub words: Option<Vec<TranscriptWord>>,
    /// How likely it is that nobody spoke, from 0 to 1.
    pub no_speech: f32,
    /// The mean of its tokens' log probabilities, in nats: near 0 where the model is sure.
    pub mean_log_probability: f32,
}

/// A word and when it was said.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TranscriptWord {
    /// In seconds from the beginning of the recording.
    pub start: f64,
    /// In seconds from the beginning of the recording.
    pub end: f64,
    /// With its punctuation.
    pub text: String,
    /// How likely it is, from 0 to 1.
    pub probability: f32,
}

/// What has been understood since the part before.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct TranscriptPart {
    /// What has become certain: it follows the confirmed segments of the parts before, and never changes.
    pub confirmed: Vec<TranscriptSegment>,
    /// What was said after that, as far as it is understood by now. The next part has it anew.
    pub tentative: Vec<TranscriptSegment>,
    /// How much of the recording is certain, in seconds from its beginning.
    pub heard_seconds: f64,
    /// How long the recording is, in seconds, where that is known.
    pub audio_seconds: Option<f64>,
}

/// What a transcript cost.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct SpeechMetrics {
    /// How long the recording is, in seconds.
    pub audio_seconds: f64,
    /// How much sound the model was given, in seconds: all but silence, and what was tentative first more than once.
    pub window_seconds: f64,
    /// In how many windows.
    pub windows: usize,
    /// How long the model worked, in seconds.
    pub seconds: f64,
    /// Seconds of work for each second of the recording: below 1, it is faster than one speaks.
    pub real_time_factor: f64,
    /// Private memory of the model and of what transcribes with it, in bytes.
    pub private_bytes: u64,
}

impl SpeechMetrics {
    pub(super) fn new(figures: Figures, memory: SpeechMemory) -> Self {
        let Figures { audio_seconds, window_seconds, windows, recognizer_seconds: seconds } = figures;
        let real_time_factor = if audio_seconds > 0.0 { seconds / audio_seconds } else { 0.0 };
        let private_bytes = memory.weights + memory.recognizer;
        Self { audio_seconds, window_seconds, windows, seconds, real_time_factor, private_bytes }
    }
}

/// A transcript while it grows.
#[derive(Default)]
pub(super) struct Growing {
    segments: Vec<TranscriptSegment>,
}

impl Growing {
    /// Numbers what has become certain, and keeps it.
    pub(super) fn confirm(&mut self, segments: Vec<sotto_speech::Segment>) -> Vec<TranscriptSegment> {
        let confirmed = self.numbered(segments);
        self.segments.extend_from_slice(&confirmed);
        confirmed
    }

    /// Numbers what would come next.
    pub(super) fn numbered(&self, segments: Vec<sotto_speech::Segment>) -> Vec<TranscriptSegment> {
        let next = self.segments.len() as u32 + 1;
        (next..).zip(segments).map(|(id, segment)| numbered(id, segment)).collect()
    }

    pub(super) fn finish<R: Recognize>(self, transcriber: &Transcriber<R>, memory: SpeechMemory) -> Transcript {
        Transcript {
            language: transcriber.language().map(|language| language.code().to_owned()),
            segments: self.segments,
            metrics: SpeechMetrics::new(transcriber.figures(), memory),
        }
    }
}

fn numbered(id: u32, segment: sotto_speech::Segment) -> TranscriptSegment {
    let words = segment.words.into_iter().map(TranscriptWord::from).collect::<Vec<_>>();
    TranscriptSegment {
        id,
        start: segment.start,
        end: segment.end,
        text: segment.text,
        words: (!words.is_empty()).then_some(words),
        no_speech: segment.no_speech,
        mean_log_probability: segment.mean_log_probability,
    }
}

impl From<Word> for TranscriptWord {
    fn from(Word { start, end, text, probability }: Word) -> Self {
        Self { start, end, text, probability }
    }
}

impl From<&TranscriptSegment> for Segment {
    fn from(segment: &TranscriptSegment) -> Self {
        let TranscriptSegment { id, start, end, text, .. } = segment;
        Self { id: *id, start: Some(*start), end: Some(*end), text: text.clone(), speaker: None }
    }
}

impl From<&Transcript> for VoiceNote {
    /// The transcript as it is: its segments keep their ids and times.
    fn from(transcript: &Transcript) -> Self {
        Self::from_segments(transcript.segments.iter().map(Segment::from))
    }
}
