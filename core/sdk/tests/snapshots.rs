//! Conversations that are saved and resumed: the answers are the same, and a file that does not fit is never used.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;
use std::{env, fs, thread};

use rand::RngExt;
use sotto::{ChatOptions, Error, KvType, LoadOptions, LocalModel, ModelFile, Reply, SamplingOptions, Session, Turn};
use tempfile::TempDir;

const INSTRUCTIONS: &str = "Answer in one sentence.";
/// In a process that only saves: where, until it is killed.
const SAVE_AT: &str = "SOTTO_TEST_SAVE_AT";

fn model(kv_type: KvType) -> LocalModel {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../sample-apps/demo-model/sotto-demo.gguf");
    let options = LoadOptions { kv_type, ..LoadOptions::default() };
    LocalModel::load_with(ModelFile::path(file), &options).expect("the demo model")
}

fn ask(session: &Session, text: &str) -> Reply {
    let sampling = SamplingOptions { temperature: 0.0, ..SamplingOptions::default() };
    session
        .respond(text, &ChatOptions { sampling, max_tokens: 20, ..ChatOptions::default() })
        .wait()
        .expect("an answer")
}

/// A conversation of two turns, and where it is saved.
fn saved(model: &LocalModel, folder: &TempDir) -> (Vec<Turn>, PathBuf, Reply) {
    let session = model.session(Some(INSTRUCTIONS)).expect("a session");
    ask(&session, "The lift is stuck. Marcus will call the service by Friday. What is wrong?");
    ask(&session, "Who will call whom, and when?");
    let (history, file) = (session.history(), folder.path().join("conversation.kv"));
    session.save(&file).wait().expect("a file");
    let next = ask(&session, "Why?");
    (history, file, next)
}

fn resume(model: &LocalModel, history: &[Turn], file: &Path) -> Reply {
    let session = model.resume_from(Some(INSTRUCTIONS), history, file).wait().expect("a session");
    assert_eq!(session.history(), history);
    ask(&session, "Why?")
}

#[test]
fn a_resumed_conversation_answers_the_same_and_reads_only_the_question() {
    for kv_type in [KvType::F16, KvType::F32] {
        let folder = TempDir::new().expect("a folder");
        let model = model(kv_type);
        let (history, file, expected) = saved(&model, &folder);
        model.trim();
        let read_again = ask(&model.resume(Some(INSTRUCTIONS), &history).expect("a session"), "Why?");
        model.trim();
        let resumed = resume(&model, &history, &file);
        assert_eq!((&resumed.text, &read_again.text), (&expected.text, &expected.text));
        assert_eq!(resumed.metrics.reused_tokens, expected.metrics.reused_tokens);
        assert!(resumed.metrics.reused_tokens > 4 * resumed.metrics.prefill_tokens, "{:?}", resumed.metrics);
        assert_eq!(read_again.metrics.reused_tokens, 0);
        // Another conversation uses what is the same at the beginning.
        let other = [Turn { question: "Hello?".into(), ..history[0].clone() }];
        assert_eq!(resume(&model, &other, &file).text, {
            let session = model.resume(Some(INSTRUCTIONS), &other).expect("a session");
            ask(&session, "Why?").text
        });
    }
}

#[test]
fn a_file_that_does_not_fit_is_read_again() {
    let folder = TempDir::new().expect("a folder");
    let model = model(KvType::F16);
    let (history, file, expected) = saved(&model, &folder);
    let bytes = fs::read(&file).expect("bytes");
    let check = |why: &str, bytes: Option<&[u8]>| {
        let damaged = folder.path().join("damaged.kv");
        match bytes {
            Some(bytes) => fs::write(&damaged, bytes).expect("a file"),
            None => drop(fs::remove_file(&damaged)),
        }
        model.trim();
        let reply = resume(&model, &history, &damaged);
        assert_eq!((&reply.text, reply.metrics.reused_tokens), (&expected.text, 0), "{why}");
    };
    check("missing", None);
    let seed: u64 = rand::random();
    println!("seed {seed}");
    let mut random = <rand::rngs::StdRng as rand::SeedableRng>::seed_from_u64(seed);
    for _ in 0..40 {
        let length = random.random_range(0..bytes.len());
        check("truncated", Some(&bytes[..length]));
        let mut flipped = bytes.clone();
        // The head is small, and has the numbers that sizes are computed from.
        let most = if random.random_bool(0.5) { 200 } else { bytes.len() };
        flipped[random.random_range(0..most)] ^= 1 << random.random_range(0..8);
        check("a flipped bit", Some(&flipped));
    }
    check("longer", Some(&[&bytes[..], &[0]].concat()));
    // A bit of the oldest token's key changes, and the checksum with it: only computing shows it.
    let mut forged = bytes.clone();
    let tokens = u32::from_le_bytes(bytes[24..28].try_into().expect("four bytes")) as usize;
    forged[28 + 4 * tokens + 1] ^= 0x40;
    let end = forged.len() - 4;
    let checksum = crc32fast::hash(&forged[..end]).to_le_bytes();
    forged[end..].copy_from_slice(&checksum);
    check("a forged file", Some(&forged));

    let session = model.session(None).expect("a session");
    assert!(matches!(session.save(&file).wait(), Err(Error::InvalidInput { .. })));
    assert!(matches!(saved_to_nowhere(&model), Err(Error::Storage { .. })));
    let other_type = self::model(KvType::F32);
    assert_eq!(resume(&other_type, &history, &file).metrics.reused_tokens, 0);
}

fn saved_to_nowhere(model: &LocalModel) -> Result<(), Error> {
    let session = model.session(Some(INSTRUCTIONS)).expect("a session");
    ask(&session, "Why?");
    session.save(Path::new("/dev/null/conversation.kv")).wait()
}

/// What the test below starts and kills.
#[test]
fn save_until_killed() {
    let Ok(file) = env::var(SAVE_AT) else { return };
    let session = model(KvType::F16).session(Some(INSTRUCTIONS)).expect("a session");
    for number in 0.. {
        ask(&session, if number % 2 == 0 { "Why?" } else { "How?" });
        session.save(Path::new(&file)).wait().expect("a file");
        if session.history().len() > 12 {
            break;
        }
    }
}

#[cfg(unix)]
#[test]
fn a_process_killed_while_it_saves_leaves_a_whole_file_or_none() {
    let folder = TempDir::new().expect("a folder");
    let file = folder.path().join("conversation.kv");
    let model = model(KvType::F16);
    let mut random = rand::rng();
    for _ in 0..12 {
        let mut child = Command::new(env::current_exe().expect("this program"))
            .args(["--exact", "save_until_killed"])
            .env(SAVE_AT, &file)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("a process");
        thread::sleep(Duration::from_millis(random.random_range(0..1500)));
        child.kill().expect("killed");
        child.wait().expect("its end");
        let resumed = model.resume_from(Some(INSTRUCTIONS), &[], &file).wait().expect("a session");
        let reply = ask(&resumed, "Why?");
        let alone = ask(&model.session(Some(INSTRUCTIONS)).expect("a session"), "Why?");
        assert_eq!(reply.text, alone.text);
        if file.exists() {
            assert!(reply.metrics.reused_tokens > 0, "a whole file");
        }
        model.trim();
    }
}
