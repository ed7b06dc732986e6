//! How answers are held against those that people gave.

use std::collections::HashMap;

use serde::Serialize;
use serde_json::Value;
use sotto::NoteSummary;

use crate::gold::{Action, Note};

/// From this F1 of their words on, two actions are the same.
const SAME: f64 = 0.8;

/// From this F1 on, an action is at least about an expected one.
const ALIKE: f64 = 0.5;

/// What was counted over notes.
#[derive(Debug, Default, Clone, PartialEq, Serialize)]
pub struct NoteCounts {
    pub notes: usize,
    /// Notes whose summary failed; they count as empty answers.
    pub failed: usize,
    /// Expected.
    pub actions: usize,
    /// Expected, and named: one to one, with F1 of 0.8 or more.
    pub found: usize,
    /// The same with F1 of 0.5 or more.
    pub found_loosely: usize,
    /// Of those found: the right owner, or rightly none.
    pub owner_right: usize,
    /// Of those found: the right due date, or rightly none.
    pub due_right: usize,
    /// Of those found: both.
    pub owner_and_due_right: usize,
    /// Actions in the answers.
    pub named: usize,
    /// Named, with F1 below 0.5 for each expected action.
    pub not_expected: usize,
    /// Of those not expected: all words are in an expected point. It is a fact, or done, and no action.
    pub points_named_as_actions: usize,
    /// Points in the answers.
    pub points: usize,
    /// Of these: half of the words are in an expected point or the overview, and it is no expected action.
    pub points_true: usize,
    /// Expected.
    pub expected_points: usize,
    /// Of these: half of the words are in a point of the answer or its overview.
    pub points_found: usize,
    /// Titles with F1 of 0.8 or more.
    pub titles_right: usize,
    pub seconds: f64,
}

impl NoteCounts {
    pub fn add(&mut self, gold: &Note, answer: &NoteSummary) {
        self.notes += 1;
        self.add_actions(gold, answer);
        self.add_points(gold, answer);
        self.titles_right += usize::from(f1(&gold.title, &answer.title) >= SAME);
    }

    fn add_actions(&mut self, gold: &Note, answer: &NoteSummary) {
        let named: Vec<&str> = answer.actions.iter().map(|action| action.text.as_str()).collect();
        self.actions += gold.actions.len();
        self.named += named.len();
        self.found_loosely += pairs(&gold.actions, &named, ALIKE).len();
        for (expected, index) in pairs(&gold.actions, &named, SAME) {
            let (expected, action) = (&gold.actions[expected], &answer.actions[index]);
            let owner = same_words(&expected.owner, &action.owner);
            let due = same_words(&expected.due, &action.due);
            self.found += 1;
            self.owner_right += usize::from(owner);
            self.due_right += usize::from(due);
            self.owner_and_due_right += usize::from(owner && due);
        }
        for text in named {
            if gold.actions.iter().all(|expected| f1(&expected.text, text) < ALIKE) {
                self.not_expected += 1;
                self.points_named_as_actions +=
                    usize::from(gold.points.iter().any(|point| share_in(text, point) == 1.0));
            }
        }
    }

    fn add_points(&mut self, gold: &Note, answer: &NoteSummary) {
        let is_covered = |point: &str, by: &[&str]| by.iter().any(|fact| share_in(point, fact) >= 0.5);
        let expected = texts(gold.points.iter().chain([&gold.overview]));
        for point in &answer.points {
            let is_action = gold.actions.iter().any(|action| f1(&action.text, &point.text) >= SAME);
            self.points += 1;
            self.points_true += usize::from(is_covered(&point.text, &expected) && !is_action);
        }
        let named = texts(answer.points.iter().map(|point| &point.text).chain([&answer.overview]));
        self.expected_points += gold.points.len();
        self.points_found += gold.points.iter().filter(|point| is_covered(point, &named)).count();
    }
}

/// What was counted over labels.
#[derive(Debug, Default, Clone, PartialEq, Serialize)]
pub struct LabelCounts {
    pub texts: usize,
    pub failed: usize,
    pub right: usize,
    /// Answers that the model was sure of.
    pub sure: usize,
    pub right_of_sure: usize,
    pub seconds: f64,
}

/// What was counted over extractions.
#[derive(Debug, Default, Clone, PartialEq, Serialize)]
pub struct ExtractionCounts {
    pub texts: usize,
    /// Answers that are JSON and fit their schema; the others ended in an error.
    pub valid: usize,
    /// Answers that are right in everything.
    pub right: usize,
    /// Properties of the expected objects.
    pub properties: usize,
    pub properties_right: usize,
    pub seconds: f64,
}

impl ExtractionCounts {
    /// Counts an answer; none if there was an error.
    pub fn add(&mut self, expected: &Value, answer: Option<&Value>) {
        self.texts += 1;
        self.valid += usize::from(answer.is_some());
        self.right += usize::from(answer.is_some_and(|answer| same(expected, answer)));
        for (name, value) in expected.as_object().into_iter().flatten() {
            self.properties += 1;
            self.properties_right +=
                usize::from(answer.and_then(|answer| answer.get(name)).is_some_and(|found| same(value, found)));
        }
    }
}

/// Whether two values are the same; 2 and 2.0 are.
fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => a.as_f64() == b.as_f64(),
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(name, a)| b.get(name).is_some_and(|b| same(a, b)))
        }
        _ => a == b,
    }
}

/// Pairs of expected and named actions with at least this F1, the most alike first, each in one pair at most.
fn pairs(expected: &[Action], named: &[&str], least: f64) -> Vec<(usize, usize)> {
    let mut candidates: Vec<(f64, usize, usize)> = Vec::new();
    for (i, action) in expected.iter().enumerate() {
        candidates.extend(named.iter().enumerate().map(|(j, text)| (f1(&action.text, text), i, j)));
    }
    candidates.retain(|(f1, ..)| *f1 >= least);
    candidates.sort_by(|a, b| b.0.total_cmp(&a.0));
    let mut pairs: Vec<(usize, usize)> = Vec::new();
    for (_, i, j) in candidates {
        if pairs.iter().all(|&(a, b)| a != i && b != j) {
            pairs.push((i, j));
        }
    }
    pairs
}

fn texts<'a>(texts: impl Iterator<Item = &'a String>) -> Vec<&'a str> {
    texts.map(String::as_str).collect()
}

fn same_words(a: &Option<String>, b: &Option<String>) -> bool {
    let words_of = |text: &Option<String>| words(text.as_deref().unwrap_or_default());
    words_of(a) == words_of(b)
}

/// How alike two texts are, 0 to 1: the harmonic mean of the shares of words that they have in common.
fn f1(a: &str, b: &str) -> f64 {
    let (a, b) = (words(a), words(b));
    if a.is_empty() || b.is_empty() { 0.0 } else { 2.0 * common(&a, &b) as f64 / (a.len() + b.len()) as f64 }
}

/// The share of a text's words that are in another text.
fn share_in(text: &str, other: &str) -> f64 {
    let (text, other) = (words(text), words(other));
    if text.is_empty() { 0.0 } else { common(&text, &other) as f64 / text.len() as f64 }
}

/// How many words two texts have in common; one that both have twice counts twice.
fn common(a: &[String], b: &[String]) -> usize {
    let mut left: HashMap<&String, usize> = HashMap::new();
    for word in b {
        *left.entry(word).or_default() += 1;
    }
    let take = |word| left.get_mut(word).filter(|count| **count > 0).map(|count| *count -= 1);
    a.iter().filter_map(take).count()
}

/// Words in small letters, without punctuation.
fn words(text: &str) -> Vec<String> {
    let is_inside = |c: char| c.is_alphanumeric() || c == '_' || c == '\'';
    text.to_lowercase().split(|c| !is_inside(c)).filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use sotto::Point;

    use super::*;

    fn action(text: &str, owner: Option<&str>, due: Option<&str>) -> Action {
        Action { text: text.into(), owner: owner.map(Into::into), due: due.map(Into::into) }
    }

    fn named(action: Action) -> sotto::Action {
        sotto::Action { id: 0, text: action.text, owner: action.owner, due: action.due, evidence: vec![] }
    }

    fn gold() -> Note {
        Note {
            text: String::new(),
            title: "the boiler".into(),
            overview: "The boiler is out again".into(),
            points: vec!["I already called the plumber twice".into(), "it holds 40 litres".into()],
            actions: vec![
                action("send Ana the invoice", Some("Tom"), Some("by Friday")),
                action("buy a new valve", None, None),
                action("measure the cellar door", None, None),
            ],
        }
    }

    #[test]
    fn actions_are_counted_one_to_one() {
        let mut counts = NoteCounts::default();
        let actions = [
            // Found, with the owner but not the date.
            action("Send Ana the invoice.", Some("tom"), None),
            // The same once more: neither found nor unexpected.
            action("send Ana the invoice", Some("Tom"), Some("by Friday")),
            // F1 is 4/7: found loosely only.
            action("a valve, now", None, None),
            // Done, and none at all.
            action("called the plumber", None, None),
            action("sing", None, None),
        ];
        let answer = NoteSummary { actions: actions.map(named).into(), ..NoteSummary::default() };
        counts.add(&gold(), &answer);
        let expected = NoteCounts {
            notes: 1,
            actions: 3,
            found: 1,
            found_loosely: 2,
            owner_right: 1,
            named: 5,
            not_expected: 2,
            points_named_as_actions: 1,
            expected_points: 2,
            ..NoteCounts::default()
        };
        assert_eq!(counts, expected);
    }

    #[test]
    fn the_most_alike_are_paired() {
        let expected =
            [action("call Ana about the big room", None, None), action("call Ana about the room", None, None)];
        assert_eq!(pairs(&expected, &["call Ana about the room"], SAME), [(1, 0)]);
    }

    #[test]
    fn a_point_is_true_when_it_is_a_fact_of_the_note_and_no_action() {
        let mut counts = NoteCounts::default();
        let points = ["the boiler is out", "holds 40 litres", "buy a new valve", "nothing of the kind"];
        let points = points.map(|text| Point { id: 0, text: text.into(), evidence: vec![] }).into();
        counts.add(&gold(), &NoteSummary { title: "The boiler".into(), points, ..NoteSummary::default() });
        assert_eq!((counts.points, counts.points_true), (4, 2));
        assert_eq!((counts.expected_points, counts.points_found, counts.titles_right), (2, 1, 1));
    }

    #[test]
    fn values_are_right_as_a_whole_and_by_property() {
        let mut counts = ExtractionCounts::default();
        let expected = json!({ "name": "Ines", "weeks": 2, "sizes": [1, 2] });
        counts.add(&expected, Some(&json!({ "sizes": [1.0, 2], "weeks": 2.0, "name": "Ines" })));
        counts.add(&expected, Some(&json!({ "name": "ines", "weeks": 2, "sizes": [1] })));
        counts.add(&expected, None);
        let found = (counts.texts, counts.valid, counts.right, counts.properties, counts.properties_right);
        assert_eq!(found, (3, 2, 1, 9, 4));
    }

    #[test]
    fn words_are_compared_without_case_and_punctuation() {
        assert_eq!(f1("Buy milk, eggs!", "buy milk eggs"), 1.0);
        assert_eq!(f1("Öl kaufen", "öl kaufen"), 1.0);
        assert_eq!(f1("a b c d", "a b"), 2.0 * 2.0 / 6.0);
        assert_eq!(f1("", ""), 0.0);
        assert_eq!(share_in("a a b", "a b c"), 2.0 / 3.0);
    }
}
