use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use super::{BYTES_BAR, print_json, watch_with_bar};
use crate::failure::Failure;
use crate::screen;

pub fn run(file: &Path, output: Option<&Path>, delete: bool, json: bool) -> Result<(), Failure> {
    let output = output.map_or_else(|| file.with_extension("sotto"), Path::to_owned);
    let sources = sotto::model_files(file)?;
    if sources.iter().any(|source| is_same_file(source, &output)) {
        return Err(Failure::BadInput(
            "the packed file would replace the model that it is made from: choose another -o".into(),
        ));
    }
    watch_with_bar(sotto::pack(file, &output), BYTES_BAR)?;
    let written = fs::metadata(&output)?.len();
    let deletion = if delete { delete_all(&sources) } else { Ok(()) };
    if json {
        let (file, deleted) = (output.to_string_lossy(), delete && deletion.is_ok());
        print_json(&serde_json::json!({ "bytes": written, "file": file, "deleted": deleted }))?;
    } else {
        let file = output.display().to_string();
        writeln!(std::io::stdout(), "packed {} into {}", screen::bytes(written), screen::answer(&file))?;
    }
    deletion
}

fn delete_all(files: &[PathBuf]) -> Result<(), Failure> {
    for path in files {
        fs::remove_file(path).map_err(|source| Failure::NotDeleted { path: path.clone(), source })?;
    }
    Ok(())
}

pub(super) fn is_same_file(one: &Path, other: &Path) -> bool {
    matches!((fs::canonicalize(one), fs::canonicalize(other)), (Ok(one), Ok(other)) if one == other)
}
