//! Words with times, as recognizers list them, become utterances.

use super::entry::{Entry, Said};
use super::value::Json;

/// Seconds of silence that end an utterance.
const PAUSE: f64 = 2.0;

/// An utterance that words were put together to.
pub(super) struct Sentence {
    pub said: Said,
    pub text: String,
}

/// The sentences that a list of words makes up: each ends with a mark, where somebody else speaks, or at a pause. None where no word has a
/// time.
pub(super) fn sentences(words: Vec<Json>, whole: &Said) -> Vec<Sentence> {
    let mut sentences: Vec<Sentence> = Vec::new();
    let mut any_time = false;
    for word in words {
        let Json::Object(pairs) = word else { continue };
        let entry = Entry(pairs);
        let Some(text) = entry.word().map(str::trim).filter(|text| !text.is_empty()) else { continue };
        let own = entry.said();
        any_time |= own.start.is_some();
        let is_mark = !text.contains(char::is_alphanumeric);
        match sentences.last_mut() {
            Some(last) if is_mark => last.text.push_str(text),
            Some(last) if last.goes_on_with(&own) => {
                last.text.push(' ');
                last.text.push_str(text);
                last.said.end = own.end.or(last.said.end);
                last.said.in_integers &= own.in_integers;
            }
            _ => sentences.push(Sentence {
                said: own.within(&Said { start: None, end: None, ..whole.clone() }),
                text: text.to_owned(),
            }),
        }
    }
    if any_time { sentences } else { Vec::new() }
}

impl Sentence {
    fn goes_on_with(&self, word: &Said) -> bool {
        let is_paused = self.said.end.zip(word.start).is_some_and(|(end, start)| start - end >= self.unit() * PAUSE);
        let is_other = word.speaker.is_some() && word.speaker != self.said.speaker;
        !is_paused && !is_other && !is_whole(&self.text)
    }

    /// What a second is: whether integers are milliseconds is seen when all are read.
    fn unit(&self) -> f64 {
        if self.said.in_integers { 1000.0 } else { 1.0 }
    }
}

/// Whether a sentence ends here.
pub(super) fn is_whole(text: &str) -> bool {
    text.trim_end_matches(['"', '”', '»', ')']).ends_with(['.', '!', '?', '…', '。', '！', '？'])
}
