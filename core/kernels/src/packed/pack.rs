use super::layout::{self, K_SCALES, PANEL_ROWS, PLANE, SECOND_HEADER, SUB_BLOCK};
use super::{PackError, WeightFormat, packed_len};
use crate::blocks::{BlockQ4_0, BlockQ4K, BlockQ5K, BlockQ6K, BlockQ8_0, k_scale_min};
use crate::plain::{Plain, cast_slice};

/// Interleaves the rows of a weight matrix as it lies in a model file.
///
/// `source` holds `rows` rows of `cols` weights, row after row, and `packed` has [`packed_len`] bytes. Rows that fill
/// the last panel are zeros. The work can be split at panels: pass the rows of some panels and their part of `packed`.
///
/// # Errors
/// [`PackError`] when sizes do not fit together or `source` is not aligned for its blocks.
pub fn pack(format: WeightFormat, source: &[u8], rows: usize, cols: usize, packed: &mut [u8]) -> Result<(), PackError> {
    if !cols.is_multiple_of(format.block_len())
        || source.len() != rows * (cols / format.block_len()) * format.block_bytes()
        || packed.len() != packed_len(format, rows, cols)
    {
        return Err(PackError::Size);
    }
    match format {
        WeightFormat::F32 => pack_numbers::<4>(source, cols, packed),
        WeightFormat::F16 | WeightFormat::BF16 => pack_numbers::<2>(source, cols, packed),
        WeightFormat::Q4_0 => pack_blocks::<BlockQ4_0>(format, source, cols, packed)?,
        WeightFormat::Q8_0 => pack_blocks::<BlockQ8_0>(format, source, cols, packed)?,
        WeightFormat::Q4K => pack_blocks::<BlockQ4K>(format, source, cols, packed)?,
        WeightFormat::Q5K => pack_blocks::<BlockQ5K>(format, source, cols, packed)?,
        WeightFormat::Q6K => pack_blocks::<BlockQ6K>(format, source, cols, packed)?,
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

fn pack_blocks<B: PackBlock>(
    format: WeightFormat,
    source: &[u8],
    cols: usize,
    packed: &mut [u8],
) -> Result<(), PackError> {
    let blocks: &[B] = cast_slice(source).ok_or(PackError::Alignment)?;
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
}

impl PackBlock for BlockQ4_0 {
    fn pack(&self, row: usize, packed: &mut [u8]) {
        put_half(packed, row, self.d.to_bits());
        let codes = std::array::from_fn(|i| if i < 16 { self.qs[i] & 0x0f } else { self.qs[i - 16] >> 4 });
        put_codes(WeightFormat::Q4_0, &mut packed[layout::header(WeightFormat::Q4_0)..], row, &codes);
    }
}

impl PackBlock for BlockQ8_0 {
    fn pack(&self, row: usize, packed: &mut [u8]) {
        put_half(packed, row, self.d.to_bits());
        let codes = self.qs.map(i8::cast_unsigned);
        put_codes(WeightFormat::Q8_0, &mut packed[layout::header(WeightFormat::Q8_0)..], row, &codes);
    }
}

impl PackBlock for BlockQ4K {
    fn pack(&self, row: usize, packed: &mut [u8]) {
        put_half(packed, row, self.d.to_bits());
        put_half(&mut packed[SECOND_HEADER..], row, self.dmin.to_bits());
        put_k_scales(packed, row, |sub| k_scale_min(sub, &self.scales));
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
        put_k_scales(packed, row, |sub| k_scale_min(sub, &self.scales));
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

fn put_k_scales(packed: &mut [u8], row: usize, scale_min: impl Fn(usize) -> (u8, u8)) {
    let mut words = [0u32; 3];
    for sub in 0..8 {
        let (scale, min) = scale_min(sub);
        let (scale, min) = (u32::from(scale), u32::from(min));
        words[0] |= (scale & 0x0f) << (4 * sub);
        words[1] |= (min & 0x0f) << (4 * sub);
        words[2] |= ((scale >> 4) | ((min >> 4) << 4)) << layout::k_scale_high_bits(sub);
    }
    for (plane, word) in packed[K_SCALES..].chunks_exact_mut(PLANE).zip(words) {
        plane[4 * row..][..4].copy_from_slice(&word.to_le_bytes());
    }
}
