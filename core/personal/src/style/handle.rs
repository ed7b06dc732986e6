//! What a store keeps of a writer's style.

use std::io::ErrorKind;
use std::path::PathBuf;

use serde_json::Value;

use super::StyleProfile;
use crate::record::check_name;
use crate::{
    Derived, Filter, Kind, Learnt, NewRecord, OnDeletion, Payload, Personal, PersonalError, Result, Timestamp,
};

/// The name of the setting with a profile that the person edited, and of the adapter among what was learnt.
const PROFILE: &str = "profile";
const ADAPTER: &str = "adapter";
/// Where edited profiles and the reports of trainings come from.
const SOURCE: &str = "style";

/// How a person writes, as a [`Personal`] knows it: their texts, their profile, and an adapter that learnt from the texts.
#[derive(Clone)]
pub struct Style {
    personal: Personal,
    name: String,
}

/// The adapter of a [`Style`].
#[derive(Debug, Clone, PartialEq)]
pub struct StyleAdapter {
    /// Its file.
    pub path: PathBuf,
    /// A text that it was learnt from has been deleted since: learn it again.
    pub outdated: bool,
    /// When it was learnt.
    pub time: Timestamp,
}

impl Personal {
    /// The style of a person, by a name such as "me". It need not exist yet.
    ///
    /// # Errors
    /// [`PersonalError::InvalidInput`] for an empty or overlong name.
    pub fn style(&self, name: &str) -> Result<Style> {
        check_name("a style", name)?;
        Ok(Style { personal: self.clone(), name: name.to_owned() })
    }
}

impl Style {
    /// Adds a text that the person wrote. `source` is where, as the person would call it.
    ///
    /// # Errors
    /// Those of [`Personal::learn`].
    pub fn learn(&self, text: &str, source: &str, time: Timestamp) -> Result<Learnt> {
        let payload = Payload::Text { text: text.to_owned() };
        self.personal.learn(vec![NewRecord { collection: self.name.clone(), source: source.to_owned(), time, payload }])
    }

    /// The profile: what the person made of it, or else what the texts show.
    ///
    /// # Errors
    /// Those of [`Personal::setting`] and [`Personal::records`].
    pub fn profile(&self) -> Result<StyleProfile> {
        match self.personal.setting(&self.name, PROFILE)? {
            None | Some(Value::Null) => Ok(StyleProfile::of(&self.texts()?.1)),
            Some(edited) => serde_json::from_value(edited)
                .map_err(|_| PersonalError::invalid_input("the edited profile is none: set it again")),
        }
    }

    /// Keeps a profile that the person edited; with `None`, the profile follows the texts again.
    ///
    /// # Errors
    /// Those of [`Personal::set`].
    pub fn set_profile(&self, profile: Option<&StyleProfile>, time: Timestamp) -> Result<()> {
        let value =
            serde_json::to_value(profile).map_err(|_| PersonalError::invalid_input("the profile is no JSON"))?;
        self.personal.set(&self.name, PROFILE, value, SOURCE, time).map(drop)
    }

    /// The adapter, if one was learnt and is still there.
    ///
    /// # Errors
    /// Those of [`Personal::derived`].
    pub fn adapter(&self) -> Result<Option<StyleAdapter>> {
        let derived = self.personal.derived(&self.name, ADAPTER)?;
        Ok(derived.and_then(|Derived { file, outdated, time, .. }| {
            let path = self.personal.folder().join(file?);
            path.exists().then_some(StyleAdapter { path, outdated, time })
        }))
    }

    /// Drops the adapter. The texts and the profile stay. The result says whether there was one.
    ///
    /// # Errors
    /// Those of [`Personal::drop_derived`].
    pub fn drop_adapter(&self) -> Result<bool> {
        self.personal.drop_derived(&self.name, ADAPTER)
    }

    /// Begins to learn an adapter from the texts. From here on, a file at [`StyleTraining::target`] counts as learnt from all of them, so that no
    /// adapter outlives its texts, whenever the process is killed.
    ///
    /// # Errors
    /// [`PersonalError::InvalidInput`] while learning is paused; those of [`Personal::put_derived`].
    pub fn begin_training(&self, on_deletion: OnDeletion, time: Timestamp) -> Result<StyleTraining> {
        if self.personal.is_paused()? {
            return Err(PersonalError::invalid_input("learning is paused: go on with it first"));
        }
        let (ids, texts) = self.texts()?;
        let mut before = self.personal.derived(&self.name, ADAPTER)?;
        before.iter_mut().for_each(|before| before.learnt_from.retain(|id| ids.contains(id)));
        let file = format!("style-{:08x}.gguf", crc32fast::hash(self.name.as_bytes()));
        let target = self.personal.folder().join(&file);
        let learnt = Derived {
            collection: self.name.clone(),
            name: ADAPTER.to_owned(),
            learnt_from: ids,
            time,
            on_deletion,
            outdated: false,
            state: Value::Null,
            file: Some(file),
        };
        // The adapter of before learnt from some of them as well.
        self.personal.put_derived(&learnt)?;
        Ok(StyleTraining { texts, target, personal: self.personal.clone(), learnt, before })
    }

    /// The ids of the texts, and the texts.
    fn texts(&self) -> Result<(Vec<u64>, Vec<String>)> {
        let records = self.personal.records(&Filter::of(&self.name, Kind::Text))?;
        Ok(records
            .into_iter()
            .filter_map(|record| match record.payload {
                Payload::Text { text } => Some((record.id, text)),
                _ => None,
            })
            .unzip())
    }
}

/// An adapter that is being learnt.
pub struct StyleTraining {
    /// The texts, in the order in which they were learnt.
    pub texts: Vec<String>,
    /// Where the adapter is to be written.
    pub target: PathBuf,
    personal: Personal,
    learnt: Derived,
    before: Option<Derived>,
}

impl StyleTraining {
    /// Ends it. With `kept`, the adapter was written to [`StyleTraining::target`]; otherwise the one of before stays. `report` is added to the
    /// records.
    ///
    /// # Errors
    /// [`PersonalError::Outdated`] if texts were deleted meanwhile: then there is no adapter any more. Those of [`Personal::put_derived`].
    pub fn end(self, kept: bool, report: Value) -> Result<()> {
        let Self { personal, learnt, before, target, texts: _ } = self;
        let (collection, time) = (learnt.collection.clone(), learnt.time);
        let outcome = match if kept { Some(learnt) } else { before } {
            Some(derived) => personal.put_derived(&derived),
            None => personal.drop_derived(&collection, ADAPTER).map(drop),
        };
        if let Err(PersonalError::Outdated) = outcome {
            personal.drop_derived(&collection, ADAPTER)?;
            if let Err(error) = std::fs::remove_file(&target)
                && error.kind() != ErrorKind::NotFound
            {
                return Err(PersonalError::Storage { path: target, reason: error.to_string() });
            }
        }
        outcome?;
        let payload = Payload::Training { kept, report };
        personal.learn(vec![NewRecord { collection, source: SOURCE.to_owned(), time, payload }]).map(drop)
    }
}
