use half::{bf16, f16};

use super::layout::{self, K_SCALES, PANEL_ROWS, PLANE, SECOND_HEADER, SUB_BLOCK};
use super::{PackedMatrix, WeightFormat};

impl PackedMatrix<'_> {
    /// Writes row `row` as `f32`: exactly what [`crate::scalar::dequantize_row`] makes of the unpacked row.
    ///
    /// # Panics
    /// When there is no such row or `out` is not as long as a row.
    pub fn dequantize_row(&self, row: usize, out: &mut [f32]) {
        assert!(row < self.rows, "row");
        assert_eq!(out.len(), self.cols, "row length");
        let (panel, row) = (self.panel(row / PANEL_ROWS), row % PANEL_ROWS);
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
        for (i, out) in out.iter_mut().enumerate() {
            let code = code(format, planes, row, i);
            *out = match format {
                WeightFormat::Q4_0 => half(block, row) * (code - 8) as f32,
                WeightFormat::Q8_0 => half(block, row) * code as f32,
                WeightFormat::Q6K => {
                    let scale = block[SECOND_HEADER + (2 * sub + i / 16) * PANEL_ROWS + row].cast_signed();
                    half(block, row) * f32::from(scale) * (code - 32) as f32
                }
                _ => {
                    let (scale, min) = k_scale(block, row, sub);
                    half(block, row) * scale * code as f32 - half(&block[SECOND_HEADER..], row) * min
                }
            };
        }
    }
}

/// Code `i` of a sub-block.
fn code(format: WeightFormat, planes: &[u8], row: usize, i: usize) -> i32 {
    let bits = layout::bits_of(format, i / 4).map(|bits| {
        let byte = planes[bits.plane * PLANE + 4 * row + i % 4];
        ((byte >> bits.at) & (0xff >> (8 - bits.count))) << bits.from
    });
    let code = bits.fold(0, |code, bits| code | bits);
    if format == WeightFormat::Q8_0 { i32::from(code.cast_signed()) } else { i32::from(code) }
}

fn half(halves: &[u8], row: usize) -> f32 {
    f16::from_le_bytes([halves[2 * row], halves[2 * row + 1]]).to_f32()
}

fn k_scale(block: &[u8], row: usize, sub: usize) -> (f32, f32) {
    let word = |index: usize| {
        let bytes = &block[K_SCALES + index * PLANE + 4 * row..][..4];
        u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])
    };
    let high = word(2) >> layout::k_scale_high_bits(sub);
    let scale = ((word(0) >> (4 * sub)) & 0x0f) | ((high & 3) << 4);
    let min = ((word(1) >> (4 * sub)) & 0x0f) | (((high >> 4) & 3) << 4);
    (scale as f32, min as f32)
}
