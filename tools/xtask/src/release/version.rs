//! The version, which Cargo.toml has, and the other files that name it.

use std::fs;

use crate::steps::{cargo, in_file, root, run};

/// The version of everything.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// A file that names the version, and the text right before it. A quotation mark or a tag ends it.
const PLACES: [(&str, &str); 8] = [
    ("Cargo.toml", "[workspace.package]\nversion = \""),
    ("android/pom.xml", "<artifactId>sotto-android</artifactId>\n  <version>"),
    ("android/store/pom.xml", "<artifactId>sotto-store</artifactId>\n  <version>"),
    ("android/fallback/pom.xml", "<artifactId>sotto-fallback</artifactId>\n  <version>"),
    ("sample-apps/android/pom.xml", "<artifactId>sotto-sample-android</artifactId>\n  <version>"),
    ("sample-apps/android/build.gradle.kts", "versionName = \""),
    ("sample-apps/android/build.gradle.kts", "dev.sotto:sotto-android:"),
    ("docs/android.md", "dev.sotto:sotto-android:"),
];

/// Fails if a file names another version than Cargo.toml.
pub fn check() -> Result<(), String> {
    let wrong = others_than(VERSION)?;
    if wrong.is_empty() { Ok(()) } else { Err(format!("not version {VERSION}: {}", wrong.join(", "))) }
}

/// Fails if a tag is not that of this version.
pub fn check_tag(tag: &str) -> Result<(), String> {
    check()?;
    let expected = format!("v{VERSION}");
    if tag == expected { Ok(()) } else { Err(format!("the tag is {tag}, and the version's is {expected}")) }
}

/// Writes a version into every file.
pub fn set(version: &str) -> Result<(), String> {
    if !is_version(version) {
        return Err(format!("{version:?} is no version: three numbers with points between, as in 1.2.3"));
    }
    for (file, before) in PLACES {
        let path = root().join(file);
        let text = in_file(&path, fs::read_to_string(&path))?;
        let changed = replaced(&text, before, version).ok_or(format!("{file} has no version"))?;
        in_file(&path, fs::write(&path, changed))?;
    }
    run(&mut cargo(&["update", "--workspace", "--offline"]))
}

/// The files that name another version than this.
fn others_than(version: &str) -> Result<Vec<String>, String> {
    let mut wrong = Vec::new();
    for (file, before) in PLACES {
        let path = root().join(file);
        let text = in_file(&path, fs::read_to_string(&path))?;
        match found(&text, before) {
            Some(found) if found == version => {}
            Some(found) => wrong.push(format!("{file} has {found}")),
            None => wrong.push(format!("{file} has none")),
        }
    }
    Ok(wrong)
}

fn found<'a>(text: &'a str, before: &str) -> Option<&'a str> {
    text.split_once(before)?.1.split(['"', '<', '\n']).next()
}

fn replaced(text: &str, before: &str, version: &str) -> Option<String> {
    let (head, tail) = text.split_once(before)?;
    let rest = &tail[found(text, before)?.len()..];
    Some(format!("{head}{before}{version}{rest}"))
}

fn is_version(text: &str) -> bool {
    let parts: Vec<&str> = text.split('.').collect();
    parts.len() == 3 && parts.iter().all(|part| part.parse::<u32>().is_ok_and(|number| number.to_string() == *part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_has_the_version_of_cargo() {
        assert_eq!(others_than(VERSION), Ok(Vec::new()));
        assert_eq!(others_than("9.9.9").expect("files").len(), PLACES.len());
    }

    #[test]
    fn a_version_is_replaced_where_it_stands_and_nowhere_else() {
        let text = "a 0.1.0\nversion = \"0.1.0\"\nb 0.1.0";
        assert_eq!(replaced(text, "version = \"", "2.0.0").as_deref(), Some("a 0.1.0\nversion = \"2.0.0\"\nb 0.1.0"));
        assert_eq!(replaced(text, "name = \"", "2.0.0"), None);
    }

    #[test]
    fn a_tag_names_the_version() {
        assert_eq!(check_tag(&format!("v{VERSION}")), Ok(()));
        assert!(check_tag("v9.9.9").is_err() && check_tag(VERSION).is_err());
    }

    #[test]
    fn a_version_is_three_numbers() {
        assert!(is_version("1.20.3"));
        for text in ["1.2", "1.2.3.4", "v1.2.3", "1.2.x", "01.2.3", "1.2.3-SNAPSHOT", "+1.2.3", ""] {
            assert!(!is_version(text), "{text}");
        }
    }
}
