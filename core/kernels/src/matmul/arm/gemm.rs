//! GEMM for instruction sets whose tiles want both factors interleaved.
//!
//! This is [`crate::matmul::gemm`] with the same arithmetic in the same order, but what a vector of a tile holds is up to the
//! instruction set ([`Tile`]), a depth block's codes are signed, and activations are interleaved so that a tile reads one stream of
//! them.

// Indices that run over several arrays at once.
#![allow(clippy::needless_range_loop)]

use std::mem::MaybeUninit;
use std::ops::Range;

use crate::activations::{ActivationRows, Activations, CORRECTION, GROUP_SUMS, Interleaving};
use crate::matmul::{Arithmetic, BlockPointer, MatMul, Output, PanelFormat, Unpack, arithmetic};
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
pub(crate) trait Tile: MatMul {
    /// Stores eight columns' codes of four rows, as two groups, in a tile's codes; `vector` says which half of its rows.
    ///
    /// # Safety
    /// There is room for eight columns of a tile at `to`.
    unsafe fn store_codes(self, groups: (Self::Int, Self::Int), to: *mut u8, vector: usize);

    /// Stores a number for each of four rows; `vector` says which half of the tile's.
    ///
    /// # Safety
    /// There is room for [`TILE_NUMBERS`] bytes at `to`.
    unsafe fn store_numbers(self, numbers: Self::F32, to: *mut f32, vector: usize);

    /// `a - b`.
    fn sub_int(self, a: Self::Int, b: Self::Int) -> Self::Int;

    /// Interleaves sixteen values of each row of pair `pair` in a tile of `pairs`, the last eight `next` bytes behind the first.
    ///
    /// # Safety
    /// The values are there, and room for eight columns of the tile's pairs at `to` and `next` bytes behind it.
    unsafe fn interleave_sixteen(self, rows: [*const i8; 2], to: *mut i8, next: usize, pair: usize, pairs: usize);

    /// Interleaves a scale of each row of pair `pair`.
    ///
    /// # Safety
    /// There is room for [`PAIR_NUMBERS`] bytes for each pair at `to`.
    unsafe fn interleave_numbers(self, rows: [f32; 2], to: *mut f32, pair: usize);

    /// Adds the products of eight columns to dot products.
    ///
    /// # Safety
    /// Eight columns of a tile are at `codes`, and of its pairs at `x`.
    unsafe fn add_eight<const P: usize>(self, codes: *const u8, x: *const i8, dots: &mut [[Self::Int; VECTORS]; P]);

    /// Adds the products of a tile's sub-block of three pairs with their scales, and moves both factors behind what is done.
    /// Where scales of weights are 1, they are not stored.
    ///
    /// # Safety
    /// Both factors have such a sub-block.
    unsafe fn add_products_of_three(
        self,
        scales_are_1: bool,
        weights: &mut *const u8,
        x: &mut *const u8,
        sums: &mut [[Self::F32; VECTORS]; 3],
    );

    /// Adds the products of a part of a tile's sub-block of three pairs to `dots`, and what these are then, times their factors,
    /// to `sums`; moves both factors behind what is done.
    ///
    /// # Safety
    /// Both factors have such a part.
    unsafe fn add_multiples_of_three(
        self,
        part: Part,
        weights: &mut *const u8,
        x: &mut *const u8,
        dots: &mut [[Self::Int; VECTORS]; 3],
        sums: &mut [[Self::Int; VECTORS]; 3],
    );

    /// A number for each row of weights, as [`Tile::store_numbers`] left it, as factors of a pair's vectors.
    ///
    /// # Safety
    /// The tile's numbers are at `from`.
    unsafe fn weight_factors(self, from: *const f32) -> [Self::F32; VECTORS];

    /// A number for each row of activations, as [`Tile::interleave_numbers`] left it, as factors of each pair's vectors.
    ///
    /// # Safety
    /// The numbers of `P` pairs are at `from`.
    unsafe fn activation_factors<const P: usize>(self, from: *const f32) -> [[Self::F32; VECTORS]; P];

    /// A pair's results: of each row of activations with the first and the last four rows of weights.
    fn results(self, sums: [Self::F32; VECTORS]) -> [[Self::F32; 2]; 2];
}

/// A depth block of a panel, ready to be multiplied, and what has been summed for the rows of activations so far.
struct Scratch {
    /// `[tile][block]`, each with codes and scales, or factors of dot products, of its sub-blocks, and what it has once: all
    /// as [`Tile`] stores them.
    depth_block: MaybeUninit<[u8; TILES * DEPTH_BLOCK * MAX_TILE]>,
    /// `[pair][tile][vector]`.
    sums: MaybeUninit<[f32; BLOCK_PAIRS * 2 * PANEL_ROWS]>,
}

/// `[tile][sub-block]`, each with the values and the scales of the pairs in the tile, and of groups of 256 in the first sub-block the
/// high digits of their sums, in the second the low ones, of groups of 32 what minimums are multiplied with. An odd last row makes a
/// pair with itself.
pub(super) const fn interleaving(name: &'static str) -> Interleaving {
    Interleaving::new(name, 2 * PAIRS, PAIR / 2, SUB_BLOCK)
}

/// The columns of `panels` of the product of `x` with `weights`.
///
/// # Safety
/// `unpack` is the instruction set's [`unpack`] of such weights, sizes fit together as [`crate::Kernels::matmul`] checks, and nobody else writes
/// those columns.
#[inline(always)]
pub(crate) unsafe fn matmul<S: Tile, A: Arithmetic>(
    s: S,
    weights: &PackedMatrix<'_>,
    x: &Activations,
    panels: Range<usize>,
    out: &Output<'_>,
    unpack: Unpack,
) {
    let format = weights.format();
    let (sub_blocks, block) = (format.block_len() / SUB_BLOCK, layout::block(format));
    let interleaved = x.interleaved(const { S::INTERLEAVING.expect("tiles read interleaved rows") });
    let mut scratch = Scratch { depth_block: MaybeUninit::uninit(), sums: MaybeUninit::uninit() };
    let subs = weights.cols() / SUB_BLOCK;
    for panel in panels {
        let bytes = weights.panel(panel);
        for first_pair in (0..x.rows().div_ceil(2)).step_by(BLOCK_PAIRS) {
            let pairs = first_pair..x.rows().div_ceil(2).min(first_pair + BLOCK_PAIRS);
            for first_sub in (0..subs).step_by(DEPTH_BLOCK) {
                let depth_block = first_sub..subs.min(first_sub + DEPTH_BLOCK);
                let blocks = &bytes[first_sub / sub_blocks * block..];
                let results = (depth_block.end == subs).then_some((panel, out));
                let x = interleaved.as_ptr();
                // SAFETY: `unpack` has its instructions and fits the weights, by `# Safety`; `blocks` begin with the depth block, for
                // which there is room; interleaved activations have all of its columns and these pairs.
                unsafe {
                    unpack(blocks.as_ptr(), depth_block.len(), scratch.depth_block.as_mut_ptr().cast());
                    multiply::<S, A>(s, &mut scratch, depth_block, x, subs, pairs.clone(), results);
                }
            }
        }
    }
}

/// Tiles of pairs: as many large ones as there are, then a smaller one.
fn tiles(pairs: Range<usize>) -> impl Iterator<Item = Range<usize>> {
    let end = pairs.end;
    pairs.step_by(PAIRS).map(move |first| first..end.min(first + PAIRS))
}

/// Interleaves rows as [`interleaving`] says.
///
/// # Panics
/// When there is no room for them.
#[inline(always)]
pub(super) fn interleave<S: Tile>(s: S, rows: &mut ActivationRows<'_>) {
    let (count, subs) = (rows.values.len() / rows.cols, rows.cols / SUB_BLOCK);
    let (values, corrections) = (rows.values.as_chunks::<SUB_BLOCK>().0, rows.corrections.as_chunks::<4>().0);
    assert!(rows.interleaved.len() >= count.div_ceil(2) * subs * PAIR, "room for interleaved rows");
    for tile in tiles(0..count.div_ceil(2)) {
        for (index, pair) in tile.clone().enumerate() {
            let pair = [2 * pair, (2 * pair + 1).min(count - 1)];
            for sub in 0..subs {
                let eight = tile.len() * PAIR_VALUES / 4;
                let at = pair.map(|row| row * subs + sub);
                let to = rows.interleaved[(tile.start * subs + sub * tile.len()) * PAIR..].as_mut_ptr();
                for half in 0..2 {
                    let values = at.map(|at| values[at][16 * half..].as_ptr());
                    // SAFETY: half of a sub-block is sixteen values; a tile's sub-block, for all of which there is room as asserted
                    // above, begins with the values of its pairs, eight columns after the other.
                    unsafe { s.interleave_sixteen(values, to.add(2 * half * eight).cast(), eight, index, tile.len()) };
                }
                // SAFETY: after the values, a tile's sub-block has room for two numbers of each row.
                let numbers = [0, 1]
                    .map(|number| unsafe { to.add(tile.len() * (PAIR_VALUES + number * PAIR_NUMBERS)).cast::<f32>() });
                let scales = at.map(|at| rows.scales[at]);
                // SAFETY: as above.
                unsafe { s.interleave_numbers(scales, numbers[0], index) };
                if rows.group == SUB_BLOCK {
                    // As `arithmetic::min_factor` computes them.
                    let factors = at.map(|at| corrections[at][0] as f32 * rows.scales[at]);
                    // SAFETY: as above.
                    unsafe { s.interleave_numbers(factors, numbers[1], index) };
                } else if sub.is_multiple_of(rows.group / SUB_BLOCK) {
                    let sums = at.map(|at| rows.sums[at..].first_chunk::<GROUP_SUMS>().expect("a group's sums"));
                    let digits = sums.map(digits);
                    let digits = digits.each_ref().map(|digits| std::ptr::from_ref(digits).cast());
                    // SAFETY: digits are sixteen bytes; the second eight go where the next sub-block of the group has room for them.
                    unsafe { s.interleave_sixteen(digits, numbers[1].cast(), tile.len() * PAIR, index, tile.len()) };
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
/// There are as many, and room for a [`Scratch`]'s depth block.
#[inline(always)]
pub(crate) unsafe fn unpack<S: Tile, F: PanelFormat>(s: S, block: *const u8, subs: usize, depth_block: *mut u8) {
    const { assert!(block_bytes::<F::Unpacked<S>>() <= <F::Unpacked<S>>::SPAN * MAX_TILE) };
    for index in 0..subs / F::SUB_BLOCKS {
        // SAFETY: there are `subs` sub-blocks at `block`, by `# Safety`, in whole blocks.
        let block = unsafe { BlockPointer::<F>::new(block.add(index * F::BLOCK)) };
        for vector in 0..PANEL_ROWS / 4 {
            let tile =
                vector / 2 * (DEPTH_BLOCK / <F::Unpacked<S>>::SPAN) + index * F::SUB_BLOCKS / <F::Unpacked<S>>::SPAN;
            // SAFETY: there is room for as many unpacked ones, by `# Safety`, tile by tile: this is a vector of the rows of one.
            unsafe { unpack_block(s, block, vector, depth_block.add(tile * block_bytes::<F::Unpacked<S>>())) };
        }
    }
}

/// Unpacks a vector of a block's rows.
///
/// # Safety
/// There is room for its tile's block at `to`.
#[inline(always)]
unsafe fn unpack_block<S: Tile, F: PanelFormat>(s: S, block: BlockPointer<'_, F>, vector: usize, to: *mut u8) {
    let header = F::header(s, block, vector);
    for sub in 0..F::SUB_BLOCKS {
        let planes = block.planes(sub);
        // SAFETY: there is room for the tile's block, by `# Safety`, of which this is a sub-block.
        let to = unsafe { to.add(sub * sub_block_bytes::<F::Unpacked<S>>()) };
        for pair in 0..4 {
            let (a, b) = F::codes(s, block, planes, vector, pair);
            let signed = |codes| if F::OFFSET == 0 { codes } else { s.sub_bytes(codes, F::OFFSET as u8) };
            let numbers = pair * F::SCALES / 4 * (part_bytes::<F::Unpacked<S>>() - TILE_CODES / F::SCALES);
            // SAFETY: a sub-block has four times eight columns, with the numbers of a half between them where halves have such.
            unsafe {
                s.store_codes((signed(a), signed(b)), to.add(pair * TILE_CODES / 4 + numbers), vector % 2);
            }
        }
        for half in 0..if F::HAS_MULTIPLIERS || F::SCALES_ARE_1 { 0 } else { F::SCALES } {
            // SAFETY: a part's numbers follow its codes.
            unsafe {
                let numbers = to.add(half * part_bytes::<F::Unpacked<S>>() + TILE_CODES / F::SCALES);
                let scale = F::part_scale(s, &header, block, sub, half, vector);
                s.store_numbers(scale, numbers.cast(), vector % 2);
                if <F::Unpacked<S>>::HAS_MIN {
                    let min = F::part_min(s, &header, block, sub, half, vector);
                    s.store_numbers(min, numbers.add(TILE_NUMBERS).cast(), vector % 2);
                }
            }
        }
    }
    if F::HAS_MULTIPLIERS {
        // SAFETY: what a block has once follows its sub-blocks; the same room has that of `store_factors`.
        unsafe {
            store_factors::<S, F>(s, &header, block, vector, to);
            let once = to.add(F::SUB_BLOCKS * sub_block_bytes::<F>());
            s.store_numbers(F::scale(s, block, vector), once.cast(), vector % 2);
            if F::HAS_MIN {
                let (once, [even, odd]) = (once.add(TILE_NUMBERS), F::mins(s, &header));
                s.store_numbers(F::min_scale(s, block, vector), once.cast(), vector % 2);
                s.store_codes((even, odd), once.add(TILE_NUMBERS), vector % 2);
            }
        }
    }
}

/// Stores what each part's dot products are multiplied with. These are not cleared within a block, so that each is the sum of a
/// part's and all before it: multiplied with the difference of two neighbouring multipliers, each part's counts as often as
/// its own says. Sums may wrap on the way; what they come to fits.
///
/// # Safety
/// There is room for its tile's block at `to`.
#[inline(always)]
unsafe fn store_factors<S: Tile, F: PanelFormat>(
    s: S,
    header: &F::Header<S>,
    block: BlockPointer<'_, F>,
    vector: usize,
    to: *mut u8,
) {
    let parts = F::SUB_BLOCKS * F::SCALES;
    let of = |part| F::multiplier(s, header, block, part / F::SCALES, part % F::SCALES, vector);
    let mut multiplier = of(0);
    for part in 0..parts {
        let next = if part + 1 < parts { of(part + 1) } else { s.splat_int(0) };
        let factor = s.bits_as_f32(s.sub_int(multiplier, next));
        // SAFETY: there is room for the tile's block, by `# Safety`, in which each part ends with its factors.
        unsafe {
            let to = to.add((part + 1) * part_bytes::<F>() - TILE_NUMBERS);
            s.store_numbers(factor, to.cast(), vector % 2);
        }
        multiplier = next;
    }
}

/// Multiplies a depth block with `pairs`; the last of a panel gives that panel's results.
///
/// # Safety
/// The depth block is unpacked, `x` are interleaved activations of `subs` sub-blocks, which have all of these pairs, and nobody else
/// writes the panel's columns.
#[inline(always)]
unsafe fn multiply<S: Tile, A: Arithmetic>(
    s: S,
    scratch: &mut Scratch,
    depth_block: Range<usize>,
    x: *const u8,
    subs: usize,
    pairs: Range<usize>,
    results: Option<(usize, &Output<'_>)>,
) {
    for tile in tiles(pairs.clone()) {
        // SAFETY: activations have these pairs and the depth block's columns, by `# Safety`.
        let x = unsafe { x.add((tile.start * subs + depth_block.start * tile.len()) * PAIR) };
        let done = tile.start - pairs.start;
        let results = results.map(|(panel, out)| (2 * tile.start, panel, out));
        // SAFETY: the depth block is unpacked, the activations have it, and these columns are written here alone, by `# Safety`; `done`
        // and the tile's pairs are at most `BLOCK_PAIRS`.
        unsafe {
            match tile.len() {
                PAIRS => multiply_tile::<S, A, PAIRS>(s, scratch, &depth_block, x, done, results),
                2 => multiply_tile::<S, A, 2>(s, scratch, &depth_block, x, done, results),
                _ => multiply_tile::<S, A, 1>(s, scratch, &depth_block, x, done, results),
            }
        }
    }
}

/// `P` pairs, whose activations from the depth block's first sub-block on are at `x`. What is summed becomes `results`, of the first
/// pair's first row, or waits in `scratch` for the next depth block.
///
/// # Safety
/// The depth block is unpacked, the activations have it, `done` and these are at most [`BLOCK_PAIRS`], and nobody else writes the
/// panel's columns.
#[inline(always)]
unsafe fn multiply_tile<S: Tile, A: Arithmetic, const P: usize>(
    s: S,
    scratch: &mut Scratch,
    depth_block: &Range<usize>,
    x: *const u8,
    done: usize,
    results: Option<(usize, usize, &Output<'_>)>,
) {
    for tile in 0..TILES {
        let sums_at = scratch.sums.as_mut_ptr().cast::<f32>();
        let sums_at = |p: usize, v: usize| {
            // SAFETY: `done + p` is less than `BLOCK_PAIRS`, by `# Safety`, for each of which there are `TILES` times `VECTORS`
            // vectors.
            unsafe { sums_at.add((((done + p) * TILES + tile) * VECTORS + v) * 4) }
        };
        let mut sums: [[S::F32; VECTORS]; P] = match depth_block.start {
            0 => [[s.splat(0.0); VECTORS]; P],
            // SAFETY: the depth block before left sums there.
            _ => std::array::from_fn(|p| std::array::from_fn(|v| unsafe { s.load(sums_at(p, v)) })),
        };
        let weights = scratch.depth_block.as_ptr().cast::<u8>();
        // SAFETY: the depth block has `TILES` tiles of `DEPTH_BLOCK` sub-blocks.
        let mut weights = unsafe { weights.add(tile * (DEPTH_BLOCK / A::SPAN) * block_bytes::<A>()) };
        let mut x = x;
        for _ in 0..depth_block.len() / A::SPAN {
            // SAFETY: weights and activations have all sub-blocks of the depth block, by `# Safety`, of which those before this are
            // done.
            unsafe {
                match A::HAS_MULTIPLIERS {
                    true => add_block::<S, A, P>(s, &mut weights, &mut x, &mut sums),
                    false if A::SCALES == 2 => add_halves::<S, P>(s, &mut weights, &mut x, &mut sums),
                    false => add_products::<S, A, P>(s, &mut weights, &mut x, &mut sums),
                }
            }
        }
        if let Some((row, panel, out)) = results {
            // SAFETY: columns of this panel are written here alone, by `# Safety`.
            unsafe { write::<S, P>(s, sums, row, panel * PANEL_ROWS + tile * TILE_COLUMNS, out) };
            continue;
        }
        for (p, sums) in sums.iter().enumerate() {
            for (v, sums) in sums.iter().enumerate() {
                // SAFETY: there is room for the vector.
                unsafe { s.store(*sums, sums_at(p, v)) };
            }
        }
    }
}

/// Adds `dots * (scale of the weights * scale of the activations)` of a tile's sub-block, and its minimums, and moves both factors
/// behind it.
///
/// # Safety
/// Both factors have such a sub-block.
#[inline(always)]
unsafe fn add_products<S: Tile, A: Arithmetic, const P: usize>(
    s: S,
    weights: &mut *const u8,
    x: &mut *const u8,
    sums: &mut [[S::F32; VECTORS]; P],
) {
    // SAFETY: both factors have such a sub-block, by `# Safety`, with values and numbers where they are read here.
    unsafe {
        let numbers = x.add(P * PAIR_VALUES);
        if P == 3 {
            s.add_products_of_three(A::SCALES_ARE_1, weights, x, &mut *sums.as_mut_ptr().cast());
        } else {
            let mut dots = [[s.splat_int(0); VECTORS]; P];
            add_columns::<S, P>(s, 0..SUB_BLOCK / 8, weights, *x, &mut dots);
            let scales = if A::SCALES_ARE_1 { [s.splat(1.0); VECTORS] } else { s.weight_factors(weights.cast()) };
            add_scaled::<S, P>(s, &dots, scales, numbers, sums);
            *weights = weights.add(if A::SCALES_ARE_1 { 0 } else { TILE_NUMBERS });
            *x = x.add(P * PAIR);
        }
        if A::HAS_MIN {
            let mins = s.weight_factors(weights.cast());
            let factors = s.activation_factors::<P>(numbers.add(P * PAIR_NUMBERS).cast());
            for p in 0..P {
                for v in 0..VECTORS {
                    sums[p][v] = s.fma(mins[v], factors[p][v], sums[p][v]);
                }
            }
            *weights = weights.add(TILE_NUMBERS);
        }
    }
}

/// Adds dot products with scales, those of activations from `numbers` on.
///
/// # Safety
/// There are scales of `P` pairs.
#[inline(always)]
unsafe fn add_scaled<S: Tile, const P: usize>(
    s: S,
    dots: &[[S::Int; VECTORS]; P],
    scales: [S::F32; VECTORS],
    numbers: *const u8,
    sums: &mut [[S::F32; VECTORS]; P],
) {
    // SAFETY: scales of `P` pairs can be read at `numbers`, by `# Safety`.
    let x_scales = unsafe { s.activation_factors::<P>(numbers.cast()) };
    for p in 0..P {
        for v in 0..VECTORS {
            sums[p][v] = s.fma(s.to_f32(dots[p][v]), s.mul(scales[v], x_scales[p][v]), sums[p][v]);
        }
    }
}

/// [`add_products`] where each half has scales and minimums. The sums of activations are products with ones.
///
/// # Safety
/// Both factors have such a sub-block.
#[inline(always)]
unsafe fn add_halves<S: Tile, const P: usize>(
    s: S,
    weights: &mut *const u8,
    x: &mut *const u8,
    sums: &mut [[S::F32; VECTORS]; P],
) {
    static ONES: [u8; TILE_CODES / 4] = [1; TILE_CODES / 4];
    // SAFETY: both factors have such a sub-block, by `# Safety`, with values and numbers where they are read here; `ONES` has eight
    // columns of a tile.
    unsafe {
        let numbers = x.add(P * PAIR_VALUES);
        let x_scales = s.activation_factors::<P>(numbers.cast());
        for half in 0..2 {
            let (mut dots, mut all) = ([[s.splat_int(0); VECTORS]; P], [[s.splat_int(0); VECTORS]; P]);
            add_columns::<S, P>(s, 2 * half..2 * half + 2, weights, *x, &mut dots);
            for eight in 2 * half..2 * half + 2 {
                s.add_eight(ONES.as_ptr(), x.add(eight * P * PAIR_VALUES / 4).cast(), &mut all);
            }
            add_scaled::<S, P>(s, &dots, s.weight_factors(weights.cast()), numbers, sums);
            let mins = s.weight_factors(weights.add(TILE_NUMBERS).cast());
            for p in 0..P {
                for v in 0..VECTORS {
                    let correction = s.mul(s.to_f32(all[p][v]), s.splat(CORRECTION as f32));
                    sums[p][v] = s.fma(mins[v], s.mul(correction, x_scales[p][v]), sums[p][v]);
                }
            }
            *weights = weights.add(2 * TILE_NUMBERS);
        }
        *x = x.add(P * PAIR);
    }
}

/// Adds the products of `eights` of a sub-block's columns to dot products, and moves the weights behind them.
///
/// # Safety
/// Both factors have these columns.
#[inline(always)]
unsafe fn add_columns<S: Tile, const P: usize>(
    s: S,
    eights: Range<usize>,
    weights: &mut *const u8,
    x: *const u8,
    dots: &mut [[S::Int; VECTORS]; P],
) {
    for eight in eights {
        // SAFETY: both factors have these columns, by `# Safety`.
        unsafe {
            s.add_eight(*weights, x.add(eight * P * PAIR_VALUES / 4).cast(), dots);
            *weights = weights.add(TILE_CODES / 4);
        }
    }
}

/// Adds the products of a tile's block, and moves both factors behind it.
///
/// # Safety
/// Both factors have such a block.
#[inline(always)]
unsafe fn add_block<S: Tile, A: Arithmetic, const P: usize>(
    s: S,
    weights: &mut *const u8,
    x: &mut *const u8,
    sums: &mut [[S::F32; VECTORS]; P],
) {
    let block_x = *x;
    let (mut dots, mut multiples) = ([[s.splat_int(0); VECTORS]; P], [[s.splat_int(0); VECTORS]; P]);
    for _ in 0..A::SPAN {
        // SAFETY: both factors have a block, by `# Safety`, of which this is a sub-block.
        unsafe {
            if A::SCALES == 1 {
                add_multiples::<S, P>(s, Part::All, weights, x, &mut dots, &mut multiples);
            } else {
                add_multiples::<S, P>(s, Part::FirstHalf, weights, x, &mut dots, &mut multiples);
                add_multiples::<S, P>(s, Part::SecondHalf, weights, x, &mut dots, &mut multiples);
            }
        }
    }
    // SAFETY: both factors have a block, by `# Safety`, whose weights end with what it has once; that of activations is in its first
    // sub-blocks.
    let (scales, x_scales, mins) = unsafe {
        let scales = s.weight_factors(weights.cast());
        let x_scales = s.activation_factors::<P>(block_x.add(P * PAIR_VALUES).cast());
        *weights = weights.add(TILE_NUMBERS);
        let mut mins = [[s.splat(0.0); VECTORS]; P];
        if A::HAS_MIN {
            mins = scaled_mins::<S, P>(s, *weights, block_x.add(P * (PAIR_VALUES + PAIR_NUMBERS)));
            *weights = weights.add(TILE_NUMBERS + TILE_MINS);
        }
        (scales, x_scales, mins)
    };
    for p in 0..P {
        for v in 0..VECTORS {
            sums[p][v] =
                arithmetic::add_block::<S, A>(s, sums[p][v], multiples[p][v], scales[v], mins[p][v], x_scales[p][v]);
        }
    }
}

/// [`arithmetic::scaled_mins`] of a tile's block, with the digits of its activations' sums.
///
/// # Safety
/// Scales and minimums are at `weights`, and the digits of `P` pairs at `digits` and in the next sub-block.
#[inline(always)]
unsafe fn scaled_mins<S: Tile, const P: usize>(s: S, weights: *const u8, digits: *const u8) -> [[S::F32; VECTORS]; P] {
    let mut dots = [[s.splat_int(0); VECTORS]; P];
    // SAFETY: scales and minimums can be read at `weights`, and digits at `digits` and a sub-block further on, by `# Safety`.
    let scales = unsafe {
        let bytes = weights.add(TILE_NUMBERS);
        s.add_eight(bytes, digits.cast(), &mut dots);
        dots = dots.map(|dots| dots.map(|high| s.shl::<{ DIGIT_BITS as u32 }>(high)));
        s.add_eight(bytes, digits.add(P * PAIR).cast(), &mut dots);
        s.weight_factors(weights.cast())
    };
    dots.map(|dots| std::array::from_fn(|v| s.mul(scales[v], s.to_f32(dots[v]))))
}

/// Adds the products of a part of a tile's sub-block to `dots`, and these times their factors to `sums`, and moves both factors
/// behind what is done.
///
/// # Safety
/// Both factors have such a part.
#[inline(always)]
unsafe fn add_multiples<S: Tile, const P: usize>(
    s: S,
    part: Part,
    weights: &mut *const u8,
    x: &mut *const u8,
    dots: &mut [[S::Int; VECTORS]; P],
    sums: &mut [[S::Int; VECTORS]; P],
) {
    if P == 3 {
        let (dots, sums) = (dots.as_mut_ptr().cast(), sums.as_mut_ptr().cast());
        // SAFETY: both factors have such a part, by `# Safety`; `P` is 3, so that both arrays have the type that they are cast to.
        return unsafe { s.add_multiples_of_three(part, weights, x, &mut *dots, &mut *sums) };
    }
    let eights = match part {
        Part::All => 0..4,
        Part::FirstHalf => 0..2,
        Part::SecondHalf => 2..4,
    };
    // SAFETY: both factors have such a part, by `# Safety`, whose factors follow its codes.
    let factors = unsafe {
        add_columns::<S, P>(s, eights, weights, *x, dots);
        let factors = s.weight_factors(weights.cast());
        *weights = weights.add(TILE_NUMBERS);
        *x = x.add(if matches!(part, Part::FirstHalf) { 0 } else { P * PAIR });
        factors
    };
    for p in 0..P {
        for v in 0..VECTORS {
            sums[p][v] = s.mul_add_int(dots[p][v], s.to_bits(factors[v]), sums[p][v]);
        }
    }
}

/// Writes a tile's sums as results, from row `row` and column `column` on, as far as there are such rows and columns.
///
/// # Safety
/// Nobody else writes there.
#[inline(always)]
unsafe fn write<S: Tile, const P: usize>(
    s: S,
    sums: [[S::F32; VECTORS]; P],
    row: usize,
    column: usize,
    out: &Output<'_>,
) {
    let place = out.place(&(row..row + 2 * P), column, TILE_COLUMNS);
    for (p, sums) in sums.into_iter().enumerate() {
        for (r, [first, last]) in s.results(sums).into_iter().enumerate() {
            let at = 2 * p + r;
            match place {
                // SAFETY: `place` has found room for all rows and columns of the tile, and they are written here alone, by `# Safety`.
                Some(to) => unsafe {
                    s.store(first, to.add(at * out.cols()));
                    s.store(last, to.add(at * out.cols() + 4));
                },
                None if row + at < out.rows() && column < out.cols() => {
                    let mut columns = [0.0; TILE_COLUMNS];
                    s.store_slice(first, &mut columns);
                    s.store_slice(last, &mut columns[4..]);
                    // SAFETY: these columns of the row are written here alone, by `# Safety`.
                    unsafe { out.write(row + at, column, &columns[..TILE_COLUMNS.min(out.cols() - column)]) };
                }
                None => {}
            }
        }
    }
}
