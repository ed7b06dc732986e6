//! `sotto classify` with a store of examples, and `sotto chat` in a style.

mod common;

use std::fs;
use std::path::Path;

use common::{code, errors, json, run, run_with_input, text};

#[test]
fn a_corrected_label_is_learnt_with_its_reason() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("personal");
    let embedder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../core/embedding/tests/golden/small");
    let (store, embedder) = (text(&store), text(&embedder));
    let of_store =
        ["--store", store, "--classifier", "feed", "--labels", "front,hide", "--embedder", embedder, "--json"];
    let classify = |words: &[&str]| run(&[&["classify"], words, &of_store[..]].concat());
    let before = json(&classify(&["bad cab"]));
    assert_eq!(before["nearest"], serde_json::json!([]));
    for label in ["front", "hide"] {
        let after = json(&classify(&["bad cab", "--learn", label]));
        assert_eq!((&after["label"], &after["confidence"]), (&label.into(), &1.0.into()));
    }
    let other = json(&classify(&["a bad cab"]));
    assert_eq!((&other["nearest"][0]["text"], &other["nearest"][0]["label"]), (&"bad cab".into(), &"hide".into()));
    let records = json(&run(&["personal", store, "records", "--json"]));
    assert_eq!(records[0]["source"], "command line");
    assert!(run(&["personal", store, "pause"]).status.success());
    let paused = classify(&["cab", "--learn", "front"]);
    assert!(errors(&paused).contains("learning is paused"), "{}", errors(&paused));
    assert_eq!(code(&classify(&["cab", "--learn", "other"])), 4);
    assert_eq!(code(&run(&["classify", "cab", "--learn", "front"])), 2, "a store is needed");
}

#[test]
fn a_style_goes_into_the_instructions_of_a_chat() {
    let folder = tempfile::tempdir().unwrap();
    let style = folder.path().join("me.json");
    fs::write(&style, r#"{"sign_off":"m.","capitals":"never"}"#).unwrap();
    let answer = run_with_input(&["chat", "--style", text(&style), "--json", "-n", "4"], b"Hello\n");
    let plain = run_with_input(&["chat", "--json", "-n", "4"], b"Hello\n");
    let tokens = |output| json(output)["metrics"]["prefill_tokens"].as_u64().unwrap();
    assert!(tokens(&answer) > tokens(&plain) + 5);
    fs::write(&style, "no style").unwrap();
    assert_eq!(code(&run_with_input(&["chat", "--style", text(&style)], b"Hello\n")), 4);
}
