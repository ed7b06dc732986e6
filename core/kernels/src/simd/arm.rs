//! NEON, alone and with the integer dot products that later ARM CPUs added to it.

use std::arch::aarch64::*;
use std::arch::asm;

use super::{Simd, intrinsics, loads, wide_dots};
use crate::activations::{GROUP_SUMS, SUM_ORDER};
use crate::packed::layout::SUB_BLOCK;

/// What every AArch64 CPU has.
#[derive(Clone, Copy)]
pub(crate) struct Neon(());

/// As [`Neon`], with four-way integer dot products (`sdot`).
#[derive(Clone, Copy)]
pub(crate) struct DotProd(());

/// As [`DotProd`], with products of 2 x 8 and 8 x 2 matrices of bytes (`smmla`), for many rows of activations.
#[derive(Clone, Copy)]
pub(crate) struct I8mm(());

/// [`Simd::dot_codes`] and its kin, each an expression.
macro_rules! dots_by_group {
    ($($method:ident($dots:ident, $codes:ident, $x:ident) = $call:expr;)*) => {
        $(#[inline(always)]
        fn $method<const GROUP: usize>(self, $dots: Self::Dots, $codes: Self::Int, $x: Self::Sixteen) -> Self::Dots {
            $call
        })*
    };
}

/// The instruction sets differ in nothing but their integer dot products.
macro_rules! simd_128 {
    ($isa:ty, { $($dots:tt)* }) => {
        impl Simd for $isa {
            const LANES: usize = 4;
            const SIGNED_OFFSET: i32 = 0;

            type F32 = float32x4_t;
            type Int = uint32x4_t;
            type Four = float32x4_t;
            type Sixteen = uint32x4_t;

            $($dots)*

            intrinsics! {
                splat(self, x: f32) -> float32x4_t = vdupq_n_f32(x);
                add(self, a: float32x4_t, b: float32x4_t) -> float32x4_t = vaddq_f32(a, b);
                sub(self, a: float32x4_t, b: float32x4_t) -> float32x4_t = vsubq_f32(a, b);
                mul(self, a: float32x4_t, b: float32x4_t) -> float32x4_t = vmulq_f32(a, b);
                div(self, a: float32x4_t, b: float32x4_t) -> float32x4_t = vdivq_f32(a, b);
                // Of a number and NaN, this takes the number, and the next two NaN.
                max(self, a: float32x4_t, b: float32x4_t) -> float32x4_t = vmaxnmq_f32(a, b);
                at_least(self, bound: float32x4_t, x: float32x4_t) -> float32x4_t = vmaxq_f32(bound, x);
                at_most(self, bound: float32x4_t, x: float32x4_t) -> float32x4_t = vminq_f32(bound, x);
                fma(self, a: float32x4_t, b: float32x4_t, c: float32x4_t) -> float32x4_t = vfmaq_f32(c, a, b);
                neg_fma(self, a: float32x4_t, b: float32x4_t, c: float32x4_t) -> float32x4_t = vfmsq_f32(c, a, b);
                round_to_int(self, x: float32x4_t) -> uint32x4_t = vreinterpretq_u32_s32(vcvtnq_s32_f32(x));
                to_f32(self, x: uint32x4_t) -> float32x4_t = vcvtq_f32_s32(vreinterpretq_s32_u32(x));
                to_bits(self, x: float32x4_t) -> uint32x4_t = vreinterpretq_u32_f32(x);
                bits_as_f32(self, x: uint32x4_t) -> float32x4_t = vreinterpretq_f32_u32(x);
                splat_int(self, x: i32) -> uint32x4_t = vdupq_n_u32(x.cast_unsigned());
                look_up(self, table: uint32x4_t, indices: uint32x4_t) -> uint32x4_t =
                    vreinterpretq_u32_u8(vqtbl1q_u8(vreinterpretq_u8_u32(table), vreinterpretq_u8_u32(indices)));
                sub_bytes(self, x: uint32x4_t, less: u8) -> uint32x4_t =
                    vreinterpretq_u32_u8(vsubq_u8(vreinterpretq_u8_u32(x), vdupq_n_u8(less)));
                mul_bytes(self, a: uint32x4_t, b: uint32x4_t) -> uint32x4_t =
                    vreinterpretq_u32_u8(vmulq_u8(vreinterpretq_u8_u32(a), vreinterpretq_u8_u32(b)));
                max_int(self, a: uint32x4_t, b: uint32x4_t) -> uint32x4_t =
                    vreinterpretq_u32_s32(vmaxq_s32(vreinterpretq_s32_u32(a), vreinterpretq_s32_u32(b)));
                add_int(self, a: uint32x4_t, b: uint32x4_t) -> uint32x4_t = vaddq_u32(a, b);
                mul_add_int(self, a: uint32x4_t, b: uint32x4_t, c: uint32x4_t) -> uint32x4_t = vmlaq_u32(c, a, b);
                largest_lane(self, x: uint32x4_t) -> i32 = vmaxvq_s32(vreinterpretq_s32_u32(x));
                and(self, a: uint32x4_t, b: uint32x4_t) -> uint32x4_t = vandq_u32(a, b);
                or(self, a: uint32x4_t, b: uint32x4_t) -> uint32x4_t = vorrq_u32(a, b);
            }

            loads! {
                load(self, from: *const f32) -> float32x4_t = vld1q_f32(from);
                load_f16(self, from: *const u8) -> float32x4_t =
                    vcvt_f32_f16(vreinterpret_f16_u16(vld1_u16(from.cast())));
                load_bf16(self, from: *const u8) -> float32x4_t =
                    vreinterpretq_f32_u32(vshll_n_u16::<16>(vld1_u16(from.cast())));
                load_four(self, from: *const f32) -> float32x4_t = vld1q_f32(from);
                load_int(self, from: *const u8) -> uint32x4_t = vreinterpretq_u32_u8(vld1q_u8(from));
                load_i8(self, from: *const u8, vector: usize) -> uint32x4_t = vreinterpretq_u32_s32(widen_i8(from, vector));
                load_sixteen(self, from: *const i8) -> uint32x4_t = self.load_int(from.cast());
            }

            #[inline(always)]
            unsafe fn new() -> Self {
                Self(())
            }

            #[inline(always)]
            fn sum_pairs(self, x: uint32x4_t) -> [i32; 2] {
                sum_pairs(x)
            }

            #[inline(always)]
            fn signed_operand(self, bytes: uint32x4_t) -> uint32x4_t {
                bytes
            }

            #[inline(always)]
            fn fma_by<const INDEX: usize>(self, a: float32x4_t, four: float32x4_t, c: float32x4_t) -> float32x4_t {
                // SAFETY: every AArch64 CPU has NEON.
                unsafe {
                    // The compiler cannot tell that the index is one of four.
                    match INDEX {
                        0 => vfmaq_laneq_f32::<0>(c, a, four),
                        1 => vfmaq_laneq_f32::<1>(c, a, four),
                        2 => vfmaq_laneq_f32::<2>(c, a, four),
                        _ => vfmaq_laneq_f32::<3>(c, a, four),
                    }
                }
            }

            #[inline(always)]
            fn largest_of_each(self, [a, b, c, d]: [float32x4_t; 4]) -> [f32; 4] {
                let mut largest = [0.0; 4];
                // SAFETY: every AArch64 CPU has NEON, and the array has room for four numbers.
                unsafe { vst1q_f32(largest.as_mut_ptr(), vpmaxq_f32(vpmaxq_f32(a, b), vpmaxq_f32(c, d))) };
                largest
            }

            #[inline(always)]
            fn shr_bytes<const N: u32>(self, x: uint32x4_t) -> uint32x4_t {
                // SAFETY: every AArch64 CPU has NEON.
                unsafe { vreinterpretq_u32_u8(vshlq_u8(vreinterpretq_u8_u32(x), vdupq_n_s8(-(N as i8)))) }
            }

            #[inline(always)]
            fn shr_into<const N: u32>(self, x: uint32x4_t, mut into: uint32x4_t) -> uint32x4_t {
                // SAFETY: every AArch64 CPU has NEON, and this works on registers alone.
                unsafe {
                    asm!(
                        "sri {into:v}.16b, {x:v}.16b, #{n}",
                        into = inout(vreg) into, x = in(vreg) x, n = const N,
                        options(pure, nomem, nostack, preserves_flags),
                    );
                }
                into
            }

            #[inline(always)]
            unsafe fn store(self, x: float32x4_t, to: *mut f32) {
                // SAFETY: `LANES` numbers can be written at `to`, by `# Safety` of `Simd::store`, and the instruction stores at any
                // address.
                unsafe { vst1q_f32(to, x) };
            }

            #[inline(always)]
            fn store_low_bytes(self, x: &[uint32x4_t], to: &mut [i8; SUB_BLOCK]) {
                let (first, second) = to.split_at_mut(SUB_BLOCK / 2);
                // SAFETY: every AArch64 CPU has NEON, and `first` and `second` have room for sixteen bytes each.
                unsafe {
                    let low_halves =
                        |a, b| vreinterpretq_s8_u16(vuzp1q_u16(vreinterpretq_u16_u32(a), vreinterpretq_u16_u32(b)));
                    vst1q_s8(first.as_mut_ptr(), vuzp1q_s8(low_halves(x[0], x[1]), low_halves(x[2], x[3])));
                    vst1q_s8(second.as_mut_ptr(), vuzp1q_s8(low_halves(x[4], x[5]), low_halves(x[6], x[7])));
                }
            }

            #[inline(always)]
            unsafe fn store_int(self, x: uint32x4_t, to: *mut u8) {
                // SAFETY: `4 * LANES` bytes can be written at `to`, by `# Safety` of `Simd::store_int`, and the instruction stores at
                // any address.
                unsafe { vst1q_u8(to, vreinterpretq_u8_u32(x)) };
            }

            #[inline(always)]
            fn shl<const N: u32>(self, x: uint32x4_t) -> uint32x4_t {
                // SAFETY: every AArch64 CPU has NEON.
                unsafe { vshlq_u32(x, vdupq_n_s32(N.cast_signed())) }
            }

            #[inline(always)]
            fn shr<const N: u32>(self, x: uint32x4_t) -> uint32x4_t {
                // Shifts by a negative number go right.
                // SAFETY: every AArch64 CPU has NEON.
                unsafe { vshlq_u32(x, vdupq_n_s32(-N.cast_signed())) }
            }

            #[inline(always)]
            fn byte(self, x: uint32x4_t, index: usize) -> uint32x4_t {
                match index {
                    0 => self.and(x, self.splat_int(0xff)),
                    3 => self.shr::<24>(x),
                    _ => {
                        let places: [u8; 16] =
                            std::array::from_fn(|at| if at % 4 == 0 { (at + index) as u8 } else { 0xff });
                        // SAFETY: every AArch64 CPU has NEON, and there are as many places as a vector has bytes.
                        unsafe { vreinterpretq_u32_u8(vqtbl1q_u8(vreinterpretq_u8_u32(x), vld1q_u8(places.as_ptr()))) }
                    }
                }
            }
        }
    };
}

/// See [`Simd::sum_pairs`].
#[inline(always)]
fn sum_pairs(x: uint32x4_t) -> [i32; 2] {
    // SAFETY: every AArch64 CPU has NEON.
    unsafe {
        let pairs = vreinterpretq_s32_u32(vpaddq_u32(x, x));
        [vgetq_lane_s32::<0>(pairs), vgetq_lane_s32::<1>(pairs)]
    }
}

/// Loads what two vectors have together, so that each takes half of the first steps, which the compiler would make more of.
///
/// # Safety
/// Those eight bytes can be read.
#[inline(always)]
unsafe fn widen_i8(from: *const u8, vector: usize) -> int32x4_t {
    // SAFETY: these eight bytes can be read, by `# Safety`, and the instruction loads from any address.
    let bytes = unsafe { vld1_s8(from.cast::<i8>().add(vector / 2 * 8)) };
    let (halves, words): (int16x8_t, int32x4_t);
    // SAFETY: every AArch64 CPU has NEON, and this works on registers alone.
    unsafe {
        asm!("sxtl {0:v}.8h, {1:v}.8b", out(vreg) halves, in(vreg) bytes, options(pure, nomem, nostack, preserves_flags))
    };
    if vector.is_multiple_of(2) {
        // SAFETY: as above.
        unsafe {
            asm!("sxtl {0:v}.4s, {1:v}.4h", out(vreg) words, in(vreg) halves, options(pure, nomem, nostack, preserves_flags))
        };
    } else {
        // SAFETY: as above.
        unsafe {
            asm!("sxtl2 {0:v}.4s, {1:v}.8h", out(vreg) words, in(vreg) halves, options(pure, nomem, nostack, preserves_flags))
        };
    }
    words
}

/// Dot products of NEON alone, which multiplies eight bytes to eight products of 16 bits.
#[derive(Clone, Copy)]
pub(crate) struct NeonDots {
    /// Four sums for each row: of two rows, and of two.
    narrow: [int16x8_t; 2],
    wide: uint32x4_t,
}

impl NeonDots {
    #[inline(always)]
    fn add_by_lane<const LANE: usize>(self, a: uint32x4_t, b: uint32x4_t) -> Self {
        // SAFETY: every AArch64 CPU has NEON.
        unsafe {
            let b = match LANE {
                0 => vdupq_laneq_u32::<0>(b),
                1 => vdupq_laneq_u32::<1>(b),
                2 => vdupq_laneq_u32::<2>(b),
                _ => vdupq_laneq_u32::<3>(b),
            };
            let (a, b, [low, high]) = (vreinterpretq_s8_u32(a), vreinterpretq_s8_u32(b), self.narrow);
            Self { narrow: [vmlal_s8(low, vget_low_s8(a), vget_low_s8(b)), vmlal_high_s8(high, a, b)], ..self }
        }
    }

    #[inline(always)]
    fn sum(self) -> uint32x4_t {
        let (pairs, mut wide) = (self.pairs(), self.wide);
        // SAFETY: every AArch64 CPU has NEON, and this works on registers alone.
        unsafe {
            asm!(
                "sadalp {wide:v}.4s, {pairs:v}.8h",
                wide = inout(vreg) wide, pairs = in(vreg) pairs,
                options(pure, nomem, nostack, preserves_flags),
            );
        }
        wide
    }

    /// The sum of what has 16 bits.
    #[inline(always)]
    fn narrow_sum(self) -> uint32x4_t {
        // SAFETY: every AArch64 CPU has NEON.
        unsafe { vreinterpretq_u32_s32(vpaddlq_s16(self.pairs())) }
    }

    /// The compiler makes three instructions of `vpaddq`, and would add several groups' pairs before they reach `wide`. Apart from
    /// what follows, it can put others between the two.
    #[inline(always)]
    fn pairs(self) -> int16x8_t {
        let [mut pairs, high] = self.narrow;
        // SAFETY: every AArch64 CPU has NEON, and this works on registers alone.
        unsafe {
            asm!(
                "addp {pairs:v}.8h, {pairs:v}.8h, {high:v}.8h",
                pairs = inout(vreg) pairs, high = in(vreg) high,
                options(pure, nomem, nostack, preserves_flags),
            );
        }
        pairs
    }
}

/// Adds the dot products of the lanes of `a`, four bytes each, with one lane of `b`.
///
/// # Safety
/// The CPU has `sdot`.
#[inline(always)]
unsafe fn sdot_by_lane<const LANE: usize>(mut sum: uint32x4_t, a: uint32x4_t, b: uint32x4_t) -> uint32x4_t {
    // SAFETY: the CPU has the instruction, by `# Safety`, which works on registers alone.
    unsafe {
        asm!(
            "sdot {sum:v}.4s, {a:v}.16b, {b:v}.4b[{lane}]",
            sum = inout(vreg) sum, a = in(vreg) a, b = in(vreg) b, lane = const LANE,
            options(pure, nomem, nostack, preserves_flags),
        );
    }
    sum
}

/// Adds the 2 x 2 dot products of the rows of `a` with the rows of `b`, each of eight signed bytes.
///
/// # Safety
/// The CPU has `smmla`.
#[inline(always)]
pub(crate) unsafe fn smmla(mut sum: uint32x4_t, a: uint32x4_t, b: uint32x4_t) -> uint32x4_t {
    // SAFETY: the CPU has the instruction, by `# Safety`, which works on registers alone.
    unsafe {
        asm!(
            "smmla {sum:v}.4s, {a:v}.16b, {b:v}.16b",
            sum = inout(vreg) sum, a = in(vreg) a, b = in(vreg) b,
            options(pure, nomem, nostack, preserves_flags),
        );
    }
    sum
}

/// What the higher digit of a sum of 32 activations counts: both of its digits are signed bytes.
pub(crate) const DIGIT_BITS: i32 = 7;

/// Eight sums as they lie in [`crate::activations::Activations`], each `128 * high + low`: the high digits of the even ones, of the
/// odd ones, then the low digits.
#[inline(always)]
pub(crate) fn digits(sums: &[i16; GROUP_SUMS]) -> int8x16_t {
    const ORDER: [u8; 16] = {
        let mut order = [0; 16];
        let mut at = 0;
        while at < 8 {
            let sub = SUM_ORDER[at];
            order[sub % 2 * 4 + sub / 2] = at as u8;
            order[8 + sub % 2 * 4 + sub / 2] = 8 + at as u8;
            at += 1;
        }
        order
    };
    // SAFETY: every AArch64 CPU has NEON, and there are as many sums and places as a vector has.
    unsafe {
        let sums = vld1q_s16(sums.as_ptr());
        let high = vrshrn_n_s16::<DIGIT_BITS>(sums);
        let low = vmovn_s16(vsubq_s16(sums, vshll_n_s8::<DIGIT_BITS>(high)));
        vqtbl1q_s8(vcombine_s8(high, low), vld1q_u8(ORDER.as_ptr()))
    }
}

/// The products of eight numbers, of the first four and of the last. Of numbers that are not negative, or that stay the same, the
/// compiler would make two instructions or three of each.
#[inline(always)]
fn products(a: int16x8_t, b: int16x8_t) -> [int32x4_t; 2] {
    let (low, high);
    // SAFETY: every AArch64 CPU has NEON, and this works on registers alone.
    unsafe {
        asm!(
            "smull {low:v}.4s, {a:v}.4h, {b:v}.4h",
            low = out(vreg) low, a = in(vreg) a, b = in(vreg) b,
            options(pure, nomem, nostack, preserves_flags),
        );
    }
    // SAFETY: as above.
    unsafe {
        asm!(
            "smull2 {high:v}.4s, {a:v}.8h, {b:v}.8h",
            high = out(vreg) high, a = in(vreg) a, b = in(vreg) b,
            options(pure, nomem, nostack, preserves_flags),
        );
    }
    [low, high]
}

/// [`products`], added to `sums`.
#[inline(always)]
fn add_products([mut low, mut high]: [int32x4_t; 2], a: int16x8_t, b: int16x8_t) -> [int32x4_t; 2] {
    // SAFETY: every AArch64 CPU has NEON, and this works on registers alone.
    unsafe {
        asm!(
            "smlal {low:v}.4s, {a:v}.4h, {b:v}.4h",
            low = inout(vreg) low, a = in(vreg) a, b = in(vreg) b,
            options(pure, nomem, nostack, preserves_flags),
        );
    }
    // SAFETY: as above.
    unsafe {
        asm!(
            "smlal2 {high:v}.4s, {a:v}.8h, {b:v}.8h",
            high = inout(vreg) high, a = in(vreg) a, b = in(vreg) b,
            options(pure, nomem, nostack, preserves_flags),
        );
    }
    [low, high]
}

/// See [`crate::matmul::MatMul::unknown`].
#[inline(always)]
pub(crate) fn unknown(mut codes: uint32x4_t) -> uint32x4_t {
    // SAFETY: there is no instruction, but for a comment.
    unsafe { asm!("/* {0:v} */", inout(vreg) codes, options(nomem, nostack, preserves_flags)) };
    codes
}

simd_128!(Neon, {
    type Dots = NeonDots;
    // Pairs of lanes are added before they become wider.
    const PRODUCTS_IN_16_BITS: usize = 2;

    intrinsics! {
        dot_eight(self, bytes: [uint32x4_t; 2], x: &[i16; GROUP_SUMS]) -> uint32x4_t = {
            let x = vreinterpretq_s32_s16(vld1q_s16(x.as_ptr()));
            let low = |bytes| vreinterpretq_s16_u32(vandq_u32(bytes, vdupq_n_u32(0x00ff_00ff)));
            let high = |bytes| vreinterpretq_s16_u16(vshrq_n_u16::<8>(vreinterpretq_u16_u32(bytes)));
            let [even, odd] = bytes;
            let pairs = [low(even), high(even), low(odd), high(odd)];
            let mut sums = products(pairs[0], vreinterpretq_s16_s32(vdupq_laneq_s32::<0>(x)));
            sums = add_products(sums, pairs[1], vreinterpretq_s16_s32(vdupq_laneq_s32::<1>(x)));
            sums = add_products(sums, pairs[2], vreinterpretq_s16_s32(vdupq_laneq_s32::<2>(x)));
            sums = add_products(sums, pairs[3], vreinterpretq_s16_s32(vdupq_laneq_s32::<3>(x)));
            vreinterpretq_u32_s32(vpaddq_s32(sums[0], sums[1]))
        };
        dots(self, start: uint32x4_t) -> NeonDots = NeonDots { narrow: [vdupq_n_s16(0); 2], wide: start };
        narrow_dots(self, start: i32, shift: u32) -> NeonDots = {
            let [low, high] = [start << 16 >> (16 + shift), start >> (16 + shift)];
            // The sums of a row's first and last two products begin with these, one half in each 32 bits.
            let halves = vreinterpretq_s16_u64(vdupq_n_u64(u64::from(low as u16) | u64::from(high as u16) << 32));
            NeonDots { narrow: [halves; 2], wide: vdupq_n_u32(0) }
        };
    }

    #[inline(always)]
    fn widen(self, dots: NeonDots) -> NeonDots {
        self.dots(dots.sum())
    }

    #[inline(always)]
    fn total(self, dots: NeonDots) -> uint32x4_t {
        dots.sum()
    }

    #[inline(always)]
    fn add_multiple(self, sum: uint32x4_t, dots: NeonDots, factor: uint32x4_t) -> uint32x4_t {
        self.mul_add_int(dots.narrow_sum(), factor, sum)
    }

    dots_by_group! {
        dot_codes(dots, codes, x) = dots.add_by_lane::<GROUP>(codes, x);
        dot_signed(dots, operand, x) = dots.add_by_lane::<GROUP>(operand, x);
    }
});

/// What `sdot` and `smmla` share.
macro_rules! sdot_128 {
    ($isa:ty) => {
        simd_128!($isa, {
            wide_dots!();

            intrinsics! {
                dot_eight(self, bytes: [uint32x4_t; 2], x: &[i16; GROUP_SUMS]) -> uint32x4_t = {
                    let [even, odd] = bytes;
                    let x = vreinterpretq_u32_s8(digits(x));
                    let high = self.dot_codes::<1>(self.dot_codes::<0>(vdupq_n_u32(0), even, x), odd, x);
                    self.dot_codes::<3>(self.dot_codes::<2>(vshlq_n_u32::<{ DIGIT_BITS }>(high), even, x), odd, x)
                };
            }

            dots_by_group! {
                // SAFETY: a value of this instruction set exists only where the CPU has `sdot`.
                dot_codes(dots, codes, x) = unsafe { sdot_by_lane::<GROUP>(dots, codes, x) };
                // SAFETY: as above.
                dot_signed(dots, operand, x) = unsafe { sdot_by_lane::<GROUP>(dots, operand, x) };
            }
        });
    };
}

sdot_128!(DotProd);
sdot_128!(I8mm);
