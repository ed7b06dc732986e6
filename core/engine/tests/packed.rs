//! Packed files: the same logits, mapped; made once, made anew when damaged or stale.

mod common;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use candle_core::quantized::GgmlDType;
use common::TestModel;
use rand::RngExt;
use sotto_engine::{
    CancelToken, DecoderOptions, EngineError, FilePart, GgufFile, KvType, LogitRows, Model, ModelOptions, open_packed,
    pack_file,
};
use tempfile::TempDir;

const FORMATS: [GgmlDType; 8] = [
    GgmlDType::F32,
    GgmlDType::F16,
    GgmlDType::BF16,
    GgmlDType::Q4_0,
    GgmlDType::Q8_0,
    GgmlDType::Q4K,
    GgmlDType::Q5K,
    GgmlDType::Q6K,
];

fn model(dtype: GgmlDType) -> Vec<u8> {
    let mut model = TestModel::new(4, 2, 64);
    model.dtype = dtype;
    model.with_random_weights().gguf()
}

fn logits(file: GgufFile) -> Vec<f32> {
    let model =
        Model::load(Arc::new(file), ModelOptions { threads: Some(2), ..ModelOptions::default() }).expect("loads");
    let mut decoder = model.decoder(DecoderOptions::default()).expect("a decoder");
    let tokens: Vec<u32> = (0..40).map(|i| i * 7 % 131).collect();
    decoder.forward(&tokens, LogitRows::All, &CancelToken::new()).expect("logits").to_vec()
}

/// A folder with a model file, and an empty folder for packed copies in it.
struct Place {
    folder: TempDir,
}

impl Place {
    fn with(model: &[u8]) -> Self {
        let place = Self { folder: tempfile::tempdir().expect("a folder") };
        fs::write(place.model(), model).expect("written");
        place
    }

    fn model(&self) -> PathBuf {
        self.folder.path().join("model.gguf")
    }

    fn cache(&self) -> PathBuf {
        self.folder.path().join("cache")
    }

    fn open(&self) -> Result<GgufFile, EngineError> {
        self.open_with(&CancelToken::new())
    }

    fn open_with(&self, cancel: &CancelToken) -> Result<GgufFile, EngineError> {
        open_packed(&FilePart::open(self.model())?, &self.cache(), cancel, |_, _| {})
    }

    fn copies(&self) -> Vec<PathBuf> {
        fs::read_dir(self.cache()).expect("a folder").map(|entry| entry.expect("an entry").path()).collect()
    }

    fn only_copy(&self) -> PathBuf {
        let copies = self.copies();
        assert_eq!(copies.len(), 1, "{copies:?}");
        copies[0].clone()
    }
}

fn packed(source: &[u8], target: &Path) {
    let source = GgufFile::from_bytes(source.to_vec()).expect("a valid file");
    pack_file(&source, "a test", target, &CancelToken::new(), |done, all| assert!(done <= all)).expect("packed");
}

#[test]
fn a_packed_model_gives_the_same_logits_to_the_last_bit() {
    for dtype in FORMATS {
        let source = model(dtype);
        let place = Place::with(&source);
        let file = place.open().expect("packed");
        assert!(file.is_packed());
        file.verify_packed().expect("whole");
        assert_eq!(logits(file), logits(GgufFile::from_bytes(source).expect("valid")), "{dtype:?}");
    }
}

#[test]
fn a_packed_model_is_mapped_and_an_ordinary_one_is_copied() {
    let source = model(GgmlDType::Q4_0);
    let place = Place::with(&source);
    let load = |file| {
        Model::load(Arc::new(file), ModelOptions::default())
            .expect("loads")
            .memory(64, KvType::F16)
            .expect("a width that fits")
    };
    let (mapped, copied) = (load(place.open().expect("packed")), load(GgufFile::open(place.model()).expect("valid")));
    assert_eq!(copied.mapped_bytes, 0);
    assert!(mapped.mapped_bytes > source.len() as u64);
    assert_eq!((copied.copied_bytes, mapped.copied_bytes), (source.len() as u64, 0));
    assert_eq!(copied.private_bytes, mapped.private_bytes);
}

#[test]
fn a_copy_is_made_once() {
    let place = Place::with(&model(GgmlDType::Q8_0));
    place.open().expect("packed");
    let written = fs::metadata(place.only_copy()).expect("metadata").modified().expect("a time");
    let open_again = |path: &Path, folder: &Path| {
        let part = FilePart::open(path).expect("a file");
        open_packed(&part, folder, &CancelToken::new(), |_, _| panic!("packed again")).expect("opens");
    };
    open_again(&place.model(), &place.cache());
    assert_eq!(fs::metadata(place.only_copy()).expect("metadata").modified().expect("a time"), written);
    // A packed file is opened as it is, wherever it lies.
    let elsewhere = place.folder.path().join("nowhere");
    open_again(&place.only_copy(), &elsewhere);
    assert!(!elsewhere.exists());
}

#[test]
fn a_changed_model_is_packed_anew_and_the_old_copy_goes() {
    let place = Place::with(&model(GgmlDType::Q4_0));
    place.open().expect("packed");
    let old = place.only_copy();
    let source = model(GgmlDType::Q4_0);
    fs::write(place.model(), &source).expect("written");
    let file = place.open().expect("packed");
    assert_ne!(place.only_copy(), old);
    assert_eq!(logits(file), logits(GgufFile::from_bytes(source).expect("valid")));
}

#[test]
fn a_copy_of_another_model_stays() {
    let place = Place::with(&model(GgmlDType::Q4_0));
    place.open().expect("packed");
    let other = place.folder.path().join("other.gguf");
    fs::write(&other, model(GgmlDType::Q8_0)).expect("written");
    let other = FilePart::open(other).expect("a file");
    open_packed(&other, &place.cache(), &CancelToken::new(), |_, _| {}).expect("packed");
    assert_eq!(place.copies().len(), 2);
}

#[test]
fn damaged_copies_are_errors_and_made_anew() {
    let source = model(GgmlDType::Q6K);
    let place = Place::with(&source);
    place.open().expect("packed");
    let copy = place.only_copy();
    let whole = fs::read(&copy).expect("readable");
    let mut rng = rand::rng();
    let ends = [0, 1, 3, 4, 23, 24, 100, whole.len() - 17, whole.len() - 16, whole.len() - 1];
    for end in ends.into_iter().chain((0..100).map(|_| rng.random_range(0..whole.len()))) {
        let cut = whole[..end].to_vec();
        assert!(matches!(GgufFile::from_bytes(cut), Err(EngineError::Invalid { .. })), "cut at {end}");
    }
    for _ in 0..300 {
        let at = rng.random_range(0..whole.len());
        let mut bytes = whole.clone();
        bytes[at] ^= 1 << rng.random_range(0..8);
        if let Ok(file) = GgufFile::from_bytes(bytes) {
            assert!(matches!(file.verify_packed(), Err(EngineError::Invalid { .. })), "byte {at}");
        }
    }
    fs::write(&copy, &whole[..whole.len() / 2]).expect("written");
    assert_eq!(logits(place.open().expect("packed anew")), logits(GgufFile::from_bytes(source).expect("valid")));
}

#[test]
fn an_ordinary_file_does_not_pass_for_a_packed_one_nor_the_reverse() {
    let source = model(GgmlDType::Q4_0);
    let file = GgufFile::from_bytes(source.clone()).expect("valid");
    assert!(!file.is_packed());
    assert!(matches!(file.verify_packed(), Err(EngineError::Invalid { .. })));
    let place = Place::with(&source);
    let target = place.folder.path().join("packed.sotto");
    packed(&source, &target);
    let bytes = fs::read(&target).expect("readable");
    assert_ne!(bytes[..4], *b"GGUF");
    let again = pack_file(
        &GgufFile::open(&target).expect("valid"),
        "a test",
        &place.folder.path().join("twice"),
        &CancelToken::new(),
        |_, _| {},
    );
    assert!(matches!(again, Err(EngineError::Invalid { .. })));
}

#[test]
fn what_is_cancelled_or_cannot_be_written_leaves_nothing() {
    let place = Place::with(&model(GgmlDType::Q4_0));
    let cancel = CancelToken::new();
    cancel.cancel();
    let outcome = place.open_with(&cancel);
    assert!(matches!(outcome, Err(EngineError::Cancelled)));
    assert!(place.copies().is_empty());
    let below_a_file = place.model().join("cache");
    let model = FilePart::open(place.model()).expect("a file");
    let outcome = open_packed(&model, &below_a_file, &CancelToken::new(), |_, _| {});
    assert!(matches!(outcome, Err(EngineError::Storage { .. })));
}

#[test]
fn what_a_killed_process_left_goes_after_an_hour() {
    let place = Place::with(&model(GgmlDType::Q4_0));
    fs::create_dir(place.cache()).expect("a folder");
    let (old, new) = (place.cache().join(".sotto-packing-old"), place.cache().join(".sotto-packing-new"));
    for (path, age) in [(&old, 7200), (&new, 60)] {
        let file = fs::File::create(path).expect("created");
        file.set_modified(SystemTime::now() - Duration::from_secs(age)).expect("a time");
    }
    place.open().expect("packed");
    assert!(!old.exists() && new.exists());
}

#[test]
fn weights_in_a_format_without_kernels_are_refused() {
    let place = Place::with(&model(GgmlDType::Q5_0));
    assert!(matches!(place.open(), Err(EngineError::Unsupported { .. })));
    assert!(!place.cache().exists());
}
