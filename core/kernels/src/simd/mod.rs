//! Vector instruction sets behind one trait: an algorithm is written once and compiled for each of them.
//!
//! Generic code is `#[inline(always)]` and ends up inside a function with `#[target_feature]` ([`crate::table`] makes
//! them), where the compiler turns every method here into an instruction or two. No method but sums of integers and the
//! largest of numbers, whose order does not matter, looks across lanes, and all of them round alike: what the algorithms compute does not depend on
//! the instruction set, to the last bit.

// Each method is an instruction whose one precondition is the trait's, and which touches memory only as it says.
#![allow(unsafe_op_in_unsafe_fn)]

#[cfg(target_arch = "aarch64")]
pub(crate) mod arm;
pub(crate) mod math;
mod portable;
#[cfg(target_arch = "x86_64")]
pub(crate) mod x86;

pub(crate) use portable::Portable;

/// Vectors of [`Simd::LANES`] numbers of 32 bits.
///
/// # Safety
/// Every method may be called only on a CPU that has the implementor's instructions. Loads and stores are of whole
/// vectors at any alignment.
pub(crate) trait Simd: Copy + 'static {
    /// Lanes of 32 bits.
    const LANES: usize;
    /// What [`Simd::signed_operand`] adds to each byte.
    const SIGNED_OFFSET: i32;

    /// Lanes of `f32`.
    type F32: Copy;
    /// Lanes of 32-bit integers, or four bytes in each.
    type Int: Copy;
    /// Four numbers in memory, each to be multiplied with whole vectors.
    type Four: Copy;
    /// Sixteen signed bytes in memory, four of which at a time are to be multiplied with whole vectors.
    type Sixteen: Copy;
    /// Dot products of four bytes for each lane, while products are added to them.
    type Dots: Copy;
    /// Products of a group that are added in the same 16 bits; zero where dot products have 32 from the start.
    const PRODUCTS_IN_16_BITS: usize;

    unsafe fn splat(x: f32) -> Self::F32;
    unsafe fn load(from: *const f32) -> Self::F32;
    unsafe fn store(x: Self::F32, to: *mut f32);
    /// Widens [`Simd::LANES`] numbers of binary16.
    unsafe fn load_f16(from: *const u8) -> Self::F32;
    /// Widens [`Simd::LANES`] numbers of bfloat16.
    unsafe fn load_bf16(from: *const u8) -> Self::F32;
    unsafe fn add(a: Self::F32, b: Self::F32) -> Self::F32;
    unsafe fn sub(a: Self::F32, b: Self::F32) -> Self::F32;
    unsafe fn mul(a: Self::F32, b: Self::F32) -> Self::F32;
    unsafe fn div(a: Self::F32, b: Self::F32) -> Self::F32;
    /// The larger; `b` where `a` is NaN. `b` is not.
    unsafe fn max(a: Self::F32, b: Self::F32) -> Self::F32;
    /// The larger; NaN where `x` is. `bound` is not.
    unsafe fn at_least(bound: Self::F32, x: Self::F32) -> Self::F32;
    /// The smaller; NaN where `x` is. `bound` is not.
    unsafe fn at_most(bound: Self::F32, x: Self::F32) -> Self::F32;
    /// `a * b + c`, rounded once.
    unsafe fn fma(a: Self::F32, b: Self::F32, c: Self::F32) -> Self::F32;
    /// Four numbers that stay where they are.
    unsafe fn load_four(from: *const f32) -> Self::Four;
    /// `a * four[INDEX] + c`, rounded once.
    unsafe fn fma_by<const INDEX: usize>(a: Self::F32, four: Self::Four, c: Self::F32) -> Self::F32;
    /// `c - a * b`, rounded once.
    unsafe fn neg_fma(a: Self::F32, b: Self::F32, c: Self::F32) -> Self::F32;
    /// To the nearest integer, ties to even, of a number that fits.
    unsafe fn round_to_int(x: Self::F32) -> Self::Int;
    unsafe fn to_f32(x: Self::Int) -> Self::F32;
    unsafe fn to_bits(x: Self::F32) -> Self::Int;
    /// The bits of the lanes as `f32`.
    unsafe fn from_bits(x: Self::Int) -> Self::F32;

    unsafe fn splat_int(x: i32) -> Self::Int;
    unsafe fn load_int(from: *const u8) -> Self::Int;
    unsafe fn store_int(x: Self::Int, to: *mut u8);
    /// Widens the signed bytes of vector `vector` of a panel's rows, which begin at `from`.
    unsafe fn load_i8(from: *const u8, vector: usize) -> Self::Int;
    /// The low byte of each lane of 32, in vectors that follow each other.
    unsafe fn store_low_bytes(x: &[Self::Int], to: *mut i8);
    /// For each byte of `indices`, from 0 to 15, that byte of `table`, which has the same 16 bytes again and again.
    unsafe fn look_up(table: Self::Int, indices: Self::Int) -> Self::Int;
    /// Takes `less` from each byte, which may wrap.
    unsafe fn sub_bytes(x: Self::Int, less: u8) -> Self::Int;
    /// The low bytes of products of bytes.
    unsafe fn mul_bytes(a: Self::Int, b: Self::Int) -> Self::Int;
    /// The larger signed integer.
    unsafe fn max_int(a: Self::Int, b: Self::Int) -> Self::Int;
    unsafe fn add_int(a: Self::Int, b: Self::Int) -> Self::Int;
    /// `a * b + c`.
    unsafe fn mul_add_int(a: Self::Int, b: Self::Int, c: Self::Int) -> Self::Int;
    unsafe fn and(a: Self::Int, b: Self::Int) -> Self::Int;
    unsafe fn or(a: Self::Int, b: Self::Int) -> Self::Int;
    /// The largest lane of each vector, none of which is NaN.
    unsafe fn largest_of_each(x: [Self::F32; 4]) -> [f32; 4];
    /// The sum of all even pairs of lanes, and that of all odd ones.
    unsafe fn sum_pairs(x: Self::Int) -> [i32; 2];
    /// The largest signed integer of all lanes.
    unsafe fn largest_lane(x: Self::Int) -> i32;
    /// Shifts each 32-bit lane left.
    unsafe fn shl<const N: u32>(x: Self::Int) -> Self::Int;
    /// Shifts each 32-bit lane right, filling with zeros.
    unsafe fn shr<const N: u32>(x: Self::Int) -> Self::Int;
    /// Byte `index` of each lane.
    unsafe fn byte(x: Self::Int, index: usize) -> Self::Int;

    /// The low four bits of each byte.
    #[inline(always)]
    unsafe fn low_nibbles(x: Self::Int) -> Self::Int {
        Self::and(x, Self::splat_int(0x0f0f_0f0f))
    }

    /// Shifts each byte right, filling with zeros.
    #[inline(always)]
    unsafe fn shr_bytes<const N: u32>(x: Self::Int) -> Self::Int {
        Self::and(Self::shr::<N>(x), Self::splat_int(0x0101_0101 * (0xff >> N)))
    }

    /// The `N` highest bits of each byte of `into`, and for the others the highest of `x`.
    #[inline(always)]
    unsafe fn shr_into<const N: u32>(x: Self::Int, into: Self::Int) -> Self::Int {
        let highest = Self::splat_int((0x0101_0101u32 * (0xff & !(0xff >> N))).cast_signed());
        Self::or(Self::and(into, highest), Self::shr_bytes::<N>(x))
    }

    /// Asks for the cache line at `at`, which need not be memory. Nothing where it has not been seen to help.
    #[inline(always)]
    unsafe fn prefetch(_at: *const u8) {}

    /// Sixteen signed bytes that stay where they are.
    unsafe fn load_sixteen(from: *const i8) -> Self::Sixteen;
    /// Dot products that begin with `start`.
    unsafe fn dots(start: Self::Int) -> Self::Dots;
    /// Adds to each lane the dot product of its four bytes and of group `GROUP` of `x`: bytes `4 * GROUP` to `4 * GROUP + 3`.
    /// `codes` are unsigned, at most 63 where [`Simd::SIGNED_OFFSET`] is 0, and `x` is from −127 to 127.
    unsafe fn dot_codes<const GROUP: usize>(dots: Self::Dots, codes: Self::Int, x: Self::Sixteen) -> Self::Dots;
    /// Signed bytes as [`Simd::dot_signed`] wants them.
    unsafe fn signed_operand(bytes: Self::Int) -> Self::Int;
    /// As [`Simd::dot_codes`] for what [`Simd::signed_operand`] made.
    unsafe fn dot_signed<const GROUP: usize>(dots: Self::Dots, operand: Self::Int, x: Self::Sixteen) -> Self::Dots;
    /// As [`Simd::dot_codes`] for signed bytes, and `x` from 0 to 127.
    #[inline(always)]
    unsafe fn dot_non_negative<const GROUP: usize>(dots: Self::Dots, bytes: Self::Int, x: Self::Sixteen) -> Self::Dots {
        Self::dot_signed::<GROUP>(dots, Self::signed_operand(bytes), x)
    }
    /// Brings what was added in 16 bits to 32: to be done before it can overflow.
    unsafe fn widen(dots: Self::Dots) -> Self::Dots;
    unsafe fn total(dots: Self::Dots) -> Self::Int;
    /// Dot products that begin in 16 bits, where there are such: with the low half of `start` for even pairs of products, and the
    /// high half for odd ones, both shifted right by `shift`. They may wrap on the way.
    unsafe fn narrow_dots(start: i32, shift: u32) -> Self::Dots;
    /// The sum of eight products in each lane: of bytes up to 63, the even ones in `bytes[0]` and the odd ones in `bytes[1]`, with
    /// eight numbers from −4,064 to 4,064, which lie in [`crate::activations::SUM_ORDER`].
    unsafe fn dot_eight(bytes: [Self::Int; 2], x: *const i16) -> Self::Int;
    /// Integers from −128 to 127 as factors of [`Simd::add_multiple`].
    #[inline(always)]
    unsafe fn factor(x: Self::Int) -> Self::Int {
        x
    }
    /// `dots * factor + sum`, of dot products that began with zero or [`Simd::narrow_dots`] and were not widened.
    unsafe fn add_multiple(sum: Self::Int, dots: Self::Dots, factor: Self::Int) -> Self::Int;
    /// As [`Simd::add_multiple`], of any dot products.
    #[inline(always)]
    unsafe fn add_widened_multiple(sum: Self::Int, dots: Self::Dots, factor: Self::Int) -> Self::Int {
        Self::mul_add_int(Self::total(dots), factor, sum)
    }
}

/// [`Simd::Dots`] of 32 bits.
macro_rules! wide_dots {
    () => {
        type Dots = Self::Int;
        const PRODUCTS_IN_16_BITS: usize = 0;

        #[inline(always)]
        unsafe fn dots(start: Self::Int) -> Self::Int {
            start
        }

        #[inline(always)]
        unsafe fn widen(dots: Self::Int) -> Self::Int {
            dots
        }

        #[inline(always)]
        unsafe fn total(dots: Self::Int) -> Self::Int {
            dots
        }

        #[inline(always)]
        unsafe fn narrow_dots(start: i32, shift: u32) -> Self::Int {
            Self::splat_int((start << 16 >> (16 + shift)) + (start >> (16 + shift)))
        }

        #[inline(always)]
        unsafe fn add_multiple(sum: Self::Int, dots: Self::Int, factor: Self::Int) -> Self::Int {
            Self::mul_add_int(dots, factor, sum)
        }
    };
}

/// [`Simd::dot_codes`] and its kin, each an expression.
macro_rules! dots_by_group {
    ($($method:ident($dots:ident, $codes:ident, $x:ident) = $call:expr;)*) => {
        $(#[inline(always)]
        unsafe fn $method<const GROUP: usize>($dots: Self::Dots, $codes: Self::Int, $x: Self::Sixteen) -> Self::Dots {
            $call
        })*
    };
}

use {dots_by_group, wide_dots};
