use std::fs;
use std::io::Write;
use std::path::Path;

use super::pack::is_same_file;
use super::{BYTES_BAR, print_json, watch_with_bar};
use crate::args::AdapterArgument;
use crate::failure::Failure;
use crate::screen;

pub fn run(file: &Path, adapters: &[AdapterArgument], output: &Path, json: bool) -> Result<(), Failure> {
    let sources = sotto::model_files(file)?;
    if sources.iter().chain(adapters.iter().map(|adapter| &adapter.file)).any(|source| is_same_file(source, output)) {
        return Err(Failure::BadInput("the new file would replace one that it is made from: choose another -o".into()));
    }
    let adapters: Vec<_> = adapters.iter().map(|adapter| (adapter.file.clone(), adapter.scale)).collect();
    let merged = watch_with_bar(sotto::merge(file, &adapters, output), BYTES_BAR)?;
    for tensor in merged.iter().filter(|tensor| tensor.was != tensor.is) {
        screen::figures(&format!(
            "{} is stored as {} now, since {} cannot be written",
            tensor.name, tensor.is, tensor.was
        ));
    }
    let written = fs::metadata(output)?.len();
    if json {
        let file = output.to_string_lossy();
        print_json(&serde_json::json!({ "bytes": written, "file": file, "tensors": merged.len() }))
    } else {
        let (written, tensors) = (screen::bytes(written), merged.len());
        let file = output.display().to_string();
        writeln!(std::io::stdout(), "merged {tensors} tensors into {}, {written}", screen::answer(&file))?;
        Ok(())
    }
}
