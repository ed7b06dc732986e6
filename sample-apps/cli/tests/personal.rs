//! Personal stores on the command line.

mod common;

use std::fs;
use std::process::Output;

use common::{code, errors, json, run};
use sotto::personal::{Event, Item, NewRecord, Payload, Personal, Timestamp};

const TIME: Timestamp = Timestamp { unix_millis: 1_796_078_069_000, utc_offset_minutes: 60 };

/// A store with two items, an event and a text; and its path.
fn store(folder: &tempfile::TempDir) -> String {
    let path = folder.path().join("personal");
    let personal = Personal::open(&path).unwrap();
    let items = personal.items("recipes").unwrap();
    let item = |id: &str, text: &str| Item { id: id.into(), text: text.into(), ..Item::default() };
    let _ = items.put(vec![item("soup", "a lentil soup"), item("cake", "a chocolate cake")], TIME).unwrap();
    let _ = items.record("cake", Event::Liked, TIME).unwrap();
    let text = Payload::Text { text: "see you\n\u{1b}[31m soon".into() };
    let record = NewRecord { collection: "me".into(), source: "keyboard".into(), time: TIME, payload: text };
    let _ = personal.learn(vec![record]).unwrap();
    path.to_str().unwrap().to_owned()
}

fn shown(output: &Output) -> String {
    assert!(output.status.success(), "{}", errors(output));
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[test]
fn all_that_was_learnt_is_listed_and_deleted() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(&folder);
    let listed = shown(&run(&["personal", &store, "records"]));
    assert_eq!(listed.lines().count(), 4);
    assert!(listed.contains("2026-11-30 23:34  me  keyboard  see you"), "{listed}");
    let records = json(&run(&["personal", &store, "records", "--json"]));
    assert_eq!(records[0]["payload"]["item"]["id"], "soup");
    assert_eq!(json(&run(&["personal", &store, "forget", "keyboard", "--json"]))["records"], serde_json::json!([4]));
    assert_eq!(shown(&run(&["personal", &store, "delete", "2"])), "deleted 2 records\n", "an item and its event");
    assert_eq!(code(&run(&["personal", &store, "delete", "2"])), 4);
    assert_eq!(shown(&run(&["personal", &store, "delete-all"])), "deleted 1 record\n");
    assert_eq!(shown(&run(&["personal", &store, "records"])), "");
}

#[test]
fn records_are_taken_along() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(&folder);
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (export, other) = (path("export.json"), path("other"));
    assert_eq!(json(&run(&["personal", &store, "export", &export, "--json"]))["exported"], 4);
    assert_eq!(json(&run(&["personal", &other, "import", &export, "--json"]))["added"], 4);
    assert_eq!(json(&run(&["personal", &other, "import", &export, "--json"]))["added"], 0);
    let recommended = json(&run(&["personal", &other, "recommend", "recipes", "--near", "lentils? lentil!", "--json"]));
    assert_eq!(recommended[0]["id"], "soup");
    assert!(shown(&run(&["personal", &other, "recommend", "recipes"])).starts_with("cake  ("));
}

#[test]
fn what_is_no_store_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let foreign = folder.path().join("foreign");
    fs::write(&foreign, "not a store").unwrap();
    let refused = run(&["personal", foreign.to_str().unwrap(), "records"]);
    assert_eq!(code(&refused), 4);
    assert!(errors(&refused).contains("not a personal store"), "{}", errors(&refused));
    let missing = folder.path().join("missing");
    assert_eq!(code(&run(&["personal", missing.to_str().unwrap(), "records"])), 4);
    assert!(!missing.exists());
    let store = store(&folder);
    let _open = Personal::open(&store).unwrap();
    assert_eq!(code(&run(&["personal", &store, "records"])), 1);
    assert_eq!(code(&run(&["personal", &store, "records", "--model", "x.gguf"])), 2);
}
