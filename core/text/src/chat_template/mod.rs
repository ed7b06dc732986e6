//! Messages to a prompt.

mod budget;
mod composed;
mod control_tokens;
mod environment;
mod families;
#[cfg(test)]
mod golden;
mod instructions;
mod json;
mod python;
mod source;
mod tools;

use std::sync::Arc;

use minijinja::value::Serde;
use minijinja::{Environment, Value, context};

use self::composed::Composed;
use self::control_tokens::{ControlTokens, Seals};
use self::environment::Clock;
use self::instructions::Instructions;
use self::source::Kind;
use self::tools::Tools;
use crate::{CallFormat, RenderedPrompt, TextError, Tokenizer, ToolCall, ToolSpec};

/// The author of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// The app, which gives instructions.
    System,
    /// The user.
    User,
    /// The model.
    Assistant,
    /// A tool that the model called.
    Tool,
}

impl Role {
    fn name(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::User => "user",
            Self::Assistant => "assistant",
            Self::Tool => "tool",
        }
    }
}

/// One turn of a conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The author of a message.
    pub role: Role,
    /// The text.
    pub content: String,
    /// The call at its end; only the model calls.
    pub call: Option<ToolCall>,
}

impl Message {
    /// A turn of `role`.
    pub fn new(role: Role, content: impl Into<String>) -> Self {
        Self { role, content: content.into(), call: None }
    }

    /// A turn of the model that calls a tool after a text, which may be empty.
    pub fn calling(call: ToolCall, content: impl Into<String>) -> Self {
        Self { role: Role::Assistant, content: content.into(), call: Some(call) }
    }
}

/// A model's chat template, in Jinja as `transformers` runs it.
///
/// Text of a message never becomes a control token: only what the template itself wrote counts as control (see
/// [`RenderedPrompt::pieces`]). A template that searches for a control token in a message of the user or the app does
/// not find it.
///
/// Instructions always reach the prompt. If a template rejects or drops system messages, which is tested when it is
/// loaded, their text is put before the question after them.
///
/// Tools and calls reach the prompt, too: if the template does not write them, the model is told about them in the instructions.
///
/// The template is bounded in instructions, nesting, output and intermediate text.
#[derive(Clone)]
pub struct ChatTemplate {
    inner: Arc<Inner>,
    instructions: Instructions,
    tools: Tools,
}

struct Inner {
    source: String,
    bos: String,
    eos: String,
    clock: Clock,
    tokens: Arc<ControlTokens>,
    seals: Seals,
    composed: Option<Composed>,
    environment: Environment<'static>,
}

impl ChatTemplate {
    /// A template on its own; the begin and end token are the only control tokens.
    ///
    /// # Errors
    /// [`TextError::Template`] for a template that cannot be parsed.
    pub fn new(source: &str, bos: &str, eos: &str) -> Result<Self, TextError> {
        Self::build(source, bos, eos, ControlTokens::new([(bos, true), (eos, true)])?, Clock::System)
    }

    /// The template of a model file. If it is missing or empty, the built-in one of its family: Llama 3, ChatML, Gemma
    /// or Phi 3, recognized by their control tokens, otherwise plain text.
    ///
    /// # Errors
    /// [`TextError::Template`] for a template that cannot be parsed, [`TextError::Unsupported`] for too many control tokens.
    pub fn for_tokenizer(source: Option<&str>, tokenizer: &Tokenizer) -> Result<Self, TextError> {
        let source = source.filter(|source| !Self::is_blank(source)).unwrap_or_else(|| families::built_in(tokenizer));
        let text_of = |id: Option<u32>| id.map(|id| tokenizer.token_text(id)).unwrap_or_default();
        let bos = text_of(tokenizer.bos());
        let eos = text_of(tokenizer.end_tokens().first().copied());
        Self::build(source, &bos, &eos, ControlTokens::new(tokenizer.template_tokens())?, Clock::System)
    }

    /// Whether a model file's template is blank, which counts as missing.
    pub fn is_blank(source: &str) -> bool {
        source.trim().is_empty()
    }

    /// The same template with a fixed time (UTC), for tests: templates may write the date.
    ///
    /// # Errors
    /// None for a template that was loaded successfully.
    pub fn at_unix_time(&self, unix_seconds: i64) -> Result<Self, TextError> {
        let inner = self.inner.rebuilt(Clock::Fixed { unix_seconds }, &[])?;
        Ok(Self { inner: Arc::new(inner), instructions: self.instructions, tools: self.tools.clone() })
    }

    fn build(source: &str, bos: &str, eos: &str, tokens: ControlTokens, clock: Clock) -> Result<Self, TextError> {
        let inner = Inner::new(source, [bos, eos], Arc::new(tokens), clock, &[])?;
        let instructions = Instructions::found_by(|messages| Some(inner.render(messages, &[], true).ok()?.text()));
        let tools = Tools::found_by(|messages, tools, open| Some(inner.render(messages, tools, open).ok()?.text()));
        let tools = tools.without_control(&inner.tokens);
        Ok(Self { inner: Arc::new(inner), instructions, tools })
    }

    /// The template as it was written.
    pub fn source(&self) -> &str {
        &self.inner.source
    }

    /// The prompt for these messages. With `add_generation_prompt`, it ends where the model's answer begins.
    ///
    /// # Errors
    /// [`TextError::Template`] if the template rejects the messages or does not end.
    pub fn render(&self, messages: &[Message], add_generation_prompt: bool) -> Result<RenderedPrompt, TextError> {
        self.render_with_tools(messages, &[], add_generation_prompt)
    }

    /// The prompt for messages to a model that may call these tools.
    ///
    /// # Errors
    /// Those of [`ChatTemplate::render`].
    pub fn render_with_tools(
        &self,
        messages: &[Message],
        tools: &[ToolSpec],
        add_generation_prompt: bool,
    ) -> Result<RenderedPrompt, TextError> {
        let (messages, tools) = self.tools.told(messages, tools);
        self.inner.render(&self.instructions.told(&messages), tools, add_generation_prompt)
    }

    /// How the model writes a call.
    pub fn call_format(&self) -> &CallFormat {
        self.tools.call_format()
    }
}

impl Inner {
    /// A template whose seals are in none of `texts`.
    fn new(
        source: &str,
        [bos, eos]: [&str; 2],
        tokens: Arc<ControlTokens>,
        clock: Clock,
        texts: &[&str],
    ) -> Result<Self, TextError> {
        environment::check_length(source)?;
        let seals = tokens.seals(texts.iter().copied().chain([source]))?;
        let read = source::with_line_feeds(source);
        let pieces = source::tokens(&read);
        let sealed = source::rewritten(&pieces, |text| tokens.seal(text, seals));
        let texts = pieces.iter().filter(|piece| matches!(piece.kind, Kind::Text | Kind::Literal));
        let texts: Vec<&str> = texts.map(|piece| piece.text.trim_matches(['\'', '"'])).collect();
        Ok(Self {
            source: source.to_owned(),
            bos: bos.to_owned(),
            eos: eos.to_owned(),
            clock,
            seals,
            composed: Composed::of(tokens.texts(), &texts)?,
            environment: environment::environment(sealed, clock)?,
            tokens,
        })
    }

    fn rebuilt(&self, clock: Clock, texts: &[&str]) -> Result<Self, TextError> {
        Self::new(&self.source, [&self.bos, &self.eos], Arc::clone(&self.tokens), clock, texts)
    }

    fn render(
        &self,
        messages: &[Message],
        tools: &[ToolSpec],
        add_generation_prompt: bool,
    ) -> Result<RenderedPrompt, TextError> {
        let calls = messages.iter().flat_map(|message| &message.call).map(|call| call.arguments.to_string());
        let tool_texts = tools.iter().map(|tool| format!("{}{}", tool.description, tool.parameters));
        let structured: Vec<String> = calls.chain(tool_texts).collect();
        let contents = messages.iter().map(|message| &message.content);
        let texts: Vec<&str> = contents.chain(&structured).map(String::as_str).collect();
        if texts.iter().any(|text| self.seals.are_in(text)) {
            return self.rebuilt(self.clock, &texts)?.render(messages, tools, add_generation_prompt);
        }
        let turns: Vec<Value> = (0..messages.len()).map(|index| self.turn(messages, index)).collect();
        let tools: Vec<Value> = tools.iter().map(|tool| self.tool(tool)).collect();
        // `transformers` passes tools and documents always, as none when there are none.
        let tools = if tools.is_empty() { Value::from(()) } else { tools.into() };
        let length = texts.iter().map(|text| text.len()).sum();
        self.render_turns(turns.into(), tools, add_generation_prompt, length)
    }

    /// A message as the template gets it. It has only those keys that mean something: templates test for them.
    fn turn(&self, messages: &[Message], index: usize) -> Value {
        let message = &messages[index];
        let (role, content) = (message.role.name(), self.guarded(message));
        let called = index.checked_sub(1).and_then(|before| messages[before].call.as_ref());
        match (&message.call, called) {
            (Some(ToolCall { name, arguments }), _) => {
                let function = context! { name, arguments => self.guarded_json(arguments) };
                context! { role, content, tool_calls => [context! { type => "function", function }] }
            }
            (None, Some(ToolCall { name, .. })) if message.role == Role::Tool => context! { role, content, name },
            _ => context! { role, content },
        }
    }

    /// A tool as the template gets it.
    fn tool(&self, tool: &ToolSpec) -> Value {
        let description = self.marked(&tool.description);
        let parameters = self.guarded_json(&tool.parameters);
        context! { type => "function", function => context! { name => tool.name.clone(), description, parameters } }
    }

    /// A message's text as the template gets it.
    fn guarded(&self, message: &Message) -> String {
        let text = match message.role {
            Role::Assistant => self.tokens.seal_written_as_text(&message.content, self.seals),
            Role::System | Role::User | Role::Tool => message.content.clone(),
        };
        self.marked(&text)
    }

    /// A text in which no control token can be composed.
    fn marked(&self, text: &str) -> String {
        match &self.composed {
            Some(composed) => composed.mark(text, self.seals.spare()),
            None => text.to_owned(),
        }
    }

    /// JSON whose texts are so.
    fn guarded_json(&self, value: &serde_json::Value) -> Value {
        match value {
            serde_json::Value::String(text) => self.marked(text).into(),
            serde_json::Value::Array(items) => items.iter().map(|item| self.guarded_json(item)).collect(),
            serde_json::Value::Object(fields) => {
                Value::from_pairs(fields.iter().map(|(key, value)| (self.marked(key), self.guarded_json(value))))
            }
            plain => Value::from(Serde(plain)),
        }
    }

    /// Renders turns that are as Jinja sees them, `length` bytes long.
    fn render_turns(
        &self,
        turns: Value,
        tools: Value,
        add_generation_prompt: bool,
        length: usize,
    ) -> Result<RenderedPrompt, TextError> {
        let context = context! {
            messages => turns,
            add_generation_prompt,
            bos_token => self.tokens.seal(&self.bos, self.seals),
            eos_token => self.tokens.seal(&self.eos, self.seals),
            tools,
            documents => (),
        };
        let rendered = environment::render(&self.environment, context, length)?;
        let spare = self.seals.spare();
        Ok(self.tokens.unseal(&rendered, self.seals, |prompt, text| match &self.composed {
            Some(composed) => composed.push_text(prompt, text, spare),
            None => prompt.push_text(text),
        }))
    }
}

impl std::fmt::Debug for ChatTemplate {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("ChatTemplate").field("instructions", &self.instructions).finish_non_exhaustive()
    }
}
