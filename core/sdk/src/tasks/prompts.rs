//! What a model is told before it reads the user's text, for each task.
//!
//! A model that was trained on Sotto's task formats (`docs/task-format.md`) gets a short task line, and a general instruct
//! model the whole instruction.

use serde_json::Value;
use sotto_text::{Message, Role};

const SUMMARIZE: &str = "You summarize a voice note. Answer in the language of the note, in exactly this form:
Title: a few words
Overview: one sentence that says what the note is about
Points:
- a fact from the note, in its own words
Actions:
- something that has to be done, in the note's own words
  owner: who has to do it
  due: by when
Leave out owner and due where the note does not say. Copy points, actions, owners and dates word for word from the note. \
Leave a list empty when there is nothing for it. Things that are already done are points, not actions.";

pub(super) fn summarize(tuned: bool) -> Vec<Message> {
    vec![system(if tuned { "summarize" } else { SUMMARIZE })]
}

pub(super) fn classify(tuned: bool, labels: &[String]) -> Vec<Message> {
    let labels = labels.join(", ");
    vec![system(if tuned {
        format!("classify: {labels}")
    } else {
        format!(
            "You sort texts. Answer with exactly one of these labels, the one that fits the user's text best, and nothing else: {labels}"
        )
    })]
}

pub(super) fn extract(tuned: bool, schema: &Value) -> Vec<Message> {
    let names: Option<Vec<&str>> =
        schema.get("properties").and_then(Value::as_object).map(|fields| fields.keys().map(String::as_str).collect());
    vec![system(match names {
        Some(names) if tuned => format!("extract: {}", names.join(", ")),
        _ => format!(
            "Read the user's text and answer with one JSON value that fits this JSON schema. Use only what the text says; use null \
             for what it does not say, where the schema allows it. Schema: {schema}"
        ),
    })]
}

fn system(instruction: impl Into<String>) -> Message {
    Message::new(Role::System, instruction)
}
