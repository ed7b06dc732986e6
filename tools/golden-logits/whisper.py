"""What PyTorch makes of Whisper models, for `core/speech/src/golden.rs`.

    pip install -r requirements.txt
    python whisper.py REAL_MODELS

REAL_MODELS is the folder that `cargo xtask real-models` prints. The small models have numbers that follow from their names and places, so
that the test can make them too. Transformers computes the spectrogram in 64 bits and the model in 32.
"""

import json
import sys
import wave
from dataclasses import dataclass
from pathlib import Path
from zlib import crc32

import numpy as np
import torch
from transformers import WhisperConfig, WhisperFeatureExtractor, WhisperForConditionalGeneration
from transformers.models.whisper.configuration_whisper import NON_SPEECH_TOKENS, NON_SPEECH_TOKENS_MULTI

sys.path.append(str(Path(__file__).parents[1] / "whisper"))
from names import hugging_face_name

GOLDEN = Path(__file__).parents[2] / "core/speech/tests/golden/whisper.json"
TEXT_POSITIONS = 32


@dataclass(frozen=True)
class Shape:
    vocabulary: int = 1864
    width: int = 64
    heads: int = 2
    encoder_layers: int = 2
    decoder_layers: int = 2
    bands: int = 80


# As in the test.
SHAPES = {
    "tiny.en": Shape(vocabulary=51864, width=384, heads=6),
    "small": Shape(width=768, heads=12, encoder_layers=1, decoder_layers=1),
    "distil-large-v3": Shape(vocabulary=51866, width=320, heads=5, encoder_layers=4, decoder_layers=2, bands=128),
}
TOKENS = [257, 72, 101, 300, 1800, 12]
# Each so many-th number is stored.
MEL_STEP, HEARD_STEP, LOGIT_STEP = 1009, 977, 37
REAL_TOKENS, REAL_STEP = [50258, 50259, 50359, 50364, 634], 503


def numbers(name: str, shape: tuple[int, ...]) -> np.ndarray:
    """Numbers from -1 to 1 that follow from a name and their places: splitmix64."""
    places = np.arange(1, int(np.prod(shape)) + 1, dtype=np.uint64)
    with np.errstate(over="ignore"):
        z = np.uint64(crc32(name.encode())) + places * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z = z ^ (z >> np.uint64(31))
    return ((z >> np.uint64(40)).astype(np.float64) / 2**23 - 1).astype(np.float32).reshape(shape)


def tensor_shapes(shape: Shape) -> dict[str, tuple[int, ...]]:
    """A model's tensors by OpenAI's names."""
    width = shape.width
    shapes = {
        "encoder.conv1.weight": (width, shape.bands, 3), "encoder.conv1.bias": (width,),
        "encoder.conv2.weight": (width, width, 3), "encoder.conv2.bias": (width,),
        "encoder.positional_embedding": (1500, width), "decoder.positional_embedding": (TEXT_POSITIONS, width),
        "decoder.token_embedding.weight": (shape.vocabulary, width),
    }

    def norm(name: str) -> None:
        shapes[f"{name}.weight"] = shapes[f"{name}.bias"] = (width,)

    def linear(name: str, outputs: int, inputs: int, bias: bool = True) -> None:
        shapes[f"{name}.weight"] = (outputs, inputs)
        if bias:
            shapes[f"{name}.bias"] = (outputs,)

    parts = ("encoder", shape.encoder_layers, ["attn"]), ("decoder", shape.decoder_layers, ["attn", "cross_attn"])
    for part, layers, attentions in parts:
        for layer in range(layers):
            block = f"{part}.blocks.{layer}"
            for attention in attentions:
                norm(f"{block}.{attention}_ln")
                for matrix in ("query", "key", "value", "out"):
                    linear(f"{block}.{attention}.{matrix}", width, width, matrix != "key")
            norm(f"{block}.mlp_ln")
            linear(f"{block}.mlp.0", 4 * width, width)
            linear(f"{block}.mlp.2", width, 4 * width)
    norm("encoder.ln_post")
    norm("decoder.ln")
    return shapes


def tensor(name: str, shape: tuple[int, ...]) -> torch.Tensor:
    values = numbers(name, shape)
    if ".ln" in name or "_ln." in name:
        values = values * np.float32(0.125) + np.float32(name.endswith("weight"))
    elif len(shape) > 1 and "positional" not in name:
        values = (values * np.float32(0.25)).astype(np.float16).astype(np.float32)
    else:
        values = values * np.float32(0.125)
    return torch.from_numpy(values)


def signal() -> np.ndarray:
    """Two seconds of a tone that rises, and of noise."""
    seconds = np.arange(32000) / 16000
    tone = 0.5 * np.sin(2 * np.pi * (200 + 700 * seconds) * seconds)
    return (tone + 0.05 * numbers("noise", (32000,))).astype(np.float32)


def every(values, step: int) -> list[float]:
    return [float(f"{value:.7g}") for value in np.asarray(values).reshape(-1)[::step]]


def load(shape: Shape) -> WhisperForConditionalGeneration:
    config = WhisperConfig(
        vocab_size=shape.vocabulary, d_model=shape.width, num_mel_bins=shape.bands, max_target_positions=TEXT_POSITIONS,
        encoder_layers=shape.encoder_layers, encoder_attention_heads=shape.heads, encoder_ffn_dim=4 * shape.width,
        decoder_layers=shape.decoder_layers, decoder_attention_heads=shape.heads, decoder_ffn_dim=4 * shape.width,
        pad_token_id=0, bos_token_id=0, eos_token_id=0, decoder_start_token_id=0, suppress_tokens=None, begin_suppress_tokens=None,
    )
    model = WhisperForConditionalGeneration(config).eval()
    weights = {hugging_face_name(name): tensor(name, dimensions) for name, dimensions in tensor_shapes(shape).items()}
    left_out = model.load_state_dict(weights, strict=False)
    assert not left_out.unexpected_keys and left_out.missing_keys == ["proj_out.weight"], left_out
    model.tie_weights()
    return model


def run(shape: Shape) -> tuple[torch.Tensor, ...]:
    """The spectrogram of the signal, `[bands, frames]`, what the encoder makes of it, and the logits after each token."""
    model = load(shape)
    mel = WhisperFeatureExtractor(feature_size=shape.bands)(signal(), sampling_rate=16000, return_tensors="pt").input_features
    with torch.no_grad():
        heard = model.model.encoder(mel).last_hidden_state
        logits = model(input_features=mel, decoder_input_ids=torch.tensor([TOKENS])).logits
    return mel[0], heard[0], logits[0]


def small() -> dict:
    mel, heard, logits = run(Shape())
    wide = WhisperFeatureExtractor(feature_size=128)(signal(), sampling_rate=16000, return_tensors="np").input_features
    # Frames after frames, as here.
    return {
        "mel": every(mel.T.numpy(), MEL_STEP), "mel_128": every(wide[0].T, MEL_STEP),
        "heard": every(heard.numpy(), HEARD_STEP), "tokens": TOKENS, "logits": every(logits.numpy(), LOGIT_STEP),
        "steps": [MEL_STEP, HEARD_STEP, LOGIT_STEP],
    }


def other(shape: Shape) -> dict:
    _, heard, logits = run(shape)
    steps = [heard.numel() // 200, logits.numel() // 300]
    return {"heard": every(heard.numpy(), steps[0]), "tokens": TOKENS, "logits": every(logits.numpy(), steps[1]), "steps": steps}


def not_speech() -> dict:
    """Text tokens that are never chosen, in the vocabularies of `.en` models and of others."""
    lists = ("english", NON_SPEECH_TOKENS, 50256), ("multilingual", NON_SPEECH_TOKENS_MULTI, 50257)
    return {name: sorted(token for token in tokens if token < end) for name, tokens, end in lists}


def real(folder: Path) -> dict:
    model = WhisperForConditionalGeneration.from_pretrained(folder / "whisper-base", dtype=torch.float32).eval()
    with wave.open(str(folder / "librivox-0880.wav")) as file:
        samples = np.frombuffer(file.readframes(file.getnframes()), np.int16).astype(np.float32) / 32768
    mel = WhisperFeatureExtractor(feature_size=80)(samples, sampling_rate=16000, return_tensors="pt").input_features
    with torch.no_grad():
        logits = model(input_features=mel, decoder_input_ids=torch.tensor([REAL_TOKENS])).logits
    return {"tokens": REAL_TOKENS, "logits": every(logits[0].numpy(), REAL_STEP), "step": REAL_STEP}


torch.set_num_threads(2)
shapes = {name: other(shape) for name, shape in SHAPES.items()}
golden = {"small": small(), "shapes": shapes, "not_speech": not_speech(), "real": real(Path(sys.argv[1]))}
GOLDEN.parent.mkdir(exist_ok=True)
GOLDEN.write_text(json.dumps(golden) + "\n")
