"""Writes a LoRA of PEFT (Hugging Face) as a GGUF adapter, for Sotto and llama.cpp.

    pip install gguf numpy safetensors
    python convert.py PEFT_FOLDER BASE.gguf -o ADAPTER.gguf [--type f16|f32] [--tuned] [--action-bias X] [--window N]

The folder has adapter_config.json and adapter_model.safetensors. BASE.gguf, in any quantization, is the model that the adapter was trained
on: it says the architecture, the names and the shapes. Its converter has permuted the rows of queries and keys of Llama's architecture,
and so are those of the adapter.
"""

import argparse
import json
import sys
from pathlib import Path

import gguf
import numpy as np
from safetensors import safe_open

HALVES = {".lora_A.weight": "a", ".lora_B.weight": "b", ".lora_embedding_A": "a", ".lora_embedding_B": "b"}
PREFIX = "base_model.model."
# What changes more than a pair of matrices does: it would be lost.
MORE_THAN_LORA = {"use_dora": "DoRA", "alora_invocation_tokens": "an activated LoRA", "fan_in_fan_out": "transposed weights"}


class Refused(Exception):
    """Why an adapter cannot be converted."""


class Base:
    """What the model's file says."""

    def __init__(self, path: Path) -> None:
        reader = gguf.GGUFReader(path)
        field = lambda name: reader.fields[name].contents()
        self.architecture = field("general.architecture")
        names = {name: architecture for architecture, name in gguf.MODEL_ARCH_NAMES.items()}
        self.names = gguf.get_tensor_name_map(names[self.architecture], field(f"{self.architecture}.block_count"))
        # Outputs and inputs.
        self.shapes = {tensor.name: tuple(int(size) for size in reversed(tensor.shape)) for tensor in reader.tensors}
        self.heads = field(f"{self.architecture}.attention.head_count")
        kv_heads = f"{self.architecture}.attention.head_count_kv"
        self.kv_heads = field(kv_heads) if kv_heads in reader.fields else self.heads

    def tensor(self, module: str) -> str:
        """The name of a module's weight."""
        name = self.names.get_name(module)
        if name is None or f"{name}.weight" not in self.shapes:
            raise Refused(f"the base has no weight for {module}")
        return f"{name}.weight"

    def permuted(self, name: str, rows: np.ndarray) -> np.ndarray:
        """Rows in the order in which the base's are."""
        heads = {"attn_q.weight": self.heads, "attn_k.weight": self.kv_heads}.get(name.split(".", 2)[-1])
        if self.architecture != "llama" or heads is None:
            return rows
        return rows.reshape(heads, 2, -1, rows.shape[1]).swapaxes(1, 2).reshape(rows.shape)


def read_pairs(path: Path) -> dict[str, dict[str, np.ndarray]]:
    """The two matrices of each module."""
    pairs: dict[str, dict[str, np.ndarray]] = {}
    with safe_open(path, framework="numpy") as file:
        for key in file.keys():
            ending = next((ending for ending in HALVES if key.endswith(ending)), None)
            if ending is None:
                raise Refused(f"{key} is no half of a pair: train without modules_to_save and biases")
            module = key.removeprefix(PREFIX).removesuffix(ending)
            pairs.setdefault(module, {})[HALVES[ending]] = file.get_tensor(key).astype(np.float32)
    return pairs


def of_pattern(pattern: dict[str, float] | None, module: str, default: float) -> float:
    """PEFT's patterns are the ends of modules' names."""
    found = [value for key, value in (pattern or {}).items() if module == key or module.endswith(f".{key}")]
    return found[0] if found else default


def scale(config: dict, module: str, rank: int) -> float:
    """What PEFT multiplies a module's change with."""
    alpha = of_pattern(config.get("alpha_pattern"), module, config["lora_alpha"])
    return alpha / rank**0.5 if config.get("use_rslora") else alpha / rank


def convert(folder: Path, base: Base) -> tuple[float, dict[str, np.ndarray]]:
    """Alpha, and the tensors by name."""
    config = json.loads((folder / "adapter_config.json").read_text())
    if config.get("peft_type") != "LORA":
        raise Refused(f"an adapter of the kind {config.get('peft_type')}: only LoRA can be converted")
    for key, what in MORE_THAN_LORA.items():
        if config.get(key):
            raise Refused(f"{what} is more than a LoRA")
    alpha = float(config["lora_alpha"])
    tensors = {}
    for module, pair in sorted(read_pairs(folder / "adapter_model.safetensors").items()):
        if set(pair) != {"a", "b"}:
            raise Refused(f"{module} has one half of a pair only")
        name, (a, b) = base.tensor(module), (pair["a"], pair["b"])
        rank = b.shape[1]
        if a.shape[0] != rank or (b.shape[0], a.shape[1]) != base.shapes[name][:: -1 if module.endswith("embed_tokens") else 1]:
            raise Refused(f"{module} is {b.shape} times {a.shape}, the base's weight {base.shapes[name]}: another model")
        # The file has one alpha for all: what a module has beside it goes into its second matrix.
        b = b * np.float32(scale(config, module, rank) * rank / alpha)
        if not all(np.isfinite(half).all() for half in (a, b)):
            raise Refused(f"{module} has values that are not finite")
        # Of the embedding, the first has a row for each token.
        tensors[f"{name}.lora_a"] = np.ascontiguousarray(a.T) if name == "token_embd.weight" else a
        tensors[f"{name}.lora_b"] = base.permuted(name, b)
    return alpha, tensors


def write(path: Path, base: Base, alpha: float, tensors: dict[str, np.ndarray], dtype: type, tuned: bool, action_bias: float | None, window: int | None) -> None:
    writer = gguf.GGUFWriter(path, base.architecture)
    writer.add_type(gguf.GGUFType.ADAPTER)
    writer.add_string(gguf.Keys.Adapter.TYPE, "lora")
    writer.add_float32(gguf.Keys.Adapter.LORA_ALPHA, alpha)
    if tuned:
        writer.add_bool("sotto.tuned", True)
    if action_bias is not None:
        writer.add_float32("sotto.action_bias", action_bias)
    if window is not None:
        writer.add_uint32("sotto.window_tokens", window)
    for name, values in tensors.items():
        writer.add_tensor(name, values.astype(dtype))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("base", type=Path)
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--type", choices=["f16", "f32"], default="f16")
    parser.add_argument("--tuned", action="store_true", help="it was trained on Sotto's own task formats")
    parser.add_argument("--action-bias", type=float, help="see docs/task-format.md")
    parser.add_argument("--window", type=int, help="tokens; see docs/task-format.md")
    args = parser.parse_args()
    base = Base(args.base)
    try:
        alpha, tensors = convert(args.folder, base)
    except Refused as why:
        sys.exit(f"{args.folder} cannot be converted: {why}")
    write(args.output, base, alpha, tensors, {"f16": np.float16, "f32": np.float32}[args.type], args.tuned, args.action_bias, args.window)
    print(f"{args.output}: {len(tensors) // 2} matrices, alpha {alpha:g}")


if __name__ == "__main__":
    main()
