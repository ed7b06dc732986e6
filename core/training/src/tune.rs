//! A whole training: texts are read again and again until the plan or the time ends, and what came of it is judged.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use half::f16;
use sotto_engine::{CancelToken, Model, write_adapter};

use crate::TrainingError;
use crate::batch::Example;
use crate::checkpoint::Checkpoint;
use crate::loss::Loss;
use crate::plan::{Plan, rate};
use crate::trainer::Trainer;

/// What changes are multiplied with: alpha, divided by the rank.
const ALPHA_PER_RANK: f32 = 2.0;
/// Of its strength, the tenths that an adapter keeps at least: a weaker one would not be the same any more.
const WEAKEST: usize = 3;
/// Of the margin of general text, the share that is used up in calibration: other text may lose somewhat more.
const SHARE_OF_MARGIN: f64 = 0.8;
/// Steps whose time tells how many there is time for.
const MEASURED_STEPS: usize = 3;
/// Tokens that are read at once to be judged.
const JUDGED_TOKENS: usize = 512;
/// Of the time, the share that is left for judging.
const SHARE_FOR_JUDGING: f64 = 0.05;

/// How to train.
#[derive(Debug, Clone, PartialEq)]
pub struct TuneOptions {
    /// How many numbers each change goes through.
    pub rank: usize,
    /// How often each text is read, if there is time.
    pub epochs: usize,
    /// The highest learning rate.
    pub learning_rate: f32,
    /// Tokens of a step, unless a single text has more.
    pub batch_tokens: usize,
    /// The same seed gives the same adapter.
    pub seed: u64,
    /// How long it may take.
    pub time: Option<Duration>,
    /// By how many nats a token held-out texts must become likelier.
    pub margin: f64,
    /// By how many nats a token general text may become less likely.
    pub general_margin: f64,
    /// Where to keep what a killed training goes on from.
    pub checkpoint: Option<PathBuf>,
    /// How often that is written.
    pub checkpoint_every: Duration,
}

impl Default for TuneOptions {
    fn default() -> Self {
        Self {
            rank: 16,
            epochs: 8,
            learning_rate: 5e-4,
            batch_tokens: 256,
            seed: 1,
            time: None,
            margin: 0.05,
            general_margin: 0.05,
            checkpoint: None,
            checkpoint_every: Duration::from_secs(20),
        }
    }
}

/// What is learnt, and what it is judged by.
#[derive(Debug, Clone, Default)]
pub struct TuneTexts {
    /// To be learnt.
    pub train: Vec<Example>,
    /// Texts like them, which must become likelier.
    pub held_out: Vec<Example>,
    /// Any other text, by which the strength of the adapter is chosen. May be none.
    pub calibration: Vec<Example>,
    /// Any other text again, which must not become much less likely. May be none.
    pub general: Vec<Example>,
}

/// How far a training has come.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TuneProgress {
    /// Steps done.
    pub step: usize,
    /// All steps.
    pub steps: usize,
    /// Tokens read so far.
    pub tokens: u64,
    /// The loss of the last step's texts, nats per token.
    pub loss: f64,
    /// An estimate of what is left.
    pub seconds_left: f64,
}

/// What came of a training.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TuneReport {
    /// Whether the adapter was good enough, and was written.
    pub kept: bool,
    /// What its change was multiplied with to spare general text: 1 if that was not needed.
    pub strength: f32,
    /// Held-out texts before and after.
    pub held_out: [Loss; 2],
    /// General text before and after.
    pub general: [Loss; 2],
    /// Steps done.
    pub steps: usize,
    /// Tokens read.
    pub tokens: u64,
    /// How long it took, judging not counted.
    pub seconds: f64,
}

impl TuneReport {
    /// By how many nats a token held-out texts became likelier.
    pub fn gain(&self) -> f64 {
        self.held_out[0].mean() - self.held_out[1].mean()
    }

    /// By how many nats a token general text became less likely.
    pub fn general_loss(&self) -> f64 {
        self.general[1].mean() - self.general[0].mean()
    }
}

/// Trains an adapter, and writes it to `target` if it is good enough: if held-out texts became likelier by the margin and general text
/// did not become less likely by more than the other. Where the calibration text would, the adapter is weakened first. Else nothing is written, and
/// what was there stays.
///
/// Where [`TuneOptions::checkpoint`] is there from a training with the same texts, options and model that was cancelled or killed, it goes
/// on from there. It is removed in the end.
///
/// # Errors
/// [`TrainingError`]'s.
pub fn tune(
    model: &Model,
    texts: &TuneTexts,
    options: &TuneOptions,
    target: &Path,
    cancel: &CancelToken,
    on_progress: impl FnMut(TuneProgress),
) -> Result<TuneReport, TrainingError> {
    options.check(texts)?;
    let mut training = Training::new(model, texts, options, cancel)?;
    training.run(cancel, on_progress)?;
    let report = training.judge(cancel)?;
    if report.kept {
        let Trainer { lora, .. } = &training.trainer;
        write_adapter(target, model.config().architecture.name, lora.alpha, &training.trainer.tensors())?;
    }
    if let Some(path) = options.checkpoint.as_ref().filter(|path| path.exists())
        && let Err(error) = fs::remove_file(path)
    {
        log::warn!("the checkpoint of a training that has ended cannot be removed: {error}");
    }
    Ok(report)
}

impl TuneOptions {
    fn check(&self, texts: &TuneTexts) -> Result<(), TrainingError> {
        if texts.train.is_empty() || texts.held_out.is_empty() {
            return Err(TrainingError::invalid_input("texts to learn from and texts that are held out are needed"));
        }
        if !texts.train.iter().chain(&texts.held_out).all(|example| example.learnt() > 0) {
            return Err(TrainingError::invalid_input("a text is empty: leave it out"));
        }
        let positive = |number: f32| number.is_finite() && number > 0.0;
        match () {
            () if !(1..=256).contains(&self.rank) => Err(TrainingError::invalid_input("the rank must be 1 to 256")),
            () if self.epochs == 0 || self.batch_tokens == 0 => {
                Err(TrainingError::invalid_input("epochs and the tokens of a step must be at least 1"))
            }
            () if !positive(self.learning_rate) => {
                Err(TrainingError::invalid_input("the learning rate must be finite and above 0"))
            }
            () => Ok(()),
        }
    }

    /// Of all that decides what a training computes.
    fn fingerprint(&self, model: &Model, texts: &TuneTexts) -> u64 {
        let mut hasher = crc32fast::Hasher::new();
        let TuneTexts { train, held_out, calibration, general } = texts;
        let examples = [train, held_out, calibration, general].into_iter().flatten();
        for example in examples {
            hasher.update(&(example.tokens.len() as u64).to_le_bytes());
            hasher.update(&(example.learn_from as u64).to_le_bytes());
            example.tokens.iter().for_each(|token| hasher.update(&token.to_le_bytes()));
        }
        let texts = u64::from(hasher.finalize());
        let Self { rank, epochs, learning_rate, batch_tokens, seed, .. } = self;
        let others = format!("{rank} {epochs} {learning_rate} {batch_tokens} {seed} {:?}", model.config());
        texts << 32 | u64::from(crc32fast::hash(others.as_bytes()))
    }
}

/// What the model makes of texts before it is trained.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Judged {
    pub(crate) held_out: Loss,
    pub(crate) calibration: Loss,
    pub(crate) general: Loss,
}

/// A training that is under way.
struct Training<'a> {
    trainer: Trainer,
    texts: &'a TuneTexts,
    options: &'a TuneOptions,
    plan: Plan,
    fingerprint: u64,
    /// Steps done, and all: fewer than planned when there is no time for more.
    step: usize,
    steps: usize,
    tokens: u64,
    seconds: f64,
    before: Judged,
}

impl<'a> Training<'a> {
    /// From the beginning, or from a checkpoint.
    fn new(
        model: &Model,
        texts: &'a TuneTexts,
        options: &'a TuneOptions,
        cancel: &CancelToken,
    ) -> Result<Self, TrainingError> {
        let mut trainer = Trainer::new(model, options.rank, ALPHA_PER_RANK * options.rank as f32, options.seed)?;
        let plan = Plan::new(&texts.train, options.epochs, options.batch_tokens, options.seed);
        let fingerprint = options.fingerprint(model, texts);
        let from = match &options.checkpoint {
            Some(path) => Checkpoint::read(path, fingerprint, trainer.numbers.len())?,
            None => None,
        };
        let steps = plan.0.len();
        Ok(match from {
            Some(from) => {
                (trainer.numbers, trainer.optimizer) = (from.numbers, from.optimizer);
                let (step, steps) = (from.step as usize, from.steps as usize);
                let (tokens, seconds, before) = (from.tokens, from.seconds, from.before);
                Self { trainer, texts, options, plan, fingerprint, step, steps, tokens, seconds, before }
            }
            None => {
                let mut of = |texts| judge(&mut trainer, texts, cancel);
                let before = Judged {
                    held_out: of(&texts.held_out)?,
                    calibration: of(&texts.calibration)?,
                    general: of(&texts.general)?,
                };
                let (step, tokens, seconds) = (0, 0, 0.0);
                Self { trainer, texts, options, plan, fingerprint, step, steps, tokens, seconds, before }
            }
        })
    }

    fn run(&mut self, cancel: &CancelToken, mut on_progress: impl FnMut(TuneProgress)) -> Result<(), TrainingError> {
        let mut written = Instant::now();
        while self.step < self.steps && !self.is_out_of_time() {
            let started = Instant::now();
            let loss = self.do_step(cancel)?;
            self.seconds += started.elapsed().as_secs_f64();
            if self.step == MEASURED_STEPS {
                self.limit_steps();
            }
            log::debug!("step {} of {}: {} tokens, {loss:.4} nats", self.step, self.steps, self.tokens);
            on_progress(TuneProgress {
                step: self.step,
                steps: self.steps,
                tokens: self.tokens,
                loss,
                seconds_left: self.seconds / self.step as f64 * (self.steps - self.step) as f64,
            });
            if let Some(path) =
                self.options.checkpoint.as_ref().filter(|_| written.elapsed() >= self.options.checkpoint_every)
            {
                self.checkpoint().write(path)?;
                written = Instant::now();
            }
        }
        Ok(())
    }

    /// Returns the mean loss of the step's texts.
    fn do_step(&mut self, cancel: &CancelToken) -> Result<f64, TrainingError> {
        let examples: Vec<&Example> = self.plan.0[self.step].iter().map(|&place| &self.texts.train[place]).collect();
        let loss = self.trainer.compute_gradients(&examples, cancel)?.mean();
        if !loss.is_finite() {
            return Err(TrainingError::Diverged { step: self.step });
        }
        self.trainer.step(self.options.learning_rate * rate(self.step, self.steps));
        self.step += 1;
        self.tokens += examples.iter().map(|example| example.tokens.len() as u64).sum::<u64>();
        Ok(loss)
    }

    fn seconds_allowed(&self) -> Option<f64> {
        self.options.time.map(|time| time.as_secs_f64() * (1.0 - SHARE_FOR_JUDGING))
    }

    fn is_out_of_time(&self) -> bool {
        self.seconds_allowed().is_some_and(|allowed| self.seconds >= allowed)
    }

    /// As many steps as there is time for, if they all take as long as the first. The learning rate falls to zero by then.
    fn limit_steps(&mut self) {
        if let Some(allowed) = self.seconds_allowed() {
            let possible = (allowed / self.seconds * self.step as f64) as usize;
            self.steps = self.steps.min(possible).max(self.step);
        }
    }

    fn checkpoint(&self) -> Checkpoint {
        Checkpoint {
            fingerprint: self.fingerprint,
            step: self.step as u64,
            steps: self.steps as u64,
            seconds: self.seconds,
            tokens: self.tokens,
            before: self.before,
            numbers: self.trainer.numbers.clone(),
            optimizer: self.trainer.optimizer.clone(),
        }
    }

    /// Judges the adapter as it would be written, at the strength that is best for it.
    fn judge(&mut self, cancel: &CancelToken) -> Result<TuneReport, TrainingError> {
        let strength = self.calibrate(cancel)?;
        let Self { trainer, texts, options, before, .. } = self;
        let mut report = TuneReport {
            kept: false,
            strength,
            held_out: [before.held_out, judge(trainer, &texts.held_out, cancel)?],
            general: [before.general, judge(trainer, &texts.general, cancel)?],
            steps: self.step,
            tokens: self.tokens,
            seconds: self.seconds,
        };
        report.kept = report.gain() >= options.margin && report.general_loss() <= options.general_margin;
        Ok(report)
    }

    /// Weakens the adapter to the greatest strength at which the calibration text is spared, or to the weakest, and rounds it as it is written.
    fn calibrate(&mut self, cancel: &CancelToken) -> Result<f32, TrainingError> {
        let Self { trainer, texts, options, before, .. } = self;
        let trained = trainer.numbers.clone();
        let mut tenths = 10;
        loop {
            let strength = tenths as f32 / 10.0;
            trainer.numbers.copy_from_slice(&trained);
            trainer.lora.scale_by(&mut trainer.numbers, strength);
            trainer.numbers.iter_mut().for_each(|number| *number = f16::from_f32(*number).to_f32());
            let loss = judge(trainer, &texts.calibration, cancel)?.mean() - before.calibration.mean();
            log::debug!("at {strength} of its strength, calibration text loses {loss:.4} nats");
            if loss <= SHARE_OF_MARGIN * options.general_margin || tenths == WEAKEST {
                return Ok(strength);
            }
            tenths -= 1;
        }
    }
}

/// How well the model with the adapter predicts texts.
fn judge(trainer: &mut Trainer, examples: &[Example], cancel: &CancelToken) -> Result<Loss, TrainingError> {
    let mut loss = Loss::default();
    for step in Plan::new(examples, usize::from(!examples.is_empty()), JUDGED_TOKENS, 0).0 {
        let examples: Vec<&Example> = step.into_iter().map(|place| &examples[place]).collect();
        loss += trainer.loss(&examples, cancel)?;
    }
    Ok(loss)
}
