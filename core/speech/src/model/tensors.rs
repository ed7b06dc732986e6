//! The tensors of a model file: found by name, checked, and read one after the other.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufReader, Read as _, Seek as _, SeekFrom};

use half::{bf16, f16};
use sotto_engine::compute::WeightMatrix;
use sotto_engine::{CancelToken, DType, EngineError};

use super::Precision;
use crate::SpeechError;

/// Where a tensor lies in a file.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub(crate) dtype: DType,
    /// The last dimension is the one whose numbers follow each other.
    pub(crate) shape: Vec<usize>,
    pub(crate) offset: u64,
}

/// All tensors of a file, by the names that OpenAI's code gives them.
#[derive(Debug)]
pub(crate) struct Tensors {
    file: BufReader<File>,
    places: HashMap<String, Place>,
}

impl Place {
    /// Bytes of the tensor; `None` where they cannot be counted or are no whole blocks.
    pub(crate) fn len(&self) -> Option<u64> {
        let numbers = self.shape.iter().try_fold(1usize, |product, &size| product.checked_mul(size))?;
        let whole = self.shape.last()?.is_multiple_of(self.dtype.block_len());
        let bytes = (numbers / self.dtype.block_len()).checked_mul(self.dtype.block_bytes())?;
        whole.then_some(bytes as u64)
    }
}

impl Tensors {
    /// Tensors that lie within `file`.
    pub(crate) fn new(file: File, places: HashMap<String, Place>) -> Self {
        Self { file: BufReader::new(file), places }
    }

    /// Bytes of all matrices, kernels of convolutions and positions once they are loaded. Vectors count for nothing beside them.
    pub(crate) fn loaded_bytes(&self, precision: Precision) -> u64 {
        let bytes = self.places.iter().map(|(name, place)| match *dimensions(&place.shape) {
            [rows, columns] if name.ends_with("positional_embedding") => rows * columns * size_of::<f32>(),
            [rows, columns] => WeightMatrix::packed_len_of(precision.of_matrix(place.dtype), [rows, columns]),
            [outputs, inputs, frames] => WeightMatrix::packed_len_of(DType::F16, [outputs, inputs * frames]),
            _ => 0,
        });
        bytes.sum::<usize>() as u64
    }

    /// A matrix `[rows, columns]`, packed. What is not quantized becomes what `precision` says.
    pub(crate) fn matrix(
        &mut self,
        name: &str,
        shape: [usize; 2],
        precision: Precision,
        cancel: &CancelToken,
    ) -> Result<WeightMatrix, SpeechError> {
        let place = self.find(name, &shape)?;
        self.seek(&place)?;
        let mut read = |bytes: &mut [u8]| self.file.read_exact(bytes).map_err(|error| unreadable(name, &error));
        let (dtype, becomes) = (place.dtype, precision.of_matrix(place.dtype));
        let packed = WeightMatrix::pack_rows_of(name, becomes, shape, cancel, |rows| {
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
        });
        Ok(packed?)
    }

    /// The kernel of a convolution over three frames, `[outputs, inputs, 3]` in the file, as a matrix `[outputs, 3 * inputs]` of F16:
    /// the inputs of a frame follow each other, as they do in rows of frames.
    pub(crate) fn convolution(
        &mut self,
        name: &str,
        [outputs, inputs]: [usize; 2],
        cancel: &CancelToken,
    ) -> Result<WeightMatrix, SpeechError> {
        let kernel = self.numbers(name, &[outputs, inputs, 3])?;
        let reordered = kernel
            .chunks_exact(3 * inputs)
            .flat_map(|kernel| (0..3).flat_map(move |frame| kernel.iter().skip(frame).step_by(3).copied()));
        let mut reordered = reordered.fuse();
        let packed = WeightMatrix::pack_rows_of(name, DType::F16, [outputs, 3 * inputs], cancel, |halves| {
            write_halves(reordered.by_ref().take(halves.len() / 2), halves);
            Ok(())
        });
        Ok(packed?)
    }

    /// A vector of `len` finite numbers: a bias or the weights of a norm.
    pub(crate) fn vector(&mut self, name: &str, len: usize) -> Result<Vec<f32>, SpeechError> {
        self.numbers(name, &[len])
    }

    /// Finite numbers of a tensor that is not quantized, row after row.
    pub(crate) fn numbers(&mut self, name: &str, shape: &[usize]) -> Result<Vec<f32>, SpeechError> {
        let place = self.find(name, shape)?;
        if place.dtype.block_len() != 1 {
            return Err(SpeechError::unsupported(format!("{name} in the format {}", place.dtype)));
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
    fn find(&self, name: &str, shape: &[usize]) -> Result<Place, SpeechError> {
        let place = self.places.get(name).ok_or_else(|| invalid(name, "the tensor is missing"))?;
        match dimensions(&place.shape) == dimensions(shape) {
            true => Ok(place.clone()),
            false => Err(invalid(name, &format!("its shape is {:?}, but {shape:?} was expected", place.shape))),
        }
    }

    fn seek(&mut self, place: &Place) -> Result<(), SpeechError> {
        self.file
            .seek(SeekFrom::Start(place.offset))
            .map(|_| ())
            .map_err(|error| SpeechError::Internal(format!("the model file can no longer be read: {error}")))
    }
}

/// Dimensions of one element count for nothing: files differ in them.
fn dimensions(shape: &[usize]) -> Vec<usize> {
    shape.iter().copied().filter(|&size| size != 1).collect()
}

fn invalid(tensor: &str, why: &str) -> SpeechError {
    SpeechError::model_invalid(format!("tensor {tensor}"), why)
}

/// The file's length was checked when it was opened.
fn unreadable(tensor: &str, error: &std::io::Error) -> EngineError {
    EngineError::Invalid { at: format!("tensor {tensor}"), why: format!("it can no longer be read: {error}") }
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

/// Rounds numbers to F16.
fn write_halves(numbers: impl Iterator<Item = f32>, halves: &mut [u8]) {
    for (half, number) in halves.as_chunks_mut::<2>().0.iter_mut().zip(numbers) {
        *half = f16::from_f32(number).to_le_bytes();
    }
}
