//! The Swift package of a release: sources, generated ones too, and a `Package.swift` that says where the framework is. It is committed
//! to a repository of its own, which apps name.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{VERSION, folder};
use crate::bindgen::bindgen;
use crate::steps::{copy_folder, in_file, root, run, sha256};

/// What the package has of this repository.
const FOLDERS: [&str; 3] = ["ios/Sources", "ios/Generated", "ios/Tests"];
const FILES: [&str; 4] = ["README.md", "CHANGELOG.md", "LICENSE-APACHE", "LICENSE-MIT"];

/// How `Package.swift` says that there is no framework of a release.
const UNRELEASED: &str = "let released: (url: String, checksum: String)? = nil";

/// Makes the package in `target/release-swift` for the framework that `cargo xtask apple` has made, and that is going to be at `url`.
pub fn of_framework(url: &str) -> Result<PathBuf, String> {
    let zip = root().join("target/apple/SottoNative.xcframework.zip");
    let data = in_file(&zip, fs::read(&zip))?;
    make(&root().join("target/release-swift"), url, &sha256(&data))
}

/// Makes a package whose framework is nowhere, in a repository of its own with a tag for the version. Returns its folder.
pub fn rehearse() -> Result<PathBuf, String> {
    bindgen()?;
    let url = format!("https://sotto.invalid/{VERSION}/SottoNative.xcframework.zip");
    let package = make(&folder().join("sotto-swift"), &url, &sha256(b"nothing"))?;
    for arguments in [
        &["init", "--quiet"][..],
        &["add", "--all"],
        &["-c", "user.name=Rehearsal", "-c", "user.email=rehearsal@sotto.invalid", "commit", "--quiet", "-m", VERSION],
        &["tag", VERSION],
    ] {
        run(Command::new("git").args(arguments).current_dir(&package))?;
    }
    Ok(package)
}

fn make(package: &Path, url: &str, checksum: &str) -> Result<PathBuf, String> {
    if package.exists() {
        in_file(package, fs::remove_dir_all(package))?;
    }
    for name in FOLDERS {
        in_file(package, copy_folder(&root().join(name), &package.join(name)))?;
    }
    for name in FILES {
        in_file(package, fs::copy(root().join(name), package.join(name)))?;
    }
    let manifest = root().join("Package.swift");
    let manifest = released(&in_file(&manifest, fs::read_to_string(&manifest))?, url, checksum)?;
    in_file(package, fs::write(package.join("Package.swift"), manifest))?;
    println!("{}: the framework is {url}, checksum {checksum}", package.display());
    Ok(package.to_owned())
}

/// The manifest with the framework of a release.
fn released(manifest: &str, url: &str, checksum: &str) -> Result<String, String> {
    if manifest.matches(UNRELEASED).count() != 1 {
        return Err(format!("Package.swift does not say {UNRELEASED:?}"));
    }
    let framework = format!(
        "let released: (url: String, checksum: String)? = (\n    url: \"{url}\",\n    checksum: \"{checksum}\"\n)"
    );
    Ok(manifest.replace(UNRELEASED, &framework))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_manifest_names_the_framework_of_a_release() {
        let manifest = fs::read_to_string(root().join("Package.swift")).expect("the manifest");
        let made = released(&manifest, "https://sotto.invalid/a.zip", "abc").expect("a manifest");
        assert!(made.contains("    url: \"https://sotto.invalid/a.zip\",\n    checksum: \"abc\"\n)"));
        assert!(released(&made, "https://sotto.invalid/b.zip", "def").is_err(), "it names one already");
    }
}
