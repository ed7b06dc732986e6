"""Write a trained adapter as GGUF in F16. Usage: export.py BASE.gguf adapter.pt OUT.gguf [--action-bias X]"""

import argparse
from pathlib import Path

import gguf
import numpy as np
import torch

from smollm import ALPHA, Base, adapter_tensors

DESCRIPTION = "Voice notes with SmolLM2-135M-Instruct: summaries, labels and extractions in Sotto's task formats."


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("base", type=Path)
    parser.add_argument("adapter", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--action-bias", type=float, default=0.0, help="added to the logit of another action where the list may end; see evaluate.py")
    args = parser.parse_args()
    writer = gguf.GGUFWriter(args.out, "llama")
    writer.add_type(gguf.GGUFType.ADAPTER)
    writer.add_string(gguf.Keys.Adapter.TYPE, "lora")
    writer.add_float32(gguf.Keys.Adapter.LORA_ALPHA, ALPHA)
    writer.add_name("SmolLM2-135M notes")
    writer.add_description(DESCRIPTION)
    writer.add_license("MIT OR Apache-2.0")
    writer.add_bool("sotto.tuned", True)
    writer.add_float32("sotto.action_bias", args.action_bias)
    for name, array in adapter_tensors(torch.load(args.adapter), Base(args.base)):
        writer.add_tensor(name, np.ascontiguousarray(array, np.float16))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


if __name__ == "__main__":
    main()
