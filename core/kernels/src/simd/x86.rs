//! AVX2, AVX-VNNI and AVX-512 VNNI.

use std::arch::asm;
use std::arch::x86_64::*;

use super::{Simd, dots_by_group, wide_dots};

/// AVX-512 F, BW, VL and VNNI.
#[derive(Clone, Copy)]
pub(crate) struct Avx512Vnni;

/// AVX2, FMA and F16C.
#[derive(Clone, Copy)]
pub(crate) struct Avx2;

/// As [`Avx2`], with the four-way integer dot product of AVX-VNNI.
#[derive(Clone, Copy)]
pub(crate) struct AvxVnni;

/// Methods that are one intrinsic.
macro_rules! intrinsics {
    ($($method:ident($($argument:ident: $type:ty),*) -> $out:ty = $call:expr;)*) => {
        $(#[inline(always)]
        unsafe fn $method($($argument: $type),*) -> $out {
            $call
        })*
    };
}

impl Simd for Avx512Vnni {
    const LANES: usize = 16;
    const SIGNED_OFFSET: i32 = 128;

    type F32 = __m512;
    type Int = __m512i;
    type Four = *const f32;
    type Sixteen = *const i8;

    wide_dots!();

    intrinsics! {
        splat(x: f32) -> __m512 = _mm512_set1_ps(x);
        load(from: *const f32) -> __m512 = _mm512_loadu_ps(from);
        load_f16(from: *const u8) -> __m512 = _mm512_cvtph_ps(_mm256_loadu_si256(from.cast()));
        load_bf16(from: *const u8) -> __m512 =
            _mm512_castsi512_ps(_mm512_slli_epi32::<16>(_mm512_cvtepu16_epi32(_mm256_loadu_si256(from.cast()))));
        add(a: __m512, b: __m512) -> __m512 = _mm512_add_ps(a, b);
        sub(a: __m512, b: __m512) -> __m512 = _mm512_sub_ps(a, b);
        mul(a: __m512, b: __m512) -> __m512 = _mm512_mul_ps(a, b);
        div(a: __m512, b: __m512) -> __m512 = _mm512_div_ps(a, b);
        // Of operands that do not compare, the second.
        max(a: __m512, b: __m512) -> __m512 = _mm512_max_ps(a, b);
        at_least(bound: __m512, x: __m512) -> __m512 = _mm512_max_ps(bound, x);
        at_most(bound: __m512, x: __m512) -> __m512 = _mm512_min_ps(bound, x);
        fma(a: __m512, b: __m512, c: __m512) -> __m512 = _mm512_fmadd_ps(a, b, c);
        load_four(from: *const f32) -> *const f32 = from;
        neg_fma(a: __m512, b: __m512, c: __m512) -> __m512 = _mm512_fnmadd_ps(a, b, c);
        round_to_int(x: __m512) -> __m512i =
            _mm512_cvt_roundps_epi32::<{ _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC }>(x);
        to_f32(x: __m512i) -> __m512 = _mm512_cvtepi32_ps(x);
        to_bits(x: __m512) -> __m512i = _mm512_castps_si512(x);
        from_bits(x: __m512i) -> __m512 = _mm512_castsi512_ps(x);
        splat_int(x: i32) -> __m512i = _mm512_set1_epi32(x);
        load_int(from: *const u8) -> __m512i = _mm512_loadu_si512(from.cast());
        load_i8(from: *const u8, vector: usize) -> __m512i =
            _mm512_cvtepi8_epi32(_mm_loadu_si128(from.add(16 * vector).cast()));
        look_up(table: __m512i, indices: __m512i) -> __m512i = _mm512_shuffle_epi8(table, indices);
        sub_bytes(x: __m512i, less: u8) -> __m512i = _mm512_sub_epi8(x, _mm512_set1_epi8(less.cast_signed()));
        mul_bytes(a: __m512i, b: __m512i) -> __m512i = {
            let even = _mm512_mullo_epi16(a, b);
            let odd = _mm512_mullo_epi16(_mm512_srli_epi16::<8>(a), _mm512_srli_epi16::<8>(b));
            _mm512_or_si512(_mm512_and_si512(even, _mm512_set1_epi16(0xff)), _mm512_slli_epi16::<8>(odd))
        };
        max_int(a: __m512i, b: __m512i) -> __m512i = _mm512_max_epi32(a, b);
        add_int(a: __m512i, b: __m512i) -> __m512i = _mm512_add_epi32(a, b);
        mul_add_int(a: __m512i, b: __m512i, c: __m512i) -> __m512i = _mm512_add_epi32(_mm512_mullo_epi32(a, b), c);
        sum_pairs(x: __m512i) -> [i32; 2] =
            sum_pairs(_mm256_add_epi32(_mm512_castsi512_si256(x), _mm512_extracti64x4_epi64::<1>(x)));
        largest_lane(x: __m512i) -> i32 = _mm512_reduce_max_epi32(x);
        dot_eight(bytes: [__m512i; 2], x: *const i16) -> __m512i = {
            let [even, odd] = bytes;
            let products = |pair: __m512i, index| _mm512_madd_epi16(pair, _mm512_set1_epi32(x.cast::<i32>().add(index).read_unaligned()));
            let low = |bytes| _mm512_and_si512(bytes, _mm512_set1_epi32(0x00ff_00ff));
            let high = |bytes| _mm512_srli_epi16::<8>(bytes);
            let of_even = _mm512_add_epi32(products(low(even), 0), products(high(even), 1));
            let of_odd = _mm512_add_epi32(products(low(odd), 2), products(high(odd), 3));
            _mm512_add_epi32(of_even, of_odd)
        };
        and(a: __m512i, b: __m512i) -> __m512i = _mm512_and_si512(a, b);
        or(a: __m512i, b: __m512i) -> __m512i = _mm512_or_si512(a, b);
        byte(x: __m512i, index: usize) -> __m512i =
            _mm512_shuffle_epi8(x, _mm512_broadcast_i32x4(_mm_load_si128(BYTES[index].0.as_ptr().cast())));
        load_sixteen(from: *const i8) -> *const i8 = from;
        signed_operand(bytes: __m512i) -> __m512i = _mm512_xor_si512(bytes, _mm512_set1_epi8(-128));
    }

    dots_by_group! {
        dot_codes(dots, codes, x) = _mm512_dpbusd_epi32(dots, codes, _mm512_set1_epi32(four::<GROUP>(x)));
        dot_signed(dots, operand, x) = _mm512_dpbusd_epi32(dots, operand, _mm512_set1_epi32(four::<GROUP>(x)));
        dot_non_negative(dots, bytes, x) = _mm512_dpbusd_epi32(dots, _mm512_set1_epi32(four::<GROUP>(x)), bytes);
    }

    #[inline(always)]
    unsafe fn fma_by<const INDEX: usize>(a: Self::F32, four: *const f32, c: Self::F32) -> Self::F32 {
        Self::fma(a, Self::splat(*four.add(INDEX)), c)
    }

    #[inline(always)]
    unsafe fn largest_of_each([a, b, c, d]: [__m512; 4]) -> [f32; 4] {
        // Of each quarter, the largest of `a` and `b` in turns, then of all four.
        let ab = _mm512_max_ps(_mm512_unpacklo_ps(a, b), _mm512_unpackhi_ps(a, b));
        let cd = _mm512_max_ps(_mm512_unpacklo_ps(c, d), _mm512_unpackhi_ps(c, d));
        let quarters =
            _mm512_max_ps(_mm512_shuffle_ps::<0b0100_0100>(ab, cd), _mm512_shuffle_ps::<0b1110_1110>(ab, cd));
        let low = _mm512_castps512_ps256(quarters);
        let high = _mm256_castpd_ps(_mm512_extractf64x4_pd::<1>(_mm512_castps_pd(quarters)));
        largest_of_halves(_mm256_max_ps(low, high))
    }

    #[inline(always)]
    unsafe fn store(x: __m512, to: *mut f32) {
        _mm512_storeu_ps(to, x);
    }

    #[inline(always)]
    unsafe fn store_low_bytes(x: &[__m512i], to: *mut i8) {
        _mm_storeu_si128(to.cast(), _mm512_cvtepi32_epi8(x[0]));
        _mm_storeu_si128(to.add(16).cast(), _mm512_cvtepi32_epi8(x[1]));
    }

    #[inline(always)]
    unsafe fn store_int(x: __m512i, to: *mut u8) {
        _mm512_storeu_si512(to.cast(), x);
    }

    #[inline(always)]
    unsafe fn shl<const N: u32>(x: __m512i) -> __m512i {
        _mm512_slli_epi32::<N>(x)
    }

    #[inline(always)]
    unsafe fn shr<const N: u32>(x: __m512i) -> __m512i {
        _mm512_srli_epi32::<N>(x)
    }

    #[inline(always)]
    unsafe fn prefetch(at: *const u8) {
        _mm_prefetch::<_MM_HINT_T0>(at.cast());
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

/// Group `GROUP` of the bytes at `x`.
#[inline(always)]
unsafe fn four<const GROUP: usize>(x: *const i8) -> i32 {
    x.cast::<i32>().add(GROUP).read_unaligned()
}

/// AVX2 and AVX-VNNI differ in nothing but their integer dot products.
macro_rules! simd_256 {
    ($isa:ty, $signed_offset:literal, { $($dots:tt)* }) => {
        impl Simd for $isa {
            const LANES: usize = 8;
            const SIGNED_OFFSET: i32 = $signed_offset;

            type F32 = __m256;
            type Int = __m256i;
            type Four = *const f32;
            type Sixteen = *const i8;

            $($dots)*

            intrinsics! {
                splat(x: f32) -> __m256 = _mm256_set1_ps(x);
                load(from: *const f32) -> __m256 = _mm256_loadu_ps(from);
                load_f16(from: *const u8) -> __m256 = _mm256_cvtph_ps(_mm_loadu_si128(from.cast()));
                load_bf16(from: *const u8) -> __m256 =
                    _mm256_castsi256_ps(_mm256_slli_epi32::<16>(_mm256_cvtepu16_epi32(_mm_loadu_si128(from.cast()))));
                add(a: __m256, b: __m256) -> __m256 = _mm256_add_ps(a, b);
                sub(a: __m256, b: __m256) -> __m256 = _mm256_sub_ps(a, b);
                mul(a: __m256, b: __m256) -> __m256 = _mm256_mul_ps(a, b);
                div(a: __m256, b: __m256) -> __m256 = _mm256_div_ps(a, b);
                // As above.
                max(a: __m256, b: __m256) -> __m256 = _mm256_max_ps(a, b);
                at_least(bound: __m256, x: __m256) -> __m256 = _mm256_max_ps(bound, x);
                at_most(bound: __m256, x: __m256) -> __m256 = _mm256_min_ps(bound, x);
                fma(a: __m256, b: __m256, c: __m256) -> __m256 = _mm256_fmadd_ps(a, b, c);
                load_four(from: *const f32) -> *const f32 = from;
                neg_fma(a: __m256, b: __m256, c: __m256) -> __m256 = _mm256_fnmadd_ps(a, b, c);
                // In the rounding mode that Rust code may rely on: to nearest, ties to even.
                round_to_int(x: __m256) -> __m256i = _mm256_cvtps_epi32(x);
                to_f32(x: __m256i) -> __m256 = _mm256_cvtepi32_ps(x);
                to_bits(x: __m256) -> __m256i = _mm256_castps_si256(x);
                from_bits(x: __m256i) -> __m256 = _mm256_castsi256_ps(x);
                splat_int(x: i32) -> __m256i = _mm256_set1_epi32(x);
                load_int(from: *const u8) -> __m256i = _mm256_loadu_si256(from.cast());
                load_i8(from: *const u8, vector: usize) -> __m256i =
                    _mm256_cvtepi8_epi32(_mm_loadl_epi64(from.add(8 * vector).cast()));
                look_up(table: __m256i, indices: __m256i) -> __m256i = _mm256_shuffle_epi8(table, indices);
                sub_bytes(x: __m256i, less: u8) -> __m256i = _mm256_sub_epi8(x, _mm256_set1_epi8(less.cast_signed()));
                mul_bytes(a: __m256i, b: __m256i) -> __m256i = {
                    let even = _mm256_mullo_epi16(a, b);
                    let odd = _mm256_mullo_epi16(_mm256_srli_epi16::<8>(a), _mm256_srli_epi16::<8>(b));
                    _mm256_or_si256(_mm256_and_si256(even, _mm256_set1_epi16(0xff)), _mm256_slli_epi16::<8>(odd))
                };
                max_int(a: __m256i, b: __m256i) -> __m256i = _mm256_max_epi32(a, b);
                add_int(a: __m256i, b: __m256i) -> __m256i = _mm256_add_epi32(a, b);
                mul_add_int(a: __m256i, b: __m256i, c: __m256i) -> __m256i = _mm256_add_epi32(_mm256_mullo_epi32(a, b), c);
                sum_pairs(x: __m256i) -> [i32; 2] = sum_pairs(x);
                largest_lane(x: __m256i) -> i32 =
                    largest_of_four(_mm_max_epi32(_mm256_castsi256_si128(x), _mm256_extracti128_si256::<1>(x)));
                dot_eight(bytes: [__m256i; 2], x: *const i16) -> __m256i = {
            let [even, odd] = bytes;
                    let products = |pair: __m256i, index| _mm256_madd_epi16(pair, _mm256_set1_epi32(x.cast::<i32>().add(index).read_unaligned()));
                    let low = |bytes| _mm256_and_si256(bytes, _mm256_set1_epi32(0x00ff_00ff));
                    let high = |bytes| _mm256_srli_epi16::<8>(bytes);
                    let of_even = _mm256_add_epi32(products(low(even), 0), products(high(even), 1));
                    let of_odd = _mm256_add_epi32(products(low(odd), 2), products(high(odd), 3));
                    _mm256_add_epi32(of_even, of_odd)
                };
                and(a: __m256i, b: __m256i) -> __m256i = _mm256_and_si256(a, b);
                or(a: __m256i, b: __m256i) -> __m256i = _mm256_or_si256(a, b);
                byte(x: __m256i, index: usize) -> __m256i =
                    _mm256_shuffle_epi8(x, _mm256_broadcastsi128_si256(_mm_load_si128(BYTES[index].0.as_ptr().cast())));
                load_sixteen(from: *const i8) -> *const i8 = from;
            }

            #[inline(always)]
            unsafe fn fma_by<const INDEX: usize>(a: Self::F32, four: *const f32, c: Self::F32) -> Self::F32 {
                Self::fma(a, Self::splat(*four.add(INDEX)), c)
            }

            #[inline(always)]
            unsafe fn largest_of_each([a, b, c, d]: [__m256; 4]) -> [f32; 4] {
                let ab = _mm256_max_ps(_mm256_unpacklo_ps(a, b), _mm256_unpackhi_ps(a, b));
                let cd = _mm256_max_ps(_mm256_unpacklo_ps(c, d), _mm256_unpackhi_ps(c, d));
                largest_of_halves(_mm256_max_ps(
                    _mm256_shuffle_ps::<0b0100_0100>(ab, cd),
                    _mm256_shuffle_ps::<0b1110_1110>(ab, cd),
                ))
            }

            #[inline(always)]
            unsafe fn store(x: __m256, to: *mut f32) {
                _mm256_storeu_ps(to, x);
            }

            #[inline(always)]
            unsafe fn store_low_bytes(x: &[__m256i], to: *mut i8) {
                // Instructions that narrow do so by halves: at last the quarters of each vector are brought together.
                let low_bytes = |x| _mm256_and_si256(x, _mm256_set1_epi32(0xff));
                let first = _mm256_packus_epi32(low_bytes(x[0]), low_bytes(x[1]));
                let second = _mm256_packus_epi32(low_bytes(x[2]), low_bytes(x[3]));
                let order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
                let all = _mm256_permutevar8x32_epi32(_mm256_packus_epi16(first, second), order);
                _mm256_storeu_si256(to.cast(), all);
            }

            #[inline(always)]
            unsafe fn store_int(x: __m256i, to: *mut u8) {
                _mm256_storeu_si256(to.cast(), x);
            }

            #[inline(always)]
            unsafe fn shl<const N: u32>(x: __m256i) -> __m256i {
                _mm256_sll_epi32(x, _mm_cvtsi32_si128(N.cast_signed()))
            }

            #[inline(always)]
            unsafe fn shr<const N: u32>(x: __m256i) -> __m256i {
                _mm256_srl_epi32(x, _mm_cvtsi32_si128(N.cast_signed()))
            }

            #[inline(always)]
            unsafe fn prefetch(at: *const u8) {
                _mm_prefetch::<_MM_HINT_T0>(at.cast());
            }
        }
    };
}

/// Of each lane of both halves, the larger.
#[inline(always)]
unsafe fn largest_of_halves(x: __m256) -> [f32; 4] {
    let mut largest = [0.0; 4];
    let both = _mm_max_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps::<1>(x));
    _mm_storeu_ps(largest.as_mut_ptr(), both);
    largest
}

/// See [`Simd::sum_pairs`].
#[inline(always)]
unsafe fn sum_pairs(x: __m256i) -> [i32; 2] {
    let four = _mm_add_epi32(_mm256_castsi256_si128(x), _mm256_extracti128_si256::<1>(x));
    let pairs = _mm_add_epi32(four, _mm_shuffle_epi32::<0b10_11_00_01>(four));
    [_mm_cvtsi128_si32(pairs), _mm_extract_epi32::<2>(pairs)]
}

#[inline(always)]
unsafe fn largest_of_four(x: __m128i) -> i32 {
    let two = _mm_max_epi32(x, _mm_shuffle_epi32::<0b1110>(x));
    _mm_cvtsi128_si32(_mm_max_epi32(two, _mm_shuffle_epi32::<0b01>(two)))
}

#[inline(always)]
unsafe fn splat<const GROUP: usize>(x: *const i8) -> __m256i {
    _mm256_set1_epi32(four::<GROUP>(x))
}

/// See [`crate::matmul::MatMul::unknown`].
#[inline]
#[target_feature(enable = "avx")]
pub(crate) unsafe fn unknown(mut codes: __m256i) -> __m256i {
    asm!("/* {0:y} */", inout(ymm_reg) codes, options(nomem, nostack, preserves_flags));
    codes
}

/// Dot products of AVX2, which multiplies bytes and adds two products to one of 16 bits.
#[derive(Clone, Copy)]
pub(crate) struct Avx2Dots {
    narrow: __m256i,
    wide: __m256i,
}

impl Avx2Dots {
    #[inline(always)]
    unsafe fn add(self, unsigned: __m256i, signed: __m256i) -> Self {
        Self { narrow: _mm256_add_epi16(self.narrow, _mm256_maddubs_epi16(unsigned, signed)), ..self }
    }

    #[inline(always)]
    unsafe fn sum(self) -> __m256i {
        _mm256_add_epi32(self.wide, _mm256_madd_epi16(self.narrow, _mm256_set1_epi16(1)))
    }
}

simd_256!(Avx2, 0, {
    type Dots = Avx2Dots;
    const PRODUCTS_IN_16_BITS: usize = 2;

    intrinsics! {
        dots(start: __m256i) -> Avx2Dots = Avx2Dots { narrow: _mm256_setzero_si256(), wide: start };
        signed_operand(bytes: __m256i) -> __m256i = bytes;
        widen(dots: Avx2Dots) -> Avx2Dots = Self::dots(dots.sum());
        total(dots: Avx2Dots) -> __m256i = dots.sum();
        narrow_dots(start: i32, shift: u32) -> Avx2Dots = {
            let narrow = _mm256_sra_epi16(_mm256_set1_epi32(start), _mm_cvtsi32_si128(shift.cast_signed()));
            Avx2Dots { narrow, wide: _mm256_setzero_si256() }
        };
        // Both halves of a lane.
        factor(x: __m256i) -> __m256i =
            _mm256_or_si256(_mm256_slli_epi32::<16>(x), _mm256_and_si256(x, _mm256_set1_epi32(0xffff)));
        add_multiple(sum: __m256i, dots: Avx2Dots, factor: __m256i) -> __m256i =
            _mm256_add_epi32(_mm256_madd_epi16(dots.narrow, factor), sum);
        add_widened_multiple(sum: __m256i, dots: Avx2Dots, factor: __m256i) -> __m256i =
            Self::mul_add_int(dots.sum(), _mm256_srai_epi32::<16>(factor), sum);
    }

    dots_by_group! {
        dot_codes(dots, codes, x) = dots.add(codes, splat::<GROUP>(x));
        // A sign moves from one factor to the other; −128 becomes an unsigned 128.
        dot_signed(dots, operand, x) = dots.add(_mm256_abs_epi8(operand), _mm256_sign_epi8(splat::<GROUP>(x), operand));
        dot_non_negative(dots, bytes, x) = dots.add(splat::<GROUP>(x), bytes);
    }
});

simd_256!(AvxVnni, 128, {
    wide_dots!();

    intrinsics! {
        signed_operand(bytes: __m256i) -> __m256i = _mm256_xor_si256(bytes, _mm256_set1_epi8(-128));
    }

    dots_by_group! {
        dot_codes(dots, codes, x) = _mm256_dpbusd_avx_epi32(dots, codes, splat::<GROUP>(x));
        dot_signed(dots, operand, x) = _mm256_dpbusd_avx_epi32(dots, operand, splat::<GROUP>(x));
        dot_non_negative(dots, bytes, x) = _mm256_dpbusd_avx_epi32(dots, splat::<GROUP>(x), bytes);
    }
});
