"""Notes, labels and extractions written by hand (`gold/`) as training examples, each a little different every time it is seen."""

import json
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

GOLD = Path(__file__).parent / "gold"
HELD_OUT_BELOW = 26
TIME = re.compile(r"^\[[\d:.]+\]\s*")
SPEAKER = re.compile(r"^((?:[^\W\d_a-z]|\d)\S*(?: (?:[^\W\d_a-z]|\d)\S*){0,2}): (.*)$")
SENTENCE_END = re.compile(r"(?<=[.?!]) (?=\S)")
FILLERS = ("um,", "uh,", "er,", "like,", "you know,", "I mean,", "so,")


@dataclass(frozen=True)
class Action:
    text: str
    owner: str | None = None
    due: str | None = None


@dataclass(frozen=True)
class Note:
    """A note as the SDK gives it to the model, and its right answer."""

    text: str
    title: str
    overview: str
    points: tuple[str, ...]
    actions: tuple[Action, ...]

    def spans(self) -> Iterator[str]:
        yield from (self.title, self.overview, *self.points)
        for action in self.actions:
            yield from (s for s in (action.text, action.owner, action.due) if s)

    def is_whole(self) -> bool:
        return all(any(span in line for line in self.text.split("\n")) for span in self.spans())

    def changed(self, change) -> "Note":
        """The note with `change` made to its text and each span; itself where a span would be lost."""
        actions = tuple(Action(*(s and change(s) for s in (a.text, a.owner, a.due))) for a in self.actions)
        other = Note(change(self.text), change(self.title), change(self.overview), tuple(map(change, self.points)), actions)
        return other if all(s.strip() for s in other.spans()) and other.is_whole() else self

    def answer(self) -> str:
        """The answer to `summarize` (`docs/task-format.md`), at most eight of each list."""
        out = f"Title: {self.title}\nOverview: {self.overview}\nPoints:\n" + "".join(f"- {p}\n" for p in self.points[:8]) + "Actions:\n"
        for a in self.actions[:8]:
            out += f"- {a.text}\n" + (f"  owner: {a.owner}\n" if a.owner else "") + (f"  due: {a.due}\n" if a.due else "")
        return out


@dataclass(frozen=True)
class Example:
    """What the model reads and has to write."""

    system: str
    text: str
    answer: str


def is_held_out(text: str) -> bool:
    """Whether a text is kept to measure with: one in ten, chosen once by its hash."""
    return sha256(text.encode()).digest()[0] < HELD_OUT_BELOW


def read(names: str, held_out: bool, folders: tuple[Path, ...] = (GOLD,)) -> list[dict]:
    """The samples of all files that match, either those to train on or those to measure with."""
    lines = [line for folder in folders for path in sorted(folder.glob(names)) for line in path.read_text().splitlines() if line.strip()]
    return [sample for sample in map(json.loads, lines) if is_held_out(sample["text"]) == held_out]


def note(sample: dict) -> Note:
    """A note as the SDK reads its transcript: times off, white space runs one space, speakers at the start of lines."""
    lines = [TIME.sub("", line.strip()) for line in sample["text"].split("\n") if line.strip()]
    collapse = lambda text: " ".join(text.split())
    spoken = len(lines) > 1 and all(map(SPEAKER.match, lines))
    text = ("\n" if spoken else " ").join(map(collapse, lines))
    actions = tuple(Action(*(s and collapse(s) for s in (a["text"], a["owner"], a["due"]))) for a in sample["actions"])
    return Note(text, collapse(sample["title"]), collapse(sample["overview"]), tuple(map(collapse, sample["points"])), actions)


def a_turn_of_one_sentence(note: Note) -> Note:
    """Each sentence of a speaker on a line of its own, as the SDK cuts turns."""
    lines = [f"{m[1]}: {sentence}" for m in map(SPEAKER.match, note.text.split("\n")) for sentence in SENTENCE_END.split(m[2])]
    split = replace(note, text="\n".join(lines))
    return split if split.is_whole() else note


def without_punctuation(text: str) -> str:
    """As a bad recognizer writes: small letters, no marks but within words and numbers and after a speaker's name."""
    return re.sub(r"[.,;:!?\"“”—…]+(?=\s|$)", "", text).replace(" -", "").lower()


def with_fillers(note: Note, rng: random.Random) -> Note:
    words, spans = note.text.split(" "), list(note.spans())
    for _ in range(rng.randint(1, 3)):
        at = rng.randrange(1, len(words))
        tried = words[:at] + [rng.choice(FILLERS)] + words[at:]
        if all(span in " ".join(tried) for span in spans):
            words = tried
    return replace(note, text=" ".join(words)) if replace(note, text=" ".join(words)).is_whole() else note


def renamed(note: Note, names: list[str], rng: random.Random) -> Note:
    """Owners of one word get other names."""
    for owner in {a.owner for a in note.actions if a.owner and a.owner.isalpha() and a.owner[0].isupper()}:
        name, pattern = rng.choice(names), re.compile(rf"\b{owner}\b")
        note = note.changed(lambda text: pattern.sub(name, text))
    return note


def joined(first: Note, second: Note) -> Note:
    return Note(f"{first.text} {second.text}", first.title, first.overview, first.points + second.points, first.actions + second.actions)


class Gold:
    """The samples to train on, for ever, in changing order and dress."""

    def __init__(self, seed: int, folders: tuple[Path, ...] = (GOLD,)) -> None:
        self.rng = random.Random(seed)
        self.notes = [note(sample) for sample in read("notes-*.jsonl", False, folders)]
        self.labels = read("labels*.jsonl", False, folders)
        self.extracts = read("extract*.jsonl", False, folders)
        self.names = sorted({a.owner for n in self.notes for a in n.actions if a.owner and a.owner.isalpha() and a.owner[0].isupper()})

    def dressed(self, note: Note) -> Note:
        rng = self.rng
        spoken = "\n" in note.text
        if spoken and rng.random() < 0.6:
            note = a_turn_of_one_sentence(note)
        if rng.random() < 0.4:
            note = renamed(note, self.names, rng)
        if not spoken and rng.random() < 0.06:
            other = rng.choice(self.notes)
            if "\n" not in other.text and len(note.text) + len(other.text) < 700:
                note = joined(note, other)
        if not spoken and rng.random() < 0.12:
            note = note.changed(without_punctuation)
        if not spoken and rng.random() < 0.12:
            note = with_fillers(note, rng)
        return note

    def summary(self, note: Note) -> Example:
        note = self.dressed(note)
        return Example("summarize", note.text, note.answer())

    def label(self, sample: dict) -> Example:
        return label(sample, self.rng.sample(sample["labels"], len(sample["labels"])))

    def epoch(self) -> list[Example]:
        """Every note and extraction once, every label twice (it is short, and in another order), in random order."""
        examples = [*map(self.summary, self.notes), *map(self.label, 2 * self.labels), *map(extraction, self.extracts)]
        self.rng.shuffle(examples)
        return examples


def label(sample: dict, labels: list[str]) -> Example:
    return Example("classify: " + ", ".join(labels), sample["text"], sample["label"])


def extraction(sample: dict) -> Example:
    fields = sample["schema"]["properties"]
    return Example("extract: " + ", ".join(fields), sample["text"], json.dumps({f: sample["answer"][f] for f in fields if f in sample["answer"]}, ensure_ascii=False))
