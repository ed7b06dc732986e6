//! What an app learns about its user, in one file on the device: [`Personal`]. All of it can be listed, exported, deleted
//! and paused. [`Items`] recommends from it, and [`Examples`] teach labels.
//!
//! ```
//! use sotto_personal::{Filter, NewRecord, Payload, Personal, Timestamp};
//!
//! # let folder = tempfile::tempdir()?;
//! # let file = folder.path().join("personal");
//! let personal = Personal::open(&file)?;
//! let example = Payload::example("Lunch on Friday?", "friends");
//! let learnt = personal.learn(vec![NewRecord {
//!     collection: "mail".into(),
//!     source: "Inbox".into(),
//!     time: Timestamp::utc(1_796_078_069_000),
//!     payload: example,
//! }])?;
//! assert_eq!(personal.records(&Filter::default())?.len(), 1);
//! personal.delete(&learnt.ids)?;                       // no byte of the text is in the file any more
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! This crate knows no model and no clock: vectors, times and seeds are passed to it.
#![forbid(unsafe_code)]

mod error;
mod examples;
mod items;
mod record;
mod store;
mod style;
mod time;

pub use error::{PersonalError, Result};
pub use examples::{Examples, Features, Judgement, NearestExample, Unseen};
pub use items::{ItemEvent, Items, Near, Query, Reason, Recommendation};
pub use record::{
    Deletion, Derived, DerivedChange, Event, Filter, Item, Kind, Learnt, NewRecord, OnDeletion, Payload, Record,
};
pub use store::{Imported, Limits, Personal};
pub use style::{Capitals, Style, StyleAdapter, StyleProfile, StyleTraining};
pub use time::Timestamp;
