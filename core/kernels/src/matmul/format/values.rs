//! Formats whose codes stand for values of a table, and those that have scales of `f32` for each half of a sub-block.

use super::k_quants::six_bits;
use super::{
    Arithmetic, BlockPointer, PanelFormat, Planes, Q8_0, bytes, codes, min_halves, nibbles, no_header, number, numbers,
};
use crate::blocks::IQ4_VALUES;
use crate::matmul::MatMul;
use crate::packed::WeightFormat;
use crate::packed::layout::{CODES_SCALES, IQ4XS_SCALES, Q2K_SCALES, SECOND_HEADER, VALUES};
use crate::simd::Simd;

#[derive(Clone, Copy)]
pub(crate) struct IQ4NL;
#[derive(Clone, Copy)]
pub(crate) struct IQ4XS;
#[derive(Clone, Copy)]
pub(crate) struct Q2K;
#[derive(Clone, Copy)]
pub(crate) struct Codes;
/// What Q2_K and [`Codes`] are unpacked to.
#[derive(Clone, Copy)]
pub(crate) struct Halves;

/// [`IQ4_VALUES`] for vectors of up to 64 bytes.
#[repr(align(64))]
struct Table([[i8; 16]; 4]);
static IQ4: Table = Table([IQ4_VALUES; 4]);

/// The values of two groups' codes in a table that is in each 16 bytes.
#[inline(always)]
fn look_up<S: Simd, F: PanelFormat>(
    s: S,
    table: S::Int,
    planes: Planes<'_, F>,
    vector: usize,
    pair: usize,
) -> (S::Int, S::Int) {
    let (a, b) = nibbles(s, planes, vector, pair);
    let table = s.signed_operand(table);
    (s.look_up(table, a), s.look_up(table, b))
}

#[inline(always)]
fn iq4<S: Simd, F: PanelFormat>(s: S, planes: Planes<'_, F>, vector: usize, pair: usize) -> (S::Int, S::Int) {
    // SAFETY: the table has 64 bytes, as many as the widest vector.
    let table = unsafe { s.load_int(IQ4.0.as_ptr().cast()) };
    look_up(s, table, planes, vector, pair)
}

impl Arithmetic for IQ4NL {
    const LARGEST_CODE: usize = 127;
    const SIGNED: bool = true;
}

impl PanelFormat for IQ4NL {
    const FORMAT: WeightFormat = WeightFormat::IQ4NL;
    type Unpacked<S: MatMul> = Q8_0;

    no_header!();
    codes!(iq4);
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
    fn header<S: Simd>(s: S, block: BlockPointer<'_, Self>, vector: usize) -> [S::Int; 2] {
        // Each row's 16 bits in the upper half of a lane, and again in the lower half, but for their place.
        let upper = block.upper_halves(s, SECOND_HEADER, vector);
        let high = s.or(upper, s.shr::<18>(upper));
        six_bits(s, block.words(s, IQ4XS_SCALES, vector), high, s.shl::<4>(high))
    }

    codes!(iq4);

    #[inline(always)]
    fn multiplier<S: Simd>(
        s: S,
        header: &[S::Int; 2],
        _block: BlockPointer<'_, Self>,
        sub: usize,
        _half: usize,
        _vector: usize,
    ) -> S::Int {
        s.add_int(number(s, *header, sub), s.splat_int(-32))
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
    fn header<S: Simd>(s: S, block: BlockPointer<'_, Self>, vector: usize) -> [[S::Int; 2]; 4] {
        // Not by a function of the standard library, which is compiled without `S`'s instructions unless it is inlined: four are too many.
        [
            numbers(s, block, Q2K_SCALES, 0, vector),
            numbers(s, block, Q2K_SCALES, 1, vector),
            numbers(s, block, Q2K_SCALES, 2, vector),
            numbers(s, block, Q2K_SCALES, 3, vector),
        ]
    }

    #[inline(always)]
    fn codes<S: Simd>(
        s: S,
        _block: BlockPointer<'_, Self>,
        planes: Planes<'_, Self>,
        vector: usize,
        pair: usize,
    ) -> (S::Int, S::Int) {
        let (two_bits, four) = (bytes(s, 3), planes.plane(s, pair / 2, vector));
        let first = if pair.is_multiple_of(2) { four } else { s.shr::<4>(four) };
        (s.and(first, two_bits), s.and(s.shr::<2>(first), two_bits))
    }

    #[inline(always)]
    fn part_scale<S: Simd>(
        s: S,
        header: &[[S::Int; 2]; 4],
        block: BlockPointer<'_, Self>,
        sub: usize,
        half: usize,
        vector: usize,
    ) -> S::F32 {
        s.mul(block.halves(s, 0, vector), s.to_f32(number(s, header[half], sub)))
    }

    #[inline(always)]
    fn part_min<S: Simd>(
        s: S,
        header: &[[S::Int; 2]; 4],
        block: BlockPointer<'_, Self>,
        sub: usize,
        half: usize,
        vector: usize,
    ) -> S::F32 {
        // It is taken from weights.
        let scale = s.mul(min_halves(s, block, vector), s.splat(-1.0));
        s.mul(scale, s.to_f32(number(s, header[2 + half], sub)))
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
    fn header<S: Simd>(s: S, block: BlockPointer<'_, Self>, vector: usize) -> [[S::Int; 2]; 2] {
        std::array::from_fn(|index| numbers(s, block, CODES_SCALES, index, vector))
    }

    #[inline(always)]
    fn codes<S: Simd>(
        s: S,
        block: BlockPointer<'_, Self>,
        planes: Planes<'_, Self>,
        vector: usize,
        pair: usize,
    ) -> (S::Int, S::Int) {
        look_up(s, block.words(s, VALUES, 0), planes, vector, pair)
    }

    #[inline(always)]
    fn part_scale<S: Simd>(
        s: S,
        header: &[[S::Int; 2]; 2],
        block: BlockPointer<'_, Self>,
        sub: usize,
        half: usize,
        vector: usize,
    ) -> S::F32 {
        let scale = number(s, header[half], sub);
        let odd = s.add_int(s.shl::<1>(scale), s.splat_int(1));
        s.mul(block.floats(s, 0, vector), s.to_f32(odd))
    }
}
