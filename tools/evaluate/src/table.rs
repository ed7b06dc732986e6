//! The counts as a table in Markdown.

use std::fmt::{self, Display};

use crate::Report;
use crate::score::{ExtractionCounts, LabelCounts, NoteCounts};

impl Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "| | {} |\n|---|---|", self.model)?;
        let rows = [
            self.notes.as_ref().map(note_rows),
            self.labels.as_ref().map(label_rows),
            self.extractions.as_ref().map(extraction_rows),
        ];
        rows.into_iter().flatten().flatten().try_for_each(|(what, figure)| writeln!(f, "| {what} | {figure} |"))
    }
}

type Row = (&'static str, String);

fn note_rows(counts: &NoteCounts) -> Vec<Row> {
    vec![
        ("notes", counts.notes.to_string()),
        ("actions found", share(counts.found, counts.actions)),
        ("actions found, half of the words", share(counts.found_loosely, counts.actions)),
        ("reported actions that are not expected", share(counts.not_expected, counts.named)),
        ("reported actions that are a point of the note", share(counts.points_named_as_actions, counts.named)),
        ("owner right, of those found", share(counts.owner_right, counts.found)),
        ("due right, of those found", share(counts.due_right, counts.found)),
        ("owner and due right, of those found", share(counts.owner_and_due_right, counts.found)),
        ("points true", share(counts.points_true, counts.points)),
        ("points found", share(counts.points_found, counts.expected_points)),
        ("titles as expected", share(counts.titles_right, counts.notes)),
        ("notes that failed", counts.failed.to_string()),
        ("seconds per note", each(counts.seconds, counts.notes)),
    ]
}

fn label_rows(counts: &LabelCounts) -> Vec<Row> {
    vec![
        ("labels right", share(counts.right, counts.texts)),
        ("labels right, if the model is sure", share(counts.right_of_sure, counts.sure)),
        ("labels that failed", counts.failed.to_string()),
        ("seconds per label", each(counts.seconds, counts.texts)),
    ]
}

fn extraction_rows(counts: &ExtractionCounts) -> Vec<Row> {
    vec![
        ("extractions valid", share(counts.valid, counts.texts)),
        ("extractions right", share(counts.right, counts.texts)),
        ("properties right", share(counts.properties_right, counts.properties)),
        ("seconds per extraction", each(counts.seconds, counts.texts)),
    ]
}

fn share(part: usize, whole: usize) -> String {
    match whole {
        0 => "none".into(),
        _ => format!("{part} of {whole} ({:.0} %)", 100.0 * part as f64 / whole as f64),
    }
}

fn each(seconds: f64, count: usize) -> String {
    format!("{:.2}", seconds / count.max(1) as f64)
}
