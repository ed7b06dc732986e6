//! The parts of a summary.

use serde::{Deserialize, Serialize};

use crate::metrics::Metrics;

/// A thing to remember, quoted from the note.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// Its number, from 1. It is the same in all snapshots.
    pub id: u32,
    /// The quoted words.
    pub text: String,
    /// Ids of the segments that contain them.
    pub evidence: Vec<u32>,
}

/// A thing to do, quoted from the note.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Action {
    /// Its number, from 1. It is the same in all snapshots.
    pub id: u32,
    /// What has to be done.
    pub text: String,
    /// Who has to do it; `None` for the speaker, or if the note does not say.
    pub owner: Option<String>,
    /// The due date, as it was said.
    pub due: Option<String>,
    /// Ids of the segments that contain text, owner and due date.
    pub evidence: Vec<u32>,
}

/// Which segments of the note were read.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Coverage {
    /// Ids of the segments read so far.
    pub segments_read: Vec<u32>,
    /// Number of segments in the note.
    pub segments: usize,
    /// Number of windows in which the note is read: 1 for a note of a few minutes.
    pub windows: usize,
}

/// A summary of a note. While it is being written, it grows: title and overview get longer, and complete points and
/// actions are added. An action may get its owner or due date later. If [`SummaryOptions`](super::SummaryOptions) limit
/// their number, a better item may take the place and the id of another.
///
/// If a note is read in several windows, title and overview are written last.
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
    /// Which part of the note was read.
    pub coverage: Coverage,
    /// Time, tokens and memory it took, once the summary is complete.
    pub metrics: Option<Metrics>,
}
