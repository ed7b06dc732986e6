"""Measure summaries and labels against a split with known answers.

    evaluate.py SPLIT.jsonl --sotto PATH/TO/sotto     answers of the command line program
    evaluate.py SPLIT.jsonl --torch WORK_DIR          answers of the checkpoint, with a mask of its own
    evaluate.py fixture-gold.json --notes FOLDER ...  the notes written by hand

An action counts as found when its text has a token F1 of 0.8 or more with a gold action ("text"), and strictly when owner and
due are right too. A predicted action that shares less than half of its words with every gold action is invented; the wrong ones
are those, the repeated ones and the badly cut. A point is true when half of its words are in a gold point or the overview, and
it is no action.
"""

import argparse
import json
import re
import subprocess
from collections import Counter
from pathlib import Path


def words(text: str | None) -> list[str]:
    return re.findall(r"[\w']+", (text or "").lower())


def f1(a: str | None, b: str | None) -> float:
    left, right = Counter(words(a)), Counter(words(b))
    common = sum((left & right).values())
    return 2 * common / (sum(left.values()) + sum(right.values())) if common else 0.0


def covered(point: str, facts: list[str]) -> bool:
    """Whether at least half of the point's words are in one of the facts."""
    mine = Counter(words(point))
    return any(2 * sum((mine & Counter(words(f))).values()) >= sum(mine.values()) for f in facts)


class Cli:
    """Answers of `sotto`."""

    def __init__(self, program: str, model: str | None) -> None:
        self.command = [program] + (["--model", model] if model else [])

    def run(self, *arguments: str, text: str | None = None) -> dict:
        done = subprocess.run([*self.command, *arguments], input=text, capture_output=True, text=True, check=True)
        return json.loads(done.stdout)

    def summarize(self, text: str) -> dict:
        answer = self.run("summarize", "--json", "-", text=text)
        answer["points"] = [p["text"] if isinstance(p, dict) else p for p in answer["points"]]
        return answer

    def classify(self, text: str, names: list[str]) -> str:
        return self.run("classify", text, "--labels", ",".join(names), "--json")["label"]


class Torch:
    """Answers of a checkpoint."""

    def __init__(self, folder: str) -> None:
        import decode
        self.decode = decode
        self.model, self.coder = decode.load(folder)

    def writer(self, system: str, text: str):
        return self.decode.Writer(self.model, self.coder, self.coder.prompt([("system", system), ("user", text)]))

    def summarize(self, text: str) -> dict:
        return self.decode.summarize(self.model, self.coder, text)

    def classify(self, text: str, names: list[str]) -> str:
        return self.writer("classify: " + ", ".join(names), text).one_of(names)

    def extract(self, text: str, names: list[str]) -> str:
        return self.writer("extract: " + ", ".join(names), text).free()


def score_summaries(cases: list[dict], answers) -> dict[str, float]:
    """Shares over all notes."""
    n: Counter = Counter()
    for case in cases:
        answer = answers.summarize(case["text"])
        left = list(case["actions"])
        n["gold"] += len(left)
        for action in answer["actions"]:
            n["predicted"] += 1
            best = max(left, key=lambda g: f1(g["text"], action["text"]), default=None)
            if best is None or f1(best["text"], action["text"]) < 0.8:
                n["invented"] += not any(f1(g["text"], action["text"]) >= 0.5 for g in case["actions"])
                continue
            left.remove(best)
            n["text"] += 1
            owner, due = (words(best[k]) == words(action.get(k)) for k in ("owner", "due"))
            n["owner"] += owner
            n["due"] += due
            n["strict"] += owner and due
        facts, todo = case["points"] + ([case["overview"]] if case.get("overview") else []), [a["text"] for a in case["actions"]]
        for point in answer["points"]:
            n["points"] += 1
            n["true"] += covered(point, facts) and not any(f1(point, t) >= 0.8 for t in todo)
        n["gold points"] += len(case["points"])
        n["points found"] += sum(covered(p, answer["points"] + [answer["overview"]]) for p in case["points"])
        n["title"] += f1(answer["title"], case.get("title")) >= 0.8
        n["overview"] += f1(answer["overview"], case.get("overview")) >= 0.8
    share = lambda a, b: round(n[a] / max(1, n[b]), 3)
    n["notes"] = len(cases)
    return {"notes": n["notes"], "actions found": share("strict", "gold"), "actions found, text only": share("text", "gold"), "owner right of those": share("owner", "text"),
            "due right of those": share("due", "text"), "actions invented": share("invented", "predicted"), "actions wrong": round(1 - n["text"] / max(1, n["predicted"]), 3), "points true": share("true", "points"),
            "points found": share("points found", "gold points"), "title as expected": share("title", "notes"), "overview as expected": share("overview", "notes")}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("split", type=Path)
    parser.add_argument("--sotto")
    parser.add_argument("--model", help="a model file for --sotto; the built-in one when left out")
    parser.add_argument("--torch")
    parser.add_argument("--notes", type=Path, help="folder with the texts of a gold file without texts")
    parser.add_argument("--limit", type=int, default=10_000)
    parser.add_argument("--show", action="store_true", help="print each answer")
    args = parser.parse_args()
    answers = Torch(args.torch) if args.torch else Cli(args.sotto, args.model)
    if args.split.suffix == ".json":
        cases = [dict(case, task="summarize", text=read_note(args.notes / name)) for name, case in json.loads(args.split.read_text()).items()]
    else:
        cases = [json.loads(line) for line in args.split.read_text().splitlines()]
    by_task = {task: [c for c in cases if c["task"] == task][:args.limit] for task in ("summarize", "classify", "extract")}
    if args.show:
        for case in by_task["summarize"]:
            print(case["text"], json.dumps(answers.summarize(case["text"]), ensure_ascii=False, indent=1), sep="\n")
    result: dict = {"summarize": score_summaries(by_task["summarize"], answers)}
    if by_task["classify"]:
        default = [c for c in by_task["classify"] if set(c["names"]) <= {"urgent", "task", "ignorable", "attention"}]
        right = lambda group: round(sum(answers.classify(c["text"], c["names"]) == c["answer"] for c in group) / max(1, len(group)), 3)
        result["classify"] = {"texts": len(by_task["classify"]), "accuracy": right(by_task["classify"]), "accuracy, the four labels": right(default)}
    if by_task["extract"] and args.torch:
        result["extract"] = {"texts": len(by_task["extract"]), "exactly right": round(sum(answers.extract(c["text"], c["names"]) == c["answer"] for c in by_task["extract"]) / len(by_task["extract"]), 3)}
    print(json.dumps(result, indent=2))


def read_note(path: Path) -> str:
    """A note file as the SDK joins it: timestamps off, one line."""
    return " ".join(re.sub(r"^\[\d+:\d+\] ", "", line) for line in path.read_text().split("\n")).strip()


if __name__ == "__main__":
    main()
