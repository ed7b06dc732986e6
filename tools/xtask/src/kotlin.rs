//! The Kotlin SDK: the native library for this machine, generated bindings, Maven.

use std::process::{Command, Stdio};

use crate::steps::{SKIPPED, cargo, root, run};

/// Where the generated Kotlin and Swift go, from the root.
const BINDINGS: &str = "target/bindings";

/// A model with layers as wide as those of a real one, so that a prefill takes long enough to be cancelled.
const WIDE_MODEL: &str = "target/kotlin-models/wide.gguf";

/// Generates the Kotlin and Swift side of the bindings from the library built for this machine.
pub fn bindgen() -> Result<(), String> {
    // The whole workspace: one package alone would build its dependencies anew, with other features.
    run(&mut cargo(&["build", "--workspace"]))?;
    let generator = ["run", "--quiet", "--manifest-path", "tools/bindgen/Cargo.toml", "--target-dir", "target/bindgen"];
    run(cargo(&generator).args(["--", &library(), "bindings/uniffi.toml", BINDINGS]))
}

/// Runs the Kotlin tests against the library built for this machine. Without Maven or a JDK, returns a line that says so.
pub fn test_if_installed() -> Result<Option<String>, String> {
    match missing_tool() {
        Some(tool) => {
            Ok(Some(format!("{SKIPPED}: the Kotlin tests, for want of {tool} (Debian: maven, default-jdk-headless)")))
        }
        None => test().map(|()| None),
    }
}

/// Runs the Kotlin tests against the library built for this machine.
pub fn test() -> Result<(), String> {
    if let Some(tool) = missing_tool() {
        return Err(format!("there is no {tool}: install maven and default-jdk-headless (Debian's names)"));
    }
    bindgen()?;
    if !root().join(WIDE_MODEL).exists() {
        let synth = ["synth", "--shape", "mini", "--quant", "q4_0", "-o", WIDE_MODEL];
        let folder = root().join(WIDE_MODEL).with_file_name("");
        std::fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        run(Command::new(root().join("target/debug/sotto")).args(synth).current_dir(root()))?;
    }
    maven(&["verify"])
}

/// Makes the jars of the Kotlin SDK and of its sources in `target/kotlin`.
pub fn build_jars() -> Result<(), String> {
    bindgen()?;
    maven(&["clean", "package", "-DskipTests"])
}

fn maven(goals: &[&str]) -> Result<(), String> {
    let mut command = Command::new("mvn");
    run(command.args(["--batch-mode", "--no-transfer-progress"]).args(goals).current_dir(root().join("android")))
}

fn library() -> String {
    format!("target/debug/{}sotto{}", std::env::consts::DLL_PREFIX, std::env::consts::DLL_SUFFIX)
}

fn missing_tool() -> Option<&'static str> {
    ["mvn", "javac"].into_iter().find(|tool| {
        let version = Command::new(tool).arg("-version").stdout(Stdio::null()).stderr(Stdio::null()).status();
        !version.is_ok_and(|status| status.success())
    })
}
