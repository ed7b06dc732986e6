//! Recordings for tests and examples.

use std::path::Path;

/// The samples of a WAV file with 16 kHz, one channel and 16 bits, from −1 to 1.
pub fn samples(file: &Path) -> Vec<f32> {
    let bytes = std::fs::read(file).expect("a recording");
    let data = bytes.windows(4).position(|word| word == b"data").expect("samples") + 8;
    let halves = bytes[data..].as_chunks::<2>().0;
    halves.iter().map(|half| f32::from(i16::from_le_bytes(*half)) / 32768.0).collect()
}
