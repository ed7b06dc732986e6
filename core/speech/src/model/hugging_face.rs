//! Folders of Hugging Face: `model.safetensors`, `config.json`, `tokenizer.json`, and where there is one, `generation_config.json`.

use std::collections::HashMap;
use std::path::Path;

use serde::Deserialize;
use sotto_engine::EngineError;
use sotto_engine::tensors::{read_json, safetensors};

use super::config::{AUDIO_POSITIONS, Config};
use super::{Contents, Naming};
use crate::SpeechError;
use crate::vocabulary::Vocabulary;

#[derive(Deserialize)]
struct ConfigFile {
    d_model: usize,
    encoder_layers: usize,
    encoder_attention_heads: usize,
    encoder_ffn_dim: usize,
    decoder_layers: usize,
    decoder_attention_heads: usize,
    decoder_ffn_dim: usize,
    num_mel_bins: usize,
    max_source_positions: usize,
    max_target_positions: usize,
    vocab_size: usize,
}

#[derive(Deserialize)]
struct GenerationFile {
    alignment_heads: Option<Vec<(usize, usize)>>,
}

#[derive(Deserialize)]
struct TokenizerFile {
    model: TokenizerModel,
}

#[derive(Deserialize)]
struct TokenizerModel {
    vocab: HashMap<String, usize>,
}

/// Reads everything but the tensors' numbers.
///
/// # Errors
/// [`SpeechError::NotFound`], [`SpeechError::ModelInvalid`] and [`SpeechError::Unsupported`].
pub(super) fn read(folder: &Path) -> Result<Contents, SpeechError> {
    let config = config(read_json(&folder.join("config.json"))?)?;
    let TokenizerFile { model } = read_json(&folder.join("tokenizer.json"))?;
    let vocabulary = vocabulary(&config, model.vocab)?;
    let alignment_heads = match read_json::<GenerationFile>(&folder.join("generation_config.json")) {
        Ok(GenerationFile { alignment_heads: Some(heads) }) => Naming::Given(heads),
        Ok(_) | Err(EngineError::NotFound { .. }) => Naming::Known,
        Err(error) => return Err(error.into()),
    };
    let tensors = safetensors::read(&folder.join("model.safetensors"), |name| Some(openai_name(name)))?;
    Ok(Contents { config, vocabulary, tensors, alignment_heads })
}

fn config(file: ConfigFile) -> Result<Config, SpeechError> {
    let config = Config {
        vocab_size: file.vocab_size,
        width: file.d_model,
        encoder_heads: file.encoder_attention_heads,
        encoder_layers: file.encoder_layers,
        text_positions: file.max_target_positions,
        decoder_heads: file.decoder_attention_heads,
        decoder_layers: file.decoder_layers,
        mel_bands: file.num_mel_bins,
    };
    config.check()?;
    let invalid = |why: &str| Err(SpeechError::model_invalid("config.json", why));
    if file.max_source_positions != AUDIO_POSITIONS {
        return invalid("max_source_positions is not 1500");
    }
    if [file.encoder_ffn_dim, file.decoder_ffn_dim] != [config.inner_width(); 2] {
        return invalid("feed-forward layers are not four times as wide as d_model");
    }
    Ok(config)
}

fn vocabulary(config: &Config, vocab: HashMap<String, usize>) -> Result<Vocabulary, SpeechError> {
    let invalid = |why: String| SpeechError::model_invalid("tokenizer.json", why);
    let mut tokens = vec![Vec::new(); vocab.len()];
    let bytes_of = bytes_of_characters();
    for (text, id) in vocab {
        let place = tokens.get_mut(id).ok_or_else(|| invalid(format!("token {id} is beyond the number of tokens")))?;
        // Special tokens may be written as they are.
        *place = text.chars().filter_map(|character| bytes_of.get(&character).copied()).collect();
    }
    Vocabulary::new(config.vocab_size, tokens)
}

/// The characters that byte-level vocabularies of GPT-2's kind write bytes as: printable ones stand for themselves, the others for
/// characters from U+0100 on.
fn bytes_of_characters() -> HashMap<char, u8> {
    let is_printable = |byte: &u8| matches!(byte, b'!'..=b'~' | 0xa1..=0xac | 0xae..=0xff);
    let printable = (0..=255u8).filter(is_printable).map(|byte| (char::from(byte), byte));
    let others = (0..=255u8).filter(|byte| !is_printable(byte));
    printable.chain(('\u{100}'..).zip(others)).collect()
}

/// What OpenAI's code calls a tensor.
fn openai_name(name: &str) -> String {
    const PARTS: [(&str, &str); 17] = [
        (".layers.", ".blocks."),
        (".self_attn_layer_norm.", ".attn_ln."),
        (".encoder_attn_layer_norm.", ".cross_attn_ln."),
        (".final_layer_norm.", ".mlp_ln."),
        (".self_attn.", ".attn."),
        (".encoder_attn.", ".cross_attn."),
        (".q_proj.", ".query."),
        (".k_proj.", ".key."),
        (".v_proj.", ".value."),
        (".out_proj.", ".out."),
        (".fc1.", ".mlp.0."),
        (".fc2.", ".mlp.2."),
        ("encoder.layer_norm.", "encoder.ln_post."),
        ("decoder.layer_norm.", "decoder.ln."),
        ("encoder.embed_positions.weight", "encoder.positional_embedding"),
        ("decoder.embed_positions.weight", "decoder.positional_embedding"),
        ("decoder.embed_tokens.", "decoder.token_embedding."),
    ];
    let name = name.strip_prefix("model.").unwrap_or(name).to_owned();
    PARTS.iter().fold(name, |name, (theirs, openai)| name.replace(theirs, openai))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_openais() {
        for (theirs, openai) in [
            ("model.encoder.layers.3.self_attn.q_proj.bias", "encoder.blocks.3.attn.query.bias"),
            ("model.decoder.layers.0.encoder_attn_layer_norm.weight", "decoder.blocks.0.cross_attn_ln.weight"),
            ("model.decoder.layers.11.encoder_attn.out_proj.weight", "decoder.blocks.11.cross_attn.out.weight"),
            ("model.encoder.layers.0.final_layer_norm.bias", "encoder.blocks.0.mlp_ln.bias"),
            ("model.decoder.layers.0.fc2.weight", "decoder.blocks.0.mlp.2.weight"),
            ("model.encoder.layer_norm.weight", "encoder.ln_post.weight"),
            ("model.decoder.layer_norm.weight", "decoder.ln.weight"),
            ("model.encoder.embed_positions.weight", "encoder.positional_embedding"),
            ("model.decoder.embed_tokens.weight", "decoder.token_embedding.weight"),
            ("model.encoder.conv1.weight", "encoder.conv1.weight"),
        ] {
            assert_eq!(openai_name(theirs), openai);
        }
    }

    #[test]
    fn characters_stand_for_all_bytes() {
        let bytes = bytes_of_characters();
        let mut all: Vec<u8> = bytes.values().copied().collect();
        all.sort_unstable();
        assert_eq!(all, (0..=255).collect::<Vec<u8>>());
        assert_eq!((bytes[&'a'], bytes[&'Ġ'], bytes[&'Ċ']), (b'a', b' ', b'\n'));
    }
}
