//! A small model for tests, whose numbers follow from their names and places: `tools/golden-logits/whisper.py` makes the same.

use std::io::Write as _;

use crc32fast::hash;
use half::f16;
use tempfile::NamedTempFile;

use crate::{CancelToken, Precision, SpeechModel, SpeechOptions};

const VOCABULARY: usize = 1864;
const WIDTH: usize = 64;
const HEADS: usize = 2;
const LAYERS: usize = 2;
const TEXT_POSITIONS: usize = 32;
const BANDS: usize = 80;

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

/// The model as a file of whisper.cpp.
pub(crate) fn file() -> Vec<u8> {
    let words = |words: &[usize]| words.iter().flat_map(|&word| (word as u32).to_le_bytes()).collect::<Vec<u8>>();
    let sizes = [VOCABULARY, 1500, WIDTH, HEADS, LAYERS, TEXT_POSITIONS, WIDTH, HEADS, LAYERS, BANDS, 1];
    let mut file = words(&[0x6767_6d6c]);
    file.extend(words(&sizes));
    file.extend(words(&[BANDS, 201]));
    file.extend(vec![0; BANDS * 201 * 4]);
    file.extend(words(&[256]));
    for byte in 0..=255u8 {
        file.extend(words(&[1]));
        file.push(byte);
    }
    for (name, shape) in shapes() {
        let wide = shape.len() == 1 || name.ends_with("positional_embedding");
        file.extend(words(&[shape.len(), name.len(), usize::from(!wide)]));
        let reversed: Vec<usize> = shape.iter().rev().copied().collect();
        file.extend(words(&reversed));
        file.extend(name.as_bytes());
        let is_norm = name.contains("_ln.") || name.contains(".ln");
        let middle = if is_norm && name.ends_with("weight") { 1.0 } else { 0.0 };
        for number in numbers(&name, shape.iter().product()) {
            match wide {
                true => file.extend((number * 0.125 + middle).to_le_bytes()),
                false => file.extend(f16::from_f32(number * 0.25).to_le_bytes()),
            }
        }
    }
    file
}

/// The loaded model.
pub(crate) fn load(precision: Precision) -> SpeechModel {
    let options = SpeechOptions { threads: Some(2), kernels: None, precision };
    SpeechModel::load(write(&file()).path(), options, &CancelToken::new()).expect("a model")
}

/// A file with these bytes, there until it is dropped.
pub(crate) fn write(bytes: &[u8]) -> NamedTempFile {
    let mut file = NamedTempFile::new().expect("a file");
    file.write_all(bytes).expect("a file");
    file
}

fn shapes() -> Vec<(String, Vec<usize>)> {
    let mut shapes = vec![
        ("encoder.conv1.weight".to_owned(), vec![WIDTH, BANDS, 3]),
        ("encoder.conv1.bias".into(), vec![WIDTH]),
        ("encoder.conv2.weight".into(), vec![WIDTH, WIDTH, 3]),
        ("encoder.conv2.bias".into(), vec![WIDTH]),
        ("encoder.positional_embedding".into(), vec![1500, WIDTH]),
        ("decoder.positional_embedding".into(), vec![TEXT_POSITIONS, WIDTH]),
        ("decoder.token_embedding.weight".into(), vec![VOCABULARY, WIDTH]),
    ];
    let mut add = |name: String, shape: Option<[usize; 2]>, bias: bool| {
        let outputs = shape.map_or(WIDTH, |[outputs, _]| outputs);
        shapes.push((format!("{name}.weight"), shape.map_or(vec![WIDTH], |shape| shape.to_vec())));
        if bias {
            shapes.push((format!("{name}.bias"), vec![outputs]));
        }
    };
    for (part, attentions) in [("encoder", &["attn"][..]), ("decoder", &["attn", "cross_attn"])] {
        for block in (0..LAYERS).map(|layer| format!("{part}.blocks.{layer}")) {
            for attention in attentions {
                add(format!("{block}.{attention}_ln"), None, true);
                for matrix in ["query", "key", "value", "out"] {
                    add(format!("{block}.{attention}.{matrix}"), Some([WIDTH, WIDTH]), matrix != "key");
                }
            }
            add(format!("{block}.mlp_ln"), None, true);
            add(format!("{block}.mlp.0"), Some([4 * WIDTH, WIDTH]), true);
            add(format!("{block}.mlp.2"), Some([WIDTH, 4 * WIDTH]), true);
        }
    }
    add("encoder.ln_post".into(), None, true);
    add("decoder.ln".into(), None, true);
    shapes
}
