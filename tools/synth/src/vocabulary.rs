use std::collections::HashSet;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use candle_core::quantized::gguf_file::{self, Value};

use crate::SynthError;
use crate::gguf::MAGIC;

/// Where the file's tokenizer comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Vocabulary {
    /// A byte-level BPE vocabulary of the shape's size: the 256 bytes, made-up merges, and Llama 3's control tokens at
    /// the end. Every text can be encoded with it, every id decoded.
    Synthetic,
    /// All `tokenizer.*` keys of this GGUF file (weights are not needed in it).
    FromGguf(PathBuf),
}

/// The control tokens of a synthetic vocabulary, by Llama 3's names.
const CONTROL: [&str; 8] = [
    "<|begin_of_text|>",
    "<|end_of_text|>",
    "<|finetune_right_pad_id|>",
    "<|start_header_id|>",
    "<|end_header_id|>",
    "<|eom_id|>",
    "<|eot_id|>",
    "<|python_tag|>",
];
const BEGIN_OF_TEXT: usize = 0;
const EOT_ID: usize = 6;

/// `tokenizer.ggml.token_type` of a text token and of a control token.
const NORMAL: i32 = 1;
const CONTROL_TYPE: i32 = 3;

/// The tokenizer's part of the metadata.
pub(crate) struct TokenizerMetadata {
    pub vocab_size: usize,
    pub entries: Vec<(String, Value)>,
}

impl Vocabulary {
    pub(crate) fn metadata(&self, vocab_size: usize) -> Result<TokenizerMetadata, SynthError> {
        match self {
            Self::Synthetic => synthetic(vocab_size),
            Self::FromGguf(path) => from_gguf(path),
        }
    }
}

fn from_gguf(path: &Path) -> Result<TokenizerMetadata, SynthError> {
    let refuse = |why: String| SynthError::Vocabulary { path: path.to_owned(), why };
    let file = File::open(path).map_err(|error| refuse(error.to_string()))?;
    let mut file = BufReader::new(file);
    if !file.fill_buf().map_err(|error| refuse(error.to_string()))?.starts_with(MAGIC) {
        return Err(refuse("it is not a GGUF file".to_owned()));
    }
    // candle puts a backtrace behind its messages where one was asked for.
    let first_line = |error: candle_core::Error| error.to_string().lines().next().unwrap_or_default().to_owned();
    let content = gguf_file::Content::read(&mut file).map_err(|error| refuse(first_line(error)))?;
    let vocab_size = match content.metadata.get("tokenizer.ggml.tokens") {
        Some(Value::Array(tokens)) if !tokens.is_empty() => tokens.len(),
        _ => return Err(refuse("it has no tokens in tokenizer.ggml.tokens".to_owned())),
    };
    let mut entries: Vec<(String, Value)> =
        content.metadata.into_iter().filter(|(key, _)| key.starts_with("tokenizer.")).collect();
    // candle's map has no order; a file must be the same each time.
    entries.sort_by(|(a, _), (b, _)| a.cmp(b));
    Ok(TokenizerMetadata { vocab_size, entries })
}

fn synthetic(vocab_size: usize) -> Result<TokenizerMetadata, SynthError> {
    let byte_tokens = byte_alphabet();
    let Some(merge_count) = vocab_size.checked_sub(byte_tokens.len() + CONTROL.len()) else {
        return Err(SynthError::Options(format!(
            "a vocabulary of {vocab_size} is smaller than the bytes and control tokens ({})",
            byte_tokens.len() + CONTROL.len()
        )));
    };
    let merges = made_up_merges(merge_count);
    let texts = byte_tokens.into_iter().chain(merges.iter().map(|(left, right)| format!("{left}{right}")));
    let tokens: Vec<String> = texts.chain(CONTROL.map(str::to_owned)).collect();
    let text_count = vocab_size - CONTROL.len();
    let types = (0..vocab_size).map(|id| if id < text_count { NORMAL } else { CONTROL_TYPE });
    let id = |control: usize| Value::U32((text_count + control) as u32);
    let entries = [
        ("model", Value::String("gpt2".to_owned())),
        ("pre", Value::String("llama-bpe".to_owned())),
        ("tokens", Value::Array(tokens.into_iter().map(Value::String).collect())),
        ("token_type", Value::Array(types.map(Value::I32).collect())),
        ("merges", Value::Array(merges.iter().map(|(a, b)| Value::String(format!("{a} {b}"))).collect())),
        ("bos_token_id", id(BEGIN_OF_TEXT)),
        ("eos_token_id", id(EOT_ID)),
        ("add_bos_token", Value::Bool(true)),
    ];
    let entries = entries.into_iter().map(|(key, value)| (format!("tokenizer.ggml.{key}"), value)).collect();
    Ok(TokenizerMetadata { vocab_size, entries })
}

/// The 256 bytes as byte-level BPE spells them: the visible Latin-1 characters stand for themselves and come first, the
/// others are moved to U+0100 and up.
fn byte_alphabet() -> Vec<String> {
    let visible = (0x21..=0x7E).chain(0xA1..=0xAC).chain(0xAE..=0xFF);
    let moved = 0x100..0x100 + 256 - 188;
    visible.chain(moved).filter_map(char::from_u32).map(String::from).collect()
}

/// Merges in rank order, each making a token that no earlier one makes: words grow by a letter at a time, shortest first,
/// with a space in front or without.
fn made_up_merges(count: usize) -> Vec<(String, String)> {
    const SPACE: &str = "\u{120}";
    let letters = || ('a'..='z').map(String::from);
    let mut merges: Vec<(String, String)> = Vec::with_capacity(count);
    let mut words: Vec<String> = std::iter::once(SPACE.to_owned()).chain(letters()).collect();
    let mut made: HashSet<String> = HashSet::new();
    let mut next = 0;
    while merges.len() < count {
        let word = words[next].clone();
        next += 1;
        for letter in letters().take(count - merges.len()) {
            let longer = format!("{word}{letter}");
            if made.insert(longer.clone()) {
                merges.push((word.clone(), letter));
                words.push(longer);
            }
        }
    }
    merges
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strings<'a>(entries: &'a [(String, Value)], key: &str) -> Vec<&'a str> {
        match &entries.iter().find(|(name, _)| name == key).expect(key).1 {
            Value::Array(values) => values.iter().map(|value| value.to_string().expect("a string").as_str()).collect(),
            other => panic!("{key} is {other:?}"),
        }
    }

    #[test]
    fn every_token_is_unique_and_every_merge_makes_a_token() {
        for size in [264, 300, 1024, 128_256] {
            let metadata = Vocabulary::Synthetic.metadata(size).expect("a vocabulary");
            let tokens = strings(&metadata.entries, "tokenizer.ggml.tokens");
            let known: HashSet<&str> = tokens.iter().copied().collect();
            assert_eq!((tokens.len(), known.len(), metadata.vocab_size), (size, size, size));
            let merges = strings(&metadata.entries, "tokenizer.ggml.merges");
            assert_eq!(merges.len(), size - 264);
            for merge in merges {
                let (left, right) = merge.split_once(' ').expect("two parts");
                assert!(
                    known.contains(left) && known.contains(right) && known.contains(format!("{left}{right}").as_str())
                );
            }
        }
    }

    #[test]
    fn the_alphabet_spells_all_256_bytes() {
        let alphabet = byte_alphabet();
        assert_eq!(alphabet.len(), 256);
        assert_eq!(alphabet[0], "!");
        assert!(alphabet.contains(&"\u{120}".to_owned()), "the space");
        assert_eq!(alphabet.iter().collect::<HashSet<_>>().len(), 256);
    }

    #[test]
    fn a_vocabulary_too_small_for_the_bytes_is_refused() {
        assert!(matches!(Vocabulary::Synthetic.metadata(263), Err(SynthError::Options(_))));
    }

    #[test]
    fn a_file_without_a_vocabulary_is_refused() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        let tokens = ("tokenizer.ggml.tokens".to_owned(), Value::Array(Vec::new()));
        let without_tokens = crate::gguf::header(&[tokens], &[]);
        for (bytes, expected) in [
            (&b""[..], "it is not a GGUF file"),
            (b"not a model", "it is not a GGUF file"),
            (&without_tokens, "it has no tokens in tokenizer.ggml.tokens"),
        ] {
            std::fs::write(file.path(), bytes).expect("written");
            let refused = Vocabulary::FromGguf(file.path().to_owned()).metadata(300).map(|_| ());
            assert!(matches!(&refused, Err(SynthError::Vocabulary { why, .. }) if why == expected), "{refused:?}");
        }
    }
}
