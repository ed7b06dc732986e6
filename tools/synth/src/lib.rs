//! Writes random-weight GGUF files of an exact shape, for benchmarks and tests.
//!
//! ```
//! use sotto_synth::{Quantization, Shape, SynthOptions, synthesize};
//!
//! let folder = tempfile::tempdir()?;
//! let options = SynthOptions::new(Shape::named("tiny").unwrap(), Quantization::Q4KM);
//! let report = synthesize(&options, &folder.path().join("tiny.gguf"), |_written, _total| {})?;
//! assert_eq!(report.vocab_size, 1024);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod error;
mod gguf;
mod metadata;
mod named;
mod plan;
mod quantization;
mod shape;
mod vocabulary;
mod weights;

use std::fs;
use std::io::{BufWriter, ErrorKind, Write};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

pub use error::SynthError;
pub use quantization::Quantization;
pub use shape::{Family, Llama3Scaling, RopeScaling, Shape};
pub use vocabulary::{Tokenizer, Vocabulary};

/// What to write.
#[derive(Debug, Clone, PartialEq)]
pub struct SynthOptions {
    /// The model's shape.
    pub shape: Shape,
    /// The type of its weights.
    pub quantization: Quantization,
    /// Where its tokenizer comes from.
    pub vocabulary: Vocabulary,
    /// The same options with the same seed give the same file, byte for byte.
    pub seed: u64,
}

impl SynthOptions {
    /// A model with a synthetic vocabulary and seed 0.
    pub fn new(shape: Shape, quantization: Quantization) -> Self {
        Self { shape, quantization, vocabulary: Vocabulary::Synthetic, seed: 0 }
    }
}

/// What was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SynthReport {
    /// Size of the file in bytes.
    pub bytes: u64,
    /// Tensors in it.
    pub tensors: usize,
    /// Weights in all of them.
    pub weights: u64,
    /// Tokens in its vocabulary.
    pub vocab_size: usize,
}

/// Writes a random-weight model to `path`, and calls `progress(written, total)`, both in bytes, as it goes.
///
/// The file appears whole or not at all: it grows under a temporary name in the same folder and is then renamed, in place
/// of any file that was there. A link stays, and what it leads to is written. Memory stays at a few megabytes besides the
/// vocabulary, whatever the model's size.
///
/// # Errors
/// [`SynthError::Options`] for a shape that no model can have, or whose rows do not fill whole blocks of the quantization;
/// [`SynthError::Vocabulary`] for a vocabulary file that has none; [`SynthError::DiskFull`] and [`SynthError::Write`].
pub fn synthesize(
    options: &SynthOptions,
    path: &Path,
    mut progress: impl FnMut(u64, u64),
) -> Result<SynthReport, SynthError> {
    synthesize_while(options, path, |written, total| {
        progress(written, total);
        ControlFlow::Continue(())
    })
}

/// As [`synthesize`], until `progress` says to break.
///
/// # Errors
/// As [`synthesize`], and [`SynthError::Stopped`] after a break; no file is left then.
pub fn synthesize_while(
    options: &SynthOptions,
    path: &Path,
    mut progress: impl FnMut(u64, u64) -> ControlFlow<()>,
) -> Result<SynthReport, SynthError> {
    options.shape.check()?;
    let tokenizer = options.vocabulary.metadata(options.shape.tokenizer, options.shape.vocab_size)?;
    let shape = Shape { vocab_size: tokenizer.vocab_size, ..options.shape.clone() };
    let tensors = plan::tensors(&shape, options.quantization)?;
    let mut metadata = metadata::of(&shape, options.quantization);
    metadata.extend(tokenizer.entries);
    let header = gguf::header(&metadata, &tensors);
    drop(metadata);
    let total = header.len() as u64 + tensors.iter().map(|tensor| gguf::padded(tensor.byte_count())).sum::<u64>();

    let io = |source: std::io::Error| write_error(source, path, total);
    let place = place_of(path).map_err(io)?;
    let file = temporary_beside(&place).map_err(io)?;
    let mut out = BufWriter::with_capacity(1 << 16, file);
    out.write_all(&header).map_err(io)?;
    let mut written = header.len() as u64;
    drop(header);
    for (index, tensor) in tensors.iter().enumerate() {
        let seed = tensor_seed(options.seed, index);
        weights::write(tensor, seed, &mut out, |bytes| {
            written += bytes as u64;
            progress(written, total)
        })
        .map_err(|error| error.at(io))?;
        written += pad(&mut out, tensor.byte_count()).map_err(io)?;
    }
    if progress(written, total).is_break() {
        return Err(SynthError::Stopped);
    }
    let file = out.into_inner().map_err(|error| io(error.into_error()))?;
    file.persist(&place).map_err(|error| io(error.error))?;
    Ok(SynthReport {
        bytes: total,
        tensors: tensors.len(),
        weights: tensors.iter().map(|tensor| tensor.element_count() as u64).sum(),
        vocab_size: shape.vocab_size,
    })
}

/// Each tensor has its own stream of random numbers, so that one tensor's size does not change the next one's weights.
fn tensor_seed(seed: u64, index: usize) -> u64 {
    const GOLDEN_RATIO: u64 = 0x9E37_79B9_7F4A_7C15;
    seed ^ (index as u64 + 1).wrapping_mul(GOLDEN_RATIO)
}

fn pad(out: &mut impl Write, length: usize) -> std::io::Result<u64> {
    let padding = gguf::padded(length) - length as u64;
    out.write_all(&vec![0; padding as usize])?;
    Ok(padding)
}

/// Where a file at `path` is to be: behind all links, and nowhere that something else than a file is.
fn place_of(path: &Path) -> std::io::Result<PathBuf> {
    match fs::metadata(path) {
        Ok(there) if !there.is_file() => {
            return Err(std::io::Error::new(ErrorKind::InvalidInput, "it is not a regular file: give another name"));
        }
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut place = path.to_owned();
    while let Ok(target) = fs::read_link(&place) {
        place.pop();
        place.push(target);
    }
    Ok(place)
}

/// A temporary file in the folder of `path`, readable by whoever may read other files made there.
fn temporary_beside(path: &Path) -> std::io::Result<NamedTempFile> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let mut builder = tempfile::Builder::new();
    builder.prefix(".synth-");
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    // The error would name the temporary file, which nobody asked for.
    builder.tempfile_in(folder).map_err(|error| error.kind().into())
}

fn write_error(source: std::io::Error, path: &Path, needed: u64) -> SynthError {
    let path = path.to_owned();
    match source.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => SynthError::DiskFull { path, needed },
        _ => SynthError::Write { path, source },
    }
}
