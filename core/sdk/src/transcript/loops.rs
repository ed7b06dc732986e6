//! Removes the repetition loops of a recognizer.

use super::Utterance;

/// The maximum number of utterances in a loop.
const LONGEST_LOOP: usize = 4;

/// Keeps only one of several equal utterances in a row, and one round of a few that repeat in turn. The last one kept
/// lasts as long as the loop.
pub(super) fn without_loops(utterances: Vec<Utterance>) -> Vec<Utterance> {
    (1..=LONGEST_LOOP).fold(utterances, without_loops_of)
}

fn without_loops_of(utterances: Vec<Utterance>, length: usize) -> Vec<Utterance> {
    let repeats = repeats(&utterances, length);
    let mut kept: Vec<Utterance> = Vec::with_capacity(utterances.len());
    for (utterance, is_repeat) in utterances.into_iter().zip(repeats) {
        match kept.last_mut().filter(|_| is_repeat) {
            Some(last) => last.last_until(utterance.end),
            None => kept.push(utterance),
        }
    }
    kept
}

/// Which utterances only repeat what was said `length` utterances before. People may say something twice in turn, but
/// not three times.
fn repeats(utterances: &[Utterance], length: usize) -> Vec<bool> {
    let fewest = if length == 1 { 1 } else { 2 * length };
    let mut repeats = vec![false; utterances.len()];
    let mut run = 0;
    for index in length..utterances.len() {
        run = if is_same(&utterances[index], &utterances[index - length]) { run + 1 } else { 0 };
        match run {
            run if run == fewest => repeats[index + 1 - run..=index].fill(true),
            run => repeats[index] = run > fewest,
        }
    }
    repeats
}

fn is_same(one: &Utterance, other: &Utterance) -> bool {
    fn letters(text: &str) -> impl Iterator<Item = char> {
        text.chars().flat_map(char::to_lowercase)
    }
    one.speaker == other.speaker && letters(&one.said).eq(letters(&other.said))
}

impl Utterance {
    fn last_until(&mut self, end: Option<f64>) {
        if let (Some(start), Some(end)) = (self.start, end)
            && start <= end
        {
            self.end = Some(end);
        }
    }
}
