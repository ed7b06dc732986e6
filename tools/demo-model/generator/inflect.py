"""English verb forms for the first word of a verb phrase."""

PAST = dict(pair.split(":") for pair in """
be:was begin:began bend:bent bind:bound bite:bit break:broke bring:brought build:built buy:bought catch:caught choose:chose come:came
cut:cut dig:dug do:did draw:drew drink:drank drive:drove eat:ate fall:fell feed:fed feel:felt fight:fought find:found fly:flew
forget:forgot get:got give:gave go:went grind:ground grow:grew hang:hung have:had hear:heard hide:hid hit:hit hold:held keep:kept
know:knew lay:laid lead:led leave:left lend:lent let:let light:lit lose:lost make:made mean:meant meet:met pay:paid put:put
read:read rent:rented ride:rode ring:rang run:ran say:said see:saw sell:sold send:sent set:set sew:sewed shake:shook show:showed
shut:shut sing:sang sit:sat sleep:slept speak:spoke spend:spent spread:spread stand:stood steal:stole stick:stuck sweep:swept
swim:swam take:took teach:taught tear:tore tell:told think:thought throw:threw understand:understood wake:woke wear:wore win:won
wind:wound withdraw:withdrew write:wrote rewrite:rewrote redo:redid undo:undid overhear:overheard hand:handed""".split())
DOUBLE = set("""plan drop stop swap ship chop clip map mop pin plug rub scan scrub shop skip slip step strip tag tap trim trip wrap zip jog
grab rip hem jot log nag pet plot scrap snap sum tip top unplug unzip admit commit submit refer transfer prefer format dig get cut put
set run sit swim hit let shut win begin forget""".split())
VOWELS = "aeiou"


def past(verb: str) -> str:
    """`send` -> `sent`."""
    if verb in PAST:
        return PAST[verb]
    if verb.endswith("e"):
        return verb + "d"
    if verb.endswith("y") and verb[-2] not in VOWELS:
        return verb[:-1] + "ied"
    return verb + verb[-1] + "ed" if verb in DOUBLE else verb + "ed"


def participle(verb: str) -> str:
    """`writing` forms: `send` -> `sending`."""
    if verb.endswith("ie"):
        return verb[:-2] + "ying"
    if verb.endswith("e") and not verb.endswith(("ee", "ye", "be")):
        return verb[:-1] + "ing"
    return verb + verb[-1] + "ing" if verb in DOUBLE else verb + "ing"


def third(verb: str) -> str:
    """`send` -> `sends`."""
    special = {"have": "has", "do": "does", "go": "goes", "be": "is"}
    if verb in special:
        return special[verb]
    if verb.endswith("y") and verb[-2] not in VOWELS:
        return verb[:-1] + "ies"
    return verb + ("es" if verb.endswith(("s", "sh", "ch", "x", "z", "o")) else "s")


def first_word(phrase: str, form) -> str:
    """Apply `form` to the verb that a phrase starts with."""
    verb, _, rest = phrase.partition(" ")
    return (form(verb) + " " + rest).strip()
