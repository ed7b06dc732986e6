//! The command line's `--fallback` against a real server.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::real_models;
use crate::steps::{cache_folder, cargo, in_file, root, run};

/// Tests against llama.cpp's server for Python, which is kept beside other caches.
pub fn test() -> Result<(), String> {
    let models = real_models::folder()?;
    let mut tests = cargo(&["test", "--package", "sotto-cli", "--test", "fallback_server", "--", "--ignored"]);
    run(tests.env("SOTTO_LLAMA_SERVER", server()?).env(real_models::VARIABLE, models))
}

/// A Python that has the server. It is built from sources, once.
fn server() -> Result<PathBuf, String> {
    let folder = cache_folder("llama-server").ok_or("HOME is not set: there is no folder for the server")?;
    let python = folder.join("bin/python");
    if !has_server(&python) {
        in_file(&folder, fs::create_dir_all(&folder))?;
        run(Command::new("python3").args(["-m", "venv"]).arg(&folder))?;
        let install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement"];
        run(Command::new(&python).args(install).arg(root().join("tools/fallback/requirements.txt")))?;
    }
    Ok(python)
}

fn has_server(python: &Path) -> bool {
    let import = Command::new(python).args(["-c", "import llama_cpp.server.app"]).output();
    import.is_ok_and(|output| output.status.success())
}
