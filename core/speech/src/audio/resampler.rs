use rubato::audioadapter_buffers::direct::SequentialSlice;
use rubato::{
    Async, FixedAsync, Indexing, Resampler as _, SincInterpolationParameters, SincInterpolationType, WindowFunction,
};

use crate::{SAMPLE_RATE, SpeechError};

/// Samples that are resampled at once.
const CHUNK: usize = 1024;
/// The length of the filter in samples. Its passband ends at 7.4 of 8 kHz, which is enough for speech.
const FILTER: usize = 128;

/// Resamples mono sound to 16 kHz, in pieces of any length, without a time shift.
pub(super) struct Resampler {
    inner: Async<f32>,
    sample_rate: u32,
    /// Samples that are not resampled yet: less than a chunk.
    waiting: Vec<f32>,
    produced: Vec<f32>,
    /// The number of samples received, and returned.
    taken: u64,
    given: u64,
    /// The filter's delay, in samples.
    delay: usize,
}

impl Resampler {
    pub(super) fn new(sample_rate: u32) -> Result<Self, SpeechError> {
        let filter = SincInterpolationParameters::new(FILTER, WindowFunction::BlackmanHarris2)
            .oversampling_factor(256)
            .interpolation(SincInterpolationType::Linear);
        let ratio = SAMPLE_RATE as f64 / f64::from(sample_rate);
        let inner = Async::new_sinc(ratio, 1.0, &filter, CHUNK, 1, FixedAsync::Input).map_err(fault)?;
        Ok(Self {
            sample_rate,
            waiting: Vec::with_capacity(2 * CHUNK),
            produced: vec![0.0; inner.output_frames_max()],
            taken: 0,
            given: 0,
            delay: inner.output_delay(),
            inner,
        })
    }

    /// Appends the output that `samples` complete to `out`.
    pub(super) fn push(&mut self, mut samples: &[f32], out: &mut Vec<f32>) -> Result<(), SpeechError> {
        self.taken += samples.len() as u64;
        while !samples.is_empty() {
            let (now, later) = samples.split_at(samples.len().min(CHUNK - self.waiting.len()));
            self.waiting.extend_from_slice(now);
            samples = later;
            if self.waiting.len() == CHUNK {
                self.resample(out)?;
            }
        }
        Ok(())
    }

    /// Appends the rest to `out`: in total, the duration stays the same.
    pub(super) fn finish(&mut self, out: &mut Vec<f32>) -> Result<(), SpeechError> {
        let expected = (self.taken * SAMPLE_RATE as u64).div_ceil(u64::from(self.sample_rate));
        while self.given < expected {
            self.resample(out)?;
        }
        out.truncate(out.len() - (self.given - expected) as usize);
        self.given = expected;
        Ok(())
    }

    /// Resamples the waiting samples, padded with silence to a chunk.
    fn resample(&mut self, out: &mut Vec<f32>) -> Result<(), SpeechError> {
        let now = Indexing::new().partial_len(self.waiting.len());
        self.waiting.resize(CHUNK, 0.0);
        let frames = self.produced.len();
        let input = SequentialSlice::new(&self.waiting, 1, CHUNK).map_err(fault)?;
        let mut output = SequentialSlice::new_mut(&mut self.produced, 1, frames).map_err(fault)?;
        let (_, produced) = self.inner.process_into_buffer(&input, &mut output, Some(&now)).map_err(fault)?;
        self.waiting.clear();
        let late = self.delay.min(produced);
        self.delay -= late;
        // The filter may go beyond what it was given.
        out.extend(self.produced[late..produced].iter().map(|sample| sample.clamp(-1.0, 1.0)));
        self.given += (produced - late) as u64;
        Ok(())
    }
}

impl std::fmt::Debug for Resampler {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Resampler").field("sample_rate", &self.sample_rate).finish_non_exhaustive()
    }
}

/// An impossible error: the rate was checked, and the buffers have the requested lengths.
fn fault(error: impl std::fmt::Display) -> SpeechError {
    SpeechError::Internal(format!("resampling: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A second of a tone, in Hz.
    fn tone(frequency: f64, sample_rate: u32) -> Vec<f32> {
        let turn = std::f64::consts::TAU * frequency / f64::from(sample_rate);
        (0..sample_rate).map(|i| (0.5 * (turn * f64::from(i)).sin()) as f32).collect()
    }

    fn resampled(samples: &[f32], sample_rate: u32, piece: usize) -> Vec<f32> {
        let (mut resampler, mut out) = (Resampler::new(sample_rate).unwrap(), Vec::new());
        samples.chunks(piece).for_each(|samples| resampler.push(samples, &mut out).unwrap());
        resampler.finish(&mut out).unwrap();
        out
    }

    fn loudest(samples: impl Iterator<Item = f32>) -> f32 {
        samples.map(f32::abs).fold(0.0, f32::max)
    }

    /// What the middle of a second of sound is besides a tone of 1 kHz, that tone's height, and how late it is in seconds.
    fn parts(samples: &[f32]) -> (f32, f64, f64) {
        let turn = |i: usize| std::f64::consts::TAU * i as f64 / 16.0;
        let inner = 480..15_520;
        let share = |wave: fn(f64) -> f64| -> f64 {
            inner.clone().map(|i| f64::from(samples[i]) * wave(turn(i))).sum::<f64>() * 2.0 / inner.len() as f64
        };
        let (sine, cosine) = (share(f64::sin), share(f64::cos));
        let rest = inner.clone().map(|i| samples[i] - (sine * turn(i).sin() + cosine * turn(i).cos()) as f32);
        (loudest(rest), sine.hypot(cosine), -cosine.atan2(sine) / std::f64::consts::TAU / 1000.0)
    }

    /// What is added to a tone: -60 dB of full scale.
    const RESAMPLING_ERROR: f32 = 1e-3;
    /// A frame of the voice detector is a hundred times as long.
    const LATEST: f64 = 125e-6;

    #[test]
    fn a_tone_keeps_its_height_its_loudness_and_its_place() {
        for sample_rate in [8_000, 11_025, 16_001, 22_050, 32_000, 44_100, 48_000, 96_000, 192_000] {
            let out = resampled(&tone(1000.0, sample_rate), sample_rate, 4_801);
            assert_eq!(out.len(), 16_000, "{sample_rate} Hz");
            let (error, height, late) = parts(&out);
            assert!(error < RESAMPLING_ERROR, "{sample_rate} Hz: {error}");
            assert!((height - 0.5).abs() < 0.001, "{sample_rate} Hz: {height}");
            assert!(late.abs() < LATEST, "{sample_rate} Hz: {late} s");
        }
    }

    #[test]
    fn what_16_khz_cannot_hold_is_gone() {
        let out = resampled(&tone(11_000.0, 48_000), 48_000, 480);
        assert!(loudest(out[500..15_500].iter().copied()) < 1e-3);
    }

    #[test]
    fn pieces_of_any_length_give_the_same() {
        let sound: Vec<f32> = (0..30_011_u64).map(|i| (i * i % 2_001) as f32 / 1_000.5 - 1.0).collect();
        let whole = resampled(&sound, 44_100, usize::MAX);
        assert_eq!(whole.len(), (30_011 * 16_000_usize).div_ceil(44_100));
        for piece in [1, 7, 1023, 1024, 1025, 20_000] {
            assert_eq!(resampled(&sound, 44_100, piece), whole, "{piece}");
        }
        for few in [0, 1, 2, 100] {
            assert_eq!(resampled(&sound[..few], 44_100, 1).len(), (few * 16_000).div_ceil(44_100));
        }
    }
}
