//! Styles in a personal store, and models that write in them.

use std::sync::Arc;

use sotto_sdk::personal::{OnDeletion, Style, StyleAdapter};

use crate::{
    FfiError, FfiLearnt, FfiModel, FfiPersonal, FfiSession, FfiStyleProfile, FfiTimestamp, FfiTuneJob, FfiTuneOptions,
};

#[uniffi::export]
impl FfiPersonal {
    /// [`sotto_sdk::Personal::style`].
    pub fn style(&self, name: &str) -> Result<FfiStyle, FfiError> {
        Ok(FfiStyle(self.0.style(name)?))
    }
}

#[uniffi::export]
impl FfiModel {
    /// [`sotto_sdk::LocalModel::tune_style`].
    pub fn tune_style(
        &self,
        style: Arc<FfiStyle>,
        on_deletion: FfiOnDeletion,
        options: FfiTuneOptions,
        time: FfiTimestamp,
    ) -> Result<FfiTuneJob, FfiError> {
        Ok(self.0.tune_style(&style.0, on_deletion.into(), &options.try_into()?, time.into()).into())
    }

    /// [`sotto_sdk::LocalModel::with_style`].
    pub fn with_style(&self, style: Arc<FfiStyle>) -> Result<Self, FfiError> {
        Ok(Self(self.0.with_style(&style.0)?))
    }

    /// [`sotto_sdk::LocalModel::session_in_style`].
    pub fn session_in_style(&self, instructions: Option<String>, style: Arc<FfiStyle>) -> Result<FfiSession, FfiError> {
        Ok(FfiSession(self.0.session_in_style(instructions.as_deref(), &style.0)?))
    }
}

/// A [`Style`].
#[derive(uniffi::Object)]
pub struct FfiStyle(Style);

#[uniffi::export]
impl FfiStyle {
    /// [`Style::learn`].
    pub fn learn(&self, text: &str, source: &str, time: FfiTimestamp) -> Result<FfiLearnt, FfiError> {
        Ok(self.0.learn(text, source, time.into())?.into())
    }

    /// [`Style::profile`].
    pub fn profile(&self) -> Result<FfiStyleProfile, FfiError> {
        Ok(self.0.profile()?.into())
    }

    /// [`Style::set_profile`].
    pub fn set_profile(&self, profile: Option<FfiStyleProfile>, time: FfiTimestamp) -> Result<(), FfiError> {
        Ok(self.0.set_profile(profile.map(Into::into).as_ref(), time.into())?)
    }

    /// [`Style::adapter`].
    pub fn adapter(&self) -> Result<Option<FfiStyleAdapter>, FfiError> {
        Ok(self.0.adapter()?.map(Into::into))
    }

    /// [`Style::drop_adapter`].
    pub fn drop_adapter(&self) -> Result<bool, FfiError> {
        Ok(self.0.drop_adapter()?)
    }
}

/// Mirror of [`StyleAdapter`].
#[derive(Debug, uniffi::Record)]
#[allow(missing_docs, reason = "the fields are those of the SDK's type")]
pub struct FfiStyleAdapter {
    pub path: String,
    pub outdated: bool,
    pub time: FfiTimestamp,
}

impl From<StyleAdapter> for FfiStyleAdapter {
    fn from(StyleAdapter { path, outdated, time }: StyleAdapter) -> Self {
        Self { path: path.to_string_lossy().into_owned(), outdated, time: time.into() }
    }
}

/// Mirror of [`OnDeletion`].
#[derive(Debug, Clone, Copy, uniffi::Enum)]
#[allow(missing_docs, reason = "the variants are those of the SDK's type")]
pub enum FfiOnDeletion {
    Drop,
    Mark,
}

impl From<FfiOnDeletion> for OnDeletion {
    fn from(on_deletion: FfiOnDeletion) -> Self {
        match on_deletion {
            FfiOnDeletion::Drop => Self::Drop,
            FfiOnDeletion::Mark => Self::Mark,
        }
    }
}
