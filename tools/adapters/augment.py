"""Notes, labels and extractions written by hand, changed so that their answers stay true: other names, days and numbers, other sentences around
what matters, other labels beside the right one, other schemas of the same facts. Run alone, it counts what it changes and shows some of it."""

import json
import random
import re
import sys
from dataclasses import replace
from pathlib import Path

sys.path.append(str(Path(__file__).parent.parent / "demo-model"))
import natural
from natural import Action, Example, Note

WORD = re.compile(r"[^\W\d_]+|\d+")
# Words of one row stand for each other, whatever the sentence.
DAYS = [row.split() for row in (
    "monday tuesday wednesday thursday friday saturday sunday",
    "montag dienstag mittwoch donnerstag freitag samstag sonntag",
    "lunes martes miércoles jueves viernes",
    "lundi mardi mercredi jeudi vendredi samedi dimanche",
    "january february april june july september october november december",
)]
NUMBERS = [row.split() for row in (
    "three four five six seven eight nine ten eleven twelve",
    "thirteen fourteen fifteen sixteen seventeen eighteen nineteen",
    "twenty thirty forty fifty sixty seventy eighty ninety",
    "third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth",
)]
MEANINGS = {
    "urgent": ("somebody must act at once", "an emergency", "cannot wait", "needs help right now"),
    "task": ("something to do, without haste", "asks somebody to do something", "a job for later", "to be done in time"),
    "ignorable": ("nothing that matters", "advertising, chat, noise", "can be skipped", "of no use to the reader"),
    "attention": ("good to know, nothing to do", "worth reading", "news that concerns the reader", "to be aware of"),
}
TASKS = (("task", "owner", "due"), ("what", "who", "when"), ("action", "assignee", "deadline"), ("todo", "person", "due_date"), ("task", "responsible", "by_when"))
SUBJECTS = ("title", "topic", "subject", "about")


def like(word: str, model: str) -> str:
    """`word` with the capitals of `model`."""
    return word.upper() if model.isupper() and len(model) > 1 else word.capitalize() if model[0].isupper() else word


def one_of(meaning: str | tuple[str, ...], rng: random.Random) -> str:
    return meaning if isinstance(meaning, str) else rng.choice(meaning)


class Swaps:
    """Other names, days, months and numbers for those of a text: the same one for the same word."""

    def __init__(self, names: set[str], others: list[str], rng: random.Random, numbers: bool) -> None:
        self.names, self.others, self.rng, self.numbers = names, others, rng, numbers
        self.words = {word: other for row in DAYS + NUMBERS * numbers for word, other in zip(row, rng.sample(row, len(row)))}
        self.new: dict[str, str] = {}

    def number(self, digits: str) -> str:
        """As long a number, an hour for an hour and a day for a day; what begins with 0 and years stay."""
        value, rng = int(digits), self.rng
        if digits[0] == "0" or 1900 <= value < 2100:
            return digits
        for last in (9, 12, 24, 31, 59, 99):
            if value <= last:
                return str(rng.randint(1 if last == 9 else 10, last))
        return str(rng.randint(1, 9)) + "".join(rng.choice("0123456789") if d != "0" else d for d in digits[1:])

    def word(self, match: re.Match) -> str:
        word = match[0]
        if word not in self.new:
            if word in self.names:
                self.new[word] = self.rng.choice(self.others)
            elif word.isdecimal() and self.numbers:
                self.new[word] = self.number(word)
            else:
                self.new[word] = like(self.words.get(word.lower(), word), word) if word.lower() in self.words else word
        return self.new[word]

    def __call__(self, text: str) -> str:
        return WORD.sub(self.word, text)


def sentences(note: Note) -> list[str]:
    """The sentences of a note without speakers, as far as marks tell."""
    return natural.SENTENCE_END.split(note.text)


def follows_rules(note: Note) -> bool:
    """What `gold/check.py` asks of a note: spans are whole words of one line, and a due date is no part of its action."""
    whole = lambda span: re.search(rf"(?<!\w){re.escape(span)}(?!\w)", note.text)
    return all("\n" not in span and whole(span) for span in note.spans()) and not any(a.due and a.due in a.text for a in note.actions)


def says_nothing(sentence: str, note: Note) -> bool:
    """Whether no word of the answer comes from this sentence."""
    return not any(span in sentence or sentence in span for span in note.spans())


def with_sentences(note: Note, parts: list[str]) -> Note:
    other = replace(note, text=" ".join(parts))
    return other if other.is_whole() else note


class Augmented(natural.Gold):
    """The samples to train on, in ever new dress."""

    def __init__(self, seed: int, labels: int = 2) -> None:
        """`labels` is how often an epoch has each label."""
        super().__init__(seed)
        self.label_times = labels
        speakers = {m[1] for n in self.notes for m in map(natural.SPEAKER.match, n.text.split("\n")) if m and "\n" in n.text and m[1].isalpha()}
        first = json.loads((natural.GOLD.parent / "generator" / "words.json").read_text())["first"].split()
        known = set(first)
        self.people = {name for name in speakers.union(self.names) if name in known or name in speakers and not name.isupper()}
        self.others = sorted(self.people) * 3 + [name for name in first if name.isalpha()]
        self.fill = [s for n in self.notes if self.is_plain(n) for s in sentences(n)[1:-1] if self.is_borrowable(s, n)]
        self.dues = [a.due for n in self.notes if self.is_plain(n) for a in n.actions if a.due and re.match(r"(by|before|on|at|in|until|after|within|no later) |to(day|night|morrow)|this ", a.due)]

    @staticmethod
    def is_plain(note: Note) -> bool:
        """English, without speakers, with marks."""
        return "\n" not in note.text and len(sentences(note)) > 2 and len(re.findall(r"\b(the|and|to|is|was|of)\b", note.text)) * 14 > len(note.text.split())

    @staticmethod
    def is_borrowable(sentence: str, note: Note) -> bool:
        """Nothing of the answer, and no person that the next sentence could seem to speak of."""
        words = sentence.split()
        return 3 <= len(words) <= 18 and says_nothing(sentence, note) and not any(w[0].isupper() and w not in ("I", "I'm", "I'd", "I've", "I'll") for w in words[1:])

    def swaps(self, numbers: bool = True) -> Swaps:
        return Swaps(self.people, self.others, self.rng, numbers)

    def with_other_sentences(self, note: Note) -> Note:
        """One sentence that says nothing is dropped or moved, or others come in."""
        rng, parts = self.rng, sentences(note)
        idle = [i for i, s in enumerate(parts) if says_nothing(s, note)]
        if idle and rng.random() < 0.5:
            sentence = parts.pop(rng.choice(idle))
            if rng.random() < 0.3:
                parts.insert(rng.randint(0, len(parts)), sentence)
        for _ in range(rng.choice((0, 1, 1, 2))):
            parts.insert(rng.randint(1, len(parts)), rng.choice(self.fill))
        return with_sentences(note, parts) if parts else note

    def with_other_dues(self, note: Note) -> Note:
        """A due date becomes another one, or an action without one gets one."""
        rng, spans = self.rng, list(note.spans())
        for i, action in enumerate(note.actions):
            due, text = rng.choice(self.dues), None
            if action.due and action.due[0].islower() and note.text.count(action.due) == 1 and spans.count(action.due) == 1:
                text = note.text.replace(action.due, due)
            elif not action.due and rng.random() < 0.5 and re.search(re.escape(action.text) + r"(?=[.,;])", note.text) and note.text.count(action.text) == 1:
                text = note.text.replace(action.text, f"{action.text} {due}")
            if text and rng.random() < 0.5:
                actions = note.actions[:i] + (replace(action, due=due),) + note.actions[i + 1:]
                changed = replace(note, text=text, actions=actions)
                note = changed if changed.is_whole() else note
        return note

    def dressed(self, note: Note) -> Note:
        changed = self.changed(note)
        return changed if follows_rules(changed) else note

    def changed(self, note: Note) -> Note:
        rng, spoken = self.rng, "\n" in note.text
        if spoken and rng.random() < 0.6:
            note = natural.a_turn_of_one_sentence(note)
        if self.is_plain(note) and rng.random() < 0.3:
            note = self.with_other_dues(note)
        if self.is_plain(note) and rng.random() < 0.5:
            note = self.with_other_sentences(note)
        if not spoken and rng.random() < 0.12:
            other = rng.choice(self.notes)
            if "\n" not in other.text and len(note.text) + len(other.text) < 800:
                note = natural.joined(note, other)
        if rng.random() < 0.75:
            note = note.changed(self.swaps())
        if not spoken and rng.random() < 0.2:
            note = natural.with_fillers(note, rng)
        if not spoken and rng.random() < 0.2:
            note = note.changed(natural.without_punctuation if rng.random() < 0.7 else str.lower)
        return note

    def label(self, sample: dict) -> Example:
        """Labels in another order, one left out or one more, their meanings told or not; other names and days in the text."""
        rng, right = self.rng, sample["label"]
        labels = rng.sample(sample["labels"], len(sample["labels"]))
        if len(labels) > 2 and rng.random() < 0.3:
            labels.remove(rng.choice([label for label in labels if label != right]))
        elif rng.random() < 0.1 and "urgent" not in labels:
            strange = rng.choice([s["labels"] for s in self.labels if not set(s["labels"]) & set(labels) and len(s["labels"]) > 2])
            labels.insert(rng.randint(0, len(labels)), rng.choice(strange))
        meanings = sample.get("meanings") or (MEANINGS if set(sample["labels"]) <= set(MEANINGS) else {})
        told = rng.random() < (0.5 if "meanings" in sample else 0.2)
        named = [f"{label} ({one_of(meanings[label], rng)})" if told and label in meanings else label for label in labels]
        text = sample["text"]
        if rng.random() < 0.5 and not any(word in text for word in sample["labels"]):
            text = self.swaps(numbers=False)(text)
        if rng.random() < 0.15:
            text = natural.without_punctuation(text) if rng.random() < 0.6 else text.lower()
        return Example("classify: " + ", ".join(named), text, right)

    def extraction(self, sample: dict) -> Example:
        """Properties in another order, some of them left out; other names and days in text and answer."""
        rng, properties, answer, text = self.rng, sample["schema"]["properties"], sample["answer"], sample["text"]
        kept = [f for f in properties if f in answer]
        if rng.random() < 0.6:
            kept = rng.sample(kept, rng.randint(min(3, len(kept)), len(kept)))
        swaps = self.swaps(numbers=False)
        changed = {f: swaps(v) if isinstance(v, str) and v in text and "enum" not in properties[f] else v for f, v in answer.items()}
        rest = json.dumps([v for f, v in answer.items() if changed[f] is v], ensure_ascii=False)
        if rng.random() < 0.6 and swaps(rest) == rest:
            text, answer = swaps(text), changed
        return Example("extract: " + ", ".join(kept), text, json.dumps({f: answer[f] for f in kept}, ensure_ascii=False))

    def task(self, note: Note) -> Example:
        """A note with one action as an extraction."""
        rng, note = self.rng, self.dressed(note)
        names, action = rng.choice(TASKS), note.actions[0]
        values = dict(zip(names, (action.text, action.owner, action.due)))
        if rng.random() < 0.5:
            values[rng.choice(SUBJECTS)] = note.title
        kept = rng.sample(list(values), rng.randint(2, len(values)))
        return Example("extract: " + ", ".join(kept), note.text, json.dumps({f: values[f] for f in kept}, ensure_ascii=False))

    def epoch(self) -> list[Example]:
        """Every note once, every label so often, every extraction twice, and notes of one action as extractions, in random order."""
        single = [n for n in self.notes if len(n.actions) == 1]
        examples = [*map(self.summary, self.notes), *map(self.label, self.label_times * self.labels), *map(self.extraction, 2 * self.extracts), *map(self.task, single)]
        self.rng.shuffle(examples)
        return examples


def main() -> None:
    data = Augmented(int(sys.argv[1]) if len(sys.argv) > 1 else 1)
    print(len(data.people), "people,", len(data.fill), "sentences to borrow,", len(data.dues), "due dates")
    dressed = [(note, data.dressed(note)) for note in data.notes]
    print(f"{sum(a != b for a, b in dressed)} of {len(dressed)} notes changed, {sum(not follows_rules(b) for _, b in dressed)} against the rules")
    for example in data.rng.sample(data.epoch(), 24):
        print(f"--- {example.system}\n{example.text}\n>>>\n{example.answer}")


if __name__ == "__main__":
    main()
