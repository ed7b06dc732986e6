//! Decodes the transcript of an encoded window as Whisper's authors do: greedily first and, if the result is not
//! plausible, at increasing temperatures.

mod attempt;
mod loops;
mod rules;

pub(crate) use attempt::Attempt;
use sotto_engine::compute::Compute;

use crate::forward::Decoder;
use crate::model::Loaded;
use crate::vocabulary::Vocabulary;
use crate::{Language, SpeechError, Task, WindowOptions};

/// The temperatures for sampling.
const TEMPERATURES: [f32; 5] = [0.2, 0.4, 0.6, 0.8, 1.0];

/// The beginning of a transcript: the start token, and for multilingual models the language and the task.
pub(crate) fn prefix(vocabulary: &Vocabulary, language: Language, task: Task) -> Vec<u32> {
    let task = match task {
        Task::Transcribe => vocabulary.transcribe(),
        Task::Translate => vocabulary.translate(),
    };
    let mut prefix = vec![vocabulary.start()];
    if vocabulary.is_multilingual() {
        prefix.extend([vocabulary.language(language), task]);
    }
    prefix
}

/// A window being decoded.
pub(crate) struct Decoding<'a> {
    pub(crate) model: &'a Loaded,
    pub(crate) decoder: &'a mut Decoder,
    pub(crate) compute: Compute<'a>,
}

impl Decoding<'_> {
    /// The language that is spoken, and its probability among all languages.
    ///
    /// # Errors
    /// [`SpeechError::ModelInvalid`] if the weights produce logits that are not finite, [`SpeechError::Cancelled`].
    pub(crate) fn detect_language(&mut self) -> Result<(Language, f32), SpeechError> {
        let vocabulary = &self.model.vocabulary;
        if !vocabulary.is_multilingual() {
            return Ok((Language::ENGLISH, 1.0));
        }
        self.decoder.truncate(0);
        let logits = self.decoder.read(&self.compute, &self.model.weights, &[vocabulary.start()])?;
        let logit = |language: Language| logits[vocabulary.language(language) as usize];
        let languages = || Language::all().take(vocabulary.languages());
        let likeliest = languages().max_by(|a, b| logit(*a).total_cmp(&logit(*b))).unwrap_or(Language::ENGLISH);
        let all: f32 = languages().map(|language| (logit(language) - logit(likeliest)).exp()).sum();
        Ok((likeliest, 1.0 / all))
    }

    /// Decodes the transcript. If it is not plausible, the window is decoded again with a shorter prompt, which may
    /// have been misleading, and then, if allowed, with sampling.
    ///
    /// # Errors
    /// As for [`Decoding::detect_language`].
    pub(crate) fn decode(
        &mut self,
        prefix: &[u32],
        options: &WindowOptions,
        with_chance: bool,
    ) -> Result<Attempt, SpeechError> {
        let last = *prefix.last().ok_or_else(|| SpeechError::Internal("an empty prefix".into()))?;
        let end = self.model.vocabulary.end();
        let mut attempts = Vec::new();
        let mut no_speech = 0.0;
        for prompt in self.prompts(options) {
            no_speech = self.open(&prompt, prefix)?;
            let attempt = self.attempt(last, no_speech, 0.0)?;
            // A prompt must not suppress speech.
            let says_something = !attempt.is_silence() && attempt.tokens.iter().any(|&token| token < end);
            if attempt.is_good() && (says_something || prompt.is_empty()) {
                return Ok(attempt);
            }
            attempts.push(attempt);
        }
        for temperature in TEMPERATURES.into_iter().filter(|_| with_chance) {
            let attempt = self.attempt(last, no_speech, temperature)?;
            if attempt.is_good() {
                return Ok(attempt);
            }
            attempts.push(attempt);
        }
        // None is good: choose the most probable one that does not repeat itself.
        let rank = |attempt: &Attempt| (!attempt.repeats, attempt.mean_log_probability);
        let best =
            attempts.into_iter().max_by(|a, b| rank(a).partial_cmp(&rank(b)).unwrap_or(std::cmp::Ordering::Equal));
        best.ok_or_else(|| SpeechError::Internal("no attempt was made".into()))
    }

    /// Prompts to try, each shorter than the one before; the last one is empty.
    fn prompts(&self, options: &WindowOptions) -> Vec<Vec<u32>> {
        let vocabulary = &self.model.vocabulary;
        let names = options.vocabulary.trim();
        let names = if names.is_empty() { Vec::new() } else { vocabulary.encode(&format!(" {names}")) };
        let context = options.context.iter().copied().filter(|&token| token < vocabulary.end());
        let context: Vec<u32> = context.collect();
        // Half of the positions are for the text.
        let room = self.model.config.text_positions / 2 - 1;
        let prompt = |names: &[u32], context: &[u32]| -> Vec<u32> {
            let names = &names[..names.len().min(room)];
            let context = &context[context.len().saturating_sub(room - names.len())..];
            let text = names.iter().chain(context).copied();
            let text: Vec<u32> = text.collect();
            if text.is_empty() { text } else { [vec![vocabulary.previous()], text].concat() }
        };
        let mut prompts = vec![prompt(&names, &context), prompt(&names, &[]), Vec::new()];
        prompts.dedup();
        prompts
    }
}
