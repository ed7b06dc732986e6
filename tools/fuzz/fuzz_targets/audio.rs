//! Any bytes as an audio file, and as samples of any format.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sotto_speech::{Audio, PcmFormat, Samples};

/// Far more than an input can hold: ten minutes.
const MOST_SAMPLES: usize = 600 * 16_000;

fuzz_target!(|input: (u32, u16, &[u8])| {
    let (sample_rate, channels, bytes) = input;
    read(Some(Audio::bytes(bytes.to_vec())));
    let floats: Vec<f32> = bytes.as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
    let format = PcmFormat { sample_rate: sample_rate % 200_000, channels: channels % 40 };
    read(Audio::samples(Samples::F32(&floats), format).ok());
});

fn read(audio: Option<Audio>) {
    let Some(mut reader) = audio.and_then(|audio| audio.open().ok()) else { return };
    let mut samples = Vec::new();
    while matches!(reader.read(&mut samples), Ok(true)) && samples.len() < MOST_SAMPLES {}
    assert!(samples.iter().all(|sample| sample.abs() <= 1.0));
}
