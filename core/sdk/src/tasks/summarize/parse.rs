//! Parses the model's answer into typed values.

use std::collections::HashMap;

use super::duties::Written;
use super::summary::{Action, Point};
use crate::note::{NoteText, without_loose_marks};

/// A result from a window.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Found {
    /// Title and overview, as far as they have been written.
    Heading {
        title: String,
        overview: String,
    },
    Point(Point),
    Action(Action),
}

impl Found {
    pub(super) fn is_heading(&self) -> bool {
        matches!(self, Self::Heading { .. })
    }
}

/// An answer as far as it has been written, with complete points and actions.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Answer {
    pub title: String,
    pub overview: String,
    pub points: Vec<Point>,
    pub actions: Vec<Action>,
}

impl Answer {
    /// The results in `self` that are not in `earlier`, a prefix of it.
    pub(super) fn beyond(&self, earlier: &Self) -> Vec<Found> {
        let heading = (self.title != earlier.title || self.overview != earlier.overview)
            .then(|| Found::Heading { title: self.title.clone(), overview: self.overview.clone() });
        let points = self.points[earlier.points.len()..].iter().cloned().map(Found::Point);
        let actions = self.actions[earlier.actions.len()..].iter().cloned().map(Found::Action);
        heading.into_iter().chain(points).chain(actions).collect()
    }
}

/// An answer that reached its limit can end anywhere, even within a word, so its last line is not a span.
pub(super) fn whole_lines(answer: &str) -> &str {
    &answer[..answer.rfind('\n').map_or(0, |end| end + 1)]
}

/// Parses the answer so far. An action may still get an owner or a due date until the answer is `finished`.
pub(super) fn parse(written: &str, note: &NoteText, finished: bool) -> Answer {
    let mut answer = Answer::default();
    let mut actions: Vec<Written> = Vec::new();
    // Where the same words were found last.
    let mut places: HashMap<&str, usize> = HashMap::new();
    let mut in_actions = false;
    for line in written.lines() {
        if let Some(title) = line.strip_prefix("Title:") {
            answer.title = capitalized(without_loose_marks(title));
        } else if let Some(overview) = line.strip_prefix("Overview:") {
            answer.overview = capitalized(without_loose_marks(overview));
        }
    }
    for line in whole_lines(written).lines() {
        let words = |text: &str| Some(without_loose_marks(text).to_owned()).filter(|words| !words.is_empty());
        if line.starts_with("Actions:") {
            in_actions = true;
        } else if let Some(owner) = line.strip_prefix("  owner:") {
            actions.last_mut().into_iter().for_each(|action| action.owner = words(owner));
        } else if let Some(due) = line.strip_prefix("  due:") {
            actions.last_mut().into_iter().for_each(|action| action.due = words(due));
        } else if let Some(words) = line.strip_prefix('-').map(without_loose_marks).filter(|words| !words.is_empty()) {
            let text = words.to_owned();
            if in_actions {
                // What two people do in the same words stands in two places.
                let place = note.place_from(words, places.get(words).copied().unwrap_or_default());
                places.insert(words, place.as_ref().map_or(0, |place| place.end));
                actions.push(Written { text, place, owner: None, due: None });
            } else {
                answer.points.push(Point { id: 0, text, evidence: note.evidence(words) });
            }
        }
    }
    if !finished {
        actions.pop();
    }
    answer.actions = actions.into_iter().map(|action| action.settled(note)).collect();
    answer
}

fn capitalized(text: &str) -> String {
    let mut characters = text.chars();
    match characters.next() {
        Some(first) => first.to_uppercase().chain(characters).collect(),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::note::VoiceNote;

    const ANSWER: &str = "Title: standup\nOverview: quick note after standup\nPoints:\n- the demo moved to Monday\nActions:\n- write a test\n  owner: Marcus\n  due: by Thursday\n- send the notes\n";

    fn note() -> NoteText {
        let note = VoiceNote::text(
            "Okay, quick note after standup. Marcus will write a test by Thursday. I need to send the notes. Oh, and the demo moved to Monday.",
        );
        NoteText::new(note.segments())
    }

    #[test]
    fn an_answer_becomes_a_summary_with_evidence() {
        let answer = parse(ANSWER, &note(), true);
        assert_eq!(answer.title, "Standup");
        assert_eq!(answer.overview, "Quick note after standup");
        assert_eq!(answer.points, [Point { id: 0, text: "the demo moved to Monday".into(), evidence: vec![4] }]);
        let first = Action {
            id: 0,
            text: "write a test".into(),
            owner: Some("Marcus".into()),
            due: Some("by Thursday".into()),
            evidence: vec![2],
        };
        let second = Action { id: 0, text: "send the notes".into(), owner: None, due: None, evidence: vec![3] };
        assert_eq!(answer.actions, [first, second]);
    }

    #[test]
    fn two_people_may_have_the_same_to_do() {
        let note = VoiceNote::text("Marcus will write a test by Thursday. Dana will write a test by Friday.");
        let written = "Actions:\n- write a test\n  owner: Marcus\n  due: by Thursday\n- write a test\n  owner: Dana\n  due: by Friday\n";
        let actions = parse(written, &NoteText::new(note.segments()), true).actions;
        assert_eq!(actions.iter().map(|action| action.evidence.clone()).collect::<Vec<_>>(), [[1], [2]]);
    }

    #[test]
    fn every_beginning_of_an_answer_is_a_beginning_of_the_whole_and_nothing_is_told_twice() {
        let note = note();
        let whole = parse(ANSWER, &note, true);
        let (mut told, mut found) = (Answer::default(), Vec::new());
        for end in (0..=ANSWER.len()).filter(|&end| ANSWER.is_char_boundary(end)) {
            let part = parse(&ANSWER[..end], &note, false);
            assert!(whole.title.starts_with(&part.title));
            assert!(whole.overview.starts_with(&part.overview));
            assert!(whole.points.starts_with(&part.points));
            assert!(whole.actions.starts_with(&part.actions));
            found.extend(part.beyond(&told));
            told = part;
        }
        found.extend(whole.beyond(&told));
        let items = found.iter().filter(|found| !matches!(found, Found::Heading { .. }));
        assert_eq!(items.count(), whole.points.len() + whole.actions.len());
    }

    #[test]
    fn an_answer_cut_off_within_a_line_loses_that_line() {
        assert_eq!(whole_lines("Title: a\nOverview: b"), "Title: a\n");
        assert_eq!(whole_lines("Title: a\n"), "Title: a\n");
        assert_eq!(whole_lines("Title"), "");
    }

    #[test]
    fn capitals_come_in_every_script() {
        assert_eq!(capitalized("élan"), "Élan");
        assert_eq!(capitalized("ßig"), "SSig");
        assert_eq!(capitalized(""), "");
    }
}
