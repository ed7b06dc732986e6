//! Tells names of speakers from labels of list items.

/// The maximum length of a name, in bytes.
pub(super) const LONGEST_NAME: usize = 64;
const MOST_NAME_WORDS: usize = 5;

/// How recognizers name unknown speakers, with a number or a letter: `SPEAKER_00`, `speaker 1`, `Spk2`.
const ROLES: &[&str] = &[
    "speaker",
    "spk",
    "spkr",
    "s",
    "voice",
    "channel",
    "person",
    "participant",
    "caller",
    "user",
    "sprecher",
    "sprecherin",
    "locuteur",
    "intervenant",
    "hablante",
    "orador",
    "spreker",
];

/// Parts of names that have no capital.
const PARTICLES: &[&str] = &[
    "al", "af", "ap", "bin", "da", "das", "de", "del", "della", "den", "der", "di", "do", "dos", "du", "e", "el",
    "ibn", "la", "le", "ten", "ter", "van", "von", "y", "zu",
];

/// Labels of list items, which are not names.
const LABELS: &[&str] = &[
    "action",
    "actions",
    "address",
    "afternoon",
    "agenda",
    "also",
    "answer",
    "answers",
    "attendees",
    "attention",
    "background",
    "budget",
    "calls",
    "cc",
    "chapter",
    "comment",
    "comments",
    "conclusion",
    "conclusions",
    "contact",
    "cost",
    "costs",
    "date",
    "deadline",
    "decided",
    "decision",
    "decisions",
    "demain",
    "description",
    "dinner",
    "do",
    "domani",
    "donnerstag",
    "done",
    "due",
    "email",
    "evening",
    "example",
    "exercise",
    "facts",
    "feedback",
    "fwd",
    "friday",
    "from",
    "goal",
    "goals",
    "groceries",
    "heute",
    "homework",
    "hoy",
    "idea",
    "ideas",
    "important",
    "info",
    "issue",
    "issues",
    "item",
    "items",
    "jueves",
    "later",
    "link",
    "links",
    "list",
    "location",
    "lunch",
    "lunes",
    "mañana",
    "miércoles",
    "mittwoch",
    "monday",
    "montag",
    "morgen",
    "morning",
    "next",
    "night",
    "note",
    "notes",
    "open",
    "other",
    "owner",
    "page",
    "part",
    "phone",
    "place",
    "plan",
    "plans",
    "point",
    "points",
    "present",
    "price",
    "problem",
    "problems",
    "project",
    "ps",
    "purpose",
    "question",
    "questions",
    "re",
    "reason",
    "reminder",
    "reminders",
    "result",
    "results",
    "risk",
    "risks",
    "samstag",
    "saturday",
    "shopping",
    "solution",
    "sonntag",
    "status",
    "step",
    "steps",
    "subject",
    "summary",
    "sunday",
    "task",
    "tasks",
    "thursday",
    "time",
    "tip",
    "title",
    "to",
    "to-do",
    "to-dos",
    "today",
    "todo",
    "todos",
    "tomorrow",
    "tonight",
    "topic",
    "topics",
    "total",
    "tuesday",
    "update",
    "updates",
    "urgent",
    "viernes",
    "warning",
    "wednesday",
    "week",
    "weekend",
    "what",
    "when",
    "where",
    "who",
    "why",
    "work",
    "yesterday",
    "übermorgen",
    "freitag",
    "dienstag",
    "hier",
    "aujourd'hui",
];

/// Whether it may name a speaker: a person, or a recognizer's unknown speaker.
pub(super) fn is_speaker(name: &str) -> bool {
    is_numbered_speaker(name) || (is_name(name) && !is_label(name))
}

/// `SPEAKER_00`, `speaker 1`, `Speaker A`, `S2`.
pub(super) fn is_numbered_speaker(name: &str) -> bool {
    if name.len() > LONGEST_NAME {
        return false;
    }
    let name = name.to_lowercase();
    let role = name.trim_end_matches(|last: char| last.is_ascii_digit() || last == '?');
    let (role, number) = match role.len() < name.len() {
        true => (role.trim_end_matches([' ', '_', '-', '#']), true),
        false => match role.rsplit_once([' ', '_']) {
            Some((role, letter)) => (role, letter.chars().count() == 1 && letter.chars().all(char::is_alphabetic)),
            None => (role, false),
        },
    };
    number && ROLES.contains(&role)
}

/// Up to five words with a capital, or in a script that has none.
pub(super) fn is_name(name: &str) -> bool {
    let words: Vec<&str> = name.split_whitespace().take(MOST_NAME_WORDS + 1).collect();
    let (Some(first), Some(last)) = (words.first(), words.last()) else { return false };
    name.len() <= LONGEST_NAME
        && words.len() <= MOST_NAME_WORDS
        && begins_like_a_name(first)
        && !last.ends_with(['.', ','])
        && words.iter().all(|word| is_part_of_a_name(word))
}

fn begins_like_a_name(word: &str) -> bool {
    word.chars().next().is_some_and(|first| first.is_alphabetic() && !first.is_lowercase())
}

fn is_part_of_a_name(word: &str) -> bool {
    let plain = |sign: char| sign.is_alphanumeric() || is_mark(sign) || "'’-.,()/&·".contains(sign);
    let begins = begins_like_a_name(word.trim_start_matches('('));
    let numbered = word.bytes().all(|byte| byte.is_ascii_digit());
    word.chars().all(plain) && (begins || numbered || word.starts_with('(') || PARTICLES.contains(&word))
}

/// Vowel signs and accents that are characters of their own.
fn is_mark(sign: char) -> bool {
    matches!(sign, '\u{300}'..='\u{36f}' | '\u{900}'..='\u{dff}' | '\u{e31}'..='\u{e4e}')
}

/// Whether it labels a list item: `Tomorrow`, `Action items`.
pub(super) fn is_label(name: &str) -> bool {
    let name = name.to_lowercase();
    let mut words = name.split_whitespace().peekable();
    words.peek().is_some() && words.all(|word| LABELS.contains(&word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_in_many_forms() {
        for name in [
            "Priya",
            "PRIYA",
            "Maria del Carmen Ruiz",
            "Ludwig van der Berg",
            "Dr. Lee",
            "J. R. Smith",
            "Anne-Marie O'Neill",
            "Project Manager",
            "Priya (Host)",
            "Shah, Priya",
            "田中",
            "Иван Петров",
            "प्रिया",
            "Room 3",
            "Élodie",
        ] {
            assert!(is_speaker(name), "{name}");
        }
        for name in ["speaker 1", "SPEAKER_00", "Speaker A", "speaker1", "S2", "Sprecher 2", "speaker ?", "SPK-3"] {
            assert!(is_numbered_speaker(name), "{name}");
        }
    }

    #[test]
    fn headings_and_sentences_are_no_names() {
        for name in [
            "",
            " ",
            "Tomorrow",
            "friday",
            "Action Items",
            "Budget",
            "The only thing",
            "One thing",
            "main",
            "12",
            "Meeting with Tom",
            "Really?",
            "Good.",
            "a",
            "Monday morning",
            "Maria del Carmen Ruiz de la Vega",
            "SPEAKER_TURN",
            "BLANK_AUDIO",
            "speaker",
            "s",
            "…",
        ] {
            assert!(!is_speaker(name), "{name}");
        }
    }
}
