//! Choosing a token from a row of logits.

use rand::rngs::Xoshiro256PlusPlus;
use rand::{RngExt, SeedableRng};

use crate::{TextError, TokenMask};

/// How to choose tokens. The default is greedy: the best token each time.
#[derive(Debug, Clone, PartialEq)]
pub struct SamplingOptions {
    /// Divides the logits; 0 is greedy.
    pub temperature: f32,
    /// Only the so many best tokens; at least 1.
    pub top_k: Option<usize>,
    /// Only the fewest best tokens whose probabilities reach this sum; in (0, 1].
    pub top_p: Option<f32>,
    /// Only tokens at least this times as likely as the best; in [0, 1].
    pub min_p: Option<f32>,
    /// Makes recent tokens less probable; 1 changes nothing.
    pub repetition_penalty: f32,
    /// How many of the last tokens count as recent.
    pub repetition_window: usize,
    /// The same seed, options and logits give the same tokens.
    pub seed: u64,
}

impl Default for SamplingOptions {
    fn default() -> Self {
        Self {
            temperature: 0.0,
            top_k: None,
            top_p: None,
            min_p: None,
            repetition_penalty: 1.0,
            repetition_window: 64,
            seed: 0,
        }
    }
}

impl SamplingOptions {
    fn validate(&self) -> Result<(), TextError> {
        let check = |ok: bool, name, why: &str| match ok {
            true => Ok(()),
            false => Err(TextError::InvalidSampling { name, why: why.to_owned() }),
        };
        let within = |value: Option<f32>, low: f32| value.is_none_or(|value| value >= low && value <= 1.0);
        check(
            self.temperature.is_finite() && self.temperature >= 0.0,
            "temperature",
            "it must be a finite number, 0 or above",
        )?;
        check(self.top_k != Some(0), "top_k", "it must be at least 1")?;
        check(within(self.top_p, f32::MIN_POSITIVE), "top_p", "it must be above 0 and at most 1")?;
        check(within(self.min_p, 0.0), "min_p", "it must be between 0 and 1")?;
        let penalty = self.repetition_penalty;
        check(penalty.is_finite() && penalty > 0.0, "repetition_penalty", "it must be a finite number above 0")
    }
}

/// Logits of a whole vocabulary, or of some of its tokens.
#[derive(Debug, Clone, Copy)]
pub enum Logits<'a> {
    /// One for each token.
    All(&'a [f32]),
    /// For each of these tokens, one.
    Of(&'a [u32], &'a [f32]),
}

impl Logits<'_> {
    /// Calls `action` with each token and its logit.
    pub fn for_each(self, mut action: impl FnMut(u32, f32)) {
        match self {
            Self::All(logits) => (0..).zip(logits).for_each(|(id, &logit)| action(id, logit)),
            Self::Of(ids, logits) => ids.iter().zip(logits).for_each(|(&id, &logit)| action(id, logit)),
        }
    }
}

/// Chooses tokens, one after the other.
pub struct Sampler {
    options: SamplingOptions,
    // A named generator, not the standard one: a seed has to mean the same in every version.
    random: Xoshiro256PlusPlus,
    candidates: Vec<Candidate>,
}

#[derive(Debug, Clone, Copy)]
struct Candidate {
    id: u32,
    logit: f32,
    weight: f32,
}

impl Sampler {
    /// Checks the options and seeds the generator.
    ///
    /// # Errors
    /// [`TextError::InvalidSampling`] for a setting that is out of range, with its name.
    pub fn new(options: SamplingOptions) -> Result<Self, TextError> {
        options.validate()?;
        let random = Xoshiro256PlusPlus::seed_from_u64(options.seed);
        Ok(Self { options, random, candidates: Vec::new() })
    }

    /// The next token: repetition penalty, temperature, top-k, top-p, min-p, then a draw. NaN counts as impossible; when
    /// no token is possible under the mask, that is an error.
    ///
    /// # Errors
    /// [`TextError::NoCandidate`] where every logit is NaN, minus infinity, or masked out.
    pub fn sample(&mut self, logits: Logits<'_>, history: &[u32], mask: Option<&TokenMask>) -> Result<u32, TextError> {
        self.collect_candidates(logits, &self.recent(history), mask);
        let best = self.candidates.iter().copied().reduce(better).ok_or(TextError::NoCandidate)?;
        if self.options.temperature == 0.0 {
            return Ok(best.id);
        }
        self.weigh(best.logit);
        self.keep_top_k();
        self.keep_top_p();
        self.keep_min_p(best.logit);
        Ok(self.draw().unwrap_or(best).id)
    }

    /// The tokens to be penalized, in order.
    fn recent(&self, history: &[u32]) -> Vec<u32> {
        if self.options.repetition_penalty == 1.0 {
            return Vec::new();
        }
        let mut recent = history[history.len().saturating_sub(self.options.repetition_window)..].to_vec();
        recent.sort_unstable();
        recent.dedup();
        recent
    }

    fn collect_candidates(&mut self, logits: Logits<'_>, recent: &[u32], mask: Option<&TokenMask>) {
        let penalty = self.options.repetition_penalty;
        self.candidates.clear();
        logits.for_each(|id, logit| {
            if mask.is_some_and(|mask| !mask.allows(id)) {
                return;
            }
            let logit = match recent.binary_search(&id) {
                Ok(_) if logit > 0.0 => logit / penalty,
                Ok(_) => logit * penalty,
                Err(_) => logit,
            };
            if logit > f32::NEG_INFINITY {
                // An infinite logit would make every weight NaN.
                self.candidates.push(Candidate { id, logit: logit.min(f32::MAX), weight: 0.0 });
            }
        });
    }

    /// Weights relative to the best token, whose weight is 1.
    fn weigh(&mut self, best: f32) {
        let temperature = self.options.temperature;
        for candidate in &mut self.candidates {
            candidate.weight = ((candidate.logit - best) / temperature).exp();
        }
    }

    fn keep_top_k(&mut self) {
        let Some(k) = self.options.top_k.filter(|&k| k < self.candidates.len()) else { return };
        self.candidates.select_nth_unstable_by(k, best_first);
        self.candidates.truncate(k);
    }

    fn keep_top_p(&mut self) {
        let Some(top_p) = self.options.top_p.filter(|&top_p| top_p < 1.0) else { return };
        self.candidates.sort_unstable_by(best_first);
        let limit = f64::from(top_p) * self.total_weight();
        let mut sum = 0.0;
        let reached = self.candidates.iter().position(|candidate| {
            sum += f64::from(candidate.weight);
            sum >= limit
        });
        self.candidates.truncate(reached.map_or(usize::MAX, |last| last + 1));
    }

    fn keep_min_p(&mut self, best: f32) {
        let Some(min_p) = self.options.min_p else { return };
        self.candidates.retain(|candidate| candidate.weight >= min_p || candidate.logit == best);
    }

    fn draw(&mut self) -> Option<Candidate> {
        let mut left = self.random.random::<f64>() * self.total_weight();
        let drawn = self.candidates.iter().find(|candidate| {
            left -= f64::from(candidate.weight);
            left < 0.0
        });
        drawn.copied()
    }

    fn total_weight(&self) -> f64 {
        self.candidates.iter().map(|candidate| f64::from(candidate.weight)).sum()
    }
}

/// The better of two candidates; of equals, the lower id, so that greedy text does not depend on anything else.
fn better(left: Candidate, right: Candidate) -> Candidate {
    if best_first(&left, &right).is_le() { left } else { right }
}

fn best_first(left: &Candidate, right: &Candidate) -> std::cmp::Ordering {
    right.logit.total_cmp(&left.logit).then(left.id.cmp(&right.id))
}
