"""Turn the shipped file back into a checkpoint and a tokenizer, to go on from. Usage: import_gguf.py IN.gguf WORK_DIR

The weights are those of the file, Q8_0: the float ones it was made from are not kept.
"""

import argparse
import json
from pathlib import Path

import gguf
import numpy as np
import torch
from gguf.quants import dequantize

import tokenizer
from model import Config, Llama

NAMES = {"attn_q": "q", "attn_k": "k", "attn_v": "v", "attn_output": "o", "ffn_gate": "gate", "ffn_up": "up", "ffn_down": "down"}


def halves(weight: np.ndarray, heads: int) -> np.ndarray:
    """The inverse of `export.interleave`."""
    rows, columns = weight.shape
    return weight.reshape(heads, rows // heads // 2, 2, columns).swapaxes(1, 2).reshape(rows, columns)


def state(reader: gguf.GGUFReader, config: Config) -> dict[str, torch.Tensor]:
    found = {}
    for tensor in reader.tensors:
        weight = dequantize(tensor.data, tensor.tensor_type).astype(np.float32)
        match tensor.name.split("."):
            case ["token_embd", _]:
                found["embed.weight"] = weight
            case ["output_norm", _]:
                found["norm"] = weight
            case ["blk", layer, ("attn_norm" | "ffn_norm") as name, _]:
                found[f"blocks.{layer}.{name}"] = weight
            case ["blk", layer, name, _]:
                short = NAMES[name]
                if short in "qk":
                    weight = halves(weight, config.heads if short == "q" else config.kv_heads)
                found[f"blocks.{layer}.{short}.weight"] = weight
    return {name: torch.from_numpy(np.ascontiguousarray(weight)) for name, weight in found.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file")
    parser.add_argument("folder", type=Path)
    args = parser.parse_args()
    args.folder.mkdir(parents=True, exist_ok=True)
    reader = gguf.GGUFReader(args.file)
    field = lambda name: reader.fields[name].contents()
    config = Config(vocab=field("llama.vocab_size"), width=field("llama.embedding_length"), layers=field("llama.block_count"), heads=field("llama.attention.head_count"),
                    kv_heads=field("llama.attention.head_count_kv"), hidden=field("llama.feed_forward_length"), context=field("llama.context_length"),
                    rope_base=field("llama.rope.freq_base"), eps=field("llama.attention.layer_norm_rms_epsilon"))
    model = Llama(config)
    model.load_state_dict(state(reader, config))
    torch.save({"model": model.state_dict(), "config": config.as_dict()}, args.folder / "model.pt")
    text = field("tokenizer.ggml.tokens")[:-len(tokenizer.CONTROL)]
    empty = tokenizer.train([], len(text) + len(tokenizer.CONTROL))
    stored = json.loads(empty.to_str())
    stored["model"].update(vocab={token: index for index, token in enumerate(text)}, merges=[m.split(" ") for m in field("tokenizer.ggml.merges")])
    (args.folder / "tokenizer.json").write_text(json.dumps(stored, ensure_ascii=False))


if __name__ == "__main__":
    main()
