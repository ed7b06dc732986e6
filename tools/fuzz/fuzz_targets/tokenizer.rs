//! Any metadata as a tokenizer, any bytes as a tokenizer.json, and any text for them.
#![no_main]

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use sotto_text::{DecodeStream, Tokenizer, TokenizerHints, TokenizerSpec};

#[derive(Debug, Arbitrary)]
struct Input {
    sentence_piece: bool,
    all_bytes: bool,
    tokens: Vec<String>,
    token_types: Vec<i8>,
    scores: Vec<f32>,
    merges: Vec<(String, String)>,
    edits: Vec<(u32, u8)>,
    bos: Option<u32>,
    eos: Option<u32>,
    text: String,
    json: Vec<u8>,
}

fuzz_target!(|input: Input| {
    let mut tokens = input.tokens;
    if input.all_bytes {
        tokens.extend((0..=255u8).map(|byte| format!("<0x{byte:02X}>")));
    }
    let merges: Vec<String> = input.merges.iter().map(|(left, right)| format!("{left} {right}")).collect();
    let spec = TokenizerSpec {
        model: if input.sentence_piece { "llama" } else { "gpt2" },
        pre: Some("llama-bpe"),
        tokens: tokens.iter().map(String::as_str).collect(),
        token_types: input.token_types.into_iter().map(i32::from).collect(),
        scores: input.scores,
        merges: merges.iter().map(String::as_str).collect(),
        bos: input.bos,
        eos: input.eos,
        ..TokenizerSpec::default()
    };
    if let Ok(tokenizer) = Tokenizer::from_spec(&spec) {
        read(&tokenizer, &input.text);
        read_edited(tokenizer.tables(), &spec, &input.edits, &input.text);
    }
    if let Ok(tokenizer) = Tokenizer::from_json(&input.json, &TokenizerHints::default()) {
        read(&tokenizer, &input.text);
    }
});

/// The same vocabulary as a packed file has it, with some bytes changed.
fn read_edited(mut tables: Vec<u8>, spec: &TokenizerSpec, edits: &[(u32, u8)], text: &str) {
    for &(place, byte) in edits {
        let place = place as usize % tables.len();
        tables[place] = byte;
    }
    let TokenizerSpec { model, pre, bos, eos, .. } = *spec;
    let tables = Some(tables.into());
    if let Ok(tokenizer) =
        Tokenizer::from_spec(&TokenizerSpec { model, pre, bos, eos, tables, ..TokenizerSpec::default() })
    {
        read(&tokenizer, text);
    }
}

fn read(tokenizer: &Tokenizer, text: &str) {
    let Ok(ids) = tokenizer.encode(text) else { return };
    assert!(ids.iter().all(|&id| !tokenizer.is_control(id)));
    let mut stream = DecodeStream::new(tokenizer);
    ids.iter().for_each(|&id| drop(stream.push(id)));
    stream.finish();
}
