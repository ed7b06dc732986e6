//! WAV files for tests.

use super::pcm::{PcmFormat, Samples};

/// A WAV file with these samples: 16-bit numbers, or floats.
pub(super) fn wav(samples: Samples<'_>, format: PcmFormat) -> Vec<u8> {
    let (tag, data): (u16, Vec<u8>) = match samples {
        Samples::I16(samples) => (1, samples.iter().flat_map(|sample| sample.to_le_bytes()).collect()),
        Samples::F32(samples) => (3, samples.iter().flat_map(|sample| sample.to_le_bytes()).collect()),
    };
    let sample_bytes: u16 = if tag == 1 { 2 } else { 4 };
    let frame_bytes = sample_bytes * format.channels;
    let mut file = Vec::new();
    file.extend(b"RIFF");
    file.extend((36 + data.len() as u32).to_le_bytes());
    file.extend(b"WAVEfmt \x10\0\0\0");
    file.extend(tag.to_le_bytes());
    file.extend(format.channels.to_le_bytes());
    file.extend(format.sample_rate.to_le_bytes());
    file.extend((format.sample_rate * u32::from(frame_bytes)).to_le_bytes());
    file.extend(frame_bytes.to_le_bytes());
    file.extend((8 * sample_bytes).to_le_bytes());
    file.extend(b"data");
    file.extend((data.len() as u32).to_le_bytes());
    file.extend(data);
    file
}
