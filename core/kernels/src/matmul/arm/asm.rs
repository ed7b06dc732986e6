//! What the assembly of both tiles of three pairs of rows of activations is made of. They use all 32 vector registers, twelve for
//! sums, twelve for dot products and eight for their factors: a compiler that picks registers and order itself runs out of them.

use std::arch::aarch64::{float32x4_t, uint32x4_t};

use super::gemm::{PAIR, PAIR_VALUES, VECTORS};

/// Sums of a tile of three pairs.
pub(super) type Sums = [[float32x4_t; VECTORS]; 3];
/// Its dot products, or sums of multiples of these.
pub(super) type Dots = [[uint32x4_t; VECTORS]; 3];

// Where the second half of a sub-block's values begins, their scales, and the next sub-block, as the instructions below have it.
const _: () = assert!(3 * PAIR_VALUES / 2 == 96 && 3 * PAIR_VALUES == 192 && 3 * PAIR == 288);

/// A function that adds the products of a part of a tile's sub-block to dot products, and these times their factors to sums. Weights
/// are read as a stream, which moves `weights` on; activations have their places in a sub-block, and its last part moves `x` behind
/// it. `s0` to `s11` are the sums, `d0` to `d11` the dot products, of which nothing is left where sums are `f32`, v24 to v31 anything.
macro_rules! tile {
    ($name:ident($sums:ty): $($instructions:expr),+) => {
        /// # Safety
        /// The CPU has the instructions, and both factors have such a part.
        #[inline(always)]
        pub(in crate::matmul::arm) unsafe fn $name(
            weights: &mut *const u8,
            x: &mut *const u8,
            dots: &mut Dots,
            sums: &mut $sums,
        ) {
            let [[s0, s1, s2, s3], [s4, s5, s6, s7], [s8, s9, s10, s11]] = sums;
            let [[d0, d1, d2, d3], [d4, d5, d6, d7], [d8, d9, d10, d11]] = dots;
            // SAFETY: the CPU has the instructions, and both factors have such a part, by `# Safety`: nothing else is read; registers
            // that change are declared.
            unsafe {
            asm!(
                $($instructions,)+
                weights = inout(reg) *weights, x = inout(reg) *x,
                s0 = inout(vreg) *s0, s1 = inout(vreg) *s1, s2 = inout(vreg) *s2, s3 = inout(vreg) *s3,
                s4 = inout(vreg) *s4, s5 = inout(vreg) *s5, s6 = inout(vreg) *s6, s7 = inout(vreg) *s7,
                s8 = inout(vreg) *s8, s9 = inout(vreg) *s9, s10 = inout(vreg) *s10, s11 = inout(vreg) *s11,
                d0 = inout(vreg) *d0, d1 = inout(vreg) *d1, d2 = inout(vreg) *d2, d3 = inout(vreg) *d3,
                d4 = inout(vreg) *d4, d5 = inout(vreg) *d5, d6 = inout(vreg) *d6, d7 = inout(vreg) *d7,
                d8 = inout(vreg) *d8, d9 = inout(vreg) *d9, d10 = inout(vreg) *d10, d11 = inout(vreg) *d11,
                // Loads of four registers want neighbours.
                out("v24") _, out("v25") _, out("v26") _, out("v27") _,
                out("v28") _, out("v29") _, out("v30") _, out("v31") _,
                options(pure, readonly, nostack, preserves_flags),
            );
            }
        }
    };
}

/// Adds `dots * (weights * x)` to the sums, with the two factors of each given. A register is free once its dot products
/// are added: later factors are ready before they are needed, and no instruction waits for the one before it.
macro_rules! scale {
    ($f0:literal, $f1:literal, $f2:literal, $f3:literal, $f4:literal, $f5:literal,
     $f6:literal, $f7:literal, $f8:literal, $f9:literal, $f10:literal, $f11:literal) => {
        lines!(
            concat!("fmul v31.4s, ", $f0),
            "scvtf {d0:v}.4s, {d0:v}.4s",
            "scvtf {d1:v}.4s, {d1:v}.4s",
            "scvtf {d2:v}.4s, {d2:v}.4s",
            "scvtf {d3:v}.4s, {d3:v}.4s",
            "fmla {s0:v}.4s, v31.4s, {d0:v}.4s",
            concat!("fmul v31.4s, ", $f1),
            concat!("fmul {d0:v}.4s, ", $f2),
            "scvtf {d4:v}.4s, {d4:v}.4s",
            "scvtf {d5:v}.4s, {d5:v}.4s",
            "scvtf {d6:v}.4s, {d6:v}.4s",
            "fmla {s1:v}.4s, v31.4s, {d1:v}.4s",
            "fmla {s2:v}.4s, {d0:v}.4s, {d2:v}.4s",
            concat!("fmul v31.4s, ", $f3),
            concat!("fmul {d0:v}.4s, ", $f4),
            concat!("fmul {d1:v}.4s, ", $f5),
            concat!("fmul {d2:v}.4s, ", $f6),
            "scvtf {d7:v}.4s, {d7:v}.4s",
            "scvtf {d8:v}.4s, {d8:v}.4s",
            "fmla {s3:v}.4s, v31.4s, {d3:v}.4s",
            "fmla {s4:v}.4s, {d0:v}.4s, {d4:v}.4s",
            "fmla {s5:v}.4s, {d1:v}.4s, {d5:v}.4s",
            "fmla {s6:v}.4s, {d2:v}.4s, {d6:v}.4s",
            concat!("fmul v31.4s, ", $f7),
            concat!("fmul {d0:v}.4s, ", $f8),
            concat!("fmul {d1:v}.4s, ", $f9),
            concat!("fmul {d2:v}.4s, ", $f10),
            concat!("fmul {d3:v}.4s, ", $f11),
            "scvtf {d9:v}.4s, {d9:v}.4s",
            "scvtf {d10:v}.4s, {d10:v}.4s",
            "scvtf {d11:v}.4s, {d11:v}.4s",
            "fmla {s7:v}.4s, v31.4s, {d7:v}.4s",
            "fmla {s8:v}.4s, {d0:v}.4s, {d8:v}.4s",
            "fmla {s9:v}.4s, {d1:v}.4s, {d9:v}.4s",
            "fmla {s10:v}.4s, {d2:v}.4s, {d10:v}.4s",
            "fmla {s11:v}.4s, {d3:v}.4s, {d11:v}.4s",
        )
    };
}

/// Adds multiples of the dot products to the sums: four factors, those of a pair of rows of activations.
macro_rules! multiples {
    ($f0:literal, $f1:literal, $f2:literal, $f3:literal) => {
        lines!(
            concat!("mla {s0:v}.4s, {d0:v}.4s, ", $f0, ".4s"),
            concat!("mla {s1:v}.4s, {d1:v}.4s, ", $f1, ".4s"),
            concat!("mla {s4:v}.4s, {d4:v}.4s, ", $f0, ".4s"),
            concat!("mla {s5:v}.4s, {d5:v}.4s, ", $f1, ".4s"),
            concat!("mla {s8:v}.4s, {d8:v}.4s, ", $f0, ".4s"),
            concat!("mla {s9:v}.4s, {d9:v}.4s, ", $f1, ".4s"),
            concat!("mla {s2:v}.4s, {d2:v}.4s, ", $f2, ".4s"),
            concat!("mla {s3:v}.4s, {d3:v}.4s, ", $f3, ".4s"),
            concat!("mla {s6:v}.4s, {d6:v}.4s, ", $f2, ".4s"),
            concat!("mla {s7:v}.4s, {d7:v}.4s, ", $f3, ".4s"),
            concat!("mla {s10:v}.4s, {d10:v}.4s, ", $f2, ".4s"),
            concat!("mla {s11:v}.4s, {d11:v}.4s, ", $f3, ".4s"),
        )
    };
}

/// On to the next sub-block of the activations.
macro_rules! next {
    () => {
        "add {x}, {x}, #288"
    };
}

/// Adds dot products, each times a factor. Conversions are four ahead.
macro_rules! add {
    ($f0:literal, $f1:literal, $f2:literal, $f3:literal, $f4:literal, $f5:literal,
     $f6:literal, $f7:literal, $f8:literal, $f9:literal, $f10:literal, $f11:literal) => {
        lines!(
            "scvtf {d0:v}.4s, {d0:v}.4s",
            "scvtf {d1:v}.4s, {d1:v}.4s",
            "scvtf {d2:v}.4s, {d2:v}.4s",
            "scvtf {d3:v}.4s, {d3:v}.4s",
            concat!("fmla {s0:v}.4s, {d0:v}.4s, ", $f0),
            "scvtf {d4:v}.4s, {d4:v}.4s",
            concat!("fmla {s1:v}.4s, {d1:v}.4s, ", $f1),
            "scvtf {d5:v}.4s, {d5:v}.4s",
            concat!("fmla {s2:v}.4s, {d2:v}.4s, ", $f2),
            "scvtf {d6:v}.4s, {d6:v}.4s",
            concat!("fmla {s3:v}.4s, {d3:v}.4s, ", $f3),
            "scvtf {d7:v}.4s, {d7:v}.4s",
            concat!("fmla {s4:v}.4s, {d4:v}.4s, ", $f4),
            "scvtf {d8:v}.4s, {d8:v}.4s",
            concat!("fmla {s5:v}.4s, {d5:v}.4s, ", $f5),
            "scvtf {d9:v}.4s, {d9:v}.4s",
            concat!("fmla {s6:v}.4s, {d6:v}.4s, ", $f6),
            "scvtf {d10:v}.4s, {d10:v}.4s",
            concat!("fmla {s7:v}.4s, {d7:v}.4s, ", $f7),
            "scvtf {d11:v}.4s, {d11:v}.4s",
            concat!("fmla {s8:v}.4s, {d8:v}.4s, ", $f8),
            concat!("fmla {s9:v}.4s, {d9:v}.4s, ", $f9),
            concat!("fmla {s10:v}.4s, {d10:v}.4s, ", $f10),
            concat!("fmla {s11:v}.4s, {d11:v}.4s, ", $f11),
        )
    };
}

/// What the tiles of three pairs have alike, with the assembly of a module.
macro_rules! tile_of_three {
    ($asm:ident) => {
        #[inline(always)]
        fn sub_int(self, a: uint32x4_t, b: uint32x4_t) -> uint32x4_t {
            // SAFETY: every AArch64 CPU has NEON.
            unsafe { vsubq_u32(a, b) }
        }

        #[inline(always)]
        unsafe fn add_products_of_three(
            self,
            scales_are_1: bool,
            weights: &mut *const u8,
            x: &mut *const u8,
            sums: &mut Sums,
        ) {
            let mut dots = [[self.splat_int(0); VECTORS]; 3];
            // SAFETY: both factors have such a sub-block, by `# Safety`; a value of this instruction set exists only where the CPU has
            // its instructions.
            unsafe {
                match scales_are_1 {
                    false => $asm::products(weights, x, &mut dots, sums),
                    true => $asm::products_times_one(weights, x, &mut dots, sums),
                }
            }
        }

        #[inline(always)]
        unsafe fn add_multiples_of_three(
            self,
            part: Part,
            weights: &mut *const u8,
            x: &mut *const u8,
            dots: &mut Dots,
            sums: &mut Dots,
        ) {
            // SAFETY: as above, of a part.
            unsafe {
                match part {
                    Part::All => $asm::multiples(weights, x, dots, sums),
                    Part::FirstHalf => $asm::multiples_of_first_half(weights, x, dots, sums),
                    Part::SecondHalf => $asm::multiples_of_second_half(weights, x, dots, sums),
                }
            }
        }
    };
}
