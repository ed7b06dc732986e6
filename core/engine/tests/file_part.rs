//! Models in the middle of a file that somebody else has opened.
#![cfg(unix)]

mod common;

use std::fs::{self, File};
use std::os::fd::{AsRawFd, IntoRawFd};
use std::path::Path;
use std::sync::Arc;

use candle_core::quantized::GgmlDType;
use common::TestModel;
use sotto_engine::{
    CancelToken, DecoderOptions, EngineError, FilePart, GgufFile, KvType, LogitRows, Model, ModelOptions, open_packed,
    pack_file,
};

fn gguf(dtype: GgmlDType) -> Vec<u8> {
    let mut model = TestModel::new(4, 2, 64);
    model.dtype = dtype;
    model.with_random_weights().gguf()
}

fn packed(gguf: &[u8], folder: &Path) -> Vec<u8> {
    let target = folder.join("packed.sotto");
    let source = GgufFile::from_bytes(gguf.to_vec()).expect("valid");
    pack_file(&source, "a test", None, &target, &CancelToken::new(), |_, _| {}).expect("packed");
    fs::read(target).expect("readable")
}

fn load(file: GgufFile) -> Model {
    Model::load(Arc::new(file), ModelOptions { threads: Some(2), ..ModelOptions::default() }).expect("loads")
}

fn logits(model: &Model) -> Vec<f32> {
    let mut decoder = model.decoder(DecoderOptions::default()).expect("a decoder");
    let tokens: Vec<u32> = (0..40).map(|i| i * 7 % 131).collect();
    decoder.forward(&tokens, LogitRows::All, &CancelToken::new()).expect("logits").to_vec()
}

/// A file with `model` between other bytes; its descriptor is closed when this returns.
fn part(model: &[u8], offset: usize, folder: &Path) -> FilePart {
    let path = folder.join("package");
    fs::write(&path, [&vec![0xa5; offset], model, &[0x5a; 777]].concat()).expect("written");
    let file = File::open(path).expect("a file");
    FilePart::from_descriptor(file.as_raw_fd(), offset as u64, Some(model.len() as u64))
}

#[test]
fn a_part_is_mapped_wherever_it_begins() {
    let folder = tempfile::tempdir().expect("a folder");
    for dtype in [GgmlDType::F32, GgmlDType::F16, GgmlDType::Q4_0, GgmlDType::Q6K] {
        let gguf = gguf(dtype);
        let expected = logits(&load(GgufFile::from_bytes(gguf.clone()).expect("valid")));
        let packed = packed(&gguf, folder.path());
        for offset in [0, 4, 60, 4096, 65_536 + 12] {
            let model = load(GgufFile::open_part(&part(&packed, offset, folder.path())).expect("opens"));
            let memory = model.memory(64, KvType::F16).expect("fits");
            assert_eq!((memory.mapped_bytes, memory.copied_bytes), (packed.len() as u64, 0), "{dtype:?} at {offset}");
            assert_eq!(logits(&model), expected, "{dtype:?} at {offset}");
            let model = load(GgufFile::open_part(&part(&gguf, offset, folder.path())).expect("opens"));
            assert_eq!(logits(&model), expected, "{dtype:?}, not packed, at {offset}");
        }
    }
}

#[test]
fn a_part_at_an_odd_place_is_copied_and_counted_so() {
    let folder = tempfile::tempdir().expect("a folder");
    let gguf = gguf(GgmlDType::Q4_0);
    let packed = packed(&gguf, folder.path());
    let model = load(GgufFile::open_part(&part(&packed, 6, folder.path())).expect("opens"));
    let memory = model.memory(64, KvType::F16).expect("fits");
    assert_eq!((memory.mapped_bytes, memory.copied_bytes), (0, packed.len() as u64));
    assert_eq!(logits(&model), logits(&load(GgufFile::from_bytes(gguf).expect("valid"))));
}

#[test]
fn without_a_length_a_part_goes_to_the_end() {
    let folder = tempfile::tempdir().expect("a folder");
    let gguf = gguf(GgmlDType::Q4_0);
    let path = folder.path().join("package");
    fs::write(&path, [&[0; 8], &gguf[..]].concat()).expect("written");
    let file = File::open(path).expect("a file");
    let part = FilePart::from_descriptor(file.as_raw_fd(), 8, None);
    assert_eq!(GgufFile::open_part(&part).expect("opens").file_len(), gguf.len() as u64);
}

#[test]
fn a_part_that_is_not_there_is_an_error() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("package");
    fs::write(&path, [0; 100]).expect("written");
    let file = File::open(&path).expect("a file");
    let open = |offset, len| GgufFile::open_part(&FilePart::from_descriptor(file.as_raw_fd(), offset, len));
    for (offset, len) in [(0, Some(0)), (100, None), (0, Some(101)), (60, Some(41)), (u64::MAX, Some(u64::MAX))] {
        assert!(matches!(open(offset, len), Err(EngineError::Invalid { .. })), "{offset} {len:?}");
    }
    let (pipe, _writer) = std::io::pipe().expect("a pipe");
    let closed = 1_000_000;
    for descriptor in [pipe.into_raw_fd(), closed, -1, i32::MIN] {
        let opened = GgufFile::open_part(&FilePart::from_descriptor(descriptor, 0, None));
        assert!(matches!(opened, Err(EngineError::NotFound { .. })), "{descriptor}");
    }
}

#[test]
fn a_part_has_one_packed_copy_whatever_its_descriptor() {
    let folder = tempfile::tempdir().expect("a folder");
    let cache = folder.path().join("cache");
    let gguf = gguf(GgmlDType::Q4_0);
    let first = part(&gguf, 100, folder.path());
    let made =
        open_packed(&first, &cache, |_| Ok::<_, EngineError>(None), &CancelToken::new(), |_, _| {}).expect("packed");
    let again = File::open(folder.path().join("package")).expect("a file");
    let again = FilePart::from_descriptor(again.as_raw_fd(), 100, Some(gguf.len() as u64));
    let packs_again = |_: &GgufFile| -> Result<_, EngineError> { panic!("packed again") };
    let opened = open_packed(&again, &cache, packs_again, &CancelToken::new(), |_, _| {}).expect("opens");
    assert_eq!(logits(&load(opened)), logits(&load(made)));
}
