//! Models in the middle of a file that somebody else has opened.
#![cfg(unix)]

mod common;

use std::fs::{self, File};
use std::os::fd::{AsRawFd, IntoRawFd};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use candle_core::quantized::GgmlDType;
use common::TestModel;
use rand::{RngExt, SeedableRng};
use sotto_engine::{
    CancelToken, DecoderOptions, EngineError, FilePart, GgufFile, KvType, LogitRows, Model, ModelOptions, TensorView,
    open_packed, pack_file,
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

/// The bytes of a GGUF file: little-endian numbers.
fn string(text: &str) -> Vec<u8> {
    [&(text.len() as u64).to_le_bytes()[..], text.as_bytes()].concat()
}

/// One part of a split model as gguf-split writes it; `keys` are the pairs of the whole file, which the first part has.
fn split_part(keys: (u64, &[u8]), split: (u16, u16, i32), tensors: &[(&str, TensorView<'_>, u32)]) -> Vec<u8> {
    let mut file = [&b"GGUF"[..], &3u32.to_le_bytes(), &(tensors.len() as u64).to_le_bytes()].concat();
    file.extend((keys.0 + 3).to_le_bytes());
    file.extend(keys.1);
    let (number, count, all) = split;
    for (key, kind, value) in [
        ("split.no", 2u32, &number.to_le_bytes()[..]),
        ("split.count", 2, &count.to_le_bytes()),
        ("split.tensors.count", 5, &all.to_le_bytes()),
    ] {
        file.extend([&string(key)[..], &kind.to_le_bytes(), value].concat());
    }
    let mut offset = 0u64;
    for (name, tensor, dtype) in tensors {
        file.extend([string(name), (tensor.shape.len() as u32).to_le_bytes().to_vec()].concat());
        tensor.shape.iter().rev().for_each(|&dim| file.extend((dim as u64).to_le_bytes()));
        file.extend([&dtype.to_le_bytes()[..], &offset.to_le_bytes()].concat());
        offset = (offset + tensor.bytes.len() as u64).next_multiple_of(32);
    }
    for (_, tensor, _) in tensors {
        file.resize(file.len().next_multiple_of(32), 0);
        file.extend(tensor.bytes);
    }
    file
}

/// A folder with a model in one file and in several.
struct Split {
    folder: tempfile::TempDir,
    whole: Vec<u8>,
    parts: u16,
}

impl Split {
    /// `tensors_in_first` is 0 for a first part that has the metadata alone.
    fn new(parts: u16, tensors_in_first: usize) -> Self {
        let split = Self { folder: tempfile::tempdir().expect("a folder"), whole: gguf(GgmlDType::F32), parts };
        let file = GgufFile::from_bytes(split.whole.clone()).expect("valid");
        let tensors: Vec<_> = file.tensor_names().map(|name| (name, file.tensor(name).expect("a tensor"), 0)).collect();
        let keys = split.keys();
        let (first, rest) = tensors.split_at(tensors_in_first);
        let each = rest.len().div_ceil(usize::from(parts) - 1);
        for number in 0..parts {
            let (keys, tensors) = match number {
                0 => ((keys.0, &keys.1[..]), first),
                _ => ((0, &[][..]), rest.chunks(each).nth(usize::from(number) - 1).expect("tensors for each")),
            };
            let bytes = split_part(keys, (number, parts, file.tensor_names().count() as i32), tensors);
            fs::write(split.path(number + 1), bytes).expect("written");
        }
        split
    }

    /// How many key-value pairs the whole file has, and their bytes.
    fn keys(&self) -> (u64, Vec<u8>) {
        let count = u64::from_le_bytes(self.whole[16..24].try_into().expect("eight bytes"));
        let first_tensor = string("blk.0.attn_k.weight");
        let end = self.whole.windows(first_tensor.len()).position(|bytes| bytes == first_tensor);
        (count, self.whole[24..end.expect("the first tensor, by name")].to_vec())
    }

    /// Counted from 1.
    fn path(&self, part: u16) -> PathBuf {
        self.folder.path().join(format!("model-{part:05}-of-{:05}.gguf", self.parts))
    }

    fn edit(&self, part: u16, edit: impl FnOnce(&mut Vec<u8>)) {
        let mut bytes = fs::read(self.path(part)).expect("readable");
        edit(&mut bytes);
        fs::write(self.path(part), bytes).expect("written");
    }
}

/// Puts `bytes` behind a key of two bytes that is a number.
fn set_key(file: &mut [u8], key: &str, bytes: &[u8]) {
    let at = file.windows(key.len()).position(|window| window == key.as_bytes()).expect("the key") + key.len() + 4;
    file[at..at + bytes.len()].copy_from_slice(bytes);
}

#[test]
fn a_split_model_is_opened_from_any_of_its_parts() {
    for (parts, in_first) in [(2, 0), (3, 0), (2, 20), (4, 3)] {
        let split = Split::new(parts, in_first);
        let expected = logits(&load(GgufFile::from_bytes(split.whole.clone()).expect("valid")));
        let mut total = 0;
        for part in 1..=parts {
            total += fs::metadata(split.path(part)).expect("a file").len();
            let file = GgufFile::open(split.path(part)).expect("opens");
            assert_eq!(file.metadata().string("general.architecture").expect("a string"), Some("llama"));
            assert_eq!(logits(&load(file)), expected, "part {part} of {parts}");
        }
        assert_eq!(GgufFile::open(split.path(1)).expect("opens").file_len(), total);
    }
}

#[test]
fn a_split_model_has_one_packed_copy_which_goes_when_any_part_changes() {
    let split = Split::new(3, 2);
    let cache = split.folder.path().join("cache");
    let copies = || fs::read_dir(&cache).expect("a folder").count();
    let open = |part: u16| {
        let part = FilePart::open(split.path(part)).expect("a file");
        open_packed(&part, &cache, |_| Ok::<_, EngineError>(None), &CancelToken::new(), |_, _| {}).expect("opens")
    };
    let expected = logits(&load(GgufFile::from_bytes(split.whole.clone()).expect("valid")));
    let packed = open(2);
    assert!(packed.is_packed() && !packed.metadata().contains("split.count"));
    assert_eq!(logits(&load(packed)), expected);
    open(1);
    open(3);
    assert_eq!(copies(), 1);
    // A weight of the first token's row in the embedding, which is the last tensor.
    split.edit(3, |bytes| {
        let first_row = bytes.len() - 131 * 256 * 4;
        bytes[first_row + 3] ^= 0x40;
    });
    assert!(logits(&load(open(1))) != expected);
    assert_eq!(copies(), 1);
}

#[track_caller]
fn assert_refused(split: &Split, part: u16, expected_place: &str, expected_words: &str) {
    let (place, words) = match GgufFile::open(split.path(part)) {
        Err(EngineError::Invalid { at, why }) => (at, why),
        Err(EngineError::NotFound { path, source }) => (path.display().to_string(), source.to_string()),
        other => panic!("{other:?}"),
    };
    assert!(place.contains(expected_place) && words.contains(expected_words), "{place}: {words}");
}

#[test]
fn a_split_model_with_a_part_that_does_not_fit_is_told_which() {
    let missing = Split::new(3, 1);
    fs::remove_file(missing.path(2)).expect("removed");
    for part in [1, 3] {
        assert_refused(
            &missing,
            part,
            "model-00002-of-00003.gguf",
            "there is no such file (it is part 2 of 3 of the model)",
        );
    }
    let cut = Split::new(3, 1);
    cut.edit(2, |bytes| bytes.truncate(bytes.len() - 1000));
    assert_refused(&cut, 3, "part 2 of 3, the end", "unfinished");

    let other = Split::new(3, 1);
    other.edit(2, |bytes| set_key(bytes, "split.no", &[2, 0]));
    assert_refused(&other, 1, "part 2 of 3", "says that it is part 3 of 3");
    other.edit(2, |bytes| set_key(bytes, "split.no", &[1, 0]));
    other.edit(2, |bytes| set_key(bytes, "split.tensors.count", &[9]));
    assert_refused(&other, 1, "part 2 of 3", "with 9 tensors: it belongs to another model");
    fs::write(other.path(2), &other.whole).expect("written");
    assert_refused(&other, 1, "part 2 of 3", "not part of a split model");
    fs::copy(other.path(3), other.path(2)).expect("copied");
    assert_refused(&other, 1, "part 2 of 3", "says that it is part 3 of 3");

    // Two parts of one number, by their own words: tensors occur twice.
    let twice = Split::new(3, 1);
    fs::copy(twice.path(3), twice.path(2)).expect("copied");
    twice.edit(2, |bytes| set_key(bytes, "split.no", &[1, 0]));
    assert_refused(&twice, 1, "tensor ", "two parts contain it");

    // Each part says how many tensors all have; together they have others.
    let fewer = Split::new(3, 1);
    (1..=3).for_each(|part| fewer.edit(part, |bytes| set_key(bytes, "split.tensors.count", &[200])));
    assert_refused(&fewer, 1, "split.tensors.count", "but should have 200: one belongs to another model");

    let renamed = Split::new(2, 1);
    let name = renamed.folder.path().join("model.gguf");
    fs::rename(renamed.path(1), &name).expect("renamed");
    match GgufFile::open(&name) {
        Err(EngineError::Invalid { why, .. }) => assert!(why.contains("-00001-of-00002.gguf"), "{why}"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_split_model_without_names_is_refused() {
    let split = Split::new(2, 1);
    let first = File::open(split.path(1)).expect("a file");
    let bytes = fs::read(split.path(1)).expect("readable");
    for refused in
        [GgufFile::open_part(&FilePart::from_descriptor(first.as_raw_fd(), 0, None)), GgufFile::from_bytes(bytes)]
    {
        match refused {
            Err(EngineError::Unsupported { what }) => assert!(what.contains("a model in 2 files"), "{what}"),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn hostile_headers_of_parts_are_errors() {
    let split = Split::new(3, 2);
    let wholes: Vec<_> = (1..=3).map(|part| fs::read(split.path(part)).expect("readable")).collect();
    // Keys of 32 bits in place of 16, with the worst numbers; the largest means none.
    const LARGEST: u32 = u32::MAX - 1;
    for (number, count) in [(0, LARGEST), (LARGEST, LARGEST), (3, 3), (u32::MAX, 3), (1 << 31, 1 << 31)] {
        let mut part = [&b"GGUF"[..], &3u32.to_le_bytes(), &0u64.to_le_bytes(), &2u64.to_le_bytes()].concat();
        for (key, value) in [("split.no", number), ("split.count", count)] {
            part.extend([&string(key)[..], &4u32.to_le_bytes(), &value.to_le_bytes()].concat());
        }
        let named = split.folder.path().join(format!("worst-{:05}-of-{count:05}.gguf", u64::from(number) + 1));
        fs::write(&named, &part).expect("written");
        fs::write(split.path(2), &part).expect("written");
        for path in [named, split.path(1), split.path(2)] {
            let opened = GgufFile::open(&path);
            assert!(matches!(opened, Err(EngineError::Invalid { .. } | EngineError::NotFound { .. })), "{opened:?}");
        }
    }
    // A part that is another one's link.
    fs::remove_file(split.path(2)).expect("removed");
    std::os::unix::fs::symlink(split.path(1), split.path(2)).expect("a link");
    assert_refused(&split, 1, "part 2 of 3", "says that it is part 1 of 3");
    fs::remove_file(split.path(2)).expect("removed");

    let seed: u64 = rand::random();
    println!("seed {seed}");
    let mut random = rand::rngs::StdRng::seed_from_u64(seed);
    wholes.iter().zip(1..).for_each(|(bytes, part)| fs::write(split.path(part), bytes).expect("written"));
    for _ in 0..100 {
        let part = random.random_range(1..=3);
        let mut bytes = wholes[usize::from(part) - 1].clone();
        for _ in 0..random.random_range(1..4) {
            let at = random.random_range(0..1500.min(bytes.len()));
            bytes[at] = random.random();
        }
        fs::write(split.path(part), bytes).expect("written");
        if let Ok(file) = GgufFile::open(split.path(random.random_range(1..=3))) {
            let _ = Model::load(Arc::new(file), ModelOptions { threads: Some(1), ..ModelOptions::default() });
        }
        fs::write(split.path(part), &wholes[usize::from(part) - 1]).expect("written");
    }
}
