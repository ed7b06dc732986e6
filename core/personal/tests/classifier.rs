//! A classifier over the store: corrections, deletions, other labels.

mod common;

use std::collections::BTreeMap;

use common::at;
use sotto_personal::{Classifier, NewExample, Payload, Personal, PersonalError};

/// A vector of length 1 near one of eight corners.
fn vector(corner: usize, noise: u32) -> Vec<f32> {
    let mut vector: Vec<f32> = (0..8).map(|x| ((noise * 31 + x * 17) % 23) as f32 / 60.0 - 0.2).collect();
    vector[corner] += 1.0;
    let length = vector.iter().map(|x| x * x).sum::<f32>().sqrt();
    vector.into_iter().map(|x| x / length).collect()
}

fn example(text: &str, label: &str, vector: Vec<f32>) -> NewExample {
    NewExample { text: text.into(), label: label.into(), vector, model_scores: None }
}

fn labels(names: [&str; 2]) -> Vec<String> {
    names.map(str::to_owned).to_vec()
}

fn open(folder: &tempfile::TempDir) -> (Personal, Classifier) {
    let personal = Personal::open(folder.path().join("personal")).unwrap();
    let classifier = personal.classifier("mail", labels(["keep", "hide"])).unwrap();
    (personal, classifier)
}

fn learn(classifier: &Classifier, example: NewExample) {
    assert_eq!(classifier.learn(example, "Inbox", at(0)).unwrap().ids.len(), 1);
}

/// Teaches it that corner 0 is kept and corner 1 hidden.
fn teach(classifier: &Classifier, count: u32) {
    for noise in 0..count {
        let corner = noise as usize % 2;
        let label = ["keep", "hide"][corner];
        learn(classifier, example(&format!("text {noise}"), label, vector(corner, noise)));
    }
}

#[test]
fn examples_are_learnt_kept_and_named_as_reasons() {
    let folder = tempfile::tempdir().unwrap();
    {
        let (_, classifier) = open(&folder);
        let scores = BTreeMap::from([("keep".to_owned(), -0.1), ("hide".to_owned(), -2.4)]);
        let before = classifier.judge(&vector(1, 99), Some(&scores)).unwrap();
        assert!(before.probabilities[0] > 0.9 && before.nearest.is_empty(), "as the model says: {before:?}");
        teach(&classifier, 20);
        assert!(classifier.judge(&vector(1, 99), None).unwrap().probabilities[1] > 0.8);
    }
    let (_, classifier) = open(&folder);
    let judgement = classifier.judge(&vector(0, 99), None).unwrap();
    assert!(judgement.probabilities[0] > 0.8);
    assert_eq!(judgement.nearest.len(), 3);
    assert!(
        judgement.nearest.iter().all(|near| near.label == "keep" && near.text.starts_with("text ")),
        "{judgement:?}"
    );
}

#[test]
fn a_second_handle_sees_what_the_first_learns() {
    let folder = tempfile::tempdir().unwrap();
    let (personal, first) = open(&folder);
    let second = personal.classifier("mail", labels(["keep", "hide"])).unwrap();
    assert!(second.judge(&vector(0, 99), None).unwrap().nearest.is_empty());
    teach(&first, 10);
    assert!(second.judge(&vector(0, 99), None).unwrap().probabilities[0] > 0.7);
}

#[test]
fn deleted_examples_are_no_longer_part_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let (personal, classifier) = open(&folder);
    let untaught = classifier.judge(&vector(0, 99), None).unwrap();
    teach(&classifier, 10);
    assert_ne!(classifier.judge(&vector(0, 99), None).unwrap(), untaught);
    personal.forget("Inbox").unwrap();
    assert_eq!(classifier.judge(&vector(0, 99), None).unwrap(), untaught);
}

#[test]
fn the_last_label_of_a_text_counts() {
    let folder = tempfile::tempdir().unwrap();
    let (personal, classifier) = open(&folder);
    teach(&classifier, 10);
    for label in ["hide", "keep", "hide"] {
        learn(&classifier, example("text 4", label, vector(0, 4)));
        let judgement = classifier.judge(&vector(0, 4), None).unwrap();
        assert_eq!(judgement.probabilities, if label == "keep" { [1.0, 0.0] } else { [0.0, 1.0] });
        assert_eq!(judgement.nearest[0].label, label);
    }
    assert_eq!(personal.count().unwrap(), 10);
}

#[test]
fn examples_of_other_labels_and_vectors_wait() {
    let folder = tempfile::tempdir().unwrap();
    let (personal, classifier) = open(&folder);
    teach(&classifier, 10);
    let other = personal.classifier("mail", labels(["hide", "later"])).unwrap();
    let judgement = other.judge(&vector(0, 99), None).unwrap();
    assert!(judgement.nearest.iter().all(|near| near.label == "hide"));
    assert_eq!(judgement.probabilities, [0.5, 0.5], "one label tells nothing apart");
    assert!(classifier.judge(&vector(0, 99), None).unwrap().probabilities[0] > 0.7);

    assert_eq!(classifier.judge(&[0.6, 0.8], None).unwrap().probabilities, [0.5, 0.5]);
    assert_eq!((classifier.without_vectors(2).unwrap().len(), classifier.without_vectors(8).unwrap().len()), (10, 0));
}

#[test]
fn nothing_is_learnt_while_learning_is_paused() {
    let folder = tempfile::tempdir().unwrap();
    let (personal, classifier) = open(&folder);
    teach(&classifier, 4);
    personal.set_paused(true).unwrap();
    for text in ["text 0", "new"] {
        let learnt = classifier.learn(example(text, "hide", vector(0, 0)), "Inbox", at(9)).unwrap();
        assert!(learnt.paused && learnt.ids.is_empty());
    }
    assert_eq!(classifier.judge(&vector(0, 0), None).unwrap().probabilities, [1.0, 0.0]);
}

#[test]
fn what_cannot_be_learnt_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (personal, classifier) = open(&folder);
    let is_invalid = |outcome: Option<PersonalError>| matches!(outcome, Some(PersonalError::InvalidInput { .. }));
    for refused in [vec![], vec!["one".into()], labels(["a", "a"]), labels(["a", ""])] {
        assert!(is_invalid(personal.classifier("mail", refused).err()));
    }
    for refused in
        [example("a", "other", vector(0, 0)), example("a", "keep", vec![]), example("a", "keep", vec![f32::NAN])]
    {
        assert!(is_invalid(classifier.learn(refused, "Inbox", at(0)).err()));
    }
    let impossible = BTreeMap::from([("keep".to_owned(), f64::NEG_INFINITY)]);
    let unwritable = NewExample { model_scores: Some(impossible), ..example("a", "keep", vector(0, 0)) };
    assert!(is_invalid(classifier.learn(unwritable, "Inbox", at(0)).err()));
    assert!(is_invalid(classifier.judge(&[], None).err()));
    let long = "word ".repeat(200_000);
    learn(&classifier, example(&long, "keep", vector(0, 0)));
    assert_eq!(classifier.judge(&vector(0, 0), None).unwrap().nearest[0].text, long);
    assert!(matches!(&personal.records(&Default::default()).unwrap()[0].payload, Payload::Example { .. }));
}
