//! Blocks of 32 weights with a scale of 16 bits.

// As in the parent.
#![allow(unsafe_op_in_unsafe_fn)]

use super::{Arithmetic, PanelFormat, five_bits, min_halves, nibbles, no_header, plane};
use crate::matmul::MatMul;
use crate::matmul::gemv::MAX_ROWS;
use crate::packed::WeightFormat;
use crate::simd::Simd;

pub(crate) struct Q4_0;
pub(crate) struct Q4_1;
pub(crate) struct Q5_0;
pub(crate) struct Q5_1;
pub(crate) struct Q8_0;
/// Q8_0 that is multiplied with softmax weights.
pub(crate) struct CachedValues;

impl Arithmetic for Q4_0 {
    const LARGEST_CODE: usize = 15;
    const OFFSET: i32 = 8;
}

impl PanelFormat for Q4_0 {
    const FORMAT: WeightFormat = WeightFormat::Q4_0;
    type Unpacked<S: MatMul> = Self;
    const GEMV_ROWS: usize = MAX_ROWS;

    no_header!();

    #[inline(always)]
    unsafe fn codes<S: Simd>(_block: *const u8, planes: *const u8, vector: usize, pair: usize) -> (S::Int, S::Int) {
        nibbles::<S>(planes, vector, pair)
    }
}

impl Arithmetic for Q4_1 {
    const LARGEST_CODE: usize = 15;
    const HAS_MIN: bool = true;
}

impl PanelFormat for Q4_1 {
    const FORMAT: WeightFormat = WeightFormat::Q4_1;
    type Unpacked<S: MatMul> = Q5_1;

    no_header!();

    #[inline(always)]
    unsafe fn codes<S: Simd>(_block: *const u8, planes: *const u8, vector: usize, pair: usize) -> (S::Int, S::Int) {
        nibbles::<S>(planes, vector, pair)
    }

    #[inline(always)]
    unsafe fn part_min<S: Simd>(_header: &(), block: *const u8, _sub: usize, _half: usize, vector: usize) -> S::F32 {
        min_halves::<S>(block, vector)
    }
}

impl Arithmetic for Q5_0 {
    const LARGEST_CODE: usize = 31;
    const OFFSET: i32 = 16;
}

impl PanelFormat for Q5_0 {
    const FORMAT: WeightFormat = WeightFormat::Q5_0;
    type Unpacked<S: MatMul> = Q8_0;

    no_header!();

    #[inline(always)]
    unsafe fn codes<S: Simd>(_block: *const u8, planes: *const u8, vector: usize, pair: usize) -> (S::Int, S::Int) {
        five_bits::<S>(planes, vector, pair)
    }
}

impl Arithmetic for Q5_1 {
    const LARGEST_CODE: usize = 31;
    const HAS_MIN: bool = true;
}

impl PanelFormat for Q5_1 {
    const FORMAT: WeightFormat = WeightFormat::Q5_1;
    type Unpacked<S: MatMul> = Self;

    no_header!();

    #[inline(always)]
    unsafe fn codes<S: Simd>(_block: *const u8, planes: *const u8, vector: usize, pair: usize) -> (S::Int, S::Int) {
        five_bits::<S>(planes, vector, pair)
    }

    #[inline(always)]
    unsafe fn part_min<S: Simd>(_header: &(), block: *const u8, _sub: usize, _half: usize, vector: usize) -> S::F32 {
        min_halves::<S>(block, vector)
    }
}

impl Arithmetic for Q8_0 {
    const LARGEST_CODE: usize = 128;
    const SIGNED: bool = true;
}

impl PanelFormat for Q8_0 {
    const FORMAT: WeightFormat = WeightFormat::Q8_0;
    type Unpacked<S: MatMul> = Self;
    const GEMV_ROWS: usize = MAX_ROWS;

    no_header!();

    #[inline(always)]
    unsafe fn codes<S: Simd>(_block: *const u8, planes: *const u8, vector: usize, pair: usize) -> (S::Int, S::Int) {
        let group = |index| S::signed_operand(plane::<S>(planes, index, vector));
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
    unsafe fn codes<S: Simd>(_block: *const u8, planes: *const u8, vector: usize, pair: usize) -> (S::Int, S::Int) {
        (plane::<S>(planes, 2 * pair, vector), plane::<S>(planes, 2 * pair + 1, vector))
    }
}
