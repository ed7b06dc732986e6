//! GEMM by `sdot`: what its tile looks like.

#![allow(clippy::needless_range_loop)]

use std::arch::aarch64::*;

use super::asm;
use crate::matmul::arm::asm::{Dots, Sums};
use crate::matmul::arm::gemm::{Part, Tile, VECTORS};
use crate::simd::Simd;
use crate::simd::arm::DotProd;

/// Two vectors of four rows of weights for each row of activations. A vector has four columns of four rows, or eight of the
/// last two of activations; an instruction takes a lane of it.
impl Tile for DotProd {
    tile_of_three!(asm);

    #[inline(always)]
    unsafe fn store_codes(self, groups: (uint32x4_t, uint32x4_t), to: *mut u8, vector: usize) {
        // SAFETY: eight columns of a tile are 64 bytes, for which there is room, by `# Safety`: two groups, each with two vectors.
        unsafe {
            self.store_int(groups.0, to.add(16 * vector));
            self.store_int(groups.1, to.add(32 + 16 * vector));
        }
    }

    #[inline(always)]
    unsafe fn store_numbers(self, numbers: float32x4_t, to: *mut f32, vector: usize) {
        // SAFETY: there is room for 64 bytes, by `# Safety`, of which the tile's numbers take 32.
        unsafe { self.store(numbers, to.add(4 * vector)) };
    }

    /// `[two pairs][four columns][row][4]`.
    #[inline(always)]
    unsafe fn interleave_sixteen(self, rows: [*const i8; 2], to: *mut i8, next: usize, pair: usize, pairs: usize) {
        let is_alone = pair + 1 == pairs && pairs % 2 == 1;
        // SAFETY: sixteen values can be read of each row, and eight columns of all of the tile's pairs have room at `to` and `next`
        // bytes further on, by `# Safety`: those of two pairs are 32 bytes, of a last one alone 16.
        unsafe {
            let rows = rows.map(|row| self.load_int(row.cast()));
            let to = to.add(pair / 2 * 32).cast::<u8>();
            let eights = [vzip1q_u32(rows[0], rows[1]), vzip2q_u32(rows[0], rows[1])];
            for (eight, columns) in eights.into_iter().enumerate() {
                let to = to.add(eight * next);
                if is_alone {
                    self.store_int(columns, to);
                } else {
                    let to = to.add(pair % 2 * 8);
                    vst1_u32(to.cast(), vget_low_u32(columns));
                    vst1_u32(to.add(16).cast(), vget_high_u32(columns));
                }
            }
        }
    }

    #[inline(always)]
    unsafe fn interleave_numbers(self, rows: [f32; 2], to: *mut f32, pair: usize) {
        // SAFETY: each pair has room for sixteen bytes, by `# Safety`, of which this takes eight.
        unsafe { to.add(2 * pair).cast::<[f32; 2]>().write_unaligned(rows) };
    }

    #[inline(always)]
    unsafe fn add_eight<const P: usize>(self, codes: *const u8, x: *const i8, dots: &mut [[uint32x4_t; VECTORS]; P]) {
        // SAFETY: eight columns of `P` pairs can be read, by `# Safety`, sixteen bytes of each.
        let x: [uint32x4_t; P] = std::array::from_fn(|at| unsafe { self.load_int(x.add(at * 16).cast()) });
        for group in 0..2 {
            // SAFETY: eight columns of the tile can be read, by `# Safety`: two groups, each with two vectors.
            let codes: [uint32x4_t; 2] =
                std::array::from_fn(|v| unsafe { self.load_int(codes.add(32 * group + 16 * v)) });
            for p in 0..P {
                let is_alone = p + 1 == P && P % 2 == 1;
                let (x, first) = if is_alone { (x[p], 2 * group) } else { (x[p / 2 * 2 + group], p % 2 * 2) };
                for v in 0..VECTORS {
                    dots[p][v] = dot_lane(self, dots[p][v], codes[v % 2], x, first + v / 2);
                }
            }
        }
    }

    #[inline(always)]
    unsafe fn weight_factors(self, from: *const f32) -> [float32x4_t; VECTORS] {
        // SAFETY: the tile's eight numbers can be read, by `# Safety`.
        let (first, last) = unsafe { (self.load(from), self.load(from.add(4))) };
        [first, last, first, last]
    }

    #[inline(always)]
    unsafe fn activation_factors<const P: usize>(self, from: *const f32) -> [[float32x4_t; VECTORS]; P] {
        // SAFETY: numbers of `P` pairs can be read, by `# Safety`, for each of which there is room for four: of three, eight are there.
        let vectors = unsafe { [self.load(from), if P > 2 { self.load(from.add(4)) } else { self.splat(0.0) }] };
        std::array::from_fn(|p| {
            // SAFETY: every AArch64 CPU has NEON.
            let [first, second] = unsafe {
                match p % 2 {
                    0 => [vdupq_laneq_f32::<0>(vectors[p / 2]), vdupq_laneq_f32::<1>(vectors[p / 2])],
                    _ => [vdupq_laneq_f32::<2>(vectors[p / 2]), vdupq_laneq_f32::<3>(vectors[p / 2])],
                }
            };
            [first, first, second, second]
        })
    }

    #[inline(always)]
    fn results(self, sums: [float32x4_t; VECTORS]) -> [[float32x4_t; 2]; 2] {
        [[sums[0], sums[1]], [sums[2], sums[3]]]
    }
}

/// Adds the products with lane `lane` of `x`, one of four.
#[inline(always)]
fn dot_lane(s: DotProd, dots: uint32x4_t, codes: uint32x4_t, x: uint32x4_t, lane: usize) -> uint32x4_t {
    match lane {
        0 => s.dot_signed::<0>(dots, codes, x),
        1 => s.dot_signed::<1>(dots, codes, x),
        2 => s.dot_signed::<2>(dots, codes, x),
        _ => s.dot_signed::<3>(dots, codes, x),
    }
}
