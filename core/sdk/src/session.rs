//! A conversation with a model.

use std::convert::Infallible;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};
use sotto_text::{Message, OutputFormat, Role, Sampler, SamplingOptions, ToolCall};

use crate::adapter::Adapter;
use crate::finish_reason::FinishReason;
use crate::generate::{Request, generate};
use crate::job::Job;
use crate::loaded::Loaded;
use crate::metrics::Metrics;
use crate::model::LocalModel;
use crate::request_lock::RequestLock;
use crate::sequence::{Sequence, common_prefix};
use crate::tools::{ToolUse, Tools};
use crate::{CancelToken, Error};

/// How a session answers.
#[derive(Debug, Clone)]
pub struct ChatOptions {
    /// How the next token is chosen.
    pub sampling: SamplingOptions,
    /// The maximum number of tokens in an answer.
    pub max_tokens: usize,
    /// Constrains the answer to a JSON schema, a list of choices or a grammar.
    pub format: Option<OutputFormat>,
}

impl Default for ChatOptions {
    fn default() -> Self {
        Self {
            sampling: SamplingOptions {
                temperature: 0.7,
                top_p: Some(0.9),
                min_p: Some(0.05),
                ..SamplingOptions::default()
            },
            max_tokens: 512,
            format: None,
        }
    }
}

/// A finished answer of a session.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Reply {
    /// What the model wrote, without its calls of tools.
    pub text: String,
    /// Why the answer ended.
    pub finish_reason: FinishReason,
    /// Time, tokens and memory it took.
    pub metrics: Metrics,
}

/// A question and its answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Turn {
    /// The user's message.
    pub question: String,
    /// The tools that the model called before its answer, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub calls: Vec<ToolUse>,
    /// The model's answer.
    pub answer: String,
}

impl Turn {
    pub(crate) fn messages(&self) -> impl Iterator<Item = Message> {
        let question = Message::new(Role::User, &self.question);
        let answer = Message::new(Role::Assistant, &self.answer);
        std::iter::once(question).chain(self.calls.iter().flat_map(ToolUse::messages)).chain([answer])
    }

    /// The turns of a conversation, each of which has an answer.
    fn of(messages: &[Message]) -> Vec<Self> {
        let mut turns: Vec<Self> = Vec::new();
        for Message { role, content, call } in messages.iter().cloned() {
            match (role, call, turns.last_mut()) {
                (Role::User, ..) => turns.push(Self { question: content, calls: Vec::new(), answer: String::new() }),
                (Role::Assistant, Some(ToolCall { name, arguments }), Some(turn)) => {
                    turn.calls.push(ToolUse { text: content, name, arguments, result: String::new() });
                }
                (Role::Assistant, None, Some(turn)) => turn.answer = content,
                (Role::Tool, _, Some(Self { calls, .. })) => {
                    if let Some(call) = calls.last_mut() {
                        call.result = content;
                    }
                }
                // Instructions come before all turns.
                _ => {}
            }
        }
        turns
    }
}

/// A conversation. It keeps its history, and only new tokens are computed.
///
/// Clones refer to the same conversation. It answers one question at a time. A second request waits for the first, and
/// can be cancelled while it waits.
#[derive(Clone)]
pub struct Session {
    pub(crate) model: Arc<Loaded>,
    conversation: Arc<Conversation>,
    pub(crate) tools: Arc<Tools>,
}

/// What was said, and the sequence in which it is read and answered.
struct Conversation {
    messages: Mutex<Vec<Message>>,
    sequence: RequestLock<Sequence>,
}

impl Conversation {
    /// Held only to read or replace the messages, never while an answer is written.
    fn messages(&self) -> MutexGuard<'_, Vec<Message>> {
        self.messages.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl LocalModel {
    /// Starts a conversation. `instructions` tell the model how to behave.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`] when there is not enough memory for its KV cache.
    pub fn session(&self, instructions: Option<&str>) -> Result<Session, Error> {
        self.resume(instructions, &[])
    }

    /// Continues a conversation with this `history`.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`] when there is not enough memory for its KV cache.
    pub fn resume(&self, instructions: Option<&str>, history: &[Turn]) -> Result<Session, Error> {
        let model = self.loaded();
        let sequence = model.sequence(model.context_limit())?;
        let instructions = instructions.map(|text| Message::new(Role::System, text));
        let turns = history.iter().flat_map(Turn::messages);
        Ok(Session::new(model, instructions.into_iter().chain(turns).collect(), sequence))
    }
}

impl Session {
    /// A conversation in which this was said, without tools.
    pub(crate) fn new(model: Arc<Loaded>, messages: Vec<Message>, sequence: Sequence) -> Self {
        let conversation = Conversation { messages: Mutex::new(messages), sequence: RequestLock::new(sequence) };
        Self { model, conversation: Arc::new(conversation), tools: Arc::default() }
    }

    /// Asks something and streams the answer, piece by piece.
    ///
    /// A cancelled or failed answer leaves the conversation as it was before the question. There is one exception: if
    /// [`Job::cancel`] stops an answer after its first words, the part written so far is kept.
    ///
    /// # Errors
    /// [`Error::ContextFull`] when the conversation has grown too long: start a new session. [`Error::InvalidInput`]
    /// for invalid options, [`Error::Unsupported`] when the model's chat template rejects the conversation or cannot be
    /// read.
    pub fn respond(&self, text: &str, options: &ChatOptions) -> Job<String, Reply> {
        let (session, text, options) = (self.clone(), text.to_owned(), options.clone());
        Job::start("chat", move |reporter, cancel| {
            session.answer(&text, &options, cancel, |piece| reporter.report(piece.to_owned()))
        })
    }

    /// The same conversation, with these adapters for the next answers instead of the current ones, each with a scale.
    /// The conversation is then read again.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] for an adapter that was loaded with another model, or a scale that is not a finite
    /// number.
    pub fn with_adapters(&self, adapters: &[(Adapter, f32)]) -> Result<Self, Error> {
        Ok(Self { model: Arc::new(self.model.with_adapters(adapters)?), ..self.clone() })
    }

    /// A copy of the conversation, which goes on by itself from here. Nothing is computed again. Waits for a running answer.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`] when there is not enough memory for another KV cache.
    pub fn fork(&self) -> Job<Infallible, Self> {
        let session = self.clone();
        Job::start("fork", move |_, cancel| {
            let sequence = session.conversation.sequence.lock(cancel)?;
            let mut copy = session.model.sequence(session.model.context_limit())?;
            copy.copy_from(&sequence)?;
            let messages = session.conversation.messages().clone();
            Ok(Self { tools: Arc::clone(&session.tools), ..Self::new(Arc::clone(&session.model), messages, copy) })
        })
    }

    /// Uses the sequence, once no answer is being written.
    pub(crate) fn locked<T>(
        &self,
        cancel: &CancelToken,
        work: impl FnOnce(&mut Sequence) -> Result<T, Error>,
    ) -> Result<T, Error> {
        work(&mut *self.conversation.sequence.lock(cancel)?)
    }

    /// How many tokens of the context the conversation takes, including its instructions; the model's
    /// [context length](LocalModel::context_length) is the limit. A question that is being answered is not counted.
    ///
    /// # Errors
    /// [`Error::Unsupported`] when the model's chat template rejects the conversation or cannot be read.
    pub fn context_used(&self) -> Result<usize, Error> {
        let messages = self.conversation.messages().clone();
        if messages.is_empty() { Ok(0) } else { Ok(self.prompt(&messages, false)?.len()) }
    }

    /// Reads instructions and history now, so that the first answer comes sooner.
    ///
    /// # Errors
    /// [`Error::ContextFull`] when they are longer than the context.
    pub fn prewarm(&self) -> Job<Infallible, ()> {
        let session = self.clone();
        Job::start("prewarm", move |_, cancel| session.read_ahead(cancel))
    }

    /// The questions and answers so far, for [`LocalModel::resume`]. A question that is being answered is not among
    /// them.
    pub fn history(&self) -> Vec<Turn> {
        Turn::of(&self.conversation.messages())
    }

    fn read_ahead(&self, cancel: &CancelToken) -> Result<(), Error> {
        let sequence = &mut *self.conversation.sequence.lock(cancel)?;
        let messages = self.conversation.messages().clone();
        if messages.is_empty() {
            return Ok(());
        }
        sequence.set_adapters(&self.model)?;
        match self.prompt(&messages, false) {
            Ok(prompt) => {
                sequence.set(&prompt, cancel)?;
                sequence.keep(self.instruction_tokens(&messages, &prompt));
                Ok(())
            }
            // A template may reject a conversation without a question. Then nothing can be read yet.
            Err(Error::Unsupported { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Asks, and waits for the answer.
    pub(crate) fn answer(
        &self,
        text: &str,
        options: &ChatOptions,
        cancel: &CancelToken,
        on_text: impl FnMut(&str),
    ) -> Result<Reply, Error> {
        // A request that panicked left the messages unchanged and a valid prefix, so both can still be used.
        let sequence = &mut *self.conversation.sequence.lock(cancel)?;
        let mut asked = self.conversation.messages().clone();
        asked.push(Message::new(Role::User, text));
        let mut written = String::new();
        let outcome = self.answer_calling(&mut asked, sequence, options, cancel, &mut written, on_text);
        match &outcome {
            Err(error) if *error != Error::Cancelled || written.is_empty() => return outcome,
            _ => asked.push(Message::new(Role::Assistant, written)),
        }
        *self.conversation.messages() = asked;
        outcome
    }

    /// Writes one message.
    pub(crate) fn generate(
        &self,
        messages: &[Message],
        sequence: &mut Sequence,
        options: &ChatOptions,
        cancel: &CancelToken,
        on_text: impl FnMut(&str),
    ) -> Result<Reply, Error> {
        let model = &self.model;
        sequence.set_adapters(model)?;
        let prompt = self.prompt(messages, true)?;
        let limit = model.context_limit();
        if prompt.len() >= limit {
            return Err(Error::ContextFull { limit, needed: prompt.len() + 1 });
        }
        let room = limit - prompt.len();
        let request = Request {
            prompt: &prompt,
            lasting: self.instruction_tokens(messages, &prompt),
            sampler: Sampler::new(options.sampling.clone())?,
            format: options.format.as_ref(),
            max_tokens: options.max_tokens.min(room),
            item_bias: 0.0,
        };
        let answer = generate(model, sequence, request, cancel, on_text)?;
        let finish_reason = answer.finish_reason.given_room(options.max_tokens, room);
        Ok(Reply { text: answer.text, finish_reason, metrics: answer.metrics })
    }

    /// The prompt of the conversation, with its tools.
    fn prompt(&self, messages: &[Message], add_generation_prompt: bool) -> Result<Vec<u32>, Error> {
        self.model.prompt_with_tools(messages, self.tools.specs(), add_generation_prompt)
    }

    /// How many tokens of a prompt come from instructions and tools alone; 0 if there are none.
    fn instruction_tokens(&self, messages: &[Message], prompt: &[u32]) -> usize {
        let instructions = messages.first().filter(|first| first.role == Role::System);
        if instructions.is_none() && self.tools.specs().is_empty() {
            return 0;
        }
        let another: Vec<Message> = instructions.cloned().into_iter().chain([Message::new(Role::User, "?")]).collect();
        self.prompt(&another, true).map_or(0, |another| common_prefix(&another, prompt))
    }
}
