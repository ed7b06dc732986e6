"""Train the model within a wall-clock budget. Usage: train.py WORK_DIR --minutes 80 [--resume]

Reads the shards that `build.py` writes, in order, waiting for none: it goes round when it has seen them all. Matrices are
trained with Muon, embeddings and norms with AdamW; the learning rate follows the share of the budget that is spent, so that
the run ends on time on a busy machine too. The last checkpoint is `model.pt`.
"""

import argparse
import glob
import os
import time

import numpy as np
import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from torch.nn import functional as F

import tokenizer
from model import Config, Llama

SHAPE = ("width", "layers", "heads", "kv_heads", "hidden")
PROMPT_SHARE, PROMPT_WEIGHT, PROMPT_UNTIL = 0.3, 0.35, 0.5
SHORT_ANSWER, SHORT_WEIGHT = 6, 8.0  # the few tokens of a label or a short reply would drown among those of the summaries


def shard_samples(path: str) -> list[tuple[np.ndarray, np.ndarray]]:
    data = np.load(path)
    cuts = np.cumsum(data["lengths"])[:-1]
    return list(zip(np.split(data["ids"], cuts), np.split(data["wanted"], cuts)))


def batches(folder: str, tokens: int, pad: int, rng: np.random.Generator, rank: int, workers: int, skip: int):
    """Batches of similar lengths, about `tokens` tokens each: ids and flags, for ever; every worker gets its share.

    The shards that make up the first `skip` tokens are left out, so that a resumed run goes on with new ones.
    """
    seen = 0
    while True:
        paths = sorted(p for p in glob.glob(f"{folder}/shard-*.npz") if ".tmp" not in p)
        path, seen = paths[seen % len(paths)], seen + 1
        samples = shard_samples(path)
        size = sum(len(ids) for ids, _ in samples)
        if skip >= size:
            skip -= size
            continue
        rng.shuffle(samples)
        groups, ordered = [], sorted(samples, key=lambda s: len(s[0]) + rng.uniform(0, 8))
        group: list = []
        for sample in ordered:
            if group and (len(group) + 1) * max(len(sample[0]), len(group[-1][0])) > tokens:
                groups.append(group)
                group = []
            group.append(sample)
        rng.shuffle(groups)
        for group in groups[rank:len(groups) - len(groups) % workers:workers]:
            longest = max(len(i) for i, _ in group)
            ids, wanted = np.full((len(group), longest), pad, np.int64), np.full((len(group), longest), 2, np.uint8)
            for row, (i, w) in enumerate(group):
                ids[row, :len(i)], wanted[row, :len(w)] = i, w
            yield torch.from_numpy(ids), torch.from_numpy(wanted)


def optimizers(model: Llama, lr: float) -> list[torch.optim.Optimizer]:
    matrices = [p for n, p in model.named_parameters() if p.ndim == 2 and "embed" not in n]
    others = [p for n, p in model.named_parameters() if p.ndim != 2 or "embed" in n]
    muon = torch.optim.Muon(matrices, lr=lr, weight_decay=0.02, momentum=0.95, adjust_lr_fn="match_rms_adamw")
    return [muon, torch.optim.AdamW(others, lr=lr, betas=(0.9, 0.95), weight_decay=0.0, fused=True)]


def average(model: Llama, spent: float, workers: int) -> float:
    """Average the gradients over the workers; also the share of the budget that each thinks is spent."""
    grads = [p.grad for p in model.parameters()]
    flat = torch.cat([g.flatten() for g in grads] + [torch.tensor([spent])])
    dist.all_reduce(flat)
    flat /= workers
    at = 0
    for g in grads:
        g.copy_(flat[at:at + g.numel()].view_as(g))
        at += g.numel()
    return flat[-1].item()


def run(rank: int, args: argparse.Namespace) -> None:
    """One worker."""
    os.environ.update(MASTER_ADDR="127.0.0.1", MASTER_PORT=str(args.port))
    dist.init_process_group("gloo", rank=rank, world_size=args.workers)
    torch.set_num_threads(1)
    torch.manual_seed(1)
    rng = np.random.default_rng(1)
    coder = tokenizer.Coder(f"{args.folder}/tokenizer.json")
    config = Config(vocab=coder.vocab, **{n: getattr(args, n) for n in SHAPE})
    model = Llama(config)
    steps, tokens, elapsed = 0, 0, 0.0
    opts = optimizers(model, args.lr)
    if args.resume:
        state = torch.load(f"{args.folder}/resume.pt")
        model.load_state_dict(state["model"])
        for opt, saved in zip(opts, state["opts"]):
            opt.load_state_dict(saved)
        steps, tokens, elapsed = state["steps"], state["tokens"], state["elapsed"]
        rng = np.random.default_rng(steps)
    torch.manual_seed(rank)
    hidden_states = torch.compile(model.hidden, dynamic=True) if args.compile else model.hidden
    if rank == 0:
        print(f"{sum(p.numel() for p in model.parameters()):,} parameters, {config.as_dict()}, torch {torch.__version__}, {args.workers} workers", flush=True)
    start, budget = time.time() - elapsed, args.minutes * 60
    last_log, last_save, running, spent = time.time(), time.time(), [], elapsed / budget
    for ids, wanted in batches(args.folder, args.tokens, coder.control["<|pad|>"], rng, rank, args.workers, tokens):
        scale = min(1.0, (steps + 1) / 60) * min(1.0, (1.02 - spent) / 0.75)
        for opt in opts:
            for group in opt.param_groups:
                group["lr"] = args.lr * scale
        targets, flags = ids[:, 1:], wanted[:, 1:]
        keep = flags == 1
        if spent < PROMPT_UNTIL:
            keep |= (flags == 0) & (torch.rand(flags.shape) < PROMPT_SHARE)
        losses = F.cross_entropy(model.logits(hidden_states(ids[:, :-1])[keep]), targets[keep], reduction="none")
        answer = flags[keep] == 1
        short = ((flags == 1).sum(1, keepdim=True) <= SHORT_ANSWER).expand_as(flags)[keep]
        weights = torch.where(answer, torch.where(short, SHORT_WEIGHT, 1.0), PROMPT_WEIGHT)
        ((losses * weights).sum() / weights.sum()).backward()
        spent = average(model, (time.time() - start) / budget, args.workers)
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for opt in opts:
            opt.step()
            opt.zero_grad()
        steps += 1
        tokens += int((flags != 2).sum()) * args.workers
        running.append((losses.detach()[answer].mean().item(), losses.detach()[~answer].mean().item() if (~answer).any() else 0.0))
        if rank == 0 and (time.time() - last_log > 30 or spent >= 1):
            mean, passed = np.mean(running, axis=0), time.time() - start
            print(f"{passed / 60:6.1f} min  step {steps:5}  tokens {tokens / 1e6:6.2f} M  {tokens / passed:6.0f} tok/s  answer loss {mean[0]:.4f}  prompt loss {mean[1]:.3f}  lr {args.lr * scale:.5f}", flush=True)
            last_log, running = time.time(), []
        if rank == 0 and (time.time() - last_save > 240 or spent >= 1):
            torch.save({"model": model.state_dict(), "config": config.as_dict()}, f"{args.folder}/model.pt")
            torch.save({"model": model.state_dict(), "opts": [o.state_dict() for o in opts], "steps": steps, "tokens": tokens, "elapsed": time.time() - start}, f"{args.folder}/resume.pt")
            last_save = time.time()
        if spent >= 1:
            break
    if rank == 0:
        print(f"done: {steps} steps, {tokens:,} tokens, {(time.time() - start) / 60:.1f} min", flush=True)
    dist.destroy_process_group()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder")
    parser.add_argument("--minutes", type=float, default=80)
    parser.add_argument("--tokens", type=int, default=2048, help="tokens in a worker's batch")
    parser.add_argument("--lr", type=float, default=4e-3)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--port", type=int, default=29511)
    parser.add_argument("--resume", action="store_true")
    parser.add_argument("--compile", action="store_true", help="compile the model first: a fifth faster, after a minute or two")
    for name in SHAPE:
        parser.add_argument(f"--{name}", type=int, default=getattr(Config, name))
    args = parser.parse_args()
    mp.spawn(run, (args,), nprocs=args.workers)


if __name__ == "__main__":
    main()
