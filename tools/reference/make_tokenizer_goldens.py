"""Makes token ids with tokenizers that share no code with the one under test.

Needs: pip install -r requirements-data.txt
Usage: python make_tokenizer_goldens.py java/src/test/resources/golden/data [SmolLM2.gguf]

Byte-level tokenizers are cut by the `regex` module and merged by the few lines below; the SentencePiece tokenizer is trained and run by
`sentencepiece` itself. Each golden holds the metadata that a GGUF file of that tokenizer would hold, and texts with their ids. For the
GGUF file, whose vocabulary is too large to commit, only texts and ids are written.
"""

import collections
import io
import itertools
import json
import pathlib
import sys

import regex
import sentencepiece
from gguf import GGUFReader

GPT2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
LLAMA3 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
QWEN2 = LLAMA3.replace(r"\p{N}{1,3}", r"\p{N}")
# As llama.cpp has it; the model's own tokenizer.json says the same with general categories.
TEKKEN = (
    r"[^\r\n\p{L}\p{N}]?((?=[\p{L}])([^a-z]))*((?=[\p{L}])([^A-Z]))+|[^\r\n\p{L}\p{N}]?((?=[\p{L}])([^a-z]))+((?=[\p{L}])([^A-Z]))*"
    r"|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
PRE_TOKENIZERS = {
    "default": [r"[\p{P}\$\+<=>\^~\|]+", GPT2.removesuffix(r"|\s+"), r"\p{N}+", r"[0-9][0-9][0-9]"],
    "gpt-2": [GPT2],
    "llama-bpe": [LLAMA3],
    "qwen2": [QWEN2],
    "smollm": [r"\p{N}", GPT2],
    "tekken": [TEKKEN],
}
IGNORES_MERGES = {"llama-bpe", "tekken"}

TEXTS = [
    "",
    "a",
    " ",
    "Hello, world!",
    "  two  spaces   and\ttabs\t\tand trailing ",
    "line one\nline two\r\n\r\n\n  indented\n",
    "In 2024, 1234567 people paid $12.50 (or 3,000 kr); 50% said they're happy, I'LL say it's WE'D.",
    "def add(a: int, b: int) -> int:\n    return a + b  # sum\n\n\nclass A:\n\tpass\n",
    "Zażółć gęślą jaźń; Ünïcödé “quotes” — dashes… naïve café",
    "日本語のテキスト、中文文本。한국어 텍스트",
    "Привет, мир! Γειά σου Κόσμε. مرحبا بالعالم ١٢٣ ४५६",  # noqa: RUF001
    "emoji 😀👩‍👩‍👧‍👦🏳️‍🌈 and symbols ∑∫√≤≥",
    "x² + y² = z², ½ Ⅷ ①",
    "<|im_start|>user\nWhat is 12+30?<|im_end|>\n<|im_start|>assistant\n42<|im_end|>",
    "no<|endoftext|>space <|im_end|> around",
    "almost special: <|im_end| >, <im_end>, <s>, </s>, <unk>",
    "null \u0000 and control \u0007\u001b characters\u00a0no-break\u3000ideographic",
    "The number of each Canned Cherries's Chicken equals 3. How many Ingredient does Canned Cherries have?",
    "Define Canned Cherries's Chicken as A; so A = 3. n = A + 17 = 3 + 17 = 20.",
    "CamelCaseWords HTTPServer iPhone McDonald XMLHttpRequest2 snake_case_name /path/to/file.txt\n/",
    "!!!???...,,,;;; ((([[[{{{}}}]]])))\n\n\n",
    "e\u0301 combining versus \u00e9 composed \ufeff mark",
]
CORPUS = "\n".join(TEXTS) + (
    "\nThe quick brown fox jumps over the lazy dog. It was the best of times, it was the worst of times. "
    "The number of each one equals 12 more than the sum of the others. How many are there? "
    "There are 17 of them, and the answer is 42. Hello there, hello world, hello you. "
) * 3


def byte_letters() -> dict[int, str]:
    """GPT-2's printable stand-in for every byte."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    letters = {byte: chr(byte) for byte in printable}
    for byte in range(256):
        letters.setdefault(byte, chr(256 + len(letters) - len(printable)))
    return letters


LETTERS = byte_letters()


def cut(text: str, patterns: list[str]) -> list[str]:
    """Applies each pattern to the pieces that the one before left; what no match covers stays as a piece."""
    pieces = [text]
    for pattern in patterns:
        finer = []
        for piece in pieces:
            end = 0
            for match in regex.finditer(pattern, piece):
                finer += [piece[end : match.start()], match.group()]
                end = match.end()
            finer.append(piece[end:])
        pieces = [piece for piece in finer if piece]
    return pieces


def merged(piece: str, ranks: dict[tuple[str, str], int]) -> list[str]:
    parts = [LETTERS[byte] for byte in piece.encode()]
    while len(parts) > 1:
        rank, at = min((ranks.get(pair, len(ranks)), index) for index, pair in enumerate(itertools.pairwise(parts)))
        if rank == len(ranks):
            break
        parts[at : at + 2] = [parts[at] + parts[at + 1]]
    return parts


def byte_level_ids(text: str, metadata: dict, pre: str) -> list[int]:
    tokens = metadata["tokenizer.ggml.tokens"]
    ids = {token: index for index, token in enumerate(tokens)}
    ranks = {tuple(merge.split(" ")): rank for rank, merge in enumerate(metadata["tokenizer.ggml.merges"])}
    special = [token for token, kind in zip(tokens, metadata["tokenizer.ggml.token_type"], strict=True) if kind in (3, 4)]
    by_length = "|".join(regex.escape(token) for token in sorted(special, key=len, reverse=True))
    result = []
    for part in regex.split(f"({by_length})", text):
        if part in special:
            result.append(ids[part])
            continue
        for piece in cut(part, PRE_TOKENIZERS[pre]):
            whole = "".join(LETTERS[byte] for byte in piece.encode())
            words = [whole] if pre in IGNORES_MERGES and whole in ids else merged(piece, ranks)
            result += [ids[word] for word in words]
    return result


def small_byte_level(merge_count: int) -> dict:
    """A tokenizer trained on the corpus by counting pairs, as GGUF metadata."""
    words = collections.Counter(cut(CORPUS, [GPT2]))
    split = {word: [LETTERS[byte] for byte in word.encode()] for word in words}
    merges = []
    for _ in range(merge_count):
        pairs = collections.Counter()
        for word, count in words.items():
            for pair in itertools.pairwise(split[word]):
                pairs[pair] += count
        best = min(pairs, key=lambda pair: (-pairs[pair], pair))
        merges.append(best)
        ranks = {merge: rank for rank, merge in enumerate(merges)}
        split = {word: merged(word, ranks) for word in words}
    special = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    tokens = special + [LETTERS[byte] for byte in range(256)] + ["".join(merge) for merge in merges] + ["<user_defined>"]
    return {
        "tokenizer.ggml.model": "gpt2",
        "tokenizer.ggml.tokens": tokens,
        "tokenizer.ggml.token_type": [3] * 3 + [1] * (len(tokens) - 4) + [4],
        "tokenizer.ggml.merges": [" ".join(merge) for merge in merges],
        "tokenizer.ggml.bos_token_id": 1,
        "tokenizer.ggml.eos_token_id": 2,
        "tokenizer.ggml.padding_token_id": 0,
        "tokenizer.ggml.add_bos_token": False,
    }


def sentence_piece() -> dict:
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(CORPUS.split("\n")),
        model_writer=model,
        model_type="bpe",
        vocab_size=620,
        byte_fallback=True,
        normalization_rule_name="identity",
        remove_extra_whitespaces=False,
        split_digits=True,
        character_coverage=0.98,
        allow_whitespace_only_pieces=True,
        minloglevel=2,
    )
    processor = sentencepiece.SentencePieceProcessor(model_proto=model.getvalue())
    size = processor.vocab_size()
    kinds = [6 if processor.is_byte(i) else 2 if processor.is_unknown(i) else 3 if processor.is_control(i) else 1 for i in range(size)]
    # The special pieces are text to SentencePiece and ids to everyone else, so texts that hold them prove nothing here.
    texts = [text for text in TEXTS if not regex.search(r"</?s>|<unk>", text) and "\u0000" not in text]
    return {
        "metadata": {
            "tokenizer.ggml.model": "llama",
            "tokenizer.ggml.tokens": [processor.id_to_piece(i) for i in range(size)],
            "tokenizer.ggml.scores": [processor.get_score(i) for i in range(size)],
            "tokenizer.ggml.token_type": kinds,
            "tokenizer.ggml.unknown_token_id": 0,
            "tokenizer.ggml.bos_token_id": 1,
            "tokenizer.ggml.eos_token_id": 2,
        },
        "texts": [{"text": text, "ids": processor.encode(text)} for text in texts],
    }


def write(folder: pathlib.Path, name: str, golden: dict) -> None:
    with (folder / name).open("w", encoding="utf-8") as file:
        json.dump(golden, file, ensure_ascii=True, separators=(",", ":"))
        file.write("\n")


def main() -> None:
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    small = small_byte_level(300)
    ids = {pre: [byte_level_ids(text, small, pre) for text in TEXTS] for pre in PRE_TOKENIZERS}
    write(folder, "byte-level-tokenizer.json", {"metadata": small, "texts": TEXTS, "ids": ids})
    write(folder, "sentencepiece-tokenizer.json", sentence_piece())
    if len(sys.argv) > 2:
        metadata = {key: field.contents() for key, field in GGUFReader(sys.argv[2]).fields.items() if key.startswith("tokenizer.ggml")}
        golden = [{"text": text, "ids": byte_level_ids(text, metadata, metadata["tokenizer.ggml.pre"])} for text in TEXTS]
        write(folder, "smollm2-tokens.json", {"texts": golden})


if __name__ == "__main__":
    main()
