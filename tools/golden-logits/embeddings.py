"""What sentence-transformers makes of texts, for `core/embedding/src/golden.rs`, and the small random model of its tests.

    pip install -r requirements.txt
    python embeddings.py REAL_MODELS

REAL_MODELS is the folder that `cargo xtask real-models` prints.
"""

import json
import string
import sys
from pathlib import Path

import torch
from safetensors.torch import save_file
from sentence_transformers import SentenceTransformer
from transformers import BertConfig, BertModel

GOLDEN = Path(__file__).parents[2] / "core/embedding/tests/golden"
MAX_TOKENS = 24
TEXTS = ["c", "ab c, cab!", "CAFÉ bag é", "the c 中 [SEP] \u200b\n\t a\u0301b", "a" * 101, "bad cab " * 40]
REAL_TEXTS = [
    "Buy milk.",
    "Can you call me back before five? The meeting has been moved to Thursday.",
    "Übermorgen café déjà vu ☕ 東京 naïve",
    "Hi  team,\n\nthe server is DOWN again (3rd time this week!!)\tsee https://example.com/x?y=1_2\r\n",
    "x" * 150,
    "The quick brown fox jumps over the lazy dog. " * 60,
]


def small() -> Path:
    """A model of 20,000 random numbers, with matrices in 16 bits."""
    folder = GOLDEN / "small"
    (folder / "1_Pooling").mkdir(parents=True, exist_ok=True)
    letters = list(string.ascii_lowercase)
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *letters, *("##" + letter for letter in letters), "ab", "##ab", ",", "!", "the", "bad"]
    shape = {
        "vocab_size": len(words), "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64,
        "max_position_embeddings": 32, "type_vocab_size": 2, "layer_norm_eps": 1e-12, "hidden_act": "gelu",
    }
    torch.manual_seed(1)
    model = BertModel(BertConfig(**shape), add_pooling_layer=False)
    weights = {}
    for name, weight in model.state_dict().items():
        noise = torch.randn(weight.shape)
        weights[name] = (0.3 * noise).half() if weight.dim() > 1 else weight + 0.1 * noise
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    files = {
        "config.json": {"architectures": ["BertModel"], "model_type": "bert", **shape},
        "sentence_bert_config.json": {"max_seq_length": MAX_TOKENS, "do_lower_case": False},
        "modules.json": [
            {"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"},
            {"idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"},
            {"idx": 2, "name": "2", "path": "2_Normalize", "type": "sentence_transformers.models.Normalize"},
        ],
        "1_Pooling/config.json": {"word_embedding_dimension": 32, "pooling_mode_mean_tokens": True},
        "tokenizer.json": tokenizer(words),
    }
    for name, contents in files.items():
        (folder / name).write_text(json.dumps(contents, ensure_ascii=False) + "\n")
    return folder


def tokenizer(words: list[str]) -> dict:
    special = lambda token: {"SpecialToken": {"id": token, "type_id": 0}}
    return {
        "version": "1.0",
        # Files on the hub ask for short texts and padding, which sentence-transformers overrides.
        "truncation": {"max_length": 8, "strategy": "LongestFirst", "stride": 0},
        "padding": {
            "strategy": {"Fixed": 8}, "direction": "Right", "pad_to_multiple_of": None, "pad_id": 0, "pad_type_id": 0,
            "pad_token": "[PAD]",
        },
        "added_tokens": [
            {"id": id, "special": True, "content": words[id], "single_word": False, "lstrip": False, "rstrip": False, "normalized": False}
            for id in range(4)
        ],
        "normalizer": {"type": "BertNormalizer", "clean_text": True, "handle_chinese_chars": True, "strip_accents": None, "lowercase": True},
        "pre_tokenizer": {"type": "BertPreTokenizer"},
        "post_processor": {
            "type": "TemplateProcessing",
            "single": [special("[CLS]"), {"Sequence": {"id": "A", "type_id": 0}}, special("[SEP]")],
            "pair": [special("[CLS]"), {"Sequence": {"id": "A", "type_id": 0}}, special("[SEP]")],
            "special_tokens": {token: {"id": token, "ids": [words.index(token)], "tokens": [token]} for token in ("[CLS]", "[SEP]")},
        },
        "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": True},
        "model": {
            "type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##", "max_input_chars_per_word": 100,
            "vocab": {word: id for id, word in enumerate(words)},
        },
    }


def embeddings(folder: Path, texts: list[str]) -> list[dict]:
    model = SentenceTransformer(str(folder), device="cpu", model_kwargs={"dtype": torch.float32})
    vectors = model.encode(texts, normalize_embeddings=True)
    return [{"text": text, "values": [round(float(x), 7) for x in vector]} for text, vector in zip(texts, vectors, strict=True)]


torch.set_num_threads(2)
golden = {"small": embeddings(small(), TEXTS), "real": embeddings(Path(sys.argv[1]) / "all-MiniLM-L6-v2", REAL_TEXTS)}
(GOLDEN / "embeddings.json").write_text(json.dumps(golden, ensure_ascii=False) + "\n")
