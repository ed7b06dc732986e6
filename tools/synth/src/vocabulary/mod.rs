mod bpe;
mod sentence_piece;

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
    /// One like the family's own, of the shape's size: the 256 bytes, made-up words, and the family's control tokens. Every text
    /// can be encoded with it, every id decoded.
    Synthetic,
    /// All `tokenizer.*` keys of this GGUF file (weights are not needed in it).
    FromGguf(PathBuf),
}

/// Whose tokenizer a synthetic vocabulary is like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tokenizer {
    /// Byte-level BPE.
    Llama3,
    /// Byte-level BPE.
    SmolLm2,
    /// Byte-level BPE.
    Qwen2,
    /// SentencePiece.
    Gemma,
    /// SentencePiece.
    Phi3,
}

/// `tokenizer.ggml.token_type` of a text token and of a control token.
const NORMAL: i32 = 1;
const CONTROL: i32 = 3;

/// The tokenizer's part of the metadata.
pub(crate) struct TokenizerMetadata {
    pub vocab_size: usize,
    pub entries: Vec<(String, Value)>,
}

impl Vocabulary {
    pub(crate) fn metadata(&self, like: Tokenizer, vocab_size: usize) -> Result<TokenizerMetadata, SynthError> {
        match self {
            Self::Synthetic => synthetic(like, vocab_size),
            Self::FromGguf(path) => from_gguf(path),
        }
    }
}

fn synthetic(like: Tokenizer, vocab_size: usize) -> Result<TokenizerMetadata, SynthError> {
    let entries = match like {
        Tokenizer::Llama3 => bpe::LLAMA_3.metadata(vocab_size),
        Tokenizer::SmolLm2 => bpe::SMOL_LM_2.metadata(vocab_size),
        Tokenizer::Qwen2 => bpe::QWEN_2.metadata(vocab_size),
        Tokenizer::Gemma => sentence_piece::GEMMA.metadata(vocab_size),
        Tokenizer::Phi3 => sentence_piece::PHI_3.metadata(vocab_size),
    }?;
    let entries = entries.into_iter().map(|(key, value)| (format!("tokenizer.ggml.{key}"), value)).collect();
    Ok(TokenizerMetadata { vocab_size, entries })
}

/// How many tokens are left for words beside `fixed` ones.
fn words_beside(fixed: usize, vocab_size: usize) -> Result<usize, SynthError> {
    vocab_size.checked_sub(fixed).ok_or_else(|| {
        SynthError::Options(format!(
            "a vocabulary of {vocab_size} is smaller than the bytes and control tokens ({fixed})"
        ))
    })
}

fn strings(texts: impl IntoIterator<Item = String>) -> Value {
    Value::Array(texts.into_iter().map(Value::String).collect())
}

fn id(id: usize) -> Value {
    Value::U32(id as u32)
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

/// Merges in rank order, each making a token that no earlier one makes: words grow by a letter at a time, shortest first,
/// with a space in front, as it is spelled in the vocabulary, or without.
fn made_up_merges(space: &str, count: usize) -> Vec<(String, String)> {
    let letters = || ('a'..='z').map(String::from);
    let mut merges: Vec<(String, String)> = Vec::with_capacity(count);
    let mut words: Vec<String> = std::iter::once(space.to_owned()).chain(letters()).collect();
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

    const ALL: [Tokenizer; 5] =
        [Tokenizer::Llama3, Tokenizer::SmolLm2, Tokenizer::Qwen2, Tokenizer::Gemma, Tokenizer::Phi3];

    fn texts<'a>(entries: &'a [(String, Value)], key: &str) -> Vec<&'a str> {
        match &entries.iter().find(|(name, _)| name == key).expect(key).1 {
            Value::Array(values) => values.iter().map(|value| value.to_string().expect("a string").as_str()).collect(),
            other => panic!("{key} is {other:?}"),
        }
    }

    #[test]
    fn every_token_is_unique_and_every_merge_makes_a_token() {
        for (like, size) in ALL.into_iter().flat_map(|like| [300, 1024, 128_256].map(|size| (like, size))) {
            let metadata = Vocabulary::Synthetic.metadata(like, size).expect("a vocabulary");
            let tokens = texts(&metadata.entries, "tokenizer.ggml.tokens");
            let known: HashSet<&str> = tokens.iter().copied().collect();
            assert_eq!((tokens.len(), known.len(), metadata.vocab_size), (size, size, size));
            if matches!(like, Tokenizer::Gemma | Tokenizer::Phi3) {
                continue;
            }
            for merge in texts(&metadata.entries, "tokenizer.ggml.merges") {
                let (left, right) = merge.split_once(' ').expect("two parts");
                assert!(
                    known.contains(left) && known.contains(right) && known.contains(format!("{left}{right}").as_str())
                );
            }
        }
    }

    #[test]
    fn a_vocabulary_too_small_for_the_bytes_is_refused() {
        for like in ALL {
            assert!(matches!(Vocabulary::Synthetic.metadata(like, 257), Err(SynthError::Options(_))));
        }
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
            let refused = Vocabulary::FromGguf(file.path().to_owned()).metadata(Tokenizer::Llama3, 300).map(|_| ());
            assert!(matches!(&refused, Err(SynthError::Vocabulary { why, .. }) if why == expected), "{refused:?}");
        }
    }
}
