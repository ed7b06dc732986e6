//! What texts are sorted under.

/// Something that a text may be sorted under.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Label {
    /// Its name: a word or a few, as the model would write it.
    pub name: String,
    /// When it fits. The model is told.
    pub description: Option<String>,
}

impl Label {
    /// A label, and when it fits.
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
