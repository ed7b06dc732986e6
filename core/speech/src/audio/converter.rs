use super::pcm::{PcmFormat, Samples};
use super::resampler::Resampler;
use crate::{SAMPLE_RATE, SpeechError};

/// Samples of any format become 16 kHz mono, piece by piece.
#[derive(Debug)]
pub struct Converter {
    format: PcmFormat,
    /// None where the rate is right.
    resampler: Option<Resampler>,
    mono: Vec<f32>,
}

impl Converter {
    /// Takes samples of this format.
    ///
    /// # Errors
    /// [`SpeechError::AudioInvalid`] for a rate or a number of channels that no recorder has.
    pub fn new(format: PcmFormat) -> Result<Self, SpeechError> {
        format.check()?;
        let resampler = match format.sample_rate as usize {
            SAMPLE_RATE => None,
            _ => Some(Resampler::new(format.sample_rate)?),
        };
        Ok(Self { format, resampler, mono: Vec::new() })
    }

    /// Appends what `samples` become to `out`, from -1 to 1. Some of it may only come with the next samples, or in the end.
    ///
    /// # Errors
    /// [`SpeechError::AudioInvalid`] for a last frame that lacks channels, a sample that is no finite number, and floats that were
    /// meant as 16-bit numbers. None of the samples is taken then.
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

    /// Appends what is left to `out`, once no more samples come.
    ///
    /// # Errors
    /// [`SpeechError::Internal`].
    pub fn finish(&mut self, out: &mut Vec<f32>) -> Result<(), SpeechError> {
        self.resampler.as_mut().map_or(Ok(()), |resampler| resampler.finish(out))
    }
}
