"""What PyTorch (and llama.cpp) make of SmolLM2 with an adapter, for `core/engine/tests/real_adapter.rs`.

    pip install torch transformers peft gguf numpy safetensors
    python adapters.py MODEL.gguf [--llama-logits PROGRAM]

MODEL.gguf is SmolLM2-135M-Instruct.Q4_1.gguf of `cargo xtask real-models`. Its weights are read as F16 and computed with in F32. The adapter has rank
5 and numbers that follow from their places, so that the test can make it too; here it is set in PEFT, saved, and converted by
../adapters/convert.py. PROGRAM is llama_logits.cpp, which says how to build it; it gets the same weights and the converted adapter.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from zlib import crc32

import gguf
import numpy as np
import torch
from peft import LoraConfig, get_peft_model
from peft.tuners.lora import LoraLayer
from transformers import LlamaForCausalLM

GOLDEN = Path(__file__).parents[2] / "core/engine/tests/golden/adapter.json"
CONVERT = Path(__file__).parents[1] / "adapters/convert.py"
RANK, ALPHA, SCALE = 5, 8.0, 0.75
MODULES = {
    "self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k", "self_attn.v_proj": "attn_v", "self_attn.o_proj": "attn_output",
    "mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up", "mlp.down_proj": "ffn_down",
}
TOKENS = [1, 9690, 198, 2683, 359, 253, 5356, 5646, 11173, 3365, 3511, 308, 34519, 28, 7018, 411]
# Of the vocabulary, each so many-th token's logit is stored.
STEP = 128


def numbers(name: str, shape: tuple[int, int]) -> np.ndarray:
    """Numbers of ±1/16 that follow from the tensor's name and their places: splitmix64."""
    places = np.arange(1, shape[0] * shape[1] + 1, dtype=np.uint64)
    z = np.uint64(crc32(name.encode())) + places * np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    z ^= z >> np.uint64(31)
    return ((z >> np.uint64(40)).astype(np.float32) / np.float32(2**23) - np.float32(1)).reshape(shape) / np.float32(16)


def halves(rows: np.ndarray, heads: int) -> np.ndarray:
    """Rows of queries or keys as PyTorch has them, from GGUF's order."""
    return rows.reshape(heads, -1, 2, rows.shape[1]).swapaxes(1, 2).reshape(rows.shape)


def load(path: Path) -> LlamaForCausalLM:
    """The model in F32, its matrices rounded to F16."""
    model = LlamaForCausalLM.from_pretrained(path.parent, gguf_file=path.name, dtype=torch.float32)
    with torch.no_grad():
        for weight in model.parameters():
            if weight.dim() == 2:
                weight.copy_(weight.half().float())
    return model.eval()


def adapted(model: LlamaForCausalLM):
    """The model with the adapter, as PEFT has it."""
    config = LoraConfig(r=RANK, lora_alpha=ALPHA, target_modules=[module.split(".")[1] for module in MODULES])
    peft = get_peft_model(model, config)
    heads = {"attn_q": model.config.num_attention_heads, "attn_k": model.config.num_key_value_heads}
    with torch.no_grad():
        for index, layer in enumerate(peft.base_model.model.model.layers):
            for module, name in MODULES.items():
                linear = layer.get_submodule(module)
                a, b = linear.lora_A["default"].weight, linear.lora_B["default"].weight
                a.copy_(torch.from_numpy(numbers(f"blk.{index}.{name}.weight.lora_a", tuple(a.shape))))
                rows = numbers(f"blk.{index}.{name}.weight.lora_b", tuple(b.shape))
                b.copy_(torch.from_numpy(halves(rows, heads[name]) if name in heads else rows))
    return peft.eval()


@torch.no_grad()
def last_logits(model) -> np.ndarray:
    return model(torch.tensor([TOKENS])).logits[0, -1].double().numpy()


def with_scale(peft, scale: float) -> np.ndarray:
    for module in peft.modules():
        if isinstance(module, LoraLayer):
            module.scaling["default"] = ALPHA / RANK * scale
    return last_logits(peft)


def check_converted(path: Path) -> None:
    for tensor in gguf.GGUFReader(path).tensors:
        expected = numbers(tensor.name, tensor.data.shape)
        assert np.array_equal(tensor.data, expected), f"{tensor.name} is not what it was before PEFT had it"


def llama_cpp(program: str, source: Path, adapter: Path, folder: Path) -> np.ndarray:
    """Logits of llama.cpp with the same weights in F32."""
    reader, path = gguf.GGUFReader(source), folder / "f32.gguf"
    writer = gguf.GGUFWriter(path, "llama")
    for field in reader.fields.values():
        if not field.name.startswith("GGUF.") and field.name != "general.architecture":
            kind = field.types[0]
            writer.add_key_value(field.name, field.contents(), kind, field.types[-1] if kind == gguf.GGUFValueType.ARRAY else None)
    for tensor in reader.tensors:
        values = gguf.quants.dequantize(tensor.data, tensor.tensor_type)
        if len(tensor.shape) == 2:
            values = values.astype(np.float16)
        writer.add_tensor(tensor.name, values.astype(np.float32))
    writer.write_header_to_file(), writer.write_kv_data_to_file(), writer.write_tensors_to_file(), writer.close()
    command = [program, str(path), str(adapter), str(SCALE), ",".join(map(str, TOKENS))]
    return np.array(json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout))


def error(found: np.ndarray, expected: np.ndarray) -> float:
    return float(np.abs(found - expected).max() / np.abs(expected).max())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("--llama-logits", metavar="PROGRAM")
    args = parser.parse_args()
    model = load(args.model)
    plain = last_logits(model)
    peft = adapted(model)
    expected = with_scale(peft, SCALE)
    with tempfile.TemporaryDirectory() as scratch:
        folder, adapter = Path(scratch), Path(scratch) / "adapter.gguf"
        peft.save_pretrained(folder / "peft")
        subprocess.run([sys.executable, CONVERT, folder / "peft", args.model, "-o", adapter, "--type", "f32"], check=True)
        check_converted(adapter)
        stored = {"rank": RANK, "alpha": ALPHA, "scale": SCALE, "tokens": TOKENS, "step": STEP}
        stored["pytorch"] = expected[::STEP].round(5).tolist()
        print(f"the adapter changes logits by {error(plain, expected):.2f} of the largest")
        if args.llama_logits:
            found = llama_cpp(args.llama_logits, args.model, adapter, folder)
            stored["llama.cpp"] = found[::STEP].round(5).tolist()
            print(f"llama.cpp is {error(found, expected):.1e} of the largest from PyTorch")
        elif GOLDEN.exists():
            stored["llama.cpp"] = json.loads(GOLDEN.read_text())["llama.cpp"]
    GOLDEN.write_text(json.dumps(stored) + "\n")


if __name__ == "__main__":
    main()
