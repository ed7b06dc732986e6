use super::{Activation, Architecture, Keys, RopePairs, Sizes, Window, llama};
use crate::EngineError;

/// Gemma 2: windows in every other layer, norms also after attention and feed-forward, soft caps.
///
/// "Gemma 2: Improving Open Language Models at a Practical Size", 2024.
pub(super) fn read_gemma2(keys: &Keys<'_>, sizes: &Sizes) -> Result<Architecture, EngineError> {
    let tokens = keys.count_or("attention.sliding_window", 1..=u32::MAX, 4096)?;
    Ok(Architecture {
        name: "gemma2",
        score_scale: score_scale(sizes, 46),
        score_cap: cap(keys, "attn_logit_softcapping", 50.0)?,
        logit_cap: cap(keys, "final_logit_softcapping", 30.0)?,
        window: Some(Window { tokens, layers: windowed_layers(keys, sizes, 2)?, rope_theta: None }),
        ..read_common(keys, sizes)?
    })
}

/// Gemma 3: windows in five of six layers, with a separate RoPE; head norms instead of the cap on attention scores.
///
/// "Gemma 3 Technical Report", 2025.
pub(super) fn read_gemma3(keys: &Keys<'_>, sizes: &Sizes) -> Result<Architecture, EngineError> {
    let rope_theta = keys.number("rope.freq_base_swa", 1.0..=1e12)?.unwrap_or(10_000.0);
    let tokens = keys.count_or("attention.sliding_window", 0..=u32::MAX, 0)?;
    let layers = windowed_layers(keys, sizes, 6)?;
    Ok(Architecture {
        name: "gemma3",
        head_norms: true,
        score_scale: score_scale(sizes, 62),
        logit_cap: cap(keys, "final_logit_softcapping", 0.0)?,
        window: (tokens > 0).then_some(Window { tokens, layers, rope_theta: Some(rope_theta) }),
        ..read_common(keys, sizes)?
    })
}

fn read_common(keys: &Keys<'_>, sizes: &Sizes) -> Result<Architecture, EngineError> {
    Ok(Architecture {
        rope_pairs: RopePairs::Halves,
        post_norms: true,
        activation: Activation::GeluTanh,
        embedding_scale: Some((sizes.hidden_size as f32).sqrt()),
        ..llama::read(keys, sizes)?
    })
}

/// A soft cap; 0 means none.
fn cap(keys: &Keys<'_>, key: &str, default: f32) -> Result<Option<f32>, EngineError> {
    let cap = keys.number(key, 0.0..=1e6)?.unwrap_or(default);
    Ok(Some(cap).filter(|&cap| cap > 0.0))
}

/// The 27B models, recognized by their number of layers, scale queries by the model width per head instead.
fn score_scale(sizes: &Sizes, layers_of_27b: usize) -> f32 {
    let width = if sizes.num_layers == layers_of_27b { sizes.hidden_size / sizes.num_heads } else { sizes.head_dim };
    1.0 / (width as f32).sqrt()
}

/// The last of every `period` layers sees everything, unless the file says otherwise.
fn windowed_layers(keys: &Keys<'_>, sizes: &Sizes, period: usize) -> Result<Vec<bool>, EngineError> {
    let key = "attention.sliding_window_pattern";
    if let Some(layers) = keys.flags(key, sizes.num_layers)? {
        return Ok(layers);
    }
    let period = keys.count_or(key, 0..=1024, period)?;
    Ok((0..sizes.num_layers).map(|layer| period == 0 || layer % period < period - 1).collect())
}
