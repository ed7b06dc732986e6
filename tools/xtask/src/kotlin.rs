//! The Kotlin SDK, the store for models, and the sample app: the native library for this machine, generated bindings, Maven.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::bindgen::{bindgen, wide_model};
use crate::steps::{SKIPPED, root, run};

/// Runs the Kotlin tests against the library built for this machine. Without Maven or a JDK, returns a line that says so.
pub fn test_if_installed() -> Result<Option<String>, String> {
    match missing_tool() {
        Some(tool) => Ok(Some(format!(
            "{SKIPPED}: the Kotlin tests, because {tool} is missing (Debian: maven, default-jdk-headless)"
        ))),
        None => test(),
    }
}

/// Runs the Kotlin tests against the library built for this machine, then those of the store and of the sample app. If these had to be skipped,
/// returns a line that says so.
pub fn test() -> Result<Option<String>, String> {
    if let Some(tool) = missing_tool() {
        return Err(format!("{tool} is missing: install maven and default-jdk-headless (Debian's names)"));
    }
    bindgen()?;
    wide_model()?;
    maven("android", &["verify"])?;
    maven("android/store", &["verify"])?;
    maven("android/fallback", &["verify"])?;
    test_sample_app()
}

fn test_sample_app() -> Result<Option<String>, String> {
    if !starts("aapt2", "version") {
        let skipped = format!("{SKIPPED}: the Android sample app's tests, because aapt2 is missing (Debian: aapt)");
        eprintln!("{skipped}");
        return Ok(Some(skipped));
    }
    maven("sample-apps/android", &["verify"]).map(|()| None)
}

/// Draws the screens of the sample app into a folder.
pub fn draw_sample_app(folder: &Path) -> Result<(), String> {
    maven("android", &["package", "-DskipTests"])?;
    let pictures = format!("-Dsotto.pictures={}", folder.display());
    maven("sample-apps/android", &["test", "-Dtest=PicturesTest", &pictures])
}

/// Makes, from generated bindings, what an AAR has of the Kotlin SDK: classes, sources, documentation, rules for shrinking.
pub fn build_for_aar(goals: &[&str]) -> Result<(), String> {
    maven("android", goals)
}

/// Makes the classes, sources and documentation of a library beside the SDK. They end up in `target/kotlin-` with its folder's name.
pub fn build_library(folder: &str) -> Result<(), String> {
    maven(&format!("android/{folder}"), &["package", "-Ppublish", "-DskipTests"])
}

fn maven(folder: &str, goals: &[&str]) -> Result<(), String> {
    let mut command = Command::new("mvn");
    run(command.args(["--batch-mode", "--no-transfer-progress"]).args(goals).current_dir(root().join(folder)))
}

fn missing_tool() -> Option<&'static str> {
    ["mvn", "javac"].into_iter().find(|tool| !starts(tool, "-version"))
}

fn starts(tool: &str, version: &str) -> bool {
    let status = Command::new(tool).arg(version).stdout(Stdio::null()).stderr(Stdio::null()).status();
    status.is_ok_and(|status| status.success())
}
