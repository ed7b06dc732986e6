"""Extract the word lists the generator draws from into `generator/words.json`.

Only needed to rebuild the committed file. Words come from WordNet's index (Debian package `wordnet-base`), names from
the `faker` package. Usage: make_words.py WORDNET_DIR
"""

import importlib
import json
import re
import sys
from collections import defaultdict
from pathlib import Path

LEX = {4: "act", 5: "animal", 6: "artifact", 8: "body", 10: "communication", 11: "event", 13: "food", 14: "group",
       15: "location", 19: "phenomenon", 20: "plant", 21: "possession", 26: "state", 27: "substance", 28: "time"}
LOCALES = ["en_US", "en_GB", "es_ES", "de_DE", "fr_FR", "it_IT", "pt_BR", "pl_PL", "nl_NL", "tr_TR", "sv_SE", "en_IN",
           "fi_FI", "ro_RO", "hr_HR", "en_NG", "en_KE", "vi_VN", "id_ID"]
KEEP_GROUPS = {"act", "animal", "artifact", "communication", "event", "food", "location", "plant", "possession"}
BLOCK = re.compile(r"sex|rape|kill|murder|nazi|slut|whore|nigg|fag|porn|genital|penis|vagina|breast|suicid|bomb|bitch|bastard|cunt|dick|cock|arse|tits|hell|damn|crap|piss|shit")


def frequent_senses(folder: Path) -> dict[str, dict[str, int]]:
    """Words of each lexicographer group with their tag counts."""
    groups: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for line in (folder / "cntlist.rev").read_text().splitlines():
        key, _, count = line.split()
        word, rest = key.split("%")
        kind, lex = int(rest.split(":")[0]), int(rest.split(":")[1])
        if not re.fullmatch(r"[a-z]{3,11}", word) or BLOCK.search(word):
            continue
        if kind == 1 and LEX.get(lex) in KEEP_GROUPS:
            groups[LEX[lex]][word] += int(count)
        elif kind == 2:
            groups["verb"][word] += int(count)
        elif kind in (3, 5):
            groups["adjective"][word] += int(count)
        elif kind == 4:
            groups["adverb"][word] += int(count)
    return groups


def names() -> dict[str, list[str]]:
    """First and last names in Latin script from several countries."""
    first, last = set(), set()
    for locale in LOCALES:
        provider = importlib.import_module(f"faker.providers.person.{locale}").Provider
        for attribute in ("first_names", "first_names_male", "first_names_female"):
            first.update(getattr(provider, attribute, ()))
        last.update(getattr(provider, "last_names", ()))
    plain = re.compile(r"[A-Z][a-zé\u00e1\u00ed\u00f3\u00fa\u00f1\u00fc\u00f6\u00e4]{2,10}")
    return {"first": sorted(n for n in first if plain.fullmatch(n)), "last": sorted(n for n in last if plain.fullmatch(n))}


def main() -> None:
    groups = frequent_senses(Path(sys.argv[1]))
    words = {name: sorted(w for w, n in counts.items() if n >= (2 if name in ("verb", "adjective") else 1))
             for name, counts in groups.items()}
    words.update(names())
    target = Path(__file__).parent / "generator" / "words.json"
    target.write_text(json.dumps({k: " ".join(v) for k, v in words.items()}, ensure_ascii=False, indent=0) + "\n")
    print({k: len(v) for k, v in words.items()})


if __name__ == "__main__":
    main()
