//! Conversations in a person's style, from a store.

mod common;

use common::{demo, package_folder};
use sotto::personal::{OnDeletion, Style, Timestamp};
use sotto::{ChatOptions, Error, Personal, SamplingOptions, Session};

fn open(folder: &tempfile::TempDir) -> Style {
    Personal::open(folder.path().join("personal")).and_then(|personal| personal.style("me")).expect("a style")
}

fn learn(style: &Style) {
    for thing in ["keys", "draft", "invoice", "boxes"] {
        let text = format!("could you send the {thing}? ta. m.");
        assert!(!style.learn(&text, "mail", Timestamp::utc(0)).expect("learnt").paused);
    }
}

/// The text of an answer, and the tokens of its prompt.
fn answer(session: &Session) -> (String, usize) {
    let sampling = SamplingOptions { temperature: 0.0, ..SamplingOptions::default() };
    let options = ChatOptions { sampling, max_tokens: 12, ..ChatOptions::default() };
    let reply = session.respond("Who writes the test?", &options).wait().expect("an answer");
    (reply.text, reply.metrics.prefill_tokens + reply.metrics.reused_tokens)
}

#[test]
fn the_profile_follows_the_instructions() {
    let (folder, model) = (tempfile::tempdir().expect("a folder"), demo());
    let style = open(&folder);
    let in_style = |instructions| answer(&model.session_in_style(instructions, &style).expect("a session"));
    let plain = answer(&model.session(None).expect("a session"));
    assert_eq!(in_style(None), plain, "nothing is known");
    learn(&style);
    assert!(in_style(None).1 > plain.1);
    let profile = style.profile().expect("a profile").instruction().expect("a habit");
    let told = model.session(Some(&format!("Be brief.\n\n{profile}"))).expect("a session");
    assert_eq!(in_style(Some("Be brief.")), answer(&told));
}

#[test]
fn an_adapter_of_another_model_is_left_out() {
    let (folder, model) = (tempfile::tempdir().expect("a folder"), demo());
    let style = open(&folder);
    learn(&style);
    let training = style.begin_training(OnDeletion::Drop, Timestamp::utc(0)).expect("begun");
    let other = package_folder().join("../../sample-apps/adapters/smollm2-135m-notes.gguf");
    std::fs::copy(other, &training.target).expect("an adapter");
    training.end(true, serde_json::Value::Null).expect("ended");
    assert!(matches!(model.with_style(&style).map(drop), Err(Error::ModelInvalid { .. })));
    let profile = style.profile().expect("a profile").instruction().expect("a habit");
    let told = model.session(Some(&profile)).expect("a session");
    assert_eq!(answer(&model.session_in_style(None, &style).expect("a session")), answer(&told));
}
