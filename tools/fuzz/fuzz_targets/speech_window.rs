//! Any samples as a window: spectrogram, encoder, decoder, segments.
#![no_main]

use std::sync::OnceLock;

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use sotto_speech::{
    CancelToken, Language, Precision, SpeechError, SpeechModel, SpeechOptions, Task, WINDOW_SAMPLES, WindowOptions,
};

#[allow(dead_code, reason = "the library's tests take more of it")]
#[path = "../../../core/speech/src/small_model.rs"]
mod small_model;

#[derive(Debug, Arbitrary)]
struct Window {
    samples: Vec<f32>,
    /// How often they are heard in it.
    times: u8,
    language: Option<u8>,
    translate: bool,
    vocabulary: String,
    context: Vec<u32>,
    words: bool,
}

fuzz_target!(|window: Window| {
    static MODEL: OnceLock<SpeechModel> = OnceLock::new();
    let model = MODEL.get_or_init(|| small_model::load(Precision::EightBits));
    let samples = window.samples.repeat(usize::from(window.times));
    let options = WindowOptions {
        language: window.language.and_then(|index| Language::all().nth(usize::from(index) % 99)),
        task: if window.translate { Task::Translate } else { Task::Transcribe },
        vocabulary: window.vocabulary,
        context: window.context,
        words: window.words,
    };
    let mut recognizer = model.recognizer().expect("memory");
    match recognizer.window(&samples, &options, &CancelToken::new()) {
        Ok(heard) => {
            let seconds = samples.len() as f64 / 16_000.0;
            assert!(heard.end > 0.0 && heard.end <= seconds);
            assert!(heard.segments.iter().all(|segment| 0.0 <= segment.start && segment.start <= segment.end));
        }
        Err(SpeechError::AudioInvalid { .. }) => {
            let is_sound = samples.iter().all(|sample| sample.abs() <= 8.0);
            assert!(samples.is_empty() || samples.len() > WINDOW_SAMPLES || !is_sound);
        }
        // The small model knows few languages.
        Err(SpeechError::Unsupported { .. }) => {}
        Err(error) => panic!("{error:?}"),
    }
});
