//! Four rows of activations times two vectors of rows of weights, or three and four, by sub-blocks.
//!
//! Vectors of dot products and what they are made of are all the registers there are: a compiler that picks registers itself runs out
//! of them and copies. Sums stay in memory.

use std::arch::asm;

use crate::activations::{CORRECTION, RowPointers};
use crate::matmul::{Arithmetic, Q4_0, gemm};
use crate::packed::layout::PLANE;
use crate::simd::x86::Avx2;

/// What is to be multiplied, all of which can be read, and the sums written: see [`Tile::new`].
pub(super) struct Tile<'a> {
    /// Sub-blocks, one at least.
    subs: usize,
    weights: *const u8,
    /// The first row of activations.
    x: RowPointers<'a>,
    /// An eighth of the bytes from the values of one row to those of the next: so far are their scales from each other.
    stride: usize,
    /// `[row of activations][vector]`.
    sums: *mut f32,
}

impl<'a> Tile<'a> {
    /// A tile of `T` rows of activations.
    ///
    /// # Safety
    /// `subs` sub-blocks, one at least, are unpacked at `weights` and follow in each of the rows, which follow each other in the
    /// activations; and `sums` has the sums of all of them.
    #[inline(always)]
    pub(super) unsafe fn new<const T: usize>(
        subs: usize,
        weights: *const u8,
        rows: &[RowPointers<'a>; T],
        sums: *mut f32,
    ) -> Self {
        let [first, second] = [0, 1 % T].map(|row| rows[row].pointers().0.addr());
        let stride = (second - first) / 8;
        Self { subs, weights, x: rows[0], stride, sums }
    }
}

/// Adds the products of a tile to its sums.
#[inline(always)]
pub(super) fn add_products<A: Arithmetic>(_: Avx2, tile: Tile<'_>) {
    // SAFETY: an `Avx2` exists only where the CPU has its instructions.
    unsafe {
        match (A::SIGNED, A::TIMES_NON_NEGATIVE) {
            (true, true) => signed_times_non_negative(tile),
            (true, false) => signed(tile),
            (false, _) => nibbles_less_eight(tile),
        }
    }
}

/// The dot products of a block of signed codes times their multipliers, as the tile's sums, which are integers.
#[inline(always)]
pub(super) fn multiples(_: Avx2, tile: Tile<'_>) {
    // SAFETY: an `Avx2` exists only where the CPU has its instructions.
    unsafe { signed_times_multipliers(tile) };
}

/// Ones of 16 bits: products with them add neighbours, to 32 bits.
#[repr(align(32))]
struct Ones([i16; 16]);
static ONES: Ones = Ones([1; 16]);

// Where the instructions below find groups, scales, and the next sub-block.
const _: () = assert!(PLANE == 128 && gemm::SCALES == 1024 && gemm::EXPANDED == 1408);
// What codes are larger by than weights, which is shifted by.
const _: () = assert!(-CORRECTION >> 4 == Q4_0::OFFSET);

/// A function that adds the products of a tile to its sums, with the instructions for a sub-block, before the first and after the last. ymm0 to ymm7 are the dot
/// products; ymm8 to ymm11 are for codes, ymm12 and ymm13 for activations, ymm14 and ymm15 for products.
macro_rules! add_products {
    ($name:ident: [$($first:expr),*] [$($instructions:expr),+] [$($last:expr),*]) => {
        /// # Safety
        /// The CPU has AVX2 and FMA.
        #[inline]
        #[target_feature(enable = "avx2,fma")]
        fn $name(tile: Tile<'_>) {
            let (values, scales, corrections) = tile.x.pointers();
            // SAFETY: the CPU has the instructions, by `# Safety`; all that is read, and written to the sums, is there, by `# Safety`
            // of `Tile::new`; registers that change are declared.
            unsafe {
            asm!(
                $($first,)*
                "2: /* some have no use for {n3} or {ones} */",
                $($instructions,)+
                "add {w}, 1408",
                "add {x}, 32",
                "add {scales}, 4",
                "add {corrections}, 16",
                "dec {subs}",
                "jnz 2b",
                $($last,)*
                subs = inout(reg) tile.subs => _,
                w = inout(reg) tile.weights => _, ones = in(reg) ONES.0.as_ptr(), sums = in(reg) tile.sums,
                x = inout(reg) values => _, scales = inout(reg) scales => _,
                corrections = inout(reg) corrections => _,
                n = in(reg) tile.stride, n2 = in(reg) 2 * tile.stride, n3 = in(reg) 3 * tile.stride,
                out("ymm0") _, out("ymm1") _, out("ymm2") _, out("ymm3") _,
                out("ymm4") _, out("ymm5") _, out("ymm6") _, out("ymm7") _,
                out("ymm8") _, out("ymm9") _, out("ymm10") _, out("ymm11") _,
                out("ymm12") _, out("ymm13") _, out("ymm14") _, out("ymm15") _,
                options(nostack),
            );
            }
        }
    };
    ($name:ident: $($instructions:expr),+) => {
        add_products!($name: [] [$($instructions),+] []);
    };
}

/// The same for each row of activations: where its values, corrections and scales are behind the first row's, its dot products, and
/// where its sums are.
macro_rules! each_row {
    ($row:ident $(, $argument:tt)*) => {
        lines!(
            $row!(["", "", ""], ["ymm0", "ymm1", "0"] $(, $argument)*),
            $row!([" + 8 * {n}", " + 4 * {n}", " + {n}"], ["ymm2", "ymm3", "64"] $(, $argument)*),
            $row!([" + 8 * {n2}", " + 4 * {n2}", " + {n2}"], ["ymm4", "ymm5", "128"] $(, $argument)*),
            $row!([" + 8 * {n3}", " + 4 * {n3}", " + {n3}"], ["ymm6", "ymm7", "192"] $(, $argument)*),
        )
    };
}

/// Loads the codes of a group.
macro_rules! load_codes {
    ($d0:literal, $d1:literal, $group:literal) => {
        lines!(
            concat!("vmovdqa ", $d0, ", [{w} + 128 * ", $group, "]"),
            concat!("vmovdqa ", $d1, ", [{w} + 128 * ", $group, " + 32]"),
        )
    };
}

/// Loads a group of a row of activations, for all rows of weights.
macro_rules! load_x {
    ($to:literal, $values:literal, $group:literal) => {
        concat!("vpbroadcastd ", $to, ", dword ptr [{x}", $values, " + 4 * ", $group, "]")
    };
}

/// Adds products of 16 bits times `by` to dot products of 32, or makes them.
macro_rules! add_wide {
    ("first", $dots:literal, $products:literal, $by:literal) => {
        concat!("vpmaddwd ", $dots, ", ", $products, ", [", $by, "]")
    };
    ("next", $dots:literal, $products:literal, $by:literal) => {
        lines!(
            concat!("vpmaddwd ", $products, ", ", $products, ", [", $by, "]"),
            concat!("vpaddd ", $dots, ", ", $dots, ", ", $products),
        )
    };
}

/// Multiplies a group of codes whose products, of all groups up to [`widen`], are added in 16 bits.
macro_rules! multiply {
    ([$values:literal, $($_:literal),+], [$d0:literal, $d1:literal, $__:literal], "first", $group:literal) => {
        lines!(
            load_x!("ymm12", $values, $group),
            concat!("vpmaddubsw ", $d0, ", ymm8, ymm12"),
            concat!("vpmaddubsw ", $d1, ", ymm9, ymm12"),
        )
    };
    ([$values:literal, $($_:literal),+], [$d0:literal, $d1:literal, $__:literal], "next", $group:literal) => {
        lines!(
            load_x!("ymm12", $values, $group),
            "vpmaddubsw ymm14, ymm8, ymm12",
            "vpmaddubsw ymm15, ymm9, ymm12",
            concat!("vpaddw ", $d0, ", ", $d0, ", ymm14"),
            concat!("vpaddw ", $d1, ", ", $d1, ", ymm15"),
        )
    };
}

macro_rules! widen {
    ([$($_:literal),+], [$d0:literal, $d1:literal, $__:literal]) => {
        lines!(add_wide!("first", $d0, $d0, "{ones}"), add_wide!("first", $d1, $d1, "{ones}"))
    };
}

macro_rules! groups {
    ($($step:tt $group:literal),+) => {
        lines!($(load_codes!("ymm8", "ymm9", $group), each_row!(multiply, $step, $group)),+)
    };
}

/// Multiplies a group of signed bytes: a sign moves from one factor to the other; −128 becomes an unsigned 128.
macro_rules! multiply_signed {
    ([$values:literal, $($_:literal),+], [$d0:literal, $d1:literal, $__:literal], $step:tt, $group:literal, $by:tt) => {
        multiply_signed!([$values], [$d0, $d1], $step, $group, $by)
    };
    ([$values:literal], [$d0:literal, $d1:literal], $step:tt, $group:literal, [$by0:literal, $by1:literal]) => {
        lines!(
            load_x!("ymm12", $values, $group),
            concat!("vpsignb ymm14, ymm12, [{w} + 128 * ", $group, "]"),
            concat!("vpsignb ymm15, ymm12, [{w} + 128 * ", $group, " + 32]"),
            "vpmaddubsw ymm14, ymm8, ymm14",
            "vpmaddubsw ymm15, ymm9, ymm15",
            add_wide!($step, $d0, "ymm14", $by0),
            add_wide!($step, $d1, "ymm15", $by1),
        )
    };
}

macro_rules! signed {
    ($by:tt: $($step:tt $group:literal),+) => {
        lines!($(
            concat!("vpabsb ymm8, [{w} + 128 * ", $group, "]"),
            concat!("vpabsb ymm9, [{w} + 128 * ", $group, " + 32]"),
            each_row!(multiply_signed, $step, $group, $by)
        ),+)
    };
}

/// Multiplies a group of signed bytes with activations that are not negative. These tiles have four vectors of rows of weights and
/// three rows of activations: ymm0 to ymm11 are dot products, ymm12 ones, ymm13 activations, ymm14 and ymm15 products.
macro_rules! multiply_non_negative {
    ("first", $values:literal, $group:literal, $([$dots:literal, $at:literal, $products:literal]),+) => {
        lines!(
            load_x!("ymm13", $values, $group),
            $(
                concat!("vpmaddubsw ", $products, ", ymm13, [{w} + 128 * ", $group, " + ", $at, "]"),
                concat!("vpmaddwd ", $dots, ", ", $products, ", ymm12"),
            )+
        )
    };
    ("next", $values:literal, $group:literal, $([$dots:literal, $at:literal, $products:literal]),+) => {
        lines!(
            load_x!("ymm13", $values, $group),
            $(
                concat!("vpmaddubsw ", $products, ", ymm13, [{w} + 128 * ", $group, " + ", $at, "]"),
                concat!("vpmaddwd ", $products, ", ", $products, ", ymm12"),
                concat!("vpaddd ", $dots, ", ", $dots, ", ", $products),
            )+
        )
    };
}

macro_rules! non_negative {
    ($($step:tt $group:literal),+) => {
        lines!(
            "vmovdqa ymm12, [{ones}]",
            $(
                multiply_non_negative!(
                    $step, "", $group,
                    ["ymm0", "0", "ymm14"], ["ymm1", "32", "ymm15"], ["ymm2", "64", "ymm14"], ["ymm3", "96", "ymm15"]
                ),
                multiply_non_negative!(
                    $step, " + 8 * {n}", $group,
                    ["ymm4", "0", "ymm14"], ["ymm5", "32", "ymm15"], ["ymm6", "64", "ymm14"], ["ymm7", "96", "ymm15"]
                ),
                multiply_non_negative!(
                    $step, " + 8 * {n2}", $group,
                    ["ymm8", "0", "ymm14"], ["ymm9", "32", "ymm15"], ["ymm10", "64", "ymm14"], ["ymm11", "96", "ymm15"]
                )
            ),+
        )
    };
}

/// Multiplies a row's dot products with the scale of the activations, adds the sums and stores them.
macro_rules! scale_by_x {
    ($number:literal, $([$dots:literal, $sums:literal]),+) => {
        lines!(
            concat!("vbroadcastss ymm13, dword ptr [{scales}", $number, "]"),
            $(concat!("vcvtdq2ps ", $dots, ", ", $dots),)+
            $(concat!("vfmadd213ps ", $dots, ", ymm13, [{sums} + ", $sums, "]"),)+
            $(concat!("vmovups [{sums} + ", $sums, "], ", $dots),)+
        )
    };
}

/// Adds what codes larger than weights by 8 made dot products too large by: what is kept is for 128.
macro_rules! take_eight {
    ([$values:literal, $corrections:literal, $numbers:literal], [$d0:literal, $d1:literal, $__:literal]) => {
        lines!(
            concat!("vpbroadcastd ymm12, dword ptr [{corrections}", $corrections, "]"),
            "vpsrad ymm12, ymm12, 4",
            concat!("vpaddd ", $d0, ", ", $d0, ", ymm12"),
            concat!("vpaddd ", $d1, ", ", $d1, ", ymm12"),
        )
    };
}

/// Multiplies dot products with the scales of the weights at `at` and of the activations, and adds the sums.
macro_rules! scale {
    ([$values:literal, $corrections:literal, $numbers:literal], [$d0:literal, $d1:literal, $sums:literal], $at:literal) => {
        lines!(
            concat!("vbroadcastss ymm12, dword ptr [{scales}", $numbers, "]"),
            concat!("vmulps ymm14, ymm12, [{w} + ", $at, "]"),
            concat!("vmulps ymm15, ymm12, [{w} + ", $at, " + 32]"),
            concat!("vcvtdq2ps ", $d0, ", ", $d0),
            concat!("vcvtdq2ps ", $d1, ", ", $d1),
            concat!("vfmadd213ps ", $d0, ", ymm14, [{sums} + ", $sums, "]"),
            concat!("vfmadd213ps ", $d1, ", ymm15, [{sums} + ", $sums, " + 32]"),
        )
    };
}

macro_rules! clear {
    ([$($_:literal),+], [$d0:literal, $d1:literal, $__:literal]) => {
        lines!(concat!("vpxor ", $d0, ", ", $d0, ", ", $d0), concat!("vpxor ", $d1, ", ", $d1, ", ", $d1))
    };
}

macro_rules! store {
    ([$($_:literal),+], [$d0:literal, $d1:literal, $sums:literal]) => {
        lines!(concat!("vmovups [{sums} + ", $sums, "], ", $d0), concat!("vmovups [{sums} + ", $sums, " + 32], ", $d1),)
    };
}

add_products!(
    nibbles_less_eight:
    groups!("first" "0", "next" "1", "next" "2", "next" "3", "next" "4", "next" "5", "next" "6", "next" "7"),
    each_row!(widen),
    each_row!(take_eight),
    each_row!(scale, "1024"),
    each_row!(store)
);
add_products!(
    signed:
    signed!(["{ones}", "{ones}"]: "first" "0", "next" "1", "next" "2", "next" "3", "next" "4", "next" "5", "next" "6", "next" "7"),
    each_row!(scale, "1024"),
    each_row!(store)
);
// Multipliers take the place of ones, and sums are integers.
add_products!(
    signed_times_multipliers:
    [each_row!(clear)]
    [signed!(
        ["{w} + 1024", "{w} + 1056"]:
        "next" "0", "next" "1", "next" "2", "next" "3", "next" "4", "next" "5", "next" "6", "next" "7"
    )]
    [each_row!(store)]
);
add_products!(
    signed_times_non_negative:
    non_negative!("first" "0", "next" "1", "next" "2", "next" "3", "next" "4", "next" "5", "next" "6", "next" "7"),
    scale_by_x!("", ["ymm0", "0"], ["ymm1", "32"], ["ymm2", "64"], ["ymm3", "96"]),
    scale_by_x!(" + {n}", ["ymm4", "128"], ["ymm5", "160"], ["ymm6", "192"], ["ymm7", "224"]),
    scale_by_x!(" + {n2}", ["ymm8", "256"], ["ymm9", "288"], ["ymm10", "320"], ["ymm11", "352"])
);
