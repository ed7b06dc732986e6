use std::io::Read as _;
use std::path::Path;

use serde::de::DeserializeOwned;

use super::open;
use crate::EngineError;

/// Bytes of a text file, at most; the largest vocabularies have some ten million.
const LARGEST_TEXT: u64 = 64 << 20;

/// Reads a JSON file of at most 64 MiB that lies beside a model's weights.
///
/// # Errors
/// [`EngineError::NotFound`], and [`EngineError::Invalid`] for a file that is too large or not the expected JSON.
pub fn read_json<T: DeserializeOwned>(path: &Path) -> Result<T, EngineError> {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let (mut file, len) = open(path)?;
    if len > LARGEST_TEXT {
        return Err(EngineError::invalid(name, "it is too large"));
    }
    let mut text = Vec::new();
    file.read_to_end(&mut text).map_err(|source| EngineError::NotFound { path: path.to_owned(), source })?;
    serde_json::from_slice(&text).map_err(|error| {
        let why = format!("line {}: it is not what it should be", error.line());
        EngineError::invalid(name, why)
    })
}
