//! Where a training has got to, in a file: whoever goes on from it computes the same bits as without an interruption.
//!
//! The file is [`MAGIC`], [`HEAD`] numbers of 64 bits, the adapter's numbers and the optimizer's two means of each, and a CRC-32 of all of
//! it; little-endian.

use std::fs;
use std::io::{BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};

use crc32fast::Hasher;
use sotto_engine::EngineError;
use sotto_engine::compute::replace_file;

use crate::TrainingError;
use crate::loss::Loss;
use crate::optimizer::AdamW;
use crate::tune::Judged;

const MAGIC: &[u8; 8] = b"SOTTOCP2";
/// Numbers of 64 bits before the adapter's.
const HEAD: usize = 13;
/// Bytes of each number of the adapter: itself, and two means.
const PER_NUMBER: usize = 3 * size_of::<f32>();
/// Numbers that are written at a time.
const AT_ONCE: usize = 1 << 14;

/// Everything that a training needs to go on.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Checkpoint {
    /// Of the texts, the options and the model.
    pub(crate) fingerprint: u64,
    /// Steps done, and all.
    pub(crate) step: u64,
    pub(crate) steps: u64,
    /// Time spent.
    pub(crate) seconds: f64,
    /// Tokens read.
    pub(crate) tokens: u64,
    pub(crate) before: Judged,
    pub(crate) numbers: Vec<f32>,
    pub(crate) optimizer: AdamW,
}

impl Checkpoint {
    /// # Errors
    /// [`EngineError::Storage`]: what was there before is there still.
    pub(crate) fn write(&self, path: &Path) -> Result<(), EngineError> {
        let storage = |source| EngineError::Storage { path: path.to_owned(), source };
        replace_file(path, |file| {
            let mut writer = Writer { out: BufWriter::with_capacity(1 << 18, file), hasher: Hasher::new() };
            writer.write(MAGIC).map_err(storage)?;
            let head = self.head();
            head.iter().try_for_each(|number| writer.write(&number.to_le_bytes())).map_err(storage)?;
            for numbers in [&self.numbers, &self.optimizer.mean, &self.optimizer.square] {
                for some in numbers.chunks(AT_ONCE) {
                    let bytes: Vec<u8> = some.iter().flat_map(|number| number.to_le_bytes()).collect();
                    writer.write(&bytes).map_err(storage)?;
                }
            }
            let crc = writer.hasher.clone().finalize();
            writer.write(&crc.to_le_bytes()).and_then(|()| writer.out.flush()).map_err(storage)
        })
    }

    fn head(&self) -> [u64; HEAD] {
        let Judged { held_out, calibration, general } = self.before;
        [
            self.fingerprint,
            self.step,
            self.steps,
            self.seconds.to_bits(),
            self.tokens,
            self.optimizer.steps,
            held_out.tokens as u64,
            held_out.nll.to_bits(),
            calibration.tokens as u64,
            calibration.nll.to_bits(),
            general.tokens as u64,
            general.nll.to_bits(),
            self.numbers.len() as u64,
        ]
    }

    /// The checkpoint at `path`; `None` where there is none.
    ///
    /// # Errors
    /// [`TrainingError::Checkpoint`] for one that is damaged, or of another training.
    pub(crate) fn read(path: &Path, fingerprint: u64, numbers: usize) -> Result<Option<Self>, TrainingError> {
        let invalid = |why: &str| TrainingError::Checkpoint { path: PathBuf::from(path), why: why.to_owned() };
        let expected = MAGIC.len() + HEAD * size_of::<u64>() + numbers * PER_NUMBER + size_of::<u32>();
        let length = match fs::metadata(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(invalid(&error.to_string())),
            Ok(file) => file.len(),
        };
        if length != expected as u64 {
            return Err(invalid("it has another length than this training's: delete it to begin anew"));
        }
        let bytes = fs::read(path).map_err(|error| invalid(&error.to_string()))?;
        let (bytes, crc) = bytes.split_at(bytes.len().saturating_sub(size_of::<u32>()));
        if crc != crc32fast::hash(bytes).to_le_bytes() || !bytes.starts_with(MAGIC) {
            return Err(invalid("it is damaged: delete it to begin anew"));
        }
        let (head, floats) = bytes[MAGIC.len()..].split_at(HEAD * size_of::<u64>());
        let head: Vec<u64> = head.as_chunks().0.iter().map(|bytes| u64::from_le_bytes(*bytes)).collect();
        if (head[0], head[12]) != (fingerprint, numbers as u64) {
            return Err(invalid("it is of other texts, options or another model: delete it to begin anew"));
        }
        let mut parts = floats
            .chunks_exact(floats.len() / 3)
            .map(|part| -> Vec<f32> { part.as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect() });
        let mut part = || parts.next().unwrap_or_default();
        let loss = |at: usize| Loss { tokens: head[at] as usize, nll: f64::from_bits(head[at + 1]) };
        Ok(Some(Self {
            fingerprint,
            step: head[1],
            steps: head[2],
            seconds: f64::from_bits(head[3]),
            tokens: head[4],
            before: Judged { held_out: loss(6), calibration: loss(8), general: loss(10) },
            numbers: part(),
            optimizer: AdamW { steps: head[5], mean: part(), square: part() },
        }))
    }
}

struct Writer<W> {
    out: W,
    hasher: Hasher,
}

impl<W: Write> Writer<W> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.hasher.update(bytes);
        self.out.write_all(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checkpoint() -> Checkpoint {
        let numbers: Vec<f32> = (0..40_000).map(|i| i as f32 * 0.37 - 11.0).collect();
        let mut optimizer = AdamW::new(numbers.len());
        optimizer.steps = 7;
        optimizer.mean.iter_mut().zip(&mut optimizer.square).enumerate().for_each(|(i, (mean, square))| {
            (*mean, *square) = (i as f32, -(i as f32));
        });
        let loss = |tokens, nll| Loss { tokens, nll };
        let before = Judged { held_out: loss(3, 4.5), calibration: loss(7, 0.2), general: loss(9, 0.1) };
        Checkpoint { fingerprint: 77, step: 5, steps: 90, seconds: 1.25, tokens: 1234, before, numbers, optimizer }
    }

    #[test]
    fn what_was_written_is_read() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("me.checkpoint");
        let written = checkpoint();
        assert!(Checkpoint::read(&path, 77, 40_000).expect("nothing yet").is_none());
        written.write(&path).expect("written");
        assert_eq!(Checkpoint::read(&path, 77, 40_000).expect("valid"), Some(written));
    }

    #[test]
    fn what_is_damaged_or_of_another_training_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("me.checkpoint");
        checkpoint().write(&path).expect("written");
        let refused = |fingerprint, numbers| {
            matches!(Checkpoint::read(&path, fingerprint, numbers), Err(TrainingError::Checkpoint { .. }))
        };
        assert!(refused(78, 40_000) && refused(77, 39_999));
        let bytes = fs::read(&path).expect("the file");
        for damage in [0, 9, 100, bytes.len() / 2, bytes.len() - 1] {
            let mut damaged = bytes.clone();
            damaged[damage] ^= 1;
            fs::write(&path, damaged).expect("written");
            assert!(refused(77, 40_000), "byte {damage}");
        }
        fs::write(&path, &bytes[..bytes.len() - 1]).expect("written");
        assert!(refused(77, 40_000));
    }
}
