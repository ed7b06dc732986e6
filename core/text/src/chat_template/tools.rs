//! Tools and calls reach every prompt, also through a template that knows none.

use std::borrow::Cow;

use serde_json::{Value, json};

use super::control_tokens::ControlTokens;
use super::{Message, Role};
use crate::{CallFormat, ToolCall, ToolSpec};

/// Whatever a template does to a text, digits stay as they are.
const NAME: &str = "5178240396";
const DESCRIPTION: &str = "9360427815";
const PARAMETER: &str = "8217640593";
const ARGUMENT: &str = "2748159036";
const RESULT: &str = "6039518274";

/// Who tells a model of its tools.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Tools {
    /// The template, in which calls look like this.
    Template(CallFormat),
    /// The instructions: the template does not take tools, or its calls are not JSON.
    Instructions(CallFormat),
}

impl Tools {
    /// Finds out by rendering an unmistakable tool with a call of it. `render` gets messages, tools, and whether the model's answer is next.
    pub(super) fn found_by(render: impl Fn(&[Message], &[ToolSpec], bool) -> Option<String>) -> Self {
        match Self::template_format(render) {
            Some(format) => Self::Template(format),
            None => Self::instructions(),
        }
    }

    fn instructions() -> Self {
        Self::Instructions(CallFormat::told())
    }

    fn template_format(render: impl Fn(&[Message], &[ToolSpec], bool) -> Option<String>) -> Option<CallFormat> {
        let tool = ToolSpec {
            name: NAME.to_owned(),
            description: DESCRIPTION.to_owned(),
            parameters: json!({ "type": "object", "properties": { PARAMETER: { "type": "string" } } }),
        };
        let tools = std::slice::from_ref(&tool);
        let arguments = json!({ PARAMETER: ARGUMENT });
        let question = Message::new(Role::User, "a");
        let call = Message::calling(ToolCall { name: NAME.to_owned(), arguments }, "");
        let asked = render(std::slice::from_ref(&question), tools, true)?;
        let answered = render(&[question.clone(), Message::new(Role::Assistant, RESULT)], tools, false)?;
        let called = render(&[question.clone(), call.clone()], tools, false)?;
        let told = render(&[question, call, Message::new(Role::Tool, RESULT)], tools, true)?;
        let takes_all = [NAME, DESCRIPTION, PARAMETER].iter().all(|text| asked.contains(text)) && told.contains(RESULT);
        // What a template writes around any answer is no part of a call.
        let (before, after) = answered.strip_prefix(&asked)?.split_once(RESULT)?;
        let call = called.strip_prefix(&asked)?;
        let call = call.strip_prefix(before).unwrap_or(call).strip_suffix(after)?;
        let (before_name, rest) = call.split_once(NAME)?;
        let (before_arguments, end) = rest.split_once(&format!("{{\"{PARAMETER}\": \"{ARGUMENT}\"}}"))?;
        let [before_name, before_arguments, end] = [before_name.trim_start(), before_arguments, end].map(str::to_owned);
        let format = CallFormat { before_name, before_arguments, end };
        let is_told_from_text = !format.marker().is_empty() || format.bracket().is_some();
        (takes_all && is_told_from_text).then_some(format)
    }

    /// Calls in which there is a control token cannot be written by a grammar, so such a template's are not used.
    pub(super) fn without_control(self, tokens: &ControlTokens) -> Self {
        match self {
            Self::Template(format) if tokens.has_control(&format.call("", "")) => Self::instructions(),
            other => other,
        }
    }

    pub(super) fn call_format(&self) -> &CallFormat {
        match self {
            Self::Template(format) | Self::Instructions(format) => format,
        }
    }

    /// Messages and tools as the template gets them.
    pub(super) fn told<'a>(
        &self,
        messages: &'a [Message],
        tools: &'a [ToolSpec],
    ) -> (Cow<'a, [Message]>, &'a [ToolSpec]) {
        match self {
            Self::Template(_) => (Cow::Borrowed(messages), tools),
            Self::Instructions(format) => (told(messages, tools, format), &[]),
        }
    }
}

/// A conversation in which tools, calls and results are text.
fn told<'a>(messages: &'a [Message], tools: &[ToolSpec], format: &CallFormat) -> Cow<'a, [Message]> {
    let is_plain = |message: &Message| message.call.is_none() && message.role != Role::Tool;
    if tools.is_empty() && messages.iter().all(is_plain) {
        return Cow::Borrowed(messages);
    }
    let mut told: Vec<Message> = messages.iter().map(|message| as_text(message, format)).collect();
    if !tools.is_empty() {
        let list = instruction(tools, format);
        match told.first_mut().filter(|message| message.role == Role::System) {
            Some(first) => first.content = format!("{}\n\n{list}", first.content),
            None => told.insert(0, Message::new(Role::System, list)),
        }
    }
    Cow::Owned(told)
}

fn as_text(message: &Message, format: &CallFormat) -> Message {
    match (&message.call, message.role) {
        (Some(ToolCall { name, arguments }), _) => {
            let text = match message.content.as_str() {
                "" => String::new(),
                text => format!("{text}\n"),
            };
            Message::new(Role::Assistant, text + &format.call(name, &spaced(arguments)))
        }
        (None, Role::Tool) => {
            Message::new(Role::User, format!("<tool_response>\n{}\n</tool_response>", message.content))
        }
        _ => message.clone(),
    }
}

/// What a model is told that may call tools.
fn instruction(tools: &[ToolSpec], format: &CallFormat) -> String {
    let tools = tools.iter().map(|ToolSpec { name, description, parameters }| {
        spaced(&json!({ "name": name, "description": description, "parameters": parameters }))
    });
    format!(
        "You can call these functions:\n{}\n\nTo call one, answer with nothing but\n{}\nYou then get its result. Otherwise answer in words.",
        tools.collect::<Vec<_>>().join("\n"),
        format.call("NAME", "{ARGUMENTS}")
    )
}

/// JSON with the separators that the model's calls have, too.
fn spaced(value: &Value) -> String {
    super::json::dumps(value).unwrap_or_else(|| value.to_string())
}
