"""The training loop: read it in one sitting."""

from __future__ import annotations

import dataclasses
import logging
import time
from itertools import islice
from pathlib import Path

import torch
from torch import Tensor, nn

from mltranslate_train import checkpoint
from mltranslate_train.about import about
from mltranslate_train.averaging import make_averaging
from mltranslate_train.checkpoint import BEST, LAST, Checkpoint
from mltranslate_train.config import Recipe
from mltranslate_train.data.batches import Batch, Sampler, SamplerState
from mltranslate_train.data.prefetch import prefetch
from mltranslate_train.data.prepare import VOCABULARY_FILE, keep_recipe, prepare
from mltranslate_train.data.whole import writable
from mltranslate_train.device import (
    check_precision,
    choose_device,
    choose_precision,
    release_freed_memory,
    sent,
)
from mltranslate_train.distributed import (
    World,
    gradients_shared,
    joined,
    launched_world,
    like,
    parallelised,
    sharding_units,
    whole,
    whole_on_main,
)  # fmt: skip
from mltranslate_train.evaluate.dev import (
    Scores,
    check_dev_sets,
    check_given_sets,
    dev_scores,
    in_run,
)  # fmt: skip
from mltranslate_train.finetune import start as finetune
from mltranslate_train.interrupt import StopRequest
from mltranslate_train.metrics_log import Meter, Record, Report, check_tensorboard, open_reports
from mltranslate_train.model.build import make_any_model, make_config
from mltranslate_train.objectives import make_objective
from mltranslate_train.optim import (
    DivergenceGuard,
    check_finite,
    learning_rate,
    load_whole_state,
    make_optimizer,
    whole_state,
)  # fmt: skip
from mltranslate_train.tokenizer import Vocabulary
from mltranslate_train.totals import Totals

log = logging.getLogger(__name__)


class Trainer:
    """One run: model, optimiser, data and their exact state, in one of the `world`'s processes."""

    def __init__(self, recipe: Recipe, run: Path, world: World | None = None) -> None:
        self.recipe, self.run, self.world = recipe, run, world or World()
        config = recipe.train
        torch.manual_seed(config.seed)  # all processes begin with the same weights
        self.device = choose_device(config, self.world.local_rank)
        self.precision = choose_precision(config, self.device)
        self.vocabulary = Vocabulary(run / VOCABULARY_FILE)
        shape = make_config(recipe.model, len(self.vocabulary), config.objective)
        self.model = make_any_model(shape).to(self.device)
        check_precision(self.model, self.device, self.precision)
        finetune.apply(self.model, recipe, run)
        self.objective = make_objective(self.model, config, self.precision)
        self.learner = parallelised(
            self.objective, sharding_units(self.model), config.parallel, self.device, self.world
        )
        self.optimizer = make_optimizer(self.model, config, self.world)
        if self.world.rank:
            torch.manual_seed(config.seed + self.world.rank)  # dropout differs by process
        folder = checkpoint.newest(run / LAST)
        saved = checkpoint.load_checkpoint(folder) if folder else None
        self.totals = Totals(**saved.state["totals"]) if saved else Totals()
        self.averaging = make_averaging(self.model, config, run, self.totals.step, self.world)
        self.state = self._restore(saved) if saved else SamplerState()
        self.sampler = Sampler(recipe, run, self.state, rank=self.world.rank, world=self.world.size)
        self.meter = Meter(self.device)
        self.guard = DivergenceGuard(self.optimizer, self.device, self.totals.step)

    def _restore(self, saved: Checkpoint) -> SamplerState:
        placed = {
            name: like(saved.model[name], weight)
            for name, weight in self.model.state_dict().items()
        }
        self.model.load_state_dict(placed)
        self.averaging.load(saved.average or saved.model)
        load_whole_state(self.optimizer, saved.optimizer)
        if len(saved.rng) == self.world.size:
            checkpoint.restore_rng(saved.rng[self.world.rank])
        else:  # there were more or fewer processes; dropout only has to be new
            torch.manual_seed(self.recipe.train.seed + self.totals.step + self.world.rank)
        return SamplerState(**saved.state["sampler"])

    def save(self) -> None:
        """Write the checkpoint that `Trainer` resumes from.

        Raises:
            TrainingError: the run has diverged, or the disk is full; the checkpoint stays as it is.
        """
        self.guard.check()
        state = {
            "totals": dataclasses.asdict(self.totals),
            "sampler": dataclasses.asdict(self.state),
        }
        saved = Checkpoint(
            model=whole_on_main(self.model.state_dict(), self.world),
            average=whole_on_main(self.averaging.state_dict(), self.world),
            optimizer=whole_state(self.optimizer, self.world),
            rng=self.world.gathered(checkpoint.rng_state()),
            state=state,
        )
        self.world.on_main(lambda: self._write(saved))
        self.averaging.saved(self.totals.step)

    def _write(self, saved: Checkpoint) -> None:
        for weights in (saved.model, saved.average):
            check_finite(weights, self.totals.step)
        checkpoint.save_checkpoint(self.run / LAST, saved)

    def step(self, batches: list[Batch]) -> Tensor:
        """One optimiser step; gives the summed loss of `batches`, on the device, in nats.

        With `world.size` processes it learns from all their batches together. A gradient that is
        no finite number leaves the weights untouched, in this step and all that follow.

        Raises:
            TrainingError: there was such a gradient; on CUDA only the guard's `check` tells.
        """
        self.totals.step += 1
        tokens = self.world.total(sum(self.objective.tokens(batch) for batch in batches))
        total = torch.zeros((), device=self.device)
        for number, batch in enumerate(batches, 1):
            inputs = [sent(item, self.device) for item in self.objective.inputs(batch)]
            with gradients_shared(self.learner, now=number == len(batches)):
                loss = self.learner(*inputs)
                (loss * (self.world.size / tokens)).backward()  # the processes' mean is taken
            total += loss.detach()
        norm = nn.utils.clip_grad_norm_(self.model.parameters(), self.recipe.train.clip_norm)
        self.guard.note(whole(norm))
        for group in self.optimizer.param_groups:
            group["lr"] = self.learning_rate
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        if self.device.type == "cpu":
            self.guard.check()
        self.averaging.update(self.totals.step)
        self.totals.target_tokens += tokens
        self.meter.add(total, tokens)
        self.state = batches[-1].state
        return total

    @property
    def learning_rate(self) -> float:
        """Rate of the step that is being made, or was made last."""
        return learning_rate(self.totals.step, self.recipe.train, self.totals.seconds)

    def took(self, seconds: float) -> None:
        """Count the time of a step: in all processes the mean of theirs, so that they end alike."""
        mean = self.world.total(round(seconds * 1e6)) / 1e6 / self.world.size
        self.meter.seconds += mean
        self.totals.seconds += mean

    def report(self) -> Record:
        """Where the run is, and means since the last report; TrainingError if it diverged."""
        return {
            "step": self.totals.step,
            "target_tokens": self.totals.target_tokens,
            **self.meter.take(self.world),
            "learning_rate": self.learning_rate,
        }

    def evaluate(self) -> Scores:
        """Dev scores of the averaged weights; keeps them in BEST when they are the best so far.

        Raises:
            TrainingError: the run has diverged, or the disk is full; BEST stays as it is.
        """
        self.guard.check()
        weights = whole_on_main(self.averaging.weights(), self.world)
        weights = finetune.plain_weights(weights, self.recipe)
        scores = self.world.on_main(lambda: self._score(weights))
        config = self.recipe.evaluate
        measure = [config.metric, config.dev, config.beam, config.joiner, config.tokenized]
        if self.totals.scored(scores.choice, repr(measure)):
            self.world.on_main(lambda: self._keep(weights, scores))
        return scores

    def _score(self, weights: dict[str, Tensor]) -> Scores:
        check_finite(weights, self.totals.step)
        recipe = in_run(self.recipe, self.run)
        return dev_scores(recipe, self.model.config, weights, self.vocabulary, self.device)

    def _keep(self, weights: dict[str, Tensor], scores: Scores) -> None:
        text = about(self.recipe, self.run, self.model, scores, self.totals)
        checkpoint.save_weights(self.run / BEST, weights, text)

    def event(self, name: str) -> Record:
        """What metrics.jsonl says of a start or an end."""
        return {
            "event": name,
            "step": self.totals.step,
            "max_steps": self.recipe.train.max_steps,
            "device": str(self.device),
            "precision": str(self.precision).removeprefix("torch."),
            "threads": torch.get_num_threads(),
            "processes": self.world.size,
            "parameters": sum(weight.numel() for weight in self.model.parameters()),
        }


def train(recipe: Recipe, run: Path, parent: str = "") -> None:
    """Prepare the data if need be, then train or resume to `train.max_steps` or `max_minutes`.

    A new run starts from the weights of `parent`, a run or a pack, if it is given. One that has
    made all its steps is left as it is. Under torchrun every process calls this; the first one
    prepares, evaluates, reports and saves.

    Raises:
        ConfigError, DataError, DeviceError: nothing was trained; a checkpoint is left as it was.
        TrainingError: the loss diverged or the disk is full; the last checkpoint stays as it was.
        KeyboardInterrupt: Ctrl-C or SIGTERM came; the last step is saved.
        SystemExit: in other processes than the first, with the exit code of its error.
    """
    world = launched_world()
    with joined(world, choose_device(recipe.train, world.local_rank)):
        world.on_main(lambda: _make_ready(recipe, run, parent))
        trainer = Trainer(recipe, run, world)
        if finished := trainer.totals.finished(recipe.train):
            log.info("%s has nothing left to train: %s", run, finished)
            return
        world.on_main(lambda: _keep_recipe(recipe, run))
        done = trainer.totals.step
        with open_reports(run, recipe.train, done, world.main) as reports, StopRequest() as stop:
            reports.happened(trainer.event("resume" if done else "start"))
            ending = _run(trainer, reports, stop)
            reports.happened(trainer.event(ending))
    if ending == "stop":
        raise KeyboardInterrupt


def _make_ready(recipe: Recipe, run: Path, parent: str) -> None:
    check_given_sets(recipe)
    check_tensorboard(recipe.train)
    finetune.adopt(recipe, run, parent)
    prepare(recipe, run)
    check_dev_sets(in_run(recipe, run))


def _keep_recipe(recipe: Recipe, run: Path) -> None:
    with writable(run):
        keep_recipe(recipe, run)


def _run(trainer: Trainer, reports: Report, stop: StopRequest) -> str:
    """Train; gives the event that ended it: "done", "early-stop" or "stop"."""
    config, totals = trainer.recipe.train, trainer.totals
    pin = trainer.device.type == "cuda"
    with prefetch(iter(trainer.sampler), config.prefetch, pin=pin) as batches:
        while not totals.finished(config):
            started = time.monotonic()
            trainer.step(list(islice(batches, config.accumulation)))
            due = totals.step % config.log_every == 0 or totals.step == config.max_steps
            if due:
                trainer.guard.check()  # which waits for the device
            trainer.took(time.monotonic() - started)
            last = totals.at_end(config)
            if due or last:
                reports.trained(trainer.report())
            if trainer.recipe.evaluate.dev and (
                totals.step % trainer.recipe.evaluate.every == 0 or last
            ):
                scores = trainer.evaluate()
                reports.evaluated({"step": totals.step, **scores.record()})
            # Read once: a signal from here on ends the next step.
            stopping = trainer.world.total(int(stop.requested)) > 0
            if totals.step % config.save_every == 0 or stopping or totals.finished(config):
                trainer.save()
                release_freed_memory()
            if stopping:
                return "stop"
    return "done" if totals.at_end(config) else "early-stop"
