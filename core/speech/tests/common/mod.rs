//! What the tests of models with real weights share.

pub mod wav;

use std::io::Write as _;
use std::path::PathBuf;

/// A file that `cargo xtask real-models` brings; where there is none, the test says that it is skipped.
pub fn real_file(name: &str) -> Option<PathBuf> {
    let folder = std::env::var_os("SOTTO_REAL_MODELS").map(PathBuf::from);
    let Some(folder) = folder else {
        let _ = writeln!(std::io::stderr(), "SKIPPED: SOTTO_REAL_MODELS does not name the folder of the real models");
        return None;
    };
    let file = folder.join(name);
    assert!(file.exists(), "{} is missing: cargo xtask real-models brings it", file.display());
    Some(file)
}
