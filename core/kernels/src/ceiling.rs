//! What the machine could do at most: products from register to register, and reading.

use std::hint::black_box;

use crate::matmul::MatMul;
use crate::matmul::gemv::{AHEAD, CACHE_LINE, STREAMS};

/// Sums that do not wait for each other: enough to hide what an instruction takes.
const SUMS: usize = 12;

/// Does `rounds` rounds of integer products on registers, and returns how many multiply-accumulates they were.
#[inline(always)]
pub(crate) fn multiply_accumulates<S: MatMul>(s: S, rounds: usize) -> u64 {
    let codes = black_box(s.splat_int(0x0102_0304));
    let x = black_box([1i8; 16]);
    // SAFETY: sixteen bytes, which outlive their last use below.
    let x = unsafe { s.load_sixteen(x.as_ptr()) };
    let mut sums = [s.dots(s.splat_int(0)); SUMS];
    for _ in 0..rounds {
        for sum in &mut sums {
            *sum = s.densest_product(*sum, s.unknown(codes), x);
        }
    }
    black_box(sums);
    (rounds * SUMS * S::DENSEST_PRODUCT) as u64
}

/// Reads all of `bytes`, but for what does not fill cache lines in each stream.
#[inline(always)]
pub(crate) fn read<S: MatMul>(s: S, bytes: &[u8]) {
    let mut sums = [s.splat_int(0); 2];
    let stream = bytes.len() / STREAMS / CACHE_LINE * CACHE_LINE;
    for line in (0..stream).step_by(CACHE_LINE) {
        for first in (0..STREAMS).map(|index| bytes.as_ptr().wrapping_add(index * stream + line)) {
            s.prefetch(first.wrapping_add(AHEAD));
            for (index, at) in (0..CACHE_LINE).step_by(4 * S::LANES).enumerate() {
                // SAFETY: the line lies within a stream, and `STREAMS` of these within the slice.
                let numbers = unsafe { s.load_int(first.add(at)) };
                sums[index % 2] = s.add_int(sums[index % 2], numbers);
            }
        }
    }
    black_box(sums);
}
