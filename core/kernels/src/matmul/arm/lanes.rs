//! Products with one lane of a vector of activations.

// Instructions that the implementors stand for.
#![allow(unsafe_op_in_unsafe_fn)]

use std::arch::aarch64::*;

use super::few::ByLane;
use crate::simd::Simd;
use crate::simd::arm::{DotProd, I8mm, Neon};

macro_rules! by_lane {
    ($isa:ty) => {
        impl ByLane for $isa {
            #[inline(always)]
            unsafe fn byte<const BYTE: usize>(x: uint32x4_t) -> uint32x4_t {
                match BYTE {
                    0 => Self::and(x, Self::splat_int(0xff)),
                    3 => Self::shr::<24>(x),
                    _ => look_up(x, std::array::from_fn(|at| if at % 4 == 0 { (at + BYTE) as u8 } else { 0xff })),
                }
            }

            #[inline(always)]
            unsafe fn spread<const HALF: usize>(x: uint32x4_t) -> [uint32x4_t; 2] {
                // Each byte twice; of its four numbers, one to a byte, are shifted left, the others right.
                let bytes = look_up(x, std::array::from_fn(|byte| (byte / 4 * 4 + 2 * HALF + byte % 4 / 2) as u8));
                let numbers = |shifts: [i8; 2]| {
                    let shifts: [i8; 16] = std::array::from_fn(|byte| shifts[byte % 2]);
                    let shifted = vshlq_u8(vreinterpretq_u8_u32(bytes), vld1q_s8(shifts.as_ptr()));
                    vreinterpretq_u32_u8(vandq_u8(shifted, vdupq_n_u8(0x30)))
                };
                [numbers([4, 0]), numbers([2, -2])]
            }
        }
    };
}

by_lane!(Neon);
by_lane!(DotProd);
by_lane!(I8mm);

/// The bytes of `x` at `indices`, zero for those that it has not.
#[inline(always)]
unsafe fn look_up(x: uint32x4_t, indices: [u8; 16]) -> uint32x4_t {
    vreinterpretq_u32_u8(vqtbl1q_u8(vreinterpretq_u8_u32(x), vld1q_u8(indices.as_ptr())))
}
