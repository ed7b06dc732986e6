//! Texts as vectors: by an embedding model, and by the demo model.

mod common;

use std::path::Path;

use common::demo;
use sotto::{Embedder, Embedding, Error, ModelFile};

fn small() -> Embedder {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../embedding/tests/golden/small");
    Embedder::load(ModelFile::path(folder)).expect("a model")
}

fn length(embedding: &Embedding) -> f32 {
    embedding.similarity(embedding).sqrt()
}

#[test]
fn one_text_or_many() {
    let embedder = small();
    let texts = ["ab c", "the bad cab", "c".repeat(1 << 20).as_str()].map(str::to_owned);
    let all = embedder.embed_all(texts.to_vec()).wait().expect("embeddings");
    for (text, embedding) in texts.iter().zip(&all) {
        assert_eq!(&embedder.embed(text).wait().expect("an embedding"), embedding);
        assert_eq!(embedding.values.len(), embedder.dimensions());
        assert!((length(embedding) - 1.0).abs() < 1e-5);
    }
    assert_eq!(embedder.embed_all(Vec::new()).wait(), Ok(Vec::new()));
    let long = embedder.embed(&"c ".repeat(1 << 19)).wait().expect("an embedding");
    assert_eq!((long.tokens, long.truncated), (embedder.max_tokens(), true));
}

#[test]
fn empty_texts_are_refused() {
    for text in ["", " \n"] {
        let outcomes = [small().embed(text).wait().err(), demo().embed(text).wait().err()];
        let all = small().embed_all(vec!["c".into(), text.into()]).wait().err();
        for outcome in outcomes.into_iter().chain([all]) {
            assert!(matches!(outcome, Some(Error::InvalidInput { .. })), "{outcome:?}");
        }
    }
}

#[test]
fn files_that_are_no_embedding_models_are_refused() {
    let nowhere = Embedder::load(ModelFile::path("/nowhere")).err();
    assert!(matches!(nowhere, Some(Error::ModelNotFound { .. })), "{nowhere:?}");
    let open = Embedder::load(ModelFile::descriptor(0, 0, None)).err();
    assert!(matches!(open, Some(Error::Unsupported { .. })), "{open:?}");
    assert!(Embedder::memory_of(ModelFile::path("/nowhere")).wait().is_err());
}

#[test]
fn a_language_models_vectors_tell_texts_apart() {
    let model = demo();
    let embed = |text: &str| model.embed(text).wait().expect("an embedding");
    let [milk, again, server] =
        ["We need milk and bread.", "We need milk and eggs.", "The server of the company is down."].map(embed);
    assert!((length(&milk) - 1.0).abs() < 1e-5);
    assert!(milk.similarity(&again) > milk.similarity(&server));
    assert_eq!(milk, embed("We need milk and bread."));
    let long = model.embed(&"word ".repeat(100_000)).wait();
    assert!(matches!(long, Err(Error::ContextFull { .. })), "{long:?}");
}
