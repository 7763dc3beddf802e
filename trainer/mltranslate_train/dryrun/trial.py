"""A few real training steps, measured; meant to run in a process of their own."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import torch

from mltranslate.errors import TrainingError
from mltranslate_train.config import Recipe
from mltranslate_train.data.batches import Batch
from mltranslate_train.data.pools import bucket
from mltranslate_train.dryrun.memory import be_first_to_go, free_memory, peak_memory
from mltranslate_train.loop import Trainer
from mltranslate_train.tokenizer import END, MASK, PAD

_SECONDS, _STEPS = 5.0, (3, 40)
"""Steps are timed for so long, but at least and at most so many."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What the steps took."""

    done: int
    """Steps that the run has made before."""
    device: str
    precision: str
    threads: int
    parameters: int
    learning: int
    """Parameters that learn."""
    largest: tuple[int, int]
    """Rows and length of the largest batch."""
    peak: int | None
    """Most memory taken, in bytes."""
    free: int | None
    """Memory that was free before, in bytes."""
    step_seconds: float
    step_tokens: float
    """Target tokens of a step."""
    step_examples: float
    examples: dict[str, int]
    """Examples of the data that have a weight, by direction "a-b", or language of text "a"."""


def run_trial(recipe: Recipe, run: Path) -> Trial:
    """Train a new model for some steps on the data of `run`, first on the largest batch.

    Raises:
        TrainingError: it does not fit into memory, or diverges at once.
    """
    be_first_to_go()
    try:
        return _measure(recipe, run)
    except (torch.OutOfMemoryError, RuntimeError) as error:
        # torch has no exception of its own for the CPU's memory.
        if not isinstance(error, torch.OutOfMemoryError) and "alloc" not in str(error):
            raise
        raise no_room(str(error).partition("\n")[0]) from error


def _measure(recipe: Recipe, run: Path) -> Trial:
    trainer = Trainer(recipe, run)
    done, free = trainer.totals.step, free_memory(trainer.device)
    largest = _largest_batch(recipe, len(trainer.vocabulary))
    for _ in range(2):  # the optimiser's state is made in the first
        trainer.step([largest] * min(2, recipe.train.accumulation))
    peak = peak_memory(trainer.device)
    before = trainer.totals.target_tokens
    steps, seconds, examples = _timed_steps(trainer, recipe.train.accumulation)
    sizes = [(part.numel(), part.requires_grad) for part in trainer.model.parameters()]
    return Trial(
        done=done,
        device=str(trainer.device),
        precision=str(trainer.precision).removeprefix("torch."),
        threads=torch.get_num_threads(),
        parameters=sum(size for size, _ in sizes),
        learning=sum(size for size, learns in sizes if learns),
        largest=(largest.source.shape[0], largest.source.shape[1]),
        peak=max(peak, peak_memory(trainer.device) or 0) if peak is not None else None,
        free=free,
        step_seconds=seconds / steps,
        step_tokens=(trainer.totals.target_tokens - before) / steps,
        step_examples=examples / steps,
        examples=_examples(trainer),
    )


def _largest_batch(recipe: Recipe, vocabulary_size: int) -> Batch:
    """Random ids in the longest shape of batch, which attention makes the most expensive one."""
    masked, longest = recipe.train.objective == "masked", recipe.data.max_tokens
    most = 2 * longest + 3 if masked and recipe.directions else longest + 2
    length = bucket(most, recipe.model.max_length)
    shape = (max(1, recipe.train.batch_tokens // length), length)
    generator = torch.Generator().manual_seed(recipe.train.seed)
    source, given, wanted = (
        torch.randint(MASK + 1, vocabulary_size, shape, generator=generator) for _ in range(3)
    )
    if masked:  # one sequence: an empty source, and a target that leaves room for the first mark
        source[:, 1], source[:, 2:] = END, PAD
        wanted[:, -2], wanted[:, -1] = END, PAD
    links = None
    if recipe.train.alignment_weight:
        rows, places = torch.arange(shape[0]), torch.arange(length)
        links = torch.cartesian_prod(rows, places)[:, [0, 1, 1]]  # each piece to its like
    return Batch(source, given, wanted, links=links)


def _timed_steps(trainer: Trainer, accumulation: int) -> tuple[int, float, int]:
    """Steps on real data: how many, their seconds, and their examples; the first warms up."""
    batches = iter(trainer.sampler)
    least, most = _STEPS
    trainer.step(list(islice(batches, accumulation)))
    _wait(trainer)
    started, examples = time.monotonic(), 0
    for steps in range(1, most + 1):
        taken = list(islice(batches, accumulation))
        trainer.step(taken)
        _wait(trainer)
        examples += sum(len(batch.source) for batch in taken)
        if steps >= least and time.monotonic() - started > _SECONDS:
            break
    return steps, time.monotonic() - started, examples


def _wait(trainer: Trainer) -> None:
    if trainer.device.type == "cuda":
        torch.cuda.synchronize(trainer.device)


def _examples(trainer: Trainer) -> dict[str, int]:
    found: Counter[str] = Counter()
    sampler = trainer.sampler
    for stream, share in zip(sampler.streams, sampler.stages[0].shares, strict=True):
        if share:
            found[stream.direction.name] += stream.group.pairs
    return dict(found)


def no_room(why: str) -> TrainingError:
    """The error of a batch that is too large for the device."""
    return TrainingError(
        "the largest batch does not fit into memory",
        why=why,
        fix="Lower train.batch_tokens, and raise train.accumulation by as much",
    )
