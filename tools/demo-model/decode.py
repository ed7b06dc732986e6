"""Greedy decoding in PyTorch, free or held to the summarize format with its substring mask, as the SDK holds it."""

import functools
import re

import torch

import tokenizer
from model import Config, Llama

LISTS_MAX = 8


def load(folder: str) -> tuple[Llama, tokenizer.Coder]:
    """The last checkpoint and its tokenizer."""
    torch.set_num_threads(1)
    state = torch.load(f"{folder}/model.pt", map_location="cpu")
    model = Llama(Config(**state["config"]))
    model.load_state_dict(state["model"])
    return model.eval(), tokenizer.Coder(f"{folder}/tokenizer.json")


class Writer:
    """A model in the middle of an answer."""

    def __init__(self, model: Llama, coder: tokenizer.Coder, prompt: list[int]) -> None:
        self.model, self.coder = model, coder
        self.caches: list[list] = [[] for _ in model.blocks]
        self.feed(prompt)

    @torch.inference_mode()
    def feed(self, ids: list[int]) -> None:
        self.scores = self.model.logits(self.model.hidden(torch.tensor([ids]), self.caches)[0, -1]).numpy()

    def force(self, text: str) -> None:
        self.feed(self.coder.text(text))

    def free(self, limit: int = 200) -> str:
        """Greedy text until the end token."""
        ids: list[int] = []
        while len(ids) < limit and (token := int(self.scores.argmax())) != self.coder.end:
            ids.append(token)
            self.feed([token])
        return self.coder.tokenizer.decode(ids)

    def choose(self, options: list[str]) -> str:
        """The option whose first token scores best; it is fed. "" stands for the end of the answer."""
        first = [self.coder.text(o)[0] if o else self.coder.end for o in options]
        best = options[int(self.scores[first].argmax())]
        if best:
            self.force(best)
        return best

    def one_of(self, options: list[str]) -> str:
        """Write one of the options in full, then the end token."""
        left = {option: self.coder.text(option) + [self.coder.end] for option in options}
        written = 0
        while len(left) > 1:
            token = max({ids[written] for ids in left.values()}, key=lambda t: self.scores[t])
            left = {option: ids for option, ids in left.items() if ids[written] == token}
            written += 1
            self.feed([token])
        return next(iter(left))


@functools.cache
def pieces(coder: tokenizer.Coder) -> dict[str, int]:
    """Tokens by the text they stand for, without those that hold a part of a character."""
    texts = {coder.tokenizer.decode([index]): index for index in range(coder.tokenizer.get_vocab_size())}
    return {text: index for text, index in texts.items() if "\ufffd" not in text}


class NoteMask:
    """Which tokens may follow within a span of the note."""

    def __init__(self, coder: tokenizer.Coder, note: str) -> None:
        self.coder = coder
        self.lines = [" " + line for line in note.split("\n")]
        self.pieces = pieces(coder)
        self.newline = coder.text("\n")[0]

    def starts(self) -> set[tuple[int, int]]:
        return {(n, m.start()) for n, line in enumerate(self.lines) for m in re.finditer(r" (?=\S)", line)}

    def moves(self, places: set[tuple[int, int]]) -> dict[int, set[tuple[int, int]]]:
        """Tokens that continue an occurrence, and the places they lead to."""
        out: dict[int, set[tuple[int, int]]] = {}
        for n, at in places:
            line = self.lines[n]
            for length in range(1, 18):
                token = self.pieces.get(line[at:at + length])
                if token is not None and at + length <= len(line):
                    out.setdefault(token, set()).add((n, at + length))
        return out

    def may_end(self, places: set[tuple[int, int]]) -> bool:
        for n, at in places:
            before, after = self.lines[n][at - 1], self.lines[n][at:at + 1]
            if before != " " and not (after and (before.isalnum() and after.isalnum())) and not re.match(r"['\u2019]\w", self.lines[n][at:at + 2]):
                return True
        return False

    def span(self, writer: Writer) -> str:
        """Write one span and its newline."""
        places, ids = self.starts(), []
        while True:
            moves = self.moves(places)
            allowed = list(moves) + ([self.newline] if ids and self.may_end(places) else [])
            if not allowed:
                break
            token = max(allowed, key=lambda t: writer.scores[t])
            writer.feed([token])
            if token == self.newline:
                break
            ids.append(token)
            places = moves[token]
        return self.coder.tokenizer.decode(ids).strip()


def summarize(model: Llama, coder: tokenizer.Coder, note: str) -> dict:
    """The structured answer for a note, every field held to its words."""
    writer = Writer(model, coder, coder.prompt([("system", "summarize"), ("user", note)]))
    mask = NoteMask(coder, note.strip())
    writer.force("Title:")
    title = mask.span(writer)
    writer.force("Overview:")
    overview = mask.span(writer)
    writer.force("Points:\n")
    points: list[str] = []
    actions: list[dict] = []
    while len(points) < LISTS_MAX and writer.choose(["-", "Actions:\n"]) == "-":
        points.append(mask.span(writer))
    if len(points) == LISTS_MAX:
        writer.force("Actions:\n")
    options = ["-", ""]
    while (chosen := writer.choose(options)) and len(actions) <= LISTS_MAX:
        if chosen == "-":
            actions.append({"text": mask.span(writer), "owner": None, "due": None})
            options = ["-", " ", ""]
            continue
        field = writer.choose([name for name in (" owner:", " due:") if actions[-1][name.strip(" :")] is None])
        actions[-1][field.strip(" :")] = mask.span(writer)
        options = ["-", ""] if field == " due:" else ["-", " ", ""]
        if field == " owner:":
            options = ["-", " ", ""]
    return {"title": title, "overview": overview, "points": points, "actions": actions[:LISTS_MAX]}
