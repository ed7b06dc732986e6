"""Writes what tests expect of tokenizers: for each text of texts.py the CRC-32 of its token ids (as little-endian numbers of
32 bits), in a file for each vocabulary.

    make.py LLAMA_IDS OUTPUT VOCABULARIES MODEL.gguf...

LLAMA_IDS is llama_ids.cpp, built against llama.cpp. With the first model's vocabulary, each pre-tokenizer of PRE is tried too, in copies in
the folder VOCABULARIES. llama.cpp's ids are expected, but in three cases, where the model was trained on what its own tokenizer makes of text
and llama.cpp does not do as that:
- it does not compose text (Unicode's form C), as the tokenizers of Qwen, Command-R and MPT do;
- it takes padding of a vocabulary for a token that text may spell, in files that say so;
- its expressions for gpt-4o and tekken know upper and lower case in ASCII alone.
Wherever the two differ otherwise, this says so.
"""

import json
import pathlib
import re
import struct
import subprocess
import sys
import unicodedata
import zlib

import gguf
from tokenizers import AddedToken, Regex, Tokenizer, models, normalizers, pre_tokenizers

from texts import texts

GPT2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
LLAMA3 = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
QWEN2 = LLAMA3.replace(r"\p{N}{1,3}", r"\p{N}")
QWEN35 = QWEN2.replace(r"\p{L}+", r"[\p{L}\p{M}]+").replace(r"[^\s\p{L}\p{N}]+", r"[^\s\p{L}\p{M}\p{N}]+")
# What converters fill a vocabulary up with. It is nothing that the model's own tokenizer knows.
PADDING = re.compile(r"\[PAD\d+\]")
MARKS = r"\p{Lm}\p{Lo}\p{M}]"
CASED = [rf"[^\r\n\p{{L}}\p{{N}}]?[\p{{Lu}}\p{{Lt}}{MARKS}{first}[\p{{Ll}}{MARKS}{second}" for first, second in ("*+", "+*")]
REST = r" ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"
TEKKEN = "|".join([*CASED, r"\p{N}", REST])
GPT4O = "|".join([*(part + r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?" for part in CASED), r"\p{N}{1,3}", REST])
# How the families' own tokenizers split, and whether they compose first.
FAMILIES = {
    "tekken": ([TEKKEN], False),
    "gpt-4o": ([GPT4O], False),
    "gpt-2": ([GPT2], False),
    "smollm": ([r"\p{N}", GPT2], False),
    "starcoder": ([r"\p{N}", GPT2], False),
    "refact": ([r"\p{N}", GPT2], False),
    "command-r": ([r"\p{N}", GPT2], True),
    "mpt": ([GPT2], True),
    "llama-bpe": ([LLAMA3], False),
    "qwen2": ([QWEN2], True),
    "qwen35": ([QWEN35], True),
}
WHOLE_WORDS = ["llama-bpe", "tekken"]
PRE = [*(pre for pre in FAMILIES if pre not in ("smollm", "starcoder", "refact")), "falcon", "deepseek-v3", "seed-coder", "bailingmoe", "poro-chat", "default"]


def tokenizer_of(fields):
    """The tokenizer that `tokenizers` would load for this model, or none for one that is not byte-level BPE."""
    value = lambda key: fields[f"tokenizer.ggml.{key}"].contents() if f"tokenizer.ggml.{key}" in fields else None
    family = FAMILIES.get(value("pre"))
    if value("model") != "gpt2" or family is None:
        return None
    tokens, types = value("tokens"), value("token_type")
    merges = [tuple(merge.split(" ", 1)) for merge in value("merges")]
    vocabulary = {token: index for index, token in enumerate(tokens) if types[index] in (1, 4)}
    merges = [pair for pair in merges if pair[0] in vocabulary and pair[1] in vocabulary and "".join(pair) in vocabulary]
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=merges, ignore_merges=value("pre") in WHOLE_WORDS))
    expressions, composes = family
    if composes:
        tokenizer.normalizer = normalizers.NFC()
    steps = [pre_tokenizers.Split(Regex(expression), "isolated") for expression in expressions]
    added = [AddedToken(token, normalized=False) for token, kind in zip(tokens, types) if kind == 4 and not PADDING.search(token)]
    tokenizer.add_tokens(added)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(steps + [pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    return tokenizer


def llama_ids(program, path, lines):
    given = b"".join(b"%d\n%b" % (len(line), line) for line in (text.encode() for text in lines))
    answer = subprocess.run([program, path], input=given, capture_output=True, check=True).stdout.decode().splitlines()
    assert len(answer) == len(lines)
    return [[int(number) for number in line.split()] for line in answer]


def with_pre(path, fields, pre, folder):
    """A copy of a model's vocabulary that names another pre-tokenizer."""
    copy = folder / f"{path.stem}.{pre}.gguf"
    writer = gguf.GGUFWriter(copy, "llama")
    for key, field in fields.items():
        if key.startswith("tokenizer.ggml."):
            value, kinds = field.contents(), field.types
            writer.add_key_value(key, pre if key.endswith(".pre") else value, kinds[0], kinds[1] if len(kinds) > 1 else None)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.close()
    return copy


def expected_ids(program, path, lines):
    fields = gguf.GGUFReader(path).fields
    expected = llama_ids(program, path, lines)
    theirs = tokenizer_of(fields)
    cased = fields["tokenizer.ggml.pre"].contents() in ("tekken", "gpt-4o")
    taken = differ = 0
    for index, text in enumerate(lines if theirs else []):
        ids = theirs.encode(text, add_special_tokens=False).ids
        if ids == expected[index]:
            continue
        composed = theirs.normalizer and not unicodedata.is_normalized("NFC", text)
        if composed or PADDING.search(text) or cased and not text.isascii():
            taken, expected[index] = taken + 1, ids
        else:
            differ += 1
            print(f"{path.name}: {text!r}: llama.cpp {expected[index]}, tokenizers {ids}")
    compared = f"{taken} as tokenizers has them, {differ} differ for another reason" if theirs else "llama.cpp alone"
    print(f"{path.name}: {len(lines)} texts, {compared}", flush=True)
    return expected


def main():
    program, output, vocabularies, *paths = sys.argv[1:]
    output, paths = pathlib.Path(output), list(map(pathlib.Path, paths))
    lines = texts(mixtures=500, seed=20261130)
    (output / "texts.json").write_text(json.dumps(lines, ensure_ascii=False, separators=(",\n", ":")) + "\n")
    fields = gguf.GGUFReader(paths[0]).fields
    paths += [with_pre(paths[0], fields, pre, pathlib.Path(vocabularies)) for pre in PRE]
    for path in paths:
        checks = [zlib.crc32(struct.pack(f"<{len(ids)}I", *ids)) for ids in expected_ids(program, path, lines)]
        (output / f"{path.stem}.txt").write_text("".join(f"{check:08x}\n" for check in checks))


if __name__ == "__main__":
    main()
