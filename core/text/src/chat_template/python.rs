//! Functions of Python and Jinja2 that chat templates use and minijinja lacks.

use minijinja::formatting::{FormatStyle, format};
use minijinja::value::{Kwargs, Tuple, ValueKind, from_args};
use minijinja::{Environment, Error, ErrorKind, State, Value};

use super::budget;

/// The longest text that a method fills up to, in characters.
const MAX_WIDTH: usize = 1 << 16;

pub(super) fn add_to(environment: &mut Environment<'static>) {
    environment.set_unknown_method_callback(method);
    environment.add_filter("percent", percent);
    environment.add_filter("trim", trim);
    environment.add_filter("replace", replace);
    environment.add_filter("int", int);
    environment.add_filter("indent", indent);
    for name in ["default", "d"] {
        environment.add_filter(name, default);
    }
    for name in ["length", "count"] {
        environment.add_filter(name, length);
    }
    environment.add_test("sequence", |value: &Value| {
        value.is_undefined() || matches!(value.kind(), ValueKind::String | ValueKind::Seq | ValueKind::Map)
    });
    environment.add_test("iterable", |value: &Value| !value.is_none() && value.try_iter().is_ok());
    environment.add_test("callable", |value: &Value| matches!(value.kind(), ValueKind::Undefined | ValueKind::Plain));
}

/// `text % value`.
fn percent(text: &str, value: &Value) -> Result<String, Error> {
    budget::limit(value)?;
    match value.downcast_object_ref::<Tuple>() {
        Some(_) => format(FormatStyle::Printf, text, &value.try_iter()?.collect::<Vec<_>>()),
        None if value.kind() == ValueKind::Map => {
            let named: Vec<_> = value
                .try_iter()?
                .map(|key| Ok((key.to_string(), value.get_item(&key)?)))
                .collect::<Result<_, Error>>()?;
            format(FormatStyle::Printf, text, &[Kwargs::from_iter(named).into()])
        }
        None => format(FormatStyle::Printf, text, std::slice::from_ref(value)),
    }
}

fn trim(value: &Value, characters: Option<String>) -> String {
    strip(&value.to_string(), characters.as_deref(), true, true).to_owned()
}

fn replace(value: &Value, old: &str, new: &str, count: Option<usize>) -> Result<String, Error> {
    let (text, count) = (value.to_string(), count.unwrap_or(usize::MAX));
    spend_replaced(&text, old, new, count)?;
    Ok(text.replacen(old, new, count))
}

fn spend_replaced(text: &str, old: &str, new: &str, count: usize) -> Result<(), Error> {
    budget::spend(text.matches(old).take(count).count().saturating_mul(new.len()))
}

fn default(value: &Value, other: Option<Value>, also_if_false: Option<bool>, named: Kwargs) -> Result<Value, Error> {
    let also_if_false = also_if_false.or(named.get("boolean")?).unwrap_or(false);
    let other = other.or(named.get("default_value")?).unwrap_or_else(|| Value::from(""));
    named.assert_all_used()?;
    let is_missing = value.is_undefined() || (also_if_false && !value.is_true());
    Ok(if is_missing { other } else { value.clone() })
}

/// Jinja keeps a line end at the end, and takes a text to indent by.
fn indent(
    text: &Value,
    width: Option<Value>,
    first: Option<bool>,
    blank: Option<bool>,
    named: Kwargs,
) -> Result<String, Error> {
    let by = match width.or(named.get("width")?) {
        Some(by) if by.as_str().is_some() => by.to_string(),
        by => " ".repeat(by.map_or(Ok(4), usize::try_from)?.min(MAX_WIDTH)),
    };
    let first = first.or(named.get("first")?).unwrap_or(false);
    let blank = blank.or(named.get("blank")?).unwrap_or(false);
    named.assert_all_used()?;
    let text = format!("{text}\n");
    let indented = split_lines(&text).into_iter().enumerate().map(|(index, (line, _))| match index {
        0 if first => format!("{by}{line}"),
        0 => line.to_owned(),
        _ if blank || !line.is_empty() => format!("{by}{line}"),
        _ => String::new(),
    });
    Ok(indented.collect::<Vec<_>>().join("\n"))
}

/// What is no number is 0 in Jinja.
fn int(state: &State, value: &Value, default: Option<Value>, base: Option<u32>, named: Kwargs) -> Result<Value, Error> {
    let default = default.or(named.get("default")?).unwrap_or_else(|| Value::from(0));
    minijinja::filters::int(state, value, Some(default), base, named)
}

/// What is undefined has no length in minijinja, and none as in 0 in Jinja.
fn length(value: &Value) -> Result<usize, Error> {
    match value.is_undefined() {
        true => Ok(0),
        false => value.len().ok_or_else(|| Error::new(ErrorKind::InvalidOperation, "it has no length")),
    }
}

fn method(state: &mut State, value: &Value, name: &str, args: &[Value]) -> Result<Value, Error> {
    args.iter().try_for_each(budget::limit)?;
    if let Some(text) = value.as_str()
        && let Some(answer) = text_method(text, name, args)?
    {
        return Ok(answer);
    }
    if value.kind() == ValueKind::Seq && name == "index" {
        let (wanted,): (&Value,) = from_args(args)?;
        return value.try_iter()?.position(|item| item == *wanted).map(Value::from).ok_or_else(not_found);
    }
    minijinja_contrib::pycompat::unknown_method_callback(state, value, name, args)
}

/// Methods of `str` that minijinja lacks, or has with fewer arguments.
fn text_method(text: &str, name: &str, args: &[Value]) -> Result<Option<Value>, Error> {
    let answer = match name {
        "join" => {
            let (items,): (&Value,) = from_args(args)?;
            budget::spend_joined(items, text)?;
            return Ok(None);
        }
        "replace" => {
            if let [old, new, ..] = args {
                spend_replaced(text, old.as_str().unwrap_or_default(), new.as_str().unwrap_or_default(), usize::MAX)?;
            }
            return Ok(None);
        }
        "split" => split(text, args)?,
        "rsplit" => split_from_right(text, args)?,
        "splitlines" => lines(text, args)?,
        "partition" => {
            let (separator,): (&str,) = from_args(args)?;
            let parts = text.split_once(separator).map(|(before, after)| [before, separator, after]);
            Value::from(Tuple::from(parts.unwrap_or([text, "", ""]).map(Value::from)))
        }
        "rpartition" => {
            let (separator,): (&str,) = from_args(args)?;
            let parts = text.rsplit_once(separator).map(|(before, after)| [before, separator, after]);
            Value::from(Tuple::from(parts.unwrap_or(["", "", text]).map(Value::from)))
        }
        "strip" | "lstrip" | "rstrip" => {
            let (characters,): (Option<&str>,) = from_args(args)?;
            Value::from(strip(text, characters, name != "rstrip", name != "lstrip"))
        }
        "removeprefix" => {
            let (prefix,): (&str,) = from_args(args)?;
            Value::from(text.strip_prefix(prefix).unwrap_or(text))
        }
        "removesuffix" => {
            let (suffix,): (&str,) = from_args(args)?;
            Value::from(text.strip_suffix(suffix).unwrap_or(text))
        }
        "find" | "index" => position(text, args, name == "index", |part, wanted| part.find(wanted))?,
        "rfind" | "rindex" => position(text, args, name == "rindex", |part, wanted| part.rfind(wanted))?,
        "title" => Value::from(title(text)),
        "swapcase" => Value::from(text.chars().map(swapped).collect::<String>()),
        "casefold" => Value::from(text.to_lowercase()),
        "ljust" | "rjust" | "center" => justified(text, name, args)?,
        "zfill" => {
            let (width,): (usize,) = from_args(args)?;
            let (sign, digits) = text.split_at(usize::from(text.starts_with(['-', '+'])));
            Value::from(format!("{sign}{}{digits}", "0".repeat(missing(text, width))))
        }
        _ => return Ok(None),
    };
    Ok(Some(answer))
}

fn not_found() -> Error {
    Error::new(ErrorKind::InvalidOperation, "it is not found")
}

/// What Python takes for white space, which includes four separators that Unicode does not.
fn is_space(character: char) -> bool {
    character.is_whitespace() || ('\u{1C}'..='\u{1F}').contains(&character)
}

fn strip<'a>(text: &'a str, characters: Option<&str>, at_start: bool, at_end: bool) -> &'a str {
    let is_stripped = |character| characters.map_or(is_space(character), |all| all.contains(character));
    let text = if at_start { text.trim_start_matches(is_stripped) } else { text };
    if at_end { text.trim_end_matches(is_stripped) } else { text }
}

/// The separator of a split, and the most pieces that it gives.
fn split_arguments(args: &[Value]) -> Result<(Option<String>, usize), Error> {
    let (separator, most, named): (Option<String>, Option<i64>, Kwargs) = from_args(args)?;
    let separator = if named.has("sep") { named.get("sep")? } else { separator };
    let most = if named.has("maxsplit") { named.get("maxsplit")? } else { most };
    named.assert_all_used()?;
    if separator.as_deref() == Some("") {
        return Err(Error::new(ErrorKind::InvalidOperation, "the separator is empty"));
    }
    let most = most.and_then(|most| usize::try_from(most).ok()).map_or(usize::MAX, |most| most.saturating_add(1));
    Ok((separator, most))
}

fn split(text: &str, args: &[Value]) -> Result<Value, Error> {
    let (separator, most) = split_arguments(args)?;
    if let Some(separator) = separator {
        return Ok(text.splitn(most, &separator).collect());
    }
    let mut pieces = Vec::new();
    let mut rest = text.trim_start_matches(is_space);
    while !rest.is_empty() {
        let end = if pieces.len() + 1 < most { rest.find(is_space) } else { None };
        let (piece, behind) = rest.split_at(end.unwrap_or(rest.len()));
        pieces.push(piece);
        rest = behind.trim_start_matches(is_space);
    }
    Ok(pieces.into_iter().collect())
}

fn split_from_right(text: &str, args: &[Value]) -> Result<Value, Error> {
    let (separator, most) = split_arguments(args)?;
    let mut pieces = Vec::new();
    if let Some(separator) = separator {
        pieces.extend(text.rsplitn(most, &separator));
    } else {
        let mut rest = text.trim_end_matches(is_space);
        while !rest.is_empty() {
            let space = if pieces.len() + 1 < most { rest.char_indices().rfind(|&(_, it)| is_space(it)) } else { None };
            let (before, piece) = rest.split_at(space.map_or(0, |(at, it)| at + it.len_utf8()));
            pieces.push(piece);
            rest = before.trim_end_matches(is_space);
        }
    }
    Ok(pieces.into_iter().rev().collect())
}

fn lines(text: &str, args: &[Value]) -> Result<Value, Error> {
    let (keep, named): (Option<bool>, Kwargs) = from_args(args)?;
    let keep = keep.or(named.get("keepends")?).unwrap_or(false);
    named.assert_all_used()?;
    Ok(split_lines(text)
        .into_iter()
        .map(|(line, end)| if keep { format!("{line}{end}") } else { line.to_owned() })
        .collect())
}

/// A text's lines and their ends, as Python finds them.
fn split_lines(text: &str) -> Vec<(&str, &str)> {
    let is_end =
        |character| matches!(character, '\n'..='\r' | '\u{1C}'..='\u{1E}' | '\u{85}' | '\u{2028}' | '\u{2029}');
    let mut lines = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (line, behind) = rest.split_at(rest.find(is_end).unwrap_or(rest.len()));
        let length = match behind.chars().next() {
            Some('\r') if behind.starts_with("\r\n") => 2,
            end => end.map_or(0, char::len_utf8),
        };
        let (end, next) = behind.split_at(length);
        lines.push((line, end));
        rest = next;
    }
    lines
}

/// Where a text is found, in characters; if it is not, -1 or an error.
fn position(
    text: &str,
    args: &[Value],
    must_be_there: bool,
    find: impl Fn(&str, &str) -> Option<usize>,
) -> Result<Value, Error> {
    let (wanted, start, end): (&str, Option<i64>, Option<i64>) = from_args(args)?;
    let length = text.chars().count();
    // Negative places count from the end.
    let place = |index: i64| match usize::try_from(index) {
        Ok(index) => index,
        Err(_) => length.saturating_sub(usize::try_from(index.unsigned_abs()).unwrap_or(length)),
    };
    let (start, end) = (start.map_or(0, place), end.map_or(length, place).min(length));
    let part: String = text.chars().take(end).skip(start).collect();
    match find(&part, wanted).filter(|_| start <= end) {
        Some(at) => Ok(Value::from(start + part[..at].chars().count())),
        None if must_be_there => Err(not_found()),
        None => Ok(Value::from(-1)),
    }
}

/// Each letter behind none in upper case, and the others in lower case.
fn title(text: &str) -> String {
    let mut titled = String::with_capacity(text.len());
    let mut in_word = false;
    for character in text.chars() {
        match in_word {
            true => titled.extend(character.to_lowercase()),
            false => titled.extend(character.to_uppercase()),
        }
        in_word = character.is_alphabetic();
    }
    titled
}

fn swapped(character: char) -> String {
    if character.is_uppercase() { character.to_lowercase().collect() } else { character.to_uppercase().collect() }
}

/// How many characters a text lacks to be this wide.
fn missing(text: &str, width: usize) -> usize {
    width.min(MAX_WIDTH).saturating_sub(text.chars().count())
}

fn justified(text: &str, method: &str, args: &[Value]) -> Result<Value, Error> {
    let (width, fill): (usize, Option<char>) = from_args(args)?;
    let missing = missing(text, width);
    let before = match method {
        "ljust" => 0,
        "rjust" => missing,
        // As Python puts the odd one.
        _ => missing / 2 + (missing & width & 1),
    };
    let filled = |count: usize| fill.unwrap_or(' ').to_string().repeat(count);
    Ok(Value::from(format!("{}{text}{}", filled(before), filled(missing - before))))
}
