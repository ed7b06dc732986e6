"""SmolLM2 with low-rank adapters, as fast as one CPU thread trains it: frozen bfloat16 weights."""

from collections.abc import Iterator
from pathlib import Path

import gguf
import numpy as np
import torch
from gguf.quants import dequantize
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from torch import nn
from torch.nn import functional as F

RANK, ALPHA = 16, 32
SCALE = ALPHA / RANK
DROPOUT = 0.1
MATRICES = ("attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down")
FUSED = {"qkv": ("attn_q", "attn_k", "attn_v"), "o": ("attn_output",), "up": ("ffn_gate", "ffn_up"), "down": ("ffn_down",)}


class Base:
    """The frozen weights of a GGUF file; query and key rows in the order of rotary halves."""

    def __init__(self, path: str | Path) -> None:
        reader = gguf.GGUFReader(path)
        self.field = lambda name: reader.fields[name].contents()
        self.layers = self.field("llama.block_count")
        self.heads = self.field("llama.attention.head_count")
        self.kv_heads = self.field("llama.attention.head_count_kv")
        self.width = self.field("llama.embedding_length")
        self.head = self.width // self.heads
        self.eps = self.field("llama.attention.layer_norm_rms_epsilon")
        self.rope_base = self.field("llama.rope.freq_base")
        tensors = {t.name: t for t in reader.tensors}
        read = lambda name: torch.from_numpy(dequantize(tensors[name].data, tensors[name].tensor_type).astype(np.float32))
        self.embedding = read("token_embd.weight").bfloat16()
        self.norm = read("output_norm.weight").bfloat16()
        self.norms = [(read(f"blk.{i}.attn_norm.weight").bfloat16(), read(f"blk.{i}.ffn_norm.weight").bfloat16()) for i in range(self.layers)]
        self.weights = [{m: read(f"blk.{i}.{m}.weight") for m in MATRICES} for i in range(self.layers)]
        for block in self.weights:
            block["attn_q"] = halves(block["attn_q"], self.heads)
            block["attn_k"] = halves(block["attn_k"], self.kv_heads)

    def shape(self, matrix: str) -> tuple[int, int]:
        """Outputs and inputs of a matrix."""
        return tuple(self.weights[0][matrix].shape)


def halves(rows: torch.Tensor, heads: int) -> torch.Tensor:
    """Rows of a query or key matrix from GGUF's rotary order of pairs to halves."""
    return rows.view(heads, -1, 2, rows.shape[1]).transpose(1, 2).reshape(rows.shape)


def pairs(rows: torch.Tensor, heads: int) -> torch.Tensor:
    """The inverse of `halves`."""
    return rows.view(heads, 2, -1, rows.shape[1]).transpose(1, 2).reshape(rows.shape)


def rotate(x: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor) -> torch.Tensor:
    a, b = x.float().chunk(2, dim=-1)
    return torch.cat((a * cos - b * sin, a * sin + b * cos), dim=-1).bfloat16()


def rms(x: torch.Tensor, weight: torch.Tensor, eps: float) -> torch.Tensor:
    return F.rms_norm(x, (x.shape[-1],), weight, eps)


def adapted(x: torch.Tensor, w: tuple[torch.Tensor, torch.Tensor, torch.Tensor]) -> torch.Tensor:
    weight, a, b = w
    x = x.reshape(-1, x.shape[-1])
    return torch.addmm(F.linear(x, weight), F.linear(x, a), b.T)


def block(x, cos, sin, hidden, norms, qkv, o, up, down, heads: int, kv_heads: int, eps: float):
    """One layer over a whole batch [batch, length, width]; `hidden` [heads of a group * length, length] is -inf where a position is not attended to."""
    batch, length, width = x.shape
    head, group = width // heads, heads // kv_heads
    q, k, v = adapted(rms(x, norms[0], eps), qkv).split((width, kv_heads * head, kv_heads * head), dim=-1)
    q = rotate(q.view(batch, length, heads, head).transpose(1, 2), cos, sin).reshape(batch * kv_heads, group * length, head)
    k = rotate(k.view(batch, length, kv_heads, head).transpose(1, 2), cos, sin).reshape(batch * kv_heads, length, head)
    v = v.view(batch, length, kv_heads, head).transpose(1, 2).reshape(batch * kv_heads, length, head)
    y = torch.bmm(torch.baddbmm(hidden, q, k.transpose(1, 2), alpha=head**-0.5).softmax(-1), v)
    y = y.view(batch, heads, length, head).transpose(1, 2)
    x = x + adapted(y.reshape(batch, length, width), o).view_as(x)
    gate, y = adapted(rms(x, norms[1], eps), up).chunk(2, dim=-1)
    return x + adapted(F.silu(gate) * y, down).view_as(x)


class Adapted(nn.Module):
    """The model with a trainable pair of matrices beside each of its own."""

    def __init__(self, base: Base, first: int = 0, context: int = 2048) -> None:
        """Only layers from `first` on are trained: the others cost no way back."""
        super().__init__()
        self.base, self.first = base, first
        self.lora = nn.ParameterDict()
        for i in range(base.layers):
            for m in MATRICES:
                rows, columns = base.shape(m)
                self.lora[f"{i}_{m}_a"] = nn.Parameter(torch.empty(RANK, columns).uniform_(-1, 1) * (3 / columns) ** 0.5)
                self.lora[f"{i}_{m}_b"] = nn.Parameter(torch.zeros(rows, RANK))
        for name, parameter in self.lora.items():
            parameter.requires_grad_(int(name.split("_")[0]) >= first)
        self.fused = [{f: torch.cat([w[m] for m in names]).bfloat16() for f, names in FUSED.items()} for w in base.weights]
        base.weights = [{m: torch.empty(t.shape, device="meta") for m, t in w.items()} for w in base.weights]
        angles = torch.outer(torch.arange(context).float(), base.rope_base ** (-torch.arange(0, base.head, 2).float() / base.head))
        self.cos, self.sin = angles.cos(), angles.sin()

    def pair(self, i: int, fused: str) -> tuple[torch.Tensor, torch.Tensor]:
        """The adapter of a fused matrix, the scale in its second half; in training, some of what reads is left out."""
        names = FUSED[fused]
        a = torch.cat([self.lora[f"{i}_{m}_a"] for m in names])
        b = torch.block_diag(*[self.lora[f"{i}_{m}_b"] for m in names])
        return F.dropout(a, DROPOUT, self.training).bfloat16(), (b * SCALE).bfloat16()

    def hidden(self, ids: torch.Tensor) -> torch.Tensor:
        """States before the output matrix [batch, length, width]."""
        b, length = self.base, ids.shape[1]
        mask = torch.full((length, length), float("-inf"), dtype=torch.bfloat16).triu(1).repeat(b.heads // b.kv_heads, 1)
        cos, sin = self.cos[:length], self.sin[:length]
        x = b.embedding[ids]
        for i in range(b.layers):
            with torch.set_grad_enabled(torch.is_grad_enabled() and i >= self.first):
                w = {f: (self.fused[i][f], *self.pair(i, f)) for f in FUSED}
                x = block(x, cos, sin, mask, b.norms[i], w["qkv"], w["o"], w["up"], w["down"], b.heads, b.kv_heads, b.eps)
        return rms(x, b.norm, b.eps)

    def logits(self, hidden: torch.Tensor) -> torch.Tensor:
        return F.linear(hidden, self.base.embedding).float()


class Coder:
    """Encodes messages the way the SDK does, with the tokenizer of the GGUF file: ChatML, text between control tokens on its own."""

    def __init__(self, base: Base) -> None:
        tokens, types = base.field("tokenizer.ggml.tokens"), base.field("tokenizer.ggml.token_type")
        vocab = {token: index for index, token in enumerate(tokens)}
        merges = [tuple(m.split(" ")) for m in base.field("tokenizer.ggml.merges")]
        self.tokenizer = Tokenizer(models.BPE(vocab=vocab, merges=merges))
        self.tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)])
        self.tokenizer.decoder = decoders.ByteLevel()
        self.start, self.end = vocab["<|im_start|>"], vocab["<|im_end|>"]
        assert types[self.start] == types[self.end] == gguf.TokenType.CONTROL

    def text(self, text: str) -> list[int]:
        return self.tokenizer.encode(text, add_special_tokens=False).ids

    def prompt(self, system: str, user: str) -> list[int]:
        turn = lambda role, text: [self.start, *self.text(f"{role}\n{text}"), self.end, *self.text("\n")]
        return turn("system", system) + turn("user", user) + [self.start, *self.text("assistant\n")]

    def answer(self, text: str) -> list[int]:
        return self.text(text) + [self.end]


def average(paths: list[Path]) -> dict[str, torch.Tensor]:
    """The mean of adapters that went on from the same one."""
    states = [torch.load(path) for path in paths]
    return {name: sum(state[name] for state in states) / len(states) for name in states[0]}


def adapter_tensors(state: dict[str, torch.Tensor], base: Base) -> Iterator[tuple[str, np.ndarray]]:
    """GGUF names and arrays of a trained adapter."""
    for i in range(base.layers):
        for m in MATRICES:
            a, b = state[f"lora.{i}_{m}_a"], state[f"lora.{i}_{m}_b"]
            if m in ("attn_q", "attn_k"):
                b = pairs(b, base.heads if m == "attn_q" else base.kv_heads)
            yield f"blk.{i}.{m}.weight.lora_a", a.detach().float().numpy()
            yield f"blk.{i}.{m}.weight.lora_b", b.detach().float().numpy()
