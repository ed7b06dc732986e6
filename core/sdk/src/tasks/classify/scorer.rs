//! How probable each label is as the answer to a text.

use std::time::Instant;

use sotto_engine::LogitRows;
use sotto_text::{Message, log_probability};

use crate::label::Label;
use crate::loaded::Loaded;
use crate::metrics::{Metrics, Stopwatch};
use crate::sequence::Sequence;
use crate::tasks::{prompts, task_prompt};
use crate::{CancelToken, Error};

/// Scores texts under one instruction, whose tokens are computed once.
pub(super) struct Scorer<'a> {
    model: &'a Loaded,
    instruction: Vec<Message>,
    label_ids: Vec<Vec<u32>>,
    sequence: Sequence,
    cost: Cost,
}

/// The cost since the last text began.
struct Cost {
    started: Instant,
    prefill: Stopwatch,
    prefill_tokens: usize,
    reused_tokens: usize,
    decode: Stopwatch,
    decode_tokens: usize,
}

impl Cost {
    fn begin() -> Self {
        let (prefill, decode) = Default::default();
        Self { started: Instant::now(), prefill, prefill_tokens: 0, reused_tokens: 0, decode, decode_tokens: 0 }
    }
}

impl<'a> Scorer<'a> {
    pub(super) fn new(model: &'a Loaded, labels: &[Label]) -> Result<Self, Error> {
        let label_ids =
            labels.iter().map(|label| Ok(model.tokenizer.encode(label.name.trim())?)).collect::<Result<_, Error>>()?;
        let sequence = Sequence::new(model.decoder(model.context_limit())?);
        let instruction = prompts::classify(model.tuning.tuned, labels);
        Ok(Self { model, instruction, label_ids, sequence, cost: Cost::begin() })
    }

    /// Begins to count the cost of a text.
    pub(super) fn begin(&mut self) {
        self.cost = Cost::begin();
    }

    /// The log-probability of each label as the answer to `text`, in the order of the labels.
    pub(super) fn score(&mut self, text: &str, cancel: &CancelToken) -> Result<Vec<f64>, Error> {
        let prompt = task_prompt(self.model, self.instruction.clone(), text)?;
        let prefill = self.cost.prefill.time(|| self.sequence.set(&prompt, cancel))?;
        self.cost.prefill_tokens += prefill.computed;
        self.cost.reused_tokens += prefill.reused;
        self.cost.decode_tokens += self.label_ids.iter().map(Vec::len).sum::<usize>();
        let Self { model, label_ids, sequence, cost, .. } = self;
        let label = |ids: &Vec<u32>| answer_log_probability(model, sequence, &prefill.logits, ids, cancel);
        cost.decode.time(|| label_ids.iter().map(label).collect())
    }

    /// The cost of the last text, including the measurement of the prior.
    pub(super) fn metrics(&self) -> Metrics {
        let (cost, engine) = (&self.cost, &self.model.engine);
        Metrics {
            time_to_first_token: cost.started.elapsed().as_secs_f64(),
            prefill_tokens: cost.prefill_tokens,
            prefill_seconds: cost.prefill.seconds(),
            reused_tokens: cost.reused_tokens,
            decode_tokens: cost.decode_tokens,
            decode_seconds: cost.decode.seconds(),
            private_bytes: self.sequence.private_bytes(),
            mapped_bytes: engine.mapped_bytes(),
            kernels: engine.kernels().to_owned(),
            threads: engine.threads(),
        }
    }
}

/// The log-probability that the model continues the sequence with exactly `ids` and then ends its answer. Without the
/// end, a label that is a prefix of another would be favoured.
fn answer_log_probability(
    model: &Loaded,
    sequence: &mut Sequence,
    after_prompt: &[f32],
    ids: &[u32],
    cancel: &CancelToken,
) -> Result<f64, Error> {
    let rows = sequence.append(ids, LogitRows::All, cancel)?;
    sequence.forget(ids.len());
    let rows = [after_prompt].into_iter().chain(rows.chunks_exact(after_prompt.len()));
    let wanted = ids.chunks(1).chain([model.tokenizer.end_tokens()]);
    Ok(rows.zip(wanted).map(|(logits, ids)| log_probability(logits, ids)).sum())
}
