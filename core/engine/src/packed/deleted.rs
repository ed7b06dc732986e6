//! Packed copies whose model was deleted once they were complete.
//!
//! A note beside the place of the model, `.NAME.packed`, has the fingerprint that the copy has in its name and its header. So the
//! copy is found although there is nothing to compare it with, also when both have moved, and a copy of another model is not taken
//! for it.

use std::ffi::OsString;
use std::fs;
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use super::cache::{CachedCopy, fingerprint, read_origin};
use super::replace_file;
use crate::{EngineError, GgufFile};

/// Deletes the model at `path`, all files of a split one, if `copy` is its packed copy. What is packed itself stays, and so does a
/// model that has changed since. What is behind a link is not this model's alone, so it is refused. Wherever this ends early, the model or its copy can be opened.
///
/// # Errors
/// [`EngineError::Storage`] if a file cannot be deleted, or the note beside it cannot be written; [`EngineError::Invalid`],
/// [`EngineError::Unsupported`] for something else at `path`, or a link.
pub fn delete_packed_source(path: &Path, copy: &GgufFile) -> Result<(), EngineError> {
    let source = match GgufFile::open(path) {
        Ok(source) if !source.is_packed() => source,
        Ok(_) | Err(EngineError::NotFound { .. }) => return Ok(()),
        Err(error) => return Err(error),
    };
    let fingerprint = fingerprint(source.parts());
    if read_origin(copy).is_none_or(|(of_copy, _)| of_copy != fingerprint) {
        return Ok(());
    }
    let paths: Vec<PathBuf> = source.paths().map(Path::to_owned).collect();
    if paths.iter().any(|path| path.is_symlink()) {
        return Err(EngineError::Unsupported { what: "deleting a model that is a link to a file".into() });
    }
    // Some systems delete no file that is mapped.
    drop(source);
    for path in &paths {
        let storage = |source| EngineError::Storage { path: path.clone(), source };
        replace_file(&note_beside(path), |mut note| note.write_all(fingerprint.as_bytes()).map_err(storage))?;
    }
    for path in paths {
        fs::remove_file(&path).map_err(|source| EngineError::Storage { path, source })?;
    }
    Ok(())
}

/// Opens the copy in `folder` of a model that was at `path` and was deleted by [`delete_packed_source`]. `None` if there is no such
/// copy, or it is damaged.
pub fn open_copy_of_deleted(path: &Path, folder: &Path) -> Option<GgufFile> {
    let fingerprint = fs::read_to_string(note_beside(path)).ok()?;
    let copy = CachedCopy::of(&canonical(path)?, 0, folder, &fingerprint);
    copy.open().or_else(|| copy.open_of_another_place())
}

/// Whether the model that was at `path` was deleted by [`delete_packed_source`].
pub(super) fn was_deleted(path: &Path) -> bool {
    note_beside(path).exists()
}

/// Removes the notes beside a model that is there again, in another version.
pub(super) fn forget_others<'a>(paths: impl Iterator<Item = &'a Path>, fingerprint: &str) -> io::Result<()> {
    for note in paths.map(note_beside) {
        if fs::read(&note).is_ok_and(|noted| noted != fingerprint.as_bytes()) {
            match fs::remove_file(note) {
                Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
    }
    Ok(())
}

/// The absolute path of a file that is not there any more.
fn canonical(path: &Path) -> Option<PathBuf> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    Some(fs::canonicalize(folder).ok()?.join(path.file_name()?))
}

fn note_beside(path: &Path) -> PathBuf {
    let mut name = OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(".packed");
    path.with_file_name(name)
}
