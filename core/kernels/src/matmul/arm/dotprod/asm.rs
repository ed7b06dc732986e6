//! The tile of three pairs of rows of activations by `sdot`.

use std::arch::asm;

use crate::matmul::arm::asm::{Dots, Sums};

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

/// Scales of the activations: six lanes of v26 and v27.
macro_rules! scales_as_lanes {
    () => {
        "ldp q26, q27, [{x}, #192]"
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

macro_rules! all_columns_by_sdot {
    () => {
        lines!(eight_by_sdot!("0"), eight_by_sdot!("48"), eight_by_sdot!("96"), eight_by_sdot!("144"))
    };
}

tile!(products(Sums): all_columns_by_sdot!(), scale_by_lane!(), next!());
tile!(products_times_one(Sums): all_columns_by_sdot!(), add_by_lane!(), next!());
tile!(
    multiples(Dots):
    eight_by_sdot!("0"), eight_by_sdot!("48"), eight_by_sdot!("96"), last_eight_by_sdot!("144"), next!()
);
tile!(multiples_of_first_half(Dots): eight_by_sdot!("0"), last_eight_by_sdot!("48"));
tile!(multiples_of_second_half(Dots): eight_by_sdot!("96"), last_eight_by_sdot!("144"), next!());
