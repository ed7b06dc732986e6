//! What names a model, and where it lies in a store.

use std::path::PathBuf;

use url::Url;

use crate::files::Record;
use crate::hub::is_private;
use crate::{Hub, StoreError};

/// The longest part of a path.
const LONGEST_NAME: usize = 200;

/// A model on a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    pub(crate) url: Url,
    /// What messages call it.
    pub(crate) name: String,
    pub(crate) sha256: Option<String>,
    /// From the store's folder.
    pub(crate) place: PathBuf,
}

impl Source {
    /// `owner/repo:file`, `owner/repo@revision:file`, or a web address. `sha256` is what the file must have, in 64 hexadecimal
    /// digits; without it, an address must begin with `https`.
    ///
    /// # Errors
    /// [`StoreError::InvalidSource`].
    pub fn parse(text: &str, sha256: Option<&str>, hub: &Hub) -> Result<Self, StoreError> {
        let sha256 = sha256.map(|digits| digest(digits).ok_or_else(|| invalid("a SHA-256 has 64 hexadecimal digits")));
        let sha256 = sha256.transpose()?;
        let (url, name) = match on_hub(text, hub) {
            Some(url) => (url, text.to_owned()),
            None => address(text, hub)?,
        };
        if sha256.is_none() && !is_private(&url) {
            return Err(invalid("over http, anybody can change a file on its way: use https, or give its --sha256"));
        }
        let place = place(&url).ok_or_else(|| invalid("the address does not end with the name of a file"))?;
        Ok(Self { url, name, sha256, place })
    }

    /// Whether `text` has the form `owner/repo:file`, as no file of this machine usually has.
    pub fn is_on_hub(text: &str) -> bool {
        split(text).is_some()
    }

    /// Its address without what may be secret.
    pub(crate) fn address(&self) -> String {
        let mut url = self.url.clone();
        url.set_query(None);
        url.set_fragment(None);
        url.into()
    }

    /// Whether what was installed may be this model.
    pub(crate) fn allows(&self, record: &Record) -> bool {
        self.sha256.as_ref().is_none_or(|wanted| *wanted == record.sha256)
    }
}

/// A SHA-256 in small letters, if it is one.
pub(crate) fn digest(digits: &str) -> Option<String> {
    let digits = digits.to_ascii_lowercase();
    (digits.len() == 64 && digits.bytes().all(|digit| digit.is_ascii_hexdigit())).then_some(digits)
}

fn invalid(why: &str) -> StoreError {
    StoreError::InvalidSource { why: why.to_owned() }
}

/// Owner, repository, revision and file.
fn split(text: &str) -> Option<(&str, &str, &str, &str)> {
    let (repository, file) = text.split_once(':')?;
    let (repository, revision) = repository.split_once('@').unwrap_or((repository, "main"));
    let (owner, name) = repository.split_once('/')?;
    let is_name = |name: &str| {
        name.starts_with(|first: char| first.is_ascii_alphanumeric())
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
    };
    let is_file = !file.starts_with('/') && !file.ends_with('/') && !file.is_empty();
    (is_name(owner) && is_name(name) && is_file && !revision.is_empty()).then_some((owner, name, revision, file))
}

/// The address of `owner/repo:file`.
fn on_hub(text: &str, hub: &Hub) -> Option<Url> {
    let (owner, name, revision, file) = split(text)?;
    let mut url = hub.endpoint().clone();
    url.path_segments_mut().ok()?.pop_if_empty().extend([owner, name, "resolve", revision]).extend(file.split('/'));
    Some(url)
}

/// A web address, and its name in messages. That of a page about a file becomes that of the file.
fn address(text: &str, hub: &Hub) -> Result<(Url, String), StoreError> {
    let url = Url::parse(text).ok().filter(|url| url.has_host() && matches!(url.scheme(), "https" | "http"));
    let mut url = url.ok_or_else(|| invalid("a model is named owner/repo:file.gguf, or by a web address"))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(invalid("leave the password out of the address: it would be stored and shown"));
    }
    url.set_fragment(None);
    let segments: Vec<&str> = url.path_segments().into_iter().flatten().collect();
    if hub.has(&url) && segments.len() > 4 && segments[2] == "blob" {
        let path = url.path().replacen("/blob/", "/resolve/", 1);
        url.set_path(&path);
    }
    let name = format!("{}{}", url.host_str().unwrap_or_default(), url.path());
    Ok((url, name))
}

/// The server, then the address's path. Names that begin with a dot are the store's own.
fn place(url: &Url) -> Option<PathBuf> {
    let port = url.port().map_or(String::new(), |port| format!(",{port}"));
    let mut place = PathBuf::from(format!("{}{port}", readable(url.host_str()?)));
    for segment in url.path_segments()? {
        let name = readable(segment);
        if name.is_empty() || name.starts_with('.') || name.len() > LONGEST_NAME {
            return None;
        }
        place.push(name);
    }
    Some(place)
}

/// A name that every file system can have. No two of an address become one.
fn readable(segment: &str) -> String {
    let escaped = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => char::from(byte).to_string(),
        b'.' | b'_' | b'-' | b'+' | b'=' | b'@' | b'%' => char::from(byte).to_string(),
        other => format!("%{other:02X}"),
    };
    segment.bytes().map(escaped).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Source, StoreError> {
        Source::parse(text, None, &Hub::new("https://huggingface.co", None).unwrap())
    }

    #[test]
    fn names_and_addresses_of_one_file_have_one_place() {
        let place = "huggingface.co/owner/some-repo/resolve/main/a/b.gguf";
        for text in [
            "owner/some-repo:a/b.gguf",
            "owner/some-repo@main:a/b.gguf",
            "https://huggingface.co/owner/some-repo/resolve/main/a/b.gguf?download=true",
            "https://huggingface.co/owner/some-repo/blob/main/a/b.gguf",
        ] {
            let source = parse(text).expect(text);
            assert_eq!((source.place.to_str().unwrap(), source.address()), (place, format!("https://{place}")));
        }
        let revision = parse("owner/repo@refs/pr/1:a.gguf").expect("a revision");
        assert_eq!(revision.url.path(), "/owner/repo/resolve/refs%2Fpr%2F1/a.gguf");
        let elsewhere = parse("https://models.example:8443/x%20y.gguf?key=secret").expect("an address");
        assert_eq!(elsewhere.place.to_str(), Some("models.example,8443/x%20y.gguf"));
        assert_eq!(elsewhere.name, "models.example/x%20y.gguf");
    }

    #[test]
    fn nothing_leaves_the_folder_and_no_password_is_taken() {
        for text in [
            "",
            "file.gguf",
            "owner/repo",
            "owner/repo:",
            "../repo:file",
            "C:\\models\\a.gguf",
            "ftp://models.example/a.gguf",
            "https://models.example/",
            "https://models.example/.sotto",
            "owner/repo:.a.gguf.part",
            "owner/repo:a//b",
            "http://models.example/a.gguf",
            "https://user:password@models.example/a.gguf",
        ] {
            let error = parse(text).expect_err(text).to_string();
            assert!(!error.contains("password@"), "{error}");
        }
        for text in ["owner/repo:a/../../b.gguf", "https://models.example/../../etc/passwd"] {
            let place = parse(text).expect("dots are resolved").place;
            assert!(!place.to_str().unwrap().contains(".."), "{place:?}");
        }
    }
}
