//! Keeping control tokens of the template apart from text that only looks like them.
//!
//! Messages go through the template with a marker behind each character that could start a control token. In the
//! rendered text, control tokens are looked for as they are: one that came from a message has the marker inside and is not found.
//! Then the markers are dropped.

use std::collections::BTreeSet;

use aho_corasick::{AhoCorasick, Input, MatchKind};

use super::rendered::{PromptPiece, RenderedPrompt};
use crate::TextError;

/// The control tokens of a model, as a template may write them.
#[derive(Debug, Clone)]
pub(super) struct ControlTokens {
    texts: Vec<String>,
    starts: BTreeSet<char>,
    matcher: AhoCorasick,
}

/// Where markers go in a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Marking {
    /// Behind characters that start a control token: the template sees most text as it is.
    Starts,
    /// Behind every character: for a template with a text that ends in half a control token, which a message could complete.
    Everything,
}

impl ControlTokens {
    pub(super) fn new<'a>(texts: impl IntoIterator<Item = &'a str>) -> Result<Self, TextError> {
        let texts: Vec<String> = texts.into_iter().filter(|text| !text.is_empty()).map(str::to_owned).collect();
        let matcher = AhoCorasick::builder()
            .match_kind(MatchKind::LeftmostLongest)
            .build(&texts)
            .map_err(|_| TextError::Unsupported { what: "this number of control tokens".to_owned() })?;
        let starts = texts.iter().filter_map(|text| text.chars().next()).collect();
        Ok(Self { texts, starts, matcher })
    }

    /// The marking that is safe with a template: whether some piece of its text breaks off within a control token.
    pub(super) fn marking_for(&self, template: &str) -> Marking {
        let broken_off = template
            .char_indices()
            .filter(|(_, character)| self.starts.contains(character))
            .any(|(start, _)| self.breaks_off(&template[start..]));
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

    /// `text` with markers.
    pub(super) fn mark(&self, text: &str, marker: char, marking: Marking) -> String {
        let mut marked = String::with_capacity(text.len() + 16);
        for character in text.chars() {
            marked.push(character);
            if marking == Marking::Everything || self.starts.contains(&character) {
                marked.push(marker);
            }
        }
        marked
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

fn next_char(text: &str, at: usize) -> usize {
    text[at..].chars().next().map_or(text.len(), |character| at + character.len_utf8())
}
