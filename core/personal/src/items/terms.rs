//! Texts as weighted terms (TF-IDF), and the index that finds the items with a term.
//!
//! Items are weighted by the logarithm of a term's frequency and normalized, queries also by how rare a term is
//! (lnc.ltc in the SMART notation), so that a new item changes no other item's weights.

use std::collections::HashMap;

/// Only so many terms of one text count: the most frequent.
const MAX_TERMS: usize = 256;
/// A tag counts as a term that occurs this often.
const TAG_COUNT: u32 = 4;

/// A term's number.
pub(super) type Term = u32;

/// Terms with their weights, by ascending number.
pub(super) type Weights = Vec<(Term, f32)>;

#[derive(Default)]
pub(super) struct TermIndex {
    numbers: HashMap<String, Term>,
    names: Vec<String>,
    /// For each term, the items that have it, with its weight in them.
    postings: Vec<Vec<(u32, f32)>>,
    items: usize,
}

impl TermIndex {
    /// Adds an item's text and tags, and returns its weights, which have the length 1.
    pub(super) fn add(&mut self, item: u32, text: &str, tags: &[String]) -> Weights {
        let counts = counts(text, tags);
        let mut weights: Weights =
            counts.into_iter().map(|(term, count)| (self.number(term), 1.0 + (count as f32).ln())).collect();
        normalize(&mut weights);
        weights.sort_unstable_by_key(|(term, _)| *term);
        for (term, weight) in &weights {
            self.postings[*term as usize].push((item, *weight));
        }
        self.items += 1;
        weights
    }

    /// Removes an item that was added with these weights.
    pub(super) fn remove(&mut self, item: u32, weights: &[(Term, f32)]) {
        for (term, _) in weights {
            self.postings[*term as usize].retain(|(other, _)| *other != item);
        }
        self.items -= 1;
    }

    fn number(&mut self, term: String) -> Term {
        let next = self.names.len() as Term;
        *self.numbers.entry(term).or_insert_with_key(|name| {
            self.names.push(name.clone());
            self.postings.push(Vec::new());
            next
        })
    }

    pub(super) fn name(&self, term: Term) -> &str {
        &self.names[term as usize]
    }

    /// The number of different terms.
    pub(super) fn len(&self) -> usize {
        self.names.len()
    }

    /// How rare a term is: the natural logarithm of one plus the share of items with it, inverted.
    pub(super) fn rarity(&self, term: Term) -> f32 {
        let frequency = self.postings[term as usize].len().max(1);
        (1.0 + self.items as f32 / frequency as f32).ln()
    }

    /// How rare each term is, by its number.
    pub(super) fn rarities(&self) -> Vec<f32> {
        (0..self.names.len() as Term).map(|term| self.rarity(term)).collect()
    }

    /// A text's weights as a query, with the length 1. Terms that no item has are left out.
    pub(super) fn query(&self, text: &str) -> Weights {
        let mut weights: Weights = counts(text, &[])
            .into_iter()
            .filter_map(|(term, count)| Some((*self.numbers.get(&term)?, 1.0 + (count as f32).ln())))
            .map(|(term, weight)| (term, weight * self.rarity(term)))
            .collect();
        normalize(&mut weights);
        weights.sort_unstable_by_key(|(term, _)| *term);
        weights
    }

    /// Adds to each item's score its similarity with the query.
    pub(super) fn add_similarities(&self, query: &[(Term, f32)], scores: &mut [f32]) {
        for (term, weight) in query {
            for (item, of_item) in &self.postings[*term as usize] {
                scores[*item as usize] += weight * of_item;
            }
        }
    }

    /// The terms that contribute most to the similarity of an item with a query.
    pub(super) fn shared_names(&self, query: &[(Term, f32)], item: &[(Term, f32)], most: usize) -> Vec<String> {
        let mut shared: Vec<_> = shared(query, item).map(|(term, x, y)| (term, x * y)).collect();
        shared.sort_unstable_by(|a, b| b.1.total_cmp(&a.1));
        shared.into_iter().take(most).map(|(term, _)| self.name(term).trim_start_matches('#').to_owned()).collect()
    }
}

/// The cosine of two items' weights, rare terms counting more.
pub(super) fn similarity(rarities: &[f32], a: &[(Term, f32)], b: &[(Term, f32)]) -> f32 {
    let square = |weights: &[(Term, f32)]| -> f32 {
        weights.iter().map(|(term, weight)| (weight * rarities[*term as usize]).powi(2)).sum()
    };
    let dot: f32 = shared(a, b).map(|(term, x, y)| x * y * rarities[term as usize].powi(2)).sum();
    let length = (square(a) * square(b)).sqrt();
    if length > 0.0 { dot / length } else { 0.0 }
}

/// The terms that both have, with both weights.
fn shared<'a>(a: &'a [(Term, f32)], b: &'a [(Term, f32)]) -> impl Iterator<Item = (Term, f32, f32)> + 'a {
    let (short, long) = if a.len() <= b.len() { (a, b) } else { (b, a) };
    short.iter().filter_map(move |(term, x)| {
        let place = long.binary_search_by_key(term, |(other, _)| *other).ok()?;
        Some((*term, *x, long[place].1))
    })
}

fn normalize(weights: &mut Weights) {
    let length = weights.iter().map(|(_, weight)| weight * weight).sum::<f32>().sqrt();
    if length > 0.0 {
        weights.iter_mut().for_each(|(_, weight)| *weight /= length);
    }
}

/// The most frequent terms of a text and its tags, with their counts. A tag is a term of its own, and so are its words.
fn counts(text: &str, tags: &[String]) -> Vec<(String, u32)> {
    let mut counts: HashMap<String, u32> = HashMap::new();
    for term in words(text).chain(tags.iter().flat_map(|tag| words(tag))) {
        *counts.entry(term).or_default() += 1;
    }
    for tag in tags {
        counts.insert(format!("#{}", tag.to_lowercase()), TAG_COUNT);
    }
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_unstable_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    counts.truncate(MAX_TERMS);
    counts
}

/// The words of a text in lower case. Scripts without spaces give pairs of neighbouring characters.
fn words(text: &str) -> impl Iterator<Item = String> {
    text.split(|character: char| !character.is_alphanumeric()).filter(|word| !word.is_empty()).flat_map(|word| {
        let word = word.to_lowercase();
        if !word.chars().any(is_without_spaces) {
            return vec![word];
        }
        let characters: Vec<char> = word.chars().collect();
        match characters.len() {
            1 => vec![word],
            _ => characters.windows(2).map(|pair| pair.iter().collect()).collect(),
        }
    })
}

/// Han, Kana and Thai.
fn is_without_spaces(character: char) -> bool {
    matches!(character, '\u{0e00}'..='\u{0e7f}' | '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{20000}'..='\u{323af}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn index(texts: &[&str]) -> (TermIndex, Vec<Weights>) {
        let mut index = TermIndex::default();
        let weights = (0..).zip(texts).map(|(item, text)| index.add(item, text, &[])).collect();
        (index, weights)
    }

    #[test]
    fn rare_shared_words_make_texts_similar() {
        let (index, weights) = index(&["the red soup", "the red car", "the soup of lentils", "the the the"]);
        let mut scores = [0.0; 4];
        index.add_similarities(&index.query("a soup with lentils"), &mut scores);
        assert!(scores[2] > scores[0] && scores[0] > scores[1], "{scores:?}");
        assert_eq!(scores[1], 0.0);
        assert!((similarity(&index.rarities(), &weights[0], &weights[0]) - 1.0).abs() < 1e-6);
        assert!(
            similarity(&index.rarities(), &weights[0], &weights[2])
                < similarity(&index.rarities(), &weights[0], &weights[1]) + 0.2
        );
        assert_eq!(index.shared_names(&index.query("lentils and soup"), &weights[2], 1), ["lentils"]);
    }

    /// lnc.ltc by hand, of two texts.
    #[test]
    fn weights_are_those_of_the_formula() {
        let (index, weights) = index(&["a a b", "b c"]);
        let a = 1.0 + 2f32.ln();
        let length = (a * a + 1.0).sqrt();
        assert!((weights[0][0].1 - a / length).abs() < 1e-6 && (weights[0][1].1 - 1.0 / length).abs() < 1e-6);
        let (rare, common) = (3f32.ln(), 2f32.ln());
        let query_length = (rare * rare + common * common).sqrt();
        let mut scores = [0.0; 2];
        index.add_similarities(&index.query("A, B!"), &mut scores);
        let expected = (rare * a + common) / (query_length * length);
        assert!((scores[0] - expected).abs() < 1e-6, "{scores:?} {expected}");
    }

    #[test]
    fn scripts_without_spaces_match_by_pairs() {
        let (index, _) = index(&["味噌汁の作り方", "カレー"]);
        let mut scores = [0.0; 2];
        index.add_similarities(&index.query("味噌汁"), &mut scores);
        assert!(scores[0] > 0.0 && scores[1] == 0.0);
    }

    #[test]
    fn a_removed_item_is_not_found() {
        let (mut index, weights) = index(&["soup", "soup"]);
        index.remove(0, &weights[0]);
        let mut scores = [0.0; 2];
        index.add_similarities(&index.query("soup"), &mut scores);
        assert!(scores[0] == 0.0 && scores[1] > 0.0);
    }

    #[test]
    fn long_texts_count_by_their_most_frequent_words() {
        let text: String = (0..10_000).map(|number| format!("word{number} often ")).collect();
        let (_, weights) = index(&[&text]);
        assert_eq!(weights[0].len(), MAX_TERMS);
    }
}
