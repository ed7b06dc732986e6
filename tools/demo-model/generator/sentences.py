"""Sentences with marks: `[aN:...]` action text, `[oN:...]` owner, `[dN:...]` due, `[p:...]` point, `[r:...]` a point that only gives a reason, `[t:...]` title words.

Frames use @A, @B (verb phrases), @O (owner), @D (due), @Aing (participle), @N (a noun phrase) and the slots of `world`.
A due that follows two joined actions belongs to both; one between them to the first only.
"""

import re

from .actions import ACTIONS
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

FACT_JOINS = [", so ", " so ", ", and ", " and ", ", but ", ", that's why ", ". So ", ", which means ", ", then "]
REASONS = [" because ", " because ", ", because ", " since ", ", since ", " cause ", " as "]
ADDED = [", ", ", ", " and ", ", but ", " but ", ", and "]


class Sentences:
    """Makes marked sentences of one domain; numbers the actions as they come."""

    def __init__(self, world: World, domain: str) -> None:
        self.world = world
        self.domain = domain
        self.count = 0

    def _phrase(self) -> tuple[str, bool]:
        """A filled verb phrase and whether it already ends in a time."""
        roll = self.world.rng.random()
        pool = ACTIONS[self.domain] if roll < 0.52 else ACTIONS["plain"] if roll < 0.66 else ACTIONS["random"] if roll < 0.8 else ACTIONS[self.world.any(*ACTIONS)]
        template = self.world.pick(pool)
        timed = template.endswith("~")
        return self.world.fill(template.rstrip("~ ")), timed

    def _fact_text(self) -> str:
        roll = self.world.rng.random()
        pool = FACTS[self.domain] if roll < 0.6 else FACTS["plain"] if roll < 0.78 else FACTS["random"] if roll < 0.9 else FACTS[self.world.any(*FACTS)]
        return self.world.fill(self.world.pick(pool))

    def non_action_text(self) -> str:
        """A statement that looks like an action and is none: done, dropped, habitual."""
        world = self.world
        template = world.pick(NON_ACTIONS, 0.5)
        vp = self._phrase()[0]
        forms = {"done": first_word(vp, past), "done2": first_word(vp, past), "vp": vp, "does": first_word(vp, third), "doing": first_word(vp, participle)}
        for key, value in forms.items():
            template = template.replace("{" + key + "}", value)
        return world.fill(template)

    def fact(self) -> str:
        """A marked fact, sometimes two joined."""
        world = self.world
        text = self.non_action_text() if world.chance(0.16) else self._fact_text()
        if world.chance(0.13):
            text += world.any(" and ", ", and ", ", ", " but ", ", but ", " because ", ", so ") + self._fact_text()
        return f"[p:{text}]" + (", " + world.fill(world.pick(LISTS["hedge"])) if world.chance(0.05) else "")

    def owner(self) -> str:
        """Somebody who has to do something."""
        return self.world.slot_who()

    def _render(self, frame: str, owner: str | None = None, pair: str | None = None, due_chance: float = 0.62) -> str:
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
        if two and frame in MIXED:
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
        """One sentence with one action, or two."""
        world = self.world
        roll = world.rng.random()
        pick = lambda frames: world.pick(frames, 0.5)
        if roll < 0.30:
            text = self._render(pick(SELF))
        elif roll < 0.35:
            text = self._render(pick(SELF_DUE_FIRST), due_chance=1)
        elif roll < 0.50:
            text = self._render("@A @D", due_chance=0.45)
        elif roll < 0.57:
            text = self._render(pick(SELF_TWO), due_chance=0.4)
        elif roll < 0.61:
            text = self._render(pick(SELF_TWO_DUES), due_chance=0.7)
        elif roll < 0.83:
            text = self._render(pick(OTHER), self.owner(), self.owner())
        elif roll < 0.87:
            text = self._render(pick(OTHER_DUE_FIRST), self.owner(), due_chance=1)
        elif roll < 0.91:
            text = self._render(pick(OTHER_TWO), self.owner(), due_chance=0.5)
        elif roll < 0.94:
            text = self._render(pick(MIXED), self.owner(), self.owner())
        elif roll < 0.98:
            text = self._passive(pick(PASSIVE), None)
        else:
            text = self._passive(pick(PASSIVE_BY), self.owner())
        return self._attach(text)

    def _passive(self, frame: str, owner: str | None) -> str:
        """"The lease has to be signed by Friday": the whole clause is the action text."""
        world = self.world
        self.count += 1
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
