//! AVX2, which multiplies bytes and adds two products to one of 16 bits. What limits these loops is the number
//! of their instructions, and that of those that multiply.

mod gemm_tile;
mod interleaved;
mod k_quant_gemm;
mod k_quant_tile;

use std::ops::Range;

use super::{Arithmetic, MatMul, Output, PanelFormat, Q6K, Unpack, gemm};
use crate::activations::{Activations, RowPointers};
use crate::packed::PackedMatrix;
use crate::simd::Simd;
use crate::simd::x86::{Avx2, unknown};
use gemm_tile::Tile;

impl MatMul for Avx2 {
    const INTERLEAVED: usize = interleaved::ROW_OF_PAIR / 2;

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
        // SAFETY: this function asks of its caller what is needed here.
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
            // SAFETY: this function asks of its caller what is needed here.
            return unsafe { gemm::add_sub_blocks::<Self, A, T, V>(subs, weights, rows, sums) };
        }
        // SAFETY: this function asks of its caller what is needed here.
        unsafe { gemm_tile::add_products::<A>(Tile::new(subs, weights, rows, sums.as_mut_ptr().cast())) };
    }

    #[inline(always)]
    unsafe fn multiples<A: Arithmetic, const T: usize, const V: usize>(
        weights: *const u8,
        rows: &[RowPointers; T],
    ) -> [[Self::Int; V]; T] {
        if !A::SIGNED || (T, V) != Self::largest_tile::<A>() {
            // SAFETY: this function asks of its caller what is needed here.
            return unsafe { gemm::multiples::<Self, A, T, V>(weights, rows) };
        }
        // SAFETY: this function asks of its caller what is needed here. Integers take the place of as many numbers.
        unsafe {
            let mut sums = [[Self::splat_int(0); V]; T];
            gemm_tile::multiples(Tile::new(A::SPAN, weights, rows, sums.as_mut_ptr().cast()));
            sums
        }
    }

    #[inline(always)]
    unsafe fn unpack<F: PanelFormat>(block: *const u8, subs: usize, depth_block: *mut u8) {
        // SAFETY: this function asks of its caller what is needed here.
        unsafe {
            match F::HAS_MULTIPLIERS && !F::SIGNED {
                true => k_quant_gemm::unpack::<F>(block, subs, depth_block),
                false => gemm::unpack::<Self, F>(block, subs, depth_block),
            }
        }
    }

    #[inline(always)]
    unsafe fn gemm<A: Arithmetic>(
        weights: &PackedMatrix<'_>,
        x: &Activations,
        panels: Range<usize>,
        out: &Output<'_>,
        unpack: Unpack,
    ) {
        // SAFETY: this function asks of its caller what is needed here.
        unsafe {
            match A::HAS_MULTIPLIERS && !A::SIGNED {
                true => k_quant_gemm::matmul::<A>(weights, x, panels, out, unpack),
                false => gemm::matmul::<Self, A>(weights, x, panels, out, unpack),
            }
        }
    }
}
