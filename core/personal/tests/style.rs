//! What a store keeps of a style: texts, a profile, an adapter; and what becomes of the adapter when texts are deleted.

use std::fs;
use std::path::Path;

use serde_json::json;
use sotto_personal::{Filter, Kind, OnDeletion, Personal, PersonalError, Style, StyleProfile, Timestamp};

const NOW: Timestamp = Timestamp { unix_millis: 1_796_078_069_000, utc_offset_minutes: 0 };

fn style(folder: &Path) -> (Personal, Style) {
    let personal = Personal::open(folder.join("personal")).expect("a store");
    let style = personal.style("me").expect("a name");
    for number in 0..4 {
        let learnt = style.learn(&format!("could you send box {number}? m."), "mail", NOW).expect("learnt");
        assert_eq!(learnt.ids.len(), 1);
    }
    (personal, style)
}

/// Writes something for an adapter.
fn train(style: &Style, on_deletion: OnDeletion) {
    let training = style.begin_training(on_deletion, NOW).expect("texts");
    assert_eq!(training.texts.len(), 4);
    fs::write(&training.target, "numbers").expect("written");
    training.end(true, json!({ "kept": true })).expect("kept");
}

fn first_text(personal: &Personal) -> u64 {
    personal.records(&Filter::of("me", Kind::Text)).expect("records")[0].id
}

#[test]
fn a_profile_follows_the_texts_until_it_is_edited() {
    let folder = tempfile::tempdir().expect("a folder");
    let (_personal, style) = style(folder.path());
    assert_eq!(style.profile().expect("a profile").sign_off.as_deref(), Some("m."));
    let edited = StyleProfile { sign_off: Some("x".into()), ..StyleProfile::default() };
    style.set_profile(Some(&edited), NOW).expect("set");
    style.learn("and another one. m.", "mail", NOW).expect("learnt").ids.first().expect("an id");
    assert_eq!(style.profile().expect("a profile"), edited);
    style.set_profile(None, NOW).expect("set");
    assert_eq!(style.profile().expect("a profile").sign_off.as_deref(), Some("m."));
}

#[test]
fn an_adapter_is_dropped_or_marked_when_a_text_of_it_is_deleted() {
    let folder = tempfile::tempdir().expect("a folder");
    let (personal, style) = style(folder.path());
    assert_eq!(style.adapter().expect("none"), None);
    train(&style, OnDeletion::Mark);
    assert!(!style.adapter().expect("read").expect("an adapter").outdated);
    let deletion = personal.delete(&[first_text(&personal)]).expect("deleted");
    assert_eq!((deletion.derived[0].name.as_str(), deletion.derived[0].dropped), ("adapter", false));
    assert!(style.adapter().expect("read").expect("an adapter").outdated);

    style.learn("could you send box 9? m.", "chat", NOW).expect("learnt").ids.first().expect("an id");
    train(&style, OnDeletion::Drop);
    let path = style.adapter().expect("read").expect("an adapter").path;
    assert!(personal.forget("chat").expect("forgotten").derived[0].dropped);
    assert!(style.adapter().expect("read").is_none() && !path.exists());
}

#[test]
fn what_was_of_no_use_changes_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let (personal, style) = style(folder.path());
    style.begin_training(OnDeletion::Drop, NOW).expect("texts").end(false, json!({})).expect("ended");
    assert_eq!(style.adapter().expect("none"), None);
    train(&style, OnDeletion::Drop);
    let before = style.adapter().expect("read");
    style.begin_training(OnDeletion::Mark, Timestamp::utc(0)).expect("texts").end(false, json!({})).expect("ended");
    assert_eq!(style.adapter().expect("read"), before);
    assert_eq!(personal.records(&Filter::of("me", Kind::Training)).expect("reports").len(), 3);
    assert!(style.drop_adapter().expect("dropped") && !style.drop_adapter().expect("gone"));
}

#[test]
fn texts_that_are_deleted_during_a_training_take_the_adapter_with_them() {
    for on_deletion in [OnDeletion::Drop, OnDeletion::Mark] {
        let folder = tempfile::tempdir().expect("a folder");
        let (personal, style) = style(folder.path());
        let training = style.begin_training(on_deletion, NOW).expect("texts");
        personal.delete(&[first_text(&personal)]).expect("deleted");
        let target = training.target.clone();
        fs::write(&target, "numbers").expect("written");
        assert!(matches!(training.end(true, json!({})), Err(PersonalError::Outdated)));
        assert!(!target.exists() && style.adapter().expect("read").is_none());
    }
}

#[test]
fn nothing_is_trained_while_learning_is_paused() {
    let folder = tempfile::tempdir().expect("a folder");
    let (personal, style) = style(folder.path());
    personal.set_paused(true).expect("paused");
    assert!(matches!(style.begin_training(OnDeletion::Drop, NOW), Err(PersonalError::InvalidInput { .. })));
    assert!(style.learn("one more", "mail", NOW).expect("paused").paused);
    assert!(matches!(personal.style(""), Err(PersonalError::InvalidInput { .. })));
}
