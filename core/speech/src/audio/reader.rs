use super::converter::Converter;
use super::file::Decoded;
use super::pcm::{PcmFormat, Samples};
use crate::SpeechError;

/// Reads a recording as 16 kHz mono, piece by piece.
#[derive(Debug)]
pub struct AudioReader {
    source: Source,
    converter: Converter,
    seconds: Option<f64>,
}

#[derive(Debug)]
enum Source {
    /// Mono samples, and how many of them have been read.
    Samples {
        samples: Vec<f32>,
        read: usize,
    },
    File(Box<Decoded>),
    Ended,
}

impl AudioReader {
    pub(super) fn of_samples(samples: Vec<f32>, sample_rate: u32) -> Result<Self, SpeechError> {
        let converter = Converter::new(PcmFormat { sample_rate, channels: 1 })?;
        let seconds = Some(samples.len() as f64 / f64::from(sample_rate));
        Ok(Self { source: Source::Samples { samples, read: 0 }, converter, seconds })
    }

    pub(super) fn of_file(file: Decoded) -> Result<Self, SpeechError> {
        let (converter, seconds) = (Converter::new(file.format())?, file.seconds());
        Ok(Self { source: Source::File(Box::new(file)), converter, seconds })
    }

    /// The length of the recording in seconds, if stated; a file may be wrong about it.
    pub fn seconds(&self) -> Option<f64> {
        self.seconds
    }

    /// Appends the next piece to `out`, usually less than a second; `false` at the end.
    ///
    /// # Errors
    /// [`SpeechError::AudioInvalid`] for a file that cannot be decoded or changes its format partway, and for samples
    /// that are not finite numbers. A truncated file is read as far as possible.
    pub fn read(&mut self, out: &mut Vec<f32>) -> Result<bool, SpeechError> {
        let more = match &mut self.source {
            Source::Samples { samples, read } => {
                let piece = &samples[*read..samples.len().min(*read + PIECE)];
                *read += piece.len();
                self.converter.push(Samples::F32(piece), out)?;
                *read < samples.len()
            }
            Source::File(file) => match file.next()? {
                Some(samples) => {
                    self.converter.push(Samples::F32(samples), out)?;
                    true
                }
                None => false,
            },
            Source::Ended => return Ok(false),
        };
        if !more {
            self.source = Source::Ended;
            self.converter.finish(out)?;
        }
        Ok(more)
    }
}

/// Samples that are converted at once.
const PIECE: usize = 16_384;
