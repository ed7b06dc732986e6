//! A classifier that learns a person's labels, with a small random embedding model and the demo model.

mod common;

use common::{demo, package_folder};
use sotto::personal::{Filter, Kind, NewRecord, Payload, Timestamp};
use sotto::{Classifier, ClassifyOptions, Embedder, Error, LocalModel, ModelFile, Personal, PersonalClassification};

const LABELS: [&str; 2] = ["front", "hide"];
const NOW: Timestamp = Timestamp { unix_millis: 1_796_078_069_000, utc_offset_minutes: 60 };

struct Setting {
    _folder: tempfile::TempDir,
    personal: Personal,
    classifier: Classifier,
    model: LocalModel,
    embedder: Embedder,
}

impl Setting {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let personal = Personal::open(folder.path().join("personal")).expect("a store");
        let embedder = package_folder().join("../embedding/tests/golden/small");
        Self {
            classifier: with_labels(&personal, &LABELS),
            personal,
            model: demo(),
            embedder: Embedder::load(ModelFile::path(embedder)).expect("an embedding model"),
            _folder: folder,
        }
    }

    fn learn(&self, text: &str, label: &str) {
        let learnt = self.classifier.learn(text, label, "reader", NOW).expect("learnt");
        assert_eq!(learnt.ids.len(), 1);
    }

    fn classify(&self, text: &str) -> PersonalClassification {
        self.classifier.classify(&self.model, Some(&self.embedder), text).wait().expect("an answer")
    }

    /// The number of dimensions of each example's vector, and how many labels the model was asked about; zeros if it was not seen.
    fn seen(&self) -> Vec<(usize, usize)> {
        let records = self.personal.records(&Filter::of("feed", Kind::Example)).expect("records");
        let of_record = |payload: &Payload| match payload {
            Payload::Example { vector, model_scores, .. } => {
                (vector.as_ref().map_or(0, Vec::len), model_scores.as_ref().map_or(0, |scores| scores.len()))
            }
            other => panic!("{other:?}"),
        };
        records.iter().map(|record| of_record(&record.payload)).collect()
    }
}

fn with_labels(personal: &Personal, labels: &[&str]) -> Classifier {
    Classifier::new(personal, "feed", &ClassifyOptions::new(labels.iter().copied())).expect("a classifier")
}

#[test]
fn it_begins_with_the_model_and_learns_from_corrections() {
    let setting = Setting::new();
    let text = "bad cab";
    let alone = setting.model.classify(text, &ClassifyOptions::new(LABELS)).wait().expect("an answer");
    let before = setting.classify(text);
    assert!(before.metrics.is_some() && before.nearest.is_empty());
    for ((label, p), (other, q)) in before.scores.iter().zip(&alone.scores) {
        assert!(label == other && (p - q).abs() < 1e-6, "{p} {q}");
    }
    for label in LABELS {
        setting.learn(text, label);
        let after = setting.classify(text);
        assert_eq!((after.label.as_str(), after.confidence, after.abstained), (label, 1.0, false));
        assert_eq!((after.nearest[0].text.as_str(), after.nearest[0].label.as_str()), (text, label));
    }
    assert_eq!(setting.seen(), [(32, 2)], "what the models made of it was remembered");
}

#[test]
fn examples_are_shown_to_models_that_have_not_seen_them() {
    let setting = Setting::new();
    for number in 0..20 {
        let payload = Payload::example("ab c ".repeat(number + 1), LABELS[number % 2]);
        let record = NewRecord { collection: "feed".into(), source: "import".into(), time: NOW, payload };
        setting.personal.learn(vec![record]).map(drop).expect("imported");
    }
    assert_eq!(setting.seen(), [(0, 0); 20]);
    let mut job = setting.classifier.classify(&setting.model, Some(&setting.embedder), "cab");
    let shown: Vec<_> = job.by_ref().map(|progress| (progress.done, progress.total)).collect();
    let judged = job.wait().expect("an answer");
    assert_eq!((shown, judged.nearest.len()), (vec![(16, 20), (20, 20)], 3));
    assert_eq!(setting.seen().iter().filter(|seen| **seen == (32, 2)).count(), 16);
    assert_eq!(setting.seen().iter().filter(|seen| **seen == (32, 0)).count(), 4);
    // The next time, the model is asked about the rest.
    setting.classify("cab");
    assert_eq!(setting.seen(), [(32, 2); 20]);
    // The language model's own vectors are others, and are never compared with those. Learning is no matter of it.
    setting.personal.set_paused(true).expect("paused");
    let by_model = setting.classifier.classify(&setting.model, None, "cab").wait().expect("an answer");
    assert!(by_model.nearest.len() == 3 && setting.seen().iter().all(|(dimensions, _)| *dimensions > 32));
}

#[test]
fn another_language_model_sees_the_examples_anew() {
    let setting = Setting::new();
    setting.learn("ab c", "hide");
    setting.classify("cab");
    let models = || {
        let records = setting.personal.records(&Filter::of("feed", Kind::Example)).expect("records");
        match &records[0].payload {
            Payload::Example { models, .. } => models.clone(),
            other => panic!("{other:?}"),
        }
    };
    let before = models();
    let other = common::random(None);
    let _ = setting.classifier.classify(&other, Some(&setting.embedder), "cab").wait().expect("an answer");
    assert_ne!(models(), before);
    setting.classify("cab");
    assert_eq!(models(), before, "a model has the same name each time");
}

#[test]
fn a_text_longer_than_the_models_context_is_judged_by_examples() {
    let setting = Setting::new();
    let long = "the bad cab ".repeat(100_000);
    setting.learn(&long, "hide");
    for embedder in [Some(&setting.embedder), None] {
        let judged = setting.classifier.classify(&setting.model, embedder, &long).wait().expect("an answer");
        assert_eq!((judged.label.as_str(), judged.metrics), ("hide", None));
        let other = setting.classifier.classify(&setting.model, embedder, &format!("{long}!")).wait();
        assert!(other.expect("an answer").metrics.is_none());
    }
}

#[test]
fn other_labels_and_the_old_ones_again() {
    let setting = Setting::new();
    setting.learn("ab c", "hide");
    let other = with_labels(&setting.personal, &["front", "later", "archive"]);
    let judged = other.classify(&setting.model, Some(&setting.embedder), "ab c").wait().expect("an answer");
    assert_eq!((judged.scores.len(), judged.nearest.len()), (3, 0));
    let _ = other.learn("ab c", "later", "reader", NOW).expect("learnt");
    let judged = other.classify(&setting.model, Some(&setting.embedder), "ab c").wait().expect("an answer");
    assert_eq!((judged.label.as_str(), judged.confidence), ("later", 1.0));
    assert_eq!(setting.classify("ab c").nearest, [], "its label is another now");
}

#[test]
fn what_cannot_be_learnt_is_refused() {
    let setting = Setting::new();
    let refused = |outcome: Option<Error>| matches!(outcome, Some(Error::InvalidInput { .. }));
    for (text, label, source) in
        [(" ", "hide", "reader"), ("c", "other", "reader"), ("c", "", "reader"), ("c", "hide", "")]
    {
        assert!(refused(setting.classifier.learn(text, label, source, NOW).err()), "{text} {label} {source}");
    }
    assert!(refused(setting.classifier.classify(&setting.model, None, "").wait().err()));
    for labels in [&["front"][..], &["front", ""], &["front", "front"]] {
        assert!(refused(
            Classifier::new(&setting.personal, "feed", &ClassifyOptions::new(labels.iter().copied())).err()
        ));
    }
    let path = setting.personal.path().to_owned();
    assert!(matches!(Personal::open(path).map_err(Error::from), Err(Error::StoreInUse { .. })));
    setting.personal.set_paused(true).expect("paused");
    assert!(setting.classifier.learn("c", "hide", "reader", NOW).expect("said").paused);
    assert!(setting.classify("c").nearest.is_empty());
}
