use super::pcm::{PcmFormat, Samples};
use super::resampler::Resampler;
use crate::{SAMPLE_RATE, SpeechError};

/// Converts samples of any format to 16 kHz mono, piece by piece.
#[derive(Debug)]
pub struct Converter {
    format: PcmFormat,
    /// `None` if the rate is already right.
    resampler: Option<Resampler>,
    mono: Vec<f32>,
}

impl Converter {
    /// Takes samples of this format.
    ///
    /// # Errors
    /// [`SpeechError::AudioInvalid`] for an unsupported rate or number of channels.
    pub fn new(format: PcmFormat) -> Result<Self, SpeechError> {
        format.check()?;
        let resampler = match format.sample_rate as usize {
            SAMPLE_RATE => None,
            _ => Some(Resampler::new(format.sample_rate)?),
        };
        Ok(Self { format, resampler, mono: Vec::new() })
    }

    /// Converts `samples` and appends them to `out`, from -1 to 1. Some of the output may come only with the next
    /// samples, or at the end.
    ///
    /// # Errors
    /// [`SpeechError::AudioInvalid`] for an incomplete last frame, a sample that is not a finite number, and floats
    /// that were meant as 16-bit numbers. Then none of the samples are used.
    pub fn push(&mut self, samples: Samples<'_>, out: &mut Vec<f32>) -> Result<(), SpeechError> {
        match &mut self.resampler {
            None => self.format.mix(samples, out),
            Some(resampler) => {
                self.mono.clear();
                self.format.mix(samples, &mut self.mono)?;
                resampler.push(&self.mono, out)
            }
        }
    }

    /// Appends the rest to `out` after the last samples.
    ///
    /// # Errors
    /// [`SpeechError::Internal`].
    pub fn finish(&mut self, out: &mut Vec<f32>) -> Result<(), SpeechError> {
        self.resampler.as_mut().map_or(Ok(()), |resampler| resampler.finish(out))
    }
}
