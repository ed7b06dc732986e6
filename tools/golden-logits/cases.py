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
    # How rotary frequencies are scaled: as Llama 3's, said by a "tensor" or in "metadata"; "linear", "yarn" or "longrope".
    scaling: str | None = None
    # Positions before the stretching. Llama 3.2 has 8192; a short prompt feels the scaling only where this is short too.
    original_context: int = 64
    rope_theta: float = 500000.0
    # Deviation of queries and keys; scores have its square. At 1.7 attention looks at few positions and feels any fault in
    # them. It also magnifies rounding, so that quantized models, whose bounds are wide, have less of it.
    attention_gain: float = 1.7
    # Values of a head that turn with the position, where that is not all of them.
    rope_dim: int | None = None
    # Positions that windowed layers see. Windows and caps are so small that they matter in a small model.
    window: int | None = None
    score_cap: float | None = None
    logit_cap: float | None = None
    # Whether the file has the very keys that convert_hf_to_gguf writes for the family. The first files have more.
    as_converted: bool = False
    context: int = 131072
    tokens: int = 40
    rows: tuple[int, ...] = (0, 1, 7, 16, 31, 38, 39)
    seed: int = 1

    def rope_parameters(self) -> dict:
        """transformers' parameters of the rotary embedding. All of Llama 3's but the original context are Llama 3.2's."""
        turned = self.rope_dim or self.head_dim
        plain = {"rope_theta": self.rope_theta, "partial_rotary_factor": turned / self.head_dim}
        stretched = plain | {"original_max_position_embeddings": self.original_context}
        match self.scaling:
            case None:
                return plain | {"rope_type": "default"}
            case "tensor" | "metadata":
                factors = {"factor": 32.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0}
                return stretched | {"rope_type": "llama3"} | factors
            case "linear":
                return plain | {"rope_type": "linear", "factor": 8.0}
            case "yarn":
                return stretched | {"rope_type": "yarn", "factor": 4.0}
            case "longrope":
                short = [1.0 + pair / 8 for pair in range(turned // 2)]
                long = [1.0 + pair * pair / 4 for pair in range(turned // 2)]
                return stretched | {"rope_type": "longrope", "short_factor": short, "long_factor": long}


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

# What the families' files have in common: weights of 16 bits, and not many of them.
FAMILY = dict(encoding=Type.F16, heads=2, kv_heads=1, ffn=32, vocab=128, as_converted=True)
QWEN = FAMILY | dict(rope_theta=1000000.0, context=32768)
GEMMA = FAMILY | dict(hidden=32, context=8192, attention_gain=1.0)
GEMMA_2 = GEMMA | dict(architecture="gemma2", rope_theta=10000.0, score_cap=2.0, logit_cap=2.0)
GEMMA_3 = GEMMA | dict(architecture="gemma3", rope_theta=1000000.0)
PHI_3 = FAMILY | dict(architecture="phi3", rope_theta=10000.0, tied=False)
BEYOND_4096 = dict(tokens=4140, rows=(9, 2047, 4095, 4096, 4097, 4138, 4139))

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
    Case("llama-smol", **FAMILY | dict(hidden=128, head_dim=64, layers=1, rope_theta=100000.0, context=8192, seed=11)),
    Case("qwen2-small", **QWEN | dict(architecture="qwen2", seed=12)),
    Case("qwen2-yarn", **QWEN | dict(architecture="qwen2", scaling="yarn", original_context=16, context=64, seed=13)),
    Case("qwen3-small", **QWEN | dict(architecture="qwen3", hidden=32, seed=14)),
    Case("gemma2", **GEMMA_2 | dict(layers=3, window=8, seed=15)),
    Case("gemma2-hd256", **GEMMA_2 | dict(head_dim=256, window=24, seed=16)),
    Case("gemma2-long", **GEMMA_2 | dict(window=4096, seed=17) | BEYOND_4096),
    Case("gemma3", **GEMMA_3 | dict(layers=7, window=8, seed=18)),
    Case("gemma3-linear", **GEMMA_3 | dict(layers=6, window=16, scaling="linear", seed=19)),
    Case("phi3", **PHI_3 | dict(context=4096, original_context=4096, seed=20)),
    Case("phi3-short", **PHI_3 | dict(scaling="longrope", original_context=64, context=128, seed=21)),
    Case(
        "phi3-long",
        **PHI_3 | dict(scaling="longrope", original_context=64, context=128, rope_dim=24, seed=22),
        tokens=100,
        rows=(0, 1, 31, 63, 64, 98, 99),
    ),
    Case("phi3-128k", **PHI_3 | dict(scaling="longrope", original_context=4096, layers=1, seed=23) | BEYOND_4096),
]


def token_ids(case: Case) -> list[int]:
    """The prompt: a linear congruential generator that the Rust test repeats."""
    ids, state = [], case.seed
    for _ in range(case.tokens):
        state = (state * 1664525 + 1013904223) % 2**32
        ids.append((state >> 16) % case.vocab)
    return ids
