//! AVX2, AVX-VNNI and AVX-512 VNNI.

use std::arch::asm;
use std::arch::x86_64::*;

use super::{FourInMemory, Simd, SixteenInMemory, factors_in_memory, intrinsics, loads, wide_dots};
use crate::activations::GROUP_SUMS;
use crate::packed::layout::SUB_BLOCK;

/// AVX-512 F, BW, VL and VNNI.
#[derive(Clone, Copy)]
pub(crate) struct Avx512Vnni(());

/// AVX2, FMA and F16C.
#[derive(Clone, Copy)]
pub(crate) struct Avx2(());

/// As [`Avx2`], with the four-way integer dot product of AVX-VNNI.
#[derive(Clone, Copy)]
pub(crate) struct AvxVnni(());

/// [`Simd::dot_codes`] and its kin, each an expression.
macro_rules! dots_by_group {
    ($($method:ident($dots:ident, $codes:ident, $x:ident) = $call:expr;)*) => {
        $(#[inline(always)]
        fn $method<const GROUP: usize>(self, $dots: Self::Dots, $codes: Self::Int, $x: SixteenInMemory) -> Self::Dots {
            let $x = $x.group::<GROUP>();
            // SAFETY: a value of this instruction set exists only where the CPU has the instruction, which works on registers alone.
            unsafe { $call }
        })*
    };
}

impl Simd for Avx512Vnni {
    const LANES: usize = 16;
    const SIGNED_OFFSET: i32 = 128;

    type F32 = __m512;
    type Int = __m512i;

    factors_in_memory!();

    wide_dots!();

    #[inline(always)]
    unsafe fn new() -> Self {
        Self(())
    }

    intrinsics! {
        splat(self, x: f32) -> __m512 = _mm512_set1_ps(x);
        add(self, a: __m512, b: __m512) -> __m512 = _mm512_add_ps(a, b);
        sub(self, a: __m512, b: __m512) -> __m512 = _mm512_sub_ps(a, b);
        mul(self, a: __m512, b: __m512) -> __m512 = _mm512_mul_ps(a, b);
        div(self, a: __m512, b: __m512) -> __m512 = _mm512_div_ps(a, b);
        // Of operands that do not compare, the second.
        max(self, a: __m512, b: __m512) -> __m512 = _mm512_max_ps(a, b);
        at_least(self, bound: __m512, x: __m512) -> __m512 = _mm512_max_ps(bound, x);
        at_most(self, bound: __m512, x: __m512) -> __m512 = _mm512_min_ps(bound, x);
        fma(self, a: __m512, b: __m512, c: __m512) -> __m512 = _mm512_fmadd_ps(a, b, c);
        neg_fma(self, a: __m512, b: __m512, c: __m512) -> __m512 = _mm512_fnmadd_ps(a, b, c);
        round_to_int(self, x: __m512) -> __m512i =
            _mm512_cvt_roundps_epi32::<{ _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC }>(x);
        to_f32(self, x: __m512i) -> __m512 = _mm512_cvtepi32_ps(x);
        to_bits(self, x: __m512) -> __m512i = _mm512_castps_si512(x);
        bits_as_f32(self, x: __m512i) -> __m512 = _mm512_castsi512_ps(x);
        splat_int(self, x: i32) -> __m512i = _mm512_set1_epi32(x);
        look_up(self, table: __m512i, indices: __m512i) -> __m512i = _mm512_shuffle_epi8(table, indices);
        sub_bytes(self, x: __m512i, less: u8) -> __m512i = _mm512_sub_epi8(x, _mm512_set1_epi8(less.cast_signed()));
        mul_bytes(self, a: __m512i, b: __m512i) -> __m512i = {
            let even = _mm512_mullo_epi16(a, b);
            let odd = _mm512_mullo_epi16(_mm512_srli_epi16::<8>(a), _mm512_srli_epi16::<8>(b));
            _mm512_or_si512(_mm512_and_si512(even, _mm512_set1_epi16(0xff)), _mm512_slli_epi16::<8>(odd))
        };
        max_int(self, a: __m512i, b: __m512i) -> __m512i = _mm512_max_epi32(a, b);
        add_int(self, a: __m512i, b: __m512i) -> __m512i = _mm512_add_epi32(a, b);
        mul_add_int(self, a: __m512i, b: __m512i, c: __m512i) -> __m512i = _mm512_add_epi32(_mm512_mullo_epi32(a, b), c);
        sum_pairs(self, x: __m512i) -> [i32; 2] =
            sum_pairs(_mm256_add_epi32(_mm512_castsi512_si256(x), _mm512_extracti64x4_epi64::<1>(x)));
        largest_of_each(self, vectors: [__m512; 4]) -> [f32; 4] = {
            let [a, b, c, d] = vectors;
            // Of each quarter, the largest of `a` and `b` in turns, then of all four.
            let ab = _mm512_max_ps(_mm512_unpacklo_ps(a, b), _mm512_unpackhi_ps(a, b));
            let cd = _mm512_max_ps(_mm512_unpacklo_ps(c, d), _mm512_unpackhi_ps(c, d));
            let quarters =
                _mm512_max_ps(_mm512_shuffle_ps::<0b0100_0100>(ab, cd), _mm512_shuffle_ps::<0b1110_1110>(ab, cd));
            let low = _mm512_castps512_ps256(quarters);
            let high = _mm256_castpd_ps(_mm512_extractf64x4_pd::<1>(_mm512_castps_pd(quarters)));
            largest_of_halves(_mm256_max_ps(low, high))
        };
        largest_lane(self, x: __m512i) -> i32 = _mm512_reduce_max_epi32(x);
        dot_eight(self, bytes: [__m512i; 2], x: &[i16; GROUP_SUMS]) -> __m512i = {
            let [even, odd] = bytes;
            let products = |pair: __m512i, index| _mm512_madd_epi16(pair, _mm512_set1_epi32(x.as_ptr().cast::<i32>().add(index).read_unaligned()));
            let low = |bytes| _mm512_and_si512(bytes, _mm512_set1_epi32(0x00ff_00ff));
            let high = |bytes| _mm512_srli_epi16::<8>(bytes);
            let of_even = _mm512_add_epi32(products(low(even), 0), products(high(even), 1));
            let of_odd = _mm512_add_epi32(products(low(odd), 2), products(high(odd), 3));
            _mm512_add_epi32(of_even, of_odd)
        };
        and(self, a: __m512i, b: __m512i) -> __m512i = _mm512_and_si512(a, b);
        or(self, a: __m512i, b: __m512i) -> __m512i = _mm512_or_si512(a, b);
        byte(self, x: __m512i, index: usize) -> __m512i =
            _mm512_shuffle_epi8(x, _mm512_broadcast_i32x4(_mm_load_si128(BYTES[index].0.as_ptr().cast())));
        signed_operand(self, bytes: __m512i) -> __m512i = _mm512_xor_si512(bytes, _mm512_set1_epi8(-128));
    }

    loads! {
        load(self, from: *const f32) -> __m512 = _mm512_loadu_ps(from);
        load_f16(self, from: *const u8) -> __m512 = _mm512_cvtph_ps(_mm256_loadu_si256(from.cast()));
        load_bf16(self, from: *const u8) -> __m512 =
            _mm512_castsi512_ps(_mm512_slli_epi32::<16>(_mm512_cvtepu16_epi32(_mm256_loadu_si256(from.cast()))));
        load_int(self, from: *const u8) -> __m512i = _mm512_loadu_si512(from.cast());
        load_i8(self, from: *const u8, vector: usize) -> __m512i =
            _mm512_cvtepi8_epi32(_mm_loadu_si128(from.add(16 * vector).cast()));
    }

    dots_by_group! {
        dot_codes(dots, codes, x) = _mm512_dpbusd_epi32(dots, codes, _mm512_set1_epi32(x));
        dot_signed(dots, operand, x) = _mm512_dpbusd_epi32(dots, operand, _mm512_set1_epi32(x));
        dot_non_negative(dots, bytes, x) = _mm512_dpbusd_epi32(dots, _mm512_set1_epi32(x), bytes);
    }

    #[inline(always)]
    unsafe fn store(self, x: __m512, to: *mut f32) {
        // SAFETY: a value of this instruction set exists only where the CPU has the instruction, which stores at any address; `LANES`
        // numbers can be written at `to`, by `# Safety` of `Simd::store`.
        unsafe { _mm512_storeu_ps(to, x) };
    }

    #[inline(always)]
    fn store_low_bytes(self, x: &[__m512i], to: &mut [i8; SUB_BLOCK]) {
        let (first, second) = to.split_at_mut(SUB_BLOCK / 2);
        // SAFETY: a value of this instruction set exists only where the CPU has the instructions, which store at any address; `first`
        // and `second` have room for sixteen bytes each.
        unsafe {
            _mm_storeu_si128(first.as_mut_ptr().cast(), _mm512_cvtepi32_epi8(x[0]));
            _mm_storeu_si128(second.as_mut_ptr().cast(), _mm512_cvtepi32_epi8(x[1]));
        }
    }

    #[inline(always)]
    unsafe fn store_int(self, x: __m512i, to: *mut u8) {
        // SAFETY: a value of this instruction set exists only where the CPU has the instruction, which stores at any address; `4 *
        // LANES` bytes can be written at `to`, by `# Safety` of `Simd::store_int`.
        unsafe { _mm512_storeu_si512(to.cast(), x) };
    }

    #[inline(always)]
    fn shl<const N: u32>(self, x: __m512i) -> __m512i {
        // SAFETY: a value of this instruction set exists only where the CPU has the instruction.
        unsafe { _mm512_slli_epi32::<N>(x) }
    }

    #[inline(always)]
    fn shr<const N: u32>(self, x: __m512i) -> __m512i {
        // SAFETY: a value of this instruction set exists only where the CPU has the instruction.
        unsafe { _mm512_srli_epi32::<N>(x) }
    }

    #[inline(always)]
    fn prefetch(self, at: *const u8) {
        // SAFETY: it is a hint, for any address.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(at.cast()) };
    }
}

/// For each byte of four lanes, where a shuffle finds it that leaves one byte of each lane; nowhere is zero.
#[repr(align(16))]
struct Places([u8; 16]);

/// The places of each of the four bytes.
static BYTES: [Places; 4] = {
    let mut places = [const { Places([0x80; 16]) }; 4];
    let mut at = 0;
    while at < 16 {
        places[at % 4].0[at / 4 * 4] = at as u8;
        at += 1;
    }
    places
};

/// AVX2 and AVX-VNNI differ in nothing but their integer dot products.
macro_rules! simd_256 {
    ($isa:ty, $signed_offset:literal, { $($dots:tt)* }) => {
        impl Simd for $isa {
            const LANES: usize = 8;
            const SIGNED_OFFSET: i32 = $signed_offset;

            type F32 = __m256;
            type Int = __m256i;

            factors_in_memory!();

            $($dots)*

            #[inline(always)]
            unsafe fn new() -> Self {
                Self(())
            }

            intrinsics! {
                splat(self, x: f32) -> __m256 = _mm256_set1_ps(x);
                add(self, a: __m256, b: __m256) -> __m256 = _mm256_add_ps(a, b);
                sub(self, a: __m256, b: __m256) -> __m256 = _mm256_sub_ps(a, b);
                mul(self, a: __m256, b: __m256) -> __m256 = _mm256_mul_ps(a, b);
                div(self, a: __m256, b: __m256) -> __m256 = _mm256_div_ps(a, b);
                // As above.
                max(self, a: __m256, b: __m256) -> __m256 = _mm256_max_ps(a, b);
                at_least(self, bound: __m256, x: __m256) -> __m256 = _mm256_max_ps(bound, x);
                at_most(self, bound: __m256, x: __m256) -> __m256 = _mm256_min_ps(bound, x);
                fma(self, a: __m256, b: __m256, c: __m256) -> __m256 = _mm256_fmadd_ps(a, b, c);
                neg_fma(self, a: __m256, b: __m256, c: __m256) -> __m256 = _mm256_fnmadd_ps(a, b, c);
                // In the rounding mode that Rust code may rely on: to nearest, ties to even.
                round_to_int(self, x: __m256) -> __m256i = _mm256_cvtps_epi32(x);
                to_f32(self, x: __m256i) -> __m256 = _mm256_cvtepi32_ps(x);
                to_bits(self, x: __m256) -> __m256i = _mm256_castps_si256(x);
                bits_as_f32(self, x: __m256i) -> __m256 = _mm256_castsi256_ps(x);
                splat_int(self, x: i32) -> __m256i = _mm256_set1_epi32(x);
                look_up(self, table: __m256i, indices: __m256i) -> __m256i = _mm256_shuffle_epi8(table, indices);
                sub_bytes(self, x: __m256i, less: u8) -> __m256i = _mm256_sub_epi8(x, _mm256_set1_epi8(less.cast_signed()));
                mul_bytes(self, a: __m256i, b: __m256i) -> __m256i = {
                    let even = _mm256_mullo_epi16(a, b);
                    let odd = _mm256_mullo_epi16(_mm256_srli_epi16::<8>(a), _mm256_srli_epi16::<8>(b));
                    _mm256_or_si256(_mm256_and_si256(even, _mm256_set1_epi16(0xff)), _mm256_slli_epi16::<8>(odd))
                };
                max_int(self, a: __m256i, b: __m256i) -> __m256i = _mm256_max_epi32(a, b);
                add_int(self, a: __m256i, b: __m256i) -> __m256i = _mm256_add_epi32(a, b);
                mul_add_int(self, a: __m256i, b: __m256i, c: __m256i) -> __m256i = _mm256_add_epi32(_mm256_mullo_epi32(a, b), c);
                sum_pairs(self, x: __m256i) -> [i32; 2] = sum_pairs(x);
                largest_of_each(self, vectors: [__m256; 4]) -> [f32; 4] = {
                    let [a, b, c, d] = vectors;
                    let ab = _mm256_max_ps(_mm256_unpacklo_ps(a, b), _mm256_unpackhi_ps(a, b));
                    let cd = _mm256_max_ps(_mm256_unpacklo_ps(c, d), _mm256_unpackhi_ps(c, d));
                    largest_of_halves(_mm256_max_ps(
                        _mm256_shuffle_ps::<0b0100_0100>(ab, cd),
                        _mm256_shuffle_ps::<0b1110_1110>(ab, cd),
                    ))
                };
                largest_lane(self, x: __m256i) -> i32 =
                    largest_of_four(_mm_max_epi32(_mm256_castsi256_si128(x), _mm256_extracti128_si256::<1>(x)));
                dot_eight(self, bytes: [__m256i; 2], x: &[i16; GROUP_SUMS]) -> __m256i = {
            let [even, odd] = bytes;
                    let products = |pair: __m256i, index| _mm256_madd_epi16(pair, _mm256_set1_epi32(x.as_ptr().cast::<i32>().add(index).read_unaligned()));
                    let low = |bytes| _mm256_and_si256(bytes, _mm256_set1_epi32(0x00ff_00ff));
                    let high = |bytes| _mm256_srli_epi16::<8>(bytes);
                    let of_even = _mm256_add_epi32(products(low(even), 0), products(high(even), 1));
                    let of_odd = _mm256_add_epi32(products(low(odd), 2), products(high(odd), 3));
                    _mm256_add_epi32(of_even, of_odd)
                };
                and(self, a: __m256i, b: __m256i) -> __m256i = _mm256_and_si256(a, b);
                or(self, a: __m256i, b: __m256i) -> __m256i = _mm256_or_si256(a, b);
                byte(self, x: __m256i, index: usize) -> __m256i =
                    _mm256_shuffle_epi8(x, _mm256_broadcastsi128_si256(_mm_load_si128(BYTES[index].0.as_ptr().cast())));
            }

            loads! {
                load(self, from: *const f32) -> __m256 = _mm256_loadu_ps(from);
                load_f16(self, from: *const u8) -> __m256 = _mm256_cvtph_ps(_mm_loadu_si128(from.cast()));
                load_bf16(self, from: *const u8) -> __m256 =
                    _mm256_castsi256_ps(_mm256_slli_epi32::<16>(_mm256_cvtepu16_epi32(_mm_loadu_si128(from.cast()))));
                load_int(self, from: *const u8) -> __m256i = _mm256_loadu_si256(from.cast());
                load_i8(self, from: *const u8, vector: usize) -> __m256i =
                    _mm256_cvtepi8_epi32(_mm_loadl_epi64(from.add(8 * vector).cast()));
            }

            #[inline(always)]
            unsafe fn store(self, x: __m256, to: *mut f32) {
                // SAFETY: a value of this instruction set exists only where the CPU has the instruction, which stores at any address;
                // `LANES` numbers can be written at `to`, by `# Safety` of `Simd::store`.
                unsafe { _mm256_storeu_ps(to, x) };
            }

            #[inline(always)]
            fn store_low_bytes(self, x: &[__m256i], to: &mut [i8; SUB_BLOCK]) {
                // SAFETY: a value of this instruction set exists only where the CPU has the instructions, the last of which stores 32
                // bytes at any address: there is room for as many.
                unsafe {
                    // Instructions that narrow do so by halves: at last the quarters of each vector are brought together.
                    let low_bytes = |x| _mm256_and_si256(x, _mm256_set1_epi32(0xff));
                    let first = _mm256_packus_epi32(low_bytes(x[0]), low_bytes(x[1]));
                    let second = _mm256_packus_epi32(low_bytes(x[2]), low_bytes(x[3]));
                    let order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
                    let all = _mm256_permutevar8x32_epi32(_mm256_packus_epi16(first, second), order);
                    _mm256_storeu_si256(to.as_mut_ptr().cast(), all);
                }
            }

            #[inline(always)]
            unsafe fn store_int(self, x: __m256i, to: *mut u8) {
                // SAFETY: a value of this instruction set exists only where the CPU has the instruction, which stores at any address;
                // `4 * LANES` bytes can be written at `to`, by `# Safety` of `Simd::store_int`.
                unsafe { _mm256_storeu_si256(to.cast(), x) };
            }

            #[inline(always)]
            fn shl<const N: u32>(self, x: __m256i) -> __m256i {
                // SAFETY: a value of this instruction set exists only where the CPU has the instruction.
                unsafe { _mm256_sll_epi32(x, _mm_cvtsi32_si128(N.cast_signed())) }
            }

            #[inline(always)]
            fn shr<const N: u32>(self, x: __m256i) -> __m256i {
                // SAFETY: a value of this instruction set exists only where the CPU has the instruction.
                unsafe { _mm256_srl_epi32(x, _mm_cvtsi32_si128(N.cast_signed())) }
            }

            #[inline(always)]
            fn prefetch(self, at: *const u8) {
                // SAFETY: it is a hint, for any address.
                unsafe { _mm_prefetch::<_MM_HINT_T0>(at.cast()) };
            }
        }
    };
}

/// Of each lane of both halves, the larger.
///
/// # Safety
/// The CPU has AVX2.
#[inline]
#[target_feature(enable = "avx2")]
fn largest_of_halves(x: __m256) -> [f32; 4] {
    let mut largest = [0.0; 4];
    let both = _mm_max_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps::<1>(x));
    // SAFETY: there is room for four numbers.
    unsafe { _mm_storeu_ps(largest.as_mut_ptr(), both) };
    largest
}

/// See [`Simd::sum_pairs`].
///
/// # Safety
/// The CPU has AVX2.
#[inline]
#[target_feature(enable = "avx2")]
fn sum_pairs(x: __m256i) -> [i32; 2] {
    let four = _mm_add_epi32(_mm256_castsi256_si128(x), _mm256_extracti128_si256::<1>(x));
    let pairs = _mm_add_epi32(four, _mm_shuffle_epi32::<0b10_11_00_01>(four));
    [_mm_cvtsi128_si32(pairs), _mm_extract_epi32::<2>(pairs)]
}

/// # Safety
/// The CPU has AVX2.
#[inline]
#[target_feature(enable = "avx2")]
fn largest_of_four(x: __m128i) -> i32 {
    let two = _mm_max_epi32(x, _mm_shuffle_epi32::<0b1110>(x));
    _mm_cvtsi128_si32(_mm_max_epi32(two, _mm_shuffle_epi32::<0b01>(two)))
}

/// See [`crate::matmul::MatMul::unknown`].
///
/// # Safety
/// The CPU has AVX.
#[inline]
#[target_feature(enable = "avx")]
pub(crate) fn unknown(mut codes: __m256i) -> __m256i {
    // SAFETY: there is no instruction, but for a comment.
    unsafe { asm!("/* {0:y} */", inout(ymm_reg) codes, options(nomem, nostack, preserves_flags)) };
    codes
}

/// Dot products of AVX2, which multiplies bytes and adds two products to one of 16 bits.
#[derive(Clone, Copy)]
pub(crate) struct Avx2Dots {
    narrow: __m256i,
    wide: __m256i,
}

impl Avx2Dots {
    /// # Safety
    /// The CPU has AVX2.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn add(self, unsigned: __m256i, signed: __m256i) -> Self {
        Self { narrow: _mm256_add_epi16(self.narrow, _mm256_maddubs_epi16(unsigned, signed)), ..self }
    }

    /// # Safety
    /// The CPU has AVX2.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn sum(self) -> __m256i {
        _mm256_add_epi32(self.wide, _mm256_madd_epi16(self.narrow, _mm256_set1_epi16(1)))
    }
}

simd_256!(Avx2, 0, {
    type Dots = Avx2Dots;
    const PRODUCTS_IN_16_BITS: usize = 2;

    #[inline(always)]
    fn signed_operand(self, bytes: __m256i) -> __m256i {
        bytes
    }

    intrinsics! {
        dots(self, start: __m256i) -> Avx2Dots = Avx2Dots { narrow: _mm256_setzero_si256(), wide: start };
        widen(self, dots: Avx2Dots) -> Avx2Dots = self.dots(dots.sum());
        total(self, dots: Avx2Dots) -> __m256i = dots.sum();
        narrow_dots(self, start: i32, shift: u32) -> Avx2Dots = {
            let narrow = _mm256_sra_epi16(_mm256_set1_epi32(start), _mm_cvtsi32_si128(shift.cast_signed()));
            Avx2Dots { narrow, wide: _mm256_setzero_si256() }
        };
        // Both halves of a lane.
        factor(self, x: __m256i) -> __m256i =
            _mm256_or_si256(_mm256_slli_epi32::<16>(x), _mm256_and_si256(x, _mm256_set1_epi32(0xffff)));
        add_multiple(self, sum: __m256i, dots: Avx2Dots, factor: __m256i) -> __m256i =
            _mm256_add_epi32(_mm256_madd_epi16(dots.narrow, factor), sum);
        add_widened_multiple(self, sum: __m256i, dots: Avx2Dots, factor: __m256i) -> __m256i =
            self.mul_add_int(dots.sum(), _mm256_srai_epi32::<16>(factor), sum);
    }

    dots_by_group! {
        dot_codes(dots, codes, x) = dots.add(codes, _mm256_set1_epi32(x));
        // A sign moves from one factor to the other; −128 becomes an unsigned 128.
        dot_signed(dots, operand, x) = dots.add(_mm256_abs_epi8(operand), _mm256_sign_epi8(_mm256_set1_epi32(x), operand));
        dot_non_negative(dots, bytes, x) = dots.add(_mm256_set1_epi32(x), bytes);
    }
});

simd_256!(AvxVnni, 128, {
    wide_dots!();

    intrinsics! {
        signed_operand(self, bytes: __m256i) -> __m256i = _mm256_xor_si256(bytes, _mm256_set1_epi8(-128));
    }

    dots_by_group! {
        dot_codes(dots, codes, x) = _mm256_dpbusd_avx_epi32(dots, codes, _mm256_set1_epi32(x));
        dot_signed(dots, operand, x) = _mm256_dpbusd_avx_epi32(dots, operand, _mm256_set1_epi32(x));
        dot_non_negative(dots, bytes, x) = _mm256_dpbusd_avx_epi32(dots, _mm256_set1_epi32(x), bytes);
    }
});
