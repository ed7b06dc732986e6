//! Keeps a template's control tokens apart from text that only looks like them.
//!
//! When a template is loaded, each control token in its texts and strings is put under a seal: one character that no text
//! has. Messages go through the template as they are. What has a seal in the rendered text was written by the template;
//! whatever else looks like a control token is text, wherever the template has cut and joined it.
//!
//! Tokens such as `</think>`, which a model writes as text, are sealed in its own turns, too: a template may look for them
//! there. It does not find them in what the person or the app says.

use std::collections::BTreeSet;

use aho_corasick::{AhoCorasick, MatchKind};

use crate::TextError;
use crate::rendered_prompt::{PromptPiece, RenderedPrompt};

/// Unicode planes without characters.
const UNASSIGNED: std::ops::RangeInclusive<u32> = 0x4_0000..=0xD_FFFF;

/// The tokens that only templates can write.
#[derive(Debug)]
pub(super) struct ControlTokens {
    /// Those that a model writes as text come first.
    texts: Vec<String>,
    all: AhoCorasick,
    written_as_text: AhoCorasick,
}

/// The characters that stand for control tokens in one template.
#[derive(Debug, Clone, Copy)]
pub(super) struct Seals {
    first: u32,
    count: u32,
}

impl ControlTokens {
    /// `tokens`: their texts, and whether each is a real control token. `<think>` is not one: the model writes it as
    /// text.
    pub(super) fn new<'a>(tokens: impl IntoIterator<Item = (&'a str, bool)>) -> Result<Self, TextError> {
        let mut tokens: Vec<(&str, bool)> = tokens.into_iter().filter(|(text, _)| !text.is_empty()).collect();
        tokens.sort_by_key(|&(text, is_control)| (is_control, text));
        let texts: Vec<String> = tokens.iter().map(|(text, _)| (*text).to_owned()).collect();
        let count = tokens.partition_point(|(_, is_control)| !is_control);
        Ok(Self { all: matcher(&texts)?, written_as_text: matcher(&texts[..count])?, texts })
    }

    pub(super) fn texts(&self) -> &[String] {
        &self.texts
    }

    /// Whether a text has a token that the model does not write as text.
    pub(super) fn has_control(&self, text: &str) -> bool {
        self.all.find_iter(text).any(|found| found.pattern().as_usize() >= self.written_as_text.patterns_len())
    }

    /// Characters for the seals and one more, of which none is in `texts`.
    pub(super) fn seals<'a>(&self, texts: impl Iterator<Item = &'a str>) -> Result<Seals, TextError> {
        let count = u32::try_from(self.texts.len()).unwrap_or(u32::MAX);
        let used: BTreeSet<u32> =
            texts.flat_map(str::chars).map(u32::from).filter(|character| UNASSIGNED.contains(character)).collect();
        let mut first = *UNASSIGNED.start();
        for character in used {
            if character - first > count {
                break;
            }
            first = character + 1;
        }
        match first.checked_add(count) {
            Some(last) if last <= *UNASSIGNED.end() => Ok(Seals { first, count }),
            _ => Err(TextError::Template { why: "there is no character left that no text has".to_owned() }),
        }
    }

    /// A text of the template with its control tokens sealed.
    pub(super) fn seal(&self, text: &str, seals: Seals) -> String {
        sealed(&self.all, text, seals)
    }

    /// A turn of the model with those control tokens sealed that it writes as text.
    pub(super) fn seal_written_as_text(&self, text: &str, seals: Seals) -> String {
        sealed(&self.written_as_text, text, seals)
    }

    /// Rendered text in pieces; `push_text` takes those between seals.
    pub(super) fn unseal(
        &self,
        rendered: &str,
        seals: Seals,
        push_text: impl Fn(&mut RenderedPrompt, &str),
    ) -> RenderedPrompt {
        let mut prompt = RenderedPrompt::default();
        let mut start = 0;
        for (at, seal) in rendered.char_indices() {
            if let Some(token) = seals.token(seal) {
                push_text(&mut prompt, &rendered[start..at]);
                prompt.push(PromptPiece::Control(self.texts[token].clone()));
                start = at + seal.len_utf8();
            }
        }
        push_text(&mut prompt, &rendered[start..]);
        prompt
    }
}

impl Seals {
    /// A character that is in no text and is no seal.
    pub(super) fn spare(self) -> char {
        self.character(self.count)
    }

    /// Whether a text has one of these characters.
    pub(super) fn are_in(self, text: &str) -> bool {
        text.chars().any(|character| (self.first..=self.first + self.count).contains(&u32::from(character)))
    }

    fn token(self, seal: char) -> Option<usize> {
        let token = u32::from(seal).checked_sub(self.first).filter(|&token| token < self.count)?;
        Some(token as usize)
    }

    fn character(self, index: u32) -> char {
        char::from_u32(self.first + index).unwrap_or(char::REPLACEMENT_CHARACTER)
    }
}

pub(super) fn matcher(texts: &[impl AsRef<[u8]>]) -> Result<AhoCorasick, TextError> {
    AhoCorasick::builder()
        .match_kind(MatchKind::LeftmostLongest)
        .build(texts)
        .map_err(|_| TextError::Unsupported { what: "this number of control tokens".to_owned() })
}

fn sealed(matcher: &AhoCorasick, text: &str, seals: Seals) -> String {
    let mut sealed = String::with_capacity(text.len());
    matcher.replace_all_with(text, &mut sealed, |found, _, sealed| {
        sealed.push(seals.character(found.pattern().as_u32()));
        true
    });
    sealed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seals_are_characters_that_no_text_has() {
        let tokens = ControlTokens::new([("<a>", true), ("<b>", true), ("<c>", false)]).unwrap();
        let first = |text: &str| tokens.seals([text].into_iter()).unwrap().first;
        assert_eq!(first("ordinary \u{F0000}"), 0x4_0000);
        assert_eq!(first("\u{40003}"), 0x4_0004);
        assert_eq!(first("\u{40004}"), 0x4_0000);
        assert_eq!(first("\u{40000}\u{40002}\u{40007}"), 0x4_0003);
        let everything: String = ('\u{40000}'..='\u{DFFFD}').collect();
        assert!(tokens.seals([everything.as_str()].into_iter()).is_err());
    }
}
