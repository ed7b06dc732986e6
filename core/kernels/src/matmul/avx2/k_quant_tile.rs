//! Four rows of activations times a block of 16 rows of a K-quant, by pairs of sub-blocks.
//!
//! Dot products and what they are made of are almost all the registers there are: a compiler that picks registers itself runs out of
//! them and copies. Sums stay in memory.

use std::arch::asm;

use super::interleaved::{MOST_ROWS, ROW_OF_PAIR, VALUES};
use super::k_quant_gemm::{CODES, NUMBERS, PAIR};
use crate::activations::NARROW_CORRECTION;
use crate::matmul::Arithmetic;
use crate::simd::x86::Avx2;

/// What is to be multiplied, all of which can be read, and the sums written: see [`Tile::new`].
pub(super) struct Tile {
    weights: *const u8,
    /// As [`super::interleaved::INTERLEAVING`] has them.
    x: *const u8,
    /// `[row of activations][vector]`, of integers.
    sums: *mut u8,
}

impl Tile {
    /// A tile of [`MOST_ROWS`] rows of activations.
    ///
    /// # Safety
    /// A block is unpacked at `weights` and interleaved at `x`, and there are sums for all rows.
    #[inline(always)]
    pub(super) unsafe fn new(weights: *const u8, x: *const u8, sums: *mut u8) -> Self {
        Self { weights, x, sums }
    }
}

// Where the instructions below find things.
const _: () = assert!(NUMBERS == 64 && CODES == 1024 && PAIR == 1152);
const _: () = assert!(MOST_ROWS * VALUES == 256 && MOST_ROWS * ROW_OF_PAIR == 320);

/// Adds the dot products of a block's sub-blocks, times their multipliers; `fit` says that those of a part that has a multiplier fit
/// into 16 bits. A quarter's always do.
#[inline(always)]
pub(super) fn add_multiples<A: Arithmetic>(_: Avx2, tile: Tile, fit: bool) {
    const { assert!(!A::HAS_MULTIPLIERS || A::OFFSET == if A::SCALES == 2 { -NARROW_CORRECTION } else { 0 }) };
    // SAFETY: an `Avx2` exists only where the CPU has its instructions.
    unsafe {
        match (A::SCALES, fit) {
            (1, true) => of_all(tile),
            (1, false) => of_all_by_quarters(tile),
            (_, true) => of_halves(tile),
            (_, false) => of_halves_by_quarters(tile),
        }
    }
}

/// For each row of activations: which it is, its dot products, and where its sums are.
macro_rules! each_row {
    ($row:ident $(, $argument:tt)*) => {
        lines!(
            $row!(["0", "ymm0", "ymm1", "0"] $(, $argument)*),
            $row!(["1", "ymm2", "ymm3", "64"] $(, $argument)*),
            $row!(["2", "ymm4", "ymm5", "128"] $(, $argument)*),
            $row!(["3", "ymm6", "ymm7", "192"] $(, $argument)*),
        )
    };
}

macro_rules! multiply {
    ([$row:literal, $d0:literal, $d1:literal, $_:literal], "first", $group:literal) => {
        lines!(
            concat!("vpbroadcastd ymm10, dword ptr [{x} + 16 * ", $group, " + 4 * ", $row, "]"),
            concat!("vpmaddubsw ", $d0, ", ymm8, ymm10"),
            concat!("vpmaddubsw ", $d1, ", ymm9, ymm10"),
        )
    };
    ([$row:literal, $d0:literal, $d1:literal, $_:literal], "next", $group:literal) => {
        lines!(
            concat!("vpbroadcastd ymm10, dword ptr [{x} + 16 * ", $group, " + 4 * ", $row, "]"),
            "vpmaddubsw ymm11, ymm8, ymm10",
            "vpmaddubsw ymm12, ymm9, ymm10",
            concat!("vpaddw ", $d0, ", ", $d0, ", ymm11"),
            concat!("vpaddw ", $d1, ", ", $d1, ", ymm12"),
        )
    };
}

/// Adds to dot products what they start at, which is at `at` of the activations, or subtracts it. With it, products of codes become
/// products of weights, whose sum fits; what comes before it may wrap.
macro_rules! correct {
    ([$row:literal, $d0:literal, $d1:literal, $_:literal], $add:literal, $at:literal) => {
        lines!(
            concat!("vpbroadcastd ymm10, dword ptr [{x} + ", $at, " + 4 * ", $row, "]"),
            concat!($add, " ", $d0, ", ", $d0, ", ymm10"),
            concat!($add, " ", $d1, ", ", $d1, ", ymm10"),
        )
    };
}

macro_rules! groups {
    ($($step:tt $group:literal),+) => {
        lines!($(
            concat!("vmovdqa ymm8, [{w} + 64 * ", $group, "]"),
            concat!("vmovdqa ymm9, [{w} + 64 * ", $group, " + 32]"),
            each_row!(multiply, $step, $group)
        ),+)
    };
}

/// Multiplies dot products with the multipliers at `at`, and adds them to the sums.
macro_rules! add_multiples {
    ([$_:literal, $d0:literal, $d1:literal, $sums:literal], $at:literal) => {
        lines!(
            concat!("vpmaddwd ", $d0, ", ", $d0, ", [{w} + ", $at, "]"),
            concat!("vpmaddwd ", $d1, ", ", $d1, ", [{w} + ", $at, " + 32]"),
            concat!("vpaddd ", $d0, ", ", $d0, ", [{sums} + ", $sums, "]"),
            concat!("vpaddd ", $d1, ", ", $d1, ", [{sums} + ", $sums, " + 32]"),
            concat!("vmovdqu [{sums} + ", $sums, "], ", $d0),
            concat!("vmovdqu [{sums} + ", $sums, " + 32], ", $d1),
        )
    };
}

/// Multiplies a part, from its first group on, with what its dot products start at, to its multipliers.
macro_rules! part {
    ($first:literal $([$($correct:tt)+])* $(, $next:literal)+; $multipliers:literal) => {
        lines!(
            groups!("first" $first),
            $(each_row!(correct, $($correct)+),)*
            groups!($("next" $next),+),
            each_row!(add_multiples, $multipliers),
        )
    };
}

macro_rules! add_pairs {
    ($name:ident: $($instructions:expr),+) => {
        /// # Safety
        /// The CPU has AVX2.
        #[inline]
        #[target_feature(enable = "avx2")]
        fn $name(tile: Tile) {
            // SAFETY: the CPU has the instructions, by `# Safety`; all that is read, and written to the sums, is there, by `# Safety`
            // of `Tile::new`; registers that change are declared.
            unsafe {
            asm!(
                "2:",
                $($instructions,)+
                "add {w}, 1152",
                "add {x}, 320",
                "dec {pairs:e}",
                "jnz 2b",
                pairs = inout(reg) 4u32 => _,
                w = inout(reg) tile.weights => _, x = inout(reg) tile.x => _, sums = in(reg) tile.sums,
                out("ymm0") _, out("ymm1") _, out("ymm2") _, out("ymm3") _, out("ymm4") _, out("ymm5") _,
                out("ymm6") _, out("ymm7") _, out("ymm8") _, out("ymm9") _, out("ymm10") _, out("ymm11") _, out("ymm12") _,
                options(nostack),
            );
            }
        }
    };
}

add_pairs!(
    of_all:
    part!("0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12", "13", "14", "15"; "1024")
);
add_pairs!(
    of_all_by_quarters:
    part!("0", "1", "2", "3"; "1024"),
    part!("4", "5", "6", "7"; "1024"),
    part!("8", "9", "10", "11"; "1024"),
    part!("12", "13", "14", "15"; "1024")
);
add_pairs!(
    of_halves:
    part!("0" ["vpaddw", "256"], "1", "2", "3", "4", "5", "6", "7"; "1024"),
    part!("8" ["vpaddw", "272"], "9", "10", "11", "12", "13", "14", "15"; "1088")
);
add_pairs!(
    of_halves_by_quarters:
    part!("0" ["vpaddw", "288"], "1", "2", "3"; "1024"),
    part!("4" ["vpaddw", "256"] ["vpsubw", "288"], "5", "6", "7"; "1024"),
    part!("8" ["vpaddw", "304"], "9", "10", "11"; "1088"),
    part!("12" ["vpaddw", "272"] ["vpsubw", "304"], "13", "14", "15"; "1088")
);
