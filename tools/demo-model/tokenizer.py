"""The byte-level BPE tokenizer, and chat messages as token ids."""

from collections.abc import Iterable

from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

CONTROL = ["<|begin|>", "<|end|>", "<|system|>", "<|user|>", "<|assistant|>", "<|pad|>"]
LLAMA3 = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
TEMPLATE = ("{{- bos_token }}{%- for m in messages %}{{- '<|' + m['role'] + '|>' + (m['content'] | trim) + '<|end|>' }}{%- endfor %}"
            "{%- if add_generation_prompt %}{{- '<|assistant|>' }}{%- endif %}")


def train(texts: Iterable[str], vocab: int) -> Tokenizer:
    """A tokenizer of `vocab` entries: bytes, merges, and the control tokens last (never found in text)."""
    tokenizer = Tokenizer(models.BPE(ignore_merges=True))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(LLAMA3), "isolated"), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(vocab_size=vocab - len(CONTROL), initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()), show_progress=False)
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer


class Coder:
    """Encodes messages the way the SDK does: text between control tokens on its own."""

    def __init__(self, path: str) -> None:
        self.tokenizer = Tokenizer.from_file(path)
        base = self.tokenizer.get_vocab_size()
        self.control = {name: base + i for i, name in enumerate(CONTROL)}
        self.vocab = base + len(CONTROL)
        self.end = self.control["<|end|>"]

    def text(self, text: str) -> list[int]:
        return self.tokenizer.encode(text, add_special_tokens=False).ids

    def sample(self, messages: list[tuple[str, str]]) -> tuple[list[int], list[int]]:
        """Token ids, and 1 for each that the model has to write."""
        ids, wanted = [self.control["<|begin|>"]], [0]
        for role, content in messages:
            body = self.text(content if role == "assistant" else content.strip()) + [self.end]
            ids += [self.control[f"<|{role}|>"]] + body
            wanted += [0] + [int(role == "assistant")] * len(body)
        return ids, wanted

    def prompt(self, messages: list[tuple[str, str]]) -> list[int]:
        return self.sample(messages)[0] + [self.control["<|assistant|>"]]
