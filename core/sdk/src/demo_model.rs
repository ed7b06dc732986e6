//! The demo model, for unit tests.

use std::path::PathBuf;

use crate::{LocalModel, ModelFile};

pub(crate) fn demo() -> LocalModel {
    // The package's location at run time, not at compile time: on a phone, its files are elsewhere.
    let package = PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it"));
    let path = package.join("../../sample-apps/demo-model/sotto-demo.gguf");
    LocalModel::load(ModelFile::path(path)).expect("the demo model loads")
}
