use std::ops::RangeInclusive;

use super::config::MAX_CONTEXT_LENGTH;
use super::keys::{Keys, shortened};
use crate::EngineError;

/// The name of `rope.scaling.factor` in files from 2023.
const OLD_LINEAR_FACTOR: &str = "rope.scale_linear";
const FACTORS: RangeInclusive<f32> = 1e-3..=1e6;

/// How RoPE's frequencies are stretched for long contexts.
#[derive(Debug, Clone, PartialEq)]
pub enum RopeScaling {
    /// No scaling.
    None,
    /// All divided by a factor (position interpolation: Chen et al., 2023).
    Linear {
        /// The factor.
        factor: f32,
    },
    /// Low frequencies divided, high ones kept, those between blended: Llama 3.1 and later, `rope_type: "llama3"`.
    Llama3 {
        /// Divisor of the low frequencies.
        factor: f32,
        /// Wavelengths above `original_context / low_freq_factor` are low frequencies.
        low_freq_factor: f32,
        /// Wavelengths below `original_context / high_freq_factor` are high frequencies.
        high_freq_factor: f32,
        /// Context length of the first training, in tokens.
        original_context: u32,
    },
    /// One divisor for each pair, from the tensor `rope_freqs.weight`: how converters write Llama 3's scaling.
    FreqFactors(Vec<f32>),
    /// Like Llama 3's, but blended over pairs, and the rotated values grow a little (Peng et al., "YaRN", 2023).
    Yarn {
        /// Divisor of the low frequencies.
        factor: f32,
        /// Pairs with more rotations than this in the original context keep their frequency.
        beta_fast: f32,
        /// Pairs with fewer rotations than this are divided by the whole factor.
        beta_slow: f32,
        /// Context length of the first training, in tokens.
        original_context: u32,
    },
    /// One divisor for each pair, of two kinds: LongRoPE, from the tensors `rope_factors_long` and `rope_factors_short`.
    LongRope {
        /// For sequences longer than the original context.
        long: Vec<f32>,
        /// For all other sequences.
        short: Vec<f32>,
        /// Context length of the first training, in tokens.
        original_context: u32,
    },
}

impl RopeScaling {
    /// Reads it, for `pairs` pairs in each head.
    pub(super) fn read(keys: &Keys<'_>, pairs: usize) -> Result<Self, EngineError> {
        let kind = kind(keys)?;
        let factors = keys.factors("rope_freqs.weight", pairs)?;
        match (kind, factors) {
            // A file that has the factors and names their origin says the same twice.
            ("none" | "llama3", Some(factors)) => Ok(Self::FreqFactors(factors)),
            (_, Some(_)) => Err(EngineError::unsupported("another RoPE scaling on top of frequency factors")),
            ("none", None) => Ok(Self::None),
            ("llama3", None) => read_llama3(keys),
            ("linear", None) => Ok(Self::Linear { factor: linear_factor(keys)? }),
            ("yarn", None) => read_yarn(keys),
            ("longrope", None) => read_longrope(keys, pairs),
            (other, None) => Err(EngineError::unsupported(format!("RoPE scaling of type {:?}", shortened(other)))),
        }
    }
}

/// `rope.scaling.type`, or what a file without it means: only LongRoPE has two tensors of factors, only Llama 3's scaling has
/// frequency bands, and a bare factor is linear, as in llama.cpp.
fn kind<'a>(keys: &Keys<'a>) -> Result<&'a str, EngineError> {
    if let Some(kind) = keys.string("rope.scaling.type")? {
        return Ok(kind);
    }
    if keys.has_tensor("rope_factors_long.weight") {
        Ok("longrope")
    } else if keys.contains("rope.scaling.low_freq_factor") {
        Ok("llama3")
    } else if keys.contains("rope.scaling.factor") || keys.contains(OLD_LINEAR_FACTOR) {
        Ok("linear")
    } else {
        Ok("none")
    }
}

fn linear_factor(keys: &Keys<'_>) -> Result<f32, EngineError> {
    match keys.number(OLD_LINEAR_FACTOR, FACTORS)? {
        Some(factor) if !keys.contains("rope.scaling.factor") => Ok(factor),
        _ => keys.required_number("rope.scaling.factor", FACTORS),
    }
}

fn read_llama3(keys: &Keys<'_>) -> Result<RopeScaling, EngineError> {
    let low_freq_factor = keys.required_number("rope.scaling.low_freq_factor", FACTORS)?;
    let high_freq_factor = keys.required_number("rope.scaling.high_freq_factor", FACTORS)?;
    if high_freq_factor <= low_freq_factor {
        return Err(keys.invalid("rope.scaling.high_freq_factor", "it must be above the low frequency factor"));
    }
    let factor = keys.required_number("rope.scaling.factor", FACTORS)?;
    let original_context = keys.count("rope.scaling.original_context_length", 1..=MAX_CONTEXT_LENGTH)? as u32;
    Ok(RopeScaling::Llama3 { factor, low_freq_factor, high_freq_factor, original_context })
}

fn read_yarn(keys: &Keys<'_>) -> Result<RopeScaling, EngineError> {
    Ok(RopeScaling::Yarn {
        factor: keys.required_number("rope.scaling.factor", 1.0..=1e6)?,
        beta_fast: keys.number("rope.scaling.yarn_beta_fast", FACTORS)?.unwrap_or(32.0),
        beta_slow: keys.number("rope.scaling.yarn_beta_slow", FACTORS)?.unwrap_or(1.0),
        original_context: original_context(keys)?,
    })
}

fn read_longrope(keys: &Keys<'_>, pairs: usize) -> Result<RopeScaling, EngineError> {
    let factors = |name: &str| {
        let missing = || EngineError::invalid(format!("tensor {name}"), "the tensor is missing");
        keys.factors(name, pairs)?.ok_or_else(missing)
    };
    Ok(RopeScaling::LongRope {
        long: factors("rope_factors_long.weight")?,
        short: factors("rope_factors_short.weight")?,
        original_context: original_context(keys)?,
    })
}

/// The context of the original training; if a file does not state it, the file's own context.
fn original_context(keys: &Keys<'_>) -> Result<u32, EngineError> {
    let lengths = 1..=MAX_CONTEXT_LENGTH;
    match keys.optional_count("rope.scaling.original_context_length", lengths.clone())? {
        Some(length) => Ok(length as u32),
        None => Ok(keys.count("context_length", lengths)? as u32),
    }
}
