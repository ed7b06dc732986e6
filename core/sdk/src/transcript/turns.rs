//! Who says a line.

/// `Name: what was said`, where the name is up to three capitalized words.
pub(super) fn speaker_line(line: &str) -> Option<(&str, &str)> {
    let (name, said) = line.split_once(':')?;
    let words: Vec<&str> = name.split_whitespace().collect();
    let is_name = (1..=3).contains(&words.len())
        && words.iter().all(|word| word.chars().next().is_some_and(|first| first.is_uppercase() || first.is_numeric()));
    (is_name && said.starts_with(' ')).then(|| (name.trim(), said.trim()))
}
