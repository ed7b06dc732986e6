//! The sampler against a plain computation in f64.

use proptest::prelude::*;
use sotto_text::{Logits, Sampler, SamplingOptions, TextError, TokenMask};

/// The probabilities that the options give, step by step.
fn oracle(logits: &[f32], history: &[u32], options: &SamplingOptions) -> Vec<f64> {
    let mut logits: Vec<f64> = logits.iter().map(|&logit| f64::from(logit)).collect();
    let recent = &history[history.len().saturating_sub(options.repetition_window)..];
    let penalty = f64::from(options.repetition_penalty);
    for (id, logit) in logits.iter_mut().enumerate().filter(|(id, _)| recent.contains(&(*id as u32))) {
        let _ = id;
        *logit = if *logit > 0.0 { *logit / penalty } else { *logit * penalty };
    }
    let softmax = |kept: &[usize]| -> Vec<f64> {
        let best = kept.iter().map(|&id| logits[id]).fold(f64::NEG_INFINITY, f64::max);
        let weights: Vec<f64> =
            kept.iter().map(|&id| ((logits[id] - best) / f64::from(options.temperature)).exp()).collect();
        let total: f64 = weights.iter().sum();
        weights.iter().map(|weight| weight / total).collect()
    };
    let mut kept: Vec<usize> = (0..logits.len()).collect();
    kept.sort_by(|&left, &right| logits[right].total_cmp(&logits[left]).then(left.cmp(&right)));
    kept.truncate(options.top_k.unwrap_or(usize::MAX));
    if let Some(top_p) = options.top_p {
        let mut sum = 0.0;
        let enough = softmax(&kept).iter().position(|probability| {
            sum += probability;
            sum >= f64::from(top_p)
        });
        kept.truncate(enough.map_or(usize::MAX, |last| last + 1));
    }
    if let Some(min_p) = options.min_p {
        let probabilities = softmax(&kept);
        let likely =
            probabilities.iter().filter(|&&probability| probability >= f64::from(min_p) * probabilities[0]).count();
        kept.truncate(likely.max(1));
    }
    let mut result = vec![0.0; logits.len()];
    for (&id, probability) in kept.iter().zip(softmax(&kept)) {
        result[id] = probability;
    }
    result
}

fn frequencies(logits: &[f32], history: &[u32], options: &SamplingOptions, draws: u32) -> Vec<f64> {
    let mut sampler = Sampler::new(options.clone()).unwrap();
    let mut counts = vec![0.0; logits.len()];
    for _ in 0..draws {
        counts[sampler.sample(Logits::All(logits), history, None).unwrap() as usize] += 1.0 / f64::from(draws);
    }
    counts
}

#[test]
fn draws_follow_the_distribution() {
    let logits = [2.0, 1.0, 0.5, 0.25, -0.5, -1.0, 3.0, -4.0];
    let history = [6, 0, 4];
    let base = SamplingOptions { temperature: 0.8, seed: 7, ..SamplingOptions::default() };
    let variants = [
        base.clone(),
        SamplingOptions { top_k: Some(3), ..base.clone() },
        SamplingOptions { top_p: Some(0.8), ..base.clone() },
        SamplingOptions { min_p: Some(0.2), ..base.clone() },
        SamplingOptions { repetition_penalty: 1.3, repetition_window: 2, ..base.clone() },
        SamplingOptions {
            top_k: Some(5),
            top_p: Some(0.9),
            min_p: Some(0.1),
            repetition_penalty: 1.5,
            temperature: 1.5,
            ..base
        },
    ];
    const DRAWS: u32 = 40_000;
    for options in variants {
        let expected = oracle(&logits, &history, &options);
        let found = frequencies(&logits, &history, &options, DRAWS);
        for (id, (expected, found)) in expected.iter().zip(&found).enumerate() {
            // Five standard deviations; what is impossible must not come at all.
            let tolerance = 5.0 * (expected * (1.0 - expected) / f64::from(DRAWS)).sqrt();
            assert!((expected - found).abs() <= tolerance, "{options:?}: token {id}: {expected} {found}");
        }
    }
}

#[test]
fn a_seed_means_the_same_draws() {
    let logits: Vec<f32> = (0..50_u8).map(|id| f32::from(id % 7)).collect();
    let draw = |seed| {
        let options = SamplingOptions { temperature: 1.0, seed, ..SamplingOptions::default() };
        let mut sampler = Sampler::new(options).unwrap();
        (0..20).map(|_| sampler.sample(Logits::All(&logits), &[], None).unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(draw(1), draw(1));
    assert_ne!(draw(1), draw(2));
}

#[test]
fn greedy_takes_the_best_and_the_first_of_equals() {
    let mut sampler = Sampler::new(SamplingOptions::default()).unwrap();
    assert_eq!(sampler.sample(Logits::All(&[1.0, f32::NAN, 5.0, 5.0]), &[], None).unwrap(), 2);
    assert_eq!(sampler.sample(Logits::All(&[f32::NAN, f32::NEG_INFINITY, -3.0]), &[], None).unwrap(), 2);
    assert_eq!(sampler.sample(Logits::All(&[0.0, f32::INFINITY]), &[], None).unwrap(), 1);
    let mask = TokenMask::from_ids(4, [0, 1, 99]);
    assert_eq!(sampler.sample(Logits::All(&[1.0, f32::NAN, 5.0, 5.0]), &[], Some(&mask)).unwrap(), 0);
}

#[test]
fn a_part_of_the_logits_is_enough_when_the_rest_is_masked() {
    let logits = [2.0, 1.0, 0.5, 0.25, -0.5, -1.0, 3.0, -4.0];
    let (ids, part) = ([1, 3, 4, 7], [1.0, 0.25, -0.5, -4.0]);
    let mask = TokenMask::from_ids(8, [1, 4, 7]);
    let options = SamplingOptions { temperature: 1.2, repetition_penalty: 1.3, seed: 3, ..SamplingOptions::default() };
    let (mut whole, mut some) = (Sampler::new(options.clone()).unwrap(), Sampler::new(options).unwrap());
    for _ in 0..200 {
        let expected = whole.sample(Logits::All(&logits), &[4, 6], Some(&mask)).unwrap();
        assert_eq!(some.sample(Logits::Of(&ids, &part), &[4, 6], Some(&mask)).unwrap(), expected);
    }
}

#[test]
fn no_candidate_is_an_error() {
    let hot = SamplingOptions { temperature: 1.0, ..SamplingOptions::default() };
    for options in [SamplingOptions::default(), hot] {
        let mut sampler = Sampler::new(options).unwrap();
        let nothing = TokenMask::from_ids(2, []);
        assert!(matches!(sampler.sample(Logits::All(&[f32::NAN; 3]), &[], None), Err(TextError::NoCandidate)));
        assert!(matches!(sampler.sample(Logits::All(&[1.0; 2]), &[], Some(&nothing)), Err(TextError::NoCandidate)));
        assert!(matches!(sampler.sample(Logits::All(&[]), &[5], None), Err(TextError::NoCandidate)));
    }
}

#[test]
fn options_out_of_range_are_named() {
    let base = SamplingOptions::default;
    let wrong = [
        ("temperature", SamplingOptions { temperature: -1.0, ..base() }),
        ("temperature", SamplingOptions { temperature: f32::NAN, ..base() }),
        ("top_k", SamplingOptions { top_k: Some(0), ..base() }),
        ("top_p", SamplingOptions { top_p: Some(0.0), ..base() }),
        ("top_p", SamplingOptions { top_p: Some(1.1), ..base() }),
        ("min_p", SamplingOptions { min_p: Some(f32::NAN), ..base() }),
        ("repetition_penalty", SamplingOptions { repetition_penalty: 0.0, ..base() }),
    ];
    for (expected, options) in wrong {
        assert!(matches!(Sampler::new(options), Err(TextError::InvalidSampling { name, .. }) if name == expected));
    }
}

proptest! {
    #[test]
    fn only_what_the_options_leave_is_drawn(
        logits in prop::collection::vec(prop_oneof![8 => -20_f32..20.0, 1 => Just(f32::NAN), 1 => Just(f32::NEG_INFINITY), 1 => Just(f32::INFINITY)], 1..60),
        temperature in prop_oneof![Just(0.0_f32), Just(1e-30_f32), 0.1_f32..3.0],
        top_k in 1_usize..10,
        seed in any::<u64>(),
    ) {
        let options = SamplingOptions { temperature, top_k: Some(top_k), seed, ..SamplingOptions::default() };
        let mut sampler = Sampler::new(options).unwrap();
        let usable = |logit: &f32| *logit > f32::NEG_INFINITY;
        match sampler.sample(Logits::All(&logits), &[], None) {
            Ok(id) => {
                let drawn = logits[id as usize];
                prop_assert!(usable(&drawn));
                prop_assert!(logits.iter().filter(|&&logit| logit > drawn).count() < top_k);
            }
            Err(error) => {
                prop_assert!(matches!(error, TextError::NoCandidate));
                prop_assert!(!logits.iter().any(usable));
            }
        }
    }
}
