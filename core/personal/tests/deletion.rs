//! What is deleted is gone, from the bytes of the file, too, and from what was learnt from it.

mod common;

use std::fs;

use common::{at, derived, example, is_in_folder, learn, text};
use sotto_personal::{DerivedChange, Event, Filter, Item, Limits, OnDeletion, Personal, PersonalError};

const SECRET: &str = "meet me at the old lighthouse";

fn is_there(folder: &tempfile::TempDir) -> bool {
    is_in_folder(folder.path(), SECRET.as_bytes())
}

/// A store with the secret and 300 other texts.
fn store_with_secret(folder: &tempfile::TempDir) -> (Personal, u64) {
    let personal = Personal::open(folder.path().join("personal")).unwrap();
    for group in 0..3 {
        let texts = (0..100).map(|number| text(&format!("ordinary text {group} {number}"), at(number)));
        let _ = personal.learn(texts.collect()).unwrap();
    }
    let id = learn(&personal, example(SECRET, "private", "Inbox"));
    assert!(is_there(folder));
    (personal, id)
}

#[test]
fn no_byte_of_a_deleted_record_is_left() {
    let folder = tempfile::tempdir().unwrap();
    let (personal, id) = store_with_secret(&folder);
    assert_eq!(personal.delete(&[id]).unwrap().records, [id]);
    assert!(!is_there(&folder));
    assert_eq!(personal.count().unwrap(), 300);
    drop(personal);
    assert!(!is_there(&folder));
    assert_eq!(Personal::open(folder.path().join("personal")).unwrap().count().unwrap(), 300);
}

#[test]
fn no_byte_of_a_forgotten_source_is_left() {
    let folder = tempfile::tempdir().unwrap();
    let (personal, id) = store_with_secret(&folder);
    assert_eq!(personal.forget("Inbox").unwrap().records, [id]);
    assert!(!is_there(&folder));
    assert!(personal.forget("Inbox").unwrap().records.is_empty());
}

#[test]
fn nothing_is_left_after_deleting_all() {
    let folder = tempfile::tempdir().unwrap();
    let (personal, id) = store_with_secret(&folder);
    personal.set("me", "profile", SECRET.into(), "user", at(0)).unwrap();
    fs::write(folder.path().join("me.gguf"), "adapter").unwrap();
    let adapter =
        sotto_personal::Derived { file: Some("me.gguf".into()), ..derived("adapter", &[id], OnDeletion::Mark) };
    personal.put_derived(&adapter).unwrap();
    let deletion = personal.delete_all().unwrap();
    assert_eq!(deletion.records.len(), 302);
    assert!(deletion.derived[0].dropped);
    assert_eq!((personal.count().unwrap(), personal.all_derived().unwrap()), (0, vec![]));
    assert!(
        !is_there(&folder) && !is_in_folder(folder.path(), b"ordinary") && !is_in_folder(folder.path(), b"adapter")
    );
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    learn(&personal, example("anew", "x", "Inbox"));
}

#[test]
fn what_was_replaced_or_crowded_out_is_erased_by_tidy_and_by_opening() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("personal");
    let (personal, id) = store_with_secret(&folder);
    personal.replace(id, example("harmless", "x", "Inbox")).unwrap();
    personal.tidy(at(1)).unwrap();
    assert!(!is_there(&folder));

    personal.set("me", "profile", SECRET.into(), "user", at(0)).unwrap();
    personal.set("me", "profile", "harmless".into(), "user", at(0)).unwrap();
    drop(personal);
    let personal = Personal::open(&file).unwrap();
    assert!(!is_there(&folder));

    let items = personal.items("notes").unwrap();
    let item = |text: &str| Item { id: "n".into(), text: text.into(), ..Item::default() };
    let _ = items.put(vec![item(SECRET)], at(0)).unwrap();
    let _ = items.put(vec![item("harmless")], at(0)).unwrap();
    personal.tidy(at(1)).unwrap();
    assert!(!is_there(&folder));

    personal.set_limits(Limits { max_records: Some(2), max_age_days: None }, at(0)).unwrap();
    learn(&personal, text(SECRET, at(0)));
    let _ = personal.learn(vec![text("a", at(1)), text("b", at(1))]).unwrap();
    drop(items);
    drop(personal);
    drop(Personal::open(&file).unwrap());
    assert!(!is_there(&folder));
}

#[test]
fn what_was_learnt_from_deleted_records_is_dropped_or_marked() {
    let folder = tempfile::tempdir().unwrap();
    let personal = Personal::open(folder.path().join("personal")).unwrap();
    let ids = personal.learn(vec![example("a", "x", "Inbox"), example("b", "x", "Inbox")]).unwrap().ids;
    fs::write(folder.path().join("me.gguf"), "adapter").unwrap();
    let dropped =
        sotto_personal::Derived { file: Some("me.gguf".into()), ..derived("adapter", &ids, OnDeletion::Drop) };
    personal.put_derived(&dropped).unwrap();
    personal.put_derived(&derived("classifier", &ids[..1], OnDeletion::Mark)).unwrap();
    personal.put_derived(&derived("untouched", &ids[1..], OnDeletion::Drop)).unwrap();
    let change = |name: &str, dropped| DerivedChange { collection: "mail".into(), name: name.into(), dropped };
    let deletion = personal.delete(&ids[..1]).unwrap();
    assert_eq!(deletion.derived, [change("adapter", true), change("classifier", false)]);
    assert!(!folder.path().join("me.gguf").exists());
    assert_eq!(personal.derived("mail", "adapter").unwrap(), None);
    assert!(personal.derived("mail", "classifier").unwrap().unwrap().outdated);
    assert!(!personal.derived("mail", "untouched").unwrap().unwrap().outdated);
    // What was learnt from a record that is gone meanwhile is not kept.
    let late = personal.put_derived(&derived("classifier", &ids, OnDeletion::Drop)).unwrap_err();
    assert_eq!(late, PersonalError::Outdated);
    assert!(personal.drop_derived("mail", "untouched").unwrap());
    assert!(!personal.drop_derived("mail", "untouched").unwrap());
    assert_eq!(personal.count().unwrap(), 1);
}

#[test]
fn a_new_adapter_takes_the_place_of_the_file_before_it() {
    let folder = tempfile::tempdir().unwrap();
    let personal = Personal::open(folder.path().join("personal")).unwrap();
    let id = learn(&personal, example("a", "x", "Inbox"));
    for name in ["one.gguf", "two.gguf"] {
        fs::write(folder.path().join(name), "adapter").unwrap();
        let adapter =
            sotto_personal::Derived { file: Some(name.into()), ..derived("adapter", &[id], OnDeletion::Drop) };
        personal.put_derived(&adapter).unwrap();
    }
    assert!(!folder.path().join("one.gguf").exists() && folder.path().join("two.gguf").exists());
    for path in ["../one.gguf", "/etc/passwd", "a/b", ".."] {
        let adapter = sotto_personal::Derived { file: Some(path.into()), ..derived("adapter", &[], OnDeletion::Drop) };
        assert!(matches!(personal.put_derived(&adapter).unwrap_err(), PersonalError::InvalidInput { .. }), "{path}");
    }
}

#[test]
fn with_an_item_go_its_events() {
    let folder = tempfile::tempdir().unwrap();
    let personal = Personal::open(folder.path().join("personal")).unwrap();
    let items = personal.items("recipes").unwrap();
    let item = |id: &str| Item { id: id.into(), text: format!("{id} of the day"), ..Item::default() };
    let _ = items.put(vec![item("soup"), item("bread")], at(0)).unwrap();
    for id in ["soup", "bread", "soup"] {
        let _ = items.record(id, Event::Opened, at(1)).unwrap();
    }
    assert_eq!(items.remove("soup", at(2)).unwrap().records.len(), 3);
    assert!(!is_in_folder(folder.path(), b"soup"));
    assert_eq!(personal.records(&Filter::default()).unwrap().len(), 2);
    assert_eq!(items.record("soup", Event::Opened, at(3)).unwrap_err(), PersonalError::UnknownItem);
}
