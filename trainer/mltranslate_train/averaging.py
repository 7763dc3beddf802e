"""Which weights are evaluated and exported: the latest, a moving average, or a mean of snapshots.

Averages smooth out the noise of the last steps; the mean of the last checkpoints is older
(Vaswani et al. 2017), the moving average needs no files.
"""

from __future__ import annotations

from pathlib import Path

import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import Tensor, nn

from mltranslate.errors import DataError, reason
from mltranslate_train.checkpoint import on_disk, plain, save_tensors
from mltranslate_train.config import TrainConfig
from mltranslate_train.distributed import World, like, local, whole_on_main

SNAPSHOTS = "snapshots"
_EMA_EVERY = 8
"""Steps between updates of the average; its decay is raised to this power."""


class Averaging:
    """The weights to evaluate and export; without further ado these are the latest.

    Every process of a parallel run calls every method.
    """

    def __init__(self, model: nn.Module) -> None:
        self._model = model

    def update(self, step: int) -> None:
        """Take note of the weights after `step`."""

    def weights(self) -> dict[str, Tensor]:
        """Weights to evaluate and export, under the model's names; they may be sharded.

        Raises:
            DataError: what they are made of is damaged.
        """
        return dict(self._model.state_dict())

    def state_dict(self) -> dict[str, Tensor]:
        """What a resume needs beside the model's own weights; may be sharded, or empty."""
        return {}

    def load(self, state: dict[str, Tensor]) -> None:
        """Take over what `state_dict` gave."""

    def saved(self, step: int) -> None:
        """Learn that a checkpoint of `step` is on the disk: no resume goes back before it."""


class MovingAverage(Averaging):
    """Exponential moving average of what learns, updated every few steps to stay cheap."""

    def __init__(self, model: nn.Module, decay: float) -> None:
        super().__init__(model)
        self._decay = decay
        learning = {n: p.detach() for n, p in model.named_parameters() if p.requires_grad}
        self._average = {name: weight.clone() for name, weight in learning.items()}
        self._pairs = (
            [local(average) for average in self._average.values()],
            [local(weight) for weight in learning.values()],
        )

    @torch.no_grad()
    def update(self, step: int) -> None:
        """Fold in the weights after `step`; early steps count more, as nothing was averaged yet."""
        if step < _EMA_EVERY:  # nothing was averaged yet, and first weights are no average
            torch._foreach_copy_(*self._pairs)
        if step % _EMA_EVERY:
            return
        decay = min(self._decay, step / (step + 10.0)) ** _EMA_EVERY
        torch._foreach_lerp_(*self._pairs, 1 - decay)

    def weights(self) -> dict[str, Tensor]:
        """The averages, and what does not learn as it is."""
        return super().weights() | self.state_dict()

    def state_dict(self) -> dict[str, Tensor]:
        """Averages under the model's names."""
        return dict(self._average)

    @torch.no_grad()
    def load(self, state: dict[str, Tensor]) -> None:
        """Take over averages; a run that had none goes on from its weights."""
        for name, average in self._average.items():
            if name in state:
                average.copy_(like(state[name], average))


class Snapshots(Averaging):
    """Mean of the last snapshots, which lie in files; of fewer as long as there are fewer."""

    def __init__(
        self, model: nn.Module, folder: Path, every: int, last: int, step: int, world: World
    ) -> None:
        super().__init__(model)
        self._folder, self._every, self._last = folder, every, last
        self._step, self._world = step, world

    def update(self, step: int) -> None:
        """Write a snapshot if it is time for one."""
        self._step = step
        if step % self._every:
            return
        weights = whole_on_main(super().weights(), self._world)
        self._world.on_main(lambda: self._write(weights))

    def _write(self, weights: dict[str, Tensor]) -> None:
        file = self._folder / f"{self._step}.safetensors"
        tensors = plain(weights)
        with on_disk("the snapshot", file):
            self._folder.mkdir(exist_ok=True)
            unfinished = file.with_suffix(".new")
            save_tensors(tensors, unfinished)
            unfinished.replace(file)

    def _files(self, step: int) -> list[Path]:
        """Snapshots that count at `step`, oldest first; a resume may find later ones too."""
        found = {int(path.stem): path for path in self._folder.glob("*.safetensors")}
        return [found[number] for number in sorted(found) if number <= step][-self._last :]

    def weights(self) -> dict[str, Tensor]:
        """Mean of the last snapshots; the latest weights before the first one is due.

        Only the main process reads the files and has the mean, the others get nothing then.
        """
        mean: dict[str, Tensor] = {}

        def read() -> bool:
            mean.update(_mean(self._files(self._step)))
            return bool(mean)

        return mean if self._world.on_main(read) else super().weights()

    def saved(self, step: int) -> None:
        """Remove snapshots that no average will need any more."""
        if not self._world.main:
            return
        kept = self._files(step)
        for path in self._folder.glob("*.safetensors"):
            if kept and int(path.stem) < int(kept[0].stem):
                path.unlink()


def _mean(files: list[Path]) -> dict[str, Tensor]:
    """Mean of the weights in the files; none of no file."""
    mean = _read(files[0]) if files else {}
    for path in files[1:]:
        for name, tensor in _read(path).items():
            mean[name] += tensor
    return {name: tensor / len(files) for name, tensor in mean.items()}


def _read(path: Path) -> dict[str, Tensor]:
    try:
        return safetensors.torch.load_file(path)
    except (OSError, SafetensorError) as error:
        raise DataError(
            f"snapshot {path} cannot be read",
            why=reason(error),
            fix="Remove it: the same command goes on with the mean of the others",
        ) from error


def make_averaging(
    model: nn.Module, config: TrainConfig, run: Path, step: int, world: World
) -> Averaging:
    """The averaging that a recipe asks for, of a run that has made `step` steps."""
    if config.average_last:
        return Snapshots(
            model, run / SNAPSHOTS, config.snapshot_every, config.average_last, step, world
        )
    return MovingAverage(model, config.ema_decay) if config.ema_decay else Averaging(model)
