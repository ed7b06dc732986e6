//! GEMM by `smmla`: what its tile looks like.

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
    unsafe fn store_codes(self, groups: (uint32x4_t, uint32x4_t), to: *mut u8, vector: usize) {
        // SAFETY: eight columns of a tile are 64 bytes, for which there is room, by `# Safety`: 32 for each four rows.
        unsafe {
            self.store_int(vzip1q_u32(groups.0, groups.1), to.add(32 * vector));
            self.store_int(vzip2q_u32(groups.0, groups.1), to.add(32 * vector + 16));
        }
    }

    #[inline(always)]
    unsafe fn store_numbers(self, numbers: float32x4_t, to: *mut f32, vector: usize) {
        // SAFETY: every AArch64 CPU has NEON, and there is room for 64 bytes, by `# Safety`: for each number twice.
        unsafe {
            let pairs = vreinterpretq_f64_f32(numbers);
            vst1q_f64(to.add(8 * vector).cast(), vdupq_laneq_f64::<0>(pairs));
            vst1q_f64(to.add(8 * vector + 4).cast(), vdupq_laneq_f64::<1>(pairs));
        }
    }

    /// `[pair][row][8]`.
    #[inline(always)]
    unsafe fn interleave_sixteen(self, rows: [*const i8; 2], to: *mut i8, next: usize, pair: usize, _pairs: usize) {
        // SAFETY: every AArch64 CPU has NEON; sixteen values can be read of each row, and eight columns of all of the tile's pairs have
        // room at `to` and `next` bytes further on, by `# Safety`: those of a pair are 16 bytes.
        unsafe {
            let rows = rows.map(|row| vreinterpretq_s64_s8(vld1q_s8(row)));
            let to = to.add(pair * 16);
            vst1q_s8(to, vreinterpretq_s8_s64(vzip1q_s64(rows[0], rows[1])));
            vst1q_s8(to.add(next), vreinterpretq_s8_s64(vzip2q_s64(rows[0], rows[1])));
        }
    }

    #[inline(always)]
    unsafe fn interleave_numbers(self, rows: [f32; 2], to: *mut f32, pair: usize) {
        // SAFETY: each pair has room for sixteen bytes, by `# Safety`: for each number twice.
        unsafe { to.add(4 * pair).cast::<[f32; 4]>().write_unaligned([rows[0], rows[0], rows[1], rows[1]]) };
    }

    #[inline(always)]
    unsafe fn add_eight<const P: usize>(self, codes: *const u8, x: *const i8, dots: &mut [[uint32x4_t; VECTORS]; P]) {
        for p in 0..P {
            // SAFETY: eight columns of `P` pairs can be read, by `# Safety`, sixteen bytes of each.
            let x = unsafe { self.load_int(x.add(p * 16).cast()) };
            for v in 0..VECTORS {
                // SAFETY: eight columns of the tile can be read, by `# Safety`, in `VECTORS` vectors; an `I8mm` exists only where the
                // CPU has the instruction.
                dots[p][v] = unsafe { smmla(dots[p][v], x, self.load_int(codes.add(v * 16))) };
            }
        }
    }

    #[inline(always)]
    unsafe fn weight_factors(self, from: *const f32) -> [float32x4_t; VECTORS] {
        // SAFETY: the tile's numbers can be read, by `# Safety`, each twice: in `VECTORS` vectors.
        std::array::from_fn(|v| unsafe { self.load(from.add(4 * v)) })
    }

    #[inline(always)]
    unsafe fn activation_factors<const P: usize>(self, from: *const f32) -> [[float32x4_t; VECTORS]; P] {
        // SAFETY: the numbers of `P` pairs can be read, by `# Safety`, each twice: a vector for each pair.
        std::array::from_fn(|p| [unsafe { self.load(from.add(4 * p)) }; VECTORS])
    }

    #[inline(always)]
    fn results(self, sums: [float32x4_t; VECTORS]) -> [[float32x4_t; 2]; 2] {
        // SAFETY: every AArch64 CPU has NEON.
        unsafe {
            let [a, b, c, d] = sums.map(|sums| vreinterpretq_f64_f32(sums));
            let row = |first: [float64x2_t; 2]| first.map(|sums| vreinterpretq_f32_f64(sums));
            [row([vzip1q_f64(a, b), vzip1q_f64(c, d)]), row([vzip2q_f64(a, b), vzip2q_f64(c, d)])]
        }
    }
}
