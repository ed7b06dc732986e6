//! What a summary consists of.

use serde::{Deserialize, Serialize};

use crate::metrics::Metrics;

/// One thing to remember, in the note's own words.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// Its number, from 1: it stays the same in all snapshots.
    pub id: u32,
    /// The words.
    pub text: String,
    /// Ids of the segments that they stand in.
    pub evidence: Vec<u32>,
}

/// One thing to do, in the note's own words.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Action {
    /// Its number, from 1: it stays the same in all snapshots.
    pub id: u32,
    /// What is to be done.
    pub text: String,
    /// Who has to do it; `None` for the speaker, or when the note does not say.
    pub owner: Option<String>,
    /// By when, as it was said.
    pub due: Option<String>,
    /// Ids of the segments that all this stands in.
    pub evidence: Vec<u32>,
}

/// Which segments of the note were read.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Coverage {
    /// Ids of the segments read so far.
    pub segments_read: Vec<u32>,
    /// How many segments the note has.
    pub segments: usize,
    /// How many windows the note is read in: 1 for a note of some minutes.
    pub windows: usize,
}

/// A summarized note. While it is being written, it grows: title and overview get longer, and points and actions are added once they
/// are whole. An action may get its owner or due date later. Where [`SummaryOptions`](super::SummaryOptions) limit how many there are,
/// a better one may take the place and the id of another.
///
/// Title and overview of a note that is read in several windows are written last.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct NoteSummary {
    /// A few words.
    pub title: String,
    /// What the note is about.
    pub overview: String,
    /// Things to remember.
    pub points: Vec<Point>,
    /// Things to do.
    pub actions: Vec<Action>,
    /// Which part of the note this rests on.
    pub coverage: Coverage,
    /// What it cost; there once the summary is complete.
    pub metrics: Option<Metrics>,
}
