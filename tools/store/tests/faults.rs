//! Random faults of a server, and kills of the process: what is in the store is never a wrong model, and a good one is never lost.
//! `SOTTO_FAULTS=1000` makes more, `SOTTO_SEED` others.

mod common;

use std::env;
use std::fs;
use std::io::Write;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use common::{Request, Server, honest, impatient, reply, sha256};
use rand::rngs::Xoshiro256PlusPlus;
use rand::{RngExt, SeedableRng};
use sotto_store::{Hub, Source, Store};

const NAME: &str = "owner/repo:model.gguf";
/// What tells the test program that it is the process to kill: folder, hub, SHA-256.
const CHILD: [&str; 3] = ["SOTTO_STORE_FOLDER", "SOTTO_STORE_HUB", "SOTTO_STORE_SHA256"];

/// What is known of the model before the download: the less, the fewer lies can be noticed.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Known {
    ByApp,
    ByHub,
    Nowhere,
}

macro_rules! faults {
    ($($fault:ident),* $(,)?) => {
        /// What a server can do wrong.
        #[derive(Debug, Clone, Copy)]
        enum Fault {
            $($fault),*
        }

        const FAULTS: &[Fault] = &[$(Fault::$fault),*];
    };
}

// The first ones can be noticed without a SHA-256.
faults![
    Drop,
    Stall,
    Close,
    Garbage,
    Busy,
    Broken,
    Forbidden,
    Missing,
    Page,
    IgnoresRange,
    UnknownRange,
    OtherRange,
    Nothing,
    TooLong,
    Circle,
    Nowhere,
    // From here on only with one.
    OtherVersion,
    TooShort,
    ShiftedBytes,
    FlippedByte,
    Endless,
];
const NOTICED_WITHOUT_SHA256: usize = 16;

impl Fault {
    fn answer(self, request: &Request, stream: &mut TcpStream, model: &[u8], at: usize) -> std::io::Result<()> {
        let (len, from) = (model.len(), request.from().min(model.len()));
        let length = len.to_string();
        let whole = [("Content-Length", length.as_str()), ("ETag", "\"1\"")];
        let partial = |stream: &mut TcpStream, range: String, body: &[u8]| {
            let length = body.len().to_string();
            let headers = [("Content-Length", length.as_str()), ("Content-Range", &range), ("ETag", "\"1\"")];
            reply(stream, "206 Partial Content", &headers, body)
        };
        match self {
            Self::Drop if from > 0 => {
                let range = format!("bytes {from}-{}/{len}", len - 1);
                let headers =
                    [("Content-Length", &*(len - from).to_string()), ("Content-Range", &range), ("ETag", "\"1\"")];
                reply(stream, "206 Partial Content", &headers, &model[from..from + (len - from) * at / len])
            }
            Self::Drop => reply(stream, "200 OK", &whole, &model[..at]),
            Self::Stall => {
                reply(stream, "200 OK", &whole, &model[..at])?;
                thread::sleep(impatient().silence * 2);
                Ok(())
            }
            Self::Close => Ok(()),
            Self::Garbage => stream.write_all(&model[..at.min(5000)]),
            Self::Busy => reply(stream, "503 Service Unavailable", &[("Retry-After", "0")], &[]),
            Self::Broken => reply(stream, "500 Internal Server Error", &[], b"sorry"),
            Self::Forbidden => reply(stream, "403 Forbidden", &[], &[]),
            Self::Missing => reply(stream, "404 Not Found", &[], &[]),
            Self::Page => reply(stream, "200 OK", &[("Content-Type", "text/html"), ("Content-Length", "4")], b"page"),
            Self::IgnoresRange => reply(stream, "200 OK", &whole, model),
            Self::UnknownRange => reply(stream, "206 Partial Content", &whole, model),
            Self::OtherRange => partial(stream, format!("bytes {at}-{}/{len}", len - 1), &model[at..]),
            Self::Nothing => {
                reply(stream, "416 Range Not Satisfiable", &[("Content-Range", &format!("bytes */{at}"))], &[])
            }
            Self::TooLong => {
                reply(stream, "200 OK", &[("Content-Length", &(len + at).to_string()), ("ETag", "\"1\"")], model)
            }
            Self::Circle => reply(stream, "302 Found", &[("Location", &request.path)], &[]),
            Self::Nowhere => reply(stream, "302 Found", &[("Location", "ftp://127.0.0.1/")], &[]),
            Self::OtherVersion => {
                let other: Vec<u8> = model.iter().map(|byte| !byte).collect();
                honest(request, stream, &other, "\"2\"")
            }
            Self::TooShort => reply(stream, "200 OK", &[("Content-Length", &at.to_string())], &model[..at]),
            Self::ShiftedBytes => partial(stream, format!("bytes {from}-{}/{len}", len - 1), &model[..len - from]),
            Self::FlippedByte => {
                let mut model = model.to_vec();
                model[at] ^= 1 << (at % 8);
                honest(request, stream, &model, "\"1\"")
            }
            Self::Endless => reply(stream, "200 OK", &[], &model[..at]),
        }
    }
}

fn number(variable: &str, default: u64) -> u64 {
    env::var(variable).map_or(default, |number| number.parse().expect("a number"))
}

#[test]
fn never_a_wrong_model_and_never_a_good_one_lost() {
    if env::var_os(CHILD[0]).is_some() {
        return;
    }
    let (rounds, seed) = (number("SOTTO_FAULTS", 120), number("SOTTO_SEED", 0x5077_0026));
    println!("seed {seed}");
    let mut random = Xoshiro256PlusPlus::seed_from_u64(seed);
    let (mut kills, mut installs) = (0, 0);
    for round in 0..rounds {
        let [known, wants_kill] = [random.random_range(0..3), random.random_range(0..3)];
        let known = [Known::ByApp, Known::ByHub, Known::Nowhere][known];
        let (killed, installed) = round_of(round, known, wants_kill == 0, &mut random);
        kills += u32::from(killed);
        installs += u32::from(installed);
    }
    println!("{rounds} rounds: {installs} models installed in spite of faults, {kills} processes killed at work");
    assert!(rounds < 50 || installs > 0 && kills > 0);
}

/// Tries to replace an old version by a new one, on a server that is faulty for a while. Returns whether a process was killed, and
/// whether the new version was installed before the server became honest.
fn round_of(round: u64, known: Known, kill: bool, random: &mut Xoshiro256PlusPlus) -> (bool, bool) {
    let len = random.random_range(1_000..400_000);
    let new: Arc<Vec<u8>> = Arc::new((0..len).map(|_| random.random()).collect());
    let old: Vec<u8> = (0..random.random_range(1_000..400_000)).map(|_| random.random()).collect();
    let noticed = if known == Known::Nowhere { NOTICED_WITHOUT_SHA256 } else { FAULTS.len() };
    let faults: Vec<(Fault, usize)> = (0..random.random_range(0..4))
        .map(|_| (FAULTS[random.random_range(0..noticed)], random.random_range(0..len)))
        .collect();
    let said = format!("round {round}: {known:?}, kill {kill}, faults {faults:?}");

    let (model, count, wanted) = (Arc::clone(&new), AtomicUsize::new(0), sha256(&new));
    let storage = Server::start(move |request, stream| {
        let _ = match faults.get(count.fetch_add(1, Ordering::Relaxed)) {
            Some((fault, at)) => fault.answer(request, stream, &model, *at),
            None => honest(request, stream, &model, "\"1\""),
        };
    });
    let server = match known {
        Known::ByHub => {
            let etag = format!("\"{wanted}\"");
            let storage = storage.address.clone();
            Server::start(move |request, stream| {
                let to = format!("{storage}{}", request.path);
                drop(reply(stream, "302 Found", &[("Location", &to), ("X-Linked-ETag", &etag)], &[]));
            })
        }
        Known::ByApp | Known::Nowhere => storage,
    };

    let folder = tempfile::tempdir().expect("a folder");
    let (store, hub) = (Store::with_patience(folder.path(), impatient()), server.hub());
    // Only an app that says which version it wants can replace an old one.
    let has_old = known == Known::ByApp && random.random();
    if has_old {
        let (bytes, sha256) = (old.clone(), sha256(&old));
        let first = Server::start(move |request, stream| drop(honest(request, stream, &bytes, "\"0\"")));
        let source = Source::parse(NAME, Some(&sha256), &first.hub()).expect("a name");
        let path = store.install(&source, &first.hub(), |_| {}).expect("installed").path;
        // The two have different ports, so it moves to the place of the new one, and its record with it.
        let place = place(&store, &server);
        fs::create_dir_all(place.parent().unwrap()).expect("a folder");
        fs::rename(&path, &place).expect("moved");
        let record = |path: &Path| path.with_file_name(".model.gguf.json");
        fs::rename(record(&path), record(&place)).expect("moved");
    }
    let digest = (known == Known::ByApp).then_some(wanted.as_str());
    let source = Source::parse(NAME, digest, &hub).expect("a name");
    let check = |when: &str| {
        let there = fs::read(place(&store, &server)).ok();
        let is_new = there.as_deref() == Some(&new[..]);
        let is_old = has_old && there.as_deref() == Some(&old[..]);
        assert!(is_new || is_old || there.is_none() && !has_old, "{said}: wrong or lost {when}");
        assert!(store.find(&source).is_none() || is_new, "{said}: found a wrong one {when}");
        is_new
    };

    let killed = kill && run_and_kill(folder.path(), &server.address, digest, random.random_range(0..60));
    check("after a kill");
    let outcome = store.install(&source, &hub, |_| {});
    let installed = check("after faults");
    assert_eq!(outcome.is_ok(), installed, "{said}: {outcome:?}");
    // By now the server is honest, or will be soon.
    let done = (0..4).find_map(|_| store.install(&source, &hub, |_| {}).ok());
    assert!(check("in the end"), "{said}");
    assert_eq!(done.expect("installed").sha256, wanted, "{said}");
    let before = server.requests().len();
    assert!(!store.install(&source, &hub, |_| {}).expect("there").fetched, "{said}");
    assert_eq!(server.requests().len(), before, "{said}");
    (killed, installed)
}

/// Where the model of a server lies.
fn place(store: &Store, server: &Server) -> PathBuf {
    let host = server.address.trim_start_matches("http://").replace(':', ",");
    store.folder().join(host).join("owner/repo/resolve/main/model.gguf")
}

/// Lets another process install the model, and kills it. Returns whether it was still at work.
fn run_and_kill(folder: &Path, hub: &str, digest: Option<&str>, after: u64) -> bool {
    let mut child = Command::new(env::current_exe().expect("this program"));
    child
        .args(["the_process_to_kill", "--exact", "--nocapture", "--quiet"])
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    child.env(CHILD[0], folder).env(CHILD[1], hub).env(CHILD[2], digest.unwrap_or_default());
    let mut child = child.spawn().expect("a process");
    thread::sleep(Duration::from_millis(after));
    let at_work = child.try_wait().expect("a process").is_none();
    child.kill().expect("killed");
    child.wait().expect("ended");
    at_work
}

#[test]
fn the_process_to_kill() {
    let [Ok(folder), Ok(hub), Ok(digest)] = CHILD.map(env::var) else { return };
    let hub = Hub::new(&hub, None).expect("an address");
    let source = Source::parse(NAME, Some(digest.as_str()).filter(|digest| !digest.is_empty()), &hub).expect("a name");
    let _ = Store::with_patience(folder, impatient()).install(&source, &hub, |_| {});
}
