//! Texts that end.

use serde_json::{Value, json};

use super::Keywords;
use super::place::Place;
use crate::TextError;

/// Characters of a text that is not limited: a long paragraph.
const MAX_CHARACTERS: u64 = 1000;
/// Characters of a text that is only limited by a pattern.
const MAX_MATCHED: u64 = 100;

/// Characters of a text that a pattern for open ones may be held to.
const LONG_ENOUGH: u64 = 40;

/// Formats that the engine knows, and that end.
const KNOWN: [&str; 3] = ["ipv4", "ipv6", "uuid"];

/// Formats in the way that people write them: RFC 3339 for times, in years of four digits that begin with 1 or 2, and with days that
/// the months have; domains of up to four names; no quotes and comments in addresses.
const FORMATS: [(&str, &[&str]); 7] = [
    ("date", &["^", DATE, "$"]),
    ("time", &["^", TIME, "$"]),
    ("date-time", &["^", DATE, "T", TIME, "$"]),
    ("duration", &["^P(?:(?:", DAYS, ")(?:T(?:", HOURS, "))?|T(?:", HOURS, ")|[0-9]{1,4}W)$"]),
    ("email", &["^[a-zA-Z0-9_+-]{1,24}(?:\\.[a-zA-Z0-9_+-]{1,24}){0,2}@(?:", NAME, "\\.){1,3}[a-zA-Z]{2,10}$"]),
    ("hostname", &["^(?:", NAME, "\\.){0,3}", NAME, "$"]),
    (
        "uri",
        &[
            "^[a-z][a-z0-9+.-]{1,11}:(?://(?:",
            NAME,
            "\\.){0,3}",
            NAME,
            "(?::[1-9][0-9]{0,4})?)?(?:[/?#][a-zA-Z0-9._~!$&'()*+,;=:@/-]{0,120}){0,2}$",
        ],
    ),
];
const DATE: &str = "(?:[12][0-9]{3}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])|(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)|02-(?:0[1-9]|1[0-9]|2[0-8]))|(?:[12][0-9](?:0[48]|[2468][048]|[13579][26])|(?:1[26]|2[048])00)-02-29)";
const TIME: &str = "(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\\.[0-9]{1,6})?(?:Z|[+-](?:0[0-9]|1[0-4]):[0-5][0-9])";
const DAYS: &str = "[0-9]{1,4}Y(?:[0-9]{1,4}M(?:[0-9]{1,4}D)?)?|[0-9]{1,4}M(?:[0-9]{1,4}D)?|[0-9]{1,4}D";
const HOURS: &str = "[0-9]{1,4}H(?:[0-9]{1,4}M(?:[0-9]{1,4}S)?)?|[0-9]{1,4}M(?:[0-9]{1,4}S)?|[0-9]{1,4}S";
const NAME: &str = "[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,30}[a-zA-Z0-9])?";

pub(super) fn any() -> Value {
    json!({ "type": "string", "maxLength": MAX_CHARACTERS })
}

/// `open` is a pattern, of limited length, for what has none and no format.
pub(super) fn bounded(own: &Keywords, open: Option<&str>, place: &Place) -> Result<Value, TextError> {
    let text = |keyword: &str| match own.get(keyword) {
        None => Ok(None),
        Some(value) => value.as_str().map(Some).ok_or_else(|| place.refuse(format!("{keyword} must be a string"))),
    };
    let (pattern, format) = (text("pattern")?, text("format")?);
    let format_pattern = format.and_then(|format| FORMATS.iter().find(|(name, _)| *name == format));
    let format_pattern = format_pattern.map(|(_, parts)| parts.concat());
    let known_format = format.filter(|format| KNOWN.contains(format));
    let (min, max) = (place.count(own, "minLength")?.unwrap_or(0), place.count(own, "maxLength")?);
    if max.is_some_and(|max| min > max) {
        return Ok(json!(false));
    }
    let open = open.filter(|_| min == 0 && max.is_none_or(|max| max >= LONG_ENOUGH));
    let mut string = json!({ "type": "string" });
    // A format of ours makes way for a pattern of the schema's: the engine takes one.
    match (pattern, format_pattern, known_format) {
        (Some(pattern), ..) => string["pattern"] = json!(pattern),
        (None, Some(pattern), _) => string["pattern"] = json!(pattern),
        (None, None, Some(format)) => string["format"] = json!(format),
        (None, None, None) => open.into_iter().for_each(|open| string["pattern"] = json!(open)),
    }
    let ends = pattern.map_or(string.as_object().is_some_and(|string| string.len() > 1), is_finite);
    let longest = if pattern.is_some() { MAX_MATCHED } else { MAX_CHARACTERS };
    if let Some(max) = max.or((!ends).then(|| longest.max(2 * min))) {
        string["maxLength"] = json!(max);
    }
    if min > 0 {
        string["minLength"] = json!(min);
    }
    Ok(string)
}

/// Whether all that matches is plainly of limited length.
fn is_finite(pattern: &str) -> bool {
    pattern.starts_with('^') && pattern.ends_with('$') && !pattern.contains(['*', '+', '|']) && !pattern.contains(",}")
}
