//! Where in a schema something is, in the words of the value that it describes.

use serde_json::Value;

use super::Keywords;
use crate::TextError;

/// The path of a property: `order.items[].price`.
#[derive(Clone)]
pub(super) struct Place(String);

impl Place {
    pub(super) fn root() -> Self {
        Self(String::new())
    }

    pub(super) fn property(&self, name: &str) -> Self {
        Self(if self.0.is_empty() { name.to_owned() } else { format!("{}.{name}", self.0) })
    }

    pub(super) fn item(&self) -> Self {
        Self(format!("{}[]", self.0))
    }

    pub(super) fn refuse(&self, why: impl AsRef<str>) -> TextError {
        TextError::InvalidConstraint { why: format!("{self}: {}", why.as_ref()) }
    }

    /// A limit that is a count.
    pub(super) fn count(&self, keywords: &Keywords, keyword: &str) -> Result<Option<u64>, TextError> {
        let Some(value) = keywords.get(keyword) else { return Ok(None) };
        // Some tools write 3.0.
        let count =
            value.as_u64().or_else(|| value.as_f64().filter(|it| it.fract() == 0.0 && *it >= 0.0).map(|it| it as u64));
        count.map(Some).ok_or_else(|| self.refuse(format!("{keyword} must be a whole number of at least 0")))
    }

    /// A list, empty where there is none.
    pub(super) fn list<'a>(&self, value: Option<&'a Value>, keyword: &str) -> Result<&'a [Value], TextError> {
        match value {
            None => Ok(&[]),
            Some(Value::Array(list)) => Ok(list),
            Some(_) => Err(self.refuse(format!("{keyword} must be a list"))),
        }
    }

    /// Schemas by name, none where there are none.
    pub(super) fn map<'a>(
        &self,
        keywords: &'a Keywords,
        keyword: &str,
    ) -> Result<impl Iterator<Item = (&'a String, &'a Value)>, TextError> {
        match keywords.get(keyword) {
            None => Ok(None.into_iter().flatten()),
            Some(Value::Object(map)) => Ok(Some(map).into_iter().flatten()),
            Some(_) => Err(self.refuse(format!("{keyword} must give a schema for each name"))),
        }
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(if self.0.is_empty() { "the schema" } else { &self.0 })
    }
}
