//! Activations as tiles of pairs of sub-blocks read them.

use std::arch::x86_64::*;
use std::ops::Range;

use super::k_quant_gemm::{GROUPS, PAIR_COLUMNS, PAIRS};
use crate::activations::{ActivationRows, GROUP_SUMS, Interleaving, NARROW_CORRECTION};
use crate::blocks::QK_K;
use crate::matmul::Arithmetic;
use crate::packed::layout::SUB_BLOCK;

/// Rows of activations in the largest tile.
pub(super) const MOST_ROWS: usize = 4;

/// Bytes of a row's values in a pair.
pub(super) const VALUES: usize = PAIR_COLUMNS;
/// Bytes of a row in a pair: its values, then what dot products start at where codes are larger than weights by 32, each with a lane
/// for either sub-block: those of the first half and of the second, then those of the first quarter of each half.
pub(super) const ROW_OF_PAIR: usize = VALUES + 4 * 4;

/// Bytes of a row's pairs in a block.
const ROW_OF_PAIRS: usize = PAIRS * ROW_OF_PAIR;
/// Bytes of a row in a block: its pairs, and room for [`Largest`].
const ROW_OF_BLOCK: usize = ROW_OF_PAIRS + 2 * 4;

/// `[tile][block]`. A block is `[pair]`, in which a tile's rows take turns, `[group][row]`, then `[correction][row]`; then two integers,
/// the block's [`Largest`].
pub(super) const INTERLEAVING: Interleaving = Interleaving::new("avx2", MOST_ROWS, ROW_OF_BLOCK / GROUP_SUMS, QK_K);
const _: () = assert!(ROW_OF_BLOCK.is_multiple_of(GROUP_SUMS));

/// How large the dot products of a tile's block may become: the largest, of all its rows.
#[derive(Clone, Copy, Default)]
pub(super) struct Largest {
    /// Sum of a sub-block's positive values, or minus that of its negative ones.
    of_one_sign: i32,
    /// Sum of magnitudes in half a sub-block.
    of_half: i32,
}

impl Largest {
    /// Whether the dot products of the parts of a sub-block that have a multiplier fit into 16 bits.
    pub(super) fn fits<A: Arithmetic>(self) -> bool {
        let most = match A::OFFSET {
            0 => A::LARGEST_CODE as i32 * self.of_one_sign,
            offset => offset * self.of_half,
        };
        most <= i32::from(i16::MAX)
    }

    /// # Safety
    /// The CPU has AVX2.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn add(&mut self, sub_block: &[i8; SUB_BLOCK]) {
        let halves = halves(sub_block);
        let magnitudes = halves.map(|values| sum(_mm_abs_epi8(values)));
        let positive: i32 = halves.map(|values| sum(_mm_max_epi8(values, _mm_setzero_si128()))).iter().sum();
        let negative = magnitudes[0] + magnitudes[1] - positive;
        self.of_one_sign = self.of_one_sign.max(positive).max(negative);
        self.of_half = self.of_half.max(magnitudes[0]).max(magnitudes[1]);
    }
}

fn halves(sub_block: &[i8; SUB_BLOCK]) -> [__m128i; 2] {
    let (first, second) = sub_block.split_at(SUB_BLOCK / 2);
    // SAFETY: each half has sixteen bytes.
    [first, second].map(|half| unsafe { _mm_loadu_si128(half.as_ptr().cast()) })
}

/// Of sixteen unsigned bytes.
///
/// # Safety
/// The CPU has AVX2.
#[inline]
#[target_feature(enable = "avx2")]
fn sum(bytes: __m128i) -> i32 {
    let halves = _mm_sad_epu8(bytes, _mm_setzero_si128());
    _mm_cvtsi128_si32(halves) + _mm_extract_epi32::<2>(halves)
}

/// Tiles of rows: as many large ones as there are, then a smaller one.
pub(super) fn tiles(rows: Range<usize>) -> impl Iterator<Item = Range<usize>> {
    let end = rows.end;
    rows.step_by(MOST_ROWS).map(move |first| first..end.min(first + MOST_ROWS))
}

/// Interleaves rows as [`INTERLEAVING`] says.
///
/// # Safety
/// The CPU has AVX2.
///
/// # Panics
/// When there is no room for them.
#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn interleave(rows: &mut ActivationRows<'_>) {
    let (cols, values) = (rows.cols, &*rows.values);
    let mut rest = rows.interleaved.as_chunks_mut::<4>().0;
    for tile in tiles(0..values.len() / cols) {
        for block in 0..cols / QK_K {
            let (to, behind) = rest.split_at_mut(tile.len() * ROW_OF_BLOCK / 4);
            rest = behind;
            let (pairs, end) = to.split_at_mut(tile.len() * ROW_OF_PAIRS / 4);
            let mut largest = Largest::default();
            for (pair, to) in pairs.chunks_exact_mut(tile.len() * ROW_OF_PAIR / 4).enumerate() {
                for (index, row) in tile.clone().enumerate() {
                    let subs = values[row * cols..][..cols].as_chunks::<SUB_BLOCK>().0;
                    let first = 2 * (block * PAIRS + pair);
                    let subs = [&subs[first], &subs[first + 1]];
                    interleave_pair(subs, &mut to[index..], tile.len());
                    subs.into_iter().for_each(|sub_block| largest.add(sub_block));
                }
            }
            end[0] = largest.of_one_sign.to_le_bytes();
            end[1] = largest.of_half.to_le_bytes();
        }
    }
}

/// The pairs of block `block` of a tile of `rows` rows, from `row` on, of interleaved activations that have `blocks`.
#[inline(always)]
pub(super) fn pairs(interleaved: &[u8], row: usize, rows: usize, block: usize, blocks: usize) -> (&[[u8; 4]], Largest) {
    let at = (row * blocks + rows * block) * ROW_OF_BLOCK;
    let fours = interleaved[at..][..rows * ROW_OF_BLOCK].as_chunks().0;
    let (pairs, end) = fours.split_at(rows * ROW_OF_PAIRS / 4);
    let [of_one_sign, of_half] = [end[0], end[1]].map(i32::from_le_bytes);
    (pairs, Largest { of_one_sign, of_half })
}

/// Interleaves a row of a pair, `rows` apart.
///
/// # Safety
/// The CPU has AVX2.
#[inline]
#[target_feature(enable = "avx2")]
fn interleave_pair(subs: [&[i8; SUB_BLOCK]; 2], to: &mut [[u8; 4]], rows: usize) {
    let [a, b] = subs.map(halves);
    for half in 0..2 {
        let quarters = [_mm_unpacklo_epi16(a[half], b[half]), _mm_unpackhi_epi16(a[half], b[half])];
        for (quarter, groups) in quarters.into_iter().enumerate() {
            let to = &mut to[(8 * half + 4 * quarter) * rows..];
            to[0] = _mm_cvtsi128_si32(groups).to_le_bytes();
            to[rows] = _mm_extract_epi32::<1>(groups).to_le_bytes();
            to[2 * rows] = _mm_extract_epi32::<2>(groups).to_le_bytes();
            to[3 * rows] = _mm_extract_epi32::<3>(groups).to_le_bytes();
        }
        let [first, second] = quarters.map(|groups| correction(groups));
        let to = &mut to[GROUPS * rows..];
        to[half * rows] = _mm_cvtsi128_si32(_mm_add_epi16(first, second)).to_le_bytes();
        to[(2 + half) * rows] = _mm_cvtsi128_si32(first).to_le_bytes();
    }
}

/// What the sums of a quarter start at, in each lane of 32 bits.
///
/// # Safety
/// The CPU has AVX2.
#[inline]
#[target_feature(enable = "avx2")]
fn correction(groups: __m128i) -> __m128i {
    let products = _mm_maddubs_epi16(_mm_set1_epi8(-NARROW_CORRECTION as i8), groups);
    let pairs = _mm_add_epi16(products, _mm_shuffle_epi32::<0b01_00_11_10>(products));
    let all = _mm_add_epi16(pairs, _mm_shuffle_epi32::<0b10_11_00_01>(pairs));
    _mm_sub_epi16(_mm_setzero_si128(), all)
}
