"""Write the demo model in Llama 3.2 1B's shape: its answers at that model's cost. Usage: widen.py DEMO.gguf OUT.gguf [--type q8_0|q4_0]

A part of each matrix does what the demo model does; the rest is random, and meets zeros on its way in or out. Random weights alone
do not copy from their prompt, as trained ones do: this shows what guesses at copied tokens are worth in a model of that size.
"""

import argparse

import gguf
import numpy as np
from gguf.quants import dequantize, quantize

LAYERS, WIDTH, HIDDEN, HEADS, KV_HEADS, HEAD, VOCABULARY = 16, 2048, 8192, 32, 8, 64, 128256
TYPES = {"q8_0": gguf.GGMLQuantizationType.Q8_0, "q4_0": gguf.GGMLQuantizationType.Q4_0}
SEED = 7
# What the wide model has otherwise.
SHAPE = {
    "llama.block_count": LAYERS,
    "llama.embedding_length": WIDTH,
    "llama.feed_forward_length": HIDDEN,
    "llama.attention.head_count": HEADS,
    "llama.attention.head_count_kv": KV_HEADS,
    "llama.rope.dimension_count": HEAD,
    "llama.vocab_size": VOCABULARY,
}


class Widened:
    def __init__(self, path: str):
        self.demo = gguf.GGUFReader(path)
        self.tensors = {tensor.name: dequantize(tensor.data, tensor.tensor_type) for tensor in self.demo.tensors}
        self.layers, self.width, self.hidden, self.heads, self.kv_heads = (
            self.value(f"llama.{key}")
            for key in ("block_count", "embedding_length", "feed_forward_length", "attention.head_count", "attention.head_count_kv")
        )
        self.head = self.width // self.heads
        assert HEAD == 2 * self.head and HEADS // KV_HEADS >= self.heads // self.kv_heads, "heads that fit into the wide ones"
        self.random = np.random.default_rng(SEED)

    def value(self, key: str):
        return self.demo.fields[key].contents()

    def matrices(self, layer: int):
        """Names, and wide matrices."""
        width, hidden, plain = np.arange(self.width), np.arange(self.hidden), np.arange(self.head)
        # GGUF's rotary order is of pairs; a head twice as wide turns every second pair as the demo model turns each.
        pairs = (4 * np.arange(self.head // 2)[:, None] + np.arange(2)).reshape(-1)
        queries, keys = self.rows_of_heads(self.heads, pairs), self.rows_of_heads(self.kv_heads, pairs)
        values, attended = self.rows_of_heads(self.kv_heads, plain), self.rows_of_heads(self.heads, plain)
        # Scores are divided by the square root of a head's width.
        yield self.matrix(layer, "attn_q", (HEADS * HEAD, WIDTH), queries, width, only=True, scale=(HEAD / self.head) ** 0.5)
        yield self.matrix(layer, "attn_k", (KV_HEADS * HEAD, WIDTH), keys, width)
        yield self.matrix(layer, "attn_v", (KV_HEADS * HEAD, WIDTH), values, width)
        yield self.matrix(layer, "attn_output", (WIDTH, HEADS * HEAD), width, attended, only=True)
        yield self.matrix(layer, "ffn_gate", (HIDDEN, WIDTH), hidden, width)
        yield self.matrix(layer, "ffn_up", (HIDDEN, WIDTH), hidden, width)
        yield self.matrix(layer, "ffn_down", (WIDTH, HIDDEN), width, hidden, only=True)

    def rows_of_heads(self, heads: int, rows: np.ndarray) -> np.ndarray:
        """Where `rows` of each of the demo model's heads are in the wide matrix. Heads that share keys go on sharing them."""
        group = heads // self.kv_heads
        wide_group = HEADS // KV_HEADS if heads == self.heads else 1
        places = [head // group * wide_group + head % group for head in range(heads)]
        return np.concatenate([place * HEAD + rows for place in places])

    def matrix(self, layer, name, shape, rows, columns, only=False, scale=1.0):
        """`only`: what the demo model lacks must not be random, as its own part would see it."""
        wide = np.zeros(shape, np.float32) if only else self.random.normal(0, 0.02, shape).astype(np.float32)
        if layer < self.layers:
            wide[np.ix_(rows, columns)] = self.tensors[f"blk.{layer}.{name}.weight"] * scale
        return f"blk.{layer}.{name}.weight", wide

    def norm(self, name: str) -> np.ndarray:
        """The mean is of more numbers, most of them zeros."""
        wide = np.ones(WIDTH, np.float32)
        if name in self.tensors:
            wide[: self.width] = self.tensors[name] * (self.width / WIDTH) ** 0.5
        return wide

    def embedding(self) -> np.ndarray:
        """Further tokens have a logit of 0, and no text."""
        own = self.tensors["token_embd.weight"]
        wide = np.zeros((VOCABULARY, WIDTH), np.float32)
        wide[: len(own), : self.width] = own
        return wide


def write_metadata(writer: gguf.GGUFWriter, model: Widened) -> None:
    for key, field in model.demo.fields.items():
        if key.startswith("GGUF.") or key == "general.architecture":
            continue
        value, kind = model.value(key), field.types[0]
        element = field.types[-1] if kind == gguf.GGUFValueType.ARRAY else None
        if key == "tokenizer.ggml.tokens":
            value = value + [f"<unused {id}>" for id in range(len(value), VOCABULARY)]
        elif key == "tokenizer.ggml.token_type":
            value = value + [int(gguf.TokenType.UNUSED)] * (VOCABULARY - len(value))
        elif key == "llama.attention.layer_norm_rms_epsilon":
            value = value * model.width / WIDTH
        writer.add_key_value(key, SHAPE.get(key, value), kind, element)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("demo")
    parser.add_argument("out")
    parser.add_argument("--type", choices=TYPES, default="q8_0", help="q4_0 changes the answers")
    args = parser.parse_args()
    kind = TYPES[args.type]
    model = Widened(args.demo)
    writer = gguf.GGUFWriter(args.out, "llama", use_temp_file=True)
    write_metadata(writer, model)

    def add(name: str, array: np.ndarray) -> None:
        if array.ndim == 2:
            writer.add_tensor(name, quantize(array, kind), raw_dtype=kind)
        else:
            writer.add_tensor(name, array)

    add("token_embd.weight", model.embedding())
    for layer in range(LAYERS):
        add(f"blk.{layer}.attn_norm.weight", model.norm(f"blk.{layer}.attn_norm.weight"))
        add(f"blk.{layer}.ffn_norm.weight", model.norm(f"blk.{layer}.ffn_norm.weight"))
        for name, matrix in model.matrices(layer):
            add(name, matrix)
    add("output_norm.weight", model.norm("output_norm.weight"))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


if __name__ == "__main__":
    main()
