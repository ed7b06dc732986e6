//! What a file is that is no GGUF file: told by its first bytes, so that people know what to fetch instead.

use crate::EngineError;

/// Formats of other programs' models, and of archives: where their mark is, the mark, and what to say.
const FORMATS: [(usize, &[u8], &str); 18] = [
    (0, b"lmgg", "a model in the format GGML, which GGUF replaced in 2023: fetch it as a GGUF file"),
    (0, b"fmgg", "a model in the format GGMF, which GGUF replaced in 2023: fetch it as a GGUF file"),
    (0, b"tjgg", "a model in the format GGJT, which GGUF replaced in 2023: fetch it as a GGUF file"),
    (0, b"algg", "an adapter in the format GGLA, of before GGUF: fetch a whole model as a GGUF file"),
    (0, b"PK\x03\x04", "a ZIP file, as PyTorch's models are: fetch the model as a GGUF file, or unpack the archive"),
    (0, b"\x80\x02", PICKLE),
    (0, b"\x80\x03", PICKLE),
    (0, b"\x80\x04", PICKLE),
    (0, b"\x80\x05", PICKLE),
    (4, b"TFL3", "a model of TensorFlow Lite: fetch it as a GGUF file"),
    (0, b"\x89HDF\r\n\x1a\n", "a model of Keras (HDF5): fetch it as a GGUF file"),
    (0, b"\x1f\x8b", ARCHIVE),
    (0, b"BZh", ARCHIVE),
    (0, b"\xfd7zXZ\0", ARCHIVE),
    (0, b"(\xb5/\xfd", ARCHIVE),
    (0, b"7z\xbc\xaf\x27\x1c", ARCHIVE),
    (0, b"Rar!", ARCHIVE),
    (257, b"ustar", ARCHIVE),
];
const PICKLE: &str = "a model of PyTorch (pickle): fetch it as a GGUF file";
const ARCHIVE: &str = "a compressed archive: unpack it, and give the GGUF file in it";
const SAFETENSORS: &str = "a model in the format safetensors: fetch it as a GGUF file";

/// Texts that servers and tools put in a file's place: how they begin, and what to say.
const TEXTS: [(&str, &str); 6] = [
    ("<!doctype html", WEB_PAGE),
    ("<html", WEB_PAGE),
    ("<?xml", "it is a server's answer, not the model: fetch it again"),
    ("version https://git-lfs", "it is a pointer of Git LFS, not the model itself: fetch that with `git lfs pull`"),
    ("{", JSON),
    ("[", JSON),
];
const WEB_PAGE: &str = "it is a web page, not a model: fetch the file itself, by the page's download link";
const JSON: &str = "it is a text (JSON), a model's settings or a server's answer: fetch the GGUF file";

/// Bytes at the beginning in which texts are looked for, and that an unfinished download may have left empty.
const HEAD: usize = 512;
/// No list of tensors of a safetensors file is longer.
const MAX_SAFETENSORS_HEADER: u64 = 100_000_000;

/// What to say of a file that does not begin as a GGUF file does.
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
        return invalid("it begins with zeros only: the download is unfinished, fetch it again");
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
