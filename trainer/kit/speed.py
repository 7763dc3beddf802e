"""What a device can do, and what of it training uses; measured before a run begins."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import torch
from torch import nn

from mltranslate_train.config import load_recipe
from mltranslate_train.data.batches import Batch
from mltranslate_train.loop import Trainer
from mltranslate_train.model.seq2seq import TextModel
from mltranslate_train.tokenizer import PAD

GAIN = 1.03
"""A compiled model is taken if it is so many times as fast: it costs time to compile."""
CLOSE = 0.02
"""Losses of the same steps, eager and compiled, differ by this share at most; dropout differs."""
_STEPS = 40

Found = dict[str, Any]


def measure(run: Path, sets: Sequence[str], out: Path) -> None:
    """Train some steps from the recipe in `run` with `sets`, and write what they took to `out`.

    Nothing is saved. All steps are made twice, and timed the second time: in the first, something
    may be compiled for any of their shapes.
    """
    recipe = load_recipe(run / "recipe.toml", sets)
    trainer = Trainer(recipe, run)
    rate = matrix_rate(trainer.device, trainer.precision)
    drawn = iter(trainer.sampler)
    steps = [list(islice(drawn, recipe.train.accumulation)) for _ in range(_STEPS)]
    warm, _ = _timed(trainer, steps)
    seconds, loss = _timed(trainer, steps)
    batches = [batch for step in steps for batch in step]
    flops = sum(step_flops(trainer.model, batch) for batch in batches)
    tokens = sum(batch.target_tokens for batch in batches)
    padded = sum(batch.source.numel() + batch.target_in.numel() for batch in batches)
    real = tokens + sum(int((batch.source != PAD).sum()) for batch in batches)
    found: Found = {
        "device": _name(trainer.device),
        "torch": torch.__version__,
        "precision": str(trainer.precision).removeprefix("torch."),
        "matrix_tflops": rate / 1e12,
        "warm_up_seconds": warm,
        "step_seconds": seconds / _STEPS,
        "target_tokens_per_second": tokens / seconds,
        "target_tokens_per_step": tokens / _STEPS,
        "flops_per_target_token": flops / tokens,
        "mfu": flops / seconds / rate,
        "padding": 1 - real / padded,
        "loss": loss / tokens,
        "peak_memory_gib": _peak(trainer.device) / 2**30,
    }
    out.write_text(json.dumps(found, indent=1), encoding="utf-8")


def _timed(trainer: Trainer, steps: Sequence[list[Batch]]) -> tuple[float, float]:
    """Seconds that the steps take to the end, and their summed loss."""
    started = time.monotonic()
    losses = [trainer.step(step) for step in steps]
    trainer.guard.check()  # waits for the device
    return time.monotonic() - started, float(sum(losses))


def matrix_rate(device: torch.device, precision: torch.dtype) -> float:
    """Floating-point operations a second of large products of random matrices, the best of five."""
    size, repeats = (8192, 5) if device.type == "cuda" else (512, 2)
    left, right = (torch.randn(size, size, device=device, dtype=precision) for _ in range(2))

    def multiply() -> None:
        for _ in range(repeats):
            left @ right

    multiply()
    fastest = min(_seconds(multiply, device) for _ in range(5))
    return 2 * size**3 * repeats / fastest


def _seconds(work: Callable[[], None], device: torch.device) -> float:
    _wait(device)
    started = time.monotonic()
    work()
    _wait(device)
    return time.monotonic() - started


def step_flops(model: TextModel, batch: Batch) -> float:
    """Operations that a batch's real tokens need forwards and backwards; padding does not count.

    Six a weight and token that meets it, and twelve a channel for every pair of positions in
    attention (Kaplan et al. 2020); half of the pairs within the target.
    """
    config = model.config
    source = sum(_size(part) for name, part in model.named_modules() if _reads_source(name))
    target = sum(_size(part) for name, part in model.named_children() if name.startswith("decoder"))
    target += model.output_weight.numel() - sum(
        _size(part) for name, part in model.named_modules() if name.endswith("cross_attention.kv")
    )
    one = (batch.source != PAD).sum(1).double()
    two = (batch.target_out != PAD).sum(1).double()
    pairs = config.encoder_layers * one @ one + config.decoder_layers * (two @ two / 2 + one @ two)
    return float(6 * (source * one.sum() + target * two.sum()) + 12 * config.d_model * pairs)


def _reads_source(name: str) -> bool:
    encoder = name.startswith("encoder") and "." not in name
    return encoder or name.endswith("cross_attention.kv")


def _size(part: nn.Module) -> int:
    return sum(weight.numel() for weight in part.parameters())


def choose(eager: Found | None, compiled: Found | None) -> tuple[bool, str]:
    """Whether to train compiled, and the rule's words for why."""
    if compiled is None:
        return False, "eager: the compiled steps failed or took too long"
    if eager is None:
        return True, "compiled: the eager steps failed"
    gain = compiled["target_tokens_per_second"] / eager["target_tokens_per_second"]
    apart = abs(compiled["loss"] / eager["loss"] - 1)
    if apart > CLOSE:
        return False, f"eager: the losses are {apart:.1%} apart, more than {CLOSE:.0%}"
    word = "compiled" if gain >= GAIN else "eager"
    return gain >= GAIN, f"{word}: compiled is {gain:.2f} times as fast, and {GAIN} are asked for"


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def _name(device: torch.device) -> str:
    return torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu"


def _peak(device: torch.device) -> int:
    return torch.cuda.max_memory_allocated(device) if device.type == "cuda" else 0
