//! A profile as an instruction for a model.

use super::{Capitals, StyleProfile};

impl StyleProfile {
    /// A sentence that tells a model to write like that, if anything is known.
    ///
    /// It is in English, and quotes what the person edited or wrote.
    pub fn instruction(&self) -> Option<String> {
        let habits = [
            self.greeting.as_ref().map(|greeting| format!("begin with \"{greeting}\"")),
            self.capitals.map(|capitals| capitals.instruction().to_owned()),
            self.sentence_words.map(|words| format!("sentences of about {words} words")),
            self.emoji.as_ref().map(|emoji| match emoji.is_empty() {
                true => "no emoji".to_owned(),
                false => format!("emoji such as {}", emoji.join(" ")),
            }),
            (!self.phrases.is_empty()).then(|| format!("phrases such as \"{}\"", self.phrases.join("\", \""))),
            self.sign_off.as_ref().map(|sign_off| format!("end with \"{sign_off}\"")),
        ];
        let habits: Vec<String> = habits.into_iter().flatten().collect();
        (!habits.is_empty()).then(|| format!("Write as the user writes: {}.", habits.join("; ")))
    }
}

impl Capitals {
    fn instruction(self) -> &'static str {
        match self {
            Self::Sentences => "a capital letter at the beginning of sentences",
            Self::Never => "lower-case letters only, also at the beginning of sentences",
            Self::Always => "capital letters only",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_says_what_is_known() {
        let mut profile = StyleProfile::default();
        assert_eq!(profile.instruction(), None);
        profile.sign_off = Some("m.".into());
        profile.emoji = Some(Vec::new());
        assert_eq!(profile.instruction().as_deref(), Some("Write as the user writes: no emoji; end with \"m.\"."));
        profile.capitals = Some(Capitals::Never);
        profile.greeting = Some("hi {name},".into());
        profile.phrases = vec!["ta".into(), "no rush".into()];
        profile.emoji = Some(vec!["😀".into(), ":)".into()]);
        profile.sentence_words = Some(9);
        let expected = "Write as the user writes: begin with \"hi {name},\"; lower-case letters only, also at the beginning of sentences; \
                        sentences of about 9 words; emoji such as 😀 :); phrases such as \"ta\", \"no rush\"; end with \"m.\".";
        assert_eq!(profile.instruction().as_deref(), Some(expected));
    }
}
