//! Products as NEON, dotprod and i8mm like them: [`few`] rows of activations by lanes of a vector, [`many`] by tiles of both
//! factors interleaved.

mod asm;
pub(crate) mod few;
mod many;
mod tiles;

use std::ops::Range;

use super::{Arithmetic, Output, PanelFormat, Products, Q6K, Unpack, expanded};
use crate::activations::Activations;
use crate::packed::PackedMatrix;
use crate::simd::arm::{DotProd, I8mm, Neon, smmla};

macro_rules! products {
    ($isa:ty, $many:ident, { $($more:tt)* }) => {
        impl Products for $isa {
            type ThreeBits = Q6K;

            $($more)*

            #[inline(always)]
            unsafe fn few_rows<F: PanelFormat>(
                weights: &PackedMatrix<'_>,
                x: &Activations,
                panels: Range<usize>,
                out: &Output<'_>,
            ) {
                // SAFETY: the caller's.
                unsafe { few::matmul::<Self, F>(weights, x, panels, out) }
            }

            #[inline(always)]
            unsafe fn unpack<F: PanelFormat>(block: *const u8, subs: usize, piece: *mut u8) {
                // SAFETY: the caller's.
                unsafe { $many::unpack::<Self, F>(block, subs, piece) }
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
                unsafe { $many::matmul::<Self, A>(weights, x, panels, out, unpack) }
            }
        }
    };
}

products!(Neon, expanded, {
    #[inline(always)]
    unsafe fn unknown(codes: Self::Int) -> Self::Int {
        // SAFETY: the caller's.
        unsafe { crate::simd::arm::unknown(codes) }
    }
});
products!(DotProd, many, {
    const ARRANGED: usize = many::PAIR / 2;
});
products!(I8mm, many, {
    const ARRANGED: usize = many::PAIR / 2;
    const DENSEST_PRODUCT: usize = 32;

    #[inline(always)]
    unsafe fn densest_product(dots: Self::Dots, codes: Self::Int, x: Self::Sixteen) -> Self::Dots {
        // SAFETY: the caller's.
        unsafe { smmla(dots, codes, x) }
    }
});
