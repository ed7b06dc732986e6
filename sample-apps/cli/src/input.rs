//! Reads the user's input: files, standard input, arguments.

use std::io::{BufRead, Read};
use std::path::Path;

use sotto::Audio;

use crate::failure::Failure;

/// The maximum size of a text, in bytes.
const MOST_BYTES: u64 = 64 << 20;

/// The maximum size of a recording from standard input, in bytes: three hours of CD audio. Files are read as needed.
const MOST_AUDIO_BYTES: u64 = 2 << 30;

/// The text of a file; `-` is standard input.
pub fn read_file(path: &Path) -> Result<String, Failure> {
    let fail = |source| Failure::Input { path: path.to_owned(), source };
    let mut bytes = Vec::new();
    if path == Path::new("-") {
        std::io::stdin().lock().take(MOST_BYTES + 1).read_to_end(&mut bytes).map_err(fail)?;
    } else {
        std::fs::File::open(path).and_then(|file| file.take(MOST_BYTES + 1).read_to_end(&mut bytes)).map_err(fail)?;
    }
    text_of(bytes)
}

/// The lines of a file, each a text of its own; `-` is standard input.
pub fn read_lines(path: &Path) -> Result<Vec<String>, Failure> {
    Ok(read_file(path)?.lines().map(str::to_owned).collect())
}

/// A recording; `-` is standard input.
pub fn audio(path: &Path) -> Result<Audio, Failure> {
    if path != Path::new("-") {
        return Ok(Audio::file(path));
    }
    let mut bytes = Vec::new();
    let fail = |source| Failure::Input { path: path.to_owned(), source };
    std::io::stdin().lock().take(MOST_AUDIO_BYTES + 1).read_to_end(&mut bytes).map_err(fail)?;
    match bytes.len() as u64 > MOST_AUDIO_BYTES {
        true => Err(Failure::BadInput("the recording is too long for standard input: pass it as a file".into())),
        false => Ok(Audio::bytes(bytes)),
    }
}

/// An argument of the command line; `-` is standard input.
pub fn read_word(word: &str) -> Result<String, Failure> {
    if word == "-" { read_file(Path::new("-")) } else { Ok(word.to_owned()) }
}

/// The next line of standard input, without its line end; `None` after the last.
pub fn read_line() -> Result<Option<String>, Failure> {
    next_line(std::io::stdin().lock())
}

fn next_line(input: impl BufRead) -> Result<Option<String>, Failure> {
    let mut bytes = Vec::new();
    let fail = |source| Failure::Input { path: "-".into(), source };
    match input.take(MOST_BYTES + 1).read_until(b'\n', &mut bytes).map_err(fail)? {
        0 => Ok(None),
        _ => text_of(bytes).map(|line| Some(line.trim_end_matches(['\r', '\n']).to_owned())),
    }
}

fn text_of(bytes: Vec<u8>) -> Result<String, Failure> {
    if bytes.len() as u64 > MOST_BYTES {
        return Err(Failure::BadInput(format!(
            "the input has more than {} MiB, which is too long for a note",
            MOST_BYTES >> 20
        )));
    }
    if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
        return Err(Failure::BadInput("the input is UTF-16 text: convert it to UTF-8".into()));
    }
    if bytes.contains(&0) {
        return Err(Failure::BadInput("the input is binary data, not text".into()));
    }
    let text = String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        Failure::BadInput(format!("the input is not UTF-8 text (byte {at} is the first that is not): convert it"))
    })?;
    Ok(text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn behind_a_line_that_is_no_text_comes_the_next() {
        let mut input: &[u8] = b"caf\xe9\nHello\r\n\nlast";
        assert!(matches!(next_line(&mut input), Err(Failure::BadInput(_))));
        for expected in [Some("Hello"), Some(""), Some("last"), None] {
            assert_eq!(next_line(&mut input).unwrap().as_deref(), expected);
        }
    }
}
