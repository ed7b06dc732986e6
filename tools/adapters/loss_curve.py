#!/usr/bin/env python3
"""The losses of `sotto tune`'s steps, as PyTorch finds them: the same tokens, numbers and order, in float32.

    pip install -r requirements.txt
    SOTTO_LESSONS=BASE.gguf,messages.txt,lessons.json cargo test -p sotto --lib -- --ignored writes_lessons
    python loss_curve.py BASE.gguf lessons.json > pytorch.txt
    RUST_LOG=sotto_training=debug sotto tune messages.txt --model BASE.gguf -o me.gguf --minutes 1000 2> sotto.txt

Prints a line for each step, then what held-out texts make in the end. What is left between the two is that Sotto rounds activations to eight bits.
"""

import argparse
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from smollm import ALPHA, MATRICES, RANK, Base
from torch.nn import functional as F

BETAS, DECAY = (0.9, 0.98), 0.01
MASK = 2**64 - 1


class Random:
    """splitmix64, as core/training/src/random.rs."""

    def __init__(self, seed: int) -> None:
        self.state = seed

    def next(self) -> int:
        self.state = (self.state + 0x9E3779B97F4A7C15) & MASK
        z = (self.state ^ (self.state >> 30)) * 0xBF58476D1CE4E5B9 & MASK
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB & MASK
        return z ^ (z >> 31)

    def numbers(self, count: int) -> np.ndarray:
        places = np.arange(1, count + 1, dtype=np.uint64)
        with np.errstate(over="ignore"):
            z = np.uint64(self.state) + places * np.uint64(0x9E3779B97F4A7C15)
            self.state = int(z[-1])
            z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
            z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
            z ^= z >> np.uint64(31)
        return (z >> np.uint64(40)).astype(np.float32) / np.float32(2**23) - np.float32(1)

    def shuffle(self, items: list) -> None:
        for last in range(len(items) - 1, 0, -1):
            other = self.next() % (last + 1)
            items[last], items[other] = items[other], items[last]


def plan(lengths: list[int], epochs: int, batch_tokens: int, seed: int) -> Iterator[list[int]]:
    random, order = Random(seed), list(range(len(lengths)))
    for _ in range(epochs):
        random.shuffle(order)
        step, tokens = [], 0
        for place in order:
            if step and tokens + lengths[place] > batch_tokens:
                yield step
                step, tokens = [], 0
            step.append(place)
            tokens += lengths[place]
        yield step


class Model:
    """SmolLM2 in float32 with an adapter."""

    def __init__(self, base: Base, seed: int) -> None:
        self.base = base
        self.embedding = base.embedding.float()
        self.pairs, random = {}, Random(seed)
        for layer in range(base.layers):
            for matrix in MATRICES:
                rows, columns = base.shape(matrix)
                a = random.numbers(RANK * columns).reshape(RANK, columns) * np.sqrt(np.float32(3 / columns))
                self.pairs[layer, matrix] = (torch.from_numpy(a).requires_grad_(), torch.zeros(rows, RANK, requires_grad=True))
        angles = torch.outer(torch.arange(2048).float(), base.rope_base ** (-torch.arange(0, base.head, 2).float() / base.head))
        self.cos, self.sin = angles.cos(), angles.sin()

    def product(self, layer: int, matrix: str, x: torch.Tensor) -> torch.Tensor:
        a, b = self.pairs[layer, matrix]
        return F.linear(x, self.base.weights[layer][matrix]) + ALPHA / RANK * F.linear(F.linear(x, a), b)

    def turned(self, x: torch.Tensor) -> torch.Tensor:
        a, b = x.chunk(2, dim=-1)
        cos, sin = self.cos[: x.shape[1]], self.sin[: x.shape[1]]
        return torch.cat((a * cos - b * sin, a * sin + b * cos), dim=-1)

    def nll(self, lesson: dict) -> torch.Tensor:
        """Of each token that is learnt."""
        ids, first = lesson["tokens"], lesson["learn_from"]
        base, x = self.base, self.embedding[torch.tensor(ids[:-1])]
        heads = lambda y, count: y.view(len(ids) - 1, count, base.head).transpose(0, 1)
        for layer, (before_attention, before_feed_forward) in enumerate(base.norms):
            n = F.rms_norm(x, (base.width,), before_attention.float(), base.eps)
            q = self.turned(heads(self.product(layer, "attn_q", n), base.heads))
            k = self.turned(heads(self.product(layer, "attn_k", n), base.kv_heads))
            v = heads(self.product(layer, "attn_v", n), base.kv_heads)
            group = base.heads // base.kv_heads
            y = F.scaled_dot_product_attention(q, k.repeat_interleave(group, 0), v.repeat_interleave(group, 0), is_causal=True)
            x = x + self.product(layer, "attn_output", y.transpose(0, 1).reshape(len(ids) - 1, -1))
            n = F.rms_norm(x, (base.width,), before_feed_forward.float(), base.eps)
            x = x + self.product(layer, "ffn_down", F.silu(self.product(layer, "ffn_gate", n)) * self.product(layer, "ffn_up", n))
        logits = F.linear(F.rms_norm(x, (base.width,), base.norm.float(), base.eps), self.embedding)
        return F.cross_entropy(logits[first - 1 :], torch.tensor(ids[first:]), reduction="none")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("base", type=Path)
    parser.add_argument("lessons", type=Path)
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--rate", type=float, default=5e-4)
    parser.add_argument("--steps", type=int, help="stop after so many")
    args = parser.parse_args()
    base = Base(args.base)
    model, lessons = Model(base, seed=1), json.loads(args.lessons.read_text())
    train, held_out = lessons["train"], lessons["held_out"]
    steps = list(plan([len(lesson["tokens"]) for lesson in train], args.epochs, 256, 1))
    parameters = [p for pair in model.pairs.values() for p in pair]
    optimizer = torch.optim.AdamW(parameters, lr=args.rate, betas=BETAS, eps=1e-8, weight_decay=DECAY)

    @torch.no_grad()
    def judged() -> float:
        return torch.cat([model.nll(lesson) for lesson in held_out]).mean().item()

    print(f"held out: {judged():.4f}", flush=True)
    warm_up = max(1, min(10, len(steps) // 10))
    for step, places in enumerate(steps[: args.steps]):
        for group in optimizer.param_groups:
            group["lr"] = args.rate * min(1.0, (step + 1) / warm_up) * (1 - step / len(steps))
        loss = torch.cat([model.nll(train[place]) for place in places]).mean()
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        print(f"step {step + 1} of {len(steps)}: {loss.item():.4f} nats", flush=True)
    print(f"held out: {judged():.4f}")


if __name__ == "__main__":
    main()
