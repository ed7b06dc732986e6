//! Recommendations on a made history of a person, replayed event by event, beside the two usual rules of thumb.

mod common;

use std::collections::HashMap;
use std::time::Instant;

use common::{DAY, at};
use rand::rngs::Xoshiro256PlusPlus;
use rand::{RngExt, SeedableRng};
use sotto_personal::{Event, Item, ItemEvent, Near, Personal, Query, Timestamp};

const HOUR: i64 = 3_600_000;
const TOPICS: usize = 12;
const ITEMS: usize = 400;
const DAYS: i64 = 120;
const TEST_DAYS: i64 = 30;
const SHOWN: usize = 5;

/// A made person, who likes some topics more than others, some of them at certain hours or at weekends; half of the time
/// comes back to something known, and one time in ten does something at random.
struct Person {
    random: Xoshiro256PlusPlus,
    liking: Vec<f64>,
    hours: Vec<(i64, i64)>,
    weekend_only: Vec<bool>,
}

impl Person {
    fn new(seed: u64) -> Self {
        let mut random = Xoshiro256PlusPlus::seed_from_u64(seed);
        let liking = (0..TOPICS).map(|rank| 1.0 / (1.0 + rank as f64)).collect();
        let hours = (0..TOPICS).map(|_| random.random_range(6..22)).map(|from| (from, from + 3)).collect();
        let weekend_only = (0..TOPICS).map(|_| random.random::<f64>() < 0.25).collect();
        Self { random, liking, hours, weekend_only }
    }

    fn items(&mut self) -> Vec<Item> {
        let item = |number: usize, random: &mut Xoshiro256PlusPlus| {
            let topic = number % TOPICS;
            let mut words: Vec<String> =
                (0..6).map(|_| format!("topic{topic}word{}", random.random_range(0..30))).collect();
            words.extend((0..6).map(|_| format!("common{}", random.random_range(0..200))));
            Item { id: number.to_string(), text: words.join(" "), tags: vec![format!("topic{topic}")], vector: None }
        };
        (0..ITEMS).map(|number| item(number, &mut self.random)).collect()
    }

    /// The topic of the moment.
    fn topic(&mut self, time: Timestamp) -> usize {
        let fits = |topic: usize| {
            let (from, to) = self.hours[topic];
            let in_hours = (from..to).contains(&i64::from(time.hour()));
            let on_day = !self.weekend_only[topic] || time.weekday() >= 5;
            self.liking[topic] * if in_hours { 1.0 } else { 0.15 } * if on_day { 1.0 } else { 0.05 }
        };
        let weights: Vec<f64> = (0..TOPICS).map(fits).collect();
        pick(&weights, &mut self.random)
    }

    fn history(&mut self) -> Vec<ItemEvent> {
        let mut events: Vec<ItemEvent> = Vec::new();
        let mut used: HashMap<usize, f64> = HashMap::new();
        for day in 0..DAYS {
            let mut times: Vec<i64> = (0..6).map(|_| self.random.random_range(6 * HOUR..23 * HOUR)).collect();
            times.sort_unstable();
            for time in times {
                let time = at(day * DAY + time);
                let topic = self.topic(time);
                let known: Vec<(usize, f64)> = used
                    .iter()
                    .filter(|(item, _)| *item % TOPICS == topic)
                    .map(|(item, uses)| (*item, *uses))
                    .collect();
                let number = match self.random.random::<f64>() {
                    chance if chance < 0.1 => self.random.random_range(0..ITEMS),
                    chance if chance < 0.6 && !known.is_empty() => {
                        let mut known = known;
                        known.sort_unstable_by_key(|(item, _)| *item);
                        let weights: Vec<f64> = known.iter().map(|(_, uses)| *uses).collect();
                        known[pick(&weights, &mut self.random)].0
                    }
                    _ => topic + TOPICS * self.random.random_range(0..ITEMS / TOPICS),
                };
                used.values_mut().for_each(|uses| *uses *= 0.995);
                *used.entry(number).or_default() += 1.0;
                events.push(ItemEvent { item: number.to_string(), event: Event::Opened, time });
            }
        }
        events
    }
}

fn pick(weights: &[f64], random: &mut Xoshiro256PlusPlus) -> usize {
    let mut left = random.random::<f64>() * weights.iter().sum::<f64>();
    for (place, weight) in weights.iter().enumerate() {
        left -= weight;
        if left <= 0.0 {
            return place;
        }
    }
    weights.len() - 1
}

/// Hit rate, and nDCG with one relevant item, at five.
#[derive(Debug, Default, Clone, Copy)]
struct Quality {
    hits: f64,
    gain: f64,
    asked: f64,
}

impl Quality {
    fn add(&mut self, shown: &[String], wanted: &str) {
        self.asked += 1.0;
        if let Some(place) = shown.iter().position(|id| id == wanted) {
            self.hits += 1.0;
            self.gain += 1.0 / (place as f64 + 2.0).log2();
        }
    }

    fn hit_rate(self) -> f64 {
        self.hits / self.asked
    }

    fn ndcg(self) -> f64 {
        self.gain / self.asked
    }
}

/// The first five by a key, the largest first.
fn top<K: PartialOrd>(keys: &HashMap<String, K>) -> Vec<String> {
    let mut ids: Vec<_> = keys.iter().collect();
    ids.sort_by(|a, b| b.1.partial_cmp(a.1).unwrap().then(a.0.cmp(b.0)));
    ids.into_iter().take(SHOWN).map(|(id, _)| id.clone()).collect()
}

fn replay(seed: u64) -> [Quality; 3] {
    let folder = tempfile::tempdir().unwrap();
    let personal = Personal::open(folder.path().join("personal")).unwrap();
    let items = personal.items("made").unwrap();
    let mut person = Person::new(seed);
    let _ = items.put(person.items(), at(0)).unwrap();
    let history = person.history();
    let (learnt, replayed): (Vec<_>, Vec<_>) =
        history.into_iter().partition(|event| event.time < at((DAYS - TEST_DAYS) * DAY));
    let (mut uses, mut last) = (HashMap::<String, f64>::new(), HashMap::<String, Timestamp>::new());
    let mut count = |event: &ItemEvent, last: &mut HashMap<String, Timestamp>| {
        *uses.entry(event.item.clone()).or_default() += 1.0;
        last.insert(event.item.clone(), event.time);
        top(&uses)
    };
    let mut by_uses = Vec::new();
    for event in &learnt {
        by_uses = count(event, &mut last);
    }
    let _ = items.record_all(learnt).unwrap();
    let mut qualities = [Quality::default(); 3];
    for event in replayed {
        let query = Query { exploration: 0.0, limit: SHOWN, ..Query::at(event.time) };
        let recommended: Vec<_> = items.recommend(&query).unwrap().into_iter().map(|found| found.id).collect();
        qualities[0].add(&recommended, &event.item);
        qualities[1].add(&by_uses, &event.item);
        qualities[2].add(&top(&last), &event.item);
        by_uses = count(&event, &mut last);
        let _ = items.record_all(vec![event]).unwrap();
    }
    qualities
}

/// `cargo test -p sotto-personal --test replay -- --nocapture` prints the figures.
#[test]
fn recommendations_beat_popularity_and_recency() {
    let first: u64 = std::env::var("SOTTO_SEED").map_or(1, |seed| seed.parse().unwrap());
    let mut all = [Quality::default(); 3];
    for seed in first..first + 8 {
        let qualities = replay(seed);
        for (sum, quality) in all.iter_mut().zip(qualities) {
            sum.hits += quality.hits;
            sum.gain += quality.gain;
            sum.asked += quality.asked;
        }
        let figures: Vec<_> = qualities.iter().map(|q| format!("{:.3} {:.3}", q.hit_rate(), q.ndcg())).collect();
        println!("seed {seed}: {}", figures.join(", "));
    }
    let [recommended, popular, recent] = all;
    for (name, quality) in [("recommended", recommended), ("popularity", popular), ("recency", recent)] {
        println!("{name}: hit rate {:.3}, nDCG {:.3} at {SHOWN}", quality.hit_rate(), quality.ndcg());
    }
    for other in [popular, recent] {
        assert!(recommended.hit_rate() > 1.2 * other.hit_rate());
        assert!(recommended.ndcg() > 1.2 * other.ndcg());
    }
}

/// `cargo test --release -p sotto-personal --test replay -- --ignored --nocapture` measures it.
#[test]
#[ignore = "a million events take a while"]
fn fifty_thousand_items_and_a_million_events() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("personal");
    let personal = Personal::open(&file).unwrap();
    let items = personal.items("many").unwrap();
    let mut random = Xoshiro256PlusPlus::seed_from_u64(7);
    let word = |random: &mut Xoshiro256PlusPlus| format!("word{}", (random.random::<f64>().powi(3) * 30_000.0) as u32);
    let started = Instant::now();
    let made = (0..50_000).map(|number| {
        let text: Vec<_> = (0..40).map(|_| word(&mut random)).collect();
        let tags = vec![format!("tag{}", random.random_range(0..500))];
        Item { id: number.to_string(), text: text.join(" "), tags, vector: None }
    });
    let _ = items.put(made.collect(), at(0)).unwrap();
    println!("50,000 items put: {:.1} s", started.elapsed().as_secs_f64());
    let started = Instant::now();
    for batch in 0..100 {
        let events = (0..10_000).map(|number| ItemEvent {
            item: ((random.random::<f64>().powi(2) * 50_000.0) as u32).to_string(),
            event: [Event::Seen, Event::Opened, Event::Opened, Event::Liked][number % 4],
            time: at((batch * 10_000 + number as i64) * 30_000),
        });
        let _ = items.record_all(events.collect()).unwrap();
    }
    println!("1,000,000 events recorded: {:.1} s", started.elapsed().as_secs_f64());
    let now = at(1_000_000 * 30_000);
    drop((items, personal));
    let started = Instant::now();
    let personal = Personal::open(&file).unwrap();
    println!("opened: {:.1} s, {} MB", started.elapsed().as_secs_f64(), std::fs::metadata(&file).unwrap().len() >> 20);
    let items = personal.items("many").unwrap();
    let started = Instant::now();
    let _ = items.recommend(&Query::at(now)).unwrap();
    println!("first answer, which reads all: {:.1} s", started.elapsed().as_secs_f64());
    for near in [false, true] {
        let mut times: Vec<f64> = (0..100)
            .map(|seed| {
                let text: Vec<_> = (0..10).map(|_| word(&mut random)).collect();
                let near = near.then(|| Near::Text { text: text.join(" "), vector: None });
                let query = Query { near, seed, limit: 10, ..Query::at(now) };
                let started = Instant::now();
                assert_eq!(items.recommend(&query).unwrap().len(), 10);
                started.elapsed().as_secs_f64() * 1000.0
            })
            .collect();
        times.sort_by(f64::total_cmp);
        println!(
            "an answer (near a text: {near}): {:.1} ms, between {:.1} and {:.1} ms",
            times[50], times[0], times[99]
        );
        if !cfg!(debug_assertions) {
            assert!(times[50] < 20.0);
        }
    }
}
