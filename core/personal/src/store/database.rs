//! The file: how it is opened, read, written and replaced.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, ErrorKind};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{PoisonError, RwLock, RwLockWriteGuard};

use redb::backends::FileBackend;
use redb::{Database, ReadableDatabase, TableHandle};

use super::failure::{Attempt, Failure};
use super::tables::{META, ReadTables, VERSION, VERSION_KEY, WriteTables};
use crate::{PersonalError, Result};

/// Bytes of pages that are kept in memory.
const CACHE_BYTES: usize = 4 << 20;

/// The open file. After a failed write it is closed, and the next call opens it again.
pub(crate) struct Store {
    path: PathBuf,
    database: RwLock<Option<Database>>,
}

impl Store {
    /// Opens the store at `path`, or makes one.
    pub(super) fn open(path: &Path) -> Result<Self> {
        let store = Self { path: path.to_owned(), database: RwLock::new(None) };
        let open = || -> Attempt<()> {
            if !path.try_exists()? {
                store.make()?;
            }
            *store.exclusive() = Some(store.open_database()?);
            // Left by a process that was killed while it wrote. Only now is it certain that no other is at it.
            store.remove_unfinished()
        };
        open().map_err(|failure| failure.at(path))?;
        Ok(store)
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Makes an empty store. It appears at its path only when it is complete, and never replaces one.
    fn make(&self) -> Attempt<()> {
        self.remove_unfinished()?;
        drop(self.make_database()?);
        match fs::hard_link(self.unfinished(), &self.path) {
            Ok(()) => self.remove_unfinished()?,
            Err(error) if error.kind() == ErrorKind::AlreadyExists => return Err(self.in_use()),
            // Not every file system has links.
            Err(_) => fs::rename(self.unfinished(), &self.path)?,
        }
        self.sync_folder()
    }

    /// Makes an empty database in a new file beside the store.
    fn make_database(&self) -> Attempt<Database> {
        let database = database_in(private_file().create_new(true).open(self.unfinished())?)?;
        let transaction = database.begin_write()?;
        WriteTables::open(&transaction)?.set_meta(VERSION_KEY, &VERSION)?;
        transaction.commit()?;
        Ok(database)
    }

    fn open_database(&self) -> Attempt<Database> {
        let file = private_file().open(&self.path)?;
        let facts = file.metadata()?;
        if facts.len() == 0 {
            return Err(Failure::damaged("it is empty"));
        }
        // redb checks what it reads, but its debug builds panic about some damage.
        let database = catch_unwind(AssertUnwindSafe(|| database_in(file)))
            .unwrap_or_else(|_| Err(Failure::damaged("its pages contradict each other")))?;
        if !is_same_file(&facts, &fs::metadata(&self.path)?) {
            // Another process replaced the file meanwhile.
            return Err(self.in_use());
        }
        check_version(&database)?;
        Ok(database)
    }

    /// Reads what was committed.
    pub(super) fn read<T>(&self, work: impl FnOnce(&ReadTables) -> Attempt<T>) -> Result<T> {
        self.with_database(|database| work(&ReadTables::open(&database.begin_read()?)?))
    }

    /// Writes all of it or nothing, and returns when it is on the disk.
    pub(super) fn write<T>(&self, work: impl FnOnce(&mut WriteTables<'_>) -> Attempt<T>) -> Result<T> {
        self.with_database(|database| {
            let transaction = database.begin_write()?;
            let value = work(&mut WriteTables::open(&transaction)?)?;
            transaction.commit()?;
            Ok(value)
        })
    }

    /// Writes a new file with what `copy` takes over, in place of this one. Bytes of deleted records are only in the old
    /// file's free pages, and go with it.
    pub(super) fn rewrite(&self, copy: impl FnOnce(&ReadTables, &mut WriteTables<'_>) -> Attempt<()>) -> Result<()> {
        let mut exclusive = self.exclusive();
        let rewrite = || -> Attempt<()> {
            let old = self.opened(&mut exclusive)?;
            self.remove_unfinished()?;
            let new = self.make_database()?;
            let transaction = new.begin_write()?;
            copy(&ReadTables::open(&old.begin_read()?)?, &mut WriteTables::open(&transaction)?)?;
            transaction.commit()?;
            fs::rename(self.unfinished(), &self.path)?;
            *exclusive = Some(new);
            self.sync_folder()
        };
        rewrite().map_err(|failure| {
            // The error to report is the first.
            let _ = self.remove_unfinished();
            failure.at(&self.path)
        })
    }

    fn with_database<T>(&self, work: impl FnOnce(&Database) -> Attempt<T>) -> Result<T> {
        let shared = self.database.read().unwrap_or_else(PoisonError::into_inner);
        let result = match &*shared {
            Some(database) => {
                let result = work(database);
                drop(shared);
                result
            }
            None => {
                drop(shared);
                let mut exclusive = self.exclusive();
                self.opened(&mut exclusive).and_then(work)
            }
        };
        let result = result.map_err(|failure| failure.at(&self.path));
        if let Err(PersonalError::Storage { .. }) = &result {
            // redb refuses all work after a failed write. What was committed is still there.
            *self.exclusive() = None;
        }
        result
    }

    fn opened<'a>(&self, database: &'a mut Option<Database>) -> Attempt<&'a Database> {
        match database {
            Some(database) => Ok(database),
            closed => Ok(closed.insert(self.open_database()?)),
        }
    }

    fn exclusive(&self) -> RwLockWriteGuard<'_, Option<Database>> {
        self.database.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// The file that is written before it takes the place of the store.
    fn unfinished(&self) -> PathBuf {
        let mut name = self.path.clone().into_os_string();
        name.push(".new");
        name.into()
    }

    fn remove_unfinished(&self) -> Attempt<()> {
        remove_if_there(&self.unfinished())
    }

    /// The folder of the store.
    pub(super) fn folder(&self) -> &Path {
        match self.path.parent() {
            Some(folder) if folder != Path::new("") => folder,
            _ => Path::new("."),
        }
    }

    /// Makes names in the folder durable.
    fn sync_folder(&self) -> Attempt<()> {
        if cfg!(unix) {
            File::open(self.folder())?.sync_all()?;
        }
        Ok(())
    }

    fn in_use(&self) -> Failure {
        PersonalError::InUse { path: self.path.clone() }.into()
    }
}

fn database_in(file: File) -> Attempt<Database> {
    let database = Database::builder()
        .set_cache_size(CACHE_BYTES)
        .set_check_integrity_on_open(true)
        .create_with_backend(FileBackend::new(file)?)?;
    Ok(database)
}

fn check_version(database: &Database) -> Attempt<()> {
    let transaction = database.begin_read()?;
    if !transaction.list_tables()?.any(|table| table.name() == META.name()) {
        return Err(Failure::damaged("it belongs to another program"));
    }
    match ReadTables::open(&transaction)?.meta::<u32>(VERSION_KEY)? {
        Some(VERSION) => Ok(()),
        Some(other) => Err(PersonalError::Unsupported {
            what: format!("a personal store of version {other}; this app reads version {VERSION}: update the app"),
        }
        .into()),
        None => Err(Failure::damaged("its version is missing")),
    }
}

/// A file that only the app's own user may read.
fn private_file() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

pub(super) fn remove_if_there(path: &Path) -> Attempt<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error.into()),
        _ => Ok(()),
    }
}

#[cfg(unix)]
fn is_same_file(a: &Metadata, b: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    (a.dev(), a.ino()) == (b.dev(), b.ino())
}

/// Elsewhere, a file that is open is not replaced.
#[cfg(not(unix))]
fn is_same_file(_: &Metadata, _: &Metadata) -> bool {
    true
}

/// Writes a file beside `path`, which takes its place when it is complete.
pub(super) fn write_whole(path: &Path, write: impl FnOnce(&mut io::BufWriter<File>) -> io::Result<()>) -> Attempt<()> {
    let mut unfinished = path.as_os_str().to_owned();
    unfinished.push(".new");
    let unfinished = PathBuf::from(unfinished);
    let attempt = || -> io::Result<()> {
        let mut out = io::BufWriter::new(private_file().create(true).truncate(true).open(&unfinished)?);
        write(&mut out)?;
        out.into_inner()?.sync_all()?;
        fs::rename(&unfinished, path)
    };
    attempt().map_err(|error| {
        let _ = fs::remove_file(&unfinished);
        error.into()
    })
}
