use half::{bf16, f16};

use crate::blocks::*;

/// A weight format that can be turned back into `f32`. Plain numbers are blocks of one weight.
pub trait Dequantize: Copy {
    /// Weights in one block.
    const LEN: usize;

    /// Writes the block's [`Dequantize::LEN`] weights to `out`, which has that length.
    fn dequantize(&self, out: &mut [f32]);
}

/// Writes the weights of a row of blocks to `out`.
///
/// # Panics
/// When `out` is not exactly as long as the blocks' weights.
pub fn dequantize_row<B: Dequantize>(blocks: &[B], out: &mut [f32]) {
    assert_eq!(blocks.len() * B::LEN, out.len(), "row length");
    for (block, out) in blocks.iter().zip(out.chunks_exact_mut(B::LEN)) {
        block.dequantize(out);
    }
}

impl Dequantize for f32 {
    const LEN: usize = 1;

    fn dequantize(&self, out: &mut [f32]) {
        out[0] = *self;
    }
}

impl Dequantize for f16 {
    const LEN: usize = 1;

    fn dequantize(&self, out: &mut [f32]) {
        out[0] = self.to_f32();
    }
}

impl Dequantize for bf16 {
    const LEN: usize = 1;

    fn dequantize(&self, out: &mut [f32]) {
        out[0] = self.to_f32();
    }
}

impl Dequantize for BlockQ4_0 {
    const LEN: usize = QK;

    fn dequantize(&self, out: &mut [f32]) {
        let d = self.d.to_f32();
        let (low, high) = out.split_at_mut(QK / 2);
        for ((q, low), high) in self.qs.iter().zip(low).zip(high) {
            *low = d * f32::from((q & 0x0f) as i8 - 8);
            *high = d * f32::from((q >> 4) as i8 - 8);
        }
    }
}

impl Dequantize for BlockQ4_1 {
    const LEN: usize = QK;

    fn dequantize(&self, out: &mut [f32]) {
        write(out, &self.codes(), |code| self.d.to_f32() * f32::from(code) + self.m.to_f32());
    }
}

impl Dequantize for BlockQ5_0 {
    const LEN: usize = QK;

    fn dequantize(&self, out: &mut [f32]) {
        write(out, &self.codes(), |code| self.d.to_f32() * (f32::from(code) - 16.0));
    }
}

impl Dequantize for BlockQ5_1 {
    const LEN: usize = QK;

    fn dequantize(&self, out: &mut [f32]) {
        write(out, &self.codes(), |code| self.d.to_f32() * f32::from(code) + self.m.to_f32());
    }
}

impl Dequantize for BlockIQ4NL {
    const LEN: usize = QK;

    fn dequantize(&self, out: &mut [f32]) {
        write(out, &self.codes(), |code| self.d.to_f32() * f32::from(IQ4_VALUES[usize::from(code)]));
    }
}

impl Dequantize for BlockMXFP4 {
    const LEN: usize = QK;

    fn dequantize(&self, out: &mut [f32]) {
        write(out, &self.values(), |value| self.scale() * f32::from(value));
    }
}

impl Dequantize for BlockQ8_0 {
    const LEN: usize = QK;

    fn dequantize(&self, out: &mut [f32]) {
        let d = self.d.to_f32();
        for (q, out) in self.qs.iter().zip(out) {
            *out = d * f32::from(*q);
        }
    }
}

impl Dequantize for BlockQ2K {
    const LEN: usize = QK_K;

    fn dequantize(&self, out: &mut [f32]) {
        let (d, dmin) = (self.d.to_f32(), self.dmin.to_f32());
        for ((numbers, codes), out) in self.scales.iter().zip(self.codes().chunks(16)).zip(out.chunks_exact_mut(16)) {
            let (scale, min) = (d * f32::from(numbers & 0x0f), dmin * f32::from(numbers >> 4));
            write(out, codes, |code| scale * f32::from(code) - min);
        }
    }
}

impl Dequantize for BlockQ3K {
    const LEN: usize = QK_K;

    fn dequantize(&self, out: &mut [f32]) {
        for (group, (codes, out)) in self.codes().chunks(16).zip(out.chunks_exact_mut(16)).enumerate() {
            let scale = self.d.to_f32() * (f32::from(self.scale(group)) - 32.0);
            write(out, codes, |code| scale * (f32::from(code) - 4.0));
        }
    }
}

impl Dequantize for BlockIQ4XS {
    const LEN: usize = QK_K;

    fn dequantize(&self, out: &mut [f32]) {
        for (group, out) in out.chunks_exact_mut(QK).enumerate() {
            let scale = self.d.to_f32() * (f32::from(self.scale(group)) - 32.0);
            write(out, &self.codes(group), |code| scale * f32::from(IQ4_VALUES[usize::from(code)]));
        }
    }
}

/// Each is 16 values, times a scale for each 16 weights.
impl<B: Codebook> Dequantize for B {
    const LEN: usize = QK_K;

    fn dequantize(&self, out: &mut [f32]) {
        let Codes { scale, scales, values, codes } = self.unpack();
        for ((scale_code, codes), out) in scales.iter().zip(codes.chunks(16)).zip(out.chunks_exact_mut(16)) {
            let scale = scale * f32::from(2 * scale_code + 1);
            write(out, codes, |code| scale * f32::from(values[usize::from(code)]));
        }
    }
}

/// Writes the weights that codes stand for.
fn write<C: Copy>(out: &mut [f32], codes: &[C], weight: impl Fn(C) -> f32) {
    out.iter_mut().zip(codes).for_each(|(out, &code)| *out = weight(code));
}

impl Dequantize for BlockQ4K {
    const LEN: usize = QK_K;

    fn dequantize(&self, out: &mut [f32]) {
        let (d, dmin) = (self.d.to_f32(), self.dmin.to_f32());
        for (group, out) in out.chunks_exact_mut(32).enumerate() {
            let (scale, min) = k_scale_min(group, &self.scales);
            let (scale, min) = (d * f32::from(scale), dmin * f32::from(min));
            let shift = 4 * (group % 2);
            let qs = &self.qs[group / 2 * 32..][..32];
            for (q, out) in qs.iter().zip(out) {
                *out = scale * f32::from((q >> shift) & 0x0f) - min;
            }
        }
    }
}

impl Dequantize for BlockQ5K {
    const LEN: usize = QK_K;

    fn dequantize(&self, out: &mut [f32]) {
        let (d, dmin) = (self.d.to_f32(), self.dmin.to_f32());
        for (group, out) in out.chunks_exact_mut(32).enumerate() {
            let (scale, min) = k_scale_min(group, &self.scales);
            let (scale, min) = (d * f32::from(scale), dmin * f32::from(min));
            let shift = 4 * (group % 2);
            let qs = &self.qs[group / 2 * 32..][..32];
            for ((q, high), out) in qs.iter().zip(&self.qh).zip(out) {
                let fifth = ((high >> group) & 1) << 4;
                *out = scale * f32::from(((q >> shift) & 0x0f) | fifth) - min;
            }
        }
    }
}

impl Dequantize for BlockQ6K {
    const LEN: usize = QK_K;

    fn dequantize(&self, out: &mut [f32]) {
        let d = self.d.to_f32();
        for (group, out) in out.chunks_exact_mut(32).enumerate() {
            // Four runs of 32 weights in each half of the block; a run shares shifts, and spans two scales.
            let (half, run) = (group / 4, group % 4);
            let low = &self.ql[half * 64 + run % 2 * 32..][..32];
            let high = &self.qh[half * 32..][..32];
            for (i, ((low, high), out)) in low.iter().zip(high).zip(out).enumerate() {
                let low = (low >> (4 * (run / 2))) & 0x0f;
                let high = ((high >> (2 * run)) & 0x03) << 4;
                let scale = d * f32::from(self.scales[group * 2 + i / 16]);
                *out = scale * f32::from((low | high) as i8 - 32);
            }
        }
    }
}
