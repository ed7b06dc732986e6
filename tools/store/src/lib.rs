//! Model delivery: downloads model files into a folder, where each is kept once. docs/delivery.md has the rules, which the stores
//! for Kotlin and Swift follow, too.
//!
//! A download goes into an unfinished file beside the model's place. It is resumed after interruptions, of the process too, and
//! takes its place only when it is complete, checked and synced. So a model that is there is whole, whatever ends the process, and
//! one that is replaced stays until the new one is there.

mod download;
mod error;
mod files;
mod http;
mod hub;
mod part;
mod reply;
mod source;

use std::path::{Path, PathBuf};
use std::time::Duration;

pub use download::{Progress, Stage};
pub use error::StoreError;
pub use hub::Hub;
pub use source::Source;

use crate::download::Download;
use crate::files::{Files, Record};

/// How patient a download is.
#[derive(Debug, Clone)]
pub struct Patience {
    /// How often it is tried in a row without having received a mebibyte.
    pub attempts: u32,
    /// The wait after the first failure. It doubles with each.
    pub first_wait: Duration,
    /// The longest wait, also of those that a server asks for.
    pub longest_wait: Duration,
    /// How long a server may be silent.
    pub silence: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            attempts: 6,
            first_wait: Duration::from_secs(1),
            longest_wait: Duration::from_secs(60),
            silence: Duration::from_secs(30),
        }
    }
}

/// A model in the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Installed {
    /// The model's file.
    pub path: PathBuf,
    /// Its size.
    pub bytes: u64,
    /// Its SHA-256, in hexadecimal digits.
    pub sha256: String,
    /// Whether its SHA-256 was known before the download: from [`Source`], or from the hub. If not, only its size was checked.
    pub verified: bool,
    /// Whether it was downloaded now. If not, it was there, and its bytes are those that were downloaded.
    pub fetched: bool,
}

/// A folder of downloaded models.
#[derive(Debug, Clone)]
pub struct Store {
    folder: PathBuf,
    patience: Patience,
}

impl Store {
    /// A store in `folder`, which is made with the first model.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self::with_patience(folder, Patience::default())
    }

    /// A store whose downloads are as patient as this.
    pub fn with_patience(folder: impl Into<PathBuf>, patience: Patience) -> Self {
        Self { folder: folder.into(), patience }
    }

    /// The user's folder for models: `sotto/models` among the caches. `None` if the system names no such folder.
    pub fn default_folder() -> Option<PathBuf> {
        Some(dirs::cache_dir()?.join("sotto").join("models"))
    }

    /// The file of a model that is in the store, without reading it. `None` if it is not there, or has another size or SHA-256 than
    /// `source` and the store's own record say.
    pub fn find(&self, source: &Source) -> Option<PathBuf> {
        let files = Files::of(&self.folder, source);
        let record = Record::read(&files.record)?;
        (files.has(&record) && source.allows(&record)).then_some(files.model)
    }

    /// Where a model lies, or will lie.
    pub fn path_of(&self, source: &Source) -> PathBuf {
        Files::of(&self.folder, source).model
    }

    /// Downloads a model, unless it is there. If it is, all of its bytes are checked. `on_progress` is called often, with bytes.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] and [`StoreError::Denied`] from the server, [`StoreError::Network`] if it cannot be reached or gives up
    /// again and again, [`StoreError::Mismatch`] if it has other bytes, [`StoreError::NoSpace`], [`StoreError::InUse`] if another
    /// process downloads the same model, [`StoreError::Storage`] if the folder cannot be written.
    pub fn install(
        &self,
        source: &Source,
        hub: &Hub,
        on_progress: impl FnMut(Progress),
    ) -> Result<Installed, StoreError> {
        let files = Files::of(&self.folder, source);
        let _lock = files.lock(source)?;
        Download::new(source, hub, &files, &self.patience, on_progress).run()
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }
}
