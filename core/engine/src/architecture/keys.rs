use std::fmt::Display;
use std::ops::RangeInclusive;

use super::{FAMILIES, Family};
use crate::gguf::{GgufFile, TensorView, key_place, tensor_place};
use crate::{DType, EngineError};

/// A file's metadata for its architecture, and its tensors.
pub(super) struct Keys<'a> {
    file: &'a GgufFile,
    architecture: &'static str,
}

impl<'a> Keys<'a> {
    /// The keys of the file's architecture, and the function that reads its family.
    ///
    /// # Errors
    /// [`EngineError::Unsupported`] for an unknown architecture; [`EngineError::Invalid`] when the file names none.
    pub(super) fn new(file: &'a GgufFile) -> Result<(Self, Family), EngineError> {
        let key = "general.architecture";
        let named = file.metadata().string(key)?;
        let named = named.ok_or_else(|| EngineError::invalid(key_place(key), "the key is missing"))?;
        match FAMILIES.into_iter().find(|(architecture, _)| *architecture == named) {
            Some((architecture, family)) => Ok((Self { file, architecture }, family)),
            None => Err(EngineError::unsupported(format!("the architecture {:?}", shortened(named)))),
        }
    }

    pub(super) fn invalid(&self, key: &str, why: impl Into<String>) -> EngineError {
        EngineError::invalid(key_place(&self.name(key)), why)
    }

    pub(super) fn contains(&self, key: &str) -> bool {
        self.file.metadata().contains(&self.name(key))
    }

    pub(super) fn has_tensor(&self, name: &str) -> bool {
        self.file.tensor(name).is_some()
    }

    pub(super) fn string(&self, key: &str) -> Result<Option<&'a str>, EngineError> {
        self.file.metadata().string(&self.name(key))
    }

    pub(super) fn count(&self, key: &str, range: RangeInclusive<u32>) -> Result<usize, EngineError> {
        self.optional_count(key, range)?.ok_or_else(|| match self.contains(key) {
            true => self.invalid(key, "4294967295 stands for none, but the model needs a number"),
            false => self.missing(key),
        })
    }

    pub(super) fn count_or(&self, key: &str, range: RangeInclusive<u32>, default: usize) -> Result<usize, EngineError> {
        Ok(self.optional_count(key, range)?.unwrap_or(default))
    }

    pub(super) fn optional_count(&self, key: &str, range: RangeInclusive<u32>) -> Result<Option<usize>, EngineError> {
        let Some(value) = self.file.metadata().count(&self.name(key))? else { return Ok(None) };
        self.in_range(key, value, range).map(|value| Some(value as usize))
    }

    pub(super) fn number(&self, key: &str, range: RangeInclusive<f32>) -> Result<Option<f32>, EngineError> {
        let Some(value) = self.file.metadata().f32(&self.name(key))? else { return Ok(None) };
        self.in_range(key, value, range).map(Some)
    }

    pub(super) fn required_number(&self, key: &str, range: RangeInclusive<f32>) -> Result<f32, EngineError> {
        self.number(key, range)?.ok_or_else(|| self.missing(key))
    }

    /// An array of `len` booleans; `None` where the key is missing or has a single value.
    pub(super) fn flags(&self, key: &str, len: usize) -> Result<Option<Vec<bool>>, EngineError> {
        let name = self.name(key);
        if !self.file.metadata().is_array(&name) {
            return Ok(None);
        }
        let flags = self.file.metadata().bools(&name)?;
        match &flags {
            Some(flags) if flags.len() != len => {
                Err(self.invalid(key, format!("it has {} values for {len} layers", flags.len())))
            }
            _ => Ok(flags),
        }
    }

    /// A tensor that must be there and have two dimensions.
    pub(super) fn matrix(&self, name: &str) -> Result<TensorView<'a>, EngineError> {
        let invalid = |why: String| EngineError::invalid(tensor_place(name), why);
        let tensor = self.file.tensor(name).ok_or_else(|| invalid("the tensor is missing".into()))?;
        match tensor.shape.len() {
            2 => Ok(tensor),
            _ => Err(invalid(format!("its shape {:?} is not a matrix", tensor.shape))),
        }
    }

    /// A tensor with one divisor of RoPE's frequencies per pair; `None` if there is none.
    pub(super) fn factors(&self, name: &str, pairs: usize) -> Result<Option<Vec<f32>>, EngineError> {
        let Some(tensor) = self.file.tensor(name) else { return Ok(None) };
        if tensor.dtype != DType::F32 || tensor.shape != [pairs] {
            let why = format!("{} {:?} is not one F32 factor for each of {pairs} pairs", tensor.dtype, tensor.shape);
            return Err(EngineError::invalid(tensor_place(name), why));
        }
        let (numbers, _) = tensor.bytes.as_chunks::<4>();
        let factors: Vec<f32> = numbers.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
        match factors.iter().all(|factor| (1e-3..=1e6).contains(factor)) {
            true => Ok(Some(factors)),
            false => Err(EngineError::invalid(tensor_place(name), "a factor is outside 0.001 to 1000000")),
        }
    }

    fn name(&self, key: &str) -> String {
        format!("{}.{key}", self.architecture)
    }

    fn missing(&self, key: &str) -> EngineError {
        self.invalid(key, "the key is missing")
    }

    fn in_range<T: PartialOrd + Display>(
        &self,
        key: &str,
        value: T,
        range: RangeInclusive<T>,
    ) -> Result<T, EngineError> {
        if range.contains(&value) {
            return Ok(value);
        }
        Err(self.invalid(key, format!("{value} is outside {} to {}", range.start(), range.end())))
    }
}

/// The beginning of a name from a file, short enough for an error message.
pub(crate) fn shortened(name: &str) -> &str {
    &name[..name.floor_char_boundary(40)]
}
