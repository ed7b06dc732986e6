//! AVX2, which multiplies bytes and adds two products to one of 16 bits. What limits these loops is the number
//! of their instructions, and that of those that multiply.

mod gemm_tile;
mod interleaved;
mod k_quant_gemm;
mod k_quant_tile;

use std::ops::Range;

use super::gemm::{self, UnpackedPointer};
use super::{Arithmetic, MatMul, Output, PanelFormat, Q6K, Unpack};
use crate::activations::{ActivationRows, Activations, Interleaving, RowPointers};
use crate::packed::PackedMatrix;
use crate::simd::Simd;
use crate::simd::x86::{Avx2, unknown};
use gemm_tile::Tile;

impl MatMul for Avx2 {
    const INTERLEAVING: Option<Interleaving> = Some(interleaved::INTERLEAVING);

    type ThreeBits = Q6K;

    #[inline(always)]
    fn interleave(self, rows: &mut ActivationRows<'_>) {
        // SAFETY: an `Avx2` exists only where the CPU has its instructions.
        unsafe { interleaved::interleave(rows) }
    }

    #[inline(always)]
    fn largest_tile<A: Arithmetic>() -> (usize, usize) {
        match A::HAS_MIN {
            true => (3, 2),
            false if A::TIMES_NON_NEGATIVE => (3, 4),
            false => (4, 2),
        }
    }

    #[inline(always)]
    fn unknown(self, codes: Self::Int) -> Self::Int {
        // SAFETY: an `Avx2` exists only where the CPU has its instructions.
        unsafe { unknown(codes) }
    }

    #[inline(always)]
    unsafe fn add_sub_blocks<A: Arithmetic, const T: usize, const V: usize>(
        self,
        subs: usize,
        weights: UnpackedPointer<'_, A>,
        rows: &[RowPointers<'_>; T],
        sums: &mut [[Self::F32; V]; T],
    ) {
        if A::HAS_MIN || A::HAS_MULTIPLIERS || (T, V) != Self::largest_tile::<A>() {
            // SAFETY: the condition of this method is that function's: weights and rows have `subs` sub-blocks.
            return unsafe { gemm::add_sub_blocks(self, subs, weights, rows, sums) };
        }
        // SAFETY: weights and rows have `subs` sub-blocks, one at least, by `# Safety`; the rows follow each other; `sums` has all of
        // the tile.
        let tile = unsafe { Tile::new(subs, weights.start(), rows, sums.as_mut_ptr().cast()) };
        gemm_tile::add_products::<A>(self, tile);
    }

    #[inline(always)]
    unsafe fn multiples<A: Arithmetic, const T: usize, const V: usize>(
        self,
        weights: UnpackedPointer<'_, A>,
        rows: &[RowPointers<'_>; T],
    ) -> [[Self::Int; V]; T] {
        if !A::SIGNED || (T, V) != Self::largest_tile::<A>() {
            // SAFETY: the condition of this method is that function's: weights and rows have a block.
            return unsafe { gemm::multiples(self, weights, rows) };
        }
        let mut sums = [[self.splat_int(0); V]; T];
        // SAFETY: weights and rows have a block, by `# Safety`; the rows follow each other; `sums` has as many integers as a tile has
        // numbers.
        let tile = unsafe { Tile::new(A::SPAN, weights.start(), rows, sums.as_mut_ptr().cast()) };
        gemm_tile::multiples(self, tile);
        sums
    }

    #[inline(always)]
    unsafe fn unpack<F: PanelFormat>(self, block: *const u8, subs: usize, depth_block: *mut u8) {
        // SAFETY: the condition of this method is that of both: there are `subs` sub-blocks at `block`, in whole blocks, and room for
        // as many at `depth_block`.
        unsafe {
            match F::HAS_MULTIPLIERS && !F::SIGNED {
                true => k_quant_gemm::unpack::<F>(self, block, subs, depth_block),
                false => gemm::unpack::<Self, F>(self, block, subs, depth_block),
            }
        }
    }

    #[inline(always)]
    unsafe fn gemm<A: Arithmetic>(
        self,
        weights: &PackedMatrix<'_>,
        x: &Activations,
        panels: Range<usize>,
        out: &Output<'_>,
        unpack: Unpack,
    ) {
        // SAFETY: the condition of this method is that of both: sizes fit, `unpack` is this instruction set's of the weights' format,
        // and these columns are written here alone.
        unsafe {
            match A::HAS_MULTIPLIERS && !A::SIGNED {
                true => k_quant_gemm::matmul::<A>(self, weights, x, panels, out, unpack),
                false => gemm::matmul::<Self, A>(self, weights, x, panels, out, unpack),
            }
        }
    }
}
