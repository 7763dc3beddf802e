"""Training speed of the real trainer, beside stock `torch.nn.Transformer` code of the same size.

    python bench/train_speed.py [--shape small|S|M] [--steps 60] [--threads N] [--precision auto]

Needs no corpus: ids are drawn by Zipf's law into a real shard, with lengths as sentences have
them. Windows of both trainers take turns over the very same batches, so that a busy machine slows
both alike; medians over the windows are printed. The baseline is plain fp32 with ordinary
cross-entropy. It gets our batches, bucketed by length: the ratio says nothing about batching.
Tokens are real target tokens, end marks included and padding not.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import re
import statistics
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "trainer")]

import numpy as np  # noqa: E402
import torch  # noqa: E402
from torch import Tensor, nn  # noqa: E402
from torch.nn import functional  # noqa: E402

from mltranslate_train.config import (  # noqa: E402
    DataConfig,
    ModelSection,
    Recipe,
    TrainConfig,
    VocabularyConfig,
)
from mltranslate_train.data.batches import Batch  # noqa: E402
from mltranslate_train.data.prepare import SHARDS, VOCABULARY_FILE  # noqa: E402
from mltranslate_train.data.shards import ShardWriter  # noqa: E402
from mltranslate_train.loop import Trainer  # noqa: E402
from mltranslate_train.optim import make_optimizer  # noqa: E402
from mltranslate_train.tokenizer import PAD, train_vocabulary  # noqa: E402

LANGUAGES = ("aa", "bb")
FIRST_WORD = 5 + len(LANGUAGES) + 256
"""Ids below are marks, tags and bytes."""
MEDIAN, SPREAD, LONGEST = 15, 0.6, 80
"""Lengths are log-normal, as those of everyday and news sentences together."""
WINDOWS = 10
WARM_UP = 12
"""Steps before the clock starts: matrix libraries compile a kernel for every new batch shape."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """Size of a model."""

    vocabulary: int
    d_model: int = 256
    heads: int = 8
    ffn: int = 1024
    encoder_layers: int = 6
    decoder_layers: int = 2


SHAPES = {
    "small": Shape(vocabulary=8000),
    "S": Shape(vocabulary=32000),
    "M": Shape(vocabulary=32000, d_model=512, ffn=2048),
}


@dataclass(frozen=True, slots=True)
class Window:
    """What both trainers did with the same few batches."""

    steps: int
    sources: int
    targets: int
    """Real tokens of the two sides."""
    seconds: float
    baseline_seconds: float


class Baseline:
    """What one writes with torch alone: `nn.Transformer`, tied embeddings, cross-entropy, fp32."""

    def __init__(self, recipe: Recipe, vocabulary: int, device: torch.device) -> None:
        model = recipe.model
        self.embedding = nn.Embedding(vocabulary, model.d_model)
        nn.init.normal_(self.embedding.weight, std=model.d_model**-0.5)
        self.positions = nn.Embedding(model.max_length, model.d_model)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it cannot use nested tensors; no fault of ours
            self.transformer = nn.Transformer(
                model.d_model, model.heads, model.encoder_layers, model.decoder_layers, model.ffn,
                model.dropout, batch_first=True, norm_first=True,
            )  # fmt: skip
        self.all = nn.ModuleList([self.embedding, self.positions, self.transformer]).to(device)
        self.config, self.device = recipe.train, device
        self.optimizer = make_optimizer(self.all, recipe.train)

    def step(self, batch: Batch) -> float:
        """One optimiser step; the loss in nats a token."""
        batch = batch.to(self.device)
        padding = batch.source == PAD
        length = batch.target_in.shape[1]
        future = torch.ones(length, length, dtype=torch.bool, device=self.device).triu(1)
        states = self.transformer(
            self._embed(batch.source), self._embed(batch.target_in), tgt_mask=future,
            src_key_padding_mask=padding, memory_key_padding_mask=padding, tgt_is_causal=True,
        )  # fmt: skip
        logits = functional.linear(states, self.embedding.weight)
        loss = functional.cross_entropy(
            logits.flatten(0, 1), batch.target_out.flatten(),
            ignore_index=PAD, label_smoothing=self.config.label_smoothing,
        )  # fmt: skip
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self.all.parameters(), self.config.clip_norm)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        return float(loss.detach())

    def _embed(self, ids: Tensor) -> Tensor:
        places = self.positions.weight[: ids.shape[1]]
        found: Tensor = self.embedding(ids) * self.embedding.embedding_dim**0.5 + places
        return found


def main() -> None:
    """Measure and print."""
    options = _options()
    config = TrainConfig(
        max_steps=10**9, precision=options.precision, threads=options.threads, device=options.device
    )
    result = measure(SHAPES[options.shape], config, options.steps, options.dropout)
    for name, value in result.items():
        sys.stdout.write(f"{name}: {value}\n")
    if options.json:
        options.json.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    sys.stdout.write(
        f"train tokens_per_second={result['tokens_per_second']} "
        f"baseline={result['baseline_tokens_per_second']} ratio={result['ratio']}\n"
    )


def measure(
    shape: Shape, config: TrainConfig, steps: int, dropout: float = 0.0, examples: int = 100_000
) -> dict[str, Any]:
    """Time `steps` steps of each trainer; returns the figures that are printed."""
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder)
        recipe = _recipe(shape, config, dropout)
        _make_data(recipe, run, examples)
        trainer = Trainer(recipe, run)
        batches = iter(trainer.sampler)
        for batch in islice(batches, min(WARM_UP, steps)):
            trainer.step([batch])
        peak = _peak_bytes(trainer.device)  # before the baseline adds its own
        baseline = Baseline(recipe, shape.vocabulary, trainer.device)
        for batch in islice(batches, min(WARM_UP, steps)):
            baseline.step(batch)
        sizes = [len(part) for part in np.array_split(range(steps), min(WINDOWS, steps))]
        windows = [_window(trainer, baseline, batches, size) for size in sizes]
    return {
        "shape": dataclasses.asdict(shape),
        "dropout": dropout,
        "batch_tokens": config.batch_tokens,
        "steps": steps,
        "windows": len(windows),
        **_figures(windows, trainer),
        "peak_bytes": peak,
        "device": _device_name(trainer.device),
        "precision": str(trainer.precision).removeprefix("torch."),
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
    }


def _window(trainer: Trainer, baseline: Baseline, batches: Iterator[Batch], size: int) -> Window:
    """Time `size` steps of ours, the making of the batches included, then of the baseline."""
    started = time.perf_counter()
    taken = []
    for batch in islice(batches, size):
        trainer.step([batch])
        taken.append(batch)
    _wait(trainer.device)
    middle = time.perf_counter()
    for batch in taken:
        baseline.step(batch)
    _wait(trainer.device)
    sources = sum(int((batch.source != PAD).sum()) for batch in taken)
    targets = sum(batch.target_tokens for batch in taken)
    return Window(size, sources, targets, middle - started, time.perf_counter() - middle)


def _figures(windows: list[Window], trainer: Trainer) -> dict[str, Any]:
    ours = statistics.median(item.targets / item.seconds for item in windows)
    baseline = statistics.median(item.targets / item.baseline_seconds for item in windows)
    work = statistics.median(_operations(trainer, item) / item.seconds for item in windows)
    return {
        "tokens_per_second": round(ours),
        "baseline_tokens_per_second": round(baseline),
        "ratio": round(ours / baseline, 2),
        "step_ms": _milliseconds([item.seconds / item.steps for item in windows]),
        "baseline_step_ms": _milliseconds([item.baseline_seconds / item.steps for item in windows]),
        "parameters": sum(item.numel() for item in trainer.model.parameters()),
        "estimated_gflop_per_second": round(work / 1e9, 1),
    }


def _milliseconds(seconds: list[float]) -> float:
    return round(1000 * statistics.median(seconds), 1)


def _operations(trainer: Trainer, window: Window) -> float:
    """Useful floating-point operations: six a weight and real token, attention scores left out."""
    model = trainer.model
    encoder = sum(item.numel() for item in model.encoder_layers.parameters())
    decoder = sum(item.numel() for item in model.decoder_layers.parameters())
    decoder += model.embedding.weight.numel()
    return 6.0 * (encoder * window.sources + decoder * window.targets)


def _recipe(shape: Shape, config: TrainConfig, dropout: float) -> Recipe:
    sizes = {key: value for key, value in dataclasses.asdict(shape).items() if key != "vocabulary"}
    return Recipe(
        name="speed",
        data=DataConfig(corpora=(), directions=("aa-bb", "bb-aa"), max_tokens=LONGEST),
        # One piece a word, so that the size comes out exactly.
        vocabulary=VocabularyConfig(size=shape.vocabulary, algorithm="word", character_coverage=1),
        model=ModelSection(dropout=dropout, **sizes),
        train=config,
    )


def _make_data(recipe: Recipe, run: Path, examples: int) -> None:
    """Fill `run` with a vocabulary and a shard of random pairs."""
    words = [f"w{number}" for number in range(recipe.vocabulary.size - FIRST_WORD)]
    lines = (" ".join(words[start : start + 50]) for start in range(0, len(words), 50))
    prefix = (run / VOCABULARY_FILE).with_suffix("")
    train_vocabulary(lines, LANGUAGES, recipe.vocabulary, prefix)
    rng = np.random.default_rng(1)
    firsts = rng.lognormal(np.log(MEDIAN), SPREAD, examples)
    lengths = np.stack([firsts, firsts * rng.lognormal(0, 0.2, examples)], axis=1)
    lengths = np.clip(np.rint(lengths), 1, LONGEST).astype(int)
    chances = 1 / np.arange(1, len(words) + 1)
    ids = FIRST_WORD + rng.choice(len(words), lengths.sum(), p=chances / chances.sum())
    sides = np.split(ids, lengths.cumsum()[:-1])
    with ShardWriter(run / SHARDS / "-".join(LANGUAGES), LANGUAGES) as writer:
        for first, second in zip(sides[::2], sides[1::2], strict=True):
            writer.add("random", first.tolist(), second.tolist())


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize()


def _device_name(device: torch.device) -> str:
    if device.type == "cuda":
        return torch.cuda.get_device_name()
    try:
        found = re.search(r"model name\s*:\s*(.+)", Path("/proc/cpuinfo").read_text("utf-8"))
    except OSError:
        return "cpu"
    return found[1] if found else "cpu"


def _peak_bytes(device: torch.device) -> int | None:
    """Peak memory: of the GPU, or of this process where Linux tells it."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated()
    try:
        status = Path("/proc/self/status").read_text("utf-8")
    except OSError:
        return None
    found = re.search(r"VmHWM:\s*(\d+) kB", status)
    return int(found[1]) * 1024 if found else None


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shape", choices=sorted(SHAPES), default="small", help="(%(default)s)")
    parser.add_argument("--steps", type=_positive, default=60, help="of each (%(default)s)")
    parser.add_argument("--threads", type=int, default=0, help="CPU threads (torch's choice)")
    parser.add_argument("--precision", choices=("auto", "fp32", "bf16"), default="auto")
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    parser.add_argument("--dropout", type=float, default=0.0, help="of both (%(default)s)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the figures here")
    return parser.parse_args()


def _positive(text: str) -> int:
    if (number := int(text)) < 1:
        raise argparse.ArgumentTypeError(f"{number} is not positive")
    return number


if __name__ == "__main__":
    main()
