//! Instructions reach every prompt, also through a template that knows no system role.

use std::borrow::Cow;

use super::{Message, Role};

/// Whatever a template does to a text, digits stay as they are.
const FIRST: &str = "5178240396";
const LATER: &str = "9360427815";

/// Where a template accepts instructions, which are the app's system messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Instructions {
    /// Anywhere in a conversation.
    Anywhere,
    /// As the first message.
    First,
    /// Not at all, or not always: it rejects them or silently drops them.
    Never,
}

impl Instructions {
    /// Finds out by rendering unmistakable instructions.
    pub(super) fn found_by(render: impl Fn(&[Message]) -> Option<String>) -> Self {
        let [system, user, assistant] =
            [Role::System, Role::User, Role::Assistant].map(|role| move |text: &str| Message::new(role, text));
        let shows = |messages: &[Message], text: &str| render(messages).is_some_and(|prompt| prompt.contains(text));
        let question = [system(FIRST), user("a")];
        let conversation = [&question[..], &[assistant("b"), user("c")]].concat();
        let told_again = [&question[..], &[assistant("b"), system(LATER), user("c")]].concat();
        if !shows(&question, FIRST) || !shows(&conversation, FIRST) {
            Self::Never
        } else if shows(&told_again, FIRST) && shows(&told_again, LATER) {
            Self::Anywhere
        } else {
            Self::First
        }
    }

    /// A conversation in which instructions that the template would not accept are sent with the question after them.
    pub(super) fn told(self, messages: &[Message]) -> Cow<'_, [Message]> {
        let taken = match self {
            Self::Anywhere => messages.len(),
            Self::First => messages.iter().take(1).filter(|message| message.role == Role::System).count(),
            Self::Never => 0,
        };
        let (taken, rest) = messages.split_at(taken);
        if rest.iter().all(|message| message.role != Role::System) {
            return Cow::Borrowed(messages);
        }
        let mut told = taken.to_vec();
        let mut waiting = Vec::new();
        for message in rest {
            match message.role {
                Role::System if message.content.trim().is_empty() => {}
                Role::System => waiting.push(message.content.as_str()),
                Role::User => {
                    waiting.push(&message.content);
                    told.push(question(&mut waiting));
                }
                Role::Assistant | Role::Tool => {
                    if !waiting.is_empty() {
                        told.push(question(&mut waiting));
                    }
                    told.push(message.clone());
                }
            }
        }
        if !waiting.is_empty() {
            told.push(question(&mut waiting));
        }
        Cow::Owned(told)
    }
}

fn question(waiting: &mut Vec<&str>) -> Message {
    let text = waiting.join("\n\n");
    waiting.clear();
    Message::new(Role::User, text)
}
