//! The pictures in the documentation: the screens of the Android sample app, which Robolectric draws, and the command line.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::bindgen::bindgen;
use crate::kotlin;
use crate::steps::{in_file, root};

/// Where the documentation has them, from the root.
const FOLDER: &str = "docs/pictures";

/// What one may have, in bytes.
const LARGEST: u64 = 100_000;

/// A picture of the command line: its name, and the commands in it, one after the other.
const TERMINALS: [(&str, &[&[&str]]); 2] = [
    ("terminal-summarize", &[&["summarize", "team-call.txt"]]),
    (
        "terminal-tasks",
        &[
            &["classify", "The server is down!", "--labels", "urgent,task,ignorable"],
            &["tokenize", "Call the plumber."],
        ],
    ),
];

/// Makes all pictures anew.
pub fn make() -> Result<(), String> {
    let (folder, drawn) = (root().join(FOLDER), root().join("target/pictures"));
    in_file(&folder, fs::create_dir_all(&folder))?;
    // That builds the program, too.
    bindgen()?;
    for (name, commands) in TERMINALS {
        let path = folder.join(format!("{name}.svg"));
        in_file(&path, fs::write(&path, terminal(&lines_of(commands)?)))?;
    }
    kotlin::draw_sample_app(&drawn)?;
    for picture in pictures_in(&drawn)? {
        let target = folder.join(picture.file_name().unwrap_or_default());
        in_file(&target, fs::copy(&picture, &target))?;
    }
    check(&folder)
}

/// Fails if a picture is too large.
fn check(folder: &Path) -> Result<(), String> {
    for picture in pictures_in(folder)? {
        let bytes = in_file(&picture, fs::metadata(&picture))?.len();
        println!("{:4} KB {}", bytes / 1000, picture.display());
        if bytes > LARGEST {
            return Err(format!("{} has {bytes} bytes, more than {LARGEST}", picture.display()));
        }
    }
    Ok(())
}

fn pictures_in(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let mut files: Vec<PathBuf> = in_file(folder, fs::read_dir(folder))?.flatten().map(|entry| entry.path()).collect();
    files.sort();
    Ok(files)
}

/// A line of a terminal.
#[derive(Debug, PartialEq, Eq)]
enum Line {
    Typed(String),
    Printed(String),
}

/// Runs commands where the sample notes are, and returns what a terminal shows of their results.
fn lines_of(commands: &[&[&str]]) -> Result<Vec<Line>, String> {
    let mut lines = Vec::new();
    for arguments in commands {
        if !lines.is_empty() {
            lines.push(Line::Printed(String::new()));
        }
        lines.push(Line::Typed(format!(
            "sotto {}",
            arguments.iter().map(|text| quoted(text)).collect::<Vec<_>>().join(" ")
        )));
        let mut sotto = Command::new(root().join("target/debug/sotto"));
        let output = sotto.args(*arguments).current_dir(root().join("sample-apps/notes")).output();
        let output = output.map_err(|error| format!("cannot start sotto: {error}"))?;
        if !output.status.success() {
            return Err(format!("sotto {}: {}", arguments.join(" "), String::from_utf8_lossy(&output.stderr)));
        }
        lines.extend(String::from_utf8_lossy(&output.stdout).lines().map(|line| Line::Printed(line.to_owned())));
    }
    Ok(lines)
}

/// As one would type it.
fn quoted(text: &str) -> String {
    if text.contains([' ', '!']) { format!("'{text}'") } else { text.to_owned() }
}

/// The size of a character of the monospaced font, in pixels, and the edge around all.
const WIDTH: f64 = 8.4;
const HEIGHT: f64 = 21.0;
const EDGE: f64 = 20.0;

/// An SVG of a terminal with these lines. Each line is told its length, so that every font fits.
fn terminal(lines: &[Line]) -> String {
    let texts = lines.iter().map(|line| match line {
        Line::Typed(text) => format!("$ {text}"),
        Line::Printed(text) => text.clone(),
    });
    let columns = texts.clone().map(|text| text.chars().count()).max().unwrap_or(0);
    let (width, height) = (columns as f64 * WIDTH + 2.0 * EDGE, lines.len() as f64 * HEIGHT + 2.0 * EDGE);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width:.0}\" height=\"{height:.0}\" \
         viewBox=\"0 0 {width:.0} {height:.0}\" font-family=\"ui-monospace, Menlo, Consolas, monospace\" font-size=\"14\">\n\
         <rect width=\"100%\" height=\"100%\" rx=\"12\" fill=\"#101418\"/>\n"
    );
    for ((text, line), row) in texts.zip(lines).zip(1_u32..) {
        let shown = text.trim_start();
        if shown.is_empty() {
            continue;
        }
        let indent = (text.chars().count() - shown.chars().count()) as f64;
        let color = if matches!(line, Line::Typed(_)) { "#96CCFF" } else { "#E1E6EB" };
        let (x, y) = (EDGE + indent * WIDTH, EDGE + f64::from(row) * HEIGHT - 6.0);
        let length = shown.chars().count() as f64 * WIDTH;
        let _: std::fmt::Result = writeln!(
            svg,
            "<text x=\"{x:.1}\" y=\"{y:.1}\" fill=\"{color}\" textLength=\"{length:.1}\" \
             lengthAdjust=\"spacingAndGlyphs\" xml:space=\"preserve\">{}</text>",
            escaped(shown)
        );
    }
    svg + "</svg>\n"
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_shows_what_was_typed_and_printed() {
        let svg =
            terminal(&[Line::Typed("sotto a".into()), Line::Printed("  <b> & c".into()), Line::Printed(String::new())]);
        assert!(svg.starts_with("<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"116\" height=\"103\""), "{svg}");
        assert!(svg.contains("fill=\"#96CCFF\"") && svg.contains(">$ sotto a</text>"));
        assert!(svg.contains("x=\"36.8\"") && svg.contains(">&lt;b&gt; &amp; c</text>"));
        assert_eq!(svg.matches("<text").count(), 2);
    }

    #[test]
    fn every_picture_is_small_and_is_shown_somewhere() {
        let documents = ["README.md", "docs/android.md", "sample-apps/android/README.md"];
        let shown: String = documents.map(|name| fs::read_to_string(root().join(name)).expect(name)).concat();
        check(&root().join(FOLDER)).expect("small pictures");
        for picture in pictures_in(&root().join(FOLDER)).expect("pictures") {
            let name = picture.file_name().and_then(|name| name.to_str()).expect("a name");
            assert!(shown.contains(&format!("pictures/{name}")), "no document shows {name}");
        }
    }
}
