"""A run folder as the trainer leaves it, with a tiny model that has learnt two word games.

English to German reverses the words, German to English repeats them.
"""

from __future__ import annotations

import functools
import json
import random
import shutil
import tempfile
from pathlib import Path
from typing import Any

import safetensors.torch
import sentencepiece
import torch
from torch.nn import functional

from mltranslate.decode import Decoder
from mltranslate.decode.types import END, PAD
from mltranslate_export.build import PackPlan, build_pack
from mltranslate_export.calibrate import calibrate
from mltranslate_export.checkpoint import Checkpoint, load_run
from mltranslate_export.verify.pairs import by_direction, read_pairs
from mltranslate_train.model.transformer import Transformer, TransformerConfig

WORDS = ("ai", "bo", "cu", "di", "ef", "go", "hu", "ik", "lo", "mu")
TAGS = ("<mask>", "<2en>", "<2de>")
STEPS = 600
"""Enough for both games to be learnt wholly, whatever the CPU: int8 then has nothing to lose."""
LONGEST = 7


@functools.cache
def toy_run() -> Path:
    """Train once a process and give the run's folder."""
    torch.set_num_threads(1)
    run = Path(tempfile.mkdtemp(prefix="toy-run-"))
    (run / "best").mkdir()
    _train_vocabulary(run)
    processor = sentencepiece.SentencePieceProcessor(model_file=str(run / "vocabulary.model"))
    shape: dict[str, Any] = {
        "vocabulary_size": processor.get_piece_size(), "d_model": 64, "heads": 4, "ffn": 128,
        "encoder_layers": 2, "decoder_layers": 2, "dropout": 0.0, "max_length": 48,
    }  # fmt: skip
    with torch.random.fork_rng():
        torch.manual_seed(1)
        model = _train(Transformer(TransformerConfig(**shape)), processor)
    write_run(run, model, shape)
    _write_pairs(run)
    return run


@functools.cache
def toy_pack() -> Path:
    """Export the toy run once a process, fp32 and int8, without verification."""
    folder = Path(tempfile.mkdtemp(prefix="toy-pack-"))
    plan = PackPlan(name="toy", version="0.1.0", licence="CC0-1.0", precisions=("fp32", "int8"))
    checkpoint = load_run(toy_run())
    groups = by_direction(read_pairs(toy_run() / "pairs.tsv"), checkpoint.directions)
    build_pack(checkpoint, folder, plan, ranges=calibrate(checkpoint, groups))
    return folder


def untrained_run(folder: Path, *, max_length: int) -> Path:
    """Write a run whose model is random: it hardly ever produces the end mark."""
    torch.manual_seed(5)
    shape: dict[str, Any] = {
        "vocabulary_size": 288, "d_model": 32, "heads": 2, "ffn": 32, "encoder_layers": 1,
        "decoder_layers": 1, "dropout": 0.0, "max_length": max_length,
    }  # fmt: skip
    (folder / "best").mkdir()
    shutil.copyfile(toy_run() / "vocabulary.model", folder / "vocabulary.model")
    write_run(folder, Transformer(TransformerConfig(**shape)), shape)
    return folder


def untrained_decoder(folder: Path) -> tuple[Checkpoint, Decoder]:
    """A model with random weights as the exporter reads it, and its fp32 pack behind a decoder."""
    (folder / "run").mkdir()
    checkpoint = load_run(untrained_run(folder / "run", max_length=40))
    plan = PackPlan(name="wild", version="0.0.1", licence="CC0-1.0", precisions=("fp32",))
    pack = build_pack(checkpoint, folder, plan, ranges={})
    return checkpoint, Decoder(pack, device="cpu", precision="fp32", threads=1)


def write_run(run: Path, model: Transformer, shape: dict[str, Any]) -> None:
    """Write the best checkpoint of a run."""
    safetensors.torch.save_file(model.state_dict(), run / "best" / "model.safetensors")
    about = {
        "architecture": "transformer", "model": shape, "languages": ["en", "de"],
        "directions": [["en", "de"], ["de", "en"]], "step": STEPS, "target_tokens": 1,
        "dev_chrf": {}, "sources": [{"name": "toy", "licence": "CC0-1.0", "pairs": 1}],
    }  # fmt: skip
    (run / "best" / "model.json").write_text(json.dumps(about), "utf-8")


def game(generator: random.Random, target: str) -> tuple[str, str]:
    """One sentence and its translation into `target`."""
    words = [generator.choice(WORDS) for _ in range(generator.randint(1, LONGEST))]
    answer = words[::-1] if target == "de" else words
    return " ".join(words), " ".join(answer)


def _train_vocabulary(run: Path) -> None:
    generator = random.Random(1)
    sentences = [game(generator, "en")[0] for _ in range(300)]
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(sentences), model_prefix=str(run / "vocabulary"), vocab_size=300,
        pad_id=0, unk_id=1, bos_id=2, eos_id=3, control_symbols=",".join(TAGS),
        byte_fallback=True, normalization_rule_name="identity", hard_vocab_limit=False,
        minloglevel=2,
    )  # fmt: skip


def _train(model: Transformer, processor: sentencepiece.SentencePieceProcessor) -> Transformer:
    generator = random.Random(2)
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 3e-3, total_steps=STEPS)
    for _ in range(STEPS):
        source, target = _batch(generator, processor)
        mask = (source != PAD)[:, None, None, :]
        states = model(source, target[:, :-1], mask)
        loss = functional.cross_entropy(
            model.logits(states).flatten(0, 1), target[:, 1:].flatten(), ignore_index=PAD
        )
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    return model.eval()


def _batch(
    generator: random.Random, processor: sentencepiece.SentencePieceProcessor
) -> tuple[torch.Tensor, torch.Tensor]:
    sources, targets = [], []
    for _ in range(64):
        language = generator.choice(("en", "de"))
        text, answer = game(generator, language)
        tag = processor.piece_to_id(f"<2{language}>")
        sources.append(torch.tensor([tag, *processor.encode(text), END]))
        targets.append(torch.tensor([tag, *processor.encode(answer), END]))
    pad = functools.partial(torch.nn.utils.rnn.pad_sequence, batch_first=True, padding_value=PAD)
    return pad(sources), pad(targets)


def _write_pairs(run: Path) -> None:
    generator = random.Random(3)
    games = [game(generator, "de") for _ in range(60)]
    rows = [f"en\tde\t{text}\t{answer}" for text, answer in games]
    rows += [f"de\ten\t{text}\t{text}" for text, _ in games]
    (run / "pairs.tsv").write_text("\n".join(rows) + "\n", "utf-8")
