//! Writes title and overview of a note that was read in several windows: the model reads the results as a small note.

use super::answer::Form;
use super::read::{Reader, Told};
use super::windows::windows;
use crate::Error;
use crate::note::{NoteText, Segment};

/// The best results tell what a note is about, however long it is.
pub(super) const POINTS: usize = 12;
pub(super) const ACTIONS: usize = 8;

/// Writes title and overview from the `best` results. If there are none, they are written from the `beginning` of the
/// note.
pub(super) fn heading(
    reader: &mut Reader<'_>,
    best: &[String],
    beginning: &[Segment],
    on_told: &mut dyn FnMut(Told),
) -> Result<(), Error> {
    let sentences: Vec<Segment> = (1..).zip(best).map(|(id, text)| sentence(id, text)).collect();
    let small_note = match sentences.is_empty() {
        true => beginning.to_vec(),
        // As much as can be read at once.
        false => windows(reader.model, &sentences, reader.language, reader.cancel)?.all.swap_remove(0),
    };
    // Neighbours in the small note are not neighbours in the note, so a span must be within one sentence.
    let pieces = small_note.iter().flat_map(|sentence| NoteText::new(std::slice::from_ref(sentence)).span_pieces());
    reader.read_pieces(&small_note, pieces.collect(), Form::Heading, on_told)
}

fn sentence(id: u32, text: &str) -> Segment {
    let text = if text.ends_with(|last: char| last.is_alphanumeric()) { format!("{text}.") } else { text.to_owned() };
    Segment { id, start: None, end: None, text, speaker: None }
}
