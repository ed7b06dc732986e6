//! What is recommended, and why.

mod common;

use common::{DAY, at};
use sotto_personal::{Event, Item, ItemEvent, Items, Near, Personal, PersonalError, Query, Reason};

const HOUR: i64 = 3_600_000;

fn item(id: &str, text: &str, tags: &[&str]) -> Item {
    Item { id: id.into(), text: text.into(), tags: tags.iter().map(|tag| (*tag).into()).collect(), vector: None }
}

fn recipes(folder: &tempfile::TempDir) -> Items {
    let personal = Personal::open(folder.path().join("personal")).unwrap();
    let items = personal.items("recipes").unwrap();
    let recipes = vec![
        item("porridge", "oats with milk and berries", &["breakfast"]),
        item("pancakes", "flour, eggs, milk and syrup", &["breakfast", "sweet"]),
        item("lentils", "red lentil soup with cumin", &["soup", "vegan"]),
        item("miso", "miso soup with tofu", &["soup", "vegan"]),
        item("tomato", "roasted tomato soup", &["soup"]),
        item("steak", "steak with pepper sauce", &["meat"]),
        item("cake", "chocolate cake with cream", &["sweet"]),
    ];
    let learnt = items.put(recipes, at(0)).unwrap();
    assert_eq!(learnt.ids.len(), 7);
    items
}

fn query(now: i64) -> Query {
    Query { exploration: 0.0, ..Query::at(at(now)) }
}

fn ids(items: &Items, query: &Query) -> Vec<String> {
    items.recommend(query).unwrap().into_iter().map(|recommended| recommended.id).collect()
}

fn record(items: &Items, id: &str, event: Event, time: i64) {
    let learnt = items.record(id, event, at(time)).unwrap();
    assert!(!learnt.paused);
}

#[test]
fn without_a_history_the_newest_and_the_similar_come_first() {
    let folder = tempfile::tempdir().unwrap();
    let items = recipes(&folder);
    let _ = items.put(vec![item("new", "new dish", &[])], at(3 * DAY)).unwrap();
    let recommended = items.recommend(&query(3 * DAY)).unwrap();
    assert_eq!((recommended.len(), recommended[0].id.as_str()), (5, "new"));
    assert_eq!(recommended[0].reason, Reason::New { since: at(3 * DAY) });
    let near = |text: &str| Query { near: Some(Near::Text { text: text.into(), vector: None }), ..query(3 * DAY) };
    let found = items.recommend(&near("a soup of lentils, or a lentil stew")).unwrap();
    assert_eq!(found[0].id, "lentils");
    assert!(matches!(&found[0].reason, Reason::Near { words } if words.contains(&"lentil".into())), "{found:?}");
    let like = Query { near: Some(Near::Item("miso".into())), limit: 2, ..query(3 * DAY) };
    assert_eq!(ids(&items, &like)[0], "lentils");
    assert!(!ids(&items, &Query { limit: 100, ..like }).contains(&"miso".to_owned()));
    let empty = Personal::open(folder.path().join("other")).unwrap().items("none").unwrap();
    assert!(empty.recommend(&query(0)).unwrap().is_empty());
}

#[test]
fn taste_brings_similar_items_and_dismissed_ones_stay_away() {
    let folder = tempfile::tempdir().unwrap();
    let items = recipes(&folder);
    (0..3).for_each(|day| record(&items, "lentils", Event::Liked, day * DAY));
    let recommended = items.recommend(&query(30 * DAY)).unwrap();
    let place = |id: &str| recommended.iter().position(|recommended| recommended.id == id);
    assert_eq!(place("lentils"), Some(0));
    assert!(place("miso").is_some_and(|place| place < 3), "{recommended:?}");
    let miso = &recommended[place("miso").unwrap()];
    assert_eq!(miso.reason, Reason::Taste { like: "lentils".into() });
    record(&items, "miso", Event::Dismissed, 30 * DAY);
    assert!(!ids(&items, &Query { limit: 100, ..query(30 * DAY) }).contains(&"miso".to_owned()));
    record(&items, "miso", Event::Opened, 31 * DAY);
    assert!(ids(&items, &Query { limit: 100, ..query(31 * DAY) }).contains(&"miso".to_owned()));
}

#[test]
fn habits_of_hours_and_weekdays_decide() {
    let folder = tempfile::tempdir().unwrap();
    let items = recipes(&folder);
    for day in 0..28 {
        record(&items, "porridge", Event::Opened, day * DAY + 7 * HOUR);
        record(&items, "steak", Event::Opened, day * DAY + 19 * HOUR);
    }
    let morning = items.recommend(&query(28 * DAY + 7 * HOUR)).unwrap();
    let evening = items.recommend(&query(28 * DAY + 19 * HOUR)).unwrap();
    assert_eq!((morning[0].id.as_str(), evening[0].id.as_str()), ("porridge", "steak"));
    // Local time decides, not UTC.
    let now = sotto_personal::Timestamp { utc_offset_minutes: 12 * 60, ..at(28 * DAY + 7 * HOUR) };
    assert_eq!(ids(&items, &Query { now, ..query(0) })[0], "steak");
}

#[test]
fn finished_items_come_again_only_if_wanted() {
    let folder = tempfile::tempdir().unwrap();
    let items = recipes(&folder);
    record(&items, "cake", Event::Finished, 0);
    assert_eq!(ids(&items, &query(HOUR))[0], "cake");
    assert!(!ids(&items, &Query { again: false, limit: 100, ..query(HOUR) }).contains(&"cake".to_owned()));
}

#[test]
fn similar_items_do_not_fill_the_list() {
    let folder = tempfile::tempdir().unwrap();
    let personal = Personal::open(folder.path().join("personal")).unwrap();
    let items = personal.items("news").unwrap();
    let copies = (0..10).map(|number| item(&format!("copy{number}"), "the election is close", &["politics"]));
    let other = item("other", "a match in the rain", &["sport"]);
    let _ = items.put([other].into_iter().chain(copies).collect(), at(0)).unwrap();
    // Of equals, the newest would come first.
    let found = ids(&items, &query(1));
    assert_eq!((found[0].as_str(), found[1].as_str()), ("copy9", "other"), "{found:?}");
}

#[test]
fn exploration_shows_what_was_never_used_and_is_repeatable() {
    let folder = tempfile::tempdir().unwrap();
    let personal = Personal::open(folder.path().join("personal")).unwrap();
    let items = personal.items("songs").unwrap();
    let _ = items.put((0..100).map(|n| item(&n.to_string(), &format!("song {n}"), &[])).collect(), at(0)).unwrap();
    let used = (0..10).map(|n| ItemEvent { item: n.to_string(), event: Event::Opened, time: at(n) });
    let _ = items.record_all(used.collect()).unwrap();
    let explored = |seed| {
        let query = Query { exploration: 0.5, seed, ..query(DAY) };
        assert_eq!(items.recommend(&query).unwrap(), items.recommend(&query).unwrap());
        let recommended = items.recommend(&query).unwrap();
        assert_eq!(recommended.len(), 5);
        assert_ne!(recommended[0].reason, Reason::Exploration);
        recommended.iter().filter(|recommended| recommended.reason == Reason::Exploration).count()
    };
    let shown: usize = (0..100).map(explored).sum();
    assert!((150..250).contains(&shown), "half of four places in a hundred lists: {shown}");
}

#[test]
fn vectors_help_and_must_fit() {
    let folder = tempfile::tempdir().unwrap();
    let items = recipes(&folder);
    let with = |id: &str, vector: &[f32]| Item { vector: Some(vector.to_vec()), ..item(id, "", &[]) };
    let _ = items.put(vec![with("a", &[1.0, 0.0]), with("b", &[0.0, 2.0])], at(0)).unwrap();
    let near = |vector: &[f32]| Query {
        near: Some(Near::Text { text: "ohne gemeinsames Wort".into(), vector: Some(vector.to_vec()) }),
        ..query(0)
    };
    assert_eq!(ids(&items, &near(&[0.1, 0.9]))[0], "b");
    assert_eq!(ids(&items, &near(&[0.9, 0.1]))[0], "a");
    let refused = |error: PersonalError| assert!(matches!(error, PersonalError::InvalidInput { .. }), "{error}");
    refused(items.recommend(&near(&[1.0])).unwrap_err());
    refused(items.recommend(&near(&[f32::NAN, 0.0])).unwrap_err());
    refused(items.put(vec![with("c", &[1.0, 2.0, 3.0])], at(0)).unwrap_err());
    refused(items.recommend(&Query { exploration: 1.5, ..query(0) }).unwrap_err());
}

#[test]
fn unknown_items_and_paused_learning_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let personal = Personal::open(folder.path().join("personal")).unwrap();
    let items = personal.items("recipes").unwrap();
    let _ = items.put(vec![item("cake", "cake", &[])], at(0)).unwrap();
    assert_eq!(items.record("pie", Event::Opened, at(0)).unwrap_err(), PersonalError::UnknownItem);
    let near = Query { near: Some(Near::Item("pie".into())), ..query(0) };
    assert_eq!(items.recommend(&near).unwrap_err(), PersonalError::UnknownItem);
    personal.set_paused(true).unwrap();
    assert!(items.put(vec![item("pie", "pie", &[])], at(0)).unwrap().paused);
    assert!(items.record("cake", Event::Opened, at(0)).unwrap().paused);
    assert!(matches!(items.recommend(&query(0)).unwrap()[0].reason, Reason::New { .. }), "nothing was learnt");
    personal.set_paused(false).unwrap();
    // Equal items change nothing.
    let first = items.put(vec![item("cake", "cake", &[])], at(5)).unwrap();
    assert_eq!((first.ids.len(), personal.count().unwrap()), (1, 1));
    assert!(personal.items("").is_err());
}

#[test]
fn answers_are_the_same_after_reopening_and_events_of_a_wrong_clock_do_not_rule() {
    let folder = tempfile::tempdir().unwrap();
    let items = recipes(&folder);
    for day in 0..20 {
        record(&items, ["lentils", "cake", "miso"][day as usize % 3], Event::Opened, day * DAY);
    }
    let now = query(20 * DAY);
    let before = ids(&items, &now);
    drop(items);
    let personal = Personal::open(folder.path().join("personal")).unwrap();
    let items = personal.items("recipes").unwrap();
    assert_eq!(ids(&items, &now), before);
    // One event of the year 2066, one of 1970.
    record(&items, "steak", Event::Opened, 15_000 * DAY);
    record(&items, "tomato", Event::Opened, -20_000 * DAY);
    let recommended = ids(&items, &now);
    assert_ne!(recommended[0], "steak", "{recommended:?}");
    assert!(recommended.contains(&before[0]));
    let i64_extremes = [i64::MIN, i64::MAX];
    for unix_millis in i64_extremes {
        let _ = items.record("cake", Event::Liked, sotto_personal::Timestamp::utc(unix_millis)).unwrap();
        let now = sotto_personal::Timestamp::utc(unix_millis);
        let scores = items.recommend(&Query { now, ..query(0) }).unwrap();
        assert!(scores.iter().all(|recommended| recommended.score.is_finite()), "{scores:?}");
    }
}
