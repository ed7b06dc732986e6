"""Generate the training data: tokenizer.json, shards of token arrays, and two splits to measure with. Usage: build.py WORK_DIR [--samples N]"""

import argparse
import json
import multiprocessing
from pathlib import Path

import numpy as np

import tokenizer
from generator import tasks
from generator.notes import Notes
from generator.world import World

SHARD = 20000
TEST_SEED, FRESH_SEED = 900_001, 900_002


def samples(seed: int, split: str, count: int):
    notes = Notes(World(seed, split))
    return (tasks.sample(notes) for _ in range(count))


def write_shard(job: tuple[int, str]) -> None:
    """One shard of encoded samples."""
    seed, folder = job
    coder = tokenizer.Coder(f"{folder}/tokenizer.json")
    encoded = [e for e in (coder.sample(s.messages) for s in samples(seed, "train", SHARD)) if len(e[0]) <= 1024]
    np.savez(f"{folder}/shard-{seed:03}.tmp.npz", ids=np.concatenate([np.array(i, np.uint16) for i, _ in encoded]),
             wanted=np.concatenate([np.array(w, np.uint8) for _, w in encoded]), lengths=np.array([len(i) for i, _ in encoded], np.int32))
    Path(f"{folder}/shard-{seed:03}.tmp.npz").rename(f"{folder}/shard-{seed:03}.npz")
    print("shard", seed, flush=True)


def write_split(path: Path, seed: int, split: str, notes_count: int = 200, texts_count: int = 200, extracts_count: int = 100) -> None:
    """Notes, texts to classify and to extract from: "test" with words and shapes that training never sees, "train" new ones of its kind."""
    notes = Notes(World(seed, split))
    with path.open("w") as out:
        kept = 0
        while kept < notes_count:
            note = notes.note()
            if 30 <= len(note.text.split()) <= 150:
                kept += 1
                actions = [{"text": a.text, "owner": a.owner, "due": a.due} for a in note.actions]
                out.write(json.dumps({"task": "summarize", "text": note.text, "title": note.title, "overview": note.overview, "points": note.points, "actions": actions}, ensure_ascii=False) + "\n")
        for make, count in ((tasks.classify, texts_count), (tasks.extract, extracts_count)):
            for _ in range(count):
                (_, system), (_, text), (_, answer) = make(notes).messages
                out.write(json.dumps({"task": make.__name__, "names": system.split(": ", 1)[1].split(", "), "text": text, "answer": answer}, ensure_ascii=False) + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder")
    parser.add_argument("--samples", type=int, default=180_000)
    parser.add_argument("--vocab", type=int, default=4096)
    parser.add_argument("--workers", type=int, default=1)
    args = parser.parse_args()
    folder = Path(args.folder)
    folder.mkdir(parents=True, exist_ok=True)
    texts = [t for s in samples(0, "train", 30_000) for _, t in s.messages]
    tokenizer.train(texts, args.vocab).save(str(folder / "tokenizer.json"))
    write_split(folder / "test-split.jsonl", TEST_SEED, "test")
    write_split(folder / "fresh-split.jsonl", FRESH_SEED, "train")
    jobs = [(seed, args.folder) for seed in range(1, 1 + (args.samples + SHARD - 1) // SHARD)]
    with multiprocessing.Pool(args.workers) as pool:
        pool.map(write_shard, jobs, chunksize=1)


if __name__ == "__main__":
    main()
