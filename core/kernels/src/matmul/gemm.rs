//! GEMM: many rows of activations times a depth block of a panel, which is unpacked once for all of them.

// Indices that run over several arrays at once.
#![allow(clippy::needless_range_loop)]

use std::marker::PhantomData;
use std::mem::MaybeUninit;
use std::ops::Range;

use super::arithmetic::{
    add_block, add_multiple, add_scaled, block_correction, correction, dot, has_two_parts, min_factor, offset,
    scaled_mins,
};
use super::depth_block::{self, DEPTH_BLOCK, DepthBlock, Next, Unpack};
use super::float::Rows;
use super::{Arithmetic, BlockPointer, MatMul, Output, PanelFormat};
use crate::activations::{Activations, RowPointers};
use crate::packed::layout::{PLANE, SUB_BLOCK};
use crate::packed::{PANEL_ROWS, PackedMatrix};
use crate::simd::Simd;

/// An unpacked sub-block: codes `[group][row][4]`, up to two scales, or factors of its dot products, `[half][row]`, then minimums that
/// belong to scales, or what a block has once, `[row]`: each of its first sub-blocks has one of [`BLOCK_SCALE`] and those below. All
/// numbers have 32 bits: of each vector of rows, everything lies equally far from where a group or numbers begin.
pub(super) const SCALES: usize = 8 * PLANE;
const BLOCK_NUMBERS: usize = SCALES + 2 * PLANE;
pub(super) const EXPANDED: usize = BLOCK_NUMBERS + PLANE;
const _: () = assert!(PLANE == PANEL_ROWS * size_of::<f32>());

/// Bytes of an unpacked sub-block: where there are two scales and two minimums, one number more.
const fn expanded<A: Arithmetic>() -> usize {
    let has_four_numbers = A::HAS_MIN && !A::HAS_MULTIPLIERS && A::SCALES == 2;
    EXPANDED + has_four_numbers as usize * PLANE
}

/// Where a block's scales are, those of its minimums, and the minimums of its even sub-blocks and of its odd ones.
const BLOCK_SCALE: usize = BLOCK_NUMBERS;
const MIN_SCALE: usize = BLOCK_SCALE + EXPANDED;
const EVEN_MINS: usize = MIN_SCALE + EXPANDED;
const ODD_MINS: usize = EVEN_MINS + EXPANDED;

/// A depth block of a panel, `[sub-block]`, to be multiplied with activations. Vectors in it do not straddle cache lines.
#[repr(C, align(64))]
struct Expanded<'a, S, A> {
    s: S,
    bytes: MaybeUninit<[u8; DEPTH_BLOCK * (EXPANDED + PLANE)]>,
    x: &'a Activations,
    arithmetic: PhantomData<A>,
}

/// An unpacked sub-block from one of its vectors of rows on, all of which can be read: a pointer, so that reading costs no checks.
#[derive(Clone, Copy)]
pub(crate) struct UnpackedPointer<'a, A> {
    start: *const u8,
    lives: PhantomData<(&'a [u8], A)>,
}

impl<A: Arithmetic> UnpackedPointer<'_, A> {
    /// The vectors of a sub-block from `start` on.
    ///
    /// # Safety
    /// They are unpacked there, and those of all sub-blocks of their block; and stay so for as long as this is used.
    #[inline(always)]
    unsafe fn new(start: *const u8) -> Self {
        Self { start, lives: PhantomData }
    }

    /// The same vectors of the sub-block that follows `subs` sub-blocks later.
    ///
    /// # Safety
    /// There is one.
    #[inline(always)]
    unsafe fn at(self, subs: usize) -> Self {
        // SAFETY: such a sub-block follows in the depth block, by `# Safety`, where sub-blocks are `expanded` bytes apart.
        unsafe { Self { start: self.start.add(subs * expanded::<A>()), ..self } }
    }

    /// Where they begin.
    #[inline(always)]
    #[cfg_attr(not(target_arch = "x86_64"), allow(dead_code))]
    pub(super) fn start(self) -> *const u8 {
        self.start
    }

    /// Vector `v` of the codes or the integers at `offset`.
    #[inline(always)]
    fn words<S: Simd>(self, s: S, offset: usize, v: usize) -> S::Int {
        debug_assert!(offset + (v + 1) * 4 * S::LANES <= A::SPAN * expanded::<A>(), "numbers of the block");
        // SAFETY: the sub-block is unpacked, and others of its block that the offset reaches, by `# Safety` of `new` and `at`.
        unsafe { s.load_int(self.start.add(offset + v * 4 * S::LANES)) }
    }

    /// Vector `v` of the numbers at `offset`.
    #[inline(always)]
    fn floats<S: Simd>(self, s: S, offset: usize, v: usize) -> S::F32 {
        debug_assert!(offset + (v + 1) * 4 * S::LANES <= A::SPAN * expanded::<A>(), "numbers of the block");
        // SAFETY: as above.
        unsafe { s.load(self.start.add(offset + v * 4 * S::LANES).cast()) }
    }
}

/// The columns of `panels` of the product of `x` with `weights`.
///
/// # Safety
/// `unpack` is the instruction set's [`unpack`] of such weights, sizes fit together as [`crate::Kernels::matmul`] checks, and nobody else writes those columns.
#[inline(always)]
pub(crate) unsafe fn matmul<S: MatMul, A: Arithmetic>(
    s: S,
    weights: &PackedMatrix<'_>,
    x: &Activations,
    panels: Range<usize>,
    out: &Output<'_>,
    unpack: Unpack,
) {
    let mut depth_block = Expanded::<S, A> { s, bytes: MaybeUninit::uninit(), x, arithmetic: PhantomData };
    // SAFETY: `unpack` fits the weights, sizes fit, and these columns are written here alone, by `# Safety`; `Expanded` has room for
    // what `unpack` makes of a depth block: `expanded` bytes for each sub-block.
    unsafe { depth_block::matmul(&mut depth_block, weights, x.rows(), panels, out, unpack) };
}

impl<S: MatMul, A: Arithmetic> DepthBlock for Expanded<'_, S, A> {
    fn start(&mut self) -> *mut u8 {
        self.bytes.as_mut_ptr().cast()
    }

    #[inline(always)]
    unsafe fn multiply(&self, subs: Range<usize>, rows: Range<usize>, sums: Rows<*mut f32>, next: Next) {
        let mut row = rows.start;
        while row < rows.end {
            let done = row - rows.start;
            // SAFETY: the depth block is unpacked, the activations have its columns, and `sums` has all of the rows, by `# Safety`; no
            // tile has more rows than are left.
            let multiplied = unsafe {
                let sums = Rows { start: sums.start.add(done * sums.stride), ..sums };
                // The largest tiles, then smaller ones for what is left.
                match (S::largest_tile::<A>(), rows.end - row) {
                    ((6, 2), 6..) => self.tile::<6, 2>(&subs, row, sums),
                    ((4, 2), 4..) => self.tile::<4, 2>(&subs, row, sums),
                    ((3, 4), 3..) => self.tile::<3, 4>(&subs, row, sums),
                    (_, 3..) => self.tile::<3, 2>(&subs, row, sums),
                    _ => self.tile::<1, 2>(&subs, row, sums),
                }
            };
            next.ask_for(self.s, done..done + multiplied);
            row += multiplied;
        }
    }
}

impl<S: MatMul, A: Arithmetic> Expanded<'_, S, A> {
    /// `T` rows of activations from `row` on, with `V` vectors of the depth block at a time; returns how many rows that were.
    ///
    /// # Safety
    /// Sub-blocks `subs` are unpacked, the activations have their columns, and there are sums of `T` rows.
    #[inline(always)]
    unsafe fn tile<const T: usize, const V: usize>(
        &self,
        subs: &Range<usize>,
        row: usize,
        sums: Rows<*mut f32>,
    ) -> usize {
        let s = self.s;
        // SAFETY: the activations have the columns of `subs`, by `# Safety`.
        let rows: [RowPointers<'_>; T] =
            std::array::from_fn(|t| unsafe { self.x.row(row + t).at(subs.start * SUB_BLOCK) });
        for first in (0..PANEL_ROWS / S::LANES).step_by(V) {
            // SAFETY: `sums` has a panel's numbers for each of the rows, by `# Safety`, of which the vector is some.
            let sums_at = |t: usize, v: usize| unsafe { sums.start.add(t * sums.stride + (first + v) * S::LANES) };
            let mut sums: [[S::F32; V]; T] = match subs.start {
                0 => [[s.splat(0.0); V]; T],
                // SAFETY: the depth block before left sums there.
                _ => std::array::from_fn(|t| std::array::from_fn(|v| unsafe { s.load(sums_at(t, v)) })),
            };
            // SAFETY: `subs` are unpacked from the first of `bytes` on, by `# Safety`; `first` is one of the vectors of the first of
            // them.
            unsafe {
                let weights = UnpackedPointer::new(self.bytes.as_ptr().cast::<u8>().add(first * 4 * S::LANES));
                s.add_sub_blocks::<A, T, V>(subs.len(), weights, &rows, &mut sums);
            }
            for (t, sums) in sums.iter().enumerate() {
                for (v, sums) in sums.iter().enumerate() {
                    // SAFETY: there is room for the vector.
                    unsafe { s.store(*sums, sums_at(t, v)) };
                }
            }
        }
        T
    }
}

/// Unpacks `subs` sub-blocks, whole blocks from `block` on.
///
/// # Safety
/// There are as many, and room for them.
#[inline(always)]
pub(super) unsafe fn unpack<S: MatMul, F: PanelFormat>(s: S, block: *const u8, subs: usize, depth_block: *mut u8) {
    for index in 0..subs / F::SUB_BLOCKS {
        for vector in 0..PANEL_ROWS / S::LANES {
            let to = index * F::SUB_BLOCKS * expanded::<F::Unpacked<S>>() + vector * 4 * S::LANES;
            // SAFETY: there are `subs` sub-blocks at `block`, and room for as many unpacked ones, by `# Safety`: these are a block of
            // them, and one vector of its rows.
            unsafe {
                unpack_block(s, BlockPointer::<F>::new(block.add(index * F::BLOCK)), vector, depth_block.add(to))
            };
        }
    }
}

/// Unpacks a vector of a block's rows.
///
/// # Safety
/// There is room for these vectors of the block's sub-blocks.
#[inline(always)]
unsafe fn unpack_block<S: MatMul, F: PanelFormat>(s: S, block: BlockPointer<'_, F>, vector: usize, to: *mut u8) {
    let header = F::header(s, block, vector);
    for sub in 0..F::SUB_BLOCKS {
        let planes = block.planes(sub);
        // SAFETY: the sub-block is one of the block's.
        let to = unsafe { to.add(sub * expanded::<F::Unpacked<S>>()) };
        let multiplier = |half| F::multiplier(s, &header, block, sub, half, vector);
        for pair in 0..4 {
            let (a, b) = F::codes(s, block, planes, vector, pair);
            let (a, b) = match <F::Unpacked<S>>::IS_MULTIPLIED {
                true => {
                    let factor = minus_byte(s, multiplier(pair / 2));
                    (multiplied::<S, F>(s, a, factor), multiplied::<S, F>(s, b, factor))
                }
                false => (add_offset::<S, F>(s, a), add_offset::<S, F>(s, b)),
            };
            // SAFETY: an unpacked sub-block begins with eight planes of codes.
            unsafe {
                s.store_int(a, to.add(2 * pair * PLANE));
                s.store_int(b, to.add((2 * pair + 1) * PLANE));
            }
        }
        for half in 0..if <F::Unpacked<S>>::IS_MULTIPLIED { 0 } else { F::SCALES } {
            // SAFETY: behind them there is room for scales and minimums of both halves, if there are such.
            let to = unsafe { to.add(SCALES + half * PLANE) };
            if F::HAS_MULTIPLIERS {
                // SAFETY: as above.
                unsafe { s.store_int(s.factor(multiplier(half)), to) };
                continue;
            }
            if !F::SCALES_ARE_1 {
                // SAFETY: as above.
                unsafe { s.store(F::part_scale(s, &header, block, sub, half, vector), to.cast()) };
            }
            if <F::Unpacked<S>>::HAS_MIN {
                let min = F::part_min(s, &header, block, sub, half, vector);
                // SAFETY: as above.
                unsafe { s.store(min, to.add(F::SCALES * PLANE).cast()) };
            }
        }
    }
    if F::HAS_MULTIPLIERS {
        let sign = if <F::Unpacked<S>>::IS_MULTIPLIED { -1.0 } else { 1.0 };
        let scale = s.mul(F::scale(s, block, vector), s.splat(sign));
        // SAFETY: each of the block's sub-blocks has room for one number more.
        unsafe { s.store(scale, to.add(BLOCK_SCALE).cast()) };
        if F::HAS_MIN {
            let [even, odd] = F::mins(s, &header);
            // SAFETY: as above.
            unsafe {
                s.store(F::min_scale(s, block, vector), to.add(MIN_SCALE).cast());
                s.store_int(even, to.add(EVEN_MINS));
                s.store_int(odd, to.add(ODD_MINS));
            }
        }
    }
}

/// What is to be taken from each code of a depth block: where it is not zero, what the instruction set adds to signed ones, so that
/// [`correction`] needs no arithmetic.
const fn unpacked_offset<S: Simd, A: Arithmetic>() -> i32 {
    match offset::<S, A>() {
        0 => 0,
        offset if S::SIGNED_OFFSET == 0 => offset,
        _ => S::SIGNED_OFFSET,
    }
}

/// Adds to codes what makes their offset [`unpacked_offset`], as what they are unpacked to. No byte overflows, but where codes become signed.
#[inline(always)]
pub(super) fn add_offset<S: MatMul, F: PanelFormat>(s: S, codes: S::Int) -> S::Int {
    match unpacked_offset::<S, F::Unpacked<S>>() - offset::<S, F>() {
        0 => codes,
        more @ 1.. => s.add_int(codes, s.splat_int(more.wrapping_mul(0x0101_0101))),
        less => s.sub_bytes(codes, -less as u8),
    }
}

/// Minus the low byte of each lane, in all of its bytes.
#[inline(always)]
fn minus_byte<S: Simd>(s: S, x: S::Int) -> S::Int {
    let minus = s.mul_add_int(x, s.splat_int(-1), s.splat_int(0));
    s.mul_add_int(s.and(minus, s.splat_int(0xff)), s.splat_int(0x0101_0101), s.splat_int(0))
}

/// Codes times minus their multipliers: of Q3_K from −128, of the code 0 and the multiplier −32, to 124.
#[inline(always)]
fn multiplied<S: Simd, F: PanelFormat>(s: S, codes: S::Int, factor: S::Int) -> S::Int {
    s.signed_operand(s.mul_bytes(s.sub_bytes(codes, F::OFFSET as u8), factor))
}

/// Adds the products of `subs` unpacked sub-blocks, one block at least: of `V` vectors of rows of weights, from
/// `weights` on, with `T` rows of activations that follow each other.
///
/// # Safety
/// Weights and rows have as many sub-blocks, and the rows follow each other.
#[inline(always)]
pub(super) unsafe fn add_sub_blocks<S: MatMul, A: Arithmetic, const T: usize, const V: usize>(
    s: S,
    subs: usize,
    weights: UnpackedPointer<'_, A>,
    rows: &[RowPointers<'_>; T],
    sums: &mut [[S::F32; V]; T],
) {
    for first in (0..subs).step_by(A::SPAN) {
        // SAFETY: weights and rows have `subs` sub-blocks, by `# Safety`, of which this is one, or a block of them.
        let (weights, rows) = unsafe { (weights.at(first), rows.map(|row| row.at(first * SUB_BLOCK))) };
        if !A::HAS_MULTIPLIERS {
            add_sub_block(s, weights, &rows, sums);
            continue;
        }
        // SAFETY: weights and rows have the block, as above. Blocks with minimums are as long as groups of activations.
        unsafe {
            let dots = match A::IS_MULTIPLIED {
                true => block_dots(s, weights, &rows),
                false => s.multiples(weights, &rows),
            };
            end_block(s, weights, &rows, &dots, sums);
        }
    }
}

#[inline(always)]
fn add_sub_block<S: Simd, A: Arithmetic, const T: usize, const V: usize>(
    s: S,
    weights: UnpackedPointer<'_, A>,
    rows: &[RowPointers<'_>; T],
    sums: &mut [[S::F32; V]; T],
) {
    let mut dots = corrections::<S, A, T, V>(s, rows, 0);
    add_half::<S, A, T, V, 0>(s, weights, rows, &mut dots);
    if A::SCALES == 2 {
        add_part::<S, A, T, V>(s, weights, rows, 0, &dots, sums);
        dots = corrections::<S, A, T, V>(s, rows, 1);
    }
    add_half::<S, A, T, V, 1>(s, weights, rows, &mut dots);
    add_part::<S, A, T, V>(s, weights, rows, A::SCALES - 1, &dots, sums);
}

/// What dot products of half `half` of a sub-block, or of all of it, start at.
#[inline(always)]
fn corrections<S: Simd, A: Arithmetic, const T: usize, const V: usize>(
    s: S,
    rows: &[RowPointers<'_>; T],
    half: usize,
) -> [[S::Dots; V]; T] {
    std::array::from_fn(|t| [correction::<S, A>(s, rows[t], half, unpacked_offset::<S, A>()); V])
}

/// Adds the dot products of a part of a sub-block that has a scale, and its minimums.
#[inline(always)]
fn add_part<S: Simd, A: Arithmetic, const T: usize, const V: usize>(
    s: S,
    weights: UnpackedPointer<'_, A>,
    rows: &[RowPointers<'_>; T],
    half: usize,
    dots: &[[S::Dots; V]; T],
    sums: &mut [[S::F32; V]; T],
) {
    for v in 0..V {
        let scale = if A::SCALES_ARE_1 { s.splat(1.0) } else { weights.floats(s, SCALES + half * PLANE, v) };
        for t in 0..T {
            sums[t][v] = add_scaled::<S, A>(s, sums[t][v], dots[t][v], scale, rows[t]);
        }
        if A::HAS_MIN {
            let min = weights.floats(s, SCALES + (A::SCALES + half) * PLANE, v);
            for t in 0..T {
                sums[t][v] = s.fma(min, s.splat(min_factor::<A>(rows[t], half)), sums[t][v]);
            }
        }
    }
}

/// The dot products of a block whose codes have been multiplied.
///
/// # Safety
/// Weights and rows have a block.
#[inline(always)]
unsafe fn block_dots<S: Simd, A: Arithmetic, const T: usize, const V: usize>(
    s: S,
    weights: UnpackedPointer<'_, A>,
    rows: &[RowPointers<'_>; T],
) -> [[S::Int; V]; T] {
    // SAFETY: the row has a block, by `# Safety`.
    let mut dots = rows.map(|row| [unsafe { block_correction::<S, A>(s, row, unpacked_offset::<S, A>()) }; V]);
    for sub in 0..A::SPAN {
        // SAFETY: weights and rows have a block, by `# Safety`, of which this is a sub-block.
        let (weights, rows) = unsafe { (weights.at(sub), rows.map(|row| row.at(sub * SUB_BLOCK))) };
        add_half::<S, A, T, V, 0>(s, weights, &rows, &mut dots);
        add_half::<S, A, T, V, 1>(s, weights, &rows, &mut dots);
    }
    dots.map(|dots| dots.map(|dots| s.total(dots)))
}

/// The dot products of a block's sub-blocks, times their multipliers.
///
/// # Safety
/// Weights and rows have a block, and the rows follow each other.
#[inline(always)]
pub(super) unsafe fn multiples<S: Simd, A: Arithmetic, const T: usize, const V: usize>(
    s: S,
    weights: UnpackedPointer<'_, A>,
    rows: &[RowPointers<'_>; T],
) -> [[S::Int; V]; T] {
    let mut sums = [[s.splat_int(0); V]; T];
    for sub in 0..A::SPAN {
        // SAFETY: weights and rows have a block, by `# Safety`, of which this is a sub-block.
        let (weights, rows) = unsafe { (weights.at(sub), rows.map(|row| row.at(sub * SUB_BLOCK))) };
        let mut dots = corrections::<S, A, T, V>(s, &rows, 0);
        add_half::<S, A, T, V, 0>(s, weights, &rows, &mut dots);
        if has_two_parts::<S, A>() {
            add_dots(s, weights, 0, &dots, &mut sums);
            dots = corrections::<S, A, T, V>(s, &rows, 1);
        }
        add_half::<S, A, T, V, 1>(s, weights, &rows, &mut dots);
        add_dots(s, weights, A::SCALES - 1, &dots, &mut sums);
    }
    sums
}

/// Adds a block's dot products less its minimums, with its scales.
///
/// # Safety
/// Rows are at the beginning of a group of 256 where there are minimums.
#[inline(always)]
unsafe fn end_block<S: Simd, A: Arithmetic, const T: usize, const V: usize>(
    s: S,
    weights: UnpackedPointer<'_, A>,
    rows: &[RowPointers<'_>; T],
    dots: &[[S::Int; V]; T],
    sums: &mut [[S::F32; V]; T],
) {
    for v in 0..V {
        let scale = weights.floats(s, BLOCK_SCALE, v);
        let (mins, min_scale) = match A::HAS_MIN {
            true => ([EVEN_MINS, ODD_MINS].map(|offset| weights.words(s, offset, v)), weights.floats(s, MIN_SCALE, v)),
            // There is nothing to load.
            false => ([s.splat_int(0); 2], scale),
        };
        for t in 0..T {
            // SAFETY: the row is at the beginning of a group of 256, by `# Safety`.
            let mins = unsafe { scaled_mins::<S, A>(s, mins, min_scale, rows[t]) };
            sums[t][v] = add_block::<S, A>(s, sums[t][v], dots[t][v], scale, mins, s.splat(rows[t].scale()));
        }
    }
}

/// Adds the products of half `HALF` of a sub-block's columns.
#[inline(always)]
fn add_half<S: Simd, A: Arithmetic, const T: usize, const V: usize, const HALF: usize>(
    s: S,
    weights: UnpackedPointer<'_, A>,
    rows: &[RowPointers<'_>; T],
    dots: &mut [[S::Dots; V]; T],
) {
    let x: [S::Sixteen; T] = std::array::from_fn(|t| rows[t].half(s, HALF));
    add_group::<S, A, T, V, HALF, 0>(s, weights, &x, dots);
    add_group::<S, A, T, V, HALF, 1>(s, weights, &x, dots);
    add_group::<S, A, T, V, HALF, 2>(s, weights, &x, dots);
    add_group::<S, A, T, V, HALF, 3>(s, weights, &x, dots);
}

#[inline(always)]
fn add_group<S: Simd, A: Arithmetic, const T: usize, const V: usize, const HALF: usize, const GROUP: usize>(
    s: S,
    weights: UnpackedPointer<'_, A>,
    x: &[S::Sixteen; T],
    dots: &mut [[S::Dots; V]; T],
) {
    let codes: [S::Int; V] = std::array::from_fn(|v| weights.words(s, (4 * HALF + GROUP) * PLANE, v));
    for t in 0..T {
        for v in 0..V {
            dots[t][v] = dot::<S, A, GROUP>(s, dots[t][v], HALF, codes[v], x[t]);
        }
    }
}

/// Adds dot products times the factors of half `half`, or of the whole.
#[inline(always)]
fn add_dots<S: Simd, A: Arithmetic, const T: usize, const V: usize>(
    s: S,
    weights: UnpackedPointer<'_, A>,
    half: usize,
    dots: &[[S::Dots; V]; T],
    sums: &mut [[S::Int; V]; T],
) {
    for v in 0..V {
        let factor = weights.words(s, SCALES + half * PLANE, v);
        for t in 0..T {
            sums[t][v] = add_multiple::<S, A>(s, sums[t][v], dots[t][v], factor);
        }
    }
}
