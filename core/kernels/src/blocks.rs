//! Quantized weight blocks, laid out exactly as in a GGUF file (little-endian, no padding).
//!
//! A row of a weight matrix is a sequence of blocks. The formats are specified by ggml's `ggml-common.h`
//! (<https://github.com/ggml-org/ggml/blob/master/src/ggml-common.h>).

use half::f16;

/// Weights in a [`BlockQ4_0`] or [`BlockQ8_0`].
pub const QK: usize = 32;

/// Weights in a super-block of the K-quants ([`BlockQ4K`], [`BlockQ5K`], [`BlockQ6K`]).
pub const QK_K: usize = 256;

/// Bytes that hold the eight 6-bit scales and the eight 6-bit minimums of a [`BlockQ4K`] or [`BlockQ5K`].
pub const K_SCALE_BYTES: usize = 12;

/// Q4_0: 32 weights of 4 bits, `weight = d * (q - 8)`. 4.5 bits per weight.
#[derive(Debug, Clone, Copy, PartialEq)]
#[repr(C)]
pub struct BlockQ4_0 {
    /// Scale.
    pub d: f16,
    /// Byte `i` holds weight `i` in its low and weight `i + 16` in its high four bits.
    pub qs: [u8; QK / 2],
}

/// Q8_0: 32 weights of 8 bits, `weight = d * q`. 8.5 bits per weight.
#[derive(Debug, Clone, Copy, PartialEq)]
#[repr(C)]
pub struct BlockQ8_0 {
    /// Scale.
    pub d: f16,
    /// Signed weights.
    pub qs: [i8; QK],
}

/// Q4_K: 8 groups of 32 weights of 4 bits, `weight = d * scale * q - dmin * min`. 4.5 bits per weight.
#[derive(Debug, Clone, Copy, PartialEq)]
#[repr(C)]
pub struct BlockQ4K {
    /// Scale of the groups' scales.
    pub d: f16,
    /// Scale of the groups' minimums.
    pub dmin: f16,
    /// The groups' scales and minimums, 6 bits each: see [`k_scale_min`].
    pub scales: [u8; K_SCALE_BYTES],
    /// 32 bytes for each pair of groups: the first group in the low, the second in the high four bits.
    pub qs: [u8; QK_K / 2],
}

/// Q5_K: as [`BlockQ4K`] with a fifth bit. 5.5 bits per weight.
#[derive(Debug, Clone, Copy, PartialEq)]
#[repr(C)]
pub struct BlockQ5K {
    /// Scale of the groups' scales.
    pub d: f16,
    /// Scale of the groups' minimums.
    pub dmin: f16,
    /// The groups' scales and minimums, 6 bits each: see [`k_scale_min`].
    pub scales: [u8; K_SCALE_BYTES],
    /// Fifth bits: bit `g` of byte `i` belongs to weight `i` of group `g`.
    pub qh: [u8; QK_K / 8],
    /// Low four bits, as in [`BlockQ4K::qs`].
    pub qs: [u8; QK_K / 2],
}

/// Q6_K: 16 groups of 16 weights of 6 bits, `weight = d * scale * (q - 32)`. 6.5625 bits per weight.
#[derive(Debug, Clone, Copy, PartialEq)]
#[repr(C)]
pub struct BlockQ6K {
    /// Low four bits: of each half of the block, byte `i` of 64 holds weight `i` low and weight `i + 64` high.
    pub ql: [u8; QK_K / 2],
    /// High two bits: of each half of the block, byte `i` of 32 holds weights `i`, `i + 32`, `i + 64`, `i + 96`.
    pub qh: [u8; QK_K / 4],
    /// The groups' scales.
    pub scales: [i8; QK_K / 16],
    /// Scale of the groups' scales.
    pub d: f16,
}

const _: () = assert!(size_of::<BlockQ4_0>() == 18);
const _: () = assert!(size_of::<BlockQ8_0>() == 34);
const _: () = assert!(size_of::<BlockQ4K>() == 144);
const _: () = assert!(size_of::<BlockQ5K>() == 176);
const _: () = assert!(size_of::<BlockQ6K>() == 210);

/// The 6-bit scale and minimum of group `group` (0 to 7) of a Q4_K or Q5_K block.
///
/// The first eight bytes carry the low six bits of groups 0 to 3 (scales, then minimums); groups 4 to 7 take their low
/// four bits from the last four bytes and their high two from the spare bits of the first eight.
pub fn k_scale_min(group: usize, scales: &[u8; K_SCALE_BYTES]) -> (u8, u8) {
    if group < 4 {
        return (scales[group] & 0x3f, scales[group + 4] & 0x3f);
    }
    let low = scales[group + 4];
    let scale = (low & 0x0f) | ((scales[group - 4] >> 6) << 4);
    let min = (low >> 4) | ((scales[group] >> 6) << 4);
    (scale, min)
}
