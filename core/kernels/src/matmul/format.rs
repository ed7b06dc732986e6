//! How the codes and scales of each format are taken from a panel's block into vectors.

// Loads at offsets that `packed::layout` defines, within a block that the caller vouches for.
#![allow(unsafe_op_in_unsafe_fn)]

use crate::packed::WeightFormat;
use crate::packed::layout::{self, K_SCALES, LOW_PLANES, PANEL_ROWS, PLANE, SECOND_HEADER};
use crate::simd::Simd;

/// A quantized format. `vector` numbers the vectors that make up a panel's 32 rows.
///
/// # Safety
/// Pointers to blocks and sub-blocks must point to whole ones, and `vector` must be less than `32 / S::LANES`.
pub(crate) trait PanelFormat: 'static {
    const FORMAT: WeightFormat;
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
    /// Whether each sub-block has a minimum, to be taken from each weight.
    const HAS_MIN: bool = false;

    /// Bytes of a panel's block.
    const BLOCK: usize = layout::block(Self::FORMAT);
    /// Bytes before its first sub-block.
    const HEADER: usize = layout::header(Self::FORMAT);
    /// Bytes of a sub-block.
    const SUB_BLOCK: usize = layout::sub_block(Self::FORMAT);
    /// Sub-blocks in a block.
    const SUB_BLOCKS: usize = Self::FORMAT.block_len() / layout::SUB_BLOCK;

    /// Codes of the groups `2 * pair` and `2 * pair + 1` of a sub-block.
    unsafe fn codes<S: Simd>(planes: *const u8, vector: usize, pair: usize) -> (S::Int, S::Int);

    /// Scales of half `half` of sub-block `sub` (of all of it where there is one scale).
    unsafe fn scale<S: Simd>(block: *const u8, sub: usize, half: usize, vector: usize) -> S::F32;

    /// Minimums of sub-block `sub`.
    unsafe fn min<S: Simd>(_block: *const u8, _sub: usize, _vector: usize) -> S::F32 {
        S::splat(0.0)
    }
}

pub(crate) struct Q4_0;
pub(crate) struct Q8_0;
/// Q8_0 that is multiplied with softmax weights.
pub(crate) struct CachedValues;
pub(crate) struct Q4K;
pub(crate) struct Q5K;
pub(crate) struct Q6K;

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

/// The low four bits of two groups' codes.
#[inline(always)]
unsafe fn nibbles<S: Simd>(planes: *const u8, vector: usize, pair: usize) -> (S::Int, S::Int) {
    let both = plane::<S>(planes, pair, vector);
    (S::low_nibbles(both), S::high_nibbles(both))
}

/// `d` times the 6-bit number of sub-block `sub`: low bits from the word `low`, high bits from half `high` of word 2.
#[inline(always)]
unsafe fn k_scale<S: Simd>(block: *const u8, sub: usize, vector: usize, low: usize, high: u32, d: usize) -> S::F32 {
    let words = block.add(K_SCALES);
    let sub = sub as u32;
    let low = S::and(S::shr_by(plane::<S>(words, low, vector), 4 * sub), S::splat_int(0x0f));
    let high = S::and(S::shr_by(plane::<S>(words, 2, vector), 16 * high + 2 * sub), S::splat_int(0x03));
    S::mul(halves::<S>(block.add(d), vector), S::to_f32(S::or(low, S::shl::<4>(high))))
}

impl PanelFormat for Q4_0 {
    const FORMAT: WeightFormat = WeightFormat::Q4_0;
    const LARGEST_CODE: usize = 15;
    const OFFSET: i32 = 8;

    #[inline(always)]
    unsafe fn codes<S: Simd>(planes: *const u8, vector: usize, pair: usize) -> (S::Int, S::Int) {
        nibbles::<S>(planes, vector, pair)
    }

    #[inline(always)]
    unsafe fn scale<S: Simd>(block: *const u8, _sub: usize, _half: usize, vector: usize) -> S::F32 {
        halves::<S>(block, vector)
    }
}

impl PanelFormat for Q8_0 {
    const FORMAT: WeightFormat = WeightFormat::Q8_0;
    const LARGEST_CODE: usize = 128;
    const SIGNED: bool = true;

    #[inline(always)]
    unsafe fn codes<S: Simd>(planes: *const u8, vector: usize, pair: usize) -> (S::Int, S::Int) {
        let group = |index| S::signed_operand(plane::<S>(planes, index, vector));
        (group(2 * pair), group(2 * pair + 1))
    }

    #[inline(always)]
    unsafe fn scale<S: Simd>(block: *const u8, _sub: usize, _half: usize, vector: usize) -> S::F32 {
        halves::<S>(block, vector)
    }
}

impl PanelFormat for CachedValues {
    const FORMAT: WeightFormat = WeightFormat::Q8_0;
    const LARGEST_CODE: usize = 128;
    const SIGNED: bool = true;
    const TIMES_NON_NEGATIVE: bool = true;
    const SCALES_ARE_1: bool = true;

    #[inline(always)]
    unsafe fn codes<S: Simd>(planes: *const u8, vector: usize, pair: usize) -> (S::Int, S::Int) {
        (plane::<S>(planes, 2 * pair, vector), plane::<S>(planes, 2 * pair + 1, vector))
    }

    #[inline(always)]
    unsafe fn scale<S: Simd>(block: *const u8, _sub: usize, _half: usize, vector: usize) -> S::F32 {
        halves::<S>(block, vector)
    }
}

impl PanelFormat for Q4K {
    const FORMAT: WeightFormat = WeightFormat::Q4K;
    const LARGEST_CODE: usize = 15;
    const HAS_MIN: bool = true;

    #[inline(always)]
    unsafe fn codes<S: Simd>(planes: *const u8, vector: usize, pair: usize) -> (S::Int, S::Int) {
        nibbles::<S>(planes, vector, pair)
    }

    #[inline(always)]
    unsafe fn scale<S: Simd>(block: *const u8, sub: usize, _half: usize, vector: usize) -> S::F32 {
        k_scale::<S>(block, sub, vector, 0, 0, 0)
    }

    #[inline(always)]
    unsafe fn min<S: Simd>(block: *const u8, sub: usize, vector: usize) -> S::F32 {
        k_scale::<S>(block, sub, vector, 1, 1, SECOND_HEADER)
    }
}

impl PanelFormat for Q5K {
    const FORMAT: WeightFormat = WeightFormat::Q5K;
    const LARGEST_CODE: usize = 31;
    const HAS_MIN: bool = true;

    #[inline(always)]
    unsafe fn codes<S: Simd>(planes: *const u8, vector: usize, pair: usize) -> (S::Int, S::Int) {
        let (a, b) = nibbles::<S>(planes, vector, pair);
        // Bit `group` of each byte, brought to bit 4.
        let fifths = plane::<S>(planes, 4, vector);
        let (fifth_a, fifth_b) = match pair {
            0 => (S::shl::<4>(fifths), S::shl::<3>(fifths)),
            1 => (S::shl::<2>(fifths), S::shl::<1>(fifths)),
            2 => (fifths, S::shr::<1>(fifths)),
            _ => (S::shr::<2>(fifths), S::shr::<3>(fifths)),
        };
        let mask = bytes::<S>(0x10);
        (S::insert(fifth_a, mask, a), S::insert(fifth_b, mask, b))
    }

    #[inline(always)]
    unsafe fn scale<S: Simd>(block: *const u8, sub: usize, _half: usize, vector: usize) -> S::F32 {
        k_scale::<S>(block, sub, vector, 0, 0, 0)
    }

    #[inline(always)]
    unsafe fn min<S: Simd>(block: *const u8, sub: usize, vector: usize) -> S::F32 {
        k_scale::<S>(block, sub, vector, 1, 1, SECOND_HEADER)
    }
}

impl PanelFormat for Q6K {
    const FORMAT: WeightFormat = WeightFormat::Q6K;
    const LARGEST_CODE: usize = 63;
    const OFFSET: i32 = 32;
    const SCALES: usize = 2;

    #[inline(always)]
    unsafe fn codes<S: Simd>(planes: *const u8, vector: usize, pair: usize) -> (S::Int, S::Int) {
        let (a, b) = nibbles::<S>(planes, vector, pair);
        // Two bits for each of four groups in a byte, two groups of them wanted, brought to bits 4 and 5.
        let high = plane::<S>(planes, LOW_PLANES / PLANE + pair / 2, vector);
        let (high_a, high_b) = match pair % 2 {
            0 => (S::shl::<4>(high), S::shl::<2>(high)),
            _ => (high, S::shr::<2>(high)),
        };
        let mask = bytes::<S>(0x30);
        (S::insert(high_a, mask, a), S::insert(high_b, mask, b))
    }

    #[inline(always)]
    unsafe fn scale<S: Simd>(block: *const u8, sub: usize, half: usize, vector: usize) -> S::F32 {
        let scales = block.add(SECOND_HEADER + (2 * sub + half) * PANEL_ROWS + vector * S::LANES);
        S::mul(halves::<S>(block, vector), S::to_f32(S::load_i8(scales)))
    }
}
