"""The Llama architecture in a page of PyTorch, small enough to train on two CPU cores."""

from dataclasses import asdict, dataclass

import torch
from torch import nn
from torch.nn import functional as F


@dataclass
class Config:
    vocab: int = 4096
    width: int = 256
    layers: int = 5
    heads: int = 8
    kv_heads: int = 4
    hidden: int = 512
    context: int = 1024
    rope_base: float = 10000.0
    eps: float = 1e-5

    @property
    def head(self) -> int:
        return self.width // self.heads

    def as_dict(self) -> dict:
        return asdict(self)


def rope_tables(config: Config) -> tuple[torch.Tensor, torch.Tensor]:
    """Cosines and sines, [context, head / 2]."""
    frequencies = config.rope_base ** (-torch.arange(0, config.head, 2).float() / config.head)
    angles = torch.outer(torch.arange(config.context).float(), frequencies)
    return angles.cos(), angles.sin()


def rotate(x: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor) -> torch.Tensor:
    """Rotary embedding over halves; `export.py` permutes to GGUF's interleaved order."""
    a, b = x.chunk(2, dim=-1)
    return torch.cat((a * cos - b * sin, a * sin + b * cos), dim=-1)


def linear(layer: nn.Linear, x: torch.Tensor) -> torch.Tensor:
    """A matrix product in bfloat16 while training (fast where the CPU has AMX), in float32 otherwise."""
    if not layer.training:
        return layer(x)
    return F.linear(x.bfloat16(), layer.weight.bfloat16())


class Block(nn.Module):
    def __init__(self, c: Config) -> None:
        super().__init__()
        self.c = c
        self.attn_norm = nn.Parameter(torch.ones(c.width))
        self.ffn_norm = nn.Parameter(torch.ones(c.width))
        self.q = nn.Linear(c.width, c.heads * c.head, bias=False)
        self.k = nn.Linear(c.width, c.kv_heads * c.head, bias=False)
        self.v = nn.Linear(c.width, c.kv_heads * c.head, bias=False)
        self.o = nn.Linear(c.heads * c.head, c.width, bias=False)
        self.gate = nn.Linear(c.width, c.hidden, bias=False)
        self.up = nn.Linear(c.width, c.hidden, bias=False)
        self.down = nn.Linear(c.hidden, c.width, bias=False)

    def forward(self, x: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor, cache: list | None) -> torch.Tensor:
        c, (batch, length, _) = self.c, x.shape
        h = F.rms_norm(x, (c.width,), self.attn_norm, c.eps)
        split = lambda y, heads: y.view(batch, length, heads, c.head).transpose(1, 2)
        h = h.bfloat16() if self.training else h
        q, k, v = split(linear(self.q, h), c.heads), split(linear(self.k, h), c.kv_heads), split(linear(self.v, h), c.kv_heads)
        q, k, v = rotate(q.float(), cos, sin), rotate(k.float(), cos, sin), v.float()
        if cache is not None:
            if cache:
                k, v = torch.cat((cache[0], k), 2), torch.cat((cache[1], v), 2)
            cache[:] = [k, v]
        repeat = c.heads // c.kv_heads
        k, v = k.repeat_interleave(repeat, 1), v.repeat_interleave(repeat, 1)
        if length == k.shape[2]:
            y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        else:
            mask = torch.ones(length, k.shape[2], dtype=torch.bool).tril(k.shape[2] - length)
            y = F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
        x = x + linear(self.o, y.transpose(1, 2).reshape(batch, length, -1))
        h = F.rms_norm(x, (c.width,), self.ffn_norm, c.eps)
        h = h.bfloat16() if self.training else h
        return x + linear(self.down, F.silu(linear(self.gate, h)) * linear(self.up, h))


class Llama(nn.Module):
    def __init__(self, c: Config) -> None:
        super().__init__()
        self.c = c
        self.embed = nn.Embedding(c.vocab, c.width)
        self.blocks = nn.ModuleList(Block(c) for _ in range(c.layers))
        self.norm = nn.Parameter(torch.ones(c.width))
        cos, sin = rope_tables(c)
        self.register_buffer("cos", cos, persistent=False)
        self.register_buffer("sin", sin, persistent=False)
        for name, p in self.named_parameters():
            if p.ndim == 2:
                nn.init.normal_(p, std=0.02 if "embed" in name else (0.5 if name.endswith(("o.weight", "down.weight")) else 1.0) * p.shape[1] ** -0.5)

    def hidden(self, ids: torch.Tensor, caches: list[list] | None = None) -> torch.Tensor:
        """Final normed states; `caches` holds one list per layer when decoding."""
        past = caches[0][0].shape[2] if caches and caches[0] else 0
        cos, sin = self.cos[past:past + ids.shape[1]], self.sin[past:past + ids.shape[1]]
        x = self.embed(ids)
        for i, block in enumerate(self.blocks):
            x = block(x, cos, sin, caches[i] if caches is not None else None)
        return F.rms_norm(x, (self.c.width,), self.norm, self.c.eps)

    def logits(self, hidden: torch.Tensor) -> torch.Tensor:
        if not self.training:
            return hidden @ self.embed.weight.T
        return F.linear(hidden.bfloat16(), self.embed.weight.bfloat16()).float()
