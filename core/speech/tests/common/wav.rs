//! Recordings for tests and examples.

use std::path::Path;

use sotto_speech::{Converter, PcmFormat, Samples};

/// The samples of a WAV file with one channel and 16 bits, at 16 kHz.
pub fn samples(file: &Path) -> Vec<f32> {
    let bytes = std::fs::read(file).expect("a recording");
    let rate = u32::from_le_bytes(bytes[24..28].try_into().expect("four bytes"));
    let data = bytes.windows(4).position(|word| word == b"data").expect("samples") + 8;
    let halves: Vec<i16> = bytes[data..].as_chunks::<2>().0.iter().map(|half| i16::from_le_bytes(*half)).collect();
    let mut converter = Converter::new(PcmFormat { sample_rate: rate, channels: 1 }).expect("a rate");
    let mut samples = Vec::new();
    converter.push(Samples::I16(&halves), &mut samples).expect("samples");
    converter.finish(&mut samples).expect("samples");
    samples
}
