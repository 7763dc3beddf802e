"""Checkpoints: everything that an exact resume needs, written all or nothing."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from torch import Tensor, nn

from mltranslate.errors import DataError

MODEL, AVERAGE, OPTIMIZER, STATE, ABOUT = (
    "model.safetensors", "average.safetensors", "optimizer.pt", "state.json", "model.json",
)  # fmt: skip


@dataclass(slots=True)
class Checkpoint:
    """What `load_checkpoint` gives back."""

    model: dict[str, Tensor]
    average: dict[str, Tensor]
    optimizer: dict[str, Any]
    state: dict[str, Any]


def save_checkpoint(
    folder: Path, model: nn.Module, average: dict[str, Tensor], optimizer: torch.optim.Optimizer,
    state: dict[str, Any],
) -> None:  # fmt: skip
    """Write a resumable checkpoint; an interrupted write leaves the previous one intact."""
    with _Replacement(folder) as new:
        safetensors.torch.save_file(_plain(model.state_dict()), new / MODEL)
        safetensors.torch.save_file(_plain(average), new / AVERAGE)
        torch.save({"optimizer": optimizer.state_dict(), "rng": _rng_state()}, new / OPTIMIZER)
        (new / STATE).write_text(json.dumps(state), encoding="utf-8")


def load_checkpoint(folder: Path) -> Checkpoint:
    """Read a checkpoint; raises DataError if a part is missing or damaged."""
    try:
        # To the CPU first: the device it was saved from need not be here.
        packed = torch.load(folder / OPTIMIZER, map_location="cpu", weights_only=True)
        return Checkpoint(
            model=safetensors.torch.load_file(folder / MODEL),
            average=safetensors.torch.load_file(folder / AVERAGE),
            optimizer=packed,
            state=json.loads((folder / STATE).read_text(encoding="utf-8")),
        )
    except Exception as error:  # unpickling damaged bytes can raise anything
        why = str(error).partition("\n")[0]
        raise DataError(
            f"checkpoint {folder} cannot be read", why=why, fix="Remove it to start afresh"
        ) from error


def save_weights(folder: Path, weights: dict[str, Tensor], about: dict[str, Any]) -> None:
    """Write weights and their description for export, without training state."""
    with _Replacement(folder) as new:
        safetensors.torch.save_file(_plain(weights), new / MODEL)
        (new / ABOUT).write_text(json.dumps(about, ensure_ascii=False, indent=1), encoding="utf-8")


def restore_rng(packed: dict[str, Any]) -> None:
    """Put torch's random generators back to where they were."""
    torch.set_rng_state(packed["cpu"])
    # There may be fewer GPUs than when it was saved, or none.
    torch.cuda.set_rng_state_all(packed["cuda"][: torch.cuda.device_count()])


def _rng_state() -> dict[str, Any]:
    cuda = torch.cuda.get_rng_state_all() if torch.cuda.is_available() else []
    return {"cpu": torch.get_rng_state(), "cuda": cuda}


def _plain(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}


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
