"""Times Sotto beside whisper.cpp and faster-whisper on the same recordings, in alternating runs. Usage: race.py SOTTO MODELS

SOTTO is the command line program, built with --release. MODELS is the folder that `cargo xtask real-models` prints. Needs numpy, pywhispercpp and
faster-whisper (`race-requirements.txt`). Every program uses two threads and decodes greedily; the time to load a model is not counted.
"""

import argparse
import json
import statistics
import subprocess
import tempfile
import time
import wave
from collections.abc import Callable
from pathlib import Path

import numpy as np
from faster_whisper import WhisperModel
from pywhispercpp.model import Model

RATE = 16_000
THREADS = 2


def read(path: Path) -> np.ndarray:
    with wave.open(str(path)) as file:
        samples = np.frombuffer(file.readframes(file.getnframes()), np.int16).reshape(-1, file.getnchannels())
        step = file.getframerate() / RATE
    mono = samples.mean(axis=1) / 32768
    return np.interp(np.arange(0, len(mono), step), np.arange(len(mono)), mono).astype(np.float32)


def write(path: Path, samples: np.ndarray) -> None:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes((np.clip(samples, -1, 1) * 32767).astype(np.int16).tobytes())


def recordings(models: Path) -> dict[str, np.ndarray]:
    """A sentence, half a minute and ten minutes of LibriVox sentences and a meeting."""
    pause = np.zeros(int(0.7 * RATE), np.float32)
    sentences = [read(path) for path in sorted(models.glob("librivox-*.wav"))]
    speech = np.concatenate([part for sentence in sentences for part in (sentence, pause)])
    unit = np.concatenate([speech, read(models / "meeting.wav"), pause])
    half_a_minute = np.concatenate([speech, sentences[1], sentences[0]])[: int(29.9 * RATE)]
    return {"sentence": sentences[2], "30 s": half_a_minute, "10 min": np.resize(unit, 600 * RATE)}


def faster_whisper(models: Path, folder: Path) -> WhisperModel:
    """Its base model, with the vocabulary and the alignment heads that the folder of the models does not have."""
    for file in (models / "whisper-base.ct2").iterdir():
        (folder / file.name).symlink_to(file)
    tokenizer = json.loads((folder / "tokenizer.json").read_text())
    ids = dict(tokenizer["model"]["vocab"]) | {token["content"]: token["id"] for token in tokenizer["added_tokens"]}
    tokens = {place: token for token, place in ids.items()}
    vocabulary = [tokens.get(place, f"<|unused{place}|>") for place in range(51_865)]
    (folder / "vocabulary.json").write_text(json.dumps(vocabulary))
    heads = [[3, 1], [4, 2], [4, 3], [4, 7], [5, 1], [5, 2], [5, 4], [5, 6]]
    settings = {"alignment_heads": heads, "lang_ids": [*range(50_259, 50_358)], "suppress_ids": [], "suppress_ids_begin": [220, 50_257]}
    (folder / "config.json").write_text(json.dumps(settings))
    return WhisperModel(str(folder), device="cpu", compute_type="int8", cpu_threads=THREADS)


def timed(work: Callable[[], object]) -> float:
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sotto")
    parser.add_argument("models", type=Path)
    parser.add_argument("--rounds", type=int, default=5, help="of the ten minutes: two")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        whisper_cpp = Model(str(options.models / "ggml-base-q5_1.bin"), n_threads=THREADS, print_progress=False, print_realtime=False)
        faster = faster_whisper(options.models, Path(folder))

        def sotto(file: str) -> float:
            model = ["--model", str(options.models / file), "--threads", str(THREADS)]
            command = [options.sotto, "transcribe", f"{folder}/recording.wav", *model, "--json"]
            output = subprocess.run(command, capture_output=True, check=True, text=True).stdout
            return json.loads(output)["metrics"]["seconds"]

        for name, samples in recordings(options.models).items():
            write(Path(folder) / "recording.wav", samples)
            programs: list[tuple[str, Callable[[], float]]] = [
                ("Sotto, Q5_1", lambda: sotto("ggml-base-q5_1.bin")),
                ("whisper.cpp, Q5_1", lambda: timed(lambda: whisper_cpp.transcribe(samples, language="en"))),
                ("Sotto, F16", lambda: sotto("ggml-base.bin")),
                ("faster-whisper, int8", lambda: timed(lambda: list(faster.transcribe(samples, language="en", beam_size=1)[0]))),
            ]
            times: dict[str, list[float]] = {program: [] for program, _ in programs}
            for turn in range(2 if name == "10 min" else options.rounds):
                for program, run in programs if turn % 2 == 0 else reversed(programs):
                    times[program].append(run())
            for program, seconds in times.items():
                print(f"{name}: {program}: median {statistics.median(seconds):.2f} s of {sorted(round(second, 2) for second in seconds)}", flush=True)


if __name__ == "__main__":
    main()
