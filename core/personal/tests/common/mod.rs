//! What the tests share.
#![allow(dead_code, reason = "each test file uses some of it")]

use std::fs;
use std::path::Path;

use sotto_personal::{Derived, NewRecord, OnDeletion, Payload, Personal, Timestamp};

/// 2026-01-01 00:00 UTC, a Thursday.
pub const START: i64 = 1_767_225_600_000;
pub const DAY: i64 = 86_400_000;

pub fn at(millis: i64) -> Timestamp {
    Timestamp::utc(START + millis)
}

pub fn example(text: &str, label: &str, source: &str) -> NewRecord {
    let payload = Payload::example(text, label);
    NewRecord { collection: "mail".into(), source: source.into(), time: at(0), payload }
}

pub fn text(text: &str, time: Timestamp) -> NewRecord {
    NewRecord { collection: "me".into(), source: "keyboard".into(), time, payload: Payload::Text { text: text.into() } }
}

/// Learns one record, and returns its id.
pub fn learn(personal: &Personal, record: NewRecord) -> u64 {
    personal.learn(vec![record]).unwrap().ids[0]
}

pub fn derived(name: &str, learnt_from: &[u64], on_deletion: OnDeletion) -> Derived {
    Derived {
        collection: "mail".into(),
        name: name.into(),
        learnt_from: learnt_from.to_vec(),
        time: at(0),
        on_deletion,
        outdated: false,
        state: serde_json::json!([0.5, 1.5]),
        file: None,
    }
}

/// Whether the bytes are in any file of the folder.
pub fn is_in_folder(folder: &Path, bytes: &[u8]) -> bool {
    fs::read_dir(folder).unwrap().any(|entry| {
        let content = fs::read(entry.unwrap().path()).unwrap();
        content.windows(bytes.len()).any(|window| window == bytes)
    })
}
