//! Packed copies of model files in a folder that the app gives.

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use crc32fast::Hasher;

use crate::gguf::{TEMPORARY, pack_file};
use crate::{CancelToken, EngineError, GgufFile};

const EXTENSION: &str = "sotto";
/// Places of a model file that go into its fingerprint, and bytes at each: enough to see another file behind the same
/// name, size and time.
const SAMPLES: u64 = 32;
const SAMPLE_BYTES: usize = 4096;
/// After this time, nobody is writing an unfinished file any more.
const ABANDONED: Duration = Duration::from_secs(3600);

/// Opens the packed copy of the model at `path`, and makes it in `folder` first if there is none, it is damaged, or the
/// model has changed since. A file that is packed itself is opened as it is.
///
/// Copies are told apart by the model's path, size, time and a sample of its bytes. Making one needs as much free space as
/// the model takes; `on_progress` is told the bytes done and all bytes.
///
/// # Errors
/// As [`GgufFile::open`] and [`pack_file`].
pub fn open_packed(
    path: &Path,
    folder: &Path,
    cancel: &CancelToken,
    on_progress: impl FnMut(u64, u64),
) -> Result<GgufFile, EngineError> {
    let source = GgufFile::open(path)?;
    if source.is_packed() {
        return Ok(source);
    }
    let fingerprint = fingerprint(path).map_err(|source| EngineError::NotFound { path: path.to_owned(), source })?;
    let copy = CachedCopy::of(path, folder, &fingerprint);
    if let Some(file) = copy.open(&fingerprint) {
        return Ok(file);
    }
    copy.remove_stale();
    pack_file(&source, &fingerprint, &copy.path, cancel, on_progress)?;
    GgufFile::open(&copy.path)
}

/// A packed copy and its name: `<model>-<where the model is>-<fingerprint>.sotto`.
struct CachedCopy {
    path: PathBuf,
    folder: PathBuf,
    /// What the names of all copies of this model begin with.
    prefix: String,
}

impl CachedCopy {
    fn of(model: &Path, folder: &Path, fingerprint: &str) -> Self {
        let place = fs::canonicalize(model).unwrap_or_else(|_| model.to_owned());
        let place = crc32fast::hash(place.as_os_str().as_encoded_bytes());
        let stem = model.file_stem().unwrap_or_default().to_string_lossy();
        let prefix = format!("{stem}-{place:08x}-");
        let path = folder.join(format!("{prefix}{fingerprint}.{EXTENSION}"));
        Self { path, folder: folder.to_owned(), prefix }
    }

    fn open(&self, fingerprint: &str) -> Option<GgufFile> {
        match GgufFile::open(&self.path) {
            Ok(file) if file.packed_source() == Some(fingerprint) => Some(file),
            Ok(_) => None,
            Err(EngineError::NotFound { .. }) => None,
            Err(error) => {
                log::warn!("a packed copy is made anew: {error}");
                None
            }
        }
    }

    /// Removes copies of earlier versions of the model, and what killed processes left.
    fn remove_stale(&self) {
        let Ok(entries) = fs::read_dir(&self.folder) else { return };
        for entry in entries.flatten() {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            let is_copy = name.starts_with(&self.prefix) && name.ends_with(&format!(".{EXTENSION}"));
            let is_abandoned = name.starts_with(TEMPORARY) && age(&entry) > Some(ABANDONED);
            if (is_copy || is_abandoned) && fs::remove_file(entry.path()).is_err() {
                log::warn!("a stale packed copy cannot be removed");
            }
        }
    }
}

fn age(entry: &fs::DirEntry) -> Option<Duration> {
    let modified = entry.metadata().ok()?.modified().ok()?;
    SystemTime::now().duration_since(modified).ok()
}

/// Tells versions of a model file apart without reading all of it.
fn fingerprint(path: &Path) -> io::Result<String> {
    let mut file = File::open(path)?;
    let metadata = file.metadata()?;
    let modified = metadata.modified().ok().and_then(|time| time.duration_since(SystemTime::UNIX_EPOCH).ok());
    let mut hasher = Hasher::new();
    let mut sample = Vec::new();
    for index in 0..SAMPLES {
        let last = metadata.len().saturating_sub(SAMPLE_BYTES as u64);
        file.seek(SeekFrom::Start(last / (SAMPLES - 1) * index))?;
        sample.clear();
        file.by_ref().take(SAMPLE_BYTES as u64).read_to_end(&mut sample)?;
        hasher.update(&sample);
    }
    let modified = modified.map_or(0, |time| time.as_nanos() as u64);
    Ok(format!("{:x}-{modified:x}-{:08x}", metadata.len(), hasher.finalize()))
}
