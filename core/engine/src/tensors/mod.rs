//! Tensors of models that are not GGUF files: found by name, checked, and read one after the other into packed matrices.

mod json;
pub mod safetensors;

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufReader, Read as _, Seek as _, SeekFrom};
use std::path::Path;

use half::{bf16, f16};

pub use json::read_json;

use crate::model::WeightMatrix;
use crate::{CancelToken, DType, EngineError, FilePart};

/// Where a tensor lies in a file.
#[derive(Debug, Clone)]
pub struct Place {
    /// Its number format.
    pub dtype: DType,
    /// The last dimension is the one whose numbers follow each other.
    pub shape: Vec<usize>,
    /// Its first byte.
    pub offset: u64,
}

/// All tensors of a file, by name.
#[derive(Debug)]
pub struct Tensors {
    file: BufReader<File>,
    places: HashMap<String, Place>,
}

impl Place {
    /// Bytes of the tensor; `None` if they cannot be counted or are no whole blocks.
    pub fn bytes(&self) -> Option<u64> {
        let numbers = self.shape.iter().try_fold(1usize, |product, &size| product.checked_mul(size))?;
        let whole = self.shape.last()?.is_multiple_of(self.dtype.block_len());
        let bytes = (numbers / self.dtype.block_len()).checked_mul(self.dtype.block_bytes())?;
        whole.then_some(bytes as u64)
    }

    /// Its dimensions without those of one element, in which files differ.
    pub fn dimensions(&self) -> Vec<usize> {
        dimensions(&self.shape)
    }
}

impl Tensors {
    /// Tensors that lie within `file`.
    pub fn new(file: File, places: HashMap<String, Place>) -> Self {
        Self { file: BufReader::new(file), places }
    }

    /// The names of all tensors, and where they lie.
    pub fn places(&self) -> impl Iterator<Item = (&str, &Place)> {
        self.places.iter().map(|(name, place)| (name.as_str(), place))
    }

    /// A matrix `[rows, columns]`, packed. Numbers that are not quantized become the format that `becomes` gives for theirs: Q8_0, F16,
    /// or what they are.
    ///
    /// # Errors
    /// [`EngineError::Invalid`] for a missing tensor or another shape; [`EngineError::Unsupported`] for a row that is not a whole
    /// number of blocks; [`EngineError::OutOfMemory`]; [`EngineError::Cancelled`].
    pub fn matrix(
        &mut self,
        name: &str,
        shape: [usize; 2],
        becomes: impl Fn(DType) -> DType,
        cancel: &CancelToken,
    ) -> Result<WeightMatrix, EngineError> {
        let place = self.find(name, &shape)?;
        self.seek(&place)?;
        let mut read = |bytes: &mut [u8]| self.file.read_exact(bytes).map_err(|error| unreadable(name, &error));
        let (dtype, becomes) = (place.dtype, becomes(place.dtype));
        WeightMatrix::pack_rows_of(name, becomes, shape, cancel, |rows| {
            if becomes == dtype {
                return read(rows);
            }
            let count = rows.len() / becomes.block_bytes() * becomes.block_len();
            let mut bytes = vec![0; count * dtype.block_bytes()];
            read(&mut bytes)?;
            match becomes {
                DType::Q8_0 => write_q8_0(numbers(dtype, &bytes), rows),
                _ => write_halves(numbers(dtype, &bytes), rows),
            }
            Ok(())
        })
    }

    /// A vector of `len` finite numbers: a bias or the weights of a norm.
    ///
    /// # Errors
    /// As for [`Tensors::numbers`].
    pub fn vector(&mut self, name: &str, len: usize) -> Result<Vec<f32>, EngineError> {
        self.numbers(name, &[len])
    }

    /// Finite numbers of a tensor that is not quantized, row after row.
    ///
    /// # Errors
    /// [`EngineError::Invalid`] for a missing tensor, another shape, and numbers that are not finite; [`EngineError::Unsupported`] for
    /// a quantized one.
    pub fn numbers(&mut self, name: &str, shape: &[usize]) -> Result<Vec<f32>, EngineError> {
        let place = self.find(name, shape)?;
        if place.dtype.block_len() != 1 {
            return Err(EngineError::unsupported(format!("{name} in the format {}", place.dtype)));
        }
        self.seek(&place)?;
        let mut bytes = vec![0; shape.iter().product::<usize>() * place.dtype.block_bytes()];
        self.file.read_exact(&mut bytes).map_err(|error| unreadable(name, &error))?;
        let numbers: Vec<f32> = numbers(place.dtype, &bytes).collect();
        match numbers.iter().all(|number| number.is_finite()) {
            true => Ok(numbers),
            false => Err(invalid(name, "it holds values that are not finite numbers")),
        }
    }

    /// Where a tensor of this shape lies.
    fn find(&self, name: &str, shape: &[usize]) -> Result<Place, EngineError> {
        let place = self.places.get(name).ok_or_else(|| invalid(name, "the tensor is missing"))?;
        match place.dimensions() == dimensions(shape) {
            true => Ok(place.clone()),
            false => Err(invalid(name, &format!("its shape is {:?}, but {shape:?} was expected", place.shape))),
        }
    }

    fn seek(&mut self, place: &Place) -> Result<(), EngineError> {
        self.file
            .seek(SeekFrom::Start(place.offset))
            .map(|_| ())
            .map_err(|error| EngineError::Internal(format!("the model file can no longer be read: {error}")))
    }
}

/// Opens a regular file for reading, and returns it with its length in bytes.
///
/// # Errors
/// [`EngineError::NotFound`].
pub fn open(path: &Path) -> Result<(File, u64), EngineError> {
    let not_found = |source| EngineError::NotFound { path: path.to_owned(), source };
    let file = FilePart::open(path)?.into_file().map_err(not_found)?;
    let len = file.metadata().map_err(not_found)?.len();
    Ok((file, len))
}

fn dimensions(shape: &[usize]) -> Vec<usize> {
    shape.iter().copied().filter(|&size| size != 1).collect()
}

fn invalid(tensor: &str, why: &str) -> EngineError {
    EngineError::invalid(format!("tensor {tensor}"), why)
}

/// The file's length was checked when it was opened.
fn unreadable(tensor: &str, error: &std::io::Error) -> EngineError {
    invalid(tensor, &format!("it can no longer be read: {error}"))
}

/// Numbers that are not quantized.
fn numbers(dtype: DType, bytes: &[u8]) -> Box<dyn Iterator<Item = f32> + '_> {
    let halves = || bytes.as_chunks::<2>().0.iter();
    match dtype {
        DType::F32 => Box::new(bytes.as_chunks::<4>().0.iter().map(|bytes| f32::from_le_bytes(*bytes))),
        DType::BF16 => Box::new(halves().map(|bytes| bf16::from_le_bytes(*bytes).to_f32())),
        _ => Box::new(halves().map(|bytes| f16::from_le_bytes(*bytes).to_f32())),
    }
}

/// Rounds numbers to Q8_0: 32 signed bytes after their scale, of which the largest is 127.
fn write_q8_0(mut numbers: impl Iterator<Item = f32>, blocks: &mut [u8]) {
    const BLOCK: usize = 32;
    for block in blocks.chunks_exact_mut(2 + BLOCK) {
        let numbers: [f32; BLOCK] = std::array::from_fn(|_| numbers.next().unwrap_or(0.0));
        let largest = numbers.iter().fold(0.0f32, |largest, number| largest.max(number.abs()));
        let scale = f16::from_f32(largest / 127.0);
        let inverse = if scale > f16::ZERO { 1.0 / scale.to_f32() } else { 0.0 };
        let (scale_bytes, codes) = block.split_at_mut(2);
        scale_bytes.copy_from_slice(&scale.to_le_bytes());
        let rounded =
            numbers.map(|number| ((number * inverse).round_ties_even().clamp(-127.0, 127.0) as i8).cast_unsigned());
        codes.copy_from_slice(&rounded);
    }
}

/// Rounds numbers to F16, as many as `halves` takes.
pub fn write_halves(numbers: impl Iterator<Item = f32>, halves: &mut [u8]) {
    for (half, number) in halves.as_chunks_mut::<2>().0.iter_mut().zip(numbers) {
        *half = f16::from_f32(number).to_le_bytes();
    }
}
