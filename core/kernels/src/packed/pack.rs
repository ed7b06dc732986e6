use half::f16;

use super::layout::{self, K_SCALES, PANEL_ROWS, PLANE, SECOND_HEADER, SUB_BLOCK};
use super::{PackError, WeightFormat, packed_len};
use crate::blocks::*;
use crate::plain::{Plain, cast_slice};

/// Interleaves the rows of a weight matrix as it lies in a model file.
///
/// `source` holds `rows` rows of `cols` weights, row after row, and `packed` has the [`packed_len`] bytes of the format that `dtype` is
/// packed as ([`DType::packed_as`]). Rows that fill the last panel are zeros. The work can be split at panels: pass the rows of some panels and their part of `packed`.
///
/// # Errors
/// [`PackError`] when sizes do not fit together, `source` is not aligned for its blocks, or a scale of MXFP4 is out of the range of
/// 16-bit floating point.
pub fn pack(dtype: DType, source: &[u8], rows: usize, cols: usize, packed: &mut [u8]) -> Result<(), PackError> {
    let format = dtype.packed_as();
    if !cols.is_multiple_of(dtype.block_len())
        || source.len() != rows * (cols / dtype.block_len()) * dtype.block_bytes()
        || packed.len() != packed_len(format, rows, cols)
    {
        return Err(PackError::Size);
    }
    match dtype {
        DType::F32 => pack_numbers::<4>(source, cols, packed),
        DType::F16 | DType::BF16 => pack_numbers::<2>(source, cols, packed),
        DType::Q4_0 => pack_blocks::<BlockQ4_0>(format, source, cols, packed)?,
        DType::Q4_1 => pack_blocks::<BlockQ4_1>(format, source, cols, packed)?,
        DType::Q5_0 => pack_blocks::<BlockQ5_0>(format, source, cols, packed)?,
        DType::Q5_1 => pack_blocks::<BlockQ5_1>(format, source, cols, packed)?,
        DType::Q8_0 => pack_blocks::<BlockQ8_0>(format, source, cols, packed)?,
        DType::Q2K => pack_blocks::<BlockQ2K>(format, source, cols, packed)?,
        DType::Q3K => pack_blocks::<BlockQ3K>(format, source, cols, packed)?,
        DType::Q4K => pack_blocks::<BlockQ4K>(format, source, cols, packed)?,
        DType::Q5K => pack_blocks::<BlockQ5K>(format, source, cols, packed)?,
        DType::Q6K => pack_blocks::<BlockQ6K>(format, source, cols, packed)?,
        DType::IQ1S => pack_blocks::<BlockIQ1S>(format, source, cols, packed)?,
        DType::IQ1M => pack_blocks::<BlockIQ1M>(format, source, cols, packed)?,
        DType::IQ2XXS => pack_blocks::<BlockIQ2XXS>(format, source, cols, packed)?,
        DType::IQ2XS => pack_blocks::<BlockIQ2XS>(format, source, cols, packed)?,
        DType::IQ2S => pack_blocks::<BlockIQ2S>(format, source, cols, packed)?,
        DType::IQ3XXS => pack_blocks::<BlockIQ3XXS>(format, source, cols, packed)?,
        DType::IQ3S => pack_blocks::<BlockIQ3S>(format, source, cols, packed)?,
        DType::IQ4NL => pack_blocks::<BlockIQ4NL>(format, source, cols, packed)?,
        DType::IQ4XS => pack_blocks::<BlockIQ4XS>(format, source, cols, packed)?,
        DType::TQ1_0 => pack_blocks::<BlockTQ1_0>(format, source, cols, packed)?,
        DType::TQ2_0 => pack_blocks::<BlockTQ2_0>(format, source, cols, packed)?,
        DType::MXFP4 => pack_blocks::<BlockMXFP4>(format, source, cols, packed)?,
    }
    Ok(())
}

/// A panel of plain numbers is the transposed rows: one number from each row, column after column.
fn pack_numbers<const BYTES: usize>(source: &[u8], cols: usize, packed: &mut [u8]) {
    let panels = packed.chunks_exact_mut(PANEL_ROWS * cols * BYTES).zip(source.chunks(PANEL_ROWS * cols * BYTES));
    for (panel, source) in panels {
        panel.fill(0);
        for (row, source) in source.chunks_exact(cols * BYTES).enumerate() {
            let numbers = panel.chunks_exact_mut(PANEL_ROWS * BYTES).zip(source.chunks_exact(BYTES));
            numbers.for_each(|(out, number)| out[row * BYTES..][..BYTES].copy_from_slice(number));
        }
    }
}

/// Packs rows of blocks of the type `B`.
///
/// # Errors
/// When `source` is not aligned for the blocks, or a scale in it does not fit.
fn pack_blocks<B: PackBlock>(
    format: WeightFormat,
    source: &[u8],
    cols: usize,
    packed: &mut [u8],
) -> Result<(), PackError> {
    let blocks: &[B] = cast_slice(source).ok_or(PackError::Alignment)?;
    if !blocks.iter().all(B::fits) {
        return Err(PackError::Scale);
    }
    let blocks_per_row = cols / format.block_len();
    let panels =
        packed.chunks_exact_mut(blocks_per_row * layout::block(format)).zip(blocks.chunks(PANEL_ROWS * blocks_per_row));
    for (panel, blocks) in panels {
        panel.fill(0);
        for (column, packed) in panel.chunks_exact_mut(layout::block(format)).enumerate() {
            for (row, block) in blocks.chunks_exact(blocks_per_row).enumerate() {
                block[column].pack(row, packed);
            }
        }
    }
    Ok(())
}

/// A block of one row that can take its place in a panel's block (zeroed before).
trait PackBlock: Plain {
    fn pack(&self, row: usize, packed: &mut [u8]);

    /// Whether it can be packed without loss.
    fn fits(&self) -> bool {
        true
    }
}

impl PackBlock for BlockQ4_0 {
    fn pack(&self, row: usize, packed: &mut [u8]) {
        put_half(packed, row, self.d.to_bits());
        let codes = std::array::from_fn(|i| if i < 16 { self.qs[i] & 0x0f } else { self.qs[i - 16] >> 4 });
        put_codes(WeightFormat::Q4_0, &mut packed[layout::header(WeightFormat::Q4_0)..], row, &codes);
    }
}

impl PackBlock for BlockQ4_1 {
    fn pack(&self, row: usize, packed: &mut [u8]) {
        put_half(packed, row, self.d.to_bits());
        put_half(&mut packed[SECOND_HEADER..], row, self.m.to_bits());
        put_codes(WeightFormat::Q4_1, &mut packed[layout::header(WeightFormat::Q4_1)..], row, &self.codes());
    }
}

impl PackBlock for BlockQ5_0 {
    fn pack(&self, row: usize, packed: &mut [u8]) {
        put_half(packed, row, self.d.to_bits());
        put_codes(WeightFormat::Q5_0, &mut packed[layout::header(WeightFormat::Q5_0)..], row, &self.codes());
    }
}

impl PackBlock for BlockQ5_1 {
    fn pack(&self, row: usize, packed: &mut [u8]) {
        put_half(packed, row, self.d.to_bits());
        put_half(&mut packed[SECOND_HEADER..], row, self.m.to_bits());
        put_codes(WeightFormat::Q5_1, &mut packed[layout::header(WeightFormat::Q5_1)..], row, &self.codes());
    }
}

impl PackBlock for BlockIQ4NL {
    fn pack(&self, row: usize, packed: &mut [u8]) {
        put_half(packed, row, self.d.to_bits());
        put_codes(WeightFormat::IQ4NL, &mut packed[layout::header(WeightFormat::IQ4NL)..], row, &self.codes());
    }
}

/// As Q8_0.
impl PackBlock for BlockMXFP4 {
    fn pack(&self, row: usize, packed: &mut [u8]) {
        let values = self.values();
        let scale = if values == [0; QK] { f16::ZERO } else { f16::from_f32(self.scale()) };
        BlockQ8_0 { d: scale, qs: values }.pack(row, packed);
    }

    fn fits(&self) -> bool {
        f16::from_f32(self.scale()).to_f32() == self.scale() || self.values() == [0; QK]
    }
}

impl PackBlock for BlockQ8_0 {
    fn pack(&self, row: usize, packed: &mut [u8]) {
        put_half(packed, row, self.d.to_bits());
        let codes = self.qs.map(i8::cast_unsigned);
        put_codes(WeightFormat::Q8_0, &mut packed[layout::header(WeightFormat::Q8_0)..], row, &codes);
    }
}

impl PackBlock for BlockQ2K {
    fn pack(&self, row: usize, packed: &mut [u8]) {
        put_half(packed, row, self.d.to_bits());
        put_half(&mut packed[SECOND_HEADER..], row, self.dmin.to_bits());
        let half = |half| nibbles(|sub| self.scales[2 * sub + half] & 0x0f);
        let min = |half| nibbles(|sub| self.scales[2 * sub + half] >> 4);
        put_words(&mut packed[layout::Q2K_SCALES..], row, &[half(0), half(1), min(0), min(1)]);
        put_sub_blocks(WeightFormat::Q2K, packed, row, &self.codes());
    }
}

impl PackBlock for BlockQ3K {
    fn pack(&self, row: usize, packed: &mut [u8]) {
        put_half(packed, row, self.d.to_bits());
        put_k_scales(&mut packed[layout::Q3K_SCALES..], row, |sub| (self.scale(2 * sub), self.scale(2 * sub + 1)));
        put_sub_blocks(WeightFormat::Q3K, packed, row, &self.codes());
    }
}

impl PackBlock for BlockIQ4XS {
    fn pack(&self, row: usize, packed: &mut [u8]) {
        put_half(packed, row, self.d.to_bits());
        let high = (0..8).fold(0, |bits, sub| bits | u16::from(self.scale(sub) >> 4) << layout::iq4_xs_high_bits(sub));
        put_half(&mut packed[SECOND_HEADER..], row, high);
        put_words(&mut packed[layout::IQ4XS_SCALES..], row, &[nibbles(|sub| self.scale(sub) & 0x0f)]);
        for (sub, planes) in sub_blocks(WeightFormat::IQ4XS, packed) {
            put_codes(WeightFormat::IQ4XS, planes, row, &self.codes(sub));
        }
    }
}

impl<B: Codebook> PackBlock for B {
    fn pack(&self, row: usize, packed: &mut [u8]) {
        let Codes { scale, scales, values, codes } = self.unpack();
        put_words(packed, row, &[scale.to_bits()]);
        let values = values.map(i8::cast_unsigned);
        packed[layout::VALUES..][..PLANE].as_chunks_mut().0.fill(values);
        let half = |half| nibbles(|sub| scales[2 * sub + half]);
        put_words(&mut packed[layout::CODES_SCALES..], row, &[half(0), half(1)]);
        put_sub_blocks(WeightFormat::Codes, packed, row, &codes);
    }
}

impl PackBlock for BlockQ4K {
    fn pack(&self, row: usize, packed: &mut [u8]) {
        put_half(packed, row, self.d.to_bits());
        put_half(&mut packed[SECOND_HEADER..], row, self.dmin.to_bits());
        put_k_scales(&mut packed[K_SCALES..], row, |sub| k_scale_min(sub, &self.scales));
        for (sub, planes) in sub_blocks(WeightFormat::Q4K, packed) {
            let qs = &self.qs[sub / 2 * 32..][..32];
            let codes = std::array::from_fn(|i| (qs[i] >> (4 * (sub % 2))) & 0x0f);
            put_codes(WeightFormat::Q4K, planes, row, &codes);
        }
    }
}

impl PackBlock for BlockQ5K {
    fn pack(&self, row: usize, packed: &mut [u8]) {
        put_half(packed, row, self.d.to_bits());
        put_half(&mut packed[SECOND_HEADER..], row, self.dmin.to_bits());
        put_k_scales(&mut packed[K_SCALES..], row, |sub| k_scale_min(sub, &self.scales));
        for (sub, planes) in sub_blocks(WeightFormat::Q5K, packed) {
            let qs = &self.qs[sub / 2 * 32..][..32];
            let codes = std::array::from_fn(|i| (qs[i] >> (4 * (sub % 2))) & 0x0f | ((self.qh[i] >> sub) & 1) << 4);
            put_codes(WeightFormat::Q5K, planes, row, &codes);
        }
    }
}

impl PackBlock for BlockQ6K {
    fn pack(&self, row: usize, packed: &mut [u8]) {
        put_half(packed, row, self.d.to_bits());
        for (group, scale) in self.scales.iter().enumerate() {
            packed[SECOND_HEADER + group * PANEL_ROWS + row] = scale.cast_unsigned();
        }
        for (sub, planes) in sub_blocks(WeightFormat::Q6K, packed) {
            let (half, run) = (sub / 4, sub % 4);
            let low = &self.ql[half * 64 + run % 2 * 32..][..32];
            let high = &self.qh[half * 32..][..32];
            let codes = std::array::from_fn(|i| (low[i] >> (4 * (run / 2))) & 0x0f | ((high[i] >> (2 * run)) & 3) << 4);
            put_codes(WeightFormat::Q6K, planes, row, &codes);
        }
    }
}

fn sub_blocks(format: WeightFormat, packed: &mut [u8]) -> impl Iterator<Item = (usize, &mut [u8])> {
    packed[layout::header(format)..].chunks_exact_mut(layout::sub_block(format)).enumerate()
}

fn put_half(halves: &mut [u8], row: usize, bits: u16) {
    halves[2 * row..][..2].copy_from_slice(&bits.to_le_bytes());
}

/// A word for each row, in planes.
fn put_words(planes: &mut [u8], row: usize, words: &[u32]) {
    for (plane, word) in planes.chunks_exact_mut(PLANE).zip(words) {
        plane[4 * row..][..4].copy_from_slice(&word.to_le_bytes());
    }
}

/// A number of four bits for each sub-block of 256 weights.
fn nibbles(number: impl Fn(usize) -> u8) -> u32 {
    (0..8).fold(0, |word, sub| word | u32::from(number(sub)) << (4 * sub))
}

/// A row's codes of a block.
fn put_sub_blocks(format: WeightFormat, packed: &mut [u8], row: usize, codes: &[u8; QK_K]) {
    for ((_, planes), codes) in sub_blocks(format, packed).zip(codes.as_chunks().0) {
        put_codes(format, planes, row, codes);
    }
}

/// A row's codes of a sub-block.
#[inline(always)]
fn put_codes(format: WeightFormat, planes: &mut [u8], row: usize, codes: &[u8; SUB_BLOCK]) {
    for (group, codes) in codes.as_chunks::<4>().0.iter().enumerate() {
        for bits in layout::bits_of(format, group) {
            let bytes = &mut planes[bits.plane * PLANE + 4 * row..][..4];
            for (byte, code) in bytes.iter_mut().zip(codes) {
                *byte |= ((code >> bits.from) & (0xff >> (8 - bits.count))) << bits.at;
            }
        }
    }
}

fn put_k_scales(planes: &mut [u8], row: usize, scale_min: impl Fn(usize) -> (u8, u8)) {
    let high = (0..8).fold(0, |word, sub| {
        let (scale, min) = scale_min(sub);
        word | u32::from(scale >> 4 | min >> 4 << 4) << layout::k_scale_high_bits(sub)
    });
    put_words(planes, row, &[nibbles(|sub| scale_min(sub).0 & 0x0f), nibbles(|sub| scale_min(sub).1 & 0x0f), high]);
}
