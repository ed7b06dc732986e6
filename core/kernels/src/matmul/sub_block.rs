//! A sub-block of a panel that is unpacked in registers, times up to four rows of activations.

// Indices that run over several arrays at once.
#![allow(clippy::needless_range_loop)]

use super::arithmetic::{add_multiple, correction, dot, has_two_parts, offset};
use super::format::{BlockPointer, PanelFormat, Planes};
use crate::activations::RowPointers;
use crate::simd::Simd;

/// The dot products of half `half` of a sub-block, or of all of it where it has one scale, of formats without multipliers: of the `V`
/// vectors of its rows from vector `first` on.
#[inline(always)]
pub(super) fn dots<S: Simd, F: PanelFormat, const T: usize, const V: usize>(
    s: S,
    block: BlockPointer<'_, F>,
    planes: Planes<'_, F>,
    half: usize,
    first: usize,
    rows: &[RowPointers<'_>; T],
) -> [[S::Dots; V]; T] {
    let mut dots = corrections::<S, F, T, V>(s, rows, half);
    add_half::<S, F, T, V>(s, block, planes, half, first, rows, &mut dots);
    if F::SCALES == 1 {
        add_half::<S, F, T, V>(s, block, planes, 1, first, rows, &mut dots);
    }
    dots
}

/// Adds the dot products of the `V` vectors of a sub-block's rows from vector `first` on, times `multiplier` of a half and a vector.
#[inline(always)]
pub(super) fn add_multiples<S: Simd, F: PanelFormat, const T: usize, const V: usize>(
    s: S,
    block: BlockPointer<'_, F>,
    planes: Planes<'_, F>,
    first: usize,
    rows: &[RowPointers<'_>; T],
    multiplier: impl Fn(usize, usize) -> S::Int,
    sums: &mut [[S::Int; V]; T],
) {
    let mut dots = corrections::<S, F, T, V>(s, rows, 0);
    add_half::<S, F, T, V>(s, block, planes, 0, first, rows, &mut dots);
    if has_two_parts::<S, F>() {
        add_dots::<S, F, T, V>(s, &dots, |v| multiplier(0, v), sums);
        dots = corrections::<S, F, T, V>(s, rows, 1);
    }
    add_half::<S, F, T, V>(s, block, planes, 1, first, rows, &mut dots);
    add_dots::<S, F, T, V>(s, &dots, |v| multiplier(F::SCALES - 1, v), sums);
}

/// Adds dot products times the multipliers of their vectors.
#[inline(always)]
fn add_dots<S: Simd, F: PanelFormat, const T: usize, const V: usize>(
    s: S,
    dots: &[[S::Dots; V]; T],
    multiplier: impl Fn(usize) -> S::Int,
    sums: &mut [[S::Int; V]; T],
) {
    for v in 0..V {
        let factor = s.factor(multiplier(v));
        for t in 0..T {
            sums[t][v] = add_multiple::<S, F>(s, sums[t][v], dots[t][v], factor);
        }
    }
}

/// What dot products of half `half` of a sub-block, or of all of it, start at.
#[inline(always)]
fn corrections<S: Simd, F: PanelFormat, const T: usize, const V: usize>(
    s: S,
    rows: &[RowPointers<'_>; T],
    half: usize,
) -> [[S::Dots; V]; T] {
    std::array::from_fn(|t| [correction::<S, F>(s, rows[t], half, offset::<S, F>()); V])
}

/// Adds the products of half `half` of a sub-block's columns, of `V` vectors of its rows.
#[inline(always)]
fn add_half<S: Simd, F: PanelFormat, const T: usize, const V: usize>(
    s: S,
    block: BlockPointer<'_, F>,
    planes: Planes<'_, F>,
    half: usize,
    first: usize,
    rows: &[RowPointers<'_>; T],
    dots: &mut [[S::Dots; V]; T],
) {
    let x: [S::Sixteen; T] = std::array::from_fn(|t| rows[t].half(s, half));
    for v in 0..V {
        let (a, b) = F::codes(s, block, planes, first + v, 2 * half);
        for t in 0..T {
            dots[t][v] = dot::<S, F, 0>(s, dots[t][v], half, a, x[t]);
            dots[t][v] = dot::<S, F, 1>(s, dots[t][v], half, b, x[t]);
        }
    }
    for v in 0..V {
        let (a, b) = F::codes(s, block, planes, first + v, 2 * half + 1);
        for t in 0..T {
            dots[t][v] = dot::<S, F, 2>(s, dots[t][v], half, a, x[t]);
            dots[t][v] = dot::<S, F, 3>(s, dots[t][v], half, b, x[t]);
        }
    }
}
