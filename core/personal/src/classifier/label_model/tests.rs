use super::*;

/// Vectors around the corners of a cube, one for each label.
fn vector(label: usize, noise: u64) -> Vec<f32> {
    let mut vector: Vec<f32> = (0..8u64)
        .map(|x| {
            let random = (noise + 1).wrapping_mul(x + 3).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40;
            random as f32 / 2.0f32.powi(24) - 0.5
        })
        .collect();
    vector[label] += 1.5;
    let length = dot(&vector, &vector).sqrt();
    vector.iter_mut().for_each(|x| *x /= length);
    vector
}

fn example(id: u64, label: usize, model_scores: Option<[f64; 3]>) -> LabelledVector {
    LabelledVector { id, vector: vector(label, id), label, model_scores: model_scores.map(Vec::from) }
}

fn best(judgement: &Judgement) -> usize {
    (0..judgement.probabilities.len())
        .max_by(|a, b| judgement.probabilities[*a].total_cmp(&judgement.probabilities[*b]))
        .unwrap()
}

/// The model always finds the first label likeliest.
const STUBBORN: [f64; 3] = [-0.1, -2.5, -4.0];

#[test]
fn without_examples_it_says_what_the_model_says() {
    let judgement = LabelModel::new(3, Vec::new()).judge(&vector(1, 0), Some(&STUBBORN));
    assert_eq!(judgement.probabilities, softmax(&STUBBORN));
    assert_eq!(judgement.nearest, []);
    let nothing = LabelModel::new(3, Vec::new()).judge(&[], Some(&[f64::NEG_INFINITY; 3]));
    assert!(nothing.probabilities.iter().all(|p| (p - 1.0 / 3.0).abs() < 1e-12));
}

#[test]
fn examples_correct_a_model_that_is_wrong() {
    let mut model = LabelModel::new(3, Vec::new());
    for id in 0..30 {
        model.learn(example(id, id as usize % 3, Some(STUBBORN)));
    }
    for id in 100..130 {
        let label = id as usize % 3;
        let judgement = model.judge(&vector(label, id), Some(&STUBBORN));
        assert_eq!(best(&judgement), label);
        assert!((judgement.probabilities.iter().sum::<f64>() - 1.0).abs() < 1e-9);
        assert_eq!(judgement.nearest[0].label, label);
    }
    assert!(model.blend.model < model.blend.examples, "{:?}", model.blend);
}

#[test]
fn a_model_that_is_right_goes_on_to_count() {
    let scores = |label: usize| std::array::from_fn::<f64, 3, _>(|l| if l == label { -0.1 } else { -3.0 });
    // The vectors say nothing.
    let examples = (0..60).map(|id| LabelledVector {
        vector: vector(0, id),
        ..example(id, id as usize % 3, Some(scores(id as usize % 3)))
    });
    let model = LabelModel::new(3, examples.collect());
    assert!(model.blend.model > model.blend.examples, "{:?}", model.blend);
    assert_eq!(best(&model.judge(&vector(0, 99), Some(&scores(2)))), 2);
}

#[test]
fn one_by_one_or_at_once_is_the_same() {
    let examples: Vec<_> = (0..40).map(|id| example(id, (id * 5 % 7) as usize % 3, None)).collect();
    let at_once = LabelModel::new(3, examples.clone());
    let mut one_by_one = LabelModel::new(3, Vec::new());
    examples.into_iter().for_each(|example| one_by_one.learn(example));
    let (a, b) = (at_once.judge(&vector(1, 77), None), one_by_one.judge(&vector(1, 77), None));
    assert!(a.probabilities.iter().zip(&b.probabilities).all(|(a, b)| (a - b).abs() < 0.01), "{a:?} {b:?}");
}

#[test]
fn examples_of_one_label_change_nothing_but_themselves() {
    let model = LabelModel::new(3, (0..10).map(|id| example(id, 2, Some(STUBBORN))).collect());
    assert_eq!(model.judge(&vector(1, 50), Some(&STUBBORN)).probabilities, softmax(&[0.0, -2.4, -3.9]));
    assert_eq!(model.judge(&vector(2, 3), Some(&STUBBORN)).probabilities, [0.0, 0.0, 1.0]);
}

#[test]
fn the_last_word_about_a_text_counts() {
    let mut model = LabelModel::new(3, (0..9).map(|id| example(id, id as usize % 3, None)).collect());
    let contradiction = LabelledVector { label: 2, ..example(4, 1, None) };
    model.learn(contradiction.clone());
    assert_eq!((model.examples.len(), best(&model.judge(&contradiction.vector, None))), (9, 2));
}

#[test]
fn two_labels_for_vectors_alike_leave_it_unsure() {
    let examples = (0..40).map(|id| LabelledVector { vector: vector(0, id), ..example(id, id as usize / 2 % 2, None) });
    let judgement = LabelModel::new(2, examples.collect()).judge(&vector(0, 99), None);
    assert!(judgement.probabilities.iter().all(|p| (0.2..0.8).contains(p)), "{judgement:?}");
}

#[test]
fn the_oldest_of_too_many_examples_are_left_out() {
    let mut model = LabelModel::new(2, (0..2005).map(|id| example(id, id as usize % 2, None)).collect());
    assert_eq!((model.examples.len(), model.examples[0].id), (MOST_EXAMPLES, 5));
    model.learn(example(5000, 1, None));
    assert_eq!((model.examples.len(), model.examples[0].id), (MOST_EXAMPLES, 6));
}
