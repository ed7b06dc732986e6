//! Which texts are held out, to be judged by: a quarter, by their hash, whatever the order in which they come.

use std::collections::HashSet;

use crate::TrainingError;

/// One text of so many is held out.
const SHARE: usize = 4;
/// Fewer texts teach nothing that could be judged.
const FEWEST_TEXTS: usize = 8;

/// The places of texts: those to train on, and those that are held out, each in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Split {
    /// To be trained on.
    pub train: Vec<usize>,
    /// Held out.
    pub held_out: Vec<usize>,
}

/// Holds a quarter of the texts out. Of those that are the same, one counts.
///
/// # Errors
/// [`TrainingError::InvalidInput`] for fewer than eight different texts.
pub fn split<T: AsRef<str>>(texts: &[T]) -> Result<Split, TrainingError> {
    let mut seen = HashSet::new();
    let mut hashed: Vec<(u32, usize)> = texts
        .iter()
        .map(AsRef::as_ref)
        .enumerate()
        .filter(|(_, text)| seen.insert(*text))
        .map(|(place, text)| (crc32fast::hash(text.as_bytes()), place))
        .collect();
    if hashed.len() < FEWEST_TEXTS {
        let count = hashed.len();
        let what = format!("{count} different texts are too few to learn from: at least {FEWEST_TEXTS} are needed");
        return Err(TrainingError::invalid_input(what));
    }
    hashed.sort_unstable();
    let places = |some: &[(u32, usize)]| {
        let mut places: Vec<usize> = some.iter().map(|(_, place)| *place).collect();
        places.sort_unstable();
        places
    };
    let (held_out, train) = hashed.split_at(hashed.len() / SHARE);
    Ok(Split { train: places(train), held_out: places(held_out) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_texts_are_held_out_in_any_order() {
        let texts: Vec<String> = (0..37).map(|i| format!("text {i}")).collect();
        let Split { train, held_out } = split(&texts).expect("enough texts");
        assert_eq!((train.len(), held_out.len()), (28, 9));
        let mut all = [train, held_out.clone()].concat();
        all.sort_unstable();
        assert!(all.into_iter().eq(0..37));

        let reversed: Vec<&String> = texts.iter().rev().collect();
        let others: HashSet<&String> =
            split(&reversed).expect("enough texts").held_out.iter().map(|&place| reversed[place]).collect();
        assert_eq!(others, held_out.iter().map(|&place| &texts[place]).collect());
    }

    #[test]
    fn of_equal_texts_one_counts() {
        let mut texts = vec!["a", "b", "a", "c", "a", "d", "e", "f", "g"];
        assert!(matches!(split(&texts), Err(TrainingError::InvalidInput { .. })));
        texts.push("h");
        let Split { train, held_out } = split(&texts).expect("eight texts");
        assert_eq!((train.len(), held_out.len()), (6, 2));
    }
}
