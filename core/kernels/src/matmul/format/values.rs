//! Formats whose codes stand for values of a table, and those that have scales of `f32` for each half of a sub-block.

// As in the parent.
#![allow(unsafe_op_in_unsafe_fn)]

use super::k_quants::six_bits;
use super::{Arithmetic, PanelFormat, Q8_0, bytes, halves, min_halves, nibbles, no_header, number, numbers, plane};
use crate::blocks::IQ4_VALUES;
use crate::matmul::MatMul;
use crate::packed::WeightFormat;
use crate::packed::layout::{CODES_SCALES, IQ4XS_SCALES, Q2K_SCALES, SECOND_HEADER, VALUES};
use crate::simd::Simd;

pub(crate) struct IQ4NL;
pub(crate) struct IQ4XS;
pub(crate) struct Q2K;
pub(crate) struct Codes;
/// What Q2_K and [`Codes`] are unpacked to.
pub(crate) struct Halves;

/// [`IQ4_VALUES`] for vectors of up to 64 bytes.
#[repr(align(64))]
struct Table([[i8; 16]; 4]);
static IQ4: Table = Table([IQ4_VALUES; 4]);

/// The values of two groups' codes in a table that is in each 16 bytes.
#[inline(always)]
unsafe fn look_up<S: Simd>(table: S::Int, planes: *const u8, vector: usize, pair: usize) -> (S::Int, S::Int) {
    let (a, b) = nibbles::<S>(planes, vector, pair);
    let table = S::signed_operand(table);
    (S::look_up(table, a), S::look_up(table, b))
}

#[inline(always)]
unsafe fn iq4<S: Simd>(planes: *const u8, vector: usize, pair: usize) -> (S::Int, S::Int) {
    look_up::<S>(S::load_int(IQ4.0.as_ptr().cast()), planes, vector, pair)
}

impl Arithmetic for IQ4NL {
    const LARGEST_CODE: usize = 127;
    const SIGNED: bool = true;
}

impl PanelFormat for IQ4NL {
    const FORMAT: WeightFormat = WeightFormat::IQ4NL;
    type Unpacked<S: MatMul> = Q8_0;

    no_header!();

    #[inline(always)]
    unsafe fn codes<S: Simd>(_block: *const u8, planes: *const u8, vector: usize, pair: usize) -> (S::Int, S::Int) {
        iq4::<S>(planes, vector, pair)
    }
}

impl Arithmetic for IQ4XS {
    const LARGEST_CODE: usize = 127;
    const SIGNED: bool = true;
    const HAS_MULTIPLIERS: bool = true;
}

impl PanelFormat for IQ4XS {
    const FORMAT: WeightFormat = WeightFormat::IQ4XS;
    type Unpacked<S: MatMul> = Self;
    const HAS_HEADER: bool = true;

    /// Multipliers, larger by 32.
    type Header<S: Simd> = [S::Int; 2];

    #[inline(always)]
    unsafe fn header<S: Simd>(block: *const u8, vector: usize) -> [S::Int; 2] {
        // Each row's 16 bits in the upper half of a lane, and again in the lower half, but for their place.
        let upper = S::to_bits(S::load_bf16(block.add(SECOND_HEADER + vector * 2 * S::LANES)));
        let high = S::or(upper, S::shr::<18>(upper));
        six_bits::<S>(plane::<S>(block.add(IQ4XS_SCALES), 0, vector), high, S::shl::<4>(high))
    }

    #[inline(always)]
    unsafe fn codes<S: Simd>(_block: *const u8, planes: *const u8, vector: usize, pair: usize) -> (S::Int, S::Int) {
        iq4::<S>(planes, vector, pair)
    }

    #[inline(always)]
    unsafe fn multiplier<S: Simd>(
        header: &[S::Int; 2],
        _block: *const u8,
        sub: usize,
        _half: usize,
        _vector: usize,
    ) -> S::Int {
        S::add_int(number::<S>(*header, sub), S::splat_int(-32))
    }
}

impl Arithmetic for Halves {
    const LARGEST_CODE: usize = 62;
    const SIGNED: bool = true;
    const SCALES: usize = 2;
    const HAS_MIN: bool = true;
}

impl Arithmetic for Q2K {
    const LARGEST_CODE: usize = 3;
    const SCALES: usize = 2;
    const HAS_MIN: bool = true;
}

impl PanelFormat for Q2K {
    const FORMAT: WeightFormat = WeightFormat::Q2K;
    type Unpacked<S: MatMul> = Halves;
    const HAS_HEADER: bool = true;

    /// Scales of first halves, of second halves, minimums of first halves, of second halves.
    type Header<S: Simd> = [[S::Int; 2]; 4];

    #[inline(always)]
    unsafe fn header<S: Simd>(block: *const u8, vector: usize) -> [[S::Int; 2]; 4] {
        std::array::from_fn(|index| numbers::<S>(block.add(Q2K_SCALES), index, vector))
    }

    #[inline(always)]
    unsafe fn codes<S: Simd>(_block: *const u8, planes: *const u8, vector: usize, pair: usize) -> (S::Int, S::Int) {
        let (two_bits, four) = (bytes::<S>(3), plane::<S>(planes, pair / 2, vector));
        let first = if pair.is_multiple_of(2) { four } else { S::shr::<4>(four) };
        (S::and(first, two_bits), S::and(S::shr::<2>(first), two_bits))
    }

    #[inline(always)]
    unsafe fn part_scale<S: Simd>(
        header: &[[S::Int; 2]; 4],
        block: *const u8,
        sub: usize,
        half: usize,
        vector: usize,
    ) -> S::F32 {
        S::mul(halves::<S>(block, vector), S::to_f32(number::<S>(header[half], sub)))
    }

    #[inline(always)]
    unsafe fn part_min<S: Simd>(
        header: &[[S::Int; 2]; 4],
        block: *const u8,
        sub: usize,
        half: usize,
        vector: usize,
    ) -> S::F32 {
        // It is taken from weights.
        let scale = S::mul(min_halves::<S>(block, vector), S::splat(-1.0));
        S::mul(scale, S::to_f32(number::<S>(header[2 + half], sub)))
    }
}

impl Arithmetic for Codes {
    const LARGEST_CODE: usize = 62;
    const SIGNED: bool = true;
    const SCALES: usize = 2;
}

impl PanelFormat for Codes {
    const FORMAT: WeightFormat = WeightFormat::Codes;
    type Unpacked<S: MatMul> = Halves;
    const HAS_HEADER: bool = true;

    /// Scales of first halves, and of second halves.
    type Header<S: Simd> = [[S::Int; 2]; 2];

    #[inline(always)]
    unsafe fn header<S: Simd>(block: *const u8, vector: usize) -> [[S::Int; 2]; 2] {
        std::array::from_fn(|index| numbers::<S>(block.add(CODES_SCALES), index, vector))
    }

    #[inline(always)]
    unsafe fn codes<S: Simd>(block: *const u8, planes: *const u8, vector: usize, pair: usize) -> (S::Int, S::Int) {
        look_up::<S>(S::load_int(block.add(VALUES)), planes, vector, pair)
    }

    #[inline(always)]
    unsafe fn part_scale<S: Simd>(
        header: &[[S::Int; 2]; 2],
        block: *const u8,
        sub: usize,
        half: usize,
        vector: usize,
    ) -> S::F32 {
        let scale = number::<S>(header[half], sub);
        let odd = S::add_int(S::shl::<1>(scale), S::splat_int(1));
        S::mul(S::load(block.add(vector * 4 * S::LANES).cast()), S::to_f32(odd))
    }
}
