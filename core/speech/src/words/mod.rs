//! Finds word times: cross-attention heads that follow the speech are aligned with the tokens by dynamic time warping.
//!
//! Giorgino, "Computing and Visualizing Dynamic Time Warping Alignments in R", 2009.

mod split;
mod warp;

use split::{Part, words};
use warp::{median, smooth, starts};

use crate::decoding::Decoding;
use crate::model::Loaded;
use crate::{Language, Segment, SpeechError, Word};

/// Seconds per position of the encoder's output.
const STEP: f64 = 0.02;
/// A pause before or after a word is not part of it: at the ends of a segment, none is longer than twice the median, of at most this.
const LONGEST_MEDIAN: f64 = 0.7;

/// What is known of a token.
#[derive(Debug, Clone, Copy)]
struct Timing {
    start: f64,
    end: f64,
    probability: f32,
}

/// Finds the words of segments with their times; `heard` is the encoder's output for the window, `[positions, width]`.
///
/// # Errors
/// [`SpeechError::ModelInvalid`] if the weights produce logits that are not finite, [`SpeechError::OutOfMemory`],
/// [`SpeechError::Cancelled`].
pub(crate) fn align(
    decoding: &mut Decoding<'_>,
    heard: &[f32],
    prefix: &[u32],
    language: Language,
    duration: f64,
    segments: &mut [Segment],
) -> Result<(), SpeechError> {
    let text: Vec<u32> = segments.iter().flat_map(|segment| &segment.tokens).copied().collect();
    if text.is_empty() {
        return Ok(());
    }
    let timings = timings(decoding, heard, prefix, &text, duration)?;
    let mut left = &timings[..];
    for segment in segments.iter_mut() {
        let (these, rest) = left.split_at(segment.tokens.len());
        left = rest;
        let parts = words(&decoding.model.vocabulary, &segment.tokens, language);
        segment.words = timed(parts, these);
    }
    shorten(segments);
    Ok(())
}

/// The time of each token of `text`.
fn timings(
    decoding: &mut Decoding<'_>,
    heard: &[f32],
    prefix: &[u32],
    text: &[u32],
    duration: f64,
) -> Result<Vec<Timing>, SpeechError> {
    let model = decoding.model;
    let (vocabulary, width) = (&model.vocabulary, model.config.width);
    let positions = (heard.len() / width).min((duration / STEP).ceil().max(1.0) as usize);
    let begin = prefix.len();
    let tokens = [prefix, &[vocabulary.no_times()], text, &[vocabulary.end()]].concat();

    let mut queries = vec![Vec::new(); model.config.decoder_layers];
    let mut probabilities = Vec::with_capacity(tokens.len());
    let mut observer = |layer: usize, rows: &[f32]| {
        if !model.alignment_heads.of(layer).is_empty() {
            queries[layer].extend_from_slice(rows);
        }
    };
    let next = &tokens[1..];
    decoding.decoder.truncate(0);
    decoding.decoder.read_observed(&decoding.compute, &model.weights, &tokens, &mut observer, |logits| {
        let token = next.get(probabilities.len()).copied().unwrap_or(vocabulary.end()) as usize;
        let text = &logits[..vocabulary.end() as usize];
        probabilities.push(text.get(token).map_or(0.0, |&logit| probability(logit, text)));
    })?;
    decoding.decoder.truncate(0);

    // The rows that predict the text and its end.
    let rows = begin..begin + text.len() + 1;
    let weights = attention(decoding, heard, &queries, tokens.len(), positions)?;
    let weights = &weights[rows.start * positions..rows.end * positions];
    let starts: Vec<f64> = starts(weights, positions).into_iter().map(|position| position as f64 * STEP).collect();
    let timing = |at: usize| Timing { start: starts[at], end: starts[at + 1], probability: probabilities[begin + at] };
    Ok((0..text.len()).map(timing).collect())
}

fn probability(logit: f32, logits: &[f32]) -> f32 {
    let largest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    (logit - largest).exp() / logits.iter().map(|other| (other - largest).exp()).sum::<f32>()
}

/// The attention of each token to each position, relative to other tokens, `[tokens, positions]`: the mean of the
/// alignment heads.
fn attention(
    decoding: &mut Decoding<'_>,
    heard: &[f32],
    queries: &[Vec<f32>],
    tokens: usize,
    positions: usize,
) -> Result<Vec<f32>, SpeechError> {
    let Loaded { weights, config, alignment_heads, .. } = decoding.model;
    let (width, head_dim) = (config.width, config.width / config.decoder_heads);
    let mut sum = vec![0.0; tokens * positions];
    let mut of_head = vec![0.0; tokens * positions];
    for (layer, queries) in queries.iter().enumerate().filter(|(layer, _)| !alignment_heads.of(*layer).is_empty()) {
        let key = &weights.decoder[layer].cross_attention.key;
        let keys = decoding.decoder.keys(&decoding.compute, key, &heard[..positions * width])?;
        for &head in alignment_heads.of(layer) {
            decoding.compute.cancel.check()?;
            let columns = head * head_dim..(head + 1) * head_dim;
            for (query, out) in queries.chunks_exact(width).zip(of_head.chunks_exact_mut(positions)) {
                look(&query[columns.clone()], &keys, width, columns.start, out);
            }
            normalize_columns(&mut of_head, positions);
            of_head.chunks_exact_mut(positions).for_each(smooth);
            sum.iter_mut().zip(&of_head).for_each(|(sum, weight)| *sum += weight);
        }
    }
    Ok(sum)
}

/// The softmax of a query's dot products with the keys of a head, which begin at column `first`.
fn look(query: &[f32], keys: &[f32], width: usize, first: usize, out: &mut [f32]) {
    let scale = 1.0 / (query.len() as f32).sqrt();
    for (key, out) in keys.chunks_exact(width).zip(out.iter_mut()) {
        *out = scale * key[first..].iter().zip(query).map(|(key, query)| key * query).sum::<f32>();
    }
    let largest = out.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    out.iter_mut().for_each(|score| *score = (*score - largest).exp());
    let total: f32 = out.iter().sum();
    out.iter_mut().for_each(|weight| *weight /= total);
}

/// Normalizes the weights of all tokens at a position to a mean of zero and a variance of one.
fn normalize_columns(weights: &mut [f32], positions: usize) {
    let rows = (weights.len() / positions) as f32;
    for position in 0..positions {
        let column = || weights.iter().skip(position).step_by(positions);
        let mean = column().sum::<f32>() / rows;
        let deviation = (column().map(|weight| (weight - mean).powi(2)).sum::<f32>() / rows).sqrt();
        let scale = if deviation > 0.0 { 1.0 / deviation } else { 0.0 };
        weights.iter_mut().skip(position).step_by(positions).for_each(|weight| *weight = (*weight - mean) * scale);
    }
}

/// The words that tokens make.
fn timed(parts: Vec<Part>, timings: &[Timing]) -> Vec<Word> {
    let mut at = 0;
    let mut words = Vec::with_capacity(parts.len());
    for Part { text, tokens } in parts {
        let of_word = &timings[at..at + tokens];
        at += tokens;
        let text = text.trim();
        if let ([first, ..], [.., last]) = (of_word, of_word)
            && !text.is_empty()
        {
            let probability = of_word.iter().map(|timing| timing.probability).sum::<f32>() / tokens as f32;
            words.push(Word { start: first.start, end: last.end, text: text.to_owned(), probability });
        }
    }
    words
}

/// Removes pauses from the first and the last word of each segment.
fn shorten(segments: &mut [Segment]) {
    let durations = segments.iter().flat_map(|segment| &segment.words).map(|word| word.end - word.start);
    let longest = 2.0 * median(durations.filter(|&duration| duration > 0.0).collect()).min(LONGEST_MEDIAN);
    for segment in segments {
        if let Some(first) = segment.words.first_mut() {
            first.start = first.start.max(first.end - longest);
        }
        if let Some(last) = segment.words.last_mut() {
            last.end = last.end.min(last.start + longest);
        }
    }
}
