//! Recognizes files that are not GGUF by their first bytes, so that users know what to download instead.

use crate::EngineError;

/// Formats of other programs' models and of archives: the position of their signature, the signature, and a
/// description.
const FORMATS: [(usize, &[u8], &str); 18] = [
    (0, b"lmgg", "a model in the format GGML, which GGUF replaced in 2023: download it as a GGUF file"),
    (0, b"fmgg", "a model in the format GGMF, which GGUF replaced in 2023: download it as a GGUF file"),
    (0, b"tjgg", "a model in the format GGJT, which GGUF replaced in 2023: download it as a GGUF file"),
    (0, b"algg", "an adapter in the format GGLA, which is older than GGUF: download a complete model as a GGUF file"),
    (0, b"PK\x03\x04", "a ZIP file, such as a PyTorch model: download the model as a GGUF file, or unpack the archive"),
    (0, b"\x80\x02", PICKLE),
    (0, b"\x80\x03", PICKLE),
    (0, b"\x80\x04", PICKLE),
    (0, b"\x80\x05", PICKLE),
    (4, b"TFL3", "a TensorFlow Lite model: download it as a GGUF file"),
    (0, b"\x89HDF\r\n\x1a\n", "a Keras model (HDF5): download it as a GGUF file"),
    (0, b"\x1f\x8b", ARCHIVE),
    (0, b"BZh", ARCHIVE),
    (0, b"\xfd7zXZ\0", ARCHIVE),
    (0, b"(\xb5/\xfd", ARCHIVE),
    (0, b"7z\xbc\xaf\x27\x1c", ARCHIVE),
    (0, b"Rar!", ARCHIVE),
    (257, b"ustar", ARCHIVE),
];
const PICKLE: &str = "a PyTorch model (pickle): download it as a GGUF file";
const ARCHIVE: &str = "a compressed archive: unpack it, and use the GGUF file inside";
const SAFETENSORS: &str = "a model in the format safetensors: download it as a GGUF file";

/// Texts that servers and tools deliver instead of a file: how they begin, and a description.
const TEXTS: [(&str, &str); 6] = [
    ("<!doctype html", WEB_PAGE),
    ("<html", WEB_PAGE),
    ("<?xml", "it is a server's reply, not the model: download it again"),
    ("version https://git-lfs", "it is a Git LFS pointer, not the model itself: run `git lfs pull`"),
    ("{", JSON),
    ("[", JSON),
];
const WEB_PAGE: &str = "it is a web page, not a model: download the file itself from that page";
const JSON: &str = "it is JSON text, such as a model's configuration or a server's reply: download the GGUF file";

/// The number of bytes at the beginning in which texts are recognized, and which an unfinished download may have left
/// empty.
const HEAD: usize = 512;
/// The maximum length of the list of tensors in a safetensors file.
const MAX_SAFETENSORS_HEADER: u64 = 100_000_000;

/// Describes a file that does not begin like a GGUF file.
pub(super) fn refusal(file: &[u8]) -> EngineError {
    let invalid = |why: &str| EngineError::invalid("byte 0", why);
    let head = &file[..file.len().min(HEAD)];
    let marked = |at: usize, mark: &[u8]| file.get(at..).is_some_and(|rest| rest.starts_with(mark));
    if let Some((.., what)) = FORMATS.iter().find(|(at, mark, _)| marked(*at, mark)) {
        return EngineError::unsupported(*what);
    }
    if is_safetensors(head) {
        return EngineError::unsupported(SAFETENSORS);
    }
    if head.iter().all(|&byte| byte == 0) {
        return invalid("it begins with nothing but zeros: the download is unfinished, start it again");
    }
    let text = String::from_utf8_lossy(head).to_ascii_lowercase();
    let text = text.trim_start_matches(|c: char| c == '\u{feff}' || c.is_whitespace());
    match TEXTS.iter().find(|(beginning, _)| text.starts_with(beginning)) {
        Some((_, why)) => invalid(why),
        None => invalid("not a GGUF file: it does not begin with GGUF"),
    }
}

/// The length of a list of tensors, and the list, which is JSON.
fn is_safetensors(head: &[u8]) -> bool {
    let Some((length, list)) = head.split_first_chunk() else { return false };
    (2..=MAX_SAFETENSORS_HEADER).contains(&u64::from_le_bytes(*length)) && list.starts_with(b"{")
}
