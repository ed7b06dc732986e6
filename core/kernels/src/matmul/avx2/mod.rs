//! Products as AVX2 likes them, which multiplies bytes and adds two products to one of 16 bits. What limits these loops is the number
//! of their instructions, and that of those that multiply.

mod arranged;
mod pair_tile;
mod pairs;
mod tile;

use std::ops::Range;

use super::{Arithmetic, Output, PanelFormat, Products, Q6K, Unpack, expanded};
use crate::activations::{Activations, RowPointers};
use crate::packed::PackedMatrix;
use crate::simd::Simd;
use crate::simd::x86::{Avx2, unknown};
use tile::Tile;

impl Products for Avx2 {
    const ARRANGED: usize = arranged::ROW_OF_PAIR / 2;

    type ThreeBits = Q6K;

    #[inline(always)]
    fn largest_tile<A: Arithmetic>() -> (usize, usize) {
        match A::HAS_MIN {
            true => (3, 2),
            false if A::TIMES_NON_NEGATIVE => (3, 4),
            false => (4, 2),
        }
    }

    #[inline(always)]
    unsafe fn unknown(codes: Self::Int) -> Self::Int {
        // SAFETY: the caller's.
        unsafe { unknown(codes) }
    }

    #[inline(always)]
    unsafe fn add_sub_blocks<A: Arithmetic, const T: usize, const V: usize>(
        subs: usize,
        weights: *const u8,
        rows: &[RowPointers; T],
        sums: &mut [[Self::F32; V]; T],
    ) {
        if A::HAS_MIN || A::HAS_MULTIPLIERS || (T, V) != Self::largest_tile::<A>() {
            // SAFETY: the caller's.
            return unsafe { expanded::add_sub_blocks::<Self, A, T, V>(subs, weights, rows, sums) };
        }
        // SAFETY: the caller's.
        unsafe { tile::add_products::<A>(Tile::new(subs, weights, rows, sums.as_mut_ptr().cast())) };
    }

    #[inline(always)]
    unsafe fn multiples<A: Arithmetic, const T: usize, const V: usize>(
        weights: *const u8,
        rows: &[RowPointers; T],
    ) -> [[Self::Int; V]; T] {
        if !A::SIGNED || (T, V) != Self::largest_tile::<A>() {
            // SAFETY: the caller's.
            return unsafe { expanded::multiples::<Self, A, T, V>(weights, rows) };
        }
        // SAFETY: the caller's. Integers take the place of as many numbers.
        unsafe {
            let mut sums = [[Self::splat_int(0); V]; T];
            tile::multiples(Tile::new(A::SPAN, weights, rows, sums.as_mut_ptr().cast()));
            sums
        }
    }

    #[inline(always)]
    unsafe fn unpack<F: PanelFormat>(block: *const u8, subs: usize, piece: *mut u8) {
        // SAFETY: the caller's.
        unsafe {
            match F::HAS_MULTIPLIERS && !F::SIGNED {
                true => pairs::unpack::<F>(block, subs, piece),
                false => expanded::unpack::<Self, F>(block, subs, piece),
            }
        }
    }

    #[inline(always)]
    unsafe fn many_rows<A: Arithmetic>(
        weights: &PackedMatrix<'_>,
        x: &Activations,
        panels: Range<usize>,
        out: &Output<'_>,
        unpack: Unpack,
    ) {
        // SAFETY: the caller's.
        unsafe {
            match A::HAS_MULTIPLIERS && !A::SIGNED {
                true => pairs::matmul::<A>(weights, x, panels, out, unpack),
                false => expanded::matmul::<Self, A>(weights, x, panels, out, unpack),
            }
        }
    }
}
