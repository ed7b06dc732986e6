//! Notes, labels and extractions with the answers that people gave.

use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest, Sha256};

/// A text is held out when the first byte of its SHA-256 is below this: one in ten is.
const HELD_OUT_BELOW: u8 = 26;

/// A note, and what its summary should say.
#[derive(Debug, Deserialize)]
pub struct Note {
    pub text: String,
    pub title: String,
    pub overview: String,
    pub points: Vec<String>,
    pub actions: Vec<Action>,
}

/// Something that a note says is still to be done.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Action {
    pub text: String,
    pub owner: Option<String>,
    pub due: Option<String>,
}

/// A text, and which of some labels fits it.
#[derive(Debug, Deserialize)]
pub struct Labelled {
    pub text: String,
    #[serde(alias = "names")]
    pub labels: Vec<String>,
    #[serde(alias = "answer")]
    pub label: String,
}

/// A text, and what is read out of it by a schema.
#[derive(Debug, Deserialize)]
pub struct Extraction {
    pub text: String,
    pub schema: Value,
    pub answer: Value,
}

/// All that a model is measured with.
#[derive(Debug, Default)]
pub struct Gold {
    pub notes: Vec<Note>,
    pub labels: Vec<Labelled>,
    pub extractions: Vec<Extraction>,
    /// Rows of other tasks.
    pub left_out: usize,
}

impl Gold {
    /// Reads a JSONL file, or all of a folder: the held-out texts, or all of them. Those of a kind are in the order of their
    /// hashes, so that the first few are a sample of all.
    pub fn read(path: &Path, all: bool) -> Result<Self, String> {
        let mut rows = Vec::new();
        for file in files(path)? {
            let text = fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?;
            for (index, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
                let at = |what: String| format!("{}, line {}: {what}", file.display(), index + 1);
                let row: Value = serde_json::from_str(line).map_err(|error| at(error.to_string()))?;
                let hash = Sha256::digest(row["text"].as_str().ok_or_else(|| at("there is no text".into()))?);
                if all || hash[0] < HELD_OUT_BELOW {
                    rows.push((hash, row, at(String::new())));
                }
            }
        }
        rows.sort_by_key(|(hash, ..)| *hash);
        let mut gold = Self::default();
        for (_, row, at) in rows {
            gold.add(row).map_err(|error| format!("{at}{error}"))?;
        }
        Ok(gold)
    }

    fn add(&mut self, row: Value) -> Result<(), serde_json::Error> {
        if row.get("actions").is_some() {
            self.notes.push(serde_json::from_value(row)?);
        } else if row.get("schema").is_some() {
            self.extractions.push(serde_json::from_value(row)?);
        } else if row.get("label").is_some() || row["task"] == "classify" {
            self.labels.push(serde_json::from_value(row)?);
        } else {
            self.left_out += 1;
        }
        Ok(())
    }
}

fn files(path: &Path) -> Result<Vec<PathBuf>, String> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let entries = fs::read_dir(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let mut files: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|file| file.extension().is_some_and(|ending| ending == "jsonl"))
        .collect();
    files.sort();
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tenth_is_held_out_by_the_hash_of_its_text() {
        let folder = tempfile::tempdir().unwrap();
        let rows: String = (0..1000)
            .map(|n| format!("{{\"labels\": [\"a\", \"b\"], \"text\": \"text {n}\", \"label\": \"a\"}}\n"))
            .collect();
        fs::write(folder.path().join("labels.jsonl"), rows).unwrap();
        fs::write(folder.path().join("RULES.md"), "not a row").unwrap();
        assert_eq!(Gold::read(folder.path(), true).unwrap().labels.len(), 1000);
        let held_out = Gold::read(folder.path(), false).unwrap().labels;
        assert!((70..=130).contains(&held_out.len()), "{}", held_out.len());
        // As `printf 'text 12' | sha256sum` says.
        let mut texts: Vec<&str> = held_out.iter().map(|row| row.text.as_str()).collect();
        texts.sort_by_key(|text| (text.len(), *text));
        assert_eq!(texts[..5], ["text 12", "text 13", "text 19", "text 20", "text 26"]);
    }

    #[test]
    fn rows_are_told_apart_by_what_they_have() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("rows.jsonl");
        let rows = r#"{"text": "a", "title": "a", "overview": "a", "points": [], "actions": []}
{"text": "b", "labels": ["x", "y"], "label": "x"}
{"task": "classify", "text": "c", "names": ["x", "y"], "answer": "x"}
{"text": "d", "schema": {}, "answer": 1}
{"task": "extract", "text": "e", "names": ["x"], "answer": "{}"}
"#;
        fs::write(&file, rows).unwrap();
        let gold = Gold::read(&file, true).unwrap();
        assert_eq!((gold.notes.len(), gold.labels.len(), gold.extractions.len(), gold.left_out), (1, 2, 1, 1));
        fs::write(&file, "{\"text\": \"a\", \"label\": 1}").unwrap();
        assert!(Gold::read(&file, true).unwrap_err().contains("line 1"));
    }
}
