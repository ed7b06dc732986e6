"""Whole notes: an opening, facts, actions, distractions and a closing in some order, spoken with some noise.

`Note` is what the tasks are made of: the text, and the spans a reader would take from it.
"""

import re
from dataclasses import dataclass, field

from . import spanish, statements
from .facts import CLOSINGS, FACTS, OPENINGS, SMALL_TALK
from .sentences import Sentences
from .world import World

DOMAINS = [d for d in FACTS if d not in ("random", "plain")]
SPANISH_SHARE = 0.03
FILLERS = ["um", "uh", "like", "you know", "so yeah", "I mean", "well", "uhm", "er"]
STARTERS = ["so", "okay", "okay so", "and", "oh and", "oh, and", "also", "anyway", "right,", "well", "then", "but", "um,", "uh", "so yeah,", "yeah", "alright", "now,", "plus", "by the way,", "oh yeah,", "let me see,", "um, so"]
SLIPS = {"their": "there", "there's": "theirs", "to": "too", "your": "you're", "it's": "its", "than": "then", "two": "to", "four": "for", "know": "no", "by": "buy", "here": "hear", "right": "write", "week": "weak", "our": "are", "whole": "hole"}
OPEN = re.compile(r"\[([aodprt])([\d/]*):")


@dataclass
class Action:
    text: str = ""
    owner: str | None = None
    due: str | None = None
    at: int = 0


@dataclass
class Note:
    text: str
    domain: str
    title: str
    overview: str
    points: list[str] = field(default_factory=list)
    actions: list[Action] = field(default_factory=list)


def unmark(marked: str) -> tuple[str, list[tuple[str, str, int, int]]]:
    """The plain text, and (kind, ids, start, end) of every mark."""
    out: list[str] = []
    spans, stack, length, i = [], [], 0, 0
    while i < len(marked):
        opening = OPEN.match(marked, i)
        if opening:
            stack.append((opening.group(1), opening.group(2), length))
            i = opening.end()
        elif marked[i] == "]":
            kind, ids, start = stack.pop()
            spans.append((kind, ids, start, length))
            i += 1
        else:
            out.append(marked[i])
            length += 1
            i += 1
    return "".join(out), spans


def clean(span: str) -> str:
    """A span without punctuation at its ends (a title's full stop such as `Mr.` never ends one)."""
    return span.strip(" ,.?!;:")


def capitalize(marked: str) -> str:
    """Upper-case the first letter outside of mark openings."""
    i = 0
    while i < len(marked) and (opening := OPEN.match(marked, i)):
        i = opening.end()
    return marked[:i] + marked[i:i + 1].upper() + marked[i + 1:]


def plain_words(marked: str, change) -> str:
    """Apply `change` to the text outside of mark openings."""
    parts, last = [], 0
    for opening in OPEN.finditer(marked):
        parts += [change(marked[last:opening.start()]), opening.group(0)]
        last = opening.end()
    return "".join(parts) + change(marked[last:])


class Notes:
    """Makes notes of one split."""

    def __init__(self, world: World) -> None:
        self.world = world

    def note(self, size: int | None = None, domain: str | None = None) -> Note:
        """One note; `size` is the number of sentences with content."""
        while True:
            note = self._note(size or self.world.rng.choice([2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 8]), domain)
            if len(note.actions) <= 8 and len(note.points) <= 8:
                return note

    def _note(self, size: int, domain: str | None) -> Note:
        world = self.world
        world.renew()
        focus, domain = domain is not None, domain or world.any(*DOMAINS)
        if world.chance(SPANISH_SHARE):
            return self._spanish(min(size, 6), domain)
        sentences = Sentences(world, domain, focus)
        action_share = world.any(0, 0.3, 0.5, 0.5, 0.6, 0.8, 1)
        body = [sentences.action() if world.chance(action_share) else sentences.fact() for _ in range(size)]
        if world.chance(0.15):
            body.insert(world.rng.randint(0, len(body)), world.pick(SMALL_TALK if world.chance(0.3) else statements.ASIDES))
        if world.chance(0.15):
            return self._dialogue(body, domain)
        body = [self._start(s) for s in body]
        if world.chance(0.72):
            body.insert(0, self._start(self._opening()) if world.chance(0.3) else self._opening())
        if world.chance(0.25):
            body.append(world.fill(world.pick(CLOSINGS if world.chance(0.3) else statements.CLOSINGS)))
        return self._finish(self._speak(self._punctuate(body)), domain)

    def _opening(self) -> str:
        """What the note says it is about."""
        world = self.world
        return world.fill(world.pick(OPENINGS, 0.5) if world.chance(0.5) else world.join(statements.OPENERS, statements.TOPICS, statements.TOPIC_TAILS))

    def _spanish(self, size: int, domain: str) -> Note:
        world = self.world
        body = [spanish.sentence(world, i + 1, world.chance(0.55)) for i in range(size)]
        if world.chance(0.7):
            body.insert(0, spanish.fill(world, world.pick(spanish.OPENINGS)))
        return self._finish(self._punctuate(body), domain)

    def _start(self, sentence: str) -> str:
        return f"{self.world.any(*STARTERS)} {sentence}" if self.world.chance(0.2) else sentence

    def _punctuate(self, body: list[str]) -> str:
        """Sentences with capitals and full stops, with some run together."""
        world = self.world
        runs = world.any(0, 0, 0, 0.1, 0.3)
        text = ""
        for i, sentence in enumerate(body):
            if i and world.chance(runs):
                text += world.any(", ", " and ", ", and ", " so ", ", ", " then ", " ") + sentence
            else:
                text += (self._stop(body[i - 1]) + " " if i else "") + capitalize(sentence)
        return text + self._stop(body[-1])

    def _stop(self, sentence: str) -> str:
        question = re.match(r"(so )?(what if|who can|can|could|would you) ", sentence)
        return "?" if question and self.world.chance(0.6) else "!" if self.world.chance(0.01) else "."

    def _speak(self, marked: str) -> str:
        """Noise of speech and of its recognition."""
        world = self.world
        style = world.rng.random()
        fillers = world.any(0, 0, 0, 0.02, 0.05)
        if fillers:
            def interrupt(text: str) -> str:
                return re.sub(r"(?<=[a-z]) (?=[a-z])", lambda m: f", {world.any(*FILLERS)}, " if world.chance(fillers * 0.5) else f" {world.any(*FILLERS)} " if world.chance(fillers * 0.5) else " ", text)
            marked = plain_words(marked, interrupt)
        if world.chance(0.06):
            marked = re.sub(r"\b(I need to|I have to|we need to|I should|I'll) ", lambda m: f"{m.group(1)}{world.any(',', '')} {world.any('uh', 'um', 'uh,', '')} {m.group(1)} ".replace("  ", " "), marked, count=1)
        if world.chance(0.04):
            marked = plain_words(marked, lambda text: re.sub(r"[a-z']+", lambda m: SLIPS.get(m.group(0), m.group(0)) if world.chance(0.3) else m.group(0), text))
        if style < 0.12:
            marked = plain_words(marked, lambda text: re.sub(r"[.,?!](?= |\]|$)", "", text.lower()))
        elif style < 0.18:
            marked = plain_words(marked, str.lower)
        elif style < 0.24:
            marked = plain_words(marked, lambda text: re.sub(r"[,](?= |\]|$)", "", text))
        elif style < 0.27:
            marked = plain_words(marked, lambda text: re.sub(r"[.,?!](?= |\]|$)", "", text))
        elif style < 0.30:
            marked = plain_words(marked, lambda text: text.replace("'", "\u2019"))
        return marked

    def _dialogue(self, body: list[str], domain: str) -> Note:
        """The same, as a talk between people: each on a line of their own, own promises owned by the speaker."""
        world = self.world
        speakers = [world.slot_name() if world.chance(0.8) else world.any("Speaker 1", "Speaker 2", "Speaker A", "Host", "Guest") for _ in range(world.rng.randint(2, 3))]
        if world.chance(0.6):
            body.insert(0, self._opening())
        lines: list[tuple[str, list[str]]] = []
        for sentence in body:
            if lines and world.chance(0.35):
                lines[-1][1].append(sentence)
            else:
                lines.append((world.any(*speakers), [sentence]))
        style = world.rng.random()
        out, owners = [], {}
        for speaker, said in lines:
            marked = self._punctuate(said)
            if style < 0.15:
                marked = plain_words(marked, lambda text: re.sub(r"[.,?!](?= |\]|$)", "", text.lower()))
            for first_person in re.finditer(r"\b[Ii](?: (?:still|also|really|just|definitely|absolutely|actually|probably|urgently|finally))?(?:['\u2019]ll| will| need to| have to| should| must| want to| can|['\u2019]m going to| promised to| agreed to)(?: [a-z]+)? \[a(\d+):", marked):
                owners[first_person.group(1)] = speaker
            out.append(f"{speaker}: {marked}")
        return self._finish("\n".join(out), domain, owners)

    def _finish(self, marked: str, domain: str, owners: dict[str, str] | None = None) -> Note:
        """Read the spans off the marks."""
        text, spans = unmark(re.sub(r" +", " ", marked))
        actions: dict[str, Action] = {}
        points, titles = [], []
        for kind, ids, start, end in sorted(spans, key=lambda s: s[2]):
            span = clean(text[start:end])
            if kind in "pr":
                points.append((kind, span))
            elif kind == "t":
                titles.append((start, span))
            else:
                for number in ids.split("/"):
                    action = actions.setdefault(number, Action())
                    if kind == "a":
                        action.text, action.at = span, start
                    elif kind == "o":
                        action.owner = span
                    else:
                        action.due = span
        for number, speaker in (owners or {}).items():
            if actions[number].owner is None:
                actions[number].owner = speaker
        ordered = sorted(actions.values(), key=lambda a: a.at)
        main = next((i for i, (kind, _) in enumerate(points) if kind == "p"), None)
        if main is not None:
            overview = points.pop(main)[1]
        else:
            overview = ordered[0].text if ordered else clean(text.split("\n")[0])
        title = titles[0][1] if titles else overview
        return Note(text, domain, title, overview, [p for _, p in points], ordered)

