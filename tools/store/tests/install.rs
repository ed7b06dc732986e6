//! What a download does with each kind of answer.

mod common;

use std::fs;
use std::io::Write;
use std::net::TcpStream;
use std::sync::atomic::{AtomicUsize, Ordering};

use common::{Request, Server, honest, impatient, reply, sha256};
use sotto_store::{Installed, Progress, Source, Stage, Store, StoreError};
use tempfile::TempDir;

const NAME: &str = "owner/repo:model.gguf";

fn model() -> Vec<u8> {
    (0..200_000_u32).map(|index| (index.wrapping_mul(2_654_435_761) >> 24) as u8).collect()
}

struct Case {
    server: Server,
    folder: TempDir,
}

impl Case {
    fn new(answer: impl Fn(&Request, &mut TcpStream) + Send + Sync + 'static) -> Self {
        Self { server: Server::start(answer), folder: tempfile::tempdir().expect("a folder") }
    }

    fn store(&self) -> Store {
        Store::with_patience(self.folder.path(), impatient())
    }

    fn source(&self, sha256: Option<&str>) -> Source {
        Source::parse(NAME, sha256, &self.server.hub()).expect("a name")
    }

    fn install(&self, sha256: Option<&str>) -> Result<Installed, StoreError> {
        self.store().install(&self.source(sha256), &self.server.hub(), |_| {})
    }

    /// The message of an error, which never has a secret, and nothing is installed.
    fn error(&self, sha256: Option<&str>) -> String {
        let error = self.install(sha256).expect_err("an error").to_string();
        assert!(!error.contains("hf_secret") && !error.contains("key="), "{error}");
        assert_eq!(self.store().find(&self.source(sha256)), None);
        error
    }
}

#[test]
fn a_model_is_fetched_once_and_found_by_its_name() {
    let case = Case::new(|request, stream| drop(honest(request, stream, &model(), "\"1\"")));
    let mut stages = Vec::new();
    let first = case.store().install(&case.source(None), &case.server.hub(), |Progress { stage, done, total }| {
        assert!(total == Some(200_000) && done <= 200_000);
        stages.push(stage);
    });
    let first = first.expect("installed");
    assert!(stages.starts_with(&[Stage::Downloading]) && stages.ends_with(&[Stage::Verifying]));
    assert_eq!(fs::read(&first.path).expect("readable"), model());
    assert_eq!((first.bytes, first.sha256.as_str()), (200_000, sha256(&model()).as_str()));
    assert!(first.fetched && !first.verified, "nobody has said its SHA-256");
    assert_eq!(case.store().find(&case.source(None)), Some(first.path.clone()));
    let again = case.install(Some(&sha256(&model()))).expect("there");
    assert_eq!(again, Installed { fetched: false, verified: true, ..first });
    assert_eq!(case.server.requests().len(), 1);
    let left: Vec<_> =
        fs::read_dir(again.path.parent().unwrap()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(!left.iter().any(|name| name.to_string_lossy().contains(".part")), "{left:?}");
}

#[test]
fn an_interrupted_download_goes_on_from_where_it_was() {
    static REQUESTS: AtomicUsize = AtomicUsize::new(0);
    let case = Case::new(|request, stream| match REQUESTS.fetch_add(1, Ordering::Relaxed) {
        0 => drop(reply(stream, "200 OK", &[("Content-Length", "200000"), ("ETag", "\"1\"")], &model()[..150_000])),
        _ => drop(honest(request, stream, &model(), "\"1\"")),
    });
    let installed = case.install(None).expect("installed");
    assert_eq!(fs::read(installed.path).expect("readable"), model());
    let second = &case.server.requests()[1];
    assert_eq!((second.from(), second.headers["if-range"].as_str()), (150_000, "\"1\""));
}

#[test]
fn two_versions_are_never_joined() {
    static REQUESTS: AtomicUsize = AtomicUsize::new(0);
    let other: Vec<u8> = model().iter().map(|byte| !byte).collect();
    let expected = other.clone();
    let case = Case::new(move |request, stream| match REQUESTS.fetch_add(1, Ordering::Relaxed) {
        0 => drop(reply(stream, "200 OK", &[("Content-Length", "200000"), ("ETag", "\"1\"")], &model()[..150_000])),
        // It does not know If-Range, and goes on with the other version.
        1 => {
            let headers =
                [("Content-Length", "50000"), ("Content-Range", "bytes 150000-199999/200000"), ("ETag", "\"2\"")];
            drop(reply(stream, "206 Partial Content", &headers, &other[150_000..]));
        }
        _ => drop(honest(request, stream, &other, "\"2\"")),
    });
    assert_eq!(fs::read(case.install(None).expect("installed").path).expect("readable"), expected);
}

#[test]
fn the_hub_says_the_checksum_and_gets_the_token_that_its_storage_does_not() {
    let storage = Server::start(|request, stream| drop(honest(request, stream, &model(), "\"1\"")));
    let to = format!("{}/blob?key=secret", storage.address);
    let case = Case::new(move |_, stream| {
        let etag = format!("\"{}\"", sha256(&model()));
        let headers = [("Location", to.as_str()), ("X-Linked-Size", "200000"), ("X-Linked-ETag", &etag)];
        drop(reply(stream, "302 Found", &headers, &[]));
    });
    assert!(case.install(None).expect("installed").verified);
    let asked = &case.server.requests()[0];
    assert_eq!(asked.path, "/owner/repo/resolve/main/model.gguf");
    assert_eq!(asked.headers["authorization"], "Bearer hf_secret");
    assert!(!storage.requests()[0].headers.contains_key("authorization"));
}

#[test]
fn wrong_bytes_are_not_installed() {
    let case = Case::new(|request, stream| drop(honest(request, stream, &model()[1..], "\"1\"")));
    let error = case.error(Some(&sha256(&model())));
    assert!(error.contains("its SHA-256 is another"), "{error}");
    assert_eq!(case.server.requests().len(), 1, "the same again would be no better");

    let case = Case::new(|_, stream| {
        drop(reply(stream, "200 OK", &[("Content-Type", "text/html"), ("Content-Length", "6")], b"<html>"));
    });
    assert!(case.error(None).contains("web page"));
}

#[test]
fn answers_that_end_anywhere_are_not_believed() {
    let case = Case::new(|_, stream| drop(reply(stream, "200 OK", &[], &model())));
    assert!(case.error(None).contains("does not say its size"));
    assert!(case.install(Some(&sha256(&model()))).expect("its SHA-256 tells").verified);
}

#[test]
fn refusals_say_what_to_do_and_are_not_repeated() {
    for (status, says) in
        [("404 Not Found", "check owner"), ("403 Forbidden", "HF_TOKEN"), ("401 Unauthorized", "HF_TOKEN")]
    {
        let case = Case::new(move |_, stream| drop(reply(stream, status, &[], &[])));
        let error = case.error(None);
        assert!(error.contains(says), "{error}");
        assert_eq!(case.server.requests().len(), 1);
    }
    let case = Case::new(|_, stream| drop(reply(stream, "429 Too Many Requests", &[("Retry-After", "3600")], &[])));
    assert!(case.error(None).contains("asks to wait for 3600 s"));
    assert_eq!(case.server.requests().len(), 1, "nobody waits for an hour");
}

#[test]
fn silence_and_broken_connections_are_tried_again_and_reported_without_secrets() {
    let case = Case::new(|_, stream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n1234");
        std::thread::sleep(std::time::Duration::from_secs(2));
    });
    let error = case.error(None);
    assert!(error.contains("silent"), "{error}");
    assert_eq!(case.server.requests().len(), 4);
    let case = Case::new(|_, _| {});
    let url = format!("{}/model.gguf?key=secret", case.server.address);
    let source = Source::parse(&url, None, &case.server.hub()).expect("an address");
    let error = case.store().install(&source, &case.server.hub(), |_| {}).expect_err("closed").to_string();
    assert!(!error.contains("secret"), "{error}");
}

#[test]
fn what_does_not_fit_is_not_begun() {
    let case = Case::new(|_, stream| drop(reply(stream, "200 OK", &[("Content-Length", "1000000000000000000")], &[])));
    assert!(case.error(None).contains("1000000000000000000 bytes more are needed"));
}

#[test]
fn one_process_at_a_time_downloads_a_model() {
    let case = Case::new(|request, stream| drop(honest(request, stream, &model(), "\"1\"")));
    let place = case.install(None).expect("installed").path;
    let lock = fs::File::open(place.with_file_name(".model.gguf.lock")).expect("a lock");
    lock.lock().expect("locked");
    assert!(matches!(case.install(None), Err(StoreError::InUse { .. })));
}

#[test]
fn a_damaged_model_is_fetched_again_and_a_new_version_replaces_the_old() {
    let case = Case::new(|request, stream| match request.path.contains("repo") {
        true => drop(honest(request, stream, &model(), "\"1\"")),
        false => unreachable!("one model"),
    });
    let path = case.install(None).expect("installed").path;
    let mut damaged = model();
    damaged[77] ^= 1;
    fs::write(&path, damaged).expect("written");
    assert!(case.install(None).expect("repaired").fetched);
    assert_eq!(fs::read(&path).expect("readable"), model());

    // Another version is wanted, but cannot be had: the old one stays.
    let other = sha256(b"another version");
    assert!(case.install(Some(&other)).is_err());
    assert_eq!(case.store().find(&case.source(Some(&other))), None);
    assert_eq!(case.store().find(&case.source(None)), Some(path));
}
