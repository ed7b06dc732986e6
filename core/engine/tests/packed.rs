//! Packed files: the same logits, mapped; made once, made anew when damaged or stale.

mod common;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use candle_core::quantized::GgmlDType;
use candle_core::quantized::gguf_file::Value;
use common::TestModel;
use common::candle_formats::CANDLE_FORMATS;
use rand::RngExt;
use sotto_engine::{
    CancelToken, DecoderOptions, EngineError, FilePart, GgufFile, KvType, LogitRows, Model, ModelOptions, Replacement,
    open_packed, pack_file,
};
use tempfile::TempDir;

fn model(dtype: GgmlDType) -> Vec<u8> {
    let mut model = TestModel::new(4, 2, 64);
    model.dtype = dtype;
    model.with_random_weights().gguf()
}

/// Nothing is replaced.
fn as_it_is(_: &GgufFile) -> Result<Option<Replacement>, EngineError> {
    Ok(None)
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
        open_packed(&FilePart::open(self.model())?, &self.cache(), as_it_is, cancel, |_, _| {})
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

fn packed(source: &[u8], replacement: Option<&Replacement>, target: &Path) {
    let source = GgufFile::from_bytes(source.to_vec()).expect("a valid file");
    let on_progress = |done, all| assert!(done <= all);
    pack_file(&source, "a test", replacement, target, &CancelToken::new(), on_progress).expect("packed");
}

/// The same packed file, as another version would have written it.
fn of_another_version(packed: &[u8], version: u8) -> Vec<u8> {
    let trailer = packed.len() - 16;
    let checksum = u32::from_le_bytes(packed[trailer..trailer + 4].try_into().expect("four bytes"));
    let header = (0..trailer).step_by(64).find(|&end| crc32fast::hash(&packed[..end]) == checksum);
    let header = header.expect("the trailer begins with the checksum of the header");
    let layout = packed.windows(10).position(|bytes| bytes == b"panels-32-").expect("the name of the layout");
    let mut other = packed.to_vec();
    other[layout + 11] = version;
    let checksum = crc32fast::hash(&other[..header]);
    other[trailer..trailer + 4].copy_from_slice(&checksum.to_le_bytes());
    other
}

#[test]
fn a_packed_model_gives_the_same_logits_to_the_last_bit() {
    for dtype in CANDLE_FORMATS {
        let source = model(dtype);
        let place = Place::with(&source);
        let file = place.open().expect("packed");
        assert!(file.is_packed());
        file.verify_packed(&CancelToken::new()).expect("whole");
        assert_eq!(logits(file), logits(GgufFile::from_bytes(source).expect("valid")), "{dtype:?}");
    }
}

#[test]
fn a_packed_model_of_each_family_gives_the_same_logits_to_the_last_bit() {
    for family in common::FAMILIES {
        let mut model = TestModel::of_family(family);
        model.dtype = GgmlDType::Q8_0;
        let source = model.with_random_weights().gguf();
        let place = Place::with(&source);
        let file = place.open().expect("packed");
        file.verify_packed(&CancelToken::new()).expect("whole");
        assert_eq!(logits(file), logits(GgufFile::from_bytes(source).expect("valid")), "{family}");
    }
}

/// What the layout before this one wrote: Llama's models, which are the same in both.
#[test]
fn a_packed_file_of_the_layout_before_is_read() {
    let source = model(GgmlDType::Q4_0);
    let place = Place::with(&source);
    place.open().expect("packed");
    let packed = fs::read(place.only_copy()).expect("a copy");
    let older = GgufFile::from_bytes(of_another_version(&packed, b'4')).expect("valid");
    assert_eq!(logits(older), logits(GgufFile::from_bytes(source).expect("valid")));
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
    assert_eq!(mapped.copied_bytes, 0);
    // The matrices: all but norms and metadata.
    let share = copied.copied_bytes as f64 / source.len() as f64;
    assert!((0.95..1.05).contains(&share), "{share}");
    assert_eq!(copied.private_bytes, mapped.private_bytes);
}

#[test]
fn a_copy_is_made_once() {
    let place = Place::with(&model(GgmlDType::Q8_0));
    place.open().expect("packed");
    let written = fs::metadata(place.only_copy()).expect("metadata").modified().expect("a time");
    let open_again = |path: &Path, folder: &Path| {
        let part = FilePart::open(path).expect("a file");
        let replacement = |_: &GgufFile| -> Result<_, EngineError> { panic!("packed again") };
        open_packed(&part, folder, replacement, &CancelToken::new(), |_, _| {}).expect("opens");
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
    open_packed(&other, &place.cache(), as_it_is, &CancelToken::new(), |_, _| {}).expect("packed");
    assert_eq!(place.copies().len(), 2);
}

#[test]
fn a_model_that_lies_elsewhere_now_keeps_its_copy() {
    let source = model(GgmlDType::Q4_0);
    let place = Place::with(&source);
    place.open().expect("packed");
    let written = fs::metadata(place.only_copy()).expect("metadata").modified().expect("a time");
    let moved = place.folder.path().join("another container");
    fs::create_dir(&moved).expect("a folder");
    let moved = moved.join("model.gguf");
    fs::rename(place.model(), &moved).expect("moved");
    let open_moved = || {
        let part = FilePart::open(&moved).expect("a file");
        open_packed(&part, &place.cache(), as_it_is, &CancelToken::new(), |_, _| {})
    };
    let file = open_moved().expect("opens");
    assert_eq!(fs::metadata(place.only_copy()).expect("metadata").modified().expect("a time"), written);
    assert_eq!(logits(file), logits(GgufFile::from_bytes(source).expect("valid")));
    // Once the model changes there, the copy goes, as it would have gone where it was.
    fs::write(&moved, model(GgmlDType::Q4_0)).expect("written");
    open_moved().expect("packed");
    place.only_copy();
}

#[test]
fn different_models_of_one_name_have_a_copy_each() {
    let place = Place::with(&model(GgmlDType::Q4_0));
    let elsewhere = place.folder.path().join("elsewhere");
    fs::create_dir(&elsewhere).expect("a folder");
    let other = elsewhere.join("model.gguf");
    let source = model(GgmlDType::Q4_0);
    fs::write(&other, &source).expect("written");
    // Of the same size and the same age.
    let age = fs::metadata(place.model()).expect("metadata").modified().expect("a time");
    fs::File::options().append(true).open(&other).expect("a file").set_modified(age).expect("a time");
    place.open().expect("packed");
    let part = FilePart::open(&other).expect("a file");
    let file = open_packed(&part, &place.cache(), as_it_is, &CancelToken::new(), |_, _| {}).expect("packed");
    assert_eq!(place.copies().len(), 2);
    assert_eq!(logits(file), logits(GgufFile::from_bytes(source).expect("valid")));
    place.open().expect("opens");
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
            assert!(matches!(file.verify_packed(&CancelToken::new()), Err(EngineError::Invalid { .. })), "byte {at}");
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
    assert!(matches!(file.verify_packed(&CancelToken::new()), Err(EngineError::Invalid { .. })));
    let place = Place::with(&source);
    let target = place.folder.path().join("packed.sotto");
    packed(&source, None, &target);
    let bytes = fs::read(&target).expect("readable");
    assert_ne!(bytes[..4], *b"GGUF");
    let again = pack_file(
        &GgufFile::open(&target).expect("valid"),
        "a test",
        None,
        &place.folder.path().join("twice"),
        &CancelToken::new(),
        |_, _| {},
    );
    assert!(matches!(again, Err(EngineError::Invalid { .. })));
}

#[test]
fn files_of_another_version_are_errors_and_made_anew() {
    let place = Place::with(&model(GgmlDType::Q4_0));
    place.open().expect("packed");
    let copy = place.only_copy();
    let current = fs::read(&copy).expect("readable");
    let other = of_another_version(&current, b'1');
    fs::write(&copy, &other).expect("written");
    let error = GgufFile::open(&copy).expect_err("another version");
    assert!(matches!(&error, EngineError::Invalid { why, .. } if why.ends_with("pack the model again")), "{error}");
    let part = FilePart::open(place.model()).expect("a file");
    // It is gone before the new one is made: there may be no room for both.
    let replacement = |_: &GgufFile| -> Result<_, EngineError> {
        assert!(!copy.exists());
        Ok(None)
    };
    open_packed(&part, &place.cache(), replacement, &CancelToken::new(), |_, _| {}).expect("packed anew");
    assert_eq!(fs::read(place.only_copy()).expect("readable"), current);
}

#[test]
fn values_are_replaced_by_another_and_nothing_else_changes() {
    const REPLACED: [&str; 3] = ["b.texts", "b.more", "missing"];
    let mut model = TestModel::new(4, 2, 64);
    for key in &REPLACED[..2] {
        model.metadata.insert((*key).into(), Value::Array(vec![Value::String("one two".into()); 3]));
    }
    for (key, text) in [("a", "before"), ("b.next", "between"), ("c", "behind")] {
        model.metadata.insert(key.into(), Value::String(text.into()));
    }
    let source = model.with_random_weights().gguf();
    let place = Place::with(&source);
    let plain = GgufFile::open(place.model()).expect("valid");
    for key in ["a", "b.texts"] {
        assert!(matches!(plain.words(key), Err(EngineError::Invalid { .. })), "{key} has no numbers");
    }
    let target = place.folder.path().join("packed.sotto");
    for words in [vec![], vec![0, 1, 2, 3, 4, 5, 6, 255]] {
        packed(&source, Some(&Replacement { replaced: &REPLACED, key: "b.words", words: words.clone() }), &target);
        let file = GgufFile::open(&target).expect("valid");
        file.verify_packed(&CancelToken::new()).expect("whole");
        let shared = file.words("b.words").expect("numbers");
        let metadata = file.metadata();
        for key in plain.metadata().keys().filter(|key| !REPLACED.contains(key)) {
            assert!(metadata.contains(key), "{key}");
        }
        assert_eq!(
            metadata.keys().count(),
            plain.metadata().keys().count() + 1,
            "two less; layout, source and words more"
        );
        let texts = ["a", "b.next", "c"].map(|key| metadata.string(key).unwrap());
        assert_eq!(texts, [Some("before"), Some("between"), Some("behind")]);
        assert_eq!(logits(file), logits(GgufFile::open(place.model()).expect("valid")));
        // The file is closed, and its words are still there.
        assert_eq!(shared.as_deref(), Some(&words[..]));
    }
}

#[test]
fn keys_of_packed_files_are_not_taken_over_from_others() {
    let mut model = TestModel::new(4, 2, 64);
    for key in ["sotto.packed.source", "sotto.packed.layout", "b.words"] {
        model.metadata.insert(key.into(), Value::String("something".into()));
    }
    let source = model.with_random_weights().gguf();
    let place = Place::with(&source);
    let target = place.folder.path().join("packed.sotto");
    packed(&source, Some(&Replacement { replaced: &[], key: "b.words", words: vec![1, 2, 3, 4] }), &target);
    let file = GgufFile::open(&target).expect("valid");
    assert_eq!(file.words("b.words").expect("numbers").as_deref(), Some(&[1, 2, 3, 4][..]));
    place.open().expect("packed, and opened");
}

#[test]
fn a_replacement_that_is_not_of_words_is_refused() {
    let place = Place::with(&model(GgmlDType::Q4_0));
    let source = GgufFile::open(place.model()).expect("valid");
    let odd = Replacement { replaced: &[], key: "odd", words: vec![1, 2, 3] };
    let target = place.folder.path().join("packed.sotto");
    let outcome = pack_file(&source, "a test", Some(&odd), &target, &CancelToken::new(), |_, _| {});
    assert!(matches!(outcome, Err(EngineError::Invalid { at, .. }) if at.ends_with("odd")));
    assert!(!target.exists());
}

#[test]
fn who_cannot_give_a_replacement_stops_the_packing() {
    let place = Place::with(&model(GgmlDType::Q4_0));
    let part = FilePart::open(place.model()).expect("a file");
    let refuse = |_: &GgufFile| Err(EngineError::Unsupported { what: "a test".into() });
    let outcome = open_packed(&part, &place.cache(), refuse, &CancelToken::new(), |_, _| {});
    assert!(matches!(outcome, Err(EngineError::Unsupported { .. })));
    assert!(!place.cache().exists());
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
    let outcome = open_packed(&model, &below_a_file, as_it_is, &CancelToken::new(), |_, _| {});
    assert!(matches!(outcome, Err(EngineError::Storage { .. })));
}

#[test]
fn what_a_killed_process_left_goes_and_what_is_being_written_stays() {
    let place = Place::with(&model(GgmlDType::Q4_0));
    fs::create_dir(place.cache()).expect("a folder");
    let unfinished = |name: &str, age: u64| {
        let path = place.cache().join(format!(".sotto-packing-{name}"));
        let file = fs::File::create(&path).expect("created");
        file.set_modified(SystemTime::now() - Duration::from_secs(age)).expect("a time");
        (path, file)
    };
    let (locked, writer) = unfinished("locked", 7200);
    writer.lock().expect("locked");
    let (young, _) = unfinished("young", 1);
    let (left, _) = unfinished("left", 120);
    place.open().expect("packed");
    assert!(locked.exists() && young.exists() && !left.exists());
    // Also when there is nothing to be packed any more.
    unfinished("left", 120);
    drop(writer);
    place.open().expect("opens");
    assert!(!locked.exists() && young.exists() && !left.exists());
    // And in the folder of any packed file.
    let (left, _) = unfinished("left", 120);
    packed(&model(GgmlDType::Q4_0), None, &place.cache().join("packed.sotto"));
    assert!(!left.exists());
}

#[test]
fn while_a_file_is_packed_it_is_not_taken_for_abandoned() {
    let place = Place::with(&model(GgmlDType::Q4_0));
    let part = FilePart::open(place.model()).expect("a file");
    let unfinished = || place.copies().into_iter().find(|path| path.extension().is_none());
    let mut seen = 0;
    open_packed(&part, &place.cache(), as_it_is, &CancelToken::new(), |_, _| {
        let path = unfinished().expect("a file that is being written");
        let age = SystemTime::now() - Duration::from_secs(7200);
        fs::File::options().append(true).open(&path).expect("a file").set_modified(age).expect("a time");
        // Somebody else packs there, too.
        packed(&model(GgmlDType::Q4_0), None, &place.cache().join("another.sotto"));
        assert!(path.exists());
        seen += 1;
    })
    .expect("packed");
    assert!(seen > 0);
}

#[test]
fn a_copy_goes_when_its_model_is_gone_and_another_of_its_name_is_packed() {
    let place = Place::with(&model(GgmlDType::Q4_0));
    place.open().expect("packed");
    let old = place.only_copy();
    // An update of an app: another folder, and another model in it.
    let updated = place.folder.path().join("updated");
    fs::create_dir(&updated).expect("a folder");
    let updated = updated.join("model.gguf");
    fs::write(&updated, model(GgmlDType::Q8_0)).expect("written");
    fs::remove_file(place.model()).expect("removed");
    let part = FilePart::open(&updated).expect("a file");
    open_packed(&part, &place.cache(), as_it_is, &CancelToken::new(), |_, _| {}).expect("packed");
    assert!(place.only_copy() != old);
}

#[test]
fn a_packed_file_goes_where_a_link_leads_and_replaces_nothing_but_files() {
    let source = model(GgmlDType::Q4_0);
    let place = Place::with(&source);
    let (target, link) = (place.folder.path().join("target.sotto"), place.folder.path().join("link.sotto"));
    fs::write(&target, "something").expect("written");
    std::os::unix::fs::symlink(&target, &link).expect("a link");
    packed(&source, None, &link);
    assert!(fs::symlink_metadata(&link).expect("a link").is_symlink());
    GgufFile::open(&target).expect("packed");
    let file = GgufFile::from_bytes(source).expect("valid");
    let pack_to = |target: &Path| pack_file(&file, "a test", None, target, &CancelToken::new(), |_, _| {});
    assert!(matches!(pack_to(place.folder.path()), Err(EngineError::Storage { .. })));
    let socket = place.folder.path().join("socket");
    let _open = std::os::unix::net::UnixListener::bind(&socket).expect("a socket");
    let Err(EngineError::Storage { path, source }) = pack_to(&socket) else { panic!("packed") };
    assert_eq!((path.as_path(), source.to_string().as_str()), (socket.as_path(), "it is a socket, not a file"));
    assert!(!fs::symlink_metadata(&socket).expect("a socket").is_file());
}

/// Its source may be deleted then.
#[test]
fn what_cannot_be_run_is_not_packed() {
    let mut other_family = TestModel::new(4, 2, 64);
    other_family.metadata.insert("general.architecture".into(), Value::String("gpt2".into()));
    let mut unknown_tensor = TestModel::new(4, 2, 64);
    unknown_tensor.tensor("blk.0.ffn_gate_exps", vec![0.0; 256], &[256], GgmlDType::F32);
    for model in [other_family, unknown_tensor] {
        let place = Place::with(&model.with_random_weights().gguf());
        assert!(place.open().is_err());
        let source = GgufFile::open(place.model()).expect("valid");
        let target = place.folder.path().join("packed.sotto");
        assert!(pack_file(&source, "a test", None, &target, &CancelToken::new(), |_, _| {}).is_err());
        assert!(!target.exists() && !place.cache().exists());
    }
}

#[test]
fn a_packed_file_of_a_header_alone_is_an_error() {
    let trailer = [&[0; 8][..], b"SOTTOEND"].concat();
    let header = [&b"SPGF"[..], &3_u32.to_le_bytes(), &[0; 16]].concat();
    let bytes = [header, trailer].concat();
    assert!(matches!(GgufFile::from_bytes(bytes), Err(EngineError::Invalid { .. })));
}
