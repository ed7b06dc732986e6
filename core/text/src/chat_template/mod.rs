//! Messages to a prompt.

mod environment;
mod families;
mod marking;
mod rendered;

use std::sync::Arc;

use minijinja::{Environment, context};

use self::environment::Clock;
use self::marking::{ControlTokens, Marking};
pub use self::rendered::{PromptPiece, RenderedPrompt};
use crate::{TextError, Tokenizer};

/// Who speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// The app: what the model is to be.
    System,
    /// The person.
    User,
    /// The model.
    Assistant,
}

impl Role {
    fn name(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::User => "user",
            Self::Assistant => "assistant",
        }
    }
}

/// One turn of a conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Who speaks.
    pub role: Role,
    /// What is said.
    pub content: String,
}

impl Message {
    /// A turn of `role`.
    pub fn new(role: Role, content: impl Into<String>) -> Self {
        Self { role, content: content.into() }
    }
}

/// A model's chat template, in Jinja as `transformers` runs it.
///
/// Text of a message never becomes a control token: the template is rendered with marks in the messages, and only
/// what the template itself wrote counts as control (see [`RenderedPrompt::pieces`]). A template that looks for a
/// text such as `<end>` in a message of the person or the app does not find it, because of the mark behind `<`.
///
/// The template's own work is bounded in instructions, nesting, and output. One thing is not bounded: the engine
/// lets a template double a string again and again, so a template is only as trusted as the model file it comes in.
#[derive(Clone)]
pub struct ChatTemplate {
    inner: Arc<Inner>,
}

struct Inner {
    environment: Environment<'static>,
    source: String,
    bos: String,
    eos: String,
    control_tokens: ControlTokens,
    marking: Marking,
}

impl ChatTemplate {
    /// A template on its own; the begin and end token are the only control tokens.
    pub fn new(source: &str, bos: &str, eos: &str) -> Result<Self, TextError> {
        Self::build(source, bos, eos, ControlTokens::new([(bos, true), (eos, true)])?, Clock::System)
    }

    /// The template of a model file, or if it has none the built-in one of its family: Llama 3, ChatML, Gemma or
    /// Phi 3 by their control tokens, and else plain text.
    pub fn for_tokenizer(source: Option<&str>, tokenizer: &Tokenizer) -> Result<Self, TextError> {
        let source = source.unwrap_or_else(|| families::built_in(tokenizer));
        let text_of = |id: Option<u32>| id.map(|id| tokenizer.token_text(id)).unwrap_or_default();
        let bos = text_of(tokenizer.bos());
        let eos = text_of(tokenizer.end_tokens().first().copied());
        Self::build(source, &bos, &eos, ControlTokens::new(tokenizer.template_tokens())?, Clock::System)
    }

    /// The same template at a fixed time (UTC), for tests: templates may write the date.
    pub fn at_unix_time(&self, unix_seconds: i64) -> Result<Self, TextError> {
        let inner = &self.inner;
        let clock = Clock::Fixed { unix_seconds };
        Self::build(&inner.source, &inner.bos, &inner.eos, inner.control_tokens.clone(), clock)
    }

    fn build(
        source: &str,
        bos: &str,
        eos: &str,
        control_tokens: ControlTokens,
        clock: Clock,
    ) -> Result<Self, TextError> {
        let inner = Inner {
            environment: environment::environment(source, clock)?,
            source: source.to_owned(),
            bos: bos.to_owned(),
            eos: eos.to_owned(),
            marking: control_tokens.marking_for(source),
            control_tokens,
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// The template as it was written.
    pub fn source(&self) -> &str {
        &self.inner.source
    }

    /// The prompt for these messages; with `add_generation_prompt` it ends where the model's answer begins.
    pub fn render(&self, messages: &[Message], add_generation_prompt: bool) -> Result<RenderedPrompt, TextError> {
        let inner = &self.inner;
        let texts = messages.iter().map(|message| message.content.as_str()).chain([inner.source.as_str()]);
        let marker = marking::free_marker(texts)?;
        let mark = |message: &Message| inner.control_tokens.mark(message, marker, inner.marking);
        let marked: Vec<_> =
            messages.iter().map(|message| context! { role => message.role.name(), content => mark(message) }).collect();
        let length = messages.iter().map(|message| message.content.len()).sum();
        // `transformers` passes tools and documents always, as none when there are none.
        let context = context! {
            messages => marked,
            add_generation_prompt,
            bos_token => inner.bos.as_str(),
            eos_token => inner.eos.as_str(),
            tools => (),
            documents => (),
        };
        let rendered = environment::render(&inner.environment, context, length)?;
        Ok(inner.control_tokens.take_apart(&rendered, marker))
    }
}

impl std::fmt::Debug for ChatTemplate {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("ChatTemplate").field("marking", &self.inner.marking).finish_non_exhaustive()
    }
}
