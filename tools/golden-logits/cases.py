"""The small models whose logits are stored. Shapes are chosen for what they exercise, and to stay small."""

from dataclasses import dataclass

from gguf import GGMLQuantizationType as Type


@dataclass(frozen=True)
class Case:
    """One model file and the rows of logits stored for it."""

    name: str
    architecture: str = "llama"
    encoding: Type = Type.F32
    hidden: int = 64
    ffn: int = 64
    layers: int = 2
    heads: int = 4
    kv_heads: int = 2
    head_dim: int = 32
    vocab: int = 256
    tied: bool = True
    # How the file says that its rotary frequencies are scaled: None, "tensor" or "metadata".
    scaling: str | None = None
    # Positions before the stretching. Llama 3.2 has 8192; a short prompt feels the scaling only where this is short too.
    original_context: int = 64
    rope_theta: float = 500000.0
    # Deviation of queries and keys; scores have its square. At 1.7 attention looks at few positions and feels any fault in
    # them. It also magnifies rounding, so that quantized models, whose bounds are wide, have less of it.
    attention_gain: float = 1.7
    context: int = 131072
    tokens: int = 40
    rows: tuple[int, ...] = (0, 1, 7, 16, 31, 38, 39)
    seed: int = 1

    def rope_parameters(self, scaled: bool) -> dict:
        """transformers' parameters of the rotary embedding; all but the original context are Llama 3.2's."""
        if not (self.scaling and scaled):
            return {"rope_type": "default", "rope_theta": self.rope_theta}
        return {
            "rope_type": "llama3",
            "rope_theta": self.rope_theta,
            "factor": 32.0,
            "low_freq_factor": 1.0,
            "high_freq_factor": 4.0,
            "original_max_position_embeddings": self.original_context,
        }


QUANTIZED = dict(scaling="tensor", attention_gain=1.0, seed=5)
K_QUANTIZED = QUANTIZED | dict(hidden=256, ffn=256, layers=1, heads=8)
# Positions on both sides of the 8,192 that the frequencies were trained for.
LONG = dict(
    layers=1,
    heads=2,
    kv_heads=1,
    original_context=8192,
    tokens=8300,
    rows=(9, 2047, 4999, 8191, 8192, 8298, 8299),
    seed=4,
)

CASES = [
    Case("plain-gqa1-hd32-tied", heads=2, kv_heads=2, context=4096, seed=1),
    Case("tensor-gqa4-hd64-untied", hidden=32, heads=4, kv_heads=1, head_dim=64, tied=False, scaling="tensor", seed=2),
    Case("metadata-gqa8-hd128-tied", hidden=32, layers=1, heads=8, kv_heads=1, head_dim=128, scaling="metadata", seed=3),
    Case("tensor-gqa3-hd128-tied", hidden=96, ffn=32, layers=1, heads=3, kv_heads=1, head_dim=128, scaling="tensor", seed=9),
    Case("metadata-gqa2-hd64-untied", hidden=32, heads=4, kv_heads=2, head_dim=64, tied=False, scaling="metadata", seed=10),
    Case("long-tensor", scaling="tensor", **LONG),
    Case("long-metadata", scaling="metadata", **LONG),
    Case("f16", encoding=Type.F16, **QUANTIZED),
    Case("bf16", encoding=Type.BF16, **QUANTIZED),
    Case("q8_0", encoding=Type.Q8_0, **QUANTIZED),
    Case("q4_0", encoding=Type.Q4_0, **QUANTIZED),
    Case("q4_k", encoding=Type.Q4_K, **K_QUANTIZED),
    Case("q5_k", encoding=Type.Q5_K, **K_QUANTIZED),
    Case("q6_k", encoding=Type.Q6_K, **K_QUANTIZED),
    Case("qwen2", architecture="qwen2", hidden=32, heads=2, kv_heads=1, head_dim=16, rope_theta=1000000.0, context=4096, seed=7),
    Case("qwen3", architecture="qwen3", hidden=32, heads=2, kv_heads=1, rope_theta=1000000.0, context=4096, seed=8),
]


def token_ids(case: Case) -> list[int]:
    """The prompt: a linear congruential generator that the Rust test repeats."""
    ids, state = [], case.seed
    for _ in range(case.tokens):
        state = (state * 1664525 + 1013904223) % 2**32
        ids.append((state >> 16) % case.vocab)
    return ids
