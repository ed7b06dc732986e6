//! What is heard of a recording: where somebody speaks, in which windows that is transcribed, and what comes of it.

mod cutter;
#[cfg(test)]
mod fake;
mod one_language;
#[cfg(test)]
mod tests;
mod transcriber;
mod voice;

pub use transcriber::{Figures, Recognize, TranscribeOptions, Transcriber};
pub use voice::{Earshot, FRAME, VoiceDetector};
