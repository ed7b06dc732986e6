use std::ops::RangeInclusive;

use crate::{SAMPLE_RATE, SpeechError};

/// From telephones to studios, in Hz.
const RATES: RangeInclusive<u32> = 8_000..=192_000;
const CHANNELS: RangeInclusive<u16> = 1..=32;
/// Floats range from -1 to 1, or slightly beyond if a recorder did not clip. Larger values must be 16-bit numbers.
const LOUDEST: f32 = 8.0;

/// How samples lie in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PcmFormat {
    /// Samples per second and channel, 8,000 to 192,000.
    pub sample_rate: u32,
    /// Number of interleaved channels: 1 for mono, 2 for stereo.
    pub channels: u16,
}

/// Interleaved samples.
#[derive(Debug, Clone, Copy)]
pub enum Samples<'a> {
    /// From -1 to 1.
    F32(&'a [f32]),
    /// From -32,768 to 32,767.
    I16(&'a [i16]),
}

impl Default for PcmFormat {
    /// The input of speech models: 16 kHz mono.
    fn default() -> Self {
        Self { sample_rate: SAMPLE_RATE as u32, channels: 1 }
    }
}

impl PcmFormat {
    /// # Errors
    /// [`SpeechError::AudioInvalid`] for an unsupported rate or number of channels.
    pub(super) fn check(self) -> Result<(), SpeechError> {
        if !RATES.contains(&self.sample_rate) {
            let (least, most) = (RATES.start(), RATES.end());
            let why = format!("a sample rate of {} Hz: {least} to {most} Hz are supported", self.sample_rate);
            return Err(SpeechError::audio(why));
        }
        match CHANNELS.contains(&self.channels) {
            true => Ok(()),
            false => {
                Err(SpeechError::audio(format!("{} channels: 1 to {} are supported", self.channels, CHANNELS.end())))
            }
        }
    }

    /// Appends the mean of all channels to `mono`, from -1 to 1. After an error, nothing is appended.
    ///
    /// # Errors
    /// [`SpeechError::AudioInvalid`]: as [`PcmFormat::check`]; an incomplete last frame; a sample that is not a finite
    /// number or not between -1 and 1.
    pub(super) fn mix(self, samples: Samples<'_>, mono: &mut Vec<f32>) -> Result<(), SpeechError> {
        self.check()?;
        let channels = usize::from(self.channels);
        let len = match samples {
            Samples::F32(samples) => samples.len(),
            Samples::I16(samples) => samples.len(),
        };
        if !len.is_multiple_of(channels) {
            return Err(SpeechError::audio(format!(
                "{len} samples are not a whole number of frames of {channels} channels"
            )));
        }
        match samples {
            Samples::F32(samples) => {
                check_floats(samples)?;
                mono.extend(
                    samples
                        .chunks_exact(channels)
                        .map(|frame| mean(frame.iter().map(|s| s.clamp(-1.0, 1.0)), channels)),
                );
            }
            Samples::I16(samples) => {
                let frames = samples.chunks_exact(channels);
                mono.extend(frames.map(|frame| mean(frame.iter().map(|&s| f32::from(s) / 32_768.0), channels)));
            }
        }
        Ok(())
    }
}

fn mean(frame: impl Iterator<Item = f32>, channels: usize) -> f32 {
    frame.sum::<f32>() / channels as f32
}

/// Checks that these are sound.
///
/// # Errors
/// [`SpeechError::AudioInvalid`] for a sample that is not a finite number, or is far beyond ±1.
pub(crate) fn check_floats(samples: &[f32]) -> Result<(), SpeechError> {
    let Some(at) = samples.iter().position(|sample| sample.is_nan() || sample.abs() > LOUDEST) else { return Ok(()) };
    let why = match samples[at].is_finite() {
        true => "is far outside -1 to 1: pass 16-bit samples as integers, or divide them by 32,768",
        false => "is not a finite number",
    };
    Err(SpeechError::audio(format!("sample {at} {why}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    const STEREO: PcmFormat = PcmFormat { sample_rate: 48_000, channels: 2 };

    fn mixed(format: PcmFormat, samples: Samples<'_>) -> Result<Vec<f32>, String> {
        let mut mono = Vec::new();
        format.mix(samples, &mut mono).map_err(|error| error.to_string())?;
        Ok(mono)
    }

    #[test]
    fn channels_are_mixed_and_loud_samples_clipped() {
        assert_eq!(mixed(STEREO, Samples::F32(&[0.5, 0.25, 1.5, 0.0])), Ok(vec![0.375, 0.5]));
        assert_eq!(mixed(STEREO, Samples::I16(&[i16::MIN, i16::MIN, 16_384, 0])), Ok(vec![-1.0, 0.25]));
        assert_eq!(mixed(PcmFormat::default(), Samples::I16(&[])), Ok(vec![]));
    }

    #[test]
    fn what_is_no_sound_is_refused_in_words() {
        let mono = PcmFormat::default();
        for (format, samples, words) in [
            (mono, Samples::F32(&[0.0, f32::NAN]), "sample 1 is not a finite number"),
            (mono, Samples::F32(&[f32::NEG_INFINITY]), "sample 0 is not a finite number"),
            (mono, Samples::F32(&[0.0, 0.0, -700.0]), "sample 2 is far outside"),
            (STEREO, Samples::I16(&[1, 2, 3]), "3 samples are not a whole number"),
            (PcmFormat { sample_rate: 0, ..mono }, Samples::I16(&[]), "a sample rate of 0 Hz"),
            (PcmFormat { sample_rate: 7_999, ..mono }, Samples::I16(&[]), "a sample rate of 7999 Hz"),
            (PcmFormat { sample_rate: u32::MAX, ..mono }, Samples::I16(&[]), "8000 to 192000 Hz are supported"),
            (PcmFormat { channels: 0, ..mono }, Samples::I16(&[]), "0 channels"),
            (PcmFormat { channels: 33, ..mono }, Samples::I16(&[]), "33 channels"),
        ] {
            let error = mixed(format, samples).expect_err(words);
            assert!(error.contains(words), "{error}");
        }
    }
}
