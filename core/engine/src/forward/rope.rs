use std::f64::consts::TAU;
use std::ops::Range;

use crate::{ModelConfig, RopeScaling};

/// RoPE's frequencies, scaled as the model wants them.
///
/// Frequencies and angles are rounded to `f32` where PyTorch's `LlamaForCausalLM` rounds them: at position 100,000 an
/// exact angle would differ from the one that the model was trained with by several thousandths.
#[derive(Debug)]
pub(crate) struct Rope {
    /// Radians per position, one for each pair.
    frequencies: Vec<f32>,
}

impl Rope {
    pub(crate) fn new(config: &ModelConfig) -> Self {
        let pairs = config.rope_dim / 2;
        let base = |pair: usize| {
            let exponent = 2.0 * pair as f64 / config.rope_dim as f64;
            1.0 / f64::from(config.rope_theta).powf(exponent) as f32
        };
        let frequencies = match &config.rope_scaling {
            RopeScaling::None => (0..pairs).map(base).collect(),
            RopeScaling::Linear { factor } => (0..pairs).map(|pair| base(pair) / factor).collect(),
            RopeScaling::FreqFactors(factors) => {
                factors.iter().zip(0..).map(|(factor, pair)| base(pair) / factor).collect()
            }
            RopeScaling::Llama3 { factor, low_freq_factor, high_freq_factor, original_context } => {
                let bands = Bands {
                    factor: *factor,
                    low: *low_freq_factor,
                    high: *high_freq_factor,
                    original_context: *original_context as f32,
                };
                (0..pairs).map(|pair| bands.scale(base(pair))).collect()
            }
        };
        Self { frequencies }
    }

    /// Pairs that are turned in each head.
    pub(crate) fn pairs(&self) -> usize {
        self.frequencies.len()
    }

    /// Cosines and sines for `positions`, row-major `[positions, pairs]`.
    pub(crate) fn fill(&self, positions: Range<usize>, cos: &mut [f32], sin: &mut [f32]) {
        let rows = cos.chunks_exact_mut(self.pairs()).zip(sin.chunks_exact_mut(self.pairs()));
        for (position, (cos, sin)) in positions.zip(rows) {
            for ((frequency, cos), sin) in self.frequencies.iter().zip(cos).zip(sin) {
                let angle = position as f32 * frequency;
                let (s, c) = f64::from(angle).sin_cos();
                (*cos, *sin) = (c as f32, s as f32);
            }
        }
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
