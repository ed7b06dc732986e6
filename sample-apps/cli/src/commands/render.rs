use std::io::Write;
use std::path::Path;

use serde::Deserialize;
use sotto::{ChatTemplate, LocalModel, Message, Role};

use super::print_json;
use crate::failure::Failure;
use crate::{input, screen};

#[derive(Deserialize)]
struct GivenMessage {
    role: GivenRole,
    content: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum GivenRole {
    System,
    User,
    Assistant,
}

impl From<GivenMessage> for Message {
    fn from(given: GivenMessage) -> Self {
        let role = match given.role {
            GivenRole::System => Role::System,
            GivenRole::User => Role::User,
            GivenRole::Assistant => Role::Assistant,
        };
        Message::new(role, given.content)
    }
}

pub fn with_model(model: &LocalModel, messages: &Path, json: bool) -> Result<(), Failure> {
    print(&model.render(&read_messages(messages)?)?, json)
}

pub fn with_template(messages: &Path, template: &Path, bos: &str, eos: &str, json: bool) -> Result<(), Failure> {
    let bad_template = |error| Failure::BadInput(format!("{error}"));
    let template = ChatTemplate::new(&input::read_file(template)?, bos, eos).map_err(bad_template)?;
    let rendered = template.render(&read_messages(messages)?, true).map_err(bad_template)?;
    print(&rendered.text(), json)
}

fn read_messages(path: &Path) -> Result<Vec<Message>, Failure> {
    // serde_json's own message would quote the user's text.
    let given: Vec<GivenMessage> = serde_json::from_str(&input::read_file(path)?).map_err(|error| {
        Failure::BadInput(format!(
            "the messages are not a JSON list of {{\"role\", \"content\"}} with the roles system, user and assistant: see line {}, column {}",
            error.line(),
            error.column()
        ))
    })?;
    Ok(given.into_iter().map(Message::from).collect())
}

fn print(text: &str, json: bool) -> Result<(), Failure> {
    if json {
        return print_json(&text);
    }
    // No line break is added, so a file gets the exact text.
    let mut out = std::io::stdout().lock();
    out.write_all(screen::answer(text).as_bytes())?;
    Ok(out.flush()?)
}
