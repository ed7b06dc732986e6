//! Random numbers that can be had again, and random weights in every format.
#![allow(dead_code)]

use std::io::Write;

use half::{bf16, f16};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use sotto_kernels::Kernels;
use sotto_kernels::blocks::*;
use sotto_kernels::packed::WeightFormat;
use sotto_kernels::plain::{Plain, cast_slice};
use sotto_kernels::scalar::{Dequantize, dequantize_row};

/// Says that a test has run these kernels: `cargo xtask test-arm` fails when an instruction set is missing.
pub fn say_exercised(kernels: &Kernels) {
    // Not `eprintln`: the test runner would keep that to itself.
    writeln!(std::io::stderr(), "EXERCISED: {} {}", env!("CARGO_PKG_NAME"), kernels.name()).expect("stderr");
}

/// The environment variable with the seed of a run that is to be had again.
const SEED: &str = "SOTTO_SEED";

/// A test's source of random numbers, with a fresh seed; a test that fails shows it.
pub fn rng() -> StdRng {
    let given = std::env::var(SEED).ok().map(|seed| seed.parse().expect("SOTTO_SEED is a number"));
    let seed = given.unwrap_or_else(rand::random);
    println!("to have these numbers again: {SEED}={seed}");
    StdRng::seed_from_u64(seed)
}

/// Values from `-scale` to `scale`.
pub fn random_values(rng: &mut StdRng, len: usize, scale: f32) -> Vec<f32> {
    (0..len).map(|_| rng.random_range(-scale..=scale)).collect()
}

/// The format of files that is packed as this one; of those that are widened, one.
pub fn stored(format: WeightFormat) -> DType {
    let is_stored = |dtype: &DType| dtype.packed_as() == format && (!dtype.is_widened() || *dtype == DType::IQ3S);
    DType::all().find(is_stored).expect("every format is a file's, or what a file's is widened to")
}

/// A matrix as it would lie in a file, and its weights by the oracle.
pub fn random_matrix(rng: &mut StdRng, dtype: DType, rows: usize, cols: usize) -> (Vec<u8>, Vec<f32>) {
    let mut source = vec![0u8; rows * cols / dtype.block_len() * dtype.block_bytes()];
    rng.fill(&mut source[..]);
    for block in source.chunks_exact_mut(dtype.block_bytes()) {
        for at in scale_offsets(dtype) {
            let scale = f16::from_f32(rng.random_range(-0.1..0.1));
            block[*at..at + 2].copy_from_slice(&scale.to_le_bytes());
        }
        let number = rng.random_range(-2.0f32..2.0);
        match dtype {
            DType::F32 => block.copy_from_slice(&number.to_le_bytes()),
            DType::F16 => block.copy_from_slice(&f16::from_f32(number).to_le_bytes()),
            DType::BF16 => block.copy_from_slice(&bf16::from_f32(number).to_le_bytes()),
            // Exponents: of a scale that is in parts, and of one that is nothing else.
            DType::IQ1M => block[55] = 0x20 | block[55] & 0x0f,
            DType::MXFP4 => block[0] = rng.random_range(104..=143),
            _ => {}
        }
    }
    let weights = dequantize(dtype, &source, cols);
    (source, weights)
}

/// The weights of rows of `cols`.
pub fn dequantize(dtype: DType, source: &[u8], cols: usize) -> Vec<f32> {
    match dtype {
        DType::F32 => rows_of::<f32>(source, cols),
        DType::F16 => rows_of::<f16>(source, cols),
        DType::BF16 => rows_of::<bf16>(source, cols),
        DType::Q4_0 => rows_of::<BlockQ4_0>(source, cols),
        DType::Q4_1 => rows_of::<BlockQ4_1>(source, cols),
        DType::Q5_0 => rows_of::<BlockQ5_0>(source, cols),
        DType::Q5_1 => rows_of::<BlockQ5_1>(source, cols),
        DType::Q8_0 => rows_of::<BlockQ8_0>(source, cols),
        DType::Q2K => rows_of::<BlockQ2K>(source, cols),
        DType::Q3K => rows_of::<BlockQ3K>(source, cols),
        DType::Q4K => rows_of::<BlockQ4K>(source, cols),
        DType::Q5K => rows_of::<BlockQ5K>(source, cols),
        DType::Q6K => rows_of::<BlockQ6K>(source, cols),
        DType::IQ1S => rows_of::<BlockIQ1S>(source, cols),
        DType::IQ1M => rows_of::<BlockIQ1M>(source, cols),
        DType::IQ2XXS => rows_of::<BlockIQ2XXS>(source, cols),
        DType::IQ2XS => rows_of::<BlockIQ2XS>(source, cols),
        DType::IQ2S => rows_of::<BlockIQ2S>(source, cols),
        DType::IQ3XXS => rows_of::<BlockIQ3XXS>(source, cols),
        DType::IQ3S => rows_of::<BlockIQ3S>(source, cols),
        DType::IQ4NL => rows_of::<BlockIQ4NL>(source, cols),
        DType::IQ4XS => rows_of::<BlockIQ4XS>(source, cols),
        DType::TQ1_0 => rows_of::<BlockTQ1_0>(source, cols),
        DType::TQ2_0 => rows_of::<BlockTQ2_0>(source, cols),
        DType::MXFP4 => rows_of::<BlockMXFP4>(source, cols),
    }
}

fn rows_of<B: Dequantize + Plain>(source: &[u8], cols: usize) -> Vec<f32> {
    let blocks: &[B] = cast_slice(source).expect("allocations are aligned");
    let mut weights = vec![0.0; blocks.len() * B::LEN];
    for (blocks, out) in blocks.chunks_exact(cols / B::LEN).zip(weights.chunks_exact_mut(cols)) {
        dequantize_row(blocks, out);
    }
    weights
}

/// Sets every byte of the blocks that is not a 16-bit scale.
pub fn fill_codes(dtype: DType, source: &mut [u8], byte: u8) {
    for block in source.chunks_exact_mut(dtype.block_bytes()) {
        let scales: Vec<[u8; 2]> = scale_offsets(dtype).iter().map(|&at| [block[at], block[at + 1]]).collect();
        block.fill(byte);
        for (at, scale) in scale_offsets(dtype).iter().zip(scales) {
            block[*at..at + 2].copy_from_slice(&scale);
        }
    }
}

/// Sets every 16-bit scale of the blocks.
pub fn fill_scales(dtype: DType, source: &mut [u8], scale: f16) {
    for block in source.chunks_exact_mut(dtype.block_bytes()) {
        for &at in scale_offsets(dtype) {
            block[at..at + 2].copy_from_slice(&scale.to_le_bytes());
        }
    }
}

/// Where a block's 16-bit scales are.
fn scale_offsets(dtype: DType) -> &'static [usize] {
    match dtype {
        DType::F32 | DType::F16 | DType::BF16 | DType::IQ1M | DType::MXFP4 => &[],
        DType::Q4_1 | DType::Q5_1 | DType::Q4K | DType::Q5K => &[0, 2],
        DType::Q2K => &[80, 82],
        DType::Q3K => &[108],
        DType::Q6K => &[208],
        DType::TQ1_0 => &[52],
        DType::TQ2_0 => &[64],
        _ => &[0],
    }
}
