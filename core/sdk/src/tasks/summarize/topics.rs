//! Finds the topics of a note: the words that it returns to.

use std::collections::{HashMap, HashSet};

use super::words::words;
use crate::note::Segment;

/// The minimum length of a topic word, in scripts with lower case.
const SHORTEST_TOPIC: usize = 4;

/// Added to the number of words in a text, so that two words do not beat a sentence.
const SHORT_TEXT: f64 = 4.0;

/// The words of a note, with their weight as topics.
pub(super) struct Topics(HashMap<String, f64>);

impl Topics {
    /// A word tells most when it stands in several segments but by far not in all: `ln df · ln (N / df)`, where `df` of `N` segments have it.
    pub(super) fn of(segments: &[Segment]) -> Self {
        let mut counts: HashMap<String, usize> = HashMap::new();
        for segment in segments {
            for word in words(&segment.text).into_iter().filter(|word| can_be_topic(word)).collect::<HashSet<_>>() {
                *counts.entry(word).or_default() += 1;
            }
        }
        let all = segments.len() as f64;
        Self(counts.into_iter().map(|(word, count)| (word, (count as f64).ln() * (all / count as f64).ln())).collect())
    }

    /// How well a text matches the note's topics, counting each word once.
    pub(super) fn weight(&self, words: &[String]) -> f64 {
        let distinct: HashSet<&String> = words.iter().collect();
        let told: f64 = distinct.iter().filter_map(|word| self.0.get(*word)).sum();
        told / (distinct.len() as f64 + SHORT_TEXT)
    }
}

fn can_be_topic(word: &str) -> bool {
    word.chars().count() >= SHORTEST_TOPIC || !word.chars().all(char::is_lowercase)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::note::VoiceNote;

    #[test]
    fn what_a_note_comes_back_to_tells_most() {
        let note = VoiceNote::text(
            "The remote needs a battery. We saw the weather. The battery of the remote is small. And then the lunch was late. \
             It was fine. The remote is trendy. He said so. They left early.",
        );
        let topics = Topics::of(note.segments());
        let weight = |text: &str| topics.weight(&words(text));
        assert!(weight("the battery of the remote is small") > weight("the lunch was late"));
        assert!(weight("the remote needs a battery") > weight("the remote"));
        assert_eq!(weight(""), 0.0);
    }
}
