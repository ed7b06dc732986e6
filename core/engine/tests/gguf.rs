//! What the reader and the loader say about files that are not as they should be.

mod common;

use std::sync::Arc;

use candle_core::quantized::GgmlDType;
use candle_core::quantized::gguf_file::Value;
use common::TestModel;
use sotto_engine::{
    CancelToken, DType, EngineError, FileKind, GgufFile, LogitRows, Model, ModelConfig, ModelOptions, RopeScaling,
};

/// GGUF's numbers of value types.
const U8: u32 = 0;
const U32: u32 = 4;
const BOOL: u32 = 7;
const STRING: u32 = 8;
const ARRAY: u32 = 9;

/// A file written byte by byte.
#[derive(Clone)]
struct Raw(Vec<u8>);

impl Raw {
    fn new(version: u32, tensors: u64, keys: u64) -> Self {
        Self(b"GGUF".to_vec()).u32(version).u64(tensors).u64(keys)
    }

    fn bytes(mut self, bytes: &[u8]) -> Self {
        self.0.extend_from_slice(bytes);
        self
    }

    fn u32(self, value: u32) -> Self {
        self.bytes(&value.to_le_bytes())
    }

    fn u64(self, value: u64) -> Self {
        self.bytes(&value.to_le_bytes())
    }

    fn string(self, text: &[u8]) -> Self {
        self.u64(text.len() as u64).bytes(text)
    }

    fn key(self, key: &str, kind: u32) -> Self {
        self.string(key.as_bytes()).u32(kind)
    }

    /// A tensor's entry; dimensions innermost first, as in the file.
    fn tensor(self, name: &str, dims: &[u64], dtype: u32, offset: u64) -> Self {
        let raw = self.string(name.as_bytes()).u32(dims.len() as u32);
        dims.iter().fold(raw, |raw, dim| raw.u64(*dim)).u32(dtype).u64(offset)
    }

    /// Pads the header and adds `len` bytes of tensors.
    fn data(mut self, len: usize) -> Self {
        let start = self.0.len().next_multiple_of(32);
        self.0.resize(start + len, 0);
        self
    }

    fn open(self) -> Result<GgufFile, EngineError> {
        GgufFile::from_bytes(self.0)
    }
}

#[track_caller]
fn assert_invalid<T>(result: Result<T, EngineError>, at_part: &str) {
    match result.map(|_| "accepted") {
        Err(EngineError::Invalid { at, why }) => {
            assert!(at.contains(at_part), "the place is {at:?} ({why}), {at_part:?} was expected");
        }
        other => panic!("{other:?}"),
    }
}

#[track_caller]
fn assert_unsupported<T>(result: Result<T, EngineError>, what_part: &str) {
    match result.map(|_| "accepted") {
        Err(EngineError::Unsupported { what }) => assert!(what.contains(what_part), "{what:?}, {what_part:?} expected"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn not_a_model_file() {
    let missing = GgufFile::open("/nowhere/model.gguf");
    assert!(matches!(missing, Err(EngineError::NotFound { .. })));
    let folder = tempfile::tempdir().expect("a folder");
    assert!(matches!(GgufFile::open(folder.path()), Err(EngineError::NotFound { .. })));
    let empty = folder.path().join("empty.gguf");
    std::fs::write(&empty, []).expect("a file");
    assert_invalid(GgufFile::open(&empty), "byte 0");
    assert_invalid(GgufFile::from_bytes(&b""[..]), "byte 0");
    assert_invalid(GgufFile::from_bytes(&b"some other file"[..]), "byte 0");
    assert_invalid(Raw::new(0, 0, 0).open(), "byte 4");
    assert_unsupported(Raw::new(1, 0, 0).open(), "version 1");
    assert_unsupported(Raw::new(4, 0, 0).open(), "version 4");
    assert_unsupported(Raw::new(3u32.swap_bytes(), 0, 0).open(), "big-endian");
    for version in [2, 3] {
        let file = Raw::new(version, 0, 0).open().expect("a file without content");
        assert_eq!(file.version(), version);
        assert_invalid(Model::load(Arc::new(file), ModelOptions::default()), "general.architecture");
    }
}

#[test]
fn a_file_cut_at_any_byte() {
    let mut model = TestModel::new(2, 1, 32);
    (model.hidden_size, model.intermediate_size, model.num_layers, model.vocab_size) = (32, 32, 1, 8);
    let words = ["a", "b", "", "longer"].map(|word| Value::String(word.into()));
    model.metadata.insert("tokenizer.ggml.tokens".into(), Value::Array(words.to_vec()));
    let model = model.with_random_weights();
    let whole = model.gguf();
    let file = GgufFile::from_bytes(whole.clone()).expect("the whole file is valid");
    let last = file.tensor_names().map(|name| file.tensor(name).expect("a tensor").bytes.as_ptr_range().end).max();
    let used = last.expect("tensors").addr() - file_start(&file, &whole);
    for len in 0..used {
        match GgufFile::from_bytes(whole[..len].to_vec()) {
            Err(EngineError::Invalid { .. }) => {}
            other => panic!("cut at byte {len} of {used}: {:?}", other.map(|_| "accepted")),
        }
    }
}

/// Address of the file's first byte, found by a tensor's content.
fn file_start(file: &GgufFile, whole: &[u8]) -> usize {
    let tensor = file.tensor("token_embd.weight").expect("a tensor").bytes;
    let offset = whole.windows(tensor.len()).position(|window| window == tensor).expect("the tensor's bytes");
    tensor.as_ptr().addr() - offset
}

#[test]
fn absurd_counts_and_lengths() {
    assert_invalid(Raw::new(3, u64::MAX, 0).open(), "byte 24");
    assert_invalid(Raw::new(3, 0, u64::MAX).open(), "byte 24");
    assert_invalid(Raw::new(3, 0, 1).u64(u64::MAX).open(), "byte 32");
    assert_invalid(Raw::new(3, 0, 1).key("k", STRING).u64(u64::MAX).open(), "metadata key k");
    assert_invalid(Raw::new(3, 0, 1).key("k", ARRAY).u32(U32).u64(u64::MAX).open(), "metadata key k");
    assert_invalid(Raw::new(3, 0, 1).key("k", ARRAY).u32(STRING).u64(1 << 20).open(), "metadata key k");
    // A byte a piece in the file, 32 decoded: refused although the file is long enough.
    let many = 5 << 20;
    let bytes = Raw::new(3, 0, 1).key("k", ARRAY).u32(U8).u64(many).bytes(&vec![0; many as usize]);
    assert_invalid(bytes.open(), "metadata key k");
    // The same in parts.
    let part = vec![0; 1 << 20];
    let parts = (0..5)
        .fold(Raw::new(3, 0, 5), |raw, i| raw.key(&format!("k{i}"), ARRAY).u32(U8).u64(part.len() as u64).bytes(&part));
    assert_invalid(parts.open(), "metadata key k4");
}

#[test]
fn broken_metadata() {
    let one = || Raw::new(3, 0, 1);
    let nested = |depth: usize| (0..depth).fold(one().key("k", ARRAY), |raw, _| raw.u32(ARRAY).u64(1));
    assert_unsupported(nested(9).u32(U8).u64(0).open(), "nested");
    assert_invalid(nested(1).u32(U8).u64(1 << 40).open(), "metadata key k");
    assert_invalid(nested(1).u32(77).u64(1).open(), "metadata key k");
    assert_invalid(one().key("k", 13).u64(0).open(), "metadata key k");
    assert_invalid(one().key("", BOOL).bytes(&[1]).open(), "byte 24");
    assert_invalid(one().string(b"\xff\xfe").u32(BOOL).bytes(&[1]).open(), "byte 24");
    assert_invalid(one().string(b"key\0").u32(BOOL).bytes(&[1]).open(), "byte 24");
    assert_invalid(one().string(&[b'k'; 70_000]).u32(BOOL).bytes(&[1]).open(), "byte 24");
    let twice = Raw::new(3, 0, 2).key("k", BOOL).bytes(&[1]).key("k", BOOL).bytes(&[1]);
    assert_invalid(twice.open(), "metadata key k");
    for alignment in [0, 24, 1 << 22] {
        assert_invalid(one().key("general.alignment", U32).u32(alignment).open(), "general.alignment");
    }
    assert_unsupported(one().key("general.alignment", U32).u32(2).open(), "multiples of 2 bytes");
    assert_invalid(one().key("general.alignment", STRING).string(b"32").open(), "general.alignment");
}

#[test]
fn broken_tensors() {
    let one = || Raw::new(3, 1, 0);
    let f32s = |dims: &[u64], offset| one().tensor("t", dims, 0, offset).data(256).open();
    assert!(f32s(&[8, 8], 0).is_ok());
    assert!(f32s(&[8, 4, 2], 0).is_ok());
    assert_invalid(f32s(&[], 0), "tensor t");
    assert_invalid(f32s(&[1, 1, 1, 1, 1], 0), "tensor t");
    assert_invalid(f32s(&[8, 9], 0), "the end");
    assert_invalid(f32s(&[8, 8], 32), "the end");
    assert_invalid(f32s(&[8, 4], 4), "tensor t");
    assert_invalid(f32s(&[8, 8], u64::MAX - 31), "tensor t");
    assert_invalid(f32s(&[u64::MAX, 1], 0), "tensor t");
    assert_invalid(f32s(&[1 << 32, 1 << 32], 0), "tensor t");
    assert_invalid(f32s(&[1 << 31, 1 << 31, 1], 0), "tensor t");
    assert_invalid(one().tensor("t", &[33, 1], 2, 0).data(256).open(), "tensor t");
    assert_invalid(one().tensor("t", &[128, 1], 12, 0).data(256).open(), "tensor t");
    assert_unsupported(one().tensor("t", &[256, 1], 15, 0).data(512).open(), "Q8_K");
    assert_unsupported(one().tensor("t", &[256, 1], 999, 0).data(256).open(), "999");
    assert_invalid(one().tensor("", &[8], 0, 0).data(256).open(), "byte 24");
    assert_invalid(one().tensor(&"t".repeat(65), &[8], 0, 0).data(256).open(), "byte 24");

    let two = |first, second, offset| Raw::new(3, 2, 0).tensor(first, &[16], 0, 0).tensor(second, &[16], 0, offset);
    assert!(two("a", "b", 64).data(128).open().is_ok());
    assert_invalid(two("a", "b", 32).data(128).open(), "tensor b");
    assert_invalid(two("a", "b", 0).data(128).open(), "tensor b");
    assert_invalid(two("a", "a", 64).data(128).open(), "tensor a");
}

/// What real files have, and no model needs: it refuses none.
#[test]
fn what_does_not_matter_is_passed_over() {
    let odd = Raw::new(3, 0, 6)
        .key("nested", ARRAY)
        .u32(ARRAY)
        .u64(2)
        .bytes(&[&U32.to_le_bytes()[..], &1u64.to_le_bytes(), &[1, 2, 3, 4], &BOOL.to_le_bytes()].concat())
        .u64(3)
        .bytes(&[1, 0, 1])
        .key("flags", ARRAY)
        .u32(BOOL)
        .u64(2)
        .bytes(&[0, 255])
        .key("flag", BOOL)
        .bytes(&[2])
        .key("latin", STRING)
        .string(b"caf\xe9")
        .key("general.alignment", U8)
        .bytes(&[64])
        .key("general.file_type", U32)
        .u32(u32::MAX);
    let file = odd.open().expect("a file");
    let metadata = file.metadata();
    assert_eq!(metadata.bool("flag").expect("a boolean"), Some(true));
    assert_invalid(metadata.string("latin"), "metadata key latin");
    assert_invalid(metadata.strings("nested"), "metadata key nested");
    assert_invalid(metadata.i32s("nested"), "metadata key nested");

    // Not in order, with gaps, stacks of one matrix, and nothing in one of them.
    let tensors = Raw::new(3, 4, 0)
        .tensor("c", &[8, 2, 1, 1], 0, 256)
        .tensor("a", &[8, 3, 2], 0, 0)
        .tensor("empty", &[8, 0], 0, 192)
        .tensor("b", &[8, 1], 0, 384)
        .data(416);
    let file = tensors.open().expect("a file");
    let shape = |name: &str| file.tensor(name).expect(name).shape.to_vec();
    assert_eq!(
        [shape("a"), shape("c"), shape("empty"), shape("b")],
        [vec![2, 3, 8], vec![2, 8], vec![0, 8], vec![1, 8]]
    );
    assert!(file.tensor("empty").expect("a tensor").bytes.is_empty());
}

#[test]
fn what_is_no_gguf_file_is_named() {
    let open = |bytes: &[u8]| GgufFile::from_bytes(bytes.to_vec());
    let safetensors = [&64u64.to_le_bytes()[..], br#"{"__metadata__":{"format":"pt"}}"#].concat();
    let tar = [&[b'x'; 257][..], b"ustar\x0000"].concat();
    for (bytes, what) in [
        (&b"tjgg\x03\0\0\0"[..], "GGJT"),
        (b"lmgg\0\0\0\0", "GGML"),
        (b"algg\x01\0\0\0", "GGLA"),
        (b"PK\x03\x04archive/data.pkl", "ZIP"),
        (b"\x80\x02}q\0(X", "PyTorch"),
        (b"\x1f\x8b\x08\0", "unpack it"),
        (&tar, "unpack it"),
        (&safetensors, "safetensors"),
    ] {
        assert_unsupported(open(bytes), what);
    }
    for (bytes, words) in [
        (&b"<!DOCTYPE html><html>"[..], "web page"),
        (b"\xef\xbb\xbf\n <HTML lang=en>", "web page"),
        (b"<?xml version='1.0'?><Error><Code>AccessDenied</Code>", "server's reply"),
        (b"{\"error\":\"Repository not found\"}", "JSON"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:", "Git LFS"),
        (&[0; 4096], "unfinished"),
        (b"GGU", "does not begin with GGUF"),
        (b"notes", "does not begin with GGUF"),
    ] {
        match open(bytes) {
            Err(EngineError::Invalid { at, why }) => assert!(at == "byte 0" && why.contains(words), "{why:?}"),
            other => panic!("{other:?}"),
        }
    }
}

#[cfg(unix)]
#[test]
fn what_cannot_be_read_is_told_by_its_kind() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name);
    std::os::unix::fs::symlink("nowhere", path("link")).expect("a link");
    std::os::unix::net::UnixListener::bind(path("socket")).expect("a socket");
    let pipe = std::process::Command::new("mkfifo").arg(path("pipe")).status().expect("mkfifo");
    assert!(pipe.success());
    std::fs::write(path("coming.gguf.part"), b"GGUF").expect("a file");
    for (name, words) in [
        ("missing", "there is no such file"),
        ("link", "it is a link to a file that does not exist"),
        (".", "it is a folder"),
        ("pipe", "it is a pipe"),
        ("socket", "it is a socket"),
        ("../../../../../../../../dev/null", "it is a device"),
        ("coming.gguf", "there is only coming.gguf.part, an unfinished download"),
    ] {
        match GgufFile::open(path(name)) {
            Err(EngineError::NotFound { source, .. }) => assert!(source.to_string().contains(words), "{source}"),
            other => panic!("{name}: {other:?}"),
        }
    }
    // Some browsers make an empty file of the final name first.
    std::fs::write(path("coming.gguf"), b"").expect("a file");
    for (name, words) in [
        ("coming.gguf.part", "unfinished or damaged, start it again (its name says that it is still being downloaded)"),
        ("coming.gguf", "the file is empty (a download is still going on beside it: coming.gguf.part)"),
    ] {
        match GgufFile::open(path(name)) {
            Err(EngineError::Invalid { why, .. }) => assert!(why.contains(words), "{why}"),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_file_that_ends_early_says_how_much_is_missing() {
    let whole = TestModel::new(4, 2, 64).with_random_weights().gguf();
    match GgufFile::from_bytes(whole[..whole.len() / 2].to_vec()) {
        Err(EngineError::Invalid { at, why }) => {
            let half = format!("the file has {} bytes, ", whole.len() / 2);
            assert!(at == "the end" && why.starts_with(&half) && why.contains("unfinished"), "{at}: {why}");
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn files_of_other_kinds_are_named() {
    let text = |text: &str| Value::String(text.into());
    for (key, value, kind, words) in [
        ("general.type", text("adapter"), FileKind::Adapter, "an adapter"),
        ("general.type", text("mmproj"), FileKind::Projector, "a projector"),
        ("general.architecture", text("clip"), FileKind::Projector, "a projector"),
        ("general.architecture", text("bert"), FileKind::Embedding, "an embedding model"),
        ("llama.pooling_type", Value::U32(3), FileKind::Embedding, "an embedding model"),
        ("general.architecture", text("flux"), FileKind::Image, "images"),
        ("general.architecture", text("whisper"), FileKind::Speech, "speech"),
        ("general.architecture", text("eagle3"), FileKind::Draft, "a draft head"),
        ("general.type", text("imatrix"), FileKind::Data, "importance matrix"),
    ] {
        let mut model = TestModel::new(4, 2, 64);
        model.metadata.insert(key.into(), value);
        let file = GgufFile::from_bytes(model.with_random_weights().gguf()).expect("a valid file");
        assert_eq!(FileKind::of(&file), kind);
        assert_unsupported(Model::load(Arc::new(file), ModelOptions::default()), words);
    }
    let tokens = |raw: Raw| raw.key("tokenizer.ggml.tokens", ARRAY).u32(STRING).u64(1).string(b"a");
    let vocabulary = tokens(Raw::new(3, 0, 2).key("general.architecture", STRING).string(b"llama"));
    assert_eq!(FileKind::of(&vocabulary.open().expect("a file")), FileKind::Vocabulary);
    let images = Raw::new(3, 1, 0).tensor("model.diffusion_model.in", &[8], 0, 0).data(32);
    assert_eq!(FileKind::of(&images.open().expect("a file")), FileKind::Image);
    let mut model = TestModel::new(4, 2, 64);
    model.metadata.insert("llama.pooling_type".into(), Value::U32(0));
    assert!(load(model).is_ok(), "a model that pools nothing");
}

#[cfg(target_os = "linux")]
#[test]
fn no_room_among_the_addresses_is_out_of_memory() {
    const CHILD: &str = "SOTTO_TEST_SMALL_ADDRESS_SPACE";
    if let Ok(path) = std::env::var(CHILD) {
        match GgufFile::open(path) {
            Err(EngineError::OutOfMemory { needed, .. }) => assert_eq!(needed, 1 << 40),
            other => panic!("{other:?}"),
        }
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("huge.gguf");
    // It takes no room on the disk.
    std::fs::File::create(&path).and_then(|file| file.set_len(1 << 40)).expect("a file");
    let program = std::env::current_exe().expect("this program");
    let script = "ulimit -v 16000000; exec \"$0\" --exact no_room_among_the_addresses_is_out_of_memory";
    let child = std::process::Command::new("sh").args(["-c", script]).arg(program).env(CHILD, path).status();
    assert!(child.expect("sh").success());
}

#[test]
fn what_a_good_file_says() {
    let mut model = TestModel::new(4, 2, 64);
    let words = ["a", "ä"].map(|word| Value::String(word.into()));
    model.metadata.insert("strings".into(), Value::Array(words.to_vec()));
    model.metadata.insert("numbers".into(), Value::Array(vec![Value::I32(-3), Value::I32(4)]));
    model.metadata.insert("floats".into(), Value::Array(vec![Value::F32(0.5)]));
    model.metadata.insert("flag".into(), Value::Bool(true));
    let bytes = model.with_random_weights().gguf();
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("model.gguf");
    std::fs::write(&path, &bytes).expect("a file");
    let file = GgufFile::open(&path).expect("a valid file");

    assert_eq!(file.file_len(), bytes.len() as u64);
    let metadata = file.metadata();
    assert_eq!(metadata.string("general.architecture").expect("a string"), Some("llama"));
    assert_eq!(metadata.u32("llama.block_count").expect("a number"), Some(2));
    assert_eq!(metadata.f32("llama.rope.freq_base").expect("a number"), Some(10_000.0));
    assert_eq!(metadata.bool("flag").expect("a boolean"), Some(true));
    assert_eq!(metadata.strings("strings").expect("strings"), Some(vec!["a", "ä"]));
    assert_eq!(metadata.i32s("numbers").expect("numbers"), Some(vec![-3, 4]));
    assert_eq!(metadata.f32s("floats").expect("numbers"), Some(vec![0.5]));
    assert_eq!(metadata.string("nothing").expect("no error"), None);
    assert!(metadata.contains("flag") && metadata.keys().any(|key| key == "flag"));
    assert_invalid(metadata.string("flag"), "metadata key flag");
    assert_invalid(metadata.strings("numbers"), "metadata key numbers");
    assert_invalid(metadata.u32("strings"), "metadata key strings");

    let tensor = file.tensor("token_embd.weight").expect("a tensor");
    assert_eq!((tensor.dtype, tensor.shape, tensor.bytes.len()), (DType::F32, &[131, 256][..], 131 * 256 * 4));
    assert_eq!(file.tensor_names().count(), 3 + 2 * 9);
    assert!(file.tensor("nothing").is_none());

    let config = ModelConfig::from_gguf(&file).expect("a valid shape");
    assert_eq!((config.vocab_size, config.hidden_size, config.intermediate_size), (131, 256, 512));
    assert_eq!((config.num_heads, config.num_kv_heads, config.head_dim, config.rope_dim), (4, 2, 64, 64));
    assert_eq!((config.rope_scaling, config.tied_embeddings), (RopeScaling::None, false));
}

#[test]
fn bytes_at_any_address_give_the_same_logits() {
    let bytes = TestModel::new(4, 2, 64).with_random_weights().gguf();
    let shifted: &'static [u8] = [&[0], &bytes[..]].concat().leak();
    let logits = |file: GgufFile| {
        let model = Model::load(Arc::new(file), ModelOptions::default()).expect("a valid model");
        common::all_logits(&mut *common::exact_decoder(&model), &[1, 2, 3])
    };
    let expected = logits(GgufFile::from_bytes(bytes).expect("a valid file"));
    assert_eq!(logits(GgufFile::from_bytes(&shifted[1..]).expect("a valid file")), expected);
}

fn load(model: TestModel) -> Result<Model, EngineError> {
    let file = GgufFile::from_bytes(model.with_random_weights().gguf()).expect("a valid file");
    Model::load(Arc::new(file), ModelOptions::default())
}

fn load_with(key: &str, value: Value) -> Result<Model, EngineError> {
    let mut model = TestModel::new(4, 2, 64);
    model.metadata.insert(key.into(), value);
    load(model)
}

#[test]
fn shapes_that_contradict_themselves() {
    let number = Value::U32;
    for (key, value) in [
        ("llama.embedding_length", number(0)),
        ("llama.feed_forward_length", number(0)),
        ("llama.block_count", number(0)),
        ("llama.block_count", number(u32::MAX)),
        ("llama.block_count", Value::String("2".into())),
        ("llama.attention.head_count", number(0)),
        ("llama.attention.head_count", Value::Array(vec![number(4), number(4)])),
        ("llama.attention.head_count_kv", number(0)),
        ("llama.attention.head_count_kv", number(3)),
        ("llama.attention.key_length", number(0)),
        ("llama.rope.dimension_count", number(0)),
        ("llama.rope.dimension_count", number(65)),
        ("llama.rope.dimension_count", number(63)),
        ("llama.rope.freq_base", Value::F32(0.0)),
        ("llama.rope.freq_base", Value::F32(f32::NAN)),
        ("llama.attention.layer_norm_rms_epsilon", Value::F32(f32::INFINITY)),
        ("llama.attention.layer_norm_rms_epsilon", Value::F32(-1.0)),
        ("llama.context_length", number(0)),
        ("llama.context_length", Value::U64(u64::MAX)),
        ("llama.context_length", Value::I32(-5)),
    ] {
        assert_invalid(load_with(key, value), key);
    }
    // The keys are right by themselves; the tensors say otherwise.
    assert_invalid(load_with("llama.embedding_length", number(255)), "tensor token_embd.weight");
    assert_invalid(load_with("llama.block_count", number(3)), "tensor blk.2.");
    assert_invalid(load_with("llama.feed_forward_length", number(256)), "tensor blk.0.ffn_gate");
    assert_invalid(load_with("llama.attention.head_count_kv", number(1)), "tensor blk.0.attn_k");
    assert_unsupported(load_with("llama.block_count", number(1)), "tensor blk.1.");
}

#[test]
fn a_number_of_4294967295_means_none() {
    let none = Value::U32(u32::MAX);
    for key in ["embedding_length", "feed_forward_length", "block_count", "attention.head_count", "context_length"] {
        let key = format!("llama.{key}");
        let Err(EngineError::Invalid { at, why }) = load_with(&key, none.clone()).map(drop) else { panic!("{key}") };
        assert!(at.contains(&key) && why.contains("stands for none"), "{at}: {why}");
    }
    for key in
        ["attention.key_length", "attention.value_length", "rope.dimension_count", "expert_count", "pooling_type"]
    {
        load_with(&format!("llama.{key}"), none.clone()).expect(key);
    }
    load_with("split.count", none.clone()).expect("one file");
    // Without the key, each query head has its own keys: so do the tensors.
    let mut alone = TestModel::new(4, 4, 64);
    alone.metadata.insert("llama.attention.head_count_kv".into(), none.clone());
    load(alone).expect("as many heads of keys as of queries");
    let mut windowless = TestModel::of_family("gemma3");
    windowless.metadata.insert("gemma3.attention.sliding_window".into(), none);
    assert!(load(windowless).expect("a model").config().architecture.window.is_none());
}

#[test]
fn what_a_family_has_must_be_there() {
    for (family, names) in [
        ("qwen2", &["attn_k.bias"][..]),
        ("qwen3", &["attn_q_norm.weight", "attn_k_norm.weight"]),
        ("gemma2", &["post_attention_norm.weight", "post_ffw_norm.weight"]),
        ("gemma3", &["attn_k_norm.weight", "post_ffw_norm.weight"]),
        ("phi3", &["attn_output.weight", "ffn_up.weight"]),
    ] {
        for name in names {
            let mut model = TestModel::of_family(family).with_random_weights();
            model.tensors.remove(&format!("blk.1.{name}"));
            let file = GgufFile::from_bytes(model.gguf()).expect("a valid file");
            assert_invalid(Model::load(Arc::new(file), ModelOptions::default()), &format!("tensor blk.1.{name}"));
        }
    }
    let mut pattern = TestModel::of_family("gemma3");
    let flags = vec![Value::Bool(true); 3];
    pattern.metadata.insert("gemma3.attention.sliding_window_pattern".into(), Value::Array(flags));
    assert_invalid(load(pattern), "gemma3.attention.sliding_window_pattern");
}

#[test]
fn missing_keys_and_tensors() {
    // A key of another name takes the place of each.
    for key in ["embedding_length", "feed_forward_length", "block_count", "attention.head_count", "context_length"] {
        let key = format!("llama.{key}");
        let mut bytes = TestModel::new(4, 2, 64).with_random_weights().gguf();
        // With its length in front, no key is a part of a longer one.
        let needle = [&(key.len() as u64).to_le_bytes(), key.as_bytes()].concat();
        let at = bytes.windows(needle.len()).position(|window| window == needle).expect(&key);
        bytes[at + 8] = b'x';
        let file = GgufFile::from_bytes(bytes).expect("a valid file");
        assert_invalid(Model::load(Arc::new(file), ModelOptions::default()), &key);
    }
    for name in ["token_embd", "output_norm", "blk.0.attn_norm", "blk.1.ffn_down", "blk.1.attn_v"] {
        let mut model = TestModel::new(4, 2, 64).with_random_weights();
        model.tensors.remove(&format!("{name}.weight"));
        let file = GgufFile::from_bytes(model.gguf()).expect("a valid file");
        assert_invalid(Model::load(Arc::new(file), ModelOptions::default()), &format!("tensor {name}.weight"));
    }
}

#[test]
fn variants_that_would_be_computed_wrongly() {
    let text = |text: &str| Value::String(text.into());
    assert_unsupported(load_with("general.architecture", text("gpt2")), "gpt2");
    assert_unsupported(load_with("llama.expert_count", Value::U32(8)), "experts");
    assert_unsupported(load_with("llama.attention.value_length", Value::U32(32)), "different width");
    assert_unsupported(load_with("llama.rope.scaling.type", text("dynamic")), "dynamic");
    assert_invalid(load_with("llama.rope.scaling.type", text("yarn")), "rope.scaling.factor");
    assert_invalid(load_with("llama.rope.scaling.type", text("longrope")), "tensor rope_factors_long.weight");
    assert_invalid(load_with("llama.rope.scaling.type", text("linear")), "rope.scaling.factor");
    assert_invalid(load_with("llama.rope.scaling.type", text("llama3")), "rope.scaling.low_freq_factor");
    assert_invalid(load_with("llama.rope.scaling.factor", Value::F32(0.0)), "rope.scaling.factor");

    let mut biased = TestModel::new(4, 2, 64);
    biased.tensors.insert("blk.0.attn_output.bias".into(), common::quantize(vec![0.0; 256], &[256], GgmlDType::F32));
    assert_unsupported(load(biased), "blk.0.attn_output.bias");
    // Tensors of another family are known by no accident.
    let mut normed = TestModel::of_family("qwen2");
    normed.tensor("blk.0.attn_q_norm", vec![1.0; 64], &[64], GgmlDType::F32);
    assert_unsupported(load(normed), "blk.0.attn_q_norm.weight");

    for (factors, shape) in [(vec![1.0; 16], 16), (vec![0.0; 32], 32), (vec![f32::NAN; 32], 32)] {
        let mut model = TestModel::new(4, 2, 64);
        model.tensor("rope_freqs", factors, &[shape], GgmlDType::F32);
        assert_invalid(load(model), "tensor rope_freqs.weight");
    }
}

#[test]
fn the_smallest_model_runs() {
    let mut model = TestModel::new(1, 1, 2);
    (model.hidden_size, model.intermediate_size, model.num_layers, model.vocab_size) = (1, 1, 1, 1);
    model.context_length = 1;
    let model = load(model).expect("a valid model");
    let mut decoder = common::exact_decoder(&model);
    assert_eq!(decoder.forward(&[0], LogitRows::Last, &CancelToken::new()).expect("logits").len(), 1);
}
