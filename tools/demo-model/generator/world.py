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
PLAIN_DAYS = entries("{weekday} | {weekday} | tomorrow | today | next {weekday} | this {weekday} | {weekday} week | the day after tomorrow | the weekend | next weekend | {date} | {date} | the {ordinal} | {month} {ordinal} | {month} the {ordinal} | {ordinal} of {month} | Christmas | Easter | New Year | Thanksgiving | Halloween | the holidays | the summer break | my birthday | the end of the year | the beginning of {month} | mid {month} | early {month} | late {month} | the middle of the week | this time next week | {month}")
DAY_PARTS = ["", ""] + entries("morning | afternoon | evening | at {time} | at {hour} | before {hour} | after {hour} | around {hour} | by {hour} | at noon | before noon | after lunch | before lunch | at the latest | latest | at {time} sharp | early in the morning | or {weekday} | night | first thing | right after work | between {hour} and {hour} | from {hour} to {hour}")
BEFORE_DAYS = entries("by | by | on | before | until | no later than | not later than | by no later than | latest by | at the latest by | around | after | right after | sometime before | some time before | well before | shortly before | the day before | two days before | a week before | on or before | starting | beginning | from | as of | ahead of | in time for | in the week of | in the week before | by the end of | at the end of | at the beginning of | in the middle of | any time before | between now and | already on | again on | exactly on | just before | the night before | the morning after | the week after | for")
SPANS = entries("in | in | within | within the next | in the next | over the next | in about | in less than | in at most | in exactly | after | inside of | in no more than | in under | not later than in | during the next")
COUNTS = entries("{small} days | {small} weeks | {small} hours | {small} months | {number} minutes | {number} days | {number} hours | a few days | a couple of weeks | a week | a month | an hour | half an hour | half a year | a fortnight | two or three days | one or two weeks | a day or two | a week or so | a quarter of an hour | an hour or two | a year")
WHENS = entries("""
end of day | end of week | end of month | end of the year | by end of day | by end of business | by close of business | by COB | by EOD | EOD | before the week is over | before the month is out | later this week | later this month | later this afternoon | earlier next week | early next week | late next week | early tomorrow | late tonight | first thing | first thing next week | at the first opportunity | at once | immediately | straight away | right now | right this minute | very soon | sooner rather than later | as soon as I can | as early as possible | as quickly as possible | as soon as {name} is back | as soon as {name} calls | as soon as the {noun} is here
once {name} is back | once the {noun} is {adj} | once {the} {doc} is {state} | when {name} is back | when {name} gets home | when {name} comes over | when the {place} opens | when the {noun} arrives | when I'm back | when I'm in {city} | when we meet | when I'm at {the} {place} | while {name} is away | while the kids are at school | while I'm at it | before {name} comes home | before {name} wakes up | before {name} notices | before {name} goes to {city} | before the {place} closes | before the {noun} arrives | before it gets dark | before it's too late | before it snows | before we go | before we fly to {city} | before I leave | before I go to bed | before anyone asks
before breakfast | before sunrise | before dark | before bed | before midnight | before the holidays | before vacation | before {the} {event} starts | before {the} {event} on {weekday} | before {the} {event} in {month} | before {nameS} birthday | before {nameS} {event} | until {the} {event} | by the time {name} arrives | by the time we meet | by {nameS} birthday | by next {month} | by this time tomorrow | for {weekday} | in time for {the} {event} | in time for {weekday} | after {the} {event} | after breakfast | after dinner | after {the} {event} on {weekday} | after {nameS} {event} | after the holidays | after hours | after dark | after the kids are in bed | after I'm back
right after {the} {event} | right before {the} {event} | shortly after {hour} | during {the} {event} | during the break | during the week | during the day | during office hours | during {nameS} visit | at the start of next week | at the end of {month} | at the end of the day | at the weekend | at the next {event} | at night | at sunrise | at half past {hour} | at quarter to {hour} | at {time} tomorrow | at {time} on {weekday} | at {hour} sharp | at the usual time | on the way to {the} {place} | on the way to {city} | on the way back | on my way home | on the way there | on the same day | on the last day | on the last {weekday} of {month} | on the first {weekday} of {month} | on both days | on {nameS} birthday | on {weekday} and {weekday} | on {weekday} or {weekday}
every {daypart} | every two weeks | every other day | every {weekday} and {weekday} | every {weekday} at {hour} | each {weekday} | each morning | once a week | on {weekday}s | from now on | from {weekday} on | from {hour} to {hour} | starting {weekday} | starting in {month} | sometime this week | some time tomorrow | some day next week | at some point today | at some point next week | any day now | one of these days | the day after tomorrow | the day before {the} {event} | the night before {the} {event} | the morning of {the} {event} | the week after next | the next day | the same day | tomorrow or {weekday} | tomorrow at {time} | tomorrow by {hour} | tomorrow first thing | tomorrow early | today or tomorrow | today at {time} | today before {hour} | tonight at {hour} | tonight after {hour} | tonight before bed
this {daypart} at {time} | this {weekday} or next | this coming week | this coming weekend | this year | this summer | this fall | this winter | this spring | next year | next spring | next summer | next {month} | next time | next time I'm at {the} {place} | next time I see {name} | next chance I get | in {month} | in early {month} | in late {month} | in the first week of {month} | in the coming days | in the coming weeks | in the spring | in the summer | in the next hour | in the next few days | in good time | in an hour or so | in half an hour | in a minute | in a moment | in a bit | in two weeks' time | in a week's time | two weeks from now | a week from today | a month from now | an hour before {the} {event} | half an hour before {the} {event} | two days before {the} {event} | a week before {the} {event} | the {event} at the latest | over Christmas | over the holidays | over the summer | over breakfast | over the next few days | overnight | between {hour} and {hour} | between {weekday} and {weekday} | within the hour | within the week | within {small} working days | within a day | no later than {weekday} | no later than {date} | not before {weekday} | not later than {hour} | {weekday} | {weekday} at {time} | {weekday} {daypart} at {hour} | {weekday} at the latest | {weekday} before {hour} | {weekday} after {the} {event} | {weekday} night | {weekday} the {ordinal} | {weekday}, {date} | {weekday} or {weekday} | {date} | {date} at {time} | {date} at the latest | {hour} o'clock | {hour} at the latest | {time} at the latest | {time} | around {time} | around {hour} or {hour} | about {hour} | around noon | around lunchtime | around Christmas | around the {ordinal} | toward the end of the week | toward evening
""")
DUES = [(BEFORE_DAYS, PLAIN_DAYS), (BEFORE_DAYS, PLAIN_DAYS, DAY_PARTS), (BEFORE_DAYS, PLAIN_DAYS), (SPANS, COUNTS), (WHENS,), (WHENS,), (WHENS,)]
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
        self.echo = 0.0
        self._said: dict[int, list[str]] = {}
        self._cache: dict[int, tuple[list[str], list[str], list[str]]] = {}
        self._lists = dict(LISTS)
        for group in ("act", "artifact", "communication", "event", "food", "location", "plant", "possession", "animal"):
            self._lists["w_" + group] = WORDS[group]

    def chance(self, p: float) -> bool:
        return self.rng.random() < p

    def pick(self, items: list[str], new: float = 1.0) -> str:
        """One of `items`; in the held-out split one of the held-out entries, with probability `new`."""
        key = id(items)
        if key not in self._cache:
            self._cache[key] = (items, [e for e in items if not held_out(e)] or items, [e for e in items if held_out(e)] or items)  # with `items`, so that no other list gets its id
        said = self._said.setdefault(key, [])
        if said and self.chance(self.echo):
            return self.rng.choice(said)
        _, train, test = self._cache[key]
        said.append(self.rng.choice(test if self.split == "test" and self.chance(new) else train))
        return said[-1]

    def renew(self) -> None:
        """Begin a new text: some name the same things again and again, most do not."""
        self.echo = self.any(0.0, 0.0, 0.0, 0.05, 0.15, 0.3)
        self._said.clear()

    def join(self, *lists: list[str], new: float = 0.3) -> str:
        """A shape made of one piece of each list; in training never one that is held out, in pieces or as a whole."""
        while True:
            shape = " ".join(filter(None, (self.pick(items, new) for items in lists))).replace(" ,", ",")
            if self.split == "test" or not held_out(shape):
                return shape

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
        if self.chance(0.4):
            return self.fill(self.join(*self.rng.choice(DUES), new=0.5))
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
