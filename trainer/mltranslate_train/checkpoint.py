"""Checkpoints: everything that an exact resume needs, written all or nothing."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import Tensor

from mltranslate.errors import DataError, TrainingError, reason

MODEL, AVERAGE, OPTIMIZER, STATE, ABOUT = (
    "model.safetensors", "average.safetensors", "optimizer.pt", "state.json", "model.json",
)  # fmt: skip
LAST, BEST = "last", "best"
"""Folders of a run: what it resumes from, and the weights that were best at an evaluation."""


@dataclass(slots=True)
class Checkpoint:
    """Everything that a resume needs, in whole tensors, however many processes train."""

    model: dict[str, Tensor]
    average: dict[str, Tensor]
    """What the averaging keeps; empty if that is nothing."""
    optimizer: dict[str, Any]
    rng: list[dict[str, Any]]
    """Random generators of every process, by rank."""
    state: dict[str, Any]
    """Totals and the place in the data; as JSON."""


def save_checkpoint(folder: Path, saved: Checkpoint) -> None:
    """Write a resumable checkpoint; a write that fails or is cut off leaves the previous one.

    Raises:
        TrainingError: the disk is full, or does not take it for another reason.
    """
    model, average = plain(saved.model), plain(saved.average)
    with on_disk("the checkpoint", folder), _Replacement(folder) as new:
        save_tensors(model, new / MODEL)
        save_tensors(average, new / AVERAGE)
        torch.save({"optimizer": saved.optimizer, "rng": saved.rng}, new / OPTIMIZER)
        (new / STATE).write_text(json.dumps(saved.state), encoding="utf-8")


def load_checkpoint(folder: Path) -> Checkpoint:
    """Read a checkpoint; raises DataError if a part is missing or damaged."""
    try:
        # To the CPU first: the device it was saved from need not be here.
        packed = torch.load(folder / OPTIMIZER, map_location="cpu", weights_only=True)
        return Checkpoint(
            model=safetensors.torch.load_file(folder / MODEL),
            average=safetensors.torch.load_file(folder / AVERAGE),
            optimizer=packed["optimizer"],
            rng=packed["rng"],
            state=json.loads((folder / STATE).read_text(encoding="utf-8")),
        )
    except Exception as error:  # unpickling damaged bytes can raise anything
        why = str(error).partition("\n")[0]
        raise DataError(
            f"checkpoint {folder} cannot be read", why=why, fix="Remove it to start afresh"
        ) from error


def save_tensors(tensors: dict[str, Tensor], path: Path) -> None:
    """Write a safetensors file that whoever may read its neighbours may read as well."""
    path.touch()
    mode = path.stat().st_mode
    safetensors.torch.save_file(tensors, path)  # leaves it to its owner alone
    path.chmod(mode)


def save_weights(folder: Path, weights: dict[str, Tensor], about: dict[str, Any]) -> None:
    """Write weights and their description for export, without training state.

    Raises:
        TrainingError: as for `save_checkpoint`.
    """
    tensors = plain(weights)
    with on_disk("the weights", folder), _Replacement(folder) as new:
        save_tensors(tensors, new / MODEL)
        (new / ABOUT).write_text(json.dumps(about, ensure_ascii=False, indent=1), encoding="utf-8")


def rng_state() -> dict[str, Any]:
    """Torch's random generators of this process: the CPU's, and that of its GPU if it has one."""
    cuda = [torch.cuda.get_rng_state()] if torch.cuda.is_available() else []
    return {"cpu": torch.get_rng_state(), "cuda": cuda}


def restore_rng(packed: dict[str, Any]) -> None:
    """Put torch's random generators back to where they were; a GPU need not be here any more."""
    torch.set_rng_state(packed["cpu"])
    if torch.cuda.is_available():
        for state in packed["cuda"]:
            torch.cuda.set_rng_state(state)


def plain(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Tensors on the CPU and in one piece, as files hold them."""
    return {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}


@contextmanager
def on_disk(what: str, path: Path) -> Iterator[None]:
    """Raise TrainingError, with advice, for any failure to write `path` in the block."""
    try:
        yield
    except (OSError, SafetensorError, RuntimeError) as error:  # torch.save raises the last
        cut = isinstance(error, RuntimeError)  # and tells only where in the file it happened
        raise TrainingError(
            f"{what} {path} cannot be written",
            why="the disk did not take all of it" if cut else reason(error),
            fix="Make room on the disk; the same command resumes from the last checkpoint",
        ) from error


class _Replacement:
    """A fresh folder that takes the place of `folder` only when its block succeeds."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._new = folder.with_name(folder.name + ".new")
        self._old = folder.with_name(folder.name + ".old")

    def __enter__(self) -> Path:
        shutil.rmtree(self._new, ignore_errors=True)
        self._new.mkdir(parents=True)
        return self._new

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None:
            shutil.rmtree(self._new, ignore_errors=True)
            return
        for file in self._new.iterdir():
            _to_disk(file)
        # Where a crash left only the old one, it stays until the new one is in place.
        if self._folder.exists():
            shutil.rmtree(self._old, ignore_errors=True)
            os.replace(self._folder, self._old)
        os.replace(self._new, self._folder)
        shutil.rmtree(self._old, ignore_errors=True)


def _to_disk(file: Path) -> None:
    """Wait until the file would survive a power cut."""
    with file.open("rb+") as opened:
        os.fsync(opened.fileno())


def newest(folder: Path) -> Path | None:
    """The folder of the last complete checkpoint, also after a crash between two renames."""
    for candidate in (folder, folder.with_name(folder.name + ".old")):
        if (candidate / STATE).is_file():
            return candidate
    return None
