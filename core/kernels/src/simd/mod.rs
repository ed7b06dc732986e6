//! Vector instruction sets behind one trait: an algorithm is written once and compiled for each of them.
//!
//! A value of an instruction set proves that the CPU has it: `unsafe` code makes one where a function of [`crate::table`] begins, and
//! whoever is handed it, as `s`, may use the instructions. Generic code is `#[inline(always)]` and ends up inside that function,
//! which has `#[target_feature]`: there the compiler turns every method here into an instruction or two. No method but sums of integers and the
//! largest of numbers, whose order does not matter, looks across lanes, and all of them round alike: what the algorithms compute does not depend on
//! the instruction set, to the last bit.

#[cfg(target_arch = "aarch64")]
pub(crate) mod arm;
pub(crate) mod math;
mod portable;
#[cfg(target_arch = "x86_64")]
pub(crate) mod x86;

pub(crate) use portable::Portable;

use crate::activations::GROUP_SUMS;
use crate::packed::layout::SUB_BLOCK;

/// Vectors of [`Simd::LANES`] numbers of 32 bits, by the instructions that a value of the implementor proves to be there. Loads
/// and stores are of whole vectors at any alignment.
pub(crate) trait Simd: Copy + 'static {
    /// Whoever has a value may use the instructions.
    ///
    /// # Safety
    /// The CPU has them.
    unsafe fn new() -> Self;

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

    fn splat(self, x: f32) -> Self::F32;
    /// # Safety
    /// [`Simd::LANES`] numbers can be read at `from`.
    unsafe fn load(self, from: *const f32) -> Self::F32;
    /// # Safety
    /// [`Simd::LANES`] numbers can be written at `to`.
    unsafe fn store(self, x: Self::F32, to: *mut f32);

    /// The first [`Simd::LANES`] numbers of `x`.
    ///
    /// # Panics
    /// When there are fewer.
    #[inline(always)]
    fn load_slice(self, x: &[f32]) -> Self::F32 {
        let x = &x[..Self::LANES];
        // SAFETY: the slice has as many numbers.
        unsafe { self.load(x.as_ptr()) }
    }

    /// Stores a vector as the first [`Simd::LANES`] numbers of `to`.
    ///
    /// # Panics
    /// When there are fewer.
    #[inline(always)]
    fn store_slice(self, x: Self::F32, to: &mut [f32]) {
        let to = &mut to[..Self::LANES];
        // SAFETY: the slice has room for as many numbers.
        unsafe { self.store(x, to.as_mut_ptr()) }
    }

    /// Widens [`Simd::LANES`] numbers of binary16.
    ///
    /// # Safety
    /// They can be read at `from`.
    unsafe fn load_f16(self, from: *const u8) -> Self::F32;
    /// Widens [`Simd::LANES`] numbers of bfloat16.
    ///
    /// # Safety
    /// They can be read at `from`.
    unsafe fn load_bf16(self, from: *const u8) -> Self::F32;
    fn add(self, a: Self::F32, b: Self::F32) -> Self::F32;
    fn sub(self, a: Self::F32, b: Self::F32) -> Self::F32;
    fn mul(self, a: Self::F32, b: Self::F32) -> Self::F32;
    fn div(self, a: Self::F32, b: Self::F32) -> Self::F32;
    /// The larger; `b` where `a` is NaN. `b` is not.
    fn max(self, a: Self::F32, b: Self::F32) -> Self::F32;
    /// The larger; NaN where `x` is. `bound` is not.
    fn at_least(self, bound: Self::F32, x: Self::F32) -> Self::F32;
    /// The smaller; NaN where `x` is. `bound` is not.
    fn at_most(self, bound: Self::F32, x: Self::F32) -> Self::F32;
    /// `a * b + c`, rounded once.
    fn fma(self, a: Self::F32, b: Self::F32, c: Self::F32) -> Self::F32;
    /// Four numbers that stay where they are.
    ///
    /// # Safety
    /// They can be read at `from`, for as long as what is returned is used.
    unsafe fn load_four(self, from: *const f32) -> Self::Four;
    /// `a * four[INDEX] + c`, rounded once.
    fn fma_by<const INDEX: usize>(self, a: Self::F32, four: Self::Four, c: Self::F32) -> Self::F32;
    /// `c - a * b`, rounded once.
    fn neg_fma(self, a: Self::F32, b: Self::F32, c: Self::F32) -> Self::F32;
    /// To the nearest integer, ties to even, of a number that fits.
    fn round_to_int(self, x: Self::F32) -> Self::Int;
    fn to_f32(self, x: Self::Int) -> Self::F32;
    fn to_bits(self, x: Self::F32) -> Self::Int;
    /// The bits of the lanes as `f32`.
    fn bits_as_f32(self, x: Self::Int) -> Self::F32;

    fn splat_int(self, x: i32) -> Self::Int;
    /// # Safety
    /// `4 * LANES` bytes can be read at `from`.
    unsafe fn load_int(self, from: *const u8) -> Self::Int;
    /// # Safety
    /// `4 * LANES` bytes can be written at `to`.
    unsafe fn store_int(self, x: Self::Int, to: *mut u8);
    /// Widens the signed bytes of vector `vector` of a panel's rows, which begin at `from`.
    ///
    /// # Safety
    /// They can be read.
    unsafe fn load_i8(self, from: *const u8, vector: usize) -> Self::Int;
    /// The low byte of each lane of 32, in vectors that follow each other.
    fn store_low_bytes(self, x: &[Self::Int], to: &mut [i8; SUB_BLOCK]);
    /// For each byte of `indices`, from 0 to 15, that byte of `table`, which has the same 16 bytes again and again.
    fn look_up(self, table: Self::Int, indices: Self::Int) -> Self::Int;
    /// Takes `less` from each byte, which may wrap.
    fn sub_bytes(self, x: Self::Int, less: u8) -> Self::Int;
    /// The low bytes of products of bytes.
    fn mul_bytes(self, a: Self::Int, b: Self::Int) -> Self::Int;
    /// The larger signed integer.
    fn max_int(self, a: Self::Int, b: Self::Int) -> Self::Int;
    fn add_int(self, a: Self::Int, b: Self::Int) -> Self::Int;
    /// `a * b + c`.
    fn mul_add_int(self, a: Self::Int, b: Self::Int, c: Self::Int) -> Self::Int;
    fn and(self, a: Self::Int, b: Self::Int) -> Self::Int;
    fn or(self, a: Self::Int, b: Self::Int) -> Self::Int;
    /// The largest lane of each vector, none of which is NaN.
    fn largest_of_each(self, x: [Self::F32; 4]) -> [f32; 4];
    /// The sum of all even pairs of lanes, and that of all odd ones.
    fn sum_pairs(self, x: Self::Int) -> [i32; 2];
    /// The largest signed integer of all lanes.
    fn largest_lane(self, x: Self::Int) -> i32;
    /// Shifts each 32-bit lane left.
    fn shl<const N: u32>(self, x: Self::Int) -> Self::Int;
    /// Shifts each 32-bit lane right, filling with zeros.
    fn shr<const N: u32>(self, x: Self::Int) -> Self::Int;
    /// Byte `index` of each lane.
    fn byte(self, x: Self::Int, index: usize) -> Self::Int;

    /// The low four bits of each byte.
    #[inline(always)]
    fn low_nibbles(self, x: Self::Int) -> Self::Int {
        self.and(x, self.splat_int(0x0f0f_0f0f))
    }

    /// Shifts each byte right, filling with zeros.
    #[inline(always)]
    fn shr_bytes<const N: u32>(self, x: Self::Int) -> Self::Int {
        self.and(self.shr::<N>(x), self.splat_int(0x0101_0101 * (0xff >> N)))
    }

    /// The `N` highest bits of each byte of `into`, and for the others the highest of `x`.
    #[inline(always)]
    fn shr_into<const N: u32>(self, x: Self::Int, into: Self::Int) -> Self::Int {
        let highest = self.splat_int((0x0101_0101u32 * (0xff & !(0xff >> N))).cast_signed());
        self.or(self.and(into, highest), self.shr_bytes::<N>(x))
    }

    /// Asks for the cache line at `at`, which need not be memory. Nothing where it has not been seen to help.
    #[inline(always)]
    fn prefetch(self, _at: *const u8) {}

    /// Sixteen signed bytes that stay where they are.
    ///
    /// # Safety
    /// They can be read at `from`, for as long as what is returned is used.
    unsafe fn load_sixteen(self, from: *const i8) -> Self::Sixteen;
    /// Dot products that begin with `start`.
    fn dots(self, start: Self::Int) -> Self::Dots;
    /// Adds to each lane the dot product of its four bytes and of group `GROUP` of `x`: bytes `4 * GROUP` to `4 * GROUP + 3`.
    /// `codes` are unsigned, at most 63 where [`Simd::SIGNED_OFFSET`] is 0, and `x` is from −127 to 127.
    fn dot_codes<const GROUP: usize>(self, dots: Self::Dots, codes: Self::Int, x: Self::Sixteen) -> Self::Dots;
    /// Signed bytes as [`Simd::dot_signed`] wants them.
    fn signed_operand(self, bytes: Self::Int) -> Self::Int;
    /// As [`Simd::dot_codes`] for what [`Simd::signed_operand`] made.
    fn dot_signed<const GROUP: usize>(self, dots: Self::Dots, operand: Self::Int, x: Self::Sixteen) -> Self::Dots;
    /// As [`Simd::dot_codes`] for signed bytes, and `x` from 0 to 127.
    #[inline(always)]
    fn dot_non_negative<const GROUP: usize>(self, dots: Self::Dots, bytes: Self::Int, x: Self::Sixteen) -> Self::Dots {
        self.dot_signed::<GROUP>(dots, self.signed_operand(bytes), x)
    }
    /// Brings what was added in 16 bits to 32: to be done before it can overflow.
    fn widen(self, dots: Self::Dots) -> Self::Dots;
    fn total(self, dots: Self::Dots) -> Self::Int;
    /// Dot products that begin in 16 bits, where there are such: with the low half of `start` for even pairs of products, and the
    /// high half for odd ones, both shifted right by `shift`. They may wrap on the way.
    fn narrow_dots(self, start: i32, shift: u32) -> Self::Dots;
    /// The sum of eight products in each lane: of bytes up to 63, the even ones in `bytes[0]` and the odd ones in `bytes[1]`, with
    /// eight numbers from −4,064 to 4,064, in [`crate::activations::SUM_ORDER`].
    fn dot_eight(self, bytes: [Self::Int; 2], x: &[i16; GROUP_SUMS]) -> Self::Int;
    /// Integers from −128 to 127 as factors of [`Simd::add_multiple`].
    #[inline(always)]
    fn factor(self, x: Self::Int) -> Self::Int {
        x
    }
    /// `dots * factor + sum`, of dot products that began with zero or [`Simd::narrow_dots`] and were not widened.
    fn add_multiple(self, sum: Self::Int, dots: Self::Dots, factor: Self::Int) -> Self::Int;
    /// As [`Simd::add_multiple`], of any dot products.
    #[inline(always)]
    fn add_widened_multiple(self, sum: Self::Int, dots: Self::Dots, factor: Self::Int) -> Self::Int {
        self.mul_add_int(self.total(dots), factor, sum)
    }
}

/// Four numbers that stay in memory, for instructions that take one of them from there: see [`Simd::load_four`].
#[derive(Clone, Copy)]
pub(crate) struct FourInMemory(*const f32);

impl FourInMemory {
    #[inline(always)]
    fn number<const INDEX: usize>(self) -> f32 {
        const { assert!(INDEX < 4) };
        // SAFETY: only `load_four` makes one, of four numbers that can be read for as long as it is used.
        unsafe { *self.0.add(INDEX) }
    }
}

/// Sixteen bytes that stay in memory, for instructions that take four of them from there: see [`Simd::load_sixteen`].
#[derive(Clone, Copy)]
pub(crate) struct SixteenInMemory(*const i8);

impl SixteenInMemory {
    /// Bytes `4 * GROUP` to `4 * GROUP + 3`.
    #[inline(always)]
    fn group<const GROUP: usize>(self) -> i32 {
        const { assert!(GROUP < 4) };
        // SAFETY: only `load_sixteen` makes one, of sixteen bytes that can be read for as long as it is used; reads are unaligned.
        unsafe { self.0.cast::<i32>().add(GROUP).read_unaligned() }
    }
}

/// [`Simd::Dots`] of 32 bits.
macro_rules! wide_dots {
    () => {
        type Dots = Self::Int;
        const PRODUCTS_IN_16_BITS: usize = 0;

        #[inline(always)]
        fn dots(self, start: Self::Int) -> Self::Int {
            start
        }

        #[inline(always)]
        fn widen(self, dots: Self::Int) -> Self::Int {
            dots
        }

        #[inline(always)]
        fn total(self, dots: Self::Int) -> Self::Int {
            dots
        }

        #[inline(always)]
        fn narrow_dots(self, start: i32, shift: u32) -> Self::Int {
            self.splat_int((start << 16 >> (16 + shift)) + (start >> (16 + shift)))
        }

        #[inline(always)]
        fn add_multiple(self, sum: Self::Int, dots: Self::Int, factor: Self::Int) -> Self::Int {
            self.mul_add_int(dots, factor, sum)
        }
    };
}

/// Numbers and bytes that stay in memory.
macro_rules! factors_in_memory {
    () => {
        type Four = FourInMemory;
        type Sixteen = SixteenInMemory;

        #[inline(always)]
        unsafe fn load_four(self, from: *const f32) -> FourInMemory {
            FourInMemory(from)
        }

        #[inline(always)]
        fn fma_by<const INDEX: usize>(self, a: Self::F32, four: FourInMemory, c: Self::F32) -> Self::F32 {
            self.fma(a, self.splat(four.number::<INDEX>()), c)
        }

        #[inline(always)]
        unsafe fn load_sixteen(self, from: *const i8) -> SixteenInMemory {
            SixteenInMemory(from)
        }
    };
}

/// Methods that are an intrinsic or a few.
#[cfg(any(target_arch = "aarch64", target_arch = "x86_64"))]
macro_rules! intrinsics {
    ($($method:ident($self:ident $(, $argument:ident: $type:ty)*) -> $out:ty = $call:expr;)*) => {
        $(#[inline(always)]
        fn $method($self $(, $argument: $type)*) -> $out {
            // SAFETY: a value of the instruction set exists only where the CPU has its instructions. Where these read memory, it is
            // an array or a static as long as what they read.
            unsafe { $call }
        })*
    };
}

/// As [`intrinsics`], of methods that load what a pointer points to.
#[cfg(any(target_arch = "aarch64", target_arch = "x86_64"))]
macro_rules! loads {
    ($($method:ident($self:ident $(, $argument:ident: $type:ty)*) -> $out:ty = $call:expr;)*) => {
        $(#[inline(always)]
        unsafe fn $method($self $(, $argument: $type)*) -> $out {
            // SAFETY: as above. All that is loaded can be read, by `# Safety` of these methods of `Simd`, and the instructions load
            // from any address.
            unsafe { $call }
        })*
    };
}

#[cfg_attr(not(any(target_arch = "aarch64", target_arch = "x86_64")), allow(unused_imports))]
use {factors_in_memory, wide_dots};
#[cfg(any(target_arch = "aarch64", target_arch = "x86_64"))]
use {intrinsics, loads};
