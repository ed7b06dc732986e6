"""Write the trained model as GGUF, Q8_0. Usage: export.py WORK_DIR OUT.gguf [--type q8_0|f32]"""

import argparse
import json

import gguf
import numpy as np
import torch
from gguf.quants import quantize

import tokenizer
from model import Config

LABELS = ["urgent", "task", "ignorable", "attention"]
DESCRIPTION = "A small demo model for spoken notes in English: summarize, classify, extract, chat. Trained from scratch on generated text only. It shows what the SDK does; it is no general assistant."


def interleave(weight: np.ndarray, heads: int) -> np.ndarray:
    """Rows of a query or key matrix from halves to GGUF's rotary order of pairs."""
    rows, columns = weight.shape
    return weight.reshape(heads, 2, rows // heads // 2, columns).swapaxes(1, 2).reshape(rows, columns)


def tensors(state: dict[str, torch.Tensor], config: Config):
    """GGUF names and arrays."""
    names = {"q": "attn_q", "k": "attn_k", "v": "attn_v", "o": "attn_output", "gate": "ffn_gate", "up": "ffn_up", "down": "ffn_down"}
    yield "token_embd.weight", state["embed.weight"].numpy()
    for i in range(config.layers):
        yield f"blk.{i}.attn_norm.weight", state[f"blocks.{i}.attn_norm"].numpy()
        yield f"blk.{i}.ffn_norm.weight", state[f"blocks.{i}.ffn_norm"].numpy()
        for short, name in names.items():
            weight = state[f"blocks.{i}.{short}.weight"].numpy()
            if short in "qk":
                weight = interleave(weight, config.heads if short == "q" else config.kv_heads)
            yield f"blk.{i}.{name}.weight", weight
    yield "output_norm.weight", state["norm"].numpy()


def write_tokenizer(writer: gguf.GGUFWriter, path: str) -> None:
    model = json.load(open(path))["model"]
    tokens = [t for t, _ in sorted(model["vocab"].items(), key=lambda e: e[1])] + tokenizer.CONTROL
    control = {name: len(tokens) - len(tokenizer.CONTROL) + i for i, name in enumerate(tokenizer.CONTROL)}
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("llama-bpe")
    writer.add_token_list(tokens)
    writer.add_token_types([gguf.TokenType.NORMAL] * (len(tokens) - len(control)) + [gguf.TokenType.CONTROL] * len(control))
    writer.add_token_merges([m if isinstance(m, str) else " ".join(m) for m in model["merges"]])
    writer.add_bos_token_id(control["<|begin|>"])
    writer.add_eos_token_id(control["<|end|>"])
    writer.add_eot_token_id(control["<|end|>"])
    writer.add_pad_token_id(control["<|pad|>"])
    writer.add_add_bos_token(False)
    writer.add_add_eos_token(False)
    writer.add_chat_template(tokenizer.TEMPLATE)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder")
    parser.add_argument("out")
    parser.add_argument("--action-bias", type=float, default=0.0, help="added to the logit of another action where the list may end")
    parser.add_argument("--type", choices=["q8_0", "f32"], default="q8_0")
    args = parser.parse_args()
    saved = torch.load(f"{args.folder}/model.pt", map_location="cpu")
    config = Config(**saved["config"])
    writer = gguf.GGUFWriter(args.out, "llama")
    writer.add_name("Sotto demo")
    writer.add_description(DESCRIPTION)
    writer.add_license("MIT OR Apache-2.0")
    writer.add_languages(["en"])
    writer.add_context_length(config.context)
    writer.add_embedding_length(config.width)
    writer.add_block_count(config.layers)
    writer.add_feed_forward_length(config.hidden)
    writer.add_head_count(config.heads)
    writer.add_head_count_kv(config.kv_heads)
    writer.add_layer_norm_rms_eps(config.eps)
    writer.add_rope_freq_base(config.rope_base)
    writer.add_rope_dimension_count(config.head)
    writer.add_vocab_size(config.vocab)
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_Q8_0 if args.type == "q8_0" else gguf.LlamaFileType.ALL_F32)
    writer.add_quantization_version(gguf.GGML_QUANT_VERSION)
    writer.add_bool("sotto.tuned", True)
    writer.add_float32("sotto.action_bias", args.action_bias)
    writer.add_array("sotto.labels", LABELS)
    write_tokenizer(writer, f"{args.folder}/tokenizer.json")
    for name, array in tensors(saved["model"], config):
        array = np.ascontiguousarray(array, np.float32)
        if array.ndim == 2 and args.type == "q8_0":
            writer.add_tensor(name, quantize(array, gguf.GGMLQuantizationType.Q8_0), raw_dtype=gguf.GGMLQuantizationType.Q8_0)
        else:
            writer.add_tensor(name, array)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


if __name__ == "__main__":
    main()
