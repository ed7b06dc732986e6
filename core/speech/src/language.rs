use std::fmt;

/// A language that Whisper knows, as its ISO 639 code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Language(u8);

/// In the order of the models' language tokens; Cantonese came last, with `large-v3`.
#[rustfmt::skip]
const CODES: [&str; 100] = [
    "en", "zh", "de", "es", "ru", "ko", "fr", "ja", "pt", "tr", "pl", "ca", "nl", "ar", "sv", "it", "id", "hi", "fi",
    "vi", "he", "uk", "el", "ms", "cs", "ro", "da", "hu", "ta", "no", "th", "ur", "hr", "bg", "lt", "la", "mi", "ml",
    "cy", "sk", "te", "fa", "lv", "bn", "sr", "az", "sl", "kn", "et", "mk", "br", "eu", "is", "hy", "ne", "mn", "bs",
    "kk", "sq", "sw", "gl", "mr", "pa", "si", "km", "sn", "yo", "so", "af", "oc", "ka", "be", "tg", "sd", "gu", "am",
    "yi", "lo", "uz", "fo", "ht", "ps", "tk", "nn", "mt", "sa", "lb", "my", "bo", "tl", "mg", "as", "tt", "haw", "ln",
    "ha", "ba", "jw", "su", "yue",
];

impl Language {
    /// English: the only language of `.en` models.
    pub const ENGLISH: Self = Self(0);

    /// The language with this code, such as `en` or `de`; `None` where Whisper does not know it.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::at(CODES.iter().position(|known| known.eq_ignore_ascii_case(code))?)
    }

    /// The code, such as `en`.
    pub fn code(self) -> &'static str {
        CODES[usize::from(self.0)]
    }

    /// All languages, in the order of the models' tokens.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..CODES.len()).filter_map(Self::at)
    }

    /// The language of the models' language token `index`.
    pub(crate) fn at(index: usize) -> Option<Self> {
        let index = u8::try_from(index).ok()?;
        (usize::from(index) < CODES.len()).then_some(Self(index))
    }

    /// Its place among the models' language tokens.
    pub(crate) fn index(self) -> usize {
        usize::from(self.0)
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_its_language_and_no_other_text_is() {
        for language in Language::all() {
            assert_eq!(Language::from_code(language.code()), Some(language));
            assert_eq!(Language::at(language.index()), Some(language));
        }
        assert_eq!(Language::all().count(), 100);
        assert_eq!(Language::from_code("DE").map(Language::code), Some("de"));
        assert_eq!(Language::from_code("english"), None);
        assert_eq!(Language::from_code(""), None);
    }
}
