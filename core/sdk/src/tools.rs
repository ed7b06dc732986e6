//! Functions of the app that a model may call in a conversation.

#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sotto_text::{CallFormat, Message, OutputFormat, Role, ToolCall, ToolSpec, text_or_call_grammar};

use crate::finish_reason::FinishReason;
use crate::loaded::Loaded;
use crate::sequence::Sequence;
use crate::session::{ChatOptions, Reply, Session};
use crate::{CancelToken, Error};

/// How many calls a model may make for one question.
pub const MAX_TOOL_CALLS: usize = 8;

type Handler = dyn Fn(&Value, &CancelToken) -> Result<String, String> + Send + Sync;

/// A function that the model may call.
///
/// ```
/// # use sotto::Tool;
/// let parameters = serde_json::json!({
///     "type": "object",
///     "properties": { "city": { "type": "string", "description": "The city's name" } },
///     "required": ["city"],
/// });
/// let weather = Tool::new("weather", "Tells today's weather in a city", parameters, |arguments, _cancel| {
///     match arguments["city"].as_str() {
///         Some("Oslo") => Ok("12 °C, rain".to_owned()),
///         _ => Err("no such city: try the nearest large one".to_owned()),
///     }
/// });
/// ```
#[derive(Clone)]
pub struct Tool {
    spec: ToolSpec,
    handler: Arc<Handler>,
}

impl Tool {
    /// A tool. `name` has letters, digits, `_` and `-`; `description` tells the model what it does and when to call it; `parameters` is a JSON
    /// schema of an object.
    ///
    /// `handler` gets arguments that fit the schema, and a token that says whether the answer was cancelled: long work should end then. It
    /// returns the text that the model is told, or why it failed, which the model is told, too. It runs on the request's thread.
    pub fn new(
        name: impl Into<String>,
        description: impl Into<String>,
        parameters: Value,
        handler: impl Fn(&Value, &CancelToken) -> Result<String, String> + Send + Sync + 'static,
    ) -> Self {
        let spec = ToolSpec { name: name.into(), description: description.into(), parameters };
        Self { spec, handler: Arc::new(handler) }
    }

    /// What the model is told of its result.
    fn call(&self, arguments: &Value, cancel: &CancelToken) -> String {
        (self.handler)(arguments, cancel).unwrap_or_else(|why| json!({ "error": why }).to_string())
    }
}

impl fmt::Debug for Tool {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Tool").field("name", &self.spec.name).finish_non_exhaustive()
    }
}

/// A call of a tool in a conversation, and its result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToolUse {
    /// What the model wrote before the call; mostly empty.
    pub text: String,
    /// The tool's name.
    pub name: String,
    /// The arguments, which fit the tool's schema.
    pub arguments: Value,
    /// What the model was told: the tool's text, or `{"error": …}`.
    pub result: String,
}

impl ToolUse {
    /// The call and its result in a conversation.
    pub(crate) fn messages(&self) -> [Message; 2] {
        let Self { text, name, arguments, result } = self.clone();
        [Message::calling(ToolCall { name, arguments }, text), Message::new(Role::Tool, result)]
    }
}

/// The tools of a session.
#[derive(Default)]
pub(crate) struct Tools {
    tools: Vec<Tool>,
    specs: Vec<ToolSpec>,
    /// How the model calls, and the grammar of text or a call; none without tools.
    calls: Option<(CallFormat, OutputFormat)>,
}

impl Tools {
    fn new(tools: Vec<Tool>, model: &Loaded) -> Result<Self, Error> {
        let specs: Vec<ToolSpec> = tools.iter().map(|tool| tool.spec.clone()).collect();
        if specs.is_empty() {
            return Ok(Self::default());
        }
        let format = model.template()?.call_format().clone();
        let grammar = OutputFormat::Lark(text_or_call_grammar(&format, &specs)?);
        Ok(Self { tools, specs, calls: Some((format, grammar)) })
    }

    pub(crate) fn specs(&self) -> &[ToolSpec] {
        &self.specs
    }

    /// The result of a call, as the model is told it.
    fn call(&self, call: &ToolCall, cancel: &CancelToken) -> Result<String, Error> {
        let tool = self.tools.iter().find(|tool| tool.spec.name == call.name);
        let tool = tool.ok_or_else(|| Error::internal("the grammar allowed a call of an unknown tool"))?;
        let result = tool.call(&call.arguments, cancel);
        // What a handler returns after a cancellation does not matter.
        cancel.check()?;
        Ok(result)
    }
}

impl Session {
    /// The same conversation, with these tools for the next answers instead of the current ones. The model may call them up to
    /// [`MAX_TOOL_CALLS`] times for a question. Each call's arguments fit the tool's schema.
    ///
    /// A tool must not ask its own conversation: that waits for the answer that waits for the tool.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] for a name that is used twice or has other characters than letters, digits, `_` and `-`, and for an unsupported
    /// schema (with the property's path and what to change). [`Error::Unsupported`] when the model's chat template cannot be read.
    pub fn with_tools(&self, tools: impl IntoIterator<Item = Tool>) -> Result<Self, Error> {
        let mut session = self.clone();
        session.tools = Arc::new(Tools::new(tools.into_iter().collect(), &self.model)?);
        Ok(session)
    }

    /// Answers, and calls tools as often as the model wants. `messages` gets the calls and their results, `written` what the model wrote
    /// after the last of them.
    pub(crate) fn answer_calling(
        &self,
        messages: &mut Vec<Message>,
        sequence: &mut Sequence,
        options: &ChatOptions,
        cancel: &CancelToken,
        written: &mut String,
        mut on_text: impl FnMut(&str),
    ) -> Result<Reply, Error> {
        let mut tell = |written: &mut String, piece: &str| {
            written.push_str(piece);
            on_text(piece);
        };
        let Some((format, grammar)) = &self.tools.calls else {
            return self.generate(messages, sequence, options, cancel, |piece| tell(written, piece));
        };
        if options.format.is_some() {
            return Err(Error::invalid_input(
                "an answer that is held to a format cannot call tools: leave out the format, or ask a session without tools",
            ));
        }
        let mut options = ChatOptions { format: Some(grammar.clone()), ..options.clone() };
        let mut reply: Option<Reply> = None;
        for calls_before in 0.. {
            let mut answer = String::new();
            let part = self.generate(messages, sequence, &options, cancel, |piece| {
                answer.push_str(piece);
                tell(written, &answer[written.len()..format.text_length(&answer)]);
            })?;
            let (text, call) = format.split(&part.text);
            // An answer that was cut off may end with the beginning of a call.
            let text =
                if part.finish_reason == FinishReason::Complete { text } else { &text[..format.text_length(text)] };
            tell(written, &text[written.len()..]);
            options.max_tokens = options.max_tokens.saturating_sub(part.metrics.decode_tokens);
            let reply = reply.get_or_insert_with(|| Reply { text: String::new(), ..part.clone() });
            if calls_before > 0 {
                reply.metrics.absorb(&part.metrics);
            }
            reply.text.push_str(text);
            reply.finish_reason = part.finish_reason;
            let Some(call) = call else { break };
            if calls_before == MAX_TOOL_CALLS {
                reply.finish_reason = FinishReason::TooManyToolCalls;
                break;
            }
            let result = self.tools.call(&call, cancel)?;
            messages.push(Message::calling(call, text.trim_end()));
            messages.push(Message::new(Role::Tool, result));
            written.clear();
        }
        reply.ok_or_else(|| Error::internal("a question has no answer"))
    }
}
