//! The generated side of the bindings, and what their tests need.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::path::Path;
use std::process::Command;

use crate::steps::{cargo, in_file, root, run};

/// Where the generated Kotlin and Swift go, from the root, and where they are generated.
pub const BINDINGS: &str = "target/bindings";
const GENERATED: &str = "target/bindgen/generated";

/// Where `Package.swift` takes its generated sources from, and what they are called here.
const SWIFT_SOURCES: [(&str, &str); 3] = [
    ("SottoFFI.swift", "ios/Generated/SottoFFI/SottoFFI.swift"),
    ("SottoNative.h", "ios/Generated/SottoNative/SottoNative.h"),
    ("SottoNative.modulemap", "ios/Generated/SottoNative/module.modulemap"),
];

/// A model with layers as wide as those of a real one, so that a prefill takes long enough to be cancelled.
const WIDE_MODEL: &str = "target/test-models/wide.gguf";

/// Generates the Kotlin and Swift side of the bindings from the library built for this machine. Steps may do so beside each other:
/// one after the other, and the second finds nothing to change in what the first has begun to read.
pub fn bindgen() -> Result<(), String> {
    let (folder, lock) = (root().join(GENERATED), root().join(GENERATED).with_extension("lock"));
    in_file(&folder, fs::create_dir_all(&folder))?;
    let _held = in_file(&lock, File::create(&lock).and_then(|file| file.lock().map(|()| file)))?;
    // The whole workspace: one package alone would build its dependencies anew, with other features.
    run(&mut cargo(&["build", "--workspace"]))?;
    generate(&library(), GENERATED)?;
    in_file(&folder, copy_all(&folder, &root().join(BINDINGS)))?;
    for (generated, source) in SWIFT_SOURCES {
        let generated = folder.join("swift").join(generated);
        in_file(&generated, copy(&generated, &root().join(source)))?;
    }
    Ok(())
}

/// Generates the Kotlin and Swift side of a library, which may be for another processor. Both paths are from the root.
pub fn generate(library: &str, folder: &str) -> Result<(), String> {
    let generator = ["run", "--quiet", "--manifest-path", "tools/bindgen/Cargo.toml", "--target-dir", "target/bindgen"];
    run(cargo(&generator).args(["--", library, "bindings/uniffi.toml", folder]))
}

/// The native functions that the generated Kotlin in a folder calls.
pub fn called_by_kotlin(folder: &str) -> Result<BTreeSet<String>, String> {
    let source = root().join(folder).join("kotlin/dev/sotto/internal/sotto.kt");
    let text = in_file(&source, fs::read_to_string(&source))?;
    let calls = text.lines().filter_map(|line| line.trim_start().strip_prefix("external fun "));
    Ok(calls.filter_map(|call| Some(call.split_once('(')?.0.to_owned())).collect())
}

/// Copies the files of a folder and of those in it.
fn copy_all(from: &Path, to: &Path) -> std::io::Result<()> {
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        if entry.file_type()?.is_dir() { copy_all(&from, &to)? } else { copy(&from, &to)? }
    }
    Ok(())
}

/// Copies a file to where it is wanted. What has not changed is left alone, so that it is not compiled again.
fn copy(from: &Path, to: &Path) -> std::io::Result<()> {
    let content = fs::read(from)?;
    if fs::read(to).is_ok_and(|old| old == content) {
        return Ok(());
    }
    fs::create_dir_all(to.with_file_name(""))?;
    fs::write(to, content)
}

/// Makes the wide model for the tests, unless it is there.
pub fn wide_model() -> Result<(), String> {
    let model = root().join(WIDE_MODEL);
    if model.exists() {
        return Ok(());
    }
    let folder = model.with_file_name("");
    fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let synth = ["synth", "--shape", "mini", "--quant", "q4_0", "-o", WIDE_MODEL];
    run(Command::new(root().join("target/debug/sotto")).args(synth).current_dir(root()))
}

fn library() -> String {
    format!("target/debug/{}sotto{}", std::env::consts::DLL_PREFIX, std::env::consts::DLL_SUFFIX)
}
