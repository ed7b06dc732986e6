//! The instructions for each task, which a model reads before the user's text.
//!
//! A model that was trained on Sotto's task formats (`docs/task-format.md`) gets a short task line. A general instruct
//! model gets the complete instruction.

use serde_json::Value;
use sotto_text::{Message, Role};

use crate::label::Label;

/// Short on purpose: if the whole format is described, small models repeat the description. The example shows the
/// format.
const SUMMARIZE: &str = "You write down what a voice note says, in its own words: a title, an overview, points (facts worth \
remembering) and actions (what somebody still has to do, with its owner and due date). What is done, dropped or only said is no action.";

const EXAMPLE_NOTE: &str = "Okay, so the heating is fixed at last, it was the pump. Ravi still has to send me the bill by Friday, and I \
need to call the insurance about the carpet tomorrow. I already moved the boxes upstairs. Oh, and Lena is going to pick up the keys.";

const EXAMPLE_SUMMARY: &str = "Title: the heating
Overview: the heating is fixed at last
Points:
- it was the pump
- I already moved the boxes upstairs
Actions:
- send me the bill
  owner: Ravi
  due: by Friday
- call the insurance about the carpet
  due: tomorrow
- pick up the keys
  owner: Lena
";

/// With one example, a small model finds ten times as many actions. More examples help less (`docs/quality.md`).
///
/// `language` is for title and overview, if it is not the note's; a tuned model copies them.
pub(crate) fn summarize(tuned: bool, language: Option<&str>, with_example: bool) -> Vec<Message> {
    if tuned {
        return vec![system("summarize")];
    }
    let mut messages = vec![match language {
        Some(language) => system(format!("{SUMMARIZE} Write the title and the overview in {language}.")),
        None => system(SUMMARIZE),
    }];
    if with_example {
        messages.push(Message::new(Role::User, EXAMPLE_NOTE));
        messages.push(Message::new(Role::Assistant, EXAMPLE_SUMMARY));
    }
    messages
}

pub(crate) fn classify(tuned: bool, labels: &[Label]) -> Vec<Message> {
    let labels: Vec<String> = labels.iter().map(in_words).collect();
    let labels = labels.join(", ");
    vec![system(if tuned {
        format!("classify: {labels}")
    } else {
        format!(
            "You sort texts. Answer with exactly one of these labels, the one that fits the user's text best, and nothing else: {labels}"
        )
    })]
}

/// `name (description)`.
fn in_words(label: &Label) -> String {
    let name = label.name.trim();
    match &label.description {
        Some(description) => format!("{name} ({})", description.trim()),
        None => name.to_owned(),
    }
}

pub(crate) fn extract(tuned: bool, schema: &Value) -> Vec<Message> {
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
