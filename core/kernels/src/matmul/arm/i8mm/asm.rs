//! The tile of three pairs of rows of activations by `smmla`.

use std::arch::asm;

use crate::matmul::arm::asm::{Dots, Sums};

/// Scales of the activations: v28 to v30.
macro_rules! scales_as_vectors {
    () => {
        lines!("ldp q28, q29, [{x}, #192]", "ldr q30, [{x}, #224]")
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

macro_rules! all_columns_by_smmla {
    () => {
        lines!(sixteen_by_smmla!("0"), sixteen_by_smmla!("96"))
    };
}

tile!(products(Sums): all_columns_by_smmla!(), scale_by_vector!(), next!());
tile!(products_times_one(Sums): all_columns_by_smmla!(), add_by_vector!(), next!());
tile!(multiples(Dots): sixteen_by_smmla!("0"), last_sixteen_by_smmla!("96"), next!());
tile!(multiples_of_first_half(Dots): last_sixteen_by_smmla!("0"));
tile!(multiples_of_second_half(Dots): last_sixteen_by_smmla!("96"), next!());
