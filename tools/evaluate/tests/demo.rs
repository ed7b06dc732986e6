//! The whole program on a few texts, with the demo model.

use std::fs;
use std::process::Command;

use serde_json::{Value, json};

const GOLD: &str = r#"{"text": "Marcus will write a test by Thursday.", "title": "a test", "overview": "Marcus will write a test", "points": [], "actions": [{"text": "write a test", "owner": "Marcus", "due": "by Thursday"}]}
{"text": "The basement is flooding, come right now!", "labels": ["urgent", "task", "ignorable", "attention"], "label": "urgent"}
{"text": "Carla sends the figures by Monday", "schema": {"type": "object", "properties": {"seats": {"type": "integer", "minimum": 7, "maximum": 7}}, "required": ["seats"], "additionalProperties": false}, "answer": {"seats": 7}}
{"text": "", "schema": {}, "answer": null}
"#;

fn evaluate(arguments: &[&str]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let gold = folder.path().join("gold.jsonl");
    fs::write(&gold, GOLD).unwrap();
    let mut program = Command::new(env!("CARGO_BIN_EXE_sotto-evaluate"));
    let output = program.args(["--all", "--gold"]).arg(&gold).args(arguments).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn a_model_is_measured_on_all_three_tasks() {
    let mut report: Value = serde_json::from_str(&evaluate(&["--json"])).unwrap();
    let found = ["named", "found", "owner_right", "due_right", "not_expected"].map(|name| report["notes"][name].take());
    assert_eq!(found, [1, 1, 1, 1, 0].map(Value::from));
    assert_eq!((&report["labels"]["texts"], &report["labels"]["right"]), (&json!(1), &json!(1)));
    let extractions = &report["extractions"];
    assert_eq!(
        (&extractions["texts"], &extractions["valid"], &extractions["right"]),
        (&json!(2), &json!(1), &json!(1))
    );
}

#[test]
fn one_task_alone_is_a_table() {
    let table = evaluate(&["--only", "labels"]);
    assert!(table.starts_with("| | sotto-demo.gguf |\n|---|---|\n| labels right | 1 of 1 (100 %) |\n"), "{table}");
    assert!(!table.contains("notes"), "{table}");
}
