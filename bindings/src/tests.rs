//! The mirrors are whole: what the SDK has, the bindings have.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// What Rust programs and the command line use alone, and loading, which is a function or a job of its own here.
const RUST_ONLY: [&str; 8] =
    ["bench", "complete", "load", "load_with", "perplexity", "render", "start_loading", "start_loading_adapter"];

fn items(path: &Path) -> Vec<syn::Item> {
    let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    syn::parse_file(&text).expect("Rust").items
}

fn sources(folder: &str) -> Vec<syn::Item> {
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)];
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder of sources") {
            let path = entry.expect("an entry").path();
            match path.extension() {
                Some(extension) if extension == "rs" => found.extend(items(&path)),
                None => folders.push(path),
                Some(_) => {}
            }
        }
    }
    found
}

fn variants(items: &[syn::Item], name: &str) -> BTreeSet<String> {
    let variants = items.iter().find_map(|item| match item {
        syn::Item::Enum(item) if item.ident == name => Some(&item.variants),
        _ => None,
    });
    variants.unwrap_or_else(|| panic!("no enum {name}")).iter().map(|variant| variant.ident.to_string()).collect()
}

fn methods(items: &[syn::Item], name: &str) -> BTreeSet<String> {
    let of_type = |item: &syn::ItemImpl| {
        item.trait_.is_none() && matches!(&*item.self_ty, syn::Type::Path(path) if path.path.is_ident(name))
    };
    let blocks = items.iter().filter_map(|item| match item {
        syn::Item::Impl(item) if of_type(item) => Some(&item.items),
        _ => None,
    });
    let public = blocks.flatten().filter_map(|item| match item {
        syn::ImplItem::Fn(function) if matches!(function.vis, syn::Visibility::Public(_)) => Some(&function.sig.ident),
        _ => None,
    });
    public.map(ToString::to_string).collect()
}

#[test]
fn every_error_is_mirrored() {
    let (sdk, ffi) = (sources("../core/sdk/src"), sources("src"));
    assert_eq!(variants(&sdk, "Error"), variants(&ffi, "FfiError"));
}

#[test]
fn every_task_is_mirrored() {
    let (sdk, ffi) = (sources("../core/sdk/src"), sources("src"));
    let mut tasks = methods(&sdk, "LocalModel");
    for name in RUST_ONLY {
        assert!(tasks.remove(name), "{name} is no longer a method of LocalModel");
    }
    assert_eq!(tasks, methods(&ffi, "FfiModel"));
    assert_eq!(methods(&sdk, "Session"), methods(&ffi, "FfiSession"));
    assert_eq!(methods(&sdk, "NoteSession"), methods(&ffi, "FfiNoteSession"));
    let mut tokenizer = methods(&sdk, "Tokenizer");
    assert!(["load", "start_loading"].iter().all(|name| tokenizer.remove(*name)));
    assert_eq!(tokenizer, methods(&ffi, "FfiTokenizer"));
    assert_eq!(methods(&sdk, "Adapter"), methods(&ffi, "FfiAdapter"));
    let mut speech = methods(&sdk, "Speech");
    assert!(["load", "memory_of", "start_loading"].iter().all(|name| speech.remove(*name)));
    assert_eq!(speech, methods(&ffi, "FfiSpeech"));
    let mut embedder = methods(&sdk, "Embedder");
    assert!(["load", "memory_of", "start_loading"].iter().all(|name| embedder.remove(*name)));
    assert_eq!(embedder, methods(&ffi, "FfiEmbedder"));
    let mut input = methods(&sdk, "AudioInput");
    assert!(input.remove("push_async"), "each language's push is asynchronous");
    assert_eq!(input, methods(&ffi, "FfiAudioInput"));
}

/// What classifiers, styles and items, which have mirrors of their own, use of a store.
const RUST_ONLY_IN_STORES: [&str; 9] =
    ["derived", "examples", "folder", "generation", "learn", "open", "path", "put_derived", "replace"];

#[test]
fn every_call_of_a_store_is_mirrored() {
    let (personal, ffi) = (sources("../core/personal/src"), sources("src"));
    let mut calls = methods(&personal, "Personal");
    assert!(RUST_ONLY_IN_STORES.iter().all(|name| calls.remove(*name)));
    calls.insert("classifier".into());
    assert_eq!(calls, methods(&ffi, "FfiPersonal"));
    assert_eq!(methods(&personal, "Items"), methods(&ffi, "FfiItems"));
    let mut style = methods(&personal, "Style");
    assert!(style.remove("begin_training"), "a model begins it");
    assert_eq!(style, methods(&ffi, "FfiStyle"));
    let mut classifier = methods(&sources("../core/sdk/src"), "Classifier");
    assert!(classifier.remove("new"), "a store gives it");
    assert_eq!(classifier, methods(&ffi, "FfiClassifier"));
    for name in ["Event", "Kind", "Payload", "Reason", "Near"] {
        assert_eq!(variants(&personal, name), variants(&ffi, &format!("Ffi{name}")), "{name}");
    }
}

#[test]
fn a_schema_that_is_no_json_is_told_by_its_place() {
    let refused = crate::options::parse_schema("{\"secret\": ");
    let Err(crate::FfiError::InvalidInput { what }) = refused else { panic!("accepted") };
    assert!(what.contains("line 1, column") && !what.contains("secret"), "{what}");
}
