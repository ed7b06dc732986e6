//! What a server's reply means for an unfinished download.

use std::time::Duration;

use ureq::http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG, RETRY_AFTER};
use ureq::http::{HeaderMap, HeaderName};

/// What to do with the body of a reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Meaning {
    /// The whole model, with its size and the strong name of its version, if they are known.
    Whole {
        bytes: Option<u64>,
        etag: Option<String>,
    },
    /// The model from a byte on, and its size.
    Rest {
        from: u64,
        bytes: u64,
        etag: Option<String>,
    },
    /// The model has this size, and there is nothing after that.
    Nothing {
        bytes: u64,
    },
    NotFound,
    Denied {
        status: u16,
    },
    /// It may work later; the server may say when.
    Later {
        why: String,
        wait: Option<Duration>,
    },
    /// It will not work.
    Never {
        why: String,
    },
}

impl Meaning {
    pub fn of(status: u16, headers: &HeaderMap) -> Self {
        let later = |why: &str| Self::Later { why: why.to_owned(), wait: None };
        match status {
            200 | 206 if text(headers, CONTENT_ENCODING).is_some_and(|encoding| encoding != "identity") => {
                Self::Never { why: "the server compresses it: use another server".into() }
            }
            200 if text(headers, CONTENT_TYPE).is_some_and(|kind| kind.starts_with("text/html")) => Self::Never {
                why: "the server sent a web page: give the address of the file, and check whether the network wants a login"
                    .into(),
            },
            200 => Self::Whole { bytes: number(headers, CONTENT_LENGTH), etag: strong_etag(headers) },
            206 => match text(headers, CONTENT_RANGE).and_then(range) {
                Some((from, bytes)) => Self::Rest { from, bytes, etag: strong_etag(headers) },
                None => later("the server sent a part of the file, but not which"),
            },
            416 => match text(headers, CONTENT_RANGE).and_then(|range| range.strip_prefix("bytes */")?.parse().ok()) {
                Some(bytes) => Self::Nothing { bytes },
                None => later("the server has nothing from there on"),
            },
            401 | 403 => Self::Denied { status },
            404 | 410 => Self::NotFound,
            408 | 425 | 429 | 500..=599 => {
                let wait = number(headers, RETRY_AFTER).map(Duration::from_secs);
                Self::Later { why: format!("the server is busy (status {status})"), wait }
            }
            _ => Self::Never { why: format!("the server answered with status {status}") },
        }
    }
}

fn text(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name)?.to_str().ok()
}

fn number(headers: &HeaderMap, name: HeaderName) -> Option<u64> {
    text(headers, name)?.trim().parse().ok()
}

/// Weak names are also those of files with other bytes.
fn strong_etag(headers: &HeaderMap) -> Option<String> {
    text(headers, ETAG).filter(|etag| etag.starts_with('"')).map(str::to_owned)
}

/// `bytes FROM-LAST/SIZE` up to the end.
fn range(text: &str) -> Option<(u64, u64)> {
    let (range, bytes) = text.strip_prefix("bytes ")?.split_once('/')?;
    let (from, last) = range.split_once('-')?;
    let (from, last, bytes): (u64, u64, u64) = (from.parse().ok()?, last.parse().ok()?, bytes.parse().ok()?);
    (from <= last && last.checked_add(1)? == bytes).then_some((from, bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meaning(status: u16, headers: &[(HeaderName, &str)]) -> Meaning {
        Meaning::of(status, &headers.iter().map(|(name, value)| (name.clone(), value.parse().unwrap())).collect())
    }

    #[test]
    fn ranges_that_do_not_end_with_the_file_are_not_believed() {
        let rest = |range| meaning(206, &[(CONTENT_RANGE, range)]);
        assert_eq!(rest("bytes 5-9/10"), Meaning::Rest { from: 5, bytes: 10, etag: None });
        for wrong in ["bytes 5-8/10", "bytes 9-5/6", "bytes 5-9/*", "5-9/10", "bytes 0-18446744073709551615/1"] {
            assert!(matches!(rest(wrong), Meaning::Later { .. }), "{wrong}");
        }
        assert!(matches!(meaning(206, &[]), Meaning::Later { .. }));
        assert_eq!(meaning(416, &[(CONTENT_RANGE, "bytes */10")]), Meaning::Nothing { bytes: 10 });
    }

    #[test]
    fn pages_and_compressed_files_are_no_models() {
        for header in [(CONTENT_TYPE, "text/html; charset=utf-8"), (CONTENT_ENCODING, "gzip")] {
            assert!(matches!(meaning(200, &[header]), Meaning::Never { .. }));
        }
        let weak = meaning(200, &[(ETAG, "W/\"1\""), (CONTENT_LENGTH, "7")]);
        assert_eq!(weak, Meaning::Whole { bytes: Some(7), etag: None });
    }

    #[test]
    fn a_busy_server_says_how_long_to_wait() {
        let busy = meaning(429, &[(RETRY_AFTER, "7")]);
        assert!(matches!(busy, Meaning::Later { wait: Some(wait), .. } if wait == Duration::from_secs(7)));
        assert!(matches!(meaning(503, &[]), Meaning::Later { wait: None, .. }));
    }
}
