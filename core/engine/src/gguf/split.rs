//! Models in several files, as gguf-split writes them: `NAME-00001-of-00003.gguf` and so on in one folder. The first has the
//! metadata, each has some of the tensors, and says which part it is of how many.

use std::path::{Path, PathBuf};

use super::{FilePart, GgufFile, key_place};
use crate::EngineError;

const PART_KEY: &str = "split.no";
const PARTS_KEY: &str = "split.count";
const TENSORS_KEY: &str = "split.tensors.count";
/// Keys that only parts of a split model have.
pub(crate) const SPLIT_KEYS: [&str; 3] = [PART_KEY, PARTS_KEY, TENSORS_KEY];

/// What a part says about itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Split {
    /// Counted from 1, as in file names. The metadata counts from 0.
    part: u64,
    parts: u32,
    /// Of all parts together.
    tensors: Option<u32>,
}

impl Split {
    /// `None` for a model in one file.
    pub(super) fn of(file: &GgufFile) -> Result<Option<Self>, EngineError> {
        let metadata = file.metadata();
        let parts = metadata.count(PARTS_KEY)?.unwrap_or(0);
        if parts < 2 || file.is_packed() {
            return Ok(None);
        }
        match metadata.u32(PART_KEY)? {
            Some(index) if index < parts => {
                Ok(Some(Self { part: u64::from(index) + 1, parts, tensors: metadata.count(TENSORS_KEY)? }))
            }
            _ => Err(EngineError::invalid(key_place(PART_KEY), format!("it names none of the {parts} parts"))),
        }
    }

    /// That the model is not in one file.
    pub(super) fn refusal(&self) -> EngineError {
        let parts = self.parts;
        EngineError::unsupported(format!(
            "a model in {parts} files whose names are not known: use the path of one of them"
        ))
    }

    /// Opens all parts; `part` is one of them.
    pub(super) fn open(&self, part: &FilePart) -> Result<GgufFile, EngineError> {
        let path = part.path().ok_or_else(|| self.refusal())?;
        let mut whole = self.open_part(path, 1)?;
        for number in 2..=self.parts.into() {
            let part = self.open_part(path, number)?;
            whole.append(part)?;
        }
        match self.tensors {
            Some(tensors) if tensors as usize != whole.tensors.len() => {
                let why = format!("the parts have {} tensors, but should have {tensors}", whole.tensors.len());
                Err(EngineError::invalid(key_place(TENSORS_KEY), why + ": one belongs to another model"))
            }
            _ => Ok(whole),
        }
    }

    /// Opens one part; `path` is any part's.
    fn open_part(&self, path: &Path, number: u64) -> Result<GgufFile, EngineError> {
        let path = self.path_of(path, number)?;
        let place = format!("part {number} of {}", self.parts);
        let file = FilePart::open(&path).and_then(|part| GgufFile::map(&part));
        let file = file.map_err(|error| in_part(error, &place))?;
        match Self::of(&file)? {
            Some(found) if found == (Self { part: number, ..*self }) => Ok(file),
            Some(Self { part, parts, tensors }) => {
                let of = tensors.map_or(String::new(), |tensors| format!(" with {tensors} tensors"));
                let why = format!("the file says that it is part {part} of {parts}{of}: it belongs to another model");
                Err(EngineError::invalid(place, why))
            }
            None => Err(EngineError::invalid(place, "the file is not part of a split model")),
        }
    }

    /// The path of a part; `path` is this one's.
    fn path_of(&self, path: &Path, number: u64) -> Result<PathBuf, EngineError> {
        let ending = |number: u64| format!("-{number:05}-of-{:05}", self.parts);
        let stem = path.file_stem().and_then(|stem| stem.to_str()?.strip_suffix(&ending(self.part)));
        let stem = stem.ok_or_else(|| {
            let why = format!("it is part {} of {}", self.part, self.parts);
            let names = format!("put the parts in one folder, with names that end in {}.gguf and so on", ending(1));
            EngineError::invalid(key_place(PARTS_KEY), format!("{why}: {names}"))
        })?;
        let mut name = format!("{stem}{}", ending(number));
        if let Some(extension) = path.extension() {
            name = format!("{name}.{}", extension.to_string_lossy());
        }
        Ok(path.with_file_name(name))
    }
}

/// Names the part in an error.
fn in_part(error: EngineError, place: &str) -> EngineError {
    match error {
        EngineError::Invalid { at, why } => EngineError::invalid(format!("{place}, {at}"), why),
        EngineError::NotFound { path, source } => {
            let words = format!("{source} (it is {place} of the model)");
            EngineError::NotFound { path, source: std::io::Error::new(source.kind(), words) }
        }
        other => other,
    }
}
