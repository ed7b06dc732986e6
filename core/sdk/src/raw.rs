//! Functions below the tasks, for tools and inspection: raw completion, exact prompts, perplexity.

use serde::Serialize;
use sotto_engine::LogitRows;
use sotto_text::{Message, OutputFormat, Sampler, SamplingOptions, log_probability};

use crate::finish_reason::FinishReason;
use crate::generate::{Request, generate};
use crate::job::{Job, Progress};
use crate::metrics::Metrics;
use crate::model::LocalModel;
use crate::{CancelToken, Error};

/// The number of the number of the number of tokens whose logits are held at once while a text is scored: 32 MiB for a
/// vocabulary of 128,256.
const SCORED_AT_ONCE: usize = 64;

/// How to complete a text.
#[derive(Debug, Clone)]
pub struct CompletionOptions {
    /// How the next token is chosen.
    pub sampling: SamplingOptions,
    /// The maximum number of tokens to write.
    pub max_tokens: usize,
    /// Constrains the text to a JSON schema, a list of choices or a grammar.
    pub format: Option<OutputFormat>,
}

/// A completed text.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Completion {
    /// The text after the prompt.
    pub text: String,
    /// Its token ids.
    pub ids: Vec<u32>,
    /// Why it ended.
    pub finish_reason: FinishReason,
    /// Time, tokens and memory it took.
    pub metrics: Metrics,
}

/// What to complete.
#[derive(Debug, Clone)]
pub enum Prompt {
    /// Plain text, without control tokens, after a beginning-of-text token if the model uses one.
    Text(String),
    /// Token ids, used as they are.
    Ids(Vec<u32>),
}

/// How well a model predicts a text.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Perplexity {
    /// How many tokens were predicted.
    pub tokens: usize,
    /// Mean negative log-likelihood, nats per token.
    pub nll: f64,
    /// `exp(nll)`.
    pub perplexity: f64,
}

impl LocalModel {
    /// Continues a text, streaming it piece by piece, without a chat template.
    ///
    /// # Errors
    /// [`Error::ContextFull`] when the prompt leaves no room for an answer, [`Error::InvalidInput`] for an empty one or
    /// an id that the model does not have.
    pub fn complete(&self, prompt: Prompt, options: &CompletionOptions) -> Job<String, Completion> {
        let (model, options) = (self.clone(), options.clone());
        Job::start("complete", move |reporter, cancel| {
            let loaded = model.loaded();
            let ids = model.prompt_ids(prompt)?;
            let limit = loaded.context_limit();
            if ids.is_empty() {
                return Err(Error::invalid_input("the prompt is empty"));
            }
            if ids.len() >= limit {
                return Err(Error::ContextFull { limit, needed: ids.len() + 1 });
            }
            let room = limit - ids.len();
            let max_tokens = options.max_tokens.min(room);
            let mut sequence = loaded.sequence(ids.len() + max_tokens)?;
            let sampler = Sampler::new(options.sampling)?;
            let request = Request {
                prompt: &ids,
                lasting: 0,
                sampler,
                format: options.format.as_ref(),
                max_tokens,
                item_bias: 0.0,
            };
            let answer = generate(&loaded, &mut sequence, request, cancel, |piece| reporter.report(piece.to_owned()))?;
            let finish_reason = answer.finish_reason.given_room(options.max_tokens, room);
            Ok(Completion { text: answer.text, ids: answer.ids, finish_reason, metrics: answer.metrics })
        })
    }

    /// The exact prompt text that the model's chat template produces for a conversation. Instructions that the template
    /// would reject or drop are sent with the question after them, as in sessions and tasks.
    ///
    /// # Errors
    /// [`Error::Unsupported`] when the template rejects the messages or cannot be read.
    pub fn render(&self, messages: &[Message]) -> Result<String, Error> {
        Ok(self.loaded().render(messages, true)?.text())
    }

    /// How well the model predicts `text`, read in windows of `context` tokens, each after a beginning-of-text token if
    /// the model uses one. Every token of a window except the first is predicted from those before it.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] for a text of fewer than two tokens or a context below 2, [`Error::ContextFull`] for a
    /// context longer than the model's.
    pub fn perplexity(&self, text: &str, context: usize) -> Job<Progress, Perplexity> {
        let (model, text) = (self.clone(), text.to_owned());
        Job::start("perplexity", move |reporter, cancel| {
            model.measure_perplexity(&text, context, cancel, |progress| reporter.report(progress))
        })
    }

    fn prompt_ids(&self, prompt: Prompt) -> Result<Vec<u32>, Error> {
        let loaded = self.loaded();
        match prompt {
            Prompt::Text(text) => {
                loaded.refuse_far_too_long(text.len())?;
                let mut ids: Vec<u32> = loaded.leading_bos().into_iter().collect();
                ids.extend(loaded.tokenizer.encode(&text)?);
                Ok(ids)
            }
            Prompt::Ids(ids) => {
                let tokens = loaded.engine.config().vocab_size;
                match ids.iter().find(|&&id| id as usize >= tokens) {
                    Some(id) => {
                        Err(Error::invalid_input(format!("there is no token {id}: the model has {tokens} tokens")))
                    }
                    None => Ok(ids),
                }
            }
        }
    }

    fn measure_perplexity(
        &self,
        text: &str,
        context: usize,
        cancel: &CancelToken,
        on_progress: impl Fn(Progress),
    ) -> Result<Perplexity, Error> {
        let loaded = self.loaded();
        let limit = loaded.engine.config().context_length;
        if context < 2 {
            return Err(Error::invalid_input("the context must be at least 2 tokens"));
        }
        if context > limit {
            return Err(Error::ContextFull { limit, needed: context });
        }
        let bos = loaded.leading_bos();
        let ids = loaded.tokenizer.encode(text)?;
        let mut sequence = loaded.sequence(context)?;
        let (mut total, mut tokens) = (0.0, 0);
        for window in ids.chunks(context - usize::from(bos.is_some())) {
            let window: Vec<u32> = bos.into_iter().chain(window.iter().copied()).collect();
            if window.len() < 2 {
                continue;
            }
            sequence.truncate(0);
            let (known, predicted) = (&window[..window.len() - 1], &window[1..]);
            for (known, predicted) in known.chunks(SCORED_AT_ONCE).zip(predicted.chunks(SCORED_AT_ONCE)) {
                let logits = sequence.append(known, LogitRows::All, cancel)?;
                let rows = logits.chunks_exact(loaded.engine.config().vocab_size);
                total -= rows.zip(predicted).map(|(row, &next)| log_probability(row, &[next])).sum::<f64>();
                tokens += predicted.len();
            }
            on_progress(Progress { done: tokens, total: ids.len() });
        }
        if tokens == 0 {
            return Err(Error::invalid_input("the text is too short: at least two tokens are needed"));
        }
        let nll = total / tokens as f64;
        Ok(Perplexity { tokens, nll, perplexity: nll.exp() })
    }
}
