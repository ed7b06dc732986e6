//! How somebody writes, found in their texts by counting, without a model.

mod edges;
mod emoji;
mod handle;
mod instruction;
mod parts;
mod plain;

use std::collections::HashMap;

pub use handle::{Style, StyleAdapter, StyleTraining};
use serde::{Deserialize, Serialize};

/// A habit shows in at least this many texts.
const FEWEST: usize = 3;
/// A phrase is a favourite if one text in so many has it.
const PHRASE_SHARE: usize = 12;
/// Words of a phrase, at most.
const PHRASE_WORDS: usize = 4;
/// Favourites that are listed, at most.
const MOST_FAVOURITES: usize = 5;
/// Of ten sentences, so many begin alike if that is a habit.
const TENTHS_OF_SENTENCES: usize = 8;

/// How somebody writes, for a person to read and edit and for a model to follow.
///
/// What is `None` is not known or no habit, and a model is told nothing of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct StyleProfile {
    /// How messages begin. `{name}` stands for the name of whoever gets them.
    pub greeting: Option<String>,
    /// How messages end.
    pub sign_off: Option<String>,
    /// Words of a sentence, on average.
    pub sentence_words: Option<u32>,
    /// Where capital letters are.
    pub capitals: Option<Capitals>,
    /// The most frequent emoji and emoticons; empty if none are used.
    pub emoji: Option<Vec<String>>,
    /// Words that often stand on their own, between punctuation marks; the most frequent first.
    pub phrases: Vec<String>,
}

/// Where somebody puts capital letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Capitals {
    /// At the beginning of sentences.
    Sentences,
    /// Nowhere, or in names at most.
    Never,
    /// Everywhere.
    Always,
}

impl StyleProfile {
    /// The style of some texts of one writer: messages, letters, notes. From fewer than three, hardly anything can be told.
    pub fn of<T: AsRef<str>>(texts: &[T]) -> Self {
        let texts: Vec<&str> = texts.iter().map(|text| text.as_ref().trim()).filter(|text| !text.is_empty()).collect();
        if texts.is_empty() {
            return Self::default();
        }
        let mut profile = Self {
            greeting: edges::greeting(&texts),
            sign_off: edges::sign_off(&texts),
            emoji: emoji_of(&texts),
            ..Self::default()
        };
        let bodies: Vec<&str> = texts.iter().map(|text| profile.body(text)).collect();
        let sentences: Vec<&str> = bodies.iter().flat_map(|body| parts::sentences(body)).collect();
        profile.sentence_words = mean_words(&sentences);
        profile.capitals = capitals(&sentences);
        let phrases = bodies.iter().map(|body| {
            let clauses = parts::clauses(body).filter(|clause| parts::words(clause) <= PHRASE_WORDS);
            clauses.filter(|clause| clause.chars().any(char::is_alphabetic)).map(str::to_lowercase).collect()
        });
        profile.phrases = favourites(phrases, FEWEST.max(texts.len() / PHRASE_SHARE));
        profile
    }

    /// A text without its greeting and its sign-off.
    fn body<'a>(&self, text: &'a str) -> &'a str {
        let text = self.greeting.as_ref().map_or(text, |greeting| edges::without_greeting(text, greeting));
        self.sign_off.as_ref().map_or(text, |sign_off| edges::without_sign_off(text, sign_off))
    }
}

/// `None` if there are too few texts to tell, or if none is a favourite.
fn emoji_of(texts: &[&str]) -> Option<Vec<String>> {
    let found: Vec<Vec<String>> = texts.iter().map(|text| emoji::all(text).collect()).collect();
    let are_used = found.iter().any(|some| !some.is_empty());
    let favourites = favourites(found.into_iter(), FEWEST);
    (texts.len() >= FEWEST && are_used != favourites.is_empty()).then_some(favourites)
}

fn mean_words(sentences: &[&str]) -> Option<u32> {
    let words: usize = sentences.iter().map(|sentence| parts::words(sentence)).sum();
    (!sentences.is_empty()).then(|| (words as f64 / sentences.len() as f64).round() as u32)
}

fn capitals(sentences: &[&str]) -> Option<Capitals> {
    let lettered: Vec<&&str> =
        sentences.iter().filter(|sentence| sentence.chars().any(|c| c.is_lowercase() || c.is_uppercase())).collect();
    let is_habit = |test: fn(&str) -> bool| {
        let count = lettered.iter().filter(|sentence| test(sentence)).count();
        count >= FEWEST && 10 * count >= TENTHS_OF_SENTENCES * lettered.len()
    };
    match () {
        () if is_habit(|sentence| !sentence.chars().any(char::is_lowercase)) => Some(Capitals::Always),
        () if is_habit(|sentence| parts::first_letter(sentence).is_some_and(char::is_lowercase)) => {
            Some(Capitals::Never)
        }
        () if is_habit(|sentence| parts::first_letter(sentence).is_some_and(char::is_uppercase)) => {
            Some(Capitals::Sentences)
        }
        () => None,
    }
}

/// What occurs in at least `fewest` texts, the most frequent first; of those that are equally frequent, by their letters.
fn favourites(texts: impl Iterator<Item = Vec<String>>, fewest: usize) -> Vec<String> {
    let mut counts: HashMap<String, usize> = HashMap::new();
    for mut found in texts {
        found.sort_unstable();
        found.dedup();
        found.into_iter().for_each(|one| *counts.entry(one).or_default() += 1);
    }
    let mut counts: Vec<(String, usize)> = counts.into_iter().filter(|(_, count)| *count >= fewest).collect();
    counts.sort_unstable_by(|(a, more), (b, less)| less.cmp(more).then_with(|| a.cmp(b)));
    counts.into_iter().take(MOST_FAVOURITES).map(|(one, _)| one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MESSAGES: [&str; 7] = [
        "morning! train's late again so start without me. m.",
        "could you look at the copy when you get a sec? ta. m.",
        "the dentist was fine in the end. what time are you cooking tonight? m.",
        "tiny thing: the link points at last year's form. can you swap it? ta. m.",
        "yes to friday, no to the karaoke. m.",
        "send me the slides when you've slept? ta. m.",
        "i left the umbrella at yours. m.",
    ];
    const LETTERS: [&str; 4] = [
        "Hi Anna,\nthe plan is attached. Let me know what you think 😀\n\nBest wishes,\nTom",
        "Hi Ravi,\nWe can meet on Friday. Bring the keys, please 😀👍\n\nBest wishes,\nTom",
        "Hi Lena,\nThat is done. Thank you!\n\nBest wishes,\nTom",
        "Hi Sam,\nNo news from the council yet. I will call them on Monday 😀\n\nBest wishes,\nTom",
    ];

    #[test]
    fn a_writer_of_short_messages() {
        let expected = StyleProfile {
            greeting: None,
            sign_off: Some("m.".into()),
            sentence_words: Some(5),
            capitals: Some(Capitals::Never),
            emoji: Some(Vec::new()),
            phrases: vec!["ta".into()],
        };
        assert_eq!(StyleProfile::of(&MESSAGES), expected);
    }

    #[test]
    fn a_writer_of_letters() {
        let profile = StyleProfile::of(&LETTERS);
        assert_eq!(profile.greeting.as_deref(), Some("Hi {name},"));
        assert_eq!(profile.sign_off.as_deref(), Some("Best wishes,\nTom"));
        assert_eq!(profile.capitals, Some(Capitals::Sentences));
        assert_eq!(profile.emoji, Some(vec!["😀".into()]));
        assert_eq!(profile.phrases, [""; 0]);
    }

    #[test]
    fn from_hardly_anything_hardly_anything_is_told() {
        assert_eq!(StyleProfile::of::<&str>(&[]), StyleProfile::default());
        assert_eq!(StyleProfile::of(&[" ", ""]), StyleProfile::default());
        let one = StyleProfile::of(&["THE SERVER IS DOWN!"]);
        assert_eq!((one.greeting, one.sign_off, one.capitals, one.phrases), (None, None, None, vec![]));
        let loud = StyleProfile::of(&["THE SERVER IS DOWN", "IT IS UP", "IT IS DOWN AGAIN"]);
        assert_eq!(loud.capitals, Some(Capitals::Always));
    }

    #[test]
    fn the_shared_messages() {
        let Some(folder) = std::env::var_os("SOTTO_FIXTURES") else {
            return eprintln!("SKIPPED: SOTTO_FIXTURES is not set");
        };
        let texts =
            std::fs::read_to_string(std::path::Path::new(&folder).join("style/messages.txt")).expect("messages");
        let profile = StyleProfile::of(&texts.lines().collect::<Vec<_>>());
        assert_eq!((profile.greeting, profile.sign_off.as_deref()), (None, Some("m.")));
        assert_eq!((profile.capitals, profile.emoji), (Some(Capitals::Never), Some(vec![])));
        assert_eq!(profile.phrases, ["ta"]);
        assert!((7..=10).contains(&profile.sentence_words.expect("sentences")), "{:?}", profile.sentence_words);
    }

    #[test]
    fn a_person_reads_and_edits_it_as_json() {
        let profile = StyleProfile::of(&LETTERS);
        let json = serde_json::to_string(&profile).expect("JSON");
        assert!(json.contains(r#""capitals":"sentences""#), "{json}");
        assert_eq!(serde_json::from_str::<StyleProfile>(&json).expect("a profile"), profile);
        let edited: StyleProfile = serde_json::from_str(r#"{"sign_off":"x"}"#).expect("a profile");
        assert_eq!(edited, StyleProfile { sign_off: Some("x".into()), ..StyleProfile::default() });
    }

    #[test]
    fn odd_texts_are_read() {
        let long = "wörter ohne ende 😀 ".repeat(60_000);
        let odd = [long.as_str(), "\u{0}", "...", "\n\n\n", "😀", ",", "ß.", "İ. İ.", "👨‍👩‍👧", "a"];
        let profile = StyleProfile::of(&odd);
        odd.iter().for_each(|text| drop(profile.plain(text)));
    }
}
