//! Where the parts of a panel's block lie. `docs/kernels.md` draws it.
//!
//! A *sub-block* is 32 neighbouring weights of each of the panel's 32 rows: eight *groups* of four weights. Their codes lie
//! in *planes* of 128 bytes: row after row, four bytes each, one for each weight of a group. A vector load of a plane's bytes
//! therefore has one row in each 32-bit lane, and a four-way integer dot product adds each row's four products into its own
//! lane: no sum ever crosses lanes, and one layout serves vectors of every width.

use super::WeightFormat;

/// Rows of a weight matrix that are interleaved.
pub const PANEL_ROWS: usize = 32;
/// Weights of a row in a sub-block.
pub(crate) const SUB_BLOCK: usize = 32;
/// Bytes of a plane: four from each row.
pub(crate) const PLANE: usize = 4 * PANEL_ROWS;
/// Bytes of one `f16` for each row.
const HALVES: usize = 2 * PANEL_ROWS;

/// Offset of the second number of 16 bits for each row: the minimums of Q4_1 and Q5_1, the scales of minimums (`dmin`) of Q2_K, Q4_K
/// and Q5_K, the scales' high bits of IQ4_XS; of Q6_K's group scales.
pub(crate) const SECOND_HEADER: usize = HALVES;
/// Offset of the 6-bit scales and minimums of Q4_K and Q5_K: three planes of one 32-bit word for each row.
///
/// Word 0: low four bits of the eight scales, word 1 of the eight minimums, those of sub-block `s` at bit `4 * s`. Word 2 has the
/// two bits above them: byte `s / 2` those of two scales, then of two minimums, so that no number's bits are in another byte of
/// its word. Q3_K has the scales of first halves for scales, and those of second halves for minimums.
pub(crate) const K_SCALES: usize = 2 * HALVES;
/// The same of Q3_K, which has no second scale.
pub(crate) const Q3K_SCALES: usize = HALVES;
/// Offset of IQ4_XS's low four bits of scales, a word as above; the high bits, see [`iq4_xs_high_bits`], are in 16 bits.
pub(crate) const IQ4XS_SCALES: usize = 2 * HALVES;
/// Offset of four words as above: Q2_K's scales of first halves, of second halves, and the minimums of both.
pub(crate) const Q2K_SCALES: usize = 2 * HALVES;
/// Offset of the 16 values of [`WeightFormat::Codes`], again and again, behind a scale of 32 bits for each row.
pub(crate) const VALUES: usize = PLANE;
/// Offset of its scales: two words as above, of first halves and of second halves.
pub(crate) const CODES_SCALES: usize = VALUES + PLANE;

/// Where a scale's two high bits are in word 2 of [`K_SCALES`]; the minimum's are four bits further.
pub(crate) const fn k_scale_high_bits(sub: usize) -> usize {
    sub / 2 * 8 + sub % 2 * 2
}

/// Where the two high bits of the scale of sub-block `sub` are in IQ4_XS's 16: those of 0 and 2 beside each other, of 1 and 3, ....
pub(crate) const fn iq4_xs_high_bits(sub: usize) -> usize {
    let (even, pair) = ((sub + 1) % 2, sub / 2);
    8 * (pair % 2) + 4 * even + if pair < 2 { 2 } else { 0 }
}

/// Some bits of a code, and the plane that they lie in.
#[derive(Clone, Copy)]
pub(crate) struct Bits {
    pub(crate) plane: usize,
    /// The lowest of them in a byte of the plane.
    pub(crate) at: usize,
    /// The lowest of them in the code.
    pub(crate) from: usize,
    pub(crate) count: usize,
}

/// Where the codes of group `group` lie in the planes of a sub-block.
///
/// Four bits: two groups share a plane. Five and six: a plane has one group's codes for its low bits, and above them bits of a
/// group of the same half that has no plane: so most codes take one instruction. Q6_K has three planes for each half, Q5_K two,
/// and one more for the two lowest bits of those that have none. Three bits: planes have two groups and two bits more; two bits: four.
pub(crate) fn bits_of(format: WeightFormat, group: usize) -> impl Iterator<Item = Bits> {
    let (half, index) = (group / 4, group % 4);
    let all = |plane, at, count| [Bits { plane, at, from: 0, count }; 3];
    let (bits, len) = match format {
        WeightFormat::Q2K => (all(half, 2 * index, 2), 1),
        WeightFormat::Q3K if group < 6 => (all(group / 2, 3 * (group % 2), 3), 1),
        WeightFormat::Q3K => {
            let low = Bits { plane: group - 6, at: 6, from: 0, count: 2 };
            ([low, Bits { plane: 2, at: group, from: 2, count: 1 }, low], 2)
        }
        WeightFormat::Q5_0 | WeightFormat::Q5_1 | WeightFormat::Q5K if index < 2 => (all(2 * half + index, 0, 5), 1),
        WeightFormat::Q5_0 | WeightFormat::Q5_1 | WeightFormat::Q5K => {
            let plane = 2 * half + index - 2;
            let low = Bits { plane: 4, at: 6 - 2 * plane, from: 0, count: 2 };
            ([Bits { plane, at: 5, from: 2, count: 3 }, low, low], 2)
        }
        WeightFormat::Q6K if index < 3 => (all(3 * half + index, 0, 6), 1),
        WeightFormat::Q6K => (std::array::from_fn(|i| Bits { plane: 3 * half + i, at: 6, from: 2 * i, count: 2 }), 3),
        WeightFormat::Q8_0 => (all(group, 0, 8), 1),
        _ => (all(group / 2, 4 * (group % 2), 4), 1),
    };
    bits.into_iter().take(len)
}

/// Bytes before the first sub-block of a block.
pub(crate) const fn header(format: WeightFormat) -> usize {
    match format {
        WeightFormat::F32 | WeightFormat::F16 | WeightFormat::BF16 => 0,
        WeightFormat::Q4_0 | WeightFormat::Q5_0 | WeightFormat::Q8_0 | WeightFormat::IQ4NL => HALVES,
        WeightFormat::Q4_1 | WeightFormat::Q5_1 => 2 * HALVES,
        WeightFormat::Q2K => Q2K_SCALES + 4 * PLANE,
        WeightFormat::Q3K => Q3K_SCALES + 3 * PLANE,
        WeightFormat::Q4K | WeightFormat::Q5K => K_SCALES + 3 * PLANE,
        WeightFormat::Q6K => SECOND_HEADER + 16 * PANEL_ROWS,
        WeightFormat::IQ4XS => IQ4XS_SCALES + PLANE,
        WeightFormat::Codes => CODES_SCALES + 2 * PLANE,
    }
}

/// Bytes of a sub-block's codes.
pub(crate) const fn sub_block(format: WeightFormat) -> usize {
    match format {
        WeightFormat::F32 | WeightFormat::F16 | WeightFormat::BF16 => 0,
        WeightFormat::Q2K => 2 * PLANE,
        WeightFormat::Q3K => 3 * PLANE,
        WeightFormat::Q4_0 | WeightFormat::Q4_1 | WeightFormat::Q4K => 4 * PLANE,
        WeightFormat::IQ4NL | WeightFormat::IQ4XS | WeightFormat::Codes => 4 * PLANE,
        WeightFormat::Q5_0 | WeightFormat::Q5_1 | WeightFormat::Q5K => 5 * PLANE,
        WeightFormat::Q6K => 6 * PLANE,
        WeightFormat::Q8_0 => 8 * PLANE,
    }
}

/// Bytes of a panel's block: what its rows' blocks take in a model file of that format.
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
