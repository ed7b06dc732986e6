//! `tokenizer.json`, the tokenizers crate's own format, read into the same spec as GGUF metadata.
//!
//! It is not loaded as it stands, because it lists control tokens among the vocabulary, where text could reach them.

use std::collections::HashMap;

use serde::Deserialize;
use serde_json::Value;

use super::pre_tokenizer::PreTokenizer;
use super::spec::TokenizerSpec;
use crate::TextError;

/// What `tokenizer.json` does not say; from the model file, or from `tokenizer_config.json`.
#[derive(Debug, Clone, Default)]
pub struct TokenizerHints {
    /// The begin token.
    pub bos: Option<u32>,
    /// The end token.
    pub eos: Option<u32>,
    /// Whether prompts start with the begin token.
    pub add_bos: Option<bool>,
}

#[derive(Deserialize)]
struct File {
    model: Model,
    #[serde(default)]
    added_tokens: Vec<AddedToken>,
    #[serde(default)]
    normalizer: Value,
    #[serde(default)]
    pre_tokenizer: Value,
    #[serde(default)]
    decoder: Value,
}

#[derive(Deserialize)]
struct Model {
    #[serde(rename = "type")]
    kind: Option<String>,
    vocab: Value,
    #[serde(default)]
    merges: Vec<Merge>,
    #[serde(default)]
    unk_token: Option<String>,
    #[serde(default)]
    ignore_merges: bool,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Merge {
    Joined(String),
    Pair(String, String),
}

#[derive(Deserialize)]
struct AddedToken {
    id: u32,
    content: String,
    #[serde(default)]
    special: bool,
    #[serde(default)]
    rstrip: bool,
}

/// What a spec borrows, and the rest of it.
pub(crate) struct JsonTokenizer {
    tokens: Vec<String>,
    merges: Vec<String>,
    /// All else.
    rest: TokenizerSpec<'static>,
}

impl JsonTokenizer {
    pub(crate) fn spec(&self) -> TokenizerSpec<'_> {
        TokenizerSpec {
            tokens: self.tokens.iter().map(String::as_str).collect(),
            merges: self.merges.iter().map(String::as_str).collect(),
            ..self.rest.clone()
        }
    }
}

/// The vocabulary, and the pre-tokenizer if it is byte-level BPE.
pub(crate) fn read(json: &[u8], hints: &TokenizerHints) -> Result<(JsonTokenizer, Option<PreTokenizer>), TextError> {
    let file: File = serde_json::from_slice(json).map_err(|error| {
        invalid("file", format!("not a tokenizer.json (line {}, column {})", error.line(), error.column()))
    })?;
    if file.model.kind.as_deref().is_some_and(|kind| kind != "BPE") {
        return Err(TextError::Unsupported { what: "a tokenizer.json that is not BPE".to_owned() });
    }
    let (tokens, token_types) = vocabulary(&file)?;
    let merges: Vec<String> = file
        .model
        .merges
        .into_iter()
        .map(|merge| match merge {
            Merge::Joined(merge) => merge,
            Merge::Pair(left, right) => format!("{left} {right}"),
        })
        .collect();
    let unknown = file.model.unk_token.and_then(|text| position(&tokens, &text));
    let mut rest = TokenizerSpec {
        token_types,
        bos: hints.bos,
        eos: hints.eos,
        unknown,
        add_bos: hints.add_bos,
        control_swallows_space: file.added_tokens.iter().any(|token| token.special && token.rstrip),
        ..TokenizerSpec::default()
    };
    if mentions(&file.pre_tokenizer, "ByteLevel") || mentions(&file.decoder, "ByteLevel") {
        refuse_rewriting(&file.normalizer, &["NFC"])?;
        let mut pre_tokenizer = PreTokenizer::split_by(&split_expressions(&file.pre_tokenizer)?);
        pre_tokenizer.ignore_merges = file.model.ignore_merges;
        pre_tokenizer.composes = mentions(&file.normalizer, "NFC");
        return Ok((JsonTokenizer { tokens, merges, rest }, Some(pre_tokenizer)));
    }
    refuse_rewriting(&file.normalizer, &["Prepend", "Replace"])?;
    rest.add_space_prefix = Some(has_space_prefix(&file.normalizer, &file.pre_tokenizer));
    rest.scores = scores(&tokens, &merges);
    mark_bytes(&tokens, &mut rest.token_types);
    Ok((JsonTokenizer { tokens, merges: Vec::new(), rest }, None))
}

/// Tokens by id, and their types as GGUF numbers them. Ids that nothing uses become unused control tokens.
fn vocabulary(file: &File) -> Result<(Vec<String>, Vec<i32>), TextError> {
    let vocab = file.model.vocab.as_object().ok_or_else(|| invalid("model.vocab", "not a table"))?;
    let mut entries: Vec<(u32, &str, i32)> = Vec::with_capacity(vocab.len() + file.added_tokens.len());
    for (text, id) in vocab {
        let id = id.as_u64().and_then(|id| u32::try_from(id).ok());
        entries.push((id.ok_or_else(|| invalid("model.vocab", "an id is not a number"))?, text, 1));
    }
    for token in &file.added_tokens {
        entries.push((token.id, &token.content, if token.special { 3 } else { 4 }));
    }
    let count = entries.iter().map(|(id, ..)| *id as usize + 1).max().unwrap_or(0);
    // A gap here and there is normal; an absurd id would make us hold gigabytes of nothing.
    if count > 2 * entries.len() + 1024 {
        return Err(invalid("model.vocab", "ids far beyond the number of tokens"));
    }
    let mut tokens = vec![String::new(); count];
    let mut types = vec![5; count];
    for (id, text, kind) in entries {
        tokens[id as usize] = text.to_owned();
        types[id as usize] = kind;
    }
    Ok((tokens, types))
}

/// The regular expressions that the file's pre-tokenizer applies.
fn split_expressions(pre_tokenizer: &Value) -> Result<Vec<String>, TextError> {
    let steps = match pre_tokenizer.get("pretokenizers").and_then(Value::as_array) {
        Some(steps) => steps.iter().collect(),
        None => vec![pre_tokenizer],
    };
    let mut expressions = Vec::new();
    for step in steps {
        match step.get("type").and_then(Value::as_str) {
            Some("ByteLevel") => {
                if step.get("use_regex").and_then(Value::as_bool).unwrap_or(true) {
                    expressions.push(super::pre_tokenizer::GPT2.to_owned());
                }
            }
            Some("Split") => {
                let expression = step.pointer("/pattern/Regex").and_then(Value::as_str);
                expressions.push(expression.ok_or_else(|| unsupported("a split without an expression"))?.to_owned());
            }
            Some("Digits") => {
                let individual = step.get("individual_digits").and_then(Value::as_bool).unwrap_or(false);
                expressions.push(if individual { r"\p{N}" } else { r"\p{N}+" }.to_owned());
            }
            _ => return Err(unsupported("a step of the pre-tokenizer")),
        }
    }
    Ok(expressions)
}

/// A token scores higher the earlier the first merge that makes it; SentencePiece files list merges in that order.
fn scores(tokens: &[String], merges: &[String]) -> Vec<f32> {
    let mut ranks: HashMap<String, f32> = HashMap::new();
    for (rank, merge) in merges.iter().enumerate() {
        ranks.entry(merge.replacen(' ', "", 1)).or_insert(rank as f32);
    }
    tokens.iter().map(|token| ranks.get(token).map_or(f32::NEG_INFINITY, |rank| -rank)).collect()
}

fn mark_bytes(tokens: &[String], token_types: &mut [i32]) {
    for (token, kind) in tokens.iter().zip(token_types) {
        if *kind == 1 && super::kind::parse_byte(token).is_some() {
            *kind = 6;
        }
    }
}

/// Normalizers that rewrite text would change what a model reads; of those that do, only NFC and the spaces of
/// SentencePiece are ours.
fn refuse_rewriting(normalizer: &Value, known: &[&str]) -> Result<(), TextError> {
    let steps = match normalizer.get("normalizers").and_then(Value::as_array) {
        Some(steps) => steps.iter().collect(),
        None => vec![normalizer],
    };
    let kinds = steps.iter().filter_map(|step| step.get("type").and_then(Value::as_str));
    match kinds.into_iter().all(|kind| known.contains(&kind)) {
        true => Ok(()),
        false => Err(unsupported("a normalizer")),
    }
}

fn has_space_prefix(normalizer: &Value, pre_tokenizer: &Value) -> bool {
    let scheme = pre_tokenizer.get("prepend_scheme").and_then(Value::as_str);
    let metaspace = mentions(pre_tokenizer, "Metaspace") && scheme.unwrap_or("always") != "never";
    metaspace || mentions(normalizer, "Prepend")
}

/// Whether a step of that type is anywhere inside.
fn mentions(value: &Value, kind: &str) -> bool {
    match value {
        Value::Object(fields) => {
            fields.get("type").and_then(Value::as_str) == Some(kind)
                || fields.values().any(|field| mentions(field, kind))
        }
        Value::Array(items) => items.iter().any(|item| mentions(item, kind)),
        _ => false,
    }
}

fn position(tokens: &[String], text: &str) -> Option<u32> {
    tokens.iter().position(|token| token == text).and_then(|id| u32::try_from(id).ok())
}

fn invalid(at: &str, why: impl Into<String>) -> TextError {
    TextError::InvalidTokenizer { at: format!("tokenizer.json {at}"), why: why.into() }
}

fn unsupported(what: &str) -> TextError {
    TextError::Unsupported { what: format!("{what} in tokenizer.json") }
}
