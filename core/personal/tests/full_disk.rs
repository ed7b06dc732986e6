//! A disk that is full: simulated by a limit on the size of files.
#![cfg(unix)]

mod common;

use std::path::Path;
use std::process::Command;

use common::{at, learn, text};
use sotto_personal::{Filter, Personal, PersonalError};

const FOLDER: &str = "SOTTO_FULL_DISK_TEST_FOLDER";

/// Runs under the limit.
#[test]
fn child() {
    let Ok(folder) = std::env::var(FOLDER) else { return };
    let file = Path::new(&folder).join("personal");
    let personal = Personal::open(&file).unwrap();
    let mut ids = Vec::new();
    let error = loop {
        let words = format!("{} {}", ids.len(), "word ".repeat(400));
        match personal.learn(vec![text(&words, at(0))]) {
            Ok(learnt) => ids.extend(learnt.ids),
            Err(error) => break error,
        }
    };
    assert!(matches!(error, PersonalError::Storage { .. }), "{error}");
    assert!(ids.len() > 20, "{}", ids.len());
    // The same handle goes on, and nothing is lost.
    let listed = |personal: &Personal| -> Vec<u64> {
        personal.records(&Filter::default()).unwrap().iter().map(|record| record.id).collect()
    };
    assert_eq!(listed(&personal), ids);
    let export = personal.export(&Path::new(&folder).join("export.json"));
    println!("export: {export:?}");
    drop(personal);
    let personal = Personal::open(&file).unwrap();
    assert_eq!(listed(&personal), ids);
    // Deleting makes room.
    personal.delete_all().unwrap();
    learn(&personal, text("anew", at(1)));
    println!("child done");
}

#[test]
fn a_full_disk_is_told_and_nothing_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    let script = r#"trap "" XFSZ; ulimit -f 2000; exec "$0" --exact child --nocapture --test-threads=1"#;
    let child = Command::new("sh")
        .arg("-c")
        .arg(script)
        .arg(std::env::current_exe().unwrap())
        .env(FOLDER, folder.path())
        .output()
        .unwrap();
    let (out, errors) = (String::from_utf8_lossy(&child.stdout), String::from_utf8_lossy(&child.stderr));
    assert!(child.status.success() && out.contains("child done"), "{out}\n{errors}");
    let personal = Personal::open(folder.path().join("personal")).unwrap();
    assert_eq!(personal.count().unwrap(), 1);
}
