//! Labels for classification.

/// A label that a text can get.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Label {
    /// Its name: one or a few words, as the model would write it.
    pub name: String,
    /// A description for the model: when the label fits.
    pub description: Option<String>,
}

impl Label {
    /// A label with a description of when it fits.
    pub fn described(name: impl Into<String>, description: impl Into<String>) -> Self {
        Self { name: name.into(), description: Some(description.into()) }
    }
}

impl From<&str> for Label {
    fn from(name: &str) -> Self {
        name.to_owned().into()
    }
}

impl From<&String> for Label {
    fn from(name: &String) -> Self {
        name.clone().into()
    }
}

impl From<String> for Label {
    fn from(name: String) -> Self {
        Self { name, description: None }
    }
}
