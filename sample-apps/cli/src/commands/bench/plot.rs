//! The speeds as bars, in SVG.

use std::path::Path;

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use sotto::BenchReport;

use super::peer::{Comparison, PeerSpeed};
use crate::failure::Failure;
use crate::screen::count;

const WIDTH: i32 = 760;
const LABELS: i32 = 240;
const FIGURES: i32 = 90;
const BAR: i32 = 18;
const GAP: i32 = 14;
const TOP: i32 = 46;
const OURS: RGBColor = RGBColor(38, 92, 158);
const THEIRS: RGBColor = RGBColor(170, 170, 170);

/// A measurement: its name, our speed, the other program's speed.
type Row = (String, f64, Option<f64>);

/// Plots prefill above decode, each with its own scale.
///
/// # Errors
/// [`Failure::File`] when the file cannot be written.
pub fn write(path: &Path, bench: &BenchReport, comparison: Option<&Comparison>) -> Result<(), Failure> {
    let prefill = bench.prefill.iter().map(|speed| (speed.tokens, speed.depth, speed.tokens_per_second));
    let prefill = rows("prefill", prefill, comparison.map(|peer| &peer.prefill));
    let decode = bench.decode.iter().map(|speed| (speed.tokens, speed.depth, speed.tokens_per_second));
    let decode = rows("decode", decode, comparison.map(|peer| &peer.decode));
    let bars = if comparison.is_some() { 2 } else { 1 };
    let row_height = bars * BAR + GAP;
    let height = TOP + (prefill.len() + decode.len()) as i32 * row_height + GAP;
    let mut svg = String::new();
    draw(&mut svg, height, &[prefill, decode], row_height, &title(bench, comparison))
        .map_err(|error| std::io::Error::other(error.to_string()))?;
    std::fs::write(path, svg).map_err(|source| Failure::File { path: path.to_owned(), source })
}

/// `speeds` are tokens, depth and our speed; `peer` has its own in the same order.
fn rows(what: &str, speeds: impl Iterator<Item = (usize, usize, f64)>, peer: Option<&Vec<PeerSpeed>>) -> Vec<Row> {
    let row = |(index, (tokens, depth, ours)): (usize, (usize, usize, f64))| {
        let theirs = peer.and_then(|speeds| speeds[index].tokens_per_second);
        (format!("{what} of {tokens}, {depth} before"), ours, theirs)
    };
    speeds.enumerate().map(row).collect()
}

fn title(bench: &BenchReport, comparison: Option<&Comparison>) -> String {
    let ours = format!("tokens a second: Sotto ({}, {})", bench.kernels, count(bench.threads, "thread"));
    comparison.map_or(ours.clone(), |peer| format!("{ours}, and {} in grey", peer.program))
}

fn draw(
    svg: &mut String,
    height: i32,
    groups: &[Vec<Row>],
    row_height: i32,
    title: &str,
) -> Result<(), Box<dyn std::error::Error>> {
    let area = SVGBackend::with_string(svg, (WIDTH as u32, height as u32)).into_drawing_area();
    area.fill(&WHITE)?;
    let left = Pos::new(HPos::Left, VPos::Center);
    let style = |size: i32| ("sans-serif", size).into_font().into_text_style(&area).pos(left);
    area.draw(&Text::new(title.to_owned(), (12, TOP / 2), style(15)))?;
    let mut top = TOP;
    for rows in groups {
        let fastest = rows.iter().flat_map(|row| [Some(row.1), row.2]).flatten().fold(f64::MIN_POSITIVE, f64::max);
        for (what, ours, theirs) in rows {
            area.draw(&Text::new(what.clone(), (12, top + BAR / 2), style(13)))?;
            let bars =
                [(Some(*ours), OURS), (*theirs, THEIRS)].into_iter().filter_map(|(speed, color)| Some((speed?, color)));
            for (index, (speed, color)) in bars.enumerate() {
                let y = top + index as i32 * BAR;
                let end = LABELS + (f64::from(WIDTH - LABELS - FIGURES) * speed / fastest) as i32;
                area.draw(&Rectangle::new([(LABELS, y), (end, y + BAR - 3)], color.filled()))?;
                area.draw(&Text::new(format!("{speed:.1}"), (end + 6, y + BAR / 2), style(13)))?;
            }
            top += row_height;
        }
    }
    area.present()?;
    Ok(())
}
