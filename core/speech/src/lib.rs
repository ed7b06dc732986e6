//! Speech becomes text with times: Whisper models on Sotto's kernels and threads.
//!
//! [`SpeechModel`] reads a model file and is shared; a [`Recognizer`] owns the memory that one recording needs, and turns windows of
//! at most 30 seconds into segments.
//!
//! ```no_run
//! # fn main() -> Result<(), sotto_speech::SpeechError> {
//! use sotto_speech::{CancelToken, SpeechModel, SpeechOptions, WindowOptions};
//!
//! let cancel = CancelToken::new();
//! let model = SpeechModel::load("ggml-base.bin", SpeechOptions::default(), &cancel)?;
//! let mut recognizer = model.recognizer()?;
//! let samples = vec![0.0; 16_000];
//! let heard = recognizer.window(&samples, &WindowOptions::default(), &cancel)?;
//! for segment in &heard.segments {
//!     println!("{:.2} {}", segment.start, segment.text);
//! }
//! # Ok(())
//! # }
//! ```

mod audio;
mod decoding;
mod error;
#[cfg(test)]
mod formats;
mod forward;
#[cfg(test)]
mod golden;
mod hearing;
mod language;
mod mel;
mod memory;
mod model;
mod options;
mod recognizer;
mod segments;
#[cfg(test)]
mod small_model;
mod transcript;
mod vocabulary;
mod words;

pub use audio::{Audio, AudioReader, Converter, PcmFormat, Samples};
pub use error::SpeechError;
pub use hearing::{Earshot, FRAME, Figures, Recognize, TranscribeOptions, Transcriber, VoiceDetector};
pub use language::Language;
pub use memory::SpeechMemory;
pub use model::{Precision, SpeechModel, SpeechOptions};
pub use options::{Task, WindowOptions};
pub use recognizer::Recognizer;
pub use sotto_engine::CancelToken;
pub use transcript::{Segment, WindowTranscript, Word};

/// Samples in a second, as the models hear them.
pub const SAMPLE_RATE: usize = 16_000;

/// Samples in the longest window, 30 seconds.
pub const WINDOW_SAMPLES: usize = 30 * SAMPLE_RATE;
