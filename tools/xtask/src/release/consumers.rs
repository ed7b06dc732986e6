//! Apps in small that take the SDK from where a release puts it, and compile what the README shows.

use std::env;
use std::fs;
use std::path::Path;
use std::process::Command;

use super::{VERSION, folder};
use crate::android::PUBLISHED;
use crate::steps::{in_file, root, run};
use crate::swift;

/// What is around the README's Kotlin and Swift, which are in the place of this line.
const README: &str = "    // README\n";

/// Compiles the README's Kotlin against a bundle.
pub fn compile_kotlin(bundle: &Path) -> Result<(), String> {
    let project = root().join("tools/xtask/consumers/kotlin");
    let made = folder().join("kotlin");
    write_source("kotlin", "App.kt", &made.join("src/App.kt"))?;
    in_file(&made, fs::copy(project.join("pom.xml"), made.join("pom.xml")))?;
    forget_cached_sdk()?;
    maven(&made, bundle, "dependency:copy@aar")?;
    // Maven does not find classes in an AAR.
    let target = made.join("target");
    run(Command::new("jar").args(["--extract", "--file", "sotto.aar", "classes.jar"]).current_dir(target))?;
    maven(&made, bundle, "package")?;
    println!("{}: the README's Kotlin compiles against {VERSION}", made.display());
    Ok(())
}

fn maven(project: &Path, bundle: &Path, goal: &str) -> Result<(), String> {
    let mut maven = Command::new("mvn");
    maven.args(["--batch-mode", "--no-transfer-progress", "--quiet", goal]);
    maven.arg(format!("-Dsotto.version={VERSION}")).arg(format!("-Dsotto.repository=file://{}", bundle.display()));
    run(maven.current_dir(project))
}

/// Maven would take the SDK of an earlier rehearsal, which has the same version, from its cache.
fn forget_cached_sdk() -> Result<(), String> {
    let Some(home) = env::home_dir() else { return Ok(()) };
    for (artifact, _) in PUBLISHED {
        let cached = home.join(".m2/repository/dev/sotto").join(artifact);
        if cached.exists() {
            in_file(&cached, fs::remove_dir_all(&cached))?;
        }
    }
    Ok(())
}

/// Compiles the README's Swift against a package, which a repository has under its version.
pub fn compile_swift(package: &Path) -> Result<(), String> {
    let made = folder().join("swift");
    if made.exists() {
        in_file(&made, fs::remove_dir_all(&made))?;
    }
    write_source("swift", "App.swift", &made.join("Sources/App/App.swift"))?;
    let manifest = root().join("tools/xtask/consumers/swift/Package.swift.in");
    let manifest = in_file(&manifest, fs::read_to_string(&manifest))?;
    let manifest = manifest.replace("@URL@", &format!("file://{}", package.display())).replace("@VERSION@", VERSION);
    in_file(&made, fs::write(made.join("Package.swift"), manifest))?;
    if let Some(skipped) = swift::build_if_installed(&made)? {
        eprintln!("{skipped}");
        return Ok(());
    }
    println!("{}: the README's Swift compiles against {VERSION}", made.display());
    Ok(())
}

/// Writes the source of an app in a language, with what the README shows of it.
fn write_source(language: &str, template: &str, to: &Path) -> Result<(), String> {
    let readme = in_file(Path::new("README.md"), fs::read_to_string(root().join("README.md")))?;
    let template = root().join("tools/xtask/consumers").join(language).join(template);
    let around = in_file(&template, fs::read_to_string(&template))?;
    let source = filled(&around, &readme, language).ok_or(format!("README.md shows no {language}"))?;
    in_file(to, fs::create_dir_all(to.with_file_name("")).and_then(|()| fs::write(to, source)))
}

fn filled(around: &str, readme: &str, language: &str) -> Option<String> {
    let shown = readme.split_once(&format!("```{language}\n"))?.1.split_once("```")?.0;
    let indented: String = shown.lines().map(|line| format!("    {line}\n")).collect();
    around.contains(README).then(|| around.replace(README, &indented))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_readme_shows_gets_into_the_app() {
        let around = "fun app() {\n    // README\n}\n";
        let readme = "Text\n```kotlin\nval a = 1\nval b = 2\n```\nmore";
        let app = "fun app() {\n    val a = 1\n    val b = 2\n}\n";
        assert_eq!(filled(around, readme, "kotlin").as_deref(), Some(app));
        assert_eq!(filled(around, readme, "swift"), None);
        assert_eq!(filled("nothing", readme, "kotlin"), None);
    }
}
