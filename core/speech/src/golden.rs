//! Spectrograms and logits against PyTorch's and NumPy's, which `tools/golden-logits/whisper.py` has stored.

use std::f64::consts::PI;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde_json::Value;
use sotto_engine::compute::Compute;

use crate::mel::MelRoom;
use crate::small_model::{self, SMALL, Shape, numbers};
use crate::{CancelToken, Precision, SpeechModel, SpeechOptions};

/// Absolute error of a logarithm of power, of which the largest and the smallest are two apart.
const MEL_BOUND: f32 = 2e-4;
/// Error relative to the largest number, of what was heard and of logits: keys and values are rounded to 16 bits, sums are formed in another
/// order.
const BOUND: f32 = 2e-3;
/// The same in eight bits.
pub(crate) const EIGHT_BITS_BOUND: f32 = 0.05;

const BOUNDS: [(Precision, f32); 2] = [(Precision::AsInFile, BOUND), (Precision::EightBits, EIGHT_BITS_BOUND)];

/// Small models with what differs in published ones: the width of `tiny` is not a multiple of 256, and `.en` models have one token fewer;
/// `small` is wider; `large-v3-turbo` and distilled models have 128 bands, one more language and fewer layers in the decoder.
const SHAPES: [(&str, Shape); 3] = [
    ("tiny.en", Shape { vocabulary: 51_864, width: 384, heads: 6, ..SMALL }),
    ("small", Shape { width: 768, heads: 12, encoder_layers: 1, decoder_layers: 1, ..SMALL }),
    (
        "distil-large-v3",
        Shape { vocabulary: 51_866, width: 320, heads: 5, encoder_layers: 4, decoder_layers: 2, bands: 128 },
    ),
];

/// What a model makes of the sound and the tokens.
pub(crate) struct Outcome {
    mel: Vec<f32>,
    heard: Vec<f32>,
    /// `[tokens, vocabulary]`.
    pub(crate) logits: Vec<f32>,
}

#[test]
fn spectrograms_and_logits_are_pytorchs() {
    let golden = &golden()["small"];
    let [mel_step, heard_step, logit_step] =
        [0, 1, 2].map(|step| golden["steps"][step].as_u64().expect("a step") as usize);
    for (precision, bound) in BOUNDS {
        let Outcome { mel, heard, logits } = run(&small_model::load(precision), &signal(), &tokens(golden));
        assert_close("the spectrogram", &mel, mel_step, &golden["mel"], MEL_BOUND);
        assert_close("what was heard", &heard, heard_step, &golden["heard"], bound * largest(&heard));
        assert_close("logits", &logits, logit_step, &golden["logits"], bound * largest(&logits));
    }
}

#[test]
fn other_shapes_give_pytorchs_logits() {
    for (name, shape) in SHAPES {
        let golden = &golden()["shapes"][name];
        let [heard_step, logit_step] = [0, 1].map(|step| golden["steps"][step].as_u64().expect("a step") as usize);
        for (precision, bound) in BOUNDS {
            let Outcome { heard, logits, .. } = run(&shape.load(precision), &signal(), &tokens(golden));
            let what = |part: &str| format!("{name}, {part}");
            assert_close(&what("what was heard"), &heard, heard_step, &golden["heard"], bound * largest(&heard));
            assert_close(&what("logits"), &logits, logit_step, &golden["logits"], bound * largest(&logits));
        }
    }
}

#[test]
fn spectrograms_of_128_bands_are_numpys() {
    let golden = &golden()["small"];
    let model = small_model::load(Precision::AsInFile);
    let cancel = CancelToken::new();
    let transform = crate::mel::MelTransform::new(128, &cancel).expect("a transform");
    let team = model.0.pool.enter(&cancel).expect("threads");
    let compute = Compute { kernels: model.0.kernels, team: &team, cancel: &cancel, adapters: &[] };
    let mut mel = Vec::new();
    transform.log_mel(&compute, &signal(), 3000, &mut MelRoom::default(), &mut mel).expect("a spectrogram");
    let step = golden["steps"][0].as_u64().expect("a step") as usize;
    assert_close("the spectrogram", &mel, step, &golden["mel_128"], MEL_BOUND);
}

#[test]
fn whisper_base_gives_pytorchs_logits() {
    let Some(folder) = real_models() else { return };
    let golden = &golden()["real"];
    let step = golden["step"].as_u64().expect("a step") as usize;
    let samples = samples(&folder.join("librivox-0880.wav"));
    for (file, (precision, bound)) in
        ["ggml-base.bin", "whisper-base"].into_iter().flat_map(|file| BOUNDS.map(|b| (file, b)))
    {
        let options = SpeechOptions { threads: Some(2), kernels: None, precision };
        let model = SpeechModel::load(folder.join(file), options, &CancelToken::new()).expect("a model");
        let logits = run(&model, &samples, &tokens(golden)).logits;
        assert_close(file, &logits, step, &golden["logits"], bound * largest(&logits));
    }
}

/// Passes samples and tokens through a model.
pub(crate) fn run(model: &SpeechModel, samples: &[f32], tokens: &[u32]) -> Outcome {
    let cancel = CancelToken::new();
    let model = &*model.0;
    let mut encoder = crate::forward::Encoder::new(&model.config, model.precision.kv_type()).expect("memory");
    let mut decoder = crate::forward::Decoder::new(&model.config, model.precision.kv_type()).expect("memory");
    let team = model.pool.enter(&cancel).expect("threads");
    let compute = Compute { kernels: model.kernels, team: &team, cancel: &cancel, adapters: &[] };
    let mut mel = Vec::new();
    model.mel.log_mel(&compute, samples, 3000, &mut MelRoom::default(), &mut mel).expect("a spectrogram");
    let scratch = decoder.scratch();
    let heard = encoder.encode(&compute, &model.weights, &mel, 1500, scratch).expect("what was heard").to_vec();
    decoder.hear(&compute, &model.weights, &heard).expect("keys and values");
    let mut logits = Vec::new();
    let collect = |row: &[f32]| logits.extend_from_slice(row);
    decoder.read_observed(&compute, &model.weights, tokens, &mut |_, _| (), collect).expect("logits");
    // Token by token, it reads the same.
    decoder.truncate(0);
    let mut last = Vec::new();
    for &token in tokens {
        last = decoder.read(&compute, &model.weights, &[token]).expect("logits").to_vec();
    }
    assert_eq!(last, logits[logits.len() - last.len()..]);
    Outcome { mel, heard, logits }
}

fn assert_close(what: &str, numbers: &[f32], step: usize, expected: &Value, bound: f32) {
    let expected = expected.as_array().expect("numbers");
    let found: Vec<f32> = numbers.iter().copied().step_by(step).collect();
    assert_eq!(found.len(), expected.len(), "{what}");
    let errors = found.iter().zip(expected).map(|(a, b)| (a - b.as_f64().expect("a number") as f32).abs());
    let error = errors.fold(0.0, f32::max);
    println!("{what}: {error:.1e} of {bound:.1e}");
    assert!(error <= bound, "{what}: {error:e} is more than {bound:e}");
}

pub(crate) fn largest(numbers: &[f32]) -> f32 {
    numbers.iter().fold(0.0, |largest, number| number.abs().max(largest))
}

pub(crate) fn golden() -> Value {
    serde_json::from_str(include_str!("../tests/golden/whisper.json")).expect("JSON")
}

fn tokens(golden: &Value) -> Vec<u32> {
    golden["tokens"].as_array().expect("tokens").iter().map(|token| token.as_u64().expect("a token") as u32).collect()
}

/// Two seconds of a tone that rises, and of noise.
pub(crate) fn signal() -> Vec<f32> {
    let tone = |sample: usize| {
        let seconds = sample as f64 / 16_000.0;
        0.5 * (2.0 * PI * (200.0 + 700.0 * seconds) * seconds).sin()
    };
    let noise = numbers("noise", 32_000).enumerate();
    noise.map(|(sample, noise)| (tone(sample) + 0.05 * f64::from(noise)) as f32).collect()
}

fn samples(file: &Path) -> Vec<f32> {
    let bytes = std::fs::read(file).expect("a recording");
    let halves = bytes[44..].as_chunks::<2>().0;
    halves.iter().map(|half| f32::from(i16::from_le_bytes(*half)) / 32768.0).collect()
}

pub(crate) fn real_models() -> Option<PathBuf> {
    let folder = std::env::var_os("SOTTO_REAL_MODELS").map(PathBuf::from);
    if folder.is_none() {
        // Not `eprintln`: the test runner would keep that to itself.
        writeln!(
            std::io::stderr(),
            "SKIPPED: a Whisper model: SOTTO_REAL_MODELS is not set (`cargo xtask real-models`)"
        )
        .expect("stderr");
    }
    folder
}
