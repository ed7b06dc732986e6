//! A text without the habits of its writer.

use super::{Capitals, StyleProfile, emoji, parts};

impl StyleProfile {
    /// A text as somebody without these habits might have written it: without greeting, sign-off, emoji and favourite phrases, and with a
    /// capital letter at the beginning of sentences. A text that has nothing else stays.
    pub fn plain(&self, text: &str) -> String {
        let body = emoji::without(self.body(text.trim()));
        let is_favourite = |sentence: &&str| {
            let clause = parts::clauses(sentence).collect::<Vec<_>>().join(" ").to_lowercase();
            self.phrases.contains(&clause)
        };
        let sentences = parts::sentences(&body).filter(|sentence| !is_favourite(sentence));
        let plain = sentences.map(|sentence| self.plain_sentence(sentence)).collect::<Vec<_>>().join(" ");
        if plain.is_empty() { text.trim().to_owned() } else { plain }
    }

    fn plain_sentence(&self, sentence: &str) -> String {
        match self.capitals {
            None | Some(Capitals::Sentences) => sentence.split_whitespace().collect::<Vec<_>>().join(" "),
            Some(Capitals::Never) => capitalized(sentence),
            Some(Capitals::Always) => capitalized(&sentence.to_lowercase()),
        }
    }
}

/// With a capital at the beginning, and for the English "I".
fn capitalized(sentence: &str) -> String {
    let words: Vec<String> = sentence
        .split_whitespace()
        .map(|word| match word.strip_prefix('i') {
            Some(rest) if rest.chars().next().is_none_or(|next| !next.is_alphanumeric()) => format!("I{rest}"),
            _ => word.to_owned(),
        })
        .collect();
    let sentence = words.join(" ");
    let mut chars = sentence.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_the_writers_own_is_left_out() {
        let mut profile = StyleProfile {
            greeting: Some("hi {name},".into()),
            sign_off: Some("m.".into()),
            capitals: Some(Capitals::Never),
            phrases: vec!["ta".into()],
            ..StyleProfile::default()
        };
        let plain = profile.plain("hi tom, i think i've got it 😀 is it yours? ta. m.");
        assert_eq!(plain, "I think I've got it is it yours?");
        assert_eq!(profile.plain("ta. m."), "ta. m.");
        profile.capitals = Some(Capitals::Always);
        assert_eq!(profile.plain("IT IS DOWN. CALL ME."), "It is down. Call me.");
        assert_eq!(StyleProfile::default().plain(" As it is. "), "As it is.");
    }
}
