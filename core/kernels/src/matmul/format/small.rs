//! Blocks of 32 weights with a scale of 16 bits.

use super::{Arithmetic, BlockPointer, PanelFormat, Planes, codes, five_bits, nibbles, no_header};
use crate::matmul::MatMul;
use crate::matmul::gemv::MAX_ROWS;
use crate::packed::WeightFormat;
use crate::simd::Simd;

#[derive(Clone, Copy)]
pub(crate) struct Q4_0;
#[derive(Clone, Copy)]
pub(crate) struct Q4_1;
#[derive(Clone, Copy)]
pub(crate) struct Q5_0;
#[derive(Clone, Copy)]
pub(crate) struct Q5_1;
#[derive(Clone, Copy)]
pub(crate) struct Q8_0;
/// Q8_0 that is multiplied with softmax weights.
#[derive(Clone, Copy)]
pub(crate) struct CachedValues;

impl Arithmetic for Q4_0 {
    const LARGEST_CODE: usize = 15;
    const OFFSET: i32 = 8;
}

impl PanelFormat for Q4_0 {
    const FORMAT: WeightFormat = WeightFormat::Q4_0;
    type Unpacked<S: MatMul> = Self;
    const GEMV_ROWS: usize = MAX_ROWS;
    const CODES_ARE_SIMPLE: bool = true;

    no_header!();
    codes!(nibbles);
}

impl Arithmetic for Q4_1 {
    const LARGEST_CODE: usize = 15;
    const HAS_MIN: bool = true;
}

impl PanelFormat for Q4_1 {
    const FORMAT: WeightFormat = WeightFormat::Q4_1;
    type Unpacked<S: MatMul> = Q5_1;

    no_header!();
    codes!(nibbles);
}

impl Arithmetic for Q5_0 {
    const LARGEST_CODE: usize = 31;
    const OFFSET: i32 = 16;
}

impl PanelFormat for Q5_0 {
    const FORMAT: WeightFormat = WeightFormat::Q5_0;
    type Unpacked<S: MatMul> = Q8_0;

    no_header!();
    codes!(five_bits);
}

impl Arithmetic for Q5_1 {
    const LARGEST_CODE: usize = 31;
    const HAS_MIN: bool = true;
}

impl PanelFormat for Q5_1 {
    const FORMAT: WeightFormat = WeightFormat::Q5_1;
    type Unpacked<S: MatMul> = Self;

    no_header!();
    codes!(five_bits);
}

impl Arithmetic for Q8_0 {
    const LARGEST_CODE: usize = 128;
    const SIGNED: bool = true;
}

impl PanelFormat for Q8_0 {
    const FORMAT: WeightFormat = WeightFormat::Q8_0;
    type Unpacked<S: MatMul> = Self;
    const GEMV_ROWS: usize = MAX_ROWS;
    const CODES_ARE_SIMPLE: bool = true;

    no_header!();

    #[inline(always)]
    fn codes<S: Simd>(
        s: S,
        _block: BlockPointer<'_, Self>,
        planes: Planes<'_, Self>,
        vector: usize,
        pair: usize,
    ) -> (S::Int, S::Int) {
        let group = |index| s.signed_operand(planes.plane(s, index, vector));
        (group(2 * pair), group(2 * pair + 1))
    }
}

impl Arithmetic for CachedValues {
    const LARGEST_CODE: usize = 128;
    const SIGNED: bool = true;
    const TIMES_NON_NEGATIVE: bool = true;
    const SCALES_ARE_1: bool = true;
}

impl PanelFormat for CachedValues {
    const FORMAT: WeightFormat = WeightFormat::Q8_0;
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
        (planes.plane(s, 2 * pair, vector), planes.plane(s, 2 * pair + 1, vector))
    }
}
