//! Which items are recommended, and why.

use rand::rngs::Xoshiro256PlusPlus;
use rand::{RngExt, SeedableRng};
use serde::Serialize;

use super::catalogue::{Catalogue, Entry, normalized};
use super::habits::Likelihood;
use super::terms::{Weights, similarity};
use crate::record::check_vector;
use crate::time::DAY;
use crate::{PersonalError, Result, Timestamp};

/// Diversity is sought among so many candidates for each item to recommend.
const CANDIDATES_PER_ITEM: usize = 8;
/// An item loses this share of its similarity with those chosen before it (maximal marginal relevance).
const DIVERSITY: f32 = 0.25;
/// Only so many of the terms that describe the user's taste count, the strongest.
const TASTE_TERMS: usize = 64;
/// After so many days, the last use counts half for recency; the age of a new item for its novelty.
const RECENCY_DAYS: f64 = 2.0;
const NOVELTY_DAYS: f64 = 7.0;
/// A reason names the most used of so many items as similar to what is recommended.
const FAVOURITES: usize = 20;

/// How much each signal counts. All signals are between 0 and 1, habits between -1 and 1.
const NEAR: f32 = 5.0;
const TASTE: f32 = 1.0;
const HABIT: f32 = 1.2;
const POPULARITY: f32 = 1.0;
const RECENCY: f32 = 0.3;
const NOVELTY: f32 = 0.2;
/// What an item loses that was shown again and again, and never opened.
const IGNORED: f32 = 0.1;

/// What the recommended items should be similar to.
#[derive(Debug, Clone, PartialEq)]
pub enum Near {
    /// A text, such as a search or the page that is open. If the items have vectors, its own helps.
    Text {
        /// The text.
        text: String,
        /// Its embedding.
        vector: Option<Vec<f32>>,
    },
    /// Another item, by its id. It is not recommended itself.
    Item(String),
}

/// What to recommend.
#[derive(Debug, Clone, PartialEq)]
pub struct Query {
    /// What the items should be similar to, if anything.
    pub near: Option<Near>,
    /// How many items at most.
    pub limit: usize,
    /// The time, with the user's hour and weekday.
    pub now: Timestamp,
    /// Whether items that the user finished may come again: recipes may, articles may not.
    pub again: bool,
    /// How likely each item but the first is one that the user never used, to find out: 0 to 1. The default is 0.05.
    pub exploration: f64,
    /// The seed of this chance. The same seed and history give the same items.
    pub seed: u64,
}

impl Query {
    /// Five items for the time `now`.
    pub fn at(now: Timestamp) -> Self {
        Self { near: None, limit: 5, now, again: true, exploration: 0.05, seed: now.unix_millis as u64 }
    }
}

/// An item to show.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Recommendation {
    /// The item's id.
    pub id: String,
    /// How well it fits. Only the order of the scores of one call means something.
    pub score: f32,
    /// What spoke for it most.
    pub reason: Reason,
}

/// Why an item is recommended. An app words it for its user.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// It is similar to what was asked for.
    Near {
        /// Up to three words that both have. None if only the vectors are similar.
        words: Vec<String>,
    },
    /// It is similar to what the user likes.
    Taste {
        /// The id of the item among the most used that is most similar.
        like: String,
    },
    /// The user often uses it, or others with its tags, at this hour or on this weekday.
    Habit {
        /// The hour, 0 to 23.
        hour: u8,
        /// The weekday: 0 is Monday.
        weekday: u8,
    },
    /// The user uses it often.
    Popular {
        /// How often it was used.
        uses: u32,
    },
    /// The user used it lately.
    Recent {
        /// When it was last used.
        last: Timestamp,
    },
    /// It is new.
    New {
        /// Since when.
        since: Timestamp,
    },
    /// The user never used it; it is shown to find out.
    Exploration,
}

/// What speaks for an item.
#[derive(Debug, Clone, Copy, Default)]
struct Signals {
    near: f32,
    taste: f32,
    habit: f32,
    popularity: f32,
    recency: f32,
    novelty: f32,
    ignored: f32,
}

impl Signals {
    fn parts(&self) -> [f32; 6] {
        [
            NEAR * self.near,
            TASTE * self.taste,
            HABIT * self.habit,
            POPULARITY * self.popularity,
            RECENCY * self.recency,
            NOVELTY * self.novelty,
        ]
    }

    fn score(&self) -> f32 {
        self.parts().iter().sum::<f32>() - IGNORED * self.ignored
    }
}

struct Candidate {
    position: usize,
    signals: Signals,
    score: f32,
    explored: bool,
}

/// The best items.
pub(super) fn recommend(catalogue: &Catalogue, query: &Query) -> Result<Vec<Recommendation>> {
    if !(0.0..=1.0).contains(&query.exploration) {
        return Err(PersonalError::invalid_input("exploration must be between 0 and 1"));
    }
    let near = NearTerms::of(catalogue, query.near.as_ref())?;
    let rarities = catalogue.terms.rarities();
    let mut candidates = candidates(catalogue, &rarities, query, &near);
    let limit = query.limit.min(candidates.len());
    let explored = explore(catalogue, query, &candidates, limit);
    keep_best(&mut candidates, limit.saturating_mul(CANDIDATES_PER_ITEM));
    let mut chosen = diversify(catalogue, &rarities, candidates, limit);
    for (place, candidate) in explored {
        if !chosen.iter().any(|other| other.position == candidate.position) {
            chosen[place] = candidate;
        }
    }
    let favourites = favourites(catalogue);
    let to_recommendation = |candidate: Candidate| Recommendation {
        id: catalogue.entries[candidate.position].id.clone(),
        score: candidate.score,
        reason: reason(catalogue, &rarities, query, &near, &favourites, &candidate),
    };
    Ok(chosen.into_iter().map(to_recommendation).collect())
}

/// What the items should be similar to, as terms and a vector.
#[derive(Default)]
struct NearTerms {
    terms: Weights,
    vector: Option<Vec<f32>>,
    itself: Option<usize>,
}

impl NearTerms {
    fn of(catalogue: &Catalogue, near: Option<&Near>) -> Result<Self> {
        match near {
            None => Ok(Self::default()),
            Some(Near::Text { text, vector }) => {
                check_vector(vector.as_deref())?;
                catalogue.check_dimensions(vector.as_deref())?;
                let vector = vector.clone().map(normalized);
                Ok(Self { terms: catalogue.terms.query(text), vector, itself: None })
            }
            Some(Near::Item(id)) => {
                let position = catalogue.position(id)?;
                let entry = &catalogue.entries[position];
                let rare = entry.weights.iter().map(|(term, weight)| (*term, weight * catalogue.terms.rarity(*term)));
                let terms = unit(rare.collect());
                Ok(Self { terms, vector: entry.vector.clone(), itself: Some(position) })
            }
        }
    }
}

fn unit(mut weights: Weights) -> Weights {
    let length = weights.iter().map(|(_, weight)| weight * weight).sum::<f32>().sqrt();
    if length > 0.0 {
        weights.iter_mut().for_each(|(_, weight)| *weight /= length);
    }
    weights
}

/// All items that may be recommended, with what speaks for them.
fn candidates(catalogue: &Catalogue, rarities: &[f32], query: &Query, near: &NearTerms) -> Vec<Candidate> {
    let nearness = shares(similarities(catalogue, &near.terms, near.vector.as_deref()));
    let taste_vector = normalized(catalogue.taste_vector.clone());
    let taste_vector = (!taste_vector.is_empty()).then_some(taste_vector);
    let taste = shares(similarities(catalogue, &taste_terms(catalogue, rarities), taste_vector.as_deref()));
    // Turns weights of events into numbers of events of now.
    let scale = 1.0 / catalogue.growth.at(query.now.unix_millis);
    let most_used = catalogue.entries.iter().map(|entry| entry.used).fold(0.0, f32::max) * scale;
    let base = catalogue.habits.likelihood(query.now, Likelihood::UNIFORM, scale);
    let tags: Vec<_> =
        catalogue.tag_habits.iter().map(|habits| habits.likelihood(query.now, base, scale).lift_over(base)).collect();
    let mut candidates = Vec::with_capacity(catalogue.entries.len());
    for (position, entry) in catalogue.entries.iter().enumerate() {
        if entry.dismissed || near.itself == Some(position) || (entry.finished && !query.again) {
            continue;
        }
        let habit = match entry.habits() {
            Some(habits) => habits.likelihood(query.now, base, scale).lift_over(base),
            None => 0.0,
        };
        let of_tags = mean(entry.tags.iter().map(|tag| tags[*tag as usize]));
        let used = entry.used * scale;
        let signals = Signals {
            near: nearness[position],
            taste: taste[position],
            habit: (habit + of_tags) / 8.0,
            popularity: if most_used > 0.0 { used.ln_1p() / most_used.ln_1p() } else { 0.0 },
            recency: entry.last_used.map_or(0.0, |last| fading(last, query.now, RECENCY_DAYS)),
            novelty: if entry.uses == 0 { fading(entry.added, query.now, NOVELTY_DAYS) } else { 0.0 },
            ignored: (entry.ignored as f32).ln_1p(),
        };
        candidates.push(Candidate { position, signals, score: signals.score(), explored: false });
    }
    candidates
}

fn mean(numbers: impl ExactSizeIterator<Item = f32>) -> f32 {
    match numbers.len() {
        0 => 0.0,
        count => numbers.sum::<f32>() / count as f32,
    }
}

/// 1 now, and half of it after each so many days.
fn fading(time: Timestamp, now: Timestamp, half_life_days: f64) -> f32 {
    let days = (now.unix_millis as f64 - time.unix_millis as f64).max(0.0) / DAY as f64;
    (-days / half_life_days).exp2() as f32
}

/// The terms that describe best what the user likes.
fn taste_terms(catalogue: &Catalogue, rarities: &[f32]) -> Weights {
    let largest = catalogue.taste.iter().copied().fold(0.0, f32::max);
    if largest <= 0.0 {
        return Weights::new();
    }
    let mut terms: Weights = (0..)
        .zip(&catalogue.taste)
        .filter(|(_, weight)| **weight > 0.0)
        .map(|(term, weight)| (term, weight / largest * rarities[term as usize]))
        .collect();
    if terms.len() > TASTE_TERMS {
        terms.select_nth_unstable_by(TASTE_TERMS, |a, b| b.1.total_cmp(&a.1));
        terms.truncate(TASTE_TERMS);
    }
    unit(terms)
}

/// How similar each item is to terms and a vector. An item with a vector counts by the mean of both.
fn similarities(catalogue: &Catalogue, terms: &Weights, vector: Option<&[f32]>) -> Vec<f32> {
    let mut scores = vec![0.0; catalogue.entries.len()];
    catalogue.terms.add_similarities(terms, &mut scores);
    if let Some(vector) = vector {
        for (score, entry) in scores.iter_mut().zip(&catalogue.entries) {
            if let Some(of_entry) = &entry.vector {
                *score = (*score + dot(vector, of_entry).max(0.0)) / 2.0;
            }
        }
    }
    scores
}

/// Each number as a share of the largest.
fn shares(mut numbers: Vec<f32>) -> Vec<f32> {
    let largest = numbers.iter().copied().fold(0.0, f32::max);
    if largest > 0.0 {
        numbers.iter_mut().for_each(|number| *number /= largest);
    }
    numbers
}

/// The sum of products, in eight sums that a compiler computes side by side.
fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut sums = [0.0f32; 8];
    let (a, a_rest) = a.as_chunks::<8>();
    let (b, b_rest) = b.as_chunks::<8>();
    for (x, y) in a.iter().zip(b) {
        for (sum, (x, y)) in sums.iter_mut().zip(x.iter().zip(y)) {
            *sum += x * y;
        }
    }
    sums.iter().sum::<f32>() + a_rest.iter().zip(b_rest).map(|(x, y)| x * y).sum::<f32>()
}

/// Keeps so many candidates, the best first.
fn keep_best(candidates: &mut Vec<Candidate>, most: usize) {
    // Of equals, the newest first.
    let order = |a: &Candidate, b: &Candidate| b.score.total_cmp(&a.score).then(b.position.cmp(&a.position));
    if candidates.len() > most && most > 0 {
        candidates.select_nth_unstable_by(most - 1, order);
    }
    candidates.truncate(most);
    candidates.sort_unstable_by(order);
}

/// Chooses one after the other, each as good as possible and different from those before it.
fn diversify(catalogue: &Catalogue, rarities: &[f32], mut candidates: Vec<Candidate>, limit: usize) -> Vec<Candidate> {
    let mut chosen: Vec<Candidate> = Vec::with_capacity(limit);
    let mut closest = vec![0.0f32; candidates.len()];
    while chosen.len() < limit {
        if let Some(last) = chosen.last() {
            let last = &catalogue.entries[last.position];
            for (closest, candidate) in closest.iter_mut().zip(&candidates) {
                *closest = closest.max(likeness(rarities, last, &catalogue.entries[candidate.position]));
            }
        }
        let worth = |place: usize| candidates[place].score - DIVERSITY * closest[place];
        let Some(best) = (0..candidates.len()).reduce(|a, b| if worth(b) > worth(a) { b } else { a }) else { break };
        closest.remove(best);
        chosen.push(candidates.remove(best));
    }
    chosen
}

fn likeness(rarities: &[f32], a: &Entry, b: &Entry) -> f32 {
    let of_terms = similarity(rarities, &a.weights, &b.weights);
    match (&a.vector, &b.vector) {
        (Some(a), Some(b)) => (of_terms + dot(a, b).max(0.0)) / 2.0,
        _ => of_terms,
    }
}

/// Which places are for items that were never used, and for which: those that are likely anyway come more often.
fn explore(catalogue: &Catalogue, query: &Query, candidates: &[Candidate], limit: usize) -> Vec<(usize, Candidate)> {
    let unused: Vec<_> =
        candidates.iter().filter(|candidate| catalogue.entries[candidate.position].uses == 0).collect();
    let mut random = Xoshiro256PlusPlus::seed_from_u64(query.seed);
    let mut explored: Vec<(usize, Candidate)> = Vec::new();
    for place in 1..limit {
        if unused.is_empty() || random.random::<f64>() >= query.exploration {
            continue;
        }
        // The better of two by chance.
        let mut draw = || unused[random.random_range(0..unused.len())];
        let (a, b) = (draw(), draw());
        let better = if b.score > a.score { b } else { a };
        if !explored.iter().any(|(_, other)| other.position == better.position) {
            explored.push((place, Candidate { explored: true, ..*better }));
        }
    }
    explored
}

/// The items that are used most.
fn favourites(catalogue: &Catalogue) -> Vec<usize> {
    let mut used: Vec<usize> =
        (0..catalogue.entries.len()).filter(|entry| catalogue.entries[*entry].uses > 0).collect();
    let order = |a: &usize, b: &usize| catalogue.entries[*b].used.total_cmp(&catalogue.entries[*a].used);
    if used.len() > FAVOURITES {
        used.select_nth_unstable_by(FAVOURITES, order);
        used.truncate(FAVOURITES);
    }
    used
}

/// What speaks most for an item.
fn reason(
    catalogue: &Catalogue,
    rarities: &[f32],
    query: &Query,
    near: &NearTerms,
    favourites: &[usize],
    candidate: &Candidate,
) -> Reason {
    let entry = &catalogue.entries[candidate.position];
    if candidate.explored {
        return Reason::Exploration;
    }
    let others = favourites.iter().filter(|favourite| **favourite != candidate.position);
    let like = others
        .map(|favourite| (likeness(rarities, &catalogue.entries[*favourite], entry), *favourite))
        .max_by(|a, b| a.0.total_cmp(&b.0));
    let [by_near, by_taste, by_habit, by_popularity, by_recency, by_novelty] = candidate.signals.parts();
    let mut reasons = vec![(by_novelty, Reason::New { since: entry.added })];
    if by_near > 0.0 {
        reasons.push((by_near, Reason::Near { words: catalogue.terms.shared_names(&near.terms, &entry.weights, 3) }));
    }
    if let Some((_, like)) = like {
        reasons.push((by_taste, Reason::Taste { like: catalogue.entries[like].id.clone() }));
    }
    if let Some(last) = entry.last_used {
        reasons.push((by_popularity, Reason::Popular { uses: entry.uses }));
        reasons.push((by_recency, Reason::Recent { last }));
    }
    reasons.push((by_habit, Reason::Habit { hour: query.now.hour(), weekday: query.now.weekday() }));
    let strongest = reasons.into_iter().reduce(|a, b| if b.0 > a.0 { b } else { a });
    strongest.map_or(Reason::New { since: entry.added }, |(_, reason)| reason)
}
