//! Packed copies of model files in a folder that the app provides.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crc32fast::Hasher;

use super::deleted::{forget_others, was_deleted};
use super::unfinished::remove_abandoned;
use super::{Replacement, pack_file};
use crate::gguf::Part;
use crate::{CancelToken, EngineError, FilePart, GgufFile};

const EXTENSION: &str = "sotto";
/// The number of samples from a model file for its fingerprint, and their length: enough to recognize a different file
/// with the same name, size and time.
const SAMPLES: usize = 32;
const SAMPLE_BYTES: usize = 4096;

/// Opens the packed copy of `model`. It is first made in `folder` if it is missing or damaged, or if the model has
/// changed. A file that is already packed is opened directly.
///
/// Copies are identified by the model's name, size, time and a sample of its bytes, so a model that has moved, for
/// example with an app's update on iOS, keeps its copy. Making a copy needs as much free space as the model.
/// `replacement` names metadata to store in another form, and `on_progress` gets the bytes done and the total.
///
/// # Errors
/// [`EngineError::NotFound`], [`EngineError::Invalid`] and [`EngineError::Unsupported`] for a model that cannot be opened or
/// packed; [`EngineError::Storage`] if the copy cannot be written; [`EngineError::OutOfMemory`]; [`EngineError::Cancelled`];
/// errors of `replacement`.
pub fn open_packed<E: From<EngineError>>(
    model: &FilePart,
    folder: &Path,
    replacement: impl FnOnce(&GgufFile) -> Result<Option<Replacement>, E>,
    cancel: &CancelToken,
    on_progress: impl FnMut(u64, u64),
) -> Result<GgufFile, E> {
    let source = GgufFile::open_part(model)?;
    if source.is_packed() {
        return Ok(source);
    }
    let fingerprint = fingerprint(source.parts());
    if forget_others(source.paths(), &fingerprint).is_err() {
        log::warn!("a note of another version of the model cannot be removed");
    }
    let copy = CachedCopy::of(&source.parts()[0].name, model.offset(), folder, &fingerprint);
    remove_abandoned(folder);
    if let Some(file) = copy.open().or_else(|| copy.open_of_another_place()) {
        return Ok(file);
    }
    let replacement = replacement(&source)?;
    copy.remove_replaced();
    pack_file(&source, &copy.origin(), replacement.as_ref(), &copy.path, cancel, on_progress)?;
    Ok(GgufFile::open(&copy.path)?)
}

/// A packed copy and its name: `<model>-<where the model is>-<fingerprint>.sotto`.
pub(super) struct CachedCopy<'a> {
    path: PathBuf,
    folder: &'a Path,
    fingerprint: &'a str,
    /// The location of the model, if it has one: its offset in a file, and the file.
    place: Option<String>,
    /// The prefixes of copies' names: for all models with this name, and for the model at this location.
    model: String,
    model_here: String,
}

impl<'a> CachedCopy<'a> {
    pub(super) fn of(name: &Path, offset: u64, folder: &'a Path, fingerprint: &'a str) -> Self {
        let file = fs::canonicalize(name);
        let here = place_hash(file.as_deref().unwrap_or(name), offset);
        let place = file.ok().and_then(|file| Some(format!("{offset:x} {}", file.to_str()?)));
        let model = format!("{}-", name.file_stem().unwrap_or_default().to_string_lossy());
        let model_here = format!("{model}{here}-");
        let path = folder.join(format!("{model_here}{fingerprint}.{EXTENSION}"));
        Self { path, folder, fingerprint, place, model, model_here }
    }

    pub(super) fn open(&self) -> Option<GgufFile> {
        match GgufFile::open(&self.path) {
            Ok(file) if read_origin(&file).is_some_and(|(fingerprint, _)| fingerprint == self.fingerprint) => {
                Some(file)
            }
            Ok(_) => None,
            Err(EngineError::NotFound { .. }) => None,
            Err(error) => {
                log::warn!("making a new packed copy: {error}");
                // This comes first, because there may be no space for both.
                remove(&self.path);
                None
            }
        }
    }

    /// The copy that was made at the model's previous location. It gets its current name, by which it is found when the
    /// model changes.
    pub(super) fn open_of_another_place(&self) -> Option<GgufFile> {
        let end = format!("-{}.{EXTENSION}", self.fingerprint);
        let mut files = self.files().into_iter();
        let (_, found) = files.find(|(name, _)| name.starts_with(&self.model) && name.ends_with(&end))?;
        fs::rename(found, &self.path).ok()?;
        self.open()
    }

    /// Names and paths of all that is in the folder.
    fn files(&self) -> Vec<(String, PathBuf)> {
        let entries = fs::read_dir(self.folder).into_iter().flatten().flatten();
        entries.map(|entry| (entry.file_name().to_string_lossy().into_owned(), entry.path())).collect()
    }

    /// The recorded source of the copy: the model's fingerprint and its location.
    fn origin(&self) -> String {
        match &self.place {
            Some(place) => format!("{} {place}", self.fingerprint),
            None => self.fingerprint.to_owned(),
        }
    }

    /// Removes copies of earlier versions of the model, and of models with its name that have moved, as models inside
    /// an app do when it is updated. A copy of this version was made by another process in the meantime.
    fn remove_replaced(&self) {
        let is_copy = |name: &str| name.starts_with(&self.model) && name.ends_with(&format!(".{EXTENSION}"));
        for (name, path) in self.files() {
            if is_copy(&name) && path != self.path && (name.starts_with(&self.model_here) || is_orphan(&name, &path)) {
                remove(&path);
            }
        }
    }
}

/// The part of a copy's name that identifies the location.
fn place_hash(file: &Path, offset: u64) -> String {
    let mut hasher = Hasher::new();
    hasher.update(file.as_os_str().as_encoded_bytes());
    hasher.update(&offset.to_le_bytes());
    format!("{:08x}", hasher.finalize())
}

/// Whether a copy is obsolete: its model is gone, or it cannot be used.
fn is_orphan(name: &str, copy: &Path) -> bool {
    match GgufFile::open(copy) {
        Ok(file) => read_origin(&file).is_some_and(|(_, place)| place.is_some_and(|place| is_gone(name, place))),
        Err(error) => matches!(error, EngineError::Invalid { .. }),
    }
}

/// The two parts of [`CachedCopy::origin`].
pub(super) fn read_origin(copy: &GgufFile) -> Option<(&str, Option<&str>)> {
    let origin = copy.packed_source()?;
    Some(origin.split_once(' ').map_or((origin, None), |(fingerprint, place)| (fingerprint, Some(place))))
}

/// Whether the model of a copy is no longer at this location. The model of a renamed copy is elsewhere, and a model that was deleted
/// because of its copy has only that.
fn is_gone(copy: &str, place: &str) -> bool {
    let place = place.split_once(' ').and_then(|(offset, file)| Some((u64::from_str_radix(offset, 16).ok()?, file)));
    place.is_some_and(|(offset, file)| {
        copy.contains(&format!("-{}-", place_hash(Path::new(file), offset)))
            && fs::symlink_metadata(file).is_err_and(|error| error.kind() == ErrorKind::NotFound)
            && !was_deleted(Path::new(file))
    })
}

fn remove(copy: &Path) {
    if fs::remove_file(copy).is_err() {
        log::warn!("a stale packed copy cannot be removed");
    }
}

/// Tells versions of a model apart without reading all of its files.
pub(super) fn fingerprint(parts: &[Part]) -> String {
    let mut hasher = Hasher::new();
    let (mut len, mut changed) = (0, 0u64);
    for Part { pages, modified, .. } in parts {
        let last = pages.len().saturating_sub(SAMPLE_BYTES);
        for index in 0..SAMPLES {
            let sample = &pages[last / (SAMPLES - 1) * index..];
            hasher.update(&sample[..sample.len().min(SAMPLE_BYTES)]);
        }
        let modified = modified.and_then(|time| time.duration_since(SystemTime::UNIX_EPOCH).ok());
        len += pages.len();
        changed = changed.wrapping_mul(31).wrapping_add(modified.map_or(0, |time| time.as_nanos() as u64));
    }
    format!("{len:x}-{changed:x}-{:08x}", hasher.finalize())
}
