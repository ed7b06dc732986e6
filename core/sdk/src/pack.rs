//! Packing a model file ahead of its first use.

use std::path::Path;

use sotto_engine::{GgufFile, pack_file};

use crate::job::Job;
use crate::raw::Progress;
use crate::tokenizer::{load_tokenizer, packed_tokenizer};

/// Packs the model file `source` into a new file `target`, which [`crate::LocalModel::load`] maps as it is, on any machine.
/// Progress is in bytes. `target` appears whole or not at all.
///
/// # Errors
/// [`crate::Error::ModelNotFound`], [`crate::Error::ModelInvalid`] and [`crate::Error::Unsupported`] for what could not be loaded from where
/// `target` is, [`crate::Error::Storage`] when it cannot be written.
pub fn pack(source: &Path, target: &Path) -> Job<Progress, ()> {
    let (source, target) = (source.to_owned(), target.to_owned());
    Job::start("pack", move |reporter, cancel| {
        let name = source.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let source = GgufFile::open(&source)?;
        let tokenizer = packed_tokenizer(&source, cancel)?;
        if tokenizer.is_none() {
            // It will be looked for beside the packed file.
            load_tokenizer(&source, target.parent(), cancel)?;
        }
        pack_file(&source, &name, tokenizer.as_ref(), &target, cancel, |done, total| {
            reporter.report(Progress { done: done as usize, total: total as usize });
        })?;
        Ok(GgufFile::open(&target)?.verify_packed(cancel)?)
    })
}
