//! `sotto tune`: what it writes, says and refuses.

mod common;

use std::fs;
use std::path::Path;

use common::{code, errors, json, run, text};

fn messages(folder: &Path, lines: usize) -> String {
    let line = |number: usize| format!("hiya, could you send box {number} by friday? ta. m.\n");
    let path = folder.join("messages.txt");
    fs::write(&path, (0..lines).map(line).collect::<String>()).unwrap();
    text(&path).to_owned()
}

#[test]
fn an_adapter_is_written_if_it_is_of_use_and_then_knows_the_texts() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("me.gguf");
    let (file, messages) = (text(&target).to_owned(), messages(folder.path(), 20));
    let words = ["tune", &messages, "-o", &file, "--epochs", "3", "--rank", "4", "--learning-rate", "2e-3", "--json"];
    let output = run(&words);
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).expect("one JSON value on stdout");
    assert!(report["steps"].as_u64() >= Some(3), "{report}");
    assert!(report["held_out_nll"][1].as_f64() < report["held_out_nll"][0].as_f64(), "{report}");
    let kept = report["kept"] == true;
    assert_eq!((code(&output), target.exists()), if kept { (0, true) } else { (1, false) }, "{}", errors(&output));
    if kept {
        let nll = |words: &[&str]| json(&run(&[&["perplexity", &messages, "--json"], words].concat()))["nll"].as_f64();
        assert!(nll(&["--adapter", &file]) < nll(&[]));
    }
}

#[test]
fn a_style_is_found_edited_and_followed() {
    let folder = tempfile::tempdir().unwrap();
    let output = run(&["style", &messages(folder.path(), 20)]);
    let mut profile = json(&output);
    assert_eq!((&profile["greeting"], &profile["sign_off"]), (&"hiya,".into(), &"ta. m.".into()), "{profile}");
    assert_eq!((&profile["capitals"], &profile["emoji"]), (&"never".into(), &serde_json::json!([])), "{profile}");

    profile["sign_off"] = "x".into();
    let path = folder.path().join("style.json");
    fs::write(&path, profile.to_string()).unwrap();
    let reply = json(&run(&["rewrite", "Could you send it?", "--style", text(&path), "--json"]));
    assert!(reply["text"].is_string(), "{reply}");
    // A name that is spelled wrongly.
    fs::write(&path, r#"{"signoff":"x"}"#).unwrap();
    assert_eq!(code(&run(&["rewrite", "Could you send it?", "--style", text(&path)])), 4);
    assert_eq!(code(&run(&["rewrite", " ", "--style", "missing.json"])), 4);
}

#[test]
fn few_texts_and_adapters_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = text(&folder.path().join("me.gguf")).to_owned();
    let few = run(&["tune", &messages(folder.path(), 5), "-o", &file]);
    assert_eq!(code(&few), 4);
    assert!(errors(&few).contains("at least 8"), "{}", errors(&few));
    assert_eq!(code(&run(&["tune", &messages(folder.path(), 20), "-o", &file, "--adapter", "other.gguf"])), 2);
    assert_eq!(code(&run(&["tune", &messages(folder.path(), 20), "-o", &file, "--minutes", "-1"])), 2);
    assert_eq!(code(&run(&["tune", "missing.txt", "-o", &file])), 4);
    assert!(!Path::new(&file).exists());
}
