"""Go on training a checkpoint on natural notes, within a wall-clock budget. Usage: finetune.py WORK_DIR --minutes 60 [--resume]

Starts from `model.pt`, as `train.py` or `import_gguf.py` leaves it. Half of the examples are the generator's at first, a fifth at the end; the others
are written by hand (`gold/`). The learning rate follows the share of the budget that is spent. One thread.
"""

import argparse
import random
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional as F

import natural
import tokenizer
from generator import tasks
from generator.notes import Notes
from generator.world import World
from model import Config, Llama
from train import PROMPT_SHARE, PROMPT_UNTIL, PROMPT_WEIGHT, SHORT_ANSWER, SHORT_WEIGHT, optimizers

GENERATED_FIRST, GENERATED_LAST = 0.5, 0.2
LONGEST = 1024
CHUNK = 256
WARM_UP_STEPS = 40

Encoded = tuple[list[int], list[int]]


def messages(example: natural.Example) -> list[tuple[str, str]]:
    return [("system", example.system), ("user", example.text), ("assistant", example.answer)]


class Mix:
    """Chunks of samples by hand and of the generator, in the shares of the day."""

    def __init__(self, coder: tokenizer.Coder, seed: int) -> None:
        self.coder, self.rng, self.seed = coder, random.Random(seed), seed
        self.notes = Notes(World(seed, "train"))
        self.waiting: list[natural.Example] = []
        self.generated = GENERATED_FIRST

    def gold(self) -> list[tuple[str, str]]:
        if not self.waiting:
            self.seed += 1
            self.waiting = natural.Gold(self.seed).epoch()
        return messages(self.waiting.pop())

    def chunk(self) -> list[Encoded]:
        chosen = (tasks.sample(self.notes).messages if self.rng.random() < self.generated else self.gold() for _ in range(CHUNK))
        return [e for e in map(self.coder.sample, chosen) if len(e[0]) <= LONGEST]

    def batches(self, tokens: int) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        """Token ids, and 1 where the model has to write, 2 where there is nothing; similar lengths together; for ever."""
        while True:
            groups: list[list[Encoded]] = [[]]
            for sample in sorted(self.chunk(), key=lambda s: len(s[0])):
                if groups[-1] and (len(groups[-1]) + 1) * len(sample[0]) > tokens:
                    groups.append([])
                groups[-1].append(sample)
            self.rng.shuffle(groups)
            yield from map(self.padded, groups)

    def padded(self, group: list[Encoded]) -> tuple[torch.Tensor, torch.Tensor]:
        longest = max(len(ids) for ids, _ in group)
        fill = lambda rows, value: torch.tensor([row + [value] * (longest - len(row)) for row in rows])
        return fill([i for i, _ in group], self.coder.control["<|pad|>"]), fill([w for _, w in group], 2)


def loss(model: Llama, ids: torch.Tensor, wanted: torch.Tensor, prompts: bool) -> tuple[torch.Tensor, float]:
    """The weighted loss, and the plain one on answers."""
    targets, flags = ids[:, 1:], wanted[:, 1:]
    keep = flags == 1
    if prompts:
        keep |= (flags == 0) & (torch.rand(flags.shape) < PROMPT_SHARE)
    losses = F.cross_entropy(model.logits(model.hidden(ids[:, :-1])[keep]), targets[keep], reduction="none")
    answer = flags[keep] == 1
    short = ((flags == 1).sum(1, keepdim=True) <= SHORT_ANSWER).expand_as(flags)[keep]
    weights = torch.where(answer, torch.where(short, SHORT_WEIGHT, 1.0), PROMPT_WEIGHT)
    return (losses * weights).sum() / weights.sum(), losses.detach()[answer].mean().item()


@torch.inference_mode()
def held_out(model: Llama, mix: Mix) -> str:
    """The loss on answers to held-out samples, for each task."""
    model.eval()
    kinds = {"notes": [natural.Example("summarize", n.text, n.answer()) for n in map(natural.note, natural.read("notes-*.jsonl", True))],
             "labels": [natural.label(s, s["labels"]) for s in natural.read("labels*.jsonl", True)],
             "extractions": [natural.extraction(s) for s in natural.read("extract*.jsonl", True)]}
    coded = {kind: [mix.coder.sample(messages(e)) for e in examples] for kind, examples in kinds.items()}
    losses = {kind: np.mean([loss(model, *mix.padded([e]), False)[1] for e in examples if len(e[0]) <= LONGEST]) for kind, examples in coded.items()}
    model.train()
    return ", ".join(f"{kind} {value:.3f}" for kind, value in losses.items())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--tokens", type=int, default=2048, help="positions in a batch")
    parser.add_argument("--lr", type=float, default=1.5e-3)
    parser.add_argument("--resume", action="store_true")
    args = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(1)
    saved = torch.load(args.folder / "model.pt")
    config = Config(**saved["config"])
    model = Llama(config)
    model.load_state_dict(saved["model"])
    opts = optimizers(model, args.lr)
    steps, tokens, elapsed = 0, 0, 0.0
    if args.resume:
        state = torch.load(args.folder / "finetune.pt")
        for opt, past in zip(opts, state["opts"]):
            opt.load_state_dict(past)
        steps, tokens, elapsed = state["steps"], state["tokens"], state["elapsed"]
    mix = Mix(tokenizer.Coder(str(args.folder / "tokenizer.json")), seed=1000 + steps)
    start, budget = time.time() - elapsed, args.minutes * 60
    logged, saved_at, running = time.time(), time.time(), []
    print(f"held out: {held_out(model, mix)}", flush=True)
    for ids, wanted in mix.batches(args.tokens):
        spent = (time.time() - start) / budget
        mix.generated = GENERATED_FIRST + (GENERATED_LAST - GENERATED_FIRST) * min(1.0, spent)
        scale = min(1.0, (steps + 1) / WARM_UP_STEPS) * max(0.0, min(1.0, (1 - spent) / 0.8))
        for opt in opts:
            for group in opt.param_groups:
                group["lr"] = args.lr * scale
        value, plain = loss(model, ids, wanted, spent < PROMPT_UNTIL)
        value.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for opt in opts:
            opt.step()
            opt.zero_grad()
        steps, tokens = steps + 1, tokens + int((wanted != 2).sum())
        running.append(plain)
        now, done = time.time(), spent >= 1
        if now - logged > 60 or done:
            print(f"{(now - start) / 60:6.1f} min  step {steps:5}  tokens {tokens / 1e6:6.2f} M  {tokens / (now - start):5.0f} tok/s  answer loss {np.mean(running):.4f}  lr {args.lr * scale:.5f}", flush=True)
            logged, running = now, []
        if now - saved_at > 240 or done:
            torch.save({"model": model.state_dict(), "config": config.as_dict()}, args.folder / "model.pt")
            torch.save({"opts": [o.state_dict() for o in opts], "steps": steps, "tokens": tokens, "elapsed": now - start}, args.folder / "finetune.pt")
            print(f"held out: {held_out(model, mix)}", flush=True)
            saved_at = time.time()
        if done:
            break


if __name__ == "__main__":
    main()
