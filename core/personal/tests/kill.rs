//! A process is killed at random moments, again and again: nothing that was acknowledged is lost, and nothing that was
//! deleted comes back. `SOTTO_KILLS=1000` kills more often.

mod common;

use std::collections::HashMap;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use common::{at, is_in_folder, learn, text};
use rand::rngs::Xoshiro256PlusPlus;
use rand::{RngExt, SeedableRng};
use sotto_personal::{Filter, Kind, Limits, Payload, Personal};

const FOLDER: &str = "SOTTO_KILL_TEST_FOLDER";
const ROUND: &str = "SOTTO_KILL_TEST_ROUND";

/// What the killed process had said about a record.
#[derive(Debug, Clone, PartialEq)]
enum Fate {
    Kept(String),
    /// A replacement or deletion had begun; it may have happened or not.
    Open(Vec<Option<String>>),
    Deleted(String),
}

/// The process that is killed. It says what it has done, and what it is about to do to records that are there.
#[test]
fn child() {
    let Ok(folder) = std::env::var(FOLDER) else { return };
    let round = std::env::var(ROUND).unwrap();
    let personal = Personal::open(Path::new(&folder).join("personal")).unwrap();
    for number in 0.. {
        let words = format!("unique {round} {number} words");
        let id = learn(&personal, text(&words, at(number)));
        println!("\nkept {id} {words}");
        if number % 3 == 0 {
            let words = format!("changed {round} {number} words");
            println!("\nreplacing {id} {words}");
            assert!(personal.replace(id, text(&words, at(number))).unwrap());
            println!("\nkept {id} {words}");
        }
        if number % 4 == 3 {
            println!("\ndeleting {id}");
            personal.delete(&[id]).unwrap();
            println!("\ndeleted {id}");
        }
        if number % 10 == 9 {
            personal.tidy(at(number)).unwrap();
        }
    }
}

#[test]
fn nothing_acknowledged_is_lost() {
    let kills = std::env::var("SOTTO_KILLS").map_or(200, |kills| kills.parse().unwrap());
    let seed = std::env::var("SOTTO_SEED").map_or(0x5077_0001, |seed| seed.parse().unwrap());
    println!("seed {seed}");
    let mut random = Xoshiro256PlusPlus::seed_from_u64(seed);
    let mut folder = tempfile::tempdir().unwrap();
    let mut fates: HashMap<u64, Fate> = HashMap::new();
    let mut said = 0;
    for round in 0..kills {
        if round % 25 == 0 {
            // New stores are made under fire, too, and files stay small.
            folder = tempfile::tempdir().unwrap();
            fates.clear();
        }
        let lines = run_and_kill(folder.path(), round, Duration::from_micros(random.random_range(0..60_000)));
        said += lines.len();
        lines.iter().for_each(|line| note(&mut fates, line));
        check(folder.path(), &mut fates, round);
    }
    println!("{kills} kills, {said} lines");
    assert!(said > 2 * kills);
}

/// Starts the child, kills it after a while, and returns what it said.
fn run_and_kill(folder: &Path, round: usize, delay: Duration) -> Vec<String> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child", "--nocapture", "--test-threads=1"])
        .env(FOLDER, folder)
        .env(ROUND, round.to_string())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let out = BufReader::new(child.stdout.take().unwrap());
    let reader = thread::spawn(move || out.lines().map_while(Result::ok).collect::<Vec<_>>());
    thread::sleep(delay);
    child.kill().unwrap();
    let status = child.wait().unwrap();
    assert!(status.code().is_none(), "it ended by itself: {status}");
    reader.join().unwrap()
}

fn note(fates: &mut HashMap<u64, Fate>, line: &str) {
    let mut parts = line.splitn(3, ' ');
    let (Some(what), Some(Ok(id))) = (parts.next(), parts.next().map(str::parse::<u64>)) else { return };
    let words = parts.next().unwrap_or_default().to_owned();
    let before = match fates.get(&id) {
        Some(Fate::Kept(before)) => Some(before.clone()),
        _ => None,
    };
    let fate = match what {
        "kept" => Fate::Kept(words),
        "replacing" => Fate::Open(vec![before, Some(words)]),
        "deleting" => Fate::Open(vec![before, None]),
        "deleted" => match fates.get(&id) {
            Some(Fate::Open(ways)) => Fate::Deleted(ways[0].clone().unwrap()),
            other => panic!("{other:?}"),
        },
        _ => return,
    };
    fates.insert(id, fate);
}

/// Opens the store, and compares it with what was said.
fn check(folder: &Path, fates: &mut HashMap<u64, Fate>, round: usize) {
    let personal = Personal::open(folder.join("personal")).unwrap();
    let records = personal.records(&Filter::default()).unwrap();
    assert_eq!(records.len() as u64, personal.count().unwrap(), "round {round}");
    assert_eq!(records, personal.records(&Filter::of("me", Kind::Text)).unwrap(), "round {round}");
    assert_eq!(personal.limits().unwrap(), Limits::default());
    let mut there: HashMap<u64, String> = HashMap::new();
    for record in records {
        let Payload::Text { text } = record.payload else { panic!("another kind") };
        there.insert(record.id, text);
    }
    for (id, fate) in fates.iter_mut() {
        let found = there.get(id).cloned();
        match fate {
            Fate::Kept(words) => assert_eq!(found.as_ref(), Some(&*words), "record {id}, round {round}"),
            Fate::Open(ways) => {
                assert!(ways.contains(&found), "record {id}, round {round}: {found:?}");
                *fate = found.map_or(Fate::Open(vec![None]), Fate::Kept);
            }
            Fate::Deleted(words) => {
                assert_eq!(found, None, "record {id}, round {round}");
                // Numbers end with a space, so that no other text contains this one.
                assert!(!is_in_folder(folder, words.as_bytes()), "bytes of record {id}, round {round}");
            }
        }
    }
}
