//! Gradients of adapters against PyTorch's, for small models of every family (`golden/`, made by `tools/golden-logits/gradients.py`),
//! and against differences of the loss.
//!
//! An error is the largest difference over the largest golden number of a tensor: `max |a - b| / max |golden|`.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::Value;
use sotto_engine::{AdapterTensor, CancelToken, GgufFile, Kernels, Model, ModelOptions};
use sotto_training::{Example, Trainer};

/// Weights are of 16 or 32 bits, and all arithmetic in `f32`.
const BOUND: f64 = 1e-4;
const LOSS_BOUND: f64 = 1e-5;
/// Of a difference of losses, which are sums of `f32`.
const DIFFERENCE_BOUND: f64 = 5e-3;

struct Golden {
    rank: usize,
    alpha: f32,
    cases: Vec<Case>,
}

struct Case {
    name: String,
    loss: f64,
    examples: Vec<Example>,
    gradients: Vec<f32>,
}

fn folder() -> PathBuf {
    PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it"))
}

fn number(value: &Value, key: &str) -> f64 {
    value[key].as_f64().expect(key)
}

impl Golden {
    fn read() -> Self {
        let text = std::fs::read_to_string(folder().join("tests/golden/gradients.json")).expect("gradients.json");
        let golden: Value = serde_json::from_str(&text).expect("JSON");
        let texts: Vec<[usize; 2]> = serde_json::from_value(golden["texts"].clone()).expect("texts");
        let cases = golden["cases"].as_array().expect("cases").iter().map(|case| Case::read(case, &texts)).collect();
        Self { rank: number(&golden, "rank") as usize, alpha: number(&golden, "alpha") as f32, cases }
    }

    fn trainer(&self, case: &Case, options: ModelOptions) -> Trainer {
        let file = folder().join("../engine/tests/golden").join(format!("{}.gguf", case.name));
        let file = Arc::new(GgufFile::open(Path::new(&file)).expect("a model file"));
        let model = Model::load(file, options).expect("a model");
        let mut trainer = Trainer::new(&model, self.rank, self.alpha, 1).expect("memory");
        let mut tensors = trainer.tensors();
        tensors.iter_mut().for_each(|tensor| tensor.values = numbers(&tensor.name, tensor.values.len()));
        trainer.set_tensors(&tensors);
        assert_eq!(trainer.tensors(), tensors);
        trainer
    }
}

impl Case {
    fn read(case: &Value, texts: &[[usize; 2]]) -> Self {
        let name = case["name"].as_str().expect("a name").to_owned();
        let all = tokens(number(case, "tokens") as usize, number(case, "vocab") as u32, number(case, "seed") as u32);
        let mut start = 0;
        let example = |[end, learn_from]: &[usize; 2]| {
            let tokens = all[start..*end].to_vec();
            start = *end;
            Example { tokens, learn_from: *learn_from }
        };
        let examples = texts.iter().map(example).collect();
        let bytes = std::fs::read(folder().join(format!("tests/golden/{name}.f32"))).expect("gradients");
        let gradients = bytes.as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
        Self { name, loss: number(case, "loss"), examples, gradients }
    }

    fn examples(&self) -> Vec<&Example> {
        self.examples.iter().collect()
    }
}

/// The prompt of `tools/golden-logits/cases.py`.
fn tokens(count: usize, vocab: u32, seed: u32) -> Vec<u32> {
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 16) % vocab
    };
    (0..count).map(|_| next()).collect()
}

/// Numbers of ±1/4 that follow from the tensor's name and their places: splitmix64.
fn numbers(name: &str, count: usize) -> Vec<f32> {
    let seed = u64::from(crc32fast::hash(name.as_bytes()));
    let number = |place: u64| {
        let mut z = seed.wrapping_add(place.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^= z >> 31;
        ((z >> 40) as f32 / (1 << 23) as f32 - 1.0) / 4.0
    };
    (1..=count as u64).map(number).collect()
}

fn relative_error(actual: &[f32], expected: &[f32]) -> f64 {
    let largest = expected.iter().fold(0.0f64, |largest, e| largest.max(f64::from(e.abs())));
    let errors = actual.iter().zip(expected).map(|(a, e)| (f64::from(*a) - f64::from(*e)).abs());
    errors.fold(0.0, |worst: f64, error| if error.is_nan() { f64::INFINITY } else { worst.max(error) }) / largest
}

fn options(threads: usize) -> ModelOptions {
    ModelOptions { threads: Some(threads), ..ModelOptions::default() }
}

#[test]
fn gradients_are_pytorchs() {
    let golden = Golden::read();
    assert_eq!(golden.cases.len(), 8);
    for case in &golden.cases {
        let mut trainer = golden.trainer(case, options(2));
        let loss = trainer.compute_gradients(&case.examples(), &CancelToken::new()).expect("gradients");
        let mut rest = &case.gradients[..];
        let mut worst = 0.0f64;
        for AdapterTensor { name, values, .. } in trainer.gradients() {
            let (expected, others) = rest.split_at(values.len());
            rest = others;
            let error = relative_error(&values, expected);
            assert!(error <= BOUND, "{} {name}: {error:e}", case.name);
            worst = worst.max(error);
        }
        assert!(rest.is_empty(), "all gradients are compared");
        let error = (loss.mean() / case.loss - 1.0).abs();
        println!("{}: loss {error:.1e}, gradients {worst:.1e}", case.name);
        assert!(error <= LOSS_BOUND, "{}: {error:e}", case.name);
    }
}

#[test]
fn gradients_are_differences_of_losses() {
    let golden = Golden::read();
    for case in &golden.cases {
        let mut trainer = golden.trainer(case, options(2));
        let cancel = CancelToken::new();
        trainer.compute_gradients(&case.examples(), &cancel).expect("gradients");
        let (tensors, gradients) = (trainer.tensors(), trainer.gradients());
        let square: f64 = gradients.iter().flat_map(|tensor| &tensor.values).map(|g| f64::from(*g).powi(2)).sum();
        let mut loss_at = |distance: f64| {
            let mut moved = tensors.clone();
            for (tensor, gradient) in moved.iter_mut().zip(&gradients) {
                let numbers = tensor.values.iter_mut().zip(&gradient.values);
                numbers.for_each(|(number, gradient)| *number += (distance / square.sqrt()) as f32 * gradient);
            }
            trainer.set_tensors(&moved);
            trainer.loss(&case.examples(), &cancel).expect("a loss").mean()
        };
        let distance = 2e-3;
        let slope = (loss_at(distance) - loss_at(-distance)) / (2.0 * distance);
        let error = (slope / square.sqrt() - 1.0).abs();
        println!("{}: {error:.1e}", case.name);
        assert!(error <= DIFFERENCE_BOUND, "{}: {error:e}", case.name);
    }
}

#[test]
fn the_bits_are_the_same_whatever_computes() {
    let golden = Golden::read();
    let case = &golden.cases[0];
    let mut expected = None;
    for kernels in Kernels::available() {
        for threads in [1, 3] {
            let mut trainer = golden.trainer(case, ModelOptions { kernels: Some(kernels), ..options(threads) });
            trainer.compute_gradients(&case.examples(), &CancelToken::new()).expect("gradients");
            let gradients = trainer.gradients();
            assert_eq!(expected.get_or_insert_with(|| gradients.clone()), &gradients, "{} {threads}", kernels.name());
        }
    }
}

#[test]
fn texts_without_anything_to_learn() {
    let golden = Golden::read();
    let mut trainer = golden.trainer(&golden.cases[0], options(1));
    let cancel = CancelToken::new();
    for tokens in [vec![], vec![1]] {
        let empty = Example { tokens, learn_from: 0 };
        assert_eq!(trainer.compute_gradients(&[&empty], &cancel).expect("nothing").tokens, 0);
    }
    let unknown = Example { tokens: vec![1, 1 << 30], learn_from: 0 };
    assert!(trainer.loss(&[&unknown], &cancel).is_err());
}
