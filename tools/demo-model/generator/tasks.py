"""Training samples: chat messages for each task and the answers of `docs/task-format.md`."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass

from . import labels
from .facts import CLOSINGS
from .lexicon import entries
from .messages import MESSAGES
from .notes import DOMAINS, Note, Notes, capitalize, unmark
from .sentences import Sentences
from .statements import QUESTIONS
from .world import World


@dataclass
class Sample:
    """Messages ending with the assistant's answer."""

    task: str
    messages: list[tuple[str, str]]


def summary(note: Note) -> str:
    """The answer to `summarize`."""
    out = f"Title: {note.title}\nOverview: {note.overview}\nPoints:\n" + "".join(f"- {p}\n" for p in note.points) + "Actions:\n"
    for action in note.actions:
        out += f"- {action.text}\n" + (f"  owner: {action.owner}\n" if action.owner else "") + (f"  due: {action.due}\n" if action.due else "")
    return out


def summarize(notes: Notes) -> Sample:
    """A note and its summary; one in fifty is long."""
    size = min(14, notes.world.rng.randint(12, 26)) if notes.world.chance(0.02) else None
    note = notes.note(size)
    return Sample("summarize", [("system", "summarize"), ("user", note.text), ("assistant", summary(note))])


def _fill(world: World, template: str) -> str:
    sentences = Sentences(world, world.any(*DOMAINS))
    while "{vp}" in template:
        template = template.replace("{vp}", sentences._phrase()[0], 1)
    template = template.replace("{question}", world.pick(QUESTIONS, 0.3)).replace("{fact}", unmark(sentences._fact_text())[0]).replace("{due}", world.due()).replace("{road}", world.slot("street"))
    return world.fill(template)


HASTE = r"\b(urgent|asap|immediately|at once|now|right away|straight away)\b"


def _message(world: World, label: str) -> str:
    """A sentence that belongs under one of the four labels; most are put together from pieces."""
    if world.chance(0.35):
        return _fill(world, world.pick(labels.DEFAULT[label]))
    if label == "task":
        text = unmark(Sentences(world, world.any(*DOMAINS)).action())[0]
        return _message(world, label) if re.search(HASTE, text) else text
    return _fill(world, world.join(*world.any(*MESSAGES[label])))


def _text(world: World, make: Callable[[], str], extra: list[str] | None = None) -> str:
    """A message of one to three sentences, with greeting and ending at times."""
    world.renew()
    parts = [make() for _ in range(world.rng.choice([1, 1, 1, 2, 2, 3]))]
    if extra and world.chance(0.25):
        parts.insert(world.rng.randint(0, len(parts)), _fill(world, world.pick(extra)))
    if world.chance(0.25):
        parts.insert(0, _fill(world, world.pick(labels.NEUTRAL)))
    if world.chance(0.15):
        parts.append(_fill(world, world.pick(labels.ENDINGS)))
    style = world.rng.random()
    if style < 0.2:
        return " ".join(parts).lower()
    if style < 0.35:
        return ", ".join(parts)
    text = ". ".join(capitalize(p) for p in parts) + world.any(".", ".", "!", "")
    return text.upper() if style > 0.98 else text


def classify(notes: Notes) -> Sample:
    """A text, some labels in any order, and the one that fits."""
    world = notes.world
    roll = world.rng.random()
    if roll < 0.68:
        label = world.any(*labels.DEFAULT)
        text, names = _text(world, lambda: _message(world, label), labels.BESIDE.get(label)), list(labels.DEFAULT)
        others = [n for n in names if n != label]
    elif roll < 0.86:
        label_key = world.any(*DOMAINS)
        text = notes.note(world.rng.randint(1, 4), label_key).text
        label = world.any(*labels.KIND_NAMES[label_key])
        others = [world.any(*labels.KIND_NAMES[d]) for d in DOMAINS if d != label_key]
    else:
        pools, synonyms = (labels.SENTIMENT, labels.SENTIMENT_NAMES) if roll < 0.94 else (labels.TENSES, labels.TENSE_NAMES)
        key = world.any(*pools)
        text, label = _text(world, lambda: _fill(world, world.pick(pools[key]))), world.any(*synonyms[key])
        others = [world.any(*synonyms[k]) for k in pools if k != key]
    world.rng.shuffle(others)
    chosen = others[:world.rng.choice([1, 2, 3, 3, 3, 5])] + [label]
    world.rng.shuffle(chosen)
    return Sample("classify", [("system", "classify: " + ", ".join(chosen)), ("user", text), ("assistant", label)])


PROPERTIES = {
    "task": ["task", "action", "todo", "what", "job"], "owner": ["owner", "who", "person", "assignee", "responsible"], "due": ["due", "deadline", "when", "due_date", "dueDate"],
    "name": ["name", "person", "contact", "customer", "full_name", "who"], "date": ["date", "day", "when", "on"], "time": ["time", "at", "hour", "start"], "place": ["place", "location", "where", "address"],
    "amount": ["amount", "price", "cost", "total", "budget", "money"], "company": ["company", "client", "organization", "firm", "supplier"], "phone": ["phone", "number", "tel", "phone_number"],
    "email": ["email", "mail", "e_mail"], "item": ["item", "product", "thing", "object"], "count": ["count", "quantity", "number_of_items", "how_many"], "event": ["event", "meeting", "occasion", "topic", "subject"], "city": ["city", "destination", "town"],
}
FORMS = entries("""
<name> from <company> called about <item>, <pron> can be reached at <phone> | met <name> of <company> at <place> on <date> | <name> at <company> wants <count> <items> for <amount> | invoice from <company> over <amount>, due <date> | I paid <amount> for <item> at <place> | <event> with <name> on <date> at <time> in <place>
<event> is on <date> at <time> | <event> moved to <date> | we meet at <place> at <time> | <name> is coming on <date> | flight to <city> on <date> at <time> for <amount> | train to <city> leaves at <time> | hotel in <city> costs <amount> a night | call <name> at <phone> | my number is <phone>, ask for <name> | send it to <email>
<name> lives at <place> | <company> ordered <count> <items> | <count> <items> for <name>, please | <item> costs <amount> | <company> in <city> offers <item> for <amount> | the booking is for <name>, <date>, <count> people | <event> at <place>, starts at <time> | write to <name> at <email> | <name> owes me <amount> | <name> has <item> | <item> is at <place>
dinner with <name> at <place>, <date> at <time> | <name>, <phone> | appointment with <name> on <date> at <time> | the budget for <event> is <amount> | <company> moved to <city> | pick up <item> at <place> at <time> | <name> bought <item> for <amount> on <date> | the delivery from <company> comes on <date>, <count> <items> | I talked to <name> about <item>
please book <place> for <date>, <count> people, <amount> at most | this is <name> calling from <company>, my number is <phone> and my email is <email> | <name> will be in <city> on <date> | <event> was on <date> and cost <amount> | the quote of <company> is <amount> for <item> | receipt: <company>, <date>, <amount>
""")


def _value(world: World, kind: str) -> str:
    if kind == "name":
        return world.slot_name()
    if kind == "date":
        return world.any(world.slot("weekday"), world.slot_date(), "the " + world.slot("ordinal"), f"{world.rng.randint(1, 12)}/{world.rng.randint(1, 28)}", "tomorrow", "next " + world.slot("weekday"))
    if kind == "place":
        return world.any("the " + world.slot("place"), f"{world.rng.randint(1, 300)} {world.slot('street')}", world.slot("street"), f"room {world.rng.randint(1, 40)}", world.slot_nameS() + " place")
    if kind == "phone":
        return world.any(f"{world.rng.randint(200, 999)} {world.rng.randint(1000, 9999)}", f"555-{world.rng.randint(1000, 9999)}", f"{world.rng.randint(200, 999)}-{world.rng.randint(200, 999)}-{world.rng.randint(1000, 9999)}", f"+{world.rng.randint(1, 49)} {world.rng.randint(100, 999)} {world.rng.randint(10000, 99999)}")
    if kind == "email":
        return f"{world.slot_name().split()[-1].lower()}@{world.fake_word()}.{world.any('com', 'org', 'net', 'de')}"
    if kind == "item":
        return world.fill("{the} {thing}") if world.chance(0.5) else world.fill("the {adj} {noun}")
    slots = {"time": "time", "amount": "money", "company": "company", "count": "number", "event": "event", "city": "city"}
    return world.slot(slots[kind]) if kind != "event" else world.fill("the {event}")


def extract(notes: Notes) -> Sample:
    """A text, the names of properties, and a JSON object with what the text says of them."""
    world = notes.world
    if world.chance(0.4):
        found, text = _extract_action(notes)
    else:
        text = world.pick(FORMS, 0.5)
        found = {}
        for kind in PROPERTIES:
            if f"<{kind}>" in text:
                found[kind] = _value(world, kind)
                text = text.replace(f"<{kind}>", found[kind])
        if "<items>" in text:
            found["item"] = world.slot("thing")
            text = text.replace("<items>", found["item"])
        text = capitalize(text.replace("<pron>", world.slot_pron()))
        if world.chance(0.25):
            text = text.lower()
            found = {k: v.lower() for k, v in found.items()}
        around = [unmark(Sentences(world, "work").fact())[0] if world.chance(0.5) else world.pick(CLOSINGS), text]
        if world.chance(0.4):
            world.rng.shuffle(around)
            text = ". ".join(capitalize(a) for a in around) if world.chance(0.8) else ", ".join(around)
        text += world.any(".", ".", "")
    wanted = list(found)
    world.rng.shuffle(wanted)
    wanted = wanted[:world.rng.randint(1, 4)]
    if world.chance(0.45):
        wanted.append(world.any(*[k for k in PROPERTIES if k not in found]))
    if set(wanted) & {"task", "owner", "due"} and world.chance(0.6):
        wanted = ["task", "owner", "due"]
    answer: dict[str, str | None] = {}
    taken = set()
    for kind in wanted:
        name = PROPERTIES[kind][0] if world.chance(0.6) else world.any(*PROPERTIES[kind])
        if name not in taken and (name == PROPERTIES[kind][0] or not any(name in PROPERTIES[k] for k in found if k != kind)):
            taken.add(name)
            answer[name] = found.get(kind)
    if not answer:
        return extract(notes)
    return Sample("extract", [("system", "extract: " + ", ".join(answer)), ("user", text), ("assistant", json.dumps(answer, ensure_ascii=False))])


def _extract_action(notes: Notes) -> tuple[dict[str, str], str]:
    """Text with exactly one action, and its parts."""
    while True:
        note = notes.note(notes.world.rng.randint(1, 3))
        if len(note.actions) == 1 and '"' not in note.text:
            action = note.actions[0]
            found = {"task": action.text, "owner": action.owner, "due": action.due}
            return {k: v for k, v in found.items() if v}, note.text


SYSTEMS = ["You are a helpful assistant.", "Answer questions about the note.", "chat", "You help with voice notes. Keep answers short.", "You are Sotto, a small assistant for voice notes."]
GREETINGS = {
    "hi": "Hi! Give me a note and ask about it.", "hello": "Hello! Give me a note and ask about it.", "hey": "Hi! Give me a note and ask about it.", "good morning": "Good morning! Give me a note and ask about it.",
    "how are you": "Fine, thanks. Give me a note and ask about it.", "who are you": "I'm a small demo model for voice notes.", "what are you": "I'm a small demo model for voice notes.",
    "what can you do": "I can answer short questions about a note.", "what can I ask": "Ask who has to do something, when it's due, or what a note is about.", "help": "Give me a note and ask who has to do what, and when.",
    "thanks": "You're welcome.", "thank you": "You're welcome.", "bye": "Goodbye!", "goodbye": "Goodbye!", "are you there": "Yes. Give me a note and ask about it.", "can you help me": "Yes. Give me a note and ask about it.",
    "what is your name": "I'm Sotto, a small demo model for voice notes.", "tell me a joke": "I only know about notes. Give me one and ask about it.", "what's the weather": "I only know what's in your notes.", "who is the president": "I only know what's in your notes.",
}
ASK = {
    "what": entries("what do I have to do? | what do I need to do? | what should I do? | my tasks? | what's on my list? | what are the actions? | which tasks are there? | what are the next steps? | list the action items. | what needs to be done?"),
    "who": entries("who has to {task}? | who will {task}? | who should {task}? | who is going to {task}? | who needs to {task}?"),
    "when": entries("when do I have to {task}? | when is it due to {task}? | by when should I {task}? | when should we {task}? | when's the deadline to {task}? | until when? I mean to {task}."),
    "when_other": entries("when will {owner} {task}? | when does {owner} have to {task}? | by when will {owner} {task}?"),
    "does": entries("what does {owner} have to do? | what does {owner} need to do? | what will {owner} do? | what is {owner} going to do? | what about {owner}? | and {owner}? | what's {owner}'s task?"),
    "about": entries("what is it about? | what's this about? | what is the note about? | what's the topic? | give me a title. | title? | what's the subject?"),
    "gist": entries("summarize it in one sentence. | what's the main point? | give me the gist. | in short? | what's most important?"),
}


def _questions(note: Note, world: World) -> list[tuple[str, str]]:
    """Questions that the note answers, with its own words."""
    pairs = [(world.pick(ASK["about"], 0.5), capitalize(note.title) + "."), (world.pick(ASK["gist"], 0.5), capitalize(note.overview) + ".")]
    mine = [a for a in note.actions if not a.owner]
    everything = [a for a in note.actions if a.text]
    if everything:
        pairs.append((world.pick(ASK["what"], 0.5), " ".join(capitalize(a.text + (" " + a.due if a.due else "")) + "." for a in (mine or everything))))
    else:
        pairs.append((world.pick(ASK["what"], 0.5), "Nothing to do in this note."))
    for action in note.actions:
        task = action.text[:1].lower() + action.text[1:]
        if action.owner:
            pairs.append((world.pick(ASK["who"], 0.5).replace("{task}", task), capitalize(action.owner) + "."))
            theirs = [a for a in note.actions if a.owner == action.owner]
            pairs.append((world.pick(ASK["does"], 0.5).replace("{owner}", action.owner), " ".join(capitalize(a.text) + "." for a in theirs)))
        else:
            pairs.append((world.pick(ASK["who"], 0.5).replace("{task}", task), "You."))
        question = ASK["when_other"] if action.owner and world.chance(0.5) else ASK["when"]
        pairs.append((world.pick(question, 0.5).replace("{task}", task).replace("{owner}", action.owner or ""), capitalize(action.due) + "." if action.due else "The note doesn't say."))
    return pairs


def chat(notes: Notes) -> Sample:
    """Small talk, or a note and questions about it."""
    world = notes.world
    messages = [("system", world.any(*SYSTEMS))] if world.chance(0.5) else []
    def greet() -> None:
        question, answer = world.rng.choice(list(GREETINGS.items()))
        question = capitalize(question) if world.chance(0.5) else question
        messages.extend([("user", question + world.any("", "?" if question.lower().startswith(("how", "who", "wh", "are", "can")) else "", "!")), ("assistant", answer)])
    if world.chance(0.2):
        greet()
        if world.chance(0.4):
            greet()
        return Sample("chat", messages)
    if world.chance(0.1):
        greet()
    note = notes.note(world.rng.randint(1, 5))
    pairs = _questions(note, world)
    world.rng.shuffle(pairs)
    pairs = [(q if world.chance(0.4) else capitalize(q), a) for q, a in pairs[:world.rng.randint(1, 5)]]
    intro = world.any("", "", "", "Here is my note: ", "Note: ", "note: ", "This is a note. ", "My note: ")
    if world.chance(0.5):
        messages += [("user", intro + note.text), ("assistant", "Got it.")]
    else:
        first, answer = pairs.pop(0)
        messages += [("user", intro + note.text + world.any(" ", "\n", "\n\n") + first), ("assistant", answer)]
    for question, answer in pairs:
        messages += [("user", question), ("assistant", answer)]
    return Sample("chat", messages)


MIXTURE = [(summarize, 0.60), (classify, 0.17), (extract, 0.15), (chat, 0.08)]


def sample(notes: Notes) -> Sample:
    """One training sample; shares are by sample, so that by tokens summaries make about two thirds."""
    return notes.world.rng.choices([t for t, _ in MIXTURE], [w for _, w in MIXTURE])[0](notes)
