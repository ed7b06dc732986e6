//! NEON, dotprod and i8mm: [`gemv`] by lanes of a vector for all three, [`gemm`] by tiles of both factors interleaved for the last
//! two, whose tiles are in [`dotprod`] and [`i8mm`]. NEON alone multiplies as other instruction sets do.

#[macro_use]
mod asm;
mod dotprod;
mod gemm;
pub(crate) mod gemv;
mod i8mm;

use std::ops::Range;

use super::{Arithmetic, MatMul, Output, PanelFormat, Q6K, Unpack, gemm as gemm_by_vectors};
use crate::activations::{ActivationRows, Activations, Interleaving};
use crate::packed::PackedMatrix;
use crate::simd::arm::{DotProd, I8mm, Neon, smmla};

macro_rules! mat_mul {
    ($isa:ty, $gemm:ident, { $($more:tt)* }) => {
        impl MatMul for $isa {
            type ThreeBits = Q6K;

            $($more)*

            #[inline(always)]
            unsafe fn gemv<F: PanelFormat>(
                self, weights: &PackedMatrix<'_>,
                x: &Activations,
                panels: Range<usize>,
                out: &Output<'_>,
            ) {
                // SAFETY: the condition of this method is that function's: sizes fit, `x` has at most `GEMV_ROWS` rows, and these
                // columns are written here alone.
                unsafe { gemv::matmul::<Self, F>(self, weights, x, panels, out) }
            }

            #[inline(always)]
            unsafe fn unpack<F: PanelFormat>(self, block: *const u8, subs: usize, depth_block: *mut u8) {
                // SAFETY: the condition of this method is that function's: there are `subs` sub-blocks at `block`, in whole blocks, and
                // room for as many at `depth_block`.
                unsafe { $gemm::unpack::<Self, F>(self, block, subs, depth_block) }
            }

            #[inline(always)]
            unsafe fn gemm<A: Arithmetic>(
                self, weights: &PackedMatrix<'_>,
                x: &Activations,
                panels: Range<usize>,
                out: &Output<'_>,
                unpack: Unpack,
            ) {
                // SAFETY: the condition of this method is that function's: sizes fit, `unpack` is this instruction set's of the
                // weights' format, and these columns are written here alone.
                unsafe { $gemm::matmul::<Self, A>(self, weights, x, panels, out, unpack) }
            }
        }
    };
}

/// What instruction sets share whose tiles read interleaved activations.
macro_rules! interleaves {
    ($name:literal) => {
        const INTERLEAVING: Option<Interleaving> = Some(gemm::interleaving($name));

        #[inline(always)]
        fn interleave(self, rows: &mut ActivationRows<'_>) {
            gemm::interleave(self, rows);
        }
    };
}

mat_mul!(Neon, gemm_by_vectors, {
    #[inline(always)]
    fn unknown(self, codes: Self::Int) -> Self::Int {
        crate::simd::arm::unknown(codes)
    }
});
mat_mul!(DotProd, gemm, {
    interleaves!("dotprod");
});
mat_mul!(I8mm, gemm, {
    interleaves!("i8mm");

    const DENSEST_PRODUCT: usize = 32;

    #[inline(always)]
    fn densest_product(self, dots: Self::Dots, codes: Self::Int, x: Self::Sixteen) -> Self::Dots {
        // SAFETY: an `I8mm` exists only where the CPU has the instruction.
        unsafe { smmla(dots, codes, x) }
    }
});
