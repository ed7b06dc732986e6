//! GEMM by `smmla`: what its tile looks like.

// Loads and stores as the trait says; instructions that the implementors stand for.
#![allow(unsafe_op_in_unsafe_fn)]
#![allow(clippy::needless_range_loop)]

use std::arch::aarch64::*;

use super::asm;
use crate::matmul::arm::asm::{Dots, Sums};
use crate::matmul::arm::gemm::{Part, Tile, VECTORS};
use crate::simd::Simd;
use crate::simd::arm::{I8mm, smmla};

/// A vector of four results for each pair of rows of weights: 2 x 2, the first row of activations first. Vectors of both
/// factors have eight columns of two rows.
impl Tile for I8mm {
    tile_of_three!(asm);

    #[inline(always)]
    unsafe fn store_codes(groups: (uint32x4_t, uint32x4_t), to: *mut u8, vector: usize) {
        Self::store_int(vzip1q_u32(groups.0, groups.1), to.add(32 * vector));
        Self::store_int(vzip2q_u32(groups.0, groups.1), to.add(32 * vector + 16));
    }

    #[inline(always)]
    unsafe fn store_numbers(numbers: float32x4_t, to: *mut f32, vector: usize) {
        let pairs = vreinterpretq_f64_f32(numbers);
        vst1q_f64(to.add(8 * vector).cast(), vdupq_laneq_f64::<0>(pairs));
        vst1q_f64(to.add(8 * vector + 4).cast(), vdupq_laneq_f64::<1>(pairs));
    }

    /// `[pair][row][8]`.
    #[inline(always)]
    unsafe fn interleave_sixteen(rows: [*const i8; 2], to: *mut i8, next: usize, pair: usize, _pairs: usize) {
        let rows = rows.map(|row| vreinterpretq_s64_s8(vld1q_s8(row)));
        let to = to.add(pair * 16);
        vst1q_s8(to, vreinterpretq_s8_s64(vzip1q_s64(rows[0], rows[1])));
        vst1q_s8(to.add(next), vreinterpretq_s8_s64(vzip2q_s64(rows[0], rows[1])));
    }

    #[inline(always)]
    unsafe fn interleave_numbers(rows: [f32; 2], to: *mut f32, pair: usize) {
        to.add(4 * pair).cast::<[f32; 4]>().write_unaligned([rows[0], rows[0], rows[1], rows[1]]);
    }

    #[inline(always)]
    unsafe fn add_eight<const P: usize>(codes: *const u8, x: *const i8, dots: &mut [[uint32x4_t; VECTORS]; P]) {
        for p in 0..P {
            let x = Self::load_int(x.add(p * 16).cast());
            for v in 0..VECTORS {
                dots[p][v] = smmla(dots[p][v], x, Self::load_int(codes.add(v * 16)));
            }
        }
    }

    #[inline(always)]
    unsafe fn weight_factors(from: *const f32) -> [float32x4_t; VECTORS] {
        std::array::from_fn(|v| Self::load(from.add(4 * v)))
    }

    #[inline(always)]
    unsafe fn activation_factors<const P: usize>(from: *const f32) -> [[float32x4_t; VECTORS]; P] {
        std::array::from_fn(|p| [Self::load(from.add(4 * p)); VECTORS])
    }

    #[inline(always)]
    unsafe fn results(sums: [float32x4_t; VECTORS]) -> [[float32x4_t; 2]; 2] {
        let [a, b, c, d] = sums.map(|sums| vreinterpretq_f64_f32(sums));
        let row = |first: [float64x2_t; 2]| first.map(|sums| vreinterpretq_f32_f64(sums));
        [row([vzip1q_f64(a, b), vzip1q_f64(c, d)]), row([vzip2q_f64(a, b), vzip2q_f64(c, d)])]
    }
}
