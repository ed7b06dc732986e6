//! Tiles of dotprod and i8mm.

// Loads and stores as the trait says; instructions that the implementors stand for.
#![allow(unsafe_op_in_unsafe_fn)]
#![allow(clippy::needless_range_loop)]

use std::arch::aarch64::*;

use super::asm;
use super::many::{Tile, VECTORS};
use crate::simd::Simd;
use crate::simd::arm::{DotProd, I8mm, smmla};

/// Two vectors of four rows of weights for each row of activations. A vector of codes has four columns of four rows; a
/// vector of activations has 16 columns of a row, of which an instruction takes four.
impl Tile for DotProd {
    #[inline(always)]
    unsafe fn store_codes(groups: (uint32x4_t, uint32x4_t), to: *mut u8, vector: usize) {
        Self::store_int(groups.0, to.add(16 * vector));
        Self::store_int(groups.1, to.add(32 + 16 * vector));
    }

    #[inline(always)]
    unsafe fn sub_bytes(codes: uint32x4_t, offset: i8) -> uint32x4_t {
        sub_bytes(codes, offset)
    }

    #[inline(always)]
    unsafe fn store_numbers(numbers: float32x4_t, to: *mut f32, vector: usize) {
        Self::store(numbers, to.add(4 * vector));
    }

    /// `[half][row][16]`.
    #[inline(always)]
    unsafe fn arrange_values(rows: [*const i8; 2], to: *mut i8, pair: usize, pairs: usize) {
        for half in 0..2 {
            let to = to.add(half * pairs * 32 + pair * 32);
            vst1q_s8(to, vld1q_s8(rows[0].add(16 * half)));
            vst1q_s8(to.add(16), vld1q_s8(rows[1].add(16 * half)));
        }
    }

    #[inline(always)]
    unsafe fn arrange_numbers(rows: [f32; 2], to: *mut f32, pair: usize) {
        to.add(2 * pair).cast::<[f32; 2]>().write_unaligned(rows);
    }

    #[inline(always)]
    unsafe fn add_dots<const P: usize>(codes: *const u8, x: *const i8, dots: &mut [[uint32x4_t; VECTORS]; P]) {
        let x: [[uint32x4_t; 2]; P] =
            std::array::from_fn(|p| std::array::from_fn(|row| Self::load_int(x.add(p * 32 + row * 16).cast())));
        dot_group::<P, 0>(codes, &x, dots);
        dot_group::<P, 1>(codes, &x, dots);
        dot_group::<P, 2>(codes, &x, dots);
        dot_group::<P, 3>(codes, &x, dots);
    }

    #[inline(always)]
    unsafe fn add_products_of_three<const HALVES: usize, const HALF: usize>(
        weights: &mut *const u8,
        x: *const u8,
        sums: &mut asm::Sums,
    ) {
        match HALVES {
            1 => asm::add_by_sdot::<0>(weights, x, sums),
            _ => asm::add_half_by_sdot::<HALF>(weights, x, sums),
        }
    }

    #[inline(always)]
    unsafe fn weight_factors(from: *const f32) -> [float32x4_t; VECTORS] {
        let (first, last) = (Self::load(from), Self::load(from.add(4)));
        [first, last, first, last]
    }

    #[inline(always)]
    unsafe fn activation_factors<const P: usize>(from: *const f32) -> [[float32x4_t; VECTORS]; P] {
        let vectors = [Self::load(from), if P > 2 { Self::load(from.add(4)) } else { Self::splat(0.0) }];
        std::array::from_fn(|p| {
            let [first, second] = match p % 2 {
                0 => [vdupq_laneq_f32::<0>(vectors[p / 2]), vdupq_laneq_f32::<1>(vectors[p / 2])],
                _ => [vdupq_laneq_f32::<2>(vectors[p / 2]), vdupq_laneq_f32::<3>(vectors[p / 2])],
            };
            [first, first, second, second]
        })
    }

    #[inline(always)]
    unsafe fn results(sums: [float32x4_t; VECTORS]) -> [[float32x4_t; 2]; 2] {
        [[sums[0], sums[1]], [sums[2], sums[3]]]
    }
}

#[inline(always)]
unsafe fn dot_group<const P: usize, const GROUP: usize>(
    codes: *const u8,
    x: &[[uint32x4_t; 2]; P],
    dots: &mut [[uint32x4_t; VECTORS]; P],
) {
    let codes: [uint32x4_t; 2] = std::array::from_fn(|v| DotProd::load_int(codes.add(32 * GROUP + 16 * v)));
    for p in 0..P {
        for v in 0..VECTORS {
            dots[p][v] = DotProd::dot_signed::<GROUP>(dots[p][v], codes[v % 2], x[p][v / 2]);
        }
    }
}

/// A vector of four results for each pair of rows of weights: 2 x 2, the first row of activations first. Vectors of both
/// factors have eight columns of two rows.
impl Tile for I8mm {
    #[inline(always)]
    unsafe fn store_codes(groups: (uint32x4_t, uint32x4_t), to: *mut u8, vector: usize) {
        Self::store_int(vzip1q_u32(groups.0, groups.1), to.add(32 * vector));
        Self::store_int(vzip2q_u32(groups.0, groups.1), to.add(32 * vector + 16));
    }

    #[inline(always)]
    unsafe fn sub_bytes(codes: uint32x4_t, offset: i8) -> uint32x4_t {
        sub_bytes(codes, offset)
    }

    #[inline(always)]
    unsafe fn store_numbers(numbers: float32x4_t, to: *mut f32, vector: usize) {
        let pairs = vreinterpretq_f64_f32(numbers);
        vst1q_f64(to.add(8 * vector).cast(), vdupq_laneq_f64::<0>(pairs));
        vst1q_f64(to.add(8 * vector + 4).cast(), vdupq_laneq_f64::<1>(pairs));
    }

    /// `[eight columns][pair][row][8]`.
    #[inline(always)]
    unsafe fn arrange_values(rows: [*const i8; 2], to: *mut i8, pair: usize, pairs: usize) {
        for half in 0..2 {
            let rows = rows.map(|row| vreinterpretq_s64_s8(vld1q_s8(row.add(16 * half))));
            let to = to.add(half * pairs * 32 + pair * 16);
            vst1q_s8(to, vreinterpretq_s8_s64(vzip1q_s64(rows[0], rows[1])));
            vst1q_s8(to.add(pairs * 16), vreinterpretq_s8_s64(vzip2q_s64(rows[0], rows[1])));
        }
    }

    #[inline(always)]
    unsafe fn arrange_numbers(rows: [f32; 2], to: *mut f32, pair: usize) {
        to.add(4 * pair).cast::<[f32; 4]>().write_unaligned([rows[0], rows[0], rows[1], rows[1]]);
    }

    #[inline(always)]
    unsafe fn add_dots<const P: usize>(codes: *const u8, x: *const i8, dots: &mut [[uint32x4_t; VECTORS]; P]) {
        for eight in 0..2 {
            for p in 0..P {
                let x = Self::load_int(x.add((eight * P + p) * 16).cast());
                for v in 0..VECTORS {
                    dots[p][v] = smmla(dots[p][v], x, Self::load_int(codes.add((eight * VECTORS + v) * 16)));
                }
            }
        }
    }

    #[inline(always)]
    unsafe fn add_products_of_three<const HALVES: usize, const HALF: usize>(
        weights: &mut *const u8,
        x: *const u8,
        sums: &mut asm::Sums,
    ) {
        match HALVES {
            1 => asm::add_by_smmla::<0>(weights, x, sums),
            _ => asm::add_half_by_smmla::<HALF>(weights, x, sums),
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

#[inline(always)]
unsafe fn sub_bytes(codes: uint32x4_t, offset: i8) -> uint32x4_t {
    vreinterpretq_u32_s8(vsubq_s8(vreinterpretq_s8_u32(codes), vdupq_n_s8(offset)))
}
