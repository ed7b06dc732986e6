#!/usr/bin/env python3
"""Gradients that PyTorch's autograd gives adapters of the small models of make_golden.py, for `core/training/tests/gradients.rs`.

    pip install -r requirements.txt
    python gradients.py

Models, weights and token ids are those of make_golden.py, in float64. An adapter has rank 3, beside all seven matrices of each layer, and
numbers that follow from their places. The loss is the mean of the negative log-likelihoods of the tokens of three texts that are to be learnt.
"""

import json
import tempfile
from pathlib import Path

import numpy as np
import torch
from adapters import numbers
from cases import CASES, Case, token_ids
from make_golden import build_model, halves, interleaved, write_gguf
from torch.func import functional_call
from torch.nn import functional as F

FOLDER = Path(__file__).resolve().parents[2] / "core/training/tests/golden"
NAMES = ["plain-gqa1-hd32-tied", "tensor-gqa4-hd64-untied", "llama-smol", "qwen2-small", "qwen3-small", "gemma2", "gemma3", "phi3"]
RANK, ALPHA = 3, 6.0
# Where each text ends in the case's tokens, and its first token that is learnt.
TEXTS = [(19, 0), (32, 6), (40, 1)]
MATRICES = ["attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down"]
MODULES = {
    "attn_q": "self_attn.q_proj", "attn_k": "self_attn.k_proj", "attn_v": "self_attn.v_proj", "attn_output": "self_attn.o_proj",
    "ffn_gate": "mlp.gate_proj", "ffn_up": "mlp.up_proj", "ffn_down": "mlp.down_proj",
}
# In phi3, some follow each other in one matrix.
FUSED = {"self_attn.qkv_proj": ["attn_q", "attn_k", "attn_v"], "mlp.gate_up_proj": ["ffn_gate", "ffn_up"]}


def shape(case: Case, matrix: str) -> tuple[int, int]:
    """Outputs and inputs."""
    query, kv = case.heads * case.head_dim, case.kv_heads * case.head_dim
    return {
        "attn_q": (query, case.hidden), "attn_k": (kv, case.hidden), "attn_v": (kv, case.hidden), "attn_output": (case.hidden, query),
        "ffn_gate": (case.ffn, case.hidden), "ffn_up": (case.ffn, case.hidden), "ffn_down": (case.hidden, case.ffn),
    }[matrix]


def heads_of(case: Case, matrix: str) -> int | None:
    """Heads whose rows files of Llama's family have in another order."""
    return {"attn_q": case.heads, "attn_k": case.kv_heads}.get(matrix) if case.architecture == "llama" else None


def adapter(case: Case) -> dict[tuple[int, str], tuple[torch.Tensor, torch.Tensor]]:
    """By layer and matrix; rows of the second half as PyTorch has them."""
    pairs = {}
    for layer in range(case.layers):
        for matrix in MATRICES:
            rows, columns = shape(case, matrix)
            name = f"blk.{layer}.{matrix}.weight"
            a = numbers(f"{name}.lora_a", (RANK, columns)) * 4
            b = halves(numbers(f"{name}.lora_b", (rows, RANK)) * 4, heads_of(case, matrix))
            leaf = lambda x: torch.from_numpy(np.ascontiguousarray(x)).double().requires_grad_()
            pairs[layer, matrix] = (leaf(a), leaf(b))
    return pairs


def changed(case: Case, model: torch.nn.Module, pairs: dict) -> dict[str, torch.Tensor]:
    """The weights with the adapter's changes."""
    weights = dict(model.named_parameters())
    for layer in range(case.layers):
        delta = {m: ALPHA / RANK * (pairs[layer, m][1] @ pairs[layer, m][0]) for m in MATRICES}
        for module, matrices in [(MODULES[m], [m]) for m in MATRICES] + list(FUSED.items()):
            name = f"model.layers.{layer}.{module}.weight"
            if name in weights:
                weights[name] = weights[name].detach() + torch.cat([delta[m] for m in matrices])
    return weights


def loss_of(case: Case, model: torch.nn.Module, pairs: dict) -> torch.Tensor:
    ids, losses, start = token_ids(case), [], 0
    weights = changed(case, model, pairs)
    for end, learn_from in TEXTS:
        text = torch.tensor([ids[start:end]])
        logits = functional_call(model, weights, (text,), {"use_cache": False}).logits[0]
        first = max(learn_from, 1)
        losses.append(F.cross_entropy(logits[first - 1 : -1], text[0, first:], reduction="none"))
        start = end
    return torch.cat(losses).mean()


def main() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    stored = []
    for case in CASES:
        if case.name not in NAMES:
            continue
        model = build_model(case)
        with tempfile.TemporaryDirectory() as scratch:
            write_gguf(case, model, Path(scratch) / "model.gguf")
        pairs = adapter(case)
        loss = loss_of(case, model, pairs)
        loss.backward()
        gradients = []
        for layer in range(case.layers):
            for matrix in MATRICES:
                a, b = pairs[layer, matrix]
                gradients += [a.grad.numpy(), interleaved(b.grad.numpy(), heads_of(case, matrix))]
        flat = np.concatenate([g.astype("<f4").ravel() for g in gradients])
        flat.tofile(FOLDER / f"{case.name}.f32")
        stored.append({"name": case.name, "loss": loss.item(), "seed": case.seed, "tokens": 40, "vocab": case.vocab})
        print(f"{case.name}: loss {loss.item():.4f}, {flat.size} gradients, up to {np.abs(flat).max():.2e}, the smallest tensor's {min(np.abs(g).max() for g in gradients):.1e}")
    (FOLDER / "gradients.json").write_text(json.dumps({"rank": RANK, "alpha": ALPHA, "texts": TEXTS, "cases": stored}, indent=1) + "\n")


if __name__ == "__main__":
    main()
