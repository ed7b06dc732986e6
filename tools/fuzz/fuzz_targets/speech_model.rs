//! A sound speech model's file with some of its bytes replaced, or cut short: loaded, and used where it can be.
#![no_main]

use std::sync::OnceLock;

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use sotto_speech::{CancelToken, Precision, SpeechError, SpeechModel, SpeechOptions, WindowOptions};

#[allow(dead_code, reason = "the library's tests load it, too")]
#[path = "../../../core/speech/src/small_model.rs"]
mod small_model;

#[derive(Debug, Arbitrary)]
struct Damage {
    edits: Vec<Edit>,
    /// Bytes cut from the end.
    cut: Option<u32>,
    as_in_file: bool,
    /// To hear something takes longer than to load: it is done with one file in eight.
    hears: u8,
}

#[derive(Debug, Arbitrary)]
struct Edit {
    at: Place,
    value: Value,
}

#[derive(Debug, Arbitrary)]
enum Place {
    /// In the magic number and the sizes.
    Sizes(u8),
    /// After the filters: in the vocabulary and the first tensors.
    Vocabulary(u16),
    Anywhere(u32),
}

#[derive(Debug, Arbitrary)]
enum Value {
    Byte(u8),
    Number(u32),
    Float(f32),
}

/// Bytes before the mel filters, and of these.
const SIZES: usize = 56;
const FILTERS: usize = 4 * 80 * 201;

fuzz_target!(|damage: Damage| {
    static SOUND: OnceLock<Vec<u8>> = OnceLock::new();
    let mut bytes = SOUND.get_or_init(small_model::file).clone();
    damage.edits.iter().for_each(|edit| apply(edit, &mut bytes));
    bytes.truncate(bytes.len().saturating_sub(damage.cut.unwrap_or(0) as usize));
    let precision = if damage.as_in_file { Precision::AsInFile } else { Precision::EightBits };
    let options = SpeechOptions { threads: Some(1), kernels: None, precision };
    let cancel = CancelToken::new();
    let model = match SpeechModel::load(small_model::write(&bytes).path(), options, &cancel) {
        Ok(model) => model,
        Err(SpeechError::ModelInvalid { .. } | SpeechError::Unsupported { .. }) => return,
        Err(error) => panic!("{error:?}"),
    };
    if damage.hears.is_multiple_of(8) {
        let mut recognizer = model.recognizer().expect("memory");
        let heard = recognizer.window(&[0.25; 1600], &WindowOptions::default(), &cancel);
        assert!(matches!(heard, Ok(_) | Err(SpeechError::ModelInvalid { .. })), "{heard:?}");
    }
});

fn apply(edit: &Edit, bytes: &mut [u8]) {
    let at = match edit.at {
        Place::Sizes(at) => usize::from(at) % SIZES,
        Place::Vocabulary(at) => SIZES + FILTERS + usize::from(at),
        Place::Anywhere(at) => at as usize % bytes.len(),
    };
    let value = match edit.value {
        Value::Byte(byte) => vec![byte],
        Value::Number(number) => number.to_le_bytes().to_vec(),
        Value::Float(float) => float.to_le_bytes().to_vec(),
    };
    bytes[at..].iter_mut().zip(value).for_each(|(byte, value)| *byte = value);
}
