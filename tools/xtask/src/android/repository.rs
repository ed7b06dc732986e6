//! The AAR and the Maven repository that holds it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::build::Library;
use super::edition::Edition;
use crate::kotlin;
use crate::release::VERSION;
use crate::steps::{in_file, root, run};

/// Classes of the SDK, of its Android half, and of the generated bindings.
const CLASSES: [&str; 3] =
    ["dev/sotto/LocalModel.class", "dev/sotto/AndroidDescriptors.class", "dev/sotto/internal/SottoKt.class"];

/// The libraries beside the SDK: the folder in `android`, the artifact, and a class of each.
const LIBRARIES: [(&str, &str, &str); 2] = [
    ("store", "sotto-store", "dev/sotto/store/ModelStore.class"),
    ("fallback", "sotto-fallback", "dev/sotto/fallback/ChatServer.class"),
];

/// What the repository has: the name of each artifact and the endings of its files, each of which has checksums.
pub const PUBLISHED: [(&str, [&str; 4]); 4] = [
    ("sotto-android", [".aar", ".pom", "-sources.jar", "-javadoc.jar"]),
    ("sotto-android-core", [".aar", ".pom", "-sources.jar", "-javadoc.jar"]),
    ("sotto-store", [".jar", ".pom", "-sources.jar", "-javadoc.jar"]),
    ("sotto-fallback", [".jar", ".pom", "-sources.jar", "-javadoc.jar"]),
];

/// Puts libraries and Kotlin classes into an edition's AAR, and that into a Maven repository with sources, documentation and checksums.
pub fn assemble(edition: &Edition, libraries: &[Library], repository: &Path) -> Result<(), String> {
    kotlin::build_for_aar(edition.goals)?;
    let built = root().join(edition.kotlin);
    let jar = |kind: &str| built.join(format!("sotto-android-{VERSION}{kind}.jar"));
    check_contents(&jar(""), &CLASSES)?;

    let content = root().join("target/android/aar");
    let mut files: Vec<(PathBuf, String)> = vec![
        (jar(""), "classes.jar".into()),
        (built.join("aar/AndroidManifest.xml"), "AndroidManifest.xml".into()),
        (built.join("aar/proguard.txt"), "proguard.txt".into()),
    ];
    files.extend(
        libraries.iter().map(|library| (library.path.clone(), format!("jni/{}/libsotto.so", library.abi.name))),
    );
    in_file(&content, lay_out(&content, &files))?;
    let artifact = edition.artifact;
    let aar = root().join(format!("target/android/{artifact}.aar"));
    run(Command::new("jar").args(["--create", "--no-manifest", "--file"]).arg(&aar).arg("-C").arg(&content).arg("."))?;

    deploy(repository, &aar, &built.join("aar/pom.xml"), &jar)?;
    check_published(artifact, repository)?;
    check_aar(&repository.join(format!("dev/sotto/{artifact}/{VERSION}/{artifact}-{VERSION}")), &files)
}

/// Puts the libraries beside the SDK into a Maven repository in the same way.
pub fn assemble_libraries(repository: &Path) -> Result<(), String> {
    LIBRARIES.iter().try_for_each(|(folder, artifact, class)| {
        kotlin::build_library(folder)?;
        let jar = |kind: &str| root().join(format!("target/kotlin-{folder}/{artifact}-{VERSION}{kind}.jar"));
        check_contents(&jar(""), &[*class])?;
        deploy(repository, &jar(""), &root().join(format!("android/{folder}/pom.xml")), &jar)?;
        check_published(artifact, repository)
    })
}

/// Puts a file into a repository, with its POM and the jars of its sources and its documentation.
fn deploy(repository: &Path, file: &Path, pom: &Path, jar: &impl Fn(&str) -> PathBuf) -> Result<(), String> {
    let option = |name: &str, value: &Path| format!("-D{name}={}", value.display());
    run(Command::new("mvn")
        .args(["--batch-mode", "--no-transfer-progress", "--quiet"])
        .arg("org.apache.maven.plugins:maven-deploy-plugin:3.1.4:deploy-file")
        .arg(format!("-Durl=file://{}", repository.display()))
        .arg(option("file", file))
        .arg(option("pomFile", pom))
        .arg(option("sources", &jar("-sources")))
        .arg(option("javadoc", &jar("-javadoc"))))
}

/// Whether everything is there, under the names by which build tools look for it.
fn check_published(artifact: &str, repository: &Path) -> Result<(), String> {
    let folder = repository.join(format!("dev/sotto/{artifact}/{VERSION}"));
    let endings = PUBLISHED.iter().filter(|(name, _)| *name == artifact).flat_map(|(_, endings)| endings);
    for file in endings.map(|ending| format!("{artifact}-{VERSION}{ending}")) {
        for name in [file.clone(), file.clone() + ".sha1", file + ".md5"] {
            in_file(&folder.join(&name), fs::metadata(folder.join(&name)))?;
        }
    }
    Ok(())
}

/// Whether an AAR and its POM, of the same name, have what build tools and apps need.
fn check_aar(name: &Path, files: &[(PathBuf, String)]) -> Result<(), String> {
    let pom = PathBuf::from(format!("{}.pom", name.display()));
    check_pom(&in_file(&pom, fs::read_to_string(&pom))?)?;
    let aar = PathBuf::from(format!("{}.aar", name.display()));
    let names: Vec<&str> = files.iter().map(|(_, name)| name.as_str()).collect();
    check_contents(&aar, &names)?;
    println!("{}: {:.2} MB", aar.display(), in_file(&aar, fs::metadata(&aar))?.len() as f64 / 1e6);
    Ok(())
}

/// Whether build tools will take an AAR by this POM, and JNA's AAR with it.
fn check_pom(pom: &str) -> Result<(), String> {
    let jna = pom.split("<dependency>").find(|dependency| dependency.contains("<artifactId>jna</artifactId>"));
    let faults = [
        (!pom.contains("<packaging>aar</packaging>"), "its packaging is no AAR"),
        (!jna.is_some_and(|jna| jna.contains("<type>aar</type>")), "it does not ask for JNA's AAR"),
        (pom.contains("${"), "a version is not filled in"),
    ];
    match faults.into_iter().find(|(holds, _)| *holds) {
        None => Ok(()),
        Some((_, fault)) => Err(format!("the POM is wrong: {fault}")),
    }
}

fn check_contents(archive: &Path, expected: &[&str]) -> Result<(), String> {
    let listing = Command::new("jar").args(["--list", "--file"]).arg(archive).output();
    let listing = listing.map_err(|error| format!("jar could not be started: {error}"))?;
    let listing = String::from_utf8_lossy(&listing.stdout);
    match expected.iter().find(|name| !listing.lines().any(|line| line == **name)) {
        None => Ok(()),
        Some(missing) => Err(format!("{} has no {missing}", archive.display())),
    }
}

fn lay_out(folder: &Path, files: &[(PathBuf, String)]) -> std::io::Result<()> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pom_asks_for_aars() {
        let pom = fs::read_to_string(root().join("android/aar/pom.xml")).expect("the POM");
        let filled = pom.replace("${", "");
        assert_eq!(check_pom(&filled), Ok(()));
        assert!(check_pom(&pom).is_err_and(|why| why.ends_with("not filled in")));
        for (from, to) in [("<packaging>aar", "<packaging>jar"), ("<type>aar", "<type>jar"), (">jna<", ">jnr<")] {
            assert!(check_pom(&filled.replace(from, to)).is_err(), "{to}");
        }
    }
}
