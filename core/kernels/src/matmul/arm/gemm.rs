//! GEMM for instruction sets whose tiles want both factors interleaved.
//!
//! This is [`crate::matmul::gemm`] with the same arithmetic in the same order, but what a vector of a tile holds is up to the
//! instruction set ([`Tile`]), a depth block's codes are signed, and activations are interleaved so that a tile reads one stream of
//! them. A thread interleaves them once for all of its products with them.

// Pointers move within one panel, the interleaved activations and the scratch below, whose sizes `matmul` has checked.
#![allow(unsafe_op_in_unsafe_fn)]
// Indices that run over several arrays at once.
#![allow(clippy::needless_range_loop)]

use std::any::TypeId;
use std::cell::Cell;
use std::mem::MaybeUninit;
use std::ops::Range;

use crate::activations::{Activations, CORRECTION, Version};
use crate::matmul::{Arithmetic, MatMul, Output, PanelFormat, Q5_1, Unpack, arithmetic};
use crate::packed::layout::{self, SUB_BLOCK};
use crate::packed::{PANEL_ROWS, PackedMatrix};
use crate::simd::arm::{DIGIT_BITS, digits};

/// Rows of weights in a tile.
pub(super) const TILE_COLUMNS: usize = 8;
/// Vectors of a tile for each pair of rows of activations.
pub(super) const VECTORS: usize = 2 * TILE_COLUMNS / 4;
/// Tiles side by side in a panel.
const TILES: usize = PANEL_ROWS / TILE_COLUMNS;
/// Pairs of rows of activations in a tile: twelve vectors of dot products and twelve of sums leave eight registers.
const PAIRS: usize = 3;
/// Bytes of a tile's codes in a sub-block.
pub(super) const TILE_CODES: usize = TILE_COLUMNS * SUB_BLOCK;
/// Bytes of a number for each of a tile's rows of weights: room for each of them twice.
pub(super) const TILE_NUMBERS: usize = 2 * TILE_COLUMNS * size_of::<f32>();
/// Bytes of a tile's minimums in a block: eight for each row.
const TILE_MINS: usize = 8 * TILE_COLUMNS;
/// Bytes of a tile's sub-block, at most: codes, scales and minimums of both halves.
const MAX_TILE: usize = TILE_CODES + 4 * TILE_NUMBERS;

/// Sub-blocks of a panel that are unpacked at a time: mostly with their scales 24 KB, to stay in a first-level cache.
const DEPTH_BLOCK: usize = 16;
/// Pairs of rows of activations that a depth block is multiplied with before the next.
const BLOCK_PAIRS: usize = 32 * PAIRS;

/// Bytes of a pair's values in a sub-block, and of its scales or of eight digits of each row, in interleaved activations.
pub(super) const PAIR_VALUES: usize = 2 * SUB_BLOCK;
const PAIR_NUMBERS: usize = 16;
pub(super) const PAIR: usize = PAIR_VALUES + 2 * PAIR_NUMBERS;

/// What is multiplied of a sub-block's columns.
#[derive(Clone, Copy)]
pub(crate) enum Part {
    All,
    FirstHalf,
    SecondHalf,
}

/// What an instruction set's tiles look like: `P` pairs of rows of activations times eight rows of weights.
///
/// # Safety
/// As [`crate::simd::Simd`]'s; pointers are to whole sub-blocks.
pub(crate) trait Tile: MatMul {
    /// Stores eight columns' codes of four rows, as two groups, in a tile's codes; `vector` says which half of its rows.
    unsafe fn store_codes(groups: (Self::Int, Self::Int), to: *mut u8, vector: usize);

    /// Stores a number for each of four rows; `vector` says which half of the tile's.
    unsafe fn store_numbers(numbers: Self::F32, to: *mut f32, vector: usize);

    /// `a - b`.
    unsafe fn sub_int(a: Self::Int, b: Self::Int) -> Self::Int;

    /// Interleaves sixteen values of each row of pair `pair` in a tile of `pairs`, the last eight `next` bytes behind the first.
    unsafe fn interleave_sixteen(rows: [*const i8; 2], to: *mut i8, next: usize, pair: usize, pairs: usize);

    /// Interleaves a scale of each row of pair `pair`.
    unsafe fn interleave_numbers(rows: [f32; 2], to: *mut f32, pair: usize);

    /// Adds the products of eight columns to dot products.
    unsafe fn add_eight<const P: usize>(codes: *const u8, x: *const i8, dots: &mut [[Self::Int; VECTORS]; P]);

    /// Adds the products of a tile's sub-block of three pairs with their scales, and moves both factors behind what is done.
    /// Where scales of weights are 1, they are not stored.
    unsafe fn add_products_of_three(
        scales_are_1: bool,
        weights: &mut *const u8,
        x: &mut *const u8,
        sums: &mut [[Self::F32; VECTORS]; 3],
    );

    /// Adds the products of a part of a tile's sub-block of three pairs to `dots`, and what these are then, times their factors,
    /// to `sums`; moves both factors behind what is done.
    unsafe fn add_multiples_of_three(
        part: Part,
        weights: &mut *const u8,
        x: &mut *const u8,
        dots: &mut [[Self::Int; VECTORS]; 3],
        sums: &mut [[Self::Int; VECTORS]; 3],
    );

    /// A number for each row of weights, as [`Tile::store_numbers`] left it, as factors of a pair's vectors.
    unsafe fn weight_factors(from: *const f32) -> [Self::F32; VECTORS];

    /// A number for each row of activations, as [`Tile::interleave_numbers`] left it, as factors of each pair's vectors.
    unsafe fn activation_factors<const P: usize>(from: *const f32) -> [[Self::F32; VECTORS]; P];

    /// A pair's results: of each row of activations with the first and the last four rows of weights.
    unsafe fn results(sums: [Self::F32; VECTORS]) -> [[Self::F32; 2]; 2];
}

/// A depth block of a panel, ready to be multiplied, and what has been summed for the rows of activations so far.
struct Scratch {
    /// `[tile][block]`, each with codes and scales, or factors of dot products, of its sub-blocks, and what it has once: all
    /// as [`Tile`] stores them.
    depth_block: MaybeUninit<[u8; TILES * DEPTH_BLOCK * MAX_TILE]>,
    /// `[pair][tile][vector]`.
    sums: MaybeUninit<[f32; BLOCK_PAIRS * 2 * PANEL_ROWS]>,
}

/// Activations as tiles read them: `[tile][sub-block]`, each with the values and the scales of the pairs in the tile, and of groups
/// of 256 in the first sub-block the high digits of their sums, in the second the low ones, of groups of 32 what minimums are
/// multiplied with. An odd last row makes a pair with
/// itself.
#[derive(Default)]
struct Interleaved {
    /// Of what, and for which instruction set.
    of: Option<(Version, TypeId)>,
    bytes: Vec<u8>,
}

thread_local! {
    static INTERLEAVED: Cell<Interleaved> = const { Cell::new(Interleaved { of: None, bytes: Vec::new() }) };
}

/// The columns of `panels` of the product of `x` with `weights`.
///
/// # Safety
/// `S` runs on this CPU, `unpack` is its [`unpack`] of such weights, sizes fit together, and nobody else writes those columns.
#[inline(always)]
pub(crate) unsafe fn matmul<S: Tile, A: Arithmetic>(
    weights: &PackedMatrix<'_>,
    x: &Activations,
    panels: Range<usize>,
    out: &Output<'_>,
    unpack: Unpack,
) {
    let format = weights.format();
    let (sub_blocks, block) = (format.block_len() / SUB_BLOCK, layout::block(format));
    let mut interleaved = INTERLEAVED.take();
    interleaved.update::<S>(x);
    let mut scratch = Scratch { depth_block: MaybeUninit::uninit(), sums: MaybeUninit::uninit() };
    let subs = weights.cols() / SUB_BLOCK;
    for panel in panels {
        let bytes = weights.panel(panel).as_ptr();
        for first_pair in (0..x.rows().div_ceil(2)).step_by(BLOCK_PAIRS) {
            let pairs = first_pair..x.rows().div_ceil(2).min(first_pair + BLOCK_PAIRS);
            for first_sub in (0..subs).step_by(DEPTH_BLOCK) {
                let depth_block = first_sub..subs.min(first_sub + DEPTH_BLOCK);
                unpack(
                    bytes.add(first_sub / sub_blocks * block),
                    depth_block.len(),
                    scratch.depth_block.as_mut_ptr().cast(),
                );
                let results = (depth_block.end == subs).then_some((panel, out));
                multiply::<S, A>(&mut scratch, depth_block, interleaved.bytes.as_ptr(), subs, pairs.clone(), results);
            }
        }
    }
    INTERLEAVED.set(interleaved);
}

/// Tiles of pairs: as many large ones as there are, then a smaller one.
fn tiles(pairs: Range<usize>) -> impl Iterator<Item = Range<usize>> {
    let end = pairs.end;
    pairs.step_by(PAIRS).map(move |first| first..end.min(first + PAIRS))
}

impl Interleaved {
    /// Interleaves `x`, unless this thread did before.
    #[inline(always)]
    unsafe fn update<S: Tile>(&mut self, x: &Activations) {
        let of = Some((x.version(), TypeId::of::<S>()));
        if self.of == of {
            return;
        }
        self.of = of;
        let (pairs, subs) = (x.rows().div_ceil(2), x.cols() / SUB_BLOCK);
        self.bytes.resize(pairs * subs * PAIR, 0);
        for tile in tiles(0..pairs) {
            let to = self.bytes.as_mut_ptr().add(tile.start * subs * PAIR);
            for (index, pair) in tile.clone().enumerate() {
                let rows = [2 * pair, (2 * pair + 1).min(x.rows() - 1)].map(|row| x.row(row));
                for sub in 0..subs {
                    let (values, to) = (rows.map(|row| row.at(sub * SUB_BLOCK)), to.add(sub * tile.len() * PAIR));
                    let eight = tile.len() * PAIR_VALUES / 4;
                    for half in 0..2 {
                        let (values, to) =
                            (values.map(|row| row.values.add(16 * half)), to.add(2 * half * eight).cast());
                        S::interleave_sixteen(values, to, eight, index, tile.len());
                    }
                    let to = to.add(tile.len() * PAIR_VALUES);
                    S::interleave_numbers(values.map(|row| *row.scales), to.cast(), index);
                    if x.group() == SUB_BLOCK {
                        let factors = values.map(|row| arithmetic::min_factor::<Q5_1>(row, 0));
                        S::interleave_numbers(factors, to.add(tile.len() * PAIR_NUMBERS).cast(), index);
                    } else if sub.is_multiple_of(x.group() / SUB_BLOCK) {
                        let digits = values.map(|row| digits(row.sums));
                        let (digits, to) = (
                            digits.each_ref().map(|digits| std::ptr::from_ref(digits).cast()),
                            to.add(tile.len() * PAIR_NUMBERS).cast(),
                        );
                        S::interleave_sixteen(digits, to, tile.len() * PAIR, index, tile.len());
                    }
                }
            }
        }
    }
}

/// Bytes of a tile's block: its sub-blocks, and what it has once.
const fn block_bytes<A: Arithmetic>() -> usize {
    let min = if A::HAS_MIN { TILE_NUMBERS + TILE_MINS } else { 0 };
    A::SPAN * sub_block_bytes::<A>() + if A::HAS_MULTIPLIERS { TILE_NUMBERS + min } else { 0 }
}

/// Bytes of a tile's sub-block: the codes of each part, and that part's scales and minimums, or factors.
const fn sub_block_bytes<A: Arithmetic>() -> usize {
    A::SCALES * part_bytes::<A>()
}

/// Scales are left out where all of them are 1.
const fn part_bytes<A: Arithmetic>() -> usize {
    let has_mins = A::HAS_MIN && !A::HAS_MULTIPLIERS;
    TILE_CODES / A::SCALES + (!A::SCALES_ARE_1 as usize + has_mins as usize) * TILE_NUMBERS
}

/// Unpacks `subs` sub-blocks, whole blocks from `block` on.
///
/// # Safety
/// `S` runs on this CPU; there are as many, and room for a [`Scratch`]'s depth block.
#[inline(always)]
pub(crate) unsafe fn unpack<S: Tile, F: PanelFormat>(block: *const u8, subs: usize, depth_block: *mut u8) {
    const { assert!(block_bytes::<F::Unpacked<S>>() <= <F::Unpacked<S>>::SPAN * MAX_TILE) };
    for index in 0..subs / F::SUB_BLOCKS {
        let block = block.add(index * F::BLOCK);
        for vector in 0..PANEL_ROWS / 4 {
            let tile =
                vector / 2 * (DEPTH_BLOCK / <F::Unpacked<S>>::SPAN) + index * F::SUB_BLOCKS / <F::Unpacked<S>>::SPAN;
            unpack_block::<S, F>(block, vector, depth_block.add(tile * block_bytes::<F::Unpacked<S>>()));
        }
    }
}

/// Unpacks a vector of a block's rows.
#[inline(always)]
unsafe fn unpack_block<S: Tile, F: PanelFormat>(block: *const u8, vector: usize, to: *mut u8) {
    let header = F::header::<S>(block, vector);
    let store = |numbers, to: *mut u8| S::store_numbers(numbers, to.cast(), vector % 2);
    for sub in 0..F::SUB_BLOCKS {
        let planes = block.add(F::HEADER + sub * F::SUB_BLOCK);
        let to = to.add(sub * sub_block_bytes::<F::Unpacked<S>>());
        for pair in 0..4 {
            let (a, b) = F::codes::<S>(block, planes, vector, pair);
            let signed = |codes| if F::OFFSET == 0 { codes } else { S::sub_bytes(codes, F::OFFSET as u8) };
            let numbers = pair * F::SCALES / 4 * (part_bytes::<F::Unpacked<S>>() - TILE_CODES / F::SCALES);
            S::store_codes((signed(a), signed(b)), to.add(pair * TILE_CODES / 4 + numbers), vector % 2);
        }
        for half in 0..if F::HAS_MULTIPLIERS || F::SCALES_ARE_1 { 0 } else { F::SCALES } {
            let numbers = to.add(half * part_bytes::<F::Unpacked<S>>() + TILE_CODES / F::SCALES);
            store(F::part_scale::<S>(&header, block, sub, half, vector), numbers);
            if <F::Unpacked<S>>::HAS_MIN {
                store(F::part_min::<S>(&header, block, sub, half, vector), numbers.add(TILE_NUMBERS));
            }
        }
    }
    if F::HAS_MULTIPLIERS {
        store_factors::<S, F>(&header, block, vector, to);
        let once = to.add(F::SUB_BLOCKS * sub_block_bytes::<F>());
        store(F::scale::<S>(block, vector), once);
        if F::HAS_MIN {
            let (once, [even, odd]) = (once.add(TILE_NUMBERS), F::mins::<S>(&header));
            store(F::min_scale::<S>(block, vector), once);
            S::store_codes((even, odd), once.add(TILE_NUMBERS), vector % 2);
        }
    }
}

/// Stores what each part's dot products are multiplied with. These are not cleared within a block, so that each is the sum of a
/// part's and all before it: multiplied with the difference of two neighbouring multipliers, each part's counts as often as
/// its own says. Sums may wrap on the way; what they come to fits.
#[inline(always)]
unsafe fn store_factors<S: Tile, F: PanelFormat>(header: &F::Header<S>, block: *const u8, vector: usize, to: *mut u8) {
    let parts = F::SUB_BLOCKS * F::SCALES;
    let of = |part| F::multiplier::<S>(header, block, part / F::SCALES, part % F::SCALES, vector);
    let mut multiplier = of(0);
    for part in 0..parts {
        let next = if part + 1 < parts { of(part + 1) } else { S::splat_int(0) };
        let to = to.add((part + 1) * part_bytes::<F>() - TILE_NUMBERS);
        S::store_numbers(S::from_bits(S::sub_int(multiplier, next)), to.cast(), vector % 2);
        multiplier = next;
    }
}

/// Multiplies a depth block with `pairs`; the last of a panel gives that panel's results.
#[inline(always)]
unsafe fn multiply<S: Tile, A: Arithmetic>(
    scratch: &mut Scratch,
    depth_block: Range<usize>,
    x: *const u8,
    subs: usize,
    pairs: Range<usize>,
    results: Option<(usize, &Output<'_>)>,
) {
    for tile in tiles(pairs.clone()) {
        let x = x.add((tile.start * subs + depth_block.start * tile.len()) * PAIR);
        let done = tile.start - pairs.start;
        let results = results.map(|(panel, out)| (2 * tile.start, panel, out));
        match tile.len() {
            PAIRS => multiply_tile::<S, A, PAIRS>(scratch, &depth_block, x, done, results),
            2 => multiply_tile::<S, A, 2>(scratch, &depth_block, x, done, results),
            _ => multiply_tile::<S, A, 1>(scratch, &depth_block, x, done, results),
        }
    }
}

/// `P` pairs, whose activations from the depth block's first sub-block on are at `x`. What is summed becomes `results`, of the first
/// pair's first row, or waits in `scratch` for the next depth block.
#[inline(always)]
unsafe fn multiply_tile<S: Tile, A: Arithmetic, const P: usize>(
    scratch: &mut Scratch,
    depth_block: &Range<usize>,
    x: *const u8,
    done: usize,
    results: Option<(usize, usize, &Output<'_>)>,
) {
    for tile in 0..TILES {
        let sums_at = scratch.sums.as_mut_ptr().cast::<f32>();
        let sums_at = |p: usize, v: usize| sums_at.add((((done + p) * TILES + tile) * VECTORS + v) * 4);
        let mut sums: [[S::F32; VECTORS]; P] = match depth_block.start {
            0 => [[S::splat(0.0); VECTORS]; P],
            _ => std::array::from_fn(|p| std::array::from_fn(|v| S::load(sums_at(p, v)))),
        };
        let mut weights =
            scratch.depth_block.as_ptr().cast::<u8>().add(tile * (DEPTH_BLOCK / A::SPAN) * block_bytes::<A>());
        let mut x = x;
        for _ in 0..depth_block.len() / A::SPAN {
            match A::HAS_MULTIPLIERS {
                true => add_block::<S, A, P>(&mut weights, &mut x, &mut sums),
                false if A::SCALES == 2 => add_halves::<S, P>(&mut weights, &mut x, &mut sums),
                false => add_products::<S, A, P>(&mut weights, &mut x, &mut sums),
            }
        }
        if let Some((row, panel, out)) = results {
            write::<S, P>(sums, row, panel * PANEL_ROWS + tile * TILE_COLUMNS, out);
            continue;
        }
        for (p, sums) in sums.iter().enumerate() {
            for (v, sums) in sums.iter().enumerate() {
                S::store(*sums, sums_at(p, v));
            }
        }
    }
}

/// Adds `dots * (scale of the weights * scale of the activations)` of a tile's sub-block, and its minimums, and moves both factors
/// behind it.
#[inline(always)]
unsafe fn add_products<S: Tile, A: Arithmetic, const P: usize>(
    weights: &mut *const u8,
    x: &mut *const u8,
    sums: &mut [[S::F32; VECTORS]; P],
) {
    let numbers = x.add(P * PAIR_VALUES);
    if P == 3 {
        S::add_products_of_three(A::SCALES_ARE_1, weights, x, &mut *sums.as_mut_ptr().cast());
    } else {
        let mut dots = [[S::splat_int(0); VECTORS]; P];
        add_columns::<S, P>(0..SUB_BLOCK / 8, weights, *x, &mut dots);
        let scales = if A::SCALES_ARE_1 { [S::splat(1.0); VECTORS] } else { S::weight_factors(weights.cast()) };
        add_scaled::<S, P>(&dots, scales, numbers, sums);
        *weights = weights.add(if A::SCALES_ARE_1 { 0 } else { TILE_NUMBERS });
        *x = x.add(P * PAIR);
    }
    if A::HAS_MIN {
        let mins = S::weight_factors(weights.cast());
        let factors = S::activation_factors::<P>(numbers.add(P * PAIR_NUMBERS).cast());
        for p in 0..P {
            for v in 0..VECTORS {
                sums[p][v] = S::fma(mins[v], factors[p][v], sums[p][v]);
            }
        }
        *weights = weights.add(TILE_NUMBERS);
    }
}

/// Adds dot products with scales, those of activations from `numbers` on.
#[inline(always)]
unsafe fn add_scaled<S: Tile, const P: usize>(
    dots: &[[S::Int; VECTORS]; P],
    scales: [S::F32; VECTORS],
    numbers: *const u8,
    sums: &mut [[S::F32; VECTORS]; P],
) {
    let x_scales = S::activation_factors::<P>(numbers.cast());
    for p in 0..P {
        for v in 0..VECTORS {
            sums[p][v] = S::fma(S::to_f32(dots[p][v]), S::mul(scales[v], x_scales[p][v]), sums[p][v]);
        }
    }
}

/// [`add_products`] where each half has scales and minimums. The sums of activations are products with ones.
#[inline(always)]
unsafe fn add_halves<S: Tile, const P: usize>(
    weights: &mut *const u8,
    x: &mut *const u8,
    sums: &mut [[S::F32; VECTORS]; P],
) {
    static ONES: [u8; TILE_CODES / 4] = [1; TILE_CODES / 4];
    let numbers = x.add(P * PAIR_VALUES);
    let x_scales = S::activation_factors::<P>(numbers.cast());
    for half in 0..2 {
        let (mut dots, mut all) = ([[S::splat_int(0); VECTORS]; P], [[S::splat_int(0); VECTORS]; P]);
        add_columns::<S, P>(2 * half..2 * half + 2, weights, *x, &mut dots);
        for eight in 2 * half..2 * half + 2 {
            S::add_eight(ONES.as_ptr(), x.add(eight * P * PAIR_VALUES / 4).cast(), &mut all);
        }
        add_scaled::<S, P>(&dots, S::weight_factors(weights.cast()), numbers, sums);
        let mins = S::weight_factors(weights.add(TILE_NUMBERS).cast());
        for p in 0..P {
            for v in 0..VECTORS {
                let correction = S::mul(S::to_f32(all[p][v]), S::splat(CORRECTION as f32));
                sums[p][v] = S::fma(mins[v], S::mul(correction, x_scales[p][v]), sums[p][v]);
            }
        }
        *weights = weights.add(2 * TILE_NUMBERS);
    }
    *x = x.add(P * PAIR);
}

/// Adds the products of `eights` of a sub-block's columns to dot products, and moves the weights behind them.
#[inline(always)]
unsafe fn add_columns<S: Tile, const P: usize>(
    eights: Range<usize>,
    weights: &mut *const u8,
    x: *const u8,
    dots: &mut [[S::Int; VECTORS]; P],
) {
    for eight in eights {
        S::add_eight(*weights, x.add(eight * P * PAIR_VALUES / 4).cast(), dots);
        *weights = weights.add(TILE_CODES / 4);
    }
}

/// Adds the products of a tile's block, and moves both factors behind it.
#[inline(always)]
unsafe fn add_block<S: Tile, A: Arithmetic, const P: usize>(
    weights: &mut *const u8,
    x: &mut *const u8,
    sums: &mut [[S::F32; VECTORS]; P],
) {
    let block_x = *x;
    let (mut dots, mut multiples) = ([[S::splat_int(0); VECTORS]; P], [[S::splat_int(0); VECTORS]; P]);
    for _ in 0..A::SPAN {
        if A::SCALES == 1 {
            add_multiples::<S, P>(Part::All, weights, x, &mut dots, &mut multiples);
        } else {
            add_multiples::<S, P>(Part::FirstHalf, weights, x, &mut dots, &mut multiples);
            add_multiples::<S, P>(Part::SecondHalf, weights, x, &mut dots, &mut multiples);
        }
    }
    let scales = S::weight_factors(weights.cast());
    let x_scales = S::activation_factors::<P>(block_x.add(P * PAIR_VALUES).cast());
    *weights = weights.add(TILE_NUMBERS);
    let mut mins = [[S::splat(0.0); VECTORS]; P];
    if A::HAS_MIN {
        mins = scaled_mins::<S, P>(*weights, block_x.add(P * (PAIR_VALUES + PAIR_NUMBERS)));
        *weights = weights.add(TILE_NUMBERS + TILE_MINS);
    }
    for p in 0..P {
        for v in 0..VECTORS {
            sums[p][v] =
                arithmetic::add_block::<S, A>(sums[p][v], multiples[p][v], scales[v], mins[p][v], x_scales[p][v]);
        }
    }
}

/// [`arithmetic::scaled_mins`] of a tile's block, with the digits of its activations' sums.
#[inline(always)]
unsafe fn scaled_mins<S: Tile, const P: usize>(weights: *const u8, digits: *const u8) -> [[S::F32; VECTORS]; P] {
    let scales = S::weight_factors(weights.cast());
    let bytes = weights.add(TILE_NUMBERS);
    let mut dots = [[S::splat_int(0); VECTORS]; P];
    S::add_eight(bytes, digits.cast(), &mut dots);
    dots = dots.map(|dots| dots.map(|high| S::shl::<{ DIGIT_BITS as u32 }>(high)));
    S::add_eight(bytes, digits.add(P * PAIR).cast(), &mut dots);
    dots.map(|dots| std::array::from_fn(|v| S::mul(scales[v], S::to_f32(dots[v]))))
}

/// Adds the products of a part of a tile's sub-block to `dots`, and these times their factors to `sums`, and moves both factors
/// behind what is done.
#[inline(always)]
unsafe fn add_multiples<S: Tile, const P: usize>(
    part: Part,
    weights: &mut *const u8,
    x: &mut *const u8,
    dots: &mut [[S::Int; VECTORS]; P],
    sums: &mut [[S::Int; VECTORS]; P],
) {
    if P == 3 {
        return S::add_multiples_of_three(
            part,
            weights,
            x,
            &mut *dots.as_mut_ptr().cast(),
            &mut *sums.as_mut_ptr().cast(),
        );
    }
    let eights = match part {
        Part::All => 0..4,
        Part::FirstHalf => 0..2,
        Part::SecondHalf => 2..4,
    };
    add_columns::<S, P>(eights, weights, *x, dots);
    let factors = S::weight_factors(weights.cast());
    for p in 0..P {
        for v in 0..VECTORS {
            sums[p][v] = S::mul_add_int(dots[p][v], S::to_bits(factors[v]), sums[p][v]);
        }
    }
    *weights = weights.add(TILE_NUMBERS);
    *x = x.add(if matches!(part, Part::FirstHalf) { 0 } else { P * PAIR });
}

/// Writes a tile's sums as results, from row `row` and column `column` on, as far as there are such rows and columns.
#[inline(always)]
unsafe fn write<S: Tile, const P: usize>(sums: [[S::F32; VECTORS]; P], row: usize, column: usize, out: &Output<'_>) {
    let place = out.place(&(row..row + 2 * P), column, TILE_COLUMNS);
    for (p, sums) in sums.into_iter().enumerate() {
        for (r, [first, last]) in S::results(sums).into_iter().enumerate() {
            let at = 2 * p + r;
            match place {
                Some(to) => {
                    S::store(first, to.add(at * out.cols()));
                    S::store(last, to.add(at * out.cols() + 4));
                }
                None if row + at < out.rows() && column < out.cols() => {
                    let mut columns = [0.0; TILE_COLUMNS];
                    S::store(first, columns.as_mut_ptr());
                    S::store(last, columns.as_mut_ptr().add(4));
                    out.write(row + at, column, &columns[..TILE_COLUMNS.min(out.cols() - column)]);
                }
                None => {}
            }
        }
    }
}
