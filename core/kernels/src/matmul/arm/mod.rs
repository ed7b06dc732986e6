//! Products as NEON, dotprod and i8mm like them: [`few`] rows of activations by lanes of a vector, [`many`] by tiles of both
//! factors interleaved.

mod asm;
pub(crate) mod few;
mod many;
mod tiles;

use std::ops::Range;

use super::{Output, PanelFormat, Products, expanded};
use crate::activations::Activations;
use crate::packed::PackedMatrix;
use crate::simd::arm::{DotProd, I8mm, Neon, smmla};

macro_rules! products {
    ($isa:ty, $many_rows:path, { $($more:tt)* }) => {
        impl Products for $isa {
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
            unsafe fn many_rows<F: PanelFormat>(
                weights: &PackedMatrix<'_>,
                x: &Activations,
                panels: Range<usize>,
                out: &Output<'_>,
            ) {
                // SAFETY: the caller's.
                unsafe { $many_rows(weights, x, panels, out) }
            }
        }
    };
}

products!(Neon, expanded::matmul::<Self, F>, {
    #[inline(always)]
    unsafe fn unknown(codes: Self::Int) -> Self::Int {
        // SAFETY: the caller's.
        unsafe { crate::simd::arm::unknown(codes) }
    }
});
products!(DotProd, many::matmul::<Self, F>, {
    const ARRANGED: usize = many::PAIR / 2;
});
products!(I8mm, many::matmul::<Self, F>, {
    const ARRANGED: usize = many::PAIR / 2;
    const DENSEST_PRODUCT: usize = 32;

    #[inline(always)]
    unsafe fn densest_product(dots: Self::Dots, codes: Self::Int, x: Self::Sixteen) -> Self::Dots {
        // SAFETY: the caller's.
        unsafe { smmla(dots, codes, x) }
    }
});
