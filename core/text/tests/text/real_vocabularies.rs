//! Vocabularies of real models against what llama.cpp and the tokenizers crate make of texts in many scripts. Expectations are
//! written by `tools/token-ids`.

use std::fmt::Write as _;
use std::path::Path;

use sotto_text::{ChatTemplate, Message, Role, Tokenizer, TokenizerSpec};

use crate::common::{skipped, spec_from_gguf};

const SMOLLM2: &str = "SmolLM2-135M-Instruct.Q4_1";
const GEMMA3: &str = "gemma-3-270m.Q4_K_M";
const LLAMA3: &str = "ggml-vocab-llama-bpe";

/// The vocabulary in this file, without its ending, of the folder that a variable names.
fn spec(variable: &str, name: &str) -> Option<TokenizerSpec<'static>> {
    let path = std::env::var_os(variable).map(|folder| Path::new(&folder).join(format!("{name}.gguf")));
    let Some(path) = path.filter(|path| path.exists()) else {
        skipped(&format!("token ids of {name}"), &format!("{variable} names no folder that has it"));
        return None;
    };
    Some(spec_from_gguf(&path))
}

fn expectations(name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/token-ids");
    std::fs::read_to_string(folder.join(name)).unwrap()
}

/// Holds a tokenizer against the CRC-32s of ids in the expectations of that name.
fn agrees(spec: &TokenizerSpec, name: &str) {
    let texts: Vec<String> = serde_json::from_str(&expectations("texts.json")).unwrap();
    let expected = expectations(&format!("{name}.txt"));
    assert_eq!(expected.lines().count(), texts.len());
    let tokenizer = Tokenizer::from_spec(spec).unwrap();
    let mut wrong = String::new();
    for (text, expected) in texts.iter().zip(expected.lines()) {
        let ids = tokenizer.encode(text).unwrap();
        let bytes: Vec<u8> = ids.iter().flat_map(|id| id.to_le_bytes()).collect();
        if format!("{:08x}", crc32fast::hash(&bytes)) != expected {
            writeln!(wrong, "{text:?}: {ids:?}").unwrap();
        }
    }
    assert!(wrong.is_empty(), "{name}: {} of {} texts\n{wrong}", wrong.lines().count(), texts.len());
}

#[test]
fn vocabularies_of_models() {
    for (variable, name) in [("SOTTO_REAL_MODELS", SMOLLM2), ("SOTTO_REAL_MODELS", GEMMA3), ("SOTTO_FIXTURES", LLAMA3)]
    {
        if let Some(spec) = spec(variable, name) {
            agrees(&spec, name);
        }
    }
}

/// The words that each splits text into show in the tokens of any vocabulary.
#[test]
fn pre_tokenizers() {
    let Some(spec) = spec("SOTTO_REAL_MODELS", SMOLLM2) else { return };
    for pre in [
        "qwen2",
        "qwen35",
        "gpt-2",
        "llama-bpe",
        "tekken",
        "gpt-4o",
        "command-r",
        "mpt",
        "falcon",
        "deepseek-v3",
        "seed-coder",
        "bailingmoe",
        "poro-chat",
        "default",
    ] {
        agrees(&TokenizerSpec { pre: Some(pre), ..spec.clone() }, &format!("{SMOLLM2}.{pre}"));
    }
}

#[test]
fn vocabularies_of_llama_cpp() {
    for name in ["qwen2", "phi-3", "llama-spm", "command-r", "falcon"] {
        let name = format!("ggml-vocab-{name}");
        if let Some(spec) = spec("SOTTO_REAL_MODELS", &name) {
            agrees(&spec, &name);
        }
    }
}

/// Where llama.cpp stops, except at `</s>` in a vocabulary that has it as ordinary text (Qwen).
fn ends_at(spec: &TokenizerSpec, ends: &[u32]) {
    let mut found = Tokenizer::from_spec(spec).unwrap().end_tokens().to_vec();
    found.sort_unstable();
    assert_eq!(found, ends);
}

#[test]
fn end_tokens_of_models() {
    for (variable, name, ends) in [
        ("SOTTO_REAL_MODELS", SMOLLM2, [0, 2, 4].as_slice()),
        ("SOTTO_REAL_MODELS", GEMMA3, &[1, 106, 212]),
        ("SOTTO_FIXTURES", LLAMA3, &[128_001, 128_009]),
    ] {
        if let Some(spec) = spec(variable, name) {
            ends_at(&spec, ends);
        }
    }
}

#[test]
fn end_tokens_of_llama_cpp() {
    for (name, ends) in [
        ("phi-3", [2, 32_000, 32_007].as_slice()),
        ("qwen2", &[151_643, 151_645]),
        ("command-r", &[0, 255_001]),
        ("refact", &[0, 4, 18]),
    ] {
        if let Some(spec) = spec("SOTTO_REAL_MODELS", &format!("ggml-vocab-{name}")) {
            ends_at(&spec, ends);
        }
    }
}

/// The ids are llama.cpp's for the same text, read with control tokens.
#[test]
fn a_prompt_of_phi3() {
    let Some(spec) = spec("SOTTO_REAL_MODELS", "ggml-vocab-phi-3") else { return };
    let tokenizer = Tokenizer::from_spec(&TokenizerSpec { control_swallows_space: true, ..spec }).unwrap();
    let source = "{% for m in messages %}<|{{ m.role }}|>\n{{ m.content }}<|end|>\n{% endfor %}<|assistant|>\n";
    let template = ChatTemplate::for_tokenizer(Some(source), &tokenizer).unwrap();
    let prompt = template.render(&[Message::new(Role::User, "  Hello there")], true).unwrap();
    assert_eq!(tokenizer.encode_prompt(&prompt).unwrap(), [1, 32_010, 15_043, 727, 32_007, 32_001]);
}
