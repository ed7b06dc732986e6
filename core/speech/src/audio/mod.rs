//! Recordings and microphones: converts sound of any rate and layout to 16 kHz mono.

mod converter;
#[cfg_attr(not(feature = "files"), path = "file_left_out.rs")]
mod file;
mod pcm;
mod reader;
mod resampler;
#[cfg(all(test, feature = "files"))]
mod tests;
#[cfg(all(test, feature = "files"))]
mod wav;

use std::path::{Path, PathBuf};

use crate::SpeechError;
pub use converter::Converter;
pub(crate) use pcm::check_floats;
pub use pcm::{PcmFormat, Samples};
pub use reader::AudioReader;

/// A recording.
#[derive(Debug, Clone)]
pub struct Audio(Source);

#[derive(Debug, Clone)]
enum Source {
    /// Mono.
    Samples {
        samples: Vec<f32>,
        sample_rate: u32,
    },
    Path(PathBuf),
    Bytes(Vec<u8>),
}

impl Audio {
    /// A recording from samples in memory. Channels are mixed into one; samples beyond ±1 are clipped.
    ///
    /// # Errors
    /// [`SpeechError::AudioInvalid`] for an empty recording, a sample that is not a finite number, an unsupported rate
    /// or number of channels, and floats that were meant as 16-bit numbers.
    pub fn samples(samples: Samples<'_>, format: PcmFormat) -> Result<Self, SpeechError> {
        let mut mono = Vec::new();
        format.mix(samples, &mut mono)?;
        match mono.is_empty() {
            true => Err(SpeechError::audio("the recording has no samples")),
            false => Ok(Self(Source::Samples { samples: mono, sample_rate: format.sample_rate })),
        }
    }

    /// A file: WAV, FLAC, MP3, M4A with AAC or ALAC, or OGG with Vorbis. It is read while it is transcribed, in bounded
    /// memory. This needs the feature `files`, which phone libraries leave out: the platform decodes more formats and
    /// takes no extra space.
    pub fn file(path: impl AsRef<Path>) -> Self {
        Self(Source::Path(path.as_ref().to_owned()))
    }

    /// Such a file's content.
    pub fn bytes(bytes: Vec<u8>) -> Self {
        Self(Source::Bytes(bytes))
    }

    /// Begins to read.
    ///
    /// # Errors
    /// [`SpeechError::AudioInvalid`] for a file that cannot be read, is not an audio file, or has an unsupported
    /// format; [`SpeechError::Unsupported`] for any file without the feature `files`.
    pub fn open(self) -> Result<AudioReader, SpeechError> {
        match self.0 {
            Source::Samples { samples, sample_rate } => AudioReader::of_samples(samples, sample_rate),
            Source::Path(path) => AudioReader::of_file(file::Decoded::open(&path)?),
            Source::Bytes(bytes) => AudioReader::of_file(file::Decoded::of_bytes(bytes)?),
        }
    }
}
