//! Matrix products of every instruction set that this CPU has: against the scalar oracle in `f64`, and against each other.

mod common;

use common::{random_matrix, random_values, rng, say_exercised, stored};
use half::f16;
use rand::RngExt;
use rand::rngs::StdRng;
use sotto_kernels::blocks::{DType, QK};
use sotto_kernels::packed::{PANEL_ROWS, PackError, PackedMatrix, WeightFormat, pack, packed_len};
use sotto_kernels::{Activations, Kernels, Output};

/// Rounding of activations to eight bits is exact in the oracle, which reads the rounded ones; what remains is the sum in
/// `f32`: a few units in the last place of the sum of absolute products.
const SUM_BOUND: f64 = 2e-6;

/// Rows of activations: alone, few (unpacked in registers), tiles with every remainder, more than one pass.
const ROWS: [usize; 10] = [1, 2, 3, 4, 5, 6, 11, 24, 127, 133];

struct Case {
    format: WeightFormat,
    rows: usize,
    cols: usize,
    /// `[rows, cols]`, dequantized by the oracle.
    weights: Vec<f32>,
    packed: Vec<u8>,
}

impl Case {
    fn new(rng: &mut StdRng, format: WeightFormat, rows: usize, cols: usize) -> Self {
        let (source, _) = random_matrix(rng, stored(format), rows, cols);
        Self::of(stored(format), rows, cols, &source)
    }

    /// All codes made of the same byte.
    fn with_codes(rng: &mut StdRng, format: WeightFormat, rows: usize, cols: usize, byte: u8) -> Self {
        let (mut source, _) = random_matrix(rng, stored(format), rows, cols);
        common::fill_codes(stored(format), &mut source, byte);
        Self::of(stored(format), rows, cols, &source)
    }

    fn of(dtype: DType, rows: usize, cols: usize, source: &[u8]) -> Self {
        let (format, weights) = (dtype.packed_as(), common::dequantize(dtype, source, cols));
        let mut packed = vec![0xaa; packed_len(format, rows, cols)];
        pack(dtype, source, rows, cols, &mut packed).expect("sizes fit");
        Self { format, rows, cols, weights, packed }
    }

    fn matrix(&self) -> PackedMatrix<'_> {
        PackedMatrix::new(self.format, self.rows, self.cols, &self.packed).expect("sizes fit")
    }

    /// The product, panels in two calls as two threads would.
    fn multiply(&self, kernels: &Kernels, x: &[f32]) -> Vec<f32> {
        let (matrix, rows) = (self.matrix(), x.len() / self.cols);
        let mut result = vec![f32::NAN; rows * self.rows];
        let out = Output::new(&mut result, self.rows);
        let middle = matrix.panels() / 2;
        for panels in [middle..matrix.panels(), 0..middle] {
            // SAFETY: one thread.
            unsafe {
                match self.format.is_quantized() {
                    true => kernels.matmul(&matrix, &quantized(kernels, x, self.cols, self.format), panels, &out),
                    false => kernels.matmul_float(&matrix, x, panels, &out),
                }
            }
        }
        result
    }

    /// What the product must be within [`SUM_BOUND`] of, and the sum of absolute products.
    fn expected(&self, x: &[f64], row: usize, column: usize) -> (f64, f64) {
        let weights = &self.weights[column * self.cols..][..self.cols];
        let x = &x[row * self.cols..][..self.cols];
        weights.iter().zip(x).fold((0.0, 0.0), |(sum, magnitude), (&weight, x)| {
            let product = f64::from(weight) * x;
            (sum + product, magnitude + product.abs())
        })
    }
}

fn quantized(kernels: &Kernels, x: &[f32], cols: usize, format: WeightFormat) -> Activations {
    let (mut activations, rows) = (Activations::default(), x.len() / cols);
    activations.resize(rows, cols, kernels.activation_layout(format, rows));
    kernels.quantize(x, &mut activations.rows_mut());
    activations
}

/// The activations that a product of this format sees.
fn seen(case: &Case, x: &[f32]) -> Vec<f64> {
    if !case.format.is_quantized() {
        return x.iter().map(|&x| f64::from(x)).collect();
    }
    let activations = quantized(scalar(), x, case.cols, case.format);
    (0..activations.rows()).flat_map(|row| activations.dequantize_row(row).map(f64::from).collect::<Vec<_>>()).collect()
}

fn scalar() -> &'static Kernels {
    Kernels::named("scalar").expect("runs everywhere")
}

fn check(case: &Case, x: &[f32], kernels: &Kernels) {
    let (result, seen) = (case.multiply(kernels, x), seen(case, x));
    // With minimums, weights are differences: what is summed is larger than they are.
    let headroom = match case.format {
        WeightFormat::Q4_1 | WeightFormat::Q5_1 | WeightFormat::Q2K | WeightFormat::Q4K | WeightFormat::Q5K => 4.0,
        _ => 1.0,
    };
    for (i, &actual) in result.iter().enumerate() {
        let (expected, magnitude) = case.expected(&seen, i / case.rows, i % case.rows);
        let error = (f64::from(actual) - expected).abs();
        assert!(
            error <= headroom * SUM_BOUND * magnitude.max(1e-30),
            "{} {}, {} rows of activations, at {i}: {actual} is {error:e} from {expected}",
            kernels.name(),
            case.format,
            x.len() / case.cols
        );
    }
}

#[test]
fn products_are_those_of_the_oracle() {
    let rng = &mut rng();
    for format in WeightFormat::ALL {
        for (rows, blocks) in [(1, 1), (31, 2), (32, 3), (67, 5), (300, 2)] {
            let cols = blocks * if format.is_quantized() { format.block_len() } else { 37 };
            let case = Case::new(rng, format, rows, cols);
            for count in [1, 3, 7] {
                let x = random_values(rng, count * cols, 3.0);
                Kernels::available().for_each(|kernels| check(&case, &x, kernels));
            }
        }
    }
    Kernels::available().for_each(say_exercised);
}

#[test]
fn every_number_of_rows_gives_the_bits_of_each_row_alone() {
    let rng = &mut rng();
    for format in WeightFormat::ALL {
        // More than one depth block of a panel: 512 weights.
        let case = Case::new(rng, format, 45, 768);
        for kernels in Kernels::available() {
            for rows in ROWS {
                let x = random_values(rng, rows * case.cols, 1.0);
                let together = case.multiply(kernels, &x);
                let alone: Vec<f32> = x.chunks(case.cols).flat_map(|x| case.multiply(kernels, x)).collect();
                assert_eq!(together, alone, "{} {format}, {rows} rows", kernels.name());
            }
        }
    }
}

#[test]
fn instruction_sets_agree_to_the_last_bit() {
    let rng = &mut rng();
    for format in WeightFormat::ALL {
        let case = Case::new(rng, format, 77, 1024);
        for rows in [1, 4, 13] {
            let x = random_values(rng, rows * case.cols, 2.0);
            let expected = case.multiply(scalar(), &x);
            for kernels in Kernels::available() {
                assert_eq!(case.multiply(kernels, &x), expected, "{} {format}, {rows} rows", kernels.name());
            }
        }
    }
}

/// As a low-rank update is added: few inputs, few outputs, and what was there stays in the sum.
#[test]
fn products_are_added_to_what_is_there() {
    let rng = &mut rng();
    for format in WeightFormat::ALL.into_iter().filter(|format| !format.is_quantized()) {
        for (rows, cols) in [(1, 1), (5, 40), (16, 576), (17, 3), (64, 5), (200, 16)] {
            let case = Case::new(rng, format, rows, cols);
            for (count, kernels) in [1, 4, 5, 50].into_iter().flat_map(|n| Kernels::available().map(move |k| (n, k))) {
                let (x, before) = (random_values(rng, count * cols, 1.0), random_values(rng, count * rows, 1.0));
                let mut sums = before.clone();
                let out = Output::adding(&mut sums, rows);
                // SAFETY: one thread.
                unsafe { kernels.matmul_float(&case.matrix(), &x, 0..case.matrix().panels(), &out) };
                let product = case.multiply(kernels, &x);
                let expected: Vec<f32> =
                    before.iter().zip(&product).map(|(before, product)| before + product).collect();
                assert_eq!(sums, expected, "{} {format} {rows} {cols}", kernels.name());
            }
        }
    }
}

/// The largest codes times the largest activations: sums of products that would overflow 16 bits, and −128.
#[test]
fn extreme_codes_do_not_saturate() {
    let rng = &mut rng();
    for format in WeightFormat::ALL.into_iter().filter(|format| format.is_quantized()) {
        for byte in [0x00, 0x7f, 0x80, 0xff] {
            let case = Case::with_codes(rng, format, 33, 512, byte);
            let sign = |_| if rng.random_bool(0.9) { 5.0 } else { -5.0 };
            let x: Vec<f32> = (0..7 * case.cols).map(sign).collect();
            for kernels in Kernels::available() {
                check(&case, &x, kernels);
                check(&case, &x[..case.cols], kernels);
            }
        }
    }
}

/// Sums of all sizes, among them the largest that 16 bits hold and those beyond: of each row, all values are the same but for one
/// that makes the scale 1.
#[test]
fn sums_of_every_size_fit() {
    let rng = &mut rng();
    for format in WeightFormat::ALL.into_iter().filter(|format| format.is_quantized()) {
        for byte in [0x00, 0x7f, 0x80, 0xff] {
            let case = Case::with_codes(rng, format, 33, 512, byte);
            for sign in [1.0, -1.0] {
                let row = |value: i32| {
                    let rest = (QK..case.cols).map(move |_| sign * value as f32);
                    (0..QK).map(|i| if i == 0 { 127.0 } else { 0.0 }).chain(rest)
                };
                let x: Vec<f32> = (0..=127).flat_map(row).collect();
                Kernels::available().for_each(|kernels| check(&case, &x, kernels));
            }
        }
    }
}

/// Scales that are tiny, subnormal or huge; activations that round to nothing.
#[test]
fn extreme_scales() {
    let rng = &mut rng();
    for format in WeightFormat::ALL.into_iter().filter(|format| format.is_quantized()) {
        for scale in [f16::MIN_POSITIVE_SUBNORMAL, f16::MIN_POSITIVE, f16::MAX] {
            let (rows, cols) = (32, 2 * format.block_len());
            let (mut source, _) = random_matrix(rng, stored(format), rows, cols);
            common::fill_scales(stored(format), &mut source, scale);
            let case = Case::of(stored(format), rows, cols, &source);
            for magnitude in [1e-42, 1e-20, 1.0, 1e20] {
                let x = random_values(rng, 5 * cols, magnitude);
                Kernels::available().for_each(|kernels| check(&case, &x, kernels));
            }
        }
    }
}

#[test]
fn what_is_not_a_number_is_not_lost() {
    let rng = &mut rng();
    let case = Case::new(rng, WeightFormat::Q4_0, 32, 64);
    for poison in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        let mut x = random_values(rng, 64, 1.0);
        x[40] = poison;
        for kernels in Kernels::available() {
            assert!(case.multiply(kernels, &x).iter().all(|y| !y.is_finite()), "{} {poison}", kernels.name());
        }
    }
}

#[test]
fn packed_rows_are_the_rows() {
    let rng = &mut rng();
    for dtype in DType::all() {
        let (rows, cols) = (PANEL_ROWS + 5, 2 * dtype.block_len().max(20));
        let (source, _) = random_matrix(rng, dtype, rows, cols);
        let case = Case::of(dtype, rows, cols, &source);
        for row in [0, 7, PANEL_ROWS - 1, PANEL_ROWS, PANEL_ROWS + 4] {
            let mut out = vec![f32::NAN; case.cols];
            case.matrix().dequantize_row(row, &mut out);
            assert_eq!(out, case.weights[row * case.cols..][..case.cols], "{dtype}, row {row}");
        }
    }
}

/// A block of each format as gguf-py reads it: `tools/golden-logits/stored_blocks.py`.
#[test]
fn stored_blocks_are_what_another_program_reads_in_them() {
    let mut bytes = &include_bytes!("fixtures/stored_blocks.bin")[..];
    let mut read = Vec::new();
    while let Some((id, rest)) = bytes.split_first_chunk() {
        let dtype = DType::from_ggml(u32::from_le_bytes(*id)).expect("a format");
        let (block, rest) = rest.split_at(dtype.block_bytes());
        let (expected, rest) = rest.split_at(4 * dtype.block_len());
        let expected: Vec<f32> = expected.as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
        // Blocks of numbers of 16 bits are to be aligned.
        let block = Vec::from(block);
        let case = Case::of(dtype, 1, dtype.block_len(), &block);
        assert_eq!(case.weights, expected, "{dtype}");
        read.push(dtype);
        bytes = rest;
    }
    assert!(DType::all().all(|dtype| dtype.block_len() == 1 || read.contains(&dtype)), "{read:?}");
}

#[test]
fn scales_that_16_bits_do_not_hold_are_refused() {
    let pack = |block: [u8; 17]| pack(DType::MXFP4, &block, 1, QK, &mut vec![0; packed_len(WeightFormat::Q8_0, 1, QK)]);
    let block = |exponent, codes| std::array::from_fn(|i| if i == 0 { exponent } else { codes });
    assert_eq!(pack(block(143, 0x21)), Ok(()));
    assert_eq!(pack(block(144, 0x21)), Err(PackError::Scale));
    assert_eq!(pack(block(103, 0x21)), Err(PackError::Scale));
    assert_eq!(pack(block(255, 0x80)), Ok(()), "zeros have no scale");
}

#[test]
fn rounding_is_to_the_nearest_of_255_steps() {
    let rng = &mut rng();
    for (format, cols, group) in [(WeightFormat::Q8_0, 96, 32), (WeightFormat::Q4K, 768, 256)] {
        let x = random_values(rng, 10 * cols, 7.0);
        for kernels in Kernels::available() {
            let activations = quantized(kernels, &x, cols, format);
            for (row, x) in x.chunks(cols).enumerate() {
                let rounded: Vec<f32> = activations.dequantize_row(row).collect();
                for (rounded, x) in rounded.chunks(group).zip(x.chunks(group)) {
                    let step = x.iter().fold(0.0f32, |a, x| a.max(x.abs())) / 127.0;
                    assert!(rounded.iter().zip(x).all(|(a, b)| (a - b).abs() <= 0.501 * step));
                    assert!(rounded.iter().any(|a| (a.abs() - 127.0 * step).abs() < 1e-3 * step));
                }
            }
        }
    }
}

#[test]
fn rows_that_are_quantized_by_parts_give_the_same_product() {
    let rng = &mut rng();
    for format in [WeightFormat::Q4_0, WeightFormat::Q4K] {
        let case = Case::new(rng, format, 40, 512);
        for (rows, kernels) in [1, 2, 5, 7, 13].into_iter().flat_map(|n| Kernels::available().map(move |k| (n, k))) {
            let x = random_values(rng, rows * case.cols, 1.0);
            let mut activations = Activations::default();
            activations.resize(rows, case.cols, kernels.activation_layout(format, rows));
            let parts = activations.parts_mut();
            for index in (0..parts.len()).rev() {
                let rows = parts.rows(index);
                // SAFETY: one part at a time.
                let mut part = unsafe { parts.part(index) };
                kernels.quantize(&x[rows.start * case.cols..rows.end * case.cols], &mut part);
            }
            let result = multiply_all(&case, kernels, &activations);
            assert_eq!(result, case.multiply(kernels, &x), "{} {format}, {rows} rows", kernels.name());
        }
    }
}

#[test]
fn tiles_refuse_activations_that_are_interleaved_for_others() {
    let (rng, format, rows) = (&mut rng(), WeightFormat::Q4K, 7);
    let case = Case::new(rng, format, 40, 512);
    let x = random_values(rng, rows * case.cols, 1.0);
    let in_rows = scalar().activation_layout(format, rows);
    for (other, kernels) in Kernels::available().flat_map(|other| Kernels::available().map(move |k| (other, k))) {
        let [wanted, layout] = [kernels, other].map(|kernels| kernels.activation_layout(format, rows));
        let activations = quantized(other, &x, case.cols, format);
        let result = std::panic::catch_unwind(|| multiply_all(&case, kernels, &activations));
        assert_eq!(result.is_ok(), wanted == in_rows || wanted == layout, "{} of {}", kernels.name(), other.name());
    }
}

/// The product with all panels.
fn multiply_all(case: &Case, kernels: &Kernels, activations: &Activations) -> Vec<f32> {
    let mut result = vec![f32::NAN; activations.rows() * case.rows];
    let matrix = case.matrix();
    // SAFETY: one thread.
    unsafe { kernels.matmul(&matrix, activations, 0..matrix.panels(), &Output::new(&mut result, case.rows)) };
    result
}

#[test]
fn zeros_stay_zeros() {
    let rng = &mut rng();
    let case = Case::new(rng, WeightFormat::Q6K, 40, 256);
    for kernels in Kernels::available() {
        assert_eq!(case.multiply(kernels, &[0.0; 256]), [0.0; 40]);
    }
}
