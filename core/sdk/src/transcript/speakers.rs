//! Finds speakers: names at the start of a line, a cue or an entry.

use std::collections::HashMap;
use std::ops::Range;

use super::Utterance;
use super::names::{LONGEST_NAME, is_label, is_name, is_numbered_speaker, is_speaker};
use super::noise::speech;

/// Finds the speakers that the utterances begin with.
pub(super) fn assign(utterances: &mut [Utterance]) {
    name_by_first_lines(utterances);
    let heads: Vec<Option<Head>> = utterances.iter().map(Head::of).collect();
    let are_names = names_are_speakers(utterances, &heads);
    let mut turn = None;
    for (utterance, head) in utterances.iter_mut().zip(heads) {
        let speaks = |name: &str| is_numbered_speaker(name) || (are_names && is_speaker(name));
        match head.filter(|head| speaks(&utterance.said[head.name.clone()])) {
            Some(head) => {
                utterance.speaker = Some(utterance.said[head.name.clone()].to_owned());
                utterance.said = utterance.said[head.said..].trim().to_owned();
            }
            // A further line of somebody's turn.
            None if utterance.speaker.is_none() && utterance.start.is_none() => utterance.speaker.clone_from(&turn),
            None => {}
        }
        turn.clone_from(if utterance.start.is_none() { &utterance.speaker } else { &None });
    }
}

/// A name and a colon at the start of what is said, or a numbered speaker in brackets.
struct Head {
    name: Range<usize>,
    /// Where the words begin.
    said: usize,
}

impl Head {
    fn of(utterance: &Utterance) -> Option<Self> {
        match utterance.speaker {
            Some(_) => None,
            None => Self::in_brackets(&utterance.said).or_else(|| Self::before_colon(&utterance.said)),
        }
    }

    /// `(speaker 0) words`, `[SPEAKER_00]: words`.
    fn in_brackets(said: &str) -> Option<Self> {
        let close = [("[", ']'), ("(", ')'), ("<", '>')]
            .into_iter()
            .find_map(|(open, close)| said.starts_with(open).then_some(close))?;
        let end = said[..said.floor_char_boundary(LONGEST_NAME)].find(close)?;
        let name = trimmed(said, 1..end);
        let words = said[end + 1..].trim_start();
        let words = words.strip_prefix(':').unwrap_or(words);
        is_numbered_speaker(&said[name.clone()]).then_some(Self { name, said: said.len() - words.len() })
    }

    /// `Priya: words`, `Priya:Words`, `**Priya:** words`.
    fn before_colon(said: &str) -> Option<Self> {
        let (colon, sign) = said[..said.floor_char_boundary(LONGEST_NAME)]
            .char_indices()
            .find(|(_, sign)| matches!(sign, ':' | '：'))?;
        let words = said[colon + sign.len_utf8()..].trim_start_matches('*');
        let name = trimmed(said, 0..colon);
        // Not `10:30`, `https://`: without a space, a word begins.
        let begins = words
            .chars()
            .next()
            .is_none_or(|next| next.is_whitespace() || (next.is_alphabetic() && !next.is_lowercase()));
        let is_word = begins || sign == '：' || words.starts_with(['"', '“', '¿', '¡']);
        let is_speaker = is_numbered_speaker(&said[name.clone()]) || is_name(&said[name.clone()]);
        (is_word && is_speaker).then_some(Self { name, said: said.len() - words.len() })
    }
}

/// `range` of `text` without white space, brackets and stars around it.
fn trimmed(text: &str, range: Range<usize>) -> Range<usize> {
    let part = &text[range.clone()];
    let name = part.trim().trim_start_matches('*').trim_end_matches('*').trim();
    let name = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(name);
    let start = range.start + part.find(name).unwrap_or(0);
    start..start + name.len()
}

/// Whether the names before colons are speakers, not the labels of a list: it reads like a conversation, or like sentences
/// that all have one.
fn names_are_speakers(utterances: &[Utterance], heads: &[Option<Head>]) -> bool {
    let mut spoken = 0;
    let mut named = 0;
    let mut sentences = true;
    let mut turns: HashMap<&str, usize> = HashMap::new();
    for (utterance, head) in utterances.iter().zip(heads) {
        let name = head.as_ref().map(|head| &utterance.said[head.name.clone()]);
        let name = name.filter(|name| !is_label(name));
        match name {
            Some(name) => *turns.entry(name).or_default() += 1,
            None if utterance.continues || speech(&utterance.said).is_empty() => continue,
            None => {}
        }
        spoken += 1;
        named += usize::from(name.is_some());
        sentences &= head.as_ref().is_some_and(|head| is_sentence(&utterance.said[head.said..]));
    }
    let is_conversation = turns.len() > 1 && turns.values().any(|&count| count > 1) && named * 3 >= spoken;
    is_conversation || (spoken > 1 && named == spoken && sentences)
}

/// Whether it begins and ends as a sentence does.
fn is_sentence(text: &str) -> bool {
    let text = text.trim();
    let begins = text.trim_start_matches(|sign: char| !sign.is_alphanumeric()).chars().next();
    begins.is_some_and(|first| !first.is_lowercase()) && text.ends_with(|last: char| !last.is_alphanumeric())
}

/// Where the first line of every cue or turn is a name, that is who speaks.
fn name_by_first_lines(utterances: &mut [Utterance]) {
    let Some(names) = first_lines(utterances) else { return };
    for index in names {
        let name = std::mem::take(&mut utterances[index].said);
        utterances[index].speaker = Some(name);
    }
}

/// The first lines of the timed utterances, if all are names with more lines after them.
fn first_lines(utterances: &[Utterance]) -> Option<Vec<usize>> {
    let mut found = Vec::new();
    let mut index = 0;
    while index < utterances.len() {
        let end = index + 1 + utterances[index + 1..].iter().take_while(|next| next.continues).count();
        let mut lines = (index..end).filter(|&line| !utterances[line].said.is_empty());
        let is_timed = utterances[index].start.is_some();
        if let Some(first) = lines.next().filter(|_| is_timed) {
            let is_unnamed = utterances[index..end].iter().all(|line| line.speaker.is_none());
            if !is_unnamed || lines.next().is_none() || !is_speaker(&utterances[first].said) {
                return None;
            }
            found.push(first);
        }
        index = end;
    }
    (found.len() > 1).then_some(found)
}
