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
use crate::activations::Activations;
use crate::packed::PackedMatrix;
use crate::simd::arm::{DotProd, I8mm, Neon, smmla};

macro_rules! mat_mul {
    ($isa:ty, $gemm:ident, { $($more:tt)* }) => {
        impl MatMul for $isa {
            type ThreeBits = Q6K;

            $($more)*

            #[inline(always)]
            unsafe fn gemv<F: PanelFormat>(
                weights: &PackedMatrix<'_>,
                x: &Activations,
                panels: Range<usize>,
                out: &Output<'_>,
            ) {
                // SAFETY: this function asks of its caller what is needed here.
                unsafe { gemv::matmul::<Self, F>(weights, x, panels, out) }
            }

            #[inline(always)]
            unsafe fn unpack<F: PanelFormat>(block: *const u8, subs: usize, depth_block: *mut u8) {
                // SAFETY: this function asks of its caller what is needed here.
                unsafe { $gemm::unpack::<Self, F>(block, subs, depth_block) }
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
                unsafe { $gemm::matmul::<Self, A>(weights, x, panels, out, unpack) }
            }
        }
    };
}

mat_mul!(Neon, gemm_by_vectors, {
    #[inline(always)]
    unsafe fn unknown(codes: Self::Int) -> Self::Int {
        // SAFETY: this function asks of its caller what is needed here.
        unsafe { crate::simd::arm::unknown(codes) }
    }
});
mat_mul!(DotProd, gemm, {
    const INTERLEAVED: usize = gemm::PAIR / 2;
});
mat_mul!(I8mm, gemm, {
    const INTERLEAVED: usize = gemm::PAIR / 2;
    const DENSEST_PRODUCT: usize = 32;

    #[inline(always)]
    unsafe fn densest_product(dots: Self::Dots, codes: Self::Int, x: Self::Sixteen) -> Self::Dots {
        // SAFETY: this function asks of its caller what is needed here.
        unsafe { smmla(dots, codes, x) }
    }
});
