//! The AAR and the Maven repository that holds it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::build::Library;
use crate::kotlin;
use crate::steps::{in_file, root, run};

/// Puts libraries and Kotlin classes into an AAR, and that into a Maven repository with its sources, documentation and checksums.
pub fn assemble(libraries: &[Library], repository: &str) -> Result<(), String> {
    kotlin::build_for_aar()?;
    let built = root().join("target/android/kotlin");
    let content = root().join("target/android/aar");
    let files = libraries.iter().map(|library| (library.path.clone(), format!("jni/{}/libsotto.so", library.abi.name)));
    let files = files.chain([
        (built.join("sotto-android-0.1.0.jar"), "classes.jar".to_owned()),
        (built.join("aar/AndroidManifest.xml"), "AndroidManifest.xml".to_owned()),
        (built.join("aar/proguard.txt"), "proguard.txt".to_owned()),
    ]);
    in_file(&content, lay_out(&content, files))?;
    let aar = root().join("target/android/sotto-android.aar");
    run(Command::new("jar").args(["--create", "--no-manifest", "--file"]).arg(&aar).arg("-C").arg(&content).arg("."))?;
    let option = |name: &str, value: &Path| format!("-D{name}={}", value.display());
    let repository = root().join(repository);
    run(Command::new("mvn")
        .args(["--batch-mode", "--no-transfer-progress", "--quiet"])
        .arg("org.apache.maven.plugins:maven-deploy-plugin:3.1.4:deploy-file")
        .arg(format!("-Durl=file://{}", repository.display()))
        .arg(option("file", &aar))
        .arg(option("pomFile", &built.join("aar/pom.xml")))
        .arg(option("sources", &built.join("sotto-android-0.1.0-sources.jar")))
        .arg(option("javadoc", &built.join("sotto-android-0.1.0-javadoc.jar"))))?;
    println!("{}: {} bytes", aar.display(), fs::metadata(&aar).map_or(0, |file| file.len()));
    Ok(())
}

fn lay_out(folder: &Path, files: impl Iterator<Item = (PathBuf, String)>) -> std::io::Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder)?;
    }
    for (source, name) in files {
        let target = folder.join(name);
        fs::create_dir_all(target.parent().unwrap_or(folder))?;
        fs::copy(source, target)?;
    }
    // Android's build tools want the list of resources, of which there are none.
    fs::write(folder.join("R.txt"), "")
}
