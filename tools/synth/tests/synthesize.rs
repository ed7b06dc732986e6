//! Files written here are read back with candle's own reader, and their weights looked at.

use std::fs::File;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use candle_core::Device;
use candle_core::quantized::GgmlDType;
use candle_core::quantized::gguf_file::{Content, Value};
use sotto_synth::{
    Llama3Scaling, Quantization, RopeScaling, Shape, SynthError, SynthOptions, Vocabulary, synthesize, synthesize_while,
};

fn tiny(quantization: Quantization) -> SynthOptions {
    SynthOptions::new(Shape::named("tiny").expect("a known shape"), quantization)
}

fn write(options: &SynthOptions, folder: &Path) -> PathBuf {
    let path = folder.join("model.gguf");
    synthesize(options, &path, |_, _| {}).expect("written");
    path
}

fn read(path: &Path) -> (Content, File) {
    let mut file = File::open(path).expect("the file");
    (Content::read(&mut file).expect("valid GGUF"), file)
}

fn weights(content: &Content, file: &mut File, name: &str) -> Vec<f32> {
    let tensor = content.tensor(file, name, &Device::Cpu).expect("the tensor");
    let values = tensor.dequantize(&Device::Cpu).expect("dequantized").flatten_all().expect("flat");
    values.to_vec1().expect("f32")
}

#[test]
fn every_quantization_reads_back_with_sane_weights() {
    for (&quantization, name) in Quantization::ALL.iter().zip(Quantization::NAMES) {
        let folder = tempfile::tempdir().expect("a folder");
        let (content, mut file) = read(&write(&tiny(quantization), folder.path()));
        assert_eq!(content.tensor_infos.len(), 2 + 2 * 9 + 1, "{name}");
        for tensor in content.tensor_infos.keys().filter(|tensor| tensor.ends_with("ffn_up.weight")) {
            let values = weights(&content, &mut file, tensor);
            let mean = values.iter().sum::<f32>() / values.len() as f32;
            let variance = values.iter().map(|x| (x - mean).powi(2)).sum::<f32>() / values.len() as f32;
            assert!(mean.abs() < 0.001, "{name} {tensor}: mean {mean}");
            assert!((variance * 256.0 - 1.0).abs() < 0.1, "{name} {tensor}: variance {variance}");
        }
    }
}

#[test]
fn the_mixes_are_llama_cpps() {
    let folder = tempfile::tempdir().expect("a folder");
    let shape = Shape { block_count: 16, vocab_size: 264, ..Shape::named("tiny").expect("a known shape") };
    let dtype = |content: &Content, name: &str| content.tensor_infos[name].ggml_dtype;

    let (content, _) = read(&write(&SynthOptions::new(shape.clone(), Quantization::Q4KM), folder.path()));
    assert_eq!(dtype(&content, "token_embd.weight"), GgmlDType::Q6K);
    for layer in 0..16 {
        let expected = if [0, 1, 4, 7, 10, 13, 14, 15].contains(&layer) { GgmlDType::Q6K } else { GgmlDType::Q4K };
        assert_eq!(dtype(&content, &format!("blk.{layer}.attn_v.weight")), expected);
        assert_eq!(dtype(&content, &format!("blk.{layer}.ffn_down.weight")), expected);
        assert_eq!(dtype(&content, &format!("blk.{layer}.attn_q.weight")), GgmlDType::Q4K);
    }

    let untied = Shape { tied_embeddings: false, ..shape };
    let (content, _) = read(&write(&SynthOptions::new(untied, Quantization::Q4_0), folder.path()));
    assert_eq!(dtype(&content, "output.weight"), GgmlDType::Q6K);
    assert_eq!(dtype(&content, "token_embd.weight"), GgmlDType::Q4_0);
    assert_eq!(dtype(&content, "blk.0.attn_v.weight"), GgmlDType::Q4_0);
    assert_eq!(dtype(&content, "blk.0.attn_norm.weight"), GgmlDType::F32);
}

#[test]
fn a_large_tensor_is_full_to_its_end_and_its_rows_differ() {
    let folder = tempfile::tempdir().expect("a folder");
    let shape = Shape { vocab_size: 3001, ..Shape::named("tiny").expect("a known shape") };
    for quantization in [Quantization::F32, Quantization::Q8_0, Quantization::Q4_0Pure] {
        let (content, mut file) = read(&write(&SynthOptions::new(shape.clone(), quantization), folder.path()));
        let values = weights(&content, &mut file, "token_embd.weight");
        assert_eq!(values.len(), 3001 * 256);
        let mut rows: Vec<Vec<u32>> = values.chunks(256).map(|row| row.iter().map(|x| x.to_bits()).collect()).collect();
        assert!(rows.iter().all(|row| row.iter().any(|&bits| bits != 0)), "{quantization:?}");
        rows.sort();
        rows.dedup();
        assert_eq!(rows.len(), 3001, "{quantization:?}");
    }
}

#[test]
fn a_seed_decides_every_byte() {
    let folder = tempfile::tempdir().expect("a folder");
    let bytes = |seed| {
        let options = SynthOptions { seed, ..tiny(Quantization::Q4KM) };
        std::fs::read(write(&options, folder.path())).expect("the file")
    };
    assert!(bytes(7) == bytes(7));
    assert!(bytes(7) != bytes(8));
}

#[test]
fn rope_scaling_stands_where_it_was_asked_for() {
    let folder = tempfile::tempdir().expect("a folder");
    let with = |rope_scaling| {
        let shape = Shape { rope_scaling, key_length: 64, ..Shape::named("tiny").expect("a known shape") };
        read(&write(&SynthOptions::new(shape, Quantization::F16), folder.path()))
    };
    let (content, mut file) = with(RopeScaling::Tensor(Llama3Scaling::LLAMA_3_2));
    let divisors = weights(&content, &mut file, "rope_freqs.weight");
    assert_eq!((divisors.len(), divisors[0], divisors[31]), (32, 1.0, 32.0));
    assert!(divisors.is_sorted());

    let (content, _) = with(RopeScaling::Metadata(Llama3Scaling::LLAMA_3_2));
    assert!(!content.tensor_infos.contains_key("rope_freqs.weight"));
    assert!(matches!(content.metadata["llama.rope.scaling.factor"], Value::F32(32.0)));

    let (content, _) = with(RopeScaling::None);
    assert!(!content.tensor_infos.contains_key("rope_freqs.weight"));
    assert!(!content.metadata.contains_key("llama.rope.scaling.type"));
}

/// The tensors of a layer, and keys, that files of the families have in place of Llama's, or beside them.
#[test]
fn each_family_has_its_own_tensors_and_keys() {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, tensors, key, pre) in [
        ("smollm2-135m", &["attn_q.weight", "ffn_gate.weight"][..], "llama.rope.dimension_count", "smollm"),
        ("qwen2.5-0.5b", &["attn_q.bias", "attn_k.bias", "attn_v.bias"], "qwen2.rope.freq_base", "qwen2"),
        (
            "gemma-2-2b",
            &["post_attention_norm.weight", "post_ffw_norm.weight"],
            "gemma2.attn_logit_softcapping",
            "default",
        ),
        ("gemma-3-270m", &["attn_q_norm.weight", "post_ffw_norm.weight"], "gemma3.attention.sliding_window", "default"),
        ("phi-3-mini", &["attn_qkv.weight", "ffn_up.weight"], "phi3.rope.scaling.original_context_length", "default"),
    ] {
        let small = Shape { block_count: 1, vocab_size: 300, ..Shape::named(name).expect("a known shape") };
        let (content, _) = read(&write(&SynthOptions::new(small, Quantization::Q8_0), folder.path()));
        for tensor in tensors {
            assert!(content.tensor_infos.contains_key(&format!("blk.0.{tensor}")), "{name}: {tensor}");
        }
        assert!(content.metadata.contains_key(key), "{name}: {key}");
        assert_eq!(content.metadata["tokenizer.ggml.pre"].to_string().expect("a string"), pre, "{name}");
    }
}

#[test]
fn a_vocabulary_is_taken_from_another_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let lender = folder.path().join("lender.gguf");
    let lending = Shape { vocab_size: 300, ..Shape::named("tiny").expect("a known shape") };
    synthesize(&SynthOptions::new(lending, Quantization::Q8_0), &lender, |_, _| {}).expect("written");

    let options = SynthOptions { vocabulary: Vocabulary::FromGguf(lender.clone()), ..tiny(Quantization::Q8_0) };
    let (content, _) = read(&write(&options, folder.path()));
    assert_eq!(content.tensor_infos["token_embd.weight"].shape.dims(), [300, 256]);
    let (lent, _) = read(&lender);
    for key in ["tokenizer.ggml.tokens", "tokenizer.ggml.merges", "tokenizer.ggml.eos_token_id"] {
        assert_eq!(format!("{:?}", content.metadata[key]), format!("{:?}", lent.metadata[key]));
    }
}

#[test]
fn progress_ends_at_the_size_of_the_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("model.gguf");
    let mut steps = Vec::new();
    let report =
        synthesize(&tiny(Quantization::F32), &path, |written, total| steps.push((written, total))).expect("written");
    assert!(steps.is_sorted());
    assert_eq!(steps.last(), Some(&(report.bytes, report.bytes)));
    assert_eq!(std::fs::metadata(&path).expect("the file").len(), report.bytes);
}

#[test]
fn a_stopped_file_leaves_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("model.gguf");
    for most in [0, 100_000, u64::MAX] {
        let result = synthesize_while(&tiny(Quantization::F32), &path, |written, total| {
            if written > most.min(total - 1) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        assert!(matches!(result, Err(SynthError::Stopped)), "{result:?}");
        assert_eq!(std::fs::read_dir(folder.path()).expect("the folder").count(), 0);
    }
}

#[test]
fn a_shape_that_cannot_be_is_refused_and_leaves_nothing() {
    let good = Shape::named("tiny").expect("a known shape");
    let bad = [
        Shape { head_count_kv: 3, ..good.clone() },
        Shape { block_count: 0, ..good.clone() },
        Shape { key_length: 31, ..good.clone() },
        Shape { vocab_size: usize::MAX, ..good.clone() },
        Shape { embedding_length: 96, ..good },
    ];
    let folder = tempfile::tempdir().expect("a folder");
    for shape in bad {
        let options = SynthOptions::new(shape, Quantization::Q4K);
        let result = synthesize(&options, &folder.path().join("model.gguf"), |_, _| {});
        assert!(matches!(result, Err(SynthError::Options(_))), "{result:?}");
    }
    assert_eq!(std::fs::read_dir(folder.path()).expect("the folder").count(), 0);
}

#[cfg(unix)]
#[test]
fn what_is_no_file_stays_and_links_are_followed() {
    use std::os::unix::fs::{FileTypeExt, symlink};

    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name);
    let write = |path: &Path| synthesize(&tiny(Quantization::Q4_0), path, |_, _| {}).map(|_| ());
    let size = |path: &Path| std::fs::metadata(path).expect("a file").len();

    // A socket stands for all that is no file; a device would need root.
    let _socket = std::os::unix::net::UnixListener::bind(path("socket")).expect("a socket");
    symlink("socket", path("link to socket")).expect("a link");
    symlink("loop", path("loop")).expect("a link");
    for name in ["socket", "link to socket", "loop", "."] {
        let refused = write(&path(name));
        assert!(matches!(&refused, Err(SynthError::Write { path: named, .. }) if *named == path(name)), "{refused:?}");
    }
    assert!(std::fs::symlink_metadata(path("socket")).expect("still there").file_type().is_socket());

    std::fs::create_dir(path("elsewhere")).expect("a folder");
    std::fs::write(path("elsewhere/old"), "old").expect("written");
    symlink("elsewhere/old", path("near")).expect("a link");
    symlink("near", path("far")).expect("a link");
    symlink("elsewhere/new", path("to nothing yet")).expect("a link");
    for (link, file) in [("far", "elsewhere/old"), ("to nothing yet", "elsewhere/new")] {
        write(&path(link)).expect("written");
        assert!(size(&path(file)) > 100_000 && path(link).is_symlink(), "{link}");
    }
}

#[test]
fn a_folder_that_is_not_there_is_a_write_error() {
    let path = Path::new("no such folder").join("model.gguf");
    assert!(matches!(synthesize(&tiny(Quantization::F16), &path, |_, _| {}), Err(SynthError::Write { .. })));
}
