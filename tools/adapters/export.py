"""Write a trained adapter as GGUF in F16. Usage: export.py BASE.gguf adapter.pt [...] OUT.gguf [--action-bias X] [--window N]"""

import argparse
from pathlib import Path

import numpy as np

import convert
from smollm import ALPHA, Base, adapter_tensors, average


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("base", type=Path)
    parser.add_argument("adapters", type=Path, nargs="+", help="the mean of them is taken")
    parser.add_argument("out", type=Path)
    parser.add_argument("--action-bias", type=float, default=0.0, help="added to the logit of another action where the list may end; see evaluate.py")
    parser.add_argument("--window", type=int, help="tokens of a long note that are read at once")
    args = parser.parse_args()
    tensors = dict(adapter_tensors(average(args.adapters), Base(args.base)))
    convert.write(args.out, convert.Base(args.base), ALPHA, tensors, np.float16, tuned=True, action_bias=args.action_bias, window=args.window)


if __name__ == "__main__":
    main()
