use std::fs;
use std::io::Write;
use std::path::Path;

use super::{BYTES_BAR, print_json, watch_with_bar};
use crate::failure::Failure;
use crate::screen;

pub fn run(file: &Path, output: Option<&Path>, delete: bool, json: bool) -> Result<(), Failure> {
    let output = output.map_or_else(|| file.with_extension("sotto"), Path::to_owned);
    if is_same_file(file, &output) {
        return Err(Failure::BadInput(
            "the packed file would replace the model that it is made from: give another -o".into(),
        ));
    }
    watch_with_bar(sotto::pack(file, &output), BYTES_BAR)?;
    let written = fs::metadata(&output)?.len();
    let deletion = if delete { fs::remove_file(file) } else { Ok(()) };
    if json {
        let (file, deleted) = (output.to_string_lossy(), delete && deletion.is_ok());
        print_json(&serde_json::json!({ "bytes": written, "file": file, "deleted": deleted }))?;
    } else {
        writeln!(std::io::stdout(), "packed {} into {}", screen::bytes(written), output.display())?;
    }
    deletion.map_err(|source| Failure::NotDeleted { path: file.to_owned(), source })
}

fn is_same_file(one: &Path, other: &Path) -> bool {
    matches!((fs::canonicalize(one), fs::canonicalize(other)), (Ok(one), Ok(other)) if one == other)
}
