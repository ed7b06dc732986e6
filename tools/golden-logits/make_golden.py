#!/usr/bin/env python3
"""Makes small random models, their GGUF files, and the logits that PyTorch computes for them.

    pip install -r requirements.txt
    python make_golden.py [FOLDER]        # default: core/engine/tests/golden

The oracle is transformers' own model class, run in float64 on exactly the weights that the file's bytes decode to. What is
left between it and an engine is the engine's arithmetic: its activations' precision, not the weights'.
"""

import json
import sys
from dataclasses import replace
from pathlib import Path

import gguf
import numpy as np
import torch
from cases import CASES, Case, token_ids
from encoded_weights import encode
from families import FAMILIES

DEFAULT_FOLDER = Path(__file__).resolve().parents[2] / "core/engine/tests/golden"
EPSILON = 1e-5
# The share of the largest logit that each thing which a case is about must make up: many times what an engine may be off.
LEAST_EFFECT = 0.03


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
    print(f"{case.name}: logits up to {np.abs(logits).max():.1f}{effects(case, model, logits)}")
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


def build_model(case: Case) -> torch.nn.Module:
    family = FAMILIES[case.architecture]
    settings = dict(
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
        rope_parameters=case.rope_parameters(),
        pad_token_id=None,
        attn_implementation="sdpa",
    )
    config = family.config(**settings | family.settings(case))
    model = family.model(config).to(torch.float64).eval()
    draw_weights(case, model)
    return model


@torch.no_grad()
def draw_weights(case: Case, model: torch.nn.Module) -> None:
    """Weights under which each layer weighs about as much as the embedding."""
    rng = np.random.default_rng(case.seed)
    family = FAMILIES[case.architecture]
    for name, parameter in model.named_parameters():
        shape = tuple(parameter.shape)
        if name.endswith("norm.weight"):
            values = 1.0 - family.norm_offset + 0.1 * rng.standard_normal(shape)
        elif name.endswith("bias"):
            values = 0.3 * rng.standard_normal(shape)
        elif "embed_tokens" in name:
            values = rng.standard_normal(shape) / family.embedding_scale(case)
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
    family = FAMILIES[case.architecture]
    parameters = dict(model.named_parameters())
    for name, parameter in gguf_names(case, parameters):
        values = parameter.detach().numpy().astype(np.float32)
        if values.ndim == 1:
            offset = family.norm_offset if name.endswith("norm.weight") else 0.0
            writer.add_tensor(name, values + np.float32(offset))
            continue
        heads = rotated_heads(case, name)
        encoded, decoded = encode(interleaved(values, heads), case.encoding, rng)
        writer.add_tensor(name, encoded, raw_dtype=case.encoding)
        parameter.copy_(torch.from_numpy(halves(decoded, heads)))
    if case.scaling == "tensor":
        writer.add_tensor("rope_freqs.weight", rope_divisors(case))
    if case.scaling == "longrope":
        for length in ("long", "short"):
            writer.add_tensor(f"rope_factors_{length}.weight", np.float32(case.rope_parameters()[f"{length}_factor"]))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def gguf_names(case: Case, parameters: dict) -> list:
    layer_tensors = FAMILIES[case.architecture].layer_tensors
    names = {"token_embd.weight": "model.embed_tokens.weight", "output_norm.weight": "model.norm.weight"}
    if not case.tied:
        names["output.weight"] = "lm_head.weight"
    for layer in range(case.layers):
        names |= {f"blk.{layer}.{ours}": f"model.layers.{layer}.{theirs}" for ours, theirs in layer_tensors.items()}
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
    if case.as_converted:
        writer.add_layer_norm_rms_eps(EPSILON)
        FAMILIES[case.architecture].add_metadata(case, writer)
        return
    writer.add_key_length(case.head_dim)
    writer.add_value_length(case.head_dim)
    writer.add_layer_norm_rms_eps(EPSILON)
    writer.add_rope_freq_base(case.rope_theta)
    writer.add_rope_dimension_count(case.head_dim)
    writer.add_vocab_size(case.vocab)
    if case.scaling == "metadata":
        prefix = f"{case.architecture}.rope.scaling"
        scaling = case.rope_parameters()
        writer.add_string(f"{prefix}.type", scaling["rope_type"])
        for key in ("factor", "low_freq_factor", "high_freq_factor"):
            writer.add_float32(f"{prefix}.{key}", scaling[key])
        writer.add_uint32(f"{prefix}.original_context_length", scaling["original_max_position_embeddings"])


def rope_divisors(case: Case) -> np.ndarray:
    """What `rope_freqs.weight` holds: transformers' plain frequencies over its scaled ones."""
    plain, scaled = (build_model(case).model.rotary_emb.inv_freq for case in (replace(case, scaling=None), case))
    return (plain.double() / scaled.double()).numpy().astype(np.float32)


@torch.no_grad()
def stored_rows(case: Case, model: torch.nn.Module) -> np.ndarray:
    tokens, rows = torch.tensor([token_ids(case)]), torch.tensor(case.rows)
    return model(tokens, use_cache=False, logits_to_keep=rows).logits[0].numpy()


def effects(case: Case, model: torch.nn.Module, logits: np.ndarray) -> str:
    """How far the logits move without each thing that the case is about. One that hardly moves them would prove nothing."""
    told = ""
    for what in ("scaling", "rope_dim", "window", "score_cap", "logit_cap"):
        if getattr(case, what) is None:
            continue
        without = build_model(replace(case, **{what: None}))
        without.load_state_dict(model.state_dict())
        moved = np.abs(stored_rows(case, without) - logits).max() / np.abs(logits).max()
        assert moved > LEAST_EFFECT, f"{case.name}: {what} moves the logits by only {moved}"
        told += f", {moved:.2f} of that without {what}"
    return told


if __name__ == "__main__":
    main()
