"""Writes one random block of each of GGUF's quantized formats, and the numbers that gguf-py reads in it, for the kernels' tests.

    python stored_blocks.py ../../core/kernels/tests/fixtures/stored_blocks.bin

Each is the format's id (32 bits), the block, its weights (float32), all little-endian.
"""

import sys

import gguf
import numpy as np
from gguf import GGML_QUANT_SIZES
from gguf import GGMLQuantizationType as Type

# Where a block's float16 scales stand.
SCALES = {
    Type.Q4_0: (0,),
    Type.Q4_1: (0, 2),
    Type.Q5_0: (0,),
    Type.Q5_1: (0, 2),
    Type.Q8_0: (0,),
    Type.Q2_K: (80, 82),
    Type.Q3_K: (108,),
    Type.Q4_K: (0, 2),
    Type.Q5_K: (0, 2),
    Type.Q6_K: (208,),
    Type.IQ1_S: (0,),
    Type.IQ1_M: (),
    Type.IQ2_XXS: (0,),
    Type.IQ2_XS: (0,),
    Type.IQ2_S: (0,),
    Type.IQ3_XXS: (0,),
    Type.IQ3_S: (0,),
    Type.IQ4_NL: (0,),
    Type.IQ4_XS: (0,),
    Type.TQ1_0: (52,),
    Type.TQ2_0: (64,),
    Type.MXFP4: (),
}


def random_block(encoding: Type, rng: np.random.Generator) -> np.ndarray:
    block = rng.integers(0, 256, (1, GGML_QUANT_SIZES[encoding][1]), dtype=np.uint8)
    for offset in SCALES[encoding]:
        block[0, offset : offset + 2] = np.frombuffer(np.float16(rng.uniform(-0.1, 0.1)).tobytes(), np.uint8)
    if encoding == Type.IQ1_M:  # Its scale's exponent is in the last bytes, which random ones would make infinite.
        block[0, -1] = 0x20 | block[0, -1] & 0x0F
    if encoding == Type.MXFP4:
        block[0, 0] = rng.integers(115, 130)
    return block


def main() -> None:
    rng = np.random.default_rng(21)
    with open(sys.argv[1], "wb") as out:
        for encoding in SCALES:
            block = random_block(encoding, rng)
            weights = gguf.quants.dequantize(block, encoding).astype("<f4")
            assert np.isfinite(weights).all(), encoding
            out.write(np.uint32(encoding).tobytes() + block.tobytes() + weights.tobytes())


if __name__ == "__main__":
    main()
