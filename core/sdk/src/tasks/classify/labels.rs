//! Options for classification.

use std::collections::HashSet;

use crate::Error;
use crate::label::Label;

/// The default minimum confidence. Below it, a classification abstains.
pub const DEFAULT_MIN_CONFIDENCE: f64 = 0.5;

/// How to classify.
#[derive(Debug, Clone, PartialEq)]
pub struct ClassifyOptions {
    /// The labels to choose from: at least two, with different names.
    pub labels: Vec<Label>,
    /// The minimum confidence, 0 to 1. Below it, the result abstains.
    pub min_confidence: f64,
}

impl ClassifyOptions {
    /// These labels with [`DEFAULT_MIN_CONFIDENCE`].
    pub fn new(labels: impl IntoIterator<Item = impl Into<Label>>) -> Self {
        Self { labels: labels.into_iter().map(Into::into).collect(), min_confidence: DEFAULT_MIN_CONFIDENCE }
    }

    pub(crate) fn check(&self) -> Result<(), Error> {
        let is_line = |text: &str| !text.trim().is_empty() && !text.contains(['\n', '\r']);
        let mut seen = HashSet::new();
        if self.labels.len() < 2 {
            return Err(Error::invalid_input("at least two labels are needed"));
        }
        if !self.labels.iter().all(|label| is_line(&label.name) && label.description.as_deref().is_none_or(is_line)) {
            return Err(Error::invalid_input(
                "a label's name and description must not be empty or contain line breaks",
            ));
        }
        if !self.labels.iter().all(|label| seen.insert(label.name.trim())) {
            return Err(Error::invalid_input("two labels have the same name"));
        }
        if !(0.0..=1.0).contains(&self.min_confidence) {
            return Err(Error::invalid_input("the minimum confidence must be between 0 and 1"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_that_cannot_be_told_apart_are_refused() {
        for labels in [vec![], vec!["one"], vec!["a", "a"], vec!["a", "a "], vec!["a", " "], vec!["a", "b\nc"]] {
            let refused = ClassifyOptions::new(labels.clone()).check();
            assert!(matches!(refused, Err(Error::InvalidInput { .. })), "{labels:?}");
        }
        assert!(ClassifyOptions::new(["a", "b"]).check().is_ok());
        assert!(ClassifyOptions::new(["a", "a, b and c", "a b"]).check().is_ok());
        assert!(ClassifyOptions { min_confidence: f64::NAN, ..ClassifyOptions::new(["a", "b"]) }.check().is_err());
    }

    #[test]
    fn a_description_is_a_line() {
        let with = |description: &str| ClassifyOptions::new([Label::described("a", description), "b".into()]).check();
        assert!(with("when it is, well, a").is_ok());
        assert!(with("").is_err() && with("one\ntwo").is_err());
    }
}
