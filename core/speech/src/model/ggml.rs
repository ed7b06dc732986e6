//! Files of whisper.cpp: `ggml-*.bin`.
//!
//! Little-endian words: a magic number, eleven sizes, the mel filters, the vocabulary, then tensors until the file ends.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufReader, Read as _, Seek as _, SeekFrom};

use sotto_engine::DType;
use sotto_engine::tensors::{Place, Tensors};

use super::config::{AUDIO_POSITIONS, Config};
use super::{Contents, Naming};
use crate::SpeechError;
use crate::vocabulary::Vocabulary;

/// `ggml` as a word.
pub(super) const MAGIC: u32 = 0x6767_6d6c;
/// Frequencies of a filter: those of a Fourier transform over 400 samples.
const FILTER_LEN: usize = 201;
/// Bytes of a token, at most; the longest that there is has 128.
const LONGEST_TOKEN: usize = 4096;
/// Bytes of a tensor's name, at most.
const LONGEST_NAME: usize = 256;

/// Reads everything but the tensors' numbers.
///
/// # Errors
/// [`SpeechError::ModelInvalid`] and [`SpeechError::Unsupported`].
pub(super) fn read(file: File) -> Result<Contents, SpeechError> {
    let len = file.metadata().map_err(|error| unreadable(0, &error))?.len();
    let mut reader = Reader { file: BufReader::new(file), at: 0, len };
    if reader.word()? != MAGIC {
        return Err(reader.invalid("the file is not a whisper.cpp model (its first four bytes are not \"lmgg\")"));
    }
    let config = reader.config()?;
    reader.filters(&config)?;
    let vocabulary = reader.vocabulary(&config)?;
    let mut places = HashMap::new();
    while reader.at < reader.len {
        let (name, place) = reader.tensor()?;
        places.insert(name, place);
    }
    let tensors = Tensors::new(reader.file.into_inner(), places);
    Ok(Contents { config, vocabulary, tensors, alignment_heads: Naming::Known })
}

struct Reader {
    file: BufReader<File>,
    at: u64,
    len: u64,
}

impl Reader {
    fn config(&mut self) -> Result<Config, SpeechError> {
        let vocab_size = self.size()?;
        let audio_positions = self.size()?;
        let width = self.size()?;
        let (encoder_heads, encoder_layers) = (self.size()?, self.size()?);
        let text_positions = self.size()?;
        let text_width = self.size()?;
        let (decoder_heads, decoder_layers) = (self.size()?, self.size()?);
        let mel_bands = self.size()?;
        // The number format of most tensors; each tensor states its own.
        self.word()?;
        if audio_positions != AUDIO_POSITIONS {
            return Err(self.invalid(format!("{audio_positions} positions of audio: Whisper has {AUDIO_POSITIONS}")));
        }
        if text_width != width {
            return Err(self.invalid("the encoder and the decoder differ in width"));
        }
        let config = Config {
            vocab_size,
            width,
            encoder_heads,
            encoder_layers,
            text_positions,
            decoder_heads,
            decoder_layers,
            mel_bands,
        };
        config.check()?;
        Ok(config)
    }

    /// Skips the mel filters, which follow from their number.
    fn filters(&mut self, config: &Config) -> Result<(), SpeechError> {
        let (bands, len) = (self.size()?, self.size()?);
        if bands != config.mel_bands || len != FILTER_LEN {
            let expected = config.mel_bands;
            return Err(
                self.invalid(format!("{bands} mel filters of {len}, but {expected} of {FILTER_LEN} were expected"))
            );
        }
        self.skip((bands * len * size_of::<f32>()) as u64)
    }

    fn vocabulary(&mut self, config: &Config) -> Result<Vocabulary, SpeechError> {
        let count = self.size()?;
        if count > config.vocab_size {
            return Err(self.invalid(format!("{count} tokens in a vocabulary of {}", config.vocab_size)));
        }
        let tokens: Result<Vec<Vec<u8>>, SpeechError> = (0..count).map(|_| self.bytes(LONGEST_TOKEN)).collect();
        Vocabulary::new(config.vocab_size, tokens?)
    }

    fn tensor(&mut self) -> Result<(String, Place), SpeechError> {
        let (dimensions, name_len, format) = (self.size()?, self.size()?, self.word()?);
        if !(1..=4).contains(&dimensions) || name_len > LONGEST_NAME {
            return Err(self.invalid("no tensor begins here"));
        }
        let mut shape = (0..dimensions).map(|_| self.size()).collect::<Result<Vec<_>, _>>()?;
        shape.reverse();
        let name =
            String::from_utf8(self.exactly(name_len)?).map_err(|_| self.invalid("a tensor's name is not text"))?;
        let dtype = DType::from_ggml(format)
            .ok_or_else(|| SpeechError::unsupported(format!("the tensor format with number {format}")))?;
        let place = Place { dtype, shape, offset: self.at };
        let len = place.bytes().ok_or_else(|| self.invalid("a tensor's size is not a whole number of blocks"))?;
        self.skip(len)?;
        Ok((name, place))
    }

    /// A number that is not negative.
    fn size(&mut self) -> Result<usize, SpeechError> {
        let word = self.word()?;
        i32::try_from(word).map(|size| size as usize).map_err(|_| self.invalid(format!("{word} is not a size")))
    }

    fn word(&mut self) -> Result<u32, SpeechError> {
        let mut word = [0; 4];
        self.fill(&mut word)?;
        Ok(u32::from_le_bytes(word))
    }

    /// Bytes after their number.
    fn bytes(&mut self, most: usize) -> Result<Vec<u8>, SpeechError> {
        let len = self.size()?;
        if len > most {
            return Err(self.invalid(format!("a token of {len} bytes")));
        }
        self.exactly(len)
    }

    fn exactly(&mut self, len: usize) -> Result<Vec<u8>, SpeechError> {
        let mut bytes = vec![0; len];
        self.fill(&mut bytes)?;
        Ok(bytes)
    }

    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), SpeechError> {
        self.check_left(bytes.len() as u64)?;
        self.file.read_exact(bytes).map_err(|error| unreadable(self.at, &error))?;
        self.at += bytes.len() as u64;
        Ok(())
    }

    fn skip(&mut self, len: u64) -> Result<(), SpeechError> {
        self.check_left(len)?;
        self.at += len;
        self.file.seek(SeekFrom::Start(self.at)).map_err(|error| unreadable(self.at, &error))?;
        Ok(())
    }

    fn check_left(&self, len: u64) -> Result<(), SpeechError> {
        match len <= self.len - self.at {
            true => Ok(()),
            false => Err(self.invalid("the file ends here, before it is complete: download it again")),
        }
    }

    fn invalid(&self, why: impl Into<String>) -> SpeechError {
        SpeechError::model_invalid(format!("byte {}", self.at), why)
    }
}

fn unreadable(at: u64, error: &std::io::Error) -> SpeechError {
    SpeechError::model_invalid(format!("byte {at}"), format!("it cannot be read: {error}"))
}

#[cfg(test)]
mod tests {
    use crate::small_model::{file, numbers, write};
    use crate::{CancelToken, SpeechError, SpeechModel, SpeechOptions};

    fn load(bytes: &[u8]) -> Result<SpeechModel, SpeechError> {
        let options = SpeechOptions { threads: Some(1), ..SpeechOptions::default() };
        SpeechModel::load(write(bytes).path(), options, &CancelToken::new())
    }

    #[test]
    fn files_that_end_early_are_invalid() {
        let file = file();
        let lens = (0..60).chain((0..60).map(|part| file.len() / 61 * part)).chain([file.len() - 1]);
        for len in lens {
            let error = load(&file[..len]).err();
            assert!(matches!(error, Some(SpeechError::ModelInvalid { .. })), "{len}: {error:?}");
        }
    }

    #[test]
    fn damaged_files_are_refused_or_read() {
        let whole = file();
        let header = 64 + 4 * 80 * 201 + 256 * 5;
        for (round, chance) in numbers("damage", 300).enumerate() {
            let mut file = whole.clone();
            // Sizes, the vocabulary and the first tensors' descriptions, more than numbers.
            let places = if round % 3 == 0 { 64 } else { header + 4096 };
            let place = ((chance + 1.0) / 2.0 * (places - 1) as f32) as usize;
            file[place] ^= 1 << (round % 8);
            match load(&file) {
                Ok(_) | Err(SpeechError::ModelInvalid { .. } | SpeechError::Unsupported { .. }) => {}
                Err(error) => panic!("byte {place}: {error:?}"),
            }
        }
    }

    #[test]
    fn huge_sizes_take_no_memory() {
        // A token, a tensor and a vocabulary of two gigabytes.
        for at in [4, 12, 48, 52, 56 + 4 * 80 * 201, 60 + 4 * 80 * 201] {
            let mut file = file();
            file[at..at + 4].copy_from_slice(&i32::MAX.to_le_bytes());
            assert!(matches!(load(&file), Err(SpeechError::ModelInvalid { .. })), "{at}");
        }
    }

    #[test]
    fn numbers_that_are_none_are_found() {
        let mut file = file();
        let name = b"encoder.conv1.bias";
        let at = file.windows(name.len()).position(|window| window == name).expect("the tensor") + name.len();
        file[at..at + 4].copy_from_slice(&f32::NAN.to_le_bytes());
        assert!(matches!(load(&file), Err(SpeechError::ModelInvalid { at, .. }) if at.contains("conv1.bias")));
    }

    #[test]
    fn other_files_are_told_apart() {
        assert!(matches!(load(b"RIFF1234WAVE"), Err(SpeechError::ModelInvalid { .. })));
        assert!(matches!(load(b""), Err(SpeechError::ModelInvalid { .. })));
        let nowhere = SpeechModel::load("/nowhere/ggml-base.bin", SpeechOptions::default(), &CancelToken::new());
        assert!(matches!(nowhere, Err(SpeechError::NotFound { .. })));
    }
}
