//! Keeping control tokens of the template apart from text that only looks like them.
//!
//! Messages go through the template with a marker behind each character that could start a control token. In the
//! rendered text, control tokens are looked for as they are: one that came from a message has the marker inside and
//! is not found. Then the markers are dropped.
//!
//! Markers hide text from a template that looks into a message. What templates do look for is `</think>` in the
//! model's own turns, so there only a character is marked that has the rest of a control token behind it.

use std::collections::BTreeSet;

use aho_corasick::{AhoCorasick, Input, MatchKind};

use super::rendered::{PromptPiece, RenderedPrompt};
use super::{Message, Role};
use crate::TextError;

/// Bytes that are compared at most to find out how to mark.
const MOST_COMPARISONS: usize = 1 << 30;

/// The tokens that only templates write.
#[derive(Debug, Clone)]
pub(super) struct ControlTokens {
    texts: Vec<String>,
    characters: BTreeSet<char>,
    starts: BTreeSet<char>,
    /// How control tokens in the strict sense begin. `<think>` is not one: the model writes it as text.
    first_two: BTreeSet<(char, Option<char>)>,
    matcher: AhoCorasick,
}

/// Where markers go in a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Marking {
    /// Behind characters that start a token: the template sees most text as it is.
    Starts,
    /// Behind every character of any token: for a template with a text that ends in half a token, which a message
    /// could complete.
    Everything,
}

impl ControlTokens {
    /// `tokens`: their texts, and whether each is a control token in the strict sense.
    pub(super) fn new<'a>(tokens: impl IntoIterator<Item = (&'a str, bool)>) -> Result<Self, TextError> {
        let tokens: Vec<(&str, bool)> = tokens.into_iter().filter(|(text, _)| !text.is_empty()).collect();
        let texts: Vec<String> = tokens.iter().map(|(text, _)| (*text).to_owned()).collect();
        let matcher = AhoCorasick::builder()
            .match_kind(MatchKind::LeftmostLongest)
            .build(&texts)
            .map_err(|_| TextError::Unsupported { what: "this number of control tokens".to_owned() })?;
        let strict = tokens.iter().filter(|(_, is_control)| *is_control);
        let first_two = strict.filter_map(|(text, _)| first_two(text)).collect();
        let starts = texts.iter().filter_map(|text| text.chars().next()).collect();
        let characters = texts.iter().flat_map(|text| text.chars()).collect();
        Ok(Self { texts, characters, starts, first_two, matcher })
    }

    /// The marking that is safe with a template: whether some piece of its text breaks off within a control token.
    pub(super) fn marking_for(&self, template: &str) -> Marking {
        let starts = || template.char_indices().filter(|(_, character)| self.starts.contains(character));
        let comparisons = starts().count().saturating_mul(self.texts.iter().map(String::len).sum());
        // What would take too long to find out may be taken for broken off.
        let broken_off =
            comparisons > MOST_COMPARISONS || starts().any(|(start, _)| self.breaks_off(&template[start..]));
        if broken_off { Marking::Everything } else { Marking::Starts }
    }

    /// Whether `text` starts with part of a control token and the template's text ends there.
    fn breaks_off(&self, text: &str) -> bool {
        self.texts.iter().any(|token| {
            let common = token.bytes().zip(text.bytes()).take_while(|(left, right)| left == right).count();
            let rest = text.get(common..).unwrap_or_default().trim_start();
            common < token.len() && (rest.is_empty() || rest.starts_with(['\'', '"', '{', '\\']))
        })
    }

    /// `message` with markers.
    pub(super) fn mark(&self, message: &Message, marker: char, marking: Marking) -> String {
        let text = message.content.as_str();
        let is_marked = |at: usize, character: char| match (marking, message.role) {
            (Marking::Everything, _) => self.characters.contains(&character),
            (Marking::Starts, Role::Assistant) => self.may_begin(character, &text[at + character.len_utf8()..]),
            (Marking::Starts, _) => self.starts.contains(&character),
        };
        let mut marked = String::with_capacity(text.len() + 16);
        for (at, character) in text.char_indices() {
            marked.push(character);
            if is_marked(at, character) {
                marked.push(marker);
            }
        }
        marked
    }

    /// Whether a control token may begin with `first`: by the character behind it, or because a template could put
    /// something there, or take away what begins there (`</think>`).
    fn may_begin(&self, first: char, behind: &str) -> bool {
        let next = behind.chars().next();
        let is_open = |next: char| next.is_whitespace() || self.starts.contains(&next);
        let open = next.is_none_or(is_open) && self.starts.contains(&first);
        let next = next.map(|next| next.to_ascii_lowercase());
        let first = first.to_ascii_lowercase();
        open || self.first_two.contains(&(first, next)) || self.first_two.contains(&(first, None))
    }

    /// Rendered text, taken apart and without markers.
    pub(super) fn take_apart(&self, rendered: &str, marker: char) -> RenderedPrompt {
        let mut prompt = RenderedPrompt::default();
        let (mut text_start, mut search_start) = (0, 0);
        while let Some(found) = self.matcher.find(Input::new(rendered).range(search_start..)) {
            // A marker behind it says that its last character came from a message.
            if rendered[found.end()..].starts_with(marker) {
                search_start = next_char(rendered, found.start());
                continue;
            }
            prompt.push_text(&rendered[text_start..found.start()].replace(marker, ""));
            prompt.push(PromptPiece::Control(self.texts[found.pattern()].clone()));
            (text_start, search_start) = (found.end(), found.end());
        }
        prompt.push_text(&rendered[text_start..].replace(marker, ""));
        prompt
    }
}

/// A character that occurs in none of the texts: a noncharacter if one is free, else one for private use.
pub(super) fn free_marker<'a>(texts: impl Iterator<Item = &'a str> + Clone) -> Result<char, TextError> {
    let mut candidates = ('\u{FDD0}'..='\u{FDEF}').chain('\u{F0000}'..='\u{FFFFD}');
    candidates
        .find(|&candidate| !texts.clone().any(|text| text.contains(candidate)))
        .ok_or_else(|| TextError::Template { why: "the messages use every character there is".to_owned() })
}

/// The second is none for a token of one character.
fn first_two(text: &str) -> Option<(char, Option<char>)> {
    // Templates may change the case of a message.
    let mut characters = text.chars().map(|character| character.to_ascii_lowercase());
    Some((characters.next()?, characters.next()))
}

fn next_char(text: &str, at: usize) -> usize {
    text[at..].chars().next().map_or(text.len(), |character| at + character.len_utf8())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finding_out_how_to_mark_does_not_take_for_ever() {
        let tokens: Vec<String> = (0..50_000).map(|number| format!("<<<<<<<<<<{number}")).collect();
        let tokens = ControlTokens::new(tokens.iter().map(|token| (token.as_str(), true))).expect("few enough");
        assert_eq!(tokens.marking_for(&"<".repeat(1 << 20)), Marking::Everything);
        let few = ControlTokens::new([("<|end|>", true)]).expect("few enough");
        assert_eq!(few.marking_for(&"<|end|>".repeat(1000)), Marking::Starts);
    }
}
