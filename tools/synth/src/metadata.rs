use candle_core::quantized::gguf_file::Value;

use crate::{Family, Quantization, RopeScaling, Shape};

/// What Gemma 2 caps scores and logits with.
const SCORE_CAP: f32 = 50.0;
const LOGIT_CAP: f32 = 30.0;

/// The keys that convert_hf_to_gguf writes for the family, except the tokenizer's.
pub(crate) fn of(shape: &Shape, quantization: Quantization) -> Vec<(String, Value)> {
    let architecture = shape.family.architecture();
    let general = [
        ("architecture", text(architecture)),
        ("type", text("model")),
        ("name", text(&shape.name)),
        ("file_type", Value::U32(quantization.file_type())),
        ("quantization_version", Value::U32(2)),
    ];
    let general = general.into_iter().map(|(key, value)| (format!("general.{key}"), value));
    let own = shared_keys(shape).into_iter().chain(family_keys(shape)).chain(rope_scaling_keys(shape));
    general.chain(own.map(|(key, value)| (format!("{architecture}.{key}"), value))).collect()
}

fn shared_keys(shape: &Shape) -> Vec<(&'static str, Value)> {
    let mut keys = vec![
        ("block_count", count(shape.block_count)),
        ("context_length", count(shape.context_length)),
        ("embedding_length", count(shape.embedding_length)),
        ("feed_forward_length", count(shape.feed_forward_length)),
        ("attention.head_count", count(shape.head_count)),
        ("attention.head_count_kv", count(shape.head_count_kv)),
        ("attention.layer_norm_rms_epsilon", Value::F32(shape.layer_norm_rms_epsilon)),
    ];
    keys.extend(shape.sliding_window.map(|window| ("attention.sliding_window", count(window))));
    keys
}

fn family_keys(shape: &Shape) -> Vec<(&'static str, Value)> {
    let head_width = ["attention.key_length", "attention.value_length"].map(|key| (key, count(shape.key_length)));
    let freq_base = ("rope.freq_base", Value::F32(shape.rope_freq_base));
    let dimensions = ("rope.dimension_count", count(shape.key_length));
    match shape.family {
        Family::Llama => {
            let mut keys = head_width.to_vec();
            keys.extend([freq_base, dimensions, ("vocab_size", count(shape.vocab_size))]);
            keys
        }
        Family::Qwen2 => vec![freq_base],
        Family::Gemma2 => {
            let mut keys = head_width.to_vec();
            keys.push(("attn_logit_softcapping", Value::F32(SCORE_CAP)));
            keys.push(("final_logit_softcapping", Value::F32(LOGIT_CAP)));
            keys
        }
        Family::Gemma3 => [&head_width[..], &[freq_base]].concat(),
        Family::Phi3 => {
            vec![freq_base, dimensions, ("rope.scaling.original_context_length", count(shape.context_length))]
        }
    }
}

fn rope_scaling_keys(shape: &Shape) -> Vec<(&'static str, Value)> {
    let RopeScaling::Metadata(scaling) = shape.rope_scaling else { return Vec::new() };
    vec![
        ("rope.scaling.type", text("llama3")),
        ("rope.scaling.factor", Value::F32(scaling.factor)),
        ("rope.scaling.low_freq_factor", Value::F32(scaling.low_freq_factor)),
        ("rope.scaling.high_freq_factor", Value::F32(scaling.high_freq_factor)),
        ("rope.scaling.original_context_length", count(scaling.original_context_length)),
    ]
}

fn count(count: usize) -> Value {
    Value::U32(count as u32)
}

fn text(text: &str) -> Value {
    Value::String(text.to_owned())
}
