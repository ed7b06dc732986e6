//! An answer of the model becomes typed values.

use std::collections::HashMap;
use std::ops::Range;

use super::summary::{Action, NoteSummary, Point};
use crate::note::NoteText;

/// An answer that reached its limit ends anywhere, even within a word: its last line is no span.
pub(super) fn whole_lines(answer: &str) -> &str {
    &answer[..answer.rfind('\n').map_or(0, |end| end + 1)]
}

/// Reads as much of an answer as is there.
pub(super) fn parse(answer: &str, note: &NoteText) -> NoteSummary {
    let mut summary = NoteSummary::default();
    let mut places: HashMap<&str, Range<usize>> = HashMap::new();
    let mut in_actions = false;
    for line in answer.lines() {
        if let Some(title) = line.strip_prefix("Title:") {
            summary.title = capitalized(title.trim());
        } else if let Some(overview) = line.strip_prefix("Overview:") {
            summary.overview = capitalized(overview.trim());
        } else if line.starts_with("Actions:") {
            in_actions = true;
        } else if let Some(owner) = line.strip_prefix("  owner:") {
            attach(&mut summary, note, &places, owner.trim(), |action| &mut action.owner);
        } else if let Some(due) = line.strip_prefix("  due:") {
            attach(&mut summary, note, &places, due.trim(), |action| &mut action.due);
        } else if let Some(words) = line.strip_prefix('-').map(str::trim).filter(|words| !words.is_empty()) {
            let text = words.to_owned();
            if in_actions {
                // What two people do in the same words stands in two places.
                let from = places.get(words).map_or(0, |place| place.end);
                let place = note.place_from(words, from);
                let evidence = place.iter().flat_map(|place| note.segments_in(place)).collect();
                places.insert(words, place.unwrap_or_default());
                summary.actions.push(Action { text, owner: None, due: None, evidence });
            } else {
                summary.points.push(Point { text, evidence: note.evidence(words) });
            }
        }
    }
    summary.drop_repeats(answer.ends_with('\n'));
    summary
}

/// Sets a field of the last action, with the evidence nearest to the action's own.
fn attach(
    summary: &mut NoteSummary,
    note: &NoteText,
    places: &HashMap<&str, Range<usize>>,
    words: &str,
    field: impl FnOnce(&mut Action) -> &mut Option<String>,
) {
    let Some(action) = summary.actions.last_mut().filter(|_| !words.is_empty()) else { return };
    let near = places.get(action.text.as_str()).cloned().unwrap_or_default();
    action.evidence.extend(note.evidence_near(words, &near));
    action.evidence.sort_unstable();
    action.evidence.dedup();
    *field(action) = Some(words.to_owned());
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

    const ANSWER: &str = "Title: standup\nOverview: quick note after standup\nPoints:\n- the demo moved to Monday\n- the demo moved to Monday\nActions:\n- write a test\n  owner: Marcus\n  due: by Thursday\n- send the notes\n";

    fn note() -> NoteText {
        let note = VoiceNote::text(
            "Okay, quick note after standup. Marcus will write a test by Thursday. I need to send the notes. Oh, and the demo moved to Monday.",
        );
        NoteText::new(note.segments())
    }

    #[test]
    fn an_answer_becomes_a_summary_with_evidence() {
        let summary = parse(ANSWER, &note());
        assert_eq!(summary.title, "Standup");
        assert_eq!(summary.overview, "Quick note after standup");
        assert_eq!(summary.points, [Point { text: "the demo moved to Monday".into(), evidence: vec![4] }]);
        let first = Action {
            text: "write a test".into(),
            owner: Some("Marcus".into()),
            due: Some("by Thursday".into()),
            evidence: vec![2],
        };
        let second = Action { text: "send the notes".into(), owner: None, due: None, evidence: vec![3] };
        assert_eq!(summary.actions, [first, second]);
    }

    #[test]
    fn two_people_may_have_the_same_to_do() {
        let note = VoiceNote::text("Marcus will write a test by Thursday. Dana will write a test by Friday.");
        let note = NoteText::new(note.segments());
        let action = |owner: &str, due: &str, segment| Action {
            text: "write a test".into(),
            owner: Some(owner.into()),
            due: Some(due.into()),
            evidence: vec![segment],
        };
        let marcus = "- write a test\n  owner: Marcus\n  due: by Thursday\n";
        let dana = "- write a test\n  owner: Dana\n  due: by Friday\n";
        let actions = |answer: &str| parse(&format!("Actions:\n{answer}"), &note).actions;
        let both = [action("Marcus", "by Thursday", 1), action("Dana", "by Friday", 2)];
        assert_eq!(actions(&[marcus, dana].concat()), both);
        // Said again, with less or in other letters, it is the same.
        let later = "- write a test\n  due: by Friday\n";
        for again in ["- write a test\n", "- Write a test\n  owner: marcus\n", marcus, later] {
            for end in 0..=again.len() {
                assert_eq!(actions(&[marcus, &again[..end]].concat())[1..], [], "{}", &again[..end]);
            }
        }
    }

    #[test]
    fn every_beginning_of_an_answer_is_a_beginning_of_the_summary() {
        let note = note();
        let whole = parse(ANSWER, &note);
        for end in (0..=ANSWER.len()).filter(|&end| ANSWER.is_char_boundary(end)) {
            let part = parse(&ANSWER[..end], &note);
            assert!(whole.title.starts_with(&part.title));
            assert!(whole.overview.starts_with(&part.overview));
            assert!(part.actions.len() <= whole.actions.len());
            assert!(part.actions.iter().zip(&whole.actions).all(|(a, b)| b.text.starts_with(&a.text)));
        }
    }

    #[test]
    fn an_answer_cut_off_within_a_line_loses_that_line() {
        assert_eq!(whole_lines("Title: a\nOverview: b"), "Title: a\n");
        assert_eq!(whole_lines("Title: a\n"), "Title: a\n");
        assert_eq!(whole_lines("Title"), "");
    }

    #[test]
    fn windows_are_put_together_in_order() {
        let mut whole = parse(ANSWER, &note());
        let later = parse("Title: more\nOverview: rest\nPoints:\n- quick note\nActions:\n", &note());
        whole.extend(later);
        assert_eq!(whole.title, "Standup");
        assert_eq!(whole.points.len(), 2);
        assert_eq!(whole.actions.len(), 2);
    }

    #[test]
    fn capitals_come_in_every_script() {
        assert_eq!(capitalized("élan"), "Élan");
        assert_eq!(capitalized("ßig"), "SSig");
        assert_eq!(capitalized(""), "");
    }
}
