//! Notes from recorders, and what of them reaches a terminal.

mod common;

use common::{code, errors, json, on_a_terminal, run_with_input, text};
use serde_json::{Value, json};

const VTT: &str = "WEBVTT\n\n\
    1\n\
    00:00:00.010 --> 00:00:04.200\n\
    <v Ines>The lift is stuck again.</v>\n\n\
    2\n\
    00:00:04.300 --> 00:00:08.900\n\
    <v Omar>I will ring the firm by 03/04/2026.</v>\n";

fn summary(note: &str) -> Value {
    json(&run_with_input(&["summarize", "-", "--json"], note.as_bytes()))
}

#[test]
fn evidence_can_be_played() {
    let summary = summary(VTT);
    let ring =
        json!({ "id": 2, "start": 4.3, "end": 8.9, "text": "I will ring the firm by 03/04/2026.", "speaker": "Omar" });
    assert_eq!(summary["segments"].as_array().map(Vec::len), Some(2));
    assert_eq!(summary["segments"][1], ring);
    assert_eq!(summary["coverage"]["segments"], 2);
}

#[test]
fn a_date_stays_whole() {
    for date in ["03/04/2026", "2026-04-03"] {
        let summary = summary(&format!("Carla will send the report by {date}."));
        let action = &summary["actions"][0];
        assert_eq!((&action["text"], &action["due"]), (&json!("send the report"), &json!(format!("by {date}"))));
    }
}

#[test]
fn a_note_without_speech_is_told() {
    for note in ["[Music]\n[Music]\n[BLANK_AUDIO]\n", "[00:00:00.000 --> 00:00:30.000]   [Music]\n", "(inaudible)"] {
        let output = run_with_input(&["summarize", "-"], note.as_bytes());
        assert_eq!(code(&output), 4);
        assert!(errors(&output).contains("the note has no words"), "{}", errors(&output));
    }
}

#[test]
fn a_word_longer_than_the_context_is_no_reason_to_refuse_the_note() {
    let summary = summary(&format!("Call Tom tonight. {} Carla sends the report.", "a".repeat(5000)));
    // The sentences beside it are segments of their own.
    assert_eq!(summary["coverage"]["segments"], 3);
}

#[test]
fn an_owner_is_who_is_named_with_the_action_or_says_it() {
    let owners = |note: &str| {
        let summary = summary(note);
        let actions = summary["actions"].as_array().expect("actions");
        actions.iter().map(|action| action["owner"].clone()).collect::<Vec<_>>()
    };
    let list = "Shopping: milk and bread\nTomorrow: call the dentist\nFriday: Nadia orders the valve";
    assert!(owners(list).iter().all(|owner| *owner == json!(null) || *owner == json!("Nadia")));
    for name in ["Lars", "speaker 2"] {
        let turns =
            format!("Maria del Carmen Ruiz: The boiler comes on Monday.\n{name}: I will clear the cellar by Sunday.");
        assert_eq!(owners(&turns), [json!(name)], "{turns}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn no_control_character_reaches_a_terminal() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, content: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        text(&path).to_owned()
    };
    let evil = "Ines will \u{1b}[31mring the firm\u{1b}[0m by Wednesday. \u{1b}]0;pwned\u{7}Omar will call\u{9b}2J \u{202e}the movers tonight.";
    let note = file("note.txt", evil);
    let messages = file("messages.json", &json!([{ "role": "user", "content": evil }]).to_string());
    for command in [
        &["summarize", &note][..],
        &["summarize", &note, "--json"],
        &["render", &messages],
        &["render", &messages, "--json"],
    ] {
        let shown = on_a_terminal(command, b"");
        for evil in ["\u{1b}[31m", "\u{1b}]", "\u{7}", "\u{9b}", "\u{202e}"] {
            assert!(!shown.contains(evil), "{command:?}: {shown:?}");
        }
        assert!(command[1..] == [&*note] || shown.contains("movers"), "{command:?}: {shown:?}");
    }
    // A file gets the exact text.
    let rendered = run_with_input(&["render", &messages], b"");
    assert!(String::from_utf8(rendered.stdout).unwrap().contains("\u{1b}[31mring"));
}

#[test]
fn a_conversation_that_is_too_long_says_to_start_a_new_one() {
    let lines =
        "Tell me about the garden, the boiler and the van, please, and say all that you know of them\n".repeat(60);
    let output = run_with_input(&["chat", "-n", "40", "--temperature", "0"], lines.as_bytes());
    assert_eq!(code(&output), 5);
    assert!(errors(&output).contains("start a new one"), "{}", errors(&output));
    let long = "garden ".repeat(3000);
    let output = run_with_input(&["chat"], long.as_bytes());
    assert_eq!(code(&output), 5);
    assert!(errors(&output).contains("shorten the text"), "{}", errors(&output));
}
