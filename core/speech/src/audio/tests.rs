//! Files of each format, sound and damaged.

use proptest::prelude::*;

use super::wav::wav;
use super::{Audio, PcmFormat, Samples};
use crate::SpeechError;

/// Three tenths of a second of 1 kHz at half of full scale, as other programs encode it: in stereo at 44.1 kHz where sound is lost, else
/// mono at 8 kHz.
const FILES: [(&str, &[u8]); 5] = [
    ("FLAC", include_bytes!("../../tests/audio/tone.flac")),
    ("MP3", include_bytes!("../../tests/audio/tone.mp3")),
    ("M4A with AAC", include_bytes!("../../tests/audio/tone.m4a")),
    ("M4A with ALAC", include_bytes!("../../tests/audio/tone-alac.m4a")),
    ("OGG with Vorbis", include_bytes!("../../tests/audio/tone.ogg")),
];

fn read(audio: Audio) -> Result<Vec<f32>, SpeechError> {
    let (mut reader, mut samples) = (audio.open()?, Vec::new());
    while reader.read(&mut samples)? {}
    assert!(!reader.read(&mut samples)?, "the end stays the end");
    Ok(samples)
}

fn tone(len: usize, sample_rate: u32) -> Vec<f32> {
    let turn = std::f32::consts::TAU * 1000.0 / sample_rate as f32;
    (0..len).map(|i| 0.5 * (turn * i as f32).sin()).collect()
}

/// How much of the sound is a tone of 1 kHz at 16 kHz: its amplitude, whatever its phase.
fn loudness_of_tone(samples: &[f32]) -> f32 {
    let turn = std::f32::consts::TAU / 16.0;
    let part = |wave: fn(f32) -> f32| -> f32 {
        samples.iter().enumerate().map(|(i, sample)| sample * wave(turn * i as f32)).sum::<f32>()
    };
    2.0 * part(f32::sin).hypot(part(f32::cos)) / samples.len() as f32
}

#[test]
fn every_format_is_decoded() {
    for (format, bytes) in FILES {
        let samples = read(Audio::bytes(bytes.to_vec())).unwrap_or_else(|error| panic!("{format}: {error}"));
        let seconds = samples.len() as f64 / 16_000.0;
        assert!((0.29..0.45).contains(&seconds), "{format}: {seconds} s");
        let loudness = loudness_of_tone(&samples[2_000..4_000]);
        assert!((loudness - 0.5).abs() < 0.03, "{format}: {loudness}");
    }
}

#[test]
fn a_wav_file_is_read_as_its_samples() {
    let mono = PcmFormat::default();
    let numbers: Vec<i16> = (0..40_000_i32).map(|i| (i * 1_001 % 65_536 - 32_768) as i16).collect();
    let floats: Vec<f32> = numbers.iter().map(|number| f32::from(*number) / 32_768.0).collect();
    for (samples, format) in [
        (Samples::I16(&numbers), mono),
        (Samples::F32(&floats), mono),
        (Samples::I16(&numbers), PcmFormat { sample_rate: 44_100, channels: 2 }),
        (Samples::F32(&floats), PcmFormat { sample_rate: 8_000, channels: 4 }),
        (Samples::I16(&numbers), PcmFormat { sample_rate: 96_000, channels: 1 }),
    ] {
        let from_file = read(Audio::bytes(wav(samples, format))).unwrap();
        assert_eq!(from_file, read(Audio::samples(samples, format).unwrap()).unwrap(), "{format:?}");
    }
    assert_eq!(read(Audio::bytes(wav(Samples::I16(&numbers), mono))).unwrap(), floats);
}

#[test]
fn a_file_on_disk_is_read_and_one_that_is_not_there_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tone.wav");
    std::fs::write(&path, wav(Samples::F32(&tone(48_000, 48_000)), PcmFormat { sample_rate: 48_000, channels: 1 }))
        .unwrap();
    let reader = Audio::file(&path).open().unwrap();
    assert_eq!(reader.seconds(), Some(1.0));
    let samples = read(Audio::file(&path)).unwrap();
    assert_eq!(samples.len(), 16_000);
    assert!((loudness_of_tone(&samples) - 0.5).abs() < 0.005);
    for missing in [folder.path().join("none.wav"), folder.path().to_owned()] {
        let error = Audio::file(&missing).open().unwrap_err().to_string();
        assert!(error.contains("cannot read"), "{error}");
    }
}

#[test]
fn a_recording_in_memory_that_is_none_is_refused() {
    assert!(matches!(Audio::samples(Samples::F32(&[]), PcmFormat::default()), Err(SpeechError::AudioInvalid { .. })));
    let infinite = Samples::F32(&[0.0, f32::INFINITY]);
    assert!(matches!(Audio::samples(infinite, PcmFormat::default()), Err(SpeechError::AudioInvalid { .. })));
}

#[test]
fn what_is_no_audio_file_is_told() {
    let nan = wav(Samples::F32(&[0.0, f32::NAN, 0.0]), PcmFormat::default());
    let no_samples = wav(Samples::I16(&[]), PcmFormat::default());
    let slow = wav(Samples::I16(&[1; 4_000]), PcmFormat { sample_rate: 4_000, channels: 1 });
    for bytes in
        [vec![], b"GGUF".to_vec(), b"not audio, but a text. ".repeat(500), vec![0; 100_000], nan, no_samples, slow]
    {
        assert!(matches!(read(Audio::bytes(bytes)), Err(SpeechError::AudioInvalid { .. })));
    }
}

#[test]
fn a_recording_that_ends_too_early_is_read_as_far_as_it_goes() {
    let whole = wav(Samples::F32(&tone(32_000, 16_000)), PcmFormat::default());
    let half = read(Audio::bytes(whole[..whole.len() / 2].to_vec())).unwrap();
    assert!((15_000..=16_000).contains(&half.len()), "{}", half.len());
    assert_eq!(half, tone(32_000, 16_000)[..half.len()]);
    // The others are too short to have a beginning that is whole.
    let (format, mp3) = FILES[1];
    let part = read(Audio::bytes(mp3[..mp3.len() * 3 / 4].to_vec())).map(|samples| samples.len());
    assert!(matches!(part, Ok(1_000..=5_000)), "{format}: {part:?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// Any bytes are an error or sound: nothing panics, hangs, or grows without end.
    #[test]
    fn damaged_files_are_sound_or_an_error(
        file in 0..6_usize,
        damage in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..40),
        cut in any::<prop::sample::Index>(),
    ) {
        let mut bytes = match FILES.get(file) {
            Some((_, bytes)) => bytes.to_vec(),
            None => wav(Samples::I16(&[1_000; 3_000]), PcmFormat::default()),
        };
        for (at, byte) in damage {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        bytes.truncate(cut.index(bytes.len()) + 1);
        match read(Audio::bytes(bytes)) {
            Ok(samples) => prop_assert!(samples.len() < 10_000_000 && samples.iter().all(|sample| sample.abs() <= 1.0)),
            Err(SpeechError::AudioInvalid { .. }) => {}
            Err(error) => prop_assert!(false, "{error}"),
        }
    }
}
