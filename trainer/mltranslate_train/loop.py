"""The training loop: read it in one sitting."""

from __future__ import annotations

import dataclasses
import json
import logging
import math
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

import torch
from torch import Tensor

from mltranslate.errors import TrainingError
from mltranslate_train import checkpoint
from mltranslate_train.config import Recipe
from mltranslate_train.data.batches import Batch, Sampler, SamplerState
from mltranslate_train.data.prepare import SUMMARY, VOCABULARY_FILE, prepare
from mltranslate_train.device import autocast, choose_device, choose_precision, release_freed_memory
from mltranslate_train.evaluate.during import DevScores, check_dev_sets, dev_scores
from mltranslate_train.interrupt import StopRequest
from mltranslate_train.loss import fused_cross_entropy
from mltranslate_train.model.transformer import Transformer
from mltranslate_train.optim import MovingAverage, learning_rate, make_optimizer
from mltranslate_train.progress import Progress, open_progress
from mltranslate_train.tokenizer import PAD, Vocabulary

log = logging.getLogger(__name__)

LAST, BEST, METRICS = "last", "best", "metrics.jsonl"


@dataclass(slots=True)
class Totals:
    """Running numbers of a training run; all of them survive a resume."""

    step: int = 0
    target_tokens: int = 0
    seconds: float = 0.0
    best_chrf: float = -1.0


class Trainer:
    """One run: model, optimiser, data and their exact state."""

    def __init__(self, recipe: Recipe, run: Path) -> None:
        self.recipe, self.run = recipe, run
        config = recipe.train
        torch.manual_seed(config.seed)
        self.device = choose_device(config)
        self.precision = choose_precision(config, self.device)
        self.vocabulary = Vocabulary(run / VOCABULARY_FILE)
        self.model = Transformer(recipe.model.transformer(len(self.vocabulary))).to(self.device)
        self.optimizer = make_optimizer(self.model, config)
        self.average = MovingAverage(self.model, config.ema_decay)
        self.totals = Totals()
        self.sampler = Sampler(recipe, run, self._resume())
        self._forward = torch.compile(self.model, dynamic=True) if config.compile else self.model

    def _resume(self) -> SamplerState | None:
        folder = checkpoint.newest(self.run / LAST)
        if folder is None:
            return None
        saved = checkpoint.load_checkpoint(folder)
        self.model.load_state_dict(saved.model)
        self.average.load(saved.average)
        self.optimizer.load_state_dict(saved.optimizer["optimizer"])
        checkpoint.restore_rng(saved.optimizer["rng"])
        self.totals = Totals(**saved.state["totals"])
        log.info("resuming after step %d", self.totals.step)
        return SamplerState(**saved.state["sampler"])

    def save(self) -> None:
        """Write the checkpoint that `Trainer` resumes from."""
        state = {
            "totals": dataclasses.asdict(self.totals),
            "sampler": dataclasses.asdict(self.sampler.state),
        }
        checkpoint.save_checkpoint(
            self.run / LAST, self.model, self.average.state_dict(), self.optimizer, state
        )

    def step(self, batches: list[Batch]) -> tuple[float, int]:
        """One optimiser step over `batches`: the loss in nats a token, and the tokens.

        Raises:
            TrainingError: the loss or the gradient is no finite number; the weights are untouched.
        """
        self.totals.step += 1
        tokens = sum(batch.target_tokens for batch in batches)
        loss = float(sum(self._backward(batch.to(self.device), tokens) for batch in batches))
        norm = float(
            torch.nn.utils.clip_grad_norm_(self.model.parameters(), self.recipe.train.clip_norm)
        )
        if not math.isfinite(loss + norm):
            raise TrainingError(
                f"training diverged at step {self.totals.step}",
                why=f"loss {loss}, gradient norm {norm}",
                fix="Lower train.learning_rate; the same command resumes before this step",
            )
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate(self.totals.step, self.recipe.train)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        self.average.update(self.totals.step)
        self.totals.target_tokens += tokens
        return loss, tokens

    def _backward(self, batch: Batch, tokens: int) -> Tensor:
        with autocast(self.device, self.precision):
            states = self._forward(batch.source, batch.target_in, source_mask(batch.source))
        real = batch.target_out != PAD
        loss = fused_cross_entropy(
            states[real].to(self.precision),
            self.model.embedding.weight,
            batch.target_out[real],
            self.recipe.train.label_smoothing,
        )
        loss = loss / tokens
        loss.backward()  # type: ignore[no-untyped-call]
        return loss.detach()

    def evaluate(self) -> DevScores:
        """Dev scores of the averaged weights; keeps them in BEST when they are the best so far."""
        scores = dev_scores(
            self.recipe, self.model.config, self.average.state_dict(), self.vocabulary, self.device
        )
        if scores.mean > self.totals.best_chrf:
            self.totals.best_chrf = scores.mean
            checkpoint.save_weights(self.run / BEST, self.average.state_dict(), self._about(scores))
        return scores

    def _about(self, scores: DevScores) -> dict[str, Any]:
        data = json.loads((self.run / SUMMARY).read_text(encoding="utf-8"))
        sources = [
            {"name": name, "licence": data["licences"].get(name, ""), "pairs": pairs}
            for name, pairs in sorted(data["origins"].items())
        ]
        return {
            "architecture": "transformer",
            "model": dataclasses.asdict(self.model.config),
            "languages": self.recipe.languages,
            "directions": self.recipe.directions,
            "step": self.totals.step,
            "target_tokens": self.totals.target_tokens,
            "training_seconds": round(self.totals.seconds),
            "dev_chrf": scores.by_direction,
            "dev_signature": scores.signature,
            "sources": sources,
        }


def source_mask(source: Tensor) -> Tensor:
    """Mask (B, 1, 1, S) of source ids (B, S), true at real tokens."""
    return (source != PAD)[:, None, None, :]


def train(recipe: Recipe, run: Path) -> None:
    """Prepare the data if need be, then train or resume until `train.max_steps`.

    Raises:
        ConfigError, DataError, DeviceError: nothing was trained; a checkpoint is left as it was.
        TrainingError: the loss diverged; the last checkpoint is left as it was.
        KeyboardInterrupt: Ctrl-C or SIGTERM came; the last step is saved.
    """
    check_dev_sets(recipe)
    prepare(recipe, run)
    trainer = Trainer(recipe, run)
    log.info(
        "training on %s in %s, %d threads",
        trainer.device,
        trainer.precision,
        torch.get_num_threads(),
    )
    with ExitStack() as stack:
        metrics = stack.enter_context((run / METRICS).open("a", encoding="utf-8"))
        progress = stack.enter_context(open_progress(recipe.train.max_steps, trainer.totals.step))
        stop = stack.enter_context(StopRequest())
        _run(trainer, metrics, progress, stop)
    if stop.requested:
        log.info("saved after step %d; the same command resumes", trainer.totals.step)
        raise KeyboardInterrupt


def _run(trainer: Trainer, metrics: TextIO, progress: Progress, stop: StopRequest) -> None:
    config, totals = trainer.recipe.train, trainer.totals
    batches = iter(trainer.sampler)
    window = Window()
    stopping = False
    while totals.step < config.max_steps and not stopping:
        started = time.monotonic()
        loss, tokens = trainer.step([next(batches) for _ in range(config.accumulation)])
        totals.seconds += time.monotonic() - started
        window.add(loss, tokens, time.monotonic() - started)
        last = totals.step == config.max_steps
        if totals.step % config.log_every == 0 or last:
            record = {"step": totals.step, "target_tokens": totals.target_tokens, **window.take()}
            record["learning_rate"] = learning_rate(totals.step, config)
            _write(metrics, record)
            progress.update(record)
            release_freed_memory()
        if trainer.recipe.evaluate.dev and (
            totals.step % trainer.recipe.evaluate.every == 0 or last
        ):
            scores = trainer.evaluate()
            _write(metrics, {"step": totals.step, "chrf": scores.by_direction, "mean": scores.mean})
            progress.evaluated(scores.mean)
        stopping = stop.requested  # read once: a signal from here on ends the next step
        if totals.step % config.save_every == 0 or last or stopping:
            trainer.save()


@dataclass(slots=True)
class Window:
    """Loss and speed since the last report."""

    loss: float = 0.0
    tokens: int = 0
    seconds: float = 0.0

    def add(self, loss: float, tokens: int, seconds: float) -> None:
        """Count one step."""
        self.loss += loss * tokens
        self.tokens += tokens
        self.seconds += seconds

    def take(self) -> dict[str, float]:
        """Mean loss a token and tokens a second since the last call."""
        record = {
            "loss": self.loss / max(1, self.tokens),
            "tokens_per_second": self.tokens / max(1e-9, self.seconds),
        }
        self.loss, self.tokens, self.seconds = 0.0, 0, 0.0
        return record


def _write(metrics: TextIO, record: dict[str, Any]) -> None:
    metrics.write(json.dumps({"time": time.time(), **record}) + "\n")
    metrics.flush()
