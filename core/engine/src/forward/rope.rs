use std::f64::consts::TAU;
use std::ops::Range;

use crate::machine::zeros;
use crate::{EngineError, ModelConfig, RopeScaling};

/// RoPE's frequencies in one sequence, scaled as the model wants them for a sequence of that length.
///
/// Frequencies and angles are rounded to `f32` where PyTorch's `LlamaForCausalLM` rounds them: at position 100,000 an
/// exact angle would differ from the one that the model was trained with by several thousandths.
#[derive(Debug, Clone, PartialEq)]
pub struct Rope {
    everywhere: Frequencies,
    /// Those of windowed layers, where they are others.
    local: Option<Frequencies>,
}

/// What pairs turn by.
#[derive(Debug, Clone, PartialEq)]
struct Frequencies {
    /// Radians per position, one for each pair.
    radians: Vec<f32>,
    /// What is turned is multiplied with it.
    magnitude: f32,
}

/// Cosines and sines of some positions, `[positions, pairs]`.
#[derive(Debug)]
pub struct Turns {
    /// The cosines.
    pub cos: Vec<f32>,
    /// The sines.
    pub sin: Vec<f32>,
}

/// The turns of a pass: of all layers, and of windowed layers where they turn by others.
#[derive(Debug)]
pub struct LayerTurns {
    everywhere: Turns,
    local: Option<Turns>,
}

impl Rope {
    /// That of a sequence that may become `context_length` tokens long.
    pub fn new(config: &ModelConfig, context_length: usize) -> Self {
        let magnitude = config.rope_magnitude * magnitude(&config.rope_scaling);
        let everywhere = Frequencies { radians: scaled(config, context_length), magnitude };
        let local = config.architecture.local_rope_theta();
        let local = local.map(|theta| Frequencies { radians: unscaled(theta, config.rope_dim), magnitude: 1.0 });
        Self { everywhere, local }
    }

    /// Writes the turns of `positions` into `rows` of `turns`.
    pub fn fill(&self, positions: Range<usize>, rows: Range<usize>, turns: &mut LayerTurns) {
        self.everywhere.fill(positions.clone(), rows.clone(), &mut turns.everywhere);
        if let (Some(frequencies), Some(turns)) = (&self.local, &mut turns.local) {
            frequencies.fill(positions, rows, turns);
        }
    }
}

impl Frequencies {
    fn fill(&self, positions: Range<usize>, rows: Range<usize>, turns: &mut Turns) {
        let pairs = self.radians.len();
        let columns = rows.start * pairs..rows.end * pairs;
        let rows = turns.cos[columns.clone()].chunks_exact_mut(pairs).zip(turns.sin[columns].chunks_exact_mut(pairs));
        for (position, (cos, sin)) in positions.zip(rows) {
            for ((radians, cos), sin) in self.radians.iter().zip(cos).zip(sin) {
                let angle = position as f32 * radians;
                let (s, c) = f64::from(angle).sin_cos();
                (*cos, *sin) = (c as f32 * self.magnitude, s as f32 * self.magnitude);
            }
        }
    }
}

impl Turns {
    fn new(config: &ModelConfig, rows: usize) -> Result<Self, EngineError> {
        let len = rows * config.rope_dim / 2;
        Ok(Self { cos: zeros(len)?, sin: zeros(len)? })
    }

    /// Cosines and sines of one position.
    pub fn row(&self, row: usize, pairs: usize) -> (&[f32], &[f32]) {
        (&self.cos[row * pairs..][..pairs], &self.sin[row * pairs..][..pairs])
    }
}

impl LayerTurns {
    /// Room for so many rows.
    ///
    /// # Errors
    /// [`EngineError::OutOfMemory`].
    pub fn new(config: &ModelConfig, rows: usize) -> Result<Self, EngineError> {
        let local = config.architecture.local_rope_theta().map(|_| Turns::new(config, rows)).transpose()?;
        Ok(Self { everywhere: Turns::new(config, rows)?, local })
    }

    /// Numbers of one row.
    pub(crate) fn row_len(config: &ModelConfig) -> usize {
        config.rope_dim * (1 + usize::from(config.architecture.local_rope_theta().is_some()))
    }

    /// Those of a layer.
    pub fn of(&self, is_windowed: bool) -> &Turns {
        self.local.as_ref().filter(|_| is_windowed).unwrap_or(&self.everywhere)
    }
}

/// One frequency for each pair of `rope_dim` values.
fn unscaled(theta: f32, rope_dim: usize) -> Vec<f32> {
    let exponent = |pair: usize| 2.0 * pair as f64 / rope_dim as f64;
    (0..rope_dim / 2).map(|pair| 1.0 / f64::from(theta).powf(exponent(pair)) as f32).collect()
}

fn scaled(config: &ModelConfig, context_length: usize) -> Vec<f32> {
    let mut radians = unscaled(config.rope_theta, config.rope_dim);
    let divide = |radians: &mut [f32], factors: &[f32]| {
        radians.iter_mut().zip(factors).for_each(|(radians, factor)| *radians /= factor);
    };
    match &config.rope_scaling {
        RopeScaling::None => {}
        RopeScaling::Linear { factor } => radians.iter_mut().for_each(|radians| *radians /= factor),
        RopeScaling::FreqFactors(factors) => divide(&mut radians, factors),
        RopeScaling::LongRope { long, short, original_context } => {
            divide(&mut radians, if context_length > *original_context as usize { long } else { short });
        }
        RopeScaling::Llama3 { factor, low_freq_factor, high_freq_factor, original_context } => {
            let (low, high, original_context) = (*low_freq_factor, *high_freq_factor, *original_context as f32);
            let bands = Bands { factor: *factor, low, high, original_context };
            radians.iter_mut().for_each(|radians| *radians = bands.scale(*radians));
        }
        RopeScaling::Yarn { factor, beta_fast, beta_slow, original_context } => {
            let pair_of = |turns| pair_that_turns(turns, *original_context, config.rope_theta, config.rope_dim);
            let last = (config.rope_dim - 1) as f32;
            let (kept, divided) = (pair_of(*beta_fast).floor().max(0.0), pair_of(*beta_slow).ceil().min(last));
            for (pair, radians) in radians.iter_mut().enumerate() {
                let share = ((pair as f32 - kept) / (divided - kept).max(1e-3)).clamp(0.0, 1.0);
                *radians = *radians / factor * share + *radians * (1.0 - share);
            }
        }
    }
    radians
}

/// Which pair, a broken number, turns so often within `context` positions.
fn pair_that_turns(turns: f32, context: u32, theta: f32, rope_dim: usize) -> f32 {
    let inverse = f64::from(context) / (f64::from(turns) * TAU);
    (rope_dim as f64 * inverse.ln() / (2.0 * f64::from(theta).ln())) as f32
}

/// What a scaling makes larger.
fn magnitude(scaling: &RopeScaling) -> f32 {
    match scaling {
        RopeScaling::Yarn { factor, .. } => 1.0 + 0.1 * factor.ln(),
        _ => 1.0,
    }
}

/// Llama 3's scaling: long wavelengths are stretched, short ones kept, those between blended linearly.
///
/// As `_compute_llama3_parameters` of Hugging Face's transformers defines it.
struct Bands {
    factor: f32,
    low: f32,
    high: f32,
    original_context: f32,
}

impl Bands {
    fn scale(&self, frequency: f32) -> f32 {
        let wavelength = TAU as f32 / frequency;
        if wavelength < self.original_context / self.high {
            frequency
        } else if wavelength > self.original_context / self.low {
            frequency / self.factor
        } else {
            let smooth = (self.original_context / wavelength - self.low) / (self.high - self.low);
            (1.0 - smooth) * frequency / self.factor + smooth * frequency
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Bands;

    /// Llama 3.2 1B: factors as its converted files carry them in `rope_freqs.weight`.
    #[test]
    fn llama_3_2_bands() {
        let bands = Bands { factor: 32.0, low: 1.0, high: 4.0, original_context: 8192.0 };
        let frequency = |pair: i32| 500_000f32.powf(-f32::from(pair as i16) / 32.0);
        assert_eq!(bands.scale(frequency(0)), frequency(0), "high frequencies stay");
        assert_eq!(bands.scale(frequency(31)), frequency(31) / 32.0, "low frequencies are divided");
        let between = bands.scale(frequency(16)) / frequency(16);
        // Wavelength 4443: smooth = (8192 / 4443 - 1) / 3 = 0.2813; 0.7187 / 32 + 0.2813 = 0.3037.
        assert!((between - 0.3037).abs() < 1e-3, "{between}");
    }
}
