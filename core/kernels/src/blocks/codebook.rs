//! Formats whose weights are sixteen values at most, times a scale for each 16 of them: ggml's smallest, most of them with code
//! books.

use half::f16;

use super::{QK_K, grids, two_bits};
use crate::plain::Plain;

/// A block of 256 such weights, unpacked: `weight = scale * (2 * scales[i / 16] + 1) * values[codes[i]]`.
pub(crate) struct Codes {
    pub(crate) scale: f32,
    /// Four bits each.
    pub(crate) scales: [u8; QK_K / 16],
    pub(crate) values: &'static [i8; 16],
    pub(crate) codes: [u8; QK_K],
}

/// A block that can be unpacked so, without loss.
pub(crate) trait Codebook: Plain {
    fn unpack(&self) -> Codes;
}

/// IQ2_XXS: 2.0625 bits per weight.
#[derive(Debug, Clone, Copy, PartialEq)]
#[repr(C)]
pub struct BlockIQ2XXS {
    /// Scale.
    pub d: f16,
    /// For each 32 weights four entries of the code book, one for each eight, then 32 bits: four times seven of signs, and four of a
    /// scale.
    pub qs: [[u8; 8]; 8],
}

/// IQ2_XS: 2.3125 bits per weight.
#[derive(Debug, Clone, Copy, PartialEq)]
#[repr(C)]
pub struct BlockIQ2XS {
    /// Scale.
    pub d: f16,
    /// For each eight weights an entry of the code book, nine bits, and seven of signs.
    pub qs: [[u8; 2]; QK_K / 8],
    /// Two scales a byte, each for 16 weights.
    pub scales: [u8; QK_K / 32],
}

/// IQ2_S: 2.5625 bits per weight.
#[derive(Debug, Clone, Copy, PartialEq)]
#[repr(C)]
pub struct BlockIQ2S {
    /// Scale.
    pub d: f16,
    /// For each eight weights the low eight bits of an entry of the code book.
    pub qs: [u8; QK_K / 8],
    /// Their signs.
    pub signs: [u8; QK_K / 8],
    /// The entries' two high bits, four a byte.
    pub qh: [u8; QK_K / 32],
    /// Two scales a byte, each for 16 weights.
    pub scales: [u8; QK_K / 32],
}

/// IQ3_XXS: 3.0625 bits per weight.
#[derive(Debug, Clone, Copy, PartialEq)]
#[repr(C)]
pub struct BlockIQ3XXS {
    /// Scale.
    pub d: f16,
    /// For each four weights an entry of the code book.
    pub qs: [u8; QK_K / 4],
    /// For each 32 weights four times seven bits of signs, and four of a scale.
    pub signs_and_scales: [[u8; 4]; QK_K / 32],
}

/// IQ3_S: 3.4375 bits per weight.
#[derive(Debug, Clone, Copy, PartialEq)]
#[repr(C)]
pub struct BlockIQ3S {
    /// Scale.
    pub d: f16,
    /// For each four weights the low eight bits of an entry of the code book.
    pub qs: [u8; QK_K / 4],
    /// Their high bits, eight a byte.
    pub qh: [u8; QK_K / 32],
    /// Signs of eight weights a byte.
    pub signs: [u8; QK_K / 8],
    /// Two scales a byte, each for 32 weights.
    pub scales: [u8; QK_K / 64],
}

/// IQ1_S: 1.5625 bits per weight.
#[derive(Debug, Clone, Copy, PartialEq)]
#[repr(C)]
pub struct BlockIQ1S {
    /// Scale.
    pub d: f16,
    /// For each eight weights the low eight bits of an entry of the code book.
    pub qs: [u8; QK_K / 8],
    /// For each 32 weights four times the three high bits, three of a scale, and one that says that an eighth is taken from each weight, and
    /// not added.
    pub qh: [[u8; 2]; QK_K / 32],
}

/// IQ1_M: 1.75 bits per weight.
#[derive(Debug, Clone, Copy, PartialEq)]
#[repr(C)]
pub struct BlockIQ1M {
    /// For each eight weights the low eight bits of an entry of the code book.
    pub qs: [u8; QK_K / 8],
    /// For each eight weights the three high bits, and one that says that an eighth is taken from each weight, and not added.
    pub qh: [u8; QK_K / 16],
    /// For each 64 weights four scales of three bits, and four bits of the block's scale.
    pub scales: [[u8; 2]; QK_K / 64],
}

/// TQ1_0: weights of −1, 0 and 1, five of them a byte. 1.6875 bits per weight.
#[derive(Debug, Clone, Copy, PartialEq)]
#[repr(C)]
pub struct BlockTQ1_0 {
    /// As fractions of 256 the digits of which are the weights: of 32 bytes five times 32, then of 16 bytes five times 16.
    pub qs: [u8; 48],
    /// The last 16: of four bytes four times four.
    pub qh: [u8; 4],
    /// Scale.
    pub d: f16,
}

/// TQ2_0: weights of −1, 0 and 1. 2.0625 bits per weight.
#[derive(Debug, Clone, Copy, PartialEq)]
#[repr(C)]
pub struct BlockTQ2_0 {
    /// As in [`super::BlockQ2K::qs`].
    pub qs: [u8; QK_K / 4],
    /// Scale.
    pub d: f16,
}

const _: () = assert!(size_of::<BlockIQ2XXS>() == 66);
const _: () = assert!(size_of::<BlockIQ2XS>() == 74);
const _: () = assert!(size_of::<BlockIQ2S>() == 82);
const _: () = assert!(size_of::<BlockIQ3XXS>() == 98);
const _: () = assert!(size_of::<BlockIQ3S>() == 110);
const _: () = assert!(size_of::<BlockIQ1S>() == 50);
const _: () = assert!(size_of::<BlockIQ1M>() == 56);
const _: () = assert!(size_of::<BlockTQ1_0>() == 54);
const _: () = assert!(size_of::<BlockTQ2_0>() == 66);

/// Magnitudes, then minus them: bit 3 of a code is a sign.
const fn signed(magnitudes: [i8; 8]) -> [i8; 16] {
    let mut values = [0; 16];
    let mut i = 0;
    while i < 8 {
        (values[i], values[i + 8]) = (magnitudes[i], -magnitudes[i]);
        i += 1;
    }
    values
}

static IQ2_VALUES: [i8; 16] = signed([8, 25, 43, 0, 0, 0, 0, 0]);
static IQ3_XXS_VALUES: [i8; 16] = signed([4, 12, 20, 28, 36, 44, 52, 62]);
static IQ3_S_VALUES: [i8; 16] = signed([1, 3, 5, 7, 9, 11, 13, 15]);
/// Eight times −1, 0 and 1, and one more or, with bit 3, one less.
static IQ1_VALUES: [i8; 16] = [-7, 1, 9, 0, 0, 0, 0, 0, -9, -1, 7, 0, 0, 0, 0, 0];
static TERNARY_VALUES: [i8; 16] = [-1, 0, 1, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];

impl Codebook for BlockIQ2XXS {
    fn unpack(&self) -> Codes {
        let words = self.qs.map(|[.., a, b, c, d]| u32::from_le_bytes([a, b, c, d]));
        let entry = |eight: usize| usize::from(self.qs[eight / 4][eight % 4]);
        Codes {
            scale: self.d.to_f32() / 8.0,
            scales: std::array::from_fn(|i| (words[i / 2] >> 28) as u8),
            values: &IQ2_VALUES,
            codes: eights(|eight| (grids::IQ2_XXS[entry(eight)], seven_signs(words[eight / 4] >> (eight % 4 * 7)))),
        }
    }
}

impl Codebook for BlockIQ2XS {
    fn unpack(&self) -> Codes {
        let eight = |eight: usize| {
            let word = u16::from_le_bytes(self.qs[eight]);
            (grids::IQ2_XS[usize::from(word & 511)], seven_signs(u32::from(word >> 9)))
        };
        Codes {
            scale: self.d.to_f32() / 8.0,
            scales: std::array::from_fn(|i| nibble(&self.scales, i)),
            values: &IQ2_VALUES,
            codes: eights(eight),
        }
    }
}

impl Codebook for BlockIQ2S {
    fn unpack(&self) -> Codes {
        let entry = |eight: usize| {
            let high = (self.qh[eight / 4] >> (eight % 4 * 2)) & 3;
            usize::from(self.qs[eight]) | usize::from(high) << 8
        };
        Codes {
            scale: self.d.to_f32() / 8.0,
            scales: std::array::from_fn(|i| nibble(&self.scales, i)),
            values: &IQ2_VALUES,
            codes: eights(|eight| (grids::IQ2_S[entry(eight)], self.signs[eight])),
        }
    }
}

impl Codebook for BlockIQ3XXS {
    fn unpack(&self) -> Codes {
        let words = self.signs_and_scales.map(u32::from_le_bytes);
        let entry = |four: usize| grids::IQ3_XXS[usize::from(self.qs[four])];
        Codes {
            scale: self.d.to_f32() / 4.0,
            scales: std::array::from_fn(|i| (words[i / 2] >> 28) as u8),
            values: &IQ3_XXS_VALUES,
            codes: fours(entry, |eight| seven_signs(words[eight / 4] >> (eight % 4 * 7))),
        }
    }
}

impl Codebook for BlockIQ3S {
    fn unpack(&self) -> Codes {
        let entry = |four: usize| {
            let high = (self.qh[four / 8] >> (four % 8)) & 1;
            grids::IQ3_S[usize::from(self.qs[four]) | usize::from(high) << 8]
        };
        Codes {
            scale: self.d.to_f32(),
            scales: std::array::from_fn(|i| nibble(&self.scales, i / 2)),
            values: &IQ3_S_VALUES,
            codes: fours(entry, |eight| self.signs[eight]),
        }
    }
}

impl Codebook for BlockIQ1S {
    fn unpack(&self) -> Codes {
        let words = self.qh.map(u16::from_le_bytes);
        let eight = |eight: usize| {
            let word = words[eight / 4];
            let high = usize::from(word >> (eight % 4 * 3)) & 7;
            let less = if word & 0x8000 == 0 { 0 } else { 0xff };
            (grids::IQ1[usize::from(self.qs[eight]) | high << 8], less)
        };
        Codes {
            scale: self.d.to_f32() / 8.0,
            scales: std::array::from_fn(|i| (words[i / 2] >> 12) as u8 & 7),
            values: &IQ1_VALUES,
            codes: eights(eight),
        }
    }
}

impl Codebook for BlockIQ1M {
    fn unpack(&self) -> Codes {
        let words = self.scales.map(u16::from_le_bytes);
        let eight = |eight: usize| {
            let bits = self.qh[eight / 2] >> (eight % 2 * 4);
            let less = if bits & 8 == 0 { 0 } else { 0xff };
            (grids::IQ1[usize::from(self.qs[eight]) | usize::from(bits & 7) << 8], less)
        };
        let scale = (0..4).fold(0, |bits, i| bits | words[i] >> 12 << (4 * i));
        Codes {
            scale: f16::from_bits(scale).to_f32() / 8.0,
            scales: std::array::from_fn(|i| (words[i / 4] >> (i % 4 * 3)) as u8 & 7),
            values: &IQ1_VALUES,
            codes: eights(eight),
        }
    }
}

impl Codebook for BlockTQ1_0 {
    fn unpack(&self) -> Codes {
        // The digit `index` of a fraction of 256, to the base of three.
        let digit = |byte: u8, index: usize| {
            let shifted = byte.wrapping_mul([1, 3, 9, 27, 81][index]);
            ((u16::from(shifted) * 3) >> 8) as u8
        };
        let code = |i: usize| match i {
            ..160 => digit(self.qs[i % 32], i / 32),
            160..240 => digit(self.qs[32 + i % 16], (i - 160) / 16),
            _ => digit(self.qh[i % 4], (i - 240) / 4),
        };
        ternary(self.d, std::array::from_fn(code))
    }
}

impl Codebook for BlockTQ2_0 {
    fn unpack(&self) -> Codes {
        ternary(self.d, two_bits(&self.qs))
    }
}

fn ternary(scale: f16, codes: [u8; QK_K]) -> Codes {
    Codes { scale: scale.to_f32(), scales: [0; QK_K / 16], values: &TERNARY_VALUES, codes }
}

/// Codes of eight weights at a time: their entry of a code book, and a bit for each, which becomes its bit 3.
fn eights(eight: impl Fn(usize) -> (u16, u8)) -> [u8; QK_K] {
    let mut codes = [0; QK_K];
    for (index, codes) in codes.as_chunks_mut::<8>().0.iter_mut().enumerate() {
        let (entry, signs) = eight(index);
        *codes = std::array::from_fn(|i| (entry >> (2 * i)) as u8 & 3 | (signs >> i & 1) << 3);
    }
    codes
}

/// As [`eights`], with an entry for each four weights.
fn fours(entry: impl Fn(usize) -> u16, signs: impl Fn(usize) -> u8) -> [u8; QK_K] {
    let mut codes = [0; QK_K];
    for (index, codes) in codes.as_chunks_mut::<4>().0.iter_mut().enumerate() {
        let (entry, signs) = (entry(index), signs(index / 2) >> (4 * (index % 2)));
        *codes = std::array::from_fn(|i| (entry >> (3 * i)) as u8 & 7 | (signs >> i & 1) << 3);
    }
    codes
}

/// Eight signs of which seven are stored: their number is even.
fn seven_signs(bits: u32) -> u8 {
    let bits = bits as u8 & 0x7f;
    bits | (bits.count_ones() as u8 & 1) << 7
}

/// Four bits, two to a byte.
fn nibble(bytes: &[u8], index: usize) -> u8 {
    (bytes[index / 2] >> (4 * (index % 2))) & 0x0f
}
