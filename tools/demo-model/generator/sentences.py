"""Sentences with marks: `[aN:...]` action text, `[oN:...]` owner, `[dN:...]` due, `[p:...]` point, `[r:...]` a point that only gives a reason, `[t:...]` title words.

Frames use @A, @B (verb phrases), @O (owner), @D (due), @Aing (participle), @N (a noun phrase) and the slots of `world`.
A due that follows two joined actions belongs to both; one between them to the first only.
"""

import re

from . import frames, statements
from .actions import ACTIONS, OBJECTS, PLACES, VERBS
from .facts import FACTS, NON_ACTIONS
from .inflect import first_word, participle, past, third
from .lexicon import LISTS, entries
from .world import World

SELF = entries("""
I need to @A @D | I have to @A @D | I should @A @D | I must @A @D | I'll @A @D | I will @A @D | I want to @A @D | I'm going to @A @D | I gotta @A @D | I've got to @A @D | I still need to @A @D | I still have to @A @D | I really need to @A @D
I really should @A @D | I also need to @A @D | I also have to @A @D | I'd better @A @D | I ought to @A @D | I'm supposed to @A @D | I promised to @A @D | I promised {name} to @A @D | I promised I'd @A @D | I said I would @A @D | I told {name} I'd @A @D
I told {name} that I would @A @D | I agreed to @A @D | I offered to @A @D | I volunteered to @A @D | I plan to @A @D | I'm planning to @A @D | I intend to @A @D | I hope to @A @D | I might need to @A @D | I guess I have to @A @D | I think I should @A @D
I just need to @A @D | I only have to @A @D | I can't forget to @A @D | I mustn't forget to @A @D | I have to remember to @A @D | I need to remember to @A @D | let me @A @D | let me also @A @D | don't forget to @A @D | don't let me forget to @A @D
remember to @A @D | remind me to @A @D | please remind me to @A @D | make sure to @A @D | make sure I @A @D | be sure to @A @D | need to @A @D | have to @A @D | gotta @A @D | should @A @D | must @A @D | still need to @A @D | still have to @A @D | to do: @A @D
todo, @A @D | note to self, @A @D | note to self: @A @D | action item: @A @D | next step is to @A @D | the next step is to @A @D | next thing is to @A @D | the plan is to @A @D | first thing is to @A @D | one more thing, @A @D | most important, @A @D
it's on me to @A @D | my job is to @A @D | my task is to @A @D | my next step is to @A @D | what I have to do is @A @D | it would be good to @A @D | it's time to @A @D | time to @A @D | we need to @A @D | we have to @A @D | we should @A @D
we'll @A @D | we will @A @D | we're going to @A @D | we agreed to @A @D | we decided to @A @D | we still have to @A @D | we also need to @A @D | let's @A @D | someone needs to @A @D | somebody has to @A @D | somebody should @A @D | who can @A @D
{who} wants me to @A @D | {who} asked me to @A @D | {who} told me to @A @D | {who} needs me to @A @D | {who} reminded me to @A @D | {who} asked if I could @A @D | {who} asked if I can @A @D | {who} wants us to @A @D | {who} expects me to @A @D
she wants me to @A @D | he wants me to @A @D | they want me to @A @D | she said to @A @D | he said I should @A @D | she said I have to @A @D | they asked us to @A @D | the doctor says I should @A @D | she told me to @A @D | he asked me to @A @D | they need us to @A @D
could you @A @D | can you @A @D | please @A @D | can you please @A @D | would you @A @D | you need to @A @D | it's important to @A @D | before I forget, @A @D | I was going to @A @D | I'd like to @A @D | I'm meant to @A @D | I owe it to {name} to @A @D
it's my turn to @A @D | I have until then to @A @D | I'd love to @A @D | I had better @A @D | I'm the one who has to @A @D | that means I have to @A @D | which means I need to @A @D | so I need to @A @D | so I have to @A @D | so I'll @A @D | so we need to @A @D | so let me @A @D
then I have to @A @D | then @A @D | and then @A @D | after that I need to @A @D | also @A @D | also, @A @D | and I need to @A @D | and I have to @A @D | and don't forget to @A @D | oh and @A @D | oh, and I need to @A @D | plus I have to @A @D | first @A @D | finally, @A @D
""")
SELF_DUE_FIRST = entries("""
@D I need to @A | @D I have to @A | @D I'll @A | @D I should @A | @D, @A | @D: @A | @D let me @A | @D I want to @A | @D we need to @A | @D I'm going to @A | @D I must @A | so @D I have to @A | then @D I need to @A | and @D I'll @A | by the way, @D I have to @A | @D at the latest I need to @A
I need to @D @A | remind me @D to @A | I have @D to @A | I promised {name} @D I'd @A | for @N I need to @A @D | @D don't forget to @A | @D remember to @A | @D please @A | I have time @D to @A
""")
SELF_TWO = entries("""
I need to @A and @B @D | I have to @A and @B @D | I should @A and @B @D | I'll @A and @B @D | I'll @A and then @B @D | let me @A and @B @D | don't forget to @A and @B @D | remember to @A and to @B @D | remind me to @A and @B @D | @A and @B @D | @A, then @B @D
I want to @A and maybe @B @D | we need to @A and @B @D | {who} wants me to @A and @B @D | she wants me to @A and @B @D | he told me to @A and to @B @D | I promised to @A and to @B @D | I still have to @A and also @B @D | please @A and @B @D
@D I have to @A and @B | @D I need to @A and then @B | @D I'll @A and @B | make sure to @A and @B @D | I should @A, and then @B @D | I've got to @A, @B @D | to do: @A, @B @D | I'm going to @A and @B @D | the doctor says to @A and @B @D | they want us to @A and @B @D
""")
SELF_TWO_DUES = entries("""
I need to @A @D and @B @E | I have to @A @D and @B @E | let me @A @D and @B | let me @A @D and then @B | I'll @A @D and @B @E | @A @D and @B @E | @A @D, then @B | I need to @A @D and I have to @B @E | @D I need to @A and @E I have to @B | I want to @A @D and @B | remind me to @A @D and to @B @E
first I have to @A @D, then @B @E | don't forget to @A @D and @B | we need to @A @D and @B @E | I promised to @A @D and @B @E | please @A @D and @B @E | I'm going to @A @D, and @E I'll @B | I should @A @D and maybe @B
""")
OTHER = entries("""
@O will @A @D | @O will @A @D | @O is going to @A @D | @O is gonna @A @D | @O needs to @A @D | @O has to @A @D | @O should @A @D | @O must @A @D | @O can @A @D | @O said he'll @A @D | @O said she'll @A @D | @O said they'll @A @D | @O said he can @A @D | @O said she can @A @D
@O said she would @A @D | @O said he would @A @D | @O says she will @A @D | @O says he can @A @D | @O promised to @A @D | @O offered to @A @D | @O agreed to @A @D | @O volunteered to @A @D | @O wants to @A @D | @O plans to @A @D | @O is supposed to @A @D | @O still needs to @A @D
@O still has to @A @D | @O also needs to @A @D | @O also has to @A @D | @O is planning to @A @D | @O would @A @D | @O could @A @D | @O might @A @D | @O is the one to @A @D | @O is ready to @A @D | @O to @A @D | @O: @A @D | @O, please @A @D | @O, can you @A @D | @O, could you @A @D
@O you need to @A @D | can @O @A @D | could @O @A @D | ask @O to @A @D | I asked @O to @A @D | I'll ask @O to @A @D | I told @O to @A @D | tell @O to @A @D | remind @O to @A @D | get @O to @A @D | let @O @A @D | I need @O to @A @D | I want @O to @A @D | we need @O to @A @D | have @O @A @D
we asked @O to @A @D | it's up to @O to @A @D | the plan is that @O will @A @D | the idea is that @O will @A @D | we agreed that @O will @A @D | we agreed that @O should @A @D | I think @O should @A @D
I think @O will @A @D | I hope @O can @A @D | maybe @O can @A @D | waiting for @O to @A @D | I'm waiting for @O to @A @D | make sure @O will @A @D | next, @O has to @A @D | for @O: @A @D | action for @O: @A @D | so @O will @A @D | so @O is going to @A @D | so @O has to @A @D
and @O will @A @D | and @O needs to @A @D | and then @O will @A @D | also @O has to @A @D | oh and @O will @A @D | @O told me he'll @A @D | @O told me she will @A @D | @O mentioned she'd @A @D | @O has agreed to @A @D | @O is happy to @A @D | @O is willing to @A @D | @O just has to @A @D
@O is @Aing @D | @O is @Aing @D | @O will be @Aing @D | @O is in charge of @Aing @D | @O takes care of @Aing @D | @O is responsible for @Aing @D | @O starts @Aing @D | @O keeps @Aing @D | @O owes us an answer and will @A @D | @O will then @A @D | @O will probably @A @D
@O is expected to @A @D | @O and I agreed that he would @A @D | @O and @P will @A @D | @O and @P are going to @A @D | @O and @P need to @A @D | @O or @P will @A @D
""")
OTHER_DUE_FIRST = entries("""
@D @O will @A | @D @O is going to @A | @D @O has to @A | @D @O needs to @A | @D, @O will @A | @D @O should @A | @D @O wants to @A | so @D @O will @A | and @D @O will @A | @O said that @D he'll @A | @O said @D she will @A | @O promised me @D to @A | @O has @D to @A | @O will @D @A | @D we need @O to @A | @O is @D going to @A
""")
OTHER_TWO = entries("""
@O will @A and @B @D | @O is going to @A and @B @D | @O needs to @A and @B @D | @O has to @A and then @B @D | @O said he'll @A and @B @D | @O agreed to @A and @B @D | @O promised to @A and to @B @D | @O to @A and @B @D | ask @O to @A and @B @D | @D @O will @A and @B | @O, please @A and @B @D | @O wants to @A and @B @D
@O will @A @D and @B | @O will @A @D and then @B | @O has to @A @D and @B
""")
MIXED = entries("""
@O will @A @D and I need to @B @E | @O will @A @D and I'll @B @E | @O is going to @A @D and @P will @B @E | @O will @A @D while @P will @B @E | I need to @A @D and @O will @B @E | I'll @A @D and @O can @B @E | I have to @A @D, @O will @B @E | @O will @A @D, @P has to @B @E | @O needs to @A @D but first I have to @B @E
@O can @A @D, then I'll @B @E | @O said he can @A @D so I just need to @B @E | @O to @A @D, @P to @B @E | we need to @A @D and @O should @B @E
""")
PASSIVE = entries("""
{the} {doc} needs to be {pp} @D | {the} {thing} has to be {pp} @D | {the} {doc} must be {pp} @D | {the} {thing} should be {pp} @D | {the} {noun} needs to be {pp} @D | {the} {doc} and {the} {doc} have to be {pp} @D | {the} {noun} still needs to be {pp} @D | {the} {thing} still has to be {pp} @D
{the} {thing} needs {ppg} @D | {the} {noun} needs {ppg} @D
""")
PASSIVE_BY = entries("""
{the} {doc} will be {pp} by @O @D | {the} {thing} has to be {pp} by @O @D | {the} {doc} needs to be {pp} by @O @D | {the} {noun} gets {pp} by @O @D
""")
PARTICIPLES = entries("""
signed | sent | printed | reviewed | checked | fixed | cleaned | replaced | ordered | returned | paid | updated | repaired | picked up | dropped off | moved | painted | measured | tested | approved | delivered | shipped | washed | collected | renewed | cancelled | confirmed | translated | sealed
""")
NEEDS_ING = entries("fixing | cleaning | replacing | painting | washing | charging | watering | checking | updating | signing | a new battery | a new filter | a second coat | some oil | to be washed")

ONE, ONE_ING, VP, OWNER, PAIR = ["@A @D"], ["@Aing @D"], ["@A"], ["@O"], ["@P"]
# Ready shapes of each kind and how often a due date is said; the kinds, and how many of a hundred actions are of each.
READY = {"self": (SELF, 0.62), "due, self": (SELF_DUE_FIRST, 1), "self, two": (SELF_TWO, 0.4), "self, two dues": (SELF_TWO_DUES, 0.7), "other": (OTHER, 0.62),
         "due, other": (OTHER_DUE_FIRST, 1), "other, two": (OTHER_TWO, 0.5), "mixed": (MIXED, 0.62)}
KINDS = {"self": 29, "due, self": 6, "bare": 14, "self, two": 7, "self, two dues": 4, "other": 22, "due, other": 4, "other, two": 4, "mixed": 4, "passive": 4, "passive by": 2}
OTHER_WAYS = [(OWNER, frames.SAYS, frames.THAT, frames.PRONOUN_MODALS, ONE), (frames.ASK_TO, ONE), (frames.ADDRESS, ONE), (frames.FOR_OWNER, ONE), (frames.OWNER_LAST,),
              (frames.OTHER_ING, ONE_ING), (frames.THINK, OWNER, frames.OTHER_MODALS, ONE), (OWNER, frames.OTHER_MODALS, ONE, frames.TAILS)]
OTHER_WEIGHTS = [28, 18, 10, 6, 7, 8, 8, 15]

FACT_JOINS = [", so ", " so ", ", and ", " and ", ", but ", ", that's why ", ". So ", ", which means ", ", then "]
REASONS = [" because ", " because ", ", because ", " since ", ", since ", " cause ", " as "]
ADDED = [", ", ", ", " and ", ", but ", " but ", ", and "]


def unmarked(text: str) -> str:
    """A statement without its title mark, to stand inside another one."""
    return re.sub(r"\[t:(.*?)\]", r"\1", text)


class Sentences:
    """Makes marked sentences of one domain, with more of its own words if `focus`; numbers the actions as they come."""

    def __init__(self, world: World, domain: str, focus: bool = False) -> None:
        self.world = world
        self.focus = 0.6 if focus else 0.0
        self.domain = domain
        self.count = 0

    def _phrase(self) -> tuple[str, bool]:
        """A filled verb phrase and whether it already ends in a time."""
        world, roll = self.world, self.world.rng.random()
        if roll < 0.25 and not world.chance(self.focus):
            return world.fill(world.join(VERBS, OBJECTS, PLACES)), False
        pool = ACTIONS[self.domain] if roll < 0.62 else ACTIONS["plain"] if roll < 0.74 else ACTIONS["random"] if roll < 0.84 else ACTIONS[world.any(*ACTIONS)]
        template = world.pick(pool)
        timed = template.endswith("~")
        return world.fill(template.rstrip("~ ")), timed

    def _fact_text(self) -> str:
        world, roll = self.world, self.world.rng.random()
        if roll < 0.5 and not world.chance(self.focus):
            return world.fill(self._statement())
        pool = FACTS[self.domain] if roll < 0.8 else FACTS["plain"] if roll < 0.9 else FACTS["random"] if roll < 0.95 else FACTS[world.any(*FACTS)]
        return world.fill(world.pick(pool))

    def _statement(self) -> str:
        """A statement put together from a subject and what is said of it."""
        world, roll = self.world, self.world.rng.random()
        if roll < 0.05:
            return world.pick(statements.QUESTIONS, 0.3)
        what = [statements.SELVES] if roll < 0.35 else [statements.PEOPLE, statements.PEOPLE_DO] if roll < 0.66 else [statements.THINGS, statements.THINGS_DO]
        return world.join(statements.LEADS, *what, statements.TAILS)

    def non_action_text(self) -> str:
        """A statement that looks like an action and is none: done, dropped, habitual."""
        world = self.world
        template = world.pick(NON_ACTIONS if world.chance(0.2) else statements.NEVER_A_TASK, 0.5)
        vp = self._phrase()[0]
        forms = {"done": first_word(vp, past), "done2": first_word(vp, past), "vp": vp, "does": first_word(vp, third), "doing": first_word(vp, participle)}
        for key, value in forms.items():
            template = template.replace("{" + key + "}", value)
        if "{fact}" in template:
            template = template.replace("{fact}", unmarked(self._fact_text()))
        return world.fill(template)

    def fact(self) -> str:
        """A marked fact, sometimes two joined."""
        world = self.world
        text = self.non_action_text() if world.chance(0.28) else self._fact_text()
        if world.chance(0.13):
            text += world.any(" and ", ", and ", ", ", " but ", ", but ", " because ", ", so ") + self._fact_text()
        return f"[p:{text}]" + (", " + world.fill(world.pick(LISTS["hedge"])) if world.chance(0.05) else "")

    def owner(self) -> str:
        """Somebody who has to do something."""
        return self.world.slot_who()

    def _render(self, frame: str, owner: str | None = None, pair: str | None = None, due_chance: float = 0.62, mixed: bool = False) -> str:
        """Fill a frame; each @A/@B becomes one marked action."""
        world = self.world
        two = "@B" in frame
        first, second = self.count + 1, self.count + 2
        self.count += 2 if two else 1
        (vp_a, timed_a), (vp_b, timed_b) = self._phrase(), self._phrase()
        leading = "@D" in frame and frame.index("@D") < frame.index("@A")
        timed = timed_b if "@B @D" in frame else timed_a
        text = frame
        if not leading and (timed or not world.chance(due_chance)):
            text = text.replace(" @D", "")
        if "@B @E" in text and (timed_b or not world.chance(due_chance)):
            text = text.replace(" @E", "")
        shared = two and ("@B @D" in frame or leading and "@E" not in frame)
        text = text.replace("@D", f"[d{first}{'/%d' % second if shared else ''}:{world.due()}]").replace("@E", f"[d{second}:{world.due()}]")
        if mixed:
            after = frame.index("@O") > frame.index("@A")
            text = text.replace("@O", f"[o{second if after else first}:{owner}]").replace("@P", f"[o{second}:{pair}]")
        else:
            ids = f"{first}/{second}" if two else str(first)
            text = re.sub(r"@O( (?:and|or) )@P", lambda m: f"[o{ids}:{owner}{m.group(1)}{pair}]", text)
            text = text.replace("@O", f"[o{ids}:{owner}]")
        text = text.replace("@Aing", f"[a{first}:{first_word(vp_a, participle)}]").replace("@A", f"[a{first}:{vp_a}]")
        text = text.replace("@B", f"[a{second}:{vp_b}]").replace("@N", f"the {world.slot('event')}")
        return world.fill(text)

    def action(self) -> str:
        """One sentence with one action, or two; as often of a ready shape as of one put together."""
        world = self.world
        kind = world.rng.choices(list(KINDS), KINDS.values())[0]
        if kind == "bare":
            text = self._render("@A @D", due_chance=0.45)
        elif kind.startswith("passive"):
            text = self._passive(self.owner() if kind == "passive by" else None)
        else:
            ready, due_chance = READY[kind]
            shape = self._new_shape(kind) if world.chance(0.55) else world.pick(ready, 0.5)
            text = self._render(shape, self.owner(), self.owner(), due_chance, kind == "mixed")
        return self._attach(text)

    def _new_shape(self, kind: str) -> str:
        """A shape of that kind from the pieces of `frames`."""
        world, join = self.world, self.world.join
        mine = world.any(frames.SELF_MODALS, frames.SELF_MODALS, frames.ASKED_BY, frames.POLITE)
        if kind == "self":
            way = world.any("list", "participle", *["modal"] * 6)
            if way == "modal":
                return join(frames.LEADS if mine is frames.SELF_MODALS else frames.NOTHING, mine, ONE, frames.TAILS)
            return join(frames.LISTED, ONE) if way == "list" else join(frames.SELF_ING, ONE_ING)
        if kind == "due, self":
            return join(frames.DUE_FIRST, mine, VP)
        if kind == "self, two":
            return join(mine, frames.AND_B)
        if kind == "self, two dues":
            return join(mine, frames.AND_B_LATER)
        if kind == "other":
            return join(*world.rng.choices(OTHER_WAYS, OTHER_WEIGHTS)[0])
        if kind == "due, other":
            return join(frames.DUE_FIRST, OWNER, frames.OTHER_MODALS, VP)
        if kind == "other, two":
            return join(OWNER, frames.OTHER_MODALS, world.any(frames.AND_B, frames.AND_B, frames.AND_B_LATER))
        theirs, other, mine = join(OWNER, frames.OTHER_MODALS), join(PAIR, frames.OTHER_MODALS), world.pick(frames.SELF_MODALS, 0.3)
        first, second = world.any((theirs, mine), (mine, theirs), (theirs, other))
        return f"{first} @A @D {world.pick(frames.BETWEEN, 0.3)} {second} @B @E".replace(" ,", ",").replace(" .", ".")

    def _passive(self, owner: str | None) -> str:
        """"The lease has to be signed by Friday": the whole clause is the action text."""
        world = self.world
        self.count += 1
        if world.chance(0.7):
            frame = world.join(frames.DONE_TO, frames.BE_DONE, frames.DONE) + (" by @O" if owner else "") + " @D"
        else:
            frame = world.pick(PASSIVE_BY if owner else PASSIVE, 0.5)
        frame = frame.replace("{ppg}", world.pick(NEEDS_ING, 0.5)).replace("{pp}", world.pick(PARTICIPLES, 0.5))
        body, _, tail = frame.partition(" by @O") if owner else frame.partition(" @D")
        text = f"[a{self.count}:{world.fill(body)}]" + (f" by [o{self.count}:{owner}]" if owner else "")
        return text + (f" [d{self.count}:{world.due()}]" if world.chance(0.5) else "")

    def _attach(self, text: str) -> str:
        """Sometimes a fact before the action, or a reason, fact or hedge after it."""
        world = self.world
        roll = world.rng.random()
        if roll < 0.09:
            return f"[p:{self._fact_text()}]{world.any(*FACT_JOINS)}{text}"
        if roll < 0.16:
            return f"{text}{world.any(*REASONS)}[r:{world.fill(world.pick(LISTS['reason']))}]"
        if roll < 0.22:
            return f"{text}{world.any(*ADDED)}[p:{self._fact_text()}]"
        if roll < 0.28:
            return f"{text}, {world.fill(world.pick(LISTS['hedge']))}"
        return text
