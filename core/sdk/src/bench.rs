//! How fast a model is here: prefill at several lengths, decode at several depths.

use std::time::Instant;

use serde::Serialize;
use sotto_engine::{CancelToken, LogitRows};

use crate::Error;
use crate::job::Job;
use crate::metrics::rate;
use crate::model::LocalModel;
use crate::process_memory::{ProcessMemory, process_memory};
use crate::sequence::Sequence;

/// What to measure.
#[derive(Debug, Clone)]
pub struct BenchOptions {
    /// Prompt lengths, in tokens.
    pub prefill: Vec<usize>,
    /// Tokens to decode; none is no measurement of decoding.
    pub decode: usize,
    /// Tokens that are in the context before prefill or decoding starts: each is measured at each of them.
    pub depths: Vec<usize>,
    /// How often each is measured; the median counts.
    pub repetitions: usize,
}

/// Speed of one prefill length at one depth.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct PrefillSpeed {
    /// Prompt length.
    pub tokens: usize,
    /// Median of the repetitions.
    pub tokens_per_second: f64,
    /// Tokens in the context before.
    pub depth: usize,
}

/// Speed of decoding at one depth.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct DecodeSpeed {
    /// Tokens decoded.
    pub tokens: usize,
    /// Median of the repetitions.
    pub tokens_per_second: f64,
    /// Tokens in the context before.
    pub depth: usize,
}

/// Memory of the process and of the model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct BenchMemory {
    /// Private memory of KV cache and scratch at the longest context measured.
    pub private_bytes: u64,
    /// The model file, as far as it stays mapped.
    pub mapped_bytes: u64,
    /// The most memory that the process had resident, mapped pages included, where the system says so.
    pub peak_rss_bytes: Option<u64>,
    /// What of it is resident and private now.
    pub private_rss_bytes: Option<u64>,
}

/// What was measured.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct BenchReport {
    /// One for each prompt length.
    pub prefill: Vec<PrefillSpeed>,
    /// One for each depth.
    pub decode: Vec<DecodeSpeed>,
    /// At the end.
    pub memory: BenchMemory,
    /// The arithmetic in use.
    pub kernels: String,
    /// Threads that work.
    pub threads: usize,
}

impl LocalModel {
    /// Measures speed and memory, reporting each step's name as it begins.
    ///
    /// # Errors
    /// [`Error::ContextFull`] when the model's context is too short for what is asked, [`Error::InvalidInput`] when
    /// there is nothing to measure.
    pub fn bench(&self, options: &BenchOptions) -> Job<String, BenchReport> {
        let (model, options) = (self.clone(), options.clone());
        Job::start("bench", move |reporter, cancel| model.measure(&options, cancel, |step| reporter.report(step)))
    }

    fn measure(
        &self,
        options: &BenchOptions,
        cancel: &CancelToken,
        on_step: impl Fn(String),
    ) -> Result<BenchReport, Error> {
        let loaded = self.loaded();
        let config = loaded.engine.config();
        let longest = options.prefill.iter().copied().chain([options.decode]).max().unwrap_or(0);
        let context = options.depths.iter().copied().max().unwrap_or(0) + longest;
        if options.repetitions == 0 || longest == 0 || options.prefill.contains(&0) || options.depths.is_empty() {
            return Err(Error::invalid_input("a measurement needs a depth, and at least one repetition and one token"));
        }
        if context > config.context_length {
            return Err(Error::ContextFull { limit: config.context_length, needed: context });
        }
        let tokens = some_tokens(context, config.vocab_size);
        let mut sequence = Sequence::new(loaded.decoder(context)?);
        let mut prefill = Vec::new();
        let mut decode = Vec::new();
        for &depth in &options.depths {
            on_step(format!("{depth} tokens before"));
            sequence.truncate(0);
            if depth > 0 {
                sequence.append(&tokens[..depth], LogitRows::Last, cancel)?;
            }
            let mut speed = |step: String, pieces: &[&[u32]]| {
                on_step(step);
                let count = pieces.iter().map(|piece| piece.len()).sum();
                let seconds = median(options.repetitions, || {
                    sequence.truncate(depth);
                    timed(|| {
                        pieces.iter().try_for_each(|piece| sequence.append(piece, LogitRows::Last, cancel).map(drop))
                    })
                })?;
                Ok::<_, Error>((count, rate(count, seconds)))
            };
            for &length in &options.prefill {
                let prompt = &tokens[depth..depth + length];
                let (tokens, tokens_per_second) = speed(format!("prefill {length} at depth {depth}"), &[prompt])?;
                prefill.push(PrefillSpeed { tokens, tokens_per_second, depth });
            }
            if options.decode > 0 {
                let singly: Vec<_> = tokens[depth..depth + options.decode].chunks(1).collect();
                let step = format!("decode {} at depth {depth}", options.decode);
                let (tokens, tokens_per_second) = speed(step, &singly)?;
                decode.push(DecodeSpeed { tokens, tokens_per_second, depth });
            }
        }
        let ProcessMemory { peak_rss_bytes, private_rss_bytes } = process_memory();
        Ok(BenchReport {
            prefill,
            decode,
            memory: BenchMemory {
                private_bytes: sequence.private_bytes(),
                mapped_bytes: loaded.engine.mapped_bytes(),
                peak_rss_bytes,
                private_rss_bytes,
            },
            kernels: loaded.engine.kernels().to_owned(),
            threads: loaded.engine.threads(),
        })
    }
}

/// Different tokens, spread over the vocabulary: their embedding rows are read from all over the file.
fn some_tokens(count: usize, vocab_size: usize) -> Vec<u32> {
    (0..count).map(|index| (index * 7919 % vocab_size) as u32).collect()
}

fn timed<T>(work: impl FnOnce() -> Result<T, Error>) -> Result<f64, Error> {
    let start = Instant::now();
    work()?;
    Ok(start.elapsed().as_secs_f64())
}

fn median(repetitions: usize, mut measure: impl FnMut() -> Result<f64, Error>) -> Result<f64, Error> {
    let mut seconds = (0..repetitions).map(|_| measure()).collect::<Result<Vec<_>, _>>()?;
    seconds.sort_by(f64::total_cmp);
    let middle = seconds.len() / 2;
    Ok(if seconds.len() % 2 == 1 { seconds[middle] } else { (seconds[middle - 1] + seconds[middle]) / 2.0 })
}
