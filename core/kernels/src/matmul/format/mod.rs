//! How the codes and scales of each format are taken from a panel's block into vectors.

// Loads at offsets that `packed::layout` defines, within a block that the caller vouches for.
#![allow(unsafe_op_in_unsafe_fn)]

mod k_quants;
mod small;
mod values;

pub(crate) use k_quants::{Multiplied, Q3K, Q4K, Q5K, Q6K};
pub(crate) use small::{CachedValues, Q4_0, Q4_1, Q5_0, Q5_1, Q8_0};
pub(crate) use values::{Codes, Halves, IQ4NL, IQ4XS, Q2K};

use super::MatMul;
use crate::activations::CORRECTION;
use crate::blocks::QK_K;
use crate::packed::WeightFormat;
use crate::packed::layout::{self, PLANE, SECOND_HEADER};
use crate::simd::Simd;

/// What is computed with a format's numbers. Formats that are unpacked to the same share the code that multiplies many rows of
/// activations.
pub(crate) trait Arithmetic: 'static {
    /// Taken from each code.
    const OFFSET: i32 = 0;
    /// The largest magnitude of codes.
    const LARGEST_CODE: usize;
    /// Whether codes are signed bytes, and not unsigned ones.
    const SIGNED: bool = false;
    /// Whether signed codes are only multiplied with activations that are not negative: then these can be the unsigned ones, and
    /// nothing is to be taken from the product.
    const TIMES_NON_NEGATIVE: bool = false;
    /// Scales in a sub-block: one, or one for each half.
    const SCALES: usize = 1;
    /// Whether all scales are 1.
    const SCALES_ARE_1: bool = false;
    /// Whether there is a minimum for each scale: of blocks with multipliers, to be taken from each weight, of others, to be added.
    const HAS_MIN: bool = false;
    /// Whether sub-blocks have multipliers, integers that all but their block's scale is computed with.
    const HAS_MULTIPLIERS: bool = false;
    /// Whether codes have been multiplied with them, so that a block's dot products are one sum, with its scale negated.
    const IS_MULTIPLIED: bool = false;
    /// Sub-blocks whose products are brought to `f32` together.
    const SPAN: usize = if Self::HAS_MULTIPLIERS { QK_K / layout::SUB_BLOCK } else { 1 };
}

/// A quantized format. `vector` numbers the vectors that make up a panel's 32 rows.
///
/// # Safety
/// Pointers to blocks and sub-blocks must point to whole ones, and `vector` must be less than `32 / S::LANES`.
pub(crate) trait PanelFormat: Arithmetic {
    const FORMAT: WeightFormat;
    /// What it is unpacked to where there are many rows of activations: the same weights.
    type Unpacked<S: MatMul>: Arithmetic;
    /// Rows of activations that are multiplied with codes that are unpacked in registers, at most.
    const GEMV_ROWS: usize = 1;
    /// Whether multipliers are made from a header.
    #[cfg_attr(not(target_arch = "aarch64"), allow(dead_code))]
    const HAS_HEADER: bool = false;

    /// Bytes of a panel's block.
    const BLOCK: usize = layout::block(Self::FORMAT);
    /// Bytes before its first sub-block.
    const HEADER: usize = layout::header(Self::FORMAT);
    /// Bytes of a sub-block.
    const SUB_BLOCK: usize = layout::sub_block(Self::FORMAT);
    /// Sub-blocks in a block.
    const SUB_BLOCKS: usize = Self::FORMAT.block_len() / layout::SUB_BLOCK;

    /// What is unpacked once for all multipliers and minimums of a block, for the rows of one vector.
    type Header<S: Simd>: Copy;

    /// Codes of the groups `2 * pair` and `2 * pair + 1` of a sub-block of `block` whose planes begin at `planes`.
    unsafe fn codes<S: Simd>(block: *const u8, planes: *const u8, vector: usize, pair: usize) -> (S::Int, S::Int);

    /// Takes apart what there is to be.
    unsafe fn header<S: Simd>(block: *const u8, vector: usize) -> Self::Header<S>;

    /// The block's scales.
    #[inline(always)]
    unsafe fn scale<S: Simd>(block: *const u8, vector: usize) -> S::F32 {
        halves::<S>(block, vector)
    }

    /// Multipliers of half `half` of sub-block `sub` (of all of it where there is one): 1 where all there is is the block's scale.
    #[inline(always)]
    unsafe fn multiplier<S: Simd>(
        _header: &Self::Header<S>,
        _block: *const u8,
        _sub: usize,
        _half: usize,
        _vector: usize,
    ) -> S::Int {
        S::splat_int(1)
    }

    /// The scales of half `half` of sub-block `sub` (of all of it where there is one), of formats without multipliers.
    #[inline(always)]
    unsafe fn part_scale<S: Simd>(
        _header: &Self::Header<S>,
        block: *const u8,
        _sub: usize,
        _half: usize,
        vector: usize,
    ) -> S::F32 {
        Self::scale::<S>(block, vector)
    }

    /// The minimums that belong to those, divided by [`CORRECTION`]; zeros where there are none.
    #[inline(always)]
    unsafe fn part_min<S: Simd>(
        _header: &Self::Header<S>,
        _block: *const u8,
        _sub: usize,
        _half: usize,
        _vector: usize,
    ) -> S::F32 {
        S::splat(0.0)
    }

    /// The scales of the block's minimums.
    #[inline(always)]
    unsafe fn min_scale<S: Simd>(block: *const u8, vector: usize) -> S::F32 {
        halves::<S>(block.add(SECOND_HEADER), vector)
    }

    /// Minimums as bytes, those of even sub-blocks and of odd ones; zeros where there are none.
    #[inline(always)]
    unsafe fn mins<S: Simd>(_header: &Self::Header<S>) -> [S::Int; 2] {
        [S::splat_int(0); 2]
    }
}

/// One vector's bytes of a plane.
#[inline(always)]
unsafe fn plane<S: Simd>(planes: *const u8, index: usize, vector: usize) -> S::Int {
    S::load_int(planes.add(index * PLANE + vector * 4 * S::LANES))
}

/// One `f16` for each row of a vector.
#[inline(always)]
unsafe fn halves<S: Simd>(header: *const u8, vector: usize) -> S::F32 {
    S::load_f16(header.add(vector * 2 * S::LANES))
}

#[inline(always)]
unsafe fn bytes<S: Simd>(byte: u8) -> S::Int {
    S::splat_int(i32::from_ne_bytes([byte; 4]))
}

/// A minimum of 16 bits for each row of a vector, divided by [`CORRECTION`].
#[inline(always)]
unsafe fn min_halves<S: Simd>(block: *const u8, vector: usize) -> S::F32 {
    S::mul(halves::<S>(block.add(SECOND_HEADER), vector), S::splat(1.0 / CORRECTION as f32))
}

/// Four-bit codes of two groups.
#[inline(always)]
unsafe fn nibbles<S: Simd>(planes: *const u8, vector: usize, pair: usize) -> (S::Int, S::Int) {
    let both = plane::<S>(planes, pair, vector);
    (S::low_nibbles(both), S::shr_bytes::<4>(both))
}

/// Five-bit codes of two groups.
#[inline(always)]
unsafe fn five_bits<S: Simd>(planes: *const u8, vector: usize, pair: usize) -> (S::Int, S::Int) {
    let first = pair / 2 * 2;
    let (a, b) = (plane::<S>(planes, first, vector), plane::<S>(planes, first + 1, vector));
    if pair.is_multiple_of(2) {
        let mask = bytes::<S>(0x1f);
        return (S::and(a, mask), S::and(b, mask));
    }
    // The two lowest bits, brought to bits 6 and 7.
    let low = plane::<S>(planes, 4, vector);
    let (low_a, low_b) = match pair {
        1 => (low, S::shl::<2>(low)),
        _ => (S::shl::<4>(low), S::shl::<6>(low)),
    };
    (S::shr_bytes::<3>(S::shr_into::<3>(low_a, a)), S::shr_bytes::<3>(S::shr_into::<3>(low_b, b)))
}

/// Eight numbers of four bits, those of even sub-blocks and of odd ones: word `index` of each row from `words` on.
#[inline(always)]
unsafe fn numbers<S: Simd>(words: *const u8, index: usize, vector: usize) -> [S::Int; 2] {
    let word = plane::<S>(words, index, vector);
    [S::low_nibbles(word), S::shr_bytes::<4>(word)]
}

/// Number `sub` of eight.
#[inline(always)]
unsafe fn number<S: Simd>(numbers: [S::Int; 2], sub: usize) -> S::Int {
    S::byte(numbers[sub % 2], sub / 2)
}

/// A format with nothing to unpack once for a block.
macro_rules! no_header {
    () => {
        type Header<S: Simd> = ();

        #[inline(always)]
        unsafe fn header<S: Simd>(_block: *const u8, _vector: usize) {}
    };
}

use no_header;
