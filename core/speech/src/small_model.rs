//! Small models for tests, whose numbers follow from their names and places: `tools/golden-logits/whisper.py` makes the same.

use std::io::Write as _;

use crc32fast::hash;
use half::f16;
use tempfile::NamedTempFile;

use crate::{CancelToken, Precision, SpeechModel, SpeechOptions};

/// The shape of a model.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shape {
    /// Text tokens, 1,509 special tokens, and 99 or 100 languages.
    pub(crate) vocabulary: usize,
    pub(crate) width: usize,
    pub(crate) heads: usize,
    pub(crate) encoder_layers: usize,
    pub(crate) decoder_layers: usize,
    /// Of the spectrogram.
    pub(crate) bands: usize,
}

/// The smallest possible model, except for its second layers.
pub(crate) const SMALL: Shape =
    Shape { vocabulary: 1864, width: 64, heads: 2, encoder_layers: 2, decoder_layers: 2, bands: 80 };
const TEXT_POSITIONS: usize = 32;
/// What ggml calls 16-bit numbers.
const F16: u32 = 1;

/// Numbers from −1 to 1 that follow from a name and their places: splitmix64.
pub(crate) fn numbers(name: &str, len: usize) -> impl Iterator<Item = f32> + use<> {
    let seed = u64::from(hash(name.as_bytes()));
    (1..=len as u64).map(move |place| {
        let mut z = seed.wrapping_add(place.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^= z >> 31;
        ((z >> 40) as f64 / f64::from(1 << 23) - 1.0) as f32
    })
}

/// The smallest model as a file of whisper.cpp.
pub(crate) fn file() -> Vec<u8> {
    SMALL.file()
}

/// The smallest model, loaded.
pub(crate) fn load(precision: Precision) -> SpeechModel {
    SMALL.load(precision)
}

impl Shape {
    /// The model as a file of whisper.cpp, in F16.
    pub(crate) fn file(&self) -> Vec<u8> {
        self.file_with_matrices(|numbers| (F16, halves(numbers)))
    }

    /// The same with other matrices: `matrix` gives ggml's number of a format, and numbers in this format.
    pub(crate) fn file_with_matrices(&self, matrix: impl Fn(&[f32]) -> (u32, Vec<u8>)) -> Vec<u8> {
        let Self { vocabulary, width, heads, encoder_layers, decoder_layers, bands } = *self;
        let sizes =
            [vocabulary, 1500, width, heads, encoder_layers, TEXT_POSITIONS, width, heads, decoder_layers, bands, 1];
        let mut file = words(&[0x6767_6d6c]);
        file.extend(words(&sizes));
        file.extend(words(&[bands, 201]));
        file.extend(vec![0; bands * 201 * 4]);
        let tokens = self.tokens();
        file.extend(words(&[tokens.len()]));
        for token in tokens {
            file.extend(words(&[token.len()]));
            file.extend(token);
        }
        for (name, shape) in self.tensors() {
            let (format, bytes) = tensor(&name, &shape, &matrix);
            file.extend(words(&[shape.len(), name.len(), format as usize]));
            let reversed: Vec<usize> = shape.iter().rev().copied().collect();
            file.extend(words(&reversed));
            file.extend(name.as_bytes());
            file.extend(bytes);
        }
        file
    }

    /// The loaded model.
    pub(crate) fn load(&self, precision: Precision) -> SpeechModel {
        load_file(&self.file(), precision)
    }

    /// Each byte, and then pairs of bytes.
    fn tokens(&self) -> impl ExactSizeIterator<Item = Vec<u8>> + use<> {
        let languages = if self.vocabulary > 51_865 { 100 } else { 99 };
        (0..self.vocabulary - 1509 - languages).map(|token| match u8::try_from(token) {
            Ok(byte) => vec![byte],
            Err(_) => ((token - 256) as u16).to_be_bytes().to_vec(),
        })
    }

    fn tensors(&self) -> Vec<(String, Vec<usize>)> {
        let Self { vocabulary, width, bands, .. } = *self;
        let mut shapes = vec![
            ("encoder.conv1.weight".to_owned(), vec![width, bands, 3]),
            ("encoder.conv1.bias".into(), vec![width]),
            ("encoder.conv2.weight".into(), vec![width, width, 3]),
            ("encoder.conv2.bias".into(), vec![width]),
            ("encoder.positional_embedding".into(), vec![1500, width]),
            ("decoder.positional_embedding".into(), vec![TEXT_POSITIONS, width]),
            ("decoder.token_embedding.weight".into(), vec![vocabulary, width]),
        ];
        let mut add = |name: String, shape: Option<[usize; 2]>, bias: bool| {
            let outputs = shape.map_or(width, |[outputs, _]| outputs);
            shapes.push((format!("{name}.weight"), shape.map_or(vec![width], |shape| shape.to_vec())));
            if bias {
                shapes.push((format!("{name}.bias"), vec![outputs]));
            }
        };
        let parts = [
            ("encoder", self.encoder_layers, &["attn"][..]),
            ("decoder", self.decoder_layers, &["attn", "cross_attn"]),
        ];
        for (part, layers, attentions) in parts {
            for block in (0..layers).map(|layer| format!("{part}.blocks.{layer}")) {
                for attention in attentions {
                    add(format!("{block}.{attention}_ln"), None, true);
                    for matrix in ["query", "key", "value", "out"] {
                        add(format!("{block}.{attention}.{matrix}"), Some([width, width]), matrix != "key");
                    }
                }
                add(format!("{block}.mlp_ln"), None, true);
                add(format!("{block}.mlp.0"), Some([4 * width, width]), true);
                add(format!("{block}.mlp.2"), Some([width, 4 * width]), true);
            }
        }
        add("encoder.ln_post".into(), None, true);
        add("decoder.ln".into(), None, true);
        shapes
    }
}

/// A tensor's format, and its numbers in this format. As in the files of whisper.cpp, vectors and positions have 32 bits, and kernels of
/// convolutions 16.
fn tensor(name: &str, shape: &[usize], matrix: impl Fn(&[f32]) -> (u32, Vec<u8>)) -> (u32, Vec<u8>) {
    let wide = shape.len() == 1 || name.ends_with("positional_embedding");
    let is_norm = name.contains("_ln.") || name.contains(".ln");
    let middle = if is_norm && name.ends_with("weight") { 1.0 } else { 0.0 };
    let numbers = numbers(name, shape.iter().product());
    if wide {
        return (0, numbers.flat_map(|number| (number * 0.125 + middle).to_le_bytes()).collect());
    }
    let numbers: Vec<f32> = numbers.map(|number| number * 0.25).collect();
    if shape.len() == 2 { matrix(&numbers) } else { (F16, halves(&numbers)) }
}

fn halves(numbers: &[f32]) -> Vec<u8> {
    numbers.iter().flat_map(|&number| f16::from_f32(number).to_le_bytes()).collect()
}

fn words(words: &[usize]) -> Vec<u8> {
    words.iter().flat_map(|&word| (word as u32).to_le_bytes()).collect()
}

/// A model in a file of whisper.cpp.
pub(crate) fn load_file(file: &[u8], precision: Precision) -> SpeechModel {
    let options = SpeechOptions { threads: Some(2), kernels: None, precision };
    SpeechModel::load(write(file).path(), options, &CancelToken::new()).expect("a model")
}

/// A file with these bytes, there until it is dropped.
pub(crate) fn write(bytes: &[u8]) -> NamedTempFile {
    let mut file = NamedTempFile::new().expect("a file");
    file.write_all(bytes).expect("a file");
    file
}
