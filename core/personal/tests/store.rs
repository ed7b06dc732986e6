//! What a store keeps, lists, exports and imports.

mod common;

use std::fs;

use common::{DAY, at, derived, example, is_in_folder, learn, text};
use sotto_personal::{Filter, Kind, Limits, NewRecord, OnDeletion, Payload, Personal, PersonalError};

#[test]
fn records_are_there_after_reopening() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("personal");
    let personal = Personal::open(&file).unwrap();
    let ids =
        personal.learn(vec![example("a", "x", "Inbox"), example("b", "y", "Archive"), text("c", at(5))]).unwrap().ids;
    personal.set("me", "profile", serde_json::json!({ "greeting": "hey" }), "user", at(6)).unwrap();
    drop(personal);

    let personal = Personal::open(&file).unwrap();
    let records = personal.records(&Filter::default()).unwrap();
    assert_eq!(records.len(), 4);
    assert_eq!(records[..3].iter().map(|record| record.id).collect::<Vec<_>>(), ids);
    assert_eq!((records[1].source.as_str(), records[2].time), ("Archive", at(5)));
    assert_eq!(personal.setting("me", "profile").unwrap().unwrap()["greeting"], "hey");
    assert_eq!(personal.count().unwrap(), 4);

    let of_mail = personal.records(&Filter::of("mail", Kind::Example)).unwrap();
    assert_eq!(of_mail.len(), 2);
    let page = Filter { after: Some(ids[0]), limit: 1, ..Filter::of("mail", Kind::Example) };
    assert_eq!(personal.records(&page).unwrap(), of_mail[1..]);
    let from_inbox = Filter { source: Some("Inbox".into()), ..Filter::default() };
    assert_eq!(personal.records(&from_inbox).unwrap(), of_mail[..1]);
}

#[test]
fn a_setting_replaces_the_one_with_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let personal = Personal::open(folder.path().join("personal")).unwrap();
    let set = |value: i32| personal.set("me", "tone", value.into(), "user", at(0)).unwrap();
    assert_eq!(set(1), set(2));
    assert_eq!(personal.setting("me", "tone").unwrap(), Some(2.into()));
    assert_eq!(personal.count().unwrap(), 1);
}

#[test]
fn nothing_is_learnt_while_paused() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("personal");
    let personal = Personal::open(&file).unwrap();
    let id = learn(&personal, example("a", "x", "Inbox"));
    personal.set_paused(true).unwrap();
    drop(personal);

    let personal = Personal::open(&file).unwrap();
    assert!(personal.is_paused().unwrap());
    let learnt = personal.learn(vec![example("b", "x", "Inbox")]).unwrap();
    assert!(learnt.paused && learnt.ids.is_empty());
    assert!(!personal.replace(id, example("b", "x", "Inbox")).unwrap());
    assert_eq!(personal.count().unwrap(), 1);
    personal.delete(&[id]).unwrap();
    personal.set_paused(false).unwrap();
    assert_ne!(learn(&personal, example("b", "x", "Inbox")), id, "ids are never used again");
}

#[test]
fn bad_records_are_refused_and_nothing_is_learnt() {
    let folder = tempfile::tempdir().unwrap();
    let personal = Personal::open(folder.path().join("personal")).unwrap();
    let bad = [
        example("a", "", "Inbox"),
        example("a", "x", ""),
        NewRecord { collection: "c".repeat(2000), ..example("a", "x", "Inbox") },
        example(&"a".repeat((16 << 20) + 1), "x", "Inbox"),
        NewRecord {
            payload: Payload::Example {
                text: "a".into(),
                label: "x".into(),
                models: Some("m".into()),
                vector: Some(vec![f32::NAN]),
                model_scores: None,
            },
            ..example("a", "x", "Inbox")
        },
        NewRecord { payload: Payload::Setting { name: "n".into(), value: 1.into() }, ..example("a", "x", "Inbox") },
    ];
    for bad in bad {
        let error = personal.learn(vec![example("good", "x", "Inbox"), bad]).unwrap_err();
        assert!(matches!(error, PersonalError::InvalidInput { .. }), "{error}");
    }
    assert_eq!(personal.count().unwrap(), 0);
    // A megabyte is no problem.
    learn(&personal, example(&"long ".repeat(200_000), "x", "Inbox"));
    let error = personal.delete(&[77]).unwrap_err();
    assert_eq!(error, PersonalError::UnknownRecord { id: 77 });
}

#[test]
fn the_oldest_go_when_there_are_too_many() {
    let folder = tempfile::tempdir().unwrap();
    let personal = Personal::open(folder.path().join("personal")).unwrap();
    personal.set_limits(Limits { max_records: Some(3), max_age_days: None }, at(0)).unwrap();
    let ids: Vec<_> = (0..3).map(|number| learn(&personal, text(&number.to_string(), at(number)))).collect();
    learn(&personal, example("of another kind", "x", "Inbox"));
    let learnt = personal.learn(vec![text("new", at(9)), text("newer", at(10))]).unwrap();
    assert_eq!(learnt.dropped.records, ids[..2]);
    assert_eq!(personal.count().unwrap(), 4);
    let dropped = personal.set_limits(Limits { max_records: Some(1), max_age_days: None }, at(11)).unwrap();
    assert_eq!(dropped.records, [ids[2], learnt.ids[0]]);
}

#[test]
fn old_records_go_but_not_when_the_clock_jumps() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("personal");
    let personal = Personal::open(&file).unwrap();
    personal.set_limits(Limits { max_records: None, max_age_days: Some(30) }, at(0)).unwrap();
    let old = learn(&personal, text("old", at(0)));
    let new = learn(&personal, text("new", at(20 * DAY)));
    // The clock shows a time forty years ahead, and then the right one again.
    assert!(personal.tidy(at(15_000 * DAY)).unwrap().records.is_empty());
    drop(personal);
    let personal = Personal::open(&file).unwrap();
    assert!(personal.tidy(at(21 * DAY)).unwrap().records.is_empty());
    // The app was not used for a while.
    assert!(personal.tidy(at(40 * DAY)).unwrap().records.is_empty());
    assert_eq!(personal.tidy(at(40 * DAY + DAY / 12)).unwrap().records, [old]);
    // The clock shows 1970.
    assert!(personal.tidy(at(-20_000 * DAY)).unwrap().records.is_empty());
    assert_eq!(personal.records(&Filter::default()).unwrap()[0].id, new);
}

#[test]
fn an_export_can_be_read_by_people_and_imported() {
    let folder = tempfile::tempdir().unwrap();
    let personal = Personal::open(folder.path().join("personal")).unwrap();
    let mut with_vector = example("with a vector", "x", "Inbox");
    with_vector.payload = Payload::Example {
        text: "schön 😀 \"quoted\"".into(),
        label: "x".into(),
        models: Some("m".into()),
        vector: Some(vec![0.1, -2.5e-7]),
        model_scores: None,
    };
    let _ = personal.learn(vec![with_vector, text("two\nlines", at(5))]).unwrap();
    personal.set("me", "tone", "dry".into(), "user", at(6)).unwrap();
    let export = folder.path().join("export.json");
    personal.export(&export).unwrap();
    let json: serde_json::Value = serde_json::from_slice(&fs::read(&export).unwrap()).unwrap();
    assert_eq!(json["records"][0]["source"], "Inbox");

    let other = Personal::open(folder.path().join("other")).unwrap();
    learn(&other, example("mine", "x", "Inbox"));
    let imported = other.import(&export).unwrap();
    assert_eq!((imported.added, imported.known), (3, 0));
    let imported = other.import(&export).unwrap();
    assert_eq!((imported.added, imported.known), (0, 3));
    let strip = |personal: &Personal| -> Vec<NewRecord> {
        personal.records(&Filter::default()).unwrap().into_iter().map(Into::into).collect()
    };
    assert_eq!(strip(&other)[1..], strip(&personal));
}

#[test]
fn what_is_no_export_is_refused_as_a_whole() {
    let folder = tempfile::tempdir().unwrap();
    let personal = Personal::open(folder.path().join("personal")).unwrap();
    let export = folder.path().join("export.json");
    let _ = personal.learn(vec![example("secret words", "x", "Inbox"), example("b", "x", "Inbox")]).unwrap();
    personal.export(&export).unwrap();
    let good = fs::read_to_string(&export).unwrap();
    personal.delete_all().unwrap();
    let newer = good.replace("\"version\":1", "\"version\":2");
    let invalid = [
        String::new(),
        "{}".into(),
        good[..good.len() - 10].into(),
        good.replace("sotto-personal", "other"),
        good.replace("\"label\":\"x\"", "\"label\":7"),
        good.replace("\"label\"", "\"lable\""),
    ];
    for text in invalid {
        fs::write(&export, text).unwrap();
        let error = personal.import(&export).unwrap_err();
        assert!(matches!(error, PersonalError::Invalid { .. }), "{error}");
        assert!(!error.to_string().contains("secret"));
    }
    fs::write(&export, [0xff, 0xfe, 0]).unwrap();
    assert!(matches!(personal.import(&export).unwrap_err(), PersonalError::Invalid { .. }));
    fs::write(&export, newer).unwrap();
    assert!(matches!(personal.import(&export).unwrap_err(), PersonalError::Unsupported { .. }));
    fs::write(&export, good.replacen("\"label\":\"x\"", "\"label\":\"\"", 1)).unwrap();
    assert!(matches!(personal.import(&export).unwrap_err(), PersonalError::InvalidInput { .. }));
    let missing = personal.import(&folder.path().join("missing")).unwrap_err();
    assert!(matches!(missing, PersonalError::Storage { .. }));
    assert_eq!(personal.count().unwrap(), 0);
}

#[test]
fn a_store_is_open_only_once() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("personal");
    let personal = Personal::open(&file).unwrap();
    assert_eq!(Personal::open(&file).unwrap_err(), PersonalError::InUse { path: file.clone() });
    let id = learn(&personal, example("a", "x", "Inbox"));
    // After the file was replaced, too.
    personal.delete(&[id]).unwrap();
    assert_eq!(Personal::open(&file).unwrap_err(), PersonalError::InUse { path: file.clone() });
    let clone = personal.clone();
    drop(personal);
    assert!(Personal::open(&file).is_err());
    drop(clone);
    Personal::open(&file).unwrap();
}

#[test]
fn clones_learn_side_by_side() {
    let folder = tempfile::tempdir().unwrap();
    let personal = Personal::open(folder.path().join("personal")).unwrap();
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let personal = personal.clone();
            scope.spawn(move || {
                for number in 0..10 {
                    let id = learn(&personal, text(&format!("{thread} {number}"), at(number)));
                    if number % 5 == 0 {
                        personal.delete(&[id]).unwrap();
                    }
                }
            });
        }
    });
    assert_eq!(personal.count().unwrap(), 32);
    assert_eq!(personal.records(&Filter::default()).unwrap().len(), 32);
}

#[test]
fn foreign_and_damaged_files_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("personal");
    let foreign: [&[u8]; 3] = [b"", b"some other file\n", &[0; 100_000]];
    for content in foreign {
        fs::write(&file, content).unwrap();
        let error = Personal::open(&file).unwrap_err();
        assert!(matches!(error, PersonalError::Invalid { .. }), "{error}");
        assert!(error.to_string().contains("Import"), "{error}");
        assert_eq!(fs::read(&file).unwrap(), content, "it is left as it was");
    }
    let database = redb::Database::create(folder.path().join("redb")).unwrap();
    drop(database);
    assert!(matches!(Personal::open(folder.path().join("redb")).unwrap_err(), PersonalError::Invalid { .. }));
    assert!(matches!(Personal::open(folder.path()).unwrap_err(), PersonalError::Storage { .. }));
    let nowhere = Personal::open(folder.path().join("no/where")).unwrap_err();
    assert!(matches!(nowhere, PersonalError::Storage { .. }), "{nowhere}");
}

/// Whatever byte is changed, opening fails, or everything is as it was.
#[test]
fn changed_bytes_are_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("personal");
    let personal = Personal::open(&file).unwrap();
    let records = (0..200).map(|number| text(&format!("text number {number}"), at(number)));
    let _ = personal.learn(records.collect()).unwrap();
    personal.put_derived(&derived("classifier", &[1, 2], OnDeletion::Drop)).unwrap();
    let expected = personal.records(&Filter::default()).unwrap();
    drop(personal);
    let good = fs::read(&file).unwrap();
    let (mut noticed, mut same) = (0, 0);
    for place in (0..good.len()).step_by(good.len() / 120) {
        let mut damaged = good.clone();
        damaged[place] ^= 0x41;
        fs::write(&file, &damaged).unwrap();
        match Personal::open(&file).and_then(|personal| personal.records(&Filter::default())) {
            Ok(records) => {
                assert_eq!(records, expected, "byte {place}");
                same += 1;
            }
            Err(error) => {
                assert!(!matches!(error, PersonalError::InvalidInput { .. }), "{error}");
                noticed += 1;
            }
        }
    }
    println!("{noticed} damages noticed, {same} of no consequence");
    assert!(noticed > 20);
    for length in [0, 1, 4096, good.len() / 2, good.len() - 1] {
        fs::write(&file, &good[..length]).unwrap();
        if let Ok(personal) = Personal::open(&file) {
            assert_eq!(personal.records(&Filter::default()).unwrap(), expected);
        }
    }
}

#[cfg(unix)]
#[test]
fn only_its_owner_may_read_the_file() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("personal");
    let personal = Personal::open(&file).unwrap();
    learn(&personal, example("a", "x", "Inbox"));
    personal.delete_all().unwrap();
    personal.export(&folder.path().join("export.json")).unwrap();
    for name in ["personal", "export.json"] {
        let mode = fs::metadata(folder.path().join(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
}

#[test]
fn an_unfinished_file_is_removed() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("personal");
    drop(Personal::open(&file).unwrap());
    fs::write(folder.path().join("personal.new"), "deleted words").unwrap();
    let _personal = Personal::open(&file).unwrap();
    assert!(!is_in_folder(folder.path(), b"deleted words"));
}
