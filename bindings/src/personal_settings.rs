//! Settings in a personal store, and what was learnt from its records.

use crate::{FfiError, FfiPersonal, FfiTimestamp};

#[uniffi::export]
impl FfiPersonal {
    /// [`sotto_sdk::Personal::set`], of a value as JSON.
    pub fn set(
        &self,
        collection: &str,
        name: &str,
        json: &str,
        source: &str,
        time: FfiTimestamp,
    ) -> Result<u64, FfiError> {
        // serde's message could quote the value.
        let value = serde_json::from_str(json).map_err(|error| FfiError::InvalidInput {
            what: format!("the value is no JSON: see line {}, column {}", error.line(), error.column()),
        })?;
        Ok(self.0.set(collection, name, value, source, time.into())?)
    }

    /// [`sotto_sdk::Personal::setting`], as JSON.
    pub fn setting(&self, collection: &str, name: &str) -> Result<Option<String>, FfiError> {
        Ok(self.0.setting(collection, name)?.map(|value| value.to_string()))
    }

    /// [`sotto_sdk::Personal::drop_derived`].
    pub fn drop_derived(&self, collection: &str, name: &str) -> Result<bool, FfiError> {
        Ok(self.0.drop_derived(collection, name)?)
    }
}
