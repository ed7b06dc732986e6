"""Whisper models in the file format of whisper.cpp."""

import json
import struct
from dataclasses import dataclass
from pathlib import Path

import gguf
import numpy as np

MAGIC = 0x67676D6C
FFT_BINS = 201
# whisper.cpp wants these in 32 bits, and biases of convolutions with a dimension more.
IN_32_BITS = {"encoder.positional_embedding", "decoder.positional_embedding"}
# End and start of a transcript, six more special tokens, and 1,501 times; languages come on top.
SPECIAL = 1509


@dataclass
class Model:
    """`sizes` are the header's words: vocabulary, audio positions, width, heads, layers, text positions, width, heads, layers, mel bands.

    `tensors` have OpenAI's names; those that are not quantized are arrays of numbers, the others of bytes.
    """

    sizes: list[int]
    tokens: list[bytes]
    tensors: dict[str, tuple[gguf.GGMLQuantizationType, tuple[int, ...], np.ndarray]]


def text_tokens(vocabulary_size: int) -> int:
    """How many of the tokens are text."""
    return vocabulary_size - SPECIAL - (100 if vocabulary_size > 51865 else 99)


def read_tokens(path: Path, vocabulary_size: int) -> list[bytes]:
    """The bytes of the text tokens in a `tokenizer.json`."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    bytes_of = {chr(byte): byte for byte in printable}
    bytes_of |= {chr(256 + i): byte for i, byte in enumerate(b for b in range(256) if b not in printable)}
    ids = json.loads(path.read_text(encoding="utf-8"))["model"]["vocab"]
    texts = {number: text for text, number in ids.items()}
    return [bytes(bytes_of[c] for c in texts[number]) for number in range(text_tokens(vocabulary_size))]


def mel_filters(bands: int) -> np.ndarray:
    """Slaney's triangles of equal area, `[bands, FFT_BINS]`."""
    to_mel = lambda hz: hz * 3 / 200 if hz < 1000 else 15 + np.log(hz / 1000) / (np.log(6.4) / 27)
    to_hz = lambda mel: np.where(mel < 15, mel * 200 / 3, 1000 * np.exp((mel - 15) * np.log(6.4) / 27))
    corners = to_hz(np.linspace(0, to_mel(8000), bands + 2))
    hz = np.linspace(0, 8000, FFT_BINS)
    rising = (hz - corners[:-2, None]) / np.diff(corners)[:-1, None]
    falling = (corners[2:, None] - hz) / np.diff(corners)[1:, None]
    return (np.maximum(0, np.minimum(rising, falling)) * 2 / (corners[2:] - corners[:-2])[:, None]).astype(np.float32)


def plain(name: str, array: np.ndarray):
    """A tensor in the number format that whisper.cpp wants it in."""
    wide = array.ndim < 2 or name in IN_32_BITS
    if name in ("encoder.conv1.bias", "encoder.conv2.bias"):
        array = array.reshape(-1, 1)
    kind = gguf.GGMLQuantizationType.F32 if wide else gguf.GGMLQuantizationType.F16
    return kind, array.shape, array.astype(np.float32 if wide else np.float16)


def write(model: Model, path: Path, kind: gguf.GGMLQuantizationType) -> None:
    file_kinds = gguf.LlamaFileType
    number = {"F16": 1}.get(kind.name) or file_kinds[f"MOSTLY_{kind.name}"].value
    filters = mel_filters(model.sizes[-1])
    with path.open("wb") as file:
        file.write(struct.pack("<12i", MAGIC, *model.sizes, number))
        file.write(struct.pack("<2i", *filters.shape) + filters.tobytes())
        file.write(struct.pack("<i", len(model.tokens)))
        for token in model.tokens:
            file.write(struct.pack("<i", len(token)) + token)
        for name, (kind, shape, data) in model.tensors.items():
            encoded = name.encode()
            file.write(struct.pack(f"<{3 + len(shape)}i", len(shape), len(encoded), kind.value, *reversed(shape)))
            file.write(encoded + np.ascontiguousarray(data).tobytes())


def read(path: Path) -> Model:
    """A file that is not quantized."""
    data, at = path.read_bytes(), 0

    def words(count: int) -> tuple[int, ...]:
        nonlocal at
        at += 4 * count
        return struct.unpack_from(f"<{count}i", data, at - 4 * count)

    def take(count: int) -> bytes:
        nonlocal at
        at += count
        return data[at - count : at]

    magic, *sizes, _ = words(12)
    if magic != MAGIC:
        raise SystemExit(f"{path}: not a file of whisper.cpp")
    take(4 * int(np.prod(words(2))))
    tokens = [take(*words(1)) for _ in range(*words(1))]
    tensors = {}
    numbers = {0: np.float32, 1: np.float16}
    while at < len(data):
        dimensions, name_len, kind = words(3)
        shape = tuple(reversed(words(dimensions)))
        name = take(name_len).decode()
        if kind not in numbers:
            raise SystemExit(f"{path}: it is quantized already")
        array = np.frombuffer(take(int(np.prod(shape)) * np.dtype(numbers[kind]).itemsize), numbers[kind]).reshape(shape)
        tensors[name] = gguf.GGMLQuantizationType(kind), shape, array
    return Model(sizes, tokens, tensors)
