"""What each family has of its own: transformers' classes, the names of its tensors, the keys of its files."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import transformers
from cases import Case
from gguf import GGUFWriter, RopeScalingType

# transformers' name of each tensor of a layer, by its name in GGUF.
LAYER_TENSORS = {
    "attn_norm.weight": "input_layernorm.weight",
    "attn_q.weight": "self_attn.q_proj.weight",
    "attn_k.weight": "self_attn.k_proj.weight",
    "attn_v.weight": "self_attn.v_proj.weight",
    "attn_q.bias": "self_attn.q_proj.bias",
    "attn_k.bias": "self_attn.k_proj.bias",
    "attn_v.bias": "self_attn.v_proj.bias",
    "attn_q_norm.weight": "self_attn.q_norm.weight",
    "attn_k_norm.weight": "self_attn.k_norm.weight",
    "attn_output.weight": "self_attn.o_proj.weight",
    "ffn_norm.weight": "post_attention_layernorm.weight",
    "ffn_gate.weight": "mlp.gate_proj.weight",
    "ffn_up.weight": "mlp.up_proj.weight",
    "ffn_down.weight": "mlp.down_proj.weight",
}
GEMMA_TENSORS = LAYER_TENSORS | {
    "post_attention_norm.weight": "post_attention_layernorm.weight",
    "ffn_norm.weight": "pre_feedforward_layernorm.weight",
    "post_ffw_norm.weight": "post_feedforward_layernorm.weight",
}
PHI_TENSORS = LAYER_TENSORS | {
    "attn_qkv.weight": "self_attn.qkv_proj.weight",
    "ffn_up.weight": "mlp.gate_up_proj.weight",
}
# Wider than any prompt: no window.
UNLIMITED = 1 << 20


@dataclass(frozen=True)
class Family:
    """A `general.architecture`."""

    config: type
    model: type
    # Adds the keys that convert_hf_to_gguf writes beside those that all families share.
    add_metadata: Callable[[Case, GGUFWriter], None]
    layer_tensors: dict[str, str] = field(default_factory=lambda: LAYER_TENSORS)
    # transformers' settings beside those that all families share.
    settings: Callable[[Case], dict] = lambda case: {}
    # What a norm multiplies with is this and its parameter in transformers; GGUF holds the sum.
    norm_offset: float = 0.0
    # What the model multiplies its embeddings with.
    embedding_scale: Callable[[Case], float] = lambda case: 1.0


def gemma_2_settings(case: Case) -> dict:
    return dict(
        query_pre_attn_scalar=case.head_dim,
        sliding_window=case.window or UNLIMITED,
        attn_logit_softcapping=case.score_cap,
        final_logit_softcapping=case.logit_cap,
        # The only one of transformers' implementations that knows caps.
        attn_implementation="eager",
    )


def gemma_3_settings(case: Case) -> dict:
    windowed = {"rope_type": "default", "rope_theta": 10000.0}
    return dict(
        query_pre_attn_scalar=case.head_dim,
        sliding_window=case.window or UNLIMITED,
        rope_parameters={"full_attention": case.rope_parameters(), "sliding_attention": windowed},
    )


def phi_3_settings(case: Case) -> dict:
    # Files name a window, which llama.cpp does not heed.
    return dict(original_max_position_embeddings=case.original_context, sliding_window=None)


def add_llama(case: Case, writer: GGUFWriter) -> None:
    writer.add_vocab_size(case.vocab)
    writer.add_rope_freq_base(case.rope_theta)
    writer.add_rope_dimension_count(case.head_dim)


def add_qwen_2(case: Case, writer: GGUFWriter) -> None:
    writer.add_rope_freq_base(case.rope_theta)
    if case.scaling == "yarn":
        writer.add_rope_scaling_type(RopeScalingType.YARN)
        writer.add_rope_scaling_factor(case.rope_parameters()["factor"])
        writer.add_rope_scaling_orig_ctx_len(case.original_context)


def add_qwen_3(case: Case, writer: GGUFWriter) -> None:
    add_qwen_2(case, writer)
    add_head_width(case, writer)


def add_gemma_2(case: Case, writer: GGUFWriter) -> None:
    add_head_width(case, writer)
    writer.add_attn_logit_softcapping(case.score_cap)
    writer.add_final_logit_softcapping(case.logit_cap)
    writer.add_sliding_window(case.window)


def add_gemma_3(case: Case, writer: GGUFWriter) -> None:
    if case.scaling == "linear":
        writer.add_rope_scaling_type(RopeScalingType.LINEAR)
        writer.add_rope_scaling_factor(case.rope_parameters()["factor"])
    writer.add_rope_freq_base(case.rope_theta)
    add_head_width(case, writer)
    writer.add_sliding_window(case.window)


def add_phi_3(case: Case, writer: GGUFWriter) -> None:
    writer.add_rope_scaling_orig_ctx_len(case.original_context)
    writer.add_rope_dimension_count(case.rope_dim or case.head_dim)
    writer.add_rope_freq_base(case.rope_theta)
    writer.add_sliding_window(8)
    if case.scaling == "longrope":
        stretch = case.context / case.original_context
        writer.add_rope_scaling_attn_factors(math.sqrt(1 + math.log(stretch) / math.log(case.original_context)))


def add_head_width(case: Case, writer: GGUFWriter) -> None:
    writer.add_key_length(case.head_dim)
    writer.add_value_length(case.head_dim)


FAMILIES = {
    "llama": Family(transformers.LlamaConfig, transformers.LlamaForCausalLM, add_llama),
    "qwen2": Family(transformers.Qwen2Config, transformers.Qwen2ForCausalLM, add_qwen_2),
    "qwen3": Family(transformers.Qwen3Config, transformers.Qwen3ForCausalLM, add_qwen_3),
    "gemma2": Family(
        transformers.Gemma2Config,
        transformers.Gemma2ForCausalLM,
        add_gemma_2,
        GEMMA_TENSORS,
        gemma_2_settings,
        norm_offset=1.0,
        embedding_scale=lambda case: math.sqrt(case.hidden),
    ),
    "gemma3": Family(
        transformers.Gemma3TextConfig,
        transformers.Gemma3ForCausalLM,
        add_gemma_3,
        GEMMA_TENSORS,
        gemma_3_settings,
        norm_offset=1.0,
        embedding_scale=lambda case: math.sqrt(case.hidden),
    ),
    "phi3": Family(transformers.Phi3Config, transformers.Phi3ForCausalLM, add_phi_3, PHI_TENSORS, phi_3_settings),
}
