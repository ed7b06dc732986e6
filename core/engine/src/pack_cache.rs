//! Packed copies of model files in a folder that the app gives.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use crc32fast::Hasher;

use crate::gguf::{Replacement, TEMPORARY, pack_file};
use crate::{CancelToken, EngineError, FilePart, GgufFile};

const EXTENSION: &str = "sotto";
/// Places of a model file that go into its fingerprint, and bytes at each: enough to see another file behind the same
/// name, size and time.
const SAMPLES: usize = 32;
const SAMPLE_BYTES: usize = 4096;
/// After this time, nobody is writing an unfinished file any more.
const ABANDONED: Duration = Duration::from_secs(3600);

/// Opens the packed copy of `model`, and makes it in `folder` first if there is none, it is damaged, or the model has
/// changed since. A file that is packed itself is opened as it is.
///
/// Copies are told apart by the model's name, size, time and a sample of its bytes: a model that lies elsewhere now, as after an
/// app's update on iOS, keeps its copy. Making one needs as much free space as the model takes; `replacement` says what it has in
/// another form, and `on_progress` is told the bytes done and all bytes.
///
/// # Errors
/// As [`GgufFile::open`] and [`pack_file`], and those of `replacement`.
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
    let fingerprint = fingerprint(source.bytes(), model.modified());
    let copy = CachedCopy::of(model, folder, &fingerprint);
    copy.remove_abandoned();
    if let Some(file) = copy.open().or_else(|| copy.open_of_another_place()) {
        return Ok(file);
    }
    let replacement = replacement(&source)?;
    copy.remove_replaced();
    pack_file(&source, &fingerprint, replacement.as_ref(), &copy.path, cancel, on_progress)?;
    Ok(GgufFile::open(&copy.path)?)
}

/// A packed copy and its name: `<model>-<where the model is>-<fingerprint>.sotto`.
struct CachedCopy<'a> {
    path: PathBuf,
    folder: &'a Path,
    fingerprint: &'a str,
    /// What the names of copies begin with: those of models with this name, and those of the model in this place.
    model: String,
    model_here: String,
}

impl<'a> CachedCopy<'a> {
    fn of(model: &FilePart, folder: &'a Path, fingerprint: &'a str) -> Self {
        let file = fs::canonicalize(model.name()).unwrap_or_else(|_| model.name().to_owned());
        let mut place = Hasher::new();
        place.update(file.as_os_str().as_encoded_bytes());
        place.update(&model.offset().to_le_bytes());
        let model = format!("{}-", model.name().file_stem().unwrap_or_default().to_string_lossy());
        let model_here = format!("{model}{:08x}-", place.finalize());
        let path = folder.join(format!("{model_here}{fingerprint}.{EXTENSION}"));
        Self { path, folder, fingerprint, model, model_here }
    }

    fn open(&self) -> Option<GgufFile> {
        match GgufFile::open(&self.path) {
            Ok(file) if file.packed_source() == Some(self.fingerprint) => Some(file),
            Ok(_) => None,
            Err(EngineError::NotFound { .. }) => None,
            Err(error) => {
                log::warn!("a packed copy is made anew: {error}");
                // At once: there may be no room for both.
                remove(&self.path);
                None
            }
        }
    }

    /// The copy that was made where the model was before. It gets the name that it would have now, under which it is found when
    /// the model changes.
    fn open_of_another_place(&self) -> Option<GgufFile> {
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

    /// Removes copies of earlier versions of the model; one of this version that is there now was made by somebody else meanwhile.
    fn remove_replaced(&self) {
        let is_copy = |name: &str| name.starts_with(&self.model_here) && name.ends_with(&format!(".{EXTENSION}"));
        self.remove_all(|name, path| is_copy(name) && path != self.path);
    }

    /// Removes what killed processes left.
    fn remove_abandoned(&self) {
        self.remove_all(|name, path| name.starts_with(TEMPORARY) && age(path) > Some(ABANDONED));
    }

    fn remove_all(&self, is_stale: impl Fn(&str, &Path) -> bool) {
        self.files().iter().filter(|(name, path)| is_stale(name, path)).for_each(|(_, path)| remove(path));
    }
}

fn remove(copy: &Path) {
    if fs::remove_file(copy).is_err() {
        log::warn!("a stale packed copy cannot be removed");
    }
}

fn age(path: &Path) -> Option<Duration> {
    let modified = fs::symlink_metadata(path).ok()?.modified().ok()?;
    SystemTime::now().duration_since(modified).ok()
}

/// Tells versions of a model file apart without reading all of it.
fn fingerprint(file: &[u8], modified: Option<SystemTime>) -> String {
    let mut hasher = Hasher::new();
    let last = file.len().saturating_sub(SAMPLE_BYTES);
    for index in 0..SAMPLES {
        let sample = &file[last / (SAMPLES - 1) * index..];
        hasher.update(&sample[..sample.len().min(SAMPLE_BYTES)]);
    }
    let modified = modified.and_then(|time| time.duration_since(SystemTime::UNIX_EPOCH).ok());
    let modified = modified.map_or(0, |time| time.as_nanos() as u64);
    format!("{:x}-{modified:x}-{:08x}", file.len(), hasher.finalize())
}
