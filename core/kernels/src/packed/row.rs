use half::{bf16, f16};

use super::layout::{
    self, CODES_SCALES, IQ4XS_SCALES, K_SCALES, PANEL_ROWS, PLANE, Q2K_SCALES, Q3K_SCALES, SECOND_HEADER, SUB_BLOCK,
};
use super::{PackedMatrix, WeightFormat};
use crate::blocks::IQ4_VALUES;

impl PackedMatrix<'_> {
    /// Writes row `row` as `f32`: exactly what [`crate::scalar::dequantize_row`] makes of the row as it lies in a file.
    ///
    /// # Panics
    /// When there is no such row or `out` is not as long as a row.
    pub fn dequantize_row(&self, row: usize, out: &mut [f32]) {
        assert_eq!(out.len(), self.cols, "row length");
        self.dequantize_part(row, 0, out);
    }

    /// Writes numbers of row `row`, from column `first` on. They are whole blocks.
    ///
    /// # Panics
    /// When there is no such row, or no such blocks.
    pub fn dequantize_part(&self, row: usize, first: usize, out: &mut [f32]) {
        let block_len = self.format.block_len();
        assert!(row < self.rows, "row");
        assert!(first.is_multiple_of(block_len) && out.len().is_multiple_of(block_len), "whole blocks");
        let (panel, row) = (self.panel(row / PANEL_ROWS), row % PANEL_ROWS);
        let from = first / block_len * layout::block(self.format);
        let panel = &panel[from..from + out.len() / block_len * layout::block(self.format)];
        match self.format {
            WeightFormat::F32 => read_numbers(panel, row, out, f32::from_le_bytes),
            WeightFormat::F16 => read_numbers(panel, row, out, |bytes| f16::from_le_bytes(bytes).to_f32()),
            WeightFormat::BF16 => read_numbers(panel, row, out, |bytes| bf16::from_le_bytes(bytes).to_f32()),
            format => {
                let blocks = panel.chunks_exact(layout::block(format));
                for (block, out) in blocks.zip(out.chunks_exact_mut(format.block_len())) {
                    dequantize_block(format, block, row, out);
                }
            }
        }
    }
}

fn read_numbers<const BYTES: usize>(panel: &[u8], row: usize, out: &mut [f32], number: impl Fn([u8; BYTES]) -> f32) {
    for (numbers, out) in panel.chunks_exact(PANEL_ROWS * BYTES).zip(out) {
        *out = number(std::array::from_fn(|i| numbers[row * BYTES + i]));
    }
}

fn dequantize_block(format: WeightFormat, block: &[u8], row: usize, out: &mut [f32]) {
    let sub_blocks = block[layout::header(format)..].chunks_exact(layout::sub_block(format));
    for (sub, (planes, out)) in sub_blocks.zip(out.chunks_exact_mut(SUB_BLOCK)).enumerate() {
        let codes = codes(format, planes, row);
        let scale = half(block, row);
        match format {
            WeightFormat::Q4_0 => write(out, &codes, |_, code| scale * (code - 8) as f32),
            WeightFormat::Q5_0 => write(out, &codes, |_, code| scale * (code - 16) as f32),
            WeightFormat::Q4_1 | WeightFormat::Q5_1 => {
                let min = half(&block[SECOND_HEADER..], row);
                write(out, &codes, |_, code| scale * code as f32 + min);
            }
            WeightFormat::Q8_0 => write(out, &codes, |_, code| scale * code as f32),
            WeightFormat::IQ4NL => write(out, &codes, |_, code| scale * f32::from(IQ4_VALUES[code as usize])),
            WeightFormat::IQ4XS => {
                let high = half_bits(&block[SECOND_HEADER..], row) >> layout::iq4_xs_high_bits(sub) & 3;
                let group = nibble(&block[IQ4XS_SCALES..], row, sub) as i32 | i32::from(high) << 4;
                let scale = scale * (group - 32) as f32;
                write(out, &codes, |_, code| scale * f32::from(IQ4_VALUES[code as usize]));
            }
            WeightFormat::Q2K => {
                let numbers = [0, 1, 2, 3].map(|plane| nibble(&block[Q2K_SCALES + plane * PLANE..], row, sub) as f32);
                let (scales, min) = ([scale * numbers[0], scale * numbers[1]], half(&block[SECOND_HEADER..], row));
                let mins = [min * numbers[2], min * numbers[3]];
                write(out, &codes, |i, code| scales[i / 16] * code as f32 - mins[i / 16]);
            }
            WeightFormat::Q3K => {
                let scales = <[f32; 2]>::from(k_scale(&block[Q3K_SCALES..], row, sub));
                let scales = scales.map(|group| scale * (group - 32.0));
                write(out, &codes, |i, code| scales[i / 16] * (code - 4) as f32);
            }
            WeightFormat::Q6K => {
                let groups = &block[SECOND_HEADER + 2 * sub * PANEL_ROWS + row..];
                let scales = [groups[0], groups[PANEL_ROWS]].map(|group| scale * f32::from(group.cast_signed()));
                write(out, &codes, |i, code| scales[i / 16] * (code - 32) as f32);
            }
            WeightFormat::Codes => {
                let group = |plane| 2 * nibble(&block[CODES_SCALES + plane * PLANE..], row, sub) + 1;
                let scales = [0, 1].map(|plane| f32::from_bits(word(block, row)) * group(plane) as f32);
                let value = |code: i32| f32::from(block[layout::VALUES + code as usize].cast_signed());
                write(out, &codes, |i, code| scales[i / 16] * value(code));
            }
            _ => {
                let (group, min) = k_scale(&block[K_SCALES..], row, sub);
                let (scale, min) = (scale * group, half(&block[SECOND_HEADER..], row) * min);
                write(out, &codes, |_, code| scale * code as f32 - min);
            }
        }
    }
}

/// Writes the weights that codes stand for, by their places.
fn write(out: &mut [f32], codes: &[i32; SUB_BLOCK], weight: impl Fn(usize, i32) -> f32) {
    out.iter_mut().zip(codes).enumerate().for_each(|(i, (out, code))| *out = weight(i, *code));
}

/// A row's codes in a sub-block.
fn codes(format: WeightFormat, planes: &[u8], row: usize) -> [i32; SUB_BLOCK] {
    let mut codes = [0; SUB_BLOCK];
    for (group, codes) in codes.as_chunks_mut::<4>().0.iter_mut().enumerate() {
        for bits in layout::bits_of(format, group) {
            let bytes: [u8; 4] = planes[bits.plane * PLANE + 4 * row..].as_chunks().0[0];
            let mask = 0xff >> (8 - bits.count);
            for (code, byte) in codes.iter_mut().zip(bytes) {
                *code |= i32::from((byte >> bits.at) & mask) << bits.from;
            }
        }
    }
    match format {
        WeightFormat::Q8_0 => codes.map(|code| i32::from((code as u8).cast_signed())),
        _ => codes,
    }
}

fn half(halves: &[u8], row: usize) -> f32 {
    f16::from_bits(half_bits(halves, row)).to_f32()
}

fn half_bits(halves: &[u8], row: usize) -> u16 {
    u16::from_le_bytes([halves[2 * row], halves[2 * row + 1]])
}

/// A row's word of a plane.
fn word(plane: &[u8], row: usize) -> u32 {
    u32::from_le_bytes(plane.as_chunks().0[row])
}

/// The number of four bits of sub-block `sub` in a row's word of a plane.
fn nibble(plane: &[u8], row: usize, sub: usize) -> u32 {
    (word(plane, row) >> (4 * sub)) & 0x0f
}

fn k_scale(planes: &[u8], row: usize, sub: usize) -> (f32, f32) {
    let high = word(&planes[2 * PLANE..], row) >> layout::k_scale_high_bits(sub);
    let scale = nibble(planes, row, sub) | (high & 3) << 4;
    let min = nibble(&planes[PLANE..], row, sub) | (high >> 4 & 3) << 4;
    (scale as f32, min as f32)
}
