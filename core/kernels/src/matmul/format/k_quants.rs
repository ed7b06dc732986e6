//! Blocks of 256 weights with multipliers for each 32 or 16, which stay integers until a block ends.

// As in the parent.
#![allow(unsafe_op_in_unsafe_fn)]

use super::{Arithmetic, PanelFormat, bytes, five_bits, nibbles, no_header, number, plane};
use crate::matmul::MatMul;
use crate::matmul::gemv::MAX_ROWS;
use crate::packed::WeightFormat;
use crate::packed::layout::{K_SCALES, PANEL_ROWS, Q3K_SCALES, SECOND_HEADER};
use crate::simd::Simd;

pub(crate) struct Q3K;
pub(crate) struct Q4K;
pub(crate) struct Q5K;
pub(crate) struct Q6K;
/// Q3_K's weights, but for their block's scale, as bytes.
pub(crate) struct Multiplied;

/// The 6-bit multipliers and minimums of Q4_K and Q5_K as bytes, those of even sub-blocks and of odd ones; of Q3_K the multipliers of
/// first halves and of second ones.
#[derive(Clone, Copy)]
pub(crate) struct KHeader<S: Simd> {
    multipliers: [S::Int; 2],
    mins: [S::Int; 2],
}

impl<S: Simd> KHeader<S> {
    #[inline(always)]
    unsafe fn new(words: *const u8, vector: usize) -> Self {
        let word = |index| plane::<S>(words, index, vector);
        let high = word(2);
        Self {
            multipliers: six_bits::<S>(word(0), S::shl::<4>(high), S::shl::<2>(high)),
            mins: six_bits::<S>(word(1), high, S::shr::<2>(high)),
        }
    }
}

/// Eight numbers: their low four bits are the nibbles of `low`, the others bits 4 and 5 of the bytes of `even` and `odd`.
#[inline(always)]
pub(super) unsafe fn six_bits<S: Simd>(low: S::Int, even: S::Int, odd: S::Int) -> [S::Int; 2] {
    let mask = bytes::<S>(0x30);
    [S::or(S::and(even, mask), S::low_nibbles(low)), S::or(S::and(odd, mask), S::shr_bytes::<4>(low))]
}

/// A format whose blocks have a [`KHeader`].
macro_rules! k_header {
    () => {
        const HAS_HEADER: bool = true;
        type Header<S: Simd> = KHeader<S>;

        #[inline(always)]
        unsafe fn header<S: Simd>(block: *const u8, vector: usize) -> KHeader<S> {
            KHeader::new(block.add(K_SCALES), vector)
        }

        #[inline(always)]
        unsafe fn multiplier<S: Simd>(
            header: &KHeader<S>,
            _block: *const u8,
            sub: usize,
            _half: usize,
            _vector: usize,
        ) -> S::Int {
            number::<S>(header.multipliers, sub)
        }

        #[inline(always)]
        unsafe fn mins<S: Simd>(header: &KHeader<S>) -> [S::Int; 2] {
            header.mins
        }
    };
}

impl Arithmetic for Q3K {
    const LARGEST_CODE: usize = 7;
    const OFFSET: i32 = 4;
    const SCALES: usize = 2;
    const HAS_MULTIPLIERS: bool = true;
}

impl PanelFormat for Q3K {
    const FORMAT: WeightFormat = WeightFormat::Q3K;
    type Unpacked<S: MatMul> = S::ThreeBits;
    const HAS_HEADER: bool = true;

    type Header<S: Simd> = KHeader<S>;

    #[inline(always)]
    unsafe fn header<S: Simd>(block: *const u8, vector: usize) -> KHeader<S> {
        KHeader::new(block.add(Q3K_SCALES), vector)
    }

    #[inline(always)]
    unsafe fn codes<S: Simd>(_block: *const u8, planes: *const u8, vector: usize, pair: usize) -> (S::Int, S::Int) {
        if pair < 3 {
            let (three_bits, both) = (bytes::<S>(7), plane::<S>(planes, pair, vector));
            return (S::and(both, three_bits), S::and(S::shr::<3>(both), three_bits));
        }
        let [a, b, c] = [0, 1, 2].map(|index| plane::<S>(planes, index, vector));
        let high_bit = bytes::<S>(4);
        (
            S::or(S::shr_bytes::<6>(a), S::and(S::shr::<4>(c), high_bit)),
            S::or(S::shr_bytes::<6>(b), S::and(S::shr::<5>(c), high_bit)),
        )
    }

    #[inline(always)]
    unsafe fn multiplier<S: Simd>(
        header: &KHeader<S>,
        _block: *const u8,
        sub: usize,
        half: usize,
        _vector: usize,
    ) -> S::Int {
        let of_half = if half == 0 { header.multipliers } else { header.mins };
        S::add_int(number::<S>(of_half, sub), S::splat_int(-32))
    }
}

impl Arithmetic for Multiplied {
    const LARGEST_CODE: usize = 128;
    const SIGNED: bool = true;
    const HAS_MULTIPLIERS: bool = true;
    const IS_MULTIPLIED: bool = true;
}

impl Arithmetic for Q4K {
    const LARGEST_CODE: usize = 15;
    const HAS_MIN: bool = true;
    const HAS_MULTIPLIERS: bool = true;
}

impl PanelFormat for Q4K {
    const FORMAT: WeightFormat = WeightFormat::Q4K;
    type Unpacked<S: MatMul> = Self;
    const GEMV_ROWS: usize = MAX_ROWS;

    k_header!();

    #[inline(always)]
    unsafe fn codes<S: Simd>(_block: *const u8, planes: *const u8, vector: usize, pair: usize) -> (S::Int, S::Int) {
        nibbles::<S>(planes, vector, pair)
    }
}

impl Arithmetic for Q5K {
    const LARGEST_CODE: usize = 31;
    const HAS_MIN: bool = true;
    const HAS_MULTIPLIERS: bool = true;
}

impl PanelFormat for Q5K {
    const FORMAT: WeightFormat = WeightFormat::Q5K;
    type Unpacked<S: MatMul> = Self;
    const GEMV_ROWS: usize = MAX_ROWS;

    k_header!();

    #[inline(always)]
    unsafe fn codes<S: Simd>(_block: *const u8, planes: *const u8, vector: usize, pair: usize) -> (S::Int, S::Int) {
        five_bits::<S>(planes, vector, pair)
    }
}

impl Arithmetic for Q6K {
    const LARGEST_CODE: usize = 63;
    const OFFSET: i32 = 32;
    const SCALES: usize = 2;
    const HAS_MULTIPLIERS: bool = true;
}

impl PanelFormat for Q6K {
    const FORMAT: WeightFormat = WeightFormat::Q6K;
    type Unpacked<S: MatMul> = Self;
    const GEMV_ROWS: usize = MAX_ROWS;

    no_header!();

    #[inline(always)]
    unsafe fn codes<S: Simd>(_block: *const u8, planes: *const u8, vector: usize, pair: usize) -> (S::Int, S::Int) {
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
