//! Merges the results of all windows into one summary: repeats are dropped, and the best items are kept.

use super::parse::Found;
use super::summary::{Action, NoteSummary, Point};
use super::topics::Topics;
use super::words::{say_the_same, words};
use super::{Coverage, SummaryOptions};
use crate::job::Reporter;
use crate::note::Segment;

/// The summary of what was read so far. It only grows, except that a better item may replace one beyond the limit.
pub(super) struct Merged {
    heading: (String, String),
    points: Kept<Point>,
    actions: Kept<Action>,
    topics: Topics,
    pub coverage: Coverage,
}

impl Merged {
    pub(super) fn new(segments: &[Segment], options: &SummaryOptions, windows: usize) -> Self {
        Self {
            heading: Default::default(),
            points: Kept::at_most(options.max_points),
            actions: Kept::at_most(options.max_actions.unwrap_or(usize::MAX)),
            topics: Topics::of(segments),
            coverage: Coverage { segments: segments.len(), windows, ..Coverage::default() },
        }
    }

    /// Adds the next result of a window, and returns whether the summary changed.
    pub(super) fn add(&mut self, found: Found) -> bool {
        match found {
            Found::Heading { title, overview } => {
                self.heading = (title, overview);
                true
            }
            Found::Point(point) => self.points.add(point, &self.topics),
            Found::Action(action) => self.actions.add(action, &self.topics),
        }
    }

    /// Like [`Merged::add`], and reports the summary if it changed.
    pub(super) fn tell(&mut self, found: Found, reporter: &Reporter<NoteSummary>) {
        if self.add(found) {
            reporter.report(self.summary());
        }
    }

    pub(super) fn summary(&self) -> NoteSummary {
        let (title, overview) = self.heading.clone();
        NoteSummary {
            title,
            overview,
            points: self.points.items().cloned().collect(),
            actions: self.actions.items().cloned().collect(),
            coverage: self.coverage.clone(),
            metrics: None,
        }
    }

    /// The texts of the `points` best points and the `actions` best actions, each in the order of the note.
    pub(super) fn best(&self, points: usize, actions: usize) -> Vec<String> {
        let points = self.points.best(points, &self.topics).into_iter().map(|point| point.text.clone());
        points.chain(self.actions.best(actions, &self.topics).into_iter().map(|action| action.text.clone())).collect()
    }
}

/// The number of different actions.
pub(super) fn distinct(actions: impl IntoIterator<Item = Action>) -> usize {
    let (mut kept, topics) = (Kept::at_most(usize::MAX), Topics::of(&[]));
    actions.into_iter().filter(|action| kept.add(action.clone(), &topics)).count()
}

/// Different items, in the order in which they were found.
struct Kept<T> {
    all: Vec<Entry<T>>,
    most: usize,
}

struct Entry<T> {
    item: T,
    words: Vec<String>,
}

trait Item: Clone {
    fn text(&self) -> &str;
    fn id_mut(&mut self) -> &mut u32;
    fn evidence(&self) -> &[u32];

    /// Ranks items apart from their words, which contribute a few tens at most.
    fn merit(&self) -> f64;

    /// Whether it may be a repeat of `earlier`, given that the words say the same.
    fn may_repeat(&self, earlier: &Self) -> bool;

    /// This item with the additional information in `again`; `None` if there is none.
    fn completed(&self, again: &Self) -> Option<Self>;
}

impl<T: Item> Kept<T> {
    fn at_most(most: usize) -> Self {
        Self { all: Vec::new(), most }
    }

    fn items(&self) -> impl Iterator<Item = &T> {
        self.all.iter().map(|entry| &entry.item)
    }

    fn add(&mut self, item: T, topics: &Topics) -> bool {
        let mut entry = Entry { words: words(item.text()), item };
        if entry.words.is_empty() || self.most == 0 {
            return false;
        }
        if let Some(known) = self.all.iter().position(|known| entry.repeats(known)) {
            return self.complete(known, &entry.item);
        }
        *entry.item.id_mut() = self.all.len() as u32 + 1;
        if self.all.len() == self.most {
            let least = (0..self.most).min_by(|&a, &b| self.all[a].rank(topics).total_cmp(&self.all[b].rank(topics)));
            let Some(least) = least.filter(|&least| self.all[least].rank(topics) < entry.rank(topics)) else {
                return false;
            };
            *entry.item.id_mut() = *self.all.remove(least).item.id_mut();
        }
        self.all.push(entry);
        true
    }

    /// Adds new information from a repeat to a known item, unless that would make it equal to another item.
    fn complete(&mut self, known: usize, again: &T) -> bool {
        let Some(item) = self.all[known].item.completed(again) else { return false };
        let completed = Entry { item, words: self.all[known].words.clone() };
        let (earlier, later) = (&self.all[..known], &self.all[known + 1..]);
        if earlier.iter().any(|other| completed.repeats(other)) || later.iter().any(|other| other.repeats(&completed)) {
            return false;
        }
        self.all[known] = completed;
        true
    }

    fn best(&self, count: usize, topics: &Topics) -> Vec<&T> {
        let mut ranked: Vec<usize> = (0..self.all.len()).collect();
        ranked.sort_by(|&a, &b| self.all[b].rank(topics).total_cmp(&self.all[a].rank(topics)));
        ranked.truncate(count);
        ranked.sort_unstable();
        ranked.into_iter().map(|index| &self.all[index].item).collect()
    }
}

impl<T: Item> Entry<T> {
    fn repeats(&self, earlier: &Self) -> bool {
        self.item.may_repeat(&earlier.item)
            && say_the_same(&self.words, &earlier.words, share_any(self.item.evidence(), earlier.item.evidence()))
    }

    fn rank(&self, topics: &Topics) -> f64 {
        self.item.merit() + topics.weight(&self.words)
    }
}

fn share_any(one: &[u32], other: &[u32]) -> bool {
    one.iter().any(|id| other.contains(id))
}

impl Item for Point {
    fn text(&self) -> &str {
        &self.text
    }

    fn id_mut(&mut self) -> &mut u32 {
        &mut self.id
    }

    fn evidence(&self) -> &[u32] {
        &self.evidence
    }

    fn merit(&self) -> f64 {
        0.0
    }

    fn may_repeat(&self, _: &Self) -> bool {
        true
    }

    fn completed(&self, _: &Self) -> Option<Self> {
        None
    }
}

impl Item for Action {
    fn text(&self) -> &str {
        &self.text
    }

    fn id_mut(&mut self) -> &mut u32 {
        &mut self.id
    }

    fn evidence(&self) -> &[u32] {
        &self.evidence
    }

    fn merit(&self) -> f64 {
        f64::from(self.due.is_some()) * 200.0 + f64::from(self.owner.is_some()) * 100.0
    }

    /// What somebody else has to do in the same words is another action; what the same person has to do by another time is not. One
    /// without an owner may be anybody's that was named before.
    fn may_repeat(&self, earlier: &Self) -> bool {
        match (&self.owner, &earlier.owner) {
            (None, _) => true,
            (Some(owner), Some(known)) => words(owner) == words(known),
            (Some(_), None) => share_any(&self.evidence, &earlier.evidence),
        }
    }

    fn completed(&self, again: &Self) -> Option<Self> {
        let owner = self.owner.clone().or_else(|| again.owner.clone());
        let due = self.due.clone().or_else(|| again.due.clone());
        if (&owner, &due) == (&self.owner, &self.due) {
            return None;
        }
        let mut evidence = [&self.evidence[..], &again.evidence].concat();
        evidence.sort_unstable();
        evidence.dedup();
        Some(Self { owner, due, evidence, ..self.clone() })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn point(text: &str, evidence: u32) -> Point {
        Point { id: 0, text: text.into(), evidence: vec![evidence] }
    }

    fn action(text: &str, owner: Option<&str>, due: Option<&str>, evidence: u32) -> Action {
        let [owner, due] = [owner, due].map(|words| words.map(str::to_owned));
        Action { id: 0, text: text.into(), owner, due, evidence: vec![evidence] }
    }

    fn kept<T: Item>(most: usize, items: impl IntoIterator<Item = T>) -> Kept<T> {
        let mut kept = Kept::at_most(most);
        for item in items {
            kept.add(item, &Topics::of(&[]));
        }
        kept
    }

    #[test]
    fn what_was_said_before_is_dropped() {
        let found = [point("The demo moved.", 1), point("the room is booked", 2), point("the demo moved", 9)];
        let points: Vec<Point> = kept(20, found).items().cloned().collect();
        assert_eq!(points.iter().map(|point| (point.id, point.evidence[0])).collect::<Vec<_>>(), [(1, 1), (2, 2)]);
    }

    #[test]
    fn two_people_may_have_the_same_to_do() {
        let marcus = || action("write a test", Some("Marcus"), Some("by Thursday"), 1);
        let dana = action("write a test", Some("Dana"), Some("by Friday"), 2);
        assert_eq!(kept(20, [marcus(), dana]).all.len(), 2);
        // Said again, with less, in other letters or for another time, it is the same.
        for again in [
            action("write a test", None, None, 2),
            action("Write a test", Some("marcus"), None, 2),
            action("write a test", None, Some("by Friday"), 2),
            marcus(),
        ] {
            assert_eq!(distinct([marcus(), again]), 1);
        }
    }

    #[test]
    fn an_action_gets_what_is_said_of_it_later() {
        let first = action("write a test", None, None, 1);
        let again = action("write a test", Some("Marcus"), Some("by Friday"), 1);
        let actions = kept(20, [first.clone(), Action { evidence: vec![1, 3], ..again }]);
        let completed = actions.items().next().expect("an action");
        assert_eq!((completed.owner.as_deref(), completed.due.as_deref()), (Some("Marcus"), Some("by Friday")));
        assert_eq!((completed.id, &completed.evidence), (1, &vec![1, 3]));
        assert_eq!(actions.all.len(), 1);
        // Elsewhere, it may be another's.
        assert_eq!(distinct([first, action("write a test", Some("Marcus"), None, 7)]), 2);
    }

    #[test]
    fn beyond_the_limit_the_better_one_takes_the_place_of_the_worst() {
        let found = [
            action("buy milk", None, None, 1),
            action("call Tom", None, Some("today"), 2),
            action("send it", Some("Ana"), Some("today"), 3),
            action("wash up", None, None, 4),
        ];
        let actions: Vec<Action> = kept(2, found).items().cloned().collect();
        let told: Vec<_> = actions.iter().map(|action| (action.id, action.text.as_str())).collect();
        assert_eq!(told, [(2, "call Tom"), (1, "send it")]);
        assert_eq!(kept(0, [point("nothing is wanted", 1)]).all.len(), 0);
    }

    fn found() -> impl Strategy<Value = Found> {
        let owner = proptest::option::of("(Ana|Tom)");
        let due = proptest::option::of("(today|by Friday)");
        let text = "(call|send|the|figures|Tom|milk|tonight|,|7)( (call|send|the|figures|Tom|milk|tonight|7)){0,5}";
        (any::<bool>(), text, owner, due, 1..6_u32).prop_map(|(is_point, text, owner, due, id)| match is_point {
            true => Found::Point(point(&text, id)),
            false => Found::Action(action(&text, owner.as_deref(), due.as_deref(), id)),
        })
    }

    fn no_repeats<T: Item>(items: &[T]) -> bool {
        let entries: Vec<_> =
            items.iter().map(|item| Entry { words: words(item.text()), item: item.clone() }).collect();
        entries.iter().enumerate().all(|(index, entry)| entries[..index].iter().all(|earlier| !entry.repeats(earlier)))
    }

    fn ids<T: Item>(items: &[T]) -> Vec<u32> {
        let mut ids: Vec<u32> = items.iter().map(|item| *item.clone().id_mut()).collect();
        ids.sort_unstable();
        ids
    }

    proptest! {
        #[test]
        fn nothing_is_there_twice_and_what_is_there_stays(
            found in proptest::collection::vec(found(), 0..40), max_points in 0..6_usize, max_actions in proptest::option::of(0..6_usize),
        ) {
            let options = SummaryOptions { language: None, max_points, max_actions };
            let mut merged = Merged::new(&[], &options, 1);
            let mut before = merged.summary();
            for found in found {
                let changed = merged.add(found);
                let now = merged.summary();
                prop_assert_eq!(changed, now != before);
                prop_assert!(no_repeats(&now.points) && no_repeats(&now.actions));
                prop_assert!(now.points.len() <= max_points && now.actions.len() <= max_actions.unwrap_or(usize::MAX));
                // Ids are 1, 2, 3, …, and none ever goes.
                prop_assert_eq!(ids(&now.points), (1..=now.points.len() as u32).collect::<Vec<_>>());
                prop_assert_eq!(ids(&now.actions), (1..=now.actions.len() as u32).collect::<Vec<_>>());
                prop_assert!(now.points.len() >= before.points.len() && now.actions.len() >= before.actions.len());
                // Below the limits, a text stays with its id.
                if now.points.len() < max_points {
                    prop_assert!(now.points.starts_with(&before.points));
                }
                if now.actions.len() < max_actions.unwrap_or(usize::MAX) {
                    prop_assert!(now.actions.iter().zip(&before.actions).all(|(now, before)| now.text == before.text));
                }
                before = now;
            }
        }
    }
}
