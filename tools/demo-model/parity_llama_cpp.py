"""Greedy text of llama.cpp for prompts given as token ids, to compare with `sotto generate`.

    parity_llama_cpp.py MODEL.gguf PROMPTS.json [--tokens 64]

PROMPTS.json holds a list of lists of ids (`sotto tokenize` prints them). Needs `llama-cpp-python`. Prints a JSON list with
the ids and the text that follow each prompt at temperature 0, without a grammar, up to the end token.
"""

import argparse
import json

from llama_cpp import Llama


def greedy(model: Llama, prompt: list[int], count: int) -> dict:
    """Up to `count` tokens after the prompt."""
    model.reset()
    ids: list[int] = []
    for token in model.generate(prompt, temp=0.0, top_k=1, repeat_penalty=1.0):
        if token == model.token_eos() or len(ids) == count:
            break
        ids.append(token)
    return {"prompt": prompt, "ids": ids, "text": model.detokenize(ids).decode(errors="replace")}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("prompts")
    parser.add_argument("--tokens", type=int, default=64)
    args = parser.parse_args()
    model = Llama(args.model, n_ctx=1024, verbose=False)
    prompts = json.load(open(args.prompts))
    print(json.dumps([greedy(model, prompt, args.tokens) for prompt in prompts], ensure_ascii=False, indent=1))


if __name__ == "__main__":
    main()
