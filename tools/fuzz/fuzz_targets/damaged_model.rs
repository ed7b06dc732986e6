//! A sound model file, as it is or packed, with some of its bytes replaced, or cut short: loaded and run by the engine, and
//! at times by the SDK.
#![no_main]

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use sotto::{CompletionOptions, LoadOptions, LocalModel, ModelFile, Prompt, SamplingOptions};
use sotto_engine::{CancelToken, DecoderOptions, GgufFile, LogitRows, Model, ModelOptions, pack_file};
use sotto_synth::{Quantization, RopeScaling, Shape, SynthOptions, synthesize};

#[derive(Debug, Arbitrary)]
struct Damage {
    /// Which of the sound models.
    model: u8,
    /// The SDK builds a tokenizer, which is slow to instrument: it gets one file in eight.
    through_sdk: u8,
    edits: Vec<Edit>,
    /// What reads on only where the header's checksum is right.
    right_checksum: bool,
    /// Bytes cut from the end.
    cut: Option<u16>,
    text: String,
}

#[derive(Debug, Arbitrary)]
struct Edit {
    at: u16,
    value: Value,
}

#[derive(Debug, Arbitrary)]
enum Value {
    Byte(u8),
    Number(u32),
    Long(u64),
    Float(f32),
    /// The bytes at another place of the file, which moves whole keys and names about.
    Copy {
        from: u16,
        length: u8,
    },
}

/// Tokens of the models' context.
const CONTEXT: usize = 48;

fuzz_target!(|damage: Damage| {
    let models = sound_models();
    let SoundModel { mut bytes, checksum } = models[usize::from(damage.model) % models.len()].clone();
    damage.edits.iter().for_each(|edit| apply(edit, &mut bytes));
    if let Some(header) = checksum.filter(|_| damage.right_checksum) {
        let start = bytes.len() - TRAILER;
        let right = crc32fast::hash(&bytes[..header]);
        put(&mut bytes, start, &right.to_le_bytes());
    }
    bytes.truncate(bytes.len().saturating_sub(damage.cut.unwrap_or(0).into()));
    if damage.through_sdk.is_multiple_of(8) {
        through_sdk(&bytes, &damage.text);
    } else {
        through_engine(bytes);
    }
});

fn through_engine(bytes: Vec<u8>) {
    let Ok(file) = GgufFile::from_bytes(bytes) else { return };
    let options = ModelOptions { threads: Some(1), ..ModelOptions::default() };
    let Ok(model) = Model::load(Arc::new(file), options) else { return };
    let options = DecoderOptions { context_length: Some(CONTEXT), ..DecoderOptions::default() };
    let Ok(mut decoder) = model.decoder(options) else { return };
    let _ = decoder.forward(&[0, 1, 2], LogitRows::All, &CancelToken::new());
    let _ = decoder.forward(&[u32::MAX], LogitRows::Last, &CancelToken::new());
    let _ = decoder.forward(&[3], LogitRows::Last, &CancelToken::new());
}

fn through_sdk(bytes: &[u8], text: &str) {
    // As a file, since that is how a model comes: it is mapped.
    let path = folder().join("damaged.gguf");
    std::fs::write(&path, bytes).expect("a temporary file can be written");
    let options = LoadOptions { threads: Some(1), ..LoadOptions::default() };
    let model = LocalModel::load_with(ModelFile::path(&path), &options);
    // The mapping stays whole without a name, and the next run must not write into it.
    std::fs::remove_file(&path).expect("a temporary file can be removed");
    let Ok(model) = model else { return };
    let _ = model.inspect(model.context_length());
    let text = text.chars().take(CONTEXT / 2).collect();
    let options = CompletionOptions { sampling: SamplingOptions::default(), max_tokens: 2, format: None };
    let _ = model.complete(Prompt::Text(text), &options).wait();
}

fn apply(edit: &Edit, bytes: &mut [u8]) {
    let at = usize::from(edit.at) % bytes.len();
    match edit.value {
        Value::Byte(value) => put(bytes, at, &[value]),
        Value::Number(value) => put(bytes, at, &value.to_le_bytes()),
        Value::Long(value) => put(bytes, at, &value.to_le_bytes()),
        Value::Float(value) => put(bytes, at, &value.to_le_bytes()),
        Value::Copy { from, length } => {
            let from = usize::from(from) % bytes.len();
            let copied: Vec<u8> = bytes[from..].iter().copied().take(length.into()).collect();
            put(bytes, at, &copied);
        }
    }
}

fn put(bytes: &mut [u8], at: usize, value: &[u8]) {
    bytes[at..].iter_mut().zip(value).for_each(|(byte, value)| *byte = *value);
}

#[derive(Clone)]
struct SoundModel {
    bytes: Vec<u8>,
    /// How many bytes the header's checksum is of, where there is one.
    checksum: Option<usize>,
}

/// Bytes of a packed file's trailer; it begins with the header's checksum.
const TRAILER: usize = 16;

/// Tiny models of several formats, each as it is and packed, made once.
fn sound_models() -> &'static [SoundModel] {
    static MODELS: OnceLock<Vec<SoundModel>> = OnceLock::new();
    MODELS.get_or_init(|| {
        // Rows of 32 fill whole blocks of these only.
        let formats = [Quantization::F32, Quantization::F16, Quantization::Q8_0, Quantization::Q4_0Pure];
        formats.into_iter().flat_map(|format| sound_model(format, folder())).collect()
    })
}

fn sound_model(quantization: Quantization, folder: &Path) -> [SoundModel; 2] {
    let shape = Shape {
        block_count: 1,
        embedding_length: 32,
        feed_forward_length: 32,
        head_count: 2,
        head_count_kv: 1,
        key_length: 16,
        vocab_size: 264 + 32,
        context_length: CONTEXT,
        rope_scaling: RopeScaling::None,
        ..Shape::named("tiny").expect("a known shape")
    };
    let (path, packed) = (folder.join("sound.gguf"), folder.join("sound.sotto"));
    synthesize(&SynthOptions::new(shape, quantization), &path, |_, _| {}).expect("a model can be made");
    let file = GgufFile::open(&path).expect("a sound file");
    pack_file(&file, "sound", None, &packed, &CancelToken::new(), |_, _| {}).expect("it can be packed");
    let read = |path: &Path| std::fs::read(path).expect("it can be read");
    let (bytes, packed) = (read(&path), read(&packed));
    let checksum = u32::from_le_bytes(std::array::from_fn(|i| packed[packed.len() - TRAILER + i]));
    let header = (0..packed.len()).step_by(32).find(|&length| crc32fast::hash(&packed[..length]) == checksum);
    assert!(header.is_some(), "a packed file ends with the checksum of its header");
    [SoundModel { bytes, checksum: None }, SoundModel { bytes: packed, checksum: header }]
}

/// A folder of this process's own.
fn folder() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let folder = std::env::temp_dir().join(format!("sotto-fuzz-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a temporary folder can be made");
        folder
    })
}
