//! How the codes and scales of each format are taken from a panel's block into vectors.

// Loads at offsets that `packed::layout` defines, within a block that the caller vouches for.
#![allow(unsafe_op_in_unsafe_fn)]

use crate::packed::WeightFormat;
use crate::packed::layout::{self, K_SCALES, PANEL_ROWS, PLANE, SECOND_HEADER};
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
    /// Whether sub-blocks have multipliers, integers that all but the block's own scale is computed with.
    const HAS_MULTIPLIERS: bool = Self::SUB_BLOCKS > 1;

    /// What is taken apart once for all multipliers and minimums of a block, for the rows of one vector.
    type Header<S: Simd>: Copy;

    /// Codes of the groups `2 * pair` and `2 * pair + 1` of a sub-block.
    unsafe fn codes<S: Simd>(planes: *const u8, vector: usize, pair: usize) -> (S::Int, S::Int);

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
    (S::low_nibbles(both), S::shr_bytes::<4>(both))
}

/// The 6-bit multipliers and minimums of Q4_K and Q5_K as bytes, those of even sub-blocks and of odd ones.
#[derive(Clone, Copy)]
pub(crate) struct KHeader<S: Simd> {
    multipliers: [S::Int; 2],
    mins: [S::Int; 2],
}

impl<S: Simd> KHeader<S> {
    #[inline(always)]
    unsafe fn new(block: *const u8, vector: usize) -> Self {
        let word = |index| plane::<S>(block.add(K_SCALES), index, vector);
        let high = word(2);
        Self {
            multipliers: six_bits::<S>(word(0), S::shl::<4>(high), S::shl::<2>(high)),
            mins: six_bits::<S>(word(1), high, S::shr::<2>(high)),
        }
    }
}

/// Eight numbers: their low four bits are the nibbles of `low`, the others bits 4 and 5 of the bytes of `even` and `odd`.
#[inline(always)]
unsafe fn six_bits<S: Simd>(low: S::Int, even: S::Int, odd: S::Int) -> [S::Int; 2] {
    let mask = bytes::<S>(0x30);
    [S::or(S::and(even, mask), S::low_nibbles(low)), S::or(S::and(odd, mask), S::shr_bytes::<4>(low))]
}

/// A format whose blocks have a [`KHeader`].
macro_rules! k_header {
    () => {
        type Header<S: Simd> = KHeader<S>;

        #[inline(always)]
        unsafe fn header<S: Simd>(block: *const u8, vector: usize) -> KHeader<S> {
            KHeader::new(block, vector)
        }

        #[inline(always)]
        unsafe fn multiplier<S: Simd>(
            header: &KHeader<S>,
            _block: *const u8,
            sub: usize,
            _half: usize,
            _vector: usize,
        ) -> S::Int {
            S::byte(header.multipliers[sub % 2], sub / 2)
        }

        #[inline(always)]
        unsafe fn mins<S: Simd>(header: &KHeader<S>) -> [S::Int; 2] {
            header.mins
        }
    };
}

/// A format with nothing to take apart once for a block.
macro_rules! no_header {
    () => {
        type Header<S: Simd> = ();

        #[inline(always)]
        unsafe fn header<S: Simd>(_block: *const u8, _vector: usize) {}
    };
}

impl PanelFormat for Q4_0 {
    const FORMAT: WeightFormat = WeightFormat::Q4_0;
    const LARGEST_CODE: usize = 15;
    const OFFSET: i32 = 8;

    no_header!();

    #[inline(always)]
    unsafe fn codes<S: Simd>(planes: *const u8, vector: usize, pair: usize) -> (S::Int, S::Int) {
        nibbles::<S>(planes, vector, pair)
    }
}

impl PanelFormat for Q8_0 {
    const FORMAT: WeightFormat = WeightFormat::Q8_0;
    const LARGEST_CODE: usize = 128;
    const SIGNED: bool = true;

    no_header!();

    #[inline(always)]
    unsafe fn codes<S: Simd>(planes: *const u8, vector: usize, pair: usize) -> (S::Int, S::Int) {
        let group = |index| S::signed_operand(plane::<S>(planes, index, vector));
        (group(2 * pair), group(2 * pair + 1))
    }
}

impl PanelFormat for CachedValues {
    const FORMAT: WeightFormat = WeightFormat::Q8_0;
    const LARGEST_CODE: usize = 128;
    const SIGNED: bool = true;
    const TIMES_NON_NEGATIVE: bool = true;
    const SCALES_ARE_1: bool = true;

    no_header!();

    #[inline(always)]
    unsafe fn codes<S: Simd>(planes: *const u8, vector: usize, pair: usize) -> (S::Int, S::Int) {
        (plane::<S>(planes, 2 * pair, vector), plane::<S>(planes, 2 * pair + 1, vector))
    }
}

impl PanelFormat for Q4K {
    const FORMAT: WeightFormat = WeightFormat::Q4K;
    const LARGEST_CODE: usize = 15;
    const HAS_MIN: bool = true;

    k_header!();

    #[inline(always)]
    unsafe fn codes<S: Simd>(planes: *const u8, vector: usize, pair: usize) -> (S::Int, S::Int) {
        nibbles::<S>(planes, vector, pair)
    }
}

impl PanelFormat for Q5K {
    const FORMAT: WeightFormat = WeightFormat::Q5K;
    const LARGEST_CODE: usize = 31;
    const HAS_MIN: bool = true;

    k_header!();

    #[inline(always)]
    unsafe fn codes<S: Simd>(planes: *const u8, vector: usize, pair: usize) -> (S::Int, S::Int) {
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
}

impl PanelFormat for Q6K {
    const FORMAT: WeightFormat = WeightFormat::Q6K;
    const LARGEST_CODE: usize = 63;
    const OFFSET: i32 = 32;
    const SCALES: usize = 2;

    no_header!();

    #[inline(always)]
    unsafe fn codes<S: Simd>(planes: *const u8, vector: usize, pair: usize) -> (S::Int, S::Int) {
        let first = pair / 2 * 3;
        let mask = bytes::<S>(0x3f);
        let (a, b) = (plane::<S>(planes, first, vector), plane::<S>(planes, first + 1, vector));
        if pair.is_multiple_of(2) {
            return (S::and(a, mask), S::and(b, mask));
        }
        let c = plane::<S>(planes, first + 2, vector);
        (S::and(c, mask), S::shr_bytes::<2>(S::shr_into::<4>(a, S::shr_into::<2>(b, c))))
    }

    #[inline(always)]
    unsafe fn multiplier<S: Simd>(_header: &(), block: *const u8, sub: usize, half: usize, vector: usize) -> S::Int {
        S::load_i8(block.add(SECOND_HEADER + (2 * sub + half) * PANEL_ROWS), vector)
    }
}
