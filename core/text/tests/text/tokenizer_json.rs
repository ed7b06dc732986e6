//! `tokenizer.json` gives the same tokens as the same vocabulary in GGUF metadata.

use serde_json::{Value, json};
use sotto_text::{TextError, Tokenizer, TokenizerHints};

use crate::common::{BYTE, LLAMA3, NORMAL, USER_DEFINED, byte_level, byte_level_spec, sentence_piece_spec};

fn byte_level_json() -> Value {
    let spec = byte_level_spec();
    let entries = || (0_u32..).zip(spec.tokens.iter().zip(&spec.token_types));
    let vocab: serde_json::Map<String, Value> = entries()
        .filter(|(_, (_, kind))| **kind == NORMAL)
        .map(|(id, (token, _))| ((*token).to_owned(), json!(id)))
        .collect();
    let added: Vec<Value> = entries()
        .filter(|(_, (_, kind))| **kind != NORMAL)
        .map(|(id, (token, kind))| json!({ "id": id, "content": token, "special": *kind != USER_DEFINED }))
        .collect();
    json!({
        "version": "1.0",
        "added_tokens": added,
        "normalizer": null,
        "pre_tokenizer": { "type": "Sequence", "pretokenizers": [
            { "type": "Split", "pattern": { "Regex": LLAMA3 }, "behavior": "Isolated", "invert": false },
            { "type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": false },
        ] },
        "decoder": { "type": "ByteLevel" },
        "model": { "type": "BPE", "vocab": vocab, "merges": spec.merges, "ignore_merges": true },
    })
}

fn load(json: &Value) -> Result<Tokenizer, TextError> {
    let spec = byte_level_spec();
    let hints = TokenizerHints { bos: spec.bos, eos: spec.eos, add_bos: Some(true) };
    Tokenizer::from_json(json.to_string().as_bytes(), &hints)
}

#[test]
fn byte_level_json_is_the_same_tokenizer() {
    let (from_json, from_spec) = (load(&byte_level_json()).unwrap(), byte_level());
    for text in ["hello world", " <|eot_id|>", "it's 12345\n\n  x", "   日本 <tool_call>"] {
        assert_eq!(from_json.encode(text).unwrap(), from_spec.encode(text).unwrap());
    }
    assert_eq!(from_json.end_tokens(), from_spec.end_tokens());
    assert!(from_json.add_bos());
}

#[test]
fn sentence_piece_json_uses_the_rank_of_merges() {
    let spec = sentence_piece_spec();
    let entries = || (0_u32..).zip(spec.tokens.iter().zip(&spec.token_types));
    let in_model = |kind: i32| kind == NORMAL || kind == BYTE;
    let vocab: serde_json::Map<String, Value> = entries()
        .filter(|(_, (_, kind))| in_model(**kind))
        .map(|(id, (token, _))| ((*token).to_owned(), json!(id)))
        .collect();
    let added: Vec<Value> = entries()
        .filter(|(_, (_, kind))| !in_model(**kind))
        .map(|(id, (token, _))| json!({ "id": id, "content": token, "special": true }))
        .collect();
    let json = json!({
        "added_tokens": added,
        "normalizer": { "type": "Sequence", "normalizers": [
            { "type": "Prepend", "prepend": "▁" },
            { "type": "Replace", "pattern": { "String": " " }, "content": "▁" },
        ] },
        "pre_tokenizer": null,
        "model": { "type": "BPE", "vocab": vocab, "unk_token": "<unk>", "byte_fallback": true,
                   "merges": [["h", "e"], ["l", "l"], ["he", "ll"], ["hell", "o"], ["▁", "hello"]] },
    });
    let tokenizer = load_with(&json, 1, 2);
    let ids = tokenizer.encode("hello hello\n").unwrap();
    let texts: Vec<_> = ids.iter().map(|&id| tokenizer.token_text(id)).collect();
    assert_eq!(texts, [" hello", " hello", "\n"]);
    assert_eq!(tokenizer.decode(&ids), "hello hello\n");
    assert_eq!(tokenizer.end_tokens(), [2]);
}

fn load_with(json: &Value, bos: u32, eos: u32) -> Tokenizer {
    let hints = TokenizerHints { bos: Some(bos), eos: Some(eos), add_bos: None };
    Tokenizer::from_json(json.to_string().as_bytes(), &hints).unwrap()
}

#[test]
fn what_would_change_text_is_refused() {
    let mut lowercase = byte_level_json();
    lowercase["normalizer"] = json!({ "type": "Lowercase" });
    assert!(matches!(load(&lowercase), Err(TextError::Unsupported { .. })));
    let mut unigram = byte_level_json();
    unigram["model"]["type"] = json!("Unigram");
    assert!(matches!(load(&unigram), Err(TextError::Unsupported { .. })));
    let mut far = byte_level_json();
    far["model"]["vocab"]["h"] = json!(4_000_000_000_u32);
    assert!(matches!(load(&far), Err(TextError::InvalidTokenizer { .. })));
}
