#!/usr/bin/env python3
"""Compares what Sotto and llama.cpp make of the same model file: tokens, prompts, greedy text, likelihood.

    pip install llama-cpp-python gguf numpy
    python compare_llama_cpp.py ../../target/release/sotto MODEL.gguf [--notes FOLDER] [--tokens 96] [--context 1024] [--adapter FILE]

Tokens and prompts must be equal. Greedy text need not be where weights are quantized: both round activations to eight bits, but not
at the same places, and where two tokens are nearly as likely that decides. So the comparison is made a second time
with the same weights as F32, where hardly anything is rounded and the texts must be equal but for ties. Exits with 1 where
something that must be equal is not.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import gguf
import llama_cpp
import numpy as np
from jinja2.sandbox import ImmutableSandboxedEnvironment

BEGINNINGS = [
    "I need to", "Okay so um, the meeting with Priya moved to", "The plumber said that", "Right, shopping for tomorrow:",
    "Marcus will write a test by Thursday. Dana", "Title: the new clinic\nOverview:", "Llamo a la doctora mañana y",
    "naïve café 東京 🎉 I should",
]
ODD_TEXTS = [
    " ", "  ", "\n", "\n\n \n", "\t\ttabs\tin\ttext", "a\r\nb\rc", "Hello, world!", "don't WE'LL I'M they'RE it'S 'S 'ſ",
    "1234567890 12 345 6,789.01", "e\u0301 vs \u00e9", "ﬁne ligature", "ⅷ ½ ² ١٢٣ １２３４", "日本語テキスト。中文字符", "한국어 문장",
    "हिन्दी पाठ क्षत्रिय", "עברית مرحبا", "🎉👩‍👩‍👧‍👦🏳️‍🌈 🇩🇪", "\u200b\u200d\ufeffzero\u00a0nbsp\u2003em", "a\u0301\u0302\u0303\u0304",
    "<|end|> <|user|> <|eot_id|> <s> </s>", "ÀÉÎÕÜß ŒœŸ", "ΑΒΓ αβγ ς", "Жёлтый", "ꙮ\U0001f9ff\U000e0067",
    "\u1680\u2028\u2029\u3000", "x" * 300, "   leading and trailing   ", "foo  bar   baz    qux", "!!!???...---===",
    "C:\\path\\to\\file", "http://example.com/a?b=c&d=e#f", "\u2019s curly \u201cquotes\u201d \u2014 dash", "A\u00adsoft",
    "İstanbul ı", "ſtraße \u212aelvin", "\U0001d49c\U0001d4b7 math", "\ufffd replacement", "\u007f\u0080\u009f control",
    "ð\u0315 \ue000 private", "\n a\n  b\n\tc", "... \n\n\n ...", "a" + "\u0301" * 50,
]
# Logits nearer to each other than this share of their deviation are a tie: Sotto keeps its cache in F16 always.
TIE = 0.002
SYSTEM_MESSAGES = ["summarize", "summarize", "classify: urgent, task, ignorable, attention", "extract: task, owner, due", None]


class Sotto:
    """The command line program with one model."""

    def __init__(self, program: str, model: Path, adapter: Path | None):
        self.program, self.model = program, model
        self.adapters = ["--adapter", str(adapter)] if adapter else []

    def run(self, *arguments: str, text: str = "") -> str:
        command = [self.program, "--model", str(self.model), *arguments]
        done = subprocess.run(command, input=text.encode(), capture_output=True)
        if done.returncode:
            sys.exit(f"{' '.join(command[:4])}: {done.stderr.decode()}")
        return done.stdout.decode()

    def tokens(self, text: str) -> list[int]:
        return [int(id) for id in self.run("tokenize", "--ids", "-", text=text).split()]

    def prompt(self, messages: list[dict]) -> str:
        return self.run("render", "-", text=json.dumps(messages))

    def greedy(self, prompt: list[int], count: int) -> list[int]:
        ids = ",".join(map(str, prompt))
        return json.loads(self.run("generate", *self.adapters, "--ids", ids, "-n", str(count), "--temperature", "0", "--json"))["ids"]

    def likelihood(self, text: str, window: int) -> dict:
        return json.loads(self.run("perplexity", *self.adapters, "-", "--window", str(window), "--json", text=text))


class LlamaCpp:
    """llama.cpp with one model."""

    def __init__(self, model: Path, adapter: Path | None, context: int, cache: int):
        options = {"n_ctx": context, "type_k": cache, "type_v": cache, "logits_all": True, "verbose": False}
        self.model = llama_cpp.Llama(str(model), lora_path=adapter and str(adapter), **options)
        vocabulary = llama_cpp.llama_model_get_vocab(self.model._model.model)
        ids = range(self.model.n_vocab())
        self.ends = {id for id in ids if llama_cpp.llama_vocab_is_eog(vocabulary, id)}
        self.metadata = self.model.metadata

    def tokens(self, text: str, control: bool = False) -> list[int]:
        return self.model.tokenize(text.encode(), add_bos=False, special=control)

    def spelled(self, id: int) -> str:
        return self.model.detokenize([id], special=True).decode(errors="replace")

    def bos(self) -> list[int]:
        wanted = self.metadata.get("tokenizer.ggml.add_bos_token", "true") == "true"
        return [self.model.token_bos()] if wanted and self.model.token_bos() >= 0 else []

    def prompt(self, messages: list[dict]) -> str | None:
        """The prompt by Python's jinja2, as llama-cpp-python makes it; none where the file has no template."""
        template = self.metadata.get("tokenizer.chat_template")
        environment = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True)
        id = lambda name: int(self.metadata.get(f"tokenizer.ggml.{name}_token_id", 0))
        control = {f"{name}_token": self.spelled(id(name)) for name in ("bos", "eos")}
        return template and environment.from_string(template).render(messages=messages, add_generation_prompt=True, **control)

    def logits(self) -> np.ndarray:
        return np.array(self.model._ctx.get_logits_ith(-1)[: self.model.n_vocab()], dtype=np.float64)

    def greedy(self, prompt: list[int], count: int) -> tuple[list[int], list[np.ndarray]]:
        """The tokens, and the logits that each was chosen by; the last of them may have chosen an end token."""
        self.model.reset()
        self.model.eval(prompt)
        ids, rows = [], [self.logits()]
        while len(ids) < count and int(rows[-1].argmax()) not in self.ends:
            ids.append(int(rows[-1].argmax()))
            self.model.eval(ids[-1:])
            rows.append(self.logits())
        return ids, rows

    def likelihood(self, ids: list[int]) -> float:
        """Mean negative log-likelihood of all but the first."""
        self.model.reset()
        self.model.eval(ids)
        rows = self.model.scores[: len(ids) - 1].astype(np.float64)
        highest = rows.max(axis=1)
        scale = highest + np.log(np.exp(rows - highest[:, None]).sum(axis=1))
        return float((scale - rows[range(len(rows)), ids[1:]]).mean())


def compare_tokens(sotto: Sotto, llama: LlamaCpp, texts: list[str]) -> bool:
    different = [text for text in texts if sotto.tokens(text) != llama.tokens(text)]
    print(f"tokens: {len(different)} of {len(texts)} texts differ", *map(ascii, different))
    return not different


def prompts_of(sotto: Sotto, llama: LlamaCpp, notes: list[Path]) -> tuple[list[tuple[str, list[int]]], bool]:
    """Beginnings of texts, and notes in the chat template; and whether both make the same of the template."""
    prompts = [(text, llama.bos() + llama.tokens(text)) for text in BEGINNINGS]
    same = True
    for index, note in enumerate(notes):
        system = SYSTEM_MESSAGES[index % len(SYSTEM_MESSAGES)]
        messages = [{"role": "system", "content": system}] if system else []
        messages.append({"role": "user", "content": " ".join(note.read_text().split())})
        prompt = sotto.prompt(messages)
        if llama.prompt(messages) not in (None, prompt):
            print(f"prompt: differs for {note}")
            same = False
        prompts.append((f"{system or 'chat'}: {note.name}", llama.tokens(prompt, control=True)))
    return prompts, same


def compare_greedy(sotto: Sotto, llama: LlamaCpp, prompts: list[tuple[str, list[int]]], count: int) -> bool:
    """Whether all texts are the same up to ties."""
    gaps = []
    for name, prompt in prompts:
        ours, (theirs, rows) = sotto.greedy(prompt, count), llama.greedy(prompt, count)
        if ours != theirs:
            gap, what = difference(llama, ours, theirs, rows)
            gaps.append(gap)
            print(f"  {name[:44]!r}: {what}")
    print(f"greedy: {len(prompts) - len(gaps)} of {len(prompts)} texts of up to {count} tokens are the same")
    return max(gaps, default=0.0) < TIE


def difference(llama: LlamaCpp, ours: list[int], theirs: list[int], rows: list[np.ndarray]) -> tuple[float, str]:
    """How far apart the first tokens that differ are by llama.cpp's logits, in their deviations, and in words."""
    at = next((i for i, (one, other) in enumerate(zip(ours, theirs)) if one != other), min(len(ours), len(theirs)))
    row = rows[at]
    chosen = ours[at] if at < len(ours) else max(llama.ends, key=lambda id: row[id])
    rank = int((row > row[chosen]).sum()) + 1
    gap = row.max() - row[chosen]
    return gap / row.std(), (
        f"token {at}: sotto {llama.spelled(chosen)!r}, llama.cpp {llama.spelled(int(row.argmax()))!r}; "
        f"by its logits sotto's is number {rank}, {gap:.4f} behind (deviation {row.std():.1f})"
    )


def compare_likelihood(sotto: Sotto, llama: LlamaCpp, text: str, context: int) -> None:
    text = " ".join(text.split()[: context // 5])
    ours, ids = sotto.likelihood(text, context), llama.bos() + llama.tokens(text)
    theirs = llama.likelihood(ids)
    apart = abs(ours["nll"] - theirs)
    print(f"nats per token ({ours['tokens']} tokens): sotto {ours['nll']:.5f}, llama.cpp {theirs:.5f}, apart by {apart:.5f}")


def write_as_f32(source: Path, target: Path) -> None:
    """The same model with all weights F32."""
    reader, writer = gguf.GGUFReader(source), gguf.GGUFWriter(target, "llama")
    for name, field in reader.fields.items():
        if not name.startswith("GGUF.") and name not in ("general.architecture", "general.file_type"):
            element = field.types[1] if field.types[0] == gguf.GGUFValueType.ARRAY else None
            writer.add_key_value(name, field.contents(), field.types[0], element)
    for tensor in reader.tensors:
        values = gguf.dequantize(tensor.data, tensor.tensor_type).astype(np.float32)
        writer.add_tensor(tensor.name, values.reshape([int(size) for size in reversed(tensor.shape)]))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sotto")
    parser.add_argument("model", type=Path)
    parser.add_argument("--notes", type=Path, action="append", default=[], help="a folder of texts for the chat template")
    parser.add_argument("--tokens", type=int, default=96)
    parser.add_argument("--context", type=int, default=1024)
    parser.add_argument("--adapter", type=Path, help="a LoRA for both, as `sotto tune` writes it")
    args = parser.parse_args()
    notes = [note for folder in args.notes for note in sorted(folder.glob("*.txt"))]
    texts = [note.read_text() for note in notes]

    print(f"{args.model}")
    sotto = Sotto(args.sotto, args.model, args.adapter)
    llama = LlamaCpp(args.model, args.adapter, args.context, llama_cpp.GGML_TYPE_F16)
    passed = compare_tokens(sotto, llama, ODD_TEXTS + BEGINNINGS + texts)
    prompts, same_prompts = prompts_of(sotto, llama, notes)
    compare_greedy(sotto, llama, prompts, args.tokens)
    compare_likelihood(sotto, llama, " ".join(texts or BEGINNINGS), args.context)

    with tempfile.TemporaryDirectory() as folder:
        exact = Path(folder) / "f32.gguf"
        write_as_f32(args.model, exact)
        print("the same weights as F32, F32 cache")
        sotto = Sotto(args.sotto, exact, args.adapter)
        llama = LlamaCpp(exact, args.adapter, args.context, llama_cpp.GGML_TYPE_F32)
        same_text = compare_greedy(sotto, llama, prompts, args.tokens)
        compare_likelihood(sotto, llama, " ".join(texts or BEGINNINGS), args.context)
    sys.exit(0 if passed and same_prompts and same_text else 1)


if __name__ == "__main__":
    main()
