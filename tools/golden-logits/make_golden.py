#!/usr/bin/env python3
"""Makes small random models, their GGUF files, and the logits that PyTorch computes for them.

    pip install -r requirements.txt
    python make_golden.py [FOLDER]        # default: core/engine/tests/golden

The oracle is transformers' own model class, run in float64 on exactly the weights that the file's bytes decode to. What is
left between it and an engine is the engine's arithmetic: its activations' precision, not the weights'.
"""

import json
import sys
from pathlib import Path

import gguf
import numpy as np
import torch
import transformers
from cases import CASES, Case, token_ids
from encoded_weights import encode

DEFAULT_FOLDER = Path(__file__).resolve().parents[2] / "core/engine/tests/golden"
EPSILON = 1e-5

# transformers' name of each tensor of a layer, by its name in GGUF.
LAYER_TENSORS = {
    "attn_norm.weight": "input_layernorm.weight",
    "attn_q.weight": "self_attn.q_proj.weight",
    "attn_k.weight": "self_attn.k_proj.weight",
    "attn_v.weight": "self_attn.v_proj.weight",
    "attn_q.bias": "self_attn.q_proj.bias",
    "attn_k.bias": "self_attn.k_proj.bias",
    "attn_v.bias": "self_attn.v_proj.bias",
    "attn_q_norm.weight": "self_attn.q_norm.weight",
    "attn_k_norm.weight": "self_attn.k_norm.weight",
    "attn_output.weight": "self_attn.o_proj.weight",
    "ffn_norm.weight": "post_attention_layernorm.weight",
    "ffn_gate.weight": "mlp.gate_proj.weight",
    "ffn_up.weight": "mlp.up_proj.weight",
    "ffn_down.weight": "mlp.down_proj.weight",
}


def main() -> None:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else DEFAULT_FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    manifest = [make(case, folder) for case in CASES]
    (folder / "golden.json").write_text(json.dumps(manifest, indent=1) + "\n")


def make(case: Case, folder: Path) -> dict:
    """Writes `NAME.gguf` and `NAME.npy` (float32, [rows, vocab]), and returns the case's entry in golden.json."""
    model = build_model(case)
    write_gguf(case, model, folder / f"{case.name}.gguf")
    logits = stored_rows(case, model)
    np.save(folder / f"{case.name}.npy", logits.astype(np.float32))
    print(f"{case.name}: logits up to {np.abs(logits).max():.1f}{effect_of_scaling(case, model, logits)}")
    return {
        "name": case.name,
        "architecture": case.architecture,
        "encoding": case.encoding.name,
        "tokens": case.tokens,
        "vocab": case.vocab,
        "seed": case.seed,
        "rows": case.rows,
        "scaling": case.scaling,
    }


def build_model(case: Case, scaled: bool = True) -> torch.nn.Module:
    prefix = {"llama": "Llama", "qwen2": "Qwen2", "qwen3": "Qwen3"}[case.architecture]
    config = getattr(transformers, f"{prefix}Config")(
        vocab_size=case.vocab,
        hidden_size=case.hidden,
        intermediate_size=case.ffn,
        num_hidden_layers=case.layers,
        num_attention_heads=case.heads,
        num_key_value_heads=case.kv_heads,
        head_dim=case.head_dim,
        max_position_embeddings=case.context,
        rms_norm_eps=EPSILON,
        tie_word_embeddings=case.tied,
        rope_parameters=case.rope_parameters(scaled),
        attn_implementation="sdpa",
    )
    model = getattr(transformers, f"{prefix}ForCausalLM")(config).to(torch.float64).eval()
    draw_weights(case, model)
    return model


@torch.no_grad()
def draw_weights(case: Case, model: torch.nn.Module) -> None:
    """Weights under which each layer weighs about as much as the embedding."""
    rng = np.random.default_rng(case.seed)
    for name, parameter in model.named_parameters():
        shape = tuple(parameter.shape)
        if name.endswith("norm.weight"):
            values = 1.0 + 0.1 * rng.standard_normal(shape)
        elif name.endswith("bias"):
            values = 0.3 * rng.standard_normal(shape)
        elif "embed_tokens" in name:
            values = rng.standard_normal(shape)
        else:
            gain = case.attention_gain if "q_proj" in name or "k_proj" in name else 1.5
            values = gain / np.sqrt(shape[1]) * rng.standard_normal(shape)
        parameter.copy_(torch.from_numpy(values.astype(np.float32)))


@torch.no_grad()
def write_gguf(case: Case, model: torch.nn.Module, path: Path) -> None:
    """Writes the model, and gives the model the weights that the written bytes decode to."""
    writer = gguf.GGUFWriter(path, case.architecture)
    add_metadata(case, writer)
    rng = np.random.default_rng(case.seed)
    parameters = dict(model.named_parameters())
    for name, parameter in gguf_names(case, parameters):
        values = parameter.detach().numpy().astype(np.float32)
        if values.ndim == 1:
            writer.add_tensor(name, values)
            continue
        heads = rotated_heads(case, name)
        encoded, decoded = encode(interleaved(values, heads), case.encoding, rng)
        writer.add_tensor(name, encoded, raw_dtype=case.encoding)
        parameter.copy_(torch.from_numpy(halves(decoded, heads)))
    if case.scaling == "tensor":
        writer.add_tensor("rope_freqs.weight", rope_divisors(case))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def gguf_names(case: Case, parameters: dict) -> list:
    names = {"token_embd.weight": "model.embed_tokens.weight", "output_norm.weight": "model.norm.weight"}
    if not case.tied:
        names["output.weight"] = "lm_head.weight"
    for layer in range(case.layers):
        names |= {f"blk.{layer}.{ours}": f"model.layers.{layer}.{theirs}" for ours, theirs in LAYER_TENSORS.items()}
    return [(ours, parameters[theirs]) for ours, theirs in names.items() if theirs in parameters]


def rotated_heads(case: Case, name: str) -> int | None:
    """The heads of a matrix whose rows GGUF orders differently: Llama's queries and keys."""
    if case.architecture != "llama":
        return None
    return {"attn_q.weight": case.heads, "attn_k.weight": case.kv_heads}.get(name.split(".", 2)[-1])


def interleaved(weights: np.ndarray, heads: int | None) -> np.ndarray:
    """Rows as GGUF's Llama has them: the two partners of a rotation side by side, not half a head apart."""
    if heads is None:
        return weights
    rows, columns = weights.shape
    return weights.reshape(heads, 2, rows // heads // 2, columns).swapaxes(1, 2).reshape(rows, columns)


def halves(weights: np.ndarray, heads: int | None) -> np.ndarray:
    """Undoes `interleaved`."""
    if heads is None:
        return weights
    rows, columns = weights.shape
    return weights.reshape(heads, rows // heads // 2, 2, columns).swapaxes(1, 2).reshape(rows, columns)


def add_metadata(case: Case, writer: gguf.GGUFWriter) -> None:
    writer.add_name(f"golden-{case.name}")
    writer.add_file_type(gguf.LlamaFileType.GUESSED)
    writer.add_quantization_version(gguf.GGML_QUANT_VERSION)
    writer.add_block_count(case.layers)
    writer.add_context_length(case.context)
    writer.add_embedding_length(case.hidden)
    writer.add_feed_forward_length(case.ffn)
    writer.add_head_count(case.heads)
    writer.add_head_count_kv(case.kv_heads)
    writer.add_key_length(case.head_dim)
    writer.add_value_length(case.head_dim)
    writer.add_layer_norm_rms_eps(EPSILON)
    writer.add_rope_freq_base(case.rope_theta)
    writer.add_rope_dimension_count(case.head_dim)
    writer.add_vocab_size(case.vocab)
    if case.scaling == "metadata":
        prefix = f"{case.architecture}.rope.scaling"
        scaling = case.rope_parameters(scaled=True)
        writer.add_string(f"{prefix}.type", scaling["rope_type"])
        for key in ("factor", "low_freq_factor", "high_freq_factor"):
            writer.add_float32(f"{prefix}.{key}", scaling[key])
        writer.add_uint32(f"{prefix}.original_context_length", scaling["original_max_position_embeddings"])


def rope_divisors(case: Case) -> np.ndarray:
    """What `rope_freqs.weight` holds: transformers' plain frequencies over its scaled ones."""
    plain, scaled = (build_model(case, scaled).model.rotary_emb.inv_freq for scaled in (False, True))
    return (plain.double() / scaled.double()).numpy().astype(np.float32)


@torch.no_grad()
def stored_rows(case: Case, model: torch.nn.Module) -> np.ndarray:
    tokens = torch.tensor([token_ids(case)])
    hidden = model.model(tokens, use_cache=False).last_hidden_state[0, list(case.rows)]
    return model.lm_head(hidden).numpy()


def effect_of_scaling(case: Case, model: torch.nn.Module, logits: np.ndarray) -> str:
    """How far the logits move without the scaling. A case in which they hardly move would prove nothing."""
    if not case.scaling:
        return ""
    unscaled = build_model(case, scaled=False)
    unscaled.load_state_dict(model.state_dict())
    moved = np.abs(stored_rows(case, unscaled) - logits).max() / np.abs(logits).max()
    assert moved > 0.1, f"{case.name}: scaling moves the logits by only {moved}"
    return f", {moved:.2f} of that without the scaling"


if __name__ == "__main__":
    main()
