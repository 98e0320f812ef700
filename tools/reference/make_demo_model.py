"""Makes the demo's tiny Llama and its data, and measures the base model.

Usage: python make_demo_model.py onnx-artifacts/demo [--threads 1]

Writes model/ (a Hugging Face folder) and train.jsonl, eval.jsonl, retention.jsonl. Everything follows from the seed; another
machine may round differently and give slightly other weights.
"""

import argparse
import json
import pathlib
import random
import time

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import LlamaConfig, LlamaForCausalLM

from demo_training import Encoder, learning_rate, loss_of, padded, right_share
from demo_village import Row, Village

SEED = 7
TRAIN_ROWS, EVAL_ROWS, RETENTION_ROWS = 320, 40, 40
VOCABULARY = 512
END, PAD = "<|end|>", "<|pad|>"
STEPS, BATCH, PEAK_LEARNING_RATE = 600, 64, 3e-3
CHAT_TEMPLATE = (
    "{% for message in messages %}{% if message['role'] == 'assistant' %}{{ ' ' + message['content'] + '<|end|>' }}"
    "{% else %}{{ message['content'] }}{% endif %}{% endfor %}"
)


def tokenizer_of(rows: list[Row]) -> Tokenizer:
    """A byte-level BPE tokenizer learnt from the rows."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        special_tokens=[END, PAD],
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator((row.prompt + row.completion for row in rows), trainer)
    return tokenizer


def configuration() -> LlamaConfig:
    """The shape of the model."""
    return LlamaConfig(
        vocab_size=VOCABULARY,
        hidden_size=128,
        intermediate_size=320,
        num_hidden_layers=3,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=128,
        rms_norm_eps=1e-5,
        tie_word_embeddings=True,
        bos_token_id=None,
        eos_token_id=0,
        pad_token_id=1,
    )


def pretrained(rows: list[Row], encoder: Encoder) -> LlamaForCausalLM:
    """A model that learnt every row, prompt and completion alike."""
    torch.manual_seed(SEED)
    model = LlamaForCausalLM(configuration())
    optimizer = torch.optim.AdamW(model.parameters(), lr=PEAK_LEARNING_RATE, betas=(0.9, 0.98), weight_decay=0.05)
    encoded = [encoder.encode(row, whole=True) for row in rows]
    draw = random.Random(SEED)
    for step in range(STEPS):
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(step, STEPS, PEAK_LEARNING_RATE, 0.05, "cosine")
        loss = loss_of(model, padded(draw.sample(encoded, BATCH)))
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        if step % 100 == 0 or step == STEPS - 1:
            print(f"step {step} loss {loss.item():.4f}", flush=True)
    return model


def write_model(folder: pathlib.Path, model: LlamaForCausalLM, tokenizer: Tokenizer) -> None:
    """The Hugging Face folder, weights in bfloat16."""
    folder.mkdir(parents=True, exist_ok=True)
    model.to(torch.bfloat16).save_pretrained(folder)
    tokenizer.save(str(folder / "tokenizer.json"))
    settings = {
        "tokenizer_class": "GPT2Tokenizer",
        "add_prefix_space": False,
        "clean_up_tokenization_spaces": False,
        "model_max_length": 128,
        "bos_token": None,
        "eos_token": END,
        "pad_token": PAD,
        "chat_template": CHAT_TEMPLATE,
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(settings, indent=2) + "\n")
    generation = {"do_sample": False, "eos_token_id": 0, "pad_token_id": 1, "max_length": 128}
    (folder / "generation_config.json").write_text(json.dumps(generation, indent=2) + "\n")


def write_rows(path: pathlib.Path, rows: list[Row]) -> None:
    """JSON lines."""
    path.write_text("".join(json.dumps(row.as_json()) + "\n" for row in rows))


def main() -> None:
    """Makes everything."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    village = Village(SEED)
    draw = random.Random(SEED)
    kept = village.one_fact()
    taught = draw.sample(village.introductions(), TRAIN_ROWS + EVAL_ROWS)
    train, held_out = taught[:TRAIN_ROWS], taught[TRAIN_ROWS:]
    tokenizer = tokenizer_of(kept + train)
    encoder = Encoder(tokenizer)
    started = time.monotonic()
    model = pretrained(kept, encoder)
    print(f"trained in {time.monotonic() - started:.0f} s, {sum(p.numel() for p in model.parameters())} parameters")
    arguments.folder.mkdir(parents=True, exist_ok=True)
    write_model(arguments.folder / "model", model, tokenizer)
    write_rows(arguments.folder / "train.jsonl", train)
    write_rows(arguments.folder / "eval.jsonl", held_out)
    write_rows(arguments.folder / "retention.jsonl", draw.sample(kept, RETENTION_ROWS))
    print(f"kept {right_share(model.float(), encoder, kept):.3f}, taught {right_share(model, encoder, held_out):.3f}")


if __name__ == "__main__":
    main()
