//! Any text as a chat template, and any conversation for it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sotto_text::{ChatTemplate, Message, Role};

fuzz_target!(|input: (&str, Vec<(bool, String)>)| {
    let (source, turns) = input;
    let Ok(template) = ChatTemplate::new(source, "<s>", "</s>") else { return };
    let messages: Vec<Message> = turns
        .into_iter()
        .map(|(user, content)| Message::new(if user { Role::User } else { Role::Assistant }, content))
        .collect();
    if let Ok(rendered) = template.render(&messages, true) {
        rendered.text();
    }
});
