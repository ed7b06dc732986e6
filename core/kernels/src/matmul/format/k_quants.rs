//! Blocks of 256 weights with multipliers for each 32 or 16, which stay integers until a block ends.

use super::{Arithmetic, BlockPointer, PanelFormat, Planes, bytes, codes, five_bits, nibbles, no_header, number};
use crate::matmul::MatMul;
use crate::matmul::gemv::MAX_ROWS;
use crate::packed::WeightFormat;
use crate::packed::layout::{K_SCALES, PANEL_ROWS, PLANE, Q3K_SCALES, SECOND_HEADER};
use crate::simd::Simd;

#[derive(Clone, Copy)]
pub(crate) struct Q3K;
#[derive(Clone, Copy)]
pub(crate) struct Q4K;
#[derive(Clone, Copy)]
pub(crate) struct Q5K;
#[derive(Clone, Copy)]
pub(crate) struct Q6K;
/// Q3_K's weights, but for their block's scale, as bytes.
#[derive(Clone, Copy)]
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
    fn new<F: PanelFormat>(s: S, block: BlockPointer<'_, F>, offset: usize, vector: usize) -> Self {
        let multipliers = block.words(s, offset, vector);
        let mins = block.words(s, offset + PLANE, vector);
        let high = block.words(s, offset + 2 * PLANE, vector);
        Self {
            multipliers: six_bits(s, multipliers, s.shl::<4>(high), s.shl::<2>(high)),
            mins: six_bits(s, mins, high, s.shr::<2>(high)),
        }
    }
}

/// Eight numbers: their low four bits are the nibbles of `low`, the others bits 4 and 5 of the bytes of `even` and `odd`.
#[inline(always)]
pub(super) fn six_bits<S: Simd>(s: S, low: S::Int, even: S::Int, odd: S::Int) -> [S::Int; 2] {
    let mask = bytes(s, 0x30);
    [s.or(s.and(even, mask), s.low_nibbles(low)), s.or(s.and(odd, mask), s.shr_bytes::<4>(low))]
}

/// A format whose blocks have a [`KHeader`].
macro_rules! k_header {
    () => {
        const HAS_HEADER: bool = true;
        type Header<S: Simd> = KHeader<S>;

        #[inline(always)]
        fn header<S: Simd>(s: S, block: BlockPointer<'_, Self>, vector: usize) -> KHeader<S> {
            KHeader::new(s, block, K_SCALES, vector)
        }

        #[inline(always)]
        fn multiplier<S: Simd>(
            s: S,
            header: &KHeader<S>,
            _block: BlockPointer<'_, Self>,
            sub: usize,
            _half: usize,
            _vector: usize,
        ) -> S::Int {
            number(s, header.multipliers, sub)
        }

        #[inline(always)]
        fn mins<S: Simd>(_s: S, header: &KHeader<S>) -> [S::Int; 2] {
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
    fn header<S: Simd>(s: S, block: BlockPointer<'_, Self>, vector: usize) -> KHeader<S> {
        KHeader::new(s, block, Q3K_SCALES, vector)
    }

    #[inline(always)]
    fn codes<S: Simd>(
        s: S,
        _block: BlockPointer<'_, Self>,
        planes: Planes<'_, Self>,
        vector: usize,
        pair: usize,
    ) -> (S::Int, S::Int) {
        if pair < 3 {
            let (three_bits, both) = (bytes(s, 7), planes.plane(s, pair, vector));
            return (s.and(both, three_bits), s.and(s.shr::<3>(both), three_bits));
        }
        let [a, b, c] = [0, 1, 2].map(|index| planes.plane(s, index, vector));
        let high_bit = bytes(s, 4);
        (
            s.or(s.shr_bytes::<6>(a), s.and(s.shr::<4>(c), high_bit)),
            s.or(s.shr_bytes::<6>(b), s.and(s.shr::<5>(c), high_bit)),
        )
    }

    #[inline(always)]
    fn multiplier<S: Simd>(
        s: S,
        header: &KHeader<S>,
        _block: BlockPointer<'_, Self>,
        sub: usize,
        half: usize,
        _vector: usize,
    ) -> S::Int {
        let of_half = if half == 0 { header.multipliers } else { header.mins };
        s.add_int(number(s, of_half, sub), s.splat_int(-32))
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
    codes!(nibbles);
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
    codes!(five_bits);
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
    fn codes<S: Simd>(
        s: S,
        _block: BlockPointer<'_, Self>,
        planes: Planes<'_, Self>,
        vector: usize,
        pair: usize,
    ) -> (S::Int, S::Int) {
        let first = pair / 2 * 3;
        let mask = bytes(s, 0x3f);
        let (a, b) = (planes.plane(s, first, vector), planes.plane(s, first + 1, vector));
        if pair.is_multiple_of(2) {
            return (s.and(a, mask), s.and(b, mask));
        }
        let c = planes.plane(s, first + 2, vector);
        (s.and(c, mask), s.shr_bytes::<2>(s.shr_into::<4>(a, s.shr_into::<2>(b, c))))
    }

    #[inline(always)]
    fn multiplier<S: Simd>(
        s: S,
        _header: &(),
        block: BlockPointer<'_, Self>,
        sub: usize,
        half: usize,
        vector: usize,
    ) -> S::Int {
        block.signed_bytes(s, SECOND_HEADER + (2 * sub + half) * PANEL_ROWS, vector)
    }
}
