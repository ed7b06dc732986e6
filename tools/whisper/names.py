"""What Hugging Face calls the tensors of a Whisper model."""

NAMES = [
    ("mlp.0.", "fc1."), ("mlp.2.", "fc2."), ("mlp_ln.", "final_layer_norm."),
    ("cross_attn_ln.", "encoder_attn_layer_norm."), ("cross_attn.", "encoder_attn."),
    (".attn_ln.", ".self_attn_layer_norm."), (".attn.", ".self_attn."),
    (".query.", ".q_proj."), (".key.", ".k_proj."), (".value.", ".v_proj."), (".out.", ".out_proj."),
    (".blocks.", ".layers."), ("encoder.ln_post.", "encoder.layer_norm."), ("decoder.ln.", "decoder.layer_norm."),
    ("positional_embedding", "embed_positions.weight"), ("token_embedding.", "embed_tokens."),
]


def hugging_face_name(name: str) -> str:
    for openai, theirs in NAMES:
        name = name.replace(openai, theirs)
    return f"model.{name}"
