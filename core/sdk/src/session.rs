//! A conversation with a model.

use std::convert::Infallible;
use std::sync::Arc;

use serde::Serialize;
use sotto_text::{Message, OutputFormat, Role, Sampler, SamplingOptions};

use crate::adapter::Adapter;
use crate::generate::{Request, generate};
use crate::job::Job;
use crate::loaded::Loaded;
use crate::metrics::Metrics;
use crate::model::LocalModel;
use crate::request_lock::RequestLock;
use crate::sequence::Sequence;
use crate::{CancelToken, Error};

/// How a session answers.
#[derive(Debug, Clone)]
pub struct ChatOptions {
    /// How the next token is chosen.
    pub sampling: SamplingOptions,
    /// The most tokens of one answer.
    pub max_tokens: usize,
    /// Holds the answer to a JSON schema, a list of choices or a grammar.
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
    /// What the model wrote.
    pub text: String,
    /// What it cost.
    pub metrics: Metrics,
}

/// A question, and what was answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Turn {
    /// What was said to the model.
    pub question: String,
    /// What it wrote.
    pub answer: String,
}

/// A conversation: it remembers what was said, and computes only what is new.
///
/// Clones are the same conversation. Answers are given one after the other; a second request waits for the first, and can be
/// cancelled while it does.
#[derive(Clone)]
pub struct Session {
    model: Arc<Loaded>,
    state: Arc<RequestLock<State>>,
}

struct State {
    messages: Vec<Message>,
    sequence: Sequence,
}

impl LocalModel {
    /// Starts a conversation. `instructions` tell the model how to behave in it.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`] when there is no room for its KV cache.
    pub fn session(&self, instructions: Option<&str>) -> Result<Session, Error> {
        self.resume(instructions, &[])
    }

    /// Goes on with a conversation in which `history` was said.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`] when there is no room for its KV cache.
    pub fn resume(&self, instructions: Option<&str>, history: &[Turn]) -> Result<Session, Error> {
        let model = self.loaded();
        let sequence = Sequence::new(model.decoder(model.context_limit())?);
        let instructions = instructions.map(|text| Message::new(Role::System, text));
        let turns = history.iter().flat_map(|Turn { question, answer }| {
            [Message::new(Role::User, question), Message::new(Role::Assistant, answer)]
        });
        let messages = instructions.into_iter().chain(turns).collect();
        Ok(Session { model, state: Arc::new(RequestLock::new(State { messages, sequence })) })
    }
}

impl Session {
    /// Says something and streams the answer, piece by piece.
    ///
    /// A cancelled or failed answer leaves the conversation as it was before the question, but that an answer which
    /// was cut short by [`Job::cancel`] after its first words is kept as far as it went.
    ///
    /// # Errors
    /// [`Error::ContextFull`] when the conversation has grown too long: start a new session. [`Error::InvalidInput`] for options
    /// that cannot be used, [`Error::Unsupported`] when the model's chat template refuses such a conversation, or cannot be read.
    pub fn respond(&self, text: &str, options: &ChatOptions) -> Job<String, Reply> {
        let (session, text, options) = (self.clone(), text.to_owned(), options.clone());
        Job::start("chat", move |reporter, cancel| {
            session.answer(&text, &options, cancel, |piece| reporter.report(piece.to_owned()))
        })
    }

    /// The same conversation, whose next answers are computed with these adapters, each with a scale, in place of those before.
    /// What was said is read again then.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] for an adapter that another model has loaded, or a scale that is not a finite number.
    pub fn with_adapters(&self, adapters: &[(Adapter, f32)]) -> Result<Self, Error> {
        Ok(Self { model: Arc::new(self.model.with_adapters(adapters)?), state: Arc::clone(&self.state) })
    }

    /// Reads instructions and history now, so that the first question has less to wait for.
    ///
    /// # Errors
    /// [`Error::ContextFull`] when they are longer than the context.
    pub fn prewarm(&self) -> Job<Infallible, ()> {
        let session = self.clone();
        Job::start("prewarm", move |_, cancel| session.read_ahead(cancel))
    }

    /// How many messages the conversation has, instructions included. Waits for an answer that is being given.
    pub fn message_count(&self) -> usize {
        self.state.lock(&CancelToken::new()).map_or(0, |state| state.messages.len())
    }

    fn read_ahead(&self, cancel: &CancelToken) -> Result<(), Error> {
        let State { messages, sequence } = &mut *self.state.lock(cancel)?;
        if messages.is_empty() {
            return Ok(());
        }
        sequence.set_adapters(&self.model.adapters)?;
        match self.model.prompt(messages, false) {
            Ok(prompt) => sequence.set(&prompt, cancel).map(drop),
            // A template may refuse a conversation without a question: there is nothing to be read yet.
            Err(Error::Unsupported { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    fn answer(
        &self,
        text: &str,
        options: &ChatOptions,
        cancel: &CancelToken,
        mut on_text: impl FnMut(&str),
    ) -> Result<Reply, Error> {
        // A request that panicked has left the messages as they were and a whole prefix: they can be used on.
        let State { messages, sequence } = &mut *self.state.lock(cancel)?;
        let mut asked = messages.clone();
        asked.push(Message::new(Role::User, text));
        let mut written = String::new();
        let outcome = self.generate(&asked, sequence, options, cancel, |piece| {
            written.push_str(piece);
            on_text(piece);
        });
        let answer = match &outcome {
            Ok(reply) => &reply.text,
            Err(Error::Cancelled) if !written.is_empty() => &written,
            Err(_) => return outcome,
        };
        asked.push(Message::new(Role::Assistant, answer));
        *messages = asked;
        outcome
    }

    fn generate(
        &self,
        messages: &[Message],
        sequence: &mut Sequence,
        options: &ChatOptions,
        cancel: &CancelToken,
        on_text: impl FnMut(&str),
    ) -> Result<Reply, Error> {
        let model = &self.model;
        sequence.set_adapters(&model.adapters)?;
        let prompt = model.prompt(messages, true)?;
        let limit = model.context_limit();
        if prompt.len() >= limit {
            return Err(Error::ContextFull { limit, needed: prompt.len() + 1 });
        }
        let request = Request {
            prompt: &prompt,
            sampler: Sampler::new(options.sampling.clone())?,
            format: options.format.as_ref(),
            max_tokens: options.max_tokens.min(limit - prompt.len()),
            item_bias: 0.0,
        };
        let answer = generate(model, sequence, request, cancel, on_text)?;
        Ok(Reply { text: answer.text, metrics: answer.metrics })
    }
}
