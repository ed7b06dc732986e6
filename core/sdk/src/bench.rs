//! Measures the speed of a model on this machine: prefill at several lengths, decoding at several depths.

use std::time::Instant;

use serde::Serialize;
use sotto_engine::{Append, Batch, CancelToken, LogitRows, ProcessMemory, process_memory};

use crate::Error;
use crate::job::Job;
use crate::metrics::rate;
use crate::model::LocalModel;

/// What to measure.
#[derive(Debug, Clone)]
pub struct BenchOptions {
    /// Prompt lengths, in tokens.
    pub prefill: Vec<usize>,
    /// Tokens to decode; 0 skips the measurement.
    pub decode: usize,
    /// Tokens already in the context. Everything is measured at each of these depths.
    pub depths: Vec<usize>,
    /// Batch sizes, up to 128 sequences that decode `decode` tokens each.
    pub sequences: Vec<usize>,
    /// How often each measurement is repeated; the median is reported.
    pub repetitions: usize,
}

/// Speed of one prefill length at one depth.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct PrefillSpeed {
    /// Prompt length.
    pub tokens: usize,
    /// Median of the repetitions.
    pub tokens_per_second: f64,
    /// Tokens already in the context.
    pub depth: usize,
    /// From the start of the prompt to the first token of an answer.
    pub first_token_seconds: f64,
    /// Share of the int8 ceiling that the layers' matrix products reach.
    pub share_of_ceiling: Option<f64>,
}

/// Speed of decoding at one depth.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct DecodeSpeed {
    /// Tokens decoded.
    pub tokens: usize,
    /// Median of the repetitions.
    pub tokens_per_second: f64,
    /// Tokens already in the context.
    pub depth: usize,
    /// Share of the memory bandwidth, judged by the weights read.
    pub share_of_ceiling: Option<f64>,
}

/// Speed of several sequences that decode together.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct BatchSpeed {
    /// Their number.
    pub sequences: usize,
    /// All sequences together. Median of the repetitions.
    pub tokens_per_second: f64,
}

/// The machine's limits, measured in this run with the same threads.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct BenchCeilings {
    /// Multiply-accumulates of 8-bit integers in registers.
    pub int8_multiply_accumulates_per_second: f64,
    /// Bytes of weights read sequentially, without computing anything.
    pub bytes_per_second: f64,
}

/// Memory of the process and of the model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct BenchMemory {
    /// Private memory of KV cache and scratch at the longest context measured.
    pub private_bytes: u64,
    /// The part of the model file that stays mapped.
    pub mapped_bytes: u64,
    /// The peak resident memory of the process, including mapped pages, if the system reports it.
    pub peak_rss_bytes: Option<u64>,
    /// The private resident memory now.
    pub private_rss_bytes: Option<u64>,
}

/// The results.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct BenchReport {
    /// One for each prompt length.
    pub prefill: Vec<PrefillSpeed>,
    /// One for each depth.
    pub decode: Vec<DecodeSpeed>,
    /// One for each number of sequences.
    pub batches: Vec<BatchSpeed>,
    /// The machine's limits that the shares refer to; `None` for candle's models.
    pub ceilings: Option<BenchCeilings>,
    /// Memory use at the end.
    pub memory: BenchMemory,
    /// The instruction set in use.
    pub kernels: String,
    /// Number of threads.
    pub threads: usize,
}

impl LocalModel {
    /// Measures speed and memory, and reports the name of each step when it begins.
    ///
    /// # Errors
    /// [`Error::ContextFull`] when the model's context is too short for the measurements, [`Error::InvalidInput`] when
    /// there is nothing to measure, or a batch size is not supported.
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
        let context = options.depths.iter().copied().max().unwrap_or(0).saturating_add(longest);
        if options.repetitions == 0 || longest == 0 || options.prefill.contains(&0) || options.depths.is_empty() {
            return Err(Error::invalid_input("a measurement needs a depth, and at least one repetition and one token"));
        }
        if let Some(sequences) = options.sequences.iter().find(|count| !(1..=Batch::MAX_SEQUENCES).contains(*count)) {
            let most = Batch::MAX_SEQUENCES;
            return Err(Error::invalid_input(format!("{sequences} sequences cannot decode together: 1 to {most} can")));
        }
        if context > config.context_length {
            return Err(Error::ContextFull { limit: config.context_length, needed: context });
        }
        on_step("the machine's ceilings".into());
        let ceilings = loaded.engine.ceilings(cancel)?;
        let cost = loaded.engine.token_cost();
        let share_of_products = |tokens_per_second: f64| {
            Some(tokens_per_second * cost?.multiply_accumulates as f64 / ceilings?.multiply_accumulates_per_second)
        };
        let share_of_bandwidth =
            |tokens_per_second: f64| Some(tokens_per_second * cost?.bytes as f64 / ceilings?.bytes_per_second);
        let tokens = some_tokens(context, config.vocab_size);
        let mut sequence = loaded.sequence(context)?;
        let mut prefill = Vec::new();
        let mut decode = Vec::new();
        for &depth in &options.depths {
            on_step(format!("filling the context with {depth} tokens"));
            sequence.truncate(0);
            if depth > 0 {
                sequence.append(&tokens[..depth], LogitRows::Last, cancel)?;
            }
            let mut speed = |step: String, pieces: &[&[u32]]| {
                on_step(step);
                let count = pieces.iter().map(|piece| piece.len()).sum();
                let seconds = median_seconds(options.repetitions, || {
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
                prefill.push(PrefillSpeed {
                    tokens,
                    tokens_per_second,
                    depth,
                    first_token_seconds: tokens as f64 / tokens_per_second,
                    share_of_ceiling: share_of_products(tokens_per_second),
                });
            }
            if options.decode > 0 {
                let singly: Vec<_> = tokens[depth..depth + options.decode].chunks(1).collect();
                let step = format!("decode {} at depth {depth}", options.decode);
                let (tokens, tokens_per_second) = speed(step, &singly)?;
                let share_of_ceiling = share_of_bandwidth(tokens_per_second);
                decode.push(DecodeSpeed { tokens, tokens_per_second, depth, share_of_ceiling });
            }
        }
        let mut batches = Vec::new();
        for &sequences in options.sequences.iter().filter(|_| options.decode > 0) {
            on_step(format!("{sequences} together"));
            let seconds = median_seconds(options.repetitions, || {
                let mut batch = loaded.batch(sequences, options.decode)?;
                timed(|| {
                    for tokens in tokens[..options.decode].chunks(1) {
                        let append = |sequence| Append { sequence, tokens, rows: LogitRows::Last };
                        batch.forward(&(0..sequences).map(append).collect::<Vec<_>>(), None, cancel)?;
                    }
                    Ok(())
                })
            })?;
            let tokens_per_second = rate(sequences * options.decode, seconds);
            batches.push(BatchSpeed { sequences, tokens_per_second });
        }
        let ProcessMemory { peak_rss_bytes, private_rss_bytes } = process_memory();
        Ok(BenchReport {
            prefill,
            decode,
            batches,
            ceilings: ceilings.map(|ceilings| BenchCeilings {
                int8_multiply_accumulates_per_second: ceilings.multiply_accumulates_per_second,
                bytes_per_second: ceilings.bytes_per_second,
            }),
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

/// Different tokens from all parts of the vocabulary, so that embedding rows are read from all over the file.
fn some_tokens(count: usize, vocab_size: usize) -> Vec<u32> {
    (0..count).map(|index| (index * 7919 % vocab_size) as u32).collect()
}

fn timed<T>(work: impl FnOnce() -> Result<T, Error>) -> Result<f64, Error> {
    let start = Instant::now();
    work()?;
    Ok(start.elapsed().as_secs_f64())
}

fn median_seconds(repetitions: usize, mut measure: impl FnMut() -> Result<f64, Error>) -> Result<f64, Error> {
    Ok(median((0..repetitions).map(|_| measure()).collect::<Result<_, _>>()?))
}

/// The median of some numbers: the middle one, or the mean of the two in the middle.
///
/// # Panics
/// When there are none.
pub fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    let middle = figures.len() / 2;
    if figures.len() % 2 == 1 { figures[middle] } else { (figures[middle - 1] + figures[middle]) / 2.0 }
}

impl BenchReport {
    /// Combines several runs of the same measurements: the median of each number, and the memory of the last run.
    ///
    /// # Panics
    /// When there are none, or their measurements differ.
    pub fn median(runs: &[Self]) -> Self {
        let mut report = runs.last().expect("at least one run").clone();
        let of = |figure: &dyn Fn(&Self) -> Option<f64>| {
            let figures: Vec<f64> = runs.iter().filter_map(figure).collect();
            (!figures.is_empty()).then(|| median(figures))
        };
        for (index, speed) in report.prefill.iter_mut().enumerate() {
            speed.tokens_per_second = of(&|run| Some(run.prefill[index].tokens_per_second)).unwrap_or_default();
            speed.first_token_seconds = of(&|run| Some(run.prefill[index].first_token_seconds)).unwrap_or_default();
            speed.share_of_ceiling = of(&|run| run.prefill[index].share_of_ceiling);
        }
        for (index, speed) in report.decode.iter_mut().enumerate() {
            speed.tokens_per_second = of(&|run| Some(run.decode[index].tokens_per_second)).unwrap_or_default();
            speed.share_of_ceiling = of(&|run| run.decode[index].share_of_ceiling);
        }
        for (index, speed) in report.batches.iter_mut().enumerate() {
            speed.tokens_per_second = of(&|run| Some(run.batches[index].tokens_per_second)).unwrap_or_default();
        }
        report.ceilings = report.ceilings.map(|_| BenchCeilings {
            int8_multiply_accumulates_per_second: of(&|run| Some(run.ceilings?.int8_multiply_accumulates_per_second))
                .unwrap_or_default(),
            bytes_per_second: of(&|run| Some(run.ceilings?.bytes_per_second)).unwrap_or_default(),
        });
        report
    }
}
