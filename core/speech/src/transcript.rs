use crate::Language;

/// The transcript of a window. Times are in seconds from the window's first sample.
#[derive(Debug, Clone, PartialEq)]
pub struct WindowTranscript {
    /// The given or the detected language.
    pub language: Language,
    /// The segments in order; empty if nothing was said.
    pub segments: Vec<Segment>,
    /// How far the window has been transcribed, in seconds. If a sentence continues past the end of the window, this is
    /// where it begins, and the next window should start there. Never zero for a window with samples.
    pub end: f64,
    /// The sentence that continues past the end of the window, as far as it is understood: without its words' times. The next window
    /// has it whole.
    pub unfinished: Option<Segment>,
}

/// A part of a window, usually a sentence.
#[derive(Debug, Clone, PartialEq)]
pub struct Segment {
    /// In seconds from the window's first sample.
    pub start: f64,
    /// In seconds from the window's first sample, not before `start`.
    pub end: f64,
    /// Without space around it; never empty.
    pub text: String,
    /// The words with their times; empty unless [`crate::WindowOptions::words`] asks for them.
    pub words: Vec<Word>,
    /// The probability that nobody spoke in the window, 0 to 1.
    pub no_speech: f32,
    /// The mean of the tokens' log probabilities in the window, in nats: near 0 if the model is sure.
    pub mean_log_probability: f32,
    /// The text as the model's tokens, which the next window can use as [`crate::WindowOptions::context`].
    pub tokens: Vec<u32>,
}

/// A word and when it was said.
#[derive(Debug, Clone, PartialEq)]
pub struct Word {
    /// In seconds from the window's first sample.
    pub start: f64,
    /// In seconds from the window's first sample, not before `start`.
    pub end: f64,
    /// The word with its punctuation, without surrounding space.
    pub text: String,
    /// The probability of its tokens, 0 to 1.
    pub probability: f32,
}
