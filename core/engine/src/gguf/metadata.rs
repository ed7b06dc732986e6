use std::collections::HashMap;

use candle_core::quantized::gguf_file::Value;

use super::scan::key_place;
use crate::EngineError;

/// The key-value pairs at the head of a GGUF file.
///
/// Each accessor gives `None` when the key is missing, and [`EngineError::Invalid`] when its value has another type.
#[derive(Debug)]
pub struct Metadata {
    values: HashMap<String, Value>,
}

impl Metadata {
    pub(crate) fn new(values: HashMap<String, Value>) -> Self {
        Self { values }
    }

    /// Every key, in no order.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.values.keys().map(String::as_str)
    }

    /// Whether there is a value of any type.
    pub fn contains(&self, key: &str) -> bool {
        self.values.contains_key(key)
    }

    /// A string.
    pub fn string(&self, key: &str) -> Result<Option<&str>, EngineError> {
        self.get(key, "a string", as_string)
    }

    /// A whole number of any width that fits into 32 bits.
    pub fn u32(&self, key: &str) -> Result<Option<u32>, EngineError> {
        self.get(key, "a whole number of 32 bits", |value| as_integer(value)?.try_into().ok())
    }

    /// A floating-point number.
    pub fn f32(&self, key: &str) -> Result<Option<f32>, EngineError> {
        self.get(key, "a floating-point number", as_f32)
    }

    /// A boolean.
    pub fn bool(&self, key: &str) -> Result<Option<bool>, EngineError> {
        self.get(key, "a boolean", |value| match value {
            Value::Bool(value) => Some(*value),
            _ => None,
        })
    }

    /// An array of strings.
    pub fn strings(&self, key: &str) -> Result<Option<Vec<&str>>, EngineError> {
        self.array(key, "an array of strings", as_string)
    }

    /// An array of whole numbers that fit into signed 32 bits.
    pub fn i32s(&self, key: &str) -> Result<Option<Vec<i32>>, EngineError> {
        self.array(key, "an array of whole numbers of 32 bits", |value| as_integer(value)?.try_into().ok())
    }

    /// An array of floating-point numbers.
    pub fn f32s(&self, key: &str) -> Result<Option<Vec<f32>>, EngineError> {
        self.array(key, "an array of floating-point numbers", as_f32)
    }

    fn get<'a, T>(
        &'a self,
        key: &str,
        expected: &str,
        convert: impl Fn(&'a Value) -> Option<T>,
    ) -> Result<Option<T>, EngineError> {
        let Some(value) = self.values.get(key) else { return Ok(None) };
        convert(value)
            .map(Some)
            .ok_or_else(|| EngineError::invalid(key_place(key), format!("the value is not {expected}")))
    }

    fn array<'a, T>(
        &'a self,
        key: &str,
        expected: &str,
        convert: impl Fn(&'a Value) -> Option<T>,
    ) -> Result<Option<Vec<T>>, EngineError> {
        self.get(key, expected, |value| match value {
            Value::Array(values) => values.iter().map(&convert).collect(),
            _ => None,
        })
    }
}

fn as_string(value: &Value) -> Option<&str> {
    match value {
        Value::String(value) => Some(value),
        _ => None,
    }
}

fn as_integer(value: &Value) -> Option<i128> {
    Some(match value {
        Value::U8(value) => i128::from(*value),
        Value::I8(value) => i128::from(*value),
        Value::U16(value) => i128::from(*value),
        Value::I16(value) => i128::from(*value),
        Value::U32(value) => i128::from(*value),
        Value::I32(value) => i128::from(*value),
        Value::U64(value) => i128::from(*value),
        Value::I64(value) => i128::from(*value),
        _ => return None,
    })
}

fn as_f32(value: &Value) -> Option<f32> {
    match value {
        Value::F32(value) => Some(*value),
        Value::F64(value) => Some(*value as f32),
        _ => None,
    }
}
