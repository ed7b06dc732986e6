//! Many rows of activations times K-quants, two sub-blocks at a time.
//!
//! Columns of both sub-blocks take turns, two of each: of the two sums of 16 bits that products become in a lane, one is the first
//! sub-block's and one the second's, and an instruction multiplies both with multipliers of their own and adds them. All products
//! of a sub-block fit into 16 bits unless its activations are large throughout ([`Largest::fits`]); then sums are multiplied and
//! added for each quarter.
//!
//! [`Largest::fits`]: super::interleaved::Largest::fits

use std::arch::x86_64::*;
use std::marker::PhantomData;
use std::mem::MaybeUninit;
use std::ops::Range;

use super::interleaved::{self, INTERLEAVING, MOST_ROWS, ROW_OF_PAIR, tiles};
use super::k_quant_tile::{self, Tile};
use crate::activations::{Activations, RowPointers};
use crate::blocks::QK_K;
use crate::matmul::arithmetic::{add_block, scaled_mins};
use crate::matmul::depth_block::{self, DEPTH_BLOCK, DepthBlock, Next, Unpack};
use crate::matmul::float::Rows;
use crate::matmul::gemm::add_offset;
use crate::matmul::{Arithmetic, BlockPointer, Output, PanelFormat};
use crate::packed::layout::SUB_BLOCK;
use crate::packed::{PANEL_ROWS, PackedMatrix};
use crate::simd::Simd;
use crate::simd::x86::Avx2;

/// Vectors of rows of weights in a tile.
const VECTORS: usize = 2;
/// Rows of weights in a tile.
const TILE_ROWS: usize = VECTORS * Avx2::LANES;
/// Tiles side by side in a panel.
const TILES: usize = PANEL_ROWS / TILE_ROWS;

/// Columns of a pair of sub-blocks.
pub(super) const PAIR_COLUMNS: usize = 2 * SUB_BLOCK;
/// Pairs in a block.
pub(super) const PAIRS: usize = QK_K / PAIR_COLUMNS;
/// Two columns of each of a pair's sub-blocks.
pub(super) const GROUPS: usize = PAIR_COLUMNS / 4;

/// Bytes of a number of 32 bits for each of a tile's rows of weights.
pub(super) const NUMBERS: usize = 4 * TILE_ROWS;
/// Bytes of a pair's codes, `[group][row][4]`.
pub(super) const CODES: usize = GROUPS * NUMBERS;
/// Bytes of a pair: its codes, then `[row][2]` the multipliers of both sub-blocks, or of their first halves and of their second ones.
pub(super) const PAIR: usize = CODES + 2 * NUMBERS;
/// Bytes of a block: its pairs, then `[row]` its scales, those of its minimums, and the minimums of even sub-blocks and of odd ones.
const BLOCK: usize = PAIRS * PAIR + 4 * NUMBERS;
/// Blocks in a depth block.
const BLOCKS: usize = DEPTH_BLOCK * SUB_BLOCK / QK_K;

/// A depth block of a panel, `[tile][block]`, to be multiplied with activations.
#[repr(C, align(64))]
struct Pairs<'a, A> {
    s: Avx2,
    bytes: MaybeUninit<[u8; TILES * BLOCKS * BLOCK]>,
    x: &'a Activations,
    interleaved: &'a [u8],
    arithmetic: PhantomData<A>,
}

/// The columns of `panels` of the product of `x` with `weights`.
///
/// # Safety
/// `unpack` is [`unpack`] of such weights, sizes fit together as [`crate::Kernels::matmul`] checks, and nobody else writes those columns.
#[inline(always)]
pub(super) unsafe fn matmul<A: Arithmetic>(
    s: Avx2,
    weights: &PackedMatrix<'_>,
    x: &Activations,
    panels: Range<usize>,
    out: &Output<'_>,
    unpack: Unpack,
) {
    let interleaved = x.interleaved(INTERLEAVING);
    let mut depth_block = Pairs::<A> { s, bytes: MaybeUninit::uninit(), x, interleaved, arithmetic: PhantomData };
    // SAFETY: `unpack` fits the weights, sizes fit, and these columns are written here alone, by `# Safety`; `Pairs` has room for what
    // `unpack` makes of a depth block.
    unsafe { depth_block::matmul(&mut depth_block, weights, x.rows(), panels, out, unpack) };
}

impl<A: Arithmetic> DepthBlock for Pairs<'_, A> {
    fn start(&mut self) -> *mut u8 {
        self.bytes.as_mut_ptr().cast()
    }

    #[inline(always)]
    unsafe fn multiply(&self, subs: Range<usize>, rows: Range<usize>, sums: Rows<*mut f32>, next: Next) {
        let blocks = subs.start * SUB_BLOCK / QK_K..subs.end * SUB_BLOCK / QK_K;
        for tile in tiles(rows.clone()) {
            let done = tile.start - rows.start;
            // SAFETY: the blocks are unpacked, the activations have their columns, and `sums` has all of the rows, by `# Safety`.
            unsafe {
                let sums = Rows { start: sums.start.add(done * sums.stride), ..sums };
                match tile.len() {
                    MOST_ROWS => self.tile::<MOST_ROWS>(&blocks, tile.start, sums),
                    3 => self.tile::<3>(&blocks, tile.start, sums),
                    2 => self.tile::<2>(&blocks, tile.start, sums),
                    _ => self.tile::<1>(&blocks, tile.start, sums),
                }
            }
            next.ask_for(self.s, done..done + tile.len());
        }
    }
}

impl<A: Arithmetic> Pairs<'_, A> {
    /// `T` rows of activations from `row` on.
    ///
    /// # Safety
    /// `blocks` are unpacked, the activations have their columns, and there are sums of `T` rows.
    #[inline(always)]
    unsafe fn tile<const T: usize>(&self, blocks: &Range<usize>, row: usize, sums: Rows<*mut f32>) {
        let s = self.s;
        let rows: [RowPointers<'_>; T] = std::array::from_fn(|t| self.x.row(row + t));
        for tile in 0..TILES {
            let sums_at = |t: usize, v: usize| {
                // SAFETY: `sums` has a panel's numbers for each of the rows, by `# Safety`, of which the vector is some.
                unsafe { sums.start.add(t * sums.stride + tile * TILE_ROWS + v * Avx2::LANES) }
            };
            let mut sums: [[__m256; VECTORS]; T] = match blocks.start {
                0 => [[s.splat(0.0); VECTORS]; T],
                // SAFETY: the depth block before left sums there.
                _ => std::array::from_fn(|t| std::array::from_fn(|v| unsafe { s.load(sums_at(t, v)) })),
            };
            for block in blocks.clone() {
                let (x, largest) = interleaved::pairs(self.interleaved, row, T, block, self.x.cols() / QK_K);
                let mut dots = [[s.splat_int(0); VECTORS]; T];
                // SAFETY: the blocks are unpacked, by `# Safety`, each tile's `BLOCKS` blocks apart; `x` is a slice with all pairs of
                // such a block, which is a group of activations; `dots` has integers for all of the tile.
                unsafe {
                    let weights = self.bytes.as_ptr().cast::<u8>().add((tile * BLOCKS + block - blocks.start) * BLOCK);
                    if T == MOST_ROWS {
                        let tile = Tile::new(weights, x.as_ptr().cast(), dots.as_mut_ptr().cast());
                        k_quant_tile::add_multiples::<A>(s, tile, largest.fits::<A>());
                    } else {
                        add_multiples::<A, T>(s, weights, x, &mut dots);
                    }
                    let rows = rows.map(|row| row.at(block * QK_K));
                    end_block::<A, T>(s, weights.add(PAIRS * PAIR), &rows, &dots, &mut sums);
                }
            }
            for (t, sums) in sums.into_iter().enumerate() {
                for (v, sums) in sums.into_iter().enumerate() {
                    // SAFETY: there is room for the vector.
                    unsafe { s.store(sums, sums_at(t, v)) };
                }
            }
        }
    }
}

/// Unpacks `subs` sub-blocks, whole blocks from `block` on.
///
/// # Safety
/// There are as many, and room for a [`Pairs`]' bytes.
#[inline(always)]
pub(super) unsafe fn unpack<F: PanelFormat>(s: Avx2, block: *const u8, subs: usize, depth_block: *mut u8) {
    for index in 0..subs / F::SUB_BLOCKS {
        for vector in 0..PANEL_ROWS / Avx2::LANES {
            let to = (vector / VECTORS * BLOCKS + index) * BLOCK + vector % VECTORS * 4 * Avx2::LANES;
            // SAFETY: there are `subs` sub-blocks at `block`, in whole blocks, and room for as many unpacked ones, by `# Safety`: this
            // is a vector of the rows of one.
            unsafe {
                unpack_block(s, BlockPointer::<F>::new(block.add(index * F::BLOCK)), vector, depth_block.add(to))
            };
        }
    }
}

/// Unpacks a vector of a block's rows.
///
/// # Safety
/// There is room for this vector of all that a block has.
#[inline(always)]
unsafe fn unpack_block<F: PanelFormat>(s: Avx2, block: BlockPointer<'_, F>, vector: usize, to: *mut u8) {
    let header = F::header(s, block, vector);
    for pair in 0..PAIRS {
        let subs = [2 * pair, 2 * pair + 1];
        // SAFETY: there is room for a block, by `# Safety`, which has `PAIRS` pairs.
        let to = unsafe { to.add(pair * PAIR) };
        for two in 0..4 {
            let codes = |sub| {
                let (a, b) = F::codes(s, block, block.planes(sub), vector, two);
                (add_offset::<Avx2, F>(s, a), add_offset::<Avx2, F>(s, b))
            };
            let [(a, c), (b, d)] = subs.map(codes);
            for (group, (a, b)) in [(a, b), (c, d)].into_iter().enumerate() {
                // SAFETY: a pair has `GROUPS` groups of codes, of which these are two.
                unsafe {
                    let to = to.add((4 * two + 2 * group) * NUMBERS);
                    s.store_int(low_halves(s, a, b), to);
                    s.store_int(high_halves(s, a, b), to.add(NUMBERS));
                }
            }
        }
        for half in 0..F::SCALES {
            let [a, b] = subs.map(|sub| F::multiplier(s, &header, block, sub, half, vector));
            // SAFETY: after its codes, a pair has room for multipliers of both halves.
            unsafe { s.store_int(low_halves(s, a, b), to.add(CODES + half * NUMBERS)) };
        }
    }
    // SAFETY: after its pairs, a block has room for four numbers of each row.
    unsafe {
        let to = to.add(PAIRS * PAIR);
        s.store(F::scale(s, block, vector), to.cast());
        if F::HAS_MIN {
            let [even, odd] = F::mins(s, &header);
            s.store(F::min_scale(s, block, vector), to.add(NUMBERS).cast());
            s.store_int(even, to.add(2 * NUMBERS));
            s.store_int(odd, to.add(3 * NUMBERS));
        }
    }
}

/// The low 16 bits of each lane of `a`, and above them those of `b`.
#[inline(always)]
fn low_halves(_: Avx2, a: __m256i, b: __m256i) -> __m256i {
    // SAFETY: an `Avx2` exists only where the CPU has its instructions.
    unsafe { _mm256_blend_epi16::<0xaa>(a, _mm256_slli_epi32::<16>(b)) }
}

/// The high 16 bits of each lane of `a`, and above them those of `b`.
#[inline(always)]
fn high_halves(_: Avx2, a: __m256i, b: __m256i) -> __m256i {
    // SAFETY: an `Avx2` exists only where the CPU has its instructions.
    unsafe { _mm256_blend_epi16::<0xaa>(_mm256_srli_epi32::<16>(a), b) }
}

/// [`k_quant_tile::add_multiples`] for any number of rows: adds the dot products of a block's sub-blocks, times their multipliers.
///
/// # Safety
/// A block is unpacked at `weights`.
#[inline(always)]
unsafe fn add_multiples<A: Arithmetic, const T: usize>(
    s: Avx2,
    weights: *const u8,
    x: &[[u8; 4]],
    sums: &mut [[__m256i; VECTORS]; T],
) {
    /// Groups, with two columns of a sub-block each, whose products fit into 16 bits whatever the activations are.
    const QUARTER: usize = GROUPS / 4;
    const {
        let largest = if A::OFFSET == 0 { A::LARGEST_CODE } else { A::OFFSET as usize };
        assert!(!A::HAS_MULTIPLIERS || A::SIGNED || 2 * QUARTER * largest * 127 <= i16::MAX as usize);
    }
    for (pair, x) in x.chunks_exact(T * ROW_OF_PAIR / 4).enumerate() {
        for quarter in 0..4 {
            let mut dots = [[s.splat_int(0); VECTORS]; T];
            for group in quarter * QUARTER..(quarter + 1) * QUARTER {
                // SAFETY: a block is unpacked at `weights`, by `# Safety`, with `PAIRS` pairs, as many as `x` has, of `GROUPS` groups.
                let codes = unsafe { vectors(s, weights.add(pair * PAIR + group * NUMBERS)) };
                for (t, dots) in dots.iter_mut().enumerate() {
                    add_group::<A>(s, codes, i32::from_le_bytes(x[group * T + t]), dots);
                }
            }
            let at = pair * PAIR + CODES + quarter / 2 * (A::SCALES - 1) * NUMBERS;
            // SAFETY: multipliers of a pair, of both of its halves where there are such, follow its codes.
            let multipliers = unsafe { vectors(s, weights.add(at)) };
            for (dots, sums) in dots.into_iter().zip(sums.iter_mut()) {
                for v in 0..VECTORS {
                    // SAFETY: an `Avx2` exists only where the CPU has its instructions.
                    sums[v] = unsafe { _mm256_add_epi32(sums[v], _mm256_madd_epi16(dots[v], multipliers[v])) };
                }
            }
        }
    }
}

/// A number, or four codes, for each of a tile's rows of weights.
///
/// # Safety
/// They can be read.
#[inline(always)]
unsafe fn vectors(s: Avx2, from: *const u8) -> [__m256i; VECTORS] {
    // SAFETY: they can be read, by `# Safety`.
    std::array::from_fn(|v| unsafe { s.load_int(from.add(v * 4 * Avx2::LANES)) })
}

/// Adds the products of a group.
#[inline(always)]
fn add_group<A: Arithmetic>(_: Avx2, codes: [__m256i; VECTORS], x: i32, dots: &mut [__m256i; VECTORS]) {
    // SAFETY: an `Avx2` exists only where the CPU has its instructions.
    unsafe {
        let x = _mm256_set1_epi32(x);
        let too_much = _mm256_maddubs_epi16(_mm256_set1_epi8(A::OFFSET as i8), x);
        for (dots, codes) in dots.iter_mut().zip(codes) {
            let products = _mm256_maddubs_epi16(codes, x);
            let products = if A::OFFSET == 0 { products } else { _mm256_sub_epi16(products, too_much) };
            *dots = _mm256_add_epi16(*dots, products);
        }
    }
}

/// Adds a block's dot products less its minimums, with its scales, which are at `numbers`.
///
/// # Safety
/// So they are, and the rows are at the beginning of a group of 256.
#[inline(always)]
unsafe fn end_block<A: Arithmetic, const T: usize>(
    s: Avx2,
    numbers: *const u8,
    rows: &[RowPointers<'_>; T],
    dots: &[[__m256i; VECTORS]; T],
    sums: &mut [[__m256; VECTORS]; T],
) {
    for v in 0..VECTORS {
        // SAFETY: the block's numbers can be read, by `# Safety`, minimums and their scales among them where `A` has such.
        let (scale, mins, min_scale) = unsafe {
            let numbers = |index: usize| numbers.add(index * NUMBERS + v * 4 * Avx2::LANES);
            let scale = s.load(numbers(0).cast());
            match A::HAS_MIN {
                true => (scale, [s.load_int(numbers(2)), s.load_int(numbers(3))], s.load(numbers(1).cast())),
                // There is nothing to load.
                false => (scale, [s.splat_int(0); 2], scale),
            }
        };
        for ((row, dots), sums) in rows.iter().zip(dots).zip(sums.iter_mut()) {
            // SAFETY: the row is at the beginning of a group of 256, by `# Safety`.
            let mins = unsafe { scaled_mins::<Avx2, A>(s, mins, min_scale, *row) };
            sums[v] = add_block::<Avx2, A>(s, sums[v], dots[v], scale, mins, s.splat(row.scale()));
        }
    }
}
