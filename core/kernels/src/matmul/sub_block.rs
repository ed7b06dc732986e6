//! A sub-block of a panel that is unpacked in registers, times up to four rows of activations.

// Loads within the sub-block and the rows of activations that belong to it, as the callers vouch for.
#![allow(unsafe_op_in_unsafe_fn)]
// Indices that run over several arrays at once.
#![allow(clippy::needless_range_loop)]

use super::PanelFormat;
use super::arithmetic::{add_multiple, correction, dot, has_two_parts, offset};
use crate::activations::RowPointers;
use crate::simd::Simd;

/// The dot products of half `half` of a sub-block, or of all of it where it has one scale, of formats without multipliers: of the `V`
/// vectors of its rows from vector `first` on.
#[inline(always)]
pub(super) unsafe fn dots<S: Simd, F: PanelFormat, const T: usize, const V: usize>(
    block: *const u8,
    planes: *const u8,
    half: usize,
    first: usize,
    rows: &[RowPointers; T],
) -> [[S::Dots; V]; T] {
    let mut dots = corrections::<S, F, T, V>(rows, half);
    add_half::<S, F, T, V>(block, planes, half, first, rows, &mut dots);
    if F::SCALES == 1 {
        add_half::<S, F, T, V>(block, planes, 1, first, rows, &mut dots);
    }
    dots
}

/// Adds the dot products of the `V` vectors of a sub-block's rows from vector `first` on, times `multiplier` of a half and a vector.
#[inline(always)]
pub(super) unsafe fn add_multiples<S: Simd, F: PanelFormat, const T: usize, const V: usize>(
    block: *const u8,
    planes: *const u8,
    first: usize,
    rows: &[RowPointers; T],
    multiplier: impl Fn(usize, usize) -> S::Int,
    sums: &mut [[S::Int; V]; T],
) {
    let mut dots = corrections::<S, F, T, V>(rows, 0);
    add_half::<S, F, T, V>(block, planes, 0, first, rows, &mut dots);
    if has_two_parts::<S, F>() {
        add_dots::<S, F, T, V>(&dots, |v| multiplier(0, v), sums);
        dots = corrections::<S, F, T, V>(rows, 1);
    }
    add_half::<S, F, T, V>(block, planes, 1, first, rows, &mut dots);
    add_dots::<S, F, T, V>(&dots, |v| multiplier(F::SCALES - 1, v), sums);
}

/// Adds dot products times the multipliers of their vectors.
#[inline(always)]
unsafe fn add_dots<S: Simd, F: PanelFormat, const T: usize, const V: usize>(
    dots: &[[S::Dots; V]; T],
    multiplier: impl Fn(usize) -> S::Int,
    sums: &mut [[S::Int; V]; T],
) {
    for v in 0..V {
        let factor = S::factor(multiplier(v));
        for t in 0..T {
            sums[t][v] = add_multiple::<S, F>(sums[t][v], dots[t][v], factor);
        }
    }
}

/// What dot products of half `half` of a sub-block, or of all of it, start at.
#[inline(always)]
unsafe fn corrections<S: Simd, F: PanelFormat, const T: usize, const V: usize>(
    rows: &[RowPointers; T],
    half: usize,
) -> [[S::Dots; V]; T] {
    std::array::from_fn(|t| [correction::<S, F>(rows[t], half, offset::<S, F>()); V])
}

/// Adds the products of half `half` of a sub-block's columns, of `V` vectors of its rows.
#[inline(always)]
unsafe fn add_half<S: Simd, F: PanelFormat, const T: usize, const V: usize>(
    block: *const u8,
    planes: *const u8,
    half: usize,
    first: usize,
    rows: &[RowPointers; T],
    dots: &mut [[S::Dots; V]; T],
) {
    let x: [S::Sixteen; T] = std::array::from_fn(|t| S::load_sixteen(rows[t].values.add(16 * half)));
    for v in 0..V {
        let (a, b) = F::codes::<S>(block, planes, first + v, 2 * half);
        for t in 0..T {
            dots[t][v] = dot::<S, F, 0>(dots[t][v], half, a, x[t]);
            dots[t][v] = dot::<S, F, 1>(dots[t][v], half, b, x[t]);
        }
    }
    for v in 0..V {
        let (a, b) = F::codes::<S>(block, planes, first + v, 2 * half + 1);
        for t in 0..T {
            dots[t][v] = dot::<S, F, 2>(dots[t][v], half, a, x[t]);
            dots[t][v] = dot::<S, F, 3>(dots[t][v], half, b, x[t]);
        }
    }
}
