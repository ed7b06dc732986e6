"""Measure an adapter on the held-out notes and labels, and choose the bias of beginning another action. Usage: evaluate.py BASE.gguf adapter.pt [...]

Greedy answers in PyTorch, without the SDK's mask: the figures of the product come from `cargo xtask evaluate`. Notes are answered once, with
`LOOSEST` as the bias; what a smaller one would have written is the same answer, ended earlier.
"""

import argparse
import json
import re
import sys
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch.nn import functional as F

from smollm import Adapted, Base, Coder, average, rms, rotate

sys.path.append(str(Path(__file__).parent.parent / "demo-model"))
import natural

LOOSEST = 2.0
BIASES = [b / 2 for b in range(-8, 5)]
MOST_TOKENS = 260


def words(text: str | None) -> list[str]:
    return re.findall(r"[\w']+", (text or "").lower())


def f1(a: str, b: str) -> float:
    left, right = Counter(words(a)), Counter(words(b))
    return 2 * sum((left & right).values()) / max(1, sum(left.values()) + sum(right.values()))


class Reader:
    """The model with the adapter merged in; keys and values of a batch of unequal rows."""

    def __init__(self, model: Adapted) -> None:
        self.base, self.cos, self.sin, self.layers = model.base, model.cos, model.sin, []
        for i, fused in enumerate(model.fused):
            pairs = {f: model.pair(i, f) for f in fused}
            self.layers.append({f: (w.float() + b.float() @ a.float()).bfloat16() for f, w in fused.items() for a, b in [pairs[f]]})

    def start(self, rows: int, length: int) -> None:
        shape = (self.base.layers, rows, self.base.kv_heads, length, self.base.head)
        self.keys, self.values = torch.zeros(shape, dtype=torch.bfloat16), torch.zeros(shape, dtype=torch.bfloat16)

    def feed(self, ids: torch.Tensor, at: torch.Tensor) -> torch.Tensor:
        """States of tokens [rows, n] at the positions `at` [rows, n]."""
        b, (rows, n) = self.base, ids.shape
        seen = int(at.max()) + 1
        group = b.heads // b.kv_heads
        hidden = torch.where(torch.arange(seen) <= at[..., None], 0.0, float("-inf")).bfloat16().repeat(1, group, 1)[:, None]
        cos, sin = self.cos[at][:, None], self.sin[at][:, None]
        row = torch.arange(rows)[:, None]
        x = b.embedding[ids]
        for i, w in enumerate(self.layers):
            q, k, v = F.linear(rms(x, b.norms[i][0], b.eps), w["qkv"]).split((b.width, b.kv_heads * b.head, b.kv_heads * b.head), -1)
            split = lambda y, heads: y.view(rows, n, heads, b.head).transpose(1, 2)
            self.keys[i][row, :, at] = rotate(split(k, b.kv_heads), cos, sin).transpose(1, 2)
            self.values[i][row, :, at] = split(v, b.kv_heads).transpose(1, 2)
            q = rotate(split(q, b.heads), cos, sin).reshape(rows, b.kv_heads, group * n, b.head) * b.head**-0.5
            y = (q @ self.keys[i][:, :, :seen].transpose(2, 3) + hidden).softmax(-1) @ self.values[i][:, :, :seen]
            x = x + F.linear(y.view(rows, b.heads, n, b.head).transpose(1, 2).reshape(rows, n, b.width), w["o"])
            gate, y = F.linear(rms(x, b.norms[i][1], b.eps), w["up"]).chunk(2, -1)
            x = x + F.linear(F.silu(gate) * y, w["down"])
        return rms(x, b.norm, b.eps)


@dataclass
class Answer:
    ids: list[int] = field(default_factory=list)
    ended: bool = False
    margins: list[float] = field(default_factory=list)  # of each action: how much likelier its beginning was than the end


@torch.inference_mode()
def answers(reader: Reader, coder: Coder, prompts: list[list[int]], bias: float) -> list[Answer]:
    """Greedy answers to a batch of prompts; at the start of a line after `Actions:`, `bias` is added to the logit of another action."""
    lengths = torch.tensor([len(p) for p in prompts])
    longest = int(lengths.max())
    reader.start(len(prompts), longest + MOST_TOKENS)
    ids = torch.tensor([p + [0] * (longest - len(p)) for p in prompts])
    states = reader.feed(ids, torch.arange(longest).repeat(len(prompts), 1))
    last = states[torch.arange(len(prompts)), lengths - 1]
    dash, newline = coder.text("-")[0], coder.text("\n")[0]
    found, open_, in_actions = [Answer() for _ in prompts], [True] * len(prompts), [False] * len(prompts)
    for step in range(MOST_TOKENS):
        scores = F.linear(last, reader.base.embedding).float()
        tokens = []
        for i, answer in enumerate(found):
            if in_actions[i] and answer.ids[-1] == newline:
                margin = float(scores[i, dash] - scores[i, coder.end])
                scores[i, dash] += bias
                if int(scores[i].argmax()) == dash and open_[i]:
                    answer.margins.append(margin)
            token = int(scores[i].argmax())
            if open_[i]:
                answer.ids.append(token)
                answer.ended = token == coder.end
                if token == newline and not in_actions[i]:
                    in_actions[i] = coder.tokenizer.decode(answer.ids).endswith("\nActions:\n")
                open_[i] = not answer.ended
            tokens.append(token)
        if not any(open_):
            break
        last = reader.feed(torch.tensor(tokens)[:, None], (lengths + step)[:, None])[:, 0]
    for answer in found:
        answer.ids = answer.ids[:-1] if answer.ended else answer.ids
    return found


def actions_of(answer: str) -> list[natural.Action]:
    actions: list[dict] = []
    for line in answer.partition("Actions:\n")[2].split("\n"):
        if line.startswith("- "):
            actions.append({"text": line[2:]})
        for name in ("owner", "due"):
            if line.startswith(f"  {name}: ") and actions:
                actions[-1][name] = line.partition(": ")[2]
    return [natural.Action(**a) for a in actions]


def score(gold: list[natural.Note], named: list[list[natural.Action]]) -> str:
    """Found, not expected, owner and due right: counted as `cargo xtask evaluate` does (`docs/quality.md`)."""
    found = fields = total = count = unexpected = 0
    for note, actions in zip(gold, named):
        left, total = list(note.actions), total + len(note.actions)
        kept = list({a.text.lower(): a for a in reversed(actions)}.values())[::-1]
        count += len(kept)
        for action in kept:
            unexpected += all(f1(g.text, action.text) < 0.5 for g in note.actions)
            best = max(left, key=lambda g: f1(g.text, action.text), default=None)
            if best and f1(best.text, action.text) >= 0.8:
                left.remove(best)
                found += 1
                fields += words(best.owner) == words(action.owner) and words(best.due) == words(action.due)
    return f"found {found} of {total} ({found / total:.0%}), not expected {unexpected} of {count} ({unexpected / max(1, count):.0%}), expected and well cut all but {count - found}, owner and due right in {fields} of those found ({fields / max(1, found):.0%})"


def batched(items: list, size: int) -> list[list]:
    return [items[i:i + size] for i in range(0, len(items), size)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("base", type=Path)
    parser.add_argument("adapters", type=Path, nargs="+", help="the mean of them is taken")
    parser.add_argument("--notes", type=int, default=1000)
    parser.add_argument("--rows", type=int, default=48)
    parser.add_argument("--show", type=int, default=0)
    args = parser.parse_args()
    torch.set_num_threads(1)
    base = Base(args.base)
    coder = Coder(base)
    model = Adapted(base)
    model.load_state_dict(average(args.adapters))
    model.eval()
    with torch.no_grad():
        reader = Reader(model)
    notes = sorted(map(natural.note, natural.read("notes-*.jsonl", True)), key=lambda n: sorted_key(n.text))[:args.notes]
    notes.sort(key=lambda n: len(n.text))
    given = [a for batch in batched(notes, args.rows) for a in answers(reader, coder, [coder.prompt("summarize", n.text) for n in batch], LOOSEST)]
    written = [coder.tokenizer.decode(a.ids) for a in given]
    for note, text in list(zip(notes, written))[:args.show]:
        print(note.text, "\n---\n" + text, "\n--- gold:\n" + note.answer() + "\n")
    print(f"{len(notes)} notes; {sum(not a.ended for a in given)} answers without an end")
    for bias in BIASES:
        kept = [actions_of(text)[:next((i for i, m in enumerate(a.margins) if m + bias <= 0), None)] for a, text in zip(given, written)]
        print(f"bias {bias:+.1f}: {score(notes, kept)}")
    labels = sorted(natural.read("labels*.jsonl", True), key=lambda s: len(s["text"]))
    right = 0
    for batch in batched([natural.label(s, s["labels"]) for s in labels], args.rows):
        texts = [coder.tokenizer.decode(a.ids) for a in answers(reader, coder, [coder.prompt(e.system, e.text) for e in batch], 0.0)]
        right += sum(t == e.answer for t, e in zip(texts, batch))
    print(f"labels right {right} of {len(labels)}")
    extracts = [natural.extraction(s) for s in natural.read("extract*.jsonl", True)]
    right = fields = total = 0
    for example, answer in zip(extracts, answers(reader, coder, [coder.prompt(e.system, e.text) for e in extracts], 0.0)):
        gold = json.loads(example.answer)
        try:
            value = json.loads(coder.tokenizer.decode(answer.ids))
        except ValueError:
            value = {}
        right, total = right + (value == gold), total + len(gold)
        fields += sum(value.get(k) == v for k, v in gold.items())
    print(f"extractions right {right} of {len(extracts)}, fields {fields} of {total}")


def sorted_key(text: str) -> bytes:
    return natural.sha256(text.encode()).digest()[1:]


if __name__ == "__main__":
    main()
