use std::fs;
use std::io::Write;
use std::path::Path;

use super::{print_json, watch};
use crate::failure::Failure;
use crate::screen;

pub fn run(file: &Path, output: Option<&Path>, delete: bool, json: bool) -> Result<(), Failure> {
    let output = output.map_or_else(|| file.with_extension("sotto"), Path::to_owned);
    if is_same_file(file, &output) {
        return Err(Failure::BadInput(
            "the packed file would replace the model that it is made from: give another -o".into(),
        ));
    }
    let bar = screen::bar("{binary_bytes} of {binary_total_bytes} {wide_bar} {eta}");
    watch(sotto::pack(file, &output), |progress| {
        bar.set_length(progress.total as u64);
        bar.set_position(progress.done as u64);
        Ok(())
    })?;
    bar.finish_and_clear();
    let written = fs::metadata(&output)?.len();
    if delete {
        fs::remove_file(file)?;
    }
    if json {
        return print_json(&serde_json::json!({ "bytes": written, "file": output, "deleted": delete }));
    }
    writeln!(std::io::stdout(), "packed {} into {}", screen::bytes(written), output.display())?;
    Ok(())
}

fn is_same_file(one: &Path, other: &Path) -> bool {
    matches!((fs::canonicalize(one), fs::canonicalize(other)), (Ok(one), Ok(other)) if one == other)
}
