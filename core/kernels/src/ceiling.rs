//! What the machine could do at most: products from register to register, and reading.

// Loads stay within the slice, in whole vectors.
#![allow(unsafe_op_in_unsafe_fn)]

use std::hint::black_box;

use crate::matmul::MatMul;
use crate::matmul::gemv::{AHEAD, CACHE_LINE, STREAMS};

/// Sums that do not wait for each other: enough to hide what an instruction takes.
const SUMS: usize = 12;

/// Does `rounds` rounds of integer products on registers, and returns how many multiply-accumulates they were.
///
/// # Safety
/// `S` runs on this CPU.
#[inline(always)]
pub(crate) unsafe fn multiply_accumulates<S: MatMul>(rounds: usize) -> u64 {
    let codes = black_box(S::splat_int(0x0102_0304));
    let x = S::load_sixteen(black_box(&[1i8; 16]).as_ptr());
    let mut sums = [S::dots(S::splat_int(0)); SUMS];
    for _ in 0..rounds {
        for sum in &mut sums {
            *sum = S::densest_product(*sum, S::unknown(codes), x);
        }
    }
    black_box(sums);
    (rounds * SUMS * S::DENSEST_PRODUCT) as u64
}

/// Reads all of `bytes`, but for what does not fill cache lines in each stream.
///
/// # Safety
/// `S` runs on this CPU.
#[inline(always)]
pub(crate) unsafe fn read<S: MatMul>(bytes: &[u8]) {
    let mut sums = [S::splat_int(0); 2];
    let stream = bytes.len() / STREAMS / CACHE_LINE * CACHE_LINE;
    for line in (0..stream).step_by(CACHE_LINE) {
        for first in (0..STREAMS).map(|index| bytes.as_ptr().add(index * stream + line)) {
            S::prefetch(first.wrapping_add(AHEAD));
            for (index, at) in (0..CACHE_LINE).step_by(4 * S::LANES).enumerate() {
                sums[index % 2] = S::add_int(sums[index % 2], S::load_int(first.add(at)));
            }
        }
    }
    black_box(sums);
}
