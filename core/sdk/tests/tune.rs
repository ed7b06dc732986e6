//! Adapters that are learnt from texts: with the demo model, and on real weights.

mod common;

use std::io::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use common::demo;
use sotto::personal::{Filter, Kind, OnDeletion, Timestamp};
use sotto::{CompletionOptions, Error, LocalModel, ModelFile, Personal, Prompt, SamplingOptions, TuneOptions};

const SMOLLM2: &str = "SmolLM2-135M-Instruct.Q4_1.gguf";

fn messages() -> Vec<String> {
    let things = ["the keys", "the draft", "the invoice", "the boxes", "the screens", "the tests"];
    let days = ["monday", "tuesday", "friday"];
    things.iter().flat_map(|thing| days.map(|day| format!("hiya, could you send {thing} by {day}? ta. m."))).collect()
}

fn options() -> TuneOptions {
    TuneOptions { rank: 4, epochs: 4, learning_rate: 3e-3, general_margin: 10.0, ..TuneOptions::default() }
}

#[test]
fn an_adapter_is_learnt_loaded_and_used() {
    let (folder, model) = (tempfile::tempdir().expect("a folder"), demo());
    let target = folder.path().join("me.gguf");
    let mut job = model.tune(&messages(), &target, &options());
    let steps: Vec<_> = job.by_ref().collect();
    let report = job.wait().expect("trained");
    assert!(report.kept, "{report:?}");
    assert!(steps.windows(2).all(|pair| pair[1].step == pair[0].step + 1 && pair[1].tokens > pair[0].tokens));
    assert_eq!(steps.last().map(|last| (last.step, last.tokens)), Some((report.steps, report.tokens)));

    let adapter = model.load_adapter(ModelFile::path(&target)).expect("an adapter");
    assert_eq!(adapter.rank(), 4);
    let mine = model.with_adapters(&[(adapter, 1.0)]).expect("an adapter of this model");
    let nll = |model: &LocalModel| model.perplexity(&messages()[0], 64).wait().expect("a text").nll;
    assert!(nll(&mine) < nll(&model) - 0.5, "{} {}", nll(&mine), nll(&model));
    assert!(matches!(mine.tune(&messages(), &target, &options()).wait(), Err(Error::InvalidInput { .. })));
}

#[test]
fn what_a_store_knows_of_a_style_becomes_an_adapter_that_goes_with_its_texts() {
    let folder = tempfile::tempdir().expect("a folder");
    let personal = Personal::open(folder.path().join("personal")).expect("a store");
    let (model, style, now) = (demo(), personal.style("me").expect("a name"), Timestamp::utc(0));
    for text in messages() {
        assert!(!style.learn(&text, "mail", now).expect("learnt").paused);
    }
    assert!(style.profile().expect("a profile").sign_off.is_some());
    assert!(model.with_style(&style).is_ok(), "no adapter yet");
    let report = model.tune_style(&style, OnDeletion::Drop, &options(), now).wait().expect("trained");
    assert!(report.kept, "{report:?}");
    let path = style.adapter().expect("read").expect("an adapter").path;
    let mine = model.with_style(&style).expect("its adapter");
    assert!(matches!(
        mine.tune_style(&style, OnDeletion::Drop, &options(), now).wait(),
        Err(Error::InvalidInput { .. })
    ));
    assert!(path.exists(), "a training that failed changes nothing");

    let first = personal.records(&Filter::of("me", Kind::Text)).expect("records")[0].id;
    let deletion = personal.delete(&[first]).expect("deleted");
    assert!(deletion.derived[0].dropped && !path.exists() && style.adapter().expect("read").is_none());
}

#[test]
fn few_texts_are_refused_and_nothing_is_said_of_them() {
    let (folder, model) = (tempfile::tempdir().expect("a folder"), demo());
    let texts = vec!["a secret".to_owned(); 40];
    let error = model.tune(&texts, &folder.path().join("me.gguf"), &options()).wait().expect_err("one text");
    assert!(matches!(error, Error::InvalidInput { .. }) && !error.to_string().contains("secret"), "{error}");
}

/// Writes a line that the test runner does not keep to itself.
fn skipped(why: &str) {
    writeln!(std::io::stderr(), "SKIPPED: {SMOLLM2}: {why}").expect("stderr");
}

/// A few steps on real weights: they take a little, and a whole training is `sotto tune`'s (docs/personalization.md).
#[test]
fn smollm2_begins_to_learn() {
    let Some(folder) = std::env::var_os("SOTTO_REAL_MODELS").map(PathBuf::from) else {
        return skipped("SOTTO_REAL_MODELS is not set (`cargo xtask real-models`)");
    };
    let model = LocalModel::load(ModelFile::path(folder.join(SMOLLM2))).expect("a model");
    let folder = tempfile::tempdir().expect("a folder");
    let target = folder.path().join("me.gguf");
    let options = TuneOptions { epochs: 1, learning_rate: 2e-3, ..TuneOptions::default() };
    let started = std::time::Instant::now();
    let report = model.tune(&messages(), &target, &options).wait().expect("trained");
    println!("{report:?}");
    assert!(report.kept && report.gain() > 0.5, "{report:?}");

    let mine = model.with_adapters(&[(model.load_adapter(ModelFile::path(&target)).expect("an adapter"), 1.0)]);
    let complete = CompletionOptions { sampling: SamplingOptions::default(), max_tokens: 8, format: None };
    let prompt = Prompt::Text("hiya, could you send the".into());
    assert!(!mine.expect("of this model").complete(prompt, &complete).wait().expect("a text").ids.is_empty());
    assert!(started.elapsed() < Duration::from_secs(600));
}
