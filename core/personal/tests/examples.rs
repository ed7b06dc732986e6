//! Labels learnt from the examples in the store: corrections, deletions, other labels, other models.

mod common;

use std::collections::BTreeMap;

use common::at;
use sotto_personal::{Examples, Features, Filter, Payload, Personal, PersonalError};

/// A vector of length 1 near one of eight corners.
fn vector(corner: usize, noise: u32) -> Vec<f32> {
    let mut vector: Vec<f32> = (0..8).map(|x| ((noise * 31 + x * 17) % 23) as f32 / 60.0 - 0.2).collect();
    vector[corner] += 1.0;
    let length = vector.iter().map(|x| x * x).sum::<f32>().sqrt();
    vector.into_iter().map(|x| x / length).collect()
}

fn features(vector: Vec<f32>) -> Features {
    Features { models: "a model".into(), vector, scores: Some(BTreeMap::new()) }
}

fn scores(keep: f64, hide: f64) -> Option<BTreeMap<String, f64>> {
    Some(BTreeMap::from([("keep".to_owned(), keep), ("hide".to_owned(), hide)]))
}

fn labels(names: [&str; 2]) -> Vec<String> {
    names.map(str::to_owned).to_vec()
}

fn open(folder: &tempfile::TempDir) -> (Personal, Examples) {
    let personal = Personal::open(folder.path().join("personal")).unwrap();
    let examples = personal.examples("mail", labels(["keep", "hide"])).unwrap();
    (personal, examples)
}

fn learn(examples: &Examples, text: &str, label: &str, vector: Vec<f32>) {
    let learnt = examples.learn(text, label, Some(features(vector)), "Inbox", at(0)).unwrap();
    assert_eq!(learnt.ids.len(), 1);
}

/// The probabilities of another text near a corner.
fn judge(examples: &Examples, corner: usize) -> Vec<f64> {
    examples.judge("another text", &features(vector(corner, 99))).unwrap().probabilities
}

/// Teaches that corner 0 is kept and corner 1 hidden.
fn teach(examples: &Examples, count: u32) {
    for noise in 0..count {
        let corner = noise as usize % 2;
        learn(examples, &format!("text {noise}"), ["keep", "hide"][corner], vector(corner, noise));
    }
}

#[test]
fn examples_are_learnt_kept_and_named_as_reasons() {
    let folder = tempfile::tempdir().unwrap();
    {
        let (_, examples) = open(&folder);
        let asked = Features { scores: scores(-0.1, -2.4), ..features(vector(1, 99)) };
        let before = examples.judge("another text", &asked).unwrap();
        assert!(before.probabilities[0] > 0.9 && before.nearest.is_empty(), "as the model says: {before:?}");
        teach(&examples, 20);
        assert!(judge(&examples, 1)[1] > 0.8);
    }
    let (_, examples) = open(&folder);
    let judgement = examples.judge("another text", &features(vector(0, 99))).unwrap();
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
    let second = personal.examples("mail", labels(["keep", "hide"])).unwrap();
    assert_eq!(judge(&second, 0), [0.5, 0.5]);
    teach(&first, 20);
    assert!(judge(&second, 0)[0] > 0.7);
    learn(&first, "text 4", "hide", vector(0, 4));
    let judgement = second.judge("text 4", &features(vector(0, 4))).unwrap();
    assert_eq!(judgement.probabilities, [0.0, 1.0]);
}

#[test]
fn deleted_examples_are_no_longer_part_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let (personal, examples) = open(&folder);
    teach(&examples, 20);
    assert_ne!(judge(&examples, 0), [0.5, 0.5]);
    personal.forget("Inbox").unwrap();
    assert_eq!(judge(&examples, 0), [0.5, 0.5]);
    assert_eq!(examples.judge("text 4", &features(vector(0, 4))).unwrap().probabilities, [0.5, 0.5]);
}

#[test]
fn the_last_label_of_a_text_counts() {
    let folder = tempfile::tempdir().unwrap();
    let (personal, examples) = open(&folder);
    teach(&examples, 10);
    for label in ["hide", "keep", "hide"] {
        learn(&examples, "text 4", label, vector(0, 4));
        let judgement = examples.judge("text 4", &features(vector(0, 4))).unwrap();
        assert_eq!(judgement.probabilities, if label == "keep" { [1.0, 0.0] } else { [0.0, 1.0] });
        assert_eq!(judgement.nearest[0].label, label);
    }
    assert_eq!(personal.count().unwrap(), 10);
}

#[test]
fn two_texts_with_one_vector_keep_their_labels() {
    let folder = tempfile::tempdir().unwrap();
    let (_, examples) = open(&folder);
    learn(&examples, "a long text, of which models read the beginning", "keep", vector(0, 0));
    learn(&examples, "a long text, of which models read the beginning; and its end", "hide", vector(0, 0));
    let text = "a long text, of which models read the beginning";
    assert_eq!(examples.judge(text, &features(vector(0, 0))).unwrap().probabilities, [1.0, 0.0]);
}

#[test]
fn examples_of_other_labels_wait() {
    let folder = tempfile::tempdir().unwrap();
    let (personal, examples) = open(&folder);
    teach(&examples, 20);
    let other = personal.examples("mail", labels(["hide", "later"])).unwrap();
    let judgement = other.judge("another text", &features(vector(0, 99))).unwrap();
    assert!(judgement.nearest.iter().all(|near| near.label == "hide"));
    assert_eq!(judgement.probabilities, [0.5, 0.5], "one label tells nothing apart");
    assert!(judge(&examples, 0)[0] > 0.7);
}

#[test]
fn features_are_added_later_and_again_for_other_models() {
    let folder = tempfile::tempdir().unwrap();
    let (personal, examples) = open(&folder);
    for noise in 0..20 {
        let (text, label) = (format!("text {noise}"), ["keep", "hide"][noise as usize % 2]);
        assert!(!examples.learn(&text, label, None, "Inbox", at(0)).unwrap().paused);
    }
    assert_eq!(judge(&examples, 0), [0.5, 0.5]);
    personal.set_paused(true).unwrap();
    for models in ["a model", "another model"] {
        let unseen = examples.unseen(models, 8).unwrap();
        assert_eq!((unseen.len(), unseen[0].text.as_str(), &unseen[0].features), (20, "text 19", &None));
        let vector_of = |text: &str| {
            let noise: u32 = text[5..].parse().unwrap();
            vector(noise as usize % 2, noise)
        };
        let seen = |unseen: sotto_personal::Unseen| {
            let features = Features { models: models.into(), ..features(vector_of(&unseen.text)) };
            (unseen, features)
        };
        examples.complete(unseen.into_iter().map(seen).collect()).unwrap();
        assert_eq!(examples.unseen(models, 8).unwrap(), []);
        let now = Features { models: models.into(), ..features(vector(0, 99)) };
        assert!(examples.judge("another text", &now).unwrap().probabilities[0] > 0.7, "{models}");
    }
    assert_eq!(judge(&examples, 0), [0.5, 0.5], "vectors of two models are never compared");
    assert_eq!(examples.unseen("another model", 9).unwrap().len(), 20);
    let reopened = personal.examples("mail", labels(["keep", "hide"])).unwrap();
    assert_eq!(reopened.unseen("another model", 8).unwrap(), []);
}

#[test]
fn a_language_model_is_asked_again_about_other_labels() {
    let folder = tempfile::tempdir().unwrap();
    let (personal, examples) = open(&folder);
    let asked = |scores| Features { scores, ..features(vector(0, 0)) };
    let _ = examples.learn("a", "keep", Some(asked(scores(-0.1, -2.4))), "Inbox", at(0)).unwrap();
    let _ = examples.learn("b", "keep", Some(asked(None)), "Inbox", at(0)).unwrap();
    learn(&examples, "too long to be asked about", "keep", vector(0, 0));
    let texts = |examples: &Examples| {
        examples.unseen("a model", 8).unwrap().into_iter().map(|unseen| unseen.text).collect::<Vec<_>>()
    };
    assert_eq!(texts(&examples), ["b"]);
    let other = personal.examples("mail", ["keep", "hide", "later"].map(str::to_owned).to_vec()).unwrap();
    assert_eq!(texts(&other), ["b", "a"]);
}

#[test]
fn examples_that_changed_meanwhile_are_not_completed() {
    let folder = tempfile::tempdir().unwrap();
    let (personal, examples) = open(&folder);
    for text in ["stays", "goes", "is corrected"] {
        let _ = examples.learn(text, "keep", None, "Inbox", at(0)).unwrap();
    }
    let unseen = examples.unseen("a model", 8).unwrap();
    personal.delete(&[unseen[1].id]).unwrap();
    let _ = examples.learn("is corrected", "hide", None, "Inbox", at(0)).unwrap();
    let seen = unseen.into_iter().map(|unseen| (unseen, features(vector(0, 0)))).collect();
    examples.complete(seen).unwrap();
    let records = personal.records(&Filter::default()).unwrap();
    let found: Vec<_> = records
        .iter()
        .map(|record| match &record.payload {
            Payload::Example { text, label, vector, .. } => (text.as_str(), label.as_str(), vector.is_some()),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(found, [("stays", "keep", true), ("is corrected", "hide", true)]);
}

#[test]
fn nothing_is_learnt_while_learning_is_paused() {
    let folder = tempfile::tempdir().unwrap();
    let (personal, examples) = open(&folder);
    teach(&examples, 4);
    personal.set_paused(true).unwrap();
    for text in ["text 0", "new"] {
        let learnt = examples.learn(text, "hide", Some(features(vector(0, 0))), "Inbox", at(9)).unwrap();
        assert!(learnt.paused && learnt.ids.is_empty());
    }
    assert_eq!(examples.judge("text 0", &features(vector(0, 0))).unwrap().probabilities, [1.0, 0.0]);
}

#[test]
fn what_cannot_be_learnt_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (personal, examples) = open(&folder);
    let is_invalid = |outcome: Option<PersonalError>| matches!(outcome, Some(PersonalError::InvalidInput { .. }));
    for refused in [vec![], vec!["one".into()], labels(["a", "a"]), labels(["a", ""])] {
        assert!(is_invalid(personal.examples("mail", refused).err()));
    }
    let impossible = Features { scores: scores(f64::NEG_INFINITY, 0.0), ..features(vector(0, 0)) };
    for (text, label, features) in [
        ("a", "other", features(vector(0, 0))),
        ("a", "", features(vector(0, 0))),
        (" ", "keep", features(vector(0, 0))),
        ("a", "keep", features(vec![])),
        ("a", "keep", features(vec![f32::NAN])),
        ("a", "keep", impossible),
    ] {
        assert!(is_invalid(examples.learn(text, label, Some(features), "Inbox", at(0)).err()), "{text} {label}");
    }
    assert!(is_invalid(examples.learn("a", "keep", None, "", at(0)).err()));
    assert!(is_invalid(examples.judge("a", &features(vec![])).err()));
    let long = "word ".repeat(200_000);
    learn(&examples, &long, "keep", vector(0, 0));
    let judgement = examples.judge(&long, &features(vector(0, 0))).unwrap();
    assert_eq!((judgement.nearest[0].text.as_str(), judgement.probabilities), (long.as_str(), vec![1.0, 0.0]));
}
