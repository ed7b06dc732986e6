//! How texts begin and end.

use std::collections::HashMap;

use super::{FEWEST, parts};

/// Words of a greeting, or of one line or sentence of a sign-off, at most.
const MOST_WORDS: usize = 4;
/// Lines or sentences of a sign-off, at most.
const MOST_LINES: usize = 3;
/// A text in so many has it, if it is a habit.
const SHARE: usize = 3;

/// Stands for a name.
const NAME: &str = "{name}";

/// How most texts begin: the same words, or one word and a name.
pub(super) fn greeting(texts: &[&str]) -> Option<String> {
    let openings: Vec<&str> = texts.iter().filter_map(|text| opening(text)).collect();
    let to_anyone = openings.iter().filter_map(|opening| to_anyone(opening));
    let fewest = fewest(texts);
    let same = most_frequent(openings.iter().map(|opening| (*opening).to_owned()));
    let named = most_frequent(to_anyone);
    [same, named].into_iter().flatten().find(|(_, count)| *count >= fewest).map(|(greeting, _)| greeting)
}

/// A short beginning that something follows, with the punctuation mark that ends it.
fn opening(text: &str) -> Option<&str> {
    let end = text.find([',', '!', ':', ';', '.', '\n', '–', '—'])?;
    let (words, rest) = (text[..end].trim(), &text[end..]);
    let mark = rest.chars().next().filter(|mark| !mark.is_whitespace()).map_or(0, char::len_utf8);
    let is_short = (1..=MOST_WORDS).contains(&parts::words(words));
    (is_short && !rest[mark..].trim().is_empty()).then(|| text[..end + mark].trim_end())
}

/// An opening of two words, with [`NAME`] for the second.
fn to_anyone(opening: &str) -> Option<String> {
    let (word, name) = opening.split_once(' ')?;
    let mark = name.trim_start_matches(|char: char| char.is_alphanumeric() || char == '-' || char == '\'');
    (!name.contains(' ') && mark.len() < name.len()).then(|| format!("{word} {NAME}{mark}"))
}

/// How most texts end: the same lines or sentences, as many as nearly all of those texts have.
pub(super) fn sign_off(texts: &[&str]) -> Option<String> {
    let (mut best, mut fewest): (Option<String>, usize) = (None, fewest(texts));
    for lines in 1..=MOST_LINES {
        let endings = texts.iter().filter_map(|text| ending(text, lines)).map(str::to_owned);
        match most_frequent(endings) {
            Some((ending, count)) if count >= fewest => {
                // Three in four.
                (best, fewest) = (Some(ending), count - count / 4);
            }
            _ => break,
        }
    }
    best
}

/// The last lines or sentences, each of few words, if there is something before them.
fn ending(text: &str, lines: usize) -> Option<&str> {
    let sentences: Vec<&str> = parts::sentences(text).collect();
    let first = sentences.len().checked_sub(lines).filter(|first| *first > 0)?;
    let is_short = |sentence: &&str| parts::words(sentence) <= MOST_WORDS;
    let last = &sentences[first..];
    let start = last[0].as_ptr() as usize - text.as_ptr() as usize;
    last.iter().all(is_short).then(|| text[start..].trim_end())
}

fn fewest(texts: &[&str]) -> usize {
    FEWEST.max(texts.len().div_ceil(SHARE))
}

/// Whatever is the most frequent, capitals aside, in its most frequent form.
fn most_frequent(found: impl Iterator<Item = String>) -> Option<(String, usize)> {
    let mut forms: HashMap<String, HashMap<String, usize>> = HashMap::new();
    for form in found {
        *forms.entry(form.to_lowercase()).or_default().entry(form).or_default() += 1;
    }
    let counted = forms.into_values().map(|forms| {
        let count = forms.values().sum::<usize>();
        let form = forms.into_iter().max_by(|(a, more), (b, less)| more.cmp(less).then_with(|| b.cmp(a)));
        (form.map(|(form, _)| form).unwrap_or_default(), count)
    });
    counted.max_by(|(a, more), (b, less)| more.cmp(less).then_with(|| b.cmp(a)))
}

/// What follows the greeting of a text, if it has this greeting.
pub(super) fn without_greeting<'a>(text: &'a str, greeting: &str) -> &'a str {
    let is_greeting = |opening: &&str| {
        let same = |other: &str| other.to_lowercase() == greeting.to_lowercase();
        same(opening) || to_anyone(opening).is_some_and(|opening| same(&opening))
    };
    opening(text).filter(is_greeting).map_or(text, |opening| text[opening.len()..].trim_start())
}

/// What precedes the sign-off of a text, if it has this sign-off.
pub(super) fn without_sign_off<'a>(text: &'a str, sign_off: &str) -> &'a str {
    let text = text.trim_end();
    let split = text.len().checked_sub(sign_off.len()).and_then(|place| text.split_at_checked(place));
    match split {
        Some((before, end))
            if end.to_lowercase() == sign_off.to_lowercase() && before.ends_with(char::is_whitespace) =>
        {
            before.trim_end()
        }
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_habit_is_what_a_third_of_the_texts_have() {
        let texts = ["hiya, are you in?", "hiya, it is me", "Hiya, again", "where are you?", "no", "well, maybe"];
        assert_eq!(greeting(&texts).as_deref(), Some("hiya,"));
        assert_eq!(greeting(&texts[2..]), None);
        assert_eq!(sign_off(&texts), None);
        assert_eq!(sign_off(&["go on. x", "come. x", "Cheers.\nTom", "stay. x"]).as_deref(), Some("x"));
    }

    #[test]
    fn only_the_habit_is_taken_away() {
        assert_eq!(without_greeting("Hi Anna, it is late", "hi {name},"), "it is late");
        assert_eq!(without_greeting("Yes, it is late", "hi {name},"), "Yes, it is late");
        assert_eq!(without_sign_off("it is late.\nM. \n", "m."), "it is late.");
        assert_eq!(without_sign_off("at 10 am.", "m."), "at 10 am.");
        assert_eq!(without_sign_off("m.", "m."), "m.");
        assert_eq!(without_sign_off("ä", "m."), "ä");
    }
}
