//! Random weights in every format.
#![allow(dead_code)]

use std::io::Write;

use half::{bf16, f16};
use rand::RngExt;
use sotto_kernels::Kernels;
use sotto_kernels::blocks::{BlockQ4_0, BlockQ4K, BlockQ5K, BlockQ6K, BlockQ8_0};
use sotto_kernels::packed::WeightFormat;
use sotto_kernels::plain::{Plain, cast_slice};
use sotto_kernels::scalar::{Dequantize, dequantize_row};

/// Says that a test has run these kernels: `cargo xtask test-arm` fails when an instruction set is missing.
pub fn say_exercised(kernels: &Kernels) {
    // Not `eprintln`: the test runner would keep that to itself.
    writeln!(std::io::stderr(), "EXERCISED: {} {}", env!("CARGO_PKG_NAME"), kernels.name()).expect("stderr");
}

/// Values from `-scale` to `scale`.
pub fn random_values(len: usize, scale: f32) -> Vec<f32> {
    let mut rng = rand::rng();
    (0..len).map(|_| rng.random_range(-scale..=scale)).collect()
}

/// A matrix as it would lie in a file, and its weights by the oracle.
pub fn random_matrix(format: WeightFormat, rows: usize, cols: usize) -> (Vec<u8>, Vec<f32>) {
    let mut rng = rand::rng();
    let mut source = vec![0u8; rows * cols / format.block_len() * format.block_bytes()];
    rng.fill(&mut source[..]);
    for block in source.chunks_exact_mut(format.block_bytes()) {
        for at in scale_offsets(format) {
            let scale = f16::from_f32(rng.random_range(-0.1..0.1));
            block[*at..at + 2].copy_from_slice(&scale.to_le_bytes());
        }
        let number = rng.random_range(-2.0f32..2.0);
        match format {
            WeightFormat::F32 => block.copy_from_slice(&number.to_le_bytes()),
            WeightFormat::F16 => block.copy_from_slice(&f16::from_f32(number).to_le_bytes()),
            WeightFormat::BF16 => block.copy_from_slice(&bf16::from_f32(number).to_le_bytes()),
            _ => {}
        }
    }
    let weights = dequantize(format, &source, cols);
    (source, weights)
}

/// The weights of rows of `cols`.
pub fn dequantize(format: WeightFormat, source: &[u8], cols: usize) -> Vec<f32> {
    match format {
        WeightFormat::F32 => rows_of::<f32>(source, cols),
        WeightFormat::F16 => rows_of::<f16>(source, cols),
        WeightFormat::BF16 => rows_of::<bf16>(source, cols),
        WeightFormat::Q4_0 => rows_of::<BlockQ4_0>(source, cols),
        WeightFormat::Q8_0 => rows_of::<BlockQ8_0>(source, cols),
        WeightFormat::Q4K => rows_of::<BlockQ4K>(source, cols),
        WeightFormat::Q5K => rows_of::<BlockQ5K>(source, cols),
        WeightFormat::Q6K => rows_of::<BlockQ6K>(source, cols),
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
pub fn fill_codes(format: WeightFormat, source: &mut [u8], byte: u8) {
    for block in source.chunks_exact_mut(format.block_bytes()) {
        let scales: Vec<[u8; 2]> = scale_offsets(format).iter().map(|&at| [block[at], block[at + 1]]).collect();
        block.fill(byte);
        for (at, scale) in scale_offsets(format).iter().zip(scales) {
            block[*at..at + 2].copy_from_slice(&scale);
        }
    }
}

/// Sets every 16-bit scale of the blocks.
pub fn fill_scales(format: WeightFormat, source: &mut [u8], scale: f16) {
    for block in source.chunks_exact_mut(format.block_bytes()) {
        for &at in scale_offsets(format) {
            block[at..at + 2].copy_from_slice(&scale.to_le_bytes());
        }
    }
}

/// Where a block's 16-bit scales are.
fn scale_offsets(format: WeightFormat) -> &'static [usize] {
    match format {
        WeightFormat::F32 | WeightFormat::F16 | WeightFormat::BF16 => &[],
        WeightFormat::Q4_0 | WeightFormat::Q8_0 => &[0],
        WeightFormat::Q4K | WeightFormat::Q5K => &[0, 2],
        WeightFormat::Q6K => &[208],
    }
}
