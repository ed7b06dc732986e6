//! Requests of several threads share passes: each gets what it gets alone, whatever the others do.

mod common;

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use candle_core::quantized::GgmlDType;
use common::adapters::{TestAdapter, targets};
use common::{TestModel, random_tokens};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use sotto_engine::{Adapter, CancelToken, Decoder, DecoderOptions, EngineError, KvType, LogitRows, Model, Priority};

/// A pass that a request asks for.
struct Step {
    tokens: Vec<u32>,
    rows: LogitRows,
    ids: Option<Vec<u32>>,
    /// Another thread cancels it after so long, and it is asked for again.
    cancelled_after: Option<Duration>,
}

struct Request {
    adapters: Vec<(Adapter, f32)>,
    options: DecoderOptions,
    steps: Vec<Step>,
    expected: Vec<Vec<f32>>,
}

impl Request {
    fn random(random: &mut StdRng, model: &Model, adapters: &[(Adapter, f32)]) -> Self {
        let vocab_size = model.config().vocab_size as u32;
        let tokens = |random: &mut StdRng, count| (0..count).map(|_| random.random_range(0..vocab_size)).collect();
        let steps = (0..random.random_range(2..8)).map(|step| {
            let count = if step == 0 { random.random_range(1..300) } else { random.random_range(1..6) };
            Step {
                tokens: tokens(random, count),
                rows: [LogitRows::Last, LogitRows::Tail(3), LogitRows::All][random.random_range(0..3)],
                ids: random.random_bool(0.4).then(|| tokens(random, 7)),
                cancelled_after: random.random_bool(0.2).then(|| Duration::from_micros(random.random_range(0..3000))),
            }
        });
        let steps: Vec<Step> = steps.collect();
        let kv_type = [KvType::F16, KvType::Q8_0, KvType::F32][random.random_range(0..3)];
        let priority = [Priority::Background, Priority::Foreground][random.random_range(0..2)];
        let options = DecoderOptions { context_length: Some(400), kv_type, priority };
        let adapters = if random.random_bool(0.3) { adapters.to_vec() } else { Vec::new() };
        Self { adapters, options, steps, expected: Vec::new() }
    }

    fn decoder(&self, model: &Model) -> Box<dyn Decoder> {
        let mut decoder = model.decoder(self.options).expect("a decoder");
        decoder.set_adapters(&self.adapters).expect("an adapter of this model");
        decoder
    }

    /// The logits of each step, without anyone else and without being cancelled.
    fn alone(&self, model: &Model) -> Vec<Vec<f32>> {
        let mut decoder = self.decoder(model);
        let read = |step: &Step| step.read(&mut *decoder, &CancelToken::new()).expect("logits");
        self.steps.iter().map(read).collect()
    }

    /// Asks for each step, and for what was cancelled again.
    fn check(&self, model: &Model, seed: u64) {
        let mut decoder = self.decoder(model);
        for (index, (step, expected)) in self.steps.iter().zip(&self.expected).enumerate() {
            let before = decoder.position();
            let mut outcome = step.read_and_cancel(&mut *decoder);
            while let Err(EngineError::Cancelled) = outcome {
                let read = decoder.position() - before;
                assert!(read <= step.tokens.len(), "seed {seed}, step {index}");
                decoder.truncate(before);
                outcome = step.read(&mut *decoder, &CancelToken::new());
            }
            assert_eq!(&outcome.expect("logits"), expected, "seed {seed}, step {index}");
        }
    }
}

impl Step {
    fn read(&self, decoder: &mut dyn Decoder, cancel: &CancelToken) -> Result<Vec<f32>, EngineError> {
        match &self.ids {
            Some(ids) => decoder.forward_for(&self.tokens, self.rows, ids, cancel),
            None => decoder.forward(&self.tokens, self.rows, cancel),
        }
        .map(<[f32]>::to_vec)
    }

    fn read_and_cancel(&self, decoder: &mut dyn Decoder) -> Result<Vec<f32>, EngineError> {
        let cancel = CancelToken::new();
        let Some(after) = self.cancelled_after else { return self.read(decoder, &cancel) };
        thread::scope(|scope| {
            scope.spawn(|| {
                thread::sleep(after);
                cancel.cancel();
            });
            self.read(decoder, &cancel)
        })
    }
}

fn model() -> (TestModel, Model) {
    let mut model = TestModel::new(4, 2, 64);
    (model.dtype, model.context_length) = (GgmlDType::Q4_0, 4096);
    let model = model.with_random_weights();
    let loaded = model.load();
    (model, loaded)
}

/// So many seconds, or 200 requests: `SOTTO_SCHEDULER_SECONDS` sets the time for a longer run.
#[test]
fn hundreds_of_random_requests_get_what_they_get_alone() {
    let (test_model, model) = model();
    let adapter = TestAdapter::new("llama", 4, [GgmlDType::F32; 2], &targets(&test_model));
    let adapters = [(adapter.load(&model).expect("an adapter"), 0.7)];
    let seconds = std::env::var("SOTTO_SCHEDULER_SECONDS").ok().map(|seconds| seconds.parse().expect("a number"));
    let until = Instant::now() + Duration::from_secs(seconds.unwrap_or(0));
    let (mut seed, mut requests) = (rand::random::<u32>().into(), 0);
    while requests < 200 || Instant::now() < until {
        seed += 1;
        println!("seed {seed}");
        let mut random = StdRng::seed_from_u64(seed);
        let count = random.random_range(2..12);
        let mut together: Vec<Request> = (0..count).map(|_| Request::random(&mut random, &model, &adapters)).collect();
        together.iter_mut().for_each(|request| request.expected = request.alone(&model));
        thread::scope(|scope| {
            for request in &together {
                scope.spawn(|| request.check(&model, seed));
            }
        });
        requests += count;
    }
}

/// Someone begins a long prompt and stops, again and again, in passes that others' decode shares.
#[test]
fn cancelling_one_takes_a_moment_and_disturbs_nobody() {
    let (_, model) = model();
    let vocab_size = model.config().vocab_size;
    let options = DecoderOptions { context_length: Some(4000), ..DecoderOptions::default() };
    let decoder = || model.decoder(options).expect("a decoder");
    let (prompt, tokens) = (random_tokens(3500, vocab_size), random_tokens(600, vocab_size));
    let (steps, never) = (|| tokens.chunks(3), CancelToken::new());
    let mut alone = decoder();
    let mut read_alone = |step: &[u32]| alone.forward(step, LogitRows::Last, &never).expect("logits").to_vec();
    let expected: Vec<Vec<f32>> = steps().map(&mut read_alone).collect();
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let others: Vec<_> = (0..3)
            .map(|_| {
                scope.spawn(|| {
                    let mut decoder = decoder();
                    for (step, expected) in steps().zip(&expected) {
                        assert_eq!(decoder.forward(step, LogitRows::Last, &never).expect("logits"), expected);
                    }
                })
            })
            .collect();
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                let cancel = CancelToken::new();
                let cancelled = thread::scope(|scope| {
                    let reader = scope.spawn(|| decoder().forward(&prompt, LogitRows::Last, &cancel).map(<[f32]>::len));
                    thread::sleep(Duration::from_millis(5));
                    cancel.cancel();
                    let cancelled = Instant::now();
                    let outcome = reader.join().expect("no panic");
                    assert!(matches!(outcome, Err(EngineError::Cancelled)), "{outcome:?}");
                    cancelled
                });
                assert!(cancelled.elapsed() < Duration::from_millis(100), "{:?}", cancelled.elapsed());
            }
        });
        let outcomes: Vec<_> = others.into_iter().map(|other| other.join()).collect();
        done.store(true, Ordering::Relaxed);
        assert!(outcomes.iter().all(Result::is_ok));
    });
}

/// Background work waits, because what a person waits for fills each pass. It is cancelled within a moment all the same.
#[test]
fn what_has_to_wait_can_be_cancelled() {
    let (test_model, model) = model();
    let adapter = TestAdapter::new("llama", 4, [GgmlDType::F32; 2], &targets(&test_model)).load(&model);
    let adapters = [(adapter.expect("an adapter"), 0.7)];
    let options = |priority| DecoderOptions { context_length: Some(4000), priority, ..DecoderOptions::default() };
    let prompt = random_tokens(3900, model.config().vocab_size);
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                // Other adapters share no pass.
                let mut decoder = model.decoder(options(Priority::Foreground)).expect("a decoder");
                decoder.set_adapters(&adapters).expect("an adapter of this model");
                while !done.load(Ordering::Relaxed) {
                    decoder.truncate(0);
                    decoder.forward(&prompt, LogitRows::Last, &CancelToken::new()).expect("logits");
                }
            });
        }
        let cancelled = (0..20).map(|_| {
            let cancel = CancelToken::new();
            let reader = scope.spawn({
                let (model, prompt, cancel) = (&model, &prompt, cancel.clone());
                move || {
                    let mut decoder = model.decoder(options(Priority::Background)).expect("a decoder");
                    decoder.forward(prompt, LogitRows::Last, &cancel).map(<[f32]>::len)
                }
            });
            thread::sleep(Duration::from_millis(20));
            cancel.cancel();
            let cancelled = Instant::now();
            (reader.join().expect("no panic"), cancelled.elapsed())
        });
        let cancelled: Vec<_> = cancelled.collect();
        done.store(true, Ordering::Relaxed);
        for (outcome, after) in cancelled {
            assert!(matches!(outcome, Err(EngineError::Cancelled) | Ok(_)), "{outcome:?}");
            assert!(after < Duration::from_millis(100), "{after:?}");
        }
    });
}

/// One token's embedding is not a number.
#[test]
fn a_request_that_fails_fails_alone() {
    let mut test_model = TestModel::new(4, 2, 64);
    let mut embedding = common::random(131 * 256, -0.1..=0.1);
    embedding[7 * 256] = f32::NAN;
    test_model.tensor("token_embd", embedding, &[131, 256], GgmlDType::F32);
    let model = test_model.with_random_weights().load();
    let tokens: Vec<u32> = random_tokens(200, 131).into_iter().filter(|&token| token != 7).collect();
    let steps = || tokens.chunks(3);
    let decoder = || model.decoder(DecoderOptions::default()).expect("a decoder");
    let mut alone = decoder();
    let expected =
        steps().map(|step| alone.forward(step, LogitRows::Last, &CancelToken::new()).expect("logits").to_vec());
    let expected: Vec<Vec<f32>> = expected.collect();
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                let failed = decoder().forward(&[3, 7, 5], LogitRows::Last, &CancelToken::new()).map(<[f32]>::to_vec);
                assert!(matches!(failed, Err(EngineError::Invalid { .. })), "{failed:?}");
            }
        });
        let readers: Vec<_> = (0..3)
            .map(|_| {
                scope.spawn(|| {
                    let mut decoder = decoder();
                    for (step, expected) in steps().zip(&expected) {
                        assert_eq!(
                            decoder.forward(step, LogitRows::Last, &CancelToken::new()).expect("logits"),
                            expected
                        );
                    }
                })
            })
            .collect();
        let outcomes: Vec<_> = readers.into_iter().map(|reader| reader.join()).collect();
        done.store(true, Ordering::Relaxed);
        assert!(outcomes.iter().all(Result::is_ok));
    });
}
