//! The generation loop: prefill, then one token after another, or several at once if they were guessed.

mod slots;
mod writer;
mod writers;

use std::sync::Arc;

use sotto_text::{OutputFormat, Sampler};

use crate::finish_reason::FinishReason;
use crate::loaded::Loaded;
use crate::metrics::Metrics;
use crate::sequence::Sequence;
use crate::{CancelToken, Error};
pub(crate) use slots::{Pass, SequenceBatch, Slots, most_sequences, slots_for};
pub(crate) use writers::Writers;

/// What to generate after a prompt.
pub(crate) struct Request<'a> {
    pub prompt: &'a [u32],
    /// How many tokens at the beginning of the prompt are likely to begin later prompts, too.
    pub lasting: usize,
    pub sampler: Sampler,
    pub format: Option<&'a OutputFormat>,
    /// The maximum number of tokens in the answer.
    pub max_tokens: usize,
    /// Added to the logits of tokens that begin another line `- ` wherever the answer could also end.
    pub item_bias: f32,
}

/// A finished answer, without end tokens.
pub(crate) struct Answer {
    pub text: String,
    pub ids: Vec<u32>,
    /// Never [`FinishReason::ContextFull`]: only who chose `max_tokens` knows of the context.
    pub finish_reason: FinishReason,
    pub metrics: Metrics,
}

/// Generates an answer, and passes each new piece of text to `on_text` as soon as its characters are complete.
///
/// After an error, `on_text` has received everything before it, and `sequence` holds a valid prefix.
pub(crate) fn generate(
    model: &Arc<Loaded>,
    sequence: &mut Sequence,
    request: Request<'_>,
    cancel: &CancelToken,
    mut on_text: impl FnMut(&str),
) -> Result<Answer, Error> {
    let mut writers = Writers::new(model, sequence);
    writers.start(0, request, cancel)?;
    loop {
        let outcome = writers.go_on(cancel);
        while let Some(piece) = writers.next_piece(0) {
            on_text(piece);
        }
        outcome?;
        if let Some(answer) = writers.take_finished(0) {
            return Ok(answer);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use sotto_engine::{Adapter, Decoder, EngineError, LogitRows, ModelConfig, Prefix};
    use sotto_text::{OutputFormat, SamplingOptions};

    use super::*;
    use crate::demo_model::demo;
    use crate::sequence::common_prefix;

    /// A decoder that counts its passes, and may say that it takes one token at a time.
    struct Counting {
        decoder: Box<dyn Decoder>,
        tokens_at_once: usize,
        passes: Arc<AtomicUsize>,
    }

    impl Decoder for Counting {
        fn config(&self) -> &ModelConfig {
            self.decoder.config()
        }

        fn context_length(&self) -> usize {
            self.decoder.context_length()
        }

        fn position(&self) -> usize {
            self.decoder.position()
        }

        fn tokens_at_once(&self) -> usize {
            self.tokens_at_once
        }

        fn forward(&mut self, tokens: &[u32], rows: LogitRows, cancel: &CancelToken) -> Result<&[f32], EngineError> {
            self.passes.fetch_add(1, Ordering::Relaxed);
            self.decoder.forward(tokens, rows, cancel)
        }

        fn forward_for(
            &mut self,
            tokens: &[u32],
            rows: LogitRows,
            ids: &[u32],
            cancel: &CancelToken,
        ) -> Result<&[f32], EngineError> {
            self.passes.fetch_add(1, Ordering::Relaxed);
            self.decoder.forward_for(tokens, rows, ids, cancel)
        }

        fn hidden_states(&mut self, tokens: &[u32], cancel: &CancelToken) -> Result<&[f32], EngineError> {
            self.decoder.hidden_states(tokens, cancel)
        }

        fn set_adapters(&mut self, adapters: &[(Adapter, f32)]) -> Result<(), EngineError> {
            self.decoder.set_adapters(adapters)
        }

        fn prefix(&self, length: usize) -> Result<Option<Prefix>, EngineError> {
            self.decoder.prefix(length)
        }

        fn begin_with(&mut self, prefix: &Prefix, length: usize) -> bool {
            self.decoder.begin_with(prefix, length)
        }

        fn truncate(&mut self, length: usize) {
            self.decoder.truncate(length);
        }

        fn private_bytes(&self) -> u64 {
            self.decoder.private_bytes()
        }
    }

    /// The answer, the tokens that the sequence holds in the end, and the passes that it took.
    fn answer(
        model: &Arc<Loaded>,
        tokens_at_once: usize,
        format: Option<&OutputFormat>,
        sampling: &SamplingOptions,
        max_tokens: usize,
    ) -> (Answer, Vec<u32>, usize) {
        const PROMPT: &str = "Marcus will write a test for the upload by Thursday, and Dana will write a test for the \
            download. Marcus will write a test for the upload";
        let prompt = model.tokenizer.encode(PROMPT).expect("tokens");
        let passes = Arc::new(AtomicUsize::new(0));
        let decoder = model.decoder(prompt.len() + max_tokens).expect("a decoder");
        let decoder = Box::new(Counting { decoder, tokens_at_once, passes: Arc::clone(&passes) });
        let mut sequence = Sequence::new(decoder, model.prefixes());
        let sampler = Sampler::new(sampling.clone()).expect("a sampler");
        let request = Request { prompt: &prompt, lasting: 0, sampler, format, max_tokens, item_bias: 0.0 };
        let mut streamed = String::new();
        let answer = generate(model, &mut sequence, request, &CancelToken::new(), |piece| streamed.push_str(piece))
            .expect("text");
        assert_eq!(streamed, answer.text);
        (answer, sequence.tokens().to_vec(), passes.load(Ordering::Relaxed))
    }

    #[test]
    fn guesses_change_nothing_but_the_number_of_passes() {
        let model = demo().loaded();
        let grammar = "start: (\"- \" (\"Marcus\" | \"Dana\") \" will write a test for the \" \
            (\"upload\" | \"download\") \"\\n\"){6}\n";
        let formats =
            [None, Some(OutputFormat::Lark(grammar.to_owned())), Some(OutputFormat::Regex("[ a-z]{1,60}".into()))];
        let (mut with, mut without) = (0, 0);
        for format in &formats {
            for (temperature, repetition_penalty, max_tokens) in
                [(0.0, 1.0, 40), (0.9, 1.0, 25), (0.9, 1.1, 6), (0.0, 1.0, 1)]
            {
                let sampling = SamplingOptions { temperature, repetition_penalty, ..SamplingOptions::default() };
                let (expected, held, singly) = answer(&model, 1, format.as_ref(), &sampling, max_tokens);
                let (guessed, also_held, passes) = answer(&model, 4, format.as_ref(), &sampling, max_tokens);
                assert_eq!(guessed.ids, expected.ids, "{format:?} {temperature} {max_tokens}");
                assert_eq!(guessed.text, expected.text);
                assert_eq!(guessed.finish_reason, expected.finish_reason);
                // Both hold the prompt and the answer, but for what was written when it ended.
                assert!(
                    held.len() == common_prefix(&held, &also_held) || guessed.finish_reason == FinishReason::Complete
                );
                assert!(passes <= singly, "{passes} {singly}");
                // What a grammar forces takes no pass, guessed or not.
                if format.is_none() {
                    with += passes;
                    without += singly;
                }
            }
        }
        assert!(5 * with < 4 * without, "guesses save a fifth of the passes and more: {with} of {without}");
    }
}
