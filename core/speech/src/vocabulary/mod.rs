//! The vocabulary: tokens, their bytes, and the special tokens.

mod bpe;
mod split;
#[cfg(test)]
mod tests;

use crate::{Language, SpeechError};

/// Special tokens except languages: end and start of a transcript, six more, and 1,501 timestamps.
const SPECIAL: usize = 1509;
/// Times from 0 to 30 seconds in steps of 20 ms.
const TIMES: u32 = 1501;
/// Tokens of multilingual models, at least.
const MULTILINGUAL: usize = 51_865;
/// Tokens from which on Cantonese is among the languages.
const WITH_CANTONESE: usize = 51_866;

/// A model's tokens.
#[derive(Debug)]
pub(crate) struct Vocabulary {
    /// The bytes of all text tokens, one after the other.
    bytes: Vec<u8>,
    /// Where each begins, and where the last ends.
    starts: Vec<u32>,
    /// The text tokens' ids, ordered by their bytes.
    by_bytes: Vec<u32>,
    size: usize,
    languages: usize,
    /// Tokens that are not speech: brackets, music notes, and special tokens that occur only in prompts.
    suppressed: Vec<u32>,
}

impl Vocabulary {
    /// The vocabulary of a model with `size` tokens, of which `tokens` are the bytes of the first.
    ///
    /// # Errors
    /// [`SpeechError::ModelInvalid`] when text tokens are missing.
    pub(crate) fn new(size: usize, mut tokens: Vec<Vec<u8>>) -> Result<Self, SpeechError> {
        let languages = if size >= WITH_CANTONESE { 100 } else { 99 };
        let text_tokens = size - SPECIAL - languages;
        if tokens.len() < text_tokens {
            let why = format!("it has {} text tokens, but {text_tokens} were expected", tokens.len());
            return Err(SpeechError::model_invalid("the vocabulary", why));
        }
        tokens.truncate(text_tokens);
        let mut starts = vec![0u32];
        let mut bytes = Vec::new();
        for token in &tokens {
            bytes.extend_from_slice(token);
            let end = u32::try_from(bytes.len());
            starts.push(end.map_err(|_| SpeechError::model_invalid("the vocabulary", "it is too large"))?);
        }
        let mut by_bytes: Vec<u32> = (0..text_tokens as u32).collect();
        by_bytes.sort_by_key(|&id| &tokens[id as usize]);
        let mut vocabulary = Self { bytes, starts, by_bytes, size, languages, suppressed: Vec::new() };
        vocabulary.suppressed = vocabulary.not_speech();
        Ok(vocabulary)
    }

    /// The bytes of a text token; none of others.
    pub(crate) fn bytes_of(&self, token: u32) -> &[u8] {
        let at = token as usize;
        match self.starts.get(at..at + 2) {
            Some(&[start, end]) => &self.bytes[start as usize..end as usize],
            _ => &[],
        }
    }

    /// The text of tokens, with replacement characters for invalid bytes.
    pub(crate) fn text(&self, tokens: &[u32]) -> String {
        let bytes: Vec<u8> = tokens.iter().flat_map(|&token| self.bytes_of(token)).copied().collect();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// The text token with these bytes.
    pub(crate) fn token(&self, bytes: &[u8]) -> Option<u32> {
        let place = self.by_bytes.binary_search_by(|&id| self.bytes_of(id).cmp(bytes)).ok()?;
        Some(self.by_bytes[place])
    }

    /// Bytes of memory.
    pub(crate) fn bytes(&self) -> u64 {
        (self.bytes.len() + 4 * (self.starts.len() + self.by_bytes.len())) as u64
    }

    /// Whether the model knows languages other than English.
    pub(crate) fn is_multilingual(&self) -> bool {
        self.size >= MULTILINGUAL
    }

    /// How many languages the model knows.
    pub(crate) fn languages(&self) -> usize {
        if self.is_multilingual() { self.languages } else { 1 }
    }

    /// The end of a transcript: the first token that is not text.
    pub(crate) fn end(&self) -> u32 {
        (self.size - SPECIAL - self.languages) as u32
    }

    /// The start of a transcript.
    pub(crate) fn start(&self) -> u32 {
        self.end() + 1
    }

    /// Says the language.
    pub(crate) fn language(&self, language: Language) -> u32 {
        self.start() + 1 + language.index() as u32
    }

    /// Asks for a translation into English.
    pub(crate) fn translate(&self) -> u32 {
        self.start() + 1 + self.languages as u32
    }

    /// Asks for the language that is spoken.
    pub(crate) fn transcribe(&self) -> u32 {
        self.translate() + 1
    }

    /// Comes before text of earlier windows.
    pub(crate) fn previous(&self) -> u32 {
        self.translate() + 3
    }

    /// Says that nobody speaks.
    pub(crate) fn no_speech(&self) -> u32 {
        self.translate() + 4
    }

    /// Asks for text without times.
    pub(crate) fn no_times(&self) -> u32 {
        self.translate() + 5
    }

    /// The time 0.00, the first of them; they are the last tokens.
    pub(crate) fn first_time(&self) -> u32 {
        self.size as u32 - TIMES
    }

    /// Tokens that are never to be chosen.
    pub(crate) fn suppressed(&self) -> &[u32] {
        &self.suppressed
    }

    /// Annotations such as brackets and music notes, as in OpenAI's code, and special tokens that occur only in
    /// prompts. Hyphens and quotes are allowed unless they begin a word.
    fn not_speech(&self) -> Vec<u32> {
        const SYMBOLS: [&str; 47] = [
            "\"",
            "#",
            "(",
            ")",
            "*",
            "+",
            "/",
            ":",
            ";",
            "<",
            "=",
            ">",
            "@",
            "[",
            "\\",
            "]",
            "^",
            "_",
            "`",
            "{",
            "|",
            "}",
            "~",
            "「",
            "」",
            "『",
            "』",
            "<<",
            ">>",
            "<<<",
            ">>>",
            "--",
            "---",
            "-(",
            "-[",
            "('",
            "(\"",
            "((",
            "))",
            "(((",
            ")))",
            "[[",
            "]]",
            "{{",
            "}}",
            "♪♪",
            "♪♪♪",
        ];
        // They share their first two bytes, and where those are a token, that one says it all.
        const NOTES: [&str; 7] = ["♩", "♪", "♫", "♬", "♭", "♮", "♯"];
        let whole = SYMBOLS.iter().flat_map(|symbol| [(*symbol).to_owned(), format!(" {symbol}")]);
        let whole = whole.filter_map(|text| self.token(text.as_bytes()));
        let notes = NOTES.iter().flat_map(|note| [(*note).to_owned(), format!(" {note}")]);
        let first =
            notes.chain([" -".to_owned(), " '".to_owned()]).filter_map(|text| self.encode(&text).first().copied());
        let special = [
            self.start(),
            self.translate(),
            self.transcribe(),
            self.transcribe() + 1,
            self.previous(),
            self.no_speech(),
        ];
        let mut all: Vec<u32> = whole.chain(first).chain(special).chain([self.no_times()]).collect();
        all.sort_unstable();
        all.dedup();
        all
    }
}
