use std::fs;

use super::*;
use crate::small_model::{folder, load};

fn load_from(folder: &Path) -> Result<EmbeddingModel, EngineError> {
    EmbeddingModel::load(folder, EmbeddingOptions { threads: Some(1), kernels: None }, &CancelToken::new())
}

#[test]
fn a_texts_vector_does_not_depend_on_the_others() {
    let (model, cancel) = (load(), CancelToken::new());
    let texts: Vec<String> = (0..90).map(|index| "cab, ".repeat(index % 7) + &"ab".repeat(index % 11)).collect();
    let together = model.embed(&texts, &cancel).expect("embeddings");
    assert_eq!(together.len(), texts.len());
    for (text, embedding) in texts.iter().zip(&together) {
        assert_eq!(&model.embed(&[text], &cancel).expect("an embedding")[0], embedding);
    }
    assert_eq!(model.embed(&[""; 0], &cancel).expect("nothing"), []);
}

#[test]
fn passes_are_filled() {
    let text = |tokens: usize| Tokens { ids: vec![0; tokens], truncated: false };
    let texts = [100, 44, 1, 200, 144, 3].map(text);
    let lens: Vec<usize> = passes(&texts).into_iter().map(<[Tokens]>::len).collect();
    assert_eq!(lens, [2, 1, 1, 1, 1]);
}

#[test]
fn a_text_that_is_too_long_says_so() {
    let (model, cancel) = (load(), CancelToken::new());
    let embeddings = model.embed(&["c ".repeat(1 << 19), "c".into()], &cancel).expect("embeddings");
    assert_eq!((embeddings[0].tokens, embeddings[0].truncated), (model.max_tokens(), true));
    assert_eq!((embeddings[1].tokens, embeddings[1].truncated), (3, false));
}

#[test]
fn cancelled_work_ends() {
    let cancel = CancelToken::new();
    cancel.cancel();
    assert!(matches!(load().embed(&["c"], &cancel), Err(EngineError::Cancelled)));
}

#[test]
fn what_a_model_takes_is_known_before_it_is_loaded() {
    let (before, loaded) = (EmbeddingModel::memory_of(folder().path()).expect("a model"), load());
    assert_eq!((before.weights, before.pass), (loaded.memory().weights, loaded.memory().pass));
    let weights = &loaded.0.weights;
    let matrices = weights.layers.iter().flat_map(|layer| {
        [&layer.query, &layer.key, &layer.value, &layer.attention_output, &layer.up, &layer.down].map(|x| &x.weight)
    });
    let packed: usize = matrices.chain([&weights.words]).map(|matrix| matrix.packed_len()).sum();
    let vectors = before.weights - (packed + 4 * weights.positions.len()) as u64 - Tokenizer::bytes(&loaded.0.config);
    // A norm of the embeddings; in each layer two norms and six biases, of which one is as wide as the inner layer.
    assert_eq!(vectors, 4 * (2 * 32 + 2 * (9 * 32 + 64)));
}

#[test]
fn missing_files_are_not_found() {
    for name in ["config.json", "tokenizer.json", "model.safetensors"] {
        let folder = folder();
        fs::remove_file(folder.path().join(name)).expect("removed");
        let error = load_from(folder.path()).err();
        assert!(matches!(&error, Some(EngineError::NotFound { path, .. }) if path.ends_with(name)), "{error:?}");
    }
    // Without the other files, the mean of as many tokens as there are positions.
    let folder = folder();
    fs::remove_dir_all(folder.path().join("1_Pooling")).expect("removed");
    for name in ["modules.json", "sentence_bert_config.json"] {
        fs::remove_file(folder.path().join(name)).expect("removed");
    }
    assert_eq!(load_from(folder.path()).expect("a model").max_tokens(), 32);
}

#[test]
fn models_that_would_give_other_vectors_are_refused() {
    let changes = [
        ("config.json", r#""bert""#, r#""llama""#),
        ("config.json", r#""model_type": "bert", "#, ""),
        ("config.json", r#""gelu""#, r#""relu""#),
        ("config.json", r#""hidden_act""#, r#""position_embedding_type": "relative_key", "hidden_act""#),
        ("modules.json", "models.Normalize", "models.Dense"),
        ("1_Pooling/config.json", "mean_tokens", "max_tokens"),
        ("tokenizer.json", r#""type": "WordPiece", "unk_token""#, r#""type": "WordLevel", "unk_token""#),
    ];
    for (file, before, after) in changes {
        let error = changed(file, before, after).err();
        assert!(matches!(error, Some(EngineError::Unsupported { .. })), "{file}, {after}: {error:?}");
    }
}

#[test]
fn files_that_contradict_each_other_are_invalid() {
    let changes = [
        ("config.json", r#""num_attention_heads": 2"#, r#""num_attention_heads": 3"#),
        ("config.json", r#""num_attention_heads": 2"#, r#""num_attention_heads": 0"#),
        ("config.json", r#""hidden_size": 32"#, r#""hidden_size": 64"#),
        ("config.json", r#""num_hidden_layers": 2"#, r#""num_hidden_layers": 3"#),
        ("config.json", r#""num_hidden_layers": 2, "#, ""),
        ("config.json", r#""vocab_size": 62"#, r#""vocab_size": 61"#),
        ("config.json", r#""vocab_size": 62"#, r#""vocab_size": 63"#),
        ("config.json", r#""vocab_size": 62"#, r#""vocab_size": 9999999999"#),
        ("config.json", r#""layer_norm_eps": 1e-12"#, r#""layer_norm_eps": -1"#),
        ("config.json", r#"{"architectures""#, r#"["architectures""#),
        ("sentence_bert_config.json", "24", "33"),
        ("sentence_bert_config.json", "24", "2"),
        ("tokenizer.json", r#""single": [{"SpecialToken": {"id": "[CLS]", "type_id": 0}}, "#, r#""single": ["#),
        ("tokenizer.json", r#""version""#, r#"version"#),
    ];
    for (file, before, after) in changes {
        let error = changed(file, before, after).err();
        assert!(matches!(error, Some(EngineError::Invalid { .. })), "{file}, {after}: {error:?}");
    }
}

/// The model with a changed text file.
fn changed(file: &str, before: &str, after: &str) -> Result<EmbeddingModel, EngineError> {
    let folder = folder();
    let path = folder.path().join(file);
    let text = fs::read_to_string(&path).expect("a text file");
    assert!(text.contains(before), "{file} has no {before}");
    fs::write(&path, text.replacen(before, after, 1)).expect("written");
    load_from(folder.path())
}

#[test]
fn weights_that_end_early_or_are_damaged_are_refused_or_read() {
    let folder = folder();
    let path = folder.path().join("model.safetensors");
    let whole = fs::read(&path).expect("weights");
    for len in (0..40).chain((0..40).map(|part| whole.len() / 40 * part)).chain([whole.len() - 1]) {
        fs::write(&path, &whole[..len]).expect("written");
        let error = load_from(folder.path()).err();
        assert!(matches!(error, Some(EngineError::Invalid { .. })), "{len}: {error:?}");
    }
    let header = 8 + u64::from_le_bytes(*whole.first_chunk().expect("a length")) as usize;
    for round in 0..300 {
        let mut damaged = whole.clone();
        let place = round * 7919 % header;
        damaged[place] ^= 1 << (round % 8);
        fs::write(&path, &damaged).expect("written");
        match load_from(folder.path()) {
            Ok(_) | Err(EngineError::Invalid { .. } | EngineError::Unsupported { .. }) => {}
            Err(error) => panic!("byte {place}: {error:?}"),
        }
    }
}

#[test]
fn weights_that_are_no_numbers_are_refused() {
    let folder = folder();
    let path = folder.path().join("model.safetensors");
    let mut weights = fs::read(&path).expect("weights");
    let header = 8 + u64::from_le_bytes(*weights.first_chunk().expect("a length")) as usize;
    weights[header..].fill(0xff);
    fs::write(&path, &weights).expect("written");
    assert!(matches!(load_from(folder.path()), Err(EngineError::Invalid { .. })));
}
