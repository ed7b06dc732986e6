//! The rules of Whisper's authors for which tokens may come next.

use crate::vocabulary::Vocabulary;

/// The latest time that a window's first segment may begin at, in steps of 20 ms: one second.
const LATEST_START: u32 = 50;

/// Sets the logits of tokens that may not follow `sampled` to negative infinity.
pub(super) fn apply(vocabulary: &Vocabulary, sampled: &[u32], logits: &mut [f32]) {
    let (end, first_time) = (vocabulary.end() as usize, vocabulary.first_time() as usize);
    vocabulary.suppressed().iter().for_each(|&token| logits[token as usize] = f32::NEG_INFINITY);
    let size = logits.len();
    let mut forbid = |tokens: std::ops::Range<usize>| logits[tokens].fill(f32::NEG_INFINITY);
    let is_time = |token: &u32| *token as usize >= first_time;

    match sampled {
        [] => {
            // A window begins with a time.
            forbid(0..first_time);
            let latest = first_time + LATEST_START as usize;
            forbid(latest + 1..size);
            return;
        }
        [.., last] if is_time(last) => match sampled.len() < 2 || is_time(&sampled[sampled.len() - 2]) {
            // Timestamps come in pairs: one that begins a segment is followed by text,
            true => forbid(first_time..size),
            // and one that ends it by another timestamp or the end.
            false => forbid(0..end),
        },
        _ => {}
    }
    if let Some(&last) = sampled.iter().rev().find(|token| is_time(token)) {
        // Timestamps do not go back, and no segment ends where it begins.
        let ends_segment =
            sampled.last().is_some_and(is_time) && sampled.len() > 1 && !is_time(&sampled[sampled.len() - 2]);
        let least = last as usize + usize::from(!ends_segment);
        logits[first_time..least].fill(f32::NEG_INFINITY);
    }
    // If all timestamps together are likelier than any text, only a timestamp is allowed.
    let (text, times) = logits.split_at_mut(first_time);
    if log_sum_exp(times) > largest(text) {
        text.fill(f32::NEG_INFINITY);
    }
}

/// The largest of some logits.
pub(super) fn largest(logits: &[f32]) -> f32 {
    logits.iter().copied().fold(f32::NEG_INFINITY, f32::max)
}

/// The logarithm of the sum of their exponentials.
pub(super) fn log_sum_exp(logits: &[f32]) -> f32 {
    /// Terms further below the largest are smaller than rounding errors: 50,000 times e⁻²⁵ is 7e-7.
    const NEGLIGIBLE: f32 = -25.0;
    let largest = largest(logits);
    if largest == f32::NEG_INFINITY {
        return largest;
    }
    let relative = logits.iter().map(|logit| logit - largest).filter(|&relative| relative > NEGLIGIBLE);
    largest + relative.map(f32::exp).sum::<f32>().ln()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A vocabulary of single bytes; its end token is 256.
    fn vocabulary() -> Vocabulary {
        let size = 256 + 1509 + 99;
        Vocabulary::new(size, (0..=255).map(|byte| vec![byte]).collect()).expect("a vocabulary")
    }

    /// Which of text, the end and times may come after `sampled`, where all are as likely: text or end, and the first and last time.
    fn allowed(sampled: &[u32], time_logit: f32) -> (bool, bool, Option<(u32, u32)>) {
        let vocabulary = vocabulary();
        let first = vocabulary.first_time();
        let mut logits = vec![0.0; first as usize + 1501];
        logits[first as usize..].fill(time_logit);
        apply(&vocabulary, sampled, &mut logits);
        let is_open = |token: u32| logits[token as usize] > f32::NEG_INFINITY;
        let times: Vec<u32> = (0..1501).filter(|&time| is_open(first + time)).collect();
        let ends = times.first().copied().zip(times.last().copied());
        (is_open(u32::from(b'a')), is_open(vocabulary.end()), ends)
    }

    #[test]
    fn times_come_in_pairs_and_do_not_go_back() {
        let first = vocabulary().first_time();
        let text = u32::from(b'a');
        // Unlikely times, so that text is not taken away for their sum.
        let unlikely = -20.0;
        assert_eq!(allowed(&[], unlikely), (false, false, Some((0, 50))), "a time within a second");
        assert_eq!(allowed(&[first + 7], unlikely), (true, true, None), "text after a beginning");
        assert_eq!(allowed(&[first + 7, text], unlikely), (true, true, Some((8, 1500))), "no empty segment");
        assert_eq!(allowed(&[first + 7, text, first + 90], unlikely), (false, true, Some((90, 1500))), "a pair");
        assert_eq!(allowed(&[first + 7, text, first + 90, first + 90], unlikely), (true, true, None));
        assert_eq!(allowed(&[first + 7, text, first + 90, first + 95, text], unlikely).2, Some((96, 1500)));
    }

    #[test]
    fn a_time_comes_where_their_sum_is_likelier_than_any_text() {
        let first = vocabulary().first_time();
        let sampled = [first, u32::from(b'a')];
        // 1,500 of them: e^7.3.
        assert_eq!(allowed(&sampled, -7.2), (false, false, Some((1, 1500))));
        assert_eq!(allowed(&sampled, -7.4), (true, true, Some((1, 1500))));
    }

    #[test]
    fn what_annotates_is_never_chosen() {
        let vocabulary = vocabulary();
        let mut logits = vec![0.0; vocabulary.first_time() as usize + 1501];
        logits[vocabulary.first_time() as usize..].fill(-20.0);
        apply(&vocabulary, &[vocabulary.first_time()], &mut logits);
        for token in
            [u32::from(b'['), u32::from(b'*'), vocabulary.start(), vocabulary.no_speech(), vocabulary.no_times()]
        {
            assert_eq!(logits[token as usize], f32::NEG_INFINITY, "{token}");
        }
        for byte in *b"a.,?!'-" {
            assert_eq!(logits[usize::from(byte)], 0.0, "{byte}");
        }
    }
}
