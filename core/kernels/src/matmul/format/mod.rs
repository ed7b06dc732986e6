//! How the codes and scales of each format are taken from a panel's block into vectors.

mod k_quants;
mod small;
mod values;

pub(crate) use k_quants::{Multiplied, Q3K, Q4K, Q5K, Q6K};
pub(crate) use small::{CachedValues, Q4_0, Q4_1, Q5_0, Q5_1, Q8_0};
pub(crate) use values::{Codes, Halves, IQ4NL, IQ4XS, Q2K};

use std::marker::PhantomData;

use super::MatMul;
use crate::activations::CORRECTION;
use crate::blocks::QK_K;
use crate::packed::layout::{self, PLANE, SECOND_HEADER};
use crate::packed::{PANEL_ROWS, WeightFormat};
use crate::simd::Simd;

/// What is computed with a format's numbers. Formats that are unpacked to the same share the code that multiplies many rows of
/// activations.
pub(crate) trait Arithmetic: Copy + 'static {
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

/// A quantized format. `vector` numbers the vectors that make up a panel's 32 rows, and is less than `32 / S::LANES`; `sub` the
/// sub-blocks of a block.
pub(crate) trait PanelFormat: Arithmetic {
    const FORMAT: WeightFormat;
    /// What it is unpacked to where there are many rows of activations: the same weights.
    type Unpacked<S: MatMul>: Arithmetic;
    /// Rows of activations that are multiplied with codes that are unpacked in registers, at most.
    const GEMV_ROWS: usize = 1;
    /// Whether a sub-block is multiplied as it lies or after an instruction or two for each code, and has one scale and nothing else.
    const CODES_ARE_SIMPLE: bool = false;
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
    fn codes<S: Simd>(
        s: S,
        block: BlockPointer<'_, Self>,
        planes: Planes<'_, Self>,
        vector: usize,
        pair: usize,
    ) -> (S::Int, S::Int);

    /// Takes apart what there is to be.
    fn header<S: Simd>(s: S, block: BlockPointer<'_, Self>, vector: usize) -> Self::Header<S>;

    /// The block's scales.
    #[inline(always)]
    fn scale<S: Simd>(s: S, block: BlockPointer<'_, Self>, vector: usize) -> S::F32 {
        block.halves(s, 0, vector)
    }

    /// Multipliers of half `half` of sub-block `sub` (of all of it where there is one): 1 where all there is is the block's scale.
    #[inline(always)]
    fn multiplier<S: Simd>(
        s: S,
        _header: &Self::Header<S>,
        _block: BlockPointer<'_, Self>,
        _sub: usize,
        _half: usize,
        _vector: usize,
    ) -> S::Int {
        s.splat_int(1)
    }

    /// The scales of half `half` of sub-block `sub` (of all of it where there is one), of formats without multipliers.
    #[inline(always)]
    fn part_scale<S: Simd>(
        s: S,
        _header: &Self::Header<S>,
        block: BlockPointer<'_, Self>,
        _sub: usize,
        _half: usize,
        vector: usize,
    ) -> S::F32 {
        Self::scale(s, block, vector)
    }

    /// The minimums that belong to those, divided by [`CORRECTION`]; zeros where there are none.
    #[inline(always)]
    fn part_min<S: Simd>(
        s: S,
        _header: &Self::Header<S>,
        block: BlockPointer<'_, Self>,
        _sub: usize,
        _half: usize,
        vector: usize,
    ) -> S::F32 {
        match Self::HAS_MIN && !Self::HAS_MULTIPLIERS {
            true => min_halves(s, block, vector),
            false => s.splat(0.0),
        }
    }

    /// The scales of the block's minimums.
    #[inline(always)]
    fn min_scale<S: Simd>(s: S, block: BlockPointer<'_, Self>, vector: usize) -> S::F32 {
        block.halves(s, SECOND_HEADER, vector)
    }

    /// Minimums as bytes, those of even sub-blocks and of odd ones; zeros where there are none.
    #[inline(always)]
    fn mins<S: Simd>(s: S, _header: &Self::Header<S>) -> [S::Int; 2] {
        [s.splat_int(0); 2]
    }
}

/// A block of a panel, all of which can be read: a pointer, so that reading costs no checks. Where in the block things lie, its
/// format knows; `vector` is less than `32 / S::LANES`.
#[derive(Clone, Copy)]
pub(crate) struct BlockPointer<'a, F> {
    start: *const u8,
    lives: PhantomData<(&'a [u8], F)>,
}

impl<'a, F: PanelFormat> BlockPointer<'a, F> {
    /// The block at `start`.
    ///
    /// # Safety
    /// [`PanelFormat::BLOCK`] bytes lie there, which live as long as `'a`.
    #[inline(always)]
    pub(crate) unsafe fn new(start: *const u8) -> Self {
        Self { start, lives: PhantomData }
    }

    /// Its first byte.
    #[inline(always)]
    pub(crate) fn start(self) -> *const u8 {
        self.start
    }

    /// The planes of sub-block `sub`.
    #[inline(always)]
    pub(crate) fn planes(self, sub: usize) -> Planes<'a, F> {
        debug_assert!(sub < F::SUB_BLOCKS, "a sub-block of the block");
        // SAFETY: all of the block can be read, by `# Safety` of `new`, and the sub-block is one of it.
        let start = unsafe { self.start.add(F::HEADER + sub * F::SUB_BLOCK) };
        Planes { start, lives: PhantomData }
    }

    /// Where the numbers of a vector's rows begin, of those for all rows at `offset`, `size` bytes each.
    #[inline(always)]
    fn numbers_at<S: Simd>(self, offset: usize, size: usize, vector: usize) -> *const u8 {
        debug_assert!(offset + size * PANEL_ROWS <= F::BLOCK, "numbers of the block");
        debug_assert!((vector + 1) * S::LANES <= PANEL_ROWS, "a vector of the panel's rows");
        // SAFETY: all of the block can be read, by `# Safety` of `new`, and the numbers are some of it.
        unsafe { self.start.add(offset + vector * size * S::LANES) }
    }

    /// One word of 32 bits for each row of a vector, of those at `offset`.
    #[inline(always)]
    fn words<S: Simd>(self, s: S, offset: usize, vector: usize) -> S::Int {
        // SAFETY: the words of a vector are there.
        unsafe { s.load_int(self.numbers_at::<S>(offset, 4, vector)) }
    }

    /// One `f32` for each row of a vector, of those at `offset`.
    #[inline(always)]
    fn floats<S: Simd>(self, s: S, offset: usize, vector: usize) -> S::F32 {
        // SAFETY: the numbers of a vector are there.
        unsafe { s.load(self.numbers_at::<S>(offset, 4, vector).cast()) }
    }

    /// One `f16` for each row of a vector, of those at `offset`.
    #[inline(always)]
    fn halves<S: Simd>(self, s: S, offset: usize, vector: usize) -> S::F32 {
        // SAFETY: the numbers of a vector are there.
        unsafe { s.load_f16(self.numbers_at::<S>(offset, 2, vector)) }
    }

    /// 16 bits for each row of a vector, of those at `offset`: the upper half of each lane.
    #[inline(always)]
    fn upper_halves<S: Simd>(self, s: S, offset: usize, vector: usize) -> S::Int {
        // SAFETY: the bits of a vector's rows are there.
        s.to_bits(unsafe { s.load_bf16(self.numbers_at::<S>(offset, 2, vector)) })
    }

    /// One signed byte for each row of a vector, of those at `offset`.
    #[inline(always)]
    fn signed_bytes<S: Simd>(self, s: S, offset: usize, vector: usize) -> S::Int {
        debug_assert!((vector + 1) * S::LANES <= PANEL_ROWS, "a vector of the panel's rows");
        // SAFETY: the bytes of all vectors are there.
        unsafe { s.load_i8(self.numbers_at::<S>(offset, 1, 0), vector) }
    }
}

/// The planes of a sub-block: as [`BlockPointer`].
#[derive(Clone, Copy)]
pub(crate) struct Planes<'a, F> {
    start: *const u8,
    lives: PhantomData<(&'a [u8], F)>,
}

impl<F: PanelFormat> Planes<'_, F> {
    /// One vector's bytes of plane `index`.
    #[inline(always)]
    fn plane<S: Simd>(self, s: S, index: usize, vector: usize) -> S::Int {
        debug_assert!((index + 1) * PLANE <= F::SUB_BLOCK, "a plane of the sub-block");
        debug_assert!((vector + 1) * S::LANES <= PANEL_ROWS, "a vector of the panel's rows");
        // SAFETY: each plane has four bytes for each of the panel's rows.
        unsafe { s.load_int(self.start.add(index * PLANE + vector * 4 * S::LANES)) }
    }
}

#[inline(always)]
fn bytes<S: Simd>(s: S, byte: u8) -> S::Int {
    s.splat_int(i32::from_ne_bytes([byte; 4]))
}

/// A minimum of 16 bits for each row of a vector, divided by [`CORRECTION`].
#[inline(always)]
fn min_halves<S: Simd, F: PanelFormat>(s: S, block: BlockPointer<'_, F>, vector: usize) -> S::F32 {
    s.mul(block.halves(s, SECOND_HEADER, vector), s.splat(1.0 / CORRECTION as f32))
}

/// Four-bit codes of two groups.
#[inline(always)]
fn nibbles<S: Simd, F: PanelFormat>(s: S, planes: Planes<'_, F>, vector: usize, pair: usize) -> (S::Int, S::Int) {
    let both = planes.plane(s, pair, vector);
    (s.low_nibbles(both), s.shr_bytes::<4>(both))
}

/// Five-bit codes of two groups.
#[inline(always)]
fn five_bits<S: Simd, F: PanelFormat>(s: S, planes: Planes<'_, F>, vector: usize, pair: usize) -> (S::Int, S::Int) {
    let first = pair / 2 * 2;
    let (a, b) = (planes.plane(s, first, vector), planes.plane(s, first + 1, vector));
    if pair.is_multiple_of(2) {
        let mask = bytes(s, 0x1f);
        return (s.and(a, mask), s.and(b, mask));
    }
    // The two lowest bits, brought to bits 6 and 7.
    let low = planes.plane(s, 4, vector);
    let (low_a, low_b) = match pair {
        1 => (low, s.shl::<2>(low)),
        _ => (s.shl::<4>(low), s.shl::<6>(low)),
    };
    (s.shr_bytes::<3>(s.shr_into::<3>(low_a, a)), s.shr_bytes::<3>(s.shr_into::<3>(low_b, b)))
}

/// Eight numbers of four bits, those of even sub-blocks and of odd ones: word `index` of each row, of those at `offset`.
#[inline(always)]
fn numbers<S: Simd, F: PanelFormat>(
    s: S,
    block: BlockPointer<'_, F>,
    offset: usize,
    index: usize,
    vector: usize,
) -> [S::Int; 2] {
    let word = block.words(s, offset + index * PLANE, vector);
    [s.low_nibbles(word), s.shr_bytes::<4>(word)]
}

/// Number `sub` of eight.
#[inline(always)]
fn number<S: Simd>(s: S, numbers: [S::Int; 2], sub: usize) -> S::Int {
    s.byte(numbers[sub % 2], sub / 2)
}

/// A format with nothing to unpack once for a block.
macro_rules! no_header {
    () => {
        type Header<S: Simd> = ();

        #[inline(always)]
        fn header<S: Simd>(_s: S, _block: BlockPointer<'_, Self>, _vector: usize) {}
    };
}

/// [`PanelFormat::codes`] by a function of the planes alone.
macro_rules! codes {
    ($unpack:ident) => {
        #[inline(always)]
        fn codes<S: Simd>(
            s: S,
            _block: BlockPointer<'_, Self>,
            planes: Planes<'_, Self>,
            vector: usize,
            pair: usize,
        ) -> (S::Int, S::Int) {
            $unpack(s, planes, vector, pair)
        }
    };
}

use {codes, no_header};
