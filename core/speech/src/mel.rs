//! Log-mel spectrograms, as Whisper was trained to see them.
//!
//! The Fourier transform over 400 samples is two matrix products: of what samples around a frame's middle have in common
//! with cosines, and of their differences with sines. That takes 80,400 multiply-accumulates a frame, a hundredth of what
//! the encoder takes, and the kernels and threads are there already.

use std::f64::consts::PI;

use sotto_engine::compute::{Chunks, Compute, Input, InputRoom, WeightMatrix, resize};
use sotto_engine::{CancelToken, DType};

use crate::{SpeechError, WINDOW_SAMPLES};

/// Samples that a frame is made of, in the middle of which it stands.
const FRAME: usize = 400;
/// Samples from one frame to the next, 10 ms.
pub(crate) const HOP: usize = 160;
/// Pairs of samples that are as far from the middle, and the middle itself; the outermost sample has no weight.
const HALF: usize = FRAME / 2;
/// Frequencies of the transform, 40 Hz apart.
const FREQUENCIES: usize = HALF + 1;
const HERTZ_APART: f64 = 40.0;
/// Frames that are transformed together.
const TOGETHER: usize = 60;
/// Powers below it are taken for it.
const SMALLEST_POWER: f32 = 1e-10;
/// Powers of ten that the loudest is above the softest that counts.
const RANGE: f32 = 8.0;

/// What turns samples into spectrograms.
#[derive(Debug)]
pub(crate) struct MelTransform {
    /// `[FREQUENCIES, HALF]`.
    cosines: WeightMatrix,
    /// `[FREQUENCIES, HALF]`.
    sines: WeightMatrix,
    /// The weights of samples 1 to [`HALF`] of a frame (Hann); the others mirror them.
    window: Vec<f32>,
    filters: Vec<Filter>,
}

/// The weights of frequencies in a band.
#[derive(Debug)]
struct Filter {
    first: usize,
    weights: Vec<f32>,
}

/// The buffers of a transform.
#[derive(Debug, Default)]
pub(crate) struct MelRoom {
    even: Vec<f32>,
    odd: Vec<f32>,
    real: Vec<f32>,
    imaginary: Vec<f32>,
    input: InputRoom,
}

impl MelTransform {
    pub(crate) fn new(bands: usize, cancel: &CancelToken) -> Result<Self, SpeechError> {
        let angle = |frequency: usize, sample: usize| 2.0 * PI * ((frequency * sample) % FRAME) as f64 / FRAME as f64;
        let window = (1..=HALF).map(|sample| (0.5 - 0.5 * angle(1, sample).cos()) as f32).collect();
        Ok(Self {
            cosines: matrix("cosines", cancel, |frequency, sample| angle(frequency, sample).cos())?,
            sines: matrix("sines", cancel, |frequency, sample| angle(frequency, sample).sin())?,
            window,
            filters: filters(bands),
        })
    }

    /// The first `frames` frames of `samples` and the silence after them, `[frames, bands]`.
    ///
    /// # Errors
    /// [`SpeechError::OutOfMemory`], [`SpeechError::Cancelled`].
    pub(crate) fn log_mel(
        &self,
        compute: &Compute<'_>,
        samples: &[f32],
        frames: usize,
        room: &mut MelRoom,
        out: &mut Vec<f32>,
    ) -> Result<(), SpeechError> {
        let bands = self.filters.len();
        resize(out, frames * bands)?;
        // Frames that hear nothing but the silence need no transform.
        let sounding = frames.min((samples.len() + HALF).div_ceil(HOP));
        let (heard, silent) = out.split_at_mut(sounding * bands);
        silent.fill(SMALLEST_POWER.log10());
        for (part, out) in heard.chunks_mut(TOGETHER * bands).enumerate() {
            compute.cancel.check()?;
            self.transform(compute, samples, part * TOGETHER, room, out)?;
        }
        let loudest = out.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        out.iter_mut().for_each(|power| *power = (power.max(loudest - RANGE) + 4.0) / 4.0);
        Ok(())
    }

    /// The logarithms of powers from frame `first` on, as many as `out` has room for.
    fn transform(
        &self,
        compute: &Compute<'_>,
        samples: &[f32],
        first: usize,
        room: &mut MelRoom,
        out: &mut [f32],
    ) -> Result<(), SpeechError> {
        let bands = self.filters.len();
        let frames = out.len() / bands;
        for half in [&mut room.even, &mut room.odd] {
            resize(half, frames * HALF)?;
        }
        for half in [&mut room.real, &mut room.imaginary] {
            resize(half, frames * FREQUENCIES)?;
        }
        let halves = (Chunks::new(&mut room.even, HALF), Chunks::new(&mut room.odd, HALF));
        compute.team.run_parts(halves, |frame, (even, odd)| self.fold(samples, first + frame, even, odd));
        for (values, matrix, out) in
            [(&room.even, &self.cosines, &mut room.real), (&room.odd, &self.sines, &mut room.imaginary)]
        {
            compute.multiply(Input { values, cols: HALF, room: &mut room.input }, [(matrix, &mut out[..])]);
        }
        let (real, imaginary) = (&room.real, &room.imaginary);
        compute.team.run_parts(Chunks::new(out, bands), |frame, out| {
            let mut powers = [0.0; FREQUENCIES];
            let at = frame * FREQUENCIES;
            let both = real[at..].iter().zip(&imaginary[at..]);
            powers.iter_mut().zip(both).for_each(|(power, (re, im))| *power = re * re + im * im);
            for (out, filter) in out.iter_mut().zip(&self.filters) {
                *out = filter.apply(&powers).max(SMALLEST_POWER).log10();
            }
        });
        Ok(())
    }

    /// The weighted samples of a frame: sums of those that mirror each other, and differences.
    fn fold(&self, samples: &[f32], frame: usize, even: &mut [f32], odd: &mut [f32]) {
        let start = (frame * HOP) as isize - HALF as isize;
        let sample = |at: usize| sample(samples, start + at as isize);
        for (at, ((even, odd), weight)) in (1..).zip(even.iter_mut().zip(odd).zip(&self.window)) {
            let (left, right) = (sample(at), sample(FRAME - at));
            let (sum, difference) = if at == HALF { (left, 0.0) } else { (left + right, left - right) };
            (*even, *odd) = (weight * sum, weight * difference);
        }
    }
}

impl Filter {
    fn apply(&self, powers: &[f32; FREQUENCIES]) -> f32 {
        self.weights.iter().zip(&powers[self.first..]).map(|(weight, power)| weight * power).sum()
    }
}

/// The sample at a place of a window of 30 seconds that mirrors itself at both ends; after `samples`, silence.
fn sample(samples: &[f32], at: isize) -> f32 {
    let at = at.unsigned_abs();
    let at = if at < WINDOW_SAMPLES { at } else { 2 * (WINDOW_SAMPLES - 1) - at };
    samples.get(at).copied().unwrap_or(0.0)
}

fn matrix(
    name: &str,
    cancel: &CancelToken,
    element: impl Fn(usize, usize) -> f64,
) -> Result<WeightMatrix, SpeechError> {
    let elements = (0..FREQUENCIES).flat_map(|frequency| (1..=HALF).map(move |sample| (frequency, sample)));
    let mut elements = elements.map(|(frequency, sample)| element(frequency, sample) as f32);
    let matrix = WeightMatrix::pack_rows_of(name, DType::F32, [FREQUENCIES, HALF], cancel, |bytes| {
        let words = bytes.as_chunks_mut::<4>().0.iter_mut();
        words.zip(&mut elements).for_each(|(word, element)| *word = element.to_le_bytes());
        Ok(())
    });
    Ok(matrix?)
}

/// Triangles over the frequencies, as far apart as they sound (Slaney, "Auditory Toolbox", 1998), each of the same area.
fn filters(bands: usize) -> Vec<Filter> {
    let highest = mel(HERTZ_APART * HALF as f64);
    let corner = |index: usize| hertz(highest * index as f64 / (bands + 1) as f64);
    let filter = |band: usize| {
        let [low, middle, high] = [0, 1, 2].map(|side| corner(band + side));
        let weight = |frequency: usize| {
            let hertz = HERTZ_APART * frequency as f64;
            let slope = ((hertz - low) / (middle - low)).min((high - hertz) / (high - middle));
            (slope.max(0.0) * 2.0 / (high - low)) as f32
        };
        let inside: Vec<usize> = (0..FREQUENCIES).filter(|&frequency| weight(frequency) > 0.0).collect();
        Filter { first: inside.first().copied().unwrap_or(0), weights: inside.into_iter().map(weight).collect() }
    };
    (0..bands).map(filter).collect()
}

/// Where the scale of mels turns from linear to logarithmic, in mels and in hertz; and the logarithm of a mel's ratio above.
const TURN: (f64, f64) = (15.0, 1000.0);
const LOG_STEP: f64 = 0.068_751_777_420_949_12;

fn mel(hertz: f64) -> f64 {
    match hertz < TURN.1 {
        true => hertz / TURN.1 * TURN.0,
        false => TURN.0 + (hertz / TURN.1).ln() / LOG_STEP,
    }
}

fn hertz(mel: f64) -> f64 {
    match mel < TURN.0 {
        true => mel / TURN.0 * TURN.1,
        false => TURN.1 * ((mel - TURN.0) * LOG_STEP).exp(),
    }
}
