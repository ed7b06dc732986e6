//! The files of a model in a store.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{Source, StoreError};

const BUFFER: usize = 1 << 18;

/// Where a model lies, and beside it, with a dot in front of their names, what belongs to it.
#[derive(Debug)]
pub struct Files {
    pub model: PathBuf,
    /// [`Record`], of a model that is there.
    pub record: PathBuf,
    /// An unfinished download.
    pub part: PathBuf,
    /// [`crate::part::Origin`] of the unfinished download.
    pub origin: PathBuf,
    lock: PathBuf,
}

/// What the store knows of a model that is there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// Its address, without a query.
    pub url: String,
    pub bytes: u64,
    pub sha256: String,
    /// Whether the SHA-256 was known before the download.
    pub verified: bool,
}

impl Files {
    pub fn of(folder: &Path, source: &Source) -> Self {
        let model = folder.join(&source.place);
        let name = model.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let beside = |end: &str| model.with_file_name(format!(".{name}.{end}"));
        let [record, part, origin, lock] = ["json", "part", "part.json", "lock"].map(beside);
        Self { model, record, part, origin, lock }
    }

    /// Makes the folder, and keeps other processes from downloading the same model until the file is closed.
    pub fn lock(&self, source: &Source) -> Result<File, StoreError> {
        let folder = self.folder();
        fs::create_dir_all(folder).map_err(StoreError::storage(folder))?;
        let lock = OpenOptions::new().create(true).truncate(false).write(true).open(&self.lock);
        let lock = lock.map_err(StoreError::storage(&self.lock))?;
        match lock.try_lock() {
            Ok(()) => Ok(lock),
            Err(TryLockError::WouldBlock) => Err(StoreError::InUse { name: source.name.clone() }),
            Err(TryLockError::Error(error)) => Err(StoreError::storage(&self.lock)(error)),
        }
    }

    pub fn folder(&self) -> &Path {
        self.model.parent().unwrap_or(Path::new("."))
    }

    /// Whether the model is there with the size of its record.
    pub fn has(&self, record: &Record) -> bool {
        fs::metadata(&self.model).is_ok_and(|file| file.is_file() && file.len() == record.bytes)
    }

    /// Puts the finished download in the model's place. Wherever this ends early, what is there agrees with its record or has
    /// none, and what was downloaded can be put in place later.
    pub fn put_in_place(&self, record: &Record) -> Result<(), StoreError> {
        self.sync(&self.part)?;
        remove(&self.record)?;
        self.sync_folder()?;
        fs::rename(&self.part, &self.model).map_err(StoreError::storage(&self.model))?;
        self.sync_folder()?;
        self.write_record(record)?;
        remove(&self.origin)
    }

    pub fn write_record(&self, record: &Record) -> Result<(), StoreError> {
        write_json(&self.record, record)?;
        self.sync_folder()
    }

    fn sync(&self, path: &Path) -> Result<(), StoreError> {
        File::open(path).and_then(|file| file.sync_all()).map_err(StoreError::storage(path))
    }

    fn sync_folder(&self) -> Result<(), StoreError> {
        if cfg!(unix) { self.sync(self.folder()) } else { Ok(()) }
    }
}

impl Record {
    pub fn read(path: &Path) -> Option<Self> {
        read_json(path)
    }
}

/// What is in a JSON file of the store. What cannot be read is as good as not there.
pub fn read_json<T: DeserializeOwned>(path: &Path) -> Option<T> {
    serde_json::from_slice(&fs::read(path).ok()?).ok()
}

/// Writes a JSON file of the store, whole or not at all.
pub fn write_json(path: &Path, value: &impl Serialize) -> Result<(), StoreError> {
    let write = || {
        let mut file =
            tempfile::Builder::new().prefix(".sotto-").tempfile_in(path.parent().unwrap_or(Path::new(".")))?;
        file.write_all(&serde_json::to_vec(value)?)?;
        file.as_file().sync_all()?;
        file.persist(path).map_err(|error| error.error)?;
        Ok(())
    };
    write().map_err(StoreError::storage(path))
}

/// Removes a file, if it is there.
pub fn remove(path: &Path) -> Result<(), StoreError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(StoreError::storage(path)(error)),
        _ => Ok(()),
    }
}

/// The SHA-256 of a file, in hexadecimal digits. `on_progress` is told the bytes read.
pub fn sha256(path: &Path, mut on_progress: impl FnMut(u64)) -> io::Result<String> {
    let (mut file, mut buffer, mut read) = (File::open(path)?, vec![0; BUFFER], 0);
    let mut hasher = Sha256::new();
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect()),
            count => {
                hasher.update(&buffer[..count]);
                read += count as u64;
                on_progress(read);
            }
        }
    }
}
