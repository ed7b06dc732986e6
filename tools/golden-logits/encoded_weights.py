"""Weights in each of GGUF's encodings, together with the numbers that the encoded bytes stand for."""

import gguf
import numpy as np
from gguf import GGMLQuantizationType as Type

# Bytes of a 256-weight super-block, and where its f16 scales stand in it: (offset, share of the first scale).
# A Q4_K weight is d * scale * q - dmin * min with q in 0..16: with random scales and mins, dmin = 7.5 d centres it.
K_BLOCKS = {
    Type.Q4_K: (144, ((0, 1.0), (2, 7.5))),
    Type.Q5_K: (176, ((0, 1.0), (2, 15.5))),
    Type.Q6_K: (210, ((208, 1.0),)),
}


def encode(weights: np.ndarray, encoding: Type, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """The encoded rows of a matrix, and the float32 matrix that they decode to."""
    if encoding in K_BLOCKS:
        encoded = random_k_blocks(weights, encoding, rng)
    else:
        encoded = gguf.quants.quantize(weights, encoding)
    return encoded, gguf.quants.dequantize(encoded, encoding)


def random_k_blocks(like: np.ndarray, encoding: Type, rng: np.random.Generator) -> np.ndarray:
    """Super-blocks of random bytes, scaled to the deviation of `like`.

    gguf-py decodes the K-quants and does not encode them. Random bytes are better here anyway: they reach every value of
    every field, where a quantizer would prefer some.
    """
    rows, columns = like.shape
    size, scales = K_BLOCKS[encoding]
    blocks = rng.integers(0, 256, (rows, columns // 256, size), dtype=np.uint8)

    def with_scale(d: float) -> np.ndarray:
        for offset, share in scales:
            blocks[:, :, offset : offset + 2] = np.frombuffer(np.float16(d * share).tobytes(), np.uint8)
        return blocks.reshape(rows, -1)

    deviation_at_one = gguf.quants.dequantize(with_scale(1.0), encoding).std()
    return with_scale(like.std() / deviation_at_one)
