//! Control tokens that a template composes: `'<|' + message.role + '|>'` becomes `<|user|>` only when it is rendered.
//!
//! For such a template, a marker is inserted into messages after each character of these tokens. In the rendered text,
//! a token from a message contains a marker and is not recognized. Then the markers are removed.

use std::collections::{BTreeSet, HashSet};

use aho_corasick::{AhoCorasick, Input};

use super::Role;
use super::control_tokens::matcher;
use crate::TextError;
use crate::rendered_prompt::{PromptPiece, RenderedPrompt};

/// The maximum length of a composed control token, in bytes.
const LONGEST: usize = 64;

/// The tokens that a template composes.
#[derive(Debug)]
pub(super) struct Composed {
    texts: Vec<String>,
    characters: BTreeSet<char>,
    matcher: AhoCorasick,
}

impl Composed {
    /// The tokens that may come about where a text of the template ends within a token: what follows is another text, or the
    /// name of a role or a third text between two.
    pub(super) fn of(tokens: &[String], template_texts: &[&str]) -> Result<Option<Self>, TextError> {
        let pieces = Pieces::of(template_texts);
        let texts: Vec<String> = tokens.iter().filter(|token| pieces.compose(token)).cloned().collect();
        if texts.is_empty() {
            return Ok(None);
        }
        let characters = texts.iter().flat_map(|text| text.chars()).collect();
        Ok(Some(Self { matcher: matcher(&texts)?, characters, texts }))
    }

    /// A message with markers.
    pub(super) fn mark(&self, text: &str, marker: char) -> String {
        let mut marked = String::with_capacity(2 * text.len());
        for character in text.chars() {
            marked.push(character);
            if self.characters.contains(&character) {
                marked.push(marker);
            }
        }
        marked
    }

    /// Adds rendered text to the prompt: composed tokens as such, and the rest without markers.
    pub(super) fn push_text(&self, prompt: &mut RenderedPrompt, rendered: &str, marker: char) {
        let (mut text_start, mut search_start) = (0, 0);
        while let Some(found) = self.matcher.find(Input::new(rendered).range(search_start..)) {
            // A marker after it means that its last character came from a message.
            if rendered[found.end()..].starts_with(marker) {
                search_start = next_character(rendered, found.start());
                continue;
            }
            prompt.push_text(&rendered[text_start..found.start()].replace(marker, ""));
            prompt.push(PromptPiece::Control(self.texts[found.pattern()].clone()));
            (text_start, search_start) = (found.end(), found.end());
        }
        prompt.push_text(&rendered[text_start..].replace(marker, ""));
    }
}

/// Texts from which a template could compose a token.
struct Pieces<'a> {
    wholes: HashSet<&'a str>,
    beginnings: HashSet<&'a str>,
    ends: HashSet<&'a str>,
}

impl<'a> Pieces<'a> {
    fn of(texts: &[&'a str]) -> Self {
        // White space between a text and a tag may be trimmed.
        let trimmed = || texts.iter().flat_map(|text| [*text, text.trim()]);
        let roles = [Role::System, Role::User, Role::Assistant, Role::Tool].map(Role::name);
        Self {
            wholes: trimmed().chain(roles).chain([""]).collect(),
            beginnings: trimmed().flat_map(|text| boundaries(text).map(move |at| &text[..at])).chain([""]).collect(),
            ends: trimmed().flat_map(|text| boundaries_from_end(text).map(move |at| &text[at..])).collect(),
        }
    }

    fn compose(&self, token: &str) -> bool {
        let splits = || token.char_indices().map(|(at, _)| at).skip(1);
        token.len() <= LONGEST
            && splits().filter(|&first| self.ends.contains(&token[..first])).any(|first| {
                let middles = splits().chain([token.len()]).filter(|&second| second >= first);
                middles.clone().any(|second| {
                    self.wholes.contains(&token[first..second]) && self.beginnings.contains(&token[second..])
                })
            })
    }
}

/// Where the first characters of a text end, as far as a token may reach.
fn boundaries(text: &str) -> impl Iterator<Item = usize> {
    text.char_indices().map(|(at, character)| at + character.len_utf8()).take(LONGEST)
}

/// Where the last characters of a text begin, as far as a token may reach.
fn boundaries_from_end(text: &str) -> impl Iterator<Item = usize> {
    text.char_indices().rev().map(|(at, _)| at).take(LONGEST)
}

fn next_character(text: &str, at: usize) -> usize {
    text[at..].chars().next().map_or(text.len(), |character| at + character.len_utf8())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_found_that_a_template_can_compose() {
        let tokens = ["<|user|>", "<|end|>", "[INST]", "<s>"].map(str::to_owned);
        let composed =
            |texts: &[&str]| Composed::of(&tokens, texts).unwrap().map_or_else(Vec::new, |composed| composed.texts);
        assert_eq!(composed(&["<|", "|>\\n"]), ["<|user|>"]);
        assert_eq!(composed(&["text<|\n  ", " |>"]), ["<|user|>"]);
        assert_eq!(composed(&["<|", "end", "|>"]), ["<|user|>", "<|end|>"]);
        assert_eq!(composed(&["<|e", "nd|> x"]), ["<|end|>"]);
        assert_eq!(composed(&["[", "]", "<", "a>"]), [] as [&str; 0]);
        assert_eq!(composed(&[]), [] as [&str; 0]);
    }

    #[test]
    fn a_great_many_tokens_and_texts_take_no_time() {
        let tokens: Vec<String> = (0..2_000).map(|number| format!("<<<<<<<<<<{number}")).collect();
        let text = "<".repeat(1 << 18);
        assert!(Composed::of(&tokens, &[&text, "0"]).unwrap().is_some());
    }
}
