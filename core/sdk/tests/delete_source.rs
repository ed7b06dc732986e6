//! Model files that are deleted once they are packed: their copies are found without them, and never taken for another's.

mod common;

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use common::{NOTE, demo, demo_path};
use sotto::{CompletionOptions, Error, LoadOptions, LocalModel, ModelFile, Prompt, SamplingOptions};
use sotto_synth::{Quantization, Shape, SynthOptions, synthesize};
use tempfile::TempDir;

/// What tells the test program that it is the process to kill: its model, and its cache folder.
const CHILD: [&str; 2] = ["SOTTO_DELETED_MODEL", "SOTTO_DELETED_CACHE"];

fn load(model: &Path, cache: &Path, delete: bool) -> Result<LocalModel, Error> {
    let options = LoadOptions {
        cache_folder: Some(cache.to_owned()),
        delete_source_after_packing: delete,
        threads: Some(1),
        ..LoadOptions::default()
    };
    LocalModel::load_with(ModelFile::path(model), &options)
}

fn answer(model: &LocalModel) -> String {
    let options = CompletionOptions { sampling: SamplingOptions::default(), max_tokens: 8, format: None };
    model.complete(Prompt::Text(NOTE.into()), &options).wait().expect("an answer").text
}

fn is_not_found(outcome: Result<LocalModel, Error>) -> bool {
    matches!(outcome, Err(Error::ModelNotFound { .. }))
}

/// The demo model as `folder`/model.gguf.
fn demo_in(folder: &Path) -> PathBuf {
    fs::create_dir_all(folder).expect("a folder");
    let model = folder.join("model.gguf");
    fs::copy(demo_path(), &model).expect("copied");
    model
}

fn folders() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let cache = folder.path().join("app/cache");
    (folder, cache)
}

#[test]
fn a_deleted_model_is_loaded_by_its_path_also_where_the_app_has_moved() {
    let (folder, cache) = folders();
    let model = demo_in(&folder.path().join("app/models"));
    let expected = answer(&demo());
    assert_eq!(answer(&load(&model, &cache, true).expect("packed")), expected);
    assert!(!model.exists());
    for delete in [true, false] {
        assert_eq!(answer(&load(&model, &cache, delete).expect("found")), expected);
    }
    let moved = folder.path().join("updated");
    fs::rename(folder.path().join("app"), &moved).expect("moved");
    assert_eq!(answer(&load(&moved.join("models/model.gguf"), &moved.join("cache"), true).expect("found")), expected);
    assert!(is_not_found(load(&model, &cache, true)));
}

#[test]
fn what_was_packed_before_is_deleted_too() {
    let (folder, cache) = folders();
    let model = demo_in(folder.path());
    load(&model, &cache, false).expect("packed");
    assert!(model.exists());
    load(&model, &cache, true).expect("found");
    assert!(!model.exists());
    load(&model, &cache, false).expect("found");
}

#[test]
fn the_copy_of_another_model_is_never_taken() {
    let (folder, cache) = folders();
    let [one, two, three] = ["one", "two", "three"].map(|name| folder.path().join(name).join("model.gguf"));
    demo_in(one.parent().expect("a folder"));
    fs::create_dir_all(two.parent().expect("a folder")).expect("a folder");
    let shape = Shape::named("tiny").expect("a shape");
    let options = SynthOptions::new(shape, Quantization::named("q8_0").expect("a format"));
    synthesize(&options, &two, |_, _| {}).expect("a model");
    let random = fs::read(&two).expect("readable");
    let expected = [&one, &two].map(|model| answer(&load(model, &cache, true).expect("packed")));
    assert_ne!(expected[0], expected[1]);
    assert_eq!([&one, &two].map(|model| answer(&load(model, &cache, true).expect("found"))), expected);
    fs::create_dir_all(three.parent().expect("a folder")).expect("a folder");
    assert!(is_not_found(load(&three, &cache, true)), "it has the same name, but never was there");

    // Another version comes, and goes without having been packed and deleted.
    fs::write(&one, random).expect("written");
    assert_eq!(answer(&load(&one, &cache, false).expect("loads")), expected[1]);
    fs::remove_file(&one).expect("removed");
    assert!(is_not_found(load(&one, &cache, true)));
}

#[test]
fn a_damaged_copy_is_not_used_and_no_link_is_deleted() {
    let (folder, cache) = folders();
    let model = demo_in(folder.path());
    let link = folder.path().join("link.gguf");
    std::os::unix::fs::symlink(&model, &link).expect("a link");
    load(&link, &cache, true).expect("loads");
    assert!(link.exists() && model.exists());
    load(&model, &cache, true).expect("packed");
    assert!(!model.exists());
    for copy in fs::read_dir(&cache).expect("a folder") {
        let copy = fs::OpenOptions::new().write(true).open(copy.expect("an entry").path()).expect("a copy");
        copy.set_len(1000).expect("shortened");
    }
    assert!(is_not_found(load(&model, &cache, true)));
}

#[test]
fn without_a_cache_folder_or_a_path_nothing_can_be_deleted() {
    let options = LoadOptions { delete_source_after_packing: true, ..LoadOptions::default() };
    let refused = LocalModel::load_with(ModelFile::path(demo_path()), &options);
    assert!(matches!(refused, Err(Error::InvalidInput { .. })));
    let (_folder, cache) = folders();
    let options = LoadOptions { cache_folder: Some(cache), ..options };
    let refused = LocalModel::load_with(ModelFile::descriptor(0, 0, None), &options);
    assert!(matches!(refused, Err(Error::InvalidInput { .. })));
}

#[test]
fn a_killed_process_leaves_the_model_or_its_copy() {
    if env::var_os(CHILD[0]).is_some() {
        return;
    }
    let expected = answer(&demo());
    let (mut deleted, mut kept) = (0, 0);
    for round in 0..30 {
        let (folder, cache) = folders();
        let model = demo_in(&folder.path().join("models"));
        let mut child = Command::new(env::current_exe().expect("this program"));
        child.args(["the_process_to_kill", "--exact", "--quiet"]).stdout(Stdio::null()).stderr(Stdio::null());
        child.env(CHILD[0], &model).env(CHILD[1], &cache);
        let mut child = child.spawn().expect("a process");
        thread::sleep(Duration::from_millis(round * 5));
        child.kill().expect("killed");
        child.wait().expect("ended");
        let is_deleted = !model.exists();
        deleted += u32::from(is_deleted);
        kept += u32::from(!is_deleted);
        assert!(is_deleted || fs::read(&model).expect("readable") == fs::read(demo_path()).expect("readable"));
        assert_eq!(answer(&load(&model, &cache, true).expect("the model or its copy")), expected, "round {round}");
        assert!(!model.exists());
    }
    println!("killed before the model was deleted: {kept}, after it: {deleted}");
}

#[test]
fn the_process_to_kill() {
    let [Ok(model), Ok(cache)] = CHILD.map(env::var) else { return };
    let _ = load(Path::new(&model), Path::new(&cache), true);
}
