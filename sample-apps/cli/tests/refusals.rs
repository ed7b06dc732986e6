//! What the program says when it refuses: what is wrong, what would be right, and nothing of the user's text.

mod common;

use std::path::Path;
use std::process::Output;

use common::{code, errors, json, note, run, run_with_input, text};

/// Whether the program ended with `exit` and said `expected`.
fn refused(output: &Output, exit: i32, expected: &str) {
    let errors = errors(output);
    assert_eq!(code(output), exit, "{errors}");
    assert!(errors.contains(expected), "{expected:?} is not in: {errors}");
    assert!(output.stdout.is_empty());
}

fn tiny(folder: &Path, name: &str) -> String {
    let file = text(&folder.join(name)).to_owned();
    json(&run(&["synth", "--shape", "tiny", "--quant", "q4_0", "-o", &file, "--json"]));
    file
}

#[test]
fn messages_of_a_chat_are_not_quoted() {
    for given in [
        r#"[{"role": "user", "content": ["my secret"]}]"#,
        r#"["my secret"]"#,
        r#"[{"role": "my secret", "content": "hi"}]"#,
    ] {
        let output = run_with_input(&["render", "-"], given.as_bytes());
        refused(&output, 4, "line 1, column ");
        assert!(!errors(&output).contains("secret"), "{}", errors(&output));
    }
}

#[test]
fn more_tokens_than_the_model_has_are_told_by_the_option_that_asked_for_them() {
    let note = note("train-trip.txt");
    refused(&run(&["inspect", "--context", "1000000"]), 5, "--context asks for 1000000 tokens: the model has ");
    refused(
        &run(&["perplexity", text(&note), "--window", "90000"]),
        5,
        "--window asks for 90000 tokens: the model has ",
    );
    for depth in ["90000", "18446744073709551615"] {
        let output = run(&["bench", "--depth", depth, "--repeat", "1"]);
        refused(&output, 5, "--depth with --prefill or --decode asks for ");
        assert!(!errors(&output).contains("shorten the text"));
    }
}

#[test]
fn a_value_without_an_end_is_blamed_on_its_schema() {
    let folder = tempfile::tempdir().unwrap();
    let schema = folder.path().join("schema.json");
    std::fs::write(
        &schema,
        r#"{"type":"object","properties":{"task":{"type":"string","minLength":9000}},"required":["task"]}"#,
    )
    .unwrap();
    let output = run(&["extract", "Carla sends the figures tonight.", "--schema", text(&schema)]);
    refused(&output, 4, "limit it in the schema");
    assert!(!errors(&output).contains("shorten the text"));
}

#[test]
fn a_number_that_an_option_cannot_take_is_called_a_value() {
    let note = note("train-trip.txt");
    refused(&run(&["inspect", "-t", "-1"]), 2, "invalid value '-1' for '--threads <N>'");
    refused(&run(&["bench", "--depth", "-1"]), 2, "invalid value '-1' for '--depth <N,…>'");
    refused(&run(&["perplexity", text(&note), "--window", "0"]), 2, "invalid value '0' for '--window <N>'");
    refused(
        &run(&["generate", "-p", "a", "--temperature", "-1"]),
        4,
        "temperature: it must be a finite number, 0 or above",
    );
    for sequences in ["0", "129"] {
        let expected = format!("{sequences} sequences cannot decode together: 1 to 128 can");
        refused(&run(&["bench", "--sequences", sequences]), 4, &expected);
    }
}

#[test]
fn a_model_that_a_command_does_not_use_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (model, output) = (tiny(folder.path(), "tiny.gguf"), folder.path().join("unwritten"));
    refused(&run(&["inspect", &model, "--model", &model]), 2, "leave --model out");
    refused(&run(&["-m", &model, "pack", &model, "-o", text(&output)]), 2, "sotto pack FILE");
    let synth = ["synth", "--shape", "tiny", "--quant", "q4_0", "-o", text(&output), "--model", &model];
    refused(&run(&synth), 2, "--vocab names the file");
    refused(&run(&["render", "-", "--template", &model, "--model", &model]), 2, "leave --model out");
    assert!(!output.exists());
}

#[test]
fn advice_fits_what_was_given() {
    let folder = tempfile::tempdir().unwrap();
    let model = tiny(folder.path(), "tiny.gguf");
    let missing = run(&["inspect", "/nowhere.gguf"]);
    refused(&missing, 3, "check the path");
    assert!(!errors(&missing).contains("--model"));
    json(&run(&["pack", &model, "--json"]));
    let packed = folder.path().join("tiny.sotto");
    let mut bytes = std::fs::read(&packed).unwrap();
    bytes.truncate(bytes.len() / 2);
    std::fs::write(&packed, bytes).unwrap();
    refused(&run(&["inspect", text(&packed)]), 3, "pack a packed one again");
    for (name, bytes) in [("empty", ""), ("garbage", "not a model")] {
        std::fs::write(folder.path().join(name), bytes).unwrap();
        let vocab = text(&folder.path().join(name)).to_owned();
        let output = text(&folder.path().join("unwritten")).to_owned();
        let synth = run(&["synth", "--shape", "tiny", "--quant", "q4_0", "--vocab", &vocab, "-o", &output]);
        refused(&synth, 3, "it is not a GGUF file");
    }
}
