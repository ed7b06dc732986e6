//! Tiles of three pairs of rows of activations. They use all 32 vector registers, twelve for sums, twelve for dot products
//! and eight for their factors: a compiler that picks registers and order itself runs out of them.

// Loads within a tile's sub-block, as the callers vouch for.
#![allow(unsafe_op_in_unsafe_fn)]

use std::arch::aarch64::{float32x4_t, uint32x4_t};
use std::arch::asm;

use super::many::{PAIR, PAIR_VALUES, VECTORS};

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
        #[inline(always)]
        pub(in crate::matmul::arm) unsafe fn $name(
            weights: &mut *const u8,
            x: &mut *const u8,
            dots: &mut Dots,
            sums: &mut $sums,
        ) {
            let [[s0, s1, s2, s3], [s4, s5, s6, s7], [s8, s9, s10, s11]] = sums;
            let [[d0, d1, d2, d3], [d4, d5, d6, d7], [d8, d9, d10, d11]] = dots;
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

/// Four columns: the given registers for four rows each of weights, for four rows of activations, and for two, two lanes from
/// the given ones on.
macro_rules! sdots {
    ($low:literal, $high:literal, $four:literal, $two:literal [$fifth:literal, $sixth:literal]) => {
        lines!(
            concat!("sdot {d0:v}.4s, ", $low, ".16b, ", $four, ".4b[0]"),
            concat!("sdot {d1:v}.4s, ", $high, ".16b, ", $four, ".4b[0]"),
            concat!("sdot {d2:v}.4s, ", $low, ".16b, ", $four, ".4b[1]"),
            concat!("sdot {d3:v}.4s, ", $high, ".16b, ", $four, ".4b[1]"),
            concat!("sdot {d4:v}.4s, ", $low, ".16b, ", $four, ".4b[2]"),
            concat!("sdot {d5:v}.4s, ", $high, ".16b, ", $four, ".4b[2]"),
            concat!("sdot {d6:v}.4s, ", $low, ".16b, ", $four, ".4b[3]"),
            concat!("sdot {d7:v}.4s, ", $high, ".16b, ", $four, ".4b[3]"),
            concat!("sdot {d8:v}.4s, ", $low, ".16b, ", $two, ".4b[", $fifth, "]"),
            concat!("sdot {d9:v}.4s, ", $high, ".16b, ", $two, ".4b[", $fifth, "]"),
            concat!("sdot {d10:v}.4s, ", $low, ".16b, ", $two, ".4b[", $sixth, "]"),
            concat!("sdot {d11:v}.4s, ", $high, ".16b, ", $two, ".4b[", $sixth, "]"),
        )
    };
}

/// Eight columns: two registers for the first four rows of activations and one for the last two, four for eight rows of weights.
macro_rules! eight_by_sdot {
    ($values:literal) => {
        lines!(
            concat!("ldp q24, q25, [{x}, #", $values, "]"),
            concat!("ldr q26, [{x}, #", $values, " + 32]"),
            "ld1 {{v28.16b-v31.16b}}, [{weights}], #64",
            sdots!("v28", "v29", "v24", "v26"["0", "1"]),
            sdots!("v30", "v31", "v25", "v26"["2", "3"]),
        )
    };
}

/// The last eight columns of a part. Factors of the dot products are loaded when the first weights are done with.
macro_rules! last_eight_by_sdot {
    ($values:literal) => {
        lines!(
            concat!("ldp q24, q25, [{x}, #", $values, "]"),
            concat!("ldr q26, [{x}, #", $values, " + 32]"),
            "ld1 {{v28.16b-v31.16b}}, [{weights}], #64",
            sdots!("v28", "v29", "v24", "v26"["0", "1"]),
            "ldp q28, q29, [{weights}], #64",
            sdots!("v30", "v31", "v25", "v26"["2", "3"]),
            multiples!("v28", "v29", "v28", "v29"),
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

/// Scales of the activations: six lanes of v26 and v27.
macro_rules! scales_as_lanes {
    () => {
        "ldp q26, q27, [{x}, #192]"
    };
}

/// As above: v28 to v30.
macro_rules! scales_as_vectors {
    () => {
        lines!("ldp q28, q29, [{x}, #192]", "ldr q30, [{x}, #224]")
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

/// Scales are lanes for rows of activations.
macro_rules! add_by_lane {
    () => {
        lines!(
            scales_as_lanes!(),
            add!(
                "v26.s[0]", "v26.s[0]", "v26.s[1]", "v26.s[1]", "v26.s[2]", "v26.s[2]", "v26.s[3]", "v26.s[3]",
                "v27.s[0]", "v27.s[0]", "v27.s[1]", "v27.s[1]"
            ),
        )
    };
}

/// Scales fill vectors as products do: a vector for each pair of rows of activations.
macro_rules! add_by_vector {
    () => {
        lines!(
            scales_as_vectors!(),
            add!(
                "v28.4s", "v28.4s", "v28.4s", "v28.4s", "v29.4s", "v29.4s", "v29.4s", "v29.4s", "v30.4s", "v30.4s",
                "v30.4s", "v30.4s"
            ),
        )
    };
}

/// Scales are lanes for rows of activations, two vectors for rows of weights.
macro_rules! scale_by_lane {
    () => {
        lines!(
            "ldp q24, q25, [{weights}], #64",
            scales_as_lanes!(),
            scale!(
                "v24.4s, v26.s[0]",
                "v25.4s, v26.s[0]",
                "v24.4s, v26.s[1]",
                "v25.4s, v26.s[1]",
                "v24.4s, v26.s[2]",
                "v25.4s, v26.s[2]",
                "v24.4s, v26.s[3]",
                "v25.4s, v26.s[3]",
                "v24.4s, v27.s[0]",
                "v25.4s, v27.s[0]",
                "v24.4s, v27.s[1]",
                "v25.4s, v27.s[1]"
            ),
        )
    };
}

/// Eight columns: the given registers for pairs of rows of activations, and two for pairs of rows of weights.
macro_rules! smmlas {
    ("first", $a:literal, $b:literal, $c:literal) => {
        lines!(
            concat!("smmla {d0:v}.4s, ", $a, ".16b, v24.16b"),
            concat!("smmla {d1:v}.4s, ", $a, ".16b, v25.16b"),
            concat!("smmla {d4:v}.4s, ", $b, ".16b, v24.16b"),
            concat!("smmla {d5:v}.4s, ", $b, ".16b, v25.16b"),
            concat!("smmla {d8:v}.4s, ", $c, ".16b, v24.16b"),
            concat!("smmla {d9:v}.4s, ", $c, ".16b, v25.16b"),
        )
    };
    ("last", $a:literal, $b:literal, $c:literal) => {
        lines!(
            concat!("smmla {d2:v}.4s, ", $a, ".16b, v26.16b"),
            concat!("smmla {d3:v}.4s, ", $a, ".16b, v27.16b"),
            concat!("smmla {d6:v}.4s, ", $b, ".16b, v26.16b"),
            concat!("smmla {d7:v}.4s, ", $b, ".16b, v27.16b"),
            concat!("smmla {d10:v}.4s, ", $c, ".16b, v26.16b"),
            concat!("smmla {d11:v}.4s, ", $c, ".16b, v27.16b"),
        )
    };
}

/// Eight columns, and what the second eight begin with. Twelve registers of activations take six loads: the fourth of each half
/// waits for the second eight.
macro_rules! eight_by_smmla {
    ($values:literal) => {
        lines!(
            concat!("ldp q28, q29, [{x}, #", $values, "]"),
            "ld1 {{v24.16b-v27.16b}}, [{weights}], #64",
            concat!("ldp q30, q31, [{x}, #", $values, " + 32]"),
            smmlas!("first", "v28", "v29", "v30"),
            smmlas!("last", "v28", "v29", "v30"),
            "ld1 {{v24.16b-v27.16b}}, [{weights}], #64",
            concat!("ldp q28, q29, [{x}, #", $values, " + 64]"),
        )
    };
}

macro_rules! sixteen_by_smmla {
    ($values:literal) => {
        lines!(eight_by_smmla!($values), smmlas!("first", "v31", "v28", "v29"), smmlas!("last", "v31", "v28", "v29"),)
    };
}

/// The last sixteen columns of a part. Factors of the dot products are loaded when weights are done with.
macro_rules! last_sixteen_by_smmla {
    ($values:literal) => {
        lines!(
            eight_by_smmla!($values),
            smmlas!("first", "v31", "v28", "v29"),
            "ldp q24, q25, [{weights}], #32",
            smmlas!("last", "v31", "v28", "v29"),
            "ldp q26, q27, [{weights}], #32",
            multiples!("v24", "v25", "v26", "v27"),
        )
    };
}

/// Scales fill vectors as products do: a vector for each pair of rows, of activations and of weights.
macro_rules! scale_by_vector {
    () => {
        lines!(
            "ld1 {{v24.16b-v27.16b}}, [{weights}], #64",
            scales_as_vectors!(),
            scale!(
                "v24.4s, v28.4s",
                "v25.4s, v28.4s",
                "v26.4s, v28.4s",
                "v27.4s, v28.4s",
                "v24.4s, v29.4s",
                "v25.4s, v29.4s",
                "v26.4s, v29.4s",
                "v27.4s, v29.4s",
                "v24.4s, v30.4s",
                "v25.4s, v30.4s",
                "v26.4s, v30.4s",
                "v27.4s, v30.4s"
            ),
        )
    };
}

macro_rules! all_columns_by_sdot {
    () => {
        lines!(eight_by_sdot!("0"), eight_by_sdot!("48"), eight_by_sdot!("96"), eight_by_sdot!("144"))
    };
}

macro_rules! all_columns_by_smmla {
    () => {
        lines!(sixteen_by_smmla!("0"), sixteen_by_smmla!("96"))
    };
}

pub(super) mod sdot {
    use super::*;

    tile!(products(Sums): all_columns_by_sdot!(), scale_by_lane!(), next!());
    tile!(products_times_one(Sums): all_columns_by_sdot!(), add_by_lane!(), next!());
    tile!(
        multiples(Dots):
        eight_by_sdot!("0"), eight_by_sdot!("48"), eight_by_sdot!("96"), last_eight_by_sdot!("144"), next!()
    );
    tile!(multiples_of_first_half(Dots): eight_by_sdot!("0"), last_eight_by_sdot!("48"));
    tile!(multiples_of_second_half(Dots): eight_by_sdot!("96"), last_eight_by_sdot!("144"), next!());
}

pub(super) mod smmla {
    use super::*;

    tile!(products(Sums): all_columns_by_smmla!(), scale_by_vector!(), next!());
    tile!(products_times_one(Sums): all_columns_by_smmla!(), add_by_vector!(), next!());
    tile!(multiples(Dots): sixteen_by_smmla!("0"), last_sixteen_by_smmla!("96"), next!());
    tile!(multiples_of_first_half(Dots): last_sixteen_by_smmla!("0"));
    tile!(multiples_of_second_half(Dots): last_sixteen_by_smmla!("96"), next!());
}
