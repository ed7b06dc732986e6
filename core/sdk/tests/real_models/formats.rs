//! The real weights in formats that can be written without llama.cpp, as precisely as its quantizer does.

use std::fs::File;
use std::path::Path;

use candle_core::Device;
use candle_core::quantized::gguf_file::{self, Content};
use candle_core::quantized::{GgmlDType, QTensor};

use sotto::LocalModel;

use crate::{
    LIKELIHOOD_ERROR, SMOLLM2, assert_as_likely, assert_same_answers, assert_same_continuations, load, real_model,
};

/// As [`LIKELIHOOD_ERROR`], where activations stay whole.
const F16_LIKELIHOOD_ERROR: f64 = 5e-4;

#[test]
fn smollm2_as_f16_says_what_it_says_in_llama_cpp() {
    let Some(file) = real_model(SMOLLM2) else { return };
    let model = load_as(&file, |_| GgmlDType::F16);
    assert_as_likely("F16", &model, F16_LIKELIHOOD_ERROR);
    assert_same_continuations("F16", &model);
    assert_same_answers("F16", &model);
}

#[test]
fn smollm2_in_other_formats_finds_a_text_as_likely_as_in_llama_cpp() {
    let Some(file) = real_model(SMOLLM2) else { return };
    for (dtype, name) in
        [(GgmlDType::Q8_0, "Q8_0"), (GgmlDType::Q5_1, "Q5_1"), (GgmlDType::Q5_0, "Q5_0"), (GgmlDType::Q4_0, "Q4_0")]
    {
        assert_as_likely(name, &load_as(&file, |_| dtype), LIKELIHOOD_ERROR);
    }
}

/// The formats whose blocks have 256 weights. Of SmolLM2's matrices, only `ffn_down` has rows of whole blocks.
const K_QUANTS: [(GgmlDType, &str); 5] = [
    (GgmlDType::Q2K, "ffn_down as Q2_K"),
    (GgmlDType::Q3K, "ffn_down as Q3_K"),
    (GgmlDType::Q4K, "ffn_down as Q4_K"),
    (GgmlDType::Q5K, "ffn_down as Q5_K"),
    (GgmlDType::Q6K, "ffn_down as Q6_K"),
];

#[test]
fn smollm2_with_k_quants_finds_a_text_as_likely_as_in_llama_cpp() {
    let Some(file) = real_model(SMOLLM2) else { return };
    for (dtype, name) in K_QUANTS {
        assert_as_likely(name, &load_as(&file, k_quant(dtype)), LIKELIHOOD_ERROR);
    }
}

/// `real_models.py store` has llama.cpp read these files: it names the folder, and runs this.
#[test]
#[ignore = "writes files for llama.cpp"]
fn write_k_quants() {
    let folder = std::env::var_os("SOTTO_K_QUANTS").expect("SOTTO_K_QUANTS names a folder");
    let file = real_model(SMOLLM2).expect("SOTTO_REAL_MODELS is set");
    for (dtype, name) in K_QUANTS {
        write_as(&file, k_quant(dtype), &Path::new(&folder).join(format!("{name}.gguf")));
    }
}

/// `ffn_down` in a format, everything else in Q8_0.
fn k_quant(dtype: GgmlDType) -> impl Fn(&str) -> GgmlDType {
    move |name| if name.contains("ffn_down") { dtype } else { GgmlDType::Q8_0 }
}

fn load_as(source: &Path, dtype: impl Fn(&str) -> GgmlDType) -> LocalModel {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("model.gguf");
    write_as(source, dtype, &path);
    load(&path)
}

/// A copy of a model file with its matrices in other formats, by their names.
fn write_as(source: &Path, dtype: impl Fn(&str) -> GgmlDType, target: &Path) {
    let mut reader = File::open(source).expect("the model file");
    let content = Content::read(&mut reader).expect("GGUF");
    let tensors: Vec<(&str, QTensor)> = content
        .tensor_infos
        .keys()
        .map(|name| {
            let tensor = content.tensor(&mut reader, name, &Device::Cpu).expect("a tensor");
            (name.as_str(), if tensor.dtype() == GgmlDType::F32 { tensor } else { requantized(&tensor, dtype(name)) })
        })
        .collect();
    let metadata: Vec<_> = content.metadata.iter().map(|(key, value)| (key.as_str(), value)).collect();
    let tensors: Vec<_> = tensors.iter().map(|(name, tensor)| (*name, tensor)).collect();
    gguf_file::write(&mut File::create(target).expect("a file"), &metadata, &tensors).expect("written");
}

/// By way of F16, as llama.cpp's quantizer was given it.
fn requantized(tensor: &QTensor, dtype: GgmlDType) -> QTensor {
    let values = tensor.dequantize_f16(&Device::Cpu).expect("values");
    let values = values.to_dtype(candle_core::DType::F32).expect("values");
    QTensor::quantize(&values, dtype).expect("quantized")
}
