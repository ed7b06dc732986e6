//! How probable each label is as the answer to a text.

use std::time::Instant;

use sotto_text::{Message, Softmax, log_probability};

use crate::generate::{Pass, Slots, slots_for};
use crate::label::Label;
use crate::loaded::Loaded;
use crate::metrics::{Metrics, Stopwatch};
use crate::sequence::Prefill;
use crate::tasks::{lasting_tokens, prompts, task_prompt};
use crate::{CancelToken, Error};

/// Scores texts under one instruction.
pub(super) struct Scorer<'a> {
    model: &'a Loaded,
    instruction: Vec<Message>,
    /// How many tokens of each prompt are the instruction's.
    lasting: usize,
    label_ids: Vec<Vec<u32>>,
}

/// What was found about a text.
pub(super) struct Score {
    /// The log-probability of each label as the answer, in the order of the labels.
    pub log_probabilities: Vec<f64>,
    /// What it cost. Of what was computed for several texts, each has its share.
    pub metrics: Metrics,
}

impl<'a> Scorer<'a> {
    pub(super) fn new(model: &'a Loaded, labels: &[Label]) -> Result<Self, Error> {
        let label_ids =
            labels.iter().map(|label| Ok(model.tokenizer.encode(label.name.trim())?)).collect::<Result<_, Error>>()?;
        let instruction = prompts::classify(model.tuning.tuned, labels);
        let lasting = lasting_tokens(model, &instruction)?;
        Ok(Self { model, instruction, lasting, label_ids })
    }

    /// The prompt for a text.
    ///
    /// # Errors
    /// [`Error::ContextFull`] if it leaves no room for the labels.
    pub(super) fn prompt(&self, text: &str) -> Result<Vec<u32>, Error> {
        let prompt = task_prompt(self.model, self.instruction.clone(), text)?;
        let (limit, needed) = (self.model.context_limit(), prompt.len() + self.longest_label());
        if needed > limit { Err(Error::ContextFull { limit, needed }) } else { Ok(prompt) }
    }

    fn longest_label(&self) -> usize {
        self.label_ids.iter().map(Vec::len).max().unwrap_or(0)
    }

    /// Scores texts, as many together as memory allows, in order. Each gets the scores that it gets alone.
    pub(super) fn score(
        &self,
        prompts: &[Vec<u32>],
        cancel: &CancelToken,
        mut on_score: impl FnMut(Score),
    ) -> Result<(), Error> {
        if prompts.is_empty() {
            return Ok(());
        }
        let context = prompts.iter().map(Vec::len).max().unwrap_or(0) + self.longest_label();
        let mut slots = slots_for(prompts.len(), self.model, context)?;
        for group in prompts.chunks(slots.count()) {
            self.score_together(group, &mut *slots, cancel)?.into_iter().for_each(&mut on_score);
        }
        Ok(())
    }

    /// Reads all prompts in one pass, and then each label after all of them.
    fn score_together(
        &self,
        prompts: &[Vec<u32>],
        slots: &mut dyn Slots,
        cancel: &CancelToken,
    ) -> Result<Vec<Score>, Error> {
        let started = Instant::now();
        let (mut prefill, mut decode) = (Stopwatch::default(), Stopwatch::default());
        let numbered: Vec<(usize, &[u32])> = prompts.iter().map(Vec::as_slice).enumerate().collect();
        let prefills = prefill.time(|| slots.set(&numbered, cancel))?;
        slots.keep(0, self.lasting);
        let log_probabilities = decode.time(|| {
            let first: Vec<Softmax<'_>> = prefills.iter().map(|prefill| Softmax::of(&prefill.logits)).collect();
            self.read_labels(&first, slots, cancel)
        })?;
        let (engine, texts) = (&self.model.engine, prompts.len() as f64);
        let score = |(prefilled, log_probabilities): (Prefill, Vec<f64>)| Score {
            log_probabilities,
            metrics: Metrics {
                time_to_first_token: started.elapsed().as_secs_f64(),
                prefill_tokens: prefilled.computed,
                prefill_seconds: prefill.seconds() / texts,
                reused_tokens: prefilled.reused,
                decode_tokens: self.label_ids.iter().map(Vec::len).sum(),
                decode_seconds: decode.seconds() / texts,
                private_bytes: slots.private_bytes(),
                mapped_bytes: engine.mapped_bytes(),
                kernels: engine.kernels().to_owned(),
                threads: engine.threads(),
                handed_over: None,
            },
        };
        Ok(prefills.into_iter().zip(log_probabilities).map(score).collect())
    }

    /// The log-probabilities with which the model continues each slot with exactly a label and then ends its answer. Without the end, a
    /// label that is a prefix of another would be favoured. `first` is what the model says after each prompt.
    fn read_labels(
        &self,
        first: &[Softmax<'_>],
        slots: &mut dyn Slots,
        cancel: &CancelToken,
    ) -> Result<Vec<Vec<f64>>, Error> {
        let mut of_texts = vec![Vec::with_capacity(self.label_ids.len()); first.len()];
        let mut forget = 0;
        for ids in &self.label_ids {
            let pass = Pass { forget, tokens: ids.clone(), rows: ids.len(), ids: None };
            let passes: Vec<(usize, &Pass)> = (0..first.len()).map(|slot| (slot, &pass)).collect();
            let rows = slots.read(&passes, cancel)?;
            for ((of_text, first), rows) in of_texts.iter_mut().zip(first).zip(rows) {
                let rows = rows.logits().chunks_exact(self.model.engine.config().vocab_size);
                let rest = ids[1..].chunks(1).chain([self.model.tokenizer.end_tokens()]);
                let rest = rows.zip(rest).map(|(logits, ids)| log_probability(logits, ids));
                of_text.push([first.log_probability(&ids[..1])].into_iter().chain(rest).sum());
            }
            forget = ids.len();
        }
        Ok(of_texts)
    }
}
