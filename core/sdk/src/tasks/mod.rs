//! The tasks, one file each: prompt, grammar and answer.

pub mod classify;
pub mod extract;
pub mod note_session;
mod prompts;
pub mod summarize;

use std::sync::Arc;

use sotto_text::{Message, OutputFormat, Role, Sampler, SamplingOptions};

use crate::generate::{Answer, Request, generate};
use crate::loaded::Loaded;
use crate::sequence::Sequence;
use crate::{CancelToken, Error};

/// The share of a short context that an answer may use; the rest is for the prompt.
pub(crate) const ANSWER_SHARE: f32 = 0.4;

/// The prompt of a task: what to do ([`prompts`]), then the user's text.
pub(crate) fn task_prompt(model: &Loaded, mut messages: Vec<Message>, text: &str) -> Result<Vec<u32>, Error> {
    messages.push(Message::new(Role::User, text));
    model.prompt(&messages, true)
}

/// The greedy answer to a task prompt, constrained by `format`.
pub(crate) fn constrained_answer(
    model: &Arc<Loaded>,
    sequence: &mut Sequence,
    prompt: &[u32],
    format: &OutputFormat,
    max_tokens: usize,
    cancel: &CancelToken,
    on_text: impl FnMut(&str),
) -> Result<Answer, Error> {
    generate(model, sequence, constrained_request(model, prompt, format, max_tokens)?, cancel, on_text)
}

/// A request for the greedy answer to a task prompt, constrained by `format`.
pub(crate) fn constrained_request<'a>(
    model: &Loaded,
    prompt: &'a [u32],
    format: &'a OutputFormat,
    max_tokens: usize,
) -> Result<Request<'a>, Error> {
    let sampler = Sampler::new(SamplingOptions::default())?;
    Ok(Request { prompt, sampler, format: Some(format), max_tokens, item_bias: model.tuning.action_bias })
}

/// How many tokens a context must hold for a prompt and its answer.
pub(crate) fn context_for(model: &Loaded, prompt_tokens: usize, max_tokens: usize) -> Result<usize, Error> {
    let (limit, needed) = (model.context_limit(), prompt_tokens + max_tokens);
    if needed > limit { Err(Error::ContextFull { limit, needed }) } else { Ok(needed) }
}

/// The maximum tokens for a prompt and its answer, for a task that wants `wanted` tokens for the answer.
pub(crate) fn split_context(context_length: usize, wanted: usize) -> (usize, usize) {
    let answer = wanted.min((context_length as f32 * ANSWER_SHARE) as usize);
    (context_length - answer, answer)
}
