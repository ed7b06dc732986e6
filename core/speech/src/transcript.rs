use crate::Language;

/// What was said in a window. Times are in seconds from the window's first sample.
#[derive(Debug, Clone, PartialEq)]
pub struct WindowTranscript {
    /// The language that was given, or the one that was detected.
    pub language: Language,
    /// What was said, in order; empty where nothing was.
    pub segments: Vec<Segment>,
    /// How far the window has been heard, in seconds. Where a sentence goes on past the window's end, this is where it begins: the next
    /// window should start there. Never zero for a window with samples.
    pub end: f64,
}

/// Some words of a window, mostly a sentence.
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
    /// How likely it is that nobody spoke in the window, from 0 to 1.
    pub no_speech: f32,
    /// The mean of the tokens' log probabilities in the window, in nats: near 0 where the model is sure.
    pub mean_log_probability: f32,
    /// The text as the model's tokens: what the next window may take as [`crate::WindowOptions::context`].
    pub tokens: Vec<u32>,
}

/// A word and when it was said.
#[derive(Debug, Clone, PartialEq)]
pub struct Word {
    /// In seconds from the window's first sample.
    pub start: f64,
    /// In seconds from the window's first sample, not before `start`.
    pub end: f64,
    /// With its punctuation, without space around it.
    pub text: String,
    /// How likely its tokens are, from 0 to 1.
    pub probability: f32,
}
