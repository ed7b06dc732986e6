//! The GGUF v3 header, so that tensor data can be streamed behind it. candle's own writer wants every tensor in memory.
//! Layout: <https://github.com/ggml-org/ggml/blob/master/docs/gguf.md>.

use candle_core::quantized::GgmlDType;
use candle_core::quantized::gguf_file::{DEFAULT_ALIGNMENT, Value, ValueType};

use crate::plan::TensorPlan;

/// The first bytes of a GGUF file.
pub(crate) const MAGIC: &[u8] = b"GGUF";
const VERSION: u32 = 3;

/// Everything before the tensor data, padded up to it. Each tensor starts at a multiple of the alignment, in the order given.
pub(crate) fn header(metadata: &[(String, Value)], tensors: &[TensorPlan]) -> Vec<u8> {
    let mut out = Vec::new();
    out.extend_from_slice(MAGIC);
    out.extend_from_slice(&VERSION.to_le_bytes());
    put_length(&mut out, tensors.len());
    put_length(&mut out, metadata.len());
    for (key, value) in metadata {
        put_string(&mut out, key);
        out.extend_from_slice(&type_code(value.value_type()).to_le_bytes());
        put_value(&mut out, value);
    }
    let mut offset = 0u64;
    for tensor in tensors {
        put_string(&mut out, &tensor.name);
        out.extend_from_slice(&(tensor.dims.len() as u32).to_le_bytes());
        // GGUF names the fastest dimension first.
        tensor.dims.iter().rev().for_each(|&dim| put_length(&mut out, dim));
        out.extend_from_slice(&dtype_code(tensor.dtype).to_le_bytes());
        out.extend_from_slice(&offset.to_le_bytes());
        offset += padded(tensor.byte_count());
    }
    let padded_length = padded(out.len()) as usize;
    out.resize(padded_length, 0);
    out
}

/// A length rounded up to the alignment of tensor data.
pub(crate) fn padded(length: usize) -> u64 {
    (length as u64).next_multiple_of(DEFAULT_ALIGNMENT)
}

fn put_length(out: &mut Vec<u8>, length: usize) {
    out.extend_from_slice(&(length as u64).to_le_bytes());
}

fn put_string(out: &mut Vec<u8>, text: &str) {
    put_length(out, text.len());
    out.extend_from_slice(text.as_bytes());
}

fn put_value(out: &mut Vec<u8>, value: &Value) {
    match value {
        Value::U8(v) => out.push(*v),
        Value::I8(v) => out.extend_from_slice(&v.to_le_bytes()),
        Value::U16(v) => out.extend_from_slice(&v.to_le_bytes()),
        Value::I16(v) => out.extend_from_slice(&v.to_le_bytes()),
        Value::U32(v) => out.extend_from_slice(&v.to_le_bytes()),
        Value::I32(v) => out.extend_from_slice(&v.to_le_bytes()),
        Value::U64(v) => out.extend_from_slice(&v.to_le_bytes()),
        Value::I64(v) => out.extend_from_slice(&v.to_le_bytes()),
        Value::F32(v) => out.extend_from_slice(&v.to_le_bytes()),
        Value::F64(v) => out.extend_from_slice(&v.to_le_bytes()),
        Value::Bool(v) => out.push(u8::from(*v)),
        Value::String(v) => put_string(out, v),
        Value::Array(values) => {
            // The type of an empty array does not matter.
            let element = values.first().map_or(ValueType::U32, Value::value_type);
            out.extend_from_slice(&type_code(element).to_le_bytes());
            put_length(out, values.len());
            values.iter().for_each(|value| put_value(out, value));
        }
    }
}

fn type_code(value_type: ValueType) -> u32 {
    match value_type {
        ValueType::U8 => 0,
        ValueType::I8 => 1,
        ValueType::U16 => 2,
        ValueType::I16 => 3,
        ValueType::U32 => 4,
        ValueType::I32 => 5,
        ValueType::F32 => 6,
        ValueType::Bool => 7,
        ValueType::String => 8,
        ValueType::Array => 9,
        ValueType::U64 => 10,
        ValueType::I64 => 11,
        ValueType::F64 => 12,
    }
}

/// ggml's number for a type. candle keeps its own list of them private.
fn dtype_code(dtype: GgmlDType) -> u32 {
    match dtype {
        GgmlDType::F32 => 0,
        GgmlDType::F16 => 1,
        GgmlDType::Q4_0 => 2,
        GgmlDType::Q4_1 => 3,
        GgmlDType::Q5_0 => 6,
        GgmlDType::Q5_1 => 7,
        GgmlDType::Q8_0 => 8,
        GgmlDType::Q8_1 => 9,
        GgmlDType::Q2K => 10,
        GgmlDType::Q3K => 11,
        GgmlDType::Q4K => 12,
        GgmlDType::Q5K => 13,
        GgmlDType::Q6K => 14,
        GgmlDType::Q8K => 15,
        GgmlDType::BF16 => 30,
    }
}
