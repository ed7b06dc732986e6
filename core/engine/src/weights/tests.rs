//! Products and dequantization of every format against candle's own reading of the blocks, and `f64` arithmetic.

use std::borrow::Cow;
use std::io::Cursor;

use candle_core::quantized::{GgmlDType, QStorage, QTensor, gguf_file};
use candle_core::{Device, Tensor};
use rand::RngExt;

use super::*;

/// Formats with whether activations are quantized for them, and in blocks of how many.
const FORMATS: [(GgmlDType, Option<usize>); 8] = [
    (GgmlDType::F32, None),
    (GgmlDType::F16, None),
    (GgmlDType::BF16, None),
    (GgmlDType::Q4_0, Some(32)),
    (GgmlDType::Q8_0, Some(32)),
    (GgmlDType::Q4K, Some(256)),
    (GgmlDType::Q5K, Some(256)),
    (GgmlDType::Q6K, Some(256)),
];

/// Rounding of `f32` sums, relative to the sum of absolute products.
const SUM_BOUND: f64 = 2e-6;
/// Half a step of an 8-bit activation, relative to the largest one in its block.
const Q8_ROUNDING: f64 = 0.5 / 127.0;
/// Rounding of an activation block's scale to `f16`, and of the `f32` arithmetic that quantizes.
const Q8_SCALE_ROUNDING: f64 = 1.0 / 2048.0 + 1e-6;

fn random(len: usize) -> Vec<f32> {
    let mut rng = rand::rng();
    // Sizes vary by block, as activations' do.
    let scale = |i: usize| [0.01, 1.0, 30.0][(i / 32) % 3];
    (0..len).map(|i| rng.random_range(-1.0f32..=1.0) * scale(i)).collect()
}

fn file_with(tensor: &QTensor) -> GgufFile {
    let mut file = Cursor::new(Vec::new());
    gguf_file::write(&mut file, &[], &[("w", tensor)]).expect("a GGUF file");
    GgufFile::from_bytes(file.into_inner()).expect("a valid file")
}

fn quantized(dtype: GgmlDType, rows: usize, cols: usize) -> QTensor {
    let weights = Tensor::from_vec(random(rows * cols), (rows, cols), &Device::Cpu).expect("a tensor");
    QTensor::quantize(&weights, dtype).expect("a quantized tensor")
}

fn dequantized(tensor: &QTensor) -> Vec<f32> {
    let tensor = tensor.dequantize(&Device::Cpu).expect("dequantized");
    tensor.flatten_all().expect("flat").to_vec1().expect("f32")
}

#[test]
fn dequantize_equals_candle_on_any_bytes() {
    let mut rng = rand::rng();
    for (dtype, _) in FORMATS {
        let (rows, cols) = (5, 768);
        let bytes: Vec<u8> = (0..rows * cols / dtype.block_size() * dtype.type_size()).map(|_| rng.random()).collect();
        let storage = QStorage::from_data(Cow::Owned(bytes), &Device::Cpu, dtype).expect("storage");
        let tensor = QTensor::new(storage, (rows, cols)).expect("a tensor");
        let file = file_with(&tensor);
        let matrix = WeightMatrix::load(&file, "w", rows, cols).expect("a matrix");
        let expected = dequantized(&tensor);
        for (row, expected) in expected.chunks(cols).enumerate() {
            let mut actual = vec![0.0; cols];
            matrix.dequantize_row(row, &mut actual).expect("a row");
            for (actual, expected) in actual.iter().zip(expected) {
                let same = actual.to_bits() == expected.to_bits() || (actual.is_nan() && expected.is_nan());
                assert!(same, "{dtype:?}: {actual} is not {expected}");
            }
        }
    }
}

#[test]
fn products_stay_within_their_bounds() {
    let cancel = CancelToken::new();
    for (dtype, activation_block) in FORMATS {
        for (n, rows, cols) in [(1, 37, 256), (2, 130, 512), (3, 1, 768), (17, 67, 256), (40, 5, 1024)] {
            // Formats without blocks take any width.
            let cols = if activation_block.is_none() { cols + 5 } else { cols };
            let tensor = quantized(dtype, rows, cols);
            let file = file_with(&tensor);
            let matrix = WeightMatrix::load(&file, "w", rows, cols).expect("a matrix");
            let (weights, x) = (dequantized(&tensor), random(n * cols));
            let mut buffers = ActivationBuffers::default();
            let mut out = vec![f32::NAN; n * rows];
            let mut activations = Activations::new(&x, cols, &mut buffers, &cancel).expect("finite");
            matrix.matmul(&mut activations, &mut out).expect("a product");

            for (i, out) in out.iter().enumerate() {
                let (x, w) = (&x[i / rows * cols..][..cols], &weights[i % rows * cols..][..cols]);
                let (expected, bound) = product_and_bound(x, w, activation_block);
                let error = (f64::from(*out) - expected).abs();
                assert!(
                    error <= bound,
                    "{dtype:?} {n}x{rows}x{cols}: {out} is {error:e} from {expected}, bound {bound:e}"
                );
            }
        }
    }
}

/// `x · w` in `f64`, and how far an `f32` product of quantized `x` may be from it.
fn product_and_bound(x: &[f32], w: &[f32], activation_block: Option<usize>) -> (f64, f64) {
    let products = x.iter().zip(w).map(|(x, w)| f64::from(*x) * f64::from(*w));
    let magnitude: f64 = products.clone().map(f64::abs).sum();
    let sum = products.sum();
    let Some(block) = activation_block else { return (sum, SUM_BOUND * magnitude) };
    let rounding = x.chunks(block).zip(w.chunks(block)).map(|(x, w)| {
        let largest = x.iter().fold(0.0f32, |largest, x| largest.max(x.abs()));
        let weights: f64 = w.iter().map(|w| f64::from(w.abs())).sum();
        Q8_ROUNDING * f64::from(largest) * weights
    });
    (sum, rounding.sum::<f64>() * (1.0 + Q8_SCALE_ROUNDING) + (SUM_BOUND + Q8_SCALE_ROUNDING) * magnitude)
}

#[test]
fn a_row_is_the_same_alone_in_a_batch_and_on_any_number_of_threads() {
    let cancel = CancelToken::new();
    let (n, rows, cols) = (21, 203, 512);
    for (dtype, _) in FORMATS {
        let tensor = quantized(dtype, rows, cols);
        let file = file_with(&tensor);
        let matrix = WeightMatrix::load(&file, "w", rows, cols).expect("a matrix");
        let x = random(n * cols);
        let product = |x: &[f32], threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
            let mut out = vec![f32::NAN; x.len() / cols * rows];
            pool.install(|| {
                let mut buffers = ActivationBuffers::default();
                let mut activations = Activations::new(x, cols, &mut buffers, &cancel).expect("finite");
                matrix.matmul(&mut activations, &mut out).expect("a product");
            });
            out
        };
        let batch = product(&x, 3);
        assert_eq!(batch, product(&x, 1), "{dtype:?}");
        assert_eq!(batch, product(&x, 32), "{dtype:?}: more threads than rows");
        for (x, expected) in x.chunks(cols).zip(batch.chunks(rows)) {
            assert_eq!(product(x, 2), expected, "{dtype:?}");
        }
    }
}

#[test]
fn quantization_does_not_hide_what_is_not_a_number() {
    let mut buffers = ActivationBuffers::default();
    for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        let mut x = random(512);
        x[300] = bad;
        let result = Activations::new(&x, 256, &mut buffers, &CancelToken::new()).map(|_| ());
        assert!(matches!(result, Err(EngineError::Invalid { .. })));
    }
}

#[test]
fn a_cancelled_product_ends_at_once() {
    let tensor = quantized(GgmlDType::Q8_0, 64, 256);
    let file = file_with(&tensor);
    let matrix = WeightMatrix::load(&file, "w", 64, 256).expect("a matrix");
    let (x, cancel) = (random(256), CancelToken::new());
    let mut buffers = ActivationBuffers::default();
    let mut out = vec![7.0; 64];
    let mut activations = Activations::new(&x, 256, &mut buffers, &cancel).expect("finite");
    cancel.cancel();
    matrix.matmul(&mut activations, &mut out).expect("a product");
    assert_eq!(out, vec![7.0; 64], "nothing was computed");
    assert!(matches!(Activations::new(&x, 256, &mut buffers, &cancel).map(|_| ()), Err(EngineError::Cancelled)));
}
