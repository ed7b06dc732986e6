//! Packs model files in advance.

use std::path::{Path, PathBuf};

use sotto_engine::{GgufFile, pack_file};

use crate::Error;
use crate::job::{Job, Progress};
use crate::model::{Found, LoadOptions};
use crate::tokenizer::packed_tokenizer;

/// Packs the model file `source` into a new file `target`, which [`crate::LocalModel::load`] can map directly, on any
/// machine. Progress is in bytes. `target` appears only when it is complete.
///
/// # Errors
/// [`crate::Error::ModelNotFound`], [`crate::Error::ModelInvalid`] and [`crate::Error::Unsupported`] for a model that
/// could not be loaded from the folder of `target`, [`crate::Error::Storage`] when it cannot be written.
pub fn pack(source: &Path, target: &Path) -> Job<Progress, ()> {
    let (source, target) = (source.to_owned(), target.to_owned());
    Job::start("pack", move |reporter, cancel| {
        let name = source.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let source = GgufFile::open(&source)?;
        // Loading will look for tokenizer.json next to the packed file.
        Found::in_file(&source, target.parent(), &LoadOptions::default(), cancel)?;
        let tokenizer = packed_tokenizer(&source, cancel)?;
        pack_file(&source, &name, tokenizer.as_ref(), &target, cancel, |done, total| {
            reporter.report(Progress { done: done as usize, total: total as usize });
        })?;
        Ok(GgufFile::open(&target)?.verify_packed(cancel)?)
    })
}

/// The files of the model at `path`: several if it is split (`NAME-00001-of-00003.gguf`), of which `path` is one.
///
/// # Errors
/// [`Error::ModelNotFound`], [`Error::ModelInvalid`] and [`Error::Unsupported`] for what cannot be opened.
pub fn model_files(path: &Path) -> Result<Vec<PathBuf>, Error> {
    Ok(GgufFile::open(path)?.paths().map(Path::to_owned).collect())
}
