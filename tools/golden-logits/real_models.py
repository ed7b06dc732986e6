"""What llama.cpp makes of models with real weights, for the tests (`store`) and beside what Sotto makes of them (`compare`, `kinds`).

    pip install llama-cpp-python gguf numpy
    folder=$(cargo xtask real-models)
    python real_models.py store $folder
    python real_models.py compare ../../target/release/sotto MODEL.gguf...
    python real_models.py kinds ../../target/release/sotto $folder/SmolLM2-135M-Instruct.Q4_1.gguf

`kinds` writes the model as F16, and from that in each kind that llama.cpp's quantizer knows, as those who share models do; each in turn is
compared and deleted. The tables are Markdown's: docs/models.md has them.
"""

import argparse
import json
import os
import subprocess
import tempfile
from ctypes import byref
from itertools import takewhile
from pathlib import Path

import llama_cpp
import numpy as np

from compare_llama_cpp import LlamaCpp, Sotto, difference

TESTS = Path(__file__).parents[2] / "core/sdk/tests/real_models"
TEXT = TESTS / "lighthouse.txt"
AS_SHARED = ["SmolLM2-135M-Instruct.Q4_1.gguf", "gemma-3-270m.Q4_K_M.gguf"]
BEGINNINGS = [
    "The capital of France is", "Once upon a time, there was a little girl", "Water boils at a temperature of",
    "def fibonacci(n):\n", "1, 2, 3, 4, 5,", "Dear Sir or Madam,\n\nI am writing to",
]
QUESTIONS = [
    "What is the capital of France?", "Write one sentence about the sea.", "What is 2 + 2?",
    "Name three colours.", "Who wrote Romeo and Juliet?", "What do bees make?", "Is the sun a star?", "Translate 'good morning' into French.",
]
KINDS = (
    "F16 BF16 Q4_0 Q4_1 Q5_0 Q5_1 Q8_0 Q2_K Q3_K_S Q3_K_M Q3_K_L Q4_K_S Q4_K_M Q5_K_S Q5_K_M Q6_K IQ3_S IQ3_M IQ4_NL IQ4_XS TQ2_0"
).split()
# What the tests can write themselves.
PURE = ["Q8_0", "Q5_1", "Q5_0", "Q4_0"]
TOKENS = 32
# A token whose logit leads by less could be another one where activations are rounded elsewhere, or sums are formed in another order.
CLEAR_LEAD = 0.05
CLEAR_LEAD_QUANTIZED = 0.5
CONTEXT = 512


def load(model: Path) -> LlamaCpp:
    return LlamaCpp(model, CONTEXT, llama_cpp.GGML_TYPE_F16)


def prompts(llama: LlamaCpp) -> dict[str, list[int]]:
    """Beginnings of texts and, where the model has a chat template, questions in it."""
    found = {text: llama.bos() + llama.tokens(text) for text in BEGINNINGS}
    for question in QUESTIONS:
        if prompt := llama.prompt([{"role": "user", "content": question}]):
            found[question] = llama.tokens(prompt, control=True)
    return found


def likelihood(llama: LlamaCpp) -> float:
    return llama.likelihood(llama.bos() + llama.tokens(TEXT.read_text()))


def clear_text(llama: LlamaCpp, prompt: list[int], lead: float) -> str:
    """The greedy text as far as each of its tokens leads clearly."""
    ids, rows = llama.greedy(prompt, TOKENS)
    leads = (np.diff(np.partition(row, -2)[-2:])[0] for row in rows)
    clear = takewhile(lambda pair: pair[1] >= lead, zip(ids, leads))
    return llama.model.detokenize([id for id, _ in clear]).decode(errors="ignore")


def figures_of(model: Path, lead: float) -> dict:
    llama = load(model)
    texts = {name: clear_text(llama, prompt, lead) for name, prompt in prompts(llama).items()}
    texts = {name: text for name, text in texts.items() if text}
    return {
        "nll": likelihood(llama),
        "continuations": {name: text for name, text in texts.items() if name in BEGINNINGS},
        "answers": {name: text for name, text in texts.items() if name in QUESTIONS},
    }


def store(folder: Path) -> None:
    """Writes down what llama.cpp makes of the files as they are shared, and of SmolLM2 in the formats that the tests can write."""
    figures = {file: figures_of(folder / file, CLEAR_LEAD_QUANTIZED) for file in AS_SHARED}
    with tempfile.TemporaryDirectory() as scratch:
        source, target = Path(scratch) / "F16.gguf", Path(scratch) / "pure.gguf"
        quantize(folder / AS_SHARED[0], source, "F16")
        figures["F16"] = figures_of(source, CLEAR_LEAD)
        for kind in PURE:
            quantize(source, target, kind, pure=True)
            figures[kind] = {"nll": likelihood(load(target))}
        write_k_quants(folder, Path(scratch))
        for file in sorted(Path(scratch).glob("ffn_down as *.gguf")):
            figures[file.stem] = {"nll": likelihood(load(file))}
    (TESTS / "llama_cpp.json").write_text(json.dumps(figures, indent=1, ensure_ascii=False) + "\n")


def write_k_quants(models: Path, folder: Path) -> None:
    """Has the tests write the files with K-quants, which are not llama.cpp's quantizer's to the bit."""
    test = ["cargo", "test", "--workspace", "--test", "real_models", "--", "--ignored", "write_k_quants"]
    names = {"SOTTO_REAL_MODELS": str(models), "SOTTO_K_QUANTS": str(folder)}
    subprocess.run(test, check=True, cwd=TESTS, env=os.environ | names)


def compare(program: str, name: str, model: Path) -> None:
    """Prints a row of the table, and where texts part."""
    sotto, llama = Sotto(program, model), load(model)
    ours, theirs = sotto.likelihood(TEXT.read_text(), CONTEXT)["nll"], likelihood(llama)
    same, parted = 0, []
    for prompt in prompts(llama).values():
        (ids, rows), found = llama.greedy(prompt, TOKENS), sotto.greedy(prompt, TOKENS)
        same += ids == found
        if ids != found:
            parted.append(difference(llama, found, ids, rows)[0])
    nearest = f"; apart by {max(parted):.3f} deviations where they part" if parted else ""
    print(f"| {name} | {theirs:.4f} | {ours:.4f} | {ours / theirs - 1:+.2%} | {same} of {same + len(parted)}{nearest} |", flush=True)


def quantize(source: Path, target: Path, kind: str, pure: bool = False) -> None:
    """Writes a model as a kind of file; a pure one has all matrices in one format."""
    options = llama_cpp.llama_model_quantize_default_params()
    options.ftype = getattr(llama_cpp, f"LLAMA_FTYPE_MOSTLY_{kind}")
    options.allow_requantize = True
    options.pure = pure
    if llama_cpp.llama_model_quantize(str(source).encode(), str(target).encode(), byref(options)):
        raise SystemExit(f"llama.cpp cannot write {source} as {kind}")


def compare_kinds(program: str, model: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "F16.gguf"
        quantize(model, source, "F16")
        compare(program, "F16", source)
        for kind in KINDS[1:]:
            target = Path(folder) / f"{kind}.gguf"
            quantize(source, target, kind)
            compare(program, kind, target)
            target.unlink()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    steps = parser.add_subparsers(dest="step", required=True)
    steps.add_parser("store").add_argument("folder", type=Path)
    for step, models in (("compare", "+"), ("kinds", None)):
        arguments = steps.add_parser(step)
        arguments.add_argument("sotto")
        arguments.add_argument("model", type=Path, nargs=models)
    args = parser.parse_args()
    if args.step == "store":
        return store(args.folder)
    print("| file | llama.cpp, nats per token | Sotto | apart | greedy texts the same |\n|---|---|---|---|---|")
    if args.step == "kinds":
        return compare_kinds(args.sotto, args.model)
    for model in args.model:
        compare(args.sotto, model.name, model)


if __name__ == "__main__":
    main()
