//! Where the parts of a panel's block lie. `docs/kernels.md` draws it.
//!
//! A *sub-block* is 32 neighbouring weights of each of the panel's 32 rows: eight *groups* of four weights. The codes of
//! one group are a *plane* of 128 bytes: row after row, four weights each. A vector load of a plane's bytes therefore
//! has one row in each 32-bit lane, and a four-way integer dot product adds each row's four products into its own lane:
//! no sum ever crosses lanes, and one layout serves vectors of every width.

use super::WeightFormat;

/// Rows of a weight matrix that are interleaved.
pub const PANEL_ROWS: usize = 32;
/// Weights of a row in a sub-block.
pub(crate) const SUB_BLOCK: usize = 32;
/// Bytes of a plane: four from each row.
pub(crate) const PLANE: usize = 4 * PANEL_ROWS;
/// Bytes of one `f16` for each row.
const HALVES: usize = 2 * PANEL_ROWS;

/// Offset of the second scale (`dmin`) of Q4_K and Q5_K, of Q6_K's group scales.
pub(crate) const SECOND_HEADER: usize = HALVES;
/// Offset of the 6-bit scales and minimums of Q4_K and Q5_K: three planes of one 32-bit word for each row.
///
/// Word 0: low four bits of the eight scales, word 1 of the eight minimums, those of sub-block `s` at bit `4 * s`. Word 2 has the
/// two bits above them: byte `s / 2` those of two scales, then of two minimums, so that no number's bits are in another byte of
/// its word.
pub(crate) const K_SCALES: usize = 2 * HALVES;

/// Where a scale's two high bits are in word 2 of [`K_SCALES`]; the minimum's are four bits further.
pub(crate) const fn k_scale_high_bits(sub: usize) -> usize {
    sub / 2 * 8 + sub % 2 * 2
}

/// Codes in a sub-block: the low four bits of groups `2p` (low nibbles) and `2p + 1` (high nibbles) share plane `p`; then
/// come the planes with further bits.
pub(crate) const LOW_PLANES: usize = 4 * PLANE;

/// Bytes before the first sub-block of a block.
pub(crate) const fn header(format: WeightFormat) -> usize {
    match format {
        WeightFormat::F32 | WeightFormat::F16 | WeightFormat::BF16 => 0,
        WeightFormat::Q4_0 | WeightFormat::Q8_0 => HALVES,
        WeightFormat::Q4K | WeightFormat::Q5K => K_SCALES + 3 * PLANE,
        WeightFormat::Q6K => SECOND_HEADER + 16 * PANEL_ROWS,
    }
}

/// Bytes of a sub-block's codes.
pub(crate) const fn sub_block(format: WeightFormat) -> usize {
    match format {
        WeightFormat::F32 | WeightFormat::F16 | WeightFormat::BF16 => 0,
        WeightFormat::Q4_0 | WeightFormat::Q4K => LOW_PLANES,
        WeightFormat::Q5K => LOW_PLANES + PLANE,
        WeightFormat::Q6K => LOW_PLANES + 2 * PLANE,
        WeightFormat::Q8_0 => 8 * PLANE,
    }
}

/// Bytes of a panel's block: exactly what its rows' blocks take in the model file.
pub(crate) const fn block(format: WeightFormat) -> usize {
    PANEL_ROWS * format.block_bytes()
}

const _: () = {
    let mut i = 0;
    while i < WeightFormat::ALL.len() {
        let format = WeightFormat::ALL[i];
        let sub_blocks = format.block_len() / SUB_BLOCK;
        assert!(!format.is_quantized() || header(format) + sub_blocks * sub_block(format) == block(format));
        i += 1;
    }
};
