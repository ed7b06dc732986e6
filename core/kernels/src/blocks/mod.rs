//! Quantized weight blocks, laid out exactly as in a GGUF file (little-endian, no padding).
//!
//! A row of a weight matrix is a sequence of blocks. The formats are specified by ggml's `ggml-common.h`
//! (<https://github.com/ggml-org/ggml/blob/master/src/ggml-common.h>).

mod codebook;
mod dtype;
mod grids;

use half::f16;

pub use codebook::{
    BlockIQ1M, BlockIQ1S, BlockIQ2S, BlockIQ2XS, BlockIQ2XXS, BlockIQ3S, BlockIQ3XXS, BlockTQ1_0, BlockTQ2_0,
};
pub(crate) use codebook::{Codebook, Codes};
pub use dtype::DType;

/// Weights in a small block ([`BlockQ4_0`] and its kin).
pub const QK: usize = 32;

/// Weights in a super-block ([`BlockQ4K`] and its kin).
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

/// Q4_1: 32 weights of 4 bits, `weight = d * q + m`. 5 bits per weight.
#[derive(Debug, Clone, Copy, PartialEq)]
#[repr(C)]
pub struct BlockQ4_1 {
    /// Scale.
    pub d: f16,
    /// The smallest weight.
    pub m: f16,
    /// As in [`BlockQ4_0::qs`].
    pub qs: [u8; QK / 2],
}

/// Q5_0: 32 weights of 5 bits, `weight = d * (q - 16)`. 5.5 bits per weight.
#[derive(Debug, Clone, Copy, PartialEq)]
#[repr(C)]
pub struct BlockQ5_0 {
    /// Scale.
    pub d: f16,
    /// Fifth bits: bit `i % 8` of byte `i / 8` belongs to weight `i`.
    pub qh: [u8; QK / 8],
    /// Low four bits, as in [`BlockQ4_0::qs`].
    pub qs: [u8; QK / 2],
}

/// Q5_1: 32 weights of 5 bits, `weight = d * q + m`. 6 bits per weight.
#[derive(Debug, Clone, Copy, PartialEq)]
#[repr(C)]
pub struct BlockQ5_1 {
    /// Scale.
    pub d: f16,
    /// The smallest weight.
    pub m: f16,
    /// As in [`BlockQ5_0::qh`].
    pub qh: [u8; QK / 8],
    /// As in [`BlockQ5_0::qs`].
    pub qs: [u8; QK / 2],
}

/// IQ4_NL: 32 weights of 4 bits, `weight = d * IQ4_VALUES[q]`. 4.5 bits per weight.
#[derive(Debug, Clone, Copy, PartialEq)]
#[repr(C)]
pub struct BlockIQ4NL {
    /// Scale.
    pub d: f16,
    /// As in [`BlockQ4_0::qs`].
    pub qs: [u8; QK / 2],
}

/// MXFP4: 32 weights of 4 bits, `weight = 2^(e - 128) * MXFP4_VALUES[q]`. 4.25 bits per weight.
#[derive(Debug, Clone, Copy, PartialEq)]
#[repr(C)]
pub struct BlockMXFP4 {
    /// Exponent of the scale.
    pub e: u8,
    /// As in [`BlockQ4_0::qs`].
    pub qs: [u8; QK / 2],
}

/// What the codes of [`BlockIQ4NL`] and [`BlockIQ4XS`] stand for.
pub const IQ4_VALUES: [i8; 16] = [-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113];

/// What the codes of [`BlockMXFP4`] stand for: twice the numbers of four bits of the Open Compute Project.
pub const MXFP4_VALUES: [i8; 16] = [0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12];

/// Q8_0: 32 weights of 8 bits, `weight = d * q`. 8.5 bits per weight.
#[derive(Debug, Clone, Copy, PartialEq)]
#[repr(C)]
pub struct BlockQ8_0 {
    /// Scale.
    pub d: f16,
    /// Signed weights.
    pub qs: [i8; QK],
}

/// Q2_K: 16 groups of 16 weights of 2 bits, `weight = d * scale * q - dmin * min`. 2.625 bits per weight.
#[derive(Debug, Clone, Copy, PartialEq)]
#[repr(C)]
pub struct BlockQ2K {
    /// The groups' scales in the low, their minimums in the high four bits.
    pub scales: [u8; QK_K / 16],
    /// Of each half of the block, byte `i` of 32 holds weights `i`, `i + 32`, `i + 64`, `i + 96`.
    pub qs: [u8; QK_K / 4],
    /// Scale of the groups' scales.
    pub d: f16,
    /// Scale of the groups' minimums.
    pub dmin: f16,
}

/// Q3_K: 16 groups of 16 weights of 3 bits, `weight = d * scale * (q - 4)`. 3.4375 bits per weight.
#[derive(Debug, Clone, Copy, PartialEq)]
#[repr(C)]
pub struct BlockQ3K {
    /// Third bits: bit `g` of byte `i` belongs to weight `i` of each 32, `g`.
    pub hmask: [u8; QK_K / 8],
    /// Low two bits, as in [`BlockQ2K::qs`].
    pub qs: [u8; QK_K / 4],
    /// The groups' scales, 6 bits each and larger by 32: low four bits of eight groups, of eight more, then all high two bits.
    pub scales: [u8; K_SCALE_BYTES],
    /// Scale of the groups' scales.
    pub d: f16,
}

/// IQ4_XS: 8 groups of 32 weights of 4 bits, `weight = d * scale * IQ4_VALUES[q]`. 4.25 bits per weight.
#[derive(Debug, Clone, Copy, PartialEq)]
#[repr(C)]
pub struct BlockIQ4XS {
    /// Scale of the groups' scales.
    pub d: f16,
    /// High two bits of the groups' scales, which are larger by 32.
    pub scales_h: [u8; 2],
    /// Low four bits.
    pub scales_l: [u8; QK_K / 64],
    /// 16 bytes for each group, as in [`BlockQ4_0::qs`].
    pub qs: [u8; QK_K / 2],
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
const _: () = assert!(size_of::<BlockQ4_1>() == 20);
const _: () = assert!(size_of::<BlockQ5_0>() == 22);
const _: () = assert!(size_of::<BlockQ5_1>() == 24);
const _: () = assert!(size_of::<BlockIQ4NL>() == 18);
const _: () = assert!(size_of::<BlockMXFP4>() == 17);
const _: () = assert!(size_of::<BlockQ8_0>() == 34);
const _: () = assert!(size_of::<BlockQ2K>() == 84);
const _: () = assert!(size_of::<BlockQ3K>() == 110);
const _: () = assert!(size_of::<BlockIQ4XS>() == 136);
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

impl BlockQ4_1 {
    pub(crate) fn codes(&self) -> [u8; QK] {
        nibbles(&self.qs)
    }
}

impl BlockQ5_0 {
    pub(crate) fn codes(&self) -> [u8; QK] {
        five_bits(&self.qs, &self.qh)
    }
}

impl BlockQ5_1 {
    pub(crate) fn codes(&self) -> [u8; QK] {
        five_bits(&self.qs, &self.qh)
    }
}

impl BlockIQ4NL {
    pub(crate) fn codes(&self) -> [u8; QK] {
        nibbles(&self.qs)
    }
}

impl BlockMXFP4 {
    /// The weights, as multiples of the scale.
    pub(crate) fn values(&self) -> [i8; QK] {
        nibbles(&self.qs).map(|code| MXFP4_VALUES[usize::from(code)])
    }

    pub(crate) fn scale(&self) -> f32 {
        // The two smallest are subnormal.
        let bits = if self.e < 2 { 0x0020_0000 << self.e } else { (u32::from(self.e) - 1) << 23 };
        f32::from_bits(bits)
    }
}

impl BlockQ2K {
    pub(crate) fn codes(&self) -> [u8; QK_K] {
        two_bits(&self.qs)
    }
}

impl BlockQ3K {
    pub(crate) fn codes(&self) -> [u8; QK_K] {
        let low = two_bits(&self.qs);
        std::array::from_fn(|i| low[i] | ((self.hmask[i % 32] >> (i / 32)) & 1) << 2)
    }

    /// The scale of group `group` (0 to 15), larger by 32.
    pub(crate) fn scale(&self, group: usize) -> u8 {
        let low = (self.scales[group % 8] >> (4 * (group / 8))) & 0x0f;
        let high = (self.scales[8 + group % 4] >> (2 * (group / 4))) & 3;
        low | high << 4
    }
}

impl BlockIQ4XS {
    pub(crate) fn codes(&self, group: usize) -> [u8; QK] {
        nibbles(&self.qs.as_chunks().0[group])
    }

    /// The scale of group `group` (0 to 7), larger by 32.
    pub(crate) fn scale(&self, group: usize) -> u8 {
        let low = (self.scales_l[group / 2] >> (4 * (group % 2))) & 0x0f;
        let high = (u16::from_le_bytes(self.scales_h) >> (2 * group)) as u8 & 3;
        low | high << 4
    }
}

/// All low nibbles, then all high ones.
fn nibbles(qs: &[u8; QK / 2]) -> [u8; QK] {
    std::array::from_fn(|i| if i < QK / 2 { qs[i] & 0x0f } else { qs[i - QK / 2] >> 4 })
}

fn five_bits(qs: &[u8; QK / 2], qh: &[u8; QK / 8]) -> [u8; QK] {
    let low = nibbles(qs);
    std::array::from_fn(|i| low[i] | ((qh[i / 8] >> (i % 8)) & 1) << 4)
}

/// Of each 32 bytes the lowest two bits, the next two, and so on.
fn two_bits(qs: &[u8; QK_K / 4]) -> [u8; QK_K] {
    std::array::from_fn(|i| (qs[i / 128 * 32 + i % 32] >> (i % 128 / 32 * 2)) & 3)
}
