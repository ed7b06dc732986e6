//! Tags and entities in the words of a cue.

/// The maximum length of a tag, in bytes.
const LONGEST_TAG: usize = 256;
/// The maximum length of an entity with its delimiters, in bytes.
const LONGEST_ENTITY: usize = 10;

const TAGS: [&str; 16] =
    ["v", "c", "i", "b", "u", "s", "font", "ruby", "rt", "lang", "p", "br", "span", "em", "strong", "tt"];

/// What a cue's line says, voice by voice: each with a name if there is one, the tags gone, the entities read.
pub(super) fn voices(line: &str) -> Vec<(Option<String>, String)> {
    let mut voices: Vec<(Option<String>, String)> = vec![(None, String::new())];
    let mut rest = line;
    while let Some(next) = rest.chars().next() {
        let said = &mut voices.last_mut().expect("there is one from the start").1;
        if let Some(tag) = tag(rest) {
            match voice(tag) {
                Some(name) => voices.push((Some(unescaped(name)), String::new())),
                None if tag.eq_ignore_ascii_case("br") || tag.eq_ignore_ascii_case("br/") => said.push(' '),
                None => {}
            }
            rest = &rest[tag.len() + 2..];
        } else if let Some((sign, length)) = entity(rest) {
            said.push(sign);
            rest = &rest[length..];
        } else {
            said.push(next);
            rest = &rest[next.len_utf8()..];
        }
    }
    voices.retain(|(name, said)| name.is_some() || !said.trim().is_empty());
    voices
}

/// What stands in the tag that `text` begins with: of a kind that captions have, or a time.
fn tag(text: &str) -> Option<&str> {
    let most = text.floor_char_boundary(LONGEST_TAG);
    let tag = text[..most].strip_prefix('<').and_then(|inner| inner.split_once('>')).map(|(tag, _)| tag)?;
    let name = tag.trim_start_matches('/').split(['.', ' ', '\t', '/']).next().unwrap_or_default().to_ascii_lowercase();
    let is_time = tag.starts_with(|first: char| first.is_ascii_digit()) && super::time::clock_or_number(tag).is_some();
    (is_time || TAGS.contains(&name.as_str())).then_some(tag)
}

/// The name in a voice tag: `v Priya`, `v.loud Priya`.
fn voice(tag: &str) -> Option<&str> {
    let (kind, name) = tag.split_once([' ', '\t'])?;
    (kind == "v" || kind.starts_with("v.")).then_some(name.trim()).filter(|name| !name.is_empty())
}

fn unescaped(text: &str) -> String {
    let mut found = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(next) = rest.chars().next() {
        let (sign, length) = entity(rest).unwrap_or((next, next.len_utf8()));
        found.push(sign);
        rest = &rest[length..];
    }
    found
}

/// The character of the entity that `text` begins with, and the entity's length.
fn entity(text: &str) -> Option<(char, usize)> {
    let most = text.floor_char_boundary(LONGEST_ENTITY);
    let (name, _) = text[..most].strip_prefix('&')?.split_once(';')?;
    let sign = match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        "nbsp" => ' ',
        "lrm" => '\u{200e}',
        "rlm" => '\u{200f}',
        _ => {
            let number = name.strip_prefix('#')?;
            let code = match number.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16),
                None => number.parse(),
            };
            char::from_u32(code.ok()?).filter(|sign| !sign.is_control())?
        }
    };
    Some((sign, name.len() + 2))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(line: &str) -> Vec<(Option<String>, String)> {
        voices(line)
    }

    fn by(name: Option<&str>, words: &str) -> (Option<String>, String) {
        (name.map(str::to_owned), words.to_owned())
    }

    #[test]
    fn tags_go_and_names_stay() {
        assert_eq!(said("<v Priya>Call <i>the</i> plumber.</v>"), [by(Some("Priya"), "Call the plumber.")]);
        assert_eq!(said("<v.loud Ana Mar&iacute;a>Hi"), [by(Some("Ana Mar&iacute;a"), "Hi")]);
        assert_eq!(said("<v A>One</v> <v B>Two"), [by(Some("A"), "One "), by(Some("B"), "Two")]);
        assert_eq!(said("un<b>believ</b>able<br>yes <00:00:01.000>now"), [by(None, "unbelievable yes now")]);
        assert_eq!(said("<font color=\"#fff\">Hi</font>"), [by(None, "Hi")]);
    }

    #[test]
    fn what_is_no_tag_stays() {
        for line in ["a < b and c > d", "<3", "mail <tom@example.org>", "<v", "a <", "x & y", "&unknown;", "&#xD800;"] {
            assert_eq!(said(line), [by(None, line)], "{line}");
        }
    }

    #[test]
    fn entities_are_read_once() {
        assert_eq!(said("Tom &amp; Co &lt;i&gt; &#39;ok&#x27; &amp;lt;"), [by(None, "Tom & Co <i> 'ok' &lt;")]);
    }
}
