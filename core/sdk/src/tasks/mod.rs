//! The tasks, one file each: prompt, grammar and answer.

pub mod classify;
pub mod extract;
mod in_order;
pub mod note_session;
pub(crate) mod prompts;
pub mod summarize;

use sotto_text::{Message, OutputFormat, Role, Sampler, SamplingOptions};

use crate::Error;
use crate::generate::Request;
use crate::loaded::Loaded;
use crate::sequence::common_prefix;

/// The maximum number of texts of a list that are read together, if memory allows.
const MOST_TOGETHER: usize = 8;

/// Texts are written together if the weights have at least this many bytes. Smaller weights stay in a core's cache,
/// where writing together saves nothing.
const WORTH_SHARING: u64 = 16 << 20;

/// The share of a short context that an answer may use; the rest is for the prompt.
pub(crate) const ANSWER_SHARE: f32 = 0.4;

/// The prompt of a task: what to do ([`prompts`]), then the user's text.
pub(crate) fn task_prompt(model: &Loaded, mut messages: Vec<Message>, text: &str) -> Result<Vec<u32>, Error> {
    messages.push(Message::new(Role::User, text));
    model.prompt(&messages, true)
}

/// How many tokens at the beginning of a task's prompt are the same whatever the text is.
pub(crate) fn lasting_tokens(model: &Loaded, messages: &[Message]) -> Result<usize, Error> {
    let prompt = |text| task_prompt(model, messages.to_vec(), text);
    Ok(common_prefix(&prompt("?")?, &prompt("A")?))
}

/// A request for the greedy answer to a task prompt, constrained by `format`. The first `lasting` tokens are likely to begin later prompts.
pub(crate) fn constrained_request<'a>(
    model: &Loaded,
    prompt: &'a [u32],
    lasting: usize,
    format: &'a OutputFormat,
    max_tokens: usize,
) -> Result<Request<'a>, Error> {
    let sampler = Sampler::new(SamplingOptions::default())?;
    Ok(Request { prompt, lasting, sampler, format: Some(format), max_tokens, item_bias: model.tuning.action_bias })
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

/// The maximum number of answers that are worth writing together.
pub(crate) fn most_together(model: &Loaded) -> usize {
    let is_large = model.engine.token_cost().is_some_and(|cost| cost.bytes >= WORTH_SHARING);
    if is_large { MOST_TOGETHER } else { 1 }
}
