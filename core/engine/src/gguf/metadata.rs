use std::collections::BTreeMap;
use std::ops::Range;

use super::scan::{key_place, value_type};
use crate::EngineError;

/// The position and type of a checked value in the file.
#[derive(Debug, Clone)]
pub(crate) struct ValueEntry {
    /// The type of the elements, if it is an array.
    pub(crate) value_type: u32,
    pub(crate) is_array: bool,
    /// The number of elements; 1 if it is not an array.
    pub(crate) count: usize,
    /// The bytes of all elements.
    pub(crate) range: Range<usize>,
    /// The bytes of the whole pair: key, type and elements.
    pub(crate) pair: Range<usize>,
}

/// The key-value pairs at the beginning of a GGUF file, read in place.
///
/// Each accessor returns `None` if the key is missing, and [`EngineError::Invalid`] if its value has another type or a
/// string is not UTF-8.
#[derive(Debug, Clone, Copy)]
pub struct Metadata<'a> {
    file: &'a [u8],
    values: &'a BTreeMap<String, ValueEntry>,
}

impl<'a> Metadata<'a> {
    /// `values` are known to be inside `file`.
    pub(crate) fn new(file: &'a [u8], values: &'a BTreeMap<String, ValueEntry>) -> Self {
        Self { file, values }
    }

    /// Every key, sorted.
    pub fn keys(&self) -> impl Iterator<Item = &'a str> {
        self.values.keys().map(String::as_str)
    }

    /// Every key with the bytes of its pair, in the file's order.
    pub(crate) fn pairs(&self) -> Vec<(&'a str, &'a [u8])> {
        let mut entries: Vec<_> = self.values.iter().collect();
        entries.sort_unstable_by_key(|(_, entry)| entry.pair.start);
        entries.into_iter().map(|(key, entry)| (key.as_str(), &self.file[entry.pair.clone()])).collect()
    }

    /// Whether there is a value of any type.
    pub fn contains(&self, key: &str) -> bool {
        self.values.contains_key(key)
    }

    /// Whether there is an array.
    pub(crate) fn is_array(&self, key: &str) -> bool {
        self.values.get(key).is_some_and(|entry| entry.is_array)
    }

    /// The length of an array; `None` if the key is missing or not an array.
    pub fn len(&self, key: &str) -> Option<usize> {
        self.values.get(key).filter(|entry| entry.is_array).map(|entry| entry.count)
    }

    /// A string.
    ///
    /// # Errors
    /// [`EngineError::Invalid`] for a value that is not a UTF-8 string.
    pub fn string(&self, key: &str) -> Result<Option<&'a str>, EngineError> {
        self.one(key, "a UTF-8 string", as_str)
    }

    /// An integer of any width that fits into 32 bits.
    ///
    /// # Errors
    /// [`EngineError::Invalid`] for a value that is not a 32-bit integer.
    pub fn u32(&self, key: &str) -> Result<Option<u32>, EngineError> {
        self.one(key, "a 32-bit integer", |element| element.integer()?.try_into().ok())
    }

    /// A [`Self::u32`] that counts something. Converters write 4294967295 for none.
    ///
    /// # Errors
    /// [`EngineError::Invalid`] for a value that is not a 32-bit integer.
    pub fn count(&self, key: &str) -> Result<Option<u32>, EngineError> {
        Ok(self.u32(key)?.filter(|&count| count != u32::MAX))
    }

    /// A floating-point number.
    ///
    /// # Errors
    /// [`EngineError::Invalid`] for a value that is not a floating-point number.
    pub fn f32(&self, key: &str) -> Result<Option<f32>, EngineError> {
        self.one(key, "a floating-point number", |element| element.float())
    }

    /// A boolean.
    ///
    /// # Errors
    /// [`EngineError::Invalid`] for a value that is not a boolean.
    pub fn bool(&self, key: &str) -> Result<Option<bool>, EngineError> {
        self.one(key, "a boolean", as_bool)
    }

    /// An array of booleans.
    ///
    /// # Errors
    /// [`EngineError::Invalid`] for a value that is not an array of booleans.
    pub fn bools(&self, key: &str) -> Result<Option<Vec<bool>>, EngineError> {
        self.array(key, "an array of booleans", as_bool)
    }

    /// An array of strings.
    ///
    /// # Errors
    /// [`EngineError::Invalid`] for a value that is not an array of UTF-8 strings.
    pub fn strings(&self, key: &str) -> Result<Option<Vec<&'a str>>, EngineError> {
        self.array(key, "an array of UTF-8 strings", as_str)
    }

    /// An array of integers that fit into signed 32 bits.
    ///
    /// # Errors
    /// [`EngineError::Invalid`] for a value that is not an array of 32-bit integers.
    pub fn i32s(&self, key: &str) -> Result<Option<Vec<i32>>, EngineError> {
        self.array(key, "an array of 32-bit integers", |element| element.integer()?.try_into().ok())
    }

    /// The position of an array of unsigned 32-bit integers, which only Sotto itself writes.
    pub(crate) fn words_range(&self, key: &str) -> Result<Option<Range<usize>>, EngineError> {
        let Some(entry) = self.values.get(key) else { return Ok(None) };
        if !entry.is_array || entry.value_type != value_type::U32 {
            return Err(mismatch(key, "an array of unsigned 32-bit integers"));
        }
        Ok(Some(entry.range.clone()))
    }

    /// An array of floating-point numbers.
    ///
    /// # Errors
    /// [`EngineError::Invalid`] for a value that is not an array of floating-point numbers.
    pub fn f32s(&self, key: &str) -> Result<Option<Vec<f32>>, EngineError> {
        self.array(key, "an array of floating-point numbers", |element| element.float())
    }

    fn one<T>(
        &self,
        key: &str,
        expected: &str,
        convert: impl Fn(Element<'a>) -> Option<T>,
    ) -> Result<Option<T>, EngineError> {
        let Some(entry) = self.values.get(key) else { return Ok(None) };
        let value = self.elements(entry).next().filter(|_| !entry.is_array).and_then(convert);
        value.map(Some).ok_or_else(|| mismatch(key, expected))
    }

    fn array<T>(
        &self,
        key: &str,
        expected: &str,
        convert: impl Fn(Element<'a>) -> Option<T>,
    ) -> Result<Option<Vec<T>>, EngineError> {
        let Some(entry) = self.values.get(key) else { return Ok(None) };
        if !entry.is_array || entry.value_type == value_type::ARRAY {
            return Err(mismatch(key, expected));
        }
        let mut values = Vec::with_capacity(entry.count);
        for element in self.elements(entry) {
            values.push(convert(element).ok_or_else(|| mismatch(key, expected))?);
        }
        Ok(Some(values))
    }

    fn elements(&self, entry: &ValueEntry) -> impl Iterator<Item = Element<'a>> + use<'a> {
        let (value_type, mut rest) = (entry.value_type, &self.file[entry.range.clone()]);
        (0..entry.count).map_while(move |_| {
            let bytes = match value_type::number_bytes(value_type) {
                Some(len) => rest.split_off(..len as usize)?,
                None if value_type == value_type::BOOL => rest.split_off(..1)?,
                None => {
                    let len = rest.split_off(..8)?.try_into().map(u64::from_le_bytes).ok()?;
                    rest.split_off(..len as usize)?
                }
            };
            Some(Element { value_type, bytes })
        })
    }
}

fn mismatch(key: &str, expected: &str) -> EngineError {
    EngineError::invalid(key_place(key), format!("the value is not {expected}"))
}

/// One value as stored in the file; for a string, its text.
struct Element<'a> {
    value_type: u32,
    bytes: &'a [u8],
}

fn as_str(element: Element<'_>) -> Option<&str> {
    match element.value_type {
        value_type::STRING => std::str::from_utf8(element.bytes).ok(),
        _ => None,
    }
}

fn as_bool(element: Element<'_>) -> Option<bool> {
    (element.value_type == value_type::BOOL).then(|| element.bytes != [0])
}

impl Element<'_> {
    fn integer(&self) -> Option<i128> {
        Some(match self.value_type {
            value_type::U8 => u8::from_le_bytes(self.number()?).into(),
            value_type::I8 => i8::from_le_bytes(self.number()?).into(),
            value_type::U16 => u16::from_le_bytes(self.number()?).into(),
            value_type::I16 => i16::from_le_bytes(self.number()?).into(),
            value_type::U32 => u32::from_le_bytes(self.number()?).into(),
            value_type::I32 => i32::from_le_bytes(self.number()?).into(),
            value_type::U64 => u64::from_le_bytes(self.number()?).into(),
            value_type::I64 => i64::from_le_bytes(self.number()?).into(),
            _ => return None,
        })
    }

    fn float(&self) -> Option<f32> {
        match self.value_type {
            value_type::F32 => self.number().map(f32::from_le_bytes),
            value_type::F64 => self.number().map(|bytes| f64::from_le_bytes(bytes) as f32),
            _ => None,
        }
    }

    fn number<const N: usize>(&self) -> Option<[u8; N]> {
        self.bytes.try_into().ok()
    }
}
