//! Transcripts as tables: comma- or tab-separated values with times.

use csv::{ReaderBuilder, StringRecord};

use super::Utterance;
use super::time::clock_or_number;

/// An average cue of more units than this is counted in milliseconds.
const MILLISECONDS: f64 = 100.0;

/// Which column holds what.
struct Columns {
    text: usize,
    start: Option<usize>,
    end: Option<usize>,
    speaker: Option<usize>,
}

/// What is said in the rows of a table; `None` where the text is something else.
pub(super) fn read(text: &str) -> Option<Vec<Utterance>> {
    let first = text.split(['\n', '\r']).map(str::trim).find(|line| !line.is_empty())?;
    let delimiter = [b'\t', b';', b','].into_iter().find(|&delimiter| first.as_bytes().contains(&delimiter))?;
    let rows = || rows(text, delimiter);
    let header = rows().next()?;
    let (columns, skipped) = match Columns::named(&header) {
        Some(columns) => (columns, 1),
        // As whisper.cpp and Audacity write them. Commas alone make no table.
        None if delimiter == b'\t' && has_times(&header) => (Columns::UNNAMED, 0),
        None if rows().nth(1).is_some() && rows().all(|row| has_times(&row)) => (Columns::UNNAMED, 0),
        None => return None,
    };
    let units = units_per_second(rows().skip(skipped), &header, &columns);
    Some(rows().skip(skipped).map(|row| columns.utterance(&row, units)).collect())
}

/// The rows; what cannot be read is left out.
fn rows(text: &str, delimiter: u8) -> impl Iterator<Item = StringRecord> {
    // Whisper's tab-separated files have quotation marks that are words.
    let quoting = delimiter != b'\t';
    let mut reader = ReaderBuilder::new();
    reader.delimiter(delimiter).quoting(quoting).has_headers(false).flexible(true);
    reader.from_reader(text.as_bytes()).into_records().filter_map(Result::ok)
}

impl Columns {
    const UNNAMED: Self = Self { text: 2, start: Some(0), end: Some(1), speaker: None };

    fn named(header: &StringRecord) -> Option<Self> {
        let cells: Vec<String> = header.iter().map(|cell| cell.trim().trim_matches('"').to_lowercase()).collect();
        let find = |names: &[&str]| cells.iter().position(|cell| names.contains(&cell.as_str()));
        let columns = Self {
            text: find(&[
                "text",
                "transcript",
                "transcription",
                "content",
                "utterance",
                "sentence",
                "caption",
                "words",
            ])?,
            start: find(&[
                "start",
                "start_time",
                "start time",
                "start_ms",
                "start (s)",
                "start (ms)",
                "begin",
                "from",
                "time",
                "timestamp",
                "timecode",
            ]),
            end: find(&["end", "end_time", "end time", "end_ms", "end (s)", "end (ms)", "stop", "to"]),
            speaker: find(&["speaker", "speaker_name", "speaker name", "name", "who"]),
        };
        (columns.start.is_some() || columns.speaker.is_some()).then_some(columns)
    }

    fn utterance(&self, row: &StringRecord, units: f64) -> Utterance {
        let cell = |column: Option<usize>| column.and_then(|column| row.get(column)).map(str::trim);
        let time = |column| {
            cell(column).and_then(seconds).map(|(seconds, is_clock)| if is_clock { seconds } else { seconds / units })
        };
        let start = time(self.start);
        // Words with a comma in them, where nothing is quoted.
        let is_last = self.text > self.start.max(self.end).max(self.speaker).unwrap_or(0);
        let said = match row.get(self.text) {
            Some(_) if is_last => row.iter().skip(self.text).collect::<Vec<_>>().join(","),
            Some(said) => said.to_owned(),
            None => row.iter().collect::<Vec<_>>().join(" "),
        };
        let speaker = cell(self.speaker).filter(|name| !name.is_empty()).map(str::to_owned);
        let continues = row.get(self.text).is_none();
        Utterance { start, end: time(self.end), speaker, said, continues }
    }
}

fn has_times(row: &StringRecord) -> bool {
    row.len() > 2 && row.iter().take(2).all(|cell| seconds(cell).is_some())
}

/// A cell's time, and whether it is a clock's.
fn seconds(cell: &str) -> Option<(f64, bool)> {
    let cell = cell.trim();
    let point = cell.replacen(',', ".", usize::from(!cell.contains(':')));
    clock_or_number(&point).map(|seconds| (seconds, cell.contains(':')))
}

/// What the numbers of the table count: seconds, or milliseconds, as Whisper's do.
fn units_per_second(rows: impl Iterator<Item = StringRecord>, header: &StringRecord, columns: &Columns) -> f64 {
    let name = columns.start.and_then(|start| header.get(start)).unwrap_or_default();
    if name.contains("ms") {
        return 1000.0;
    }
    let times = [columns.start, columns.end];
    let (mut count, mut last) = (0.0, 0.0_f64);
    for row in rows {
        for cell in times.iter().flatten().filter_map(|&column| row.get(column)) {
            if cell.contains(['.', ',']) {
                return 1.0;
            }
            last = last.max(seconds(cell).map_or(0.0, |(seconds, _)| seconds));
        }
        count += 1.0;
    }
    if last > MILLISECONDS * count { 1000.0 } else { 1.0 }
}
