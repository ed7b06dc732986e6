"""A seeded source of words: fills slots, and keeps a part of every list out of training for the held-out split."""

import hashlib
import json
import random
import re
from pathlib import Path

from .inflect import past
from .lexicon import LISTS, entries

WORDS = {k: v.split() for k, v in json.loads((Path(__file__).parent / "words.json").read_text()).items()}
CITIES = entries("""
Boston | Denver | Seattle | Austin | Chicago | Portland | Atlanta | Toronto | Montreal | London | Leeds | Dublin | Paris | Lyon | Berlin | Hamburg | Munich
Vienna | Zurich | Rome | Milan | Naples | Madrid | Seville | Lisbon | Porto | Athens | Prague | Warsaw | Budapest | Oslo | Bergen | Stockholm | Helsinki | Copenhagen
Istanbul | Cairo | Nairobi | Lagos | Mumbai | Delhi | Tokyo | Osaka | Seoul | Hanoi | Sydney | Perth | Auckland | Lima | Bogota | Havana""")
UNSURE = {"act", "event", "communication", "possession"}
SLOT = re.compile(r"\{(\w+)\}")
SYLLABLES = entries("ba | bel | bor | bri | ca | cor | da | del | dro | e | fa | fen | gal | gri | ha | hol | i | jo | ka | kel | kri | la | lin | lo | ma | mel | mi | mor | na | nel | no | o | pa | per | pli | qua | ra | ren | ri | sa | sel | shi | so | sta | ta | ter | tho | tri | u | va | ven | vi | wa | wil | xa | ya | zel | zo")
ENDINGS = entries("n | r | l | s | t | th | m | nd | x | ck | ra | no | la | mer | ton | ler | by | vik | da | gan")


def held_out(text: str) -> bool:
    """Whether an entry belongs to the held-out split (about one in twelve)."""
    return hashlib.md5(text.encode()).digest()[0] < 21


class World:
    """Draws words and phrases; `split` is "train" or "test"."""

    def __init__(self, seed: int, split: str) -> None:
        self.rng = random.Random(seed)
        self.split = split
        self._cache: dict[int, list[str]] = {}
        self._lists = dict(LISTS)
        for group in ("act", "artifact", "communication", "event", "food", "location", "plant", "possession", "animal"):
            self._lists["w_" + group] = WORDS[group]

    def chance(self, p: float) -> bool:
        return self.rng.random() < p

    def pick(self, items: list[str], new: float = 1.0) -> str:
        """One of `items`; in the held-out split one of the held-out entries, with probability `new`."""
        key = id(items)
        if key not in self._cache:
            self._cache[key] = ([e for e in items if not held_out(e)] or items, [e for e in items if held_out(e)] or items)
        train, test = self._cache[key]
        return self.rng.choice(test if self.split == "test" and self.chance(new) else train)

    def any(self, *items: str) -> str:
        """One of a few closed-class words, the same in both splits."""
        return self.rng.choice(items)

    def fill(self, template: str) -> str:
        """`template` with every slot filled, recursively."""
        while SLOT.search(template):
            template = SLOT.sub(lambda m: self.slot(m.group(1)), template)
        return re.sub(r"\ba (?=[aeiou])", "an ", template)

    def slot(self, name: str) -> str:
        """One filling for the slot `name`."""
        special = getattr(self, "slot_" + name, None)
        return special() if special else self.pick(self._lists[name])

    def fake_word(self) -> str:
        """An invented word of two to four syllables."""
        return "".join(self.rng.choice(SYLLABLES) for _ in range(self.rng.randint(1, 3))) + self.rng.choice(ENDINGS)

    def slot_name(self) -> str:
        first = self.pick(WORDS["first"]) if self.chance(0.85) else self.fake_word().capitalize()
        roll = self.rng.random()
        if roll < 0.1:
            return first + " " + self.slot_last()
        if roll < 0.17:
            return self.any("Mr.", "Mrs.", "Ms.", "Dr.", "Doctor", "Professor", "Coach", "Uncle", "Aunt") + " " + self.slot_last()
        return first

    def slot_last(self) -> str:
        return self.pick(WORDS["last"]) if self.chance(0.8) else self.fake_word().capitalize()

    def slot_who(self) -> str:
        roll = self.rng.random()
        if roll < 0.7:
            return self.slot_name()
        return f"{self.slot_name()}'s {self.any('team', 'crew', 'brother', 'sister', 'mom', 'boss', 'assistant', 'wife', 'husband', 'people', 'company', 'office')}" if roll < 0.76 else self.slot("group")

    def slot_nameS(self) -> str:
        return self.slot_who() + "'s" if self.chance(0.85) else self.any("her", "his", "their", "my", "our")

    def slot_companyS(self) -> str:
        return self.slot_company() + "'s"

    def slot_petS(self) -> str:
        return self.slot("pet") + "'s"

    def slot_weekdayS(self) -> str:
        return self.slot("weekday") + "'s"

    def slot_company(self) -> str:
        roll = self.rng.random()
        if roll < 0.5:
            return self.pick(LISTS["company"])
        if roll < 0.75:
            return self.fake_word().capitalize()
        return self.slot_last() + self.any(" and Sons", " Foods", " Logistics", " Media", " Bank", " Partners", " Labs", " Group", "", "")

    def slot_the(self) -> str:
        det = self.rng.choice(["the"] * 8 + ["that", "this", "my", "our", "the new", "the old", "a new", "her", "your"])
        return det + (" " + self.slot_adj() if self.chance(0.12) else "")

    def slot_adj(self) -> str:
        return self.pick(WORDS["adjective"]) if self.chance(0.7) else self.slot("color")

    def slot_adv(self) -> str:
        return self.pick(WORDS["adverb"])

    def slot_verb(self) -> str:
        return self.pick(WORDS["verb"])

    def slot_pastv(self) -> str:
        return past(self.slot_verb())

    def slot_noun(self) -> str:
        """A noun of the dictionary, sometimes two in a row; mostly of things one can name."""
        group = self.any("artifact", "artifact", "artifact", "act", "communication", "event", "food", "possession", "plant", "animal")
        noun = self.pick(WORDS[group])
        if self.chance(0.12):
            noun = self.pick(WORDS[self.any("artifact", "communication", "food")]) + " " + noun
        return noun + ("s" if group not in UNSURE and not noun.endswith("s") and self.chance(0.2) else "")

    def slot_animal(self) -> str:
        return self.pick(WORDS["animal"])

    def slot_plant(self) -> str:
        return self.pick(WORDS["plant"])

    def slot_food(self) -> str:
        return self.pick(LISTS["food"]) if self.chance(0.7) else self.pick(WORDS["food"])

    def slot_fake(self) -> str:
        return self.fake_word()

    def slot_fakeN(self) -> str:
        return self.fake_word().capitalize()

    def slot_city(self) -> str:
        return self.pick(CITIES) if self.chance(0.85) else self.fake_word().capitalize()

    def slot_pron(self) -> str:
        return self.any("he", "she", "they")

    def slot_pron2(self) -> str:
        return self.any("her", "his", "their")

    def slot_comp(self) -> str:
        return self.any("simpler", "cheaper", "faster", "bigger", "smaller", "ready sooner", "more " + self.slot_adj(), "less " + self.slot_adj())

    def slot_unit(self) -> str:
        return self.any("euros", "dollars", "English", "German", "Spanish", "one file", "writing", "two versions")

    def slot_subject(self) -> str:
        return self.any("math", "science", "French", "history", "art", "spelling", "music", "gym", "chemistry")

    def slot_walk(self) -> str:
        return self.any("walk", "run", "sit", "sleep", "lift things", "go upstairs", "swallow", "bend down", "read")

    def slot_code(self) -> str:
        return self.any(str(self.rng.randint(100, 99999)), f"{self.rng.choice('ABCDEFG')}{self.rng.randint(1, 60)}", self.slot("number") + " " + self.slot("small"))

    def slot_bp(self) -> str:
        return self.any("one fifty over a hundred", "one twenty over eighty", "one thirty five over eighty five", "140 over 90", f"{self.rng.randint(100, 170)} over {self.rng.randint(60, 110)}")

    def slot_temp(self) -> str:
        return self.any("a hundred and two", "thirty nine", "38.5", "101", "thirty eight and a half")

    def slot_houseproblemN(self) -> str:
        return self.any("leak", "mold", "smell", "crack", "draft", "noise", "rust", "wasp nest")

    def slot_time(self) -> str:
        hour = self.slot("hour")
        return self.any(hour, hour + " " + self.slot("minute"), "half past " + hour, "quarter to " + hour, hour + " o'clock", f"{self.rng.randint(1, 12)}:{self.rng.choice(('00', '15', '30', '45'))}", f"{self.rng.randint(1, 12)} {self.any('am', 'pm')}")

    def slot_past(self) -> str:
        return self.any("yesterday", "last week", "this morning", "last night", "on " + self.slot("weekday"), "two days ago", "last " + self.slot("weekday"), "earlier", "a while ago", "over the weekend", "last month", "just now")

    def slot_dueday(self) -> str:
        return self.any("tomorrow", "today", "this afternoon", self.slot("weekday"), "next week", "tomorrow morning", "the weekend", "tonight", "next " + self.slot("weekday"))

    def slot_date(self) -> str:
        ordinal, month = self.slot("ordinal"), self.slot("month")
        return self.any(f"the {ordinal} of {month}", f"{month} {ordinal}", f"the {ordinal}", f"{month} {self.rng.randint(1, 30)}")

    def due(self) -> str:
        """When something is due, with its preposition, as spoken."""
        day, time = self.slot("weekday"), self.slot_time()
        roll = self.rng.random()
        if roll < 0.28:
            return f"{self.any('by', 'by', 'by', 'on', 'on', 'before', 'until', 'this', 'next', 'this coming')} {day}"
        if roll < 0.42:
            return self.any("today", "tonight", "tomorrow", "tomorrow", "this afternoon", "this evening", "this morning", "this week", "this weekend", "next week", "next month", "later today", "right away", "soon", "this month", "as soon as possible", "asap", "now", "on the weekend", "over the weekend")
        if roll < 0.5:
            return f"{self.any('tomorrow', day, 'on ' + day, 'this ' + day, 'by tomorrow', 'next ' + day)} {self.any('morning', 'afternoon', 'evening', 'night', 'at ' + time, 'before ' + self.slot('hour'), 'at noon')}"
        if roll < 0.62:
            return f"{self.any('by', 'before', 'at', 'around', 'after', 'by', 'no later than')} {self.any(time, self.slot('hour'), self.slot('hour'), 'noon', 'lunch', 'dinner', 'midnight')}"
        if roll < 0.74:
            span = self.any("days", "weeks", "hours", "months") if self.chance(0.7) else self.any("day", "week", "hour", "month")
            count = self.any("a", "one") if not span.endswith("s") else self.any(self.slot("small"), "a few", "a couple of", str(self.rng.randint(2, 30)))
            return self.any("in", "in", "within", "in about") + " " + ("an" if count == "a" and span == "hour" else count) + " " + span
        if roll < 0.84:
            return self.any("by", "on", "before", "by") + " " + self.slot_date()
        if roll < 0.93:
            what = self.any("the end of the week", "the end of the day", "the end of the month", "the end of " + self.slot("month"), "end of day", "next week", "next month", "tomorrow", "the weekend", "lunch time", "the deadline")
            return self.any("by", "before", "by") + " " + what
        return self.any(f"before {self.slot_the()} {self.slot('event')}", f"after {self.slot_the()} {self.slot('event')}", "after work", "after school", "before school", "before work", "first thing " + self.any("tomorrow", day, "in the morning"), "right after " + self.any("lunch", "the call", "school"), "before they close", "before we leave", "before it rains", "when I get home", "on the way home", "during lunch", "at the end of the week", "every " + day, "some time next week", "in the morning", "in the afternoon", "in the evening", "at lunch", "in " + self.slot("month"), f"before {self.slot_name()} leaves", f"before {self.slot_name()} gets here", "on my way to work", "over lunch")
