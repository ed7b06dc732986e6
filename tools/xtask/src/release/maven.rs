//! The bundle that Maven Central takes: each file with its signature and checksums.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{VERSION, folder};
use crate::android::PUBLISHED;
use crate::steps::{in_file, root, run};

/// What Central asks of a POM.
const ELEMENTS: [&str; 6] = ["name", "description", "url", "licenses", "developers", "scm"];

/// What signs.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Key {
    /// That of whoever releases.
    Default,
    /// One that is made for the rehearsal and deleted after it.
    ThrownAway,
}

/// Makes the bundle of a Maven repository, beside it: a folder, and a zip of the same name to upload. Returns the folder.
pub fn bundle(repository: &Path, key: Key) -> Result<PathBuf, String> {
    let bundle = repository.with_file_name("bundle");
    if bundle.exists() {
        in_file(&bundle, fs::remove_dir_all(&bundle))?;
    }
    let artifacts = PUBLISHED.map(|(artifact, endings)| {
        (format!("dev/sotto/{artifact}/{VERSION}"), endings.map(|ending| format!("{artifact}-{VERSION}{ending}")))
    });
    // A rehearsal has no libraries, and so no AAR without some of their parts.
    let artifacts: Vec<_> = artifacts.into_iter().filter(|(place, _)| repository.join(place).exists()).collect();
    for (place, files) in &artifacts {
        let (from, to) = (repository.join(place), bundle.join(place));
        in_file(&to, fs::create_dir_all(&to))?;
        for name in files.iter().flat_map(|name| [name.clone(), format!("{name}.md5"), format!("{name}.sha1")]) {
            in_file(&from.join(&name), fs::copy(from.join(&name), to.join(&name)))?;
        }
    }
    let mut paths = Vec::new();
    for (place, files) in &artifacts {
        paths.extend(files.iter().map(|name| bundle.join(place).join(name)));
    }
    sign(&paths, key)?;
    for (place, files) in &artifacts {
        let faults = faults(&bundle.join(place), files)?;
        if !faults.is_empty() {
            return Err(format!("Maven Central would refuse {place}: {}", faults.join("; ")));
        }
    }
    let zip = bundle.with_extension("zip");
    run(Command::new("jar").args(["--create", "--no-manifest", "--file"]).arg(&zip).arg("-C").arg(&bundle).arg("."))?;
    println!("{}: signed, and as Maven Central wants it", zip.display());
    Ok(bundle)
}

/// Signs files, each in a file beside it, and checks the signatures.
fn sign(files: &[PathBuf], key: Key) -> Result<(), String> {
    let home = (key == Key::ThrownAway).then(|| folder().join("key"));
    if let Some(home) = &home {
        make_key(home)?;
    }
    for file in files {
        let signature = PathBuf::from(format!("{}.asc", file.display()));
        run(gpg(home.as_deref()).args(["--armor", "--detach-sign"]).arg(file))?;
        run(gpg(home.as_deref()).arg("--verify").arg(signature).arg(file))?;
    }
    match home {
        Some(home) => forget_key(&home),
        None => Ok(()),
    }
}

fn make_key(home: &Path) -> Result<(), String> {
    if home.exists() {
        forget_key(home)?;
    }
    in_file(home, fs::create_dir_all(home))?;
    run(gpg(Some(home)).args([
        "--passphrase",
        "",
        "--quick-generate-key",
        "rehearsal@sotto.invalid",
        "ed25519",
        "sign",
    ]))
}

/// Deletes the folder of a key, and ends gpg's agent: one whose folder has gone would be in the way of the next rehearsal.
fn forget_key(home: &Path) -> Result<(), String> {
    run(Command::new("gpgconf").arg("--homedir").arg(home).args(["--kill", "gpg-agent"]))?;
    in_file(home, fs::remove_dir_all(home))
}

/// gpg, which asks nothing, with the keys in `home` or, without one, those of whoever calls.
fn gpg(home: Option<&Path>) -> Command {
    let mut gpg = Command::new("gpg");
    gpg.args(["--batch", "--quiet", "--yes", "--no-permission-warning"]);
    if let Some(home) = home {
        gpg.arg("--homedir").arg(home);
    }
    gpg
}

/// What is wrong with a folder of these files.
fn faults(folder: &Path, files: &[String]) -> Result<Vec<String>, String> {
    let mut faults = Vec::new();
    for name in files {
        for (ending, program) in [("md5", "md5sum"), ("sha1", "sha1sum")] {
            let said = in_file(folder, fs::read_to_string(folder.join(format!("{name}.{ending}"))))?;
            if checksum(program, &folder.join(name))? != said.trim() {
                faults.push(format!("{name} has another {ending}"));
            }
        }
        if !folder.join(format!("{name}.asc")).is_file() {
            faults.push(format!("{name} is not signed"));
        }
    }
    let pom = files.iter().find(|name| name.ends_with(".pom")).ok_or("there is no POM")?;
    let pom = in_file(folder, fs::read_to_string(folder.join(pom)))?;
    faults.extend(faults_of_pom(&pom));
    Ok(faults)
}

fn faults_of_pom(pom: &str) -> Vec<String> {
    let own = pom.split("<dependencies>").next().unwrap_or_default();
    let missing = ELEMENTS.into_iter().filter(|element| !own.contains(&format!("<{element}>")));
    let mut faults: Vec<String> = missing.map(|element| format!("the POM has no {element}")).collect();
    let repository = env!("CARGO_PKG_REPOSITORY");
    if !own.contains(&format!("<url>{repository}</url>")) {
        faults.push(format!("the POM does not name {repository}, as Cargo.toml does"));
    }
    faults
}

fn checksum(program: &str, file: &Path) -> Result<String, String> {
    let output = Command::new(program).arg(file).current_dir(root()).output();
    let output = output.map_err(|error| format!("cannot start {program}: {error}"))?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    said.split_whitespace().next().map(str::to_owned).ok_or(format!("{program} says nothing of {}", file.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pom(of: &str) -> String {
        fs::read_to_string(root().join("android").join(of).join("pom.xml")).expect("the POM")
    }

    #[test]
    fn the_poms_have_what_central_asks_for() {
        for pom in ["aar", "store"].map(pom) {
            assert_eq!(faults_of_pom(&pom), [""; 0]);
            for element in ELEMENTS {
                let without = pom.replace(&format!("<{element}>"), "<other>");
                assert!(!faults_of_pom(&without).is_empty(), "{element}");
            }
        }
    }

    #[test]
    fn damaged_and_unsigned_files_are_found() {
        let folder = tempfile::tempdir().expect("a folder");
        let files: Vec<String> = ["a.jar", "a.pom"].map(str::to_owned).into();
        for name in &files {
            let path = folder.path().join(name);
            fs::write(&path, pom("aar")).expect("a file");
            fs::write(folder.path().join(format!("{name}.asc")), "signature").expect("a file");
            for (ending, program) in [("md5", "md5sum"), ("sha1", "sha1sum")] {
                let Ok(checksum) = checksum(program, &path) else {
                    return eprintln!(
                        "{}: the checks of a bundle, because {program} is missing",
                        crate::steps::SKIPPED
                    );
                };
                fs::write(folder.path().join(format!("{name}.{ending}")), checksum).expect("a file");
            }
        }
        assert_eq!(faults(folder.path(), &files), Ok(Vec::new()));
        fs::remove_file(folder.path().join("a.jar.asc")).expect("it was there");
        fs::write(folder.path().join("a.jar"), "damaged").expect("a file");
        let found = faults(folder.path(), &files).expect("files");
        assert_eq!(found, ["a.jar has another md5", "a.jar has another sha1", "a.jar is not signed"]);
    }
}
