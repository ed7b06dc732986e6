//! Whole trainings of a small random model: what is kept and what is not, and what is left of a killed one.

use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use sotto_engine::{CancelToken, DecoderOptions, EngineError, GgufFile, KvType, LogitRows, Model, ModelOptions};
use sotto_training::{Example, TrainingError, TuneOptions, TuneProgress, TuneReport, TuneTexts, tune};

/// Names the folder in which a process trains until it is killed.
const FOLDER: &str = "SOTTO_TEST_TUNE";

fn model() -> Model {
    let folder = PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it"));
    let file = folder.join("../engine/tests/golden/plain-gqa1-hd32-tied.gguf");
    let options = ModelOptions { threads: Some(2), ..ModelOptions::default() };
    Model::load(Arc::new(GgufFile::open(file).expect("a model file")), options).expect("a model")
}

/// Runs of every third token, or tokens without any order.
fn texts(have_order: bool) -> TuneTexts {
    let mut state = 7u32;
    let mut random = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state >> 16
    };
    let mut text = |have_order: bool| {
        let (start, len) = (random() % 200, 8 + random() % 9);
        let tokens = (0..len).map(|i| if have_order { (start + 3 * i) % 256 } else { random() % 256 }).collect();
        Example { tokens, learn_from: 1 }
    };
    let mut some = |count: usize, have_order| (0..count).map(|_| text(have_order)).collect::<Vec<_>>();
    TuneTexts {
        train: some(30, have_order),
        held_out: some(10, have_order),
        calibration: some(4, false),
        general: some(4, false),
    }
}

fn options() -> TuneOptions {
    let general_margin = f64::INFINITY;
    TuneOptions { rank: 4, epochs: 6, learning_rate: 0.02, batch_tokens: 64, general_margin, ..TuneOptions::default() }
}

fn train(texts: &TuneTexts, options: &TuneOptions, target: &Path) -> Result<TuneReport, TrainingError> {
    tune(&model(), texts, options, target, &CancelToken::new(), |_| {})
}

/// Nats per token of texts, by the engine's own decoder.
fn nll(model: &Model, adapter: &Path, examples: &[Example]) -> f64 {
    let cancel = CancelToken::new();
    let file = GgufFile::open(adapter).expect("an adapter");
    let adapter = model.load_adapter(&file, &cancel).expect("an adapter of this model");
    let (mut total, mut count) = (0.0, 0);
    for Example { tokens, .. } in examples {
        let mut decoder = model
            .decoder(DecoderOptions { context_length: Some(64), kv_type: KvType::F32, ..DecoderOptions::default() })
            .expect("a decoder");
        decoder.set_adapters(&[(adapter.clone(), 1.0)]).expect("an adapter of this model");
        let logits = decoder.forward(&tokens[..tokens.len() - 1], LogitRows::All, &cancel).expect("logits");
        for (row, next) in logits.chunks_exact(256).zip(&tokens[1..]) {
            let sum: f64 = row.iter().map(|&logit| f64::from(logit).exp()).sum();
            total += sum.ln() - f64::from(row[*next as usize]);
            count += 1;
        }
    }
    total / f64::from(count)
}

#[test]
fn what_is_learnt_is_kept_and_the_engine_computes_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let target = folder.path().join("me.gguf");
    let texts = texts(true);
    let report = train(&texts, &options(), &target).expect("trained");
    println!("{report:?}");
    assert!(report.kept && report.gain() > 5.0, "{report:?}");
    let found = nll(&model(), &target, &texts.held_out);
    let error = (found / report.held_out[1].mean() - 1.0).abs();
    assert!(error < 1e-5, "the engine finds {found}: {error:e}");
}

#[test]
fn what_is_of_no_use_is_not_written() {
    let folder = tempfile::tempdir().expect("a folder");
    let target = folder.path().join("me.gguf");
    std::fs::write(&target, "the adapter before").expect("written");
    let refused = |texts: &TuneTexts, options: &TuneOptions| {
        let report = train(texts, options, &target).expect("trained");
        assert!(!report.kept, "{report:?}");
        assert_eq!(std::fs::read(&target).expect("the file"), b"the adapter before");
        report
    };
    // From tokens without order it learns no more than how sure to be of any.
    let no_order = refused(&texts(false), &TuneOptions { margin: 4.0, ..options() });
    assert!(no_order.gain() < 3.0);
    // Held-out texts are likelier, but not by that much; or others less likely, by more than that.
    let learnt = refused(&texts(true), &TuneOptions { margin: 100.0, ..options() });
    assert!(learnt.gain() > 5.0);
    let never = f64::NEG_INFINITY;
    assert_eq!(refused(&texts(true), &TuneOptions { general_margin: never, ..options() }).strength, 0.3);
    assert_eq!(std::fs::read_dir(folder.path()).expect("the folder").count(), 1, "nothing else is left");
}

#[test]
fn general_text_is_spared_by_a_weaker_adapter() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut texts = texts(true);
    // What the model itself would write is what it can only unlearn.
    texts.general = greedy_texts(&model());
    texts.calibration.clone_from(&texts.general);
    let whole = train(&texts, &options(), &folder.path().join("whole.gguf")).expect("trained");
    assert!(whole.general_loss() > 0.0, "{whole:?}");
    // What is judged by has no part in the choice.
    let uncalibrated = TuneTexts { calibration: Vec::new(), ..texts.clone() };
    let strict = TuneOptions { general_margin: whole.general_loss() / 2.0, ..options() };
    let strong = train(&uncalibrated, &strict, &folder.path().join("strong.gguf")).expect("trained");
    assert!(!strong.kept && strong.strength == 1.0, "{strong:?}");
    let weaker = train(&texts, &strict, &folder.path().join("weaker.gguf")).expect("trained");
    println!("{whole:?} {weaker:?}");
    assert!(weaker.kept && weaker.strength < 1.0 && weaker.general_loss() <= strict.general_margin, "{weaker:?}");
    assert!(weaker.gain() < whole.gain());
}

/// What the model writes after each of some tokens.
fn greedy_texts(model: &Model) -> Vec<Example> {
    let write = |start: u32| {
        let options = DecoderOptions { context_length: Some(64), kv_type: KvType::F32, ..DecoderOptions::default() };
        let mut decoder = model.decoder(options).expect("a decoder");
        let mut tokens = vec![start];
        while tokens.len() < 12 {
            let last = *tokens.last().expect("a token");
            let logits = decoder.forward(&[last], LogitRows::Last, &CancelToken::new()).expect("logits");
            let best = (0..logits.len()).max_by(|a, b| logits[*a].total_cmp(&logits[*b])).expect("a token");
            tokens.push(best as u32);
        }
        Example { tokens, learn_from: 1 }
    };
    [3, 90, 171].map(write).into()
}

#[test]
fn few_or_empty_texts_and_odd_options_are_refused() {
    let target = Path::new("never-written.gguf");
    let refused = |texts: &TuneTexts, options: &TuneOptions| {
        assert!(matches!(train(texts, options, target), Err(TrainingError::InvalidInput { .. })));
    };
    let good = texts(true);
    refused(&TuneTexts::default(), &options());
    refused(&TuneTexts { train: Vec::new(), ..good.clone() }, &options());
    refused(&TuneTexts { held_out: Vec::new(), ..good.clone() }, &options());
    let mut empty = good.clone();
    empty.train[3].tokens.truncate(1);
    refused(&empty, &options());
    refused(&good, &TuneOptions { rank: 0, ..options() });
    refused(&good, &TuneOptions { rank: 1000, ..options() });
    refused(&good, &TuneOptions { epochs: 0, ..options() });
    refused(&good, &TuneOptions { learning_rate: f32::NAN, ..options() });
    let diverged = train(&good, &TuneOptions { learning_rate: 1e30, ..options() }, target);
    assert!(matches!(diverged, Err(TrainingError::Diverged { .. } | TrainingError::Engine(_))), "{diverged:?}");
    assert!(!target.exists());
}

#[test]
fn a_time_limit_ends_a_training() {
    let folder = tempfile::tempdir().expect("a folder");
    let options = TuneOptions { epochs: 100_000, time: Some(Duration::from_millis(500)), ..options() };
    let report = train(&texts(true), &options, &folder.path().join("me.gguf")).expect("trained");
    assert!(report.steps > 3 && report.seconds < 2.0, "{report:?}");
}

#[test]
fn cancelled_trainings_end_soon_and_go_on_from_their_checkpoint() {
    let folder = tempfile::tempdir().expect("a folder");
    let options = long_options(folder.path());
    let cancel = CancelToken::new();
    let mut cancelled_at = None;
    let on_progress = |progress: TuneProgress| {
        if progress.step == 10 {
            cancelled_at = Some(Instant::now());
            cancel.cancel();
        }
    };
    let outcome = tune(&model(), &texts(true), &options, &folder.path().join("me.gguf"), &cancel, on_progress);
    assert!(matches!(outcome, Err(TrainingError::Engine(EngineError::Cancelled))), "{outcome:?}");
    assert!(cancelled_at.expect("ten steps").elapsed() < Duration::from_secs(2));
    assert!(!folder.path().join("me.gguf").exists());

    let mut first = None;
    let on_progress = |progress: TuneProgress| first = first.or(Some(progress.step));
    tune(&model(), &texts(true), &options, &folder.path().join("me.gguf"), &CancelToken::new(), on_progress)
        .expect("trained");
    assert_eq!(first, Some(11));
}

fn long_options(folder: &Path) -> TuneOptions {
    let checkpoint = Some(folder.join("checkpoint"));
    TuneOptions { epochs: 20, checkpoint, checkpoint_every: Duration::ZERO, ..options() }
}

fn start(folder: &Path) -> Child {
    let test = std::env::current_exe().expect("this program");
    let arguments = ["--exact", "trains_in_a_process_of_its_own", "--ignored"];
    Command::new(test).args(arguments).env(FOLDER, folder).spawn().expect("a process")
}

/// Not a test: what the next one starts and kills.
#[test]
#[ignore = "it is killed by another test"]
fn trains_in_a_process_of_its_own() {
    let Some(folder) = std::env::var_os(FOLDER).map(PathBuf::from) else { return };
    train(&texts(true), &long_options(&folder), &folder.join("me.gguf")).expect("trained");
}

#[test]
fn killed_trainings_give_the_same_bits() {
    let whole = tempfile::tempdir().expect("a folder");
    let started = Instant::now();
    train(&texts(true), &long_options(whole.path()), &whole.path().join("me.gguf")).expect("trained");
    let time = started.elapsed();
    let expected = std::fs::read(whole.path().join("me.gguf")).expect("an adapter");

    let folder = tempfile::tempdir().expect("a folder");
    let target = folder.path().join("me.gguf");
    let mut kills = 0;
    for attempt in 0.. {
        let mut child = start(folder.path());
        // Each gets further than the one before.
        thread::sleep(time.mul_f64(0.1 + 0.13 * f64::from(attempt)));
        if child.try_wait().expect("a process").is_some() {
            break;
        }
        child.kill().expect("killed");
        child.wait().expect("ended");
        kills += 1;
        assert!(!target.exists() || std::fs::read(&target).expect("an adapter") == expected, "it appears whole");
        assert!(attempt < 50, "it gets no further");
    }
    println!("killed {kills} times");
    assert!(kills > 0);
    assert_eq!(std::fs::read(&target).expect("an adapter"), expected);
    assert!(!folder.path().join("checkpoint").exists(), "the checkpoint is removed in the end");
}
