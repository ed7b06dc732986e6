//! Merging adapters into a model's weights.

use std::path::{Path, PathBuf};

use sotto_engine::{GgufFile, MergedTensor, merge_file};

use crate::Error;
use crate::job::{Job, Progress};

/// Merges adapters, each with a scale, into the weights of the model file `model` and writes a new file `target`, for
/// programs without adapter support or to avoid the cost of an adapter. The new file inherits the adapters' metadata
/// about Sotto's own task formats. Progress is in bytes. `target` appears only when it is complete.
///
/// # Errors
/// [`Error::ModelNotFound`]; [`Error::ModelInvalid`] for an adapter of another model, or a damaged file;
/// [`Error::Unsupported`] for a packed model, or a file that is not an adapter; [`Error::InvalidInput`] for a scale
/// that is not a finite number; [`Error::Storage`]; [`Error::OutOfMemory`].
pub fn merge(model: &Path, adapters: &[(PathBuf, f32)], target: &Path) -> Job<Progress, Vec<MergedTensor>> {
    let (model, adapters, target) = (model.to_owned(), adapters.to_vec(), target.to_owned());
    Job::start("merge", move |reporter, cancel| {
        let source = GgufFile::open(&model)?;
        let adapters = adapters.iter().map(|(path, scale)| match scale.is_finite() {
            true => Ok((GgufFile::open(path)?, *scale)),
            false => Err(Error::invalid_input("an adapter's scale must be a finite number")),
        });
        let adapters = adapters.collect::<Result<Vec<_>, _>>()?;
        Ok(merge_file(&source, &adapters, &target, cancel, |done, total| {
            reporter.report(Progress { done: done as usize, total: total as usize });
        })?)
    })
}
