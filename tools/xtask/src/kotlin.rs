//! The Kotlin SDK: the native library for this machine, generated bindings, Maven.

use std::process::{Command, Stdio};

use crate::bindgen::{bindgen, wide_model};
use crate::steps::{SKIPPED, root, run};

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
    wide_model()?;
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

fn missing_tool() -> Option<&'static str> {
    ["mvn", "javac"].into_iter().find(|tool| {
        let version = Command::new(tool).arg("-version").stdout(Stdio::null()).stderr(Stdio::null()).status();
        !version.is_ok_and(|status| status.success())
    })
}
