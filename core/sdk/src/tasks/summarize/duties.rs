//! Who has to do something, and by when: what a model writes is held against the note.

use std::ops::Range;

use super::summary::Action;
use crate::note::{NoteText, without_loose_marks};

/// Words between "I" and what is to be done, at most: "I really have to".
const MOST_BETWEEN: usize = 4;

/// The longest name of an owner in words, "the students on the second floor", and the longest due date, "before the tenants move in on the
/// first": what is longer is something else that was said. Of 1,452 owners and 1,762 due dates that people wrote down, four are longer.
const LONGEST_OWNER: usize = 6;
const LONGEST_DUE: usize = 8;

/// Before a date.
const PREPOSITIONS: [&str; 9] = ["by", "before", "until", "bis", "vor", "avant", "hasta", "entro", "até"];

/// Days as one names them after a preposition; a date in figures is one as well.
const DAYS: [&str; 31] = [
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
    "sunday",
    "noon",
    "midnight",
    "tonight",
    "tomorrow",
    "montag",
    "dienstag",
    "mittwoch",
    "donnerstag",
    "freitag",
    "samstag",
    "sonntag",
    "morgen",
    "lundi",
    "mardi",
    "mercredi",
    "jeudi",
    "vendredi",
    "samedi",
    "dimanche",
    "demain",
    "lunedì",
    "martedì",
    "giovedì",
    "venerdì",
];

/// What the model writes of an action, with the place of its text in the note.
#[derive(Debug, Clone)]
pub(super) struct Written {
    pub text: String,
    pub place: Option<Range<usize>>,
    pub owner: Option<String>,
    pub due: Option<String>,
}

impl Written {
    /// The action, with an owner and a due date that the note bears out:
    /// - neither says the action over again or is a whole sentence, and the due date is no part of its text;
    /// - the owner is named where the action is, or says it;
    /// - what somebody who is known by name says that "I" have to do, is theirs.
    pub(super) fn settled(self, note: &NoteText) -> Action {
        let Self { text, place, owner, due } = self;
        let own = place.iter().flat_map(|place| note.segments_in(place)).collect::<Vec<_>>();
        let place = place.unwrap_or_default();
        let repeats = |words: &String| words.to_lowercase().contains(&text.to_lowercase());
        let due = due.filter(|due| !repeats(due) && has_at_most(LONGEST_DUE, due));
        let mut evidence = own.clone();
        evidence.extend(due.iter().flat_map(|due| note.evidence_near(due, &place)));
        evidence.sort_unstable();
        evidence.dedup();
        let is_there = |owner: &String| note.evidence_near(owner, &place).iter().any(|id| own.contains(id));
        let is_name = |owner: &String| has_at_most(LONGEST_OWNER, owner) && !is_first_person(owner);
        let named = owner.filter(|owner| !repeats(owner) && is_name(owner) && is_there(owner));
        let owner = named.or_else(|| speaker(&text, &place, note));
        let (text, due) = apart(text, due);
        Action { id: 0, text, owner, due, evidence }
    }
}

fn has_at_most(words: usize, text: &str) -> bool {
    text.split_whitespace().count() <= words
}

/// Who says that "I" have to do it.
fn speaker(text: &str, place: &Range<usize>, note: &NoteText) -> Option<String> {
    let (speaker, before) = note.speaker_at(place)?;
    let clause = before.rsplit(['.', ',', ';', ':', '?', '!']).next().unwrap_or_default();
    let mut words = clause.split_whitespace().rev().take(MOST_BETWEEN + 1);
    let says_so = words.any(is_first_person) || text.split_whitespace().next().is_some_and(is_first_person);
    says_so.then(|| speaker.to_owned())
}

/// `I`, `I'll`, `me`.
fn is_first_person(word: &str) -> bool {
    let word = word.trim();
    let word = word.split_once(['\'', '’']).map_or(word, |(word, _)| word);
    word == "I" || ["me", "myself"].iter().any(|me| word.eq_ignore_ascii_case(me))
}

/// The text without the due date at its end. A date there is the due date, if a preposition says so and there is no other.
fn apart(text: String, due: Option<String>) -> (String, Option<String>) {
    let found = due.is_none().then(|| due_at_end(&text)).flatten();
    let Some(due) = due.or(found) else { return (text, None) };
    let end = text.len().saturating_sub(due.len());
    let at_end = text.get(end..).filter(|tail| tail.eq_ignore_ascii_case(&due)).and_then(|_| text.get(..end));
    let Some(before) = at_end.filter(|before| before.ends_with(char::is_whitespace)) else { return (text, Some(due)) };
    let before = without_loose_marks(before);
    let rest = match before.rsplit_once(' ') {
        Some((rest, last)) if is_preposition(last) => rest,
        _ => before,
    };
    let due = text[rest.len()..].trim_start();
    match rest.is_empty() {
        true => (text, None),
        false => (rest.to_owned(), Some(without_loose_marks(due).to_owned())),
    }
}

fn due_at_end(text: &str) -> Option<String> {
    let (rest, day) = text.rsplit_once(' ')?;
    let (_, preposition) = rest.rsplit_once(' ')?;
    let is_day = DAYS.contains(&day.to_lowercase().as_str()) || is_date(day);
    (is_day && is_preposition(preposition)).then(|| format!("{preposition} {day}"))
}

fn is_preposition(word: &str) -> bool {
    PREPOSITIONS.iter().any(|preposition| word.eq_ignore_ascii_case(preposition))
}

/// `2026-04-03`, `03/04/2026`, `3.4.`.
fn is_date(word: &str) -> bool {
    let mut parts = word.trim_end_matches('.').split(['-', '/', '.']);
    let is_part = |part: &str| (1..=4).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
    (2..=3).contains(&parts.clone().count()) && parts.all(is_part)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::note::VoiceNote;

    /// Owner, text and due date of what a model writes of a note.
    #[track_caller]
    fn settles(note: &str, written: (&str, Option<&str>, Option<&str>), expected: (&str, Option<&str>, Option<&str>)) {
        let note = VoiceNote::transcript(note);
        let note = NoteText::new(note.segments());
        let [owner, due] = [written.1, written.2].map(|words| words.map(str::to_owned));
        let action = Written { text: written.0.into(), place: note.place(written.0), owner, due }.settled(&note);
        assert_eq!((action.text.as_str(), action.owner.as_deref(), action.due.as_deref()), expected);
        assert!(!action.evidence.is_empty());
    }

    #[test]
    fn the_due_date_is_no_part_of_the_text() {
        let note = "Carla will send the report by 2026-04-03. I pay Dr. Lee tonight, and tell Tom about Monday.";
        let report = ("send the report", None, Some("by 2026-04-03"));
        for written in [
            ("send the report", None, Some("by 2026-04-03")),
            ("send the report by 2026-04-03", None, None),
            ("send the report by 2026-04-03", None, Some("by 2026-04-03")),
            ("send the report by 2026-04-03", None, Some("2026-04-03")),
        ] {
            settles(note, written, report);
        }
        settles(note, ("pay Dr. Lee tonight", None, Some("tonight")), ("pay Dr. Lee", None, Some("tonight")));
        settles(note, ("tell Tom about Monday", None, None), ("tell Tom about Monday", None, None));
        // A date alone, and one that has the action in it.
        settles(note, ("tonight", None, Some("tonight")), ("tonight", None, None));
        settles(note, ("pay Dr. Lee", None, Some("I pay Dr. Lee tonight")), ("pay Dr. Lee", None, None));
    }

    #[test]
    fn an_owner_is_named_where_the_action_is() {
        let list = "Shopping: milk and bread\nTomorrow: call the dentist\nFriday: Nadia orders the valve";
        let valve = ("orders the valve", Some("Nadia"), None);
        settles(list, valve, valve);
        settles(list, ("call the dentist", Some("Nadia"), None), ("call the dentist", None, None));
        settles(list, ("orders the valve", Some("milk and bread Tomorrow"), None), ("orders the valve", None, None));
        settles(
            list,
            ("Nadia orders the valve", Some("Nadia orders the valve"), None),
            ("Nadia orders the valve", None, None),
        );
    }

    #[test]
    fn a_sentence_is_no_owner_and_no_due_date() {
        let note = "My role is basically to keep things going, and this is the overall budget for our project, so order the lamps by May.";
        let role = Some("My role is basically to keep things going");
        let budget = Some("this is the overall budget for our project, so");
        settles(note, ("order the lamps", role, budget), ("order the lamps", None, None));
        settles(note, ("order the lamps", None, Some("by May")), ("order the lamps", None, Some("by May")));
    }

    #[test]
    fn what_i_have_to_do_is_the_speakers() {
        let turns = "Maria Ruiz: The boiler comes on Monday.\nLars: I really have to clear the cellar by Sunday. Can you buy paint?";
        let cellar = ("clear the cellar", Some("Lars"), Some("by Sunday"));
        for owner in [None, Some("I"), Some("Maria Ruiz"), Some("Monday"), Some("Lars")] {
            settles(turns, ("clear the cellar", owner, Some("by Sunday")), cellar);
        }
        settles(turns, ("buy paint", None, None), ("buy paint", None, None));
        settles(turns, ("buy paint", Some("Lars"), None), ("buy paint", Some("Lars"), None));
        settles("I need to buy paint.", ("buy paint", Some("I"), None), ("buy paint", None, None));
        let far = "Ana: I said it before, Tom needs to buy paint.\nTom: Yes.";
        settles(far, ("buy paint", None, None), ("buy paint", None, None));
    }
}
