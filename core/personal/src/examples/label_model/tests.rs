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

fn taught(labels: usize, examples: impl IntoIterator<Item = LabelledVector>) -> LabelModel {
    let mut model = LabelModel::new(labels, 8);
    model.learn(examples.into_iter().collect());
    model
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
    let judgement = LabelModel::new(3, 8).judge(&vector(1, 0), Some(&STUBBORN));
    assert_eq!(judgement.probabilities, softmax(&STUBBORN));
    assert_eq!(judgement.nearest, []);
    let nothing = LabelModel::new(3, 0).judge(&[], Some(&[f64::NEG_INFINITY; 3]));
    assert!(nothing.probabilities.iter().all(|p| (p - 1.0 / 3.0).abs() < 1e-12));
}

#[test]
fn examples_correct_a_model_that_is_wrong() {
    let mut model = LabelModel::new(3, 8);
    for id in 0..30 {
        model.learn(vec![example(id, id as usize % 3, Some(STUBBORN))]);
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
    let model = taught(3, examples);
    assert!(model.blend.model > model.blend.examples, "{:?}", model.blend);
    assert_eq!(best(&model.judge(&vector(0, 99), Some(&scores(2)))), 2);
}

#[test]
fn one_by_one_or_at_once_is_the_same() {
    let examples: Vec<_> = (0..40).map(|id| example(id, (id * 5 % 7) as usize % 3, None)).collect();
    let at_once = taught(3, examples.clone());
    let mut one_by_one = LabelModel::new(3, 8);
    examples.into_iter().for_each(|example| one_by_one.learn(vec![example]));
    let (a, b) = (at_once.judge(&vector(1, 77), None), one_by_one.judge(&vector(1, 77), None));
    assert!(a.probabilities.iter().zip(&b.probabilities).all(|(a, b)| (a - b).abs() < 0.01), "{a:?} {b:?}");
}

#[test]
fn examples_of_one_label_change_nothing() {
    let model = taught(3, (0..10).map(|id| example(id, 2, Some(STUBBORN))));
    assert_eq!(model.judge(&vector(1, 50), Some(&STUBBORN)).probabilities, softmax(&[0.0, -2.4, -3.9]));
}

#[test]
fn the_last_word_about_an_example_counts() {
    let mut model = taught(3, (0..9).map(|id| example(id, id as usize % 3, None)));
    model.learn(vec![LabelledVector { label: 2, ..example(4, 1, None) }]);
    assert_eq!((model.examples.len(), model.examples[4].label), (9, 2));
}

#[test]
fn two_labels_for_vectors_alike_leave_it_unsure() {
    let examples = (0..40).map(|id| LabelledVector { vector: vector(0, id), ..example(id, id as usize / 2 % 2, None) });
    let judgement = taught(2, examples).judge(&vector(0, 99), None);
    assert!(judgement.probabilities.iter().all(|p| (0.2..0.8).contains(p)), "{judgement:?}");
}

#[test]
fn the_oldest_of_too_many_examples_are_left_out() {
    let mut model = taught(2, (0..2005).map(|id| example(id, id as usize % 2, None)));
    assert_eq!((model.examples.len(), model.examples[0].id), (MOST_EXAMPLES, 5));
    model.learn(vec![example(5000, 1, None)]);
    assert_eq!((model.examples.len(), model.examples[0].id), (MOST_EXAMPLES, 6));
}

/// Texts of four labels whose vectors overlap, and a model that is right about two of three, and always sure.
fn made(id: u64) -> LabelledVector {
    let random = |salt: u64| {
        let mixed = (id * 8 + salt + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        ((mixed ^ (mixed >> 29)).wrapping_mul(0xBF58_476D_1CE4_E5B9) >> 40) as f64 / 2f64.powi(24)
    };
    let label = (random(0) * 4.0) as usize;
    let said = if random(1) < 0.65 { label } else { (label + 1 + (random(2) * 3.0) as usize) % 4 };
    let scores = (0..4).map(|label| if label == said { -0.2 } else { -3.0 }).collect();
    let mut vector = vector(label, id);
    vector[label] -= 1.1;
    LabelledVector { id, vector, label, model_scores: Some(scores) }
}

#[test]
fn few_corrections_do_not_make_it_worse_and_many_make_it_better() {
    const ROUNDS: u64 = 40;
    const JUDGED: u64 = 100;
    let right = |corrections: u64| {
        let of_round = |round: u64| {
            let first = round * 1000;
            let model = taught(4, (first..first + corrections).map(made));
            let is_right = |id: &u64| {
                let text = made(*id);
                best(&model.judge(&text.vector, text.model_scores.as_deref())) == text.label
            };
            (first + 500..first + 500 + JUDGED).filter(is_right).count()
        };
        (0..ROUNDS).map(of_round).sum::<usize>() as f64 / (ROUNDS * JUDGED) as f64
    };
    let [alone, few, many] = [0, 5, 100].map(right);
    println!("the first texts are 0, 1000, … {}: {alone} alone, {few} with 5, {many} with 100", (ROUNDS - 1) * 1000);
    assert!(few >= alone - 0.005 && many > alone + 0.05, "{alone} {few} {many}");
}
