//! Files as whisper.cpp's quantizer makes them give the logits that their numbers give in 16 bits.

use sotto_engine::DType;
use sotto_engine::compute::WeightMatrix;

use crate::golden::{EIGHT_BITS_BOUND, largest, run, signal};
use crate::small_model::{SMALL, Shape, load_file, numbers, write};
use crate::{CancelToken, Precision, SpeechError, SpeechModel, SpeechOptions};

/// As wide as a block of the widest formats.
const WIDE: Shape = Shape { width: 256, heads: 4, ..SMALL };
const TOKENS: [u32; 6] = [257, 72, 101, 300, 1800, 12];

/// A format, and the 16-bit numbers of a block, scales and minimums, each with its place.
type Format = (DType, &'static [(usize, f32)]);

const FORMATS: [Format; 10] = [
    (DType::Q4_0, &[(0, 0.03)]),
    (DType::Q4_1, &[(0, 0.03), (2, -0.25)]),
    (DType::Q5_0, &[(0, 0.015)]),
    (DType::Q5_1, &[(0, 0.015), (2, -0.25)]),
    (DType::Q8_0, &[(0, 0.002)]),
    (DType::Q2K, &[(80, 0.01), (82, 0.015)]),
    (DType::Q3K, &[(108, 0.002)]),
    (DType::Q4K, &[(0, 0.0005), (2, 0.004)]),
    (DType::Q5K, &[(0, 0.00025), (2, 0.004)]),
    (DType::Q6K, &[(208, 0.0001)]),
];

#[test]
fn quantized_files_give_the_logits_of_their_numbers() {
    for format in FORMATS {
        let quantized = WIDE.file_with_matrices(|seed| (format.0.ggml_id(), blocks(format, seed)));
        let plain = WIDE.file_with_matrices(|seed| {
            let numbers = dequantized(format.0, &blocks(format, seed));
            (DType::F32.ggml_id(), numbers.iter().flat_map(|number| number.to_le_bytes()).collect())
        });
        let [found, expected] =
            [quantized, plain].map(|file| run(&load_file(&file, Precision::AsInFile), &signal(), &TOKENS).logits);
        let errors = found.iter().zip(&expected).map(|(found, expected)| (found - expected).abs());
        let error = errors.fold(0.0, f32::max) / largest(&expected);
        println!("{}: {error:.1e} of {EIGHT_BITS_BOUND:.1e}", format.0);
        assert!(error <= EIGHT_BITS_BOUND, "{}: {error:e}", format.0);
    }
}

#[test]
fn rows_that_are_not_whole_blocks_are_refused() {
    // The width of `tiny`: a matrix is a whole number of blocks, but a row is not.
    let tiny = Shape { width: 384, heads: 6, ..SMALL };
    let file = write(&tiny.file_with_matrices(|seed| (DType::Q4K.ggml_id(), blocks(FORMATS[7], seed))));
    let options = SpeechOptions { threads: Some(1), ..SpeechOptions::default() };
    let loaded = SpeechModel::load(file.path(), options, &CancelToken::new()).map(|model| model.memory());
    for refused in [loaded, SpeechModel::memory_of(file.path(), options)] {
        assert!(matches!(&refused, Err(SpeechError::ModelInvalid { .. })), "{refused:?}");
    }
}

/// Blocks with random codes for as many numbers as `seed` has.
fn blocks((dtype, halves): Format, seed: &[f32]) -> Vec<u8> {
    let len = seed.len() / dtype.block_len() * dtype.block_bytes();
    let codes = numbers(&format!("{} {}", dtype, seed[0]), len);
    let mut blocks: Vec<u8> = codes.map(|number| ((number + 1.0) * 128.0) as u8).collect();
    for block in blocks.chunks_exact_mut(dtype.block_bytes()) {
        for &(at, half) in halves {
            block[at..at + 2].copy_from_slice(&half::f16::from_f32(half).to_le_bytes());
        }
    }
    blocks
}

fn dequantized(dtype: DType, mut blocks: &[u8]) -> Vec<f32> {
    let shape = [blocks.len() / dtype.block_bytes(), dtype.block_len()];
    let matrix = WeightMatrix::pack_rows_of("blocks", dtype, shape, &CancelToken::new(), |rows| {
        let (next, rest) = blocks.split_at(rows.len());
        rows.copy_from_slice(next);
        blocks = rest;
        Ok(())
    });
    let (matrix, mut numbers) = (matrix.expect("blocks"), vec![0.0; shape[0] * shape[1]]);
    for (row, numbers) in numbers.chunks_exact_mut(shape[1]).enumerate() {
        matrix.view().dequantize_row(row, numbers);
    }
    numbers
}
