//! Products as AVX2 likes them, which multiplies bytes and adds two products to one of 16 bits. What limits these loops is the number
//! of their instructions, and that of those that multiply.

mod arranged;
mod pair_tile;
mod pairs;
mod tile;

use std::ops::Range;

use super::{Output, PanelFormat, Products, expanded};
use crate::activations::{Activations, RowPointers};
use crate::packed::PackedMatrix;
use crate::simd::x86::{Avx2, unknown};
use tile::Tile;

impl Products for Avx2 {
    const ARRANGED: usize = arranged::ROW_OF_PAIR / 2;

    #[inline(always)]
    fn largest_tile<F: PanelFormat>() -> (usize, usize) {
        if F::TIMES_NON_NEGATIVE { (3, 4) } else { (4, 2) }
    }

    #[inline(always)]
    unsafe fn unknown(codes: Self::Int) -> Self::Int {
        // SAFETY: the caller's.
        unsafe { unknown(codes) }
    }

    #[inline(always)]
    unsafe fn add_sub_blocks<F: PanelFormat, const T: usize, const V: usize>(
        subs: usize,
        weights: *const u8,
        rows: &[RowPointers; T],
        sums: &mut [[Self::F32; V]; T],
    ) {
        if (T, V) != Self::largest_tile::<F>() {
            // SAFETY: the caller's.
            return unsafe { expanded::add_sub_blocks::<Self, F, T, V>(subs, weights, rows, sums) };
        }
        // SAFETY: the caller's.
        unsafe { tile::add_products::<F>(Tile::new(subs, weights, rows, sums.as_mut_ptr().cast())) };
    }

    #[inline(always)]
    unsafe fn many_rows<F: PanelFormat>(
        weights: &PackedMatrix<'_>,
        x: &Activations,
        panels: Range<usize>,
        out: &Output<'_>,
    ) {
        // SAFETY: the caller's.
        unsafe {
            match F::HAS_MULTIPLIERS {
                true => pairs::matmul::<F>(weights, x, panels, out),
                false => expanded::matmul::<Self, F>(weights, x, panels, out),
            }
        }
    }
}
