//! Tokens in words.

use crate::Language;
use crate::vocabulary::Vocabulary;

/// Languages written without spaces, in which a word is one or a few characters.
const WITHOUT_SPACES: [&str; 6] = ["zh", "ja", "th", "lo", "my", "yue"];
/// Marks that belong to the character before them.
const CLOSING: &str = ".。,，!！?？:：”)]}、」』";

/// A word as spelled by its tokens, with the space before it.
#[derive(Debug, PartialEq, Clone)]
pub(super) struct Part {
    pub(super) text: String,
    /// How many tokens it has.
    pub(super) tokens: usize,
}

/// The words of tokens, with their punctuation.
pub(super) fn words(vocabulary: &Vocabulary, tokens: &[u32], language: Language) -> Vec<Part> {
    let characters = characters(vocabulary, tokens);
    match WITHOUT_SPACES.contains(&language.code()) {
        true => join(characters, |part| part.text.chars().all(|character| CLOSING.contains(character))),
        false => join(characters, |part| !part.text.starts_with(' ')),
    }
}

/// Tokens together where it takes some of them for a whole character.
fn characters(vocabulary: &Vocabulary, tokens: &[u32]) -> Vec<Part> {
    let (mut parts, mut bytes, mut count) = (Vec::new(), Vec::new(), 0);
    for (at, &token) in tokens.iter().enumerate() {
        bytes.extend_from_slice(vocabulary.bytes_of(token));
        count += 1;
        let is_whole = std::str::from_utf8(&bytes).is_ok_and(|text| !text.is_empty());
        if is_whole || at + 1 == tokens.len() {
            parts.push(Part { text: String::from_utf8_lossy(&bytes).into_owned(), tokens: count });
            (bytes, count) = (Vec::new(), 0);
        }
    }
    parts
}

/// Joins parts with the one before them where they belong to it.
fn join(parts: Vec<Part>, belongs: impl Fn(&Part) -> bool) -> Vec<Part> {
    let mut joined: Vec<Part> = Vec::with_capacity(parts.len());
    for part in parts {
        match joined.last_mut() {
            Some(before) if belongs(&part) => {
                before.text.push_str(&part.text);
                before.tokens += part.tokens;
            }
            _ => joined.push(part),
        }
    }
    joined
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The words of tokens that are these pieces of bytes.
    fn spelled(pieces: &[&[u8]], language: &str) -> Vec<(String, usize)> {
        let bytes = (0..=255).map(|byte| vec![byte]).chain(pieces.iter().map(|piece| piece.to_vec()));
        let vocabulary = Vocabulary::new(256 + pieces.len() + 1509 + 99, bytes.collect()).expect("tokens");
        let tokens: Vec<u32> = (256..).take(pieces.len()).collect();
        let language = Language::from_code(language).expect("a language");
        words(&vocabulary, &tokens, language).into_iter().map(|part| (part.text, part.tokens)).collect()
    }

    #[test]
    fn words_take_their_marks_with_them() {
        let words = |pieces: &[&str], language| -> Vec<String> {
            let pieces: Vec<&[u8]> = pieces.iter().map(|piece| piece.as_bytes()).collect();
            spelled(&pieces, language).into_iter().map(|word| word.0).collect()
        };
        let english = words(&[" Zo", "ë", "'s", " ill", "-", "fed", " cat", ",", " (", "not", " mine", ")"], "en");
        assert_eq!(english, [" Zoë's", " ill-fed", " cat,", " (not", " mine)"]);
        assert_eq!(words(&["日", "本", "。"], "ja"), ["日", "本。"]);
        assert_eq!(words(&[], "en"), [""; 0]);
    }

    #[test]
    fn no_token_is_lost() {
        let face = "\u{1f600}".as_bytes();
        for pieces in
            [vec![&b" a"[..], b" --", b" b"], vec![b".", b"."], vec![&face[..2], &face[2..], b" x"], vec![&face[..3]]]
        {
            let tokens: usize = spelled(&pieces, "en").iter().map(|word| word.1).sum();
            assert_eq!(tokens, pieces.len(), "{pieces:?}");
        }
    }
}
