"""Train an adapter for SmolLM2-135M-Instruct within a wall-clock budget. Usage: train.py BASE.gguf WORK_DIR --minutes 85 [--resume]

First a short while of generated notes, which teach the answers' form, then the notes, labels and extractions written by hand. The
learning rate follows the share of the budget that is spent, so that the run ends on time on a busy machine too. One thread.
"""

import argparse
import random
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import torch
from torch.nn import functional as F

from augment import Augmented
from smollm import Adapted, Base, Coder, average

sys.path.append(str(Path(__file__).parent.parent / "demo-model"))
import natural
from generator import tasks
from generator.notes import Notes
from generator.world import World

LONGEST = 900
CHUNK = 128
WARM_UP_STEPS = 20
SAVE_SECONDS = 180
LOWEST = 0.1
TASTE = 0.4
AVERAGED = 0.3


def generated(seed: int) -> Iterator[natural.Example]:
    """The generator's summaries, labels and extractions, for ever."""
    notes = Notes(World(seed, "train"))
    while True:
        sample = tasks.sample(notes)
        if sample.task != "chat":
            (_, system), (_, text), (_, answer) = sample.messages
            yield natural.Example(system, text, answer)


class Encoded:
    """An example as token ids; the first `prompt` of them are read, the others written. An example counts as much as the root of its
    answer's length; title, overview and points count less, since people differ on them."""

    def __init__(self, coder: Coder, example: natural.Example) -> None:
        prompt = coder.prompt(example.system, example.text)
        self.ids, self.prompt = prompt + coder.answer(example.answer), len(prompt)
        written = len(self.ids) - self.prompt
        taste = len(coder.text(example.answer.partition("Actions:\n")[0])) if example.system == "summarize" else 0
        self.weights = [w * written**-0.5 for w in taste * [TASTE] + (written - taste) * [1.0]]


def batches(examples: list[Encoded], tokens: int, rng: random.Random) -> list[list[Encoded]]:
    """Batches of similar lengths, at most `tokens` positions each, in random order."""
    groups: list[list[Encoded]] = [[]]
    for example in sorted(examples, key=lambda e: len(e.ids) + rng.uniform(0, 12)):
        longest = max(len(e.ids) for e in [*groups[-1], example])
        if groups[-1] and longest * (len(groups[-1]) + 1) > tokens:
            groups.append([])
        groups[-1].append(example)
    rng.shuffle(groups)
    return groups


def loss(model: Adapted, batch: list[Encoded]) -> torch.Tensor:
    """The mean over answers' tokens by their weights."""
    longest = max(len(e.ids) for e in batch)
    ids = torch.tensor([e.ids + [0] * (longest - len(e.ids)) for e in batch])
    hidden = model.hidden(ids[:, :-1])
    rows = torch.cat([hidden[i, e.prompt - 1:len(e.ids) - 1] for i, e in enumerate(batch)])
    targets = torch.cat([torch.tensor(e.ids[e.prompt:]) for e in batch])
    weights = torch.tensor([w for e in batch for w in e.weights])
    return (F.cross_entropy(model.logits(rows), targets, reduction="none") * weights).sum() / weights.sum()


class Data:
    """Batches for ever: generated ones at first, then gold with fewer and fewer generated summaries among it."""

    def __init__(self, coder: Coder, args: argparse.Namespace, seed: int) -> None:
        self.coder, self.args, self.rng = coder, args, random.Random(seed)
        self.generator, self.seed = generated(seed), seed
        self.waiting: list[natural.Example] = []
        self.spent = 0.0

    @property
    def generating(self) -> bool:
        return self.spent * self.args.minutes < self.args.generator_minutes

    def examples(self) -> list[natural.Example]:
        if self.generating:
            return [next(self.generator) for _ in range(CHUNK)]
        if not self.waiting:
            self.seed += 1
            self.waiting = Augmented(self.seed, self.args.labels).epoch()
        gold, self.waiting = self.waiting[:CHUNK], self.waiting[CHUNK:]
        summaries = (e for e in self.generator if e.system == "summarize")
        return gold + [next(summaries) for _ in range(int(len(gold) * self.args.generated * (1 - self.spent)))]

    def __iter__(self) -> Iterator[list[Encoded]]:
        while True:
            generating = self.generating
            encoded = [e for e in (Encoded(self.coder, x) for x in self.examples()) if len(e.ids) <= LONGEST]
            for batch in batches(encoded, self.args.tokens, self.rng):
                yield batch
                if generating and not self.generating:
                    break


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("base", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--minutes", type=float, default=85)
    parser.add_argument("--generator-minutes", type=float, default=8)
    parser.add_argument("--generated", type=float, default=0.8, help="generated summaries for each example by hand after that; ever fewer, none at the end")
    parser.add_argument("--first-layer", type=int, default=0, help="train only layers from this one on, a quarter faster with 12 of 30")
    parser.add_argument("--tokens", type=int, default=1024, help="positions in a batch")
    parser.add_argument("--lr", type=float, default=5e-4, help="of the matrices that read")
    parser.add_argument("--lr-ratio", type=float, default=2.0, help="how much faster the matrices that write learn")
    parser.add_argument("--labels", type=int, default=2, help="how often an epoch has each label")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--start", type=Path, nargs="+", help="an adapter to continue from, or several whose mean is taken")
    parser.add_argument("--resume", action="store_true")
    args = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(args.seed)
    args.folder.mkdir(parents=True, exist_ok=True)
    base = Base(args.base)
    model, coder = Adapted(base, args.first_layer), Coder(base)
    rates = {"_a": args.lr, "_b": args.lr * args.lr_ratio}
    groups = [{"params": [p for n, p in model.named_parameters() if n.endswith(end)], "peak": rate} for end, rate in rates.items()]
    optimizer = torch.optim.AdamW(groups, lr=args.lr, betas=(0.9, 0.98), weight_decay=0.01, fused=True)
    steps, tokens, elapsed = 0, 0, 0.0
    averaged, mean = 0, model.state_dict()
    if args.start:
        model.load_state_dict(average(args.start))
    if args.resume:
        state = torch.load(args.folder / "resume.pt")
        model.load_state_dict(state["model"])
        optimizer.load_state_dict(state["optimizer"])
        for group, rate in zip(optimizer.param_groups, rates.values()):
            group["peak"] = rate
        steps, tokens, elapsed = state["steps"], state["tokens"], state["elapsed"]
        averaged, mean = state["averaged"], state["mean"]
    start, budget = time.time() - elapsed, args.minutes * 60
    logged, saved, running, fresh, busy = time.time(), time.time(), [], 0, time.process_time()
    data = Data(coder, args, seed=1000 * args.seed + steps)
    data.spent = elapsed / budget
    for batch in data:
        spent = (time.time() - start) / budget
        data.spent = spent
        scale = min(1.0, (steps + 1) / WARM_UP_STEPS) * max(LOWEST, min(1.0, (1 - spent) / 0.8))
        for group in optimizer.param_groups:
            group["lr"] = group["peak"] * scale
        value = loss(model, batch)
        value.backward()
        torch.nn.utils.clip_grad_norm_([p for p in model.parameters() if p.grad is not None], 1.0)
        optimizer.step()
        optimizer.zero_grad()
        averaged = averaged + 1 if spent > 1 - AVERAGED else 1
        for name, value_now in model.state_dict().items():
            mean[name] = value_now.clone() if averaged == 1 else mean[name].lerp(value_now, 1 / averaged)
        steps, tokens = steps + 1, tokens + sum(len(e.ids) for e in batch)
        fresh += sum(len(e.ids) for e in batch)
        running.append(value.item())
        now, done = time.time(), spent >= 1
        if now - logged > 30 or done:
            print(f"{(now - start) / 60:6.1f} min  step {steps:5}  tokens {tokens / 1e6:6.3f} M  {fresh / (now - logged):4.0f} tok/s, {fresh / (time.process_time() - busy):4.0f} of CPU time  loss {sum(running) / len(running):.4f}  "
                  f"lr {args.lr * scale:.6f}  {'generated' if data.generating else 'gold'}", flush=True)
            logged, running, fresh, busy = now, [], 0, time.process_time()
        if now - saved > SAVE_SECONDS or done:
            torch.save(mean, args.folder / "adapter.tmp")
            (args.folder / "adapter.tmp").rename(args.folder / "adapter.pt")
            torch.save({"model": model.state_dict(), "optimizer": optimizer.state_dict(), "steps": steps, "tokens": tokens, "elapsed": now - start, "averaged": averaged, "mean": mean}, args.folder / "resume.tmp")
            (args.folder / "resume.tmp").rename(args.folder / "resume.pt")
            saved = now
        if done:
            break


if __name__ == "__main__":
    main()
